"""What every job does around its work: lines on the terminal, a log, plain errors."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vqc_landscape.config import Problem, ScansConfig
from vqc_landscape.studies.jobs import job, run_step
from vqc_landscape.training.interrupt import TrainingStopped


def test_a_job_tells_terminal_and_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    log = tmp_path / "logs" / "job.log"
    with job("qnn seed 0, training", str(log)) as progress:
        print("epoch 1/2  loss 0.5", file=progress)
        logging.getLogger("vqc_landscape.training.loop").warning("resumed")
    assert capsys.readouterr().err.splitlines() == [
        "qnn seed 0, training: epoch 1/2  loss 0.5",
        "qnn seed 0, training: resumed",
        "qnn seed 0, training: done",
    ]
    assert [line.split(" ", 1)[1] for line in log.read_text().splitlines()] == [
        "threads: 3",
        "epoch 1/2  loss 0.5",
        "resumed",
        "done",
    ]


def test_a_job_that_fails_says_why_in_a_line_and_keeps_the_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "job.log"
    with pytest.raises(SystemExit, match="1"), job("qnn seed 0, training", str(log)):
        raise ValueError("the table is damaged")
    assert capsys.readouterr().err.splitlines() == ["qnn seed 0, training: ValueError: the table is damaged"]
    assert "Traceback" in log.read_text() and "the table is damaged" in log.read_text()
    assert logging.getLogger("vqc_landscape").handlers == []


def test_a_job_that_was_asked_to_stop_says_that_it_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "job.log"
    with pytest.raises(SystemExit, match="75"), job("qnn seed 0, training", str(log)):
        raise TrainingStopped("Training was stopped in epoch 3; last good checkpoint: epoch 2.")
    reason = "Training was stopped in epoch 3; last good checkpoint: epoch 2. Run it again to go on."
    assert capsys.readouterr().err.splitlines() == [f"qnn seed 0, training: {reason}"]
    assert "Traceback" not in log.read_text() and reason in log.read_text()


SECTIONS = {
    "problem": {
        "circuit": {"ansatz": "layered", "n_qubits": 2, "n_layers": 1},
        "objective": {"loss": "infidelity", "target": "plus"},
    },
    "scans": {"epoch": 1, "positions": [-1]},
}


def call_step(function: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, **inputs: str) -> None:
    """As a rule does, with a section, a file and a hash that the function may not ask for."""
    monkeypatch.setitem(sys.modules, "vqc_landscape.studies.mine", SimpleNamespace(write=function))
    params = {"step": "studies.mine.write", "settings": SECTIONS, "version": "a hash", "seed": 3}
    run_step("qnn seed 3, mine", str(folder / "job.log"), params, inputs, "out.parquet")


def test_a_step_gets_what_it_asks_for_as_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    got: dict[str, Any] = {}

    def write(
        scans: ScansConfig, problem: Problem, trajectory: str, dataset: str | None, seed: int, output: str
    ) -> None:
        got.update(locals())

    call_step(write, tmp_path, monkeypatch, trajectory="t.parquet", spectra="for its date alone")
    assert isinstance(got["scans"], ScansConfig) and got["scans"].positions == [-1]
    assert isinstance(got["problem"], Problem) and got["problem"].n_params == 6
    assert (got["trajectory"], got["dataset"], got["seed"], got["output"]) == ("t.parquet", None, 3, "out.parquet")


def test_a_step_that_reports_writes_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(seed: int, output: str, report: Any) -> None:
        report(1, 1, 0.25)

    call_step(write, tmp_path, monkeypatch)
    assert "qnn seed 3, mine: epoch 1/1  loss 0.25" in capsys.readouterr().err


def test_a_step_without_one_of_its_files_fails_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(seed: int, trajectory: str, output: str) -> None: ...

    with pytest.raises(SystemExit):
        call_step(write, tmp_path, monkeypatch)
    assert "missing 1 required positional argument: 'trajectory'" in capsys.readouterr().err
