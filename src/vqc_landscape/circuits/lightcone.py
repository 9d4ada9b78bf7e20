"""The backward light cone of an observable: the wires that it reaches, gate by gate from the back."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from vqc_landscape.circuits.pauli import ENTANGLERS, axis_letters, clifford_images
from vqc_landscape.circuits.program import Circuit, FixedGate

Cone = dict[int, str | None]  # reached wires, each with the only letter that the operator has there, if there is one


def outside_light_cone(
    circuit: Circuit, measured: Iterable[tuple[str, tuple[int, ...]]], dropped: Collection[int]
) -> list[int]:
    """Which of the gates that dropped out lie on wires that the observable has not reached.

    A gate in which the operator is diagonal, such as CZ next to a Z, commutes with it and does not widen the cone.

    Args:
        circuit: the program.
        measured: words of the observable, as (letters, wires).
        dropped: positions of the gates without effect; they do not widen the cone, either.
    """
    cone: Cone = {}
    for letters, wires in measured:
        for letter, wire in zip(letters, wires, strict=True):
            cone[wire] = letter if cone.get(wire, letter) == letter else None
    outside = []
    for number in reversed(range(len(circuit.gates))):
        gate = circuit.gates[number]
        if number in dropped:
            outside += [number] if cone.keys().isdisjoint(gate.wires) else []
        elif not isinstance(gate, FixedGate):
            _widen(cone, gate.word, gate.wires)
        elif gate.name in ENTANGLERS:
            _widen(cone, ENTANGLERS[gate.name], gate.wires)
        elif gate.name == "SWAP":
            a, b = gate.wires
            swapped = {a: b, b: a}
            cone = {swapped.get(wire, wire): letter for wire, letter in cone.items()}
        else:
            _turn(cone, gate)
    return outside


def _widen(cone: Cone, letters: str, wires: tuple[int, ...]) -> None:
    """Pass a gate that is diagonal in these letters."""
    reached = [(letter, wire) for letter, wire in zip(letters, wires, strict=True) if wire in cone]
    if all(cone[wire] == letter for letter, wire in reached):
        return
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
    elif gate.matrix is None or axis_letters(gate.matrix) != letter:
        cone[wire] = None
