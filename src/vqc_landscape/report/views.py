"""What the interactive views of the page show: Plotly figures, and the numbers that the page's controls put into them.

Each view is a function ``(FigureData) -> View``. Everything a view says is computed here, from the tables;
the page's script only picks what a control asks for.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from vqc_landscape.checks import Array
from vqc_landscape.config import Experiment
from vqc_landscape.figures import labels
from vqc_landscape.figures.data import FigureData
from vqc_landscape.figures.spectra import eigenvalue_bins, sign_counts
from vqc_landscape.report import surfaces
from vqc_landscape.report.view import COLOURS, View, Wanted
from vqc_landscape.studies.datasets import RADIUS

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def spectrum(data: FigureData) -> View:
    """Histogram of the eigenvalues at the epoch of a slider, beside the loss."""
    tables = {name: data.rows("spectra", name) for name in data.experiments}
    bins = eigenvalue_bins(np.concatenate([table["eigval"] for table in tables.values()]))
    centres, width = (bins[1:] + bins[:-1]) / 2, np.diff(bins)
    figure = go.Figure()
    # heights are set at every epoch; they start at one empty bin each
    figure.add_bar(
        x=centres,
        y=np.zeros(len(centres)),
        width=width,
        name="structural zeros",
        marker={"color": COLOURS["grey"], "pattern": {"shape": "/", "fillmode": "overlay", "fgopacity": 1}},
        hovertemplate="%{y} structural zeros<extra></extra>",
    )
    figure.add_bar(
        x=centres,
        y=np.zeros(len(centres)),
        width=width,
        name="other eigenvalues",
        marker={"color": COLOURS["blue"]},
        customdata=np.column_stack([bins[:-1], bins[1:]]),
        hovertemplate="%{y} from %{customdata[0]:.3g} to %{customdata[1]:.3g}<extra></extra>",
    )
    figure.add_scatter(
        x=[], y=[], xaxis="x2", yaxis="y2", mode="lines", line={"color": COLOURS["grey"]}, showlegend=False, name="loss"
    )
    figure.add_scatter(
        x=[],
        y=[],
        xaxis="x2",
        yaxis="y2",
        mode="markers",
        marker={"color": COLOURS["red"], "size": 10},
        showlegend=False,
        hoverinfo="skip",
    )
    figure.update_layout(
        barmode="stack",
        bargap=0,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        xaxis={"title": {"text": f"eigenvalue{labels.unit(data.first, -2)}"}, "range": [bins[0], bins[-1]]},
        yaxis={
            "title": {"text": "number"},
            "type": "log",
            "dtick": 1,
            "domain": [0.42, 1],
            "range": _log_range(data, tables),
        },
        xaxis2={"title": {"text": "epoch"}, "anchor": "y2"},
        yaxis2={"title": {"text": "loss"}, "domain": [0, 0.24], "anchor": "x2", "rangemode": "tozero"},
        dragmode=False,
        height=520,
        margin={"l": 60, "r": 10, "t": 40, "b": 45},
    )
    return View(
        kind="spectrum",
        title=f"Every {labels.eigenvalue_axis(data.first)}, epoch by epoch",
        hint="Move the slider, with the mouse or the arrow keys. Counts are on a logarithmic axis.",
        runs=tuple(labels.convention(experiment) for experiment in data.experiments.values()),
        figure=figure,
        values={
            "runs": [
                _spectrum_values(tables[name], data.rows("trajectories", name).set_index("epoch")["loss"], bins)
                for name in data.experiments
            ]
        },
    )


def _log_range(data: FigureData, tables: dict[str, pd.DataFrame]) -> list[float]:
    """Exponents of the axis of counts: from below 1 to all eigenvalues."""
    most = max(len(table) / table["epoch"].nunique() for table in tables.values())
    return [math.log10(0.6), math.log10(1.5 * most)]


def _spectrum_values(spectra: pd.DataFrame, losses: pd.Series, bins: Array) -> dict[str, Any]:
    """Counts, and one sentence, for each epoch of one run."""
    values: dict[str, Any] = {"epochs": [], "zeros": [], "others": [], "text": []}
    for epoch, rows in spectra.groupby("epoch"):
        structural = rows["structural"].to_numpy(dtype=bool)
        eigvals = rows["eigval"].to_numpy()
        values["epochs"].append(epoch)
        values["zeros"].append(np.histogram(eigvals[structural], bins)[0])
        values["others"].append(np.histogram(eigvals[~structural], bins)[0])
        values["text"].append(
            f"Epoch {epoch}: loss {labels.number(losses[epoch])}; eigenvalues from {labels.number(eigvals.min())} "
            f"to {labels.number(eigvals.max())}; {sign_counts(rows)}; {structural.sum()} structural zeros."
        )
    return values | {"loss_epochs": losses.index, "loss": losses, "loss_at": losses[values["epochs"]]}


def maps(data: FigureData) -> View:
    """Prediction map at the epoch of a switch, with the training samples."""
    experiment, predictions, samples = data.first, data.rows("predictions"), data.rows("datasets")
    train = samples[samples["split"] == "train"]
    grids = {
        epoch: predictions[predictions["epoch"] == epoch].pivot(index="x2", columns="x1", values="prediction")
        for epoch in sorted(predictions["epoch"].unique())
    }
    first = next(iter(grids.values()))
    axes = {"x": first.columns.to_numpy(), "y": first.index.to_numpy()}
    figure = go.Figure()
    figure.add_heatmap(
        **axes,
        z=np.zeros((0, 0)),
        zmin=-1,
        zmax=1,
        colorscale="Magma",
        colorbar={"orientation": "h", "len": 0.6, "y": -0.16, "yanchor": "top", "thickness": 12},
        hovertemplate="x₁ %{x:.2f}, x₂ %{y:.2f}: f = %{z:.3f}<extra></extra>",
    )
    figure.add_contour(
        **axes,
        z=np.zeros((0, 0)),
        contours={"start": 0, "end": 0, "size": 1, "coloring": "lines"},
        colorscale=[[0, "white"], [1, "white"]],
        line={"width": 3},
        showscale=False,
        hoverinfo="skip",
        name="f = 0",
    )
    for sign, name, symbol, face in ((1, "y = +1 (inside)", "circle", "black"), (-1, "y = −1", "triangle-up", "white")):
        chosen = train[np.sign(train["y"]) == sign]
        figure.add_scatter(
            x=chosen["x1"],
            y=chosen["x2"],
            mode="markers",
            name=name,
            marker={"symbol": symbol, "size": 6, "color": face, "line": {"width": 1, "color": "#888888"}},
            hoverinfo="skip",
        )
    figure.update_layout(
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        xaxis={"title": {"text": "feature x₁"}, "range": [-1, 1], "constrain": "domain"},
        yaxis={"title": {"text": "feature x₂"}, "range": [-1, 1], "scaleanchor": "x", "constrain": "domain"},
        shapes=[
            {"type": "circle", "x0": -RADIUS, "y0": -RADIUS, "x1": RADIUS, "y1": RADIUS}
            | {"line": {"dash": "dash", "color": colour, "width": width}}
            for colour, width in (("white", 4), ("black", 2))
        ],
        dragmode=False,
        height=560,
        margin={"l": 50, "r": 10, "t": 40, "b": 45},
    )
    rows = data.rows("trajectories").set_index("epoch")
    return View(
        kind="maps",
        title=f"Map of the {labels.prediction_axis(experiment)}",
        hint="Switch between the epochs. White line: f = 0; dashed: the circle between the classes.",
        runs=tuple(f"epoch {epoch}" for epoch in grids),
        figure=figure,
        values={
            "maps": [np.round(grid.to_numpy(), 4) for grid in grids.values()],
            "text": [
                f"Epoch {epoch}: loss {labels.number(rows['loss'][epoch])}, accuracy "
                f"{rows['accuracy'][epoch]:.1%} on the training samples, {rows['test_accuracy'][epoch]:.1%} on others."
                for epoch in grids
            ],
        },
    )


def curves(data: FigureData) -> View:
    """Loss of every optimiser, seed by seed, and the median with its quartiles."""
    figure = go.Figure()
    for index, (name, experiment) in enumerate(data.experiments.items()):
        assert experiment.training is not None
        look = {"color": list(COLOURS.values())[index % len(COLOURS)], "dash": DASHES[index % len(DASHES)]}
        runs = pd.concat([data.rows("trajectories", name, seed=seed) for seed in experiment.seeds])
        losses = runs.pivot(index="epoch", columns="seed", values="loss")
        epoch, quartiles = losses.index.to_numpy(), losses.quantile([0.25, 0.5, 0.75], axis=1).to_numpy()
        band = {"line": {"width": 0}, "mode": "lines", "hoverinfo": "skip", "showlegend": False, "x": epoch}
        of = {"legendgroup": name}
        figure.add_scatter(y=quartiles[0], meta=[name, "median"], **band, **of)
        figure.add_scatter(
            y=quartiles[2], meta=[name, "median"], fill="tonexty", fillcolor=_faint(look["color"]), **band, **of
        )
        text = _plain(experiment)
        figure.add_scatter(
            x=epoch, y=quartiles[1], meta=[name, "median"], line={**look, "width": 3}, mode="lines", name=text, **of
        )
        for seed in losses.columns:
            figure.add_scatter(
                x=epoch,
                y=losses[seed].to_numpy(),
                meta=[name, str(seed)],
                line={**look, "width": 1.3},
                mode="lines",
                name=f"{text}, seed {seed}",
                showlegend=False,
                visible=False,
                **of,
            )
    figure.update_layout(
        legend={"orientation": "h", "y": -0.18},
        xaxis={"title": {"text": "epoch"}},
        yaxis={"title": {"text": labels.loss_axis(data.first)}, "rangemode": "tozero"},
        hovermode="closest",
        dragmode=False,  # a finger on the plot moves the page
        height=520,
        margin={"l": 60, "r": 10, "t": 10, "b": 45},
    )
    seeds = sorted({seed for experiment in data.experiments.values() for seed in experiment.seeds})
    return View(
        kind="curves",
        title="The loss along the training, seed by seed",
        hint="Bands: from the 25 % to the 75 % quantile of the seeds.",
        runs=(),
        figure=figure,
        values={
            "seeds": [str(seed) for seed in seeds],
            "optimisers": [[name, _plain(experiment)] for name, experiment in data.experiments.items()],
        },
    )


def _plain(experiment: Experiment) -> str:
    """The optimiser without Matplotlib's mathematics."""
    assert experiment.training is not None
    text = labels.optimiser(experiment.training.optimiser)
    return text.replace(r"$1/\lambda_\mathrm{max}$", "1/λmax").replace(r"$1/\mathrm{max}|\lambda|$", "1/max|λ|")


def _faint(colour: str) -> str:
    return f"rgba({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))}, 0.15)"


_SPECTRUM = Wanted(
    spectrum,
    {"spectra": ("epoch", "position", "eigval", "structural", "tolerance"), "trajectories": ("epoch", "loss")},
)
_MAPS = Wanted(
    maps,
    {
        "predictions": ("epoch", "x1", "x2", "prediction"),
        "datasets": ("x1", "x2", "y", "split"),
        "trajectories": ("epoch", "loss", "accuracy", "test_accuracy"),
    },
)
_LANDSCAPE = Wanted(
    surfaces.landscape, {"landscapes": ("label", "a", "b", "loss", "eigvals", "structural", "plane_eigvecs")}
)
_PLANES = Wanted(
    surfaces.planes,
    {"planes": ("plane", "axis_a", "axis_b", "epoch", "a", "b", "loss", "smallest", "largest")},
)

# by the name that figures know them by
VIEWS: dict[str, Wanted] = {
    "landscape": _LANDSCAPE,
    "planes": _PLANES,
    "spectrum": _SPECTRUM,
    "maps": _MAPS,
    "curves": Wanted(curves, {"trajectories": ("epoch", "loss")}),
}
