"""Figs. 5 and 6: eigenvalues of the Hessian along the training, and the loss along its eigenvectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vqc_landscape.checks import Array, check_type
from vqc_landscape.curvature.scans import Scans
from vqc_landscape.curvature.spectrum import Spectrum
from vqc_landscape.figures import labels, style
from vqc_landscape.figures.data import FigureData, as_frame

N_BINS = 41  # over the whole range, one of them centred on 0
# bins are never finer than this: chosen by us, so that rounding noise of a flat Hessian stays in the bin of 0
SMALLEST_BIN = 1e-4
LARGEST_MARK = 11.0  # points
N_BARS = 50  # of more epochs the hatched bars would be little but their edges: one bar is drawn for all
MARKS = 300  # points, about the width of the axes, which the marks of all epochs share
LINEAR_BELOW = 1e-2  # the axis of all epochs is linear around 0 and logarithmic beyond: chosen by us
ZOOM = 0.4  # rad: where the loss along an eigenvector is compared with its parabola

STRUCTURAL: dict[str, Any] = {"facecolor": "white", "edgecolor": style.MUTED, "hatch": "//////", "linewidth": 0.6}
CURVATURE: dict[str, Any] = {"facecolor": style.COLOURS["blue"], "edgecolor": style.COLOURS["blue"], "linewidth": 0.2}


def draw_spectra_along_training(data: FigureData) -> Figure:
    """Fig. 5: histograms at four epochs, and every eigenvalue at every epoch."""
    experiment, spectra = data.first, data.rows("spectra")
    losses = data.rows("trajectories").set_index("epoch")["loss"]
    figure = style.new_figure(height=5.6)
    top, bottom = figure.subfigures(2, 1, squeeze=False)[:, 0]

    epochs = spectra["epoch"].unique()
    chosen = epochs[np.unique(np.linspace(0, len(epochs) - 1, 4).round().astype(int))]
    bins = eigenvalue_bins(spectra.loc[spectra["epoch"].isin(chosen), "eigval"].to_numpy())
    panels = top.subplots(1, len(chosen), sharex=True, sharey=True, squeeze=False)[0]
    for letter, ax, epoch in zip("abcd", panels, chosen, strict=False):
        spectrum = spectra[spectra["epoch"] == epoch]
        plot_eigenvalue_histogram(spectrum, ax, bins)
        smallest, largest = (labels.number(value) for value in (spectrum["eigval"].min(), spectrum["eigval"].max()))
        style.panel_title(
            ax, letter, f"epoch {epoch}: L = {labels.number(losses[epoch])}\nλ from {smallest} to {largest}"
        )
    panels[0].set_ylabel("number of eigenvalues")
    top.supxlabel(labels.eigenvalue_axis(experiment), fontsize=8)

    ax = bottom.add_subplot()
    plot_eigenvalues_along_training(spectra, ax)
    ax.set_ylabel(labels.eigenvalue_axis(experiment, two_lines=True))
    style.panel_title(ax, "abcde"[len(chosen)], "all eigenvalues at all epochs")
    style.caption(
        figure,
        "Eigenvalues of the Hessian along the training",
        labels.summary(experiment),
        f"{labels.training(experiment, data.seed)}. λ: eigenvalue; = 0: within rounding. "
        f"{labels.hatched(spectra)}Counts on a logarithmic axis.",
    )
    return figure


def draw_spectra_compared(data: FigureData) -> Figure:
    """Fig. 5 in both conventions, and the relative error of the published Hessians at their own parameters."""
    tables = {name: data.rows("spectra", name) for name in data.experiments}
    ends = [min(tables[data.name]["epoch"]), max(tables[data.name]["epoch"])]
    shown = [table.loc[table["epoch"].isin(ends), "eigval"].to_numpy() for table in tables.values()]
    bins = eigenvalue_bins(np.concatenate(shown))
    figure = style.new_figure(height=8.6)
    upper, lower = figure.subfigures(2, 1, height_ratios=[3.4, 1], squeeze=False)[:, 0]
    halves = upper.subfigures(1, 2, squeeze=False)[0]
    for half, letters, (name, experiment) in zip(halves, ("abc", "def"), data.experiments.items(), strict=True):
        panels = half.subplots(3, 1, height_ratios=[1, 1, 1.1])
        losses = data.rows("trajectories", name).set_index("epoch")["loss"]
        for letter, ax, epoch in zip(letters, panels, ends, strict=False):
            plot_eigenvalue_histogram(tables[name][tables[name]["epoch"] == epoch], ax, bins)
            style.panel_title(ax, letter, f"epoch {epoch}: L = {labels.number(losses[epoch])}")
            ax.set(xlabel=labels.eigenvalue_axis(experiment), ylabel="number")
        plot_eigenvalues_along_training(tables[name], panels[2], legend=False)
        panels[2].set_ylabel(labels.eigenvalue_axis(experiment, two_lines=True))
        panels[2].set_ylim(*_round_limits(pd.concat(tables.values())["eigval"]))
        style.panel_title(panels[2], letters[2], "all eigenvalues at all epochs")
        half.suptitle(labels.convention(experiment), fontsize=9, fontweight="bold")
    ax = lower.add_subplot()
    plot_convention_errors(data.errors(), ax)
    style.panel_title(ax, "g", "error of the published Hessian at the parameters of its own training")
    style.caption(
        figure,
        "Eigenvalues of the Hessian along the training: exact, and the published code's",
        *(labels.summary(experiment) for experiment in data.experiments.values()),
        f"{labels.training(data.first, data.seed)}, the same point in both; each training follows its own gradient. "
        f"{labels.hatched(pd.concat(tables.values()))}"
        f"c, f: linear between ±{LINEAR_BELOW:g}. {labels.CONVENTION_ERROR}.",
    )
    return figure


def plot_convention_errors(errors: pd.DataFrame, ax: Axes | None = None) -> None:
    """Relative error of the as-published Hessian and of its eigenvalues against the epoch.

    Args:
        errors: rows of ``convention_errors`` of one experiment and seed.
        ax: where to draw; default: a new figure.
    """
    ax = style.axes_or_new(ax)
    ax.plot(errors["epoch"], errors["hessian_error"], label="Hessian", **style.CURVES[0])
    ax.plot(errors["epoch"], errors["eigval_error"], label="eigenvalues", **style.CURVES[1])
    ax.set(xlabel="epoch", ylabel="relative error")
    ax.set_ylim(bottom=0)
    style.whole_ticks(ax, errors["epoch"])
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))


def _round_limits(eigvals: pd.Series) -> tuple[float, float]:
    """Limits of a linear-and-logarithmic axis that hold all ``eigvals``, with some air."""
    return min(1.6 * eigvals.min(), -LINEAR_BELOW), max(1.6 * eigvals.max(), LINEAR_BELOW)


def plot_eigenvalue_histogram(
    spectrum: pd.DataFrame | Spectrum, ax: Axes | None = None, bins: Array | None = None
) -> None:
    """Histogram of all eigenvalues at one epoch; structural zeros hatched, at the foot of their bar.

    Args:
        spectrum: a spectrum, or rows of ``spectra`` of one experiment, seed and epoch: P of them.
        ax: where to draw; default: a new figure.
        bins: bin edges; default: ``eigenvalue_bins`` of these eigenvalues.
    """
    spectrum = as_frame("spectrum", spectrum, ("eigval", "structural", "tolerance"))
    ax = style.axes_or_new(ax)
    eigvals = spectrum["eigval"].to_numpy()
    structural = spectrum["structural"].to_numpy(dtype=bool)
    bins = eigenvalue_bins(eigvals) if bins is None else bins
    zeros, _ = np.histogram(eigvals[structural], bins)
    others, _ = np.histogram(eigvals[~structural], bins)
    left, width = bins[:-1], np.diff(bins)
    ax.bar(left, others, width, bottom=zeros, align="edge", label=sign_counts(spectrum), **CURVATURE)
    name = f"{structural.sum()} structural zeros" if structural.any() else "_"  # an underscore: not in the legend
    ax.bar(left, zeros, width, align="edge", label=name, **STRUCTURAL)
    # one eigenvalue must be seen beside a hundred zeros
    ax.set_yscale("log")
    peak = (zeros + others).max()
    ax.set_ylim(0.6, peak * (peak / 0.6) ** 0.5)  # a third of the height for the legend
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(loc="upper right", handlelength=1.2, borderaxespad=0.2, labelspacing=0.3)


def sign_counts(spectrum: pd.DataFrame) -> str:
    """How many of the other eigenvalues are positive, negative, zero within the spectrum's own tolerance."""
    curvature = spectrum[~spectrum["structural"].astype(bool)]
    eigvals, tolerance = curvature["eigval"], curvature["tolerance"]
    positive, negative = (eigvals > tolerance).sum(), (eigvals < -tolerance).sum()
    zero = len(curvature) - positive - negative
    return f"λ > 0: {positive}, < 0: {negative}" + (f", = 0: {zero}" if zero else "")


