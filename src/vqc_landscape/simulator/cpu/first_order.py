r"""States, outputs and first derivatives of a batch of samples.

A batch is a few samples that are computed together, samples innermost. Forward and adjoint states at the evaluation
point of every block are kept: gradients are overlaps between them, and the second derivatives start from them.
"""

from __future__ import annotations

import numpy as np

from vqc_landscape.simulator.cpu.jit import kernel
from vqc_landscape.simulator.cpu.kernels import (
    apply_ry_samples,
    apply_unitaries,
    compress_euler,
    fill_table,
    multiply_diagonal,
    multiply_phase,
    multiply_tables,
    overlaps,
)


@kernel(inline="always")
def multiply_element(a, b, axis, c, s, fixed):
    """First column of (element U), U = (a, -b*; b, a*), for exp(-i angle/2 sigma_axis) or a fixed gate."""
    if axis == 0:
        return c * a - 1j * s * b, c * b - 1j * s * a
    if axis == 1:
        return c * a - s * b, s * a + c * b
    if axis == 2:
        return (c - 1j * s) * a, (c + 1j * s) * b
    fa, fb = fixed[0], fixed[1]
    return fa * a - np.conj(fb) * b, fb * a + np.conj(fa) * b


@kernel(inline="always")
def rotated_axis(a, b, axis, alpha, out):
    """out = n with n . sigma = W sigma_axis W+, W = diag(1, alpha)+ (a, -b*; b, a*)."""
    if axis == 0:
        transverse, z = np.conj(a) ** 2 - b**2, -2.0 * (a * b).real
    elif axis == 1:
        transverse, z = 1j * (np.conj(a) ** 2 + b**2), -2.0 * (a * b).imag
    else:
        transverse, z = 2.0 * np.conj(a) * b, abs(a) ** 2 - abs(b) ** 2
    transverse *= np.conj(alpha)
    out[0], out[1], out[2] = transverse.real, transverse.imag, z


@kernel(inline="always")
def resolve_runs(elements, runs, work, tans, phases, axes):
    """Each run as one matrix, and each of its rotations' generators at the evaluation point.

    Fills the values of ``runs``, tans (n_runs, n_samples), axes (n_rotations, n_samples, 3), and the product of all
    phases (n_samples,). work: (4, n_samples).
    """
    starts, kinds, index, fixed = elements.run_starts, elements.axis, elements.which, elements.fixed
    cos, sin = runs.cos, runs.sin
    for s in range(len(phases)):
        phases[s] = elements.phase[0]
    for run in range(len(starts) - 1):
        for s in range(len(phases)):
            a, b = 1.0 + 0.0j, 0.0 + 0.0j
            for e in range(starts[run], starts[run + 1]):
                k = index[e]
                rotates = kinds[e] < 3
                c, sn = (cos[s, k], sin[s, k]) if rotates else (1.0, 0.0)
                a, b = multiply_element(a, b, kinds[e], c, sn, fixed[0 if rotates else k])
            work[0, s], work[1, s], work[2, s], work[3, s] = a.real, a.imag, b.real, b.imag
        cosines, alphas, gammas = runs.cosines[run], runs.alphas[run], runs.gammas[run]
        compress_euler(work, elements.smallest_cos, tans[run], cosines, alphas, gammas, phases)
        for s in range(len(phases)):
            a, b = 1.0 + 0.0j, 0.0 + 0.0j  # the product of the elements after the present one
            for e in range(starts[run + 1] - 1, starts[run] - 1, -1):
                k = index[e]
                if kinds[e] < 3:
                    rotated_axis(a, b, kinds[e], alphas[s], axes[k, s])
                    # (a, -b*; b, a*) element: its first column, from the right
                    p, q = multiply_element(1.0 + 0.0j, 0.0 + 0.0j, kinds[e], cos[s, k], sin[s, k], fixed[0])
                else:
                    p, q = fixed[k, 0], fixed[k, 1]
                a, b = a * p - np.conj(b) * q, b * p + np.conj(a) * q
    for k in elements.word_rotation:
        for s in range(len(phases)):
            axes[k, s, 0], axes[k, s, 1], axes[k, s, 2] = 0.0, 0.0, 1.0


