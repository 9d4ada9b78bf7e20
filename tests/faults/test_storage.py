"""A full disk and a folder that cannot be written: the run says so, and goes on when there is room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faults.conftest import Reference
from faults.harness import Study, resumed_at

from vqc_landscape.studies.folders import MARKER

pytestmark = [pytest.mark.needs_root, pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")]

Mount = Callable[[Path, str], None]


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mount a file system of a folder's own, or change its options."""
    mounted: list[Path] = []

    def mount_or_change(folder: Path, options: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        change = folder in mounted
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"remount,{options}" if change else options, "tmpfs", folder], check=True
        )
        mounted.append(folder)

    yield mount_or_change
    for folder in set(mounted):
        subprocess.run(["umount", folder], check=True)


@pytest.mark.fault("fault")
@pytest.mark.parametrize(
    ("fault", "place"), [("disk full under the results", "results"), ("disk full under the checkpoints", "state")]
)
def test_a_full_disk_loses_nothing(study: Study, reference: Reference, mount: Mount, fault: str, place: str) -> None:
    study.folder.mkdir()
    mount(study.folder / place, "size=64k")
    assert study.run() == 1
    assert "No space left on device" in study.said()
    halves = [path for path in (study.folder / place).rglob(".*") if path.is_file() and path.name != MARKER]
    assert halves == []  # nothing half written stays
    mount(study.folder / place, "size=64m")
    assert study.run() == 0, study.said()
    if place == "state":
        assert resumed_at(study.log("trajectories", "qnn-0")) > 0
    assert study.tables() == reference.tables


@pytest.mark.fault("fault")
@pytest.mark.parametrize(
    ("fault", "place"), [("read-only results folder", "results"), ("read-only state folder", "state")]
)
def test_a_read_only_folder_is_named(study: Study, reference: Reference, mount: Mount, fault: str, place: str) -> None:
    study.folder.mkdir()
    mount(study.folder / place, "ro,size=64m")
    assert study.run() == 1
    assert f"The folder {place} cannot be written" in study.said()
    assert "Traceback" not in study.said()
    mount(study.folder / place, "rw,size=64m")
    assert study.run() == 0, study.said()
    assert study.tables() == reference.tables
