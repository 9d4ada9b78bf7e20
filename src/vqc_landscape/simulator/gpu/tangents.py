"""Second derivatives of a batch of samples: the formulas of ``cpu/second_order.py`` and ``cpu/hvp.py`` on a GPU."""

from __future__ import annotations

import torch
from torch import Tensor

from vqc_landscape.simulator.gpu import sweeps
from vqc_landscape.simulator.gpu.ry_products import apply_ry
from vqc_landscape.simulator.gpu.states import FirstOrder, States


def sweep_tangents(states: States, first: FirstOrder, dtype: torch.dtype, second: Tensor | None = None) -> Tensor:
    """Carry all tangents to the last block, (n_samples, 2**n_qubits, n_columns) of ``dtype``.

    Args:
        states: of the circuit.
        first: the first-order sweep.
        dtype: complex128 or complex64.
        second: where the second-order terms are added up, unsymmetrised, (n_active, n_active).
    """
    forward = first.forward
    columns = torch.empty(*forward.states[0].shape, 0, dtype=dtype, device=first.rows.device)
    for b, steps in enumerate(states.plan.steps):
        if columns.shape[2]:
            columns = states.through(columns, b, forward.diagonals, forward.rotations)
        for step, weights in zip(steps, first.weights[b], strict=True):
            new = sweeps.combined(weights, sweeps.on_sites(forward.states[b], step), dtype)
            if second is not None:
                # G+ = -G
                adjoint = sweeps.on_sites(first.adjoints[b], step)
                rows = sweeps.combined(-weights, adjoint, dtype)
                second[step.slots, : columns.shape[2]] += sweeps.inner_products(rows, columns)
                # one half, because the inner products of a step are counted twice
                second[step.slots[:, None], step.slots] += 0.5 * sweeps.inner_products(rows, new)
            columns = sweeps.insert(columns, new, step)
    return columns


def output_rows(states: States, first: FirstOrder, columns: Tensor) -> Tensor:
    """Derivatives of the outputs, (n_samples, n_outputs, n_active), from the tangents; 0 where there is none."""
    found = [overlaps(image, columns).real for image in first.observed.images]
    rows = first.rows.new_zeros(len(first.rows), len(found), states.n_active)
    rows[:, :, : columns.shape[2]] = states.strategy.gradient_factor * torch.stack(found, dim=1)
    return rows


def gram(states: States, first: FirstOrder, columns: Tensor) -> Tensor:
    """``Re sum_s sum_k g_sk <T_i|O_k|T_j>``, (n_columns, n_columns)."""
    if first.observed.target is not None:
        w_re, w_im = first.loss_grad[:, 0] * first.observed.target_weights
        return weighted_gram(overlaps(first.observed.target, columns), w_re, w_im)
    plan = states.plan
    columns = sweeps.moved(columns, plan.diagonals[-1].there)
    total = torch.zeros(columns.shape[2], columns.shape[2], dtype=torch.float64, device=columns.device)
    for factors, measured in zip(first.loss_grad.T, states.measured, strict=True):
        for own in measured:
            rotated = columns
            if own.rotations is not None:
                phases = first.forward.diagonals[-1] * own.phases
                rotated = apply_ry(columns * phases[..., None].to(columns.dtype), own.rotations, plan.ranges)
            right = rotated.index_select(1, own.rows)
            left = right * (factors[:, None] * own.weights)[..., None].to(right.real.dtype)
            total += sweeps.inner_products(left, right)
    return total


def overlaps(state: Tensor, columns: Tensor) -> Tensor:
    """``<state|T>`` of every sample, (n_samples, n_columns) in complex128."""
    return (state.conj()[:, None].to(columns.dtype) @ columns)[:, 0].to(torch.complex128)


def weighted_gram(overlap: Tensor, weight_re: Tensor | float, weight_im: Tensor | float) -> Tensor:
    """``sum_s weight_re x x^T + weight_im y y^T`` for overlaps x + i y, (n_samples, n_columns)."""
    x, y = overlap.real, overlap.imag
    return (x.T * weight_re) @ x + (y.T * weight_im) @ y


def pair_terms(states: States, first: FirstOrder) -> Tensor:
    """``sum_s c_k c_i (n_i x n_k) . o`` for generators k before i on one site, (n_pairs,)."""
    pairs = states.plan.pairs
    if not len(pairs.sites):
        return first.rows.new_zeros(0)
    found = [
        overlap.reshape(len(first.rows), -1, 3)
        for steps, parts in zip(states.plan.steps, first.overlaps, strict=True)
        for step, overlap in zip(steps, parts, strict=True)
        if step.sources is not None
    ]
    earlier, later = first.forward.axes[pairs.rotations]  # (n_pairs, n_samples, 3) each
    triple = (torch.linalg.cross(later, earlier).transpose(0, 1) * torch.cat(found, 1)[:, pairs.sites]).sum(2)
    terms: Tensor = (first.forward.coefficients[:, pairs.terms].prod(1) * triple).sum(0)
    return terms


def hvp(states: States, first: FirstOrder, curvature: Tensor, direction: Tensor) -> Tensor:
    """The Hessian of every sample times a direction, without the terms of pairs on one site, (n_samples, n_active)."""
    forward, steps = first.forward, states.plan.steps
    along = [
        [(direction[step.slots] @ w)[:, None] for step, w in zip(*block, strict=True)]
        for block in zip(steps, first.weights, strict=True)
    ]

    def generated(b: int, k: int, state: Tensor) -> Tensor:
        """G_v times a state, over the sites of one step."""
        return sweeps.combined(along[b][k], sweeps.on_sites(state, steps[b][k]), state.dtype)[..., 0]

    tangents: list[Tensor] = []
    for b, state in enumerate(forward.states):
        tangent = torch.zeros_like(state)
        if b:
            tangent = states.through(tangents[-1][..., None], b, forward.diagonals, forward.rotations)[..., 0]
        for k in range(len(steps[b])):
            tangent = tangent + generated(b, k, state)
        tangents.append(tangent)
    observed, last = first.observed, tangents[-1]
    derivatives = torch.stack([2 * (image.conj() * last).real.sum(1) for image in observed.images], dim=1)
    factors = (curvature @ derivatives[..., None])[..., 0]
    adjoint_tangent = torch.stack([f[:, None] * i for f, i in zip(factors.T, observed.images, strict=True)]).sum(0)
    for k, g in enumerate(first.loss_grad.T):
        if observed.target is None:
            image = states.observe(k, last, forward)
        else:
            image = observed.target * (observed.target.conj() * last).sum(1, keepdim=True)
        adjoint_tangent = adjoint_tangent + g[:, None] * image
    rows = torch.zeros_like(first.rows)
    for b in reversed(range(len(steps))):
        state, adjoint, tangent = forward.states[b], first.adjoints[b], tangents[b]
        # words act after the runs of their block: they see all of the tangent, and the runs see their part of mu
        for k in reversed(range(len(steps[b]))):
            step = steps[b][k]
            found = sweeps.overlaps(adjoint_tangent, sweeps.on_sites(state, step))
            found += sweeps.overlaps(adjoint, sweeps.on_sites(tangent, step))
            rows[:, step.slots] += 2 * (first.weights[b][k] @ found[..., None])[..., 0]
            adjoint_tangent, tangent = adjoint_tangent - generated(b, k, adjoint), tangent - generated(b, k, state)
        if b:
            adjoint_tangent = states.back_through(adjoint_tangent, b, forward)
    return rows
