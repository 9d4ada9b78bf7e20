"""The interactive views in three dimensions: the loss over two parameters, and over planes through a trained point."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy.interpolate import RegularGridInterpolator

from vqc_landscape.config import Experiment
from vqc_landscape.figures import labels
from vqc_landscape.figures.data import FigureData
from vqc_landscape.figures.experiment import COLUMNS
from vqc_landscape.report.view import COLOURS, View

SMALLEST_IN_PLANE = 1e-3  # shorter eigenvector components within the plane have no direction there: chosen by us
PLANES = {"eigenvectors": "largest eigenvectors", "random": "random directions", "pca": "principal components"}
CAMERA = {"eye": {"x": 1.0, "y": -1.3, "z": 1.3}, "center": {"x": 0, "y": 0, "z": -0.25}}


def landscape(data: FigureData) -> View:
    """The loss over the plane in three dimensions, with the Hessian's eigenvectors at a point that one moves."""
    tables = {name: data.rows("landscapes", name) for name in data.experiments}
    values = [_landscape_values(table) for table in tables.values()]
    losses = np.concatenate([table["loss"] for table in tables.values()])
    low, high = float(losses.min()), max(float(losses.max()), float(losses.min()) + 0.1)
    air = 0.04 * (high - low)  # a surface in the floor of the box would be cut by it
    plane = data.first.landscape
    assert plane is not None
    axes = [f"parameter {index} (rad)" for index in plane.axes]
    figure = go.Figure()
    figure.add_surface(
        x=values[0]["axis"],
        y=values[0]["axis"],
        z=np.zeros((0, 0)),
        colorscale="Viridis",
        cmin=low,
        cmax=high,
        colorbar={"orientation": "h", "len": 0.6, "y": 0, "yanchor": "bottom", "thickness": 12},
        hovertemplate="%{x:.2f}, %{y:.2f}: L = %{z:.3f}<extra></extra>",
        contours={"x": {"highlight": False}, "y": {"highlight": False}, "z": {"highlight": False}},
    )
    figure.add_scatter3d(
        mode="markers+text",
        textfont={"size": 15},
        marker={"size": 4, "color": "white", "line": {"color": "black", "width": 2}},
        hoverinfo="skip",
        name="marked points",
    )
    figure.add_scatter3d(
        mode="markers", marker={"size": 6, "color": COLOURS["ochre"]}, hoverinfo="skip", name="the point"
    )
    for _ in range(2):
        figure.add_scatter3d(mode="lines", line={"width": 9}, hoverinfo="skip", name="eigenvector")
    figure.update_layout(
        showlegend=False,
        scene={
            "xaxis": {"title": {"text": axes[0]}},
            "yaxis": {"title": {"text": axes[1]}},
            "zaxis": {"title": {"text": labels.loss_axis(data.first)}, "range": [low - air, high + air]},
            "aspectratio": {"x": 1, "y": 1, "z": 0.5},
            "camera": CAMERA,
            "domain": {"y": [0.1, 1]},
        },
        height=560,
        margin={"l": 0, "r": 0, "t": 10, "b": 0},
    )
    return View(
        kind="landscape",
        title="The landscape, and the Hessian's eigenvectors at a point",
        hint="Point at the surface, or move the two sliders. Blue: the loss curves up along the eigenvector; "
        "red: down; grey: it does not curve.",
        runs=tuple(labels.convention(experiment) for experiment in data.experiments.values()),
        figure=figure,
        values={
            "runs": values,
            "lift": air,
            "axes": axes,
            "colours": [COLOURS["red"], COLOURS["grey"], COLOURS["blue"]],
        },
    )


def _landscape_values(table: pd.DataFrame) -> dict[str, Any]:
    """Loss and eigenpairs on the lines of the grid that have Hessians."""
    grid, points = table[table["label"].isna()], table[table["label"].notna()]
    # a point without Hessian on a line with some is a cusp
    axis = np.sort(grid.loc[grid["eigvals"].notna(), "a"].unique())
    axis = axis if len(axis) else np.sort(grid["a"].unique())
    at = grid[grid["a"].isin(axis) & grid["b"].isin(axis)].sort_values(["b", "a"])
    shape = (len(axis), len(axis))
    return {
        "axis": np.round(axis, 6),
        "loss": np.round(at["loss"].to_numpy().reshape(shape), 5),
        "pairs": [_in_plane(row) for row in at.itertuples()],
        "labels": points["label"],
        "points": np.round(points[["a", "b", "loss"]].to_numpy().T, 5),
    }


