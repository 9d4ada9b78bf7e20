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

from vqc_landscape.simulator.cpu.jit import compiled
from vqc_landscape.simulator.cpu.kernels import add_generators, apply_unitaries, insert, propagate
from vqc_landscape.simulator.cpu.matmul import add_gram, add_row_sums, multiply, multiply_slots


@compiled
def add_samples(
    slopes, with_second, samples, turns, columns, groups, targets, target_weights, scratch, tangents, second, gram
):
    """Second-order terms of all samples of a leaf, each times its slope.

    The observable is the sum over the groups, plus the projectors onto ``targets`` (n_samples or 0, 2, 2**n).
    tangents (n_chunks, 2, 2**n, width) is overwritten; second and gram (n_chunks, n_rows, width) are added to.
    """
    n_blocks = samples.states.shape[1]
    for sample in range(len(slopes)):
        slope = slopes[sample]
        n_active, step = np.int64(0), np.int64(0)  # literal zeros would have the callees compiled twice
        for b in range(n_blocks):
            for chunk in range(n_chunks(n_active, tangents)):
                propagate_chunk(b, sample, chunk, n_active, samples, turns, tangents)
            while step < len(columns.step_block) and columns.step_block[step] == b:
                before, n_active = n_active, columns.step_columns[step]
                # one half, because the inner products of a step are counted twice
                fill_generators(step, sample, 0.5, samples.states, samples, turns, columns, scratch.tangent)
                if columns.step_plain[step]:
                    insert_slots(step, before, 0, samples.states.shape[3], columns, scratch, tangents)
                if with_second:
                    # G+ = -G
                    fill_generators(step, sample, -slope, samples.adjoints, samples, turns, columns, scratch.cotangent)
                    n_seen = n_active if columns.step_plain[step] else before
                    for chunk in range(n_chunks(n_seen, tangents)):
                        collect_cross(step, chunk, n_seen, turns, columns, scratch, tangents, second)
                if not columns.step_plain[step]:
                    if with_second:
                        collect_inner(step, sample, slope, samples, columns, scratch, second)
                    insert_slots(step, before, 0, samples.states.shape[3], columns, scratch, tangents)
                step += 1
        for group in range(len(groups.weights)):
            load_weights(group, sample, slope, groups, scratch)
            for chunk in range(len(tangents)):
                change_basis(group, sample, 1.0, samples, groups, tangents[chunk])
            for low in range(len(tangents)):
                for chunk in range(low + 1):
                    add_gram_tile(group, low, chunk, groups, scratch, tangents, gram)
            if group + 1 < len(groups.weights):
                for chunk in range(len(tangents)):
                    change_basis(group, sample, -1.0, samples, groups, tangents[chunk])
        if len(targets):
            weight_re, weight_im = slope * target_weights[0, sample], slope * target_weights[1, sample]
            add_target_gram(weight_re, weight_im, targets[sample], scratch.x, scratch.y, tangents, gram)


# The pieces of a sample. They become part of ``add_samples``, and are compiled by themselves only where Python calls
# them (wide.py).


@compiled(inline="always")
def n_chunks(n_active, tangents):
    """Chunks that hold the first n_active columns."""
    return (n_active + tangents.shape[3] - 1) // tangents.shape[3]


