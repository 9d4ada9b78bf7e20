"""The shipped examples, run by the workflow as a user runs them; then what docs/examples.md says of them."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vqc_landscape as vl
from vqc_landscape.config import Config, load_config
from vqc_landscape.figures.select import own_figures
from vqc_landscape.studies import plan
from vqc_landscape.studies.build import make_risk
from vqc_landscape.tables.parquet import read_table

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    shutil.copytree(ROOT / "examples", folder / "examples")
    shutil.copy(ROOT / "config" / "examples.yaml", folder)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(folder / "examples.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(ROOT / "config" / "examples.yaml")


def rows(folder: Path, config: Config, stage: str, name: str) -> pd.DataFrame:
    paths = plan.part_files(config.model_copy(update={"results_dir": f"{folder}/{config.results_dir}"}), stage, name)
    return read_table(stage, paths)


def losses(folder: Path, config: Config, name: str) -> np.ndarray:
    return rows(folder, config, "trajectories", name)["loss"].to_numpy()


def eigvals(folder: Path, config: Config, name: str, epoch: int) -> np.ndarray:
    spectra = rows(folder, config, "spectra", name)
    return spectra.loc[spectra["epoch"] == epoch, "eigval"].to_numpy()


def test_every_figure_and_the_page_are_there(folder: Path, config: Config) -> None:
    results = folder / config.results_dir
    for figure in (*own_figures(config), *config.figures):
        assert (results / "figures" / f"{figure}.png").stat().st_size > 20_000  # an empty page has fewer bytes
    text = (results / "report.html").read_text()
    assert all(f'id="{figure}"' in text for figure in own_figures(config))


def test_the_ising_ring_comes_close_to_its_ground_state_and_not_below(folder: Path, config: Config) -> None:
    ground = -2 / math.sin(math.pi / 12)  # Pfeuty, Ann. Phys. 57, 79 (1970): even ring of 6 at the critical field
    for name in ("tfim", "tfim_free"):
        values = losses(folder, config, name)
        assert np.all(values > ground) and values[-1] < 0.98 * ground  # "-7.62" of -7.727
        planes = rows(folder, config, "planes", name)["loss"].dropna()
        assert planes.min() >= ground


def test_a_shared_angle_adds_the_curvature_of_its_gates(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """theta_free = S theta, so the Hessian is S^T H_free S."""
    monkeypatch.chdir(ROOT)
    shared, free = (make_risk(config.experiments[name]) for name in ("tfim", "tfim_free"))
    theta = np.random.default_rng(0).uniform(0, 0.5, shared.n_params)
    spread = np.repeat(np.eye(shared.n_params), 6, axis=0)
    # 1e-10: some thousand roundings of energies near 10
    np.testing.assert_allclose(
        shared.hessian(theta), spread.T @ free.hessian(spread @ theta) @ spread, atol=1e-10, rtol=0
    )


def test_sharing_makes_the_ring_more_curved(folder: Path, config: Config) -> None:
    assert (
        eigvals(folder, config, "tfim", 80).max() > 4 * eigvals(folder, config, "tfim_free", 80).max()
    )  # "49" and "10"


def test_an_angle_for_every_gate_takes_no_more_gradients(folder: Path, config: Config) -> None:
    ground, spent = -2 / math.sin(math.pi / 12), {}
    for name in config.figures["compare"].experiments:
        runs = rows(folder, config, "trajectories", name).pivot(index="epoch", columns="seed", values="loss")
        there = runs < ground + 1e-3
        per_epoch = 11 if name.endswith("lbfgs") else 1
        spent[name] = sorted(per_epoch * there.idxmax()[there.any()])
    assert len(spent["tfim_adam"]) == 4 and spent["tfim_adam"][::3] == [90, 153]
    assert len(spent["tfim_free_adam"]) == 5 and spent["tfim_free_adam"][::4] == [106, 139]
    assert spent["tfim_lbfgs"][::4] == [33, 55] and spent["tfim_free_lbfgs"][::4] == [33, 44]


def test_the_cut_of_the_cube_has_at_most_all_edges(folder: Path, config: Config) -> None:
    planes = rows(folder, config, "planes", "maxcut")
    assert planes["loss"].min() >= 0 and planes["loss"].max() <= 12
    assert losses(folder, config, "maxcut")[-1] == pytest.approx(2.8, abs=0.1)  # a narrow valley, not the best cut
    assert planes.loc[planes["plane"] == "random", "loss"].min() < 1.7


def test_the_tumours_have_ten_structural_zeros_and_are_told_apart(folder: Path, config: Config) -> None:
    spectra = rows(folder, config, "spectra", "tumours")
    assert spectra.groupby("epoch")["structural"].sum().eq(10).all()
    last = rows(folder, config, "trajectories", "tumours").iloc[-1]
    assert last["accuracy"] > 0.9 and last["test_accuracy"] > 0.9


def test_the_autoencoder_compresses_states_that_it_never_saw(folder: Path, config: Config) -> None:
    run = rows(folder, config, "trajectories", "autoencoder")
    assert run["loss"].iloc[0] > 0.4 and run[["loss", "test_loss"]].iloc[-1].max() < 0.002
    assert eigvals(folder, config, "autoencoder", 60).max() < eigvals(folder, config, "autoencoder", 0).max() / 3


def test_the_spectra_are_those_of_the_library(folder: Path, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last epoch of the cube, once more by second derivatives of PennyLane's own backprop."""
    import pennylane as qml
    import torch

    monkeypatch.chdir(ROOT)
    from vqc_landscape.studies.user_code import load_qnode

    uncut = load_qnode("examples.maxcut:uncut")
    torch_node = qml.QNode(uncut.func, qml.device("default.qubit", wires=8), interface="torch", diff_method="backprop")
    params = rows(folder, config, "trajectories", "maxcut")["params"].iloc[-1]
    hessian = torch.autograd.functional.hessian(
        lambda p: torch_node(p.reshape(3, 2)), torch.tensor(np.array(params), dtype=torch.float64)
    )
    expected = np.linalg.eigvalsh(hessian.numpy())
    # 1e-9: 24 gates share an angle, and their roundings add up
    np.testing.assert_allclose(eigvals(folder, config, "maxcut", 80), expected, atol=1e-9)
    assert vl.spectrum(hessian.numpy()).sharpness == pytest.approx(np.abs(expected).max(), rel=1e-12)
