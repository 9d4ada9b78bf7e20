"""Runs side by side: what is counted is what the optimisers do, what is drawn are the tables, scales fit the losses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
from figure_data import study
from matplotlib.colors import to_rgba

import vqc_landscape as vl
from vqc_landscape.config import Config, parse_config
from vqc_landscape.figures import style
from vqc_landscape.figures.compare import FLOOR, n_gradients, plot_runs, quartiles, spans_decades
from vqc_landscape.figures.draw import make_figure
from vqc_landscape.training.loop import train
from vqc_landscape.training.optimisers import make_optimiser

CIRCUIT = {"ansatz": "layered", "n_qubits": 2, "n_layers": 1}  # 6 parameters
STATE = {"circuit": CIRCUIT, "objective": {"loss": "infidelity", "target": "plus"}}
ENERGY = {"circuit": CIRCUIT, "objective": {"loss": "expval", "observable": {"Z0 Z1": -1.0, "X0": 0.5}}}
DATA = {
    "circuit": {"ansatz": "reuploading", "n_qubits": 2, "n_layers": 1},
    "objective": {"loss": "mse"},
    "data": {"n_train": 10, "n_test": 2},
}


def trained(optimiser: dict[str, Any], n_epochs: int = 6, **keys: Any) -> dict[str, Any]:
    return (keys or STATE) | {"training": {"optimiser": optimiser, "n_epochs": n_epochs}}


def compared(against: str = "epochs", **experiments: dict[str, Any]) -> Config:
    return parse_config(
        {"experiments": experiments, "figures": {"compare": {"experiments": list(experiments), "against": against}}}
    )


def table(**losses: Any) -> dict[str, pd.DataFrame]:
    """A table of trajectories: experiment -> losses (n_seeds, n_epochs + 1)."""
    parts = [
        pd.DataFrame({"experiment": name, "seed": seed, "epoch": range(len(run)), "loss": run, "learning_rate": 0.1})
        for name, runs in losses.items()
        for seed, run in enumerate(np.atleast_2d(runs))
    ]
    return {"trajectories": pd.concat(parts, ignore_index=True)}


# --- counting ---------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What an optimiser asks of a risk: passes over all samples, and Hessians."""

    passes: float = 0.0
    hessians: int = 0


@dataclass
class Counted:
    """A risk that counts, with the share of the samples that it has."""

    risk: Any
    tally: Tally
    share: float = 1.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.risk, name)

    def loss_and_grad(self, params: Any) -> Any:
        self.tally.passes += self.share
        return self.risk.loss_and_grad(params)

    def hessian(self, params: Any) -> Any:
        self.tally.hessians += 1
        return self.risk.hessian(params)


@dataclass
class Watched:
    """An optimiser whose every epoch is counted; what the loop itself computes for the table is not."""

    inner: Any
    n_samples: int
    tally: Tally = field(default_factory=Tally)

    @property
    def batch_size(self) -> int | None:
        return self.inner.batch_size

    def initial_state(self, params: Any) -> Any:
        return self.inner.initial_state(params)

    def step(self, risk: Any, params: Any, state: Any) -> Any:
        return self.inner.step(Counted(risk, self.tally, risk.n_samples / self.n_samples), params, state)


def run(keys: dict[str, Any], risk: Any, start: Any) -> tuple[Any, pd.DataFrame, Tally]:
    experiment = compared(e=keys).experiments["e"]
    watched = Watched(make_optimiser(experiment.training.optimiser), risk.n_samples)
    columns = train(risk, start, watched, experiment.training.n_epochs)
    return experiment, pd.DataFrame({name: list(values) for name, values in columns.items()}), watched.tally


def state_risk() -> vl.Risk:
    return vl.CircuitRisk(vl.layered(2, 1), vl.Projector(vl.plus_state(2)), loss="infidelity")


# from here 1 / lambda_max takes three steps to a loss below 0.6
START = np.random.default_rng(6).uniform(0, 2 * np.pi, 6)


@pytest.mark.parametrize(
    "optimiser",
    [
        {"name": "gd", "learning_rate": 0.1},
        {"name": "adam", "learning_rate": 0.1},
        {"name": "qng", "learning_rate": 0.1},
        {"name": "hlr", "variant": "guarded", "max_learning_rate": 1.0},
        {"name": "hlr_qng", "learning_rate": 0.1, "plateau": 0.6},
    ],
    ids=lambda optimiser: optimiser["name"],
)
def test_gradients_are_those_that_the_optimiser_takes(optimiser: dict[str, Any]) -> None:
    experiment, rows, tally = run(trained(optimiser), state_risk(), START)
    counted = n_gradients(experiment, rows)
    assert counted[0] == 0 and len(counted) == 7
    assert counted[-1] == tally.passes + 6 * tally.hessians
    if optimiser["name"] == "hlr_qng":  # both of its halves are in the run
        assert 0 < tally.hessians < 6
        assert set(np.diff(counted)) == {1, 7}


