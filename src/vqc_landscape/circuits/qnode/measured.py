"""PennyLane observables as sums of products of Pauli words and hermitian matrices."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vqc_landscape.circuits.qnode.parts import Label, NotTakenError, Number, array

MAX_OBSERVABLE_WIRES = 10  # of a matrix that is measured: 1024 x 1024 numbers, 16 MB; chosen by us


@dataclass(frozen=True)
class Factor:
    """A hermitian operator on some wires.

    Attributes:
        kind: ``"matrix"`` (d, d), ``"diagonal"`` (d,), ``"bits"`` of a basis state that is projected on (k,), or
            ``"amplitudes"`` of a state that is (d,).
        wires: labels; the first one is the most significant bit of an index.
        value: where many evaluations are made at once, with one more axis.
    """

    kind: str
    wires: tuple[Label, ...]
    value: Any


@dataclass(frozen=True)
class ObservableTerm:
    """``coefficient * word * factors``, all on different wires.

    Attributes:
        coefficient: complex, or (n_entries,) where many evaluations are made at once.
        word: letters X, Y, Z.
        wires: labels, one for each letter.
        factors: the matrices.
    """

    coefficient: Number
    word: str = ""
    wires: tuple[Label, ...] = ()
    factors: tuple[Factor, ...] = ()

    @property
    def all_wires(self) -> tuple[Label, ...]:
        """Wires of the word and of all factors."""
        return self.wires + tuple(wire for factor in self.factors for wire in factor.wires)


def terms_of(observable: Any) -> list[ObservableTerm]:
    """The terms of an observable.

    Raises:
        NotTakenError: it has neither Pauli words nor a matrix on few wires.
    """
    import pennylane as qml

    sentence = observable.pauli_rep
    if sentence is not None:
        return [
            ObservableTerm(array(coefficient).astype(np.complex128)[()], "".join(word.values()), tuple(word))
            for word, coefficient in sentence.items()
        ]
    if isinstance(observable, qml.ops.SProd):
        scalar = array(observable.scalar).astype(np.complex128)[()]
        return [replace(term, coefficient=scalar * term.coefficient) for term in terms_of(observable.base)]
    if isinstance(observable, qml.ops.Sum):
        return [term for operand in observable.operands for term in terms_of(operand)]
    if isinstance(observable, qml.ops.Prod):
        return _product(observable)
    return [ObservableTerm(1.0 + 0j, factors=(_factor(observable),))]


def _product(observable: Any) -> list[ObservableTerm]:
    operands = [terms_of(operand) for operand in observable.operands]
    found = []
    for choice in itertools.product(*operands):
        wires = [wire for term in choice for wire in term.all_wires]
        if len(set(wires)) < len(wires):  # factors that share a wire need not commute: only their product counts
            return [ObservableTerm(1.0 + 0j, factors=(_matrix_factor(observable),))]
        coefficient: Number = 1.0 + 0j
        for term in choice:
            coefficient = coefficient * term.coefficient
        found.append(
            ObservableTerm(
                coefficient,
                "".join(term.word for term in choice),
                tuple(wire for term in choice for wire in term.wires),
                tuple(factor for term in choice for factor in term.factors),
            )
        )
    return found


def _factor(observable: Any) -> Factor:
    import pennylane as qml

    wires = observable.wires.labels
    if observable.name in ("BasisStateProjector", "StateVectorProjector", "Projector"):
        value = array(observable.parameters[0])
        is_bits = isinstance(observable, qml.ops.qubit.observables.BasisStateProjector)
        return Factor("bits" if is_bits else "amplitudes", wires, value)
    if isinstance(observable, qml.SparseHamiltonian):
        matrix = observable.parameters[0].tocoo()
        if np.array_equal(matrix.row, matrix.col):
            return Factor("diagonal", wires, matrix.diagonal().astype(np.complex128))
    return _matrix_factor(observable)


def _matrix_factor(observable: Any) -> Factor:
    wires = observable.wires.labels
    if len(wires) > MAX_OBSERVABLE_WIRES:
        raise NotTakenError(
            f"Observable {observable.name} acts on {len(wires)} wires; a matrix is measured on up to "
            f"{MAX_OBSERVABLE_WIRES}. Write it as a sum of Pauli words, qml.pauli_decompose or qml.Hamiltonian."
        )
    if observable.name == "Hermitian":
        return Factor("matrix", wires, array(observable.parameters[0]).astype(np.complex128))
    if not observable.has_matrix:
        raise NotTakenError(
            f"Observable {observable.name} cannot be taken: it has neither Pauli words nor a matrix. Write it as a sum "
            "of Pauli words, qml.Hamiltonian."
        )
    return Factor("matrix", wires, array(observable.matrix(wire_order=wires)).astype(np.complex128))


def of_bits(measured: Any, name: str) -> Any:
    """The observable of a measurement of deferred bits, whose wires PennyLane lists in another order in each call.

    Raises:
        NotTakenError: more bits than wires of a matrix that is measured.
    """
    import pennylane as qml

    if len(measured.wires) > MAX_OBSERVABLE_WIRES:  # its matrix is not even made
        raise NotTakenError(
            f"{name} returns a function of {len(measured.wires)} measured bits; up to {MAX_OBSERVABLE_WIRES} are taken."
        )
    order = sorted(range(len(measured.wires)), key=lambda k: str(measured.wires[k]))
    values = np.asarray(measured.eigvals(), dtype=float).reshape([2] * len(order)).transpose(order)
    return qml.Hermitian(np.diag(values.reshape(-1)), [measured.wires[k] for k in order])
