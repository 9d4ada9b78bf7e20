"""Many seeds in one job: networks that train side by side, extreme eigenvalues, Hessians of single samples."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from vqc_landscape.config import Experiment, load_config
from vqc_landscape.curvature.lanczos import extreme_eigvals
from vqc_landscape.risks.network_risk import side_by_side
from vqc_landscape.studies.build import initial_params, make_risk
from vqc_landscape.studies.datasets import write_dataset
from vqc_landscape.studies.ensembles import write_ensemble
from vqc_landscape.studies.inputs import read_samples
from vqc_landscape.studies.parts import parts_of, path_of
from vqc_landscape.studies.samples import write_samples
from vqc_landscape.studies.trajectories import run_training
from vqc_landscape.tables.parquet import read_table
from vqc_landscape.training.interrupt import TrainingStopped
from vqc_landscape.training.loop import train
from vqc_landscape.training.optimisers import make_optimiser

STUDY = load_config(Path(__file__).parents[1] / "config" / "minimal.yaml")
QNN, FFNN, LARGE = (STUDY.experiments[name] for name in ("qnn_seeds", "ffnn_difference", "ffnn_5000"))


class Made:
    """The tables of one experiment, in a folder, and the samples as arrays."""

    def __init__(self, experiment: Experiment, folder: Path, seeds: list[int] | None = None) -> None:
        self.experiment, self.folder = experiment, folder
        self.dataset, self.ensemble, self.samples = (str(folder / f"{name}.parquet") for name in ("d", "e", "s"))
        assert experiment.data is not None
        write_dataset(experiment.data, self.dataset)
        seeds = experiment.seeds if seeds is None else seeds
        write_ensemble(
            experiment,
            experiment.init,
            experiment.training,
            experiment.ensemble,
            seeds,
            self.dataset,
            self.ensemble,
            state_dir=str(folder / "state"),
            code="c",
        )
        self.train = read_samples(self.dataset, "train")

    def members(self) -> pd.DataFrame:
        return read_table("ensembles", self.ensemble)


@pytest.fixture(scope="module")
def qnn(tmp_path_factory: pytest.TempPathFactory) -> Made:
    made = Made(QNN, tmp_path_factory.mktemp("qnn"))
    write_samples(QNN, QNN.samples, made.ensemble, made.dataset, made.samples)
    return made


@pytest.fixture(scope="module")
def ffnn(tmp_path_factory: pytest.TempPathFactory) -> Made:
    made = Made(FFNN, tmp_path_factory.mktemp("ffnn"))
    write_samples(FFNN, FFNN.samples, made.ensemble, made.dataset, made.samples)
    return made


# --- training ---------------------------------------------------------------------------------------------


def test_a_circuit_of_an_ensemble_trains_as_it_does_alone(qnn: Made, tmp_path: Path) -> None:
    alone = run_training(QNN, QNN.init, QNN.training, 1, qnn.dataset, state_dir=str(tmp_path), code="c")
    members = qnn.members()
    ours = members[members["seed"] == 1].set_index("epoch")
    for epoch in (0, 1, 3):
        np.testing.assert_array_equal(ours.loc[epoch, "params"], alone["params"][epoch])
        for name in ("loss", "accuracy", "test_accuracy", "grad_norm"):
            assert ours.loc[epoch, name] == alone[name][epoch]
    assert members["activation"].isna().all() and members["initialiser"].isna().all()


def test_a_network_of_an_ensemble_trains_as_it_does_alone(ffnn: Made) -> None:
    assert FFNN.training is not None and FFNN.network is not None
    members = ffnn.members()
    kinds = members[["activation", "initialiser", "seed"]].drop_duplicates()
    assert len(kinds) == 2 * 2 * 3 and len(members) == 12 * 2
    for activation, initialiser, seed in (("tanh", "torch_default", 0), ("relu", "xavier_normal", 2)):
        network = FFNN.network.model_copy(update={"activation": activation, "initialiser": initialiser})
        experiment = FFNN.model_copy(update={"network": network})
        risk = make_risk(experiment, ffnn.train)
        alone = train(
            risk, initial_params(experiment, experiment.init, seed), make_optimiser(FFNN.training.optimiser), 3, seed=0
        )
        own = members.query("activation == @activation and initialiser == @initialiser and seed == @seed")
        for _, row in own.iterrows():
            # the same products in another order, 3 epochs of Adam long
            np.testing.assert_allclose(row["params"], alone["params"][row["epoch"]], rtol=0, atol=1e-11)
            assert row["loss"] == pytest.approx(alone["loss"][row["epoch"]], rel=1e-11)
            assert row["grad_norm"] == pytest.approx(alone["grad_norm"][row["epoch"]], rel=1e-9)


def test_the_blocks_of_seeds_do_not_change_the_numbers(qnn: Made, ffnn: Made, tmp_path: Path) -> None:
    alone = Made(QNN, tmp_path / "qnn", seeds=[1]).members()
    pd.testing.assert_frame_equal(alone, qnn.members().query("seed == 1").reset_index(drop=True))
    few = Made(FFNN, tmp_path / "ffnn", seeds=[2]).members()
    expected = ffnn.members().query("seed == 2").reset_index(drop=True)
    assert few[["activation", "initialiser", "epoch"]].equals(expected[["activation", "initialiser", "epoch"]])
    # products of another number of networks, in another order
    np.testing.assert_allclose(few["loss"], expected["loss"], rtol=1e-11)


@pytest.fixture
def sigterm_as_before() -> Iterator[None]:
    """A job that was asked to stop ignores SIGTERM until it ends; the process of the tests does not end."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("sigterm_as_before")
