"""How curvature, flat starts and the cost of the Hessian change with the size of a circuit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vqc_landscape.claims.definitions import WHEN_FLAT, is_flat
from vqc_landscape.config import Experiment
from vqc_landscape.figures import labels, style
from vqc_landscape.figures.data import FigureData


def draw_flat_starts(data: FigureData) -> Figure:
    """Curvature of a circuit against its size, at random and in the gorge; flat starts of it and of another circuit."""
    first, second, last = data.experiments
    # by where they start, not by their order: "normal", around the minimum, comes before "uniform"
    near, far = sorted((first, second), key=lambda name: data.experiments[name].init.distribution)
    gorge, anywhere, layered = (data.rows("starts", name) for name in (near, far, last))
    in_gorge, at_random, deep = (data.experiments[name] for name in (near, far, last))
    figure = style.new_figure(height=3.9)
    body = style.body_of(figure)
    curvature, toy, circuit = body.subplots(1, 3)
    plot_curvature(gorge, curvature, **style.CURVES[0], label=_start(in_gorge))
    plot_curvature(anywhere, curvature, **style.CURVES[2], label=_start(at_random))
    curvature.set_yscale("log")
    curvature.set_ylabel(f"largest |eigenvalue|{labels.unit(at_random, -2)}")
    curvature.legend(loc="lower left", handlelength=1.5, borderpad=0.1)
    plot_flat_starts(anywhere, toy, **style.CURVES[2])
    for look, n_layers in zip(style.CURVES, sorted(layered["n_layers"].unique()), strict=False):
        plot_flat_starts(layered[layered["n_layers"] == n_layers], circuit, **look, label=_layers([n_layers]))
    circuit.legend(loc="upper left")
    titles = (f"{_kind(at_random)}: curvature", f"{_kind(at_random)}: flat starts", f"{_kind(deep)}: flat starts")
    for ax, letter, title in zip((curvature, toy, circuit), "abc", titles, strict=True):
        style.panel_title(ax, letter, title)
        ax.set_xlabel("number of qubits")
        ax.xaxis.get_major_locator().set_params(integer=True)
    numbers = [len(rows["init"].unique()) for rows in (anywhere, gorge, layered)]
    style.caption(
        figure,
        "Flat starts against the size of the circuit",
        f"{_capital(_kind(at_random))} with {_layers(anywhere['n_layers'])}, {labels.loss(at_random)}: of every size "
        f"{numbers[0]} starts ({_start(at_random)}) and {numbers[1]} ({_start(in_gorge)}); median, bars from the 25 % "
        f"to the 75 % quantile. {_capital(_kind(deep))}, {labels.loss(deep)}: of every size {numbers[2]} starts "
        f"({_start(deep)}).",
        f"{_capital(WHEN_FLAT)}. Bars: one binomial standard error.",
    )
    return figure


def _kind(experiment: Experiment) -> str:
    """The circuit without its sizes, which are an axis here: ``layered circuit``."""
    return labels.model(experiment).split(",")[0]


def _layers(numbers: Iterable[int]) -> str:
    numbers = sorted(set(numbers))
    return "1 layer" if numbers == [1] else f"{' or '.join(map(str, numbers))} layers"


def _start(experiment: Experiment) -> str:
    """Where the initial points lie."""
    init = experiment.init
    return f"{init.scale:g} rad from the minimum" if init.distribution == "normal" else "random start"


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


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
        f"{_capital(_kind(data.first))}, qubits × layers: {sizes}. Counted: what the double shift rule runs on the "
        "device (2 P² − P + 1 runs), and the circuits into which PennyLane expands the metric tensor (the full one by "
        "Hadamard tests, with one more qubit). The shift rule's Hessian differs from the exact one by at most "
        f"{labels.number(table['error'].max())} of its largest entry.",
    )
    return figure
