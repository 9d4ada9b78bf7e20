"""The figures: all are drawn, labelled and captioned, the numbers of the tables arrive, the bytes do not change."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from dataclasses import fields
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from figure_data import N_ZEROS, study, write_tables
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from PIL import Image

from vqc_landscape.circuits.ansatz import layered
from vqc_landscape.config import ConfigError, FigureConfig
from vqc_landscape.figures import labels, style
from vqc_landscape.figures.circuits import plot_circuit
from vqc_landscape.figures.classifier import plot_data, plot_prediction_map
from vqc_landscape.figures.draw import draw_figure, make_figure
from vqc_landscape.figures.figure import Figure
from vqc_landscape.figures.landscapes import plot_eigenvalues, plot_landscape
from vqc_landscape.figures.optimisers import plot_loss, plot_loss_over_seeds
from vqc_landscape.figures.registry import FIGURES, OF_AN_EXPERIMENT
from vqc_landscape.figures.select import required_tables
from vqc_landscape.figures.spectra import (
    plot_eigenvalue_histogram,
    plot_eigenvalues_along_training,
    plot_scans,
)
from vqc_landscape.report.views import VIEWS
from vqc_landscape.tables.parquet import read_table
from vqc_landscape.tables.registry import TABLES

PAPER = study()
COMPARED = ["fig11_gd", "fig11_lbfgs", "fig11_hlr", "fig11_hlr_qng", "qnn", "ffnn"]  # a figure that the paper has not
STUDY = PAPER.model_copy(
    update={"figures": PAPER.figures | {"compare": FigureConfig(experiments=COMPARED, against="gradients")}}
)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Figure name -> its tables, the Matplotlib figure and the two files; each is drawn once."""
    folder, cache = tmp_path_factory.mktemp("figures"), {}

    def get(name):
        if name not in cache:
            paths = write_tables(name, STUDY, folder / name)
            tables = {stage: read_table(stage, parts) for stage, parts in paths.items()}
            figure = make_figure(name, STUDY, tables)
            files = [folder / f"{name}.png", folder / f"{name}.pdf"]
            with style.paper_style():
                for file in files:
                    style.save(figure, file)
            axes = [ax for own in figure.axes for ax in (own, *own.child_axes)]  # insets are children
            cache[name] = SimpleNamespace(
                paths=paths, tables=tables, figure=figure, axes=axes, png=files[0], pdf=files[1]
            )
        return cache[name]

    return get


@pytest.mark.parametrize("name", FIGURES)
def test_files_are_complete(drawn, name):
    image = Image.open(drawn(name).png)
    assert min(image.info["dpi"]) > 199.9  # PNG keeps pixels per metre, so 200 dpi come back rounded
    assert image.width >= 900 and image.height >= 700
    pixels = np.asarray(image.convert("L"), dtype=float)
    assert 0.01 < (pixels < 128).mean() < 0.6  # neither blank nor black
    assert drawn(name).pdf.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", FIGURES)
def test_axes_are_labelled(drawn, name):
    data_axes = [ax for ax in drawn(name).axes if ax.axison]
    assert data_axes or FIGURES[name].module == "figures.circuits"
    for ax in data_axes:
        # a colour bar has one axis
        assert _label(ax, "y") and (_label(ax, "x") or not ax.get_xticks().size), ax


