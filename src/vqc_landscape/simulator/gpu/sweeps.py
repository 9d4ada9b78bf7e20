"""What is done to states and tangent columns, for all samples of a batch at once.

States are (n_samples, 2**n_qubits) in complex128, columns (n_samples, 2**n_qubits, n_columns) in complex128 or
complex64: columns innermost, so that real matrices act on one long row of real and imaginary parts.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vqc_landscape.simulator.gpu.device_plan import Diagonal, Step

# Amplitudes of one partial sum of a matrix product, added up in float64. Chosen by us: in float32 a sum over as many
# loses about sqrt(2**14) roundings, 1e-5 of its largest term at worst.
ROWS = 2**14


def phases(diagonal: Diagonal, angles: Tensor) -> Tensor:
    """The diagonal for every sample, (n_samples, 2**n_qubits).

    Args:
        diagonal: what is in it.
        angles: alphas, gammas, and minus half the angle of each word of Z's, one after the other, (..., n_samples).
    """
    total = angles[diagonal.factors].mT @ diagonal.patterns.to(angles.dtype)
    return torch.polar(diagonal.signs.expand_as(total), total)  # absolute value 1, or -1


def moved(states: Tensor, source: Tensor | None) -> Tensor:
    """States or columns with their amplitudes in another order."""
    return states if source is None else states.index_select(1, source)


def on_sites(states: Tensor, step: Step) -> Tensor:
    """``-i/2 sigma`` times the states for X, Y, Z of every site (for words Z alone), (n_samples, n_letters, 2**n)."""
    return (states[:, None] if step.sources is None else states[:, step.sources]) * step.factors


def slot_weights(step: Step, axes: Tensor, coefficients: Tensor) -> Tensor:
    """How much of each of them is in the generators of each slot, (n_samples, n_slots, n_letters)."""
    n_axes = 1 if step.sources is None else 3
    values = coefficients[:, step.terms, None] * axes[step.rotations, :, -n_axes:].transpose(0, 1)
    weights = values.mT @ step.incidence  # (n_samples, n_axes, n_slots * n_sites)
    return weights.mT.reshape(len(coefficients), len(step.slots), -1)


def combined(weights: Tensor, found: Tensor, dtype: torch.dtype) -> Tensor:
    """Sums of them as columns, (n_samples, 2**n_qubits, n_slots)."""
    real = torch.view_as_real(found.to(dtype)).flatten(2)
    sums = (weights.to(real.dtype) @ real).reshape(*weights.shape[:2], -1, 2)
    return torch.view_as_complex(sums).mT.contiguous()


def overlaps(left: Tensor, found: Tensor) -> Tensor:
    """``Re <left|G state>`` for every one of them, (n_samples, n_letters)."""
    rows = torch.view_as_real(left.resolve_conj()).flatten(1)
    return (torch.view_as_real(found).flatten(2) @ rows[..., None])[..., 0]


def inner_products(left: Tensor, right: Tensor) -> Tensor:
    """``Re sum conj(left_i) right_j`` over samples and amplitudes, in float64, (n_left, n_right)."""
    total = torch.zeros(left.shape[2], right.shape[2], dtype=torch.float64, device=left.device)
    parts = (torch.split(columns.flatten(0, 1), ROWS) for columns in (left, right))
    for a, b in zip(*parts, strict=True):
        total += (a.mH @ b).real
    return total


def insert(columns: Tensor, new: Tensor, step: Step) -> Tensor:
    """Columns with those of a step added, or appended where they begin."""
    if len(step.old):
        columns[..., step.slots[step.old]] += new[..., step.old]
    if not len(step.new):
        return columns
    return torch.cat([columns, new[..., step.new] if len(step.old) else new], dim=2)
