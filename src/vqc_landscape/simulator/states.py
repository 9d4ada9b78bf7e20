r"""States, expectation values and first derivatives of a leaf of samples.

A leaf is a few samples that are computed together, samples innermost. Forward and adjoint states at the
evaluation point of every block are kept: gradients are overlaps between them, and the second derivatives
start from them.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from vqc_landscape.simulator.kernels import (
    JIT,
    compress_euler,
    fill_diagonal,
    multiply_diagonal,
    multiply_word,
    overlaps,
    turn_samples,
)


def smallest_cos(n_qubits: int) -> float:
    """What a smaller cos(angle/2) is replaced by: a turn divides by it.

    At 1e-17 the other amplitude is all there is. From 18 qubits on it is larger, up to 1e-12 at 24, because the
    cosines of all qubits are multiplied and their product must stay above 1e-308.
    """
    return float(max(1e-17, 10.0 ** (-290 / n_qubits)))


@njit(**JIT)
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


@njit(**JIT)
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


@njit(**JIT)
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


@njit(**JIT)
def fill_diagonals(layout, cos, sin, cosines, alphas, gammas, turns, tail_phases, diagonals):
    """diagonals[b] = D_b: alphas, CZ and words of block b - 1, gammas and cosines of block b.

    diagonals[n_blocks + m] is the one after the last block, for each row m of ``tail_phases``
    (n_tails, n_qubits + 1): a phase per wire, and a factor.
    """
    n_blocks, n_qubits, block_runs, run_wire, signs, block_words, word_mask, word_rotation = layout
    n_samples = len(cos)
    phases = np.empty((n_qubits, n_samples), np.complex128)
    used = np.empty(n_qubits, np.bool_)
    scale = np.empty(n_samples)
    for b in range(n_blocks + len(tail_phases)):
        for wire in range(n_qubits):
            used[wire] = False
            for s in range(n_samples):
                phases[wire, s] = 1.0
        for s in range(n_samples):
            scale[s] = 1.0
        before = min(b, n_blocks) - 1
        if before >= 0:
            for run in range(block_runs[before], block_runs[before + 1]):
                used[run_wire[run]] = True
                for s in range(n_samples):
                    phases[run_wire[run], s] *= alphas[run, s]
        if b < n_blocks:
            for run in range(block_runs[b], block_runs[b + 1]):
                used[run_wire[run]] = True
                for s in range(n_samples):
                    phases[run_wire[run], s] *= gammas[run, s]
                    if turns[run]:
                        scale[s] *= cosines[run, s]
        else:
            for wire in range(n_qubits):
                used[wire] = True
                for s in range(n_samples):
                    phases[wire, s] *= tail_phases[b - n_blocks, wire]
            for s in range(n_samples):
                scale[s] = tail_phases[b - n_blocks, n_qubits].real
        fill_diagonal(diagonals[b], phases, used, scale, signs[before] if before >= 0 else np.ones(1 << n_qubits))
        if before >= 0:
            for word in range(block_words[before], block_words[before + 1]):
                k = word_rotation[word]
                multiply_word(diagonals[b], word_mask[word], cos[:, k], sin[:, k])


@njit(**JIT)
def copy_state(source, out):
    """out = source; compiles in a tenth of the time of a slice assignment."""
    for plane in range(2):
        for z in range(source.shape[1]):
            for s in range(source.shape[2]):
                out[plane, z, s] = source[plane, z, s]


@njit(**JIT)
def forward(diagonals, block_turns, turn_bits, turn_runs, tans, states):
    """states[b] = psi at the evaluation point of block b, from |0...0>."""
    for b in range(len(states)):
        if b == 0:
            for plane in range(2):
                for z in range(states.shape[2]):
                    for s in range(states.shape[3]):
                        states[0, plane, z, s] = diagonals[0, plane, 0, s] if z == 0 else 0.0
        else:
            multiply_diagonal(states[b - 1], diagonals[b], 1.0, states[b])
        for k in range(block_turns[b], block_turns[b + 1]):
            turn_samples(states[b], turn_bits[k], tans[turn_runs[k]], 1.0)


@njit(**JIT)
def backward(diagonals, block_turns, turn_bits, turn_runs, tans, adjoints, scratch):
    """adjoints[b - 1] = D_b^* RY^T adjoints[b], from the last block down."""
    for b in range(len(adjoints) - 1, 0, -1):
        copy_state(adjoints[b], scratch)
        for k in range(block_turns[b], block_turns[b + 1]):
            turn_samples(scratch, turn_bits[k], tans[turn_runs[k]], -1.0)
        multiply_diagonal(scratch, diagonals[b], -1.0, adjoints[b - 1])


@njit(**JIT)
def measure_group(state, diagonal, turns, tans, weights, adjoint, expvals, scratch):
    """Add V+ w V to expvals (n_samples,) and its product with the state to the adjoint; V = turns diagonal."""
    changes_basis = len(turns) > 0
    if changes_basis:
        multiply_diagonal(state, diagonal, 1.0, scratch)
        for k in range(len(turns)):
            turn_samples(scratch, turns[k], tans[k], 1.0)
    else:
        copy_state(state, scratch)
    for z in range(len(weights)):
        w = weights[z]
        for s in range(state.shape[2]):
            re, im = scratch[0, z, s], scratch[1, z, s]
            expvals[s] += w * (re * re + im * im)
            scratch[0, z, s], scratch[1, z, s] = w * re, w * im
    if changes_basis:
        for k in range(len(turns)):
            turn_samples(scratch, turns[k], tans[k], -1.0)
        multiply_diagonal(scratch, diagonal, -1.0, scratch)
    for plane in range(2):
        for z in range(len(weights)):
            for s in range(state.shape[2]):
                adjoint[plane, z, s] += scratch[plane, z, s]


@njit(**JIT)
def site_overlaps(adjoints, states, site_block, site_bit, site_word, out):
    """out[site, a, s] = Re <adjoint| -i/2 sigma_a |state> at the block of each site."""
    for site in range(len(site_block)):
        b = site_block[site]
        overlaps(adjoints[b], states[b], site_bit[site], site_word[site], out[site])


@njit(**JIT)
def add_gradients(overlap, axes, entries, coefficients, jacobian):
    """jacobian[s, column] += 2 coefficient (axis . overlap of its site), over all entries."""
    column, site, rotation, term = entries
    for s in range(len(jacobian)):
        for e in range(len(column)):
            n, o = axes[rotation[e], s], overlap[site[e], :, s]
            jacobian[s, column[e]] += 2.0 * coefficients[s, term[e]] * (n[0] * o[0] + n[1] * o[1] + n[2] * o[2])
