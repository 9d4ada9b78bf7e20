"""When a run counts as converged: its loss has stood still for some epochs."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from vqc_landscape.checks import Array

# Epochs over which the loss has to stand still. Chosen by us: the memory of Adam, 1 / (1 - beta1) with beta1 = 0.9, so
# that the turning point of a swing is not taken for the end.
WINDOW = 10

# The loss below which a relative change says nothing, so that a run towards 0 ends before round-off alone is left.
# Chosen by us: losses are made of expectation values of order 1, and a million shots cannot tell 1e-3 of them from 0.
TINY = 1e-3


def converged_at(losses: Array, tol: float | None) -> int | None:
    """First position e at which the losses stand still; None if there is none, or without a tolerance.

    max(window) - min(window) <= tol * max(|L_e|, 1e-3), where the window is L_{e-10} ... L_e: the range, not the
    difference of its ends, which is small by chance where the loss swings or is noisy.

    Args:
        losses: loss of the whole training set after each epoch, shape (n,).
        tol: largest relative change.
    """
    if tol is None or len(losses) <= WINDOW:
        return None
    change = np.ptp(sliding_window_view(losses, WINDOW + 1), axis=1)
    still = change <= tol * np.maximum(np.abs(losses[WINDOW:]), TINY)
    return WINDOW + int(np.argmax(still)) if still.any() else None