def _in_plane(row: Any) -> list[list[float]] | None:
    """At most two (eigenvalue, direction along a, along b), largest in the plane first; None without a Hessian.

    The first component of a direction is positive.
    """
    if row.eigvals is None:
        return None
    vectors = np.reshape(row.plane_eigvecs, (-1, 2))
    lengths = np.where(row.structural, 0.0, np.hypot(*vectors.T))
    chosen = [i for i in np.argsort(-lengths, kind="stable")[:2] if lengths[i] > SMALLEST_IN_PLANE]
    signs = [math.copysign(1, vectors[i][np.argmax(np.abs(vectors[i]) > SMALLEST_IN_PLANE)]) for i in chosen]
    return [
        [_short(row.eigvals[i]), *(_short(sign * x / lengths[i]) for x in vectors[i])]
        for i, sign in zip(chosen, signs, strict=True)
    ]


def _short(value: float) -> float:
    """Four digits; what rounding left of a zero is a zero."""
    return float(f"{value:.4g}") if abs(value) > 1e-9 else 0.0


def planes(data: FigureData) -> View:
    """The loss, or an extreme eigenvalue, over planes through a point of the training, with the run upon it."""
    table = data.rows("planes")
    names = list(table["plane"].unique())
    heights = [column for column in COLUMNS if table[column].notna().any()]
    figure = go.Figure()
    figure.add_surface(
        z=np.zeros((0, 0)),
        colorscale="Viridis",
        colorbar={"orientation": "h", "len": 0.6, "y": 0, "yanchor": "bottom", "thickness": 12},
        hovertemplate="%{x:.2f}, %{y:.2f}: %{z:.4g}<extra></extra>",
        contours={"x": {"highlight": False}, "y": {"highlight": False}, "z": {"highlight": False}},
    )
    figure.add_scatter3d(
        mode="lines+markers",
        line={"width": 5, "color": COLOURS["red"]},
        marker={"size": 3, "color": COLOURS["red"]},
        hovertemplate="epoch %{customdata}<extra></extra>",
        name="training run",
    )
    figure.update_layout(
        showlegend=False,
        scene={
            "xaxis": {"title": {"text": "first direction"}},
            "yaxis": {"title": {"text": "second direction"}},
            "zaxis": {"title": {"text": labels.loss_axis(data.first)}},
            "aspectratio": {"x": 1, "y": 1, "z": 0.5},
            "camera": CAMERA,
            "domain": {"y": [0.1, 1]},
        },
        height=560,
        margin={"l": 0, "r": 0, "t": 10, "b": 0},
    )
    titles = {column: f"{name}{labels.unit(data.first, -2)}" for column, name in COLUMNS.items()}
    titles["loss"] = labels.loss_axis(data.first)
    return View(
        kind="planes",
        title="The landscape around the trained point",
        hint="Turn it with the mouse or a finger. Red: the training run, projected onto the plane of its principal "
        "components; on the other planes the epoch that they are centred on.",
        runs=tuple(PLANES[name] for name in names),
        figure=figure,
        values={
            "heights": [titles[column] for column in heights],
            "runs": [_plane_values(table[table["plane"] == name], heights, data.first) for name in names],
        },
    )


def _plane_values(table: pd.DataFrame, heights: list[str], experiment: Experiment) -> dict[str, Any]:
    """Grid, run and one sentence for each height over one plane."""
    on_grid = table["loss"].notna()
    grid, path = table[on_grid], table[~on_grid]
    surfaces, above, text = [], [], []
    for column in heights:
        surface = grid.pivot(index="b", columns="a", values=column)
        b, a = surface.index.to_numpy(), surface.columns.to_numpy()
        # the run lies beside the plane: its place upon it has the height of the plane there, beyond the grid none
        upon = RegularGridInterpolator((b, a), surface.to_numpy(), bounds_error=False)
        lift = 0.01 * float(np.ptp(surface.to_numpy()))  # a line in the surface would be cut by it
        surfaces.append([[_short(value) for value in row] for row in surface.to_numpy()])
        places = upon(path[["b", "a"]].to_numpy()) + lift
        above.append([None if math.isnan(value) else _short(value) for value in places])
        low, high = labels.number(surface.to_numpy().min()), labels.number(surface.to_numpy().max())
        unit = "" if column == "loss" else labels.unit(experiment, -2)
        text.append(f"{COLUMNS[column].capitalize()}{unit} from {low} to {high} on this plane.")
    return {
        "axes": [table[f"axis_{letter}"].iloc[0] + labels.unit(experiment) for letter in "ab"],
        "a": np.round(a, 6),
        "b": np.round(b, 6),
        "heights": surfaces,
        "path": {"a": path["a"], "b": path["b"], "heights": above, "epochs": path["epoch"].astype(int)},
        "text": text,
    }
