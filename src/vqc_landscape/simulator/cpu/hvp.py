r"""Hessian-vector products: one tangent forward, its adjoint back, no matrix.

With :math:`G_v = \sum_q v_q G_q` at each evaluation point, the tangent :math:`\tau = \partial_v \psi` and the
derivative :math:`\mu = \partial_v \lambda` of the adjoint state obey the same sweeps as psi and lambda, with a source:

.. math::
    \tau_b = RY\, D_b\, \tau_{b-1} + G_v \psi_b, \qquad
    \mu_{b-1} = D_b^* RY^T (\mu_b + G_v^\dagger \lambda_b).

They begin with the loss gradient g and the loss curvature C over the outputs k,

.. math::
    \lambda_{end} = \sum_k g_k O_k \psi, \qquad
    \mu_{end} = \sum_k g_k O_k \tau + \sum_k w_k O_k \psi, \qquad
    w = C \, \partial_v f, \quad \partial_v f_k = 2 \mathrm{Re}\langle O_k\psi|\tau\rangle,

and :math:`\tfrac12 (H v)_p = \mathrm{Re}\langle\mu|G_p|\psi\rangle + \mathrm{Re}\langle\lambda|G_p|\tau\rangle
+ \sum_{q > p} v_q \mathrm{Re}\langle\lambda|[G_q, G_p]|\psi\rangle`, the last sum over later generators on p's site.
"""

from __future__ import annotations

import numpy as np

from vqc_landscape.simulator.cpu.first_order import add_gradients, apply_block, copy_state
from vqc_landscape.simulator.cpu.jit import kernel
from vqc_landscape.simulator.cpu.kernels import (
    low_index,
    multiply_diagonal,
    overlaps,
    parity_sign,
    triple_product,
)


