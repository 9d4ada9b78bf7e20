"""Ours, beside Figs. 9 and 10: the curvature that single training samples carry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vqc_landscape.checks import Array
from vqc_landscape.figures import labels, style
from vqc_landscape.figures.data import FigureData

N_BINS = 10  # of the samples, by |f|


def draw_curvature_of_samples(data: FigureData) -> Figure:
    """Signs, size and share of the curvature of single samples against their prediction."""
    circuit = next(name for name, e in data.experiments.items() if e.circuit is not None)  # the registry sees to it
    epoch = data.tables["samples"]["epoch"].max()
    figure = style.new_figure(height=3.9)
    body = style.body_of(figure)
    signs, sizes, shares = body.subplots(1, 3)
    plot_signs(_samples(data, circuit, epoch), signs)
    style.panel_title(signs, "a", "signs, QNN")
    plot_sizes(_samples(data, circuit, epoch), sizes)
    style.panel_title(sizes, "b", "size, QNN")
    sizes.set_ylabel(sizes.get_ylabel() + labels.unit(data.experiments[circuit], -2))
    for index, name in enumerate(data.experiments):
        look = {**style.CURVES[index % len(style.CURVES)], "label": labels.short_model(data.experiments[name])}
        plot_shares(_samples(data, name, epoch), shares, **look)
    shares.axhline(1, color=style.MUTED, linewidth=0.8, linestyle=":", label="all samples alike")
    low, high = shares.get_ylim()
    shares.set_ylim(low, high + 0.3 * (high - low))  # room for the legend above the curves
    shares.legend(loc="upper right")
    style.panel_title(shares, "c", "contribution to the risk")
    chosen = data.experiments[circuit]
    n_train = labels.n_train(chosen)
    n_leading = sorted({e.samples.n_leading for e in data.experiments.values() if e.samples is not None})
    style.caption(
        figure,
        "The curvature of single training samples",
        f"QNN: {labels.summary(chosen, n_train)} H_s: the Hessian of one of the {n_train} training samples by itself, "
        f"after epoch {epoch}, for {len(chosen.seeds)} initial points. f: prediction, y: label. a) sum of the positive "
        "eigenvalues over the sum of all magnitudes; line: running median. b) medians and quartiles in tenths of the "
        "samples by |f|; for the most certain tenth also with the other label. c) v·H_s v, summed over the "
        f"{' or '.join(map(str, n_leading))} leading eigenvectors v of the risk's Hessian, relative to its mean over "
        "all samples; median and quartiles over the initial points.",
    )
    return figure


def plot_signs(samples: pd.DataFrame, ax: Axes | None = None) -> None:
    """Weight of the positive eigenvalues of every sample against y f.

    Args:
        samples: rows of ``samples`` of one experiment and epoch, all seeds.
        ax: where to draw; default: a new figure.
    """
    ax = style.axes_or_new(ax)
    margin = (samples["y"] * samples["prediction"]).to_numpy()
    eigvals = np.stack(samples["eigvals"].to_list())
    weight = np.clip(eigvals, 0, None).sum(axis=1) / np.abs(eigvals).sum(axis=1)
    ax.plot(margin, weight, ".", color=style.COLOURS["light_blue"], markersize=1, alpha=0.4, rasterized=True)
    middle = [
        (margin[part].mean(), np.median(weight[part]))
        for part in np.array_split(np.argsort(margin, kind="stable"), 40)
        if len(part)
    ]
    ax.plot(*np.transpose(middle), color="black")
    for level in (1 / 3, 2 / 3):
        ax.axhline(level, color=style.MUTED, linewidth=0.8, linestyle=":")
    ax.axvline(0, color=style.MUTED, linewidth=0.8)
    ax.set(xlabel="y f (below 0: wrong)", ylabel="weight of the positive eigenvalues", ylim=(0, 1))


def plot_sizes(samples: pd.DataFrame, ax: Axes | None = None) -> None:
    """Largest |eigenvalue| of a sample against |f|; for the most certain ones with either label.

    Args:
        samples: rows of ``samples`` of one experiment and epoch, all seeds.
        ax: where to draw; default: a new figure.
    """
    ax = style.axes_or_new(ax)
    points = np.array([(x, *np.quantile(_size(samples.iloc[part]), (0.25, 0.5, 0.75))) for x, part in _tenths(samples)])
    look = style.CURVES[0]
    ax.fill_between(points[:, 0], points[:, 1], points[:, 3], color=look["color"], alpha=0.2, linewidth=0)
    ax.plot(points[:, 0], points[:, 2], label="true label", **look)
    certain = samples[samples["other_label"].notna()]
    low, middle, high = np.quantile(_size(certain, "other_label"), (0.25, 0.5, 0.75))
    place = certain["prediction"].abs().median()
    look = {**style.CURVES[4], "label": "the other label"}
    ax.errorbar(place, middle, [[middle - low], [high - middle]], capsize=2, **look)
    ax.set(xlabel="|f|", ylabel="largest |eigenvalue| of H_s")
    ax.set_ylim(bottom=0)
    ax.legend(loc="best")


def plot_shares(samples: pd.DataFrame, ax: Axes | None = None, **look: Any) -> None:
    """What samples add to the leading eigenvalues, by |f|: median and quartiles over the seeds.

    Args:
        samples: rows of ``samples`` of one experiment and epoch, all seeds.
        ax: where to draw; default: a new figure.
        **look: colour, line style, marker, label.
    """
    ax = style.axes_or_new(ax)
    curves = []
    for _, own in samples.groupby("seed"):
        added = np.stack(own["leading"].to_list()).sum(axis=1)
        curves.append([(x, added[part].mean() / added.mean()) for x, part in _tenths(own)])
    x = np.median(np.array(curves)[:, :, 0], axis=0)
    low, middle, high = np.quantile(np.array(curves)[:, :, 1], (0.25, 0.5, 0.75), axis=0)
    ax.fill_between(x, low, high, color=look["color"], alpha=0.2, linewidth=0)
    ax.plot(x, middle, **look)
    ax.set(xlabel="|f|", ylabel="contribution / mean of all samples")


def _samples(data: FigureData, name: str, epoch: int) -> pd.DataFrame:
    table = data.tables["samples"]
    rows = table[(table["experiment"] == name) & (table["epoch"] == epoch)]
    if rows.empty:
        raise ValueError(f"Table `samples` has no rows for experiment {name}, epoch {epoch}.")
    return rows


def _tenths(samples: pd.DataFrame) -> Iterator[tuple[float, NDArray[np.int64]]]:
    """Median |f| and positions of each tenth of the samples by |f|."""
    size = samples["prediction"].abs().to_numpy()
    for part in np.array_split(np.argsort(size, kind="stable"), N_BINS):
        if len(part):
            yield float(np.median(size[part])), part.astype(np.int64)


def _size(samples: pd.DataFrame, column: str = "eigvals") -> Array:
    return np.array([np.abs(eigvals).max() for eigvals in samples[column]])