@pytest.mark.parametrize("batch_size", [3, 5, 10])  # with a rest, without one, all at once
@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_an_epoch_of_batches_is_one_gradient(name: str, batch_size: int) -> None:
    rng = np.random.default_rng(0)
    circuit = vl.reuploading(2, 1)
    risk = vl.CircuitRisk(circuit, vl.PauliZ(0), "mse", rng.uniform(-1, 1, (10, 2)), rng.choice([-1, 1], 10))
    keys = trained({"name": name, "learning_rate": 0.1, "batch_size": batch_size}, **DATA)
    experiment, rows, tally = run(keys, risk, START)
    # sums of tenths: a rounding each
    assert n_gradients(experiment, rows)[-1] == pytest.approx(tally.passes, abs=1e-12)


def test_lbfgs_counts_its_iterations_and_its_starts_and_no_line_search() -> None:
    keys = trained({"name": "lbfgs", "n_iterations": 3}, n_epochs=2)
    experiment, rows, tally = run(keys, state_risk(), np.random.default_rng(5).uniform(0, 2 * np.pi, 6))
    assert n_gradients(experiment, rows).tolist() == [0, 4, 8]
    assert tally.passes > 8  # from this start it needs more: what the caption says is unknown


# --- drawing ----------------------------------------------------------------------------------------------


def curves(ax: Any) -> dict[str, Any]:
    """Label -> median."""
    return {line.get_label().split(":")[0]: line for line in ax.lines if not line.get_label().startswith("_")}


def test_every_seed_is_there_with_median_and_quartiles() -> None:
    runs = np.random.default_rng(1).uniform(-3, 1, (5, 7))
    config = compared(e=trained({"name": "gd", "learning_rate": 0.1}, **ENERGY) | {"seeds": list(range(5))})
    (ax,) = make_figure("compare", config, table(e=runs)).axes
    thin = [line for line in ax.lines if line.get_label().startswith("_")]
    np.testing.assert_array_equal([line.get_ydata() for line in thin], runs)
    median = curves(ax)["e"]
    np.testing.assert_array_equal(median.get_xdata(), range(7))
    np.testing.assert_array_equal(median.get_ydata(), np.median(runs, axis=0))
    (band,) = ax.collections
    corners = band.get_paths()[0].vertices
    # of each epoch the lower and the upper end; a quantile is one interpolation, rounded
    for epoch in range(7):
        ends = np.unique(corners[corners[:, 0] == epoch, 1])
        np.testing.assert_allclose(ends[[0, -1]], np.quantile(runs[:, epoch], (0.25, 0.75)), rtol=0, atol=1e-14)
    assert median.get_label() == "e: GD, η = 0.1, 6 epochs, 5 seeds"


def test_seeds_that_spend_differently_are_compared_at_what_they_have_spent() -> None:
    parts = ([0, 1, 2, 9], [4.0, 3.0, 2.0, 1.0]), ([0, 5, 6], [8.0, 7.0, 6.0]), ([0, 2, 4, 8], [1.0, 0.0, -1.0, -2.0])
    runs = pd.concat([pd.DataFrame({"seed": seed, "spent": at, "loss": loss}) for seed, (at, loss) in enumerate(parts)])
    spent, found = quartiles(runs)
    assert spent.tolist() == [0, 1, 2, 4, 5, 6, 8, 9]
    expected = []
    for place in spent:  # by looking, place by place, for the last loss that each of them had
        last = [[loss for x, loss in zip(at, losses, strict=True) if x <= place][-1] for at, losses in parts]
        expected.append(np.quantile(last, (0.25, 0.5, 0.75)))
    np.testing.assert_array_equal(found.T, expected)


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([1.0, 0.5, 0.02], False),
        ([1.0, 0.5, 0.009], True),
        ([1.0, 0.0], True),
        ([1.0, -1e-16], True),  # a loss of zero, rounded
        ([1.0, -0.1], False),
        ([0.0, 0.0], False),
    ],
)
def test_losses_that_span_decades_have_a_logarithmic_axis(losses: list[float], expected: bool) -> None:
    assert spans_decades(pd.Series(losses)) is expected


