r"""Large states one at a time: RY rotations, generators and overlaps in blocks that stay in the cache.

A rotation mixes basis states z and z ^ x. The masks x of a few qubits span a set of offsets; the states z0 ^ offset are
a *coset*. Some cosets side by side are copied into ``work[state, plane, offset, coset]``, where bit q of an offset's
number says whether x_q is in it: every one of these qubits is one bit there, whatever its mask, and all loops run over
cosets. So a state is read and written once for all that happens to some qubits.

Rotations are orthogonal here, cosine included: the diagonals have phases alone.
"""

from __future__ import annotations

import numpy as np

from vqc_landscape.simulator.cpu.jit import kernel
from vqc_landscape.simulator.cpu.kernels import echelon_pivots, low_index, parity_sign

QUBITS_AT_ONCE = 7  # that are rotated together: four states of 2**7 offsets and 64 cosets are half a megabyte
SIDE_BY_SIDE = 64  # cosets


@kernel
def make_offsets(x, offsets, pivots):
    """offsets[j] = sum over the bits q of j of x[q]; and a bit of each coset that its first member has not."""
    offsets[0] = 0
    for q in range(len(x)):
        for j in range(1 << q):
            offsets[(1 << q) + j] = offsets[j] ^ x[q]
    echelon_pivots(x, pivots)


@kernel(inline="always")
def first_member(number, pivots, n_pivots):
    """The member without any pivot of the coset of a number."""
    z = number
    for q in range(n_pivots):
        z = low_index(z, pivots[q])
    return z


@kernel(inline="always")
def new_work(n_states, k, width):
    """(n_states, 2, 2**k, width) and a rest: at strides of powers of two, all numbers that mix share one cache set."""
    return np.empty((n_states, 2, (1 << k) + 1, width + 8))


@kernel(distinct=True)
def load(states, members, offsets, work):
    """work[k, p, j, c] = states[k, p, members[c] ^ offsets[j]]."""
    in_row = stand_in_a_row(members, offsets)
    for k in range(work.shape[0]):
        for plane in range(2):
            for j in range(len(offsets)):
                if in_row:
                    z = members[0] ^ offsets[j]
                    for c in range(len(members)):
                        work[k, plane, j, c] = states[k, plane, z + c]
                else:
                    for c in range(len(members)):
                        work[k, plane, j, c] = states[k, plane, members[c] ^ offsets[j]]


@kernel(distinct=True)
def store(work, members, offsets, states):
    """The way back."""
    in_row = stand_in_a_row(members, offsets)
    for k in range(work.shape[0]):
        for plane in range(2):
            for j in range(len(offsets)):
                if in_row:
                    z = members[0] ^ offsets[j]
                    for c in range(len(members)):
                        states[k, plane, z + c] = work[k, plane, j, c]
                else:
                    for c in range(len(members)):
                        states[k, plane, members[c] ^ offsets[j]] = work[k, plane, j, c]


@kernel
def stand_in_a_row(members, offsets):
    """Whether the same member of consecutive cosets is consecutive: then it is read in vectors."""
    n = len(members)
    if n & (n - 1) or members[0] & (n - 1) or members[n - 1] != members[0] + n - 1:
        return False
    low = 0
    for j in range(len(offsets)):
        low |= offsets[j]
    return low & (n - 1) == 0


@kernel(distinct=True)
def scale(work, members, offsets, diagonal, direction):
    """work *= diagonal (direction 1) or its conjugate (-1)."""
    in_row = stand_in_a_row(members, offsets)
    for k in range(work.shape[0]):
        for j in range(len(offsets)):
            z = members[0] ^ offsets[j]
            for c in range(len(members)):
                y = z + c if in_row else members[c] ^ offsets[j]
                re, im, d_re, d_im = work[k, 0, j, c], work[k, 1, j, c], diagonal[0, y], direction * diagonal[1, y]
                work[k, 0, j, c], work[k, 1, j, c] = re * d_re - im * d_im, re * d_im + im * d_re