def _label(ax: Axes, axis: str) -> str:
    """Own label, else the one of the (sub)figure, else that of an axis it is shared with."""
    own = getattr(ax, f"get_{axis}label")()
    of_figure = getattr(ax.figure, f"get_sup{axis}label")() if isinstance(ax.figure, FigureBase) else ""
    siblings = getattr(ax, f"get_shared_{axis}_axes")().get_siblings(ax)
    return own or of_figure or "".join(getattr(s, f"get_{axis}label")() for s in siblings)


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("fig01", ["CZ", "RZ(c) RY(b) RZ(a)"]),
        ("fig02", ["2 qubits", "4 layers", "global loss", "|0…0⟩", "convention: exact", "6 eigenvalues are 0"]),
        ("fig03", ["2 qubits", "4 layers", "local loss", "|0…0⟩", "convention: exact"]),
        ("fig04", ["|+…+⟩", "convention: exact", "convention: as published (Re(z²) for |z|²)"]),
        ("fig05", ["4 qubits", "4 layers", "48 parameters", "L-BFGS", "15 epochs", "seed 0", "convention: exact"]),
        ("fig06", ["4 qubits", "4 layers", "48 parameters", "convention: exact"]),
        ("fig07", ["500 training samples", "data seed 0", "inside", "outside"]),
        ("fig08", ["8 qubits", "8 layers", "192 parameters", "shaded"]),
        ("fig09", ["192 parameters", "500 training samples", "mean squared error", "all 192", "convention: exact"]),
        ("fig10", ["3-12-10-2", "200 parameters", "500 training samples", "tanh", "all 200"]),
        ("fig05_conventions", ["convention: exact", "convention: as published (Re(z²) for |z|²)", "Frobenius norm"]),
        ("fig06_conventions", ["convention: exact", "convention: as published (Re(z²) for |z|²)", "relative error"]),
        ("fig09_conventions", ["convention: exact", "convention: as published (detached bra)", "Frobenius norm"]),
        (
            "spectra_over_seeds",
            [
                "192 parameters",
                "500 training samples",
                "5 to 20 initial points",
                "convention: exact",
                "networks with tanh and torch's default",
            ],
        ),
        (
            "curvature_of_samples",
            ["192 parameters", "500 training samples", "epoch 40", "20 initial points", "the 10 leading eigenvectors"],
        ),
        (
            "flat_starts",
            [
                "RX product circuit with 1 layer",
                "200 starts (random start) and 20 (0.01 rad from the minimum)",
                "Layered circuit, global loss",
                "A start is flat if every |eigenvalue| is below a tenth",
            ],
        ),
        ("hessian_cost", ["Layered circuit, qubits × layers: 2 × 2, 4 × 2, 4 × 4"]),
        ("fig11", ["8 qubits", "4 layers", "96 parameters", "convention: exact", "25 % to the 75 %"]),
        (
            "final_losses",
            ["8 qubits", "96 parameters", "One mark per initial point, 20 of them, the same in every row"],
        ),
        (
            "compare",
            [
                "fig11_gd, fig11_lbfgs, fig11_hlr, fig11_hlr_qng: Layered circuit, 8 qubits, 4 layers, 96 parameters",
                "qnn: Data re-uploading circuit, 8 qubits, 8 layers, 192 parameters; mean squared error over 500",
                "ffnn: Feed-forward network 3-12-10-2",
                "25 % to the 75 %",
                "Gradients: passes over all training samples, in batches or at once",
                "L-BFGS: one an iteration and one at the start of an epoch, those of its line searches are unknown",
                "a Hessian counts as one gradient for every parameter; runs of H-LR, then QNG, end after different "
                "numbers and keep their last loss; the metric tensor of QNG is not counted.",
            ],
        ),
    ],
)
def test_caption_states_the_facts(drawn, name, facts):
    caption = " ".join(drawn(name).figure.get_supxlabel().split())
    assert drawn(name).figure.get_suptitle()
    for fact in facts:
        assert fact in caption


@pytest.mark.parametrize("name", ["fig05", "fig08", "fig09"])  # histograms, a circuit, contours with insets
def test_same_bytes_again_whatever_the_user_configured(drawn, name, tmp_path):
    first, files = drawn(name), [tmp_path / "again.png", tmp_path / "again.pdf"]
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red", "savefig.dpi": 50}):
        before = dict(mpl.rcParams)
        draw_figure(name, STUDY, first.paths, files)
        assert dict(mpl.rcParams) == before  # drawing leaves no trace either
    assert files[0].read_bytes() == first.png.read_bytes()
    assert files[1].read_bytes() == first.pdf.read_bytes()
    assert sorted(tmp_path.iterdir()) == sorted(files)  # no temporary file stays


# what arrives


@pytest.mark.parametrize(("name", "experiment", "n_params"), [("fig09", "qnn", 192), ("fig10", "ffnn", 200)])
def test_insets_hold_every_eigenvalue(drawn, name, experiment, n_params):
    insets = [ax for ax in drawn(name).axes if ax.get_yscale() == "log"]
    assert len(insets) == 2
    for inset in insets:
        others, structural = inset.containers
        assert _heights(others) + _heights(structural) == n_params
        assert _heights(structural) == N_ZEROS[experiment]
        assert all(bar.get_hatch() for bar in structural)
        assert [bar.get_y() for bar in others] == [bar.get_height() for bar in structural]  # stacked


