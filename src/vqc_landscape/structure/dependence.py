r"""What an expectation value can depend on, read off from the program.

Clifford gates are pushed to the end (:class:`~vqc_landscape.circuits.pauli.Frame`), which leaves rotations about
signed Pauli words, non-Clifford fixed gates, and a conjugated observable. Then, until nothing changes:

* *From the back*: a gate that commutes with the observable and with all later gates that matter drops out, because
  :math:`e^{iaP/2} O e^{-iaP/2} = O`. For a projector onto t it is enough that t is an eigenvector of P.
* *From the front*: a gate that commutes with all earlier gates that matter, and has :math:`|0...0>` as an
  eigenvector, is a phase.
* Two rotations about P and P' with only gates between them that commute with P merge if P P' = +-1, or if P P' has
  the state there as an eigenvector: the words with this property are those that fix the initial state (or the
  target) and commute with all gates that matter on that side.
* A rotation about P drops out, too, if P Q does so at the back for such a word Q, one that commutes with P.

What is left depends on the parameters through its angles only. Every step is exact for all angles, so a direction
that moves no angle is structural; cancellations at some angles only, or of sums of words, are not looked for.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.circuits.observables import Observable, PauliSum, ProductSum
from vqc_landscape.circuits.pauli import (
    Frame,
    Stabiliser,
    Word,
    basis_words,
    fixing_words,
    gate_words,
    split_sign,
)
from vqc_landscape.circuits.program import Circuit, FixedGate, Rotation, SampleBasisState, SampleState
from vqc_landscape.structure.angles import Angle, Angles, scaled
from vqc_landscape.structure.lightcone import outside_light_cone
from vqc_landscape.structure.sweeps import Commutant, Element, absorb, fade, settle


class Reason(StrEnum):
    """Why the loss cannot see a direction."""

    NO_GATE = "in no gate"
    NO_COEFFICIENT = "multiplied by 0 in every sample"
    OUTSIDE = "outside the light cone of the observable"
    COMMUTES = "commutes to the observable"
    INITIAL = "stabilises the initial state"
    CONSERVED = "acts on the state like a conserved quantity"
    CANCELS = "cancels against other rotations"
    MERGES = "merges with other parameters"


@dataclass(frozen=True)
class Dependence:
    """What f depends on.

    Attributes:
        functionals: f is a function of these linear functions of the parameters, {parameter: weight}, and the data.
        reasons: for each parameter, why each of its gates does not see it alone; of use where none does.
    """

    functionals: tuple[dict[int, Fraction], ...]
    reasons: tuple[tuple[Reason, ...], ...]


def analyse(circuit: Circuit, observable: Observable, rows: Array, phase_matters: bool = False) -> Dependence:
    """What ``<psi| O |psi>`` depends on.

    Args:
        circuit: the program of psi.
        observable: O.
        rows: features of all samples, see :meth:`Circuit.feature_rows`.
        phase_matters: whether the phase of ``<target|psi>`` counts, as in the published code's infidelity.
    """
    angles = Angles(circuit, rows)
    elements, frame, reasons = _push_cliffords(circuit, angles)
    measured = observable.words if isinstance(observable, PauliSum | ProductSum) else []
    if isinstance(observable, PauliSum | ProductSum):
        end: Commutant | Stabiliser = Commutant(frame.word(letters, wires) for letters, wires in measured)
    else:
        end = Stabiliser(frame.conjugated(word) for word in fixing_words(observable.targets(rows)))
    start = Stabiliser(_initial_words(circuit, rows))
    phase: Angle = {}
    n_before = -1
    while n_before != len(elements):
        n_before = len(elements)
        if isinstance(end, Commutant):
            elements, dropped = fade(elements, end.copy())
        else:
            backwards, dropped = absorb(elements[::-1], end.copy(), phase)
            elements = backwards[::-1]
        reasons.update(dict.fromkeys(dropped, Reason.COMMUTES))
        elements, dropped = absorb(elements, start.copy(), phase)
        reasons.update(dict.fromkeys(dropped, Reason.INITIAL))
        elements, dropped = settle(elements, start.copy(), end.copy(), phase)
        reasons.update(dict.fromkeys(dropped, Reason.CONSERVED))
    if isinstance(end, Commutant):
        for gate in outside_light_cone(circuit, measured, frozenset(reasons)):
            reasons[gate] = Reason.OUTSIDE
    seen = [element.angle for element in elements] + [phase] * phase_matters
    return Dependence(tuple(f for angle in seen for f in _functionals(angle)), _by_param(circuit, angles, reasons))


def _initial_words(circuit: Circuit, rows: Array) -> list[Word]:
    """Words that fix the initial state of every sample, each with its own sign."""
    match circuit.initial:
        case None:
            return [Word(0, 1 << wire) for wire in range(circuit.n_qubits)]
        case SampleBasisState():
            return basis_words(circuit.initial.of(rows), circuit.n_qubits)
        case SampleState():
            return fixing_words(circuit.initial.of(rows))
    return fixing_words(circuit.initial[np.newaxis])


# --- the program as rotations ---------------------------------------------------------------------------


def _push_cliffords(circuit: Circuit, angles: Angles) -> tuple[list[Element], Frame, dict[int, Reason]]:
    elements: list[Element] = []
    frame = Frame(circuit.n_qubits)
    reasons: dict[int, Reason] = {}
    for number, gate in enumerate(circuit.gates):
        if isinstance(gate, FixedGate):
            if not frame.passes(gate):
                words = tuple(frame.word(letters, wires) for letters, wires in gate_words(gate))
                elements.append(Element(words, {(None, -1 - number): Fraction(1)}, [number]))
            continue
        angle = angles.of(gate)
        quarters = angles.quarters(angle)
        if quarters is not None:
            frame.turn(gate.word, gate.wires, quarters)
            if not angle:
                reasons[number] = Reason.NO_COEFFICIENT
            continue
        word, sign = split_sign(frame.word(gate.word, gate.wires))
        elements.append(Element((word,), scaled(angle, sign), [number]))
    return elements, frame, reasons


# --- results --------------------------------------------------------------------------------------------


def _functionals(angle: Angle) -> list[dict[int, Fraction]]:
    """One linear function of the parameters for each direction over the samples."""
    parts: dict[int, dict[int, Fraction]] = defaultdict(dict)
    for (param, direction), weight in angle.items():
        if param is not None:
            parts[direction][param] = weight
    return list(parts.values())


def _by_param(circuit: Circuit, angles: Angles, reasons: dict[int, Reason]) -> tuple[tuple[Reason, ...], ...]:
    found: list[set[Reason]] = [set() for _ in range(circuit.n_params)]
    for number, gate in enumerate(circuit.gates):
        if isinstance(gate, Rotation):
            moving = {param for param, _ in angles.of(gate)}
            for param in {term.param for term in gate.angle if term.param is not None}:
                reason = reasons.get(number, Reason.CANCELS) if param in moving else Reason.NO_COEFFICIENT
                found[param].add(reason)
    return tuple(tuple(r for r in Reason if r in own) or (Reason.NO_GATE,) for own in found)
