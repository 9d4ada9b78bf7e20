"""Parquet in and out: the schema of every table, atomic writing, checked reading.

A stage is one folder of hive-partitioned part files, ``results/<stage>/experiment=E/seed=S/*.parquet``,
so that ``pandas.read_parquet("results/spectra")`` is one table over everything. The part files hold
the columns below; ``experiment`` and ``seed`` come from the path. Tables of ensembles have the seed as a column.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    import pandas as pd

_FLOATS = pa.list_(pa.float64())

SCHEMAS: dict[str, pa.Schema] = {
    # samples of two features have x1 and x2, others a list
    "datasets": pa.schema(
        {"x1": pa.float64(), "x2": pa.float64(), "features": _FLOATS, "y": pa.float64(), "split": pa.string()}
    ),
    "trajectories": pa.schema(
        {
            "epoch": pa.int64(),
            "loss": pa.float64(),
            "accuracy": pa.float64(),
            "test_loss": pa.float64(),
            "test_accuracy": pa.float64(),
            "grad_norm": pa.float64(),
            "learning_rate": pa.float64(),
            "params": _FLOATS,
        }
    ),
    "hessians": pa.schema({"epoch": pa.int64(), "row": pa.int64(), "values": _FLOATS}),
    "spectra": pa.schema(
        {
            "epoch": pa.int64(),
            "position": pa.int64(),
            "eigval": pa.float64(),
            "eigvec": _FLOATS,
            "structural": pa.bool_(),
            "tolerance": pa.float64(),
        }
    ),
    # loss at params(epoch) + t * eigenvector(position)
    "scans": pa.schema(
        {
            "epoch": pa.int64(),
            "position": pa.int64(),
            "eigval": pa.float64(),
            "structural": pa.bool_(),
            "t": pa.float64(),
            "loss": pa.float64(),
        }
    ),
    # loss on the grid of a plane (epoch null), and where the training run lies on it
    "planes": pa.schema(
        {
            "plane": pa.string(),
            "axis_a": pa.string(),
            "axis_b": pa.string(),
            "epoch": pa.int64(),
            "a": pa.float64(),
            "b": pa.float64(),
            "loss": pa.float64(),
            "smallest": pa.float64(),
            "largest": pa.float64(),
        }
    ),
    "predictions": pa.schema({"epoch": pa.int64(), "x1": pa.float64(), "x2": pa.float64(), "prediction": pa.float64()}),
    # one row per member of an ensemble and epoch; eigvals without the structural zeros, ascending
    "ensembles": pa.schema(
        {
            "activation": pa.string(),
            "initialiser": pa.string(),
            "seed": pa.int64(),
            "epoch": pa.int64(),
            "loss": pa.float64(),
            "accuracy": pa.float64(),
            "test_accuracy": pa.float64(),
            "grad_norm": pa.float64(),
            "params": _FLOATS,
            "eigvals": _FLOATS,
            "n_structural": pa.int64(),
            "tolerance": pa.float64(),
        }
    ),
    # one row per training sample: its own Hessian, by its eigenvalues and along the eigenvectors of the whole
    "samples": pa.schema(
        {
            "seed": pa.int64(),
            "epoch": pa.int64(),
            "sample": pa.int64(),
            "x1": pa.float64(),
            "x2": pa.float64(),
            "y": pa.float64(),
            "prediction": pa.float64(),
            "eigvals": _FLOATS,
            "leading": _FLOATS,
            "other_label": _FLOATS,
        }
    ),
    # a grid of the loss (label null) and marked points; the Hessian at these and on every few lines of the grid
    "landscapes": pa.schema(
        {
            "label": pa.string(),
            "a": pa.float64(),
            "b": pa.float64(),
            "loss": pa.float64(),
            "grad_norm": pa.float64(),
            "eigvals": _FLOATS,
            "structural": pa.list_(pa.bool_()),
            "plane_eigvecs": _FLOATS,  # of each eigenvector its components along a and b, one after the other
        }
    ),
    # of an as-published experiment against the exact one at the same parameters
    "convention_errors": pa.schema(
        {
            "epoch": pa.int64(),
            "loss": pa.float64(),
            "loss_exact": pa.float64(),
            "hessian_error": pa.float64(),
            "eigval_error": pa.float64(),
        }
    ),
    # initial points, one seed (init) each, of circuits of one or several sizes;
    # quantum_fisher: the largest eigenvalue of that matrix, null with data
    "starts": pa.schema(
        {
            "n_qubits": pa.int64(),
            "n_layers": pa.int64(),
            "init": pa.int64(),
            "loss": pa.float64(),
            "grad_norm": pa.float64(),
            "eigvals": _FLOATS,
            "n_structural": pa.int64(),
            "tolerance": pa.float64(),
            "quantum_fisher": pa.float64(),
        }
    ),
    # runs: circuits for the Hessian by the double shift rule, and for the metric tensor in blocks and in full
    "shift_rule": pa.schema(
        {
            "n_qubits": pa.int64(),
            "n_layers": pa.int64(),
            "n_params": pa.int64(),
            "error": pa.float64(),
            "hessian_runs": pa.int64(),
            "metric_block_runs": pa.int64(),
            "metric_full_runs": pa.int64(),
        }
    ),
    # one file for the whole study, results/claims.parquet
    "claims": pa.schema(
        {
            "claim": pa.string(),
            "convention": pa.string(),
            "statement": pa.string(),
            "measured": pa.float64(),
            "low": pa.float64(),
            "high": pa.float64(),
            "n_seeds": pa.int64(),
            "expected": pa.string(),
            "threshold": pa.string(),
            "verdict": pa.string(),
            "figure": pa.string(),
            "explanation": pa.string(),
        }
    ),
}


def is_by_seed(stage: str) -> bool:
    """Whether every seed has its own folder; else the seed is a column, and a part holds a block of seeds."""
    return "seed" not in SCHEMAS[stage].names


def write_table(stage: str, path: str | os.PathLike[str], columns: Mapping[str, Iterable[object]]) -> None:
    """Write one part file of ``stage``: all of it or nothing (temporary file, fsync, rename).

    Args:
        stage: a key of ``SCHEMAS``.
        path: the part file.
        columns: a sequence per column of the schema; a missing column is written as null.

    Raises:
        ValueError: a column that the schema does not have, or columns of different lengths.
    """
    schema = SCHEMAS[stage]
    unknown = sorted(set(columns) - set(schema.names))
    if unknown:
        raise ValueError(f"Table `{stage}` has no column {', '.join(unknown)}; it has {', '.join(schema.names)}.")
    rows = {name: list(values) for name, values in columns.items()}
    lengths = {name: len(values) for name, values in rows.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"Table `{stage}` needs columns of one length, but has {lengths}.")
    length = next(iter(lengths.values()))
    arrays = [
        pa.array(rows[f.name], type=f.type, from_pandas=True) if f.name in rows else pa.nulls(length, f.type)
        for f in schema
    ]
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as temporary:
        table = pa.Table.from_arrays(arrays, schema=schema)
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)  # read_table verifies it


def read_table(
    stage: str, paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read part files of ``stage`` into one frame, with ``experiment`` and ``seed`` from their paths.

    Only the given files are read, never the folder around them, and only the given columns (None: all).

    Raises:
        ValueError: a file that is missing, damaged, or has other columns; it is named.
    """
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    if columns is not None and not is_by_seed(stage):
        columns = [*dict.fromkeys((*columns, "seed"))]
    tables = [_read_part(stage, Path(p), columns) for p in paths]
    if not tables:
        raise ValueError(f"No file of table `{stage}` was given.")
    frame: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    return frame


