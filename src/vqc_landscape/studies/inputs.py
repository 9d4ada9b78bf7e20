"""What a step reads back from the tables of earlier steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
import pyarrow.compute as pc

from vqc_landscape.checks import Array
from vqc_landscape.tables.parquet import read_arrow

Samples = tuple[Array, Array]


@overload
def read_samples(dataset: str, split: str) -> Samples: ...
@overload
def read_samples(dataset: str | None, split: str) -> Samples | None: ...
def read_samples(dataset: str | None, split: str) -> Samples | None:
    """Features (n, d) and targets (n,) of one split; None for an experiment without data."""
    if dataset is None:
        return None
    table = read_arrow("datasets", dataset)
    table = table.filter(pc.equal(table["split"], split))
    if table["features"].null_count:  # there are two, in columns of their own
        features = np.stack([table["x1"].to_numpy(), table["x2"].to_numpy()], axis=1)
    else:
        features = np.array(table["features"].to_pylist())
    return features, table["y"].to_numpy()


def read_params(trajectory: str, epochs: Sequence[int]) -> list[Array]:
    """Parameters (P,) at the given epochs.

    Raises:
        ValueError: an epoch that was not trained.
    """
    table = read_arrow("trajectories", trajectory, ["epoch", "params"])
    rows = {epoch: row for row, epoch in enumerate(table["epoch"].to_pylist())}
    missing = sorted(set(epochs) - set(rows))
    if missing:
        raise ValueError(f"Epoch {missing[0]} was not trained: {trajectory} ends at epoch {max(rows)}.")
    return [np.array(table["params"][rows[epoch]].as_py()) for epoch in epochs]
