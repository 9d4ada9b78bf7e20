"""The loss on a plane of two parameters, with the curvature at marked points (Figs. 2-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.curvature.spectrum import spectrum
from vqc_landscape.objectives.interface import Risk
from vqc_landscape.studies.build import make_risk
from vqc_landscape.tables import write_table

if TYPE_CHECKING:
    from vqc_landscape.config import Experiment


def write_landscape(experiment: Experiment, output: str) -> None:
    """Write the loss on a grid (label null), then loss, gradient and eigenvalues at each marked point."""
    plane = experiment.landscape
    assert plane is not None
    risk = make_risk(experiment)
    axis = np.linspace(plane.low, plane.high, plane.n_grid)
    grid = [(a, b) for b in axis for a in axis]
    places = [*grid, *plane.points.values()]
    marked = [_at_point(risk, _params(risk, plane.axes, place)) for place in plane.points.values()]
    columns: dict[str, list[object]] = {
        "label": [None] * len(grid) + list(plane.points),
        "a": [a for a, _ in places],
        "b": [b for _, b in places],
        "loss": list(risk.losses([_params(risk, plane.axes, place) for place in places])),
        "grad_norm": [None] * len(grid) + [norm for norm, _ in marked],
        "eigvals": [None] * len(grid) + [eigvals for _, eigvals in marked],
    }
    write_table("landscapes", output, columns)


def _params(risk: Risk, axes: tuple[int, int], place: tuple[float, float]) -> Array:
    params = np.zeros(risk.n_params)
    params[list(axes)] = place
    return params


def _at_point(risk: Risk, params: Array) -> tuple[float | None, Array | None]:
    """Norm of the gradient and eigenvalues of the Hessian; nulls at a cusp of the published loss, which has neither."""
    try:
        hessian = risk.hessian(params)
    except ValueError as error:
        if "is a cusp" not in str(error):
            raise
        return None, None
    return float(np.linalg.norm(risk.grad(params))), spectrum(hessian, risk.structural_directions).eigvals
