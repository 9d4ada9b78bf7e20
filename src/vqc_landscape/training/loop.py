"""The loop over epochs: one row per epoch, exact resume, an end that is named."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any, Literal

import numpy as np

from vqc_landscape.checks import Array, as_vector, check_count, check_positive
from vqc_landscape.progress_bar import progress_bar
from vqc_landscape.risks.risk import Risk
from vqc_landscape.training.checkpoint import Checkpoint, Columns
from vqc_landscape.training.convergence import WINDOW, converged_at
from vqc_landscape.training.finite import check_finite, finite_loss_and_grad
from vqc_landscape.training.interrupt import Stop, TrainingStopped
from vqc_landscape.training.keys import as_checkpoint
from vqc_landscape.training.optimisers import Optimiser, State, Step, check_optimiser, check_step

Report = Callable[[int, int, float], None]

_log = logging.getLogger(__name__)


class TrainingDiverged(RuntimeError):  # noqa: N818 - what happened, not what was wrong
    """A loss, gradient or parameter became NaN or infinite; the message says when, and what is kept."""


class Trajectory(Columns):
    """The columns of a run, a dictionary of arrays with one row per epoch, and why there are no more rows.

    Attributes:
        ended: ``"n_epochs"``, all are done; ``"converged"``, the loss stood still; ``"stopped"``, ``stop`` said so.
    """

    def __init__(self, columns: Columns, ended: Literal["n_epochs", "converged", "stopped"]) -> None:
        super().__init__(columns)
        self.ended = ended

    def __repr__(self) -> str:
        first, last = self["loss"][[0, -1]]
        return f"Trajectory({len(self['epoch']) - 1} epochs, loss from {first:.4g} to {last:.4g}, ended: {self.ended})"


def train(
    risk: Risk,
    params: Any,
    optimiser: Optimiser,
    n_epochs: int,
    *,
    tol: float | None = None,
    seed: int = 0,
    test_risk: Risk | None = None,
    checkpoint: Checkpoint | str | os.PathLike[str] | None = None,
    checkpoint_every: int = 5,
    report: Report | None = None,
    stop: Stop | None = None,
) -> Trajectory:
    """Train, or go on from the checkpoint, until ``n_epochs`` are done, the loss stands still, or ``stop`` says so.

    Args:
        risk: what is minimised.
        params: initial parameters, P entries in any shape.
        optimiser: how the parameters move.
        n_epochs: number of epochs; the trajectory is the same for every number, only longer.
        tol: ends the run after the first epoch e at which the losses L of the last 11 rows lie within
            tol * max(|L_e|, 1e-3) of each other. They are over the whole training set, also with mini-batches, whose
            noise has to be below ``tol`` then. A plateau looks like convergence: see ``grad_norm`` and the Hessian.
        seed: with the epoch's number, decides the order of its mini-batches.
        test_risk: evaluated beside ``risk``, never trained on.
        checkpoint: the folder where the run is kept, or a :class:`Checkpoint`; without one nothing is written. In a
            folder a run goes on only if it has the same initial parameters, optimiser (its repr), seed and risks (type,
            sizes, and value and slope at one point, to 9 digits).
        checkpoint_every: epochs between checkpoints; the last epoch always gets one.
        report: called as ``report(epoch, n_epochs, loss)`` for the first row and after every epoch.
        stop: asked before every step, and while another writer is waited for; true ends the run.

    Returns:
        The columns of table ``trajectories``, one row per epoch from 0, each over the whole training set after the
        epoch; ``params`` is (n_rows, P), NaN stands where a column does not apply. The attribute ``ended`` is
        ``"n_epochs"``, ``"converged"`` or ``"stopped"``; a run that was stopped has its whole epochs only.

    Raises:
        TrainingDiverged: a number is not finite; the checkpoint then holds the last good epoch.
        TrainingStopped: ``stop`` said so while another writer was waited for: there is nothing to return.
        CheckpointError: the checkpoint is of another run.
        ValueError: an argument that cannot be used; it is named.

    Example:
        >>> import vqc_landscape as vl
        >>> risk = vl.CircuitRisk(vl.rx_product(2, 1), vl.Projector([1, 0, 0, 0]), loss="infidelity")
        >>> vl.train(risk, [1.0, 2.0], vl.GradientDescent(0.5), n_epochs=1000, tol=1e-3)
        Trajectory(38 epochs, loss from 0.7752 to 2.901e-09, ended: converged)
    """
    for name, own in (("risk", risk), ("test_risk", test_risk)):
        if own is not None and not hasattr(own, "loss_and_grad"):
            raise ValueError(f"Argument `{name}` must be a risk, such as vl.from_qnode(...), but is {own!r}.")
    for name, call in (("report", report), ("stop", stop)):
        if call is not None and not callable(call):
            raise ValueError(f"Argument `{name}` must be a function, but is {call!r}.")
    params = as_vector("params", params, risk.n_params)
    check_optimiser("Argument `optimiser`", optimiser)
    if optimiser.batch_size is not None:
        check_count("optimiser.batch_size", optimiser.batch_size, maximum=risk.n_samples)
    check_count("n_epochs", n_epochs, minimum=0)
    check_count("checkpoint_every", checkpoint_every)
    if tol is not None:
        check_positive("tol", tol)
    shows_bar, report = report is None, report or (lambda *_: None)
    stop = stop or (lambda: False)
    kept = as_checkpoint(checkpoint, risk, test_risk, params, optimiser, seed)
    with kept.lock(stop) if kept else nullcontext():
        state, rows = _resume(kept, n_epochs) or _start(risk, test_risk, params, optimiser)
        converged = converged_at(rows["loss"], tol)
        if converged is not None:
            rows = _up_to(converged, rows)
        done = len(rows["epoch"])
        report(done - 1, n_epochs, float(rows["loss"][-1]))
        epochs = range(done, n_epochs + 1) if converged is None else range(0)
        for epoch in progress_bar(epochs, len(epochs), "training") if shows_bar else epochs:
            try:
                steps = batches(risk, optimiser.batch_size, seed, epoch)
                moved = _run_epoch(steps, rows["params"][-1], optimiser, state, stop)
                if moved is None:
                    _keep(kept, state, rows)
                    return Trajectory(rows, "stopped")
                params, next_state, rate = moved
                row = _row(epoch, risk, test_risk, params, rate)
            except FloatingPointError as error:
                where = _keep(kept, state, rows)
                raise TrainingDiverged(f"Training diverged at epoch {epoch}, {error}; {where}.") from None
            state = next_state
            rows = {name: np.concatenate([rows[name], row[name]]) for name in row}
            converged = converged_at(rows["loss"][-WINDOW - 1 :], tol)
            if kept and (epoch % checkpoint_every == 0 or epoch == n_epochs or converged is not None):
                kept.save(state, rows)
            report(epoch, n_epochs, float(rows["loss"][-1]))
            if converged is not None:
                break
    return Trajectory(rows, "n_epochs" if converged is None else "converged")


def unless_stopped(run: Trajectory, checkpoint: Checkpoint | None) -> Trajectory:
    """The run itself: a job that was asked to stop is not done, whatever it has computed.

    Raises:
        TrainingStopped: the run was stopped; the message says where, and what is kept.
    """
    if run.ended == "stopped":
        last = int(run["epoch"][-1])
        raise TrainingStopped(f"Training was stopped in epoch {last + 1}; {_kept(checkpoint, last)}.")
    return run


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
    return state, _up_to(n_epochs, trajectory)


def _up_to(epoch: int, rows: Columns) -> Columns:
    return {name: column[: epoch + 1] for name, column in rows.items()}


def _start(risk: Risk, test_risk: Risk | None, params: Array, optimiser: Optimiser) -> tuple[State, Columns]:
    try:
        return optimiser.initial_state(params), _row(0, risk, test_risk, params, np.nan)
    except FloatingPointError as error:
        raise TrainingDiverged(f"Training diverged at epoch 0, {error}; there is no checkpoint.") from None


def _keep(checkpoint: Checkpoint | None, state: State, rows: Columns) -> str:
    if checkpoint:
        checkpoint.save(state, rows)
    return _kept(checkpoint, int(rows["epoch"][-1]))


def _kept(checkpoint: Checkpoint | None, epoch: int) -> str:
    return f"last good checkpoint: epoch {epoch}, {checkpoint.path}" if checkpoint else "there is no checkpoint"


def _run_epoch(steps: Iterator[Risk], params: Array, optimiser: Optimiser, state: State, stop: Stop) -> Step | None:
    """The last step of an epoch; None if ``stop`` said so before it was done."""
    rate = np.nan
    for number, batch in enumerate(steps, start=1):
        if stop():
            return None
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
