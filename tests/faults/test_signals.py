"""SIGTERM and Ctrl-C: the training saves its last whole epoch and says that it wants to be run again."""

from __future__ import annotations

import os
import signal

import pytest
from faults.conftest import Reference
from faults.harness import Study, jobs_of, kill_group, last_checkpoint, resumed_at, wait_for_training, wait_until

QNN = "qnn-0"


@pytest.mark.fault("fault")
@pytest.mark.parametrize(
    ("fault", "number"),
    [
        ("SIGTERM to one job", signal.SIGTERM),
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
    else:
        kill_group(process, number)
    assert process.wait() == 1
    log = study.log("trajectories", QNN)
    assert "Training was stopped in epoch" in log and "Run it again to go on." in log and "Traceback" not in log
    kept = last_checkpoint(log)
    assert study.run() == 0, study.said()
    assert resumed_at(study.log("trajectories", QNN)) == kept
    assert study.tables() == reference.tables


@pytest.mark.fault("SIGTERM to Snakemake alone")
def test_snakemake_that_is_asked_to_end_finishes_its_jobs_and_goes_on(study: Study, reference: Reference) -> None:
    process = study.start("--cores", "1", "only_qnn")
    wait_for_training(study, process)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait() == 1
    assert wait_until(lambda: study.log("trajectories", QNN).endswith("done\n"))
    assert study.run() == 0, study.said()
    assert study.tables() == reference.tables


def test_the_exit_status_of_a_stopped_training_means_resume_me(study: Study) -> None:
    process = study.start("--cores", "1", "only_qnn")
    wait_for_training(study, process)
    (job,) = jobs_of(process.pid)
    job.send_signal(signal.SIGTERM)
    process.wait()
    assert "non-zero exit code" in study.said() or "returned non-zero exit status 75" in study.said()
