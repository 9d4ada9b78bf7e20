r"""Outputs at many parameter vectors at once: every pair of a point and a sample is a state of its own.

A plane of the landscape has ten thousand points. What no feature enters is the same for all samples of a point, and
what no parameter enters is the same for all points of a sample. So the gates of a run are multiplied in *segments*
of one kind, each as often as it differs, and a state only multiplies its run's few segments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.circuits.program import Circuit
from vqc_landscape.simulator.compile.compiled import CompiledCircuit
from vqc_landscape.simulator.compile.encoding import Encoded
from vqc_landscape.simulator.compile.schedule import FIXED, Ints, Schedule
from vqc_landscape.simulator.cpu import first_order
from vqc_landscape.simulator.cpu.first_order import apply_block, multiply_element, start
from vqc_landscape.simulator.cpu.images import observe
from vqc_landscape.simulator.cpu.jit import kernel
from vqc_landscape.simulator.cpu.kernels import compress_euler, multiply_diagonal
from vqc_landscape.simulator.cpu.sizes import batch_size
from vqc_landscape.simulator.cpu.workspace import Batch, KernelSchedule, Runs, smallest_cos
from vqc_landscape.simulator.threads import map_in_order

POINT, SAMPLE, STATE = 0, 1, 2  # what an angle depends on: the point alone, the sample alone, both
CHUNK = 1024  # states that one thread works off in turn


class Segments(NamedTuple):
    """Consecutive gates of a run with angles of one kind."""

    starts: Ints  # elements of segment g are starts[g] to starts[g + 1]
    kind: Ints  # POINT, SAMPLE or STATE
    runs: Ints  # segments of run k are runs[k] to runs[k + 1]


class Table(NamedTuple):
    """What the states of one kind share: cosine and sine of half of every angle, and the segments as matrices."""

    cos: Array  # (n_rows, n_rotations)
    sin: Array
    matrices: Array  # (n_segments, n_rows, 4): Re a, Im a, Re b, Im b of (a, -b*; b, a*)


@dataclass(frozen=True)
class _Plan:
    """What all chunks share."""

    compiled: CompiledCircuit
    kernel_schedule: KernelSchedule
    coefficients: Array
    samples: Encoded  # without their coefficients
    kind: Ints  # of each rotation
    segments: Segments
    sample: Table


def outputs_at(compiled: CompiledCircuit, kernel_schedule: KernelSchedule, points: Array, samples: Encoded) -> Array:
    """Outputs at every point for every sample, shape (n_points, n_samples, n_outputs).

    Args:
        compiled: the compiled circuit.
        kernel_schedule: its schedule.
        points: parameter vectors, shape (n_points, P), radians.
        samples: the samples.
    """
    n_samples, coefficients = samples.n_samples, samples.coefficients
    per_chunk = max(CHUNK // n_samples, 1)
    chunks = [points[start : start + per_chunk] for start in range(0, len(points), per_chunk)]
    kind = _kinds(compiled.circuit, coefficients)
    segments = _segments(compiled.schedule, kind)
    no_params = np.zeros((1, compiled.circuit.n_params))
    sample = _table(compiled, segments, SAMPLE, no_params, coefficients)
    others = samples._replace(coefficients=coefficients[:, :0])
    plan = _Plan(compiled, kernel_schedule, coefficients, others, kind, segments, sample)
    parts = map_in_order(lambda part: _chunk(plan, part), chunks)
    return np.concatenate([*parts]).reshape(len(points), n_samples, compiled.n_outputs)


def _kinds(circuit: Circuit, coefficients: Array) -> Ints:
    """What each angle depends on, read off from the numbers: a QNode's coefficients are all given per sample."""
    varies = np.any(coefficients != coefficients[:1], axis=0)
    kinds, term = [], 0
    for rotation in circuit.rotations:
        own = varies[term : term + len(rotation.angle)]
        term += len(rotation.angle)
        has_params = any(t.param is not None for t in rotation.angle)
        kinds.append((STATE if has_params else SAMPLE) if own.any() else POINT)
    return np.array(kinds, dtype=np.int64)


