"""A Hessian in shares: every entry once, and their sum is the whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vqc_landscape as vl
from vqc_landscape.circuits import ansatz
from vqc_landscape.circuits.observables import Observable, local_projector
from vqc_landscape.config import Experiment, ShardsConfig
from vqc_landscape.models.shares import pair_of_blocks
from vqc_landscape.risks.circuit_risk import CircuitRisk
from vqc_landscape.studies.build import initial_params
from vqc_landscape.studies.datasets import write_dataset
from vqc_landscape.studies.hessians import add_shards, write_hessians, write_shard
from vqc_landscape.tables.parquet import read_table, write_table

# Shares add the same products in another order: P * eps of the largest entry, which is at most 1 here, with room.
ATOL = 1e-12


@pytest.mark.parametrize(("n_params", "n_blocks"), [(7, 1), (7, 2), (7, 3), (8, 4), (3, 5), (0, 2)])
def test_every_entry_belongs_to_one_share(n_params: int, n_blocks: int) -> None:
    n_pairs = max(1, n_blocks * (n_blocks - 1) // 2)
    count = np.zeros((n_params, n_params), dtype=int)
    for share in range(n_pairs):
        members, mine = pair_of_blocks(n_params, n_blocks, share)
        count[np.ix_(members, members)] += mine
        assert len(members) <= np.ceil(n_params / n_blocks) * 2  # what a share carries
    np.testing.assert_array_equal(count, 1)


def test_a_share_that_the_blocks_do_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="`share` must be a whole number at least 0 and below 3, but is 3"):
        pair_of_blocks(7, 3, 3)
    with pytest.raises(ValueError, match="`n_blocks` must be a whole number at least 1, but is 0"):
        pair_of_blocks(7, 0, 0)


def plus(n_qubits: int) -> Observable:
    return vl.Projector(vl.plus_state(n_qubits))


@pytest.mark.parametrize("n_blocks", [1, 2, 3, 5])
@pytest.mark.parametrize("convention", ["exact", "as_published"])
@pytest.mark.parametrize("observable", [plus(4), local_projector(4, "X")], ids=["projector", "Pauli sum"])
def test_shares_of_a_state_preparation_add_up(observable: Observable, convention: str, n_blocks: int) -> None:
    # with merging and dead parameters: what is carried is less than all
    risk = CircuitRisk(ansatz.layered(4, 2), observable, loss="infidelity", convention=convention)
    params = np.random.default_rng(1).uniform(0, 2 * np.pi, risk.n_params)
    shares = [risk.hessian_share(params, k, n_blocks) for k in range(max(1, n_blocks * (n_blocks - 1) // 2))]
    np.testing.assert_allclose(sum(shares), risk.hessian(params), rtol=0, atol=ATOL)
    if n_blocks > 2:
        assert max(np.abs(share - risk.hessian(params)).max() for share in shares) > 1e-3  # none is the whole


def test_a_share_at_a_cusp_is_refused_like_the_whole() -> None:
    target = vl.Projector(vl.zero_state(2))
    risk = CircuitRisk(ansatz.rx_product(2, 1), target, loss="infidelity", convention="as_published")
    cusp = [np.pi, 0.0]  # <00|psi> = 0
    for hessian in (risk.hessian, lambda params: risk.hessian_share(params, 0, 2)):
        with pytest.raises(ValueError, match="`params` is a cusp"):
            hessian(cusp)


QNN: dict[str, Any] = {"circuit": {"ansatz": "reuploading", "n_qubits": 4, "n_layers": 2}}
NETWORK: dict[str, Any] = {"network": {"widths": [3, 4, 2]}}


def split(model: dict[str, Any], shards: dict[str, int], reduction: str = "mean") -> Experiment:
    return Experiment.model_validate(
        {
            **model,
            "objective": {"loss": "mse", "reduction": reduction},
            "data": {"n_train": 70, "n_test": 2},
            "training": {"optimiser": {"name": "gd", "learning_rate": 0.1}, "n_epochs": 1},
            "hessian": {"shards": shards},
        }
    )


def tables(folder: Path, experiment: Experiment) -> tuple[str, str]:
    dataset, trajectory = str(folder / "dataset.parquet"), str(folder / "trajectory.parquet")
    assert experiment.data is not None
    write_dataset(experiment.data, dataset)
    params = [initial_params(experiment, experiment.init, seed) for seed in (0, 1)]
    write_table("trajectories", trajectory, {"epoch": [0, 1], "params": params})
    return trajectory, dataset


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    ("model", "shards"),
    [
        (QNN, {"samples": 1, "blocks": 3}),
        (QNN, {"samples": 2}),
        (QNN, {"samples": 8, "blocks": 4}),
        (NETWORK, {"samples": 3}),
    ],
)
def test_the_sum_of_the_shards_is_the_table_of_the_unsplit_hessians(
    tmp_path: Path, model: dict[str, Any], shards: dict[str, int], reduction: str
) -> None:
    experiment = split(model, shards, reduction)
    assert experiment.hessian is not None
    inputs, asked = tables(tmp_path, experiment), experiment.hessian.shards
    parts = [str(tmp_path / f"part-0-{number}.parquet") for number in range(asked.n_jobs)]
    for number, part in enumerate(parts):
        write_shard(experiment, asked, number, [0, 1], *inputs, part)
    add_shards(parts, str(tmp_path / "sum.parquet"))
    write_hessians(experiment, [0, 1], *inputs, str(tmp_path / "whole.parquet"))
    total, whole = (read_table("hessians", tmp_path / f"{name}.parquet") for name in ("sum", "whole"))
    assert total[["epoch", "row"]].equals(whole[["epoch", "row"]])
    size = 1 if reduction == "mean" else 70
    np.testing.assert_allclose(np.stack(total["values"]), np.stack(whole["values"]), rtol=0, atol=ATOL * size)


def test_a_division_that_the_model_or_its_data_do_not_have_is_refused(tmp_path: Path) -> None:
    network, asked = split(NETWORK, {"samples": 2}), ShardsConfig(samples=71)
    inputs, output = tables(tmp_path, network), str(tmp_path / "part.parquet")
    with pytest.raises(ValueError, match="hessian.shards.samples is 71, but there are 70 samples"):
        write_shard(network, asked, 0, [0], *inputs, output)
    with pytest.raises(ValueError, match="hessian.shards.blocks must be 1: this risk cannot be split by parameters"):
        write_shard(network, ShardsConfig(blocks=3), 0, [0], *inputs, output)


def test_shards_of_different_epochs_are_refused(tmp_path: Path) -> None:
    experiment = split(QNN, {"samples": 2})
    assert experiment.hessian is not None
    inputs, parts = tables(tmp_path, experiment), [str(tmp_path / f"part-0-{number}.parquet") for number in (0, 1)]
    for number, part in enumerate(parts):
        write_shard(experiment, experiment.hessian.shards, number, [number], *inputs, part)
    with pytest.raises(ValueError, match=r"The shards of \S+sum.parquet are of different epochs"):
        add_shards(parts, str(tmp_path / "sum.parquet"))