GD = {"name": "gd", "learning_rate": 0.1}


def test_every_kind_of_loss_has_its_panel_and_its_scale() -> None:
    config = compared(
        state=trained(GD),
        energy=trained(GD, **ENERGY),
        other=trained({"name": "adam", "learning_rate": 0.1}, **ENERGY),
        data=trained(GD, **DATA),
        local=trained(GD, **(STATE | {"objective": {"loss": "infidelity", "locality": "local"}})),
    )
    falling = np.geomspace(1, 1e-6, 7)
    tables = table(state=falling, energy=falling, other=falling / 2, data=np.linspace(1, 0.5, 7), local=falling - 1e-17)
    figure = make_figure("compare", config, tables)
    panels = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_ylabel() for ax in panels] == [
        "infidelity L",
        "expectation value ⟨O⟩",
        "mean squared error",
        "local infidelity L",
    ]
    assert [ax.get_yscale() for ax in panels] == ["log", "linear", "linear", "log"]  # energies are never logarithmic
    assert [list(curves(ax)) for ax in panels] == [["state"], ["energy", "other"], ["data"], ["local"]]
    colours = [to_rgba(line.get_color()) for ax in panels for line in curves(ax).values()]
    assert len(set(colours)) == 5
    (legend,) = [part.legends[0] for part in figure.subfigs if part.legends]
    assert [text.get_text().split(":")[0] for text in legend.texts] == ["state", "energy", "other", "data", "local"]


def test_losses_below_rounding_are_drawn_at_its_size_and_the_caption_says_so() -> None:
    config = compared(state=trained(GD))
    figure = make_figure("compare", config, table(state=[1, 1e-3, 1e-9, 1e-15, 0.0, -1e-16, 1e-17]))
    np.testing.assert_array_equal(curves(figure.axes[0])["state"].get_ydata()[-3:], [FLOOR] * 3)
    assert "Losses below 1.0·10⁻¹⁶ are drawn there." in " ".join(figure.get_supxlabel().split())


def test_gradients_are_the_axis_where_they_are_asked_for() -> None:
    config = compared("gradients", gd=trained(GD), hlr=trained({"name": "hlr"}))
    figure = make_figure("compare", config, table(gd=np.linspace(1, 0.5, 7), hlr=np.linspace(1, 0.1, 7)))
    (ax,) = figure.axes
    assert ax.get_xlabel() == "number of gradients" and ax.get_xscale() == "symlog"
    assert curves(ax)["gd"].get_xdata().tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert curves(ax)["hlr"].get_xdata().tolist() == [0, 7, 14, 21, 28, 35, 42]
    caption = " ".join(figure.get_supxlabel().split())
    assert caption.endswith("evaluations); a Hessian counts as one gradient for every parameter.")


def test_title_panels_legend_and_caption_do_not_meet() -> None:
    """With as many experiments and words as there may be."""
    shown = ["fig11_hlr_qng", "fig11_hlr_qng_full", "fig11_lbfgs", "qnn", "ffnn", "chain"]
    chain = trained(GD, n_epochs=100, **ENERGY)
    config = study({"compare": {"experiments": shown, "against": "gradients"}}, chain=chain)
    runs = {
        name: [np.linspace(1, 0.1, e.training.n_epochs + 1)] * len(e.seeds)
        for name, e in config.experiments.items()
        if name in shown
    }
    figure = make_figure("compare", config, table(**runs))
    figure.dpi = style.DPI  # as it is saved: letters are rounded to pixels
    with style.paper_style():  # which they take when they are drawn
        figure.draw_without_rendering()
    boxes = [ax.get_tightbbox() for ax in figure.axes]
    boxes += [part.legends[0].get_window_extent() for part in figure.subfigs if part.legends]
    boxes += [text.get_window_extent() for text in figure.texts]
    assert len(boxes) == 3 + 1 + 2  # panels, legend, title and caption
    page = figure.bbox
    for i, box in enumerate(boxes):
        assert box.x0 >= 0 and box.x1 <= page.x1 and box.y0 >= 0 and box.y1 <= page.y1
        assert not any(box.overlaps(other) for other in boxes[:i])
    assert all(box.height > 400 for box in boxes[:3])  # of the 520 pixels that a panel is meant to have


def test_runs_without_axes_make_their_own() -> None:
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    plot_runs(pd.DataFrame({"seed": [0, 0], "spent": [0, 1], "loss": [1.0, 0.5]}), **style.CURVES[0])
    assert len(plt.get_fignums()) == 1
    plt.close("all")