def test_an_ensemble_stops_when_it_is_asked_to(qnn: Made, tmp_path: Path) -> None:
    def ask(epoch: int, n_epochs: int, loss: float) -> None:
        if epoch == 0:
            os.kill(os.getpid(), signal.SIGTERM)

    for experiment in (QNN, FFNN):
        with pytest.raises(TrainingStopped):
            write_ensemble(
                experiment,
                experiment.init,
                experiment.training,
                experiment.ensemble,
                [0],
                qnn.dataset,
                str(tmp_path / "e.parquet"),
                state_dir=str(tmp_path / "state"),
                code="c",
                report=ask,
            )
    assert not (tmp_path / "e.parquet").exists()


def test_a_stack_is_the_sum_of_its_members() -> None:
    rng = np.random.default_rng(0)
    features = rng.uniform(-1, 1, (30, 2))
    targets = np.sign(features[:, 0])
    risk = make_risk(FFNN, (features, targets))
    stack, params = side_by_side(risk, 3), rng.normal(size=(3, risk.n_params))
    one_by_one = [risk.loss(p) for p in params]
    assert stack.loss(params) == pytest.approx(sum(one_by_one), rel=1e-13)  # round-off of sums in another order
    np.testing.assert_allclose(stack.grad(params), np.concatenate([risk.grad(p) for p in params]), atol=1e-13)
    np.testing.assert_allclose(stack.predict(params).T, [risk.predict(p) for p in params], atol=1e-13)
    assert stack.accuracy(params) == pytest.approx(np.mean([risk.accuracy(p) for p in params]))
    part = stack.batch(np.array([4, 2]))
    assert part.loss(params) == pytest.approx(sum(risk.batch(np.array([4, 2])).loss(p) for p in params), rel=1e-13)
    hessian = stack.hessian(params)
    n = risk.n_params
    np.testing.assert_allclose(hessian[n : 2 * n, n : 2 * n], risk.hessian(params[1]), atol=1e-12)
    assert not hessian[:n, n:].any()
    assert np.abs(hessian @ stack.structural_directions).max() < 1e-12  # round-off of P products
    with pytest.raises(ValueError, match="`n_members` must be a whole number at least 1, but is 0"):
        side_by_side(risk, 0)


# --- eigenvalues ------------------------------------------------------------------------------------------


