"""Two runs started at once on one folder: one does the work, the other says why it does not."""

from __future__ import annotations

import signal

import pytest
from faults.conftest import Reference
from faults.harness import TABLES, Study, kill_group, wait_for_training


@pytest.mark.fault("two runs at once, the second one refused")
def test_the_second_run_is_refused_and_the_first_one_finishes(study: Study, reference: Reference) -> None:
    first = study.start()
    wait_for_training(study, first)
    # halted, so that it cannot be over before the second one has looked for its lock
    kill_group(first, signal.SIGSTOP)
    status = Study(study.folder).run()
    kill_group(first, signal.SIGCONT)
    assert status == 1, study.said()
    assert "Directory cannot be locked" in study.said()
    assert first.wait() == 0
    assert study.tables() == reference.tables


@pytest.mark.fault("two runs at once, both without Snakemake's lock")
def test_two_runs_without_a_lock_end_with_the_same_bytes(study: Study, reference: Reference) -> None:
    first = study.start("--nolock", *TABLES)
    second = study.start("--nolock", *TABLES)
    statuses = [first.wait(), second.wait()]
    # one may find a file of the other half registered; a run after them finds nothing wrong
    assert 0 in statuses or study.go_on() == 0, study.said()
    assert study.go_on() == 0, study.said()
    assert study.tables() == reference.tables