def eigenvalue_bins(eigvals: Array) -> Array:
    """Equal bins over the range of ``eigvals``, with 0 in the middle of one of them; returns their edges."""
    low, high = min(eigvals.min(), 0.0), max(eigvals.max(), 0.0)
    width = max((high - low) / N_BINS, SMALLEST_BIN)
    n_below, n_above = np.floor(0.5 - low / width), np.floor(0.5 + high / width)  # bins on either side of 0's
    return np.asarray((np.arange(-n_below, n_above + 2) - 0.5) * width)


def plot_eigenvalues_along_training(
    spectra: pd.DataFrame | Sequence[Spectrum],
    ax: Axes | None = None,
    epochs: Sequence[int] | None = None,
    *,
    legend: bool = True,
) -> None:
    """Every eigenvalue against the epoch; all structural zeros of an epoch are one hatched mark at 0.

    Args:
        spectra: what :func:`vqc_landscape.spectra_at` returns, or rows of ``spectra`` of one experiment and seed.
        ax: where to draw; default: a new figure.
        epochs: numbers of the epochs of a list of spectra (a table has its own); default: 0, 1, 2, ...
        legend: explain the marks beside the axes.

    Raises:
        ValueError: no spectra, another number of epochs, or epochs beside a table.
    """
    spectra = _by_epoch(spectra, epochs)
    ax = style.axes_or_new(ax)
    style.whole_ticks(ax, spectra["epoch"])  # before the bars, which are wider than their epochs
    structural = spectra["structural"].to_numpy(dtype=bool)
    others, zeros = spectra[~structural], spectra[structural]
    size = min(LARGEST_MARK, MARKS / spectra["epoch"].nunique())
    ax.plot(others["epoch"], others["eigval"], "_", color=style.COLOURS["blue"], markersize=size, label="eigenvalue")
    if len(zeros):
        per_epoch = zeros.groupby("epoch").size()
        name = f"{per_epoch.iloc[0]} structural zeros"
        low, height = -0.25 * LINEAR_BELOW, 0.5 * LINEAR_BELOW
        if len(per_epoch) <= N_BARS:
            ax.bar(per_epoch.index, height, width=0.3, bottom=low, label=name, zorder=3, **STRUCTURAL)
        else:
            first, last = per_epoch.index[0], per_epoch.index[-1]
            ax.bar(first, height, width=last - first, bottom=low, align="edge", label=name, zorder=0.5, **STRUCTURAL)
    ax.axhline(0, color=style.MUTED, linewidth=0.6, zorder=0)
    ax.set_yscale("symlog", linthresh=LINEAR_BELOW)
    ax.axhspan(-LINEAR_BELOW, LINEAR_BELOW, color="0.93", zorder=-1, label=f"linear between ±{LINEAR_BELOW:g}")
    ax.set_xlabel("epoch")
    ax.margins(x=0.03)
    if legend:
        shown = ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
        next(handle for handle in shown.legend_handles if isinstance(handle, Line2D)).set_markersize(LARGEST_MARK)


