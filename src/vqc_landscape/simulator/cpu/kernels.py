"""Compiled building blocks: every gate is one short loop over many contiguous columns.

A qubit is a pair of masks (x, r): X takes basis state z to z ^ x, and Z reads the parity of z & r. CNOT and
SWAP only change these masks, so they cost nothing.

All states are stored as ``[plane, amplitude, column]`` with planes (real, imaginary). A column is a
sample (each with its own angles) or a tangent (all with the same angles). Rules that let LLVM vectorise:
the innermost loop runs over contiguous columns with a run-time length; arrays are indexed in full;
the loads of one column come before its stores; scalars are read into names before the loop.
"""

from __future__ import annotations

import numpy as np

from vqc_landscape.simulator.cpu.jit import kernel


@kernel(inline="always")
def low_index(i, bit):
    """The i-th index whose ``bit`` (a power of two) is 0."""
    return ((i & ~(bit - 1)) << 1) | (i & (bit - 1))


@kernel(inline="always")
def parity_sign(z, mask):
    """+1 or -1: (-1) to the number of ones in z & mask."""
    bits = z & mask
    bits ^= bits >> 16
    bits ^= bits >> 8
    bits ^= bits >> 4
    bits ^= bits >> 2
    bits ^= bits >> 1
    return 1.0 - 2.0 * (bits & 1)


# --- samples as columns: each has its own angles ------------------------------------------------------


@kernel
def fill_table(phases, table):
    """table[:, y, s] = table[:, 0, s] prod_j phases[j, s]**bit_j(y), bit 0 the most significant one."""
    size = 1
    for wire in range(len(phases) - 1, -1, -1):
        for y in range(size):
            for s in range(table.shape[2]):
                re, im, phase = table[0, y, s], table[1, y, s], phases[wire, s]
                table[0, size + y, s] = re * phase.real - im * phase.imag
                table[1, size + y, s] = re * phase.imag + im * phase.real
        size *= 2


@kernel(inline="always")
def multiply_tables(high, low, n_low, order, signs, first, stop, out):
    """out[:, z, s] = signs[z] high[:, i, s] low[:, j, s], j the last ``n_low`` bits of order[z], i the others."""
    for z in range(first, stop):
        i, j, sign = order[z] >> n_low, order[z] & ((1 << n_low) - 1), signs[z]
        for s in range(out.shape[2]):
            h_re, h_im, l_re, l_im = sign * high[0, i, s], sign * high[1, i, s], low[0, j, s], low[1, j, s]
            out[0, z, s], out[1, z, s] = h_re * l_re - h_im * l_im, h_re * l_im + h_im * l_re


@kernel(inline="always")
def multiply_phase(diagonal, mask, phase, first, stop):
    """diagonal[:, z, s] *= phase[s] where z & mask has odd parity."""
    for z in range(first, stop):
        if parity_sign(z, mask) < 0:
            for s in range(diagonal.shape[2]):
                re, im, p = diagonal[0, z, s], diagonal[1, z, s], phase[s]
                diagonal[0, z, s], diagonal[1, z, s] = re * p.real - im * p.imag, re * p.imag + im * p.real


@kernel(inline="always")
def multiply_diagonal(source, diagonal, direction, out):
    """out = source * diagonal (direction 1) or source * conj(diagonal) (direction -1)."""
    for z in range(source.shape[1]):
        for s in range(source.shape[2]):
            re, im = source[0, z, s], source[1, z, s]
            d_re, d_im = diagonal[0, z, s], direction * diagonal[1, z, s]
            out[0, z, s], out[1, z, s] = re * d_re - im * d_im, re * d_im + im * d_re


