"""What no machine, or this one, can do is refused by name, with the size and with what may fit."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import vqc_landscape as vl
from vqc_landscape.checks import MAX_QUBITS
from vqc_landscape.config import CircuitConfig, ConfigError, Experiment, load_config, parse_config
from vqc_landscape.simulator import memory
from vqc_landscape.simulator.cpu.sizes import hessian_bytes
from vqc_landscape.studies import plan
from vqc_landscape.studies.limits import MAX_JOBS, Room, check_sizes, n_jobs, this_machine
from vqc_landscape.studies.resources import LEAST, least_bytes, least_seconds
from vqc_landscape.tables.registry import TABLES

ROOT = Path(__file__).parents[1]
SMALL = Room("the laptop", 16 * 2.0**30)


def training(n_epochs: int) -> dict[str, Any]:
    return {"optimiser": {"name": "adam", "learning_rate": 0.1}, "n_epochs": n_epochs}


def circuit(n_qubits: int, n_layers: int, ansatz: str = "layered") -> dict[str, Any]:
    return {"ansatz": ansatz, "n_qubits": n_qubits, "n_layers": n_layers}


def entry(**keys: Any) -> dict[str, Any]:
    plain = {"circuit": circuit(4, 4), "objective": {"loss": "infidelity"}, "training": training(50)}
    return {key: value for key, value in (plain | keys).items() if value is not None}


OWN = {"circuit": "mine:qnode", "objective": {"loss": "expval"}}
NETWORK = {"circuit": None, "objective": {"loss": "mse"}, "data": {"n_train": 100, "n_test": 100}}
PLANE = {"epoch": 0, "n_grid": 2001, "extremes": True, "axes": ["random"]}


def check(raw: dict[str, Any]) -> None:
    check_sizes({"mine": Experiment.model_validate(raw)}, SMALL)


def refused(raw: dict[str, Any]) -> str:
    with pytest.raises(ConfigError, match="The study asks for too much:") as caught:
        check(raw)
    _, line = str(caught.value).splitlines()
    assert line.startswith("  experiments.mine (")
    return line


# what the message tells, and a change that lets it fit
TOO_MUCH: list[tuple[dict[str, Any], list[str], dict[str, Any]]] = [
    (
        entry(**OWN, params_shape=[1_000_000, 1_000_000]),
        # 8 bytes * 1e12 parameters * 51 epochs, three times: 1.09 PiB
        ["1e+12 parameters, params_shape [1000000, 1000000], 50 epochs", "trajectories takes at least 1.09 PiB of mem"],
        {"params_shape": [1000, 1000]},
    ),
    (
        entry(circuit=circuit(20, 1000)),
        [
            "60000 parameters, 20 qubits",
            "a job of table trajectories takes at least 29.7 GiB of memory, but the laptop has 16 GiB. What may fit:",
            "circuit.n_qubits: 18",
        ],
        {"circuit": circuit(20, 500)},
    ),
    (
        entry(training=training(1_000_000), hessian={}),
        [
            "1000000 epochs, 1000001 of them with a Hessian",
            "table spectra takes",
            "62,503 jobs, but a plan has at most",
        ],
        {"hessian": {"epochs": [0, 1_000_000]}},
    ),
    (
        entry(seeds=list(range(40)), hessian={"shards": {"blocks": 40}}),
        ["40 seeds", "125,040 jobs, but a plan has at most 30,000"],
        {"hessian": {"shards": {"blocks": 10}}},
    ),
    (
        entry(**NETWORK, network={"widths": [2, 1_000_000, 1]}, hessian={"epochs": [0]}),
        ["4000001 parameters, 100 samples", "table spectra takes about 2e+04 years, but at most one is allowed"],
        {"network": {"widths": [2, 1000, 1]}},
    ),
    (
        entry(circuit=circuit(2, 2), training=None, starts={"n_starts": 5, "sizes": [[2, 2], [22, 300], [4, 4]]}),
        ["19800 parameters, 22 qubits", "table starts takes at least", "starts.sizes: [[2, 2], [4, 4]]"],
        {"starts": {"n_starts": 5, "sizes": [[2, 2], [4, 4]]}},
    ),
    (
        entry(circuit=circuit(20, 60), hessian={"epochs": [0]}),
        # 19 qubits would do, but bricks want an even number
        [
            "3600 parameters, 20 qubits",
            "table hessians takes at least",
            "hessian.shards.blocks: ",
            "circuit.n_qubits: 18",
        ],
        {"hessian": {"epochs": [0], "shards": {"blocks": 9}}},
    ),
    (
        entry(circuit=circuit(8, 40), planes=PLANE),
        ["table planes takes about 1.1 years", "planes.n_grid: "],
        {"planes": PLANE | {"n_grid": 1000}},
    ),
]


@pytest.mark.parametrize(("raw", "told", "instead"), TOO_MUCH)
def test_what_is_too_much_is_refused_with_its_size_and_less_is_taken(
    raw: dict[str, Any], told: list[str], instead: dict[str, Any]
) -> None:
    line = refused(raw)
    for part in told:
        assert part in line, line
    check(raw | instead)


def changed(raw: dict[str, Any], key: str, value: int) -> dict[str, Any]:
    """The entry with what a message proposes."""
    first, *rest = key.split(".")
    if not rest:
        return raw | {first: [value]}
    if first == "network":
        return raw | {first: {"widths": [min(width, value) for width in raw[first]["widths"]]}}
    last: Any = {**raw[first].get(rest[0], {}), rest[1]: value} if len(rest) == 2 else value
    return raw | {first: {**raw[first], rest[0]: last}}


def stands(raw: Any, key: str) -> Any:
    for step in key.split("."):
        raw = raw.get(step) if isinstance(raw, dict) else None
    return raw


PROPOSALS = [
    entry(**OWN, params_shape=[100_000], hessian={}),
    entry(circuit=circuit(20, 1000)),
    entry(circuit=circuit(20, 80), hessian={"epochs": [0]}),
    entry(circuit=circuit(20, 80), hessian={"epochs": [0], "shards": {"blocks": 3}}),
    entry(training=training(400_000), hessian={"epochs_per_job": 2}),
    entry(seeds=list(range(40)), hessian={"shards": {"blocks": 40}}),
    entry(**NETWORK, network={"widths": [2, 1_000_000, 1]}, hessian={"epochs": [0]}),
    entry(**NETWORK, network={"widths": [2, 3000, 1]}, hessian={"epochs_per_job": 51}),
    entry(circuit=circuit(8, 40), planes=PLANE),
    entry(
        circuit=circuit(12, 12, "reuploading"),
        objective={"loss": "mse"},
        data={"n_train": 10**6, "n_test": 10},
        training=training(10**6),
    ),
]


@pytest.mark.parametrize("raw", PROPOSALS)
def test_what_may_fit_does_and_a_step_less_does_not(raw: dict[str, Any]) -> None:
    proposed = re.findall(r"([a-z_.]+)(?:: | up to | of )(\d+)", refused(raw).split("What may fit: ")[1])
    assert proposed
    for key, number in proposed:
        before, value = stands(raw, key), int(number)
        check(changed(raw, key, value))
        more = key.startswith("hessian") and (before is None or value > before)
        refused(changed(raw, key, value - 1 if more else value + (2 if key == "circuit.n_qubits" else 1)))


def test_every_experiment_that_is_too_large_has_its_line() -> None:
    large, small = (Experiment.model_validate(entry(circuit=circuit(*size))) for size in ((20, 1000), (4, 4)))
    with pytest.raises(ConfigError) as caught:
        check_sizes({"a": large, "b": small, "c": large}, SMALL)
    assert [line.split(" (")[0] for line in str(caught.value).splitlines()[1:]] == [
        "  experiments.a",
        "  experiments.c",
    ]


def test_many_small_experiments_may_be_too_many_jobs() -> None:
    many, more = (Experiment.model_validate(entry(seeds=list(range(n)))) for n in (10_000, 11_000))
    check_sizes({"a": many, "b": many, "c": many}, SMALL)
    message = "experiments: 31,000 jobs, but a plan has at most 30,000; most are of b, 11,000. What may fit: more in a"
    with pytest.raises(ConfigError, match=re.escape(message)):
        check_sizes({"a": many, "b": more, "c": many}, SMALL)


@pytest.mark.parametrize("name", ["config.yaml", "minimal.yaml", "examples.yaml"])
def test_the_studies_of_the_project_are_done_on_a_small_machine(name: str) -> None:
    config = load_config(ROOT / "config" / name)
    check_sizes(config.experiments, Room("2 GiB", 2 * 2.0**30))
    for experiment_name, found in config.experiments.items():  # counted another way
        files = [path for stage in TABLES for path in plan.part_files(config, stage, experiment_name)]
        assert n_jobs(found) == len(files)


def test_shards_are_jobs_and_so_is_their_sum() -> None:
    raw = entry(circuit=circuit(4, 4, "reuploading"), objective={"loss": "mse"}, seeds=[0, 1])
    raw |= {"data": {"n_train": 9, "n_test": 9}}
    raw |= {"hessian": {"epochs_per_job": 20, "shards": {"samples": 3, "blocks": 4}}}
    config = parse_config({"experiments": {"mine": raw}})
    found = config.experiments["mine"]
    files = [path for stage in TABLES for path in plan.part_files(config, stage, "mine")]
    places = [(seed, block) for seed in (0, 1) for block in range(3)]  # 51 epochs
    split = [path for place in places for path in plan.shard_files("", found, "mine", *place)]
    assert n_jobs(found) == len(files) + len(split)


def test_an_experiment_that_asks_for_nothing_is_taken() -> None:
    check(entry(training=None))


# --- what is counted --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_qubits", "n_layers"), [(14, 1), (14, 2), (14, 8), (14, 14), (16, 4), (16, 16)])
@pytest.mark.parametrize("measured", ["global", "local", "one"])
def test_a_circuit_takes_no_less_than_is_counted(n_qubits: int, n_layers: int, measured: str) -> None:
    """The engine's own count, which leaves out what the observable cannot see and parameters that merge."""
    observables = {
        "global": vl.Projector(vl.zero_state(n_qubits)),
        "local": vl.PauliSum(tuple((1.0 / n_qubits, "Z", (qubit,)) for qubit in range(n_qubits))),
        "one": vl.PauliZ(0),
    }
    objective: dict[str, Any] = {"loss": "infidelity", "locality": measured}
    if measured == "one":
        objective = {"loss": "expval", "observable": {"Z0": 1.0}}
    found = Experiment.model_validate(entry(circuit=circuit(n_qubits, n_layers), objective=objective, hessian={}))
    risk = vl.CircuitRisk(vl.layered(n_qubits, n_layers), observables[measured], loss=objective["loss"])
    # a job has a block of Hessians, of which three copies are counted, and five matrices besides
    counted = least_bytes(found, "hessians") - 8 * risk.n_params**2 * (3 * 16 + LEAST * 5)
    assert counted <= hessian_bytes(risk.model.measured.engine.compiled)


