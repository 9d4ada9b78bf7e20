"""A small study that is started, hurt and started again, and what it looks like afterwards."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
STUDY = Path(__file__).parent / "study.yaml"
TABLES = ("--cores", "2", "only_qnn", "only_layered")  # no figures and no page: their jobs add nothing here
CHECKPOINT_EVERY = 5  # of study.yaml
PATIENCE = 600  # seconds, far beyond any run: a run that hangs fails the test instead of stopping the suite


@dataclass
class Study:
    """The study in one folder.

    Attributes:
        folder: where it writes.
        profile: how its jobs are run.
        options: of every start, besides.
        environment: variables besides those of the tests.
        config: its configuration.
    """

    folder: Path
    profile: str = "default"
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    config: Path = STUDY

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start Snakemake in a process group of its own; its messages go to ``snakemake.txt``."""
        command = [sys.executable, "-m", "snakemake", *(arguments or TABLES), *self.options]
        command += ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(self.folder)]
        command += ["--workflow-profile", str(ROOT / "profiles" / self.profile), "--configfile", str(self.config)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **self.environment}
        self.folder.mkdir(exist_ok=True)
        with self.messages.open("a") as messages:
            return subprocess.Popen(
                command, stdout=messages, stderr=messages, env=environment, text=True, start_new_session=True
            )

    def run(self, *arguments: str) -> int:
        """Start it, and wait for its exit status."""
        return self.start(*arguments).wait(timeout=PATIENCE)

    def go_on(self) -> int:
        """What the README says after a kill: unlock, and run again."""
        assert self.run("--unlock") == 0, self.said()
        return self.run()

    @property
    def messages(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.txt")

    def said(self) -> str:
        return self.messages.read_text()

    def log(self, stage: str, part: str) -> str:
        """Log of a job; empty where there is none."""
        path = self.folder / "results" / "logs" / stage / f"{part}.log"
        return path.read_text() if path.exists() else ""

    def tables(self) -> dict[str, bytes]:
        """Every table, half written ones included; shards are gone when they are added up."""
        files = (self.folder / "results").rglob("*.parquet")
        tables = [path for path in files if "hessian_shards" not in path.parts]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in tables}


def jobs_of(snakemake: int) -> list[psutil.Process]:
    """The processes of the jobs that a Snakemake runs."""
    found = []
    for process in psutil.Process(snakemake).children(recursive=True):
        try:
            command = process.cmdline()
        except psutil.Error:
            continue
        if "python" in Path(command[0] if command else "").name and any(".snakemake/scripts/" in w for w in command):
            found.append(process)
    return found


def wait_until(condition: Callable[[], object], process: subprocess.Popen[str] | None = None) -> bool:
    """Whether the condition came true, before the process ended."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        if process is not None and process.poll() is not None:
            return False
        time.sleep(0.01)
    raise TimeoutError


def wait_for_training(study: Study, process: subprocess.Popen[str], epochs: int = 10) -> None:
    """Wait until the training of the study's QNN has a checkpoint of some epochs, and is not at its end."""
    assert wait_until(lambda: last_checkpoint(study.log("trajectories", "qnn-0")) >= epochs, process), study.said()


def last_checkpoint(log: str) -> int:
    """Epoch of the last checkpoint that a log of a training reports; -1 if none."""
    return max((int(epoch) for epoch in re.findall(r"checkpoint of epoch (\d+) is safe", log)), default=-1)


def resumed_at(log: str) -> int:
    """Epoch at which a training went on; -1 if it started anew."""
    found = re.search(r"Resumed at epoch (\d+)", log)
    return int(found[1]) if found else -1


def kill_group(process: subprocess.Popen[str], number: int = signal.SIGKILL) -> None:
    os.killpg(process.pid, number)