@kernel
def apply_ry_samples(state, x, r, tans, direction):
    """RY without its cosine, (1, -t; t, 1), on the qubit (x, r), t = direction * tans[s]."""
    pivot = x & -x
    for i in range(state.shape[1] // 2):
        z = low_index(i, pivot)
        w = z ^ x
        signed = direction * parity_sign(z, r)  # z is the |1> of the pair: it rotates the other way
        for plane in range(2):
            for s in range(state.shape[2]):
                a, b, t = state[plane, z, s], state[plane, w, s], signed * tans[s]
                state[plane, z, s], state[plane, w, s] = a - t * b, b + t * a


@kernel
def overlaps(left, right, x, r, out):
    """out[0:3, s] = Re <left| -i/2 sigma |right> for sigma = X, Y, Z of a qubit; x = 0: [2, s] for a word of Z's.

    With d = conj(left_z) right_z': Re(-i/2 d) = Im(d)/2, and Re(-i/2 (-i) d) = -Re(d)/2.
    """
    for a in range(3):
        for s in range(left.shape[2]):
            out[a, s] = 0.0
    if x == 0:
        for z in range(left.shape[1]):
            sign = 0.5 * parity_sign(z, r)
            for s in range(left.shape[2]):
                l_re, l_im, r_re, r_im = left[0, z, s], left[1, z, s], right[0, z, s], right[1, z, s]
                out[2, s] += sign * (l_re * r_im - l_im * r_re)
        return
    pivot = x & -x
    for i in range(left.shape[1] // 2):
        z = low_index(i, pivot)
        w = z ^ x
        sign = 0.5 * parity_sign(z, r)
        for s in range(left.shape[2]):
            a_re, a_im, b_re, b_im = left[0, z, s], left[1, z, s], left[0, w, s], left[1, w, s]
            c_re, c_im, d_re, d_im = right[0, z, s], right[1, z, s], right[0, w, s], right[1, w, s]
            out[0, s] += 0.5 * (a_re * d_im - a_im * d_re + b_re * c_im - b_im * c_re)
            out[1, s] += sign * (b_re * c_re + b_im * c_im - a_re * d_re - a_im * d_im)
            out[2, s] += sign * (a_re * c_im - a_im * c_re - b_re * d_im + b_im * d_re)


# --- tangents as columns: all have the angles of one sample -------------------------------------------


RY_AT_ONCE = (
    8  # qubits that rotate together: 2**8 rows of 136 columns are half a megabyte, so they stay in the L2 cache
)


@kernel
def propagate(block, diagonal, x, r, tans, direction, n):
    """block <- (product of RY rotations) diagonal block, first n columns; direction -1: the adjoint of that.

    Some rotations are taken together. The rows that they mix are the cosets of the span of their masks x; a coset is
    loaded once for all of them.
    """
    n_ry, size = len(x), block.shape[1]
    if n_ry == 0:
        for z in range(size):
            scale_row(block, z, diagonal[0, z], direction * diagonal[1, z], n)
        return
    pivots = np.empty(RY_AT_ONCE, np.int64)
    offsets = np.zeros(1 << RY_AT_ONCE, np.int64)
    t = np.empty(RY_AT_ONCE)
    for first in range(0, n_ry, RY_AT_ONCE):
        k = min(RY_AT_ONCE, n_ry - first)
        scales = first == 0 if direction > 0 else first + k == n_ry
        echelon_pivots(x[first : first + k], pivots)
        for j in range(1, 1 << k):
            low = j & -j
            bit = 0
            while low >> bit > 1:
                bit += 1
            offsets[j] = offsets[j ^ low] ^ x[first + bit]
        for i in range(size >> k):
            z0 = i
            for q in range(k):  # pivots ascend: the member of the coset that has all of them 0
                z0 = low_index(z0, pivots[q])
            for q in range(k):
                t[q] = direction * tans[first + q] * parity_sign(z0, r[first + q])
            scaled = scales and direction > 0
            if scaled and k > 1:
                scale_and_apply_ry_two(block, diagonal, z0, offsets, k, t[0], t[1], n)
            elif scaled:
                for j in range(2):
                    z = z0 ^ offsets[j]
                    scale_row(block, z, diagonal[0, z], diagonal[1, z], n)
            for q in range(2 if scaled else 0, k - 1, 2):
                apply_ry_two(block, z0, offsets, k, q, t[q], t[q + 1], n)
            if k % 2:
                apply_ry_one(block, z0, offsets, k, t[k - 1], n)
            if scales and direction < 0:
                for j in range(1 << k):
                    z = z0 ^ offsets[j]
                    scale_row(block, z, diagonal[0, z], -diagonal[1, z], n)


@kernel(inline="always")
def echelon_pivots(x, pivots):
    """One bit for each mask, ascending, such that every coset of their span has one member with all of them 0.

    The elimination of ``circuits.gf2`` works on Python's whole numbers of any length, which compiled code has not.
    """
    k = len(x)
    rows = x.copy()
    for i in range(k):
        for j in range(i):
            if rows[i] & (rows[j] & -rows[j]):
                rows[i] ^= rows[j]
        pivots[i] = rows[i] & -rows[i]
    for i in range(1, k):
        for j in range(i, 0, -1):
            if pivots[j] < pivots[j - 1]:
                pivots[j], pivots[j - 1] = pivots[j - 1], pivots[j]


@kernel(inline="always")
def scale_row(block, z, re, im, n):
    """Row z times re + i im."""
    for c in range(n):
        a, b = block[0, z, c], block[1, z, c]
        block[0, z, c], block[1, z, c] = a * re - b * im, a * im + b * re


@kernel(inline="always")
def apply_ry_one(block, z0, offsets, k, t, n):
    """(1, -t; t, 1) on the last qubit of a coset."""
    half = 1 << (k - 1)
    for plane in range(2):
        for i in range(half):
            z, w = z0 ^ offsets[i], z0 ^ offsets[i + half]
            for c in range(n):
                a, b = block[plane, z, c], block[plane, w, c]
                block[plane, z, c], block[plane, w, c] = a - t * b, b + t * a


@kernel
def apply_ry_two(block, z0, offsets, k, q, t0, t1, n):
    """RY rotations of the qubits q and q + 1 of a coset at once: half the memory traffic."""
    bit0, bit1 = 1 << q, 1 << (q + 1)
    for plane in range(2):
        for i in range(1 << (k - 2)):
            j = low_index(low_index(i, bit0), bit1)
            z00, z10 = z0 ^ offsets[j], z0 ^ offsets[j + bit0]
            z01, z11 = z0 ^ offsets[j + bit1], z0 ^ offsets[j + bit0 + bit1]
            for c in range(n):
                a00, a01 = block[plane, z00, c], block[plane, z01, c]
                a10, a11 = block[plane, z10, c], block[plane, z11, c]
                b00, b10 = a00 - t0 * a10, a10 + t0 * a00
                b01, b11 = a01 - t0 * a11, a11 + t0 * a01
                block[plane, z00, c], block[plane, z01, c] = b00 - t1 * b01, b01 + t1 * b00
                block[plane, z10, c], block[plane, z11, c] = b10 - t1 * b11, b11 + t1 * b10


@kernel(distinct=True)
def add_generators(state, x, r, axes, slots, fresh, flipped, signs, out):
    """out[:, slots[e]] += -i (axes[e] . sigma) state on the site (x, r); ``fresh[e]``: nothing was there.

    x = 0 for a word of Z's, with axis Z. A slot of ``out`` is one contiguous state, so that all loops run over
    amplitudes: X and Y read them from ``flipped``.
    """
    size, step = state.shape[1], 1
    signs[0] = 1.0
    while step < size:
        factor = -1.0 if r & step else 1.0
        for z in range(step):
            signs[step + z] = factor * signs[z]
        step *= 2
    for plane in range(2):
        for z in range(size):
            flipped[plane, z] = state[plane, z ^ x]
    for e in range(len(slots)):
        slot, n_x, n_y, n_z = slots[e], axes[e, 0], axes[e, 1], axes[e, 2]
        if fresh[e]:
            for plane in range(2):
                for z in range(size):
                    out[plane, slot, z] = 0.0
        for z in range(size):
            sign, re, im, x_re, x_im = signs[z], state[0, z], state[1, z], flipped[0, z], flipped[1, z]
            out[0, slot, z] += n_x * x_im + sign * (n_z * im - n_y * x_re)
            out[1, slot, z] -= n_x * x_re + sign * (n_z * re + n_y * x_im)


@kernel(distinct=True)
def insert(new, columns, n_filled, first_z, stop_z, tangents):
    """tangents[:, columns] += 2 new over some amplitudes; columns from ``n_filled`` on are written."""
    width, slot, n_slots = tangents.shape[3], 0, len(columns)
    while slot < n_slots:
        chunk, c = columns[slot] // width, columns[slot] % width
        run = 1  # consecutive columns go together: they are one contiguous row per amplitude
        while slot + run < n_slots and c + run < width and columns[slot + run] == columns[slot] + run:
            if (columns[slot + run] < n_filled) != (columns[slot] < n_filled):
                break
            run += 1
        block, whole = tangents[chunk], first_z + (stop_z - first_z) // 8 * 8
        if columns[slot] < n_filled:
            for plane in range(2):
                for z in range(first_z, stop_z):
                    for k in range(run):
                        block[plane, z, c + k] += 2.0 * new[plane, slot + k, z]
        else:
            for plane in range(2):
                for z0 in range(first_z, whole, 8):  # eight amplitudes are a cache line of each slot
                    for k in range(run):
                        for z in range(z0, z0 + 8):
                            block[plane, z, c + k] = 2.0 * new[plane, slot + k, z]
                for z in range(whole, stop_z):
                    for k in range(run):
                        block[plane, z, c + k] = 2.0 * new[plane, slot + k, z]
        slot += run


@kernel
def scale_and_apply_ry_two(block, diagonal, z0, offsets, k, t0, t1, n):
    """Every row times its phase; then RY rotations of the first two qubits of a coset: one memory traffic for both."""
    for j in range(0, 1 << k, 4):
        z00, z10, z01, z11 = z0 ^ offsets[j], z0 ^ offsets[j + 1], z0 ^ offsets[j + 2], z0 ^ offsets[j + 3]
        re00, re10, re01, re11 = diagonal[0, z00], diagonal[0, z10], diagonal[0, z01], diagonal[0, z11]
        im00, im10, im01, im11 = diagonal[1, z00], diagonal[1, z10], diagonal[1, z01], diagonal[1, z11]
        for c in range(n):
            x00, y00, x01, y01 = block[0, z00, c], block[1, z00, c], block[0, z01, c], block[1, z01, c]
            x10, y10, x11, y11 = block[0, z10, c], block[1, z10, c], block[0, z11, c], block[1, z11, c]
            a00, a01 = x00 * re00 - y00 * im00, x01 * re01 - y01 * im01
            a10, a11 = x10 * re10 - y10 * im10, x11 * re11 - y11 * im11
            b00, b10, b01, b11 = a00 - t0 * a10, a10 + t0 * a00, a01 - t0 * a11, a11 + t0 * a01
            block[0, z00, c], block[0, z01, c] = b00 - t1 * b01, b01 + t1 * b00
            block[0, z10, c], block[0, z11, c] = b10 - t1 * b11, b11 + t1 * b10
            a00, a01 = x00 * im00 + y00 * re00, x01 * im01 + y01 * re01
            a10, a11 = x10 * im10 + y10 * re10, x11 * im11 + y11 * re11
            b00, b10, b01, b11 = a00 - t0 * a10, a10 + t0 * a00, a01 - t0 * a11, a11 + t0 * a01
            block[1, z00, c], block[1, z01, c] = b00 - t1 * b01, b01 + t1 * b00
            block[1, z10, c], block[1, z11, c] = b10 - t1 * b11, b11 + t1 * b10


@kernel(inline="always")
def compress_euler(work, smallest, tans, cosines, alphas, gammas, phases):
    """U = (a, -b*; b, a*) = phase diag(1, alpha) cos (1, -t; t, 1) diag(1, gamma), for many U at once.

    work: Re a, Im a, Re b, Im b, shape (4, n); the results have shape (n,), and ``phases`` is multiplied by each phase.
    Real numbers without a branch, so that the loop vectorises.
    """
    for s in range(len(phases)):
        a_re, a_im, b_re, b_im = work[0, s], work[1, s], work[2, s], work[3, s]
        cos, sin = np.sqrt(a_re * a_re + a_im * a_im), np.sqrt(b_re * b_re + b_im * b_im)
        u, v = 1.0 / max(cos, smallest), 1.0 / max(sin, smallest)
        w = a_re * u if cos > smallest else 1.0
        x = a_im * u if cos > smallest else 0.0
        y = b_re * v if sin > smallest else 1.0
        z = b_im * v if sin > smallest else 0.0
        tans[s], cosines[s] = sin * u, max(cos, smallest)
        alphas[s] = complex(y * w + z * x, z * w - y * x)
        gammas[s] = complex(w * y - x * z, -(w * z + x * y))
        phases[s] *= complex(w, x)


@kernel(inline="always")
def triple_product(n_k, n_i, overlap):
    """(n_i x n_k) . overlap: the commutator of two generators on one site, k before i."""
    return (
        (n_i[1] * n_k[2] - n_i[2] * n_k[1]) * overlap[0]
        + (n_i[2] * n_k[0] - n_i[0] * n_k[2]) * overlap[1]
        + (n_i[0] * n_k[1] - n_i[1] * n_k[0]) * overlap[2]
    )


@kernel
def apply_unitaries(unitaries, b, direction, block, n):
    """The unitaries of one block on the first n columns; direction -1: their adjoints."""
    starts = unitaries.starts
    for k in range(starts[b], starts[b + 1]):
        n_wires = 0
        while n_wires < unitaries.masks.shape[2] and unitaries.masks[k, 0, n_wires]:
            n_wires += 1
        masks, matrix = unitaries.masks[k, :, :n_wires], unitaries.matrices[k]
        apply_matrix(block, masks[0], masks[1], matrix[0], matrix[1], direction, n)


@kernel
def apply_matrix(block, x, r, re, im, direction, n):
    """block <- (re + i im) block on some qubits, first n columns; direction -1: the adjoint.

    The rows that the matrix mixes are the cosets of the span of the masks x.
    """
    k, size = len(x), 1 << len(x)
    pivots, offsets = np.empty(k, np.int64), np.zeros(size, np.int64)
    echelon_pivots(x, pivots)
    for q in range(k):
        for j in range(size):
            if j >> (k - 1 - q) & 1:
                offsets[j] ^= x[q]
    work = np.empty((2, size, n))
    for i in range(block.shape[1] >> k):
        z0, bits = i, 0
        for q in range(k):
            z0 = low_index(z0, pivots[q])
        for q in range(k):
            bits = 2 * bits + (parity_sign(z0, r[q]) < 0)
        for j in range(size):
            z = z0 ^ offsets[j ^ bits]
            for plane in range(2):
                for c in range(n):
                    work[plane, j, c], block[plane, z, c] = block[plane, z, c], 0.0
        for j in range(size):
            z = z0 ^ offsets[j ^ bits]
            for m in range(size):
                a, b = (re[j, m], im[j, m]) if direction > 0 else (re[m, j], -im[m, j])
                if a != 0.0 or b != 0.0:
                    for c in range(n):
                        u, v = work[0, m, c], work[1, m, c]
                        block[0, z, c] += a * u - b * v
                        block[1, z, c] += a * v + b * u
