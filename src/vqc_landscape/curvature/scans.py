"""The loss along eigenvectors of the Hessian, and spectra along a path of parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array, as_matrix, as_vector, check_count, check_type
from vqc_landscape.curvature.spectrum import Spectrum, spectrum
from vqc_landscape.progress_bar import progress_bar
from vqc_landscape.risks.risk import Risk

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Scans:
    """Loss along some eigenvectors.

    Attributes:
        positions: which eigenvectors, counted from the smallest eigenvalue, shape (k,).
        eigvals: their eigenvalues, shape (k,).
        structural: whether they belong to the structural space, shape (k,).
        t: distance along the unit eigenvector, radians, shape (n_points,).
        losses: shape (k, n_points).
    """

    positions: NDArray[np.int64]
    eigvals: Array
    structural: NDArray[np.bool_]
    t: Array
    losses: Array

    def to_pandas(self) -> pd.DataFrame:
        """One row a point: position, eigval, structural, t, loss (as table ``scans``)."""
        import pandas as pd

        n = len(self.t)
        return pd.DataFrame(
            {
                "position": np.repeat(self.positions, n),
                "eigval": np.repeat(self.eigvals, n),
                "structural": np.repeat(self.structural, n),
                "t": np.tile(self.t, len(self.positions)),
                "loss": self.losses.reshape(-1),
            }
        )

    def __repr__(self) -> str:
        span = f"t from {self.t[0]:.4g} to {self.t[-1]:.4g} rad"
        return f"Scans({len(self.positions)} eigenvectors x {len(self.t)} points, {span})"


def eigenvector_scans(
    risk: Risk,
    params: Any,
    pairs: Spectrum,
    positions: Sequence[int] = (-1, -2, 0),
    radius: float = math.pi,
    n_points: int = 121,
) -> Scans:
    """Loss at ``params + t * eigenvector`` for t from -radius to radius, all points in one sweep.

    Args:
        risk: any risk.
        params: the centre, P entries, radians.
        pairs: spectrum of the Hessian there.
        positions: eigenvectors in ascending order of their eigenvalues; negative counts from the largest.
        radius: radians.
        n_points: points of each scan.

    Raises:
        ValueError: no spectrum, a position that it does not have, or a wrong count or shape.

    Example:
        >>> import numpy as np
        >>> import vqc_landscape as vl
        >>> risk = vl.CircuitRisk(vl.rx_product(2, 1), vl.Projector([1, 0, 0, 0]), loss="infidelity")
        >>> vl.eigenvector_scans(risk, [0, 0], vl.spectrum(risk.hessian([0, 0])), positions=[-1])
        Scans(1 eigenvectors x 121 points, t from -3.142 to 3.142 rad)
    """
    centre = as_vector("params", params, risk.n_params)
    n_pairs = len(check_type("pairs", pairs, Spectrum, "vl.spectrum").eigvals)
    wrong = [position for position in positions if not -n_pairs <= position < n_pairs]
    if wrong or not len(positions):
        raise ValueError(
            f"Argument `positions` must hold positions between {-n_pairs} and {n_pairs - 1}, but is {list(positions)}."
        )
    chosen = np.array(positions, dtype=np.int64) % n_pairs
    t = np.linspace(-radius, radius, check_count("n_points", n_points, minimum=2))
    points = centre + t[:, np.newaxis] * pairs.eigvecs.T[chosen, np.newaxis]
    losses = risk.losses(points.reshape(-1, risk.n_params)).reshape(len(chosen), len(t))
    return Scans(chosen, pairs.eigvals[chosen], pairs.structural[chosen], t, losses)


def spectra_at(risk: Risk, points: Any) -> list[Spectrum]:
    """Spectrum of the Hessian at each row of ``points``, for instance along a training run.

    Args:
        risk: any risk.
        points: parameter vectors, shape (n_points, P), radians.

    Raises:
        ValueError: points of another shape.
    """
    rows = as_matrix("points", points, (risk.n_params,))
    structural = risk.structural_directions
    return [spectrum(risk.hessian(row), structural) for row in progress_bar(rows, len(rows), "spectra")]
