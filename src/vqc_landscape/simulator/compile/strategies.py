r"""From a state to a number: the four ways to measure, each with its formula and its derivatives.

Exact are ``ExactPauli`` and ``Overlap``. The code published with arXiv:2008.02785 has two others, ``DetachedBra`` and
``RealSquare``. One of them is chosen when a circuit is compiled; engines read its factors and know no convention.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array, NotDifferentiableError
from vqc_landscape.circuits.observables import Observable, Projector, SampleProjector

Complex = NDArray[np.complex128]

CUSP = 1e-12  # |Re(z^2)| below which its absolute value counts as not differentiable: round-off of z


class Strategy:
    r"""How f and its derivatives follow from the state psi, its tangents T_i, and the *image* phi of psi.

    .. math:: \partial_i f = g \, \mathrm{Re}\langle\phi|T_i\rangle, \qquad
        \partial_i\partial_j f = a \, \mathrm{Re}\langle T_i|O|T_j\rangle
        + b \, \mathrm{Re}\langle\phi|\partial_i\partial_j\psi\rangle

    Attributes:
        gradient_factor, gram_factor, second_factor: g, a and b.
        is_exact: whether the second derivatives are those of f, and f is an expectation value. Only then do gates
            that commute with what follows and the observable cancel, is ``O + c`` as good as O, and are there products
            with the Hessian.
        sees_phase: whether f changes with the phase of the state.
        has_gradient_structure: whether what no gradient sees, no Hessian sees.
    """

    gradient_factor = 2.0
    gram_factor = 2.0
    second_factor = 2.0
    is_exact = True
    sees_phase = False
    has_gradient_structure = True


class ExactPauli(Strategy):
    r"""f = <psi|O|psi> of a sum of Pauli words or matrices; the image is O psi."""


class DetachedBra(Strategy):
    r"""f = <c|O|psi> with c = psi counted as a constant: half the gradient, and no ``<T_i|O|T_j>``."""

    gradient_factor = 1.0
    gram_factor = 0.0
    second_factor = 1.0
    is_exact = False
    has_gradient_structure = False


class TargetStrategy(Strategy, ABC):
    """A function of the overlap z = <t|psi> with a target state t; the image is a multiple of t."""

    @abstractmethod
    def evaluate(self, overlaps: Complex) -> tuple[Array, Complex, Array]:
        """From the overlap of every sample to f, to the image's factor, and to the Gram weights of Re and Im <t|T>.

        Args:
            overlaps: z, shape (n_samples,).

        Returns:
            f (n_samples,); factors of t (n_samples,); weights (2, n_samples).
        """

    def check(self, outputs: Array) -> None:
        """Check that f has second derivatives.

        Args:
            outputs: f, shape (n_samples,).

        Raises:
            NotDifferentiableError: it has none.
        """


class Overlap(TargetStrategy):
    """F = abs(z)**2, the fidelity: the expectation value of a projector."""

    def evaluate(self, overlaps: Complex) -> tuple[Array, Complex, Array]:
        return np.abs(overlaps) ** 2, overlaps, np.ones((2, len(overlaps)))


class RealSquare(TargetStrategy):
    """F = abs(Re(z**2)), with a cusp where Re(z**2) = 0."""

    is_exact = False
    sees_phase = True

    def evaluate(self, overlaps: Complex) -> tuple[Array, Complex, Array]:
        square = (overlaps**2).real
        sign = np.where(square < 0, -1.0, 1.0)
        return np.abs(square), sign * np.conj(overlaps), np.stack([sign, -sign])

    def check(self, outputs: Array) -> None:
        smallest = float(np.min(outputs, initial=np.inf))
        if smallest < CUSP:
            raise NotDifferentiableError(
                f"Argument `params` is a cusp of the published loss, |Re(z**2)| = {smallest:.1e}."
            )


EXACT_PAULI, DETACHED_BRA, OVERLAP, REAL_SQUARE = ExactPauli(), DetachedBra(), Overlap(), RealSquare()


def choose_strategy(observable: Observable, convention: str) -> Strategy:
    """The strategy for an observable, in the ``"exact"`` convention or in the one ``"as_published"``."""
    if isinstance(observable, Projector | SampleProjector):
        return OVERLAP if convention == "exact" else REAL_SQUARE
    return EXACT_PAULI if convention == "exact" else DETACHED_BRA
