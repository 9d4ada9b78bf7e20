"""What the figures are made of: circuit diagrams, colours, words, bins, levels."""

from __future__ import annotations

import dataclasses
import itertools

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from figure_data import study
from matplotlib.figure import Figure

import vqc_landscape as vl
from vqc_landscape.circuits.ansatz import layered, reuploading, rx_product
from vqc_landscape.circuits.program import FixedGate, Rotation
from vqc_landscape.figures import labels, style
from vqc_landscape.figures.circuits import place, split_layers
from vqc_landscape.figures.draw import make_figure
from vqc_landscape.figures.landscapes import colour_levels
from vqc_landscape.figures.spectra import eigenvalue_bins

STUDY = study()


# circuits


@pytest.mark.parametrize("circuit", [rx_product(2, 3), layered(4, 4), reuploading(4, 3)])
def test_layers_hold_the_whole_program_in_order(circuit):
    layers = split_layers(circuit)
    assert [gate for layer in layers for gate in layer] == list(circuit.gates)
    for index, layer in enumerate(layers):
        params = {t.param for g in layer if isinstance(g, Rotation) for t in g.angle if t.param is not None}
        per_layer = circuit.n_params // len(layers)
        assert params == set(range(index * per_layer, (index + 1) * per_layer))


def test_layers_keep_data_that_are_entangled_before_any_weight():
    full = reuploading(2, 1)
    gates = (*full.gates[:3], full.gates[-1], *full.gates[3:])  # R(x) on qubit 0, CZ, then the rest
    circuit = dataclasses.replace(full, gates=gates)
    assert split_layers(circuit) == [list(gates)]


def test_boxes_and_links_of_the_second_reuploading_layer():
    boxes, links, end = place(split_layers(reuploading(4, 2))[1], 10, 4)
    assert [(box.column, box.wire, box.rotations[0].label) for box in boxes[:2]] == [(10, 0, "R(x)"), (11, 0, "R(w)")]
    assert [box.has_data for box in boxes] == [True, False] * 4
    assert boxes[1].params == [12, 13, 14]
    # the periodic CZ spans what lies between its wires, and so stands alone
    assert [(column, gate.wires) for column, gate in links] == [(12, (1, 2)), (13, (3, 0))]
    assert end == 14


def test_every_rx_gets_its_own_box():
    circuit = rx_product(2, 3)
    boxes, _, end = place(circuit.gates, 0, 2)
    assert [box.params for box in boxes] == [[0], [1], [2], [3], [4], [5]]
    assert end == 3


def test_gates_that_the_paper_does_not_have():
    gates = (FixedGate("H", (0,)), Rotation("ZZ", (0, 2), layered(4, 1).rotations[0].angle, "RZZ"))
    boxes, links, end = place(gates, 0, 3)
    assert boxes == [] and [column for column, _ in links] == [0, 1] and end == 2


# style and words


def test_colours_differ_in_lightness():
    def lightness(colour):  # CIE L* of the luminance
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in mpl.colors.to_rgb(colour)]
        luminance = np.dot([0.2126, 0.7152, 0.0722], linear)
        return 116 * np.cbrt(luminance) - 16 if luminance > 0.008856 else 903.3 * luminance

    values = sorted(lightness(colour) for colour in style.COLOURS.values())
    assert min(np.diff(values)) > 9  # some nine steps of L* are told apart at a glance, also side by side in print
    for key in ("color", "linestyle", "marker"):
        assert len({look[key] for look in style.CURVES}) == len(style.CURVES)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.0, "0"), (1.0, "1.00"), (-0.0312, "−0.0312"), (123.4, "123"), (1234.0, "1.2·10³")]
    + [(-2.5e-7, "−2.5·10⁻⁷"), (9.999e-5, "1.0·10⁻⁴"), (999.6, "1.0·10³")]
    + [(np.inf, "∞"), (-np.inf, "−∞"), (np.nan, "no number")],
)
def test_number(value, text):
    assert labels.number(value) == text


