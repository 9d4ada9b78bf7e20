"""Extreme eigenvalues of a Hessian too large to be formed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vqc_landscape.checks import Array

# Residual of an eigenpair relative to its eigenvalue; the eigenvalue's own error is its square over the gap.
RESIDUAL = 1e-6


def extreme_eigvals(hvp: Callable[[Array], Array], structural: Array, n_extremes: int) -> Array:
    """The ``n_extremes`` smallest and as many largest eigenvalues, ascending, from products H v alone.

    Lanczos iterations (ARPACK) within the complement of the structural space, whose zeros it never sees. They start
    from a fixed vector: the same bytes every time.

    Args:
        hvp: v (P,) to H v (P,).
        structural: orthonormal directions that no derivative sees, shape (P, k).
        n_extremes: at either end, below half of P - k.

    Returns:
        Shape (2 n_extremes,).

    Raises:
        ValueError: too many for the space that is left.
    """
    from scipy.sparse.linalg import LinearOperator, eigsh

    n_params, k = structural.shape
    if not 0 < 2 * n_extremes < n_params - k:
        raise ValueError(
            f"Argument `n_extremes` must be above 0 and below half of the {n_params - k} dimensions "
            f"beside the structural ones, but is {n_extremes}."
        )

    def curve(v: Array) -> Array:
        return v - structural @ (structural.T @ v)

    def matvec(v: Array) -> Array:
        return curve(hvp(curve(v.reshape(-1))))

    operator: Any = LinearOperator((n_params, n_params), matvec=matvec, dtype=np.float64)
    start = curve(np.asarray(np.random.default_rng(0).standard_normal(n_params)))
    eigvals = eigsh(
        operator,
        k=2 * n_extremes,
        which="BE",
        v0=start,
        ncv=min(n_params - k, max(8 * n_extremes, 40)),
        tol=RESIDUAL,
        return_eigenvectors=False,
    )
    return np.sort(eigvals)
