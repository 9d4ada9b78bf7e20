"""The disk data (Fig. 7)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.tables import write_table

if TYPE_CHECKING:
    from vqc_landscape.config import DataConfig

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


def write_dataset(data: DataConfig, output: str) -> None:
    """Write the table of training and test samples."""
    features, targets, split = sample_disk(data)
    write_table("datasets", output, {"x1": features[:, 0], "x2": features[:, 1], "y": targets, "split": split})
