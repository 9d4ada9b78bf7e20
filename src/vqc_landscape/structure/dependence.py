r"""What an expectation value can depend on, read off from the program.

First, all Clifford gates are pushed to the end (:class:`~vqc_landscape.structure.clifford.CliffordFrame`). This leaves
rotations about signed Pauli words, fixed gates that are not Clifford, and a conjugated observable. Then these rules are
applied until nothing changes (:mod:`~vqc_landscape.structure.simplify`):

* *From the back*: drop a gate that commutes with the observable and with all later gates that matter, because
  :math:`e^{iaP/2} O e^{-iaP/2} = O`. For a projector onto t, it is enough that t is an eigenvector of P.
* *From the front*: drop a gate that commutes with all earlier gates that matter and has the initial state as an
  eigenvector. It only gives a phase.
* *Merge* two rotations about P and P' if P P' = +-1, or if the state there is an eigenvector of P P', and if all gates
  between them commute with P. The state there is fixed by the words that fix the initial state (or the target) and
  commute with all gates that matter on that side.
* *Conserved*: drop a rotation about P if there is a word Q of the last kind that commutes with P, and a rotation about
  P Q would drop out from the back.

What is left depends on the parameters through its angles only. Every rule is exact for all angles. So a direction that
moves no angle is structural. The analysis does not look for directions that cancel at some angles only, or that need
sums of words.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.circuits.observables import Observable, PauliSum, ProductSum
from vqc_landscape.circuits.pauli import Word, split_sign
from vqc_landscape.circuits.program import Circuit, FixedGate, Rotation, SampleBasisState, SampleState
from vqc_landscape.structure.clifford import CliffordFrame, gate_words
from vqc_landscape.structure.exact_angles import ExactAngle, ExactAngles, quarter_turns, scale_angle
from vqc_landscape.structure.lightcone import outside_light_cone
from vqc_landscape.structure.simplify import Commutant, Element, absorb_into_state, drop_commuting, drop_conserved
from vqc_landscape.structure.stabiliser import Stabiliser, basis_words, fixing_words


class Reason(StrEnum):
    """Why the loss cannot see a direction."""

    NO_GATE = "in no gate"
    NO_COEFFICIENT = "multiplied by 0 in every sample"
    OUTSIDE = "outside the light cone of the observable"
    COMMUTES = "commutes with what follows and the observable"
    INITIAL = "stabilises the initial state"
    CONSERVED = "acts on the state like a conserved quantity"
    CANCELS = "cancels against other rotations"
    MERGES = "merges with other parameters"


@dataclass(frozen=True)
class Dependence:
    """What a function f of the parameters depends on.

    Attributes:
        functionals: linear functions of the parameters, as {parameter: weight}; f is a function of these and the data.
        reasons: for each parameter, why its gates do not let f see it. Meant for parameters that f does not see.
    """

    functionals: tuple[dict[int, Fraction], ...]
    reasons: tuple[tuple[Reason, ...], ...]


def analyse(circuit: Circuit, observable: Observable, rows: Array, phase_matters: bool = False) -> Dependence:
    """What ``<psi| O |psi>`` depends on.

    Args:
        circuit: the program of psi.
        observable: O.
        rows: features of all samples, shape (n_samples, n_features), see :meth:`Circuit.feature_rows`.
        phase_matters: whether the phase of ``<target|psi>`` counts, as in the published code's infidelity.
    """
    angles = ExactAngles(circuit, rows)
    elements, frame, reasons = _push_cliffords(circuit, angles)
    measured = observable.words if isinstance(observable, PauliSum | ProductSum) else []
    if isinstance(observable, PauliSum | ProductSum):
        back: Commutant | Stabiliser = Commutant(frame.conjugate(letters, wires) for letters, wires in measured)
    else:
        fixing_target = fixing_words(observable.targets(rows))
        back = Stabiliser(frame.conjugate_one_qubit_word(word) for word in fixing_target)
    front = Stabiliser(_initial_words(circuit, rows))
    phase: ExactAngle = {}
    n_before = -1
    while n_before != len(elements):
        n_before = len(elements)
        if isinstance(back, Commutant):
            elements, dropped = drop_commuting(elements, back.copy())
        else:
            backwards, dropped = absorb_into_state(elements[::-1], back.copy(), phase)
            elements = backwards[::-1]
        reasons.update(dict.fromkeys(dropped, Reason.COMMUTES))
        elements, dropped = absorb_into_state(elements, front.copy(), phase)
        reasons.update(dict.fromkeys(dropped, Reason.INITIAL))
        elements, dropped = drop_conserved(elements, front.copy(), back.copy(), phase)
        reasons.update(dict.fromkeys(dropped, Reason.CONSERVED))
    if isinstance(back, Commutant):
        for gate in outside_light_cone(circuit, measured, frozenset(reasons)):
            reasons[gate] = Reason.OUTSIDE
    remaining = [element.angle for element in elements] + [phase] * phase_matters
    functionals = tuple(functional for angle in remaining for functional in _functionals(angle))
    return Dependence(functionals, _reasons_by_param(circuit, angles, reasons))


def _initial_words(circuit: Circuit, rows: Array) -> list[Word]:
    """Words that fix the initial states of all samples, with a sign for each sample."""
    match circuit.initial:
        case None:
            return [Word(0, 1 << wire) for wire in range(circuit.n_qubits)]
        case SampleBasisState():
            return basis_words(circuit.initial.of(rows), circuit.n_qubits)
        case SampleState():
            return fixing_words(circuit.initial.of(rows))
    return fixing_words(circuit.initial[np.newaxis])


# --- the program as rotations ---------------------------------------------------------------------------


def _push_cliffords(circuit: Circuit, angles: ExactAngles) -> tuple[list[Element], CliffordFrame, dict[int, Reason]]:
    """Push all Clifford gates to the end of the program.

    Returns:
        The other gates, the product of the Clifford gates, and the rotations by 0 with the reason.
    """
    elements: list[Element] = []
    frame = CliffordFrame(circuit.n_qubits)
    reasons: dict[int, Reason] = {}
    for number, gate in enumerate(circuit.gates):
        if isinstance(gate, FixedGate):
            if not frame.append(gate):
                words = tuple(frame.conjugate(letters, wires) for letters, wires in gate_words(gate))
                elements.append(Element(words, {(None, -1 - number): Fraction(1)}, [number]))
            continue
        angle = angles.of(gate)
        n_quarters = quarter_turns(angle)
        if n_quarters is not None:
            frame.append_rotation(gate.word, gate.wires, n_quarters)
            if not angle:
                reasons[number] = Reason.NO_COEFFICIENT
            continue
        word, sign = split_sign(frame.conjugate(gate.word, gate.wires))
        elements.append(Element((word,), scale_angle(angle, sign), [number]))
    return elements, frame, reasons


# --- results --------------------------------------------------------------------------------------------


def _functionals(angle: ExactAngle) -> list[dict[int, Fraction]]:
    """The linear functions of the parameters in an angle: one for each direction over the samples."""
    by_direction: dict[int, dict[int, Fraction]] = defaultdict(dict)
    for (param, direction), weight in angle.items():
        if param is not None:
            by_direction[direction][param] = weight
    return list(by_direction.values())


def _reasons_by_param(
    circuit: Circuit, angles: ExactAngles, reasons: dict[int, Reason]
) -> tuple[tuple[Reason, ...], ...]:
    """The reasons of each parameter's gates, in the order of :class:`Reason`.

    Args:
        circuit: the program.
        angles: of its rotations.
        reasons: why a gate was dropped, by its position; a rotation that is not in it has cancelled.
    """
    found: list[set[Reason]] = [set() for _ in range(circuit.n_params)]
    for number, gate in enumerate(circuit.gates):
        if isinstance(gate, Rotation):
            moving = {param for param, _ in angles.of(gate)}
            for param in {term.param for term in gate.angle if term.param is not None}:
                reason = reasons.get(number, Reason.CANCELS) if param in moving else Reason.NO_COEFFICIENT
                found[param].add(reason)
    return tuple(tuple(r for r in Reason if r in of_param) or (Reason.NO_GATE,) for of_param in found)
