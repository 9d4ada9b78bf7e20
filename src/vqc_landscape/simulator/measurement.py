"""Observables as what the engine measures: groups of commuting Pauli words, or a target state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.circuits.observables import Observable, PauliSum, Projector

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Basis change V before measuring Z, as a turn (1, -t; t, 1) / sqrt(2) after a phase on |1>: V+ Z V = P.
_TURN = {"X": -1.0, "Y": 1.0}
_PHASE = {"X": 1.0 + 0.0j, "Y": 1.0j}


@dataclass(frozen=True)
class Group:
    """Qubit-wise commuting words: a basis change, then a weight for each basis state.

    Attributes:
        bits, tans: qubits that turn (descending bits), and by which t; empty: already diagonal.
        phases: phase on |1> per wire, then a factor, shape (n_qubits + 1,).
        weights: eigenvalue of each basis state less ``offset``, shape (2**n_qubits,).
        rows: basis states with a weight that is not 0.
        offset: the most frequent eigenvalue. ``O - offset`` has the derivatives of ``O`` and the fewest rows.
    """

    bits: Ints
    tans: Floats
    phases: NDArray[np.complex128]
    weights: Floats
    rows: Ints
    offset: float


def measured_groups(observable: PauliSum, n_qubits: int, shift: bool) -> tuple[Group, ...]:
    """Sort the words into qubit-wise commuting groups, first fit; ``shift``: take out the offset."""
    letters: list[dict[int, str]] = []
    members: list[list[tuple[float, int]]] = []
    for coefficient, word, wires in observable.terms:
        wanted = dict(zip(wires, word, strict=True))
        mask = sum(1 << (n_qubits - 1 - wire) for wire in wires)
        for found, member in zip(letters, members, strict=True):
            if all(found.get(wire, pauli) == pauli for wire, pauli in wanted.items()):
                found.update(wanted)
                member.append((coefficient, mask))
                break
        else:
            letters.append(wanted)
            members.append([(coefficient, mask)])
    return tuple(_group(n_qubits, found, member, shift) for found, member in zip(letters, members, strict=True))


def _group(n_qubits: int, letters: dict[int, str], members: list[tuple[float, int]], shift: bool) -> Group:
    z = np.arange(2**n_qubits)
    weights = np.zeros(2**n_qubits)
    for coefficient, mask in members:
        weights += coefficient * np.where(np.bitwise_count(z & mask) % 2, -1.0, 1.0)
    values, counts = np.unique(weights, return_counts=True)
    offset = float(values[np.argmax(counts)]) if shift else 0.0
    turned = [wire for wire in range(n_qubits) if letters.get(wire) in _TURN]
    phases = np.ones(n_qubits + 1, dtype=np.complex128)
    phases[turned] = [_PHASE[letters[wire]] for wire in turned]
    phases[n_qubits] = 2.0 ** (-len(turned) / 2)
    return Group(
        bits=np.array([1 << (n_qubits - 1 - wire) for wire in turned], dtype=np.int64),
        tans=np.array([_TURN[letters[wire]] for wire in turned]),
        phases=phases,
        weights=weights - offset,
        rows=np.flatnonzero(weights != offset),
        offset=offset,
    )


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
