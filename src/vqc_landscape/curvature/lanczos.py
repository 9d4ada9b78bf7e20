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

    Lanczos iterations (ARPACK) in coordinates of the complement of the structural space, whose zeros are thereby
    out of sight. They start from a fixed vector: the same bytes every time.

    Args:
        hvp: v (P,) to H v (P,).
        structural: orthonormal directions that no derivative sees, shape (P, k).
        n_extremes: at either end, below half of P - k.

    Returns:
        Shape (2 n_extremes,).

    Raises:
        ValueError: too many for the space that is left.
    """
    from scipy.linalg.lapack import dormqr
    from scipy.sparse.linalg import LinearOperator, eigsh

    n_params, k = structural.shape
    n_left = n_params - k
    if not 0 < 2 * n_extremes < n_left:
        raise ValueError(
            f"Argument `n_extremes` must be above 0 and below half of the {n_left} dimensions "
            f"beside the structural ones, but is {n_extremes}."
        )
    # Householder reflectors: an orthogonal (P, P) matrix whose first k columns span the structural space, never formed
    reflectors, factors = np.linalg.qr(structural, mode="raw")

    def rotate(v: Array, transposed: str) -> Array:
        return np.asarray(dormqr("L", transposed, reflectors.T, factors, v[:, np.newaxis], lwork=1)[0][:, 0])

    def curve(u: Array) -> Array:
        """Of the Hessian within the complement, in its P - k coordinates."""
        if not k:
            return hvp(u)
        return rotate(hvp(rotate(np.append(np.zeros(k), u), "N")), "T")[k:]

    operator: Any = LinearOperator((n_left, n_left), matvec=lambda u: curve(u.reshape(-1)), dtype=np.float64)
    eigvals = eigsh(
        operator,
        k=2 * n_extremes,
        which="BE",
        v0=np.random.default_rng(0).standard_normal(n_left),
        ncv=min(n_left, max(8 * n_extremes, 40)),
        tol=RESIDUAL,
        return_eigenvectors=False,
    )
    return np.sort(eigvals)
