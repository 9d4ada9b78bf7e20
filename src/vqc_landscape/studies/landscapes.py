"""The loss on a plane of two parameters, with the curvature at marked points and on the grid (Figs. 2-4)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from vqc_landscape.checks import Array, NotDifferentiableError
from vqc_landscape.curvature.spectrum import spectrum
from vqc_landscape.risks.risk import Risk
from vqc_landscape.studies.build import make_risk
from vqc_landscape.tables.parquet import write_table

if TYPE_CHECKING:
    from vqc_landscape.config import LandscapeConfig, Problem

# the Hessian is computed on at most this many lines of the grid: chosen by us, a few seconds a plane
HESSIAN_LINES = 61


def write_landscape(problem: Problem, landscape: LandscapeConfig, output: str) -> None:
    """Write the loss on a grid (label null), then at each marked point.

    Gradient and Hessian are there at the marked points and on every few lines of the grid.
    """
    plane, risk = landscape, make_risk(problem)
    axis = np.linspace(plane.low, plane.high, plane.n_grid)
    step = math.ceil((plane.n_grid - 1) / (HESSIAN_LINES - 1))
    lines = set(axis[::step])
    grid = [(a, b) for b in axis for a in axis]
    places = [*grid, *plane.points.values()]
    curved = [a in lines and b in lines for a, b in grid] + [True] * len(plane.points)
    at = [_curvature(risk, plane.axes, place) if wanted else {} for place, wanted in zip(places, curved, strict=True)]
    columns: dict[str, list[object]] = {
        "label": [None] * len(grid) + list(plane.points),
        "a": [a for a, _ in places],
        "b": [b for _, b in places],
        "loss": list(risk.losses([_params(risk, plane.axes, place) for place in places])),
    }
    columns |= {name: [row.get(name) for row in at] for name in ("grad_norm", "eigvals", "structural", "plane_eigvecs")}
    write_table("landscapes", output, columns)


def _params(risk: Risk, axes: tuple[int, int], place: tuple[float, float]) -> Array:
    params = np.zeros(risk.n_params)
    params[list(axes)] = place
    return params


def _curvature(risk: Risk, axes: tuple[int, int], place: tuple[float, float]) -> dict[str, Any]:
    """Gradient norm and eigenpairs of the Hessian; nothing at a cusp of the published loss, which has neither."""
    params = _params(risk, axes, place)
    try:
        hessian = risk.hessian(params)
    except NotDifferentiableError:
        return {}
    result = spectrum(hessian, risk.structural_directions)
    return {
        "grad_norm": float(np.linalg.norm(risk.grad(params))),
        "eigvals": result.eigvals,
        "structural": result.structural,
        "plane_eigvecs": result.eigvecs[list(axes)].T.reshape(-1),
    }
