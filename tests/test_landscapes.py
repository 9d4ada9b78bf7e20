"""Scans, planes and tracked eigenpairs: against closed forms, one loss at a time, and spectra made to cross."""

from __future__ import annotations

import logging
import math
from typing import Any

import numpy as np
import pennylane as qml
import pytest
from scipy.stats import ortho_group

import vqc_landscape as vl
from vqc_landscape.progress_bar import progress_bar
from vqc_landscape.risks.risk import Risk


def disk_risk(convention: str = "exact") -> vl.Risk:
    rng = np.random.default_rng(3)
    features = rng.uniform(-1, 1, (37, 2))  # more than one group of states side by side, and a rest
    circuit = vl.reuploading_published(4, 2)  # angles theta + w * x: of the point and of the sample at once
    return vl.CircuitRisk(circuit, vl.PauliZ(1), "mse", features, rng.choice([-1, 1], 37), convention=convention)


def words_risk() -> vl.Risk:
    """Rotations about words, fixed gates and functions of the features, measured in two bases."""

    @qml.qnode(qml.device("default.qubit", wires=3))
    def qnode(params, x):
        qml.Hadamard(0)
        qml.AngleEmbedding(x, wires=range(2))
        qml.PauliRot(params[0], "XYZ", wires=range(3))
        qml.CNOT([0, 2])
        qml.IsingZZ(params[1] * x[0], wires=[1, 2])
        qml.CRY(params[2], wires=[2, 0])
        qml.Rot(params[0], np.sin(x[1]), params[3], wires=1)
        return qml.expval(qml.Z(0) @ qml.X(1) + 0.3 * qml.Y(2))

    rng = np.random.default_rng(5)
    return vl.from_qnode(qnode, np.zeros(4), rng.normal(size=(5, 2)), rng.choice([-1, 1], 5))


def network_risk() -> Risk:
    import torch

    rng = np.random.default_rng(0)
    with torch.random.fork_rng():
        module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    return vl.NetworkRisk(module, rng.normal(size=(300, 2)), rng.choice([-1, 1], 300))


RISKS = {
    "re-uploading": disk_risk,
    "published, detached bra": lambda: disk_risk("as_published"),
    "words": words_risk,
    "projector": lambda: vl.CircuitRisk(vl.layered(4, 2), vl.Projector(vl.plus_state(4)), "infidelity"),
    "published, Re(z^2)": lambda: vl.CircuitRisk(
        vl.layered(2, 2), vl.Projector(vl.plus_state(2)), "infidelity", convention="as_published"
    ),
    "network": network_risk,
}


@pytest.mark.parametrize("name", RISKS)
def test_many_losses_are_the_losses_one_by_one(name: str) -> None:
    risk = RISKS[name]()
    points = np.random.default_rng(1).uniform(-4, 4, (70, risk.n_params))
    points[0] = 0.0
    points[1] = math.pi  # half angles whose cosine vanishes
    single = [risk.loss(point) for point in points]
    np.testing.assert_allclose(risk.losses(points), single, rtol=0, atol=1e-13)  # a few hundred roundings of order 1


def test_many_losses_are_the_same_bytes_at_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    risk, points = disk_risk(), np.random.default_rng(1).uniform(-4, 4, (100, 48))
    several = risk.losses(points)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert risk.losses(points).tobytes() == several.tobytes()


def test_points_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"`points` must have shape \(n, 48\) with n > 0, but has shape \(2, 47\)"):
        disk_risk().losses(np.zeros((2, 47)))


# --- one dimension ----------------------------------------------------------------------------------------


def product_risk(n_qubits: int = 3) -> vl.Risk:
    """Loss 1 - prod cos^2(theta_i / 2)."""
    target = np.eye(2**n_qubits)[0]
    return vl.CircuitRisk(vl.rx_product(n_qubits, 1), vl.Projector(target), loss="infidelity")


def test_a_scan_is_the_loss_along_the_eigenvector() -> None:
    risk, centre = product_risk(), np.array([0.3, -0.8, 1.1])
    pairs = vl.spectrum(risk.hessian(centre))
    scans = vl.eigenvector_scans(risk, centre, pairs, positions=[-1, 0], radius=2.0, n_points=5)
    np.testing.assert_array_equal(scans.positions, [2, 0])
    np.testing.assert_array_equal(scans.t, [-2, -1, 0, 1, 2])
    for scan, vector in zip(scans.losses, pairs.eigvecs[:, [2, 0]].T, strict=True):
        closed = [1 - np.prod(np.cos((centre + t * vector) / 2) ** 2) for t in scans.t]
        np.testing.assert_allclose(scan, closed, atol=1e-14)  # a few roundings of order 1
    frame = scans.to_pandas()
    assert frame.columns.tolist() == ["position", "eigval", "structural", "t", "loss"] and len(frame) == 10
    assert frame.query("position == 0 and t == 2")["loss"].item() == scans.losses[1, -1]
    assert repr(scans) == "Scans(2 eigenvectors x 5 points, t from -2 to 2 rad)"