@compiled(inline="always")
def padded(n, width):
    """Columns up to the end of a vector of 8: what lies beyond n is finite and never read."""
    return min((n + 7) // 8 * 8, width)


@compiled(inline="always")
def propagate_chunk(b, sample, chunk, n_active, samples, turns, tangents):
    """Carry the active columns of a chunk through block b."""
    start, stop = turns.blocks[b], turns.blocks[b + 1]
    tans = samples.tans[sample, start:stop]
    n = padded(n_active - chunk * tangents.shape[3], tangents.shape[3])
    propagate(tangents[chunk], samples.diagonals[sample, b], turns.x[start:stop], turns.r[start:stop], tans, 1.0, n)
    apply_unitaries(turns.unitaries, b, 1.0, tangents[chunk], n)


@compiled(inline="always")
def fill_generators(step, sample, factor, states, samples, turns, columns, work):
    """work.slots[:, slot] = factor sum c G state over the entries of each slot."""
    # names before the loops: every access to a field counts references, with instructions that all threads wait for
    state, axes, coefficients = states[sample, columns.step_block[step]], samples.axes, samples.coefficients
    generator, term, rotation = columns.entry_generator, columns.entry_term, columns.generator_rotation
    site_of, starts, slot, fresh = columns.group_site, columns.group_entries, columns.entry_slot, columns.entry_first
    x, r, scaled, flipped, signs, slots = turns.site_x, turns.site_r, work.axes, work.flipped, work.signs, work.slots
    for group in range(columns.step_groups[step], columns.step_groups[step + 1]):
        site, first, stop = site_of[group], starts[group], starts[group + 1]
        for entry in range(first, stop):
            axis, half = rotation[generator[entry]], 0.5 * factor * coefficients[sample, term[entry]]
            for a in range(3):
                scaled[entry - first, a] = half * axes[axis, sample, a]
        add_generators(state, x[site], r[site], scaled, slot[first:stop], fresh[first:stop], flipped, signs, slots)


@compiled(inline="always")
def insert_slots(step, n_active, first_z, stop_z, columns, scratch, tangents):
    """Add the tangents of a step to their columns, for some of the amplitudes."""
    slots = columns.slot_column[columns.step_slots[step] : columns.step_slots[step + 1]]
    insert(scratch.tangent.slots, slots, n_active, first_z, stop_z, tangents)


@compiled(inline="always")
def collect_cross(step, chunk, n_active, turns, columns, scratch, tangents, second):
    """second[slots] += cotangents . tangents of a chunk; in a plain step up to each slot's own column, half of that."""
    slots = columns.slot_column[columns.step_slots[step] : columns.step_slots[step + 1]]
    width, products = tangents.shape[3], scratch.products[chunk]
    n = min(n_active - chunk * width, width)
    reach = slots[0] - chunk * width if columns.step_plain[step] else width
    n_rows = (len(slots) + 3) // 4 * 4
    multiply(scratch.cotangent.slots, n_rows, tangents[chunk], turns.rows, reach, products, padded(n, width))
    for slot in range(len(slots)):
        own = slots[slot] - chunk * width if columns.step_plain[step] else width
        for c in range(min(n, own)):
            second[chunk, slots[slot], c] += products[slot, c]
        if 0 <= own < n:
            second[chunk, slots[slot], own] += 0.5 * products[slot, own]


@compiled(inline="always")
def collect_inner(step, sample, weight, samples, columns, scratch, second):
    """second[slots] += cotangents . tangents of one step, with the order of time on each site."""
    slots = columns.slot_column[columns.step_slots[step] : columns.step_slots[step + 1]]
    width, n_slots = second.shape[2], len(slots)
    inner = scratch.inner[:n_slots]
    multiply_slots(scratch.cotangent.slots, scratch.tangent.slots, samples.states.shape[3], inner)
    for p in range(columns.step_pairs[step], columns.step_pairs[step + 1]):
        slot_k, slot_i, k, i = columns.pairs[p, 0], columns.pairs[p, 1], columns.pairs[p, 2], columns.pairs[p, 3]
        inner[slot_k, slot_i] += 0.5 * weight * commutator(k, i, sample, samples, columns)
    for slot in range(n_slots):
        for other in range(n_slots):
            column = slots[other]
            second[column // width, slots[slot], column % width] += inner[slot, other]


@compiled(inline="always")
def commutator(k, i, sample, samples, columns):
    """c_k c_i (n_i x n_k) . o of two entries on one site, k before i."""
    g_k, g_i = columns.entry_generator[k], columns.entry_generator[i]
    n_k = samples.axes[columns.generator_rotation[g_k], sample]
    n_i = samples.axes[columns.generator_rotation[g_i], sample]
    o = samples.overlaps[columns.generator_site[g_k], :, sample]
    triple = (
        (n_i[1] * n_k[2] - n_i[2] * n_k[1]) * o[0]
        + (n_i[2] * n_k[0] - n_i[0] * n_k[2]) * o[1]
        + (n_i[0] * n_k[1] - n_i[1] * n_k[0]) * o[2]
    )
    c_k = samples.coefficients[sample, columns.entry_term[k]]
    return c_k * samples.coefficients[sample, columns.entry_term[i]] * triple


@compiled(inline="always")
def load_weights(group, sample, weight, groups, scratch):
    """The eigenvalues of a measured group, times the weight of a sample."""
    own = sample if groups.weights.shape[2] > 1 else 0
    for k in range(groups.row_starts[group], groups.row_starts[group + 1]):
        scratch.weights[k - groups.row_starts[group]] = weight * groups.weights[group, groups.rows[k], own]


@compiled(inline="always")
def change_basis(group, sample, direction, samples, groups, block):
    """Take the tangents of a chunk to the basis of a measured group, or back."""
    first, stop = groups.turns[group], groups.turns[group + 1]
    if groups.tails[group] >= 0:
        diagonal = samples.diagonals[sample, samples.states.shape[1] + groups.tails[group]]
        x, r, tans = groups.x[first:stop], groups.r[first:stop], groups.tans[first:stop]
        if direction < 0:
            apply_unitaries(groups.unitaries, group, -1.0, block, block.shape[2])
        propagate(block, diagonal, x, r, tans, direction, block.shape[2])
        if direction > 0:
            apply_unitaries(groups.unitaries, group, 1.0, block, block.shape[2])


@compiled(inline="always")
def add_gram_tile(group, low, chunk, groups, scratch, tangents, gram):
    """gram[chunk, low] += weights times the products of two chunks of columns (real part, lower triangle)."""
    width, rows = tangents.shape[3], groups.rows[groups.row_starts[group] : groups.row_starts[group + 1]]
    add_gram(tangents[low], tangents[chunk], scratch.weights, rows, gram[chunk], low * width, chunk == low)


@compiled
def add_target_gram(weight_re, weight_im, target, x, y, tangents, gram):
    """gram += weight_re x x^T + weight_im y y^T with x + i y = <target|T> (lower triangle)."""
    width = tangents.shape[3]
    for chunk in range(len(tangents)):
        re, im = x[chunk * width : (chunk + 1) * width], y[chunk * width : (chunk + 1) * width]
        for c in range(width):
            re[c], im[c] = 0.0, 0.0
        add_row_sums(tangents[chunk, 0], target[0], 1.0, re)
        add_row_sums(tangents[chunk, 1], target[1], 1.0, re)
        add_row_sums(tangents[chunk, 1], target[0], 1.0, im)
        add_row_sums(tangents[chunk, 0], target[1], -1.0, im)
    for chunk in range(len(tangents)):
        for i in range(chunk * width, len(x)):
            for c in range(width):  # beyond the diagonal, too: that part is not read
                j = chunk * width + c
                gram[chunk, i, c] += weight_re * x[i] * x[j] + weight_im * y[i] * y[j]


@compiled
def by_sample(source, out):
    """out[s] = source[..., s]: from samples side by side to one after the other."""
    for b in range(source.shape[0]):
        for plane in range(2):
            for z0 in range(0, source.shape[2], 8):  # in tiles that stay in the L1 cache
                for s in range(source.shape[3]):
                    for z in range(z0, min(z0 + 8, source.shape[2])):
                        out[s, b, plane, z] = source[b, plane, z, s]


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
