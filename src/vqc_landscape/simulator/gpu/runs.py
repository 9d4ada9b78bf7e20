"""From angles to what the sweeps apply: each one-qubit run as ``phase diag(1, alpha) RY diag(1, gamma)``.

All runs and samples at once, element after element. Here RY keeps its cosine: it goes into a matrix product, where a
tangent saves nothing, and it stays well scaled in float32.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vqc_landscape.simulator.compile.schedule import FIXED, Schedule


class RunTables(NamedTuple):
    """The elements of every run; shorter runs are filled up with identities. Shapes (n_runs, longest run).

    The first column (p, q) of an element (p, -q*; q, p*) is affine in cos and sin of half its angle.

    Attributes:
        rotation: rotation of the circuit, 0 for fixed gates.
        axis: 0, 1, 2 for a rotation about X, Y, Z, 3 else.
        rotating: flat positions of the rotations.
        p_fixed, p_cos, p_sin, q_fixed, q_sin: p = p_fixed + p_cos cos + p_sin sin, q = q_fixed + q_sin sin.
    """

    rotation: Tensor
    axis: Tensor
    rotating: Tensor
    p_fixed: Tensor
    p_cos: Tensor
    p_sin: Tensor
    q_fixed: Tensor
    q_sin: Tensor


class ResolvedRuns(NamedTuple):
    """Every run for every sample: angles of alpha and gamma, cos and sin of RY; and each rotation's axis.

    Attributes:
        cos, sin: (n_runs, n_samples).
        alphas, gammas: angles in radians, same shape.
        phases: angle of the phase of all runs together, (n_samples,).
        axes: n of the generators ``-i/2 n . sigma`` at the evaluation points, (n_rotations, n_samples, 3).
    """

    cos: Tensor
    sin: Tensor
    alphas: Tensor
    gammas: Tensor
    phases: Tensor
    axes: Tensor


def run_tables(schedule: Schedule, device: torch.device) -> RunTables:
    """The elements of the runs of a schedule."""
    starts = schedule.run_starts
    shape = (schedule.n_runs, int(np.max(np.diff(starts), initial=1)))
    rotation, axis = np.zeros(shape, np.int64), np.full(shape, FIXED)
    p_fixed, q_fixed = np.ones(shape, np.complex128), np.zeros(shape, np.complex128)
    for run in range(schedule.n_runs):
        for place, element in enumerate(range(starts[run], starts[run + 1])):
            index = schedule.element_index[element]
            axis[run, place] = schedule.element_axis[element]
            if axis[run, place] == FIXED:
                p_fixed[run, place], q_fixed[run, place] = schedule.matrices[index]
            else:
                rotation[run, place], p_fixed[run, place] = index, 0.0
    p_sin = np.where(axis == 2, -1j, 0.0)  # exp(-i a/2 Z) = cos - i sin on |0>
    q_sin = np.choose(axis, [-1j, 1.0 + 0.0j, 0.0j, 0.0j])
    rotating = np.flatnonzero(axis != FIXED)
    tables = (rotation, axis, rotating, p_fixed, (axis != FIXED).astype(float), p_sin, q_fixed, q_sin)
    return RunTables(*(torch.as_tensor(table).to(device) for table in tables))


def resolve_runs(tables: RunTables, angles: Tensor) -> ResolvedRuns:
    """Each run as one matrix, and the generator of each of its rotations at the evaluation point.

    Args:
        tables: the elements.
        angles: of all rotations, radians, (n_rotations, n_samples).
    """
    half = 0.5 * angles[tables.rotation]  # (n_runs, longest run, n_samples)
    cos, sin = torch.cos(half), torch.sin(half)
    p = tables.p_fixed[..., None] + tables.p_cos[..., None] * cos + tables.p_sin[..., None] * sin
    q = tables.q_fixed[..., None] + tables.q_sin[..., None] * sin
    a, b = torch.ones_like(p[:, 0]), torch.zeros_like(p[:, 0])
    for place in range(p.shape[1]):
        u, v = p[:, place], q[:, place]
        a, b = u * a - v.conj() * b, v * a + u.conj() * b
    alphas = b.angle() - a.angle()
    axes = angles.new_zeros((*angles.shape, 3))
    axes[..., 2] = 1.0  # of words
    found = _axes(tables.axis, p, q, alphas).flatten(0, 1)
    axes[tables.rotation.flatten()[tables.rotating]] = found[tables.rotating]
    return ResolvedRuns(a.abs(), b.abs(), alphas, -a.angle() - b.angle(), a.angle().sum(0), axes)


def _axes(axis: Tensor, p: Tensor, q: Tensor, alphas: Tensor) -> Tensor:
    """n with n . sigma = W sigma_axis W+, W = diag(1, alpha)+ (a, -b*; b, a*), for every element; Z for fixed ones.

    (a, b) is the first column of the product of the elements after it.
    """
    products = [(torch.ones_like(p[:, 0]), torch.zeros_like(p[:, 0]))]
    for place in range(p.shape[1] - 1, 0, -1):
        (a, b), u, v = products[0], p[:, place], q[:, place]
        products.insert(0, (a * u - b.conj() * v, b * u + a.conj() * v))
    a, b = (torch.stack(column, dim=1) for column in zip(*products, strict=True))
    kind, product = axis[..., None], -2 * a * b
    rotated, across = a.conj() ** 2, b**2
    x_or_y = torch.where(kind == 0, rotated - across, 1j * (rotated + across))
    transverse = torch.where(kind < 2, x_or_y, 2 * a.conj() * b) * torch.exp(-1j * alphas)[:, None]
    z = torch.where(kind == 0, product.real, torch.where(kind == 1, product.imag, a.abs() ** 2 - b.abs() ** 2))
    return torch.stack([transverse.real, transverse.imag, z], dim=-1)