def test_words_of_the_variants():
    published = STUDY.experiments["qnn"].model_copy(update={"convention": "as_published"})
    assert labels.summary(published, 7).endswith("over 7 training samples; convention: as published (detached bra).")
    summed = published.objective.model_copy(update={"reduction": "sum"})
    as_sum = published.model_copy(update={"objective": summed})
    assert labels.eigenvalue_axis(as_sum) == "eigenvalue of the Hessian of the sum of squared errors (rad⁻²)"
    assert labels.eigenvalue_axis(STUDY.experiments["ffnn"]).endswith("of the mean squared error")  # weights: no unit
    one = STUDY.experiments["ffnn"].network.model_copy(update={"widths": [2, 3, 1]})
    assert labels.prediction_axis(STUDY.experiments["ffnn"].model_copy(update={"network": one})).endswith("output")


@pytest.mark.parametrize("eigvals", [[-1.0, 1.0], [0.0, 0.0], [-3.0, -1.0], [0.2, 1.2], [-1e-17, 0.0], [-0.7, 2.1]])
def test_bins_hold_everything_and_centre_on_zero(eigvals):
    edges = eigenvalue_bins(np.array(eigvals))
    assert np.histogram(eigvals, edges)[0].sum() == len(eigvals)
    centre = edges[np.searchsorted(edges, 0) - 1 : np.searchsorted(edges, 0) + 1].sum()
    assert abs(centre) < 1e-12  # two edges of size up to 3, each rounded once


def test_bins_hold_symmetric_spectra():
    for size in np.linspace(0.1, 3, 500):  # the ends lie on the last edges, give or take rounding
        assert np.histogram([-size, size], eigenvalue_bins(np.array([-size, size])))[0].sum() == 2


@pytest.mark.parametrize(
    ("losses", "ends"), [([0.0, 1.0], (0, 1)), ([0.75, 1.0], (0.75, 1)), ([0.75, 0.75 + 1e-15], (0.75, 0.85))]
)
def test_colour_levels_are_round(losses, ends):
    levels = colour_levels(pd.Series(losses))
    np.testing.assert_allclose(levels[[0, -1]], ends, atol=1e-12)  # a multiple of the step, rounded


@pytest.mark.parametrize(
    ("plot", "name", "columns"),
    [
        (vl.plot_training, "run", "epoch"),
        (vl.plot_scans, "scans", "position, eigval, structural, t, loss"),
        (vl.plot_plane, "table", "a, b, loss, smallest, largest"),
        (vl.plot_eigenvalue_histogram, "spectrum", "eigval, structural, tolerance"),
        (vl.plot_eigenvalues_along_training, "spectra", "epoch, eigval, structural"),
    ],
)
def test_what_a_plot_cannot_draw_is_named(plot, name, columns):
    wanted = f"Argument `{name}` must be a table with the columns {columns}, or a result of the library"
    with pytest.raises(ValueError, match=f"{wanted} that becomes one, but is of type ndarray"):
        plot(np.eye(2))
    with pytest.raises(ValueError, match=f"{wanted} that becomes one, but has only other"):
        plot(pd.DataFrame({"other": [1.0]}))
    with pytest.raises(ValueError, match=f"{wanted} that becomes one, but has no rows"):
        plot(pd.DataFrame({column: [] for column in columns.split(", ")}))


@pytest.mark.parametrize("last", [1, 3, 15, 40, 81, 3000, 12345])
@pytest.mark.parametrize("n_panels", [1, 3])
def test_ticks_are_whole_epochs_that_stay_apart_and_meet_the_markers(last, n_panels):
    run = {name: np.linspace(1, 0.1, last + 1) for name in ("loss", "grad_norm", "accuracy")}
    spectra = [vl.spectrum(np.diag([0.0, 2.0]), np.eye(2)[:, :1])] * (last + 1)
    tracks = vl.track_eigenpairs(spectra, range(last + 1))
    with style.paper_style():
        figure = style.new_figure(height=3)
        panels = figure.subplots(3, n_panels, squeeze=False)
        for ax in panels[0]:
            vl.plot_training(pd.DataFrame(run | {"epoch": np.arange(last + 1)}), ax)
        for ax in panels[1]:
            vl.plot_tracks(tracks, ax)
        vl.plot_eigenvalues_along_training(spectra, panels[2][0], legend=False)
        figure.draw_without_rendering()
    for ax in (*panels[0], *panels[1], panels[2][0]):
        ticks = ax.get_xticks()
        assert 2 <= len(ticks) <= 6 and ticks[0] == 0 and np.all(ticks == ticks.astype(int))
        words = [label.get_window_extent() for label in ax.get_xticklabels()]
        assert [label.get_text() for label in ax.get_xticklabels()] == [str(int(tick)) for tick in ticks]
        # 3 points, about the width of a blank
        assert all(right.x0 - left.x1 > 3 * figure.dpi / 72 for left, right in itertools.pairwise(words))
        for line in ax.lines:
            if line.get_marker() == "o":
                np.testing.assert_array_equal(line.get_xdata()[line.get_markevery()], ticks)