def test_titles_of_the_maps_state_loss_and_accuracies(drawn):
    rows = drawn("fig09").tables["trajectories"].set_index("epoch")
    titles = [ax.get_title("left") for ax in drawn("fig09").figure.axes if ax.get_title("left")]
    for title, epoch in zip(titles, (0, 40), strict=True):
        row = rows.loc[epoch]
        assert f"epoch {epoch}: loss {row['loss']:.3f}" in title
        assert f"{row['accuracy']:.1%} train, {row['test_accuracy']:.1%} test" in title


def test_spectra_along_training(drawn):
    *histograms, together = drawn("fig05").figure.axes
    assert len(histograms) == 4
    assert [_heights(a) + _heights(b) for a, b in (ax.containers for ax in histograms)] == [48] * 4
    spectra, losses = drawn("fig05").tables["spectra"], drawn("fig05").tables["trajectories"]["loss"]
    curve = next(line for line in together.lines if line.get_label() == "eigenvalue")
    others = spectra[~spectra["structural"]]
    np.testing.assert_array_equal(curve.get_ydata(), others["eigval"])
    np.testing.assert_array_equal(curve.get_xdata(), others["epoch"])
    assert "16 structural zeros" in [text.get_text() for text in together.get_legend().texts]
    assert f"epoch 15: L = {labels.number(losses[15])}" in histograms[-1].get_title("left")


def test_scans_are_the_table_largest_eigenvalue_first(drawn):
    scans = drawn("fig06").tables["scans"]
    curves = drawn("fig06").figure.axes[0].lines
    eigvals = sorted(scans["eigval"].unique(), reverse=True)
    names = [labels.number(eigval) for eigval in eigvals[:-1]] + ["0 (structural zero)"]
    assert [curve.get_label() for curve in curves] == names
    for curve, eigval in zip(curves, eigvals, strict=True):
        np.testing.assert_array_equal(curve.get_ydata(), scans.loc[scans["eigval"] == eigval, "loss"])


def test_loss_curves_are_the_table(drawn):
    runs = drawn("fig11").tables["trajectories"]
    first, second, together = drawn("fig11").figure.axes
    for index, name in enumerate(STUDY.figures["fig11"].experiments):
        run = runs[runs["experiment"] == name]
        for ax, seed in ((first, 0), (second, 1)):
            np.testing.assert_array_equal(ax.lines[index].get_ydata(), run.loc[run["seed"] == seed, "loss"])
        by_epoch = run.pivot(index="epoch", columns="seed", values="loss").to_numpy()
        assert by_epoch.shape == (101, 20)
        median, _, bars = together.containers[index]
        np.testing.assert_array_equal(median.get_ydata(), np.median(by_epoch, axis=1))
        low, high = np.array(bars[0].get_segments())[:, :, 1].T
        marked = np.array(bars[0].get_segments())[:, 0, 0].astype(int)
        # the bar's ends are median -+ difference: one rounding more than the quantile itself
        np.testing.assert_allclose(low, np.quantile(by_epoch, 0.25, axis=1)[marked], atol=1e-14)
        np.testing.assert_allclose(high, np.quantile(by_epoch, 0.75, axis=1)[marked], atol=1e-14)


def test_final_losses_say_what_every_run_did(drawn):
    (ax,) = drawn("final_losses").figure.axes
    runs = drawn("final_losses").tables["trajectories"]
    for row, (name, text) in enumerate(zip(STUDY.figures["final_losses"].experiments, ax.texts, strict=True)):
        own = runs[runs["experiment"] == name]
        work = "up to 60 iterations" if name == "fig11_lbfgs" else "100 steps"
        left = (own.groupby("seed")["loss"].min() < 0.9).sum()
        converged = (own.groupby("seed")["loss"].last() < 0.01).sum()
        assert text.get_text() == f"{work}: {left} leave, {converged} converge"
        np.testing.assert_array_equal(ax.lines[2 * row].get_xdata(), own.groupby("seed")["loss"].last())


def test_final_losses_of_other_lengths_and_seeds_are_told(captioned):
    shorter = {"training": {"optimiser": {"name": "lbfgs", "n_iterations": 5}, "n_epochs": 10}, "seeds": [0, 3]}
    own = {"training": {"optimiser": "mine:optimiser", "n_epochs": 7}}
    caption, figure = captioned("final_losses", fig11_lbfgs=shorter, fig11_gd=own)
    assert "One mark per initial point, 2 to 20 of them in a row; at the right" in caption
    texts = [text.get_text().split(":")[0] for text in figure.axes[0].texts]
    assert texts[0] == "7 epochs" and texts[3] == "up to 50 iterations" and texts[4] == "100 steps"


