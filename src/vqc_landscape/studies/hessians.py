"""Exact Hessians along a training run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.studies.build import make_risk
from vqc_landscape.studies.inputs import read_params, read_samples
from vqc_landscape.tables.parquet import read_table, write_table

if TYPE_CHECKING:
    from vqc_landscape.config import Problem, ShardsConfig

logger = logging.getLogger(__name__)


def write_hessians(problem: Problem, epochs: Sequence[int], trajectory: str, dataset: str | None, output: str) -> None:
    """Write the Hessian of the risk over the whole training set at each epoch, one row of it per row.

    Raises:
        ValueError: an epoch that was not trained.
    """
    risk = make_risk(problem, read_samples(dataset, "train"))
    _write(risk.hessian, epochs, trajectory, output)


def write_shard(
    problem: Problem,
    shards: ShardsConfig,
    number: int,
    epochs: Sequence[int],
    trajectory: str,
    dataset: str | None,
    output: str,
) -> None:
    """Write one of the summands that :func:`add_shards` adds up, in the same columns as the sum.

    Shards are numbered slice of samples by slice, and within a slice pair of parameter blocks by pair.

    Raises:
        ValueError: an epoch that was not trained, or a division that the model or its data do not have.
    """
    risk = make_risk(problem, read_samples(dataset, "train"))
    part, pair = divmod(number, shards.n_pairs)
    share = 1.0
    if shards.samples > risk.n_samples:
        raise ValueError(f"hessian.shards.samples is {shards.samples}, but there are {risk.n_samples} samples.")
    if shards.blocks > 1 and not risk.has_metric:
        raise ValueError("hessian.shards.blocks must be 1: this risk cannot be split by parameters, but by samples.")
    if shards.samples > 1:
        indices = np.array_split(np.arange(risk.n_samples), shards.samples)[part]
        if getattr(problem.objective, "reduction", "mean") == "mean":
            share = len(indices) / risk.n_samples
        risk = risk.batch(indices)

    def summand(params: Array) -> Array:
        if shards.blocks > 1:
            return share * risk.hessian_share(params, pair, shards.blocks)
        return share * risk.hessian(params)

    _write(summand, epochs, trajectory, output)


def add_shards(shards: Sequence[str], output: str) -> None:
    """Add up the shards of a block of epochs in the order in which they are given.

    Raises:
        ValueError: shards of different epochs.
    """
    first, *others = (read_table("hessians", path).sort_values(["epoch", "row"]) for path in shards)
    total = np.stack(first["values"].to_list())
    for shard in others:
        if not np.array_equal(first[["epoch", "row"]], shard[["epoch", "row"]]):
            raise ValueError(f"The shards of {output} are of different epochs.")
        total += np.stack(shard["values"].to_list())
    write_table("hessians", output, {"epoch": first["epoch"], "row": first["row"], "values": total})


def _write(hessian: Callable[[Array], Array], epochs: Sequence[int], trajectory: str, output: str) -> None:
    hessians = []
    for epoch, params in zip(epochs, read_params(trajectory, epochs), strict=True):
        hessians.append(hessian(params))
        logger.info("epoch %d: Hessian %d of %d", epoch, len(hessians), len(epochs))
    n_params = len(hessians[0])
    columns = {
        "epoch": np.repeat(epochs, n_params),
        "row": np.tile(np.arange(n_params), len(epochs)),
        "values": np.concatenate(hessians),
    }
    write_table("hessians", output, columns)
