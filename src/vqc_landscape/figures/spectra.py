"""Figs. 5 and 6: eigenvalues of the Hessian along the training, and the loss along its eigenvectors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vqc_landscape.checks import Array
from vqc_landscape.figures import labels, style
from vqc_landscape.figures.data import FigureData

N_BINS = 41  # over the whole range, one of them centred on 0
# bins are never finer than this: chosen by us, so that rounding noise of a flat Hessian stays in the bin of 0
SMALLEST_BIN = 1e-4
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
        f"Hatched: {labels.STRUCTURAL_ZEROS}. Counts on a logarithmic axis.",
    )
    return figure


def plot_eigenvalue_histogram(spectrum: pd.DataFrame, ax: Axes | None = None, bins: Array | None = None) -> None:
    """Histogram of all eigenvalues at one epoch; structural zeros hatched, at the foot of their bar.

    Args:
        spectrum: rows of ``spectra`` of one experiment, seed and epoch: P of them.
        ax: where to draw; default: a new figure.
        bins: bin edges; default: ``eigenvalue_bins`` of these eigenvalues.
    """
    ax = style.axes_or_new(ax)
    eigvals = spectrum["eigval"].to_numpy()
    structural = spectrum["structural"].to_numpy(dtype=bool)
    bins = eigenvalue_bins(eigvals) if bins is None else bins
    zeros, _ = np.histogram(eigvals[structural], bins)
    others, _ = np.histogram(eigvals[~structural], bins)
    left, width = bins[:-1], np.diff(bins)
    ax.bar(left, others, width, bottom=zeros, align="edge", label=sign_counts(spectrum), **CURVATURE)
    ax.bar(left, zeros, width, align="edge", label=f"{structural.sum()} structural zeros", **STRUCTURAL)
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


def plot_eigenvalues_along_training(spectra: pd.DataFrame, ax: Axes | None = None) -> None:
    """Every eigenvalue against the epoch; all structural zeros of an epoch are one hatched mark at 0.

    Args:
        spectra: rows of ``spectra`` of one experiment and seed.
        ax: where to draw; default: a new figure.
    """
    ax = style.axes_or_new(ax)
    structural = spectra["structural"].to_numpy(dtype=bool)
    others, zeros = spectra[~structural], spectra[structural]
    ax.plot(others["epoch"], others["eigval"], "_", color=style.COLOURS["blue"], markersize=11, label="eigenvalue")
    if len(zeros):
        per_epoch = zeros.groupby("epoch").size()
        ax.bar(
            per_epoch.index,
            0.5 * LINEAR_BELOW,
            width=0.3,
            bottom=-0.25 * LINEAR_BELOW,
            label=f"{per_epoch.iloc[0]} structural zeros",
            zorder=3,
            **STRUCTURAL,
        )
    ax.axhline(0, color=style.MUTED, linewidth=0.6, zorder=0)
    ax.set_yscale("symlog", linthresh=LINEAR_BELOW)
    ax.axhspan(-LINEAR_BELOW, LINEAR_BELOW, color="0.93", zorder=-1, label=f"linear between ±{LINEAR_BELOW:g}")
    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.margins(x=0.03)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))


def draw_eigenvector_scans(data: FigureData) -> Figure:
    """Fig. 6: loss along eigenvectors, whole range and close to the minimum."""
    experiment, scans = data.first, data.rows("scans")
    figure = style.new_figure(height=3.6)
    body = style.body_of(figure)
    whole, close = body.subplots(1, 2)
    plot_scans(scans, whole)
    style.panel_title(whole, "a", "whole scan")
    plot_scans(scans[scans["t"].abs() <= ZOOM], close, parabola=True)
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


def plot_scans(scans: pd.DataFrame, ax: Axes | None = None, *, parabola: bool = False) -> None:
    """Loss along eigenvectors, largest eigenvalue first.

    Args:
        scans: rows of ``scans`` of one experiment and seed.
        ax: where to draw; default: a new figure.
        parabola: add the loss that the eigenvalue alone predicts, L(0) + eigval t^2 / 2.
    """
    ax = style.axes_or_new(ax)
    groups = sorted(scans.groupby("position"), key=lambda item: -item[1]["eigval"].iloc[0])
    for index, (_, scan) in enumerate(groups):
        eigval, structural = scan["eigval"].iloc[0], bool(scan["structural"].iloc[0])
        look = style.CURVES[index % len(style.CURVES)]
        name = "0 (structural zero)" if structural else labels.number(eigval)
        ax.plot(scan["t"], scan["loss"], label=name, markevery=(index, max(len(scan) // 10, 1)), **look)
        if parabola:
            centre = np.interp(0, scan["t"], scan["loss"])
            ax.plot(scan["t"], centre + 0.5 * eigval * scan["t"] ** 2, color=look["color"], linewidth=0.5)