def test_optimisers_are_shown_at_seeds_that_all_of_them_have(tmp_path):
    shown = {"experiments": ["fig11_gd", "fig11_hlr"]}
    config = study({"fig11": shown}, fig11_gd={"seeds": [5, 1, 7, 2]}, fig11_hlr={"seeds": [1, 2, 3]})
    paths = write_tables("fig11", config, tmp_path)
    figure = make_figure("fig11", config, {stage: read_table(stage, parts) for stage, parts in paths.items()})
    titles = [ax.get_title("left").split(" ", 1)[1] for ax in figure.axes]
    assert titles == ["initial point of seed 1", "initial point of seed 2", "median and quartiles of 3 to 4 seeds"]


def test_data_are_the_training_samples(drawn):
    samples = drawn("fig07").tables["datasets"]
    inside, outside = (points.get_offsets() for points in drawn("fig07").figure.axes[0].collections)
    train = samples[samples["split"] == "train"]
    np.testing.assert_array_equal(inside, train.loc[train["y"] > 0, ["x1", "x2"]])
    np.testing.assert_array_equal(outside, train.loc[train["y"] < 0, ["x1", "x2"]])
    circle = drawn("fig07").figure.axes[0].lines[0].get_xydata()
    np.testing.assert_allclose((circle**2).sum(axis=1), 2 / np.pi, rtol=1e-12)  # rounding of cos^2 + sin^2


@pytest.mark.parametrize("name", ["fig06_conventions", "fig09_conventions"])
def test_captions_state_the_errors_of_the_table(drawn, name):
    errors = drawn(name).tables["convention_errors"].set_index("epoch")
    caption = " ".join(drawn(name).figure.get_supxlabel().split())
    for epoch in {"fig06_conventions": [15], "fig09_conventions": [0, 40]}[name]:
        row = errors.loc[epoch]
        assert f"error {row['hessian_error']:.2f} of the Hessian, {row['eigval_error']:.2f} of its eig" in caption


def test_errors_of_the_published_spectra_are_the_table(drawn):
    errors, axes = drawn("fig05_conventions").tables["convention_errors"], drawn("fig05_conventions").figure.axes
    curves = axes[-1].lines
    np.testing.assert_array_equal(curves[0].get_ydata(), errors["hessian_error"])
    np.testing.assert_array_equal(curves[1].get_ydata(), errors["eigval_error"])
    histograms = [ax for ax in axes if ax.get_yscale() == "log"]
    assert [_heights(a) + _heights(b) for a, b in (ax.containers for ax in histograms)] == [48] * 4
    assert [_heights(ax.containers[1]) for ax in histograms] == [16, 16, 15, 15]


def test_landscapes_share_their_scales_and_the_flat_one_is_flat(drawn):
    figure = drawn("fig04").figure
    planes = [ax for ax in figure.axes if "RX angle" in ax.get_xlabel()]
    exact, published = (plane.collections[0] for plane in planes)
    np.testing.assert_array_equal(exact.levels, published.levels)
    np.testing.assert_allclose(exact.levels[[0, -1]], [0.75, 1], atol=1e-12)  # a multiple of the step, rounded
    filled = [contours.get_paths() for contours in (exact, published)]
    assert [sum(len(path.vertices) > 0 for path in paths) for paths in filled] == [1, len(published.levels) - 1]
    panels = [ax for ax in figure.axes if ax.get_title("left")]
    assert len(panels) == 8 and len({ax.get_ylim() for ax in panels}) == 1
    assert sum("no Hessian" in text.get_text() for ax in panels for text in ax.texts) == 1


def test_marked_points_show_all_eigenvalues(drawn):
    table = drawn("fig02").tables["landscapes"]
    plane, *panels = (ax for ax in drawn("fig02").figure.axes if ax.get_label() != "<colorbar>")
    points = table.dropna(subset="label").set_index("label")
    assert [text.get_text() for text in plane.texts] == ["a)", "b)", "c)", "d)"]
    panels = [ax for ax in panels if ax.get_title("left")]
    for ax, (label, point) in zip(panels, points.iterrows(), strict=True):
        assert f"{label})" in ax.get_title("left") and f"L = {point['loss']:.2f}" in ax.get_title("left")
        shown = np.concatenate([line.get_ydata() for line in ax.lines[1:]])
        np.testing.assert_array_equal(np.sort(shown), point["eigvals"])


def test_circuit_diagram_says_that_it_goes_on(drawn):
    (ax,) = drawn("fig08").figure.axes
    texts = [text.get_text() for text in ax.texts]
    assert texts.count("R(x)") == texts.count("R(w)") == 16 and "0–2" in texts
    assert "… 8 layers" in texts and texts.count("⋯") == 8


