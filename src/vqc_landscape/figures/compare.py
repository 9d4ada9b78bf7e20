"""Training runs side by side, whatever their loss: every seed, and median and quartiles of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vqc_landscape.checks import Array
from vqc_landscape.config import HLR, LBFGS, QNG, Expectation, Experiment, HLRThenQNG
from vqc_landscape.figures import labels, style
from vqc_landscape.figures.data import FigureData

SPAN = 100  # losses whose largest is more than this times the smallest have a logarithmic axis: chosen by us
ROUNDING = 1e-12  # so far below 0 lies a loss that is never negative: some thousand roundings of numbers near 1
FLOOR = 1e-16  # half of the distance between numbers at 1: a loss 1 - x below it is rounding

# what a gradient is, and what of each optimiser is counted
GRADIENT = "Gradients: passes over all training samples, in batches or at once (without data: evaluations)"
COUNTED = (
    (LBFGS, "L-BFGS: one an iteration and one at the start of an epoch, those of its line searches are unknown"),
    (HLR | HLRThenQNG, "a Hessian counts as one gradient for every parameter"),
    (HLRThenQNG, "runs of H-LR, then QNG, end after different numbers and keep their last loss"),
    (QNG | HLRThenQNG, "the metric tensor of QNG is not counted"),
)


def draw_comparison(data: FigureData) -> Figure:
    """One panel for each kind of loss, one curve for each experiment."""
    runs = {name: _runs(data, name) for name in data.experiments}
    kinds: dict[str, list[str]] = {}
    for name, experiment in data.experiments.items():
        kinds.setdefault(labels.loss_axis(experiment), []).append(name)
    words = _words(data, runs)
    n_columns = min(len(kinds), 3)
    n_rows = math.ceil(len(kinds) / n_columns)
    figure = style.new_figure(height=2.6 * n_rows + 0.17 * len(runs) + style.caption_height(*words))
    body = style.body_of(figure)
    panels = list(body.subplots(n_rows, n_columns, squeeze=False).flat)
    for letter, ax, (kind, names) in zip("abcde", panels, kinds.items(), strict=False):
        _draw_kind(data, {name: runs[name] for name in names}, ax)
        ax.set(xlabel={"epochs": "epoch", "gradients": "number of gradients"}[data.against], ylabel=kind)
        if len(kinds) > 1:
            style.panel_title(ax, letter, kind)
    for ax in panels[len(kinds) :]:
        ax.set_axis_off()
    curves = {label: line for ax in panels for line, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    order = [_label(name, experiment) for name, experiment in data.experiments.items()]
    body.legend([curves[label] for label in order], order, loc="outside lower center", handlelength=4)
    style.caption(figure, "Training runs side by side", *words)
    return figure


def _draw_kind(data: FigureData, runs: dict[str, pd.DataFrame], ax: Axes) -> None:
    """All experiments with one kind of loss, on scales that fit them."""
    together = pd.concat(runs.values())
    signed = any(isinstance(data.experiments[name].objective, Expectation) for name in runs)
    if not signed and spans_decades(together["loss"]):
        ax.set_yscale("log")
        runs = {name: own.assign(loss=own["loss"].clip(lower=FLOOR)) for name, own in runs.items()}
    if data.against == "gradients":  # of which some optimisers take a hundred times as many as others
        ax.set_xscale("symlog", linthresh=1, linscale=0.5)
        ax.set_xlim(-0.1, 1.2 * together["spent"].max())
    else:
        style.whole_ticks(ax, together["spent"])
    for name, own in runs.items():
        look = style.CURVES[list(data.experiments).index(name)]
        plot_runs(own, ax, label=_label(name, data.experiments[name]), **look)


def spans_decades(losses: pd.Series[float]) -> bool:
    """Whether losses that are never negative want a logarithmic axis."""
    return bool(losses.min() > -ROUNDING and losses.max() > SPAN * max(losses.min(), FLOOR))


def plot_runs(runs: pd.DataFrame, ax: Axes | None = None, **look: Any) -> None:
    """Every seed as a thin line, their median as a thick one, and a band from quartile to quartile.

    Args:
        runs: a row for each seed and epoch, with the columns ``seed``, ``spent`` (epochs or gradients) and ``loss``.
        ax: where to draw; default: a new figure.
        **look: colour, line style, marker, label.
    """
    ax = style.axes_or_new(ax)
    for _, run in runs.groupby("seed"):
        ax.plot(run["spent"], run["loss"], color=look["color"], linewidth=0.5, alpha=0.35)
    spent, (low, median, high) = quartiles(runs)
    ax.fill_between(spent, low, high, color=look["color"], alpha=0.2, linewidth=0)
    ax.plot(spent, median, markevery=style.at_ticks(ax, spent), **look)


def quartiles(runs: pd.DataFrame) -> tuple[Array, Array]:
    """Quartiles of the loss over the seeds, wherever one of them changes.

    Seeds may have spent different numbers of gradients at one epoch, and in the end: in between, a loss is that of the
    epoch before, and a run that has ended keeps its last one.

    Returns:
        Epochs or gradients (n,), and (3, n): 25 %, 50 %, 75 %.
    """
    own = [run.sort_values("spent")[["spent", "loss"]].to_numpy(dtype=np.float64).T for _, run in runs.groupby("seed")]
    spent = np.unique(np.concatenate([at for at, _ in own]))
    losses = [loss[np.searchsorted(at, spent, side="right") - 1] for at, loss in own]
    return spent, np.quantile(losses, (0.25, 0.5, 0.75), axis=0)


def _runs(data: FigureData, name: str) -> pd.DataFrame:
    experiment = data.experiments[name]
    runs = [data.rows("trajectories", name, seed=seed) for seed in experiment.seeds]
    spent = [run["epoch"] if data.against == "epochs" else n_gradients(experiment, run) for run in runs]
    return pd.concat([run[["seed", "loss"]].assign(spent=count) for run, count in zip(runs, spent, strict=True)])


def n_gradients(experiment: Experiment, run: pd.DataFrame) -> Array:
    """Gradients over the whole training set that a run had taken at the end of each epoch.

    An epoch goes through all samples once: it is one gradient, whatever the size of the batches. ``COUNTED`` says what
    else is counted; with the double shift rule a Hessian of P parameters takes 2 P^2 - P + 1 circuit runs, about P
    times the 2 P of a gradient.

    Args:
        experiment: with a built-in optimiser.
        run: rows of ``trajectories`` of one seed, all epochs in their order.

    Returns:
        (n_epochs + 1,)
    """
    assert experiment.training is not None
    match experiment.training.optimiser:
        case LBFGS() as chosen:
            extra: Any = chosen.n_iterations
        case HLR():
            extra = experiment.n_params
        case HLRThenQNG() as chosen:  # the learning rate of an epoch tells which of the two it was
            extra = np.where(run["learning_rate"] == chosen.learning_rate, 0, experiment.n_params)
        case _:
            extra = 0
    return np.cumsum(np.where(run["epoch"] > 0, 1 + extra, 0), dtype=np.float64)


def _label(name: str, experiment: Experiment) -> str:
    """What tells a curve from the others: its name, its optimiser, its length and its seeds."""
    assert experiment.training is not None
    counts = (experiment.training.n_epochs, "epoch"), (len(experiment.seeds), "seed")
    length = ", ".join(f"{n} {word}{'s' if n > 1 else ''}" for n, word in counts)
    return f"{name}: {labels.optimiser_with_batches(experiment.training)}, {length}"


def _words(data: FigureData, runs: dict[str, pd.DataFrame]) -> list[str]:
    """What a reader must know: the models, once each, and how to read the lines."""
    models: dict[str, list[str]] = {}
    for name, experiment in data.experiments.items():
        models.setdefault(labels.summary(experiment, labels.n_train(experiment)), []).append(name)
    reading = "Thin: every seed; thick: their median; band: from the 25 % to the 75 % quantile."
    if any(-ROUNDING < own["loss"].min() < FLOOR for own in runs.values()):
        reading += f" Losses below {labels.number(FLOOR)} are drawn there."
    words = [*(f"{', '.join(names)}: {model}" for model, names in models.items()), reading]
    if data.against == "gradients":
        optimisers = [experiment.training.optimiser for experiment in data.experiments.values() if experiment.training]
        counted = [about for kind, about in COUNTED if any(isinstance(o, kind) for o in optimisers)]
        words.append(f"{'; '.join([GRADIENT, *counted])}.")
    return words
