"""Observables as what the engine measures: groups of commuting Pauli words, or a target state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array
from vqc_landscape.circuits.lightcone import inside_light_cone
from vqc_landscape.circuits.observables import Observable, PauliSum, Projector
from vqc_landscape.circuits.program import Circuit
from vqc_landscape.simulator.schedule import Frame
from vqc_landscape.simulator.workspace import Leaf

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Basis change V before measuring Z, as a turn (1, -t; t, 1) / sqrt(2) after a phase on |1>: V+ Z V = P.
_TURN = {"X": -1.0, "Y": 1.0}
_PHASE = {"X": 1.0 + 0.0j, "Y": 1.0j}


class Groups(NamedTuple):
    """Qubit-wise commuting groups of words: a basis change each, then a weight for each basis state.

    Attributes:
        turns: turns of group g are ``turns[g]`` to ``turns[g + 1]``; none where it is already diagonal.
        x, r, tans: masks of the qubit of each turn, and its t.
        tail_phases: a row for each basis change: phase on |1> per wire, then a factor; (n_changes, n_qubits + 1).
        tails: row of ``tail_phases`` of each group that turns.
        weights: eigenvalue of each basis state less the group's offset, (n_groups, 2**n_qubits).
        rows: basis states with a weight that is not 0, those of group g ``row_starts[g]`` to ``row_starts[g + 1]``.
        offset: sum over the groups of the most frequent eigenvalue. ``O - offset`` has the derivatives of ``O``.
    """

    turns: Ints
    x: Ints
    r: Ints
    tans: Floats
    tail_phases: NDArray[np.complex128]
    tails: Ints
    weights: Floats
    rows: Ints
    row_starts: Ints
    offset: float


def measured_groups(observable: PauliSum, frame: Frame, shift: bool) -> Groups:
    """Sort the words into qubit-wise commuting groups, first fit; ``shift``: take out the offset."""
    letters: list[dict[int, str]] = []
    members: list[list[tuple[float, int]]] = []
    for coefficient, word, wires in observable.terms:
        wanted = dict(zip(wires, word, strict=True))
        mask = int(np.bitwise_xor.reduce(frame.r[list(wires)], initial=0))
        for found, member in zip(letters, members, strict=True):
            if all(found.get(wire, pauli) == pauli for wire, pauli in wanted.items()):
                found.update(wanted)
                member.append((coefficient, mask))
                break
        else:
            letters.append(wanted)
            members.append([(coefficient, mask)])
    return _flatten(frame, letters, [_weights(len(frame.x), member) for member in members], shift)


def no_groups(n_qubits: int) -> Groups:
    """The groups of an observable that is a projector."""
    none, start = np.zeros(0, dtype=np.int64), np.zeros(1, dtype=np.int64)
    return Groups(
        turns=start,
        x=none,
        r=none,
        tans=np.zeros(0),
        tail_phases=np.zeros((0, n_qubits + 1), dtype=np.complex128),
        tails=none,
        weights=np.zeros((0, 2**n_qubits)),
        rows=none,
        row_starts=start,
        offset=0.0,
    )


def _weights(n_qubits: int, members: list[tuple[float, int]]) -> Floats:
    z = np.arange(2**n_qubits)
    weights = np.zeros(2**n_qubits)
    for coefficient, mask in members:
        weights += coefficient * np.where(np.bitwise_count(z & mask) % 2, -1.0, 1.0)
    return weights


def _flatten(frame: Frame, letters: list[dict[int, str]], weights: list[Floats], shift: bool) -> Groups:
    n_qubits = len(frame.x)
    turned = [[wire for wire in range(n_qubits) if found.get(wire) in _TURN] for found in letters]
    phases = np.ones((len(letters), n_qubits + 1), dtype=np.complex128)
    for row, found, wires in zip(phases, letters, turned, strict=True):
        row[wires] = [_PHASE[found[wire]] for wire in wires]
        row[n_qubits] = 2.0 ** (-len(wires) / 2)
    changes = np.array([len(wires) > 0 for wires in turned])
    offsets = [_most_frequent(w) if shift else 0.0 for w in weights]
    rows = [np.flatnonzero(w != offset) for w, offset in zip(weights, offsets, strict=True)]
    flat = np.array([wire for wires in turned for wire in wires], dtype=np.int64)
    return Groups(
        turns=np.cumsum([0] + [len(wires) for wires in turned]),
        x=frame.x[flat],
        r=frame.r[flat],
        tans=np.array([_TURN[found[wire]] for found, wires in zip(letters, turned, strict=True) for wire in wires]),
        tail_phases=phases[changes],
        tails=np.cumsum(changes) - 1,
        weights=np.array(weights) - np.array(offsets)[:, None],
        rows=np.concatenate(rows),
        row_starts=np.cumsum([0] + [len(r) for r in rows]),
        offset=float(sum(offsets)),
    )


def _most_frequent(weights: Floats) -> float:
    values, counts = np.unique(weights, return_counts=True)
    return float(values[np.argmax(counts)])


def measure_target(
    leaf: Leaf, tail: Array, target: NDArray[np.complex128], published: bool
) -> tuple[Array, Array, Array]:
    """f of the projector onto a state, the pulled-back target and its Gram weights; fills the last adjoint.

    Args:
        leaf: samples with the states of all blocks.
        tail: the diagonal after the last block, (2, 2**n, n_samples).
        target: the state, as states are stored, (2**n,).
        published: ``|Re(z^2)|`` instead of ``|z|^2``, z = <target|psi>.
    """
    final, adjoint = leaf.states[-1], leaf.adjoints[-1]
    # the states lack the phase of their runs, so the target goes without it, too
    pulled_target = np.conj((tail[0] + 1j * tail[1]) * leaf.phases) * target[:, None]
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
    if published or isinstance(observable, Projector):
        return range(len(circuit.gates))
    return inside_light_cone(circuit, observable.words)


def check_fits(observable: Observable, n_qubits: int) -> None:
    """Check that an observable acts on the qubits of a circuit.

    Raises:
        ValueError: a wire that the circuit does not have, or a target state of another size.
    """
    if isinstance(observable, Projector):
        if observable.n_qubits != n_qubits:
            raise ValueError(
                f"Argument `observable` projects on {observable.n_qubits} qubits, but the circuit has {n_qubits}."
            )
        return
    for _, word, wires in observable.terms:
        if not all(0 <= wire < n_qubits for wire in wires):
            raise ValueError(
                f"Argument `observable` has {word} on wires {wires}, but the circuit has wires 0 to {n_qubits - 1}."
            )
