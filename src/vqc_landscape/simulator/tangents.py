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

import numpy as np

from vqc_landscape.simulator.jit import compiled
from vqc_landscape.simulator.kernels import (
    K_CHUNK,
    add_products,
    add_row_sums,
    add_weighted_gram,
    propagate,
    write_generators,
)


@compiled
def sweep_tangents(sample, weight, with_second, leaf, turns, columns, scratch, tangents, second):
    """Carry all tangents of one sample to the last evaluation point; add weight * second-order terms.

    tangents (n_chunks, 2, 2**n, width) is overwritten; second (n_chunks, n_rows, width) is added to.
    """
    # typed zeros: a literal one would have the callees compiled twice
    n_active, step, n_steps = np.int64(0), np.int64(0), len(columns.step_block)
    for b in range(len(leaf.states)):
        if n_active:
            load_block(b, sample, leaf, turns, scratch)
            for chunk in range(n_chunks(n_active, tangents)):
                propagate_chunk(b, chunk, n_active, turns, scratch, tangents)
        while step < n_steps and columns.step_block[step] == b:
            n_active = _take_step(
                step, sample, weight, with_second, n_active, leaf, turns, columns, scratch, tangents, second
            )
            step += 1


@compiled
def n_chunks(n_active, tangents):
    """Chunks that hold the first n_active columns."""
    width = tangents.shape[3]
    return (n_active + width - 1) // width


@compiled
def load_block(b, sample, leaf, turns, scratch):
    """The diagonal and the turns of one block, for one sample."""
    _load(leaf.diagonals[b], sample, scratch.diagonal)
    for k in range(turns.blocks[b], turns.blocks[b + 1]):
        scratch.turn_tans[k - turns.blocks[b]] = leaf.tans[turns.runs[k], sample]


@compiled
def propagate_chunk(b, chunk, n_active, turns, scratch, tangents):
    """Carry the active columns of a chunk through block b."""
    start, stop = turns.blocks[b], turns.blocks[b + 1]
    x, r, tans = turns.x[start:stop], turns.r[start:stop], scratch.turn_tans[: stop - start]
    n = _padded(n_active - chunk * tangents.shape[3], tangents.shape[3])
    propagate(tangents[chunk], scratch.diagonal, x, r, tans, 1.0, n)


@compiled
def _take_step(step, sample, weight, with_second, n_active, leaf, turns, columns, scratch, tangents, second):
    """Add the generators of one step to the tangents, and their second-order terms; returns the active columns."""
    width = tangents.shape[3]
    slots = columns.slot_column[columns.step_slots[step] : columns.step_slots[step + 1]]
    home = slots[0] // width
    if columns.step_plain[step] and slots[-1] // width == home:
        # each slot is one new column: write it where it belongs, and take the earlier of two generators as tangent
        out, column = tangents[home], slots[0] % width
        fill_generators(step, sample, 1.0, leaf.states, leaf, turns, columns, scratch.tangent, out, column)
        n_active = slots[-1] + 1
        if with_second:
            fill_generators(
                step, sample, -weight, leaf.adjoints, leaf, turns, columns, scratch.cotangent, scratch.adjoint, 0
            )
            for chunk in range(n_chunks(n_active, tangents)):
                collect_cross(slots, chunk, n_active, True, turns, scratch, tangents, second)
        return n_active
    # one half, because the inner products of a step are counted twice
    fill_generators(step, sample, 0.5, leaf.states, leaf, turns, columns, scratch.tangent, scratch.new, 0)
    if with_second:
        fill_generators(
            step, sample, -weight, leaf.adjoints, leaf, turns, columns, scratch.cotangent, scratch.adjoint, 0
        )
        for chunk in range(n_chunks(n_active, tangents)):
            collect_cross(slots, chunk, n_active, False, turns, scratch, tangents, second)
        collect_inner(step, sample, weight, slots, leaf, turns, columns, scratch, second)
    return insert(scratch.new, slots, n_active, tangents)


