r"""Second derivatives of one sample by tangent propagation.

With the tangents :math:`T_i = \partial_i \psi`, the adjoint state :math:`\lambda_b` (the observable times
the final state, pulled back to block b) and the generators :math:`G_i` at the evaluation points,

.. math::
    \tfrac12 \partial_i \partial_j f = \mathrm{Re} \langle T_i | O | T_j \rangle
        + \mathrm{Re} \langle \lambda_b | G_i T_j^{(b)} \rangle, \qquad j \text{ before } i \text{ in block } b .

(for an exact observable; other strategies have other factors). Both terms are matrix products over amplitudes; the
loss gradient of the sample is in their left factors, so that samples add up in one matrix each. The second one is
collected unsymmetrised, ``second``, and counted as ``second + second.T``; generators of one step enter with one half:

.. math:: \mathrm{Re}\langle\lambda| G_p G_q |\psi\rangle + \sum_{k < i} c_k c_i (n_i \times n_k) \cdot o,

where the sum is over non-commuting pairs on one site, k before i, :math:`[-\tfrac i2 a\sigma, -\tfrac i2 b\sigma]
= -\tfrac i2 (a \times b)\sigma`, and :math:`o_a = \mathrm{Re}\langle\lambda|{-\tfrac i2}\sigma_a|\psi\rangle`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vqc_landscape.simulator.compile.columns import Columns
from vqc_landscape.simulator.compile.schedule import Ints
from vqc_landscape.simulator.cpu.jit import kernel
from vqc_landscape.simulator.cpu.kernels import add_generators, apply_unitaries, insert, propagate, triple_product
from vqc_landscape.simulator.cpu.matmul import add_gram, add_row_sums, multiply, multiply_slots

# Kinds of operations.
PROPAGATE, GENERATE, COLLECT, COLLECT_INNER, INSERT, JACOBIAN, WEIGH, OUTER, TARGET, WEIGHTS, BASIS, GRAM = range(12)


class Operations(NamedTuple):
    """What happens to the tangents of a sample, in the order of time; every one in pieces that may run at once.

    Attributes:
        kind: see above.
        number: its block, step, or commuting set.
        n_columns: active columns.
        direction: of a basis change.
        n_pieces: chunks of columns, pairs of them, or slices of the amplitudes; of GENERATE tangents and cotangents.
    """

    kind: Ints
    number: Ints
    n_columns: Ints
    direction: Ints
    n_pieces: Ints


def make_operations(
    columns: Columns,
    n_blocks: int,
    n_sets: int,
    width: int,
    n_slices: int,
    *,
    has_target: bool,
    with_second: bool,
    with_outer: bool,
) -> Operations:
    """The operations of a sample.

    Args:
        columns: of the circuit.
        n_blocks: blocks of the circuit.
        n_sets: commuting sets of the observable.
        width: columns of a chunk.
        n_slices: slices of the amplitudes.
        has_target: whether a projector onto a target is measured (too).
        with_second: whether there is more than ``<T_i|O|T_j>``.
        with_outer: whether the loss is curved in the outputs.
    """
    found: list[tuple[int, int, int, int, int]] = []
    n_all = max(-(-len(columns.params) // width), 1)
    before = step = 0
    for block in range(n_blocks):
        found.append((PROPAGATE, block, before, 1, -(-before // width)))
        while step < len(columns.step_block) and columns.step_block[step] == block:
            plain, after = columns.step_plain[step], int(columns.step_columns[step])
            insertion = (INSERT, step, before, 1, n_slices)
            found.append((GENERATE, step, after, 1, 1 + with_second))
            if plain:  # new columns alone: what the cotangents see of them is their own step's half
                found.append(insertion)
            if with_second:
                seen = after if plain else before
                found.append((COLLECT, step, seen, 1, -(-seen // width)))
            if not plain:
                if with_second:
                    found.append((COLLECT_INNER, step, after, 1, 1))
                found.append(insertion)
            before, step = after, step + 1
    if with_outer:
        found += [(JACOBIAN, 0, before, 1, n_all), (WEIGH, 0, before, 1, 1), (OUTER, 0, before, 1, n_all)]
    if has_target:
        found.append((TARGET, 0, before, 1, 1))
    for g in range(n_sets):
        found += [(WEIGHTS, g, before, 1, 1), (BASIS, g, before, 1, n_all)]
        found.append((GRAM, g, before, 1, n_all * (n_all + 1) // 2))
        if g + 1 < n_sets:
            found.append((BASIS, g, before, -1, n_all))
    return Operations(*np.array(found, dtype=np.int64).T.copy())


@kernel
def add_samples(
    operations, only, first_sample, stop_sample, factors, gradient_factor, curvature, samples, schedule, columns, sets,
    target, work,
):  # fmt: skip
    """Second-order terms of some samples of a batch; of every operation all pieces, or (from 0 on) piece ``only``.

    The observable is the sum over the commuting sets, plus the projectors onto ``target.states``, each times the
    sample's factor. Tangents (n_chunks, 2, 2**n, width) are overwritten; second, gram and outer
    (n_chunks, n_rows, width) are added to.

    factors (n_samples,) are the loss gradients, or 1 where these are in the weights; adjoints have them already.
    curvature: (n_samples, n_outputs, n_outputs).
    """
    # Names before the loops: every access to a field counts references, with instructions that all threads wait for.
    # For the same reason the pieces get only what they need, and are called here and nowhere else.
    kinds, numbers, n_columns, directions, n_pieces = operations
    scratch, tangents, second, gram, outer = work
    states, adjoints, tangent, cotangent = samples.states, samples.adjoints, scratch.tangent, scratch.cotangent
    for sample in range(first_sample, stop_sample):
        for i in range(len(kinds)):
            kind, number, n = kinds[i], numbers[i], n_columns[i]
            for piece in range(n_pieces[i]):
                if 0 <= only != piece:
                    continue
                if kind == PROPAGATE:
                    propagate_chunk(number, sample, piece, n, samples, schedule, tangents)
                elif kind == GENERATE:
                    if piece == 0:  # one half, because the inner products of a step are counted twice
                        fill_generators(number, sample, 0.5, states, samples, schedule, columns, tangent)
                    else:  # G+ = -G
                        fill_generators(number, sample, -1.0, adjoints, samples, schedule, columns, cotangent)
                elif kind == COLLECT:
                    collect_cross(number, piece, n, schedule, columns, scratch, tangents, second)
                elif kind == COLLECT_INNER:
                    collect_inner(number, sample, samples, columns, scratch, second)
                elif kind == INSERT:
                    size = states.shape[3]
                    first, stop = piece * size // n_pieces[i], (piece + 1) * size // n_pieces[i]
                    insert_slots(number, n, first, stop, columns, scratch, tangents)
                elif kind == JACOBIAN:
                    fill_jacobian(piece, gradient_factor, samples.images[sample], scratch, tangents)
                elif kind == WEIGH:
                    weigh_jacobian(curvature[sample], scratch)
                elif kind == OUTER:
                    add_outer_products(piece, n, scratch, outer)
                elif kind == TARGET:
                    re, im = factors[sample] * target.weights[0, sample], factors[sample] * target.weights[1, sample]
                    add_target_gram(re, im, target.states[sample], scratch.x, scratch.y, tangents, gram)
                elif kind == WEIGHTS:
                    load_weights(number, sample, factors[sample], sets, scratch)
                elif kind == BASIS:
                    change_basis(number, sample, float(directions[i]), samples, sets, tangents[piece])
                elif kind == GRAM:
                    low = 0
                    while (low + 1) * (low + 2) // 2 <= piece:
                        low += 1
                    add_gram_tile(number, low, piece - low * (low + 1) // 2, sets, scratch, tangents, gram)


class Target(NamedTuple):
    """Target states before the last diagonal, (n_samples or 0, 2, 2**n), and their Gram weights, (2, n_samples)."""

    states: np.ndarray
    weights: np.ndarray


@kernel(inline="always")
def padded(n, width):
    """Columns up to the end of a vector of 8: what lies beyond n is finite and never read."""
    return min((n + 7) // 8 * 8, width)


@kernel(inline="always")
def propagate_chunk(b, sample, chunk, n_filled, samples, schedule, tangents):
    """Carry the active columns of a chunk through block b."""
    start, stop = schedule.ry_starts[b], schedule.ry_starts[b + 1]
    tans = samples.tans[sample, start:stop]
    n = padded(n_filled - chunk * tangents.shape[3], tangents.shape[3])
    propagate(
        tangents[chunk],
        samples.diagonals[sample, b],
        schedule.ry_x[start:stop],
        schedule.ry_r[start:stop],
        tans,
        1.0,
        n,
    )
    apply_unitaries(schedule.unitaries, b, 1.0, tangents[chunk], n)


@kernel(inline="always")
def fill_generators(step, sample, factor, states, samples, schedule, columns, work):
    """work.slots[:, slot] = factor sum c G state over the entries of each slot."""
    # names before the loops: every access to a field counts references, with instructions that all threads wait for
    state, axes, coefficients = states[sample, columns.step_block[step]], samples.axes, samples.coefficients
    generator, term, rotation = columns.entry_generator, columns.entry_term, columns.generator_rotation
    site_of, starts, slot, fresh = columns.site_number, columns.site_entries, columns.entry_slot, columns.entry_first
    x, r, scaled, flipped, signs, slots = (
        schedule.site_x,
        schedule.site_r,
        work.axes,
        work.flipped,
        work.signs,
        work.slots,
    )
    for i in range(columns.step_sites[step], columns.step_sites[step + 1]):
        site, first, stop = site_of[i], starts[i], starts[i + 1]
        for entry in range(first, stop):
            axis, half = rotation[generator[entry]], 0.5 * factor * coefficients[sample, term[entry]]
            for a in range(3):
                scaled[entry - first, a] = half * axes[axis, sample, a]
        add_generators(state, x[site], r[site], scaled, slot[first:stop], fresh[first:stop], flipped, signs, slots)


@kernel(inline="always")
def insert_slots(step, n_filled, first_z, stop_z, columns, scratch, tangents):
    """Add the tangents of a step to their columns, for some of the amplitudes."""
    slots = columns.slot_column[columns.step_slots[step] : columns.step_slots[step + 1]]
    insert(scratch.tangent.slots, slots, n_filled, first_z, stop_z, tangents)


@kernel(inline="always")
def collect_cross(step, chunk, n_filled, schedule, columns, scratch, tangents, second):
    """second[slots] += cotangents . tangents of a chunk; in a plain step up to each slot's own column, half of that."""
    slots = columns.slot_column[columns.step_slots[step] : columns.step_slots[step + 1]]
    width, products = tangents.shape[3], scratch.products[chunk]
    n = min(n_filled - chunk * width, width)
    reach = slots[0] - chunk * width if columns.step_plain[step] else width
    n_rows = (len(slots) + 3) // 4 * 4
    multiply(scratch.cotangent.slots, n_rows, tangents[chunk], schedule.rows, reach, products, padded(n, width))
    for slot in range(len(slots)):
        own = slots[slot] - chunk * width if columns.step_plain[step] else width
        for c in range(min(n, own)):
            second[chunk, slots[slot], c] += products[slot, c]
        if 0 <= own < n:
            second[chunk, slots[slot], own] += 0.5 * products[slot, own]


