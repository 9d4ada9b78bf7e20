"""Exact Hessians along a training run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vqc_landscape.studies.build import make_risk
from vqc_landscape.studies.inputs import read_params, read_samples
from vqc_landscape.tables import write_table

if TYPE_CHECKING:
    from vqc_landscape.config import Experiment

logger = logging.getLogger(__name__)


def write_hessians(
    experiment: Experiment, epochs: Sequence[int], trajectory: str, dataset: str | None, output: str
) -> None:
    """Write the Hessian of the risk over the whole training set at each epoch, one row of it per row.

    Raises:
        ValueError: an epoch that was not trained.
    """
    risk = make_risk(experiment, read_samples(dataset, "train"))
    hessians = []
    for epoch, params in zip(epochs, read_params(trajectory, epochs), strict=True):
        hessians.append(risk.hessian(params))
        logger.info("epoch %d: Hessian %d of %d", epoch, len(hessians), len(epochs))
    n_params = risk.n_params
    columns = {
        "epoch": np.repeat(epochs, n_params),
        "row": np.tile(np.arange(n_params), len(epochs)),
        "values": np.concatenate(hessians),
    }
    write_table("hessians", output, columns)
