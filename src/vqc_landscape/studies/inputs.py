"""What a step reads back from the tables of earlier steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.tables.parquet import read_table

Samples = tuple[Array, Array]


@overload
def read_samples(dataset: str, split: str) -> Samples: ...
@overload
def read_samples(dataset: str | None, split: str) -> Samples | None: ...
def read_samples(dataset: str | None, split: str) -> Samples | None:
    """Features (n, d) and targets (n,) of one split; None for an experiment without data."""
    if dataset is None:
        return None
    table = read_table("datasets", dataset)
    table = table[table["split"] == split]
    listed = table["features"].notna().all()  # else there are two, in columns of their own
    features = np.stack(table["features"].to_list()) if listed else table[["x1", "x2"]].to_numpy()
    return features, table["y"].to_numpy()


def read_params(trajectory: str, epochs: Sequence[int]) -> list[Array]:
    """Parameters (P,) at the given epochs.

    Raises:
        ValueError: an epoch that was not trained.
    """
    table = read_table("trajectories", trajectory).set_index("epoch")["params"]
    missing = sorted(set(epochs) - set(table.index))
    if missing:
        raise ValueError(f"Epoch {missing[0]} was not trained: {trajectory} ends at epoch {table.index.max()}.")
    return [np.array(table[epoch]) for epoch in epochs]