@kernel(inline="always")
def collect_inner(step, sample, samples, columns, scratch, second):
    """second[slots] += cotangents . tangents of one step, with the order of time on each site."""
    slots = columns.slot_column[columns.step_slots[step] : columns.step_slots[step + 1]]
    width, n_slots = second.shape[2], len(slots)
    inner = scratch.inner[:n_slots]
    multiply_slots(scratch.cotangent.slots, scratch.tangent.slots, samples.states.shape[3], inner)
    for p in range(columns.step_pairs[step], columns.step_pairs[step + 1]):
        slot_k, slot_i, k, i = columns.pairs[p, 0], columns.pairs[p, 1], columns.pairs[p, 2], columns.pairs[p, 3]
        inner[slot_k, slot_i] += 0.5 * commutator(k, i, sample, samples, columns)
    for slot in range(n_slots):
        for other in range(n_slots):
            column = slots[other]
            second[column // width, slots[slot], column % width] += inner[slot, other]


@kernel(inline="always")
def commutator(k, i, sample, samples, columns):
    """c_k c_i (n_i x n_k) . o of two entries on one site, k before i."""
    g_k, g_i = columns.entry_generator[k], columns.entry_generator[i]
    n_k = samples.axes[columns.generator_rotation[g_k], sample]
    n_i = samples.axes[columns.generator_rotation[g_i], sample]
    o = samples.overlaps[columns.generator_site[g_k], :, sample]
    triple = triple_product(n_k, n_i, o)
    c_k = samples.coefficients[sample, columns.entry_term[k]]
    return c_k * samples.coefficients[sample, columns.entry_term[i]] * triple


@kernel(inline="always")
def load_weights(number, sample, weight, sets, scratch):
    """The eigenvalues of a commuting set, times the factor of a sample."""
    own = sample if sets.weights.shape[2] > 1 else 0
    for k in range(sets.row_starts[number], sets.row_starts[number + 1]):
        scratch.weights[k - sets.row_starts[number]] = weight * sets.weights[number, sets.rows[k], own]


@kernel(inline="always")
def change_basis(number, sample, direction, samples, sets, block):
    """Take the tangents of a chunk to the basis of a commuting set, or back."""
    first, stop = sets.ry_starts[number], sets.ry_starts[number + 1]
    if sets.basis[number] >= 0:
        diagonal = samples.diagonals[sample, samples.states.shape[1] + sets.basis[number]]
        x, r, tans = sets.ry_x[first:stop], sets.ry_r[first:stop], sets.ry_tans[first:stop]
        if direction < 0:
            apply_unitaries(sets.unitaries, number, -1.0, block, block.shape[2])
        propagate(block, diagonal, x, r, tans, direction, block.shape[2])
        if direction > 0:
            apply_unitaries(sets.unitaries, number, 1.0, block, block.shape[2])


@kernel(inline="always")
def add_gram_tile(number, low, chunk, sets, scratch, tangents, gram):
    """gram[chunk, low] += weights times the products of two chunks of columns (real part, lower triangle)."""
    width, rows = tangents.shape[3], sets.rows[sets.row_starts[number] : sets.row_starts[number + 1]]
    add_gram(tangents[low], tangents[chunk], scratch.weights, rows, gram[chunk], low * width, chunk == low)


@kernel(inline="always")
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


@kernel
def by_sample(source, out):
    """out[s] = source[..., s]: from samples side by side to one after the other."""
    for b in range(source.shape[0]):
        for plane in range(2):
            for z0 in range(0, source.shape[2], 8):  # in tiles that stay in the L1 cache
                for s in range(source.shape[3]):
                    for z in range(z0, min(z0 + 8, source.shape[2])):
                        out[s, b, plane, z] = source[b, plane, z, s]


@kernel(inline="always")
def fill_jacobian(chunk, gradient_factor, images, scratch, tangents):
    """Derivatives of the outputs by a chunk of columns: gradient_factor Re <image|T>."""
    width = tangents.shape[3]
    for k in range(len(images)):
        row = scratch.jacobian[k, chunk * width : (chunk + 1) * width]
        for c in range(width):
            row[c] = 0.0
        for plane in range(2):
            add_row_sums(tangents[chunk, plane], images[k, plane], gradient_factor, row)


@kernel(inline="always")
def weigh_jacobian(curvature, scratch):
    """The loss curvature times the derivatives of the outputs."""
    jacobian, weighted = scratch.jacobian, scratch.weighted
    for k in range(len(curvature)):
        for i in range(jacobian.shape[1]):
            total = 0.0
            for other in range(len(curvature)):
                total += curvature[k, other] * jacobian[other, i]
            weighted[k, i] = total


@kernel(inline="always")
def add_outer_products(chunk, n, scratch, outer):
    """outer += J^T (C J) for a chunk of columns (lower triangle)."""
    width = outer.shape[2]
    first = chunk * width
    for k in range(len(scratch.jacobian)):
        for i in range(first, n):
            x = scratch.weighted[k, i]
            for c in range(min(width, n - first)):
                outer[chunk, i, c] += x * scratch.jacobian[k, first + c]


@kernel
def assemble(gram, gram_factor, second, second_factor, outer, order, out):
    """out = gram_factor gram + second_factor (second + second^T) + outer, symmetric to the last bit.

    All three are stored in chunks of columns; of gram and outer only the lower triangle is read. Row and column i of
    ``out`` (r, r) are those of column ``order[i]``.
    """
    width, place = gram.shape[2], np.empty_like(order)
    for i in range(len(order)):
        place[order[i]] = i
    for i in range(len(out)):
        for j in range(i + 1):
            lower, upper = second[j // width, i, j % width], second[i // width, j, i % width]
            value = gram_factor * gram[j // width, i, j % width] + outer[j // width, i, j % width]
            value += second_factor * (lower + upper)
            out[place[i], place[j]] = value
            out[place[j], place[i]] = value
