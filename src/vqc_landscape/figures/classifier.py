"""Figs. 7, 9, 10: the disk data, prediction maps with the spectrum of the Hessian as an inset."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure, SubFigure
from matplotlib.patheffects import Normal, Stroke

from vqc_landscape.checks import Array
from vqc_landscape.figures import labels, style
from vqc_landscape.figures.data import FigureData
from vqc_landscape.figures.spectra import eigenvalue_bins, plot_eigenvalue_histogram
from vqc_landscape.studies.datasets import RADIUS

TICKS = (-1.0, -0.5, 0.0, 0.5, 1.0)
TOP = 2.1  # upper end of the frame: the map ends at 1, the inset stands above it
MAP_SHARE = 2 / (1 + TOP)  # of the frame's height
LEVELS = np.linspace(-1, 1, 21)  # of the prediction
# both lines must be seen on dark, on light, and in grey
BOUNDARY: dict[str, Any] = {"color": "white", "path_effects": [Stroke(linewidth=2.2, foreground="black"), Normal()]}
CIRCLE: dict[str, Any] = {
    "color": "black",
    "linestyle": "--",
    "path_effects": [Stroke(linewidth=2.6, foreground="white", alpha=0.7), Normal()],
}


def draw_data(data: FigureData) -> Figure:
    """Fig. 7: the training samples and the circle that separates the classes."""
    samples = data.rows("datasets")
    train = samples[samples["split"] == "train"]
    figure = style.new_figure(height=4.9, width=4.6)
    body = style.body_of(figure)
    ax = body.add_subplot()
    plot_data(train, ax, size=14)
    n_inside = int((train["y"] > 0).sum())
    body.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    ax.set(xlabel="feature x₁", ylabel="feature x₂")
    assert data.first.data is not None
    style.caption(
        figure,
        "The disk data",
        f"{len(train)} training samples, uniform on [−1, 1]² (data seed {data.first.data.seed}): "
        f"{n_inside} inside the circle (y = +1), {len(train) - n_inside} outside (y = −1). "
        f"The disk has half of the area. {len(samples) - len(train)} test samples are not shown.",
    )
    return figure


def draw_prediction_maps(data: FigureData) -> Figure:
    """Figs. 9 and 10: prediction before and after the training, each with the Hessian's spectrum."""
    experiment = data.first
    figure = style.new_figure(height=6.2)
    body = style.body_of(figure)
    panels = _draw_maps(body, data, data.name, _end_epochs(data), _bins(data))
    body.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    style.caption(
        figure,
        f"Prediction map and Hessian spectrum of the {'network' if experiment.network else 'quantum classifier'}",
        labels.summary(experiment, _n_train(data)),
        f"{labels.training(experiment, data.seed)}. {_insets(data)}",
    )
    return figure


def draw_prediction_maps_compared(data: FigureData) -> Figure:
    """Fig. 9 in both conventions, one above the other."""
    epochs, bins = _end_epochs(data), _bins(data)
    figure = style.new_figure(height=11.4)
    body = style.body_of(figure)
    rows = body.subfigures(2, 1, squeeze=False)[:, 0]
    for row, letters, (name, experiment) in zip(rows, ("ab", "cd"), data.experiments.items(), strict=True):
        panels = _draw_maps(row, data, name, epochs, bins, letters)
        row.suptitle(labels.convention(experiment), fontsize=9, fontweight="bold")
    body.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    errors = [f"{labels.errors(data.errors(epoch).iloc[0])} (epoch {epoch})" for epoch in epochs]
    style.caption(
        figure,
        "Quantum classifier: the Hessian's spectrum, exact and as published",
        *(labels.summary(experiment, _n_train(data)) for experiment in data.experiments.values()),
        f"{labels.training(data.first, data.seed)}, the same point in both. {_insets(data)}",
        f"At the parameters of c and d: {'; '.join(errors)}. {labels.CONVENTION_ERROR}.",
    )
    return figure


def _draw_maps(
    figure: SubFigure, data: FigureData, name: str, epochs: list[int], bins: Array, letters: str = "ab"
) -> list[Axes]:
    """Map and spectrum of one experiment at each epoch, side by side."""
    experiment, predictions, samples = data.experiments[name], data.rows("predictions", name), data.rows("datasets")
    panels = figure.subplots(1, len(epochs), sharey=True, squeeze=False)[0]
    for letter, ax, epoch in zip(letters, panels, epochs, strict=False):
        contours = plot_prediction_map(predictions[predictions["epoch"] == epoch], ax)
        plot_data(samples[samples["split"] == "train"], ax, size=7)
        inset = _axes_above_map(ax)
        plot_eigenvalue_histogram(data.rows("spectra", name, epoch=epoch), inset, bins)
        inset.set_xlabel(labels.eigenvalue_axis(experiment, two_lines=True), fontsize=6.5, labelpad=1)
        inset.set_ylabel("number", fontsize=6.5, labelpad=1)
        style.panel_title(ax, letter, _scores(data.rows("trajectories", name, epoch=epoch).iloc[0]))
        ax.set_xlabel("feature x₁")
    panels[0].set_ylabel("feature x₂")
    style.add_colour_bar(panels[-1], contours, labels.prediction_axis(experiment), top=MAP_SHARE)
    return list(panels)


