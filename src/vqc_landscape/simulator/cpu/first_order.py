r"""States, expectation values and first derivatives of a leaf of samples.

A leaf is a few samples that are computed together, samples innermost. Forward and adjoint states at the
evaluation point of every block are kept: gradients are overlaps between them, and the second derivatives
start from them.
"""

from __future__ import annotations

import numpy as np

from vqc_landscape.simulator.cpu.jit import compiled
from vqc_landscape.simulator.cpu.kernels import (
    apply_unitaries,
    compress_euler,
    fill_table,
    multiply_diagonal,
    multiply_phase,
    multiply_tables,
    overlaps,
    turn_samples,
)


def smallest_cos(n_qubits: int) -> float:
    """What a smaller cos(angle/2) is replaced by: a turn divides by it.

    At 1e-17 the other amplitude is all there is. From 18 qubits on it is larger, up to 1e-12 at 24, because the
    cosines of all qubits are multiplied and their product must stay above 1e-308.
    """
    return float(max(1e-17, 10.0 ** (-290 / n_qubits)))


@compiled(inline="always")
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


@compiled(inline="always")
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


@compiled
def resolve_runs(schedule, cos, sin, tans, cosines, alphas, gammas, phases, axes):
    """Each run as one matrix, and each of its rotations' generators at the evaluation point.

    cos, sin: of half of every angle, (n_samples, n_rotations). Fills tans, cosines, alphas, gammas
    (n_runs, n_samples), axes (n_rotations, n_samples, 3), and the product of the runs' phases (n_samples,).
    """
    run_starts, element_axis, element_index, fixed, smallest = schedule
    for s in range(len(cos)):
        phases[s] = 1.0
        for run in range(len(run_starts) - 1):
            a, b = 1.0 + 0.0j, 0.0 + 0.0j
            for e in range(run_starts[run], run_starts[run + 1]):
                k = element_index[e]
                rotates = element_axis[e] < 3
                c, sn = (cos[s, k], sin[s, k]) if rotates else (1.0, 0.0)
                a, b = multiply_element(a, b, element_axis[e], c, sn, fixed[0 if rotates else k])
            t, c, alpha, gamma, phase = compress_euler(a, b, smallest)
            tans[run, s], cosines[run, s], alphas[run, s], gammas[run, s] = t, c, alpha, gamma
            phases[s] *= phase
            a, b = 1.0 + 0.0j, 0.0 + 0.0j  # the product of the elements after the present one
            for e in range(run_starts[run + 1] - 1, run_starts[run] - 1, -1):
                k = element_index[e]
                if element_axis[e] < 3:
                    rotated_axis(a, b, element_axis[e], alphas[run, s], axes[k, s])
                    # (a, -b*; b, a*) element: its first column, from the right
                    p, q = multiply_element(1.0 + 0.0j, 0.0 + 0.0j, element_axis[e], cos[s, k], sin[s, k], fixed[0])
                else:
                    p, q = fixed[k, 0], fixed[k, 1]
                a, b = a * p - np.conj(b) * q, b * p + np.conj(a) * q


@compiled
def fill_diagonals(layout, runs, tail_phases, number, first, stop, diagonals):
    """diagonals[b - number] = D_b for amplitudes ``first`` to ``stop``.

    It holds the alphas, CZ and words of block b - 1, the gammas and cosines of block b. Number n_blocks + m is the one
    after the last block, for each row m of ``tail_phases`` (n_tails, n_qubits + 1): a phase per wire, and a factor.

    A phase of a wire goes into one of two tables, of half of the wires each, whose product is the diagonal; any other
    one multiplies it where the parity of its mask is odd.
    """
    cos, sin, cosines, alphas, gammas, turns = runs
    block_runs, run_r, alpha_slot, gamma_slot, order, signs, block_words, word_r, word_rotation = layout
    n_blocks, n_qubits, n_samples = len(block_runs) - 1, tail_phases.shape[1] - 1, len(cos)
    n_low = n_qubits // 2
    high, low = np.empty((2, 1 << (n_qubits - n_low), n_samples)), np.empty((2, 1 << n_low, n_samples))
    phases, scale = np.empty((n_qubits, n_samples), np.complex128), np.empty(n_samples, np.complex128)
    n_most = 2 * len(run_r) + len(word_r)
    masks, masked = np.empty(n_most, np.int64), np.empty((n_most, n_samples), np.complex128)
    for i in range(len(diagonals)):
        d, b, n_masked = number + i, min(number + i, n_blocks), 0
        for s in range(n_samples):
            for slot in range(n_qubits):
                phases[slot, s] = tail_phases[d - n_blocks, slot] if d >= n_blocks else 1.0
            scale[s] = tail_phases[d - n_blocks, n_qubits] if d >= n_blocks else 1.0
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
                if turns[run]:
                    for s in range(n_samples):
                        scale[s] *= cosines[run, s]
        for s in range(n_samples):
            high[0, 0, s], high[1, 0, s], low[0, 0, s], low[1, 0, s] = scale[s].real, scale[s].imag, 1.0, 0.0
        fill_table(phases[: n_qubits - n_low], high)
        fill_table(phases[n_qubits - n_low :], low)
        multiply_tables(high, low, n_low, order[b], signs[b], first, stop, diagonals[i])
        for k in range(n_masked):
            multiply_phase(diagonals[i], masks[k], masked[k], first, stop)