def _by_epoch(spectra: pd.DataFrame | Sequence[Spectrum], epochs: Sequence[int] | None) -> pd.DataFrame:
    if isinstance(spectra, Sequence):
        numbers = range(len(spectra)) if epochs is None else epochs
        if len(numbers) != len(spectra) or not len(spectra):
            raise ValueError(
                f"Arguments `spectra` and `epochs` must be equally many and not empty, but are {len(spectra)} and "
                f"{len(numbers)}."
            )
        parts = [
            check_type(f"spectra[{i}]", pairs, Spectrum, "vl.spectrum").to_pandas().assign(epoch=epoch)
            for i, (pairs, epoch) in enumerate(zip(spectra, numbers, strict=True))
        ]
        spectra = pd.concat(parts)
    elif epochs is not None:
        raise ValueError("Argument `epochs` goes with a list of spectra only: a table has the epochs in a column.")
    return as_frame("spectra", spectra, ("epoch", "eigval", "structural"))


def draw_eigenvector_scans(data: FigureData) -> Figure:
    """Fig. 6: loss along eigenvectors, whole range and close to the minimum."""
    experiment, scans = data.first, data.rows("scans")
    figure = style.new_figure(height=3.6)
    body = style.body_of(figure)
    whole, close = body.subplots(1, 2)
    plot_scans(scans, whole)
    style.panel_title(whole, "a", "whole scan")
    # a coarse scan has few points close to the centre: at least the ones next to it
    step = np.diff(np.sort(scans["t"].unique())).min()
    plot_scans(scans[scans["t"].abs() <= max(ZOOM, 1.1 * step)], close, parabola=True)
    style.panel_title(close, "b", "zoom; thin lines: L(0) + λt²/2")
    for ax in (whole, close):
        ax.set_xlabel(f"distance t along the unit eigenvector v{labels.unit(experiment)}")
        ax.set_ylabel(f"{labels.loss_axis(experiment)} at θ + t·v")
    title = f"eigenvalue λ{labels.unit(experiment, -2)}"
    body.legend(*whole.get_legend_handles_labels(), loc="outside right upper", title=title)
    style.caption(
        figure,
        f"Loss along eigenvectors of the Hessian after epoch {scans['epoch'].iloc[0]}",
        labels.summary(experiment),
        f"{labels.training(experiment, data.seed)}. θ: the parameters after that epoch; v: eigenvector of the "
        "Hessian there." + (f" Structural zero: {labels.STRUCTURAL_ZERO}." if scans["structural"].any() else ""),
    )
    return figure