def test_what_is_unknown_counts_as_small() -> None:
    file = {"file": "samples.csv", "features": ["a"], "target": "b", "n_test": 1}
    own = {"circuit": "mine:qnode", "objective": {"loss": "mse"}, "data": file, "params_shape": [40]}
    raw = entry(**own, hessian={}, planes={"epoch": 0, "n_grid": 1000})
    assert least_seconds(Experiment.model_validate(raw), "planes") < 100  # 3 million points of one sample and qubit
    check(raw)


# --- machines ---------------------------------------------------------------------------------------------


def test_one_number_of_qubits_in_python_in_the_configuration_and_in_the_documentation() -> None:
    assert vl.rx_product(MAX_QUBITS, 1).n_qubits == MAX_QUBITS
    assert CircuitConfig.model_validate(circuit(MAX_QUBITS, 1)).n_qubits == MAX_QUBITS
    with pytest.raises(ValueError, match=f"`n_qubits` must be a whole number between 1 and {MAX_QUBITS}, but is"):
        vl.rx_product(MAX_QUBITS + 1, 1)
    with pytest.raises(ValueError, match=f"less than or equal to {MAX_QUBITS}"):
        CircuitConfig.model_validate(circuit(MAX_QUBITS + 2, 1))
    page = (ROOT / "docs" / "scaling.md").read_text()
    assert f"| qubits of a circuit | {MAX_QUBITS} |" in page
    assert f"| jobs of a study | {MAX_JOBS:,} |" in page


