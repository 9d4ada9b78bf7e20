"""What every job does around its work: lines on the terminal, a log, plain errors."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from vqc_landscape.studies.jobs import job
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