@kernel
def add_generator(state, x, r, axis, factor, out):
    """out += factor * -i/2 (axis . sigma) state on one site, axis (3, n_samples)."""
    if x == 0:
        for z in range(state.shape[1]):
            sign = 0.5 * factor * parity_sign(z, r)
            for s in range(state.shape[2]):
                out[0, z, s] += sign * axis[2, s] * state[1, z, s]
                out[1, z, s] -= sign * axis[2, s] * state[0, z, s]
        return
    pivot = x & -x
    for i in range(state.shape[1] // 2):
        z = low_index(i, pivot)
        w = z ^ x
        plain, sign = 0.5 * factor, 0.5 * factor * parity_sign(z, r)
        for s in range(state.shape[2]):
            n_x, n_y, n_z = plain * axis[0, s], sign * axis[1, s], sign * axis[2, s]
            a_re, a_im, b_re, b_im = state[0, z, s], state[1, z, s], state[0, w, s], state[1, w, s]
            out[0, z, s] += n_z * a_im + n_x * b_im - n_y * b_re
            out[1, z, s] -= n_z * a_re + n_x * b_re + n_y * b_im
            out[0, w, s] += n_x * a_im + n_y * a_re - n_z * b_im
            out[1, w, s] += n_z * b_re - n_x * a_re + n_y * a_im


@kernel
def site_axes(v, entries, axes, coefficients, out):
    """out[site, :, s] = sum over the entries of a site of v[column] coefficient axis."""
    column, site, rotation, term = entries
    for i in range(out.shape[0]):
        for a in range(3):
            for s in range(out.shape[2]):
                out[i, a, s] = 0.0
    for e in range(len(column)):
        for s in range(out.shape[2]):
            factor = v[column[e]] * coefficients[s, term[e]]
            for a in range(3):
                out[site[e], a, s] += factor * axes[rotation[e], s, a]


@kernel
def add_sites(b, words, n_runs, schedule, axes, states, factor, out):
    """out += factor G_v state over the runs, or over the words, of block b."""
    first, stop = (n_runs, len(schedule.site_block)) if words else (0, n_runs)
    for site in range(first, stop):
        if schedule.site_block[site] == b:
            add_generator(states[b], schedule.site_x[site], schedule.site_r[site], axes[site], factor, out)


@kernel
def forward_tangent(batch, schedule, n_runs, axes, tangents):
    """tangents[b] = tau at the evaluation point of block b."""
    for b in range(len(batch.states)):
        if b == 0:
            for plane in range(2):
                for z in range(tangents.shape[2]):
                    for s in range(tangents.shape[3]):
                        tangents[0, plane, z, s] = 0.0
        else:
            multiply_diagonal(tangents[b - 1], batch.diagonals[b], 1.0, tangents[b])
            apply_block(b, schedule, batch.tans, 1.0, tangents[b])
        add_sites(b, False, n_runs, schedule, axes, batch.states, 1.0, tangents[b])
        add_sites(b, True, n_runs, schedule, axes, batch.states, 1.0, tangents[b])


@kernel
def output_derivatives(images, tangent, out):
    """out[s, k] = 2 Re <image_k|tau> of every sample."""
    for s in range(out.shape[0]):
        for k in range(out.shape[1]):
            out[s, k] = 0.0
    for k in range(out.shape[1]):
        for plane in range(2):
            for z in range(tangent.shape[1]):
                for s in range(tangent.shape[2]):
                    out[s, k] += 2.0 * images[k, plane, z, s] * tangent[plane, z, s]


@kernel
def weigh_image(factors, image, weights, images, out):
    """out = factors[s] image + sum_k weights[s, k] images_k: mu at the end."""
    for plane in range(2):
        for z in range(out.shape[1]):
            for s in range(out.shape[2]):
                total = factors[s] * image[plane, z, s]
                for k in range(len(images)):
                    total += weights[s, k] * images[k, plane, z, s]
                out[plane, z, s] = total


@kernel
def backward_overlaps(batch, schedule, n_runs, axes, tangents, adjoint_tangent, scratch, out):
    """out[site, a, s] = Re <mu| -i/2 sigma_a |psi> + Re <lambda| -i/2 sigma_a |tau>, mu_end = ``adjoint_tangent``.

    Words act after the runs of their block: they see all of tau, and the runs see their part of mu.
    """
    one, other = np.empty((3, adjoint_tangent.shape[2])), np.empty((3, adjoint_tangent.shape[2]))
    for b in range(len(batch.states) - 1, -1, -1):
        for words in (True, False):
            first, stop = (n_runs, len(schedule.site_block)) if words else (0, n_runs)
            for site in range(first, stop):
                if schedule.site_block[site] == b:
                    x, r = schedule.site_x[site], schedule.site_r[site]
                    overlaps(adjoint_tangent, batch.states[b], x, r, one)
                    overlaps(batch.adjoints[b], tangents[b], x, r, other)
                    for a in range(3):
                        for s in range(adjoint_tangent.shape[2]):
                            out[site, a, s] = one[a, s] + other[a, s]
            # G+ = -G
            add_sites(b, words, n_runs, schedule, axes, batch.adjoints, -1.0, adjoint_tangent)
            add_sites(b, words, n_runs, schedule, axes, batch.states, -1.0, tangents[b])
        if b > 0:
            copy_state(adjoint_tangent, scratch)
            apply_block(b, schedule, batch.tans, -1.0, scratch)
            multiply_diagonal(scratch, batch.diagonals[b], -1.0, adjoint_tangent)


@kernel
def collect(v, columns, entries, pair_columns, batch, overlaps, rows, total):
    """total[p] += sum over the samples of (H v)_p, all by columns.

    overlaps: see :func:`backward_overlaps`; those of psi and lambda are in the batch. rows: (n_samples, n_active).
    """
    for s in range(rows.shape[0]):
        for column in range(rows.shape[1]):
            rows[s, column] = 0.0
    add_gradients(2.0, overlaps, batch.axes, entries, batch.coefficients, rows)
    for s in range(rows.shape[0]):
        for column in range(rows.shape[1]):
            total[column] += rows[s, column]
    for pair in range(len(columns.pairs)):
        k, i = columns.pairs[pair, 2], columns.pairs[pair, 3]
        g_k, g_i = columns.entry_generator[k], columns.entry_generator[i]
        for s in range(rows.shape[0]):
            n_k, n_i = batch.axes[columns.generator_rotation[g_k], s], batch.axes[columns.generator_rotation[g_i], s]
            triple = triple_product(n_k, n_i, batch.overlaps[columns.generator_site[g_k], :, s])
            c = batch.coefficients[s, columns.entry_term[k]] * batch.coefficients[s, columns.entry_term[i]]
            total[pair_columns[pair, 0]] += 2.0 * c * v[pair_columns[pair, 1]] * triple
