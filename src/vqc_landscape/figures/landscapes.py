"""Figs. 2 to 4: the loss on a plane of two parameters, and the Hessian's eigenvalues at marked points."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from vqc_landscape.checks import Array
from vqc_landscape.config import CircuitConfig, Experiment
from vqc_landscape.figures import labels, style
from vqc_landscape.figures.data import FigureData

# below this an eigenvalue is drawn as a zero: chosen by us, far below what the axis resolves
DRAWN_AS_ZERO = 1e-9
# the colour bar spans at least this: chosen by us, so that a flat loss looks flat and its rounding noise stays unseen
SMALLEST_COLOUR_RANGE = 0.1
SMALLEST_EIGENVALUE_RANGE = 0.05  # likewise for the axis of the eigenvalues


def draw_landscape(data: FigureData) -> Figure:
    """Figs. 2 and 3: the plane with its marked points, and the eigenvalues at each of them."""
    experiment, table = data.first, data.rows("landscapes")
    figure = style.new_figure(height=3.6)
    left, right = figure.subfigures(1, 2, width_ratios=[1.05, 1], squeeze=False).flat
    _draw_plane(left, experiment, table, colour_levels(table["loss"]))
    _draw_points(right, experiment, table, eigenvalue_limits(table))
    style.caption(
        figure,
        f"Landscape of the {labels.loss_name(experiment)}",
        labels.summary(experiment),
        _reading(experiment),
    )
    return figure


def draw_landscapes_compared(data: FigureData) -> Figure:
    """Fig. 4: two conventions of one landscape side by side, all scales shared."""
    figure = style.new_figure(height=6.6)
    tables = {name: data.rows("landscapes", name) for name in data.experiments}
    together = pd.concat(tables.values())
    halves = figure.subfigures(1, 2, squeeze=False)[0]
    for half, (name, experiment) in zip(halves, data.experiments.items(), strict=True):
        upper, lower = half.subfigures(2, 1, squeeze=False).flat
        _draw_plane(upper, experiment, tables[name], colour_levels(together["loss"]))
        _draw_points(lower, experiment, tables[name], eigenvalue_limits(together))
        half.suptitle(labels.convention(experiment), fontsize=9, fontweight="bold")
    style.caption(
        figure,
        f"Landscape of the {labels.loss_name(data.first)}: the exact loss and the published code's",
        *(labels.summary(experiment) for experiment in data.experiments.values()),
        _reading(data.first),
    )
    return figure


def plot_landscape(table: pd.DataFrame, ax: Axes | None = None, levels: Array | None = None) -> ContourSet:
    """Filled contours of the loss on the plane, with the marked points.

    Args:
        table: rows of ``landscapes`` of one experiment and seed.
        ax: where to draw; default: a new figure.
        levels: contour levels; default: ``colour_levels`` of the loss.
    """
    ax = style.axes_or_new(ax)
    levels = colour_levels(table["loss"]) if levels is None else levels
    grid = table[table["label"].isna()].pivot(index="b", columns="a", values="loss")
    grid = grid.clip(levels[0], levels[-1])  # a loss at its bound, give or take rounding, is not outside
    contours = ax.contourf(grid.columns, grid.index, grid, levels=levels, cmap=style.COLOUR_MAPS["loss"])
    contours.set_edgecolor("face")  # no white seams between the levels in the PDF
    for label, a, b in table.loc[table["label"].notna(), ["label", "a", "b"]].to_numpy():
        ax.plot(a, b, "o", color="white", markeredgecolor="black", markersize=5, clip_on=False, zorder=3)
        ax.annotate(
            f"{label})",
            (a, b),
            xytext=(5, 4),
            textcoords="offset points",
            fontweight="bold",
            bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
        )
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MultipleLocator(math.pi / 2))
        axis.set_major_formatter(FuncFormatter(_multiple_of_pi))
    ax.set_aspect("equal")
    return contours


def plot_eigenvalues(eigvals: Array | None, ax: Axes | None = None) -> None:
    """Sorted eigenvalues at one point: triangles up are positive, circles zero, triangles down negative.

    Args:
        eigvals: (P,), ascending; None where the loss has a cusp and so no Hessian.
        ax: where to draw; default: a new figure.
    """
    ax = style.axes_or_new(ax)
    if eigvals is None:
        ax.text(0.5, 0.5, "cusp of the loss:\nno Hessian here", transform=ax.transAxes, ha="center", va="center")
        return
    ax.axhline(0, color=style.MUTED, linewidth=0.6)
    position = np.arange(len(eigvals))
    kinds = (
        (eigvals > DRAWN_AS_ZERO, "^", style.COLOURS["blue"], style.COLOURS["blue"]),
        (np.abs(eigvals) <= DRAWN_AS_ZERO, "o", "white", style.MUTED),
        (eigvals < -DRAWN_AS_ZERO, "v", style.COLOURS["light_red"], style.COLOURS["red"]),
    )
    ax.vlines(position, 0, eigvals, color=style.MUTED, linewidth=0.8)
    for chosen, marker, face, edge in kinds:
        ax.plot(position[chosen], eigvals[chosen], marker, markerfacecolor=face, markeredgecolor=edge)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))


def colour_levels(losses: pd.Series) -> Array:
    """Round contour levels around all ``losses``."""
    low, high = losses.min(), losses.max()
    return np.asarray(MaxNLocator(12).tick_values(low, max(high, low + SMALLEST_COLOUR_RANGE)))


def eigenvalue_limits(table: pd.DataFrame) -> tuple[float, float]:
    """Limits of an axis that shows the eigenvalues at all marked points, with some air; rad^-2."""
    marked = table.loc[table["label"].notna(), "eigvals"]
    eigvals = np.concatenate([[0.0, SMALLEST_EIGENVALUE_RANGE], *marked.dropna()])
    air = 0.12 * np.ptp(eigvals)
    return eigvals.min() - air, eigvals.max() + air


def _draw_plane(figure: SubFigure, experiment: Experiment, table: pd.DataFrame, levels: Array) -> None:
    ax = figure.add_subplot()
    contours = plot_landscape(table, ax, levels)
    style.add_colour_bar(ax, contours, labels.loss_axis(experiment))
    assert experiment.landscape is not None
    column, row = experiment.landscape.axes
    ax.set(xlabel=_parameter_name(experiment, column), ylabel=_parameter_name(experiment, row))


def _draw_points(figure: SubFigure, experiment: Experiment, table: pd.DataFrame, limits: tuple[float, float]) -> None:
    """One small panel per marked point, two in a row."""
    points = table[table["label"].notna()].sort_values("label")
    panels = figure.subplots(math.ceil(len(points) / 2), 2, sharex=True, sharey=True, squeeze=False).flat
    for _, point in points.iterrows():
        ax = next(panels)
        plot_eigenvalues(point["eigvals"], ax)
        gradient = "" if pd.isna(point["grad_norm"]) else f", |∇L| = {point['grad_norm']:.2f}"
        style.panel_title(ax, point["label"], f"L = {point['loss']:.2f}{gradient}", fontsize=7)
        ax.set(xlim=(-0.6, experiment.n_params - 0.4), ylim=limits)
    for ax in panels:
        ax.set_axis_off()
    figure.supxlabel("position of the eigenvalue, ascending", fontsize=8)
    figure.supylabel(labels.eigenvalue_axis(experiment, two_lines=True), fontsize=8, multialignment="center")


def _reading(experiment: Experiment) -> str:
    text = (
        "Map: the loss over two angles, all others 0. Panels: eigenvalues of the "
        f"{experiment.n_params} × {experiment.n_params} Hessian at the points; ▲ positive, ○ zero, ▼ negative."
    )
    circuit = experiment.circuit
    if isinstance(circuit, CircuitConfig) and circuit.ansatz == "rx_product" and circuit.n_layers > 1:
        n_structural = circuit.n_qubits * (circuit.n_layers - 1)
        text += (
            f" The RX angles of one qubit add up, so that {n_structural} eigenvalues are 0 at every point (structural)."
        )
    return text


def _parameter_name(experiment: Experiment, index: int) -> str:
    circuit = experiment.circuit
    if not isinstance(circuit, CircuitConfig) or circuit.ansatz != "rx_product":
        return rf"parameter $\theta_{{{index}}}$ (rad)"
    layer, qubit = divmod(index, circuit.n_qubits)
    return rf"RX angle $\theta_{{{index}}}$: qubit {qubit}, layer {layer + 1} (rad)"


def _multiple_of_pi(value: float, _: object = None) -> str:
    halves = round(2 * value / math.pi)
    if halves == 0:
        return "0"
    count, half = (abs(halves), "/2") if halves % 2 else (abs(halves) // 2, "")
    return f"{'−' if halves < 0 else ''}{count if count > 1 else ''}π{half}"
