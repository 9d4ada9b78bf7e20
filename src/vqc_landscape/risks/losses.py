"""Losses of one sample as functions of the expectation value f and the target y."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from vqc_landscape.checks import Array


class Loss(Protocol):
    """l(f, y) and its first two derivatives in f, elementwise."""

    needs_targets: bool

    def value(self, f: Array, y: Array) -> Array: ...

    def first(self, f: Array, y: Array) -> Array: ...

    def second(self, f: Array, y: Array) -> Array: ...


class SquaredError:
    """(f - y)^2."""

    needs_targets = True

    def value(self, f: Array, y: Array) -> Array:
        return (f - y) ** 2

    def first(self, f: Array, y: Array) -> Array:
        return 2 * (f - y)

    def second(self, f: Array, y: Array) -> Array:
        return np.full_like(f, 2.0)


class Infidelity:
    """1 - f; there are no targets."""

    needs_targets = False

    def value(self, f: Array, y: Array) -> Array:
        return 1 - f

    def first(self, f: Array, y: Array) -> Array:
        return np.full_like(f, -1.0)

    def second(self, f: Array, y: Array) -> Array:
        return np.zeros_like(f)


class Expval:
    """f itself, an energy; there are no targets."""

    needs_targets = False

    def value(self, f: Array, y: Array) -> Array:
        return f

    def first(self, f: Array, y: Array) -> Array:
        return np.ones_like(f)

    def second(self, f: Array, y: Array) -> Array:
        return np.zeros_like(f)


def are_classes(targets: Array) -> bool:
    """Whether every target is -1 or 1; only then can the sign of a prediction be right or wrong."""
    return bool(np.all(np.abs(targets) == 1))


LOSSES: dict[str, type[Loss]] = {
    "mse": SquaredError,
    "infidelity": Infidelity,
    "expval": Expval,
}