@pytest.mark.parametrize("positions", [[3], [-4], []])
def test_a_scan_along_a_missing_eigenvector_is_refused(positions: list[int]) -> None:
    pairs = vl.spectrum(np.eye(3))
    with pytest.raises(ValueError, match="`positions` must hold positions between -3 and 2, but is"):
        vl.eigenvector_scans(product_risk(), np.zeros(3), pairs, positions)


def test_spectra_along_a_path_are_those_of_each_point() -> None:
    risk, path = product_risk(), np.array([[0.0, 0, 0], [0.1, 0.2, 0.3]])
    origin, other = vl.spectra_at(risk, path)
    # at 0: 1 - prod cos^2(t/2) has the Hessian 1/2 everywhere; 1e-14: round-off
    np.testing.assert_allclose(origin.eigvals, 0.5, atol=1e-14)
    np.testing.assert_array_equal(other.eigvals, vl.spectrum(risk.hessian(path[1])).eigvals)
    assert other.to_pandas()["eigvec"][2].tolist() == other.eigvecs[:, 2].tolist()


# --- planes -----------------------------------------------------------------------------------------------


def test_a_plane_holds_the_points_that_it_says() -> None:
    plane = vl.random_plane(np.arange(5.0), seed=4)
    np.testing.assert_allclose(plane.axes.T @ plane.axes, np.eye(2), atol=1e-15)
    points = plane.points([0.0, 2.0], [0.0, -1.0, 3.0])
    np.testing.assert_allclose(points[3], np.arange(5.0) + 2 * plane.axes[:, 0] - plane.axes[:, 1], atol=1e-14)
    expected = [(a, b) for b in (0, -1, 3) for a in (0, 2)]
    np.testing.assert_allclose(plane.project(points), expected, atol=1e-14)  # P roundings of order 1
    off = np.linalg.svd(plane.axes.T)[2][-1]  # orthogonal to the plane: projected away
    np.testing.assert_allclose(plane.project([points[5] + off]), [expected[5]], atol=1e-14)
    assert not np.allclose(plane.axes, vl.random_plane(np.arange(5.0), seed=5).axes)


def test_the_loss_on_a_plane_of_eigenvectors_is_the_closed_form() -> None:
    risk, centre = product_risk(), np.array([0.3, -0.8, 1.1])
    pairs = vl.spectrum(risk.hessian(centre))
    plane = vl.eigenvector_plane(centre, pairs, (-1, 0))
    grid = vl.plane_grid(risk, plane, n_grid=4, radius=1.5, extremes=True)
    assert grid.a.tolist() == grid.b.tolist() == [-1.5, -0.5, 0.5, 1.5]
    point = centre + grid.a[3] * pairs.eigvecs[:, 2] + grid.b[1] * pairs.eigvecs[:, 0]
    assert grid.losses[1, 3] == pytest.approx(1 - np.prod(np.cos(point / 2) ** 2), abs=1e-14)
    # the Hessian of 1 - prod c_i^2 by hand, c = cos(t/2): d_ii = prod c^2 (1 - t_i^2)/2, d_ij = -prod c^2 t_i t_j
    tan = np.tan(point / 2)
    by_hand = -np.prod(np.cos(point / 2) ** 2) * np.outer(tan, tan)
    by_hand[np.diag_indices(3)] = np.prod(np.cos(point / 2) ** 2) * (1 - tan**2) / 2
    extremes = np.linalg.eigvalsh(by_hand)[[0, -1]]
    assert grid.smallest is not None and grid.largest is not None
    np.testing.assert_allclose([grid.smallest[1, 3], grid.largest[1, 3]], extremes, atol=1e-13)
    assert "4 x 4 points" in repr(grid) and "extreme eigenvalues" in repr(grid)
    frame = grid.to_pandas()
    assert len(frame) == 17 and frame["step"].dropna().tolist() == [0]  # the grid, and the centre
    assert frame.query("a == 1.5 and b == -0.5")["largest"].item() == grid.largest[1, 3]