@kernel(inline="always")
def fill_diagonals(layout, runs, basis_phases, number, first, stop, diagonals):
    """diagonals[b - number] = D_b for amplitudes ``first`` to ``stop``.

    It holds the alphas, CZ, CCZ, MCZ and words of block b - 1, the gammas and cosines of block b. Number n_blocks + m
    is the one after the last block, for each row m of ``basis_phases`` (n_bases, n_qubits + 1): a phase per wire, and
    a factor.

    A phase of a bit of ``order[b]`` goes into one of two tables, of half of the bits each, whose product is the
    diagonal; any other one multiplies it where the parity of its mask is odd.
    """
    cos, sin, cosines, alphas, gammas, has_ry = runs
    block_runs, run_r, alpha_slot, gamma_slot, order, signs, block_words, word_r, word_rotation = layout
    n_blocks, n_qubits, n_samples = len(block_runs) - 1, basis_phases.shape[1] - 1, len(cos)
    n_low = n_qubits // 2
    high, low = np.empty((2, 1 << (n_qubits - n_low), n_samples)), np.empty((2, 1 << n_low, n_samples))
    phases, scale = np.empty((n_qubits, n_samples), np.complex128), np.empty(n_samples, np.complex128)
    n_most = 2 * len(run_r) + len(word_r)
    masks, masked = np.empty(n_most, np.int64), np.empty((n_most, n_samples), np.complex128)
    for i in range(len(diagonals)):
        d, b, n_masked = number + i, min(number + i, n_blocks), 0
        for s in range(n_samples):
            for slot in range(n_qubits):
                phases[slot, s] = basis_phases[d - n_blocks, slot] if d >= n_blocks else 1.0
            scale[s] = basis_phases[d - n_blocks, n_qubits] if d >= n_blocks else 1.0
        if b > 0:
            for run in range(block_runs[b - 1], block_runs[b]):
                n_masked = place_phase(alpha_slot[run], run_r[run], alphas[run], phases, masks, masked, n_masked)
            for word in range(block_words[b - 1], block_words[b]):
                masks[n_masked] = word_r[word]
                for s in range(n_samples):  # exp(-i angle/2 Z...Z): the even factor everywhere, the rest where odd
                    even = complex(cos[s, word_rotation[word]], -sin[s, word_rotation[word]])
                    scale[s] *= even
                    masked[n_masked, s] = np.conj(even) ** 2
                n_masked += 1
        if d < n_blocks:
            for run in range(block_runs[b], block_runs[b + 1]):
                n_masked = place_phase(gamma_slot[run], run_r[run], gammas[run], phases, masks, masked, n_masked)
                if has_ry[run]:
                    for s in range(n_samples):
                        scale[s] *= cosines[run, s]
        for s in range(n_samples):
            high[0, 0, s], high[1, 0, s], low[0, 0, s], low[1, 0, s] = scale[s].real, scale[s].imag, 1.0, 0.0
        fill_table(phases[: n_qubits - n_low], high)
        fill_table(phases[n_qubits - n_low :], low)
        multiply_tables(high, low, n_low, order[b], signs[b], first, stop, diagonals[i])
        for k in range(n_masked):
            multiply_phase(diagonals[i], masks[k], masked[k], first, stop)


@kernel(inline="always")
def place_phase(slot, mask, phase, phases, masks, masked, n_masked):
    """phases[slot] *= phase; or, where the slot is negative, one more mask with its phase. Returns how many masks."""
    if slot < 0:
        masks[n_masked] = mask
        for s in range(len(phase)):
            masked[n_masked, s] = phase[s]
        return n_masked + 1
    for s in range(len(phase)):
        phases[slot, s] *= phase[s]
    return n_masked