@pytest.mark.parametrize(("text", "expected"), [("1073741824\n", 2.0**30), ("max\n", None), ("9" * 19, None)])
def test_a_container_has_the_memory_that_it_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: float | None
) -> None:
    (tmp_path / "memory.max").write_text(text)
    monkeypatch.setattr(memory, "CGROUPS", ("/nowhere", str(tmp_path / "memory.max")))
    monkeypatch.delenv(memory.VARIABLE, raising=False)
    found = re.search(r"MemTotal: +(\d+) kB", Path("/proc/meminfo").read_text())
    assert found
    assert memory.total_bytes() == (expected or float(found[1]) * 1024)
    assert this_machine() == Room("this machine", memory.total_bytes())


def test_the_variable_of_the_engine_makes_a_machine_larger_but_not_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(memory.VARIABLE, "1e6")
    assert this_machine().n_bytes == 1e15
    monkeypatch.setenv(memory.VARIABLE, "0.001")  # little at a time: slower, and possible
    assert this_machine().n_bytes == memory.total_bytes()
    monkeypatch.setenv(memory.VARIABLE, "much")
    with pytest.raises(ConfigError, match="VQC_LANDSCAPE_MEMORY_GB must be a positive number of GB, but is 'much'"):
        this_machine()


# --- the workflow -----------------------------------------------------------------------------------------