def draw_scans_compared(data: FigureData) -> Figure:
    """Fig. 6 in both conventions: each along the eigenvectors of its own Hessian, at the end of its own training."""
    figure = style.new_figure(height=4.4)
    body = style.body_of(figure)
    panels = body.subplots(1, 2, sharey=True)
    for letter, ax, (name, experiment) in zip("ab", panels, data.experiments.items(), strict=True):
        plot_scans(data.rows("scans", name), ax)
        epoch = data.rows("scans", name)["epoch"].iloc[0]
        style.panel_title(ax, letter, f"{labels.convention(experiment)}, epoch {epoch}")
        ax.set_xlabel(f"distance t along the unit eigenvector v{labels.unit(experiment)}")
        ax.legend(loc="upper center", ncols=2, title=f"eigenvalue λ{labels.unit(experiment, -2)}")
    panels[0].set_ylabel(f"{labels.loss_axis(data.first)} at θ + t·v")
    low, high = panels[0].get_ylim()
    panels[0].set_ylim(low, high + 0.35 * (high - low))  # room for the legends
    error = data.errors(epoch).iloc[0]
    style.caption(
        figure,
        "Loss along eigenvectors of the Hessian: exact, and the published code's",
        *(labels.summary(experiment) for experiment in data.experiments.values()),
        f"{labels.training(data.first, data.seed)}, the same point in both. "
        f"At the parameters of b: {labels.errors(error)}. {labels.CONVENTION_ERROR}.",
    )
    return figure


def plot_scans(scans: pd.DataFrame | Scans, ax: Axes | None = None, *, parabola: bool = False) -> None:
    """Loss along eigenvectors, largest eigenvalue first.

    Args:
        scans: what :func:`vqc_landscape.eigenvector_scans` returns, or rows of ``scans`` of one experiment and seed.
        ax: where to draw; default: a new figure.
        parabola: add the loss that the eigenvalue alone predicts, L(0) + eigval t^2 / 2.
    """
    frame = as_frame("scans", scans, ("position", "eigval", "structural", "t", "loss"))
    ax = style.axes_or_new(ax)
    groups = sorted(frame.groupby("position"), key=lambda item: -item[1]["eigval"].iloc[0])
    for index, (_, scan) in enumerate(groups):
        eigval, structural = scan["eigval"].iloc[0], bool(scan["structural"].iloc[0])
        look = style.CURVES[index % len(style.CURVES)]
        name = "0 (structural zero)" if structural else labels.number(eigval)
        ax.plot(scan["t"], scan["loss"], label=name, markevery=(index, max(len(scan) // 10, 1)), **look)
        if parabola:
            centre = np.interp(0, scan["t"], scan["loss"])
            ax.plot(scan["t"], centre + 0.5 * eigval * scan["t"] ** 2, color=look["color"], linewidth=0.5)
