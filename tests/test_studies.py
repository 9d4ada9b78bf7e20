"""From the configuration to tables: objects, steps, the plan of the workflow, and what a job says."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import oracles
import pandas as pd
import pyarrow as pa
import pytest
import yaml

from vqc_landscape.checks import Array
from vqc_landscape.circuits.observables import PauliSum, Projector
from vqc_landscape.config import (
    Config,
    DataConfig,
    Experiment,
    InitConfig,
    LandscapeConfig,
    Problem,
    ShiftRuleConfig,
    StartsConfig,
    load_config,
    parse_sections,
)
from vqc_landscape.figures.registry import FIGURES
from vqc_landscape.figures.select import required_tables
from vqc_landscape.studies import build, plan
from vqc_landscape.studies.conventions import relative_error, write_convention_errors
from vqc_landscape.studies.datasets import sample_disk, write_dataset
from vqc_landscape.studies.hessians import write_hessians
from vqc_landscape.studies.inputs import read_params, read_samples
from vqc_landscape.studies.landscapes import write_landscape
from vqc_landscape.studies.predictions import write_predictions
from vqc_landscape.studies.scans import write_scans
from vqc_landscape.studies.shift_rule import write_shift_rule, write_timings
from vqc_landscape.studies.spectra import write_spectra
from vqc_landscape.studies.starts import write_starts
from vqc_landscape.studies.trajectories import write_trajectory
from vqc_landscape.tables.parquet import read_table, write_table
from vqc_landscape.tables.registry import TABLES

ROOT = Path(__file__).parents[1]
STUDY = load_config(ROOT / "config" / "minimal.yaml")
LAYERED, QNN, FFNN = (STUDY.experiments[name] for name in ("layered", "qnn", "ffnn"))


def changed(experiment: Experiment, **sections: dict[str, Any]) -> Experiment:
    """The experiment with some keys of its sections replaced."""
    plain = experiment.model_dump(exclude={"init"})
    for section, keys in sections.items():
        plain[section] = {**(plain.get(section) or {}), **keys}
    return Experiment.model_validate(plain)


def state_preparation(target: str, locality: str = "global", convention: str = "exact") -> Experiment:
    return Experiment.model_validate(
        {
            "circuit": {"ansatz": "rx_product", "n_qubits": 3, "n_layers": 1},
            "objective": {"loss": "infidelity", "target": target, "locality": locality},
            "convention": convention,
        }
    )


# --- the disk ---------------------------------------------------------------------------------------------


def test_the_disk_is_positive_inside_and_balanced() -> None:
    features, targets, split = sample_disk(DataConfig(n_train=4000, n_test=1000))
    assert np.all(np.abs(features) <= 1)
    np.testing.assert_array_equal(targets, np.sign(math.sqrt(2 / math.pi) - np.hypot(*features.T)))
    assert abs(targets.mean()) < 4 / math.sqrt(5000)  # four standard errors of a balanced mean
    assert split == ["train"] * 4000 + ["test"] * 1000


def test_more_test_samples_leave_the_training_samples_as_they_are() -> None:
    few, many = (sample_disk(DataConfig(n_train=10, n_test=n, seed=3))[0] for n in (1, 50))
    np.testing.assert_array_equal(few[:10], many[:10])
    assert not np.allclose(sample_disk(DataConfig(n_train=10, n_test=1, seed=4))[0], few)


# --- objects ----------------------------------------------------------------------------------------------


def closed_form(target: str, locality: str, convention: str, theta: Array) -> float:
    """Loss of one layer of RX rotations (paper-independent algebra: each qubit is on its own)."""
    if target == "zero":
        fidelities = np.cos(theta / 2) ** 2
        return float(1 - (np.prod(fidelities) if locality == "global" else np.mean(fidelities)))
    if locality == "local":
        return 0.5  # RX leaves <X> = 0
    overlap = 2.0 ** -len(theta)
    return float(1 - overlap * (1 if convention == "exact" else abs(np.cos(theta.sum()))))


@pytest.mark.parametrize(
    ("target", "locality", "convention"),
    [
        ("zero", "global", "exact"),
        ("zero", "local", "exact"),
        ("plus", "global", "exact"),
        ("plus", "local", "exact"),
        ("plus", "global", "as_published"),
    ],
)
def test_every_objective_is_the_loss_that_it_says(target: str, locality: str, convention: str) -> None:
    theta = np.array([0.3, 1.1, -0.7])
    risk = build.make_risk(state_preparation(target, locality, convention))
    # 1e-14: a few roundings of numbers of order one
    assert risk.loss(theta) == pytest.approx(closed_form(target, locality, convention, theta), abs=1e-14)


def test_the_objective_decides_the_observable() -> None:
    assert QNN.objective == changed(QNN, objective={"wire": 0}).objective
    assert build.make_observable(changed(QNN, objective={"wire": 1}).objective, 2) == PauliSum(((1.0, "Z", (1,)),))
    assert isinstance(build.make_observable(LAYERED.objective, 2), Projector)


@pytest.mark.parametrize(("ansatz", "n_params"), [("reuploading", 12), ("reuploading_published", 24)])
def test_both_forms_of_re_uploading_are_built(ansatz: str, n_params: int) -> None:
    experiment = changed(QNN, circuit={"ansatz": ansatz})
    assert build.make_circuit(experiment.circuit).name == ansatz  # type: ignore[arg-type]
    assert build.make_risk(experiment, (np.zeros((2, 2)), np.ones(2))).n_params == n_params == experiment.n_params


def test_reduction_is_handed_on() -> None:
    samples = (np.array([[0.1, 0.2], [0.3, -0.4]]), np.array([1.0, -1.0]))
    theta = build.initial_params(QNN, QNN.init, 0)
    mean = build.make_risk(QNN, samples).loss(theta)
    total = build.make_risk(changed(QNN, objective={"reduction": "sum"}), samples).loss(theta)
    assert total == pytest.approx(2 * mean, rel=1e-14)  # one rounding each


def test_the_initial_point_depends_on_seed_and_circuit_alone() -> None:
    start = build.initial_params(LAYERED, LAYERED.init, 5)
    other = changed(LAYERED, training={"optimiser": {"name": "gd", "learning_rate": 0.3}}, objective={"target": "zero"})
    np.testing.assert_array_equal(build.initial_params(other, other.init, 5), start)
    assert start.shape == (12,) and np.all((start >= 0) & (start < 2 * np.pi))
    assert not np.allclose(build.initial_params(LAYERED, LAYERED.init, 6), start)


def test_the_initial_distribution_is_configured() -> None:
    wide = changed(LAYERED, circuit={"n_layers": 200})
    low = build.initial_params(wide, InitConfig(low=-0.1, high=0.0), 0)
    normal = build.initial_params(wide, InitConfig(distribution="normal", scale=0.01), 0)
    assert np.all((low >= -0.1) & (low < 0.0))
    # four standard errors of the standard deviation of 1200 numbers, 1 / sqrt(2 * 1200)
    assert normal.std() == pytest.approx(0.01, rel=4 / math.sqrt(2400))


def test_networks_are_built_with_the_prediction_that_their_outputs_ask_for() -> None:
    samples = (np.array([[0.1, 0.2]]), np.array([1.0]))
    for widths in ([3, 4, 2], [2, 4, 1]):
        experiment = changed(FFNN, network={"widths": widths})
        risk, theta = build.make_risk(experiment, samples), build.initial_params(experiment, experiment.init, 1)
        assert theta.shape == (risk.n_params,) == (experiment.n_params,)
        assert risk.predict(theta).shape == (1,)
    assert not np.allclose(build.initial_params(FFNN, FFNN.init, 1), build.initial_params(FFNN, FFNN.init, 2))


# --- steps ------------------------------------------------------------------------------------------------

Paths = dict[str, str]


@pytest.fixture(scope="module")
def qnn(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """Every table of the small QNN, each written by its step."""
    root = tmp_path_factory.mktemp("qnn")
    paths = {stage: str(root / f"{stage}.parquet") for stage in TABLES}
    assert QNN.data is not None
    write_dataset(QNN.data, paths["datasets"])
    train(QNN, root, paths["trajectories"], paths["datasets"])
    write_hessians(QNN, [0, 3], paths["trajectories"], paths["datasets"], paths["hessians"])
    write_spectra(QNN, [paths["hessians"]], paths["datasets"], paths["spectra"])
    write_predictions(QNN, QNN.predictions, paths["trajectories"], paths["datasets"], paths["predictions"])
    return paths


def train(
    experiment: Experiment, root: Path, output: str, dataset: str | None = None, seed: int = 0, code: str = "c"
) -> list[str]:
    """Train into ``output``; returns what was reported."""
    lines: list[str] = []
    write_trajectory(
        experiment,
        experiment.init,
        experiment.training,
        seed,
        dataset,
        output,
        state_dir=str(root / "state"),
        code=code,
        report=lambda epoch, n_epochs, _: lines.append(f"{epoch}/{n_epochs}"),
    )
    return lines


def test_hessians_are_those_of_the_risk_over_all_training_samples(qnn: Paths) -> None:
    samples = read_samples(qnn["datasets"], "train")
    assert samples is not None and len(samples[1]) == 24
    rows = read_table("hessians", qnn["hessians"])
    for epoch, params in zip((0, 3), read_params(qnn["trajectories"], [0, 3]), strict=True):
        expected = build.make_risk(QNN, samples).hessian(params)
        np.testing.assert_array_equal(np.stack(rows[rows["epoch"] == epoch]["values"]), expected)


def test_spectra_hold_every_pair_in_ascending_order(qnn: Paths) -> None:
    spectra, rows = read_table("spectra", qnn["spectra"]), read_table("hessians", qnn["hessians"])
    assert sorted(spectra["epoch"].unique()) == [0, 3]
    for epoch, pairs in spectra.groupby("epoch"):
        hessian = np.stack(rows[rows["epoch"] == epoch]["values"])
        assert pairs["position"].tolist() == list(range(12)) and pairs["eigval"].is_monotonic_increasing
        for value, vector in zip(pairs["eigval"], pairs["eigvec"], strict=True):
            np.testing.assert_allclose(hessian @ vector, value * vector, atol=1e-12)  # round-off of 12 products
        assert pairs["structural"].any()  # the last RZ before Z of the measured qubit, at least


def test_predictions_are_those_of_the_risk_on_a_grid_of_the_square(qnn: Paths) -> None:
    table = read_table("predictions", qnn["predictions"])
    assert len(table) == 2 * 9 * 9
    assert table["x1"].tolist()[:10] == [*np.linspace(-1, 1, 9), -1.0] and table["x2"].tolist()[:10] == [-1.0] * 9 + [
        -0.75
    ]
    last = table[table["epoch"] == 3]
    risk = build.make_risk(QNN, read_samples(qnn["datasets"], "train"))
    (params,) = read_params(qnn["trajectories"], [3])
    np.testing.assert_array_equal(last["prediction"], risk.predict(params, last[["x1", "x2"]].to_numpy()))


def test_scans_start_at_the_trained_point_and_follow_the_eigenvalue(tmp_path: Path) -> None:
    paths = {stage: str(tmp_path / f"{stage}.parquet") for stage in TABLES}
    train(LAYERED, tmp_path, paths["trajectories"])
    write_hessians(LAYERED, [5], paths["trajectories"], None, paths["hessians"])
    write_spectra(LAYERED, [paths["hessians"]], None, paths["spectra"])
    experiment = changed(LAYERED, scans={"positions": [-1, 0], "radius": 0.01, "n_points": 3})
    write_scans(experiment, experiment.scans, paths["trajectories"], paths["spectra"], None, paths["scans"])
    table = read_table("scans", paths["scans"])
    trajectory = read_table("trajectories", paths["trajectories"])
    spectra = read_table("spectra", paths["spectra"])
    assert table["position"].tolist() == [11] * 3 + [0] * 3
    assert table["t"].tolist() == [-0.01, 0.0, 0.01] * 2
    for _, curve in table.groupby("position"):
        left, middle, right = curve["loss"]
        pair = spectra[(spectra["epoch"] == 5) & (spectra["position"] == curve["position"].iloc[0])]
        moved = trajectory["params"].iloc[-1] + 0.01 * np.array(pair["eigvec"].iloc[0])
        # round-off of two ways to the loss; a scan in the other direction differs in third order, by 1e-7
        assert right == pytest.approx(build.make_risk(LAYERED).loss(moved), abs=1e-14)
        assert middle == pytest.approx(trajectory["loss"].iloc[-1], abs=1e-14)  # round-off of two ways to the loss
        # error of the central difference: t^2 L''''/12 < 1e-4 for derivatives of order one
        assert (left - 2 * middle + right) / 1e-4 == pytest.approx(curve["eigval"].iloc[0], abs=1e-4)


def test_an_epoch_that_was_not_trained(qnn: Paths, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Epoch 4 was not trained: .*trajectories\.parquet ends at epoch 3\."):
        write_hessians(QNN, [3, 4], qnn["trajectories"], qnn["datasets"], str(tmp_path / "h.parquet"))
    assert not list(tmp_path.iterdir())


def test_a_damaged_table_is_named(qnn: Paths, tmp_path: Path) -> None:
    damaged = tmp_path / "part-0.parquet"
    damaged.write_bytes(Path(qnn["trajectories"]).read_bytes()[:-100])
    with pytest.raises(ValueError, match=f"{damaged} is damaged"):
        write_hessians(QNN, [0], str(damaged), qnn["datasets"], str(tmp_path / "h.parquet"))


# --- landscapes -------------------------------------------------------------------------------------------


def landscape(experiment: Experiment, path: Path, **keys: Any) -> Any:
    plane = {"low": -1.0, "high": 2.0, "n_grid": 4, "points": {}} | keys
    write_landscape(experiment, LandscapeConfig(**plane), str(path))
    return read_table("landscapes", path)


def test_a_landscape_has_a_grid_and_marked_points(tmp_path: Path) -> None:
    points = {"a": [0.0, 0.0], "b": [math.pi, math.pi]}
    table = landscape(state_preparation("zero"), tmp_path / "l.parquet", axes=[0, 2], points=points)
    grid, marked = table[table["label"].isna()], table[table["label"].notna()]
    assert len(grid) == 16
    np.testing.assert_allclose(grid["loss"], 1 - (np.cos(grid["a"] / 2) * np.cos(grid["b"] / 2)) ** 2, atol=1e-14)
    assert marked[["label", "a", "b"]].values.tolist() == [["a", 0.0, 0.0], ["b", math.pi, math.pi]]
    # one layer: H = 1/2 at the minimum; at (pi, 0, pi) every factor cos^2 or its derivative is 0
    np.testing.assert_allclose(
        np.stack(marked["eigvals"]), [[0.5] * 3, [0.0] * 3], atol=1e-14
    )  # round-off of a few products
    np.testing.assert_allclose(marked["grad_norm"], 0, atol=1e-14)


def test_the_grid_has_the_hessians_eigenpairs_on_every_few_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vqc_landscape.studies.landscapes.HESSIAN_LINES", 3)
    experiment = changed(state_preparation("zero"), circuit={"n_qubits": 2, "n_layers": 2})
    table = landscape(experiment, tmp_path / "l.parquet", n_grid=5, axes=[0, 1])
    curved = table[table["eigvals"].notna()]
    assert sorted(set(curved["a"])) == sorted(set(curved["b"])) == [-1.0, 0.5, 2.0] and len(curved) == 9
    for _, row in curved.iterrows():
        weights = np.array([[row["a"], row["b"]], [0.0, 0.0]])
        _, grad, hessian = oracles.toy_global(weights)
        assert row["grad_norm"] == pytest.approx(np.linalg.norm(grad), abs=1e-12)  # sums of a few products
        np.testing.assert_allclose(row["eigvals"], np.linalg.eigvalsh(hessian), atol=1e-12)
        assert row["structural"].sum() == 2  # the angles of one qubit add up
        vectors = row["plane_eigvecs"].reshape(-1, 2)
        block = (vectors * row["eigvals"][:, None]).T @ vectors  # sum over the pairs: the Hessian within the plane
        np.testing.assert_allclose(block, hessian[:2, :2], atol=1e-12)


def test_a_cusp_of_the_published_loss_has_neither_gradient_nor_hessian(tmp_path: Path) -> None:
    points = {"a": [math.pi / 4, math.pi / 4], "b": [0.1, 0.2]}
    experiment = state_preparation("plus", convention="as_published")
    table = landscape(experiment, tmp_path / "l.parquet", points=points).set_index("label")
    assert table.loc["a", "eigvals"] is None and math.isnan(table.loc["a", "grad_norm"])
    assert len(table.loc["b", "eigvals"]) == 3 and table.loc["b", "grad_norm"] > 0


def test_other_faults_at_a_point_are_not_swallowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        n_params, structural_directions = 2, np.zeros((2, 0))

        def loss(self, params: Array) -> float:
            return 0.0

        def hessian(self, params: Array) -> Array:
            raise ValueError("something else")

    monkeypatch.setattr("vqc_landscape.studies.landscapes.make_risk", lambda _: Broken())
    with pytest.raises(ValueError, match="something else"):
        landscape(state_preparation("zero"), tmp_path / "l.parquet", points={"a": [0.0, 0.0]})


# --- conventions ------------------------------------------------------------------------------------------


def test_errors_of_the_published_hessian_are_those_of_the_dense_oracles(tmp_path: Path) -> None:
    x, y = oracles.disk(3, seed=1)
    samples = tmp_path / "d.parquet"
    write_table("datasets", samples, {"x1": x[:, 0], "x2": x[:, 1], "y": y, "split": ["train"] * 3})
    data = str(samples)
    published = changed(QNN, hessian={"epochs": [0, 1]}, planes={"epoch": 1})
    published = published.model_copy(update={"convention": "as_published"})
    trajectory, hessians, output = (str(tmp_path / f"{name}.parquet") for name in "the")
    weights = np.random.default_rng(5).uniform(0, 2 * np.pi, (2, 2, 2, 3))
    rows = {"epoch": [0, 1], "params": list(weights.reshape(2, -1)), "loss": [0.0, 0.0]}
    write_table("trajectories", trajectory, rows)
    write_hessians(published, [0, 1], trajectory, data, hessians)
    write_convention_errors(published, trajectory, [hessians], data, output)
    table = read_table("convention_errors", output)
    for (_, row), point in zip(table.iterrows(), weights, strict=True):
        exact, bug = (
            oracles.derivatives(lambda w, d=detached: oracles.mse("reuploading", w, x, y, detached=d), point)
            for detached in (False, True)
        )
        assert row["loss"] == pytest.approx(bug[0]) and row["loss_exact"] == pytest.approx(exact[0])
        scale = np.linalg.norm(exact[2])
        assert row["hessian_error"] == pytest.approx(np.linalg.norm(bug[2] - exact[2]) / scale)
        ordered = np.linalg.eigvalsh(bug[2]) - np.linalg.eigvalsh(exact[2])
        assert row["eigval_error"] == pytest.approx(np.linalg.norm(ordered) / scale)
    # Hoffman and Wielandt: ordered eigenvalues of symmetric matrices are no farther apart than the matrices
    assert (table["eigval_error"] <= table["hessian_error"]).all()


def test_an_error_against_nothing_is_infinite() -> None:
    assert relative_error(np.ones((2, 2)), np.zeros((2, 2))) == math.inf
    assert relative_error(np.array([3.0, 0.0]), np.array([3.0, 4.0])) == pytest.approx(0.8)


# --- initial points ---------------------------------------------------------------------------------------


def toy_hessian(theta: Array) -> Array:
    """Closed form for one layer of RX and target |0...0> (derivatives of 1 - prod cos^2(theta/2))."""
    c, n = np.cos(theta / 2), len(theta)
    hessian = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            others = np.prod([c[k] ** 2 for k in range(n) if k not in (i, j)])
            hessian[i, j] = (np.cos(theta[i]) / 2 if i == j else -np.sin(theta[i]) * np.sin(theta[j]) / 4) * others
    return hessian


def test_starts_are_the_spectra_at_the_initial_points_of_the_seeds(tmp_path: Path) -> None:
    experiment = changed(state_preparation("zero"), starts={"n_starts": 3})
    write_starts(experiment, experiment.init, experiment.starts, 5, None, str(tmp_path / "s.parquet"))
    table = read_table("starts", tmp_path / "s.parquet")
    assert table["init"].tolist() == [5, 6, 7]
    for init, row in zip((5, 6, 7), table.itertuples(), strict=True):
        theta = build.initial_params(experiment, experiment.init, init)
        # 1e-14: round-off of a few products of numbers of order one
        np.testing.assert_allclose(row.eigvals, np.linalg.eigvalsh(toy_hessian(theta)), atol=1e-14)
        assert row.loss == pytest.approx(closed_form("zero", "global", "exact", theta), abs=1e-14)
        assert row.grad_norm == pytest.approx(np.linalg.norm(build.make_risk(experiment).grad(theta)), abs=1e-14)
        assert row.n_structural == 0
        # every RX of a product state from |0> has variance 1/4 of its generator: the matrix is the identity
        assert row.quantum_fisher == pytest.approx(1, abs=1e-14)


def test_starts_with_data_have_no_quantum_fisher_matrix(qnn: Paths, tmp_path: Path) -> None:
    write_starts(QNN, QNN.init, StartsConfig(n_starts=2), 0, qnn["datasets"], str(tmp_path / "s.parquet"))
    table = read_table("starts", tmp_path / "s.parquet")
    spectra = read_table("spectra", qnn["spectra"])
    np.testing.assert_array_equal(table["eigvals"][0], spectra[spectra["epoch"] == 0]["eigval"])
    assert table["quantum_fisher"].isna().all() and (table["n_structural"] > 0).all()


def test_starts_of_several_sizes(tmp_path: Path) -> None:
    experiment = changed(state_preparation("zero"), starts={"n_starts": 2, "sizes": [[2, 1], [2, 3]]})
    write_starts(experiment, experiment.init, experiment.starts, 0, None, str(tmp_path / "s.parquet"))
    table = read_table("starts", tmp_path / "s.parquet")
    assert table[["n_qubits", "n_layers", "init"]].values.tolist() == [[2, 1, 0], [2, 1, 1], [2, 3, 0], [2, 3, 1]]
    assert [len(eigvals) for eigvals in table["eigvals"]] == [2, 2, 6, 6]
    larger = changed(experiment, circuit={"n_qubits": 2, "n_layers": 3})
    theta = build.initial_params(larger, larger.init, 1).reshape(3, 2)
    # L layers are one at the summed angles, each eigenvalue L times as large; 1e-13: round-off of 36 products
    expected = np.sort(np.append(3 * np.linalg.eigvalsh(toy_hessian(theta.sum(axis=0))), np.zeros(4)))
    np.testing.assert_allclose(table["eigvals"][3], expected, atol=1e-13)
    assert table["n_structural"].tolist() == [0, 0, 4, 4]
    assert table["quantum_fisher"].tolist() == pytest.approx([1, 1, 3, 3], abs=1e-13)


def test_networks_have_no_sizes() -> None:
    with pytest.raises(ValueError, match=r"starts\.sizes needs a circuit"):
        changed(FFNN, starts={"n_starts": 1, "sizes": [[2, 1]]})


def test_starts_count_their_seeds_from_one() -> None:
    plain = state_preparation("zero").model_dump() | {"starts": {"n_starts": 3}, "seeds": [0, 1]}
    with pytest.raises(ValueError, match=r"starts counts its seeds up from one, but seeds is \[0, 1\]"):
        Experiment.model_validate(plain)


# --- the shift rule ---------------------------------------------------------------------------------------


def test_the_shift_rule_agrees_and_its_runs_are_counted(tmp_path: Path) -> None:
    experiment = changed(LAYERED, shift_rule={"sizes": [[2, 1], [2, 2]]})
    write_shift_rule(experiment, experiment.init, experiment.shift_rule, 0, str(tmp_path / "s.parquet"))
    table = read_table("shift_rule", tmp_path / "s.parquet")
    assert table[["n_qubits", "n_layers", "n_params"]].values.tolist() == [[2, 1, 6], [2, 2, 12]]
    assert table["hessian_runs"].tolist() == [2 * p**2 - p + 1 for p in (6, 12)]
    assert (table["error"] < 1e-12).all()  # round-off of some hundred numbers of order one
    # at least one circuit for each sub-layer of rotations; the couplings between sub-layers come on top
    assert (table["metric_block_runs"] >= 3 * table["n_layers"]).all()
    assert (table["metric_full_runs"] > table["metric_block_runs"]).all()


def test_times_are_no_table(tmp_path: Path) -> None:
    write_timings(LAYERED, LAYERED.init, ShiftRuleConfig(sizes=[(2, 1)]), 0, str(tmp_path / "t.tsv"))
    times = pd.read_csv(tmp_path / "t.tsv", sep="\t")
    assert times.columns.tolist() == ["n_qubits", "n_layers", "n_params", "grad_ms", "hessian_ms", "metric_ms"]
    assert times.iloc[0, :3].tolist() == [2, 1, 6] and (times.iloc[0, 3:] > 0).all()


@pytest.mark.parametrize(
    "experiment", [QNN, state_preparation("zero", "local"), state_preparation("zero", convention="as_published")]
)
def test_the_shift_rule_is_compared_for_exact_global_losses(experiment: Experiment) -> None:
    with pytest.raises(ValueError, match="shift_rule needs a built-in circuit with loss infidelity, global and exact"):
        changed(experiment, shift_rule={})


# --- checkpoints ------------------------------------------------------------------------------------------


def test_more_epochs_go_on_from_the_checkpoint_and_end_where_one_long_run_ends(qnn: Paths, tmp_path: Path) -> None:
    longer = changed(QNN, training={"n_epochs": 5})
    parts = [tmp_path / f"{name}.parquet" for name in ("short", "resumed", "long")]
    train(QNN, tmp_path, str(parts[0]), qnn["datasets"])
    assert train(longer, tmp_path, str(parts[1]), qnn["datasets"]) == ["3/5", "4/5", "5/5"]
    assert len(train(longer, tmp_path / "elsewhere", str(parts[2]), qnn["datasets"])) == 6
    assert parts[1].read_bytes() == parts[2].read_bytes()
    assert train(QNN, tmp_path, str(parts[1]), qnn["datasets"])[-1] == "3/3"
    assert parts[1].read_bytes() == parts[0].read_bytes()


def other_data(path: str, root: Path) -> str:
    """The same table with one target flipped."""
    table = read_table("datasets", path)
    table.loc[0, "y"] *= -1
    write_table("datasets", root / "other.parquet", {name: table[name] for name in table})
    return str(root / "other.parquet")


@pytest.mark.parametrize(
    "run",
    [
        lambda root, out, data: train(changed(QNN, circuit={"n_layers": 1}), root, out, data),
        lambda root, out, data: train(changed(QNN, objective={"reduction": "sum"}), root, out, data),
        lambda root, out, data: train(QNN, root, out, data, code="edited"),
        lambda root, out, data: train(QNN, root, out, data, seed=1),
        lambda root, out, data: train(QNN, root, out, other_data(data, root)),
    ],
)
def test_whatever_changes_the_trajectory_has_its_own_folder(
    qnn: Paths, tmp_path: Path, run: Callable[[Path, str, str], list[str]]
) -> None:
    output = str(tmp_path / "t.parquet")
    train(QNN, tmp_path, output, qnn["datasets"])
    assert run(tmp_path, output, qnn["datasets"])[0] == "0/3"
    assert len(list((tmp_path / "state").iterdir())) == 2


def test_how_often_it_is_saved_does_not(qnn: Paths, tmp_path: Path) -> None:
    output = str(tmp_path / "t.parquet")
    train(QNN, tmp_path, output, qnn["datasets"])
    often = changed(QNN, training={"checkpoint_every": 1})
    assert train(often, tmp_path, output, qnn["datasets"]) == ["3/3"]


# --- the plan ---------------------------------------------------------------------------------------------

STUDIES = [load_config(ROOT / "config" / f"{name}.yaml") for name in ("config", "minimal")]


def test_an_experiment_gets_the_tables_that_it_asks_for() -> None:
    assert plan.stages_of(STUDY.experiments["toy_global"]) == ["landscapes"]
    assert plan.stages_of(STUDY.experiments["fig11_gd"]) == ["trajectories"]
    assert plan.stages_of(QNN) == ["datasets", "trajectories", "hessians", "spectra", "predictions", "planes"]
    assert plan.part_files(STUDY, "scans", "qnn") == []
    assert plan.part_files(STUDY, "trajectories", "fig11_gd")[1] == (
        "results-minimal/trajectories/experiment=fig11_gd/seed=1/part-0.parquet"
    )
    assert [path[-14:] for path in plan.part_files(STUDY, "hessians", "qnn")] == ["part-0.parquet", "part-1.parquet"]


@pytest.mark.parametrize("study", STUDIES)
def test_settings_of_a_step_are_plain_and_come_back_without_a_change_of_meaning(study: Config) -> None:
    for experiment in study.experiments.values():
        asked = [key for key in Experiment.model_fields if getattr(experiment, key) is not None]
        settings = plan.settings(experiment, "problem", *asked)
        assert settings == yaml.safe_load(yaml.safe_dump(settings))
        sections = parse_sections(settings)
        problem = sections.pop("problem")
        assert all(section == getattr(experiment, key) for key, section in sections.items())
        assert all(getattr(problem, key) == getattr(experiment, key) for key in Problem.model_fields)


@pytest.mark.parametrize("study", STUDIES)
def test_settings_of_a_figure_ask_for_the_same_tables(study: Config) -> None:
    for figure in study.figures:
        parts = required_tables(figure, study)
        assert required_tables(figure, Config(**plan.figure_settings(study, figure, parts))) == parts


def test_a_seed_that_a_figure_does_not_show_does_not_change_it() -> None:
    plain = yaml.safe_load((ROOT / "config" / "minimal.yaml").read_text())
    plain["experiments"]["layered"]["seeds"] = [0, 1]
    plain["experiments"]["fig11_gd"]["seeds"] = [0, 1, 2]
    more = Config(**plain)

    def settings(study: Config, figure: str) -> dict[str, Any]:
        return plan.figure_settings(study, figure, required_tables(figure, study))

    assert settings(more, "fig05") == settings(STUDY, "fig05")
    assert settings(more, "fig01") == settings(STUDY, "fig01")
    assert settings(more, "fig11") != settings(STUDY, "fig11")


def test_files_of_a_figure_by_table() -> None:
    parts = [("spectra", "qnn", 0), ("spectra", "qnn", 1), ("scans", "qnn", 0)]
    assert plan.files_by_stage("r", parts) == {
        "spectra": [f"r/spectra/experiment=qnn/seed={seed}/part-0.parquet" for seed in (0, 1)],
        "scans": ["r/scans/experiment=qnn/seed=0/part-0.parquet"],
    }


def test_a_step_depends_on_the_code_of_its_own_kind_of_model(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(plan, "source_hash", lambda *_, skip: asked.append(skip) or "")
    for has_network in (True, False):
        plan.step_code.__wrapped__("hessians", has_network=has_network)
    always = ("config", "simulator.gpu", "tables.registry", "tables.table")
    assert asked == [
        (*always, "circuits", "structure", "simulator", "models.circuit_model", "risks.circuit_risk"),
        (*always, "models.network_model", "risks.network_risk"),
    ]


def test_a_step_depends_on_the_columns_of_its_own_table_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {table: plan.step_code.__wrapped__(table, has_network=False) for table in ("spectra", "scans")}
    columns = TABLES["scans"].columns.append(pa.field("more", pa.int64()))
    monkeypatch.setitem(TABLES, "scans", replace(TABLES["scans"], columns=columns))
    after = {table: plan.step_code.__wrapped__(table, has_network=False) for table in before}
    assert after["spectra"] == before["spectra"] and after["scans"] != before["scans"]


def test_every_step_and_figure_has_code_that_can_be_hashed() -> None:
    steps = {plan.step_code(stage, has_network=False) for stage in TABLES}
    figures = {plan.figure_code(figure.draw) for figure in FIGURES.values()}
    assert len(steps) == len(TABLES) and len(figures) == len({figure.draw for figure in FIGURES.values()})


def test_parts_of_an_earlier_division_into_blocks_and_half_written_ones_are_stale(tmp_path: Path) -> None:
    raw = yaml.safe_load((Path(__file__).parents[1] / "config" / "minimal.yaml").read_text())
    config = Config.model_validate(raw | {"results_dir": str(tmp_path)})
    (planned,) = plan.part_files(config, "hessians", "ffnn")[:1]
    Path(planned).parent.mkdir(parents=True)
    stale = [".part-0.parquet.k3x.parquet", "part-77.parquet"]
    for name in (Path(planned).name, *stale, "notes.txt"):
        (Path(planned).parent / name).touch()
    assert plan.stale_parts(config) == [Path(planned).parent / name for name in stale]
