"""Prediction maps over the square of the data (Figs. 9, 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vqc_landscape.studies.build import make_risk
from vqc_landscape.studies.inputs import read_params, read_samples
from vqc_landscape.tables.parquet import write_table

if TYPE_CHECKING:
    from vqc_landscape.config import PredictionsConfig, Problem


def write_predictions(
    problem: Problem, predictions: PredictionsConfig, trajectory: str, dataset: str, output: str
) -> None:
    """Write the prediction at every point of a grid over [-1, 1]^2, x1 running fastest."""
    risk = make_risk(problem, read_samples(dataset, "train"))
    axis = np.linspace(-1, 1, predictions.n_grid)
    grid = np.stack([x.reshape(-1) for x in np.meshgrid(axis, axis)], axis=1)
    params = read_params(trajectory, predictions.epochs)
    columns = {
        "epoch": np.repeat(predictions.epochs, len(grid)),
        "x1": np.tile(grid[:, 0], len(params)),
        "x2": np.tile(grid[:, 1], len(params)),
        "prediction": np.concatenate([risk.predict(theta, grid) for theta in params]),
    }
    write_table("predictions", output, columns)