def test_plots_without_axes_make_their_own(drawn):
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    plane = drawn("fig02").tables["landscapes"]
    spectra, scans = drawn("fig05").tables["spectra"], drawn("fig06").tables["scans"]
    run = drawn("fig11").tables["trajectories"].query("experiment == 'fig11_gd'")
    maps = drawn("fig09").tables["predictions"]
    plot_landscape(plane)
    plot_eigenvalues(np.array([-1.0, 0.0, 2.0]))
    plot_eigenvalue_histogram(spectra[spectra["epoch"] == 0])
    plot_eigenvalues_along_training(spectra)
    plot_scans(scans)
    plot_data(drawn("fig07").tables["datasets"])
    plot_prediction_map(maps[maps["epoch"] == 0])
    plot_loss(run[run["seed"] == 0])
    plot_loss_over_seeds(run)
    plot_circuit(layered(2, 1))
    assert len(plt.get_fignums()) == 10
    plt.close("all")


# registry


def test_registry_is_light():
    code = (
        "import sys, vqc_landscape.figures.registry; "
        "print([m for m in ('matplotlib', 'torch', 'pennylane', 'numba') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("figure", [*FIGURES.values(), *OF_AN_EXPERIMENT.values()], ids=lambda figure: figure.draw)
def test_what_a_record_names_is_there(figure):
    module, _, function = figure.draw.rpartition(".")
    assert callable(getattr(importlib.import_module(f"vqc_landscape.{module}"), function))
    assert set(figure.views) <= set(VIEWS) and set(figure.reads) <= set(TABLES)


@pytest.mark.parametrize("field", ["draw", "reads", "views", "category", "caption"])
def test_a_record_without_one_of_its_fields_fails_at_import(field):
    given = {f.name: getattr(FIGURES["fig05"], f.name) for f in fields(Figure) if f.name != field}
    with pytest.raises(TypeError, match=f"missing 1 required keyword-only argument: '{field}'"):
        Figure(**given)


def test_required_tables():
    assert required_tables("fig01", STUDY) == []
    assert required_tables("fig06", STUDY) == [("scans", "layered", 0)]
    parts = required_tables("fig11", STUDY)
    assert len(parts) == 5 * 20 and ("trajectories", "fig11_hlr", 19) in parts


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("fig12", STUDY, r"figures: there is no figure 'fig12'; did you mean 'fig\d+'\?"),
        ("spectrograms", STUDY, r"figures: there is no figure 'spectrograms'; allowed: fig01, .*, compare"),
        (
            "fig02",
            study({"fig07": {"experiments": ["qnn"]}}),
            r"has no key `figures\.fig02`; under `figures` it has: fig07\.",
        ),
    ],
)
def test_a_figure_that_is_not_there_is_refused(name, config, message):
    with pytest.raises(ConfigError, match=message):
        required_tables(name, config)


def test_missing_table_is_named(drawn, tmp_path):
    paths = {"spectra": drawn("fig05").paths["spectra"]}
    with pytest.raises(ValueError, match="Figure fig05 needs table `trajectories`, which was not given"):
        draw_figure("fig05", STUDY, paths, [tmp_path / "fig05.png"])
    assert list(tmp_path.iterdir()) == []


def test_missing_run_is_named(drawn):
    tables = drawn("fig11").tables
    rows = tables["trajectories"]
    lost = rows[~((rows["experiment"] == "fig11_qng") & (rows["seed"] == 7))]
    with pytest.raises(ValueError, match="Table `trajectories` has no rows for experiment fig11_qng, seed 7"):
        make_figure("fig11", STUDY, {"trajectories": lost})


def test_missing_epoch_is_named(drawn):
    tables = dict(drawn("fig09").tables)
    tables["spectra"] = tables["spectra"].query("epoch != 40")
    with pytest.raises(ValueError, match="Table `spectra` has no rows for experiment qnn, seed 0, epoch 40"):
        make_figure("fig09", STUDY, tables)


def test_other_endings_are_refused(drawn, tmp_path):
    with pytest.raises(ValueError, match=r"Argument `path` must be one of \.png, \.pdf, but is '\.svg'"):
        style.save(drawn("fig07").figure, tmp_path / "fig07.svg")


def _heights(bars) -> int:
    return round(sum(bar.get_height() for bar in bars))


# over many seeds


