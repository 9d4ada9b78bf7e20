r"""Second derivatives of one sample by tangent propagation.

With the tangents :math:`T_i = \partial_i \psi`, the adjoint state :math:`\lambda_b` (the observable times
the final state, pulled back to block b) and the generators :math:`G_i` at the evaluation points,

.. math::
    \tfrac12 \partial_i \partial_j f = \mathrm{Re} \langle T_i | O | T_j \rangle
        + \mathrm{Re} \langle \lambda_b | G_i T_j^{(b)} \rangle, \qquad j \text{ before } i \text{ in block } b .

Both terms are matrix products over amplitudes; the weight of the sample goes into their left factors, so
that samples add up in one matrix each. The second one is collected unsymmetrised, ``second``, and counted
as ``second + second.T``; generators of one step enter with one half:

.. math:: \mathrm{Re}\langle\lambda| G_p G_q |\psi\rangle + \sum_{k < i} c_k c_i (n_i \times n_k) \cdot o,

where the sum is over non-commuting pairs on one site, k before i, :math:`[-\tfrac i2 a\sigma, -\tfrac i2 b\sigma]
= -\tfrac i2 (a \times b)\sigma`, and :math:`o_a = \mathrm{Re}\langle\lambda|{-\tfrac i2}\sigma_a|\psi\rangle`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vqc_landscape.checks import Array
from vqc_landscape.simulator.kernels import (
    JIT,
    K_CHUNK,
    add_generator,
    add_products,
    add_row_sums,
    add_weighted_gram,
    propagate,
    scale_rows,
    turn,
)
from vqc_landscape.simulator.schedule import Ints


class Leaf(NamedTuple):
    """What the first-order pass leaves of a leaf of samples (samples innermost, but for coefficients)."""

    diagonals: Array  # (n_blocks + n_tails, 2, 2**n, n_samples)
    states: Array  # (n_blocks, 2, 2**n, n_samples)
    adjoints: Array  # (n_blocks, 2, 2**n, n_samples)
    tans: Array  # (n_runs, n_samples)
    axes: Array  # (n_rotations, n_samples, 3)
    overlaps: Array  # (n_sites, 3, n_samples)
    coefficients: Array  # (n_samples, n_terms)
    phases: NDArray[np.complex128]  # (n_samples,): psi is this times states[-1] after the last diagonal


class Turns(NamedTuple):
    """The schedule as the kernels read it."""

    blocks: Ints  # turns of block b are blocks[b] to blocks[b + 1]
    bits: Ints  # qubit of each turn, as a power of two, descending within a block
    runs: Ints  # run of each turn
    site_block: Ints
    site_bit: Ints  # 0 for a word
    site_word: Ints  # 0 for a qubit
    rows: Ints  # all basis states


class Scratch(NamedTuple):
    """Work arrays of one thread."""

    new: Array
    adjoint: Array
    diagonal: Array
    state: Array
    costate: Array
    products: Array
    inner: Array
    turn_tans: Array
    panel: Array
    weights: Array
    x: Array
    y: Array


def make_scratch(n_qubits: int, n_slots: int, width: int, n_rows: int) -> Scratch:
    """Allocate the work arrays for at most ``n_slots`` columns that gain in one step."""
    size, padded = 2**n_qubits, (n_slots + 3) // 4 * 4
    return Scratch(
        new=np.zeros((2, size, padded)),
        adjoint=np.zeros((2, size, padded)),
        diagonal=np.zeros((2, size)),
        state=np.zeros((2, size)),
        costate=np.zeros((2, size)),
        products=np.zeros((padded, width)),
        inner=np.zeros((padded, padded)),
        turn_tans=np.zeros(n_qubits),
        panel=np.zeros((K_CHUNK, 4)),
        weights=np.zeros(size),
        x=np.zeros(n_rows),
        y=np.zeros(n_rows),
    )


@njit(**JIT)
def sweep_tangents(sample, weight, with_second, leaf, turns, columns, scratch, tangents, second):
    """Carry all tangents of one sample to the last evaluation point; add weight * second-order terms.

    tangents (n_chunks, 2, 2**n, width) is overwritten; second (n_chunks, n_rows, width) is added to.
    """
    width = tangents.shape[3]
    # typed zeros: a literal one would have the callees compiled twice
    n_active, step, n_steps = np.int64(0), np.int64(0), len(columns.step_block)
    for b in range(len(leaf.states)):
        if n_active:
            start, stop = turns.blocks[b], turns.blocks[b + 1]
            _load(leaf.diagonals[b], sample, scratch.diagonal)
            for k in range(start, stop):
                scratch.turn_tans[k - start] = leaf.tans[turns.runs[k], sample]
            for chunk in range((n_active + width - 1) // width):
                n = min(n_active - chunk * width, width)
                propagate(
                    tangents[chunk], scratch.diagonal, turns.bits[start:stop], scratch.turn_tans[: stop - start], n
                )
        if step < n_steps and columns.step_block[step] == b:
            _load(leaf.states[b], sample, scratch.state)
            _load(leaf.adjoints[b], sample, scratch.costate)
        while step < n_steps and columns.step_block[step] == b:
            _fill_generators(step, sample, weight, with_second, leaf, turns, columns, scratch)
            slots = columns.slot_column[columns.step_slots[step] : columns.step_slots[step + 1]]
            if with_second:
                _collect_second(step, sample, weight, n_active, slots, leaf, turns, columns, scratch, tangents, second)
            n_active = _insert(scratch.new, slots, n_active, tangents)
            step += 1


@njit(**JIT)
def _load(states, sample, out):
    """out = one sample's state, from [plane, amplitude, sample]."""
    for plane in range(2):
        for z in range(out.shape[1]):
            out[plane, z] = states[plane, z, sample]


