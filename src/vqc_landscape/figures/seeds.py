"""Ours, beside Figs. 9 and 10: spectra over many initial points."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from vqc_landscape.checks import Array
from vqc_landscape.config import Experiment
from vqc_landscape.figures import labels, style
from vqc_landscape.figures.data import FigureData

INITIALISERS = {
    "torch_default": ("torch's default", "s", style.COLOURS["light_blue"]),
    "xavier_uniform": ("Xavier, uniform", "^", style.COLOURS["red"]),
    "xavier_normal": ("Xavier, normal", "v", style.COLOURS["light_red"]),
    "kaiming_uniform": ("Kaiming, uniform", "D", style.COLOURS["yellow"]),
}


def draw_spectra_over_seeds(data: FigureData) -> Figure:
    """Amplitudes at the start and the end, the tail of the trained spectra, and the spread against the size."""
    epochs = sorted(set(data.tables["ensembles"]["epoch"]))
    first, last = epochs[0], epochs[-1]
    circuit = next(e for e in data.experiments.values() if e.circuit is not None)  # the registry sees to it
    figure = style.new_figure(height=7.4)
    body = style.body_of(figure)
    upper, lower = body.subfigures(2, 1, height_ratios=(1.55, 1), squeeze=False)[:, 0]
    panels = upper.subplots(1, 2, sharey=True, sharex=True)
    for letter, ax, epoch, when in zip(
        "ab", panels, (first, last), ("at the start", "after the training"), strict=True
    ):
        plot_amplitudes(_kinds(data, epoch), ax)
        style.panel_title(ax, letter, f"{when}, epoch {epoch}")
        ax.set_xlabel(f"largest |eigenvalue| of the Hessian of the\n{labels.loss_axis(circuit)}")
    panels[0].set_ylabel("layer widths, prediction, activation")
    upper.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=5, handletextpad=0)
    tail, size = lower.subplots(1, 2)
    plot_tails(_kinds(data, last), tail)
    style.panel_title(tail, "c", f"positive eigenvalues, epoch {last}")
    plot_spreads(_kinds(data, first), size)
    style.panel_title(size, "d", f"fluctuation over the seeds, epoch {first}")
    seeds = {len(e.seeds) for e in data.experiments.values()}
    whole = [e.network for e in data.experiments.values() if e.network and not (e.ensemble and e.ensemble.n_extremes)]
    own = dict.fromkeys(f"{network.activation} and {INITIALISERS[network.initialiser][0]}" for network in whole)
    networks = f", networks with {' or '.join(own)}" if own else ""
    style.caption(
        figure,
        "Spectra over initial points: QNN and classical networks",
        f"QNN: {labels.summary(circuit, labels.n_train(circuit))} Networks: layer widths, prediction and activation "
        f"as named. a), b) every mark is one of {min(seeds)} to {max(seeds)} initial points, bars: geometric means; "
        f"dotted: that of the QNN, and a tenth of it. c) median and quartiles over the initial points{networks}. d) a "
        "mark for each activation; standard deviation of the logarithm of the largest |eigenvalue|: 0.1 is about 10 %.",
    )
    return figure


Kind = tuple[str, Experiment, str, str, pd.DataFrame]  # label, experiment, activation, initialiser, rows


def plot_amplitudes(kinds: list[Kind], ax: Axes | None = None) -> None:
    """Largest |eigenvalue| of every seed; a row for each network and activation, a mark for each initialiser.

    Args:
        kinds: the members of the ensembles at one epoch.
        ax: where to draw; default: a new figure.
    """
    ax = style.axes_or_new(ax)
    rows = list(dict.fromkeys(label for label, *_ in kinds))
    named = set[str]()
    for label, _, _, initialiser, members in kinds:
        name, marker, colour = INITIALISERS.get(initialiser, ("QNN", "o", style.COLOURS["black"]))
        place = rows.index(label) + 0.18 * (list(INITIALISERS).index(initialiser) - 1.5 if initialiser else 0)
        amplitudes = _amplitudes(members)
        legend = name if name not in named else None
        ax.plot(amplitudes, np.full(len(amplitudes), place), marker, color=colour, markersize=2.6, label=legend)
        ax.plot(np.exp(np.mean(np.log(amplitudes))), place, "|", color="black", markersize=5, markeredgewidth=1)
        named.add(name)
    reference = float(np.exp(np.mean(np.log(_amplitudes(kinds[0][4])))))
    for factor in (1, 0.1):
        ax.axvline(factor * reference, color=style.MUTED, linewidth=0.8, linestyle=":")
    ax.set_yticks(range(len(rows)), rows)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xscale("log")


def plot_tails(kinds: list[Kind], ax: Axes | None = None) -> None:
    """Eigenvalues relative to the largest, by rank: median and quartiles over the seeds.

    Args:
        kinds: the members of the ensembles at one epoch.
        ax: where to draw; default: a new figure.
    """
    ax = style.axes_or_new(ax)
    chosen = [kind for kind in kinds if _is_own(kind) and _is_whole(kind[4])]
    for index, (_, experiment, _, _, members) in enumerate(chosen):
        look = style.CURVES[index % len(style.CURVES)]
        n_kept = min(40, *(len(v) for v in members["eigvals"]))
        ranked = np.stack([v[::-1][:n_kept] / v[-1] for v in members["eigvals"]])
        low, middle, high = np.quantile(np.maximum(ranked, 1e-6), (0.25, 0.5, 0.75), axis=0)
        rank = np.arange(1, n_kept + 1)
        ax.fill_between(rank, low, high, color=look["color"], alpha=0.2, linewidth=0)
        ax.plot(rank, middle, label=labels.short_model(experiment), markevery=(index, 8), **look)
    ax.set(xlabel="rank of the eigenvalue", ylabel="eigenvalue / largest", yscale="log", ylim=(1e-4, 1.5))
    ax.legend(loc="lower left", fontsize=6)


def plot_spreads(kinds: list[Kind], ax: Axes | None = None) -> None:
    """Relative spread of the largest |eigenvalue| over the seeds against the number of parameters.

    Args:
        kinds: the members of the ensembles at one epoch.
        ax: where to draw; default: a new figure.
    """
    ax = style.axes_or_new(ax)
    named = set[str]()
    for _, experiment, _, initialiser, members in kinds:
        name, marker, colour = INITIALISERS.get(initialiser, ("QNN", "o", style.COLOURS["black"]))
        spread = float(np.std(np.log(_amplitudes(members)), ddof=1)) if len(members) > 1 else np.nan
        legend = name if name not in named else None
        ax.plot(experiment.n_params, spread, marker, color=colour, label=legend, markersize=4)
        named.add(name)
    ax.set(xscale="log", xlabel="number of parameters", ylabel="relative spread over seeds")
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())


def _kinds(data: FigureData, epoch: int) -> list[Kind]:
    """Members at one epoch by experiment, activation and initialiser; the circuit first."""
    table, found = data.tables["ensembles"], []
    for name, experiment in sorted(data.experiments.items(), key=lambda item: item[1].circuit is None):
        rows = table[(table["experiment"] == name) & (table["epoch"] == epoch)]
        if rows.empty:
            raise ValueError(f"Table `ensembles` has no rows for experiment {name}, epoch {epoch}.")
        if experiment.circuit is not None:
            found.append((labels.short_model(experiment), experiment, "", "", rows))
            continue
        for _, own in rows.groupby(["activation", "initialiser"], sort=False):
            activation, initialiser = own.iloc[0][["activation", "initialiser"]]
            found.append((f"{labels.short_model(experiment)}, {activation}", experiment, activation, initialiser, own))
    return found


def _is_own(kind: Kind) -> bool:
    """Whether a member has the activation and the initialiser of its experiment, not another of the ensemble."""
    _, experiment, activation, initialiser, _ = kind
    network = experiment.network
    return network is None or (network.activation, network.initialiser) == (activation, initialiser)


def _is_whole(members: pd.DataFrame) -> bool:
    """Whether all eigenvalues are there, not the extremes alone."""
    row = members.iloc[0]
    return len(row["eigvals"]) + int(row["n_structural"]) == len(row["params"])


def _amplitudes(members: pd.DataFrame) -> Array:
    return np.array([np.abs(eigvals).max() for eigvals in members["eigvals"]])
