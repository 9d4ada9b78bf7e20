"""The loop over epochs: one row per epoch, exact resume, a named end when the numbers break down."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np

from vqc_landscape.bars import bar
from vqc_landscape.checks import Array, as_vector, check_count
from vqc_landscape.objectives.interface import Risk
from vqc_landscape.training.checkpoint import Checkpoint, Columns
from vqc_landscape.training.finite import check_finite, finite_loss_and_grad
from vqc_landscape.training.interrupt import Stop, TrainingStopped
from vqc_landscape.training.optimisers import Optimiser, State, Step, check_optimiser, check_step

Report = Callable[[int, int, float], None]

_log = logging.getLogger(__name__)


class TrainingDiverged(RuntimeError):  # noqa: N818 - what happened, not what was wrong
    """A loss, gradient or parameter became NaN or infinite; the message says when, and what is kept."""


def train(
    risk: Risk,
    params: Any,
    optimiser: Optimiser,
    n_epochs: int,
    *,
    seed: int = 0,
    test_risk: Risk | None = None,
    checkpoint: Checkpoint | None = None,
    checkpoint_every: int = 5,
    report: Report | None = None,
    stop: Stop | None = None,
) -> Columns:
    """Train, or go on from the checkpoint, until ``n_epochs`` are done.

    Args:
        risk: what is minimised.
        params: initial parameters, P entries in any shape.
        optimiser: how the parameters move.
        n_epochs: number of epochs; the trajectory is the same for every number, only longer.
        seed: with the epoch's number, decides the order of its mini-batches.
        test_risk: evaluated beside ``risk``, never trained on.
        checkpoint: where the run is kept; without one nothing is written.
        checkpoint_every: epochs between checkpoints; the last epoch always gets one.
        report: called as ``report(epoch, n_epochs, loss)`` for the first row and after every epoch.
        stop: asked before every step, and while another writer is waited for; true ends the run.

    Returns:
        The columns of table ``trajectories``, one row per epoch 0..n_epochs, each over the whole training set after
        the epoch; ``params`` is (n_epochs + 1, P), NaN stands where a column does not apply.

    Raises:
        TrainingDiverged: a number is not finite; the checkpoint then holds the last good epoch.
        TrainingStopped: ``stop`` said so; the checkpoint then holds the last whole epoch.
        CheckpointError: the checkpoint is of another run.
        ValueError: an argument that cannot be used; it is named.
    """
    params = as_vector("params", params, risk.n_params)
    check_optimiser("Argument `optimiser`", optimiser)
    if optimiser.batch_size is not None:
        check_count("optimiser.batch_size", optimiser.batch_size, maximum=risk.n_samples)
    check_count("n_epochs", n_epochs, minimum=0)
    check_count("checkpoint_every", checkpoint_every)
    report = report or (lambda *_: None)
    stop = stop or (lambda: False)
    with checkpoint.lock(stop) if checkpoint else nullcontext():
        state, trajectory = _resume(checkpoint, n_epochs) or _start(risk, test_risk, params, optimiser)
        done = len(trajectory["epoch"])
        report(done - 1, n_epochs, float(trajectory["loss"][-1]))
        for epoch in bar(range(done, n_epochs + 1), n_epochs + 1 - done, "training"):
            try:
                steps = batches(risk, optimiser.batch_size, seed, epoch)
                params, next_state, rate = _run_epoch(steps, trajectory["params"][-1], optimiser, state, stop)
                row = _row(epoch, risk, test_risk, params, rate)
            except FloatingPointError as error:
                kept = _keep(checkpoint, state, trajectory)
                raise TrainingDiverged(f"Training diverged at epoch {epoch}, {error}; {kept}.") from None
            except TrainingStopped:
                kept = _keep(checkpoint, state, trajectory)
                raise TrainingStopped(f"Training was stopped in epoch {epoch}; {kept}.") from None
            state = next_state
            trajectory = {name: np.concatenate([trajectory[name], row[name]]) for name in row}
            if checkpoint and (epoch % checkpoint_every == 0 or epoch == n_epochs):
                checkpoint.save(state, trajectory)
            report(epoch, n_epochs, float(trajectory["loss"][-1]))
    return trajectory


def batches(risk: Risk, batch_size: int | None, seed: int, epoch: int) -> Iterator[Risk]:
    """The risks of one epoch's steps: all samples once, in an order that is a function of (seed, epoch)."""
    if batch_size is None:
        yield risk
        return
    order = np.random.default_rng([seed, epoch]).permutation(risk.n_samples)
    for start in range(0, len(order), batch_size):
        yield risk.batch(order[start : start + batch_size])


def _resume(checkpoint: Checkpoint | None, n_epochs: int) -> tuple[State, Columns] | None:
    saved = checkpoint.load() if checkpoint else None
    if checkpoint is None or saved is None:
        return None
    state, trajectory = saved
    _log.info("Resumed at epoch %d from %s.", trajectory["epoch"][-1], checkpoint.path)
    # a run that was once longer answers for a shorter one; its state is then not needed
    return state, {name: column[: n_epochs + 1] for name, column in trajectory.items()}


def _start(risk: Risk, test_risk: Risk | None, params: Array, optimiser: Optimiser) -> tuple[State, Columns]:
    try:
        return optimiser.initial_state(params), _row(0, risk, test_risk, params, np.nan)
    except FloatingPointError as error:
        raise TrainingDiverged(f"Training diverged at epoch 0, {error}; there is no checkpoint.") from None


def _keep(checkpoint: Checkpoint | None, state: State, trajectory: Columns) -> str:
    if checkpoint is None:
        return "there is no checkpoint"
    checkpoint.save(state, trajectory)
    return f"last good checkpoint: epoch {trajectory['epoch'][-1]}, {checkpoint.path}"


def _run_epoch(steps: Iterator[Risk], params: Array, optimiser: Optimiser, state: State, stop: Stop) -> Step:
    rate = np.nan
    for number, batch in enumerate(steps, start=1):
        if stop():
            raise TrainingStopped
        try:
            params, state, rate = check_step(optimiser, optimiser.step(batch, params, state), len(params))
            check_finite("a parameter", params)
        except FloatingPointError as error:
            raise FloatingPointError(f"step {number}: {error}") from None
    return params, state, rate


def _row(epoch: int, risk: Risk, test_risk: Risk | None, params: Array, rate: float) -> Columns:
    try:
        loss, grad = finite_loss_and_grad(risk, params)
    except FloatingPointError as error:
        raise FloatingPointError(f"over the whole training set: {error}") from None
    values = {
        "epoch": epoch,
        "loss": loss,
        "accuracy": _or_nan(risk.accuracy(params)),
        "test_loss": test_risk.loss(params) if test_risk else np.nan,
        "test_accuracy": _or_nan(test_risk.accuracy(params)) if test_risk else np.nan,
        "grad_norm": float(np.linalg.norm(grad)),
        "learning_rate": rate,
    }
    return {name: np.array([value]) for name, value in values.items()} | {"params": params[np.newaxis]}


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value