@kernel(inline="always")
def copy_state(source, out):
    """out = source; compiles in a tenth of the time of a slice assignment."""
    for plane in range(2):
        for z in range(source.shape[1]):
            for s in range(source.shape[2]):
                out[plane, z, s] = source[plane, z, s]


@kernel(inline="always")
def start(basis_states, amplitudes, diagonal, state):
    """State = diagonal times the initial state, a basis state or (if there are any) amplitudes."""
    if amplitudes.shape[1]:
        multiply_diagonal(amplitudes, diagonal, 1.0, state)
    else:
        for plane in range(2):
            for z in range(state.shape[1]):
                for s in range(state.shape[2]):
                    state[plane, z, s] = diagonal[plane, z, s] if z == basis_states[s] else 0.0


@kernel(inline="always")
def forward(diagonals, schedule, tans, basis_states, amplitudes, states):
    """states[b] = psi at the evaluation point of block b."""
    for b in range(len(states)):
        if b == 0:
            start(basis_states, amplitudes, diagonals[0], states[0])
        else:
            multiply_diagonal(states[b - 1], diagonals[b], 1.0, states[b])
        apply_block(b, schedule, tans, 1.0, states[b])


@kernel(inline="always")
def apply_block(b, schedule, tans, direction, state):
    """RY rotations and unitaries of a block, or (direction -1) their adjoints."""
    if direction < 0:
        apply_unitaries(schedule.unitaries, b, -1.0, state, state.shape[2])
    for k in range(schedule.ry_starts[b], schedule.ry_starts[b + 1]):
        apply_ry_samples(state, schedule.ry_x[k], schedule.ry_r[k], tans[schedule.ry_run[k]], direction)
    if direction > 0:
        apply_unitaries(schedule.unitaries, b, 1.0, state, state.shape[2])


@kernel
def forward_sweep(elements, layout, schedule, basis_phases, runs, basis_states, amplitudes, work, batch):
    """From the angles to the states of all blocks."""
    resolve_runs(elements, runs, work, batch.tans, batch.phases, batch.axes)
    first, stop = np.int64(0), np.int64(batch.diagonals.shape[2])
    fill_diagonals(layout, runs, basis_phases, first, first, stop, batch.diagonals)
    forward(batch.diagonals, schedule, batch.tans, basis_states, amplitudes, batch.states)


@kernel(inline="always")
def backward(diagonals, schedule, tans, adjoints):
    """adjoints[b - 1] = D_b^* RY^T adjoints[b], from the last block down."""
    scratch = np.empty_like(adjoints[0])
    for b in range(len(adjoints) - 1, 0, -1):
        copy_state(adjoints[b], scratch)
        apply_block(b, schedule, tans, -1.0, scratch)
        multiply_diagonal(scratch, diagonals[b], -1.0, adjoints[b - 1])


@kernel
def adjoint_sweep(factors, gradient_factor, schedule, entries, batch, rows):
    """rows[s] = sum over the outputs of factors[s, k] df_sk: the gradient of every sample.

    factors (n_samples, n_outputs); rows (n_samples, n_active).
    """
    last = batch.adjoints[len(batch.adjoints) - 1]
    for plane in range(2):
        for z in range(last.shape[1]):
            for s in range(last.shape[2]):
                last[plane, z, s] = factors[s, 0] * batch.images[0, plane, z, s]
    for k in range(1, len(batch.images)):
        for plane in range(2):
            for z in range(last.shape[1]):
                for s in range(last.shape[2]):
                    last[plane, z, s] += factors[s, k] * batch.images[k, plane, z, s]
    backward(batch.diagonals, schedule, batch.tans, batch.adjoints)
    site_overlaps(batch.adjoints, batch.states, schedule, batch.overlaps)
    for s in range(rows.shape[0]):
        for column in range(rows.shape[1]):
            rows[s, column] = 0.0
    add_gradients(gradient_factor, batch.overlaps, batch.axes, entries, batch.coefficients, rows)