def test_every_member_of_an_ensemble_is_a_point_at_its_amplitude(drawn):
    panels = [ax for ax in drawn("spectra_over_seeds").figure.axes if ax.get_title("left").startswith("$")][:2]
    table = drawn("spectra_over_seeds").tables["ensembles"]
    for ax, epoch in zip(panels, (0, 40), strict=True):
        expected = [np.abs(v).max() for v in table.loc[table["epoch"] == epoch, "eigvals"]]
        points = [line for line in ax.lines if line.get_marker() in "os^vD"]
        assert np.sort(np.concatenate([line.get_xdata() for line in points])) == pytest.approx(np.sort(expected))
    assert len(panels[0].get_yticks()) == 1 + 3 * 3 + 2


def test_only_whole_spectra_have_a_tail(drawn):
    (tail,) = [ax for ax in drawn("spectra_over_seeds").figure.axes if "rank" in ax.get_xlabel()]
    assert [line.get_label() for line in tail.lines] == [
        "QNN",
        "2-12-10-1",
        "3-12-10-2, first",
        "3-12-10-2, difference",
        "3-32-25-2, difference",
    ]
    assert all(line.get_ydata()[0] == 1 for line in tail.lines)


def test_contributions_of_samples_average_to_one(drawn):
    (shares,) = [ax for ax in drawn("curvature_of_samples").figure.axes if "mean of all" in ax.get_ylabel()]
    curves = [line for line in shares.lines if len(line.get_xdata()) == 10]
    assert [curve.get_label() for curve in curves] == ["QNN", "3-12-10-2, difference"]
    for curve in curves:
        # medians over the seeds of tenths of 60 samples each
        assert np.mean(curve.get_ydata()) == pytest.approx(1, abs=0.05)
        assert curve.get_ydata()[0] > 1 > curve.get_ydata()[-1]  # the boundary carries the curvature


@pytest.mark.parametrize(("name", "stage"), [("spectra_over_seeds", "ensembles"), ("curvature_of_samples", "samples")])
def test_an_ensemble_without_rows_is_named(drawn, name, stage):
    tables = drawn(name).tables
    some = {stage: tables[stage][tables[stage]["experiment"] != "ffnn_difference"]}
    with pytest.raises(ValueError, match=f"Table `{stage}` has no rows for experiment ffnn_difference, epoch"):
        make_figure(name, STUDY, some)


# what is said of an experiment comes from it


@pytest.fixture
def captioned(tmp_path):
    """Caption of a figure of the study with some keys of experiments replaced, and the figure."""

    def draw(name, **experiments):
        config = study(**experiments)
        paths = write_tables(name, config, tmp_path / "other")
        figure = make_figure(name, config, {stage: read_table(stage, parts) for stage, parts in paths.items()})
        return " ".join(figure.get_supxlabel().split()), figure

    return draw


def test_captions_follow_the_experiments(captioned):
    three = {"samples": {"epochs": [40], "n_leading": 3}}
    caption, figure = captioned("curvature_of_samples", qnn_seeds=three, ffnn_difference=three)
    assert "the 3 leading eigenvectors" in caption
    assert "largest |eigenvalue| of H_s (rad⁻²)" in [ax.get_ylabel() for ax in figure.axes]
    relu = {"network": {"widths": [3, 32, 25, 2], "activation": "relu", "initialiser": "xavier_normal"}}
    caption, _ = captioned("spectra_over_seeds", ffnn_1000=relu)
    assert "networks with tanh and torch's default or relu and Xavier, normal." in caption
    product = {"circuit": {"ansatz": "rx_product", "n_qubits": 2, "n_layers": 1}}
    caption, _ = captioned("hessian_cost", layered_shift_rule=product)
    assert caption.startswith("RX product circuit, qubits × layers")


def test_the_gorge_is_known_by_its_init_and_not_by_its_place(drawn, tmp_path):
    tables, shown = drawn("flat_starts").tables, STUDY.figures["flat_starts"].experiments
    swapped = study({"flat_starts": {"experiments": [shown[1], shown[0], shown[2]]}})
    first, other = (make_figure("flat_starts", config, tables) for config in (STUDY, swapped))
    assert first.get_supxlabel() == other.get_supxlabel()
    for one, two in zip(first.axes, other.axes, strict=True):
        assert [line.get_label() for line in one.lines] == [line.get_label() for line in two.lines]
        for a, b in zip(one.lines, two.lines, strict=True):
            np.testing.assert_array_equal(a.get_ydata(), b.get_ydata())
