r"""From a circuit to a schedule: an alternation of one-qubit runs and diagonals.

Every program becomes blocks ``b = 0, 1, ...``. Block ``b`` multiplies by a diagonal, then rotates qubits about Y, then
applies unitaries on several qubits:

.. math:: \psi_b = \prod_{u \in b} U_u \prod_{r \in b} RY_r \; D_b \; \psi_{b-1}.

* A *run* is a maximal sequence of one-qubit gates on one wire; as one matrix it is
  ``diag(1, alpha) RY diag(1, gamma)`` up to a phase. ``gamma`` belongs to ``D_b``, ``alpha`` to ``D_{b+1}``.
* CZ, CCZ, MCZ and rotations about words of Z are diagonal: they belong to the diagonal after their block.
* A rotation about any other word is one about Z's between one-qubit basis changes.
* A unitary on several qubits acts in a block of its own qubits, beside the RY rotations of the others.
* CNOT permutes basis states linearly over GF(2). It is not applied: the *wire masks* (x, r) are changed instead, by
  which each wire acts on the stored state (X flips the bits x, Z reads the parity of the bits r).

Derivatives are taken at the *evaluation point* of each block, after its RY. There the generator of a
rotation is ``-i/2 (n_x X + n_y Y + n_z Z)`` on its *site* (a run's qubit, or a word of Z's).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.circuits.gf2 import Echelon
from vqc_landscape.circuits.program import Circuit, FixedGate, Rotation
from vqc_landscape.simulator.memory import check_schedule

Ints = NDArray[np.int64]
AXES = "XYZ"
FIXED = 3  # element kind of a gate without an angle

_R = 1 / np.sqrt(2)
_MATRICES = {"H": ((_R, _R), (_R, -_R)), "S": ((1, 0), (0, 1j)), "S+": ((1, 0), (0, -1j))}
# Basis changes that turn X and Y into Z, and back: P = V+ Z V.
_TO_Z = {"X": (("H",), ("H",)), "Y": (("S+", "H"), ("H", "S")), "Z": ((), ())}

Matrix = Sequence[Sequence[complex]]


class WireMasks(NamedTuple):
    """How each wire acts on stored states: X flips the bits x, Z reads the parity of the bits r."""

    x: Ints
    r: Ints


class Unitaries(NamedTuple):
    """Fixed unitaries on several qubits, those of block (or commuting set) b ``starts[b]`` to ``starts[b + 1]``.

    Attributes:
        starts: see above.
        masks: x, then r of the wires of each, the most significant bit of a row's index first; x = 0 beyond them.
        matrices: real and imaginary part, shape (n, 2, most rows of one, the same).
    """

    starts: Ints
    masks: Ints  # (n, 2, most wires of one)
    matrices: NDArray[np.float64]


Placed = tuple[NDArray[np.complex128], Sequence[int], Sequence[int]]  # a matrix, and the masks x and r of its wires


def make_unitaries(lists: Sequence[Sequence[Placed]]) -> Unitaries:
    """The unitaries of blocks, or of commuting sets, as flat arrays."""
    flat = [placed for own in lists for placed in own]
    n_wires = max((len(x) for _, x, _ in flat), default=0)
    masks = np.zeros((len(flat), 2, n_wires), dtype=np.int64)
    matrices = np.zeros((len(flat), 2, 2**n_wires, 2**n_wires))
    for k, (matrix, x, r) in enumerate(flat):
        masks[k, 0, : len(x)], masks[k, 1, : len(r)] = x, r
        matrices[k, 0, : len(matrix), : len(matrix)] = matrix.real
        matrices[k, 1, : len(matrix), : len(matrix)] = matrix.imag
    return Unitaries(_ints(np.cumsum([0] + [len(own) for own in lists])), masks, matrices)


@dataclass
class _Run:
    block: int
    x: int
    r: int
    elements: list[tuple[int, int]] = field(default_factory=list)  # (axis, rotation) or (FIXED, matrix)


@dataclass(frozen=True)
class Schedule:
    """A circuit's blocks as flat arrays.

    Attributes:
        n_qubits: number of qubits.
        n_blocks: number of blocks, at least 1.
        run_starts: elements of run k are ``run_starts[k]`` to ``run_starts[k + 1]``.
        element_axis: 0, 1, 2 for a rotation about X, Y, Z; 3 for a fixed gate.
        element_index: which rotation of the circuit, or which of ``matrices``.
        matrices: fixed one-qubit gates in SU(2), as the first column (a, b) of (a, -b*; b, a*).
        phase: global phase that ``matrices`` leave out; only the published infidelity sees it.
        block_runs: runs of block b are ``block_runs[b]`` to ``block_runs[b + 1]``.
        run_has_ry: whether the run holds anything but diagonal gates, so that its RY must be applied.
        word_rotation: rotation of each word of Z's; words are part of the diagonal after their block.
        block_words: words after block b are ``block_words[b]`` to ``block_words[b + 1]``.
        site_block, site_x, site_r: block and masks of each site (runs, then words); x = 0 for a word.
        order: D_b[z] is a product of phases over the bits of ``order[b, z]``; shape (n_blocks + 1, 2**n_qubits).
        signs: product of the CZ, CCZ and MCZ before block b (after the last: row n_blocks), same shape.
        alpha_slot, gamma_slot: which of these bits a run's alpha (in D_{b+1}) and gamma (in D_b) go with;
            -1: none, they are multiplied in by the run's mask r.
        unitaries: unitaries on several qubits, for each block.
        wire_masks: those after the last gate.
    """

    n_qubits: int
    n_blocks: int
    run_starts: Ints
    element_axis: Ints
    element_index: Ints
    matrices: NDArray[np.complex128]
    phase: complex
    block_runs: Ints
    run_has_ry: NDArray[np.bool_]
    word_rotation: Ints
    block_words: Ints
    site_block: Ints
    site_x: Ints
    site_r: Ints
    order: Ints
    signs: NDArray[np.float64]
    alpha_slot: Ints
    gamma_slot: Ints
    unitaries: Unitaries
    wire_masks: WireMasks

    @property
    def layout(self) -> tuple[NDArray[Any], ...]:
        """What :func:`cpu.first_order.fill_diagonals` reads."""
        return (
            self.block_runs, self.site_r[: self.n_runs], self.alpha_slot, self.gamma_slot, self.order, self.signs,
            self.block_words, self.site_r[self.n_runs :], self.word_rotation,
        )  # fmt: skip

    @property
    def n_runs(self) -> int:
        """Number of one-qubit runs."""
        return len(self.run_has_ry)


def make_schedule(circuit: Circuit, gates: Iterable[int]) -> Schedule:
    """Schedule the gates at some positions of a circuit, every one as early as its wires allow."""
    return _Scheduler(circuit.n_qubits).schedule(circuit, frozenset(gates))


class _Scheduler:
    """Walks through the gates. A *track* is what a wire becomes when SWAPs only exchange names."""

    def __init__(self, n_qubits: int) -> None:
        units = [1 << (n_qubits - 1 - wire) for wire in range(n_qubits)]
        self.n_qubits = n_qubits
        self.track = list(range(n_qubits))  # of each wire
        self.x, self.r = units[:], units[:]  # masks of each track
        self.position = [(0, False)] * n_qubits  # block of each track, and whether a diagonal closed its run
        self.runs: dict[tuple[int, int], _Run] = {}
        self.words: list[tuple[int, int, int]] = []  # (block, mask, rotation)
        self.flips: list[tuple[int, list[int]]] = []  # (block, masks of a CZ or CCZ)
        self.unitaries: list[tuple[int, Placed]] = []  # (block, matrix and masks)
        self.matrices: list[tuple[complex, complex]] = []
        self.phase = 1.0 + 0.0j

    def schedule(self, circuit: Circuit, gates: Collection[int]) -> Schedule:
        rotation = 0
        for number, gate in enumerate(circuit.gates):
            if isinstance(gate, FixedGate):
                if number in gates:
                    self._fixed(gate)
                continue
            if number not in gates:
                pass
            elif len(gate.word) == 1:
                self._append_to_run(gate.wires[0], AXES.index(gate.word), rotation)
            else:
                self._change_basis(gate, 0)
                mask = int(np.bitwise_xor.reduce([self.r[self.track[w]] for w in gate.wires]))
                self.words.append((self._close(gate.wires), mask, rotation))
                self._change_basis(gate, 1)
            rotation += 1
        return self._flatten()

    def _fixed(self, gate: FixedGate) -> None:
        wires = gate.wires
        if gate.matrix is not None and len(wires) > 1:
            self._unitary(np.array(gate.matrix), wires)
        elif gate.matrix is not None or gate.name in _MATRICES:
            self._apply(wires[0], gate.matrix or _MATRICES[gate.name])
        elif gate.name == "SWAP":
            a, b = wires
            self.track[a], self.track[b] = self.track[b], self.track[a]
        elif gate.name == "CNOT":
            self._close(wires)
            control, target = (self.track[w] for w in wires)
            self.r[target] ^= self.r[control]
            self.x[control] ^= self.x[target]
        else:
            self.flips.append((self._close(wires), [self.r[self.track[w]] for w in wires]))

    def _apply(self, wire: int, matrix: Matrix) -> None:
        (a, _), (b, _) = matrix
        det = matrix[0][0] * matrix[1][1] - matrix[0][1] * matrix[1][0]
        root = complex(np.sqrt(complex(det)))
        self.phase *= root
        column = (complex(a) / root, complex(b) / root)
        if column not in self.matrices:
            self.matrices.append(column)
        self._append_to_run(wire, FIXED, self.matrices.index(column))

    def _append_to_run(self, wire: int, axis: int, index: int) -> None:
        track = self.track[wire]
        block, closed = self.position[track]
        block += closed
        self.position[track] = (block, False)
        run = self.runs.setdefault((block, track), _Run(block, self.x[track], self.r[track]))
        run.elements.append((axis, index))

    def _unitary(self, matrix: NDArray[np.complex128], wires: Sequence[int]) -> None:
        """In the first block in which nothing else happens to its wires."""
        tracks = [self.track[w] for w in wires]
        block = max(b + (closed or (b, t) in self.runs) for t in tracks for b, closed in [self.position[t]])
        self.unitaries.append((block, (matrix, [self.x[t] for t in tracks], [self.r[t] for t in tracks])))
        for t in tracks:
            self.position[t] = (block, True)

    def _close(self, wires: Sequence[int]) -> int:
        tracks = [self.track[w] for w in wires]
        block = max(self.position[t][0] for t in tracks)
        for t in tracks:
            self.position[t] = (block, True)
        return block

    def _change_basis(self, gate: Rotation, side: int) -> None:
        for pauli, wire in zip(gate.word, gate.wires, strict=True):
            for name in _TO_Z[pauli][side]:
                self._apply(wire, _MATRICES[name])

    def _has_ry(self, element: tuple[int, int]) -> bool:
        axis, index = element
        return self.matrices[index][1] != 0 if axis == FIXED else axis != AXES.index("Z")

    def _flatten(self) -> Schedule:
        n_blocks = 1 + max(block for block, _ in self.position)
        check_schedule(self.n_qubits, n_blocks)
        runs = [self.runs[key] for key in sorted(self.runs)]
        words = sorted(self.words, key=lambda word: word[0])  # stable: time order within a block
        elements = [element for run in runs for element in run.elements]
        wire_masks = WireMasks(_ints(self.x[t] for t in self.track), _ints(self.r[t] for t in self.track))
        blocks = np.arange(n_blocks + 1)
        bases = [
            _basis(
                self.n_qubits,
                [run.r for run in runs if run.block == b] + [run.r for run in runs if run.block == b - 1],
            )
            for b in range(n_blocks)
        ] + [wire_masks.r.tolist()]
        z = np.arange(2**self.n_qubits)
        signs = np.ones((n_blocks + 1, len(z)))
        for block, masks in self.flips:
            signs[block + 1] *= np.where(np.all([_odd(z, mask) for mask in masks], axis=0), -1.0, 1.0)
        return Schedule(
            n_qubits=self.n_qubits,
            n_blocks=n_blocks,
            run_starts=_ints(np.cumsum([0] + [len(run.elements) for run in runs])),
            element_axis=_ints(axis for axis, _ in elements),
            element_index=_ints(index for _, index in elements),
            matrices=np.array(self.matrices or [(1.0, 0.0)], dtype=np.complex128),
            phase=self.phase,
            block_runs=_ints(np.searchsorted([run.block for run in runs], blocks)),
            run_has_ry=np.array([any(map(self._has_ry, run.elements)) for run in runs], dtype=np.bool_),
            word_rotation=_ints(rotation for _, _, rotation in words),
            block_words=_ints(np.searchsorted([block for block, _, _ in words], blocks)),
            site_block=_ints([run.block for run in runs] + [block for block, _, _ in words]),
            site_x=_ints([run.x for run in runs] + [0] * len(words)),
            site_r=_ints([run.r for run in runs] + [mask for _, mask, _ in words]),
            order=np.array([bit_order(z, basis) for basis in bases], dtype=np.int64),
            signs=signs,
            alpha_slot=_ints(_slot(run.r, bases[run.block + 1]) for run in runs),
            gamma_slot=_ints(_slot(run.r, bases[run.block]) for run in runs),
            unitaries=make_unitaries([[u for block, u in self.unitaries if block == b] for b in range(n_blocks)]),
            wire_masks=wire_masks,
        )


def _basis(n_qubits: int, masks: Sequence[int]) -> list[int]:
    """A basis of GF(2)^n with as many of the masks as are independent; unit masks stay in their place."""
    units = [1 << (n_qubits - 1 - j) for j in range(n_qubits)]
    echelon = Echelon()
    chosen = [mask for mask in [*masks, *units] if echelon.add(mask)]
    slots = {mask: units.index(mask) for mask in chosen if mask in units}
    free = iter([j for j in range(n_qubits) if j not in slots.values()])
    for mask in chosen:
        if mask not in slots:
            slots[mask] = next(free)
    return sorted(chosen, key=lambda mask: slots[mask])


def bit_order(z: Ints, basis: Sequence[int]) -> Ints:
    """The number whose bits, the most significant first, are the parities of z under the masks of a basis."""
    y = np.zeros_like(z)
    for mask in basis:
        y = 2 * y + _odd(z, mask)
    return y


def _odd(z: Ints, mask: int) -> Ints:
    parity: Ints = (np.bitwise_count(z & mask) % 2).astype(np.int64)
    return parity


def _slot(mask: int, basis: Sequence[int]) -> int:
    return basis.index(mask) if mask in basis else -1


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int64)
