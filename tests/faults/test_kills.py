"""SIGKILL at random moments; then the run goes on, to the same bytes, from the last checkpoint."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from faults.conftest import Reference
from faults.harness import CHECKPOINT_EVERY, Study, jobs_of, kill_group, last_checkpoint, resumed_at, wait_until

SEED = 20080  # chosen by us; another seed kills at other moments
TRAININGS = ("qnn-0", "layered-0")
TARGETS = ("SIGKILL to one job", "SIGKILL to Snakemake alone", "SIGKILL to the process group")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "share" in metafunc.fixturenames:
        moments = random.Random(SEED)
        n_kills = metafunc.config.getoption("--kills")
        kills = [
            (target, moments.random()) for target, _ in zip(itertools.cycle(TARGETS), range(n_kills), strict=False)
        ]
        metafunc.parametrize(("fault", "share"), kills, ids=[f"{t.split()[-1]}-{s:.3f}" for t, s in kills])


@pytest.mark.fault("fault")
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path, reference: Reference, fault: str, share: float) -> None:
    for attempt in range(20):  # until the run was still there to be killed
        study = Study(tmp_path / str(attempt))
        orphans = kill(study.start(), fault, share * reference.seconds * 0.8**attempt)
        if orphans is not None:
            break
    assert orphans is not None
    safe = {part: last_checkpoint(study.log("trajectories", part)) for part in TRAININGS}
    to_do = {part for part in TRAININGS if not (study.folder / trajectory(part)).exists()}
    assert study.go_on() == 0, study.said()
    wait_until(lambda: not any(orphan.is_running() and orphan.status() != "zombie" for orphan in orphans))
    assert study.tables() == reference.tables
    for part in to_do:
        epoch = resumed_at(study.log("trajectories", part))
        # not one checkpoint is lost, and between two of them lie CHECKPOINT_EVERY epochs
        assert epoch >= safe[part] and (epoch == -1 or epoch % CHECKPOINT_EVERY == 0), part


def kill(process: subprocess.Popen[str], fault: str, seconds: float) -> list[psutil.Process] | None:
    """Kill after so many seconds; the jobs that live on, or None if the run had ended before."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > end, process)
    if process.poll() is not None:
        return None
    jobs: list[psutil.Process] = []
    if fault == TARGETS[0]:
        running: list[psutil.Process] = []
        if not wait_until(lambda: running or running.extend(jobs_of(process.pid)), process):
            return None
        running[0].send_signal(signal.SIGKILL)
    elif fault == TARGETS[1]:
        jobs = jobs_of(process.pid)
        os.kill(process.pid, signal.SIGKILL)
    else:
        kill_group(process)
    process.wait()
    return jobs


def trajectory(part: str) -> str:
    name, seed = part.rsplit("-", 1)
    return f"results/trajectories/experiment={name}/seed={seed}/part-0.parquet"
