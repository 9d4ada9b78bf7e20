"""Observables as what an engine measures: commuting sets of products, each diagonal after a change of basis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array
from vqc_landscape.circuits.observables import (
    Diagonalised,
    Observable,
    PauliSum,
    Product,
    ProductSum,
    Projector,
    SampleProjector,
)
from vqc_landscape.circuits.program import Circuit
from vqc_landscape.simulator.compile.schedule import Placed, Unitaries, WireMasks, make_unitaries
from vqc_landscape.simulator.compile.strategies import Strategy
from vqc_landscape.structure.lightcone import inside_light_cone

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Basis change V before measuring Z, as an RY rotation (1, -t; t, 1) / sqrt(2) after a phase on |1>: V+ Z V = P.
_RY_TAN = {"X": -1.0, "Y": 1.0}
_PHASE = {"X": 1.0 + 0.0j, "Y": 1.0j}


class CommutingSets(NamedTuple):
    """Sets of products that are measured together: a basis change each, then a weight for each basis state.

    Attributes:
        ry_starts: RY rotations of the basis change of set g are ``ry_starts[g]`` to ``ry_starts[g + 1]``.
        ry_x, ry_r, ry_tans: masks of the qubit of each, and tan(angle/2).
        unitaries: of each set, after its RY rotations.
        basis_phases: a row for each basis change: phase on |1> per wire, then a factor; (n_changes, n_qubits + 1).
        basis: row of ``basis_phases`` of each set; -1 where it is already diagonal.
        weights: eigenvalue of each basis state less the set's offset, (n_sets, 2**n_qubits, 1 or n_samples).
        rows: basis states with a weight that is not 0, those of set g ``row_starts[g]`` to ``row_starts[g + 1]``.
        offset: sum over the sets of the most frequent eigenvalue, (1 or n_samples,). ``O - offset`` has the derivatives
            of O.
    """

    ry_starts: Ints
    ry_x: Ints
    ry_r: Ints
    ry_tans: Array
    unitaries: Unitaries
    basis_phases: NDArray[np.complex128]
    basis: Ints
    weights: Array
    rows: Ints
    row_starts: Ints
    offset: Array


@dataclass
class _CommutingSet:
    """Products that are diagonal in the same basis.

    Attributes:
        letters: of the words, for each wire.
        matrices: those that are measured, by their wires.
        members: number, and eigenvalue of each basis state, of each product.
    """

    letters: dict[int, str]
    matrices: dict[tuple[int, ...], Diagonalised]
    members: list[tuple[int, Floats]]

    def takes(self, letters: dict[int, str], matrices: dict[tuple[int, ...], Diagonalised]) -> bool:
        """Whether a product is diagonal in a common basis."""
        changed = {wire for wires, own in self.matrices.items() if own.change is not None for wire in wires}
        if any(wire in changed or self.letters.get(wire, letter) != letter for wire, letter in letters.items()):
            return False
        for wires, matrix in matrices.items():
            own = self.matrices.get(wires)
            if own is not None and _same(own.change, matrix.change):
                continue
            taken = changed if matrix.change is None else changed | self.letters.keys()
            if taken & set(wires) or any(self.letters.get(wire, "Z") != "Z" for wire in wires):
                return False
        return True


def _same(change: NDArray[np.complex128] | None, other: NDArray[np.complex128] | None) -> bool:
    return change is other or (change is not None and other is not None and np.array_equal(change, other))


class Measurement:
    """Sums of products, one for each output, as common commuting sets.

    All samples have the same coefficients, or each has its own.

    Args:
        observables: a sum for each output.
        wire_masks: those after the last gate.
        shift: whether the offset is taken out.
    """

    def __init__(self, observables: Sequence[PauliSum | ProductSum], wire_masks: WireMasks, shift: bool) -> None:
        self.shift = shift
        sets: list[_CommutingSet] = []
        products = [(k, product) for k, observable in enumerate(observables) for product in as_products(observable)]
        for number, (_, product) in enumerate(products):
            letters = dict(zip(product.wires, product.word, strict=True))
            matrices = {wires: matrix for matrix, wires in product.matrices}
            own = next((own for own in sets if own.takes(letters, matrices)), None)
            if own is None:
                own = _CommutingSet({}, {}, [])
                sets.append(own)
            own.letters.update(letters)
            values = np.where(_odd(wire_masks, product.wires), -1.0, 1.0)
            for wires, matrix in matrices.items():
                own.matrices.setdefault(wires, matrix)
                if matrix.change is None:
                    own.letters.update(dict.fromkeys(wires, "Z"))
                values = values * matrix.eigvals[_index(wire_masks, wires)]
            own.members.append((number, values))
        self._members = [own.members for own in sets]
        self._bases = _flatten(wire_masks, sets)
        self._output = np.array([k for k, _ in products], dtype=np.int64)
        self.n_outputs = len(observables)
        self.basis_phases = self._bases.basis_phases
        self.has_matrices = any(isinstance(o, ProductSum) for o in observables)
        self.depends_on_samples = any(isinstance(o, ProductSum) and o.depends_on_samples for o in observables)
        self._shared: tuple[CommutingSets, ...] | None = None
        if not self.depends_on_samples:
            self._shared = self._split(np.array([[product.coefficient for _, product in products]]))

    def outputs(self, coefficients: Floats) -> tuple[CommutingSets, ...]:
        """The commuting sets of every output, with the weights of some samples.

        Args:
            coefficients: of every product, shape (n_samples, n_products); not read where all samples have the same.
        """
        return self._shared or self._split(coefficients)

    def combined(self, outputs: Sequence[CommutingSets], factors: Floats) -> tuple[Floats, CommutingSets]:
        """The sum of all outputs, each times its factor, as a factor for every sample and the sets that it goes with.

        Args:
            outputs: see :meth:`outputs`.
            factors: of every output, shape (n_samples, n_outputs).
        """
        if self.n_outputs == 1:
            return factors[:, 0], outputs[0]
        weights = sum(sets.weights * factor for sets, factor in zip(outputs, factors.T, strict=True))
        return np.ones(len(factors)), _with_weights(self._bases, weights, np.zeros(len(factors)))

    def _split(self, coefficients: Floats) -> tuple[CommutingSets, ...]:
        return tuple(self._of(coefficients * (self._output == k)) for k in range(self.n_outputs))

    def _of(self, coefficients: Floats) -> CommutingSets:
        n_samples, size = len(coefficients), self._bases.weights.shape[1]
        weights = np.zeros((len(self._members), size, n_samples))
        offset = np.zeros(n_samples)
        for own, members in zip(weights, self._members, strict=True):
            for number, values in members:
                if coefficients[:, number].any():
                    own += values[:, None] * coefficients[:, number]
            if self.shift:
                common = _most_frequent(own)
                own -= common
                offset += common
        return _with_weights(self._bases, weights, offset)


def identity_set(n_qubits: int) -> CommutingSets:
    """The identity as one set: what the metric tensor measures."""
    wire_masks = WireMasks(*np.zeros((2, n_qubits), dtype=np.int64))
    return Measurement([PauliSum(((1.0, "", ()),))], wire_masks, shift=False).outputs(np.empty((0, 0)))[0]


def _with_weights(bases: CommutingSets, weights: Floats, offset: Floats) -> CommutingSets:
    rows = [np.flatnonzero(own.any(axis=1)) for own in weights]
    return bases._replace(
        weights=weights,
        offset=offset,
        rows=np.concatenate(rows),
        row_starts=np.cumsum([0] + [len(r) for r in rows]),
    )


def as_products(observable: PauliSum | ProductSum) -> Sequence[Product]:
    """The terms of a sum."""
    if isinstance(observable, ProductSum):
        return observable.products
    return [Product(coefficient, word, wires) for coefficient, word, wires in observable.terms]


def joint_sum(observables: Sequence[Observable]) -> ProductSum:
    """The terms of several sums as one: it sees what any of them sees."""
    sums = [o for o in observables if isinstance(o, PauliSum | ProductSum)]
    return ProductSum(tuple(product for own in sums for product in as_products(own)))


def no_sets(n_qubits: int) -> CommutingSets:
    """The sets of an observable that is a projector: none."""
    return _flatten(WireMasks(*np.zeros((2, n_qubits), dtype=np.int64)), [])


def _flatten(wire_masks: WireMasks, sets: Sequence[_CommutingSet]) -> CommutingSets:
    """The basis changes of commuting sets, without weights."""
    n_qubits = len(wire_masks.x)
    changed = [[wire for wire in range(n_qubits) if own.letters.get(wire) in _RY_TAN] for own in sets]
    placed: list[list[Placed]] = [
        [
            (matrix.change, wire_masks.x[list(wires)].tolist(), wire_masks.r[list(wires)].tolist())
            for wires, matrix in own.matrices.items()
            if matrix.change is not None
        ]
        for own in sets
    ]
    phases = np.ones((len(sets), n_qubits + 1), dtype=np.complex128)
    for row, own, wires in zip(phases, sets, changed, strict=True):
        row[wires] = [_PHASE[own.letters[wire]] for wire in wires]
        row[n_qubits] = 2.0 ** (-len(wires) / 2)
    changes = np.array([bool(wires or own) for wires, own in zip(changed, placed, strict=True)], dtype=np.bool_)
    flat = np.array([wire for wires in changed for wire in wires], dtype=np.int64)
    letters = [own.letters[wire] for own, wires in zip(sets, changed, strict=True) for wire in wires]
    return CommutingSets(
        ry_starts=np.cumsum([0] + [len(wires) for wires in changed]),
        ry_x=wire_masks.x[flat],
        ry_r=wire_masks.r[flat],
        ry_tans=np.array([_RY_TAN[letter] for letter in letters]),
        unitaries=make_unitaries(placed),
        basis_phases=phases[changes],
        basis=np.where(changes, np.cumsum(changes) - 1, -1),
        weights=np.zeros((len(sets), 2**n_qubits, 1)),
        rows=np.zeros(0, dtype=np.int64),
        row_starts=np.zeros(len(sets) + 1, dtype=np.int64),
        offset=np.zeros(1),
    )


def _odd(wire_masks: WireMasks, wires: Sequence[int]) -> NDArray[np.bool_]:
    """For every stored basis state, whether an odd number of the wires is 1."""
    mask = int(np.bitwise_xor.reduce(wire_masks.r[list(wires)], initial=0))
    odd: NDArray[np.bool_] = np.bitwise_count(np.arange(2 ** len(wire_masks.x)) & mask) % 2 == 1
    return odd


def _index(wire_masks: WireMasks, wires: Sequence[int]) -> Ints:
    """For every stored basis state, the number that some wires are the bits of."""
    index = np.zeros(2 ** len(wire_masks.x), dtype=np.int64)
    for wire in wires:
        index = 2 * index + _odd(wire_masks, [wire])
    return index


def _most_frequent(weights: Floats) -> Floats:
    """The row that most basis states have; weights are (2**n_qubits, n_samples)."""
    if weights.shape[1] == 1:  # much faster than whole rows
        values, counts = np.unique(weights, return_counts=True)
        return values[[np.argmax(counts)]]
    values, counts = np.unique(weights, axis=0, return_counts=True)
    row: Floats = values[np.argmax(counts)]
    return row


def seen_gates(circuit: Circuit, observables: Sequence[Observable], strategy: Strategy) -> Sequence[int]:
    """Positions of the gates that change an output.

    A projector sees all of them, and a strategy that is not exact does not let a gate that commutes with what follows
    cancel.
    """
    words: list[tuple[str, tuple[int, ...]]] = []
    for observable in observables:
        if not strategy.is_exact or isinstance(observable, Projector | SampleProjector):
            return range(len(circuit.gates))
        words += observable.words
    return inside_light_cone(circuit, words)


def check_fits(observable: Observable, n_qubits: int) -> None:
    """Check that an observable acts on the qubits of a circuit.

    Raises:
        ValueError: a wire that the circuit does not have, or a target state of another size.
    """
    if isinstance(observable, Projector | SampleProjector):
        if observable.n_qubits != n_qubits:
            raise ValueError(
                f"Argument `observable` projects on {observable.n_qubits} qubits, but the circuit has {n_qubits}."
            )
        return
    for product in as_products(observable):
        for what, wires in ((product.word, product.wires), *(("a matrix", own) for _, own in product.matrices)):
            if not all(0 <= wire < n_qubits for wire in wires):
                raise ValueError(
                    f"Argument `observable` has {what} on wires {wires}, but the circuit has wires 0 to {n_qubits - 1}."
                )
