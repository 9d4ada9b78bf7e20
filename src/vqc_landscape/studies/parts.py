"""The part files of a table: one for each seed, or one for each block of an ensemble's seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vqc_landscape.tables.registry import is_by_seed

if TYPE_CHECKING:
    from vqc_landscape.config import Experiment

Part = tuple[str, str, int]  # stage, experiment, seed (block of seeds, where the table has a column for the seed)


def parts_of(stage: str, name: str, experiment: Experiment, seeds: Sequence[int]) -> list[Part]:
    """The parts of a table that hold the given seeds of an experiment."""
    if not is_by_seed(stage):
        blocks = enumerate(experiment.seed_blocks)
        return [(stage, name, number) for number, block in blocks if not set(block).isdisjoint(seeds)]
    if experiment.ensemble:  # has its samples once: they do not depend on the seed of the initial point
        seeds = experiment.seeds[:1]
    return [(stage, name, seed) for seed in seeds]


def part_file(results_dir: str, stage: str, name: str, seed: int | str, block: int | str = 0) -> str:
    """Path of one part file; placeholders such as ``"{seed}"`` give the pattern of all of them.

    A part of a table with a column for the seed is a block of seeds, in no seed's folder.
    """
    of_seed = f"/seed={seed}" if is_by_seed(stage) else ""
    return f"{results_dir}/{stage}/experiment={name}{of_seed}/part-{block}.parquet"


def path_of(results_dir: str, part: Part, block: int = 0) -> str:
    """Path of a part; of a table that is cut into blocks of epochs, the one of that block."""
    stage, name, number = part
    return part_file(results_dir, stage, name, number, block if is_by_seed(stage) else number)