def test_the_plane_of_two_parameters_moves_these_two() -> None:
    risk, centre = product_risk(), np.array([[0.3, -0.8, 1.1]])
    plane = vl.parameter_plane(centre, 2, 0)
    assert (
        plane.labels == ("parameter 2", "parameter 0")
        and repr(plane) == "Plane(parameter 2 x parameter 0, 3 parameters)"
    )
    assert plane.window() == (-math.pi, math.pi, -math.pi, math.pi)
    np.testing.assert_array_equal(plane.path, centre)
    grid = vl.plane_grid(risk, plane, n_grid=5, radius=1.0)
    for (row, column), loss in np.ndenumerate(grid.losses):
        moved = np.array([0.3 + grid.b[row], -0.8, 1.1 + grid.a[column]])
        assert loss == pytest.approx(1 - np.prod(np.cos(moved / 2) ** 2), abs=1e-14)  # a few roundings of order 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.1], 0, 1), "`center` must have at least 2 entries, but has 1"),
        (([0.1, 0.2, 0.3], 3, 1), "`i` must be a whole number between 0 and 2, but is 3"),
        (([0.1, 0.2, 0.3], 0, -1), "`j` must be a whole number between 0 and 2, but is -1"),
        (([0.1, 0.2, 0.3], 0.0, 1), "`i` must be a whole number between 0 and 2, but is 0.0"),
        (([0.1, 0.2, 0.3], 1, 1), "`i` and `j` must name two different parameters, but both are 1"),
    ],
)
def test_parameters_that_make_no_plane_are_named(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        vl.parameter_plane(*arguments)


def test_principal_components_of_a_path_in_a_plane_span_it() -> None:
    rng = np.random.default_rng(2)
    axes = ortho_group.rvs(7, random_state=0)[:, :2]
    coordinates = np.stack([np.linspace(0, 5, 20), np.sin(np.linspace(0, 3, 20))], axis=1)
    path = rng.normal(size=7) + coordinates @ axes.T
    plane = vl.pca_plane(path)
    np.testing.assert_array_equal(plane.origin, path[-1])
    np.testing.assert_allclose(plane.axes @ plane.axes.T, axes @ axes.T, atol=1e-13)  # the same space
    assert sum(plane.explained) == pytest.approx(1) and plane.explained[0] > plane.explained[1]
    projected = plane.project(path)
    np.testing.assert_allclose(projected @ plane.axes.T + plane.origin, path, atol=1e-13)
    assert projected[-1, 0] > projected[0, 0]  # the run goes to the right
    low_a, high_a, low_b, high_b = plane.window()
    assert low_a < projected[:, 0].min() and projected[:, 0].max() < high_a
    assert low_b < projected[:, 1].min() and projected[:, 1].max() < high_b


def test_a_plane_that_is_none_is_refused() -> None:
    pairs = vl.spectrum(np.eye(3))
    with pytest.raises(ValueError, match="must name two different eigenvectors"):
        vl.eigenvector_plane(np.zeros(3), pairs, (2, -1))
    with pytest.raises(ValueError, match="must be two positions between -3 and 2"):
        vl.eigenvector_plane(np.zeros(3), pairs, (0, 3))
    with pytest.raises(ValueError, match="must have at least 2 entries, but has 1"):
        vl.random_plane([0.0])
    with pytest.raises(ValueError, match="must have at least 3 rows of at least 2 entries"):
        vl.pca_plane(np.zeros((2, 5)))
    with pytest.raises(ValueError, match="must not lie on one line"):
        vl.pca_plane(np.outer(np.arange(5.0), np.ones(3)))
    with pytest.raises(ValueError, match="`plane` must have 3 parameters, as the risk has, but has 4"):
        vl.plane_grid(product_risk(), vl.random_plane(np.zeros(4)))


# --- tracks -----------------------------------------------------------------------------------------------


def crossing(times: np.ndarray) -> list[vl.Spectrum]:
    """Eigenvalues t, 1 - t and 3 in a basis that turns slowly; beside them one structural zero."""
    basis = ortho_group.rvs(4, random_state=1)
    zero = np.array([[0.0], [0.0], [0.0], [1.0]])
    spectra = []
    for t in times:
        c, s = np.cos(0.1 * t), np.sin(0.1 * t)
        turn = np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
        turned = basis @ turn
        spectra.append(vl.spectrum(turned @ np.diag([t, 1 - t, 3.0, 0.0]) @ turned.T, basis @ zero))
    return spectra


def test_eigenpairs_are_followed_through_a_crossing() -> None:
    times = np.array([0.1, 0.3, 0.7, 0.9])  # at 0.5 the first two change places
    tracks = vl.track_eigenpairs(crossing(times), epochs=[0, 2, 4, 6])
    # round-off of 4 x 4 products, 1e-14
    np.testing.assert_allclose(tracks.eigvals, np.stack([times, 1 - times, 3 + 0 * times], axis=1), atol=1e-14)
    np.testing.assert_allclose(tracks.overlaps[2, :2], np.cos(0.1 * 0.4) ** 2, atol=1e-13)
    assert tracks.positions[0].tolist() == [1, 2, 3] and tracks.positions[3].tolist() == [2, 1, 3]
    frame = tracks.to_pandas()
    assert frame["epoch"].tolist() == [e for e in (0, 2, 4, 6) for _ in range(3)]
    assert repr(tracks) == "Tracks(3 eigenpairs over 4 epochs, 2 changes of rank)"


def test_the_overlap_of_the_top_space_falls_where_it_is_exchanged() -> None:
    spectra = crossing(np.array([0.1, 0.3, 0.7]))
    stays, turns = vl.subspace_overlaps(spectra, 2)
    assert stays == pytest.approx((1 + np.cos(0.1 * 0.2) ** 2) / 2, abs=1e-13)
    assert turns == pytest.approx((1 + np.sin(0.1 * 0.4) ** 2) / 2, abs=1e-13)  # the other of the two is on top now
    np.testing.assert_allclose(vl.subspace_overlaps(spectra, 4), 1, atol=1e-14)  # the whole space


def test_spectra_that_do_not_belong_together_are_refused() -> None:
    spectra = [vl.spectrum(np.eye(2)), vl.spectrum(np.eye(3))]
    with pytest.raises(ValueError, match="spectra with one number of parameters and of structural zeros"):
        vl.track_eigenpairs(spectra)
    with pytest.raises(ValueError, match="but has none"):
        vl.track_eigenpairs([])
    with pytest.raises(ValueError, match="`epochs` must have 1 entries, but has 2"):
        vl.track_eigenpairs(spectra[:1], epochs=[0, 1])
    with pytest.raises(ValueError, match="`n_top` must be a whole number between 1 and 2, but is 3"):
        vl.subspace_overlaps(spectra, 3)


# --- progress bars -------------------------------------------------------------------------------------------------


def test_a_bar_passes_everything_on_and_writes_nothing_into_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress_bar(range(5), 5, "numbers")) == [0, 1, 2, 3, 4]
    assert capsys.readouterr().err == ""