@njit(**JIT)
def _fill_generators(step, sample, weight, with_second, leaf, turns, columns, scratch):
    """new[slot] = 1/2 sum c G psi and adjoint[slot] = weight sum c G+ lambda over the entries of each slot."""
    first, stop = columns.step_slots[step], columns.step_slots[step + 1]
    n_padded = (stop - first + 3) // 4 * 4
    for plane in range(2):
        for z in range(scratch.new.shape[1]):
            for slot in range(n_padded):
                scratch.new[plane, z, slot] = 0.0
                scratch.adjoint[plane, z, slot] = 0.0
    for slot in range(first, stop):
        for entry in range(columns.slot_entries[slot], columns.slot_entries[slot + 1]):
            g = columns.entry_generator[entry]
            site, axis = columns.generator_site[g], leaf.axes[columns.generator_rotation[g], sample]
            bit, word = turns.site_bit[site], turns.site_word[site]
            c = leaf.coefficients[sample, columns.entry_term[entry]]
            # one half, because the inner products of a step are counted twice
            add_generator(scratch.state, bit, word, axis, 0.5 * c, scratch.new, slot - first)
            if with_second:  # G+ = -G
                add_generator(scratch.costate, bit, word, axis, -weight * c, scratch.adjoint, slot - first)


@njit(**JIT)
def _collect_second(step, sample, weight, n_active, slots, leaf, turns, columns, scratch, tangents, second):
    """second[slots] += adjoint . tangents so far, and adjoint . new with the order of time on each site."""
    width, n_slots = tangents.shape[3], len(slots)
    left = scratch.adjoint[:, :, : (n_slots + 3) // 4 * 4]
    for chunk in range((n_active + width - 1) // width):
        n = min(n_active - chunk * width, width)
        _multiply(left, tangents[chunk], turns.rows, scratch.products, n)
        for slot in range(n_slots):
            for c in range(n):
                second[chunk, slots[slot], c] += scratch.products[slot, c]
    inner = scratch.inner
    _multiply(left, scratch.new, turns.rows, inner, n_slots)
    for p in range(columns.step_pairs[step], columns.step_pairs[step + 1]):
        slot_k, slot_i, k, i = columns.pairs[p, 0], columns.pairs[p, 1], columns.pairs[p, 2], columns.pairs[p, 3]
        g_k, g_i = columns.entry_generator[k], columns.entry_generator[i]
        n_k = leaf.axes[columns.generator_rotation[g_k], sample]
        n_i = leaf.axes[columns.generator_rotation[g_i], sample]
        o = leaf.overlaps[columns.generator_site[g_k], :, sample]
        triple = (
            (n_i[1] * n_k[2] - n_i[2] * n_k[1]) * o[0]
            + (n_i[2] * n_k[0] - n_i[0] * n_k[2]) * o[1]
            + (n_i[0] * n_k[1] - n_i[1] * n_k[0]) * o[2]
        )
        c_k = leaf.coefficients[sample, columns.entry_term[k]]
        c_i = leaf.coefficients[sample, columns.entry_term[i]]
        inner[slot_k, slot_i] += 0.5 * weight * c_k * c_i * triple
    for slot in range(n_slots):
        for other in range(n_slots):
            column = slots[other]
            second[column // width, slots[slot], column % width] += inner[slot, other]


@njit(**JIT)
def _multiply(left, right, rows, out, n):
    """out[i, :n] = sum over planes and amplitudes of left[i] right[:n]."""
    n_rows = left.shape[2]
    for i in range(n_rows):
        for c in range(n):
            out[i, c] = 0.0
    for plane in range(2):
        for k0 in range(0, len(rows), K_CHUNK):
            k1 = min(k0 + K_CHUNK, len(rows))
            add_products(left[plane], 0, right[plane], rows, k0, k1, out, 0, n)


@njit(**JIT)
def _insert(new, columns, n_active, tangents):
    """tangents[:, columns] += 2 new; a column that is not yet active is written. Returns the number of active ones."""
    width = tangents.shape[3]
    slot = 0
    while slot < len(columns):
        chunk, c = columns[slot] // width, columns[slot] % width
        fresh = columns[slot] >= n_active
        run = 1  # consecutive columns go together: they are one contiguous row per amplitude
        while slot + run < len(columns) and c + run < width and columns[slot + run] == columns[slot] + run:
            if (columns[slot + run] >= n_active) != fresh:
                break
            run += 1
        for plane in range(2):
            for z in range(new.shape[1]):
                if fresh:
                    for k in range(run):
                        tangents[chunk, plane, z, c + k] = 2.0 * new[plane, z, slot + k]
                else:
                    for k in range(run):
                        tangents[chunk, plane, z, c + k] += 2.0 * new[plane, z, slot + k]
        slot += run
    for column in columns:
        n_active = max(n_active, column + 1)
    return n_active


@njit(**JIT)
def add_group_gram(sample, weight, diagonals, bits, tans, weights, rows, scratch, tangents, gram):
    """gram += weight * T+ V+ w V T (real part, lower triangle), V the basis change of a measured group."""
    diagonal, panel, scaled = scratch.diagonal, scratch.panel, scratch.weights
    changes_basis = len(bits) > 0
    n_chunks, width = len(tangents), tangents.shape[3]
    if changes_basis:
        _load(diagonals, sample, diagonal)
        for chunk in range(n_chunks):
            propagate(tangents[chunk], diagonal, bits, tans, width)
    for k in range(len(rows)):
        scaled[k] = weight * weights[rows[k]]
    for row_chunk in range(n_chunks):
        for chunk in range(row_chunk + 1):
            for plane in range(2):
                add_weighted_gram(
                    tangents[row_chunk, plane],
                    tangents[chunk, plane],
                    scaled,
                    rows,
                    panel,
                    gram[chunk],
                    row_chunk * width,
                    chunk == row_chunk,
                )
    if changes_basis:
        for chunk in range(n_chunks):
            for k in range(len(bits)):
                turn(tangents[chunk], bits[k], -tans[k], width)
            scale_rows(tangents[chunk], diagonal, -1.0, width)


@njit(**JIT)
def add_state_gram(target, weight_re, weight_im, scratch, tangents, gram):
    """gram += weight_re x x^T + weight_im y y^T with x + i y = <target|T> (lower triangle)."""
    x, y = scratch.x, scratch.y
    n_chunks, width = len(tangents), tangents.shape[3]
    for chunk in range(n_chunks):
        re, im = x[chunk * width : (chunk + 1) * width], y[chunk * width : (chunk + 1) * width]
        for c in range(width):
            re[c], im[c] = 0.0, 0.0
        add_row_sums(tangents[chunk, 0], target[0], 1.0, re)
        add_row_sums(tangents[chunk, 1], target[1], 1.0, re)
        add_row_sums(tangents[chunk, 1], target[0], 1.0, im)
        add_row_sums(tangents[chunk, 0], target[1], -1.0, im)
    for chunk in range(n_chunks):
        for i in range(len(x)):
            for c in range(width):
                j = chunk * width + c
                if j <= i:
                    gram[chunk, i, c] += weight_re * x[i] * x[j] + weight_im * y[i] * y[j]


@njit(**JIT)
def unfold_lower(gram, out):
    """out (P, P) = the symmetric matrix whose lower triangle is stored in chunks of columns."""
    width = gram.shape[2]
    for i in range(len(out)):
        for j in range(i + 1):
            out[i, j] = gram[j // width, i, j % width]
            out[j, i] = out[i, j]


@njit(**JIT)
def add_symmetrised(second, factor, out):
    """out += factor * (second + second^T), second stored in chunks of columns."""
    width = second.shape[2]
    for i in range(len(out)):
        for j in range(i + 1):
            value = factor * (second[j // width, i, j % width] + second[i // width, j, i % width])
            out[i, j] += value
            if i != j:
                out[j, i] += value


@njit(**JIT)
def add_outer_products(jacobian, weights, out):
    """out += sum_s weights[s] J_s J_s^T, symmetric to the last bit."""
    for s in range(len(jacobian)):
        for i in range(len(out)):
            x = weights[s] * jacobian[s, i]
            for j in range(i):
                value = x * jacobian[s, j]
                out[i, j] += value
                out[j, i] += value
            out[i, i] += x * jacobian[s, i]
