"""The workflow on a real Slurm: the bytes of a local run, through cancelled jobs, lost memory and a lost controller."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.harness import ROOT, Study, last_checkpoint, resumed_at, wait_for_training, wait_until

SCRIPT = Path(__file__).parent / "slurm.sh"
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("slurmctld"), reason="needs root, and slurm-wlm and munge of Debian"
)


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of a running Slurm."""
    folder = tmp_path_factory.mktemp("slurm")
    try:
        subprocess.run([SCRIPT, "up", folder], check=True)
        yield folder
    finally:
        subprocess.run([SCRIPT, "down", folder], check=True)


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Tables of a run on this machine without Slurm."""
    study = Study(tmp_path_factory.mktemp("local") / "study")
    assert study.run() == 0, study.said()
    return study.tables()


# this Slurm has no accounting, one partition, and jobs of seconds
ON_ONE_MACHINE = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1")


@pytest.fixture
def study(slurm: Path, tmp_path: Path) -> Study:
    return Study(tmp_path / "study", "slurm", (*ON_ONE_MACHINE, "--latency-wait", "10"))


def jobs() -> dict[str, str]:
    """Name of the rule of every job that runs, by number."""
    listed = subprocess.run(
        ["squeue", "--noheader", "--states=running", "--format=%A %k"], capture_output=True, text=True, check=True
    )
    return dict(line.split(maxsplit=1) for line in listed.stdout.splitlines())


def number_of(rule: str) -> str:
    return next((number for number, comment in jobs().items() if rule in comment), "")


def test_the_study_on_slurm_has_the_bytes_of_the_local_run(study: Study, slurm: Path, local: dict[str, bytes]) -> None:
    assert study.run() == 0, study.said()
    assert study.tables() == local
    done = (slurm / "completed.txt").read_text().splitlines()
    assert done and all("JobState=COMPLETED" in line for line in done)


def test_a_cancelled_training_is_tried_again_and_goes_on(study: Study, local: dict[str, bytes]) -> None:
    process = study.start("--cores", "2", "only_qnn")
    wait_for_training(study, process)
    assert wait_until(lambda: number_of("train"), process)
    safe = last_checkpoint(study.log("trajectories", "qnn-0"))
    subprocess.run(["scancel", number_of("train")], check=True)
    assert process.wait() == 0, study.said()
    assert "Trying to restart job" in study.said()
    assert resumed_at(study.log("trajectories", "qnn-0")) >= safe
    assert {name: content for name, content in local.items() if "qnn" in name} == study.tables()


def test_a_job_over_its_memory_is_killed_and_gets_more(study: Study, slurm: Path, local: dict[str, bytes]) -> None:
    # what the job takes is about 450 MB: not enough, then enough
    few = ("--set-resources", "train:mem_mb=attempt * 300")
    assert study.run("--cores", "2", "only_qnn", *few) == 0, study.said()
    assert "Trying to restart job" in study.said()
    assert "exceeded memory limit" in (slurm / "log" / "slurmd.log").read_text()
    assert {name: content for name, content in local.items() if "qnn" in name} == study.tables()


def test_a_controller_that_restarts_loses_no_job(study: Study, slurm: Path, local: dict[str, bytes]) -> None:
    process = study.start("--cores", "2", "only_qnn")
    wait_for_training(study, process)
    subprocess.run([SCRIPT, "stop-controller", slurm], check=True)
    subprocess.run([SCRIPT, "start-controller", slurm], check=True)
    assert process.wait() == 0, study.said()
    assert {name: content for name, content in local.items() if "qnn" in name} == study.tables()


def test_the_generic_profile_runs_the_study_with_the_submit_command_of_its_comment(
    slurm: Path, tmp_path: Path, local: dict[str, bytes]
) -> None:
    submit = (
        "sbatch --parsable --partition={resources.queue} --job-name={rule} --cpus-per-task={threads} "
        "--mem={resources.mem_mb} --time={resources.runtime} --output=/dev/null"
    )
    study = Study(
        tmp_path / "study",
        "generic",
        (
            *("--cluster-generic-submit-cmd", submit, "--cluster-generic-cancel-cmd", "scancel"),
            *("--cluster-generic-status-cmd", str(ROOT / "profiles" / "generic" / "status.sh")),
            *("--default-resources", "queue='main'", "--seconds-between-status-checks", "1"),
        ),
    )
    assert study.run("--cores", "2", "only_layered") == 0, study.said()
    assert {name: content for name, content in local.items() if "layered" in name} == study.tables()