def test_a_log_gets_a_line_every_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    times = iter([0.0, 4.0, 9.0, 11.0, 11.0, 12.0, 22.0, 22.0])
    with caplog.at_level(logging.INFO, "vqc_landscape"):
        assert list(progress_bar(range(5), 5, "numbers", clock=lambda: next(times))) == [0, 1, 2, 3, 4]
    assert [record.getMessage() for record in caplog.records] == ["numbers: 2 of 5", "numbers: 4 of 5"]


def test_a_bar_shows_itself_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("vqc_landscape.progress_bar.DELAY", 0.0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert list(progress_bar(range(5), 5, "numbers")) == [0, 1, 2, 3, 4]
    assert "numbers" in capsys.readouterr().err


def test_a_matrix_in_the_place_of_a_spectrum_is_refused() -> None:
    risk, zeros = product_risk(2), np.zeros(2)
    hessian = risk.hessian(zeros)
    wanted = "must be a Spectrum, as vl.spectrum returns, but is of type ndarray"
    with pytest.raises(ValueError, match=f"`pairs` {wanted}"):
        vl.eigenvector_scans(risk, zeros, hessian)
    with pytest.raises(ValueError, match=f"`pairs` {wanted}"):
        vl.eigenvector_plane(zeros, hessian)
    for function in (vl.track_eigenpairs, lambda spectra: vl.subspace_overlaps(spectra, 1)):
        with pytest.raises(ValueError, match=rf"`spectra\[1\]` {wanted}"):
            function([vl.spectrum(hessian), hessian])
    with pytest.raises(ValueError, match="`plane` must be a Plane, as vl.random_plane returns, but is of type ndarray"):
        vl.plane_grid(risk, zeros)
