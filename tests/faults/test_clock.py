"""A clock that jumps: no table has a time in it, and nothing waits for the clock on the wall."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faults.conftest import Reference
from faults.harness import Study, last_checkpoint, resumed_at, wait_until

LIBRARY = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
DAY = 86400


def without_slurm(folder: Path) -> str:
    """A search path without `scontrol`, for which Snakemake's plugin waits in sleeps too short for libfaketime."""
    folder.mkdir()
    for place in map(Path, os.environ["PATH"].split(os.pathsep)):
        for program in place.iterdir() if place.is_dir() else ():
            link = folder / program.name
            if program.name != "scontrol" and not link.is_symlink():
                link.symlink_to(program)
    return f"{Path(sys.executable).parent}{os.pathsep}{folder}"


@pytest.mark.needs_faketime
@pytest.mark.skipif(LIBRARY is None, reason="faketime is not installed")
@pytest.mark.fault("fault")
@pytest.mark.parametrize(("fault", "jump"), [("clock jumps a day back", "-1d"), ("clock jumps a day ahead", "+1d")])
def test_a_clock_that_jumps_during_the_training_changes_no_byte(
    tmp_path: Path, reference: Reference, fault: str, jump: str
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0")
    study = Study(
        tmp_path / "study",
        environment={
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # which no jump changes
            "PATH": without_slurm(tmp_path / "bin"),
        },
    )
    for _ in range(5):  # libfaketime makes an error of a sleep whose end has passed: on a busy machine that happens
        process = study.start()
        if wait_until(lambda: last_checkpoint(study.log("trajectories", "qnn-0")) >= 0, process):
            break
    clock.write_text(jump)
    status = process.wait()
    if jump.startswith("-"):  # Snakemake refuses an output that is older than its input, and says why
        assert status == 1 and "This could indicate a clock skew" in study.said()
        clock.write_text("+0")
        status = study.run()
        assert resumed_at(study.log("trajectories", "qnn-0")) == 300  # all of it was in the checkpoint
    assert status == 0, study.said()
    assert study.tables() == reference.tables


@pytest.mark.fault("files from the future")
def test_files_of_before_the_clock_was_put_back_are_named_and_touched(study: Study, reference: Reference) -> None:
    assert study.run("--cores", "2", "only_layered") == 0, study.said()
    assert study.run("--cores", "1", str(dataset := "results/datasets/experiment=qnn/seed=0/part-0.parquet")) == 0
    future = time.time() + DAY
    for path in [study.folder / dataset, *(study.folder / "results" / "trajectories").rglob("*.parquet")]:
        os.utime(path, (future, future))
    assert study.run() == 1 and "This could indicate a clock skew" in study.said()
    subprocess.run(["find", "results", "-newermt", "now", "-exec", "touch", "{}", "+"], cwd=study.folder, check=True)
    assert study.run() == 0, study.said()
    assert study.tables() == reference.tables
    assert study.run() == 0
    assert "Nothing to be done" in study.said().rsplit("Building DAG", 1)[-1]
