r"""From a circuit to a schedule: an alternation of one-qubit runs and diagonals.

Every program becomes blocks ``b = 0, 1, ...``. Block ``b`` multiplies by a diagonal and then turns qubits:

.. math:: \psi_b = \prod_{r \in b} RY_r \; D_b \; \psi_{b-1}.

* A *run* is a maximal sequence of one-qubit gates on one wire; as one matrix it is
  ``diag(1, alpha) RY diag(1, gamma)`` up to a phase. ``gamma`` belongs to ``D_b``, ``alpha`` to ``D_{b+1}``.
* CZ and rotations about words of Z are diagonal: they belong to the diagonal after their block.
* A rotation about any other word is one about Z's between one-qubit basis changes.

Derivatives are taken at the *evaluation point* of each block, after its RY. There the generator of a
rotation is ``-i/2 (n_x X + n_y Y + n_z Z)`` on its *site* (a run's wire, or a word of Z's).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.circuits.program import Circuit, FixedGate, Rotation

Ints = NDArray[np.int64]
AXES = "XYZ"
FIXED = 3  # element kind of a gate without an angle

# The first column (a, b) of each fixed gate as a matrix of SU(2), [[a, -b*], [b, a*]], and the phase left out.
_SU2 = {
    "H": (-1j / np.sqrt(2), -1j / np.sqrt(2), 1j),
    "S": (np.exp(-0.25j * np.pi), 0.0, np.exp(0.25j * np.pi)),
    "S+": (np.exp(0.25j * np.pi), 0.0, np.exp(-0.25j * np.pi)),
}
_FIXED_NAMES = tuple(_SU2)
FIXED_SU2 = np.array([_SU2[name][:2] for name in _FIXED_NAMES], dtype=np.complex128)
_FIXED_PHASE = [_SU2[name][2] for name in _FIXED_NAMES]

# Basis changes that turn X and Y into Z (and back): P = V+ Z V.
_TO_Z = {"X": (("H",), ("H",)), "Y": (("S+", "H"), ("H", "S")), "Z": ((), ())}


@dataclass
class _Run:
    block: int
    wire: int
    elements: list[tuple[int, int]] = field(default_factory=list)  # (axis, rotation) or (FIXED, gate)


@dataclass(frozen=True)
class Schedule:
    """A circuit's blocks as flat arrays.

    Attributes:
        n_qubits: number of qubits.
        n_blocks: number of blocks, at least 1.
        run_wire, run_starts: wire of each run; its elements are ``element_*[run_starts[r]:run_starts[r + 1]]``.
        element_axis: 0, 1, 2 for a rotation about X, Y, Z; 3 for a fixed gate.
        element_index: which rotation of the circuit, or which fixed gate.
        block_runs: runs of block b are ``block_runs[b]`` to ``block_runs[b + 1]``.
        run_turns: whether the run holds anything but diagonal gates, so that its RY must be applied.
        word_mask, word_rotation: words of Z's that are rotated about; in the diagonal after their block.
        block_words: words after block b are ``block_words[b]`` to ``block_words[b + 1]``.
        phase: global phase that the fixed gates' matrices leave out; only the published infidelity sees it.
        signs: product of the CZ after each block, shape (n_blocks, 2**n_qubits).
        site_block: block of each site (runs, then words).
        site_bit: qubit of a run's site as a power of two; 0 for a word.
        site_word: bits of a word's site; 0 for a qubit.
    """

    n_qubits: int
    n_blocks: int
    run_wire: Ints
    run_starts: Ints
    element_axis: Ints
    element_index: Ints
    block_runs: Ints
    run_turns: NDArray[np.bool_]
    word_mask: Ints
    word_rotation: Ints
    block_words: Ints
    phase: complex
    signs: NDArray[np.float64]
    site_block: Ints
    site_bit: Ints
    site_word: Ints

    @property
    def n_runs(self) -> int:
        """Number of one-qubit runs."""
        return len(self.run_wire)


def make_schedule(circuit: Circuit) -> Schedule:
    """Schedule a circuit, every gate as early as its wires allow."""
    n_qubits = circuit.n_qubits
    runs: dict[tuple[int, int], _Run] = {}
    words: list[tuple[int, int, int]] = []  # (block, mask, rotation)
    flips: list[tuple[int, int]] = []  # (block, mask of a CZ)
    position = [(0, False)] * n_qubits  # block of the wire, and whether its run is closed by a diagonal
    rotation = 0

    def turn(wire: int, axis: int, index: int) -> None:
        block, closed = position[wire]
        block += closed
        position[wire] = (block, False)
        runs.setdefault((block, wire), _Run(block, wire)).elements.append((axis, index))

    def close(wires: Sequence[int]) -> int:
        block = max(position[w][0] for w in wires)
        for w in wires:
            position[w] = (block, True)
        return block

    for gate in circuit.gates:
        if isinstance(gate, FixedGate):
            if gate.name == "CZ":
                flips.append((close(gate.wires), _mask(n_qubits, gate.wires)))
            else:
                turn(gate.wires[0], FIXED, _FIXED_NAMES.index(gate.name))
            continue
        if len(gate.word) == 1:
            turn(gate.wires[0], AXES.index(gate.word), rotation)
        else:
            _change_basis(gate, 0, turn)
            words.append((close(gate.wires), _mask(n_qubits, gate.wires), rotation))
            _change_basis(gate, 1, turn)
        rotation += 1

    n_blocks = 1 + max(block for block, _ in position)
    ordered = sorted(runs.values(), key=lambda run: (run.block, run.wire))
    words.sort(key=lambda word: word[0])  # stable: time order within a block
    elements = [element for run in ordered for element in run.elements]
    signs = np.ones((n_blocks, 2**n_qubits))
    z = np.arange(2**n_qubits)
    for block, mask in flips:
        signs[block] *= np.where((z & mask) == mask, -1.0, 1.0)
    run_mask = [_mask(n_qubits, [run.wire]) for run in ordered]
    word_mask = [mask for _, mask, _ in words]
    return Schedule(
        n_qubits=n_qubits,
        n_blocks=n_blocks,
        run_wire=_ints(run.wire for run in ordered),
        run_starts=_ints(np.cumsum([0] + [len(run.elements) for run in ordered])),
        element_axis=_ints(axis for axis, _ in elements),
        element_index=_ints(index for _, index in elements),
        block_runs=_ints(np.searchsorted([run.block for run in ordered], np.arange(n_blocks + 1))),
        run_turns=np.array([any(map(_turns, run.elements)) for run in ordered], dtype=np.bool_),
        word_mask=_ints(word_mask),
        word_rotation=_ints(r for _, _, r in words),
        block_words=_ints(np.searchsorted([block for block, _, _ in words], np.arange(n_blocks + 1))),
        phase=complex(np.prod([_FIXED_PHASE[index] for axis, index in elements if axis == FIXED])),
        signs=signs,
        site_block=_ints([run.block for run in ordered] + [block for block, _, _ in words]),
        site_bit=_ints(run_mask + [0] * len(words)),
        site_word=_ints([0] * len(ordered) + word_mask),
    )


def _turns(element: tuple[int, int]) -> bool:
    axis, index = element
    return axis != AXES.index("Z") and not (axis == FIXED and _FIXED_NAMES[index].startswith("S"))


def _change_basis(gate: Rotation, side: int, turn: Callable[[int, int, int], None]) -> None:
    for pauli, wire in zip(gate.word, gate.wires, strict=True):
        for name in _TO_Z[pauli][side]:
            turn(wire, FIXED, _FIXED_NAMES.index(name))


def _mask(n_qubits: int, wires: Sequence[int]) -> int:
    return sum(1 << (n_qubits - 1 - wire) for wire in wires)


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int64)
