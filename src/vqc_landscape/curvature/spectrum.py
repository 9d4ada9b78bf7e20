"""Eigenvalues of a Hessian, with the structural zeros split off first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array, as_float

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigen-decomposition of a Hessian.

    Attributes:
        eigvals: ascending, shape (P,). Structural ones are exactly 0.
        eigvecs: unit eigenvectors as columns, shape (P, P).
        structural: whether the pair belongs to the structural space, shape (P,).
        tolerance: eigenvalues of at most this magnitude count as zero, max(1e-12, P eps max|eigval|).
    """

    eigvals: Array
    eigvecs: Array
    structural: NDArray[np.bool_]
    tolerance: float

    @property
    def rank(self) -> int:
        """Number of eigenvalues that are not zero."""
        return int(np.sum(np.abs(self.eigvals) > self.tolerance))

    @property
    def index(self) -> int:
        """Number of negative eigenvalues, below -tolerance."""
        return int(np.sum(self.eigvals < -self.tolerance))

    @property
    def sharpness(self) -> float:
        """Largest eigenvalue."""
        return float(self.eigvals[-1])

    @property
    def trace(self) -> float:
        """Sum of the eigenvalues."""
        return float(np.sum(self.eigvals))

    def to_pandas(self) -> pd.DataFrame:
        """One row a pair: position, eigval, eigvec, structural, tolerance (as table ``spectra``)."""
        import pandas as pd

        return pd.DataFrame(
            {
                "position": np.arange(len(self.eigvals)),
                "eigval": self.eigvals,
                "eigvec": list(self.eigvecs.T),
                "structural": self.structural,
                "tolerance": self.tolerance,
            }
        )

    @classmethod
    def from_pandas(cls, pairs: pd.DataFrame) -> Spectrum:
        """The spectrum that :meth:`to_pandas` wrote, or rows of table ``spectra`` of one run and epoch."""
        pairs = pairs.sort_values("position")
        vectors = np.stack(pairs["eigvec"].to_list(), axis=1)
        structural = pairs["structural"].to_numpy(dtype=bool)
        return cls(pairs["eigval"].to_numpy(), vectors, structural, float(pairs["tolerance"].iloc[0]))

    def __repr__(self) -> str:
        return (
            f"Spectrum(n={len(self.eigvals)}, rank={self.rank}, structural_zeros={int(self.structural.sum())}, "
            f"sharpness={self.sharpness:.6g}, index={self.index}, tolerance={self.tolerance:.1e})"
        )


def spectrum(hessian: Any, structural: Any = None) -> Spectrum:
    """Diagonalise a Hessian.

    Args:
        hessian: symmetric matrix, shape (P, P).
        structural: orthonormal directions that no derivative sees, shape (P, k), such as
            ``risk.structural_directions``. The Hessian is diagonalised on their complement, so that their
            zeros cannot mix with small curvatures.

    Returns:
        All P pairs, ascending.

    Raises:
        ValueError: no symmetric finite matrix, or directions that are not orthonormal or not structural.

    Example:
        >>> import vqc_landscape as vl
        >>> vl.spectrum([[2.0, 0.0], [0.0, 0.0]])
        Spectrum(n=2, rank=1, structural_zeros=0, sharpness=2, index=0, tolerance=1.0e-12)
    """
    h = _symmetric(hessian)
    n_params = len(h)
    zeros = np.zeros((n_params, 0)) if structural is None else np.asarray(structural, dtype=np.float64)
    size = float(np.linalg.norm(h))
    if zeros.ndim != 2 or len(zeros) != n_params or zeros.shape[1] > n_params:
        raise ValueError(f"Argument `structural` must have shape ({n_params}, k), but has shape {zeros.shape}.")
    # both bounds: round-off of P products, with a margin of 1000
    if not np.allclose(zeros.T @ zeros, np.eye(zeros.shape[1]), rtol=0, atol=1e-12 * n_params):
        raise ValueError("Argument `structural` must have orthonormal columns, but has not.")
    if np.linalg.norm(h @ zeros) > 1e-12 * n_params * max(size, 1.0):
        raise ValueError("Argument `structural` has a direction in which the Hessian is not 0.")
    k = zeros.shape[1]
    complement = complement_of(zeros)
    core = complement.T @ h @ complement
    eigvals, vectors = np.linalg.eigh((core + core.T) / 2)
    eigvals = np.concatenate([np.zeros(k), eigvals])
    eigvecs = np.concatenate([zeros, complement @ vectors], axis=1)
    order = np.argsort(eigvals, kind="stable")
    return Spectrum(eigvals[order], eigvecs[:, order], (np.arange(n_params) < k)[order], zero_below(eigvals, n_params))


def complement_of(directions: Array) -> Array:
    """Orthonormal basis (P, P - k) of what is orthogonal to k orthonormal directions (P, k)."""
    n_params, k = directions.shape
    return np.linalg.qr(directions, mode="complete")[0][:, k:] if k else np.eye(n_params)


def zero_below(eigvals: Array, n_params: int) -> float:
    """The magnitude up to which an eigenvalue counts as zero, max(1e-12, P eps max|eigval|)."""
    return max(1e-12, n_params * float(np.finfo(np.float64).eps) * float(np.max(np.abs(eigvals), initial=0.0)))


def _symmetric(hessian: Any) -> Array:
    h = as_float("hessian", hessian)
    if h.ndim != 2 or h.shape[0] != h.shape[1] or h.size == 0:
        raise ValueError(f"Argument `hessian` must have shape (P, P) with P > 0, but has shape {h.shape}.")
    asymmetry = float(np.max(np.abs(h - h.T)))
    # finite shots and autodiff leave round-off, nothing more: 1e-9 of the largest entry
    if asymmetry > 1e-9 * max(float(np.max(np.abs(h))), 1.0):
        raise ValueError(f"Argument `hessian` must be symmetric, but differs from its transpose by {asymmetry:.1e}.")
    return h