@kernel
def measure(state, diagonals, n_blocks, sets, outputs, image):
    """outputs[s] = <O> and image = O state, with O = offset + sum over the commuting sets of V+ w V."""
    n_samples, scratch = state.shape[2], np.empty_like(state)
    shared = sets.weights.shape[2] == 1
    for s in range(n_samples):
        outputs[s] = sets.offset[0 if shared else s]
    for plane in range(2):
        for z in range(state.shape[1]):
            for s in range(n_samples):
                image[plane, z, s] = 0.0
    for g in range(len(sets.weights)):
        if sets.row_starts[g] == sets.row_starts[g + 1]:
            continue
        first, stop = sets.ry_starts[g], sets.ry_starts[g + 1]
        if sets.basis[g] >= 0:
            multiply_diagonal(state, diagonals[n_blocks + sets.basis[g]], 1.0, scratch)
            for k in range(first, stop):
                apply_ry_samples(scratch, sets.ry_x[k], sets.ry_r[k], np.full(n_samples, sets.ry_tans[k]), 1.0)
            apply_unitaries(sets.unitaries, g, 1.0, scratch, n_samples)
        else:
            copy_state(state, scratch)
        for z in range(state.shape[1]):
            w = sets.weights[g, z, 0]
            for s in range(n_samples):
                if not shared:
                    w = sets.weights[g, z, s]
                re, im = scratch[0, z, s], scratch[1, z, s]
                outputs[s] += w * (re * re + im * im)
                scratch[0, z, s], scratch[1, z, s] = w * re, w * im
        if sets.basis[g] >= 0:
            apply_unitaries(sets.unitaries, g, -1.0, scratch, n_samples)
            for k in range(first, stop):
                apply_ry_samples(scratch, sets.ry_x[k], sets.ry_r[k], np.full(n_samples, sets.ry_tans[k]), -1.0)
            multiply_diagonal(scratch, diagonals[n_blocks + sets.basis[g]], -1.0, scratch)
        for plane in range(2):
            for z in range(state.shape[1]):
                for s in range(n_samples):
                    image[plane, z, s] += scratch[plane, z, s]


@kernel
def pull_target_back(state, diagonal, phases, target, pulled, overlaps):
    """pulled[s] = the target before the last diagonal, (n_samples, 2, 2**n); overlaps[s] = <pulled|state>.

    The states lack the phase of their runs, so the target goes without it, too.
    """
    for s in range(state.shape[2]):
        total, own = 0.0j, s if target.shape[1] > 1 else 0
        for z in range(state.shape[1]):
            t = np.conj(complex(diagonal[0, z, s], diagonal[1, z, s]) * phases[s]) * target[z, own]
            pulled[s, 0, z], pulled[s, 1, z] = t.real, t.imag
            total += np.conj(t) * complex(state[0, z, s], state[1, z, s])
        overlaps[s] = total


@kernel
def fill_images(factors, pulled, image):
    """image[:, z, s] = factors[s] pulled[s, :, z]."""
    for z in range(image.shape[1]):
        for s in range(image.shape[2]):
            t = factors[s] * complex(pulled[s, 0, z], pulled[s, 1, z])
            image[0, z, s], image[1, z, s] = t.real, t.imag


@kernel(inline="always")
def site_overlaps(adjoints, states, schedule, out):
    """out[site, a, s] = Re <adjoint| -i/2 sigma_a |state> at the block of each site."""
    for site in range(len(schedule.site_block)):
        b = schedule.site_block[site]
        overlaps(adjoints[b], states[b], schedule.site_x[site], schedule.site_r[site], out[site])


@kernel(inline="always")
def add_gradients(gradient_factor, overlaps, axes, entries, coefficients, rows):
    """rows[s, column] += gradient_factor coefficient (axis . overlap of its site), over all entries."""
    column, site, rotation, term = entries
    for s in range(len(rows)):
        for e in range(len(column)):
            n, o = axes[rotation[e], s], overlaps[site[e], :, s]
            slope = n[0] * o[0] + n[1] * o[1] + n[2] * o[2]
            rows[s, column[e]] += gradient_factor * coefficients[s, term[e]] * slope
