"""Real processes that are asked to end: while a job reads a QNode, which takes long, and through Snakemake."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from vqc_landscape.studies.jobs import RESUME_ME
from vqc_landscape.tables.parquet import write_table

PATIENCE = 100  # seconds, far beyond any of this: who hangs fails the test instead of stopping the suite

# reading it does not come to an end by itself
SLOW = """
import time

import pennylane as qml


@qml.qnode(qml.device("default.qubit", wires=1))
def qnode(weights, x):
    print("reading", flush=True)
    time.sleep(1000)
"""

# Ctrl-C is what it is at a terminal, also where the tests run in the background of a shell, which ignores it
TRAINING = """
import signal

signal.signal(signal.SIGINT, signal.default_int_handler)

from vqc_landscape.config import Experiment
from vqc_landscape.studies.jobs import job
from vqc_landscape.studies.trajectories import write_trajectory

plain = {
    "circuit": "slow:qnode",
    "params_shape": [1],
    "objective": {"loss": "mse"},
    "data": {"file": "samples.csv", "features": ["x"], "target": "y", "n_test": 1},
    "training": {"optimiser": {"name": "gd", "learning_rate": 0.1}, "n_epochs": 1},
}
with job("slow seed 0, training", "job.log"):
    e = Experiment(**plain)
    write_trajectory(e, e.init, e.training, 0, "samples.parquet", "run.parquet", state_dir="state", code="c")
"""


@contextmanager
def started(folder: Path, script: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has come as far as to write the one line that is read here."""
    command = [sys.executable, "-u", "-c", script]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=folder, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    try:
        assert process.stdout is not None and process.stdout.readline()
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what a test that failed has left
        process.communicate()


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        (signal.SIGTERM, -signal.SIGTERM, []),
        (signal.SIGINT, RESUME_ME, ["slow seed 0, training: Interrupted. Run it again."]),
    ],
)
def test_a_job_that_still_reads_its_circuit_ends_when_it_is_asked_to(
    tmp_path: Path, number: int, status: int, said: list[str]
) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    columns = {"x1": [0.1, 0.2, 0.3], "x2": [0.0] * 3, "y": [1.0, -1.0, 1.0], "split": ["train", "train", "test"]}
    write_table("datasets", tmp_path / "samples.parquet", columns)
    with started(tmp_path, TRAINING) as process:
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors.splitlines()) == (status, said)
    assert "Traceback" not in (tmp_path / "job.log").read_text() and not (tmp_path / "run.parquet").exists()


# as Snakemake is: it notes the signal and waits for its jobs
HEAD = """
import signal, subprocess, sys

from vqc_landscape.studies.jobs import pass_on_sigterm

signal.signal(signal.SIGTERM, lambda *_: print("noted", flush=True))
pass_on_sigterm()
work = "import time; print(flush=True); time.sleep(1000)"
job = subprocess.Popen(["bash", "-c", f"{sys.executable} -c '{work}'; echo never"])
sys.exit(job.wait() == -signal.SIGTERM)
"""


def test_sigterm_reaches_the_jobs_of_a_process_that_waits_for_them(tmp_path: Path) -> None:
    with started(tmp_path, HEAD) as process:
        process.terminate()
        said, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said, errors) == (1, "noted\n", "")
