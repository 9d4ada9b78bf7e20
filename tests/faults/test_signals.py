"""SIGTERM and Ctrl-C: the training saves its last whole epoch and says that it wants to be run again."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from faults.conftest import Reference
from faults.harness import (
    PATIENCE,
    Study,
    jobs_of,
    kill_group,
    last_checkpoint,
    resumed_at,
    wait_for_training,
    wait_until,
)

QNN = "qnn-0"
SLOW = """
import time
from pathlib import Path

import pennylane as qml


@qml.qnode(qml.device("default.qubit", wires=1))
def qnode(weights, x):
    Path("reading").touch()
    time.sleep(10_000)
"""
SLOW_STUDY = """
experiments:
  slow:
    circuit: "slow:qnode"
    params_shape: [1]
    objective: {loss: mse}
    data: {file: samples.csv, features: [x], target: y, n_test: 1}
    training: {optimiser: {name: gd, learning_rate: 0.1}, n_epochs: 1}
"""


@pytest.mark.fault("fault")
@pytest.mark.parametrize(
    ("fault", "number"),
    [
        ("SIGTERM to one job", signal.SIGTERM),
        ("SIGTERM to Snakemake alone", signal.SIGTERM),
        ("SIGTERM to the process group", signal.SIGTERM),
        ("SIGINT to the process group (Ctrl-C)", signal.SIGINT),
    ],
)
def test_a_run_that_is_asked_to_end_loses_no_whole_epoch(
    study: Study, reference: Reference, fault: str, number: int
) -> None:
    process = study.start("--cores", "1", "only_qnn")
    wait_for_training(study, process)
    if "job" in fault:
        (job,) = jobs_of(process.pid)
        job.send_signal(number)
    elif "alone" in fault:
        process.send_signal(number)
    else:
        kill_group(process, number)
    assert process.wait() == 1
    log = study.log("trajectories", QNN)
    assert "Training was stopped in epoch" in log and "Run it again to go on." in log and "Traceback" not in log
    kept = last_checkpoint(log)
    assert study.run() == 0, study.said()
    assert resumed_at(study.log("trajectories", QNN)) == kept
    assert study.tables() == reference.tables


@pytest.mark.parametrize(
    ("number", "group"), [(signal.SIGTERM, False), (signal.SIGTERM, True), (signal.SIGINT, True)], ids=str
)
def test_a_circuit_that_takes_for_ever_to_be_read_keeps_nobody_waiting(
    tmp_path: Path, number: int, group: bool
) -> None:
    study = Study(tmp_path / "study", config=tmp_path / "slow.yaml")
    study.config.write_text(SLOW_STUDY)
    study.folder.mkdir()
    (study.folder / "slow.py").write_text(SLOW)
    (study.folder / "samples.csv").write_text("x,y\n" + "0.1,0.2\n0.3,0.4\n" * 5)
    process = study.start("--cores", "1", "only_slow")
    assert wait_until((study.folder / "reading").exists, process), study.said()
    jobs = jobs_of(process.pid)
    kill_group(process, number) if group else process.send_signal(number)
    assert process.wait(timeout=PATIENCE) == 1
    assert jobs and not any(job.is_running() and job.status() != "zombie" for job in jobs)


def test_the_exit_status_of_a_stopped_training_means_resume_me(study: Study) -> None:
    process = study.start("--cores", "1", "only_qnn")
    wait_for_training(study, process)
    (job,) = jobs_of(process.pid)
    job.send_signal(signal.SIGTERM)
    process.wait()
    assert "non-zero exit code" in study.said() or "returned non-zero exit status 75" in study.said()
