"""Figures that any experiment can have: the training, eigenvalues followed through it, planes of the landscape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure

from vqc_landscape.checks import check_type
from vqc_landscape.curvature.planes import PlaneGrid
from vqc_landscape.curvature.spectrum import Spectrum
from vqc_landscape.curvature.tracking import Tracks, subspace_overlaps, track_eigenpairs
from vqc_landscape.figures import labels, style
from vqc_landscape.figures.data import FigureData, as_frame
from vqc_landscape.figures.landscapes import colour_levels
from vqc_landscape.training.checkpoint import Columns

N_TOP = 5  # dimension of the top space whose overlap is drawn, and number of tracks in colour: chosen by us
COLUMNS = {"loss": "loss", "smallest": "smallest eigenvalue", "largest": "largest eigenvalue"}
PATH: dict[str, Any] = {"color": "white", "markeredgecolor": "black", "markeredgewidth": 0.5, "linewidth": 1.2}


def draw_training(data: FigureData) -> Figure:
    """Loss and gradient of one run against the epoch, and the accuracy where the targets are classes."""
    experiment, run = data.first, data.rows("trajectories")
    has_accuracy = bool(run.filter(["accuracy", "test_accuracy"]).notna().any(axis=None))
    figure = style.new_figure(height=2.9)
    panels = style.body_of(figure).subplots(1, 3 if has_accuracy else 2)
    curves = [
        ("loss", labels.loss_axis(experiment)),
        ("grad_norm", f"norm of the gradient{labels.unit(experiment, -1)}"),
    ]
    curves += [("accuracy", "accuracy")] if has_accuracy else []
    for letter, ax, (column, label) in zip("abc", panels, curves, strict=False):
        plot_training(run, ax, column)
        style.panel_title(ax, letter, label)
        ax.set(xlabel="epoch", ylabel=label)
    panels[1].set_yscale("log")
    style.caption(figure, "The training run", labels.summary(experiment), f"{labels.training(experiment, data.seed)}.")
    return figure


def plot_training(run: pd.DataFrame | Columns, ax: Axes | None = None, column: str = "loss") -> None:
    """One column of a training run against the epoch, with that of the test samples where there are some.

    Args:
        run: what :func:`vqc_landscape.train` returns, or rows of ``trajectories`` of one experiment and seed.
        ax: where to draw; default: a new figure.
        column: ``loss``, ``grad_norm`` or ``accuracy``.

    Raises:
        ValueError: the run has no such numbers.
    """
    run = as_frame("run", run, ("epoch",))
    here = run.filter([column, f"test_{column}"]).notna().any(axis=None)
    if column not in ("loss", "grad_norm", "accuracy") or not here:
        raise ValueError(f"Argument `column` must be loss, grad_norm or accuracy and in the run, but is {column!r}.")
    ax = style.axes_or_new(ax)
    style.whole_ticks(ax, run["epoch"])
    marked = style.at_ticks(ax, run["epoch"])
    for name, look, label in ((column, style.CURVES[0], "training"), (f"test_{column}", style.CURVES[1], "test")):
        if name in run and run[name].notna().any():
            ax.plot(run["epoch"], run[name], markevery=marked, label=label, **look)
    if len(ax.get_lines()) > 1:
        ax.legend()


def draw_tracks(data: FigureData) -> Figure:
    """Eigenvalues followed by their eigenvectors, and how fast the top space turns."""
    experiment, rows = data.first, data.rows("spectra")
    epochs = sorted(rows["epoch"].unique())
    spectra = [Spectrum.from_pandas(rows[rows["epoch"] == epoch]) for epoch in epochs]
    figure = style.new_figure(height=3.4)
    body = style.body_of(figure)
    left, right = body.subplots(1, 2, width_ratios=[1.6, 1])
    plot_tracks(track_eigenpairs(spectra, epochs), left)
    style.panel_title(left, "a", "eigenvalues, followed by their eigenvectors")
    left.set(xlabel="epoch", ylabel=labels.eigenvalue_axis(experiment, two_lines=True))
    n_top = min(N_TOP, len(spectra[0].eigvals))
    style.whole_ticks(right, epochs)
    marked = style.at_ticks(right, epochs[1:])
    right.plot(epochs[1:], subspace_overlaps(spectra, n_top), markevery=marked, **style.CURVES[0])
    right.axhline(n_top / len(spectra[0].eigvals), **{**style.CURVES[1], "marker": ""}, label="random spaces, mean")
    right.set(xlabel="epoch", ylabel="overlap with the epoch before", ylim=(-0.03, 1.03))
    right.legend()
    style.panel_title(right, "b", f"space of the {n_top} largest eigenvalues")
    style.caption(
        figure,
        "Eigenpairs along the training",
        labels.summary(experiment),
        f"{labels.training(experiment, data.seed)}. Each line joins the eigenvalues whose eigenvectors overlap "
        f"most from one epoch to the next; in colour the {n_top} that end largest. Structural zeros are left out.",
    )
    return figure


def plot_tracks(tracks: Tracks, ax: Axes | None = None, n_top: int = N_TOP) -> None:
    """Eigenvalues along a path, each joined with the one of the next epoch that its eigenvector becomes.

    Args:
        tracks: what :func:`vqc_landscape.track_eigenpairs` returns.
        ax: where to draw; default: a new figure.
        n_top: the tracks that end with the largest eigenvalues are in colour, this many.

    Raises:
        ValueError: no tracks.
    """
    check_type("tracks", tracks, Tracks, "vl.track_eigenpairs")
    ax = style.axes_or_new(ax)
    order = np.argsort(tracks.eigvals[-1])
    top = order[::-1][:n_top]
    for track in order[: len(order) - len(top)]:
        ax.plot(tracks.epochs, tracks.eigvals[:, track], color="0.7", linewidth=0.6)
    style.whole_ticks(ax, tracks.epochs)
    marked = style.at_ticks(ax, tracks.epochs)
    for look, track in zip(style.CURVES, top, strict=False):
        ax.plot(tracks.epochs, tracks.eigvals[:, track], markevery=marked, **look)
    ax.axhline(0, color=style.MUTED, linewidth=0.6)


def draw_planes(data: FigureData) -> Figure:
    """The loss on each plane, and in rows below the extreme eigenvalues where the table has them."""
    experiment, table = data.first, data.rows("planes")
    planes = list(table["plane"].unique())
    columns = [name for name in COLUMNS if table[name].notna().any()]
    figure = style.new_figure(height=0.9 + 2.6 * len(columns))
    body = style.body_of(figure)
    panels = body.subplots(len(columns), len(planes), squeeze=False)
    for row, column in enumerate(columns):
        for ax, name in zip(panels[row], planes, strict=True):
            rows = table[table["plane"] == name]
            contours = plot_plane(rows, ax, column)
            unit = "" if column == "loss" else labels.unit(experiment, -2)
            style.panel_title(ax, "abcdefghi"[row * len(planes) + planes.index(name)], f"{COLUMNS[column]}{unit}")
            distance = labels.unit(experiment)
            ax.set(xlabel=rows["axis_a"].iloc[0] + distance, ylabel=rows["axis_b"].iloc[0] + distance)
            body.colorbar(contours, ax=ax, shrink=0.8)
    style.caption(
        figure,
        f"Planes of the landscape, {labels.loss_axis(experiment)}",
        labels.summary(experiment),
        f"{labels.training(experiment, data.seed)}. White: the training run, from the square to the circle, projected "
        "onto the plane of its principal components (their share of its variance in brackets); on the other planes the "
        f"epoch that they are centred on{_centre(table)}.",
    )
    return figure


def plot_plane(table: pd.DataFrame | PlaneGrid, ax: Axes | None = None, column: str = "loss") -> ContourSet:
    """Filled contours on a plane, with the training run or the centre.

    Args:
        table: what :func:`vqc_landscape.plane_grid` returns, or rows of ``planes`` of one experiment, seed and plane.
        ax: where to draw; default: a new figure.
        column: ``loss``, ``smallest`` or ``largest`` (eigenvalue).

    Raises:
        ValueError: the table has no such numbers.
    """
    frame = as_frame("table", table, ("a", "b", *COLUMNS))
    ax = style.axes_or_new(ax)
    on_grid = frame["loss"].notna()
    if column not in COLUMNS or frame.loc[on_grid, column].isna().any():
        raise ValueError(f"Argument `column` must be one of {', '.join(COLUMNS)} and in the table, but is {column!r}.")
    grid = frame[on_grid].pivot(index="b", columns="a", values=column)
    levels = colour_levels(frame.loc[on_grid, column])
    contours = ax.contourf(grid.columns, grid.index, grid, levels=levels, cmap=style.COLOUR_MAPS["loss"])
    contours.set_edgecolor("face")  # no white seams between the levels in the PDF
    path = frame[~on_grid]
    ax.plot(path["a"], path["b"], "-", markersize=0, **PATH)
    ax.plot(path["a"].iloc[:1], path["b"].iloc[:1], "s", **PATH)
    ax.plot(path["a"].iloc[-1:], path["b"].iloc[-1:], "o", **PATH)
    if isinstance(table, PlaneGrid):
        ax.set(xlabel=table.plane.labels[0], ylabel=table.plane.labels[1])
    return contours


def _centre(table: pd.DataFrame) -> str:
    epochs = table.loc[(table["plane"] != "pca") & table["epoch"].notna(), "epoch"]
    return f" ({epochs.iloc[0]:.0f})" if len(epochs) else ""
