"""Options, the uninterrupted run that every other is compared with, and the count of what was tried and lost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from faults.harness import ROOT, Study

BEGIN, END = "<!-- begin: written by `make reliability` -->", "<!-- end -->"
TRIED: Counter[str] = Counter()
LOST: Counter[str] = Counter()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=3, help="number of random kills")
    parser.addoption("--report", type=Path, help="document whose table of counts is written")


@dataclass(frozen=True)
class Reference:
    """The uninterrupted run.

    Attributes:
        tables: content of every table.
        seconds: how long it took.
    """

    tables: dict[str, bytes]
    seconds: float


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    study = Study(tmp_path_factory.mktemp("reference") / "study")
    start = time.monotonic()
    assert study.run() == 0, study.said()
    return Reference(study.tables(), time.monotonic() - start)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path / "study")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    marker = item.get_closest_marker("fault")
    if marker and call.when == "call" and not report.skipped:
        what = item.callspec.params.get(marker.args[0], marker.args[0]) if hasattr(item, "callspec") else marker.args[0]
        TRIED[what] += 1
        LOST[what] += report.failed
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    report = session.config.getoption("--report")
    if report and TRIED:
        rows = [f"| {what} | {TRIED[what]} | {LOST[what]} |" for what in TRIED]
        table = "\n".join(["| fault | tried | lost |", "| --- | --- | --- |", *rows])
        path = ROOT / report
        text = path.read_text()
        path.write_text(f"{text.split(BEGIN)[0]}{BEGIN}\n\n{table}\n\n{END}{text.split(END)[1]}")
