"""Samples that are not drawn: bundled data sets, and a user's own table."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array

if TYPE_CHECKING:
    import pandas as pd

    from vqc_landscape.config import BundledData, FileData

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
        ValueError: a file or column that is missing, a value that is no number, a target that is neither numbers nor
            two labels, or fewer rows than asked for; the message names it.
    """
    path = Path(data.file)
    frame = _read(path)
    missing = [column for column in (*data.features, data.target) if column not in frame]
    if missing:
        listed = ", ".join(str(column) for column in frame)
        raise ValueError(f"{path} has no column {missing[0]!r}; it has {listed}.")
    if len(frame) <= data.n_test:
        raise ValueError(f"data.n_test is {data.n_test}, but {path} has {len(frame)} rows, and some must be left.")
    x = np.stack([_numbers(frame, column, path) for column in data.features], axis=1)
    y = _targets(frame, data.target, path)
    order = np.random.default_rng(data.seed).permutation(len(frame))
    n_train = len(frame) - data.n_test
    x = x[order] if data.scale is None else _scaled(x[order], n_train, data.scale)
    return x, y[order], _split(n_train, data.n_test)


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.is_file():
        raise ValueError(f"data.file {path} does not exist in {Path.cwd()}.")
    try:
        return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except (ValueError, OSError) as error:  # what pandas and pyarrow raise for a file of another kind
        raise ValueError(f"data.file {path} cannot be read as {path.suffix[1:]}: {error}") from None


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


def _targets(frame: pd.DataFrame, column: str, path: Path) -> Array:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(frame[column]) and not pd.api.types.is_bool_dtype(frame[column]):
        return _numbers(frame, column, path)
    empty = np.flatnonzero(frame[column].isna())
    if len(empty):
        raise ValueError(f"{path}, column {column!r}, row {empty[0] + 1}: must not be empty.")
    odd = next((value for value in frame[column] if not isinstance(value, str | bool | np.bool_)), None)
    if odd is not None:
        raise ValueError(f"{path}, column {column!r}: must be numbers or two labels, but has {odd!r}.")
    labels: NDArray[np.str_] = frame[column].astype(str).to_numpy(dtype=np.str_)
    kinds = sorted(set(labels.tolist()))
    if len(kinds) != 2:
        shown = ", ".join(kinds[:5]) + (", ..." if len(kinds) > 5 else "")
        raise ValueError(f"{path}, column {column!r}: must be numbers or two labels, but has {len(kinds)}: {shown}.")
    return np.where(labels == kinds[1], 1.0, -1.0)


def _scaled(x: Array, n_train: int, scale: float) -> Array:
    """Each column mapped linearly so that the training samples span [-scale, scale]; a constant one becomes 0."""
    low, high = x[:n_train].min(axis=0), x[:n_train].max(axis=0)
    width = np.where(high > low, high - low, 1.0)
    return np.asarray(np.where(high > low, scale * (2 * (x - low) / width - 1), 0.0))


def _split(n_train: int, n_test: int) -> list[str]:
    return ["train"] * n_train + ["test"] * n_test