def _end_epochs(data: FigureData) -> list[int]:
    """First and last epoch of the maps."""
    epochs = data.rows("predictions")["epoch"]
    return sorted({int(epochs.min()), int(epochs.max())})


def _bins(data: FigureData) -> Array:
    """Bins for the spectra of all experiments at these epochs."""
    epochs = _end_epochs(data)
    spectra = [data.rows("spectra", name, epoch=epoch)["eigval"] for name in data.experiments for epoch in epochs]
    return eigenvalue_bins(np.concatenate(spectra))


def _n_train(data: FigureData) -> int:
    return int((data.rows("datasets")["split"] == "train").sum())


def _insets(data: FigureData) -> str:
    """What the insets show."""
    spectra = pd.concat([data.rows("spectra", name) for name in data.experiments])
    return (
        f"Insets: all {data.first.n_params} eigenvalues of the Hessian over all {_n_train(data)} training samples, "
        f"counts on a logarithmic axis; = 0: within rounding. {labels.hatched(spectra)}"
    ).strip()


def plot_data(samples: pd.DataFrame, ax: Axes | None = None, size: float = 14) -> None:
    """Samples by class, and the circle that separates the classes.

    Args:
        samples: rows of ``datasets``.
        ax: where to draw; default: a new figure.
        size: area of a marker, points^2.
    """
    ax = style.axes_or_new(ax)
    inside = samples["y"] > 0
    for chosen, marker, face, edge, name in (
        (inside, "o", "black", "white", "y = +1 (inside)"),
        (~inside, "^", "white", "black", "y = −1 (outside)"),
    ):
        ax.scatter(
            samples.loc[chosen, "x1"],
            samples.loc[chosen, "x2"],
            s=size,
            marker=marker,
            facecolor=face,
            edgecolor=edge,
            linewidth=0.4,
            label=name,
        )
    angle = np.linspace(0, 2 * np.pi, 200)
    ax.plot(RADIUS * np.cos(angle), RADIUS * np.sin(angle), label="circle, r = √(2/π)", **CIRCLE)
    ax.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xticks=TICKS, yticks=TICKS)


def plot_prediction_map(predictions: pd.DataFrame, ax: Axes | None = None) -> ContourSet:
    """Filled contours of the prediction on the square, and the boundary f = 0 that it draws.

    Args:
        predictions: rows of ``predictions`` of one experiment, seed and epoch.
        ax: where to draw; default: a new figure.
    """
    ax = style.axes_or_new(ax)
    grid = predictions.pivot(index="x2", columns="x1", values="prediction")
    contours = ax.contourf(
        grid.columns, grid.index, grid, levels=LEVELS, cmap=style.COLOUR_MAPS["prediction"], extend="both"
    )
    contours.set_edgecolor("face")  # no white seams between the levels in the PDF
    if grid.to_numpy().min() < 0 < grid.to_numpy().max():
        line = ax.contour(grid.columns, grid.index, grid, levels=[0], colors=BOUNDARY["color"], linewidths=1.3)
        line.set_path_effects(BOUNDARY["path_effects"])
    ax.plot([], [], label="f = 0", **BOUNDARY)  # for the legend
    return contours


def _axes_above_map(ax: Axes) -> Axes:
    """White room above the square [-1, 1]^2 within the same frame, and axes in it: they hide no data."""
    ax.set_ylim(-1, TOP)
    ax.axhline(1, color="black", linewidth=0.6)
    return ax.inset_axes((-0.64, 1.4, 1.54, TOP - 1.45), transform=ax.transData)


def _scores(row: pd.Series) -> str:
    """Loss and accuracies of one epoch."""
    text = f"epoch {row['epoch']:.0f}: loss {row['loss']:.3f}"
    if not math.isnan(row["accuracy"]):
        text += f"\naccuracy {row['accuracy']:.1%} train"
    if not math.isnan(row["test_accuracy"]):
        text += f", {row['test_accuracy']:.1%} test"
    return text
