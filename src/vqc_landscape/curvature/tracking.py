"""Eigenvalues followed from epoch to epoch by their eigenvectors, through crossings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array, check_count, check_type
from vqc_landscape.curvature.spectrum import Spectrum

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Tracks:
    """Eigenpairs along a path, without the structural ones; track k begins at the k-th smallest eigenvalue.

    Attributes:
        epochs: shape (n,).
        eigvals: eigenvalue of each track, shape (n, r).
        positions: place of each track's pair in the spectrum of its epoch, shape (n, r).
        overlaps: squared overlap of each track's eigenvector with that of the epoch before, 1 at first, (n, r).
    """

    epochs: NDArray[np.int64]
    eigvals: Array
    positions: NDArray[np.int64]
    overlaps: Array

    def to_pandas(self) -> pd.DataFrame:
        """One row a track and epoch: epoch, track, position, eigval, overlap."""
        import pandas as pd

        n_epochs, n_tracks = self.eigvals.shape
        return pd.DataFrame(
            {
                "epoch": np.repeat(self.epochs, n_tracks),
                "track": np.tile(np.arange(n_tracks), n_epochs),
                "position": self.positions.reshape(-1),
                "eigval": self.eigvals.reshape(-1),
                "overlap": self.overlaps.reshape(-1),
            }
        )

    def __repr__(self) -> str:
        crossings = int(np.sum(np.diff(np.argsort(np.argsort(self.eigvals, axis=1), axis=1), axis=0) != 0))
        return f"Tracks({self.eigvals.shape[1]} eigenpairs over {len(self.epochs)} epochs, {crossings} changes of rank)"


def track_eigenpairs(spectra: Sequence[Spectrum], epochs: Sequence[int] | None = None) -> Tracks:
    """Follow each eigenpair from epoch to epoch: the matching whose squared overlaps have the largest sum.

    Within a degenerate eigenvalue the eigenvectors are any basis of their space, and so is the matching.

    Args:
        spectra: one for each epoch, in their order, all of one risk.
        epochs: their numbers; None: 0, 1, 2, ...

    Raises:
        ValueError: no spectra, spectra of different sizes, or another number of epochs.

    Reference:
        Linear assignment as in scipy.optimize.linear_sum_assignment.
    """
    from scipy.optimize import linear_sum_assignment

    _check_spectra(spectra)
    sizes = sorted({(len(s.eigvals), int(s.structural.sum())) for s in spectra})
    if len(sizes) != 1:
        raise ValueError(
            f"Argument `spectra` must hold spectra with one number of parameters and of structural zeros, "
            f"but has {sizes or 'none'}."
        )
    if epochs is not None and len(epochs) != len(spectra):
        raise ValueError(f"Argument `epochs` must have {len(spectra)} entries, but has {len(epochs)}.")
    positions = [np.flatnonzero(~spectra[0].structural)]
    overlaps = [np.ones(len(positions[0]))]
    for before, now in zip(spectra, spectra[1:], strict=False):
        candidates = np.flatnonzero(~now.structural)
        squares = (before.eigvecs[:, positions[-1]].T @ now.eigvecs[:, candidates]) ** 2
        rows, columns = linear_sum_assignment(squares, maximize=True)
        positions.append(candidates[columns])
        overlaps.append(squares[rows, columns])
    eigvals = [s.eigvals[chosen] for s, chosen in zip(spectra, positions, strict=True)]
    numbers = np.arange(len(spectra)) if epochs is None else np.asarray(epochs, dtype=np.int64)
    return Tracks(numbers, np.array(eigvals), np.array(positions), np.array(overlaps))


def subspace_overlaps(spectra: Sequence[Spectrum], n_top: int) -> Array:
    r"""Overlap of the top eigenspace of each epoch with that of the epoch before, shape (n - 1,).

    With V the eigenvectors of the ``n_top`` largest eigenvalues, :math:`\|V_{before}^T V_{now}\|_F^2 / n_{top}`: 1 for
    the same space, ``n_top / P`` on average for random ones.

    Args:
        spectra: one for each epoch, in their order, all of one risk.
        n_top: dimension of the space.

    Raises:
        ValueError: no spectra, or a dimension that they do not have.

    Reference:
        Gur-Ari, Roberts and Dyer, arXiv:1812.04754, Sec. 2.
    """
    _check_spectra(spectra)
    check_count("n_top", n_top, maximum=min((len(s.eigvals) for s in spectra), default=1))
    tops = [s.eigvecs[:, -n_top:] for s in spectra]
    pairs = zip(tops, tops[1:], strict=False)
    return np.array([np.sum((before.T @ now) ** 2) / n_top for before, now in pairs])


def _check_spectra(spectra: Sequence[Spectrum]) -> None:
    for i, pairs in enumerate(spectra):
        check_type(f"spectra[{i}]", pairs, Spectrum, "vl.spectrum")
