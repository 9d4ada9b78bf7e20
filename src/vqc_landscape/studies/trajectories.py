"""Training runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vqc_landscape.checks import Array
from vqc_landscape.config import Problem
from vqc_landscape.studies.build import initial_params, make_risk, optimiser_of
from vqc_landscape.studies.inputs import read_samples
from vqc_landscape.tables.parquet import write_table
from vqc_landscape.training.checkpoint import Checkpoint, Columns
from vqc_landscape.training.interrupt import stop_requests
from vqc_landscape.training.loop import train, unless_stopped
from vqc_landscape.training.optimisers import Optimiser

if TYPE_CHECKING:
    from vqc_landscape.config import InitConfig, TrainingConfig


def write_trajectory(
    problem: Problem,
    init: InitConfig,
    training: TrainingConfig,
    seed: int,
    dataset: str | None,
    output: str,
    *,
    state_dir: str,
    code: str,
    report: Callable[[int, int, float], None] | None = None,
) -> None:
    """Train one seed and write its trajectory to the part file ``output``; all else as for ``run_training``."""
    trajectory = run_training(problem, init, training, seed, dataset, state_dir=state_dir, code=code, report=report)
    write_table("trajectories", output, trajectory)


def run_training(
    problem: Problem,
    init: InitConfig,
    training: TrainingConfig,
    seed: int,
    dataset: str | None,
    *,
    state_dir: str,
    code: str,
    report: Callable[[int, int, float], None] | None = None,
) -> Columns:
    """Train one seed, resuming from its checkpoint if there is one; returns the columns of table ``trajectories``.

    SIGTERM and SIGINT end the training with a checkpoint. Before it, while the risk is built, they end the process
    at once, as anywhere else: reading a QNode of many samples takes minutes, and leaves nothing to be kept.

    Args:
        problem: what is minimised.
        init: distribution of the initial point.
        training: how.
        seed: seed of the initial point and of the order of mini-batches.
        dataset: table of samples; None for state preparation.
        state_dir: folder of this seed's checkpoints; every different run has its own folder in it.
        code: hash over the code that trains; other code, other run.
        report: called as ``report(epoch, n_epochs, loss)``.

    Raises:
        TrainingDiverged: a number became NaN or infinite; the last good epoch is kept.
        TrainingStopped: it was asked to end; the last whole epoch is kept.
        ValueError: batches that are larger than the data.
    """
    test = read_samples(dataset, "test")
    params = initial_params(problem, init, seed)
    key = run_key(problem, training, seed, params, Path(dataset).read_bytes() if dataset else b"", code)
    risk = make_risk(problem, read_samples(dataset, "train"))
    test_risk = make_risk(problem, test) if test else None
    optimiser = optimiser_of(training)
    check_batch_size(problem, optimiser, risk.n_samples)
    checkpoint = Checkpoint(Path(state_dir) / key, key)
    with stop_requests() as stop:
        run = train(
            risk,
            params,
            optimiser,
            training.n_epochs,
            seed=seed,
            test_risk=test_risk,
            checkpoint=checkpoint,
            checkpoint_every=training.checkpoint_every,
            report=report,
            stop=stop,
        )
    return unless_stopped(run, checkpoint)


def check_batch_size(problem: Problem, optimiser: Optimiser, n_samples: int) -> None:
    """See that a batch is no larger than the data, whose samples are only counted where a file of them is read.

    Raises:
        ValueError: it is larger.
    """
    if optimiser.batch_size is not None and optimiser.batch_size > n_samples:
        data = problem.data
        file, n_test = getattr(data, "file", "the data"), getattr(data, "n_test", 0)
        raise ValueError(
            f"training.optimiser.batch_size is {optimiser.batch_size}, but {file} has {n_samples} training samples, "
            f"with data.n_test {n_test} for the test."
        )


def run_key(problem: Problem, training: TrainingConfig, seed: int, params: Array, samples: bytes, code: str) -> str:
    """Hash of all that changes a trajectory: not of its length, nor of how often it is saved."""
    how = [
        problem.model_dump(mode="json", include={*Problem.model_fields}),
        training.model_dump(mode="json", exclude={"n_epochs", "checkpoint_every"}),
    ]
    digest = hashlib.sha256(json.dumps([*how, seed, code], sort_keys=True).encode())
    digest.update(params.tobytes() + samples)
    return digest.hexdigest()[:16]
