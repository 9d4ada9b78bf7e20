"""What jobs ask for: never less than the engine knows that it takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from vqc_landscape.circuits import ansatz
from vqc_landscape.circuits.observables import local_projector
from vqc_landscape.config import Experiment
from vqc_landscape.simulator.compile.compiled import compile_circuit
from vqc_landscape.simulator.compile.strategies import EXACT_PAULI
from vqc_landscape.simulator.cpu.sizes import hessian_bytes
from vqc_landscape.simulator.memory import hessian_bound
from vqc_landscape.studies.resources import ENGINE_MB, LIGHT_MB, SHORT, TORCH_MB, memory_mb, runtime_minutes
from vqc_landscape.tables.registry import TABLES

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "make",
    [
        getattr(ansatz, name)
        for name in ("rx_product", "layered", "layered_published", "reuploading", "reuploading_published")
    ],
)
@pytest.mark.parametrize(("n_qubits", "n_layers"), [(2, 2), (8, 1), (8, 8), (8, 60), (12, 4), (14, 2)])
def test_the_bound_holds_for_every_ansatz(make: Any, n_qubits: int, n_layers: int) -> None:
    circuit = make(n_qubits, n_layers)
    needed = hessian_bytes(
        compile_circuit(circuit, [local_projector(n_qubits, "Z")], EXACT_PAULI)
    )  # every qubit counts
    bound = hessian_bound(n_qubits, circuit.n_params, n_layers)
    assert needed <= bound <= 3 * needed + 20e6  # not wasteful where it matters


def experiment(**changes: Any) -> Experiment:
    raw = {
        "circuit": {"ansatz": "layered", "n_qubits": 8, "n_layers": 8},
        "objective": {"loss": "infidelity"},
        "training": {"optimiser": {"name": "gd", "learning_rate": 0.1}, "n_epochs": 10},
        "hessian": {},
        "scans": {"epoch": 0, "positions": [0]},
        "landscape": {"low": 0.0, "high": 1.0},
    }
    return Experiment.model_validate(raw | changes)


def circuit(n_qubits: int, n_layers: int) -> dict[str, Any]:
    return {"circuit": {"ansatz": "layered", "n_qubits": n_qubits, "n_layers": n_layers}}


@pytest.mark.parametrize("stage", TABLES)
def test_every_stage_has_its_memory_and_time(stage: str) -> None:
    assert LIGHT_MB <= memory_mb(experiment(), stage) < 2000
    assert 10 <= runtime_minutes(experiment(), stage) < 120


def test_memory_and_time_grow_with_the_circuit_and_shrink_with_its_blocks() -> None:
    large = experiment(**circuit(16, 8))
    split = experiment(**circuit(16, 8), hessian={"shards": {"blocks": 6}})
    assert memory_mb(large, "hessians") > ENGINE_MB + 500
    assert memory_mb(split, "hessian_shards") < memory_mb(large, "hessians")
    assert ENGINE_MB + 40 < memory_mb(large, "trajectories") < ENGINE_MB + 60  # a gradient has states, no tangents
    curved = {"optimiser": {"name": "hlr"}, "n_epochs": 10}
    assert memory_mb(experiment(**circuit(16, 8), training=curved), "trajectories") > ENGINE_MB + 500
    assert memory_mb(experiment(**circuit(4, 60)), "spectra") > memory_mb(experiment(), "spectra") + 100
    assert runtime_minutes(large, "hessians") > runtime_minutes(experiment(), "hessians")


def test_what_only_the_users_own_code_says_is_assumed() -> None:
    own = {"circuit": "my_module:my_qnode", "params_shape": [3, 4], "objective": {"loss": "expval"}}
    unknown = Experiment.model_validate({**own, "training": experiment().training, "hessian": {}})
    assert TORCH_MB < memory_mb(unknown, "hessians") < TORCH_MB + 100
    assert runtime_minutes(unknown, "hessians") >= 10


def test_networks_ask_for_what_torch_takes() -> None:
    network = {
        "network": {},
        "objective": {"loss": "mse"},
        "data": {"n_train": 10, "n_test": 10},
        "predictions": {"epochs": [0]},
    }
    small = Experiment.model_validate({**network, "training": experiment().training, "hessian": {}})
    for stage in ("trajectories", "hessians", "spectra", "predictions"):
        assert memory_mb(small, stage) >= TORCH_MB
    assert memory_mb(small, "datasets") == LIGHT_MB + 1  # a few rows, rounded up


@pytest.mark.parametrize(("stage", "asked"), [("starts", {"n_starts": 10}), ("shift_rule", {})])
def test_a_step_over_several_sizes_asks_for_what_the_largest_of_them_takes(stage: str, asked: dict[str, Any]) -> None:
    small, large = (experiment(**circuit(*size), **{stage: asked}) for size in ((2, 1), (12, 16)))
    sizes = {"sizes": [[2, 1], [12, 16], [4, 2]]}
    several = experiment(**circuit(2, 1), **{stage: asked | sizes})
    assert memory_mb(several, stage) == memory_mb(large, stage) > memory_mb(small, stage) + 50
    assert runtime_minutes(several, stage) >= runtime_minutes(large, stage) > runtime_minutes(small, stage) == SHORT


def test_every_rule_that_asks_for_the_memory_of_a_step_asks_for_its_time() -> None:
    rules = "".join(path.read_text() for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")))
    asked = re.findall(r'mem_mb=memory\("(\w+)"\),\n +runtime=(.*),\n', rules)
    assert len(asked) == rules.count("mem_mb=memory(")
    assert [(stage, time) for stage, time in asked if time != f'runtime("{stage}")'] == []