def _segments(schedule: Schedule, kind: Ints) -> Segments:
    starts, kinds, runs = [], [], [0]
    for run in range(schedule.n_runs):
        current = -1
        for element in range(schedule.run_starts[run], schedule.run_starts[run + 1]):
            fixed = schedule.element_axis[element] == FIXED
            # a fixed gate belongs to whatever stands before it
            own = max(current, POINT) if fixed else int(kind[schedule.element_index[element]])
            if own != current:
                starts.append(element)
                kinds.append(own)
                current = own
        runs.append(len(starts))
    starts.append(int(schedule.run_starts[-1]))
    return Segments(*(np.array(numbers, dtype=np.int64) for numbers in (starts, kinds, runs)))


def _table(compiled: CompiledCircuit, segments: Segments, kind: int, points: Array, coefficients: Array) -> Table:
    """The angles of each pair of rows (of points and coefficients, one of which may be single), and its segments."""
    circuit, s = compiled.circuit, compiled.schedule
    theta = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    half = 0.5 * np.add.reduceat(coefficients * theta[:, circuit.term_params], circuit.first_terms, axis=1)
    cos, sin = np.cos(half), np.sin(half)
    matrices = np.empty((len(segments.kind), len(cos), 4))
    multiply_segments(segments, kind, s.element_axis, s.element_index, s.matrices, cos, sin, matrices)
    return Table(cos, sin, matrices)


