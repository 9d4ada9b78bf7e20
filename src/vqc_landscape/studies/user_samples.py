"""Samples that are not drawn: bundled data sets, and a user's own table."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array

if TYPE_CHECKING:
    import pandas as pd

    from vqc_landscape.config import BundledData, FileData

MOST_CLASSES = 10  # whole numbers that may be labels, if each comes twice on average; chosen by us: the digits are ten

T = TypeVar("T")
Samples = tuple[Array, Array, list[str]]  # features (n, d), targets (n,), split of each


def bundled_samples(data: BundledData) -> Samples:
    """Two classes of a data set of scikit-learn as scaled principal components.

    Standardised, projected and scaled with the numbers of the training samples alone.

    Raises:
        ValueError: fewer samples, classes or features than asked for, or scikit-learn is not installed.
    """
    try:
        from sklearn import datasets
    except ModuleNotFoundError:
        raise ValueError(f"data.name {data.name} comes with scikit-learn: pip install 'vqc-landscape[data]'.") from None
    loaded = getattr(datasets, f"load_{data.name}")()
    labels = np.asarray(loaded.target)
    n_classes = int(labels.max()) + 1
    if max(data.classes) >= n_classes:
        raise ValueError(f"data.classes is {list(data.classes)}, but {data.name} has classes 0 to {n_classes - 1}.")
    chosen = np.flatnonzero(np.isin(labels, data.classes))
    if data.n_train + data.n_test > len(chosen):
        raise ValueError(
            f"data asks for {data.n_train} + {data.n_test} samples, but the two classes of {data.name} have "
            f"{len(chosen)}."
        )
    if data.n_features > loaded.data.shape[1]:
        raise ValueError(f"data.n_features is {data.n_features}, but {data.name} has {loaded.data.shape[1]} columns.")
    order = np.random.default_rng(data.seed).permutation(chosen)[: data.n_train + data.n_test]
    x, y = np.asarray(loaded.data, dtype=np.float64)[order], np.where(labels[order] == data.classes[1], 1.0, -1.0)
    train = x[: data.n_train]
    spread = train.std(axis=0)
    standard = (x - train.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    _, _, components = np.linalg.svd(standard[: data.n_train], full_matrices=False)
    # LAPACK is free in their signs: the largest entry counts as positive
    largest = np.take_along_axis(components, np.abs(components).argmax(axis=1)[:, np.newaxis], axis=1)
    projected = standard @ (components * np.sign(largest))[: data.n_features].T
    return _scaled(projected, data.n_train, math.pi / 2), y, _split(data.n_train, data.n_test)


def file_samples(data: FileData) -> Samples:
    """Samples of the user's table, training samples first.

    Raises:
        ValueError: a file or column that is missing, or there twice, a value that is no number, a target that is
            neither numbers nor two labels, or may be either, or fewer rows than asked for; the message names it.
    """
    path = Path(data.file)
    frame = _read(path, (*data.features, data.target))
    if len(frame) <= data.n_test:
        raise ValueError(f"data.n_test is {data.n_test}, but {path} has {len(frame)} rows, and some must be left.")
    x = np.stack([_numbers(frame, column, path) for column in data.features], axis=1)
    y = _targets(frame, data, path)
    order = np.random.default_rng(data.seed).permutation(len(frame))
    n_train = len(frame) - data.n_test
    x = x[order] if data.scale is None else _scaled(x[order], n_train, data.scale)
    return x, y[order], _split(n_train, data.n_test)


def _read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """The table, which has each of these columns once."""
    if not path.is_file():
        raise ValueError(f"data.file {path} does not exist in {Path.cwd()}.")
    header = _opened(path, _header)
    for column in columns:
        named = column if column in header else re.sub(r"\.[0-9]+$", "", column)  # pandas calls the second a `a.1`
        n_columns = header.count(named)
        if n_columns > 1:
            raise ValueError(f"{path} has {n_columns} columns {named!r}: which one is meant? Rename the others.")
    frame = _opened(path, _frame)
    missing = [column for column in columns if column not in frame]
    if missing:
        raise ValueError(f"{path} has no column {missing[0]!r}; it has {', '.join(map(str, frame))}.")
    return frame


def _opened(path: Path, read: Callable[[Path], T]) -> T:
    import pandas as pd

    try:
        return read(path)
    except (ValueError, OSError, pd.errors.ParserWarning) as error:  # of pandas and pyarrow, for a file of another kind
        raise ValueError(f"data.file {path} cannot be read as {path.suffix[1:]}: {error}") from None


def _header(path: Path) -> list[str]:
    """Names of the columns, as they stand in the file."""
    import pandas as pd
    import pyarrow.parquet as pq

    if path.suffix == ".csv":
        first = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False)
        return [str(name) for name in first.iloc[0]]
    return [str(name) for name in pq.read_schema(path).names]


def _frame(path: Path) -> pd.DataFrame:
    import pandas as pd

    if path.suffix != ".csv":
        return pd.read_parquet(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header would lose their end
        return pd.read_csv(path, index_col=False)


def _numbers(frame: pd.DataFrame, column: str, path: Path) -> Array:
    import pandas as pd

    numbers: Array = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=np.float64, copy=True)
    if frame[column].dtype.kind in "mM":  # dates and durations, which pandas would take for nanoseconds
        numbers[:] = np.nan
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        value = frame[column].tolist()[wrong[0]]  # plain Python, which is what a message should show
        raise ValueError(f"{path}, column {column!r}, row {wrong[0] + 1}: must be a finite number, but is {value!r}.")
    return numbers


def _targets(frame: pd.DataFrame, data: FileData, path: Path) -> Array:
    import pandas as pd

    column = data.target
    if pd.api.types.is_numeric_dtype(frame[column]) and not pd.api.types.is_bool_dtype(frame[column]):
        return _numeric_targets(_numbers(frame, column, path), data, path)
    empty = np.flatnonzero(frame[column].isna())
    if len(empty):
        raise ValueError(f"{path}, column {column!r}, row {empty[0] + 1}: must not be empty.")
    odd = next((value for value in frame[column] if not isinstance(value, str | bool | np.bool_)), None)
    if odd is not None:
        raise ValueError(f"{path}, column {column!r}: must be numbers or two labels, but has {odd!r}.")
    if data.target_is == "numbers":
        shown = frame[column].to_list()[0]
        raise ValueError(f"{path}, column {column!r}: must be numbers, as data.target_is says, but has {shown!r}.")
    labels: NDArray[np.str_] = frame[column].astype(str).to_numpy(dtype=np.str_)
    return _two_classes(labels, f"{path}, column {column!r}: must be numbers or two labels, but has")


def _numeric_targets(values: Array, data: FileData, path: Path) -> Array:
    """Classes -1 and 1, or numbers to be fitted; what may be either is refused."""
    kinds = np.unique(values)
    where = f"{path}, column {data.target!r}"
    if data.target_is == "classes":
        return _two_classes(values, f"{where}: must be two classes, as data.target_is says, but has")
    are_classes = len(kinds) == 1 or kinds.tolist() == [-1.0, 1.0]
    few = len(kinds) <= MOST_CLASSES and 2 * len(kinds) <= len(values) and not np.any(kinds % 1)
    if data.target_is is None and few and not are_classes:
        classes = (
            f"data.target_is: classes, which makes {kinds[0]:g} -1 and {kinds[1]:g} 1"
            if len(kinds) == 2
            else "two labels, or -1 and 1, for a classification"
        )
        raise ValueError(
            f"{where} holds {_listed(kinds)}: classes, or numbers? Write {classes}; or data.target_is: numbers, to fit "
            "them as they are."
        )
    return values


def _two_classes(labels: NDArray[Any], message: str) -> Array:
    """-1 for the first of two labels, 1 for the second."""
    kinds = np.unique(labels)
    if len(kinds) != 2:
        raise ValueError(f"{message} {len(kinds)}: {_listed(kinds)}.")
    return np.where(labels == kinds[1], 1.0, -1.0)


def _listed(kinds: NDArray[Any]) -> str:
    shown = [f"{kind:g}" if isinstance(kind, float) else str(kind) for kind in kinds[:5].tolist()]
    return ", ".join(shown) + (", ..." if len(kinds) > 5 else "")


def _scaled(x: Array, n_train: int, scale: float) -> Array:
    """Each column mapped linearly so that the training samples span [-scale, scale]; a constant one becomes 0."""
    low, high = x[:n_train].min(axis=0), x[:n_train].max(axis=0)
    width = np.where(high > low, high - low, 1.0)
    return np.asarray(np.where(high > low, scale * (2 * (x - low) / width - 1), 0.0))


def _split(n_train: int, n_test: int) -> list[str]:
    return ["train"] * n_train + ["test"] * n_test
