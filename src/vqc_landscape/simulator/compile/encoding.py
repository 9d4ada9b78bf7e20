"""What every sample brings to a circuit, as arrays that are cut into pieces with the samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array
from vqc_landscape.circuits.observables import Observable, PauliSum, ProductSum, SampleProjector
from vqc_landscape.circuits.program import Circuit, SampleBasisState, SampleState
from vqc_landscape.simulator.compile.schedule import Ints

Complex = NDArray[np.complex128]


class Encoded(NamedTuple):
    """Samples as the engine takes them.

    Attributes:
        coefficients: of every term of every angle, shape (n_samples, n_terms).
        basis_states: on which each begins, shape (n_samples,) ...
        amplitudes: ... or these amplitudes instead, shape (1 or n_samples, 2**n_qubits); (0, 2**n_qubits) if not.
        measured: coefficients of the observable's products; shape (n_samples, n_products), or (n_samples, 0) where all
            samples have the same.
        targets: target state of each, shape (n_samples, 2**n_qubits), or (n_samples, 0) where all have the same.
    """

    coefficients: Array
    basis_states: Ints
    amplitudes: Complex
    measured: Array
    targets: Complex

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.coefficients)

    @property
    def differ(self) -> bool:
        """Whether samples differ in more than their angles."""
        return bool(len(self.amplitudes) > 1 or self.measured.size or self.targets.size or self.basis_states.any())

    def part(self, samples: slice | NDArray[np.intp]) -> Encoded:
        """Some of the samples."""
        if isinstance(samples, slice) and samples.stop - samples.start == self.n_samples:
            return self
        amplitudes = self.amplitudes if len(self.amplitudes) < 2 else self.amplitudes[samples]
        return Encoded(
            np.ascontiguousarray(self.coefficients[samples]),
            self.basis_states[samples],
            amplitudes,
            self.measured[samples],
            self.targets[samples],
        )

    def initial(self) -> Array:
        """Initial amplitudes of samples side by side, shape (2, 2**n_qubits, n_samples); (2, 0, n_samples) without."""
        shape = (self.amplitudes.shape[1] if len(self.amplitudes) else 0, self.n_samples)
        planes = np.empty((2, *shape))
        if len(self.amplitudes):
            planes[0], planes[1] = self.amplitudes.real.T, self.amplitudes.imag.T
        return planes


def encode(circuit: Circuit, observables: Sequence[Observable], rows: Array) -> Encoded:
    """What rows of features (see :meth:`Circuit.feature_rows`) are to a circuit and its observables."""
    n_samples, size = len(rows), 2**circuit.n_qubits
    amplitudes, basis_states = np.empty((0, size), np.complex128), np.zeros(n_samples, np.int64)
    match circuit.initial:
        case SampleState():
            amplitudes = circuit.initial.of(rows)
        case SampleBasisState():
            basis_states = circuit.initial.of(rows)
        case np.ndarray():
            amplitudes = circuit.initial[np.newaxis]
    measured, targets = np.empty((n_samples, 0)), np.empty((n_samples, 0), np.complex128)
    if any(isinstance(o, ProductSum) and o.depends_on_samples for o in observables):
        measured = np.concatenate([_coefficients(o, rows) for o in observables], axis=1)
    if isinstance(observables[0], SampleProjector):
        targets = observables[0].targets(rows)
    coefficients = np.ascontiguousarray(circuit.coefficients(rows))  # another layout would be compiled once more
    return Encoded(coefficients, basis_states, amplitudes, measured, targets)


def _coefficients(observable: Observable, rows: Array) -> Array:
    """Coefficient of every product for every sample, shape (n_samples, n_products)."""
    if isinstance(observable, ProductSum):
        return observable.coefficients(rows)
    assert isinstance(observable, PauliSum)  # a projector is the only output
    return np.tile([coefficient for coefficient, _, _ in observable.terms], (len(rows), 1))