def _chunk(plan: _Plan, points: Array) -> Array:
    """Outputs of every state of a few points, point by point."""
    compiled, schedule, n_samples = plan.compiled, plan.compiled.schedule, len(plan.coefficients)
    point = _table(compiled, plan.segments, POINT, points, plan.coefficients[:1])
    both = point
    if (plan.kind == STATE).any():
        repeated = np.repeat(points, n_samples, axis=0)
        both = _table(compiled, plan.segments, STATE, repeated, np.tile(plan.coefficients, (len(points), 1)))
    tables = (point, plan.sample, both)
    n_states, size = len(points) * n_samples, 2**schedule.n_qubits
    smallest, most = smallest_cos(schedule.n_qubits), batch_size(schedule.n_qubits)
    outputs, width, part = np.empty((n_states, compiled.n_outputs)), 0, plan.samples
    for first in range(0, n_states, most):
        if width != min(most, n_states - first):  # else the work arrays of the states before serve again
            width = min(most, n_states - first)
            runs, work = _empty_runs(schedule, len(plan.kind), width), np.empty((4, width))
            batch = _last_block(compiled, width, size)
        number = np.arange(first, first + width)
        rows = np.stack([number // n_samples, number % n_samples, number])  # of the tables, by kind
        values = (batch.tans, runs.cosines, runs.alphas, runs.gammas, batch.phases)
        resolve_values(plan.segments, tables, rows, smallest, work, *values)
        look_up(schedule.word_rotation, plan.kind, tables, rows, runs.cos, runs.sin)
        batch.phases[:] *= schedule.phase
        first_order.fill_diagonals(schedule.layout, runs, compiled.basis_phases, 0, 0, size, batch.diagonals)
        if plan.samples.differ or part.n_samples != width:
            part = plan.samples.part(number % n_samples)
        evolve(batch.diagonals, plan.kernel_schedule, batch.tans, part.basis_states, part.initial(), batch.states[0])
        outputs[first : first + width] = observe(compiled, batch, part).outputs
    return outputs


def _empty_runs(schedule: Schedule, n_rotations: int, width: int) -> Runs:
    cos, sin = (np.empty((width, n_rotations)) for _ in range(2))
    alphas, gammas = (np.empty((schedule.n_runs, width), np.complex128) for _ in range(2))
    return Runs(cos, sin, np.empty((schedule.n_runs, width)), alphas, gammas, schedule.run_has_ry)


def _last_block(compiled: CompiledCircuit, width: int, size: int) -> Batch:
    """A batch that keeps the states of the last block alone: nothing is differentiated."""
    schedule = compiled.schedule
    return Batch(
        diagonals=np.empty((schedule.n_blocks + len(compiled.basis_phases), 2, size, width)),
        states=np.empty((1, 2, size, width)),
        adjoints=np.empty((0, 2, size, width)),
        images=np.empty((compiled.n_outputs, 2, size, width)),
        tans=np.empty((schedule.n_runs, width)),
        axes=np.empty((0, 0, 3)),
        overlaps=np.empty((0, 3, 0)),
        coefficients=np.empty((0, 0)),
        phases=np.empty(width, np.complex128),
    )


@kernel
def multiply_segments(segments, kind, element_axis, element_index, fixed, cos, sin, out):
    """The first column of the product of each segment of one kind, out[segment, row] = Re a, Im a, Re b, Im b."""
    for g in range(len(segments.kind)):
        if segments.kind[g] == kind:
            for row in range(len(cos)):
                a, b = 1.0 + 0.0j, 0.0 + 0.0j
                for e in range(segments.starts[g], segments.starts[g + 1]):
                    k = element_index[e]
                    if element_axis[e] == FIXED:
                        a, b = multiply_element(a, b, FIXED, 1.0, 0.0, fixed[k])
                    else:
                        a, b = multiply_element(a, b, element_axis[e], cos[row, k], sin[row, k], fixed[0])
                out[g, row, 0], out[g, row, 1], out[g, row, 2], out[g, row, 3] = a.real, a.imag, b.real, b.imag


@kernel
def resolve_values(segments, tables, rows, smallest, work, tans, cosines, alphas, gammas, phases):
    """Each run of each state as diag(1, alpha) cos (1, -t; t, 1) diag(1, gamma), and the product of their phases."""
    n_states = len(phases)
    for s in range(n_states):
        phases[s] = 1.0
    a_re, a_im, b_re, b_im = work[0], work[1], work[2], work[3]
    for run in range(len(tans)):
        for s in range(n_states):
            a_re[s], a_im[s], b_re[s], b_im[s] = 1.0, 0.0, 0.0, 0.0
        for g in range(segments.runs[run], segments.runs[run + 1]):
            matrices = tables[segments.kind[g]].matrices[g]
            row = rows[segments.kind[g]]
            for s in range(n_states):
                p, q, u, v = matrices[row[s], 0], matrices[row[s], 1], matrices[row[s], 2], matrices[row[s], 3]
                w, x, y, z = a_re[s], a_im[s], b_re[s], b_im[s]
                a_re[s], a_im[s] = p * w - q * x - u * y - v * z, p * x + q * w - u * z + v * y
                b_re[s], b_im[s] = u * w - v * x + p * y + q * z, u * x + v * w + p * z - q * y
        compress_euler(work, smallest, tans[run], cosines[run], alphas[run], gammas[run], phases)


@kernel
def look_up(rotations, kind, tables, rows, cos, sin):
    """Cosine and sine of half of the angles of some rotations, in every state."""
    for k in rotations:
        table = tables[kind[k]]
        for s in range(len(cos)):
            cos[s, k], sin[s, k] = table.cos[rows[kind[k], s], k], table.sin[rows[kind[k], s], k]


@kernel
def evolve(diagonals, schedule, tans, basis_states, amplitudes, state):
    """State = psi at the evaluation point of the last block."""
    for b in range(len(schedule.ry_starts) - 1):
        if b == 0:
            start(basis_states, amplitudes, diagonals[0], state)
        else:
            multiply_diagonal(state, diagonals[b], 1.0, state)
        apply_block(b, schedule, tans, 1.0, state)
