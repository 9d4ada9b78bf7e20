"""Training and test samples: the disk (Fig. 7), bundled data sets, a user's own table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.tables.parquet import write_table

if TYPE_CHECKING:
    from vqc_landscape.config import BundledData, DataConfig, FileData

RADIUS = math.sqrt(2 / math.pi)  # area 2, half of the square: balanced classes (caption of Fig. 7)


def sample_disk(data: DataConfig) -> tuple[Array, Array, list[str]]:
    """Draw x uniformly on [-1, 1]^2, y = +1 strictly inside the disk of radius sqrt(2 / pi), else -1.

    Training samples come first, so that more test samples leave them as they are.

    Returns:
        features (n, 2), targets (n,), and the split of each sample, "train" or "test".
    """
    features = np.random.default_rng(data.seed).uniform(-1, 1, size=(data.n_train + data.n_test, 2))
    targets = np.where((features**2).sum(axis=1) < RADIUS**2, 1.0, -1.0)
    return features, targets, ["train"] * data.n_train + ["test"] * data.n_test


def write_dataset(data: DataConfig | BundledData | FileData, output: str) -> None:
    """Write the table of training and test samples; where there are not two features, all of them as a list."""
    from vqc_landscape.config import BundledData, FileData
    from vqc_landscape.studies.user_samples import bundled_samples, file_samples

    match data:
        case BundledData():
            features, targets, split = bundled_samples(data)
        case FileData():
            features, targets, split = file_samples(data)
        case _:
            features, targets, split = sample_disk(data)
    columns: dict[str, Any] = {"y": targets, "split": split}
    if features.shape[1] == 2:
        columns |= {"x1": features[:, 0], "x2": features[:, 1]}
    else:
        columns["features"] = list(features)
    write_table("datasets", output, columns)
