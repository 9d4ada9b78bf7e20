"""Observables: sums of Pauli words, and projectors onto a state."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.circuits.pauli import diagonal_support, pauli_support
from vqc_landscape.circuits.program import SampleState


@dataclass(frozen=True)
class PauliSum:
    """``sum_t coefficient_t * word_t``: terms ``(coefficient, word, wires)``, the empty word is the identity."""

    terms: tuple[tuple[float, str, tuple[int, ...]], ...]

    def __post_init__(self) -> None:
        if not self.terms:
            raise ValueError("Argument `terms` must hold at least one term.")
        for coefficient, word, wires in self.terms:
            if len(word) != len(wires) or set(word) - set("XYZ") or len(set(wires)) < len(wires):
                raise ValueError(
                    f"Argument `terms` must pair each of X, Y, Z with one wire, but has {word!r} on wires {wires}."
                )
            if not np.isfinite(coefficient):
                raise ValueError(f"Argument `terms` must have finite coefficients, but has {coefficient}.")

    @property
    def words(self) -> list[tuple[str, tuple[int, ...]]]:
        """Words with a coefficient that is not 0 in the end, as (letters, wires), the identity left out."""
        totals: dict[tuple[tuple[int, str], ...], float] = defaultdict(float)
        for coefficient, word, wires in self.terms:
            totals[tuple(sorted(zip(wires, word, strict=True)))] += coefficient
        words = [key for key, total in totals.items() if key and total != 0]
        return [("".join(letter for _, letter in key), tuple(wire for wire, _ in key)) for key in words]


def PauliZ(wire: int) -> PauliSum:  # noqa: N802 - the field's name for it
    """Pauli Z of one qubit, expectation values in [-1, 1]."""
    return PauliSum(((1.0, "Z", (wire,)),))


def local_projector(n_qubits: int, pauli: str) -> PauliSum:
    """``(1/n) sum_i (1 + P_i) / 2``: mean of the one-qubit projectors onto the +1 state of ``pauli``."""
    ones = tuple((0.5 / n_qubits, pauli, (q,)) for q in range(n_qubits))
    return PauliSum(((0.5, "", ()), *ones))


class Projector:
    """``|t><t|`` onto a target state of all qubits, expectation value = fidelity.

    Args:
        state: amplitudes of ``t``, shape (2**n_qubits,), norm 1; wire 0 is the most significant bit.

    Raises:
        ValueError: the length is no power of two, or the norm is not 1.
    """

    def __init__(self, state: Sequence[complex] | Any) -> None:
        amplitudes = np.asarray(state, dtype=np.complex128).reshape(-1).copy()
        if amplitudes.size < 2 or amplitudes.size & (amplitudes.size - 1):
            raise ValueError(f"Argument `state` must have 2**n_qubits amplitudes, but has {amplitudes.size}.")
        # 1e-10: round-off of 2**20 squares, far below any mistake in a state written by hand
        if not abs(np.linalg.norm(amplitudes) - 1) < 1e-10:
            raise ValueError(f"Argument `state` must have norm 1, but has norm {np.linalg.norm(amplitudes)}.")
        self.state: NDArray[np.complex128] = amplitudes

    def targets(self, rows: NDArray[np.float64]) -> NDArray[np.complex128]:
        """The target of all samples, shape (1, 2**n_qubits)."""
        return self.state[np.newaxis]

    @property
    def n_qubits(self) -> int:
        """Number of qubits of the target state."""
        return self.state.size.bit_length() - 1


@dataclass(frozen=True, eq=False)
class Diagonalised:
    """A hermitian matrix ``change^+ diag(eigvals) change``.

    Attributes:
        eigvals: shape (2**k,).
        change: basis change before the eigenvalues are measured, shape (2**k, 2**k); None where there is none.
    """

    eigvals: NDArray[np.float64]
    change: NDArray[np.complex128] | None = None

    @classmethod
    def of(cls, matrix: NDArray[np.complex128]) -> Diagonalised:
        """From a hermitian matrix, shape (2**k, 2**k)."""
        diagonal = np.diag(matrix)
        if not (matrix - np.diag(diagonal)).any():
            return cls(diagonal.real.copy())
        eigvals, eigvecs = np.linalg.eigh(matrix if matrix.imag.any() else matrix.real)  # far faster
        return cls(eigvals, np.ascontiguousarray(eigvecs.conj().T, dtype=np.complex128))

    @classmethod
    def projector(cls, amplitudes: NDArray[np.complex128]) -> Diagonalised:
        """Onto a state, shape (2**k,), whose norm need not be 1."""
        eigvals, norm = np.zeros(len(amplitudes)), float(np.linalg.norm(amplitudes))
        if np.count_nonzero(amplitudes) <= 1:
            eigvals[np.flatnonzero(amplitudes)] = norm**2
            return cls(eigvals)
        eigvals[0] = norm**2
        # the reflection that takes the state to |0...0>, up to a phase; its sign makes the difference no small one
        turned = amplitudes / norm * np.exp(-1j * np.angle(amplitudes[0]))
        axis = turned + np.eye(len(amplitudes))[0]
        return cls(eigvals, np.eye(len(amplitudes)) - 2 * np.outer(axis, axis.conj()) / np.vdot(axis, axis))

    @functools.cached_property
    def words(self) -> tuple[str, list[str]]:
        """See :func:`pauli_support`."""
        if self.change is None:
            return diagonal_support(self.eigvals)
        return pauli_support(self.change.conj().T @ (self.eigvals[:, np.newaxis] * self.change))


@dataclass(frozen=True, eq=False)
class Product:
    """``coefficient * word * matrices``, all on different wires.

    Attributes:
        coefficient: a number, times the feature where there is one.
        word: letters X, Y, Z, one for each of ``wires``.
        wires: wires of the word.
        matrices: hermitian matrices, each with its wires; the first wire is the most significant bit of an index.
        feature: which feature of a sample the coefficient is multiplied by.
    """

    coefficient: float
    word: str = ""
    wires: tuple[int, ...] = ()
    matrices: tuple[tuple[Diagonalised, tuple[int, ...]], ...] = ()
    feature: int | None = None


@dataclass(frozen=True, eq=False)
class ProductSum:
    """A sum of products of Pauli words and hermitian matrices, whose coefficients may depend on the sample."""

    products: tuple[Product, ...]

    @property
    def depends_on_samples(self) -> bool:
        """Whether a sample enters a coefficient."""
        return any(product.feature is not None for product in self.products)

    def coefficients(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Coefficient of every product for every sample, shape (n_samples, n_products)."""
        columns = [p.coefficient * (1.0 if p.feature is None else rows[:, p.feature]) for p in self.products]
        return np.stack(np.broadcast_arrays(*columns, np.empty(len(rows)))[:-1], axis=1)

    @functools.cached_property
    def words(self) -> list[tuple[str, tuple[int, ...]]]:
        """Words that generate, up to signs, all words of the sum, as (letters, wires), the identity left out."""
        found: dict[tuple[str, tuple[int, ...]], None] = {}
        for term in self.products:
            base, directions = dict(zip(term.wires, term.word, strict=True)), []
            for matrix, wires in term.matrices:
                own, others = matrix.words
                base |= dict(zip(wires, own, strict=True))
                directions += [dict(zip(wires, word, strict=True)) for word in others]
            for word in (base, *directions):
                kept = {wire: letter for wire, letter in word.items() if letter != "I"}
                if kept:
                    found["".join(kept.values()), tuple(kept)] = None
        return list(found)


@dataclass(frozen=True)
class SampleProjector:
    """``|t_s><t_s|`` onto a state of all qubits that every sample brings."""

    state: SampleState

    @property
    def n_qubits(self) -> int:
        """Number of qubits of the target states."""
        return self.state.n_qubits

    def targets(self, rows: NDArray[np.float64]) -> NDArray[np.complex128]:
        """The target of each sample, shape (n_samples, 2**n_qubits)."""
        return self.state.of(rows)


Observable = PauliSum | Projector | ProductSum | SampleProjector


def zero_state(n_qubits: int) -> NDArray[np.complex128]:
    """``|0...0>``, shape (2**n_qubits,)."""
    state = np.zeros(2**n_qubits, dtype=np.complex128)
    state[0] = 1
    return state


def plus_state(n_qubits: int) -> NDArray[np.complex128]:
    """``2**(-n/2) sum_z |z>``, shape (2**n_qubits,)."""
    return np.full(2**n_qubits, 2.0 ** (-n_qubits / 2), dtype=np.complex128)