def test_eigenvalues_are_those_of_the_hessian_without_the_structural_ones(qnn: Made, ffnn: Made) -> None:
    for made in (qnn, ffnn):
        row = made.members().iloc[-1]
        experiment = made.experiment
        if experiment.network is not None:
            update = {"activation": row["activation"], "initialiser": row["initialiser"]}
            experiment = experiment.model_copy(update={"network": experiment.network.model_copy(update=update)})
        risk = make_risk(experiment, made.train)
        whole = np.linalg.eigvalsh(risk.hessian(row["params"]))
        assert row["n_structural"] == risk.structural_directions.shape[1] > 0
        padded = np.sort(np.append(row["eigvals"], np.zeros(row["n_structural"])))
        np.testing.assert_allclose(padded, whole, rtol=0, atol=1e-13 * np.abs(whole).max() * len(whole))
        assert np.all(np.diff(row["eigvals"]) >= 0)


def known(eigvals: list[float], n_structural: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """A matrix with these eigenvalues, and as many structural directions."""
    n = len(eigvals) + n_structural
    basis = np.linalg.qr(np.random.default_rng(1).normal(size=(n, n)))[0]
    return (basis * np.append(eigvals, np.zeros(n_structural))) @ basis.T, basis[:, len(eigvals) :]


@pytest.mark.parametrize("n_structural", [0, 7])
def test_lanczos_finds_the_known_ends_of_a_spectrum(n_structural: int) -> None:
    eigvals = [*np.linspace(-0.5, -0.01, 10), *np.linspace(0.1, 1, 80), 5.0, 20.0]
    matrix, structural = known(eigvals, n_structural)
    found = extreme_eigvals(lambda v: matrix @ v, structural, 4)
    # relative residual 1e-6; the error of an eigenvalue is of second order in it
    np.testing.assert_allclose(found, eigvals[:4] + eigvals[-4:], rtol=1e-8)
    again = extreme_eigvals(lambda v: matrix @ v, structural, 4)
    np.testing.assert_array_equal(found, again)


def test_lanczos_does_not_see_structural_zeros() -> None:
    eigvals = list(np.linspace(0.5, 3, 40))
    matrix, structural = known(eigvals, 20)
    assert extreme_eigvals(lambda v: matrix @ v, structural, 3)[0] == pytest.approx(0.5, rel=1e-8)
    blind = extreme_eigvals(lambda v: matrix @ v, np.zeros((60, 0)), 3)
    assert abs(blind[0]) < 1e-8  # the check above can fail


def test_lanczos_refuses_more_than_half_of_a_spectrum() -> None:
    with pytest.raises(ValueError, match="`n_extremes` must be above 0 and below half of the 6 dimensions .* is 3"):
        extreme_eigvals(lambda v: v, np.eye(8)[:, :2], 3)
    with pytest.raises(ValueError, match="but is 0"):
        extreme_eigvals(lambda v: v, np.zeros((8, 0)), 0)


def test_a_large_network_has_the_ends_of_its_spectrum(tmp_path: Path) -> None:
    made = Made(LARGE, tmp_path)
    assert LARGE.ensemble is not None and LARGE.ensemble.n_extremes == 4
    for _, row in made.members().iterrows():
        dense = np.linalg.eigvalsh(make_risk(LARGE, made.train).hessian(row["params"]))
        assert row["n_structural"] == 9 + 10  # three unseen inputs per neuron, ten sums of outputs
        # the structural zeros lie between the ends
        np.testing.assert_allclose(row["eigvals"], [*dense[:4], *dense[-4:]], rtol=1e-6, atol=1e-9)


# --- single samples ---------------------------------------------------------------------------------------


def test_single_samples_add_up_to_the_whole_hessian(qnn: Made, ffnn: Made) -> None:
    for made in (qnn, ffnn):
        samples, members = read_table("samples", made.samples), made.members()
        for seed in made.experiment.seeds:
            own = samples[samples["seed"] == seed]
            member = members[(members["seed"] == seed) & (members["epoch"] == 3)].iloc[0]  # tanh, torch_default first
            by_size = member["eigvals"][np.argsort(-np.abs(member["eigvals"]))][:3]
            shares = np.mean(np.stack(own["leading"].to_list()), axis=0)
            np.testing.assert_allclose(shares, by_size, rtol=1e-10)  # round-off of 24 samples
            traces = np.stack(own["eigvals"].to_list()).sum(axis=1)
            assert traces.mean() == pytest.approx(member["eigvals"].sum(), rel=1e-10)
            np.testing.assert_allclose(np.mean((own["prediction"] - own["y"]) ** 2), member["loss"], rtol=1e-12)


def test_the_hessian_of_a_sample_is_the_one_of_a_data_set_of_one(qnn: Made) -> None:
    samples = read_table("samples", qnn.samples)
    tried = samples.groupby("seed")["other_label"].agg(lambda labels: labels.notna().sum())
    assert tried.tolist() == [2, 2, 2]  # a tenth of 24
    certain = samples[(samples["seed"] == 1) & samples["other_label"].notna()]
    assert certain["prediction"].abs().min() == samples.query("seed == 1")["prediction"].abs().nlargest(2).min()
    row = certain.iloc[0]
    params = qnn.members().query("seed == 1 and epoch == 3")["params"].iloc[0]
    for target, name in ((row["y"], "eigvals"), (-row["y"], "other_label")):
        alone = make_risk(QNN, ([[row["x1"], row["x2"]]], [target])).hessian(params)
        whole = np.linalg.eigvalsh(alone)
        # zeros do not lie outside of the ends
        ends = [min(row[name][0], 0), max(row[name][-1], 0)]
        np.testing.assert_allclose(ends, whole[[0, -1]], atol=1e-13)  # round-off of 12 products


# --- configuration ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("experiment", "keys", "message"),
    [
        (QNN, {"training": None}, "ensemble needs training"),
        (FFNN, {"network": "m:f", "params_shape": [7]}, "ensemble needs a built-in network or a circuit"),
        (
            QNN,
            {"data": {"file": "samples.csv", "features": ["a", "b"], "target": "y", "n_test": 5}},
            "samples needs data in the square, such as disk",
        ),
        (QNN, {"ensemble": None}, "samples needs ensemble"),
        (QNN, {"hessian": {"epochs": [0]}}, "hessian needs trajectories, which an experiment with ensemble does not"),
        (
            QNN,
            {"ensemble": {"epochs": [0, 3], "activations": ["tanh"]}},
            "ensemble.activations and .* are for networks",
        ),
        (QNN, {"ensemble": {"epochs": [3, 4]}}, "ensemble.epochs asks for epoch 4, but training ends at n_epochs 3"),
        (QNN, {"samples": {"epochs": [2]}}, "samples.epochs asks for epoch 2, which ensemble.epochs does not have"),
        (LARGE, {"ensemble": {"epochs": [0], "n_extremes": 28}}, "n_extremes is 28, but must be below half of the 56"),
        (
            FFNN,
            {"training": {"optimiser": {"name": "lbfgs"}, "n_epochs": 3}},
            "training.optimiser is lbfgs, but the networks of an ensemble train side by side",
        ),
    ],
)
def test_an_ensemble_that_does_not_fit_together_is_refused(
    experiment: Experiment, keys: dict[str, Any], message: str
) -> None:
    plain = experiment.model_dump(exclude={"init"}) | keys
    with pytest.raises(ValueError, match=message):
        Experiment.model_validate(plain)


def test_an_ensemble_needs_data() -> None:
    plain = STUDY.experiments["fig11_gd"].model_dump() | {"ensemble": {"epochs": [0]}}
    with pytest.raises(ValueError, match="ensemble needs data"):
        Experiment.model_validate(plain)


def test_parts_are_blocks_of_seeds() -> None:
    assert QNN.seed_blocks == [[0, 1], [2]]
    assert parts_of("ensembles", "q", QNN, [0, 1, 2]) == [("ensembles", "q", 0), ("ensembles", "q", 1)]
    assert parts_of("samples", "q", QNN, [2]) == [("samples", "q", 1)]
    assert parts_of("datasets", "q", QNN, [1, 2]) == [("datasets", "q", 0)]  # one, for all seeds
    assert path_of("r", ("ensembles", "q", 1)) == "r/ensembles/experiment=q/part-1.parquet"
    assert path_of("r", ("hessians", "q", 1), 2) == "r/hessians/experiment=q/seed=1/part-2.parquet"


def test_columns_of_an_ensemble_always_have_the_seed(qnn: Made) -> None:
    assert list(read_table("ensembles", qnn.ensemble, ["loss"])) == ["loss", "seed"]