@compiled(inline="always")
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


@compiled(inline="always")
def copy_state(source, out):
    """out = source; compiles in a tenth of the time of a slice assignment."""
    for plane in range(2):
        for z in range(source.shape[1]):
            for s in range(source.shape[2]):
                out[plane, z, s] = source[plane, z, s]


@compiled(inline="always")
def start(basis_states, amplitudes, diagonal, state):
    """State = diagonal times the initial state, a basis state or (if there are any) amplitudes."""
    if amplitudes.shape[1]:
        multiply_diagonal(amplitudes, diagonal, 1.0, state)
    else:
        for plane in range(2):
            for z in range(state.shape[1]):
                for s in range(state.shape[2]):
                    state[plane, z, s] = diagonal[plane, z, s] if z == basis_states[s] else 0.0


@compiled
def forward(diagonals, turns, tans, basis_states, amplitudes, states):
    """states[b] = psi at the evaluation point of block b."""
    for b in range(len(states)):
        if b == 0:
            start(basis_states, amplitudes, diagonals[0], states[0])
        else:
            multiply_diagonal(states[b - 1], diagonals[b], 1.0, states[b])
        for k in range(turns.blocks[b], turns.blocks[b + 1]):
            turn_samples(states[b], turns.x[k], turns.r[k], tans[turns.runs[k]], 1.0)
        apply_unitaries(turns.unitaries, b, 1.0, states[b], states.shape[3])


@compiled
def backward(diagonals, turns, tans, adjoints):
    """adjoints[b - 1] = D_b^* RY^T adjoints[b], from the last block down."""
    scratch = np.empty_like(adjoints[0])
    for b in range(len(adjoints) - 1, 0, -1):
        copy_state(adjoints[b], scratch)
        apply_unitaries(turns.unitaries, b, -1.0, scratch, scratch.shape[2])
        for k in range(turns.blocks[b], turns.blocks[b + 1]):
            turn_samples(scratch, turns.x[k], turns.r[k], tans[turns.runs[k]], -1.0)
        multiply_diagonal(scratch, diagonals[b], -1.0, adjoints[b - 1])


@compiled
def measure(state, diagonals, n_blocks, groups, expvals, adjoint):
    """expvals[s] = <O> and adjoint = O state, with O = offset + sum over the groups of V+ w V."""
    n_samples, scratch = state.shape[2], np.empty_like(state)
    shared = groups.weights.shape[2] == 1
    for s in range(n_samples):
        expvals[s] = groups.offset[0 if shared else s]
    for plane in range(2):
        for z in range(state.shape[1]):
            for s in range(n_samples):
                adjoint[plane, z, s] = 0.0
    for g in range(len(groups.weights)):
        first, stop = groups.turns[g], groups.turns[g + 1]
        if groups.tails[g] >= 0:
            multiply_diagonal(state, diagonals[n_blocks + groups.tails[g]], 1.0, scratch)
            for k in range(first, stop):
                turn_samples(scratch, groups.x[k], groups.r[k], np.full(n_samples, groups.tans[k]), 1.0)
            apply_unitaries(groups.unitaries, g, 1.0, scratch, n_samples)
        else:
            copy_state(state, scratch)
        for z in range(state.shape[1]):
            w = groups.weights[g, z, 0]
            for s in range(n_samples):
                if not shared:
                    w = groups.weights[g, z, s]
                re, im = scratch[0, z, s], scratch[1, z, s]
                expvals[s] += w * (re * re + im * im)
                scratch[0, z, s], scratch[1, z, s] = w * re, w * im
        if groups.tails[g] >= 0:
            apply_unitaries(groups.unitaries, g, -1.0, scratch, n_samples)
            for k in range(first, stop):
                turn_samples(scratch, groups.x[k], groups.r[k], np.full(n_samples, groups.tans[k]), -1.0)
            multiply_diagonal(scratch, diagonals[n_blocks + groups.tails[g]], -1.0, scratch)
        for plane in range(2):
            for z in range(state.shape[1]):
                for s in range(n_samples):
                    adjoint[plane, z, s] += scratch[plane, z, s]


@compiled
def site_overlaps(adjoints, states, turns, out):
    """out[site, a, s] = Re <adjoint| -i/2 sigma_a |state> at the block of each site."""
    for site in range(len(turns.site_block)):
        b = turns.site_block[site]
        overlaps(adjoints[b], states[b], turns.site_x[site], turns.site_r[site], out[site])


@compiled
def add_gradients(overlap, axes, entries, coefficients, jacobian):
    """jacobian[s, column] += 2 coefficient (axis . overlap of its site), over all entries."""
    column, site, rotation, term = entries
    for s in range(len(jacobian)):
        for e in range(len(column)):
            n, o = axes[rotation[e], s], overlap[site[e], :, s]
            jacobian[s, column[e]] += 2.0 * coefficients[s, term[e]] * (n[0] * o[0] + n[1] * o[1] + n[2] * o[2])
