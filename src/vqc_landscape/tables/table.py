"""What is said once of every table: its columns and parts, who makes it, and what that takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa


@dataclass(frozen=True)
class Work:
    """What the cost of a job follows from: sizes, and seconds of one core for the work that steps are made of.

    Attributes:
        n_samples: training samples.
        n_params: parameters.
        n_epochs: epochs of the training.
        n_hessians: epochs that get a Hessian.
        n_seeds: seeds in one job.
        n_models: models that one job trains side by side.
        sweep: a gradient.
        hessian: a Hessian.
        diagonalised: its eigenvalues and eigenvectors.
        shift_rule: a Hessian by the shift rule.
        training: a whole training run.
    """

    n_samples: int
    n_params: int
    n_epochs: int
    n_hessians: int
    n_seeds: int
    n_models: int
    sweep: float
    hessian: float
    diagonalised: float
    shift_rule: float
    training: float

    @property
    def trajectory(self) -> int:
        """Numbers of a training run."""
        return self.n_params * (self.n_epochs + 1) if self.n_epochs else 0


Estimate = Callable[[Any, Work], float]


def nothing(asked: Any, work: Work) -> float:
    """No numbers besides the table."""
    return 0


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of the study, one folder of the results.

    Estimates are functions ``(section of the configuration, Work)``, for one job.

    Attributes:
        what: what is in it, for readers.
        columns: of every part file.
        by_seed: every seed has its own folder; else the seed is a column, and a part holds a block of seeds.
        section: key or property of an experiment that is None when it has no such table.
        unless: key with which an experiment does without the table.
        step: name of the function that writes a part, below the package.
        seconds: of one core, but for the start.
        numbers: of the largest table that the step holds.
        grid: numbers of the points that it works on, besides.
        forms_matrices: whether it forms Hessians, or metric tensors, which take as much; ``(section) -> bool``.
        many: whether it holds many models or samples side by side.
    """

    what: str
    columns: pa.Schema
    by_seed: bool
    section: str
    unless: str | None = None
    step: str
    seconds: Estimate
    numbers: Estimate
    grid: Estimate = nothing
    forms_matrices: Callable[[Any], bool]
    many: bool = False
