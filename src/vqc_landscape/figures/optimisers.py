"""Fig. 11: the loss against the epoch for several optimisers, from the same initial points."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vqc_landscape.claims.definitions import CONVERGED, PLATEAU
from vqc_landscape.config import LBFGS, TrainingConfig
from vqc_landscape.figures import labels, style
from vqc_landscape.figures.data import FigureData


def draw_optimisers(data: FigureData) -> Figure:
    """Fig. 11: one panel per shown seed, and the median with its spread over all seeds beside them."""
    shared = set.intersection(*(set(experiment.seeds) for experiment in data.experiments.values()))
    seeds = data.seeds or tuple(seed for seed in data.first.seeds if seed in shared)[:2]
    figure = style.new_figure(height=4.2)
    body = style.body_of(figure)
    *singles, together = body.subplots(1, len(seeds) + 1, sharey=True)
    for index, (name, experiment) in enumerate(data.experiments.items()):
        assert experiment.training is not None
        look = {**style.CURVES[index % len(style.CURVES)], "label": labels.optimiser(experiment.training.optimiser)}
        for ax, seed in zip(singles, seeds, strict=True):
            plot_loss(data.rows("trajectories", name, seed=seed), ax, shift=index, **look)
        runs = [data.rows("trajectories", name, seed=seed) for seed in experiment.seeds]
        plot_loss_over_seeds(pd.concat(runs), together, shift=index, **look)

    for letter, ax, seed in zip("abcdefgh", singles, seeds, strict=False):
        style.panel_title(ax, letter, f"initial point of seed {seed}")
    style.panel_title(together, "abcdefghi"[len(singles)], f"median and quartiles of {_n_seeds(data)} seeds")
    for ax in (*singles, together):
        ax.set_xlabel("epoch")
        ax.set_ylim(bottom=-0.03)  # losses end at 0, the frame below it
    singles[0].set_ylabel(labels.loss_axis(data.first))
    body.legend(*singles[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, handlelength=4)
    style.caption(
        figure,
        "Optimisers from the same initial points",
        labels.summary(data.first),
        "All curves of a panel start from the same parameters. GD: gradient descent; QNG: quantum natural gradient "
        "(block-diagonal: one block for each sub-layer of simultaneous rotations); H-LR: gradient descent with a "
        "learning rate η from the Hessian's eigenvalues λ; all three take one step an epoch. "
        "Bars: from the 25 % to the 75 % quantile of the seeds.",
    )
    return figure


def draw_final_losses(data: FigureData) -> Figure:
    """The last loss of every run, one row per optimiser, with the shares that leave the plateau and converge."""
    figure = style.new_figure(height=0.27 * len(data.experiments) + 1.9)
    ax = style.body_of(figure).subplots()
    names = []
    for row, (name, experiment) in enumerate(data.experiments.items()):
        assert experiment.training is not None
        runs = pd.concat([data.rows("trajectories", name, seed=seed) for seed in experiment.seeds])
        last, lowest = runs[runs["epoch"] == experiment.training.n_epochs]["loss"], runs.groupby("seed")["loss"].min()
        plot_final_losses(last, row, ax)
        left, converged = int((lowest < PLATEAU).sum()), int((last < CONVERGED).sum())
        counts = f"{_work(experiment.training)}: {left} leave, {converged} converge"
        ax.text(1.02, row, counts, va="center", fontsize=7, transform=ax.get_yaxis_transform())
        names.append(labels.optimiser(experiment.training.optimiser))
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlim(-0.03, 1.03)
    ax.axvline(PLATEAU, color=style.MUTED, linewidth=0.7, linestyle=":")
    ax.set_xlabel(f"{labels.loss_axis(data.first)} at the end of the training")
    ax.set_ylabel("optimiser")
    same = len({frozenset(experiment.seeds) for experiment in data.experiments.values()}) == 1
    style.caption(
        figure,
        "Where the optimisers end",
        labels.summary(data.first),
        f"One mark per initial point, {_n_seeds(data)} of them{', the same in every row' if same else ' in a row'}; "
        f"at the right, what every run did, and how many of them left the plateau and converged. A run has left "
        f"the plateau once its loss was below {PLATEAU:g} (dotted; circle: median), and has converged if it ends below "
        f"{CONVERGED:g}.",
    )
    return figure


def _n_seeds(data: FigureData) -> str:
    """``20``, or ``2 to 20`` where experiments have different numbers of seeds."""
    numbers = sorted({len(experiment.seeds) for experiment in data.experiments.values()})
    return f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def _work(training: TrainingConfig) -> str:
    """What a run without data did: one step an epoch, or the iterations of L-BFGS, which stops where it arrives."""
    optimiser, n_epochs = training.optimiser, training.n_epochs
    if isinstance(optimiser, LBFGS):
        return f"up to {n_epochs * optimiser.n_iterations} iterations"
    return f"{n_epochs} {'epochs' if isinstance(optimiser, str) else 'steps'}"


def plot_final_losses(losses: pd.Series[float], row: int, ax: Axes | None = None) -> None:
    """A mark per run on a horizontal line.

    Args:
        losses: one per run.
        row: height of the line.
        ax: where to draw; default: a new figure.
    """
    ax = style.axes_or_new(ax)
    ax.plot(losses, [row] * len(losses), "|", color=style.COLOURS["blue"], markersize=11, markeredgewidth=1)
    ax.plot([losses.median()], [row], "o", color=style.COLOURS["red"], markersize=4)


def plot_loss(run: pd.DataFrame, ax: Axes | None = None, *, shift: int = 0, **look: Any) -> None:
    """Loss against the epoch of one run.

    Args:
        run: rows of ``trajectories`` of one experiment and seed.
        ax: where to draw; default: a new figure.
        shift: number of the curve; moves its markers, so that those of several curves do not coincide.
        **look: colour, line style, marker, label.
    """
    ax = style.axes_or_new(ax)
    ax.plot(run["epoch"], run["loss"], markevery=_marked(len(run), shift), **look)


def plot_loss_over_seeds(runs: pd.DataFrame, ax: Axes | None = None, *, shift: int = 0, **look: Any) -> None:
    """Median of the loss over the seeds, with bars from quartile to quartile at the markers.

    Args:
        runs: rows of ``trajectories`` of one experiment, several seeds.
        ax: where to draw; default: a new figure.
        shift: as for ``plot_loss``.
        **look: as for ``plot_loss``.
    """
    ax = style.axes_or_new(ax)
    by_epoch = runs.groupby("epoch")["loss"]
    median = by_epoch.median()
    bars = [median - by_epoch.quantile(0.25), by_epoch.quantile(0.75) - median]
    marked = _marked(len(median), shift)
    ax.errorbar(median.index, median, bars, errorevery=marked, markevery=marked, capsize=2, elinewidth=0.8, **look)


def _marked(n_epochs: int, shift: int) -> tuple[int, int]:
    """First marked epoch and the distance to the next: about six on a curve."""
    step = max(n_epochs // 6, 1)
    return shift * step // len(style.CURVES) % step, step
