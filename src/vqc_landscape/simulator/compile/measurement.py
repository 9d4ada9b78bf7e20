"""Observables as what the engine measures: groups of commuting Pauli words, or a target state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from vqc_landscape.simulator.compile.schedule import Placed, WireMasks, make_unitaries
from vqc_landscape.simulator.cpu.workspace import Groups, Leaf
from vqc_landscape.structure.lightcone import inside_light_cone

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Basis change V before measuring Z, as a turn (1, -t; t, 1) / sqrt(2) after a phase on |1>: V+ Z V = P.
_TURN = {"X": -1.0, "Y": 1.0}
_PHASE = {"X": 1.0 + 0.0j, "Y": 1.0j}


@dataclass
class _Group:
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
        turned = {wire for wires, own in self.matrices.items() if own.change is not None for wire in wires}
        if any(wire in turned or self.letters.get(wire, letter) != letter for wire, letter in letters.items()):
            return False
        for wires, matrix in matrices.items():
            own = self.matrices.get(wires)
            if own is not None and _same(own.change, matrix.change):
                continue
            taken = turned if matrix.change is None else turned | self.letters.keys()
            if taken & set(wires) or any(self.letters.get(wire, "Z") != "Z" for wire in wires):
                return False
        return True


def _same(change: NDArray[np.complex128] | None, other: NDArray[np.complex128] | None) -> bool:
    return change is other or (change is not None and other is not None and np.array_equal(change, other))


class Measurement:
    """A sum of products as groups, for samples that all have the same coefficients, or each their own.

    Args:
        observable: the sum.
        wire_masks: those after the last gate.
        shift: whether the offset is taken out.
    """

    def __init__(self, observable: PauliSum | ProductSum, wire_masks: WireMasks, shift: bool) -> None:
        self.shift = shift
        groups: list[_Group] = []
        products = as_products(observable)
        for number, product in enumerate(products):
            letters = dict(zip(product.wires, product.word, strict=True))
            matrices = {wires: matrix for matrix, wires in product.matrices}
            group = next((group for group in groups if group.takes(letters, matrices)), None)
            if group is None:
                group = _Group({}, {}, [])
                groups.append(group)
            group.letters.update(letters)
            values = np.where(_odd(wire_masks, product.wires), -1.0, 1.0)
            for wires, matrix in matrices.items():
                group.matrices.setdefault(wires, matrix)
                if matrix.change is None:
                    group.letters.update(dict.fromkeys(wires, "Z"))
                values = values * matrix.eigvals[_index(wire_masks, wires)]
            group.members.append((number, values))
        self._members = [group.members for group in groups]
        self.groups = _flatten(wire_masks, groups)
        if isinstance(observable, PauliSum) or not observable.depends_on_samples:
            self.groups = self.of(np.array([[product.coefficient for product in products]]))

    def of(self, coefficients: Floats) -> Groups:
        """The groups with the weights of some samples.

        Args:
            coefficients: of every product, shape (n_samples, n_products).
        """
        n_samples, size = len(coefficients), self.groups.weights.shape[1]
        weights = np.zeros((len(self._members), size, n_samples))
        offset, rows = np.zeros(n_samples), []
        for own, members in zip(weights, self._members, strict=True):
            for number, values in members:
                own += values[:, None] * coefficients[:, number]
            common = _most_frequent(own) if self.shift else np.zeros(n_samples)
            own -= common
            offset += common
            rows.append(np.flatnonzero(own.any(axis=1)))
        return self.groups._replace(
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


def no_groups(n_qubits: int) -> Groups:
    """The groups of an observable that is a projector."""
    return _flatten(WireMasks(*np.zeros((2, n_qubits), dtype=np.int64)), [])


def _flatten(wire_masks: WireMasks, groups: Sequence[_Group]) -> Groups:
    """The basis changes of groups, without weights."""
    n_qubits = len(wire_masks.x)
    turned = [[wire for wire in range(n_qubits) if group.letters.get(wire) in _TURN] for group in groups]
    placed: list[list[Placed]] = [
        [
            (matrix.change, wire_masks.x[list(wires)].tolist(), wire_masks.r[list(wires)].tolist())
            for wires, matrix in group.matrices.items()
            if matrix.change is not None
        ]
        for group in groups
    ]
    phases = np.ones((len(groups), n_qubits + 1), dtype=np.complex128)
    for row, group, wires in zip(phases, groups, turned, strict=True):
        row[wires] = [_PHASE[group.letters[wire]] for wire in wires]
        row[n_qubits] = 2.0 ** (-len(wires) / 2)
    changes = np.array([bool(wires or own) for wires, own in zip(turned, placed, strict=True)], dtype=np.bool_)
    flat = np.array([wire for wires in turned for wire in wires], dtype=np.int64)
    letters = [group.letters[wire] for group, wires in zip(groups, turned, strict=True) for wire in wires]
    return Groups(
        turns=np.cumsum([0] + [len(wires) for wires in turned]),
        x=wire_masks.x[flat],
        r=wire_masks.r[flat],
        tans=np.array([_TURN[letter] for letter in letters]),
        unitaries=make_unitaries(placed),
        tail_phases=phases[changes],
        tails=np.where(changes, np.cumsum(changes) - 1, -1),
        weights=np.zeros((len(groups), 2**n_qubits, 1)),
        rows=np.zeros(0, dtype=np.int64),
        row_starts=np.zeros(len(groups) + 1, dtype=np.int64),
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


def measure_target(
    leaf: Leaf, tail: Array, target: NDArray[np.complex128], published: bool
) -> tuple[Array, Array, Array]:
    """f of the projector onto a state, the pulled-back target and its Gram weights; fills the last adjoint.

    Args:
        leaf: samples with the states of all blocks.
        tail: the diagonal after the last block, (2, 2**n, n_samples).
        target: the state, as states are stored, (2**n, 1 or n_samples).
        published: ``|Re(z^2)|`` instead of ``|z|^2``, z = <target|psi>.
    """
    final, adjoint = leaf.states[-1], leaf.adjoints[-1]
    # the states lack the phase of their runs, so the target goes without it, too
    pulled_target = np.conj((tail[0] + 1j * tail[1]) * leaf.phases) * target
    overlap = np.sum(np.conj(pulled_target) * (final[0] + 1j * final[1]), axis=0)
    if published:
        square = (overlap**2).real
        sign = np.where(square < 0, -1.0, 1.0)
        expvals, image = np.abs(square), sign * np.conj(overlap) * pulled_target
        weights = np.stack([sign, -sign])
    else:
        expvals, image = np.abs(overlap) ** 2, overlap * pulled_target
        weights = np.ones((2, len(overlap)))
    adjoint[0], adjoint[1] = image.real, image.imag
    return expvals, np.stack([pulled_target.real.T, pulled_target.imag.T], axis=1), weights


def seen_gates(circuit: Circuit, observable: Observable, published: bool) -> Sequence[int]:
    """Positions of the gates that change f.

    A projector sees all of them. So does the published arithmetic, whose constant bra does not let a gate that
    commutes to the observable cancel.
    """
    if published or isinstance(observable, Projector | SampleProjector):
        return range(len(circuit.gates))
    return inside_light_cone(circuit, observable.words)


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
