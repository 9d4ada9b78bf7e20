"""States, expectation values and first derivatives of a leaf of samples, in float64: ``states.py`` on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vqc_landscape.checks import Array
from vqc_landscape.circuits.observables import PauliSum, Projector
from vqc_landscape.circuits.program import Circuit
from vqc_landscape.simulator.compile.columns import Columns
from vqc_landscape.simulator.compile.measurement import Measurement
from vqc_landscape.simulator.compile.schedule import Ints, Schedule
from vqc_landscape.simulator.gpu import sweeps
from vqc_landscape.simulator.gpu.plan import Measured, Plan
from vqc_landscape.simulator.gpu.runs import resolve_runs, run_tables
from vqc_landscape.simulator.gpu.turns import kron_turns, turn

Matrices = Sequence[Tensor | None]


class Forward(NamedTuple):
    """States of a leaf of samples, in the orders of their blocks.

    Attributes:
        diagonals: of every block, and after the last one, (n_samples, 2**n_qubits).
        turns: matrices of the turns of every block.
        states: after every block, (n_samples, 2**n_qubits).
        phases: of psi: it is this times the last state after the last diagonal, (n_samples,).
        axes: of the generators of all rotations, (n_rotations, n_samples, 3).
        coefficients: of all terms, and a zero, (n_samples, n_terms + 1).
    """

    diagonals: list[Tensor]
    turns: Sequence[Matrices]
    states: list[Tensor]
    phases: Tensor
    axes: Tensor
    coefficients: Tensor


class FirstOrder(NamedTuple):
    """First derivatives of a leaf, and what the second ones start from.

    Attributes:
        forward: the states.
        adjoints: the observable times the last state, pulled back to every block.
        weights: of the images in each slot, for the steps of every block.
        overlaps: ``Re <adjoint|image>``, likewise.
        target: of a projector, pulled back before the last diagonal.
        target_weights: of Re and Im of <target|T> in the Gram matrix, (2, n_samples).
        expvals: f, (n_samples,).
        jacobian: df/dparams of the carried parameters, (n_samples, n_carried).
    """

    forward: Forward
    adjoints: list[Tensor]
    weights: list[list[Tensor]]
    overlaps: list[list[Tensor]]
    target: Tensor | None
    target_weights: Tensor
    expvals: Tensor
    jacobian: Tensor


class States:
    """What prepares and measures the states of one circuit; the arguments are those of the engine."""

    def __init__(
        self,
        circuit: Circuit,
        observable: PauliSum | Projector,
        published: bool,
        schedule: Schedule,
        columns: Columns,
        device: torch.device,
    ) -> None:
        self.published = published
        self.phase = schedule.phase
        self.n_carried = len(columns.params)
        self.plan = Plan(schedule, columns, device)
        terms, params = _terms(circuit)
        self.terms, self.params = self.plan.tensor(terms), self.plan.tensor(params)
        self.tables = run_tables(schedule, device)
        self.offset = 0.0
        self.measured: list[Measured] = []
        self.target: Tensor | None = None
        if isinstance(observable, Projector):
            self.target = self.plan.tensor(observable.state)
        else:
            # with a constant bra, the identity has derivatives, too: no shift of the observable there
            groups = Measurement(observable, schedule.wire_masks, shift=not published).groups
            self.offset, self.measured = float(groups.offset[0]), self.plan.measured(groups)

    @property
    def is_detached(self) -> bool:
        """Whether the bra counts as a constant."""
        return self.published and self.target is None

    def forward(self, points: Array, coefficients: Array) -> Forward:
        """The states of every block, for samples at one point (1, P) or each at its own (n_samples, P)."""
        plan = self.plan
        factors = plan.tensor(np.pad(coefficients, ((0, 0), (0, 1))))  # nothing where a rotation has fewer terms
        theta = plan.tensor(np.pad(points, ((0, 0), (0, 1)), constant_values=1.0))  # 1 where a term has no parameter
        angles = (factors[:, self.terms] * theta[:, self.params]).sum(2).T
        runs = resolve_runs(self.tables, angles)
        phases = torch.cat([runs.alphas, runs.gammas, -0.5 * angles[plan.words]])
        diagonals = [sweeps.phases(diagonal, phases) for diagonal in plan.diagonals]
        still = angles.new_zeros(1, angles.shape[1])
        cos, sin = torch.cat([runs.cos, still + 1])[plan.turning], torch.cat([runs.sin, still])[plan.turning]
        matrices = kron_turns(cos, sin, plan.groups)
        turns = [
            [m[b] if used else None for m, used in zip(matrices, flags, strict=True)]
            for b, flags in enumerate(plan.turns)
        ]
        state = torch.zeros_like(diagonals[0])
        state[:, 0] = 1.0
        states: list[Tensor] = []
        for b in range(len(turns)):
            state = self.through(state[..., None], b, diagonals, turns)[..., 0]
            states.append(state)
        return Forward(diagonals, turns, states, self.phase * torch.exp(1j * runs.phases), runs.axes, factors)

    def through(self, columns: Tensor, b: int, diagonals: Sequence[Tensor], turns: Sequence[Matrices]) -> Tensor:
        """Columns carried through block b."""
        columns = sweeps.moved(columns, self.plan.diagonals[b].there) * diagonals[b][..., None].to(columns.dtype)
        return turn(columns, turns[b], self.plan.groups)

    def back_through(self, state: Tensor, b: int, forward: Forward) -> Tensor:
        """The adjoint of that, for states."""
        turned = turn(state[..., None], forward.turns[b], self.plan.groups, back=True)[..., 0]
        return sweeps.moved(turned * forward.diagonals[b].conj(), self.plan.diagonals[b].back)

    def measure(self, forward: Forward) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
        """f, the last adjoint state, and for projectors the pulled-back target and its Gram weights."""
        state = forward.states[-1]
        ones = state.real.new_ones(2, len(state))
        if self.target is None:
            image = self.observe(state, forward)
            return self.offset + (state.conj() * image).real.sum(1), image, None, ones
        # the states lack the phase of their runs, so the target goes without it, too
        target = (forward.diagonals[-1] * forward.phases[:, None]).conj() * self.target
        target = sweeps.moved(target, self.plan.diagonals[-1].back)
        overlap = (target.conj() * state).sum(1)
        if not self.published:
            return overlap.abs() ** 2, overlap[:, None] * target, target, ones
        square = (overlap**2).real
        sign = torch.where(square < 0, -1.0, 1.0).to(square)
        return square.abs(), (sign * overlap.conj())[:, None] * target, target, torch.stack([sign, -sign])

    def observe(self, state: Tensor, forward: Forward) -> Tensor:
        """The observable, less its offset, times a state of the last block."""
        last, bits = self.plan.diagonals[-1], self.plan.groups
        state = sweeps.moved(state, last.there)
        image = torch.zeros_like(state)
        for group in self.measured:
            weights = torch.zeros_like(state.real[0])
            weights[group.rows] = group.weights
            if group.turns is None:
                image += weights * state
            else:
                phases = forward.diagonals[-1] * group.phases
                turned = turn((phases * state)[..., None], group.turns, bits)
                image += phases.conj() * turn(weights[:, None] * turned, group.turns, bits, back=True)[..., 0]
        return sweeps.moved(image, last.back)

    def first_order(self, params: Array, coefficients: Array) -> FirstOrder:
        """Forward and adjoint sweep over a leaf."""
        forward = self.forward(params[None], coefficients)
        expvals, adjoint, target, target_weights = self.measure(forward)
        adjoints = [adjoint]
        for b in range(len(forward.states) - 1, 0, -1):
            adjoints.insert(0, self.back_through(adjoints[0], b, forward))
        jacobian = expvals.new_zeros(len(expvals), self.n_carried)
        weights: list[list[Tensor]] = []
        overlaps: list[list[Tensor]] = []
        for steps, left, right in zip(self.plan.steps, adjoints, forward.states, strict=True):
            weights.append([sweeps.slot_weights(step, forward.axes, forward.coefficients) for step in steps])
            overlaps.append([sweeps.overlaps(left, sweeps.images(right, step)) for step in steps])
            for step, w, o in zip(steps, weights[-1], overlaps[-1], strict=True):
                jacobian[:, step.slots] += 2 * (w @ o[..., None])[..., 0]
        if self.is_detached:
            jacobian *= 0.5
        return FirstOrder(forward, adjoints, weights, overlaps, target, target_weights, expvals, jacobian)


def _terms(circuit: Circuit) -> tuple[Ints, Ints]:
    """Terms of every rotation and their parameters, -1 for none, (n_rotations, most terms of one)."""
    shape = (len(circuit.rotations), max(len(rotation.angle) for rotation in circuit.rotations))
    terms, params, first = np.full(shape, -1), np.full(shape, -1), 0
    for row, rotation in enumerate(circuit.rotations):
        for place, term in enumerate(rotation.angle):
            terms[row, place] = first + place
            params[row, place] = -1 if term.param is None else term.param
        first += len(rotation.angle)
    return terms, params