@kernel(distinct=True)
def rotate_forward(work, n_offsets, q, cos, sin, axis, signs):
    """Psi and tau (states 0 and 1) times (cos, -sin; sin, cos) on bit q, and then tau += -i/2 (axis . sigma) psi.

    A coset's sign says which of its members is |0>.
    """
    bit, n_x, n_y, n_z = 1 << q, 0.5 * axis[0], 0.5 * axis[1], 0.5 * axis[2]
    for i in range(n_offsets // 2):
        j = low_index(i, bit)
        k = j + bit
        for c in range(len(signs)):
            s, y, z = sin * signs[c], n_y * signs[c], n_z * signs[c]
            p_re, p_im, q_re, q_im = work[0, 0, j, c], work[0, 1, j, c], work[0, 0, k, c], work[0, 1, k, c]
            t_re, t_im, r_re, r_im = work[1, 0, j, c], work[1, 1, j, c], work[1, 0, k, c], work[1, 1, k, c]
            p_re, q_re = cos * p_re - s * q_re, cos * q_re + s * p_re
            p_im, q_im = cos * p_im - s * q_im, cos * q_im + s * p_im
            work[0, 0, j, c], work[0, 1, j, c], work[0, 0, k, c], work[0, 1, k, c] = p_re, p_im, q_re, q_im
            work[1, 0, j, c] = cos * t_re - s * r_re + z * p_im + n_x * q_im - y * q_re
            work[1, 1, j, c] = cos * t_im - s * r_im - z * p_re - n_x * q_re - y * q_im
            work[1, 0, k, c] = cos * r_re + s * t_re + n_x * p_im + y * p_re - z * q_im
            work[1, 1, k, c] = cos * r_im + s * t_im + z * q_re - n_x * p_re + y * p_im


@kernel(distinct=True)
def rotate_back(work, n_offsets, q, cos, sin, axis, signs, first, second):
    """Overlaps of psi, tau, lambda, mu (states 0 to 3) on bit q; then before G_v, and before its rotation.

    first += Re <lambda| -i/2 sigma |psi> and second += Re <mu| -i/2 sigma |psi> + Re <lambda| -i/2 sigma |tau> for
    sigma = X, Y, Z, see :func:`kernels.overlaps`. What happens on other bits commutes with all of that.
    """
    bit, n_x, n_y, n_z = 1 << q, 0.5 * axis[0], 0.5 * axis[1], 0.5 * axis[2]
    for i in range(n_offsets // 2):
        j = low_index(i, bit)
        k = j + bit
        x, y, z = 0.0, 0.0, 0.0
        u, v, w = 0.0, 0.0, 0.0
        for c in range(len(signs)):
            sign = signs[c]
            p_re, p_im, q_re, q_im = work[0, 0, j, c], work[0, 1, j, c], work[0, 0, k, c], work[0, 1, k, c]
            t_re, t_im, r_re, r_im = work[1, 0, j, c], work[1, 1, j, c], work[1, 0, k, c], work[1, 1, k, c]
            a_re, a_im, b_re, b_im = work[2, 0, j, c], work[2, 1, j, c], work[2, 0, k, c], work[2, 1, k, c]
            m_re, m_im, n_re, n_im = work[3, 0, j, c], work[3, 1, j, c], work[3, 0, k, c], work[3, 1, k, c]
            x += a_re * q_im - a_im * q_re + b_re * p_im - b_im * p_re
            y += sign * (b_re * p_re + b_im * p_im - a_re * q_re - a_im * q_im)
            z += sign * (a_re * p_im - a_im * p_re - b_re * q_im + b_im * q_re)
            u += m_re * q_im - m_im * q_re + n_re * p_im - n_im * p_re
            u += a_re * r_im - a_im * r_re + b_re * t_im - b_im * t_re
            v += sign * (n_re * p_re + n_im * p_im - m_re * q_re - m_im * q_im)
            v += sign * (b_re * t_re + b_im * t_im - a_re * r_re - a_im * r_im)
            w += sign * (m_re * p_im - m_im * p_re - n_re * q_im + n_im * q_re)
            w += sign * (a_re * t_im - a_im * t_re - b_re * r_im + b_im * r_re)
            s, g_y, g_z = sin * sign, n_y * sign, n_z * sign
            # G+ = -G
            t_re, t_im = t_re - g_z * p_im - n_x * q_im + g_y * q_re, t_im + g_z * p_re + n_x * q_re + g_y * q_im
            r_re, r_im = r_re - n_x * p_im - g_y * p_re + g_z * q_im, r_im - g_z * q_re + n_x * p_re - g_y * p_im
            m_re, m_im = m_re - g_z * a_im - n_x * b_im + g_y * b_re, m_im + g_z * a_re + n_x * b_re + g_y * b_im
            n_re, n_im = n_re - n_x * a_im - g_y * a_re + g_z * b_im, n_im - g_z * b_re + n_x * a_re - g_y * a_im
            work[0, 0, j, c], work[0, 0, k, c] = cos * p_re + s * q_re, cos * q_re - s * p_re
            work[0, 1, j, c], work[0, 1, k, c] = cos * p_im + s * q_im, cos * q_im - s * p_im
            work[1, 0, j, c], work[1, 0, k, c] = cos * t_re + s * r_re, cos * r_re - s * t_re
            work[1, 1, j, c], work[1, 1, k, c] = cos * t_im + s * r_im, cos * r_im - s * t_im
            work[2, 0, j, c], work[2, 0, k, c] = cos * a_re + s * b_re, cos * b_re - s * a_re
            work[2, 1, j, c], work[2, 1, k, c] = cos * a_im + s * b_im, cos * b_im - s * a_im
            work[3, 0, j, c], work[3, 0, k, c] = cos * m_re + s * n_re, cos * n_re - s * m_re
            work[3, 1, j, c], work[3, 1, k, c] = cos * m_im + s * n_im, cos * n_im - s * m_im
        first[0] += 0.5 * x
        first[1] += 0.5 * y
        first[2] += 0.5 * z
        second[0] += 0.5 * u
        second[1] += 0.5 * v
        second[2] += 0.5 * w


@kernel
def forward_qubits(states, x, r, cos, sin, axes, diagonal, direction, first, stop):
    """Rotate psi and tau (states 0 and 1) on some qubits; then tau += G_v psi; cosets first to stop.

    direction 1: times the diagonal before; -1: times its conjugate afterwards; 0: neither.
    """
    k = len(x)
    offsets, pivots = np.empty(1 << k, np.int64), np.empty(k, np.int64)
    make_offsets(x, offsets, pivots)
    for start in range(first, stop, SIDE_BY_SIDE):
        width = min(SIDE_BY_SIDE, stop - start)
        members, signs = np.empty(width, np.int64), np.empty((k, width))
        work = new_work(2, k, width)
        place(start, pivots, r, members, signs)
        load(states, members, offsets, work)
        if direction > 0:
            scale(work, members, offsets, diagonal, 1.0)
        for q in range(k):
            rotate_forward(work, 1 << k, q, cos[q], sin[q], axes[q], signs[q])
        if direction < 0:
            scale(work, members, offsets, diagonal, -1.0)
        store(work, members, offsets, states)


@kernel
def backward_qubits(states, x, r, cos, sin, axes, diagonal, scales, first, stop, out):
    """Overlaps of some qubits, then back before them: psi, tau, lambda, mu (states 0 to 3), cosets first to stop.

    ``scales``: in the end all times the conjugate of the diagonal.
    out[q, 0] += Re <lambda|G_a|psi> and out[q, 1] += Re <mu|G_a|psi> + Re <lambda|G_a|tau>, for each axis a.
    """
    k = len(x)
    offsets, pivots = np.empty(1 << k, np.int64), np.empty(k, np.int64)
    make_offsets(x, offsets, pivots)
    for start in range(first, stop, SIDE_BY_SIDE):
        width = min(SIDE_BY_SIDE, stop - start)
        members, signs = np.empty(width, np.int64), np.empty((k, width))
        work = new_work(4, k, width)
        place(start, pivots, r, members, signs)
        load(states, members, offsets, work)
        for q in range(k):
            rotate_back(work, 1 << k, q, cos[q], sin[q], axes[q], signs[q], out[q, 0], out[q, 1])
        if scales:
            scale(work, members, offsets, diagonal, -1.0)
        store(work, members, offsets, states)


@kernel
def place(start, pivots, r, members, signs):
    """The first members of consecutive cosets, and the sign of each for every qubit."""
    for c in range(len(members)):
        members[c] = first_member(start + c, pivots, len(pivots))
        for q in range(len(r)):
            signs[q, c] = parity_sign(members[c], r[q])


@kernel
def multiply_states(states, diagonal, direction, first, stop):
    """Every state times the diagonal (direction 1) or its conjugate (-1), for amplitudes first to stop."""
    for k in range(len(states)):
        for z in range(first, stop):
            re, im = states[k, 0, z], states[k, 1, z]
            d_re, d_im = diagonal[0, z], direction * diagonal[1, z]
            states[k, 0, z], states[k, 1, z] = re * d_re - im * d_im, re * d_im + im * d_re


@kernel
def project(states, diagonal, target, first, stop, out):
    """out[k] += <target| diagonal |state k> for psi and tau, as real and imaginary part."""
    for k in range(2):
        re, im = 0.0, 0.0
        for z in range(first, stop):
            a, b, d_re, d_im, t = states[k, 0, z], states[k, 1, z], diagonal[0, z], diagonal[1, z], target[z]
            c_re, c_im = d_re * t.real + d_im * t.imag, d_im * t.real - d_re * t.imag
            re += a * c_re - b * c_im
            im += a * c_im + b * c_re
        out[k, 0] += re
        out[k, 1] += im


@kernel
def fill_images(images, diagonal, target, overlaps, first, stop):
    """images[k] = overlaps[k] conj(diagonal) target, for psi and tau."""
    for k in range(2):
        re, im = overlaps[k, 0], overlaps[k, 1]
        for z in range(first, stop):
            d_re, d_im, t = diagonal[0, z], diagonal[1, z], target[z]
            c_re, c_im = d_re * t.real + d_im * t.imag, d_re * t.imag - d_im * t.real
            images[k, 0, z], images[k, 1, z] = re * c_re - im * c_im, re * c_im + im * c_re


@kernel
def combine_images(images, loss_grad, weights, states, first, stop):
    """lambda and mu (states 2 and 3) at the end, from the observables times psi and tau, (n_outputs, 2, 2, 2**n)."""
    for plane in range(2):
        for z in range(first, stop):
            adjoint, derivative = 0.0, 0.0
            for k in range(len(images)):
                adjoint += loss_grad[k] * images[k, 0, plane, z]
                derivative += loss_grad[k] * images[k, 1, plane, z] + weights[k] * images[k, 0, plane, z]
            states[2, plane, z], states[3, plane, z] = adjoint, derivative


@kernel
def add_real_product(left, right, first, stop, out):
    """out[0] += Re <left|right>."""
    for plane in range(2):
        total = 0.0
        for z in range(first, stop):
            total += left[plane, z] * right[plane, z]
        out[0] += total


@kernel
def weigh(states, weights, first, stop, out):
    """out[0] += <psi| weights |psi>, psi the first of the states; then all of them times the weights."""
    for z in range(first, stop):
        out[0] += weights[z] * (states[0, 0, z] ** 2 + states[0, 1, z] ** 2)
    for k in range(len(states)):
        for plane in range(2):
            for z in range(first, stop):
                states[k, plane, z] *= weights[z]


@kernel
def add_words(states, source, target, masks, weights, factor, first, stop):
    """State ``target`` += factor * sum over words of -i/2 weight Z...Z of state ``source``."""
    for z in range(first, stop):
        angle = 0.0
        for word in range(len(masks)):
            angle += 0.5 * factor * weights[word] * parity_sign(z, masks[word])
        re, im = states[source, 0, z], states[source, 1, z]
        states[target, 0, z] += angle * im
        states[target, 1, z] -= angle * re


@kernel
def add_word_overlaps(states, left, right, masks, first, stop, out):
    """out[word, 2] += Re <left| -i/2 Z...Z |right>."""
    for word in range(len(masks)):
        total = 0.0
        for z in range(first, stop):
            l_re, l_im = states[left, 0, z], states[left, 1, z]
            r_re, r_im = states[right, 0, z], states[right, 1, z]
            total += parity_sign(z, masks[word]) * (l_re * r_im - l_im * r_re)
        out[word, 2] += 0.5 * total
