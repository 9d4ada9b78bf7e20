"""What claims and figures mean by a flat start, a plateau that is left, and a run that has converged."""

from __future__ import annotations

from typing import Any

import numpy as np

from vqc_landscape.checks import Array

# Random states of 8 qubits have a fidelity above 0.1 with probability 0.9^255 = 2e-12: such a run has left the plateau.
PLATEAU = 0.9
CONVERGED = 0.01  # fidelity of 99 %, chosen by us

# A start is flat if every |eigenvalue| is below this share of the sharpness that the circuit would have there if its
# own state were the target: half of the largest eigenvalue of its quantum Fisher matrix (at fidelity 1 the Hessian is
# half that matrix). A tenth is "close to zero" read as: an order of magnitude below the curvature of a minimum.
FLAT = 0.1
WHEN_FLAT = (
    "a start is flat if every |eigenvalue| is below a tenth of the largest that this circuit would have there if its "
    "own state were the target (half of the quantum Fisher matrix)"
)


def by_size(starts: Any) -> dict[tuple[int, int], Any]:
    """(n_qubits, n_layers) -> rows of table ``starts``, ascending, the starts of each in one order."""
    return dict(iter(starts.sort_values("init").groupby(["n_qubits", "n_layers"])))


def relative_curvature(starts: Any) -> Array:
    """Largest |eigenvalue| of each start, in units of the sharpness of a minimum there."""
    largest = np.array([np.max(np.abs(eigvals)) for eigvals in starts["eigvals"]])
    return np.asarray(largest / (starts["quantum_fisher"].to_numpy() / 2), dtype=np.float64)


def is_flat(starts: Any) -> Array:
    """1 for a flat start, else 0."""
    return (relative_curvature(starts) < FLAT).astype(np.float64)


def rise(before: Array, after: Array, axis: int) -> Array:
    """Difference of two shares."""
    return np.asarray(np.mean(after, axis) - np.mean(before, axis))