STUDY = {
    "small": entry(circuit=circuit(2, 1), training=training(2)),
    "large": entry(circuit=circuit(24, 40), training=training(2), hessian={"epochs": [0]}),
}
SLURM = ("--workflow-profile", str(ROOT / "profiles" / "slurm"))
HERE = "a job of table hessians takes at least 331 GiB of memory, but this machine has"


def snakemake(folder: Path, experiments: dict[str, Any], *arguments: str) -> tuple[int, str]:
    """Exit status, and all that was said."""
    (folder / "study.yaml").write_text(yaml.safe_dump({"experiments": experiments}))
    command = [sys.executable, "-m", "snakemake", *arguments, "--snakefile", str(ROOT / "Snakefile")]
    command += ["--configfile", "study.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=200)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--dry-run", "only_large"), HERE),
        (("--cores", "1", "only_large"), HERE),
        (("--dry-run", "only_small"), None),  # what is not asked for is nobody's concern
        (("--dry-run", "only_large", *SLURM), None),
        (("--unlock", "--cores", "1"), None),
    ],
)
def test_the_workflow_refuses_what_this_machine_cannot_do_before_it_starts(
    tmp_path: Path, arguments: tuple[str, ...], message: str | None
) -> None:
    status, said = snakemake(tmp_path, STUDY, *arguments)
    assert status == (0 if message is None else 1), said
    assert message is None or (message in said and "What may fit: " in said), said
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("arguments", [("--dry-run", "only_small"), ("--dry-run", "only_small", *SLURM)])
def test_what_no_machine_can_do_is_refused_whatever_is_asked_for(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    endless = entry(training=training(1_000_000), hessian={})
    status, said = snakemake(tmp_path, STUDY | {"endless": endless}, *arguments)
    assert status == 1 and "experiments.endless (48 parameters, 4 qubits" in said and "62,503 jobs" in said
    assert "Traceback" not in said and "experiments.large" not in said
