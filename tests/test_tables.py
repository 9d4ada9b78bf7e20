"""Parquet tables: schemas survive the way to disk and back, writing is atomic, damage is named."""

from __future__ import annotations

import os
import re
from dataclasses import MISSING, fields
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vqc_landscape.tables.files import atomic_file
from vqc_landscape.tables.parquet import read_table, write_table
from vqc_landscape.tables.registry import SCHEMAS, TABLES
from vqc_landscape.tables.table import Table

HESSIANS = {"epoch": [0, 0], "row": [0, 1], "values": np.array([[1.0, 2.0], [2.0, 3.0]])}


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "hessians" / "experiment=qnn" / "seed=3" / "part-0.parquet"


def example(type_: pa.DataType) -> list[object]:
    if pa.types.is_list(type_):
        return [example(type_.value_type), []]
    return {pa.int64(): [1, 2], pa.float64(): [0.1, 1 / 3], pa.string(): ["a", "b"], pa.bool_(): [True, False]}[type_]


@pytest.mark.parametrize("stage", SCHEMAS)
def test_every_schema_comes_back_bit_for_bit(stage: str, tmp_path: Path) -> None:
    path = tmp_path / "part-0.parquet"
    columns = {field.name: example(field.type) for field in SCHEMAS[stage]}
    write_table(stage, path, columns)
    frame = read_table(stage, path)
    assert list(frame.columns) == SCHEMAS[stage].names
    for name, values in columns.items():
        assert [v.tolist() if isinstance(v, np.ndarray) else v for v in frame[name]] == values


def test_experiment_and_seed_come_from_the_path_and_pandas_reads_the_folder(part: Path) -> None:
    other = part.parents[1] / "seed=10" / "part-0.parquet"
    for path in (part, other):
        write_table("hessians", path, HESSIANS)
    frame = read_table("hessians", [other, part])
    assert frame["seed"].tolist() == [10, 10, 3, 3]  # in the order of the files
    assert frame["experiment"].tolist() == ["qnn"] * 4
    whole = pd.read_parquet(part.parents[2])
    assert sorted(whole["seed"].astype(int)) == [3, 3, 10, 10]
    np.testing.assert_array_equal(np.stack(whole["values"])[:2], HESSIANS["values"])


def test_missing_columns_and_missing_values_are_null(tmp_path: Path) -> None:
    path = tmp_path / "part-0.parquet"
    write_table("trajectories", path, {"epoch": iter([0, 1]), "loss": [0.5, 0.25], "accuracy": [None, 1.0]})
    table = pq.read_table(path)
    assert table.column("accuracy").null_count == 1
    assert table.column("params").null_count == 2
    assert table.column("loss").null_count == 0


def test_equal_tables_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_table("hessians", tmp_path / name, HESSIANS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_write_refuses_what_the_schema_does_not_have(part: Path) -> None:
    with pytest.raises(ValueError, match="Table `hessians` has no column eigval; it has epoch, row, values"):
        write_table("hessians", part, {**HESSIANS, "eigval": [0.0, 0.0]})
    with pytest.raises(ValueError, match=r"needs columns of one length, but has .*'epoch': 2, 'row': 1"):
        write_table("hessians", part, {"epoch": [0, 0], "row": [0]})
    assert not part.exists()


def test_read_names_a_missing_file_and_an_empty_list(part: Path) -> None:
    with pytest.raises(ValueError, match=f"Table `hessians`: {re.escape(str(part))} does not exist"):
        read_table("hessians", part)
    with pytest.raises(ValueError, match="No file of table `hessians` was given"):
        read_table("hessians", [])


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.99])
def test_a_truncated_file_is_named(part: Path, keep: float) -> None:
    write_table("hessians", part, HESSIANS)
    content = part.read_bytes()
    part.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(ValueError, match=f"{re.escape(str(part))} is damaged or no Parquet file.*Delete it and run"):
        read_table("hessians", part)


def test_a_flipped_bit_is_never_used_silently(part: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(8, 8))
    write_table("hessians", part, {"epoch": [0] * 8, "row": range(8), "values": rows})
    content = part.read_bytes()
    refused = 0
    for position in range(0, len(content), 7):
        damaged = bytearray(content)
        damaged[position] ^= 4
        part.write_bytes(damaged)
        try:
            frame = read_table("hessians", part)
        except ValueError as error:
            assert str(part) in str(error)
            refused += 1
        else:  # a bit of the footer that no value depends on (statistics, writer's name)
            np.testing.assert_array_equal(np.stack(frame["values"]), rows)
            assert frame["row"].tolist() == list(range(8))
    assert refused > len(content) / 14


@pytest.mark.parametrize("columns", [{"epoch": [1]}, {"epoch": ["0"], "row": [0], "values": [[0.0]]}])
def test_other_columns_or_types_are_named(part: Path, columns: dict[str, list[object]]) -> None:
    part.parent.mkdir(parents=True)
    pq.write_table(pa.table(columns), part)
    with pytest.raises(
        ValueError, match=r"part-0\.parquet has columns epoch .*; expected epoch \(int64\), row \(int64\)"
    ):
        read_table("hessians", part)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(part: Path) -> None:
    write_table("hessians", part, HESSIANS)
    before = part.read_bytes()
    with pytest.raises(RuntimeError, match="stop"), atomic_file(part) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError("stop")
    assert part.read_bytes() == before
    assert os.listdir(part.parent) == [part.name]


def test_written_files_have_the_rights_of_ordinary_files(part: Path) -> None:
    previous = os.umask(0o027)
    try:
        write_table("hessians", part, HESSIANS)
    finally:
        os.umask(previous)
    assert part.stat().st_mode & 0o777 == 0o640
    assert os.listdir(part.parent) == [part.name]


def test_a_flipped_bit_in_the_footer_is_refused_or_harmless(tmp_path: Path) -> None:
    """The footer has no checksum: a changed row count would silently lose rows."""
    path, flipped = tmp_path / "whole.parquet", tmp_path / "flipped.parquet"
    write_table("scans", path, {"epoch": [5] * 6, "position": [0] * 6, "t": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]})
    raw, whole = path.read_bytes(), read_table("scans", path)
    footer = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    said = []
    for position in range(footer, len(raw) - 8):
        damaged = bytearray(raw)
        damaged[position] ^= 4
        flipped.write_bytes(damaged)
        try:
            assert read_table("scans", flipped).equals(whole)
        except ValueError as error:
            said.append(str(error))
    assert all(str(flipped) in message for message in said)
    assert any("its footer says" in message for message in said)


@pytest.mark.parametrize("field", [f.name for f in fields(Table) if f.default is MISSING])
def test_a_record_without_one_of_its_fields_fails_at_import(field: str) -> None:
    given = {f.name: getattr(TABLES["scans"], f.name) for f in fields(Table) if f.name != field}
    with pytest.raises(TypeError, match=f"missing 1 required keyword-only argument: '{field}'"):
        Table(**given)
