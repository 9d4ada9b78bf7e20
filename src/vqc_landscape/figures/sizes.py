"""How curvature, flat starts and the cost of the Hessian change with the size of a circuit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vqc_landscape.claims.definitions import is_flat
from vqc_landscape.figures import labels, style
from vqc_landscape.figures.data import FigureData


def draw_flat_starts(data: FigureData) -> Figure:
    """Curvature of the toy model against its size, at random and in the gorge; flat starts of it and of a circuit."""
    anywhere, gorge, layered = (data.rows("starts", name) for name in data.experiments)
    figure = style.new_figure(height=3.9)
    body = style.body_of(figure)
    curvature, toy, circuit = body.subplots(1, 3)
    near = list(data.experiments.values())[1].init.scale
    plot_curvature(gorge, curvature, **style.CURVES[0], label=f"{near:g} rad from the minimum")
    plot_curvature(anywhere, curvature, **style.CURVES[2], label="random start")
    curvature.set_yscale("log")
    curvature.set_ylabel("largest |eigenvalue| (rad⁻²)")
    curvature.legend(loc="lower left", handlelength=1.5, borderpad=0.1)
    plot_flat_starts(anywhere, toy, **style.CURVES[2])
    layers = sorted(layered["n_layers"].unique())
    for look, n_layers in zip(style.CURVES, layers, strict=False):
        name = "1 layer" if n_layers == 1 else f"{n_layers} layers"
        plot_flat_starts(layered[layered["n_layers"] == n_layers], circuit, **look, label=name)
    circuit.legend(loc="upper left")
    titles = ("RX product: curvature", "RX product: flat starts", "layered circuit: flat starts")
    for ax, letter, title in zip((curvature, toy, circuit), "abc", titles, strict=True):
        style.panel_title(ax, letter, title)
        ax.set_xlabel("number of qubits")
        ax.xaxis.get_major_locator().set_params(integer=True)
    numbers = [len(rows["init"].unique()) for rows in (anywhere, gorge, layered)]
    experiments = list(data.experiments.values())
    style.caption(
        figure,
        "Flat starts against the size of the circuit",
        f"RX product circuit with one layer, {labels.loss(experiments[0])}: {numbers[0]} random starts of every size, "
        f"{numbers[1]} in the gorge; median, bars from the 25 % to the 75 % quantile. Layered circuit, "
        f"{labels.loss(experiments[2])}: {numbers[2]} random starts of every size.",
        "A start is flat if every |eigenvalue| is below a tenth of the largest that the circuit would have there if "
        "its "
        "own state were the target, which is half the largest eigenvalue of its quantum Fisher matrix. "
        "Bars: one binomial standard error.",
    )
    return figure


def plot_curvature(starts: pd.DataFrame, ax: Axes | None = None, **look: Any) -> None:
    """Median and quartiles of the largest |eigenvalue| against the number of qubits.

    Args:
        starts: rows of ``starts``.
        ax: where to draw; default: a new figure.
        **look: colour, line style, marker, label.
    """
    ax = style.axes_or_new(ax)
    by_size = _largest(starts).groupby(starts["n_qubits"])
    median = by_size.median()
    bars = [median - by_size.quantile(0.25), by_size.quantile(0.75) - median]
    ax.errorbar(median.index, median, bars, capsize=2, elinewidth=0.8, **look)


def plot_flat_starts(starts: pd.DataFrame, ax: Axes | None = None, **look: Any) -> None:
    """Share of flat starts against the number of qubits, with binomial standard errors.

    Args:
        starts: rows of ``starts``.
        ax: where to draw; default: a new figure.
        **look: as for ``plot_curvature``.
    """
    ax = style.axes_or_new(ax)
    by_size = pd.Series(is_flat(starts), index=starts.index).groupby(starts["n_qubits"])
    shares = by_size.mean()
    errors = np.sqrt(shares * (1 - shares) / by_size.size())
    ax.errorbar(shares.index, shares, errors, capsize=2, elinewidth=0.8, **look)
    ax.set_ylim(-0.04, 1.04)
    ax.set_ylabel("share of flat starts")


def _largest(starts: pd.DataFrame) -> pd.Series[float]:
    return starts["eigvals"].map(lambda eigvals: float(np.max(np.abs(eigvals))))


def draw_hessian_cost(data: FigureData) -> Figure:
    """Circuit runs of the Hessian and of the metric tensor against the number of parameters."""
    table = data.rows("shift_rule").sort_values("n_params")
    figure = style.new_figure(height=3.6, width=4.6)
    ax = style.body_of(figure).subplots()
    names = {"hessian": "Hessian, double shift rule", "metric_full": "metric tensor, full"}
    names["metric_block"] = "metric tensor, block diagonal"
    for look, (key, name) in zip(style.CURVES, names.items(), strict=False):
        ax.loglog(table["n_params"], table[f"{key}_runs"], **look, label=name)
    ax.set_xlabel("number of parameters P")
    ax.set_ylabel("circuit runs")
    ax.set_xticks(table["n_params"], [str(n) for n in table["n_params"]])
    ax.minorticks_off()
    ax.legend()
    sizes = ", ".join(f"{row.n_qubits} × {row.n_layers}" for row in table.itertuples())
    style.caption(
        figure,
        "What the Hessian costs on a quantum computer",
        f"Layered circuit, qubits × layers: {sizes}. Counted: what the double shift rule runs on the device (2 P² − P "
        f"+ 1 "
        "runs), and the circuits into which PennyLane expands the metric tensor (the full one by Hadamard tests, with "
        "one "
        f"more qubit). The shift rule's Hessian differs from the exact one by at most "
        f"{labels.number(table['error'].max())} "
        "of its largest entry.",
    )
    return figure
