"""The backward light cone of an observable: the wires on which it acts once gates are pulled into it.

The walk goes through the gates from the last to the first and turns the operator O into G+ O G. Besides the wires, the
cone keeps the letter of each wire if only one letter can stand there. So it knows gates that commute with the operator.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from vqc_landscape.circuits.program import Circuit, FixedGate, Gate
from vqc_landscape.structure.clifford import clifford_tableau, gate_words

Cone = dict[int, str | None]  # the wires, each with the only letter that the operator can have there; None: any letter


def inside_light_cone(circuit: Circuit, measured: Iterable[tuple[str, tuple[int, ...]]]) -> list[int]:
    """Positions of the gates that can change the expectation value, ascending.

    Args:
        circuit: the program.
        measured: words of the observable, as (letters, wires).
    """
    cone = _measured_cone(measured)
    return [number for number in reversed(range(len(circuit.gates))) if _pull_back(cone, circuit.gates[number])][::-1]


def outside_light_cone(
    circuit: Circuit, measured: Iterable[tuple[str, tuple[int, ...]]], dropped: Collection[int]
) -> list[int]:
    """Positions of the dropped gates that act only on wires outside the light cone, descending.

    Args:
        circuit: the program.
        measured: words of the observable, as (letters, wires).
        dropped: positions of the gates without effect; they do not widen the cone.
    """
    cone = _measured_cone(measured)
    outside = []
    for number in reversed(range(len(circuit.gates))):
        gate = circuit.gates[number]
        if number not in dropped:
            _pull_back(cone, gate)
        elif cone.keys().isdisjoint(gate.wires):
            outside.append(number)
    return outside


def _measured_cone(measured: Iterable[tuple[str, tuple[int, ...]]]) -> Cone:
    """The cone of the observable itself."""
    cone: Cone = {}
    for letters, wires in measured:
        _add_word(cone, letters, wires)
    return cone


def _pull_back(cone: Cone, gate: Gate) -> bool:
    """Move the cone, in place, from after a gate to before it.

    Returns:
        Whether the gate can change the operator. One that is diagonal in the operator's letters, such as CZ next to a
        Z, cannot: it commutes with the operator and does not widen the cone.
    """
    if not isinstance(gate, FixedGate):
        return _pull_back_diagonal(cone, gate.word, gate.wires)
    if gate.name == "SWAP":
        swapped = dict(zip(gate.wires, gate.wires[::-1], strict=True))
        letters = {swapped.get(wire, wire): letter for wire, letter in cone.items()}
        cone.clear()
        cone.update(letters)
        return True
    if len(gate.wires) > 1:
        return _pull_back_diagonal(cone, *_letters_of(gate))
    if gate.wires[0] not in cone:
        return False
    _pull_back_one_qubit(cone, gate)
    return True


def _letters_of(gate: FixedGate) -> tuple[list[str | None], tuple[int, ...]]:
    """The letter of a gate on each wire if there is only one, else None; and the wires."""
    found: Cone = {}
    for letters, wires in gate_words(gate):
        _add_word(found, letters, wires)
    return list(found.values()), tuple(found)


def _pull_back_diagonal(cone: Cone, letters: Sequence[str | None], wires: tuple[int, ...]) -> bool:
    """Move the cone, in place, to before a gate that is diagonal in these letters; whether the gate can change it."""
    reached = [(letter, wire) for letter, wire in zip(letters, wires, strict=True) if wire in cone]
    if all(letter and cone[wire] == letter for letter, wire in reached):
        return False
    _add_word(cone, letters, wires)
    return True


def _add_word(cone: Cone, letters: Sequence[str | None], wires: tuple[int, ...]) -> None:
    """Add the wires and letters of a word to the cone, in place; two letters on one wire make None."""
    for letter, wire in zip(letters, wires, strict=True):
        cone[wire] = letter if cone.get(wire, letter) == letter else None


def _pull_back_one_qubit(cone: Cone, gate: FixedGate) -> None:
    """Move the cone, in place, to before a one-qubit gate: what letter the operator has there."""
    wire = gate.wires[0]
    letter = cone.get(wire)
    if letter is None:  # outside the cone, or any letter
        return
    tableau = clifford_tableau(gate)
    if tableau is not None:
        cone[wire] = tableau[letter][0]
    elif {word for word, _ in gate_words(gate)} != {letter}:
        cone[wire] = None
