"""The backward light cone of an observable: the wires that it reaches, gate by gate from the back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from vqc_landscape.circuits.pauli import clifford_images, gate_words
from vqc_landscape.circuits.program import Circuit, FixedGate, Gate

Cone = dict[int, str | None]  # reached wires, each with the only letter that the operator has there, if there is one


def inside_light_cone(circuit: Circuit, measured: Iterable[tuple[str, tuple[int, ...]]]) -> list[int]:
    """Positions of the gates that the observable can see.

    Args:
        circuit: the program.
        measured: words of the observable, as (letters, wires).
    """
    cone = _measured_cone(measured)
    return [number for number in reversed(range(len(circuit.gates))) if _sees(cone, circuit.gates[number])][::-1]


def outside_light_cone(
    circuit: Circuit, measured: Iterable[tuple[str, tuple[int, ...]]], dropped: Collection[int]
) -> list[int]:
    """Which of the gates that dropped out lie on wires that the observable has not reached.

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
            _sees(cone, gate)
        elif cone.keys().isdisjoint(gate.wires):
            outside.append(number)
    return outside


def _measured_cone(measured: Iterable[tuple[str, tuple[int, ...]]]) -> Cone:
    cone: Cone = {}
    for letters, wires in measured:
        _add(cone, letters, wires)
    return cone


def _sees(cone: Cone, gate: Gate) -> bool:
    """Take the cone to before the gate; whether the gate changes the operator there.

    A gate in which the operator is diagonal, such as CZ next to a Z, commutes with it and does not widen the cone.
    """
    if not isinstance(gate, FixedGate):
        return _widen(cone, gate.word, gate.wires)
    if gate.name == "SWAP":
        swapped = dict(zip(gate.wires, gate.wires[::-1], strict=True))
        letters = {swapped.get(wire, wire): letter for wire, letter in cone.items()}
        cone.clear()
        cone.update(letters)
        return True
    if len(gate.wires) > 1:
        return _widen(cone, *_letters(gate))
    if gate.wires[0] not in cone:
        return False
    _turn(cone, gate)
    return True


def _letters(gate: FixedGate) -> tuple[list[str | None], tuple[int, ...]]:
    """The only letter that a gate has on each wire, if there is one, and the wires that it acts on."""
    found: Cone = {}
    for letters, wires in gate_words(gate):
        _add(found, letters, wires)
    return list(found.values()), tuple(found)


def _widen(cone: Cone, letters: Sequence[str | None], wires: tuple[int, ...]) -> bool:
    """Pass a gate that is diagonal in these letters; whether the operator sees it."""
    reached = [(letter, wire) for letter, wire in zip(letters, wires, strict=True) if wire in cone]
    if all(letter and cone[wire] == letter for letter, wire in reached):
        return False
    _add(cone, letters, wires)
    return True


def _add(cone: Cone, letters: Sequence[str | None], wires: tuple[int, ...]) -> None:
    for letter, wire in zip(letters, wires, strict=True):
        cone[wire] = letter if cone.get(wire, letter) == letter else None


def _turn(cone: Cone, gate: FixedGate) -> None:
    """Pass a one-qubit gate."""
    wire = gate.wires[0]
    letter = cone.get(wire)
    if letter is None:  # not reached, or any letter
        return
    images = clifford_images(gate)
    if images is not None:
        cone[wire] = images[letter][0]
    elif {word for word, _ in gate_words(gate)} != {letter}:
        cone[wire] = None
