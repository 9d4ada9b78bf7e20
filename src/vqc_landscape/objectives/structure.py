r"""Directions that no derivative ever sees.

A direction v is structural when :math:`v \cdot \nabla f(\theta, x) = 0` at every parameter vector and for every
sample: a dead parameter, or a combination such as two RZ in a row. Then f depends on fewer coordinates,
:math:`f(\theta) = F(R\theta)`, and :math:`H = R^T H_F R` with as many rows in R as there are pivots.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array


@dataclass(frozen=True)
class Reduction:
    """The coordinates that a function depends on.

    Attributes:
        pivots: parameters to differentiate, ascending, shape (r,).
        rows: R in reduced row echelon form: identity on the pivots, shape (r, P).
    """

    pivots: NDArray[np.int64]
    rows: Array

    @functools.cached_property
    def structural_directions(self) -> Array:
        """Orthonormal basis of the null space of R, shape (P, P - r); unit vectors for dead parameters."""
        n_params = self.rows.shape[1]
        free = np.setdiff1d(np.arange(n_params), self.pivots)
        basis = np.zeros((n_params, len(free)))
        basis[free, np.arange(len(free))] = 1.0
        basis[self.pivots] = -self.rows[:, free]
        # modified Gram-Schmidt keeps vectors of different gates apart: zeros stay zeros
        for k in range(len(free)):
            for _ in range(2):
                basis[:, k] -= basis[:, :k] @ (basis[:, :k].T @ basis[:, k])
            basis[:, k] /= np.linalg.norm(basis[:, k])
        return basis


def reduce_rows(gradients: Array) -> Reduction:
    """Row space of gradients at generic points, by Gauss-Jordan elimination with full row pivoting.

    Args:
        gradients: gradients at more generic points than there are parameters, shape (m, P), m > P.
    """
    rows = gradients.copy()
    n_points, n_params = rows.shape
    # round-off of a gradient is about 1e-15 of its size and grows in the elimination; the smallest true
    # pivots of generic gradients are 1e-5 and more. 1e-9 lies far from both.
    largest = np.abs(rows).max(initial=0.0)
    threshold = max(1e-9 * largest, 1e-14)  # the latter: gradients of a constant are nothing but round-off
    pivots: list[int] = []
    for column in range(n_params):
        rank = len(pivots)
        if rank == n_points:
            break
        best = rank + int(np.argmax(np.abs(rows[rank:, column])))
        if abs(rows[best, column]) <= threshold:
            rows[rank:, column] = 0.0
            continue
        rows[[rank, best]] = rows[[best, rank]]
        rows[rank] /= rows[rank, column]
        factors = rows[:, column].copy()
        factors[rank] = 0.0
        rows -= factors[:, None] * rows[rank]
        rows[:, column] = 0.0
        rows[rank, column] = 1.0
        pivots.append(column)
    reduced = rows[: len(pivots)]
    reduced[np.abs(reduced) < 1e-7] = 0.0  # round-off of the elimination; true entries are of order 1
    rounded = np.round(reduced)
    close = np.abs(reduced - rounded) < 1e-7  # merging rotations do so with integer weights
    reduced[close] = rounded[close]
    return Reduction(np.array(pivots, dtype=np.int64), reduced)