def _read_part(stage: str, path: Path, columns: Sequence[str] | None) -> pa.Table:
    if not path.is_file():
        raise ValueError(f"Table `{stage}`: {path} does not exist.")
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
        table = file.read(columns)
        # pages have checksums, the footer has none: its counts must agree with one another and with the rows
        first = [file.metadata.row_group(i).column(0).num_values for i in range(file.metadata.num_row_groups)]
        if not len(table) == file.metadata.num_rows == sum(first):
            raise OSError(f"it holds {len(table)} rows, its footer says {file.metadata.num_rows} and {sum(first)}")
    except (OSError, pa.ArrowException) as error:
        raise ValueError(
            f"Table `{stage}`: {path} is damaged or no Parquet file ({error}). Delete it and run again."
        ) from None
    if not file.schema_arrow.equals(SCHEMAS[stage]):
        raise ValueError(
            f"Table `{stage}`: {path} has columns {_columns(file.schema_arrow)}; expected {_columns(SCHEMAS[stage])}."
        )
    keys = dict(part.split("=", 1) for part in path.parent.parts if "=" in part)
    for key, type_, cast in (("experiment", pa.string(), str), ("seed", pa.int64(), int)):
        if key in keys:
            table = table.append_column(key, pa.array([cast(keys[key])] * len(table), type=type_))
    return table


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in schema)


class atomic_file:  # noqa: N801 - reads as a verb: with atomic_file(path) as temporary
    """Context manager: a temporary path beside ``path``; on success it replaces ``path``, else it goes."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __enter__(self) -> Path:
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.", suffix=self.path.suffix)
        os.close(descriptor)
        self.temporary = Path(name)
        return self.temporary

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.temporary.unlink(missing_ok=True)
            return
        with open(self.temporary, "rb") as file:
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        self.temporary.chmod(0o666 & ~umask)  # mkstemp makes 0600: others of the group read results
        os.replace(self.temporary, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)  # the rename, too, has to outlive a loss of power
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
