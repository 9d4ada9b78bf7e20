"""Matrix products over amplitudes, in tiles that stay in registers and in the cache.

Tangents are stored as ``[plane, amplitude, column]``, generators as ``[plane, slot, amplitude]``; the rules of
:mod:`kernels` hold.
"""

from __future__ import annotations

import numpy as np

from vqc_landscape.simulator.cpu.jit import kernel

K_CHUNK = 64  # rows of both factors that stay in the L1/L2 cache while all tiles pass over them
SLOT_CHUNK = 256  # the same for 24 slots: 48 kB, and long enough for a sum in vectors


@kernel(distinct=True)
def add_products(left, k_left, right, rows, k0, k1, out, first, reach, n):
    """out[first + i, :n] += sum_k left[i, k - k_left] right[rows[k], :n] for k0 <= k < k1.

    Row i counts only up to column ``reach + i``. In tiles of 4 x 4 (i, k): ``left`` has a multiple of 4 rows, and
    what lies beyond is finite.
    """
    whole = k0 + (k1 - k0) // 4 * 4
    for i in range(0, left.shape[0], 4):
        o = first + i
        m = min(n, (reach + i + 11) // 8 * 8)  # to the end of a vector
        for k in range(k0, whole, 4):
            j = k - k_left
            x00, x01, x02, x03 = left[i, j], left[i + 1, j], left[i + 2, j], left[i + 3, j]
            x10, x11, x12, x13 = left[i, j + 1], left[i + 1, j + 1], left[i + 2, j + 1], left[i + 3, j + 1]
            x20, x21, x22, x23 = left[i, j + 2], left[i + 1, j + 2], left[i + 2, j + 2], left[i + 3, j + 2]
            x30, x31, x32, x33 = left[i, j + 3], left[i + 1, j + 3], left[i + 2, j + 3], left[i + 3, j + 3]
            z0, z1, z2, z3 = rows[k], rows[k + 1], rows[k + 2], rows[k + 3]
            for c in range(m):
                r0, r1, r2, r3 = right[z0, c], right[z1, c], right[z2, c], right[z3, c]
                out[o, c] += x00 * r0 + x10 * r1 + x20 * r2 + x30 * r3
                out[o + 1, c] += x01 * r0 + x11 * r1 + x21 * r2 + x31 * r3
                out[o + 2, c] += x02 * r0 + x12 * r1 + x22 * r2 + x32 * r3
                out[o + 3, c] += x03 * r0 + x13 * r1 + x23 * r2 + x33 * r3
        for k in range(whole, k1):
            j, z = k - k_left, rows[k]
            x0, x1, x2, x3 = left[i, j], left[i + 1, j], left[i + 2, j], left[i + 3, j]
            for c in range(m):
                r = right[z, c]
                out[o, c] += x0 * r
                out[o + 1, c] += x1 * r
                out[o + 2, c] += x2 * r
                out[o + 3, c] += x3 * r


@kernel(distinct=True)
def multiply(left, n_rows, right, rows, reach, out, n):
    """out[i, :n] = sum over planes and amplitudes of left[i] right[:n]; row i only up to column ``reach + i``."""
    for i in range(n_rows):
        for c in range(n):
            out[i, c] = 0.0
    for plane in range(2):
        for k0 in range(0, len(rows), K_CHUNK):
            k1 = min(k0 + K_CHUNK, len(rows))
            # literal zeros would have it compiled once more
            add_products(left[plane, :n_rows], np.int64(0), right[plane], rows, k0, k1, out, np.int64(0), reach, n)


@kernel(distinct=True)
def multiply_slots(left, right, size, out):
    """out[i, j] = sum over planes and amplitudes of left[i] right[j], all slots stored as states."""
    for i in range(len(out)):
        for j in range(len(out)):
            out[i, j] = 0.0
    for plane in range(2):
        for k0 in range(0, size, SLOT_CHUNK):
            k1 = min(k0 + SLOT_CHUNK, size)
            for i in range(len(out)):
                for j in range(len(out)):
                    total = 0.0
                    for k in range(k0, k1):
                        total += left[plane, i, k] * right[plane, j, k]
                    out[i, j] += total


@kernel(distinct=True)
def add_gram(left, right, weights, rows, out, first, diagonal_block):
    """out[first + i, j] += sum over planes and k of weights[k] left[rows[k], i] right[rows[k], j].

    On the diagonal block only columns j up to the end of the vector of i: the rest is their mirror image.
    """
    width, panel = left.shape[2], np.empty((left.shape[2], K_CHUNK))
    for plane in range(2):
        for k0 in range(0, len(rows), K_CHUNK):
            k1 = min(k0 + K_CHUNK, len(rows))
            for i0 in range(0, width, 8):  # tiles of eight columns: a cache line of each row
                for k in range(k0, k1):
                    z, weight = rows[k], weights[k]
                    for i in range(i0, i0 + 8):
                        panel[i, k - k0] = weight * left[plane, z, i]
            reach = 0 if diagonal_block else width
            add_products(panel, k0, right[plane], rows, k0, k1, out, first, reach, width)


def compile_products() -> None:
    """Compile the matrix products, by calls that do nothing."""
    planes, matrix, rows = np.empty((2, 0, 0)), np.empty((0, 0)), np.empty(0, np.int64)
    multiply(planes, 0, planes, rows, 0, matrix, 0)
    multiply_slots(planes, planes, 0, matrix)
    add_gram(planes, planes, np.empty(0), rows, matrix, 0, True)


@kernel(inline="always")
def add_row_sums(block, vector, factor, out):
    """out[c] += factor sum_z vector[z] block[z, c]."""
    for z in range(len(vector)):
        x = factor * vector[z]
        for c in range(len(out)):
            out[c] += x * block[z, c]
