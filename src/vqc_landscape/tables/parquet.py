"""Parquet in and out: atomic writing, checked reading."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vqc_landscape.tables.files import atomic_file
from vqc_landscape.tables.registry import SCHEMAS, is_by_seed

if TYPE_CHECKING:
    import pandas as pd


def write_table(name: str, path: str | os.PathLike[str], columns: Mapping[str, Iterable[object]]) -> None:
    """Write one part file of a table: all of it or nothing (temporary file, fsync, rename).

    Args:
        name: a key of ``SCHEMAS``.
        path: the part file.
        columns: a sequence per column of the schema; a missing column is written as null.

    Raises:
        ValueError: a column that the schema does not have, or columns of different lengths.
    """
    schema = SCHEMAS[name]
    unknown = sorted(set(columns) - set(schema.names))
    if unknown:
        raise ValueError(f"Table `{name}` has no column {', '.join(unknown)}; it has {', '.join(schema.names)}.")
    rows = {column: list(values) for column, values in columns.items()}
    lengths = {column: len(values) for column, values in rows.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"Table `{name}` needs columns of one length, but has {lengths}.")
    length = next(iter(lengths.values()))
    arrays = [_column(rows[f.name], f.type) if f.name in rows else pa.nulls(length, f.type) for f in schema]
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as temporary:
        table = pa.Table.from_arrays(arrays, schema=schema)
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)  # read_table verifies it


def read_table(
    name: str, paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read part files of a table into one frame, with ``experiment`` and ``seed`` from their paths.

    Only the given files are read, never the folder around them, and only the given columns (None: all).

    Raises:
        ValueError: a file that is missing, damaged, or has other columns; it is named.
    """
    frame: pd.DataFrame = read_arrow(name, paths, columns).to_pandas()
    return frame


def read_arrow(
    name: str, paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], columns: Sequence[str] | None = None
) -> pa.Table:
    """The same as a table of Arrow: pandas takes a third of a second to import.

    Raises:
        ValueError: as :func:`read_table`.
    """
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    if columns is not None and not is_by_seed(name):
        columns = [*dict.fromkeys((*columns, "seed"))]
    tables = [_read_part(name, Path(p), columns) for p in paths]
    if not tables:
        raise ValueError(f"No file of table `{name}` was given.")
    return pa.concat_tables(tables)


def _read_part(name: str, path: Path, columns: Sequence[str] | None) -> pa.Table:
    if not path.is_file():
        raise ValueError(f"Table `{name}`: {path} does not exist.")
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
        table = file.read(columns)
        # pages have checksums, the footer has none: its counts must agree with one another and with the rows
        first = [file.metadata.row_group(i).column(0).num_values for i in range(file.metadata.num_row_groups)]
        if not len(table) == file.metadata.num_rows == sum(first):
            raise OSError(f"it holds {len(table)} rows, its footer says {file.metadata.num_rows} and {sum(first)}")
    except (OSError, pa.ArrowException) as error:
        raise ValueError(
            f"Table `{name}`: {path} is damaged or no Parquet file ({error}). Delete it and run again."
        ) from None
    if not file.schema_arrow.equals(SCHEMAS[name]):
        raise ValueError(
            f"Table `{name}`: {path} has columns {_columns(file.schema_arrow)}; expected {_columns(SCHEMAS[name])}."
        )
    keys = dict(part.split("=", 1) for part in path.parent.parts if "=" in part)
    for key, type_, cast in (("experiment", pa.string(), str), ("seed", pa.int64(), int)):
        if key in keys:
            table = table.append_column(key, _column([cast(keys[key])] * len(table), type_))
    return table


def _column(values: list[object], kind: pa.DataType) -> pa.Array:
    """A column, None and not-a-number as null. Of what is no array, Arrow asks pandas what it is."""
    cells = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        cells[i] = value
    return pa.array(cells, type=kind, from_pandas=True)


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in schema)