def test_ticks_are_for_everything_that_is_drawn_and_markers_for_what_is_there():
    ax = Figure().subplots()
    for last in (3000, 10):
        vl.plot_training({"epoch": np.arange(last + 1), "loss": np.ones(last + 1)}, ax)
    assert ax.get_xticks().tolist() == [0, 1000, 2000, 3000]
    style.whole_ticks(ax := Figure().subplots(), [0, 7, 15])
    assert ax.get_xticks().tolist() == [0, 5, 10, 15]
    assert style.at_ticks(ax, [0, 7, 15]) == [0, 1, 2]  # the nearest ones
    assert style.at_ticks(ax, [4]) == []


def test_structural_zeros_of_many_epochs_are_one_band_and_of_few_a_bar_each():
    zero = vl.spectrum(np.diag([0.0, 1.0]), np.array([[1.0], [0.0]]))
    for n_epochs, expected in ((50, 50), (51, 1)):
        ax = Figure().subplots()
        vl.plot_eigenvalues_along_training([zero] * n_epochs, ax)
        (bars,) = ax.containers
        assert len(bars) == expected
        ends = [bars[0].get_x(), bars[-1].get_x() + bars[-1].get_width()]
        if expected == 1:
            assert ends == [0, 50]
        # in the legend the mark has its size, however small it is drawn
        (mark,) = (h for h in ax.get_legend().legend_handles if isinstance(h, mpl.lines.Line2D))
        assert mark.get_markersize() == 11 and ax.lines[0].get_markersize() < 11


@pytest.mark.parametrize("n_points", [2, 3, 4, 121])
def test_a_coarse_scan_has_a_centre_too(n_points):
    config = study({"fig06": {"experiments": ["layered"]}})
    t = np.linspace(-np.pi, np.pi, n_points)
    columns = {"experiment": "layered", "seed": 0, "epoch": 15, "position": 47, "eigval": 1.0, "structural": False}
    table = pd.DataFrame(columns | {"t": t, "loss": t**2 / 2})
    close = make_figure("fig06", config, {"scans": table}).axes[1]
    scan, parabola = close.lines
    assert len(scan.get_xdata()) == {2: 2, 3: 3, 4: 2, 121: 15}[n_points]  # of 121, spaced by pi / 60, within 0.4
    assert np.abs(scan.get_xdata()).min() == np.abs(t).min() and len(parabola.get_xdata()) == len(scan.get_xdata())


def test_tracks_that_are_none_are_named():
    with pytest.raises(ValueError, match="`tracks` must be a Tracks, as vl.track_eigenpairs returns, but is of type"):
        vl.plot_tracks(np.eye(2))


def test_eigenvalues_along_training_are_drawn_from_spectra():
    spectra = [vl.spectrum(np.diag([-1.0, 2.0])), vl.spectrum(np.diag([0.5, 3.0]))]
    ax = Figure().subplots()
    vl.plot_eigenvalues_along_training(spectra, ax, epochs=[0, 10])
    np.testing.assert_array_equal(ax.get_lines()[0].get_xydata(), [[0, -1], [0, 2], [10, 0.5], [10, 3]])
    for wrong in ([0], []):
        with pytest.raises(
            ValueError, match=f"`epochs` must be equally many and not empty, but are 2 and {len(wrong)}"
        ):
            vl.plot_eigenvalues_along_training(spectra, epochs=wrong)
    with pytest.raises(ValueError, match="must be equally many and not empty, but are 0 and 0"):
        vl.plot_eigenvalues_along_training([])
    with pytest.raises(ValueError, match=r"`spectra\[1\]` must be a Spectrum, as vl.spectrum returns"):
        vl.plot_eigenvalues_along_training([spectra[0], np.eye(2)])
    with pytest.raises(ValueError, match="`epochs` goes with a list of spectra only"):
        vl.plot_eigenvalues_along_training(spectra[0].to_pandas().assign(epoch=0), epochs=[0])