@compiled
def _padded(n, width):
    """Columns up to the end of a vector of 8: what lies beyond n is finite and never read."""
    return min((n + 7) // 8 * 8, width)


@compiled
def _load(states, sample, out):
    """out = one sample's state, from [plane, amplitude, sample]."""
    for plane in range(2):
        for z in range(out.shape[1]):
            out[plane, z] = states[plane, z, sample]


@compiled
def fill_generators(step, sample, factor, states, leaf, turns, columns, work, out, first_column):
    """out[first_column + slot] = factor sum c G state over the entries of each slot.

    With the adjoint states and factor -weight: weight sum c G+ lambda, because G+ = -G.
    """
    _load(states[columns.step_block[step]], sample, work.state)
    for group in range(columns.step_groups[step], columns.step_groups[step + 1]):
        site = columns.group_site[group]
        first, stop = columns.group_entries[group], columns.group_entries[group + 1]
        for entry in range(first, stop):
            rotation = columns.generator_rotation[columns.entry_generator[entry]]
            half = 0.5 * factor * leaf.coefficients[sample, columns.entry_term[entry]]
            work.columns[entry - first] = first_column + columns.entry_slot[entry]
            for a in range(3):
                work.axes[entry - first, a] = half * leaf.axes[rotation, sample, a]
        x, r, firsts = turns.site_x[site], turns.site_r[site], columns.entry_first[first:stop]
        write_generators(work.state, x, r, work.axes, work.columns[: stop - first], firsts, out)


@compiled
def collect_cross(slots, chunk, n_active, ordered, turns, scratch, tangents, second):
    """second[slots] += adjoint . tangents of a chunk; ``ordered``: up to each slot's own column, half of that."""
    width, n_slots = tangents.shape[3], len(slots)
    left, products = scratch.adjoint[:, :, : (n_slots + 3) // 4 * 4], scratch.products[chunk]
    n = min(n_active - chunk * width, width)
    _multiply(left, tangents[chunk], turns.rows, products, _padded(n, width))
    for slot in range(n_slots):
        own = slots[slot] - chunk * width if ordered else width
        for c in range(min(n, own)):
            second[chunk, slots[slot], c] += products[slot, c]
        if 0 <= own < n:
            second[chunk, slots[slot], own] += 0.5 * products[slot, own]


@compiled
def collect_inner(step, sample, weight, slots, leaf, turns, columns, scratch, second):
    """second[slots] += adjoint . new, with the order of time on each site."""
    width, n_slots = second.shape[2], len(slots)
    left = scratch.adjoint[:, :, : (n_slots + 3) // 4 * 4]
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


@compiled
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


@compiled
def insert(new, columns, n_active, tangents):
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


@compiled
def add_groups_gram(sample, weight, diagonals, n_blocks, groups, scratch, tangents, gram):
    """gram += weight * T+ O T (real part, lower triangle), O = sum over the groups of V+ w V."""
    for g in range(len(groups.weights)):
        load_group(g, sample, weight, diagonals, n_blocks, groups, scratch)
        for chunk in range(len(tangents)):
            change_basis(g, 1.0, groups, scratch, tangents[chunk])
        for low in range(len(tangents)):
            for chunk in range(low + 1):
                add_gram_tile(g, low, chunk, groups, scratch, tangents, gram)
        if g + 1 < len(groups.weights):
            for chunk in range(len(tangents)):
                change_basis(g, -1.0, groups, scratch, tangents[chunk])


@compiled
def load_group(g, sample, weight, diagonals, n_blocks, groups, scratch):
    """The basis change of a measured group for one sample, and its weights times the sample's."""
    if groups.turns[g + 1] > groups.turns[g]:
        _load(diagonals[n_blocks + groups.tails[g]], sample, scratch.diagonal)
    for k in range(groups.row_starts[g], groups.row_starts[g + 1]):
        scratch.weights[k - groups.row_starts[g]] = weight * groups.weights[g, groups.rows[k]]


@compiled
def change_basis(g, direction, groups, scratch, block):
    """Take the tangents of a chunk to the basis of a measured group, or back."""
    first, stop = groups.turns[g], groups.turns[g + 1]
    if stop > first:
        x, r, tans = groups.x[first:stop], groups.r[first:stop], groups.tans[first:stop]
        propagate(block, scratch.diagonal, x, r, tans, direction, block.shape[2])


@compiled
def add_gram_tile(g, low, chunk, groups, scratch, tangents, gram):
    """gram[chunk, low] += weights times the products of two chunks of columns."""
    width, rows = tangents.shape[3], groups.rows[groups.row_starts[g] : groups.row_starts[g + 1]]
    panel = np.empty((K_CHUNK, 4))
    for plane in range(2):
        left, right = tangents[low, plane], tangents[chunk, plane]
        add_weighted_gram(left, right, scratch.weights, rows, panel, gram[chunk], low * width, chunk == low)


@compiled
def add_target_gram(sample, weight_re, weight_im, target, scratch, tangents, gram):
    """gram += weight_re x x^T + weight_im y y^T with x + i y = <target|T> (lower triangle)."""
    x, y, state = scratch.x, scratch.y, scratch.tangent.state
    n_chunks, width = len(tangents), tangents.shape[3]
    _load(target, sample, state)
    for chunk in range(n_chunks):
        re, im = x[chunk * width : (chunk + 1) * width], y[chunk * width : (chunk + 1) * width]
        for c in range(width):
            re[c], im[c] = 0.0, 0.0
        add_row_sums(tangents[chunk, 0], state[0], 1.0, re)
        add_row_sums(tangents[chunk, 1], state[1], 1.0, re)
        add_row_sums(tangents[chunk, 1], state[0], 1.0, im)
        add_row_sums(tangents[chunk, 0], state[1], -1.0, im)
    for chunk in range(n_chunks):
        for i in range(chunk * width, len(x)):
            for c in range(width):  # beyond the diagonal, too: that part is not read
                j = chunk * width + c
                gram[chunk, i, c] += weight_re * x[i] * x[j] + weight_im * y[i] * y[j]


@compiled
def add_groups(slopes, leaf, turns, columns, groups, scratch, tangents, second, gram):
    """Second-order terms of all samples of a leaf, each times its slope, for a sum of Pauli words."""
    for sample in range(len(slopes)):
        sweep_tangents(sample, slopes[sample], True, leaf, turns, columns, scratch, tangents, second)
        add_groups_gram(sample, slopes[sample], leaf.diagonals, len(leaf.states), groups, scratch, tangents, gram)


@compiled
def add_target(slopes, leaf, turns, columns, target, target_weights, scratch, tangents, second, gram):
    """Second-order terms of all samples of a leaf, each times its slope, for a projector."""
    for sample in range(len(slopes)):
        slope = slopes[sample]
        sweep_tangents(sample, slope, True, leaf, turns, columns, scratch, tangents, second)
        w_re, w_im = slope * target_weights[0, sample], slope * target_weights[1, sample]
        add_target_gram(sample, w_re, w_im, target, scratch, tangents, gram)


@compiled
def add_outer_products(jacobian, weights, gram):
    """gram += sum_s weights[s] J_s J_s^T (lower triangle)."""
    width = gram.shape[2]
    n = jacobian.shape[1]
    for s in range(len(jacobian)):
        for chunk in range(len(gram)):
            first = chunk * width
            for i in range(first, n):
                x = weights[s] * jacobian[s, i]
                for c in range(min(width, n - first)):
                    gram[chunk, i, c] += x * jacobian[s, first + c]


@compiled
def assemble(gram, gram_factor, second, second_factor, outer, out):
    """out (P, P) = gram_factor gram + second_factor (second + second^T) + outer, symmetric to the last bit.

    All three are stored in chunks of columns; of gram and outer only the lower triangle is read.
    """
    width = gram.shape[2]
    for i in range(len(out)):
        for j in range(i + 1):
            lower, upper = second[j // width, i, j % width], second[i // width, j, i % width]
            value = gram_factor * gram[j // width, i, j % width] + outer[j // width, i, j % width]
            out[i, j] = value + second_factor * (lower + upper)
            out[j, i] = out[i, j]
