"""Files that were cut off or changed on the disk are named, and made again."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.conftest import Reference
from faults.harness import Study

TRAJECTORY = Path("results/trajectories/experiment=qnn/seed=0/part-0.parquet")


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    changed = bytearray(content)
    changed[len(changed) // 2] ^= 1
    return bytes(changed)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = Study(tmp_path_factory.mktemp("finished") / "study")
    assert study.run() == 0, study.said()
    return study.folder


@pytest.fixture
def copy(finished: Path, study: Study) -> Study:
    shutil.copytree(finished, study.folder)  # with the times of the files
    return study


@pytest.mark.fault("fault")
@pytest.mark.parametrize(
    ("fault", "damage"), [("truncated Parquet file", truncated), ("bit flipped in a Parquet file", flipped)]
)
def test_a_damaged_table_is_named_and_made_again(
    copy: Study, reference: Reference, fault: str, damage: Callable[[bytes], bytes]
) -> None:
    table = copy.folder / TRAJECTORY
    table.write_bytes(damage(table.read_bytes()))
    hessians = copy.folder / "results/hessians/experiment=qnn/seed=0/part-0.parquet"
    hessians.unlink()
    # by itself, the newer file is a reason to make it again; without looking at times, its reader finds the damage
    assert copy.run("--cores", "1", "only_qnn", "--rerun-triggers", "params") == 1
    assert re.search(
        r"ValueError: Table `trajectories`: \S*experiment=qnn/seed=0/part-0.parquet is damaged", copy.said()
    )
    assert "Traceback" not in copy.said().split("RuleException")[0]
    table.unlink()  # as the message says
    assert copy.run() == 0, copy.said()
    assert copy.tables() == reference.tables


@pytest.mark.fault("fault")
@pytest.mark.parametrize(
    ("fault", "damage"), [("truncated checkpoint", truncated), ("bit flipped in a checkpoint", flipped)]
)
def test_a_damaged_checkpoint_is_set_aside_and_the_training_starts_anew(
    copy: Study, reference: Reference, fault: str, damage: Callable[[bytes], bytes]
) -> None:
    (checkpoint,) = copy.folder.glob("state/experiment=qnn/seed=0/*/checkpoint.safetensors")
    checkpoint.write_bytes(damage(checkpoint.read_bytes()))
    (copy.folder / TRAJECTORY).unlink()
    assert copy.run() == 0, copy.said()
    assert "is damaged" in copy.said() and checkpoint.with_name("checkpoint.safetensors.damaged").exists()
    assert copy.tables() == reference.tables


@pytest.mark.fault("checkpoint of another run")
def test_a_checkpoint_of_another_run_is_refused_by_name(copy: Study, reference: Reference) -> None:
    (own,) = copy.folder.glob("state/experiment=qnn/seed=0/*/checkpoint.safetensors")
    (foreign,) = copy.folder.glob("state/experiment=layered/seed=0/*/checkpoint.safetensors")
    right = own.read_bytes()
    shutil.copy(foreign, own)
    (copy.folder / TRAJECTORY).unlink()
    assert copy.run() == 1
    key = foreign.parent.name
    assert re.search(rf"CheckpointError: \S+ \S+ belongs to another run: its key is {key}", copy.said())
    own.write_bytes(right)
    assert copy.run() == 0, copy.said()
    assert copy.tables() == reference.tables
