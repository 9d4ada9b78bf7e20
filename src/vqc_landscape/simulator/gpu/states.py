"""States, outputs and first derivatives of a batch of samples, in float64: ``cpu/first_order.py`` on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vqc_landscape.checks import Array
from vqc_landscape.circuits.program import Circuit
from vqc_landscape.simulator.compile.compiled import CompiledCircuit
from vqc_landscape.simulator.compile.schedule import Ints
from vqc_landscape.simulator.compile.strategies import TargetStrategy
from vqc_landscape.simulator.gpu import sweeps
from vqc_landscape.simulator.gpu.device_plan import MeasuredSet, Plan
from vqc_landscape.simulator.gpu.runs import resolve_runs, run_tables
from vqc_landscape.simulator.gpu.ry_products import apply_ry, ry_matrices

Matrices = Sequence[Tensor | None]


class Forward(NamedTuple):
    """States of a batch of samples, in the orders of their blocks.

    Attributes:
        diagonals: of every block, and after the last one, (n_samples, 2**n_qubits).
        rotations: matrices of the RY rotations of every block.
        states: after every block, (n_samples, 2**n_qubits).
        phases: of psi: it is this times the last state after the last diagonal, (n_samples,).
        axes: of the generators of all rotations, (n_rotations, n_samples, 3).
        coefficients: of all terms, and a zero, (n_samples, n_terms + 1).
    """

    diagonals: list[Tensor]
    rotations: Sequence[Matrices]
    states: list[Tensor]
    phases: Tensor
    axes: Tensor
    coefficients: Tensor


class Outputs(NamedTuple):
    """What is measured of a batch.

    Attributes:
        outputs: f, (n_samples, n_outputs).
        images: of the last state for each output.
        target: of a projector, pulled back before the last diagonal.
        target_weights: of Re and Im of <target|T> in the Gram matrix, (2, n_samples).
    """

    outputs: Tensor
    images: list[Tensor]
    target: Tensor | None
    target_weights: Tensor


class FirstOrder(NamedTuple):
    """First derivatives of a batch, and what the second ones start from.

    Attributes:
        forward: the states.
        observed: what is measured of them.
        loss_grad: factors of the outputs, (n_samples, n_outputs).
        adjoints: the images of the last state, each times its factor, pulled back to every block.
        weights: of the generators in each slot, for the steps of every block.
        overlaps: ``Re <adjoint|image>``, likewise.
        rows: gradient of every sample by the columns, (n_samples, n_active).
    """

    forward: Forward
    observed: Outputs
    loss_grad: Tensor
    adjoints: list[Tensor]
    weights: list[list[Tensor]]
    overlaps: list[list[Tensor]]
    rows: Tensor


class States:
    """What prepares and measures the states of one compiled circuit."""

    def __init__(self, compiled: CompiledCircuit, device: torch.device) -> None:
        schedule = compiled.schedule
        self.strategy = compiled.strategy
        self.phase = schedule.phase
        self.n_active = compiled.n_active
        self.plan = Plan(schedule, compiled.columns, device)
        terms, params = _terms(compiled.circuit)
        self.terms, self.params = self.plan.tensor(terms), self.plan.tensor(params)
        self.tables = run_tables(schedule, device)
        self.offsets: list[float] = []
        self.measured: list[list[MeasuredSet]] = []  # of every output
        self.target: Tensor | None = None
        if compiled.measurement is None:
            assert compiled.target is not None
            self.target = self.plan.tensor(compiled.target[self.plan.wire_layout.z, 0])
        else:
            for sets in compiled.measurement.outputs(np.empty((0, 0))):
                self.offsets.append(float(sets.offset[0]))
                self.measured.append(self.plan.measured(sets))

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
        cos, sin = torch.cat([runs.cos, still + 1])[plan.ry_run], torch.cat([runs.sin, still])[plan.ry_run]
        matrices = ry_matrices(cos, sin, plan.ranges)
        rotations = [
            [m[b] if used else None for m, used in zip(matrices, flags, strict=True)]
            for b, flags in enumerate(plan.has_ry)
        ]
        state = torch.zeros_like(diagonals[0])
        state[:, 0] = 1.0
        states: list[Tensor] = []
        for b in range(len(rotations)):
            state = self.through(state[..., None], b, diagonals, rotations)[..., 0]
            states.append(state)
        return Forward(diagonals, rotations, states, self.phase * torch.exp(1j * runs.phases), runs.axes, factors)

    def through(self, columns: Tensor, b: int, diagonals: Sequence[Tensor], rotations: Sequence[Matrices]) -> Tensor:
        """Columns carried through block b."""
        columns = sweeps.moved(columns, self.plan.diagonals[b].there) * diagonals[b][..., None].to(columns.dtype)
        return apply_ry(columns, rotations[b], self.plan.ranges)

    def back_through(self, state: Tensor, b: int, forward: Forward) -> Tensor:
        """The adjoint of that, for states."""
        rotated = apply_ry(state[..., None], forward.rotations[b], self.plan.ranges, back=True)[..., 0]
        return sweeps.moved(rotated * forward.diagonals[b].conj(), self.plan.diagonals[b].back)

    def measure(self, forward: Forward) -> Outputs:
        """The outputs, and the images of the last state."""
        state = forward.states[-1]
        ones = state.real.new_ones(2, len(state))
        if not isinstance(self.strategy, TargetStrategy):
            images = [self.observe(k, state, forward) for k in range(len(self.measured))]
            found = [o + (state.conj() * i).real.sum(1) for o, i in zip(self.offsets, images, strict=True)]
            return Outputs(torch.stack(found, dim=1), images, None, ones)
        assert self.target is not None
        # the states lack the phase of their runs, so the target goes without it, too
        target = (forward.diagonals[-1] * forward.phases[:, None]).conj() * self.target
        target = sweeps.moved(target, self.plan.diagonals[-1].back)
        overlaps = (target.conj() * state).sum(1)
        outputs, factors, weights = map(self.plan.tensor, self.strategy.evaluate(self.plan.numpy(overlaps)))
        return Outputs(outputs[:, None], [factors[:, None] * target], target, weights)

    def observe(self, output: int, state: Tensor, forward: Forward) -> Tensor:
        """The observable of an output, less its offset, times a state of the last block."""
        last, bits = self.plan.diagonals[-1], self.plan.ranges
        state = sweeps.moved(state, last.there)
        image = torch.zeros_like(state)
        for own in self.measured[output]:
            weights = torch.zeros_like(state.real[0])
            weights[own.rows] = own.weights
            if own.rotations is None:
                image += weights * state
            else:
                phases = forward.diagonals[-1] * own.phases
                rotated = apply_ry((phases * state)[..., None], own.rotations, bits)
                image += phases.conj() * apply_ry(weights[:, None] * rotated, own.rotations, bits, back=True)[..., 0]
        return sweeps.moved(image, last.back)

    def first_order(self, forward: Forward, observed: Outputs, loss_grad: Tensor) -> FirstOrder:
        """Adjoint sweep over a batch; ``loss_grad`` are factors of the outputs, (n_samples, n_outputs)."""
        images = zip(loss_grad.T, observed.images, strict=True)
        adjoints = [torch.stack([factor[:, None] * image for factor, image in images]).sum(0)]
        for b in range(len(forward.states) - 1, 0, -1):
            adjoints.insert(0, self.back_through(adjoints[0], b, forward))
        rows = loss_grad.new_zeros(len(loss_grad), self.n_active)
        weights: list[list[Tensor]] = []
        overlaps: list[list[Tensor]] = []
        for steps, left, right in zip(self.plan.steps, adjoints, forward.states, strict=True):
            weights.append([sweeps.slot_weights(step, forward.axes, forward.coefficients) for step in steps])
            overlaps.append([sweeps.overlaps(left, sweeps.on_sites(right, step)) for step in steps])
            for step, w, o in zip(steps, weights[-1], overlaps[-1], strict=True):
                rows[:, step.slots] += self.strategy.gradient_factor * (w @ o[..., None])[..., 0]
        return FirstOrder(forward, observed, loss_grad, adjoints, weights, overlaps, rows)


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
