"""The loss, and the smallest and largest curvature, on planes through the space of parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vqc_landscape.checks import Array, as_float, as_matrix, as_vector, check_count, check_type
from vqc_landscape.curvature.spectrum import Spectrum
from vqc_landscape.progress_bar import progress_bar
from vqc_landscape.risks.risk import Risk

if TYPE_CHECKING:
    import pandas as pd

MARGIN = 0.25  # of the path's extent, on each side of a plane that is fitted to a path: chosen by us
SMALLEST_EXTENT = 0.1  # rad: the plane around a path that hardly moves
PIECE = 512  # points between two steps of the progress bar


@dataclass(frozen=True, eq=False)
class Plane:
    """A two-dimensional plane: the points ``origin + axes @ (a, b)``.

    Attributes:
        origin: shape (P,), radians.
        axes: orthonormal columns, shape (P, 2).
        labels: what the two axes are.
        path: parameter vectors that belong on a drawing of it, shape (n, P): the run that a plane was fitted to,
            else the origin alone.
        explained: share of the path's variance along each axis; empty where the plane was not fitted.
    """

    origin: Array
    axes: Array
    labels: tuple[str, str]
    path: Array
    explained: tuple[float, ...] = ()

    def points(self, a: Any, b: Any) -> Array:
        """Parameters at every pair of coordinates, a running fastest, shape (n_b * n_a, P)."""
        grid_a, grid_b = np.meshgrid(as_float("a", a), as_float("b", b))
        return self.origin + np.stack([grid_a.reshape(-1), grid_b.reshape(-1)], axis=1) @ self.axes.T

    def project(self, points: Any) -> Array:
        """Coordinates (a, b) of the point of the plane that is nearest to each row, shape (n, 2)."""
        coordinates: Array = (as_matrix("points", points, (len(self.origin),)) - self.origin) @ self.axes
        return coordinates

    def window(self) -> tuple[float, float, float, float]:
        """Range of a and of b that shows the path with a margin; from -pi to pi where the path is one point."""
        if len(self.path) == 1:
            return (-math.pi, math.pi, -math.pi, math.pi)
        low, high = (extreme(self.project(self.path), axis=0) for extreme in (np.min, np.max))
        margin = np.maximum(MARGIN * (high - low), SMALLEST_EXTENT / 2)
        (a_low, b_low), (a_high, b_high) = low - margin, high + margin
        return float(a_low), float(a_high), float(b_low), float(b_high)

    def __repr__(self) -> str:
        return f"Plane({self.labels[0]} x {self.labels[1]}, {len(self.origin)} parameters)"


@dataclass(frozen=True, eq=False)
class PlaneGrid:
    """The loss on a grid over a plane, and where asked for the extreme eigenvalues of the Hessian.

    Attributes:
        plane: the plane.
        a: coordinates along the first axis, shape (n_a,), radians.
        b: coordinates along the second axis, shape (n_b,), radians.
        losses: shape (n_b, n_a).
        smallest: smallest eigenvalue at each point, shape (n_b, n_a); None if not asked for.
        largest: largest eigenvalue at each point, likewise.
    """

    plane: Plane
    a: Array
    b: Array
    losses: Array
    smallest: Array | None = None
    largest: Array | None = None

    def to_pandas(self) -> pd.DataFrame:
        """One row a point of the grid (a, b, loss, smallest, largest), then one a point of the path (step, a, b)."""
        import pandas as pd

        grid_a, grid_b = np.meshgrid(self.a, self.b)
        columns = {"a": grid_a, "b": grid_b, "loss": self.losses, "smallest": self.smallest, "largest": self.largest}
        flat = {name: np.full(grid_a.size, np.nan) if c is None else c.reshape(-1) for name, c in columns.items()}
        path = self.plane.project(self.plane.path)
        steps = pd.DataFrame({"step": np.arange(len(path)), "a": path[:, 0], "b": path[:, 1]})
        whole = pd.concat([pd.DataFrame(flat), steps], ignore_index=True)
        return whole.astype({"step": "Int64"})[["step", "a", "b", "loss", "smallest", "largest"]]

    def __repr__(self) -> str:
        extremes = "" if self.smallest is None else ", with extreme eigenvalues"
        return (
            f"PlaneGrid({self.plane.labels[0]} x {self.plane.labels[1]}, {len(self.a)} x {len(self.b)} points, "
            f"loss from {self.losses.min():.4g} to {self.losses.max():.4g}{extremes})"
        )


def eigenvector_plane(params: Any, pairs: Spectrum, positions: tuple[int, int] = (-1, -2)) -> Plane:
    """The plane through ``params`` along two eigenvectors of the Hessian there.

    Args:
        params: the origin, P entries, radians.
        pairs: spectrum of the Hessian there.
        positions: of the eigenvectors, ascending; negative counts from the largest.

    Raises:
        ValueError: no spectrum, positions that it does not have, or the same one twice.
    """
    n_pairs = len(check_type("pairs", pairs, Spectrum, "vl.spectrum").eigvals)
    origin = as_vector("params", params, n_pairs)
    if len(positions) != 2 or not all(-n_pairs <= position < n_pairs for position in positions):
        raise ValueError(
            f"Argument `positions` must be two positions between {-n_pairs} and {n_pairs - 1}, but is {positions}."
        )
    chosen = [position % n_pairs for position in positions]
    if chosen[0] == chosen[1]:
        raise ValueError(f"Argument `positions` must name two different eigenvectors, but is {positions}.")
    first, second = (f"eigenvector of λ = {pairs.eigvals[position]:.3g}" for position in chosen)
    return Plane(origin, pairs.eigvecs[:, chosen], (first, second), origin[np.newaxis])


def parameter_plane(center: Any, i: int, j: int) -> Plane:
    """The plane of two chosen parameters, all others at rest; its window is the whole period of both.

    Args:
        center: the origin, P >= 2 entries in any shape, radians.
        i: position of the parameter along the first axis, 0 to P - 1.
        j: of the one along the second.

    Raises:
        ValueError: fewer than two parameters, a position that is none of them, or the same one twice.

    Example:
        >>> import vqc_landscape as vl
        >>> vl.parameter_plane([0.1, 0.2, 0.3], 0, 2)
        Plane(parameter 0 x parameter 2, 3 parameters)
    """
    origin = _origin("center", center)
    chosen = [check_count(name, value, 0, origin.size - 1) for name, value in (("i", i), ("j", j))]
    if chosen[0] == chosen[1]:
        raise ValueError(f"Arguments `i` and `j` must name two different parameters, but both are {chosen[0]}.")
    first, second = (f"parameter {position}" for position in chosen)
    return Plane(origin, np.eye(origin.size)[:, chosen], (first, second), origin[np.newaxis])


def random_plane(params: Any, seed: int = 0) -> Plane:
    """The plane through ``params`` along two random directions: isotropic, orthonormal, no filter normalisation.

    Args:
        params: the origin, at least two entries, radians.
        seed: of the directions.

    Raises:
        ValueError: fewer than two parameters.
    """
    origin = _origin("params", params)
    axes, triangle = np.linalg.qr(np.random.default_rng(seed).normal(size=(origin.size, 2)))
    axes *= np.sign(np.diag(triangle))  # QR alone leaves the signs to LAPACK
    return Plane(origin, axes, ("random direction 1", "random direction 2"), origin[np.newaxis])


def pca_plane(path: Any) -> Plane:
    """The plane that a training run moves in most: through its last point, along its first two principal components.

    Args:
        path: parameters at every epoch, shape (n, P) with n > 2 and P > 1, radians.

    Raises:
        ValueError: another shape, or points on one line, which has no second component.
    """
    points = as_matrix("path", path)
    if len(points) < 3 or points.shape[1] < 2:
        raise ValueError(f"Argument `path` must have at least 3 rows of at least 2 entries, but is {points.shape}.")
    _, singular, components = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    # 1e-10: what round-off leaves of a second component of points on a line
    if singular[1] <= 1e-10 * singular[0]:
        raise ValueError("Argument `path` must not lie on one line: it has no second principal component.")
    axes = components[:2].T
    axes = axes * np.where(np.sum(axes * (points[-1] - points[0])[:, np.newaxis], axis=0) < 0, -1.0, 1.0)
    shares = singular**2 / np.sum(singular**2)
    explained = (float(shares[0]), float(shares[1]))
    first, second = (f"principal component {i + 1} ({share:.0%})" for i, share in enumerate(explained))
    return Plane(points[-1], axes, (first, second), points, explained)


def plane_grid(
    risk: Risk, plane: Plane, n_grid: int = 101, radius: float | None = None, extremes: bool = False
) -> PlaneGrid:
    """The loss at every point of a square grid over a plane.

    Args:
        risk: any risk.
        plane: see :func:`eigenvector_plane`, :func:`parameter_plane`, :func:`random_plane` and :func:`pca_plane`.
        n_grid: points along each axis.
        radius: from -radius to radius along both axes, radians; None: the plane's own window.
        extremes: also the smallest and largest eigenvalue of the Hessian at every point (one Hessian each).

    Raises:
        ValueError: no plane, one of another number of parameters, or a wrong count.

    Example:
        >>> import vqc_landscape as vl
        >>> risk = vl.CircuitRisk(vl.rx_product(2, 1), vl.Projector([1, 0, 0, 0]), loss="infidelity")
        >>> vl.plane_grid(risk, vl.random_plane([0.0, 0.0]), n_grid=11)
        PlaneGrid(random direction 1 x random direction 2, 11 x 11 points, loss from 0 to 0.9999)
    """
    check_type("plane", plane, Plane, "vl.random_plane")
    if len(plane.origin) != risk.n_params:
        raise ValueError(
            f"Argument `plane` must have {risk.n_params} parameters, as the risk has, but has {len(plane.origin)}."
        )
    check_count("n_grid", n_grid, minimum=2)
    window = plane.window() if radius is None else (-radius, radius, -radius, radius)
    a, b = (np.linspace(low, high, n_grid) for low, high in (window[:2], window[2:]))
    points = plane.points(a, b)
    pieces = [points[start : start + PIECE] for start in range(0, len(points), PIECE)]
    losses = np.concatenate([risk.losses(piece) for piece in progress_bar(pieces, len(pieces), "plane")])
    shape = (n_grid, n_grid)
    if not extremes:
        return PlaneGrid(plane, a, b, losses.reshape(shape))
    eigvals = [
        np.linalg.eigvalsh(risk.hessian(point))[[0, -1]] for point in progress_bar(points, len(points), "Hessians")
    ]
    smallest, largest = np.array(eigvals).T
    return PlaneGrid(plane, a, b, losses.reshape(shape), smallest.reshape(shape), largest.reshape(shape))


def _origin(name: str, params: Any) -> Array:
    origin = as_float(name, params).reshape(-1)
    if origin.size < 2:
        raise ValueError(f"Argument `{name}` must have at least 2 entries, but has {origin.size}.")
    return origin
