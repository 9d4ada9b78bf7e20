"""Hessian-vector products of many small states side by side; the formulas are in :mod:`hvp`."""

from __future__ import annotations

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.simulator.compile.compiled import CompiledCircuit
from vqc_landscape.simulator.compile.schedule import Ints
from vqc_landscape.simulator.cpu import hvp
from vqc_landscape.simulator.cpu.images import Observed, observe_tangent
from vqc_landscape.simulator.cpu.workspace import Batch, KernelSchedule


def batch_hvp(
    compiled: CompiledCircuit,
    schedule: KernelSchedule,
    entries: tuple[Ints, ...],
    batch: Batch,
    observed: Observed,
    loss_grad: Array,
    loss_curvature: Array,
    v: Array,
) -> Array:
    """The product of the Hessian of a batch with v, both by columns, after its first-order sweep."""
    n_runs, columns = compiled.schedule.n_runs, compiled.columns
    axes, overlaps = np.empty_like(batch.overlaps), np.empty_like(batch.overlaps)
    tangents, scratch = np.empty_like(batch.states), np.empty_like(batch.states[0])
    hvp.site_axes(v, entries, batch.axes, batch.coefficients, axes)
    hvp.forward_tangent(batch, schedule, n_runs, axes, tangents)
    image, factors = observe_tangent(compiled, batch, observed, loss_grad, tangents[-1])
    derivatives, adjoint_tangent = np.empty_like(loss_grad), np.empty_like(image)
    hvp.output_derivatives(batch.images, tangents[-1], derivatives)
    weights = np.einsum("skl,sl->sk", loss_curvature, derivatives)
    hvp.weigh_image(factors, image, weights, batch.images, adjoint_tangent)
    hvp.backward_overlaps(batch, schedule, n_runs, axes, tangents, adjoint_tangent, scratch, overlaps)
    total, rows = np.zeros(compiled.n_active), np.empty((len(loss_grad), compiled.n_active))
    hvp.collect(v, columns, entries, columns.pair_columns, batch, overlaps, rows, total)
    return total
