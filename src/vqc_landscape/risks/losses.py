"""Losses of a sample as functions of the model's outputs and the target: one class serves circuits and networks."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from vqc_landscape.checks import Array


class Loss(Protocol):
    """l(f, y) with its first two derivatives in the outputs f, for many samples.

    Outputs have shape (n_samples, K), targets (n_samples,) or (n_samples, K); without targets they are zeros.

    Attributes:
        name: as a user writes it.
        needs_targets: whether there are any.
    """

    name: str
    needs_targets: bool

    def value(self, outputs: Array, targets: Array) -> Array:
        """Loss of every sample, shape (n_samples,)."""

    def gradient(self, outputs: Array, targets: Array) -> Array:
        """Derivatives dl/df, shape (n_samples, K)."""

    def curvature(self, outputs: Array, targets: Array) -> Array:
        """Derivatives d2l/df2, shape (n_samples, K, K)."""


class SquaredError:
    """``sum_k (f_k - y_k)**2``; one target serves all outputs."""

    name = "mse"
    needs_targets = True

    def value(self, outputs: Array, targets: Array) -> Array:
        value: Array = np.sum((outputs - _columns(targets)) ** 2, axis=1)
        return value

    def gradient(self, outputs: Array, targets: Array) -> Array:
        residuals: Array = 2 * (outputs - _columns(targets))
        return residuals

    def curvature(self, outputs: Array, targets: Array) -> Array:
        n_samples, n_outputs = outputs.shape
        return np.tile(2 * np.eye(n_outputs), (n_samples, 1, 1))


class Linear:
    """``offset + factor f`` of the one output, without a target."""

    needs_targets = False

    def __init__(self, name: str, offset: float, factor: float) -> None:
        self.name, self.offset, self.factor = name, offset, factor

    def value(self, outputs: Array, targets: Array) -> Array:
        value: Array = self.offset + self.factor * outputs[:, 0]
        return value

    def gradient(self, outputs: Array, targets: Array) -> Array:
        return np.full(outputs.shape, self.factor)

    def curvature(self, outputs: Array, targets: Array) -> Array:
        return np.zeros((len(outputs), 1, 1))


def are_classes(targets: Array) -> bool:
    """Whether every target is -1 or 1; only then can the sign of a prediction be right or wrong."""
    return bool(np.all(np.abs(targets) == 1))


def _columns(targets: Array) -> Array:
    return targets[:, np.newaxis] if targets.ndim == 1 else targets


LOSSES: dict[str, Loss] = {
    "mse": SquaredError(),
    "infidelity": Linear("infidelity", 1.0, -1.0),
    "expval": Linear("expval", 0.0, 1.0),
}
