"""The loop: one row per epoch, exact resume, a named end when the numbers break down."""

import errno
import fcntl
import io
import math
import os
import pickle
import re
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from analytic_risks import LinearRisk, RXProductRisk, linear_risk, quadratic

import vqc_landscape as vl
from vqc_landscape.tables.parquet import write_table
from vqc_landscape.tables.registry import SCHEMAS
from vqc_landscape.training.checkpoint import Checkpoint, CheckpointError
from vqc_landscape.training.convergence import converged_at
from vqc_landscape.training.interrupt import TrainingStopped, stop_requests
from vqc_landscape.training.loop import TrainingDiverged, batches, train, unless_stopped
from vqc_landscape.training.optimisers import LBFGS, Adam, GradientDescent, InverseSharpness, NaturalGradient
from vqc_landscape.training.progress import ProgressLines

RISK, TEST_RISK, START = linear_risk(50, 4), linear_risk(30, 4, seed=1), np.linspace(-1, 1, 4)


def assert_same(left, right):
    assert left.keys() == right.keys()
    for name in left:
        assert left[name].dtype == right[name].dtype, name
        assert left[name].tobytes() == right[name].tobytes(), name


def test_every_row_is_the_risk_at_its_parameters():
    table = train(RISK, START, Adam(0.1, 16), 3, seed=5, test_risk=TEST_RISK)
    assert list(table) == SCHEMAS["trajectories"].names
    np.testing.assert_array_equal(table["epoch"], [0, 1, 2, 3])
    np.testing.assert_array_equal(table["params"][0], START)
    for i, params in enumerate(table["params"]):
        assert table["loss"][i] == RISK.loss(params)
        assert table["accuracy"][i] == RISK.accuracy(params)
        assert table["test_loss"][i] == TEST_RISK.loss(params)
        assert table["test_accuracy"][i] == TEST_RISK.accuracy(params)
        assert table["grad_norm"][i] == np.linalg.norm(RISK.grad(params))
    np.testing.assert_array_equal(table["learning_rate"], [np.nan, 0.1, 0.1, 0.1])


@pytest.mark.parametrize(
    ("optimiser", "fault"), [("adam", "'adam' has no step"), (Adam, "is a class"), (object(), "has no step")]
)
def test_what_is_no_optimiser_is_named(optimiser, fault):
    with pytest.raises(ValueError, match=f"`optimiser` must be an optimiser, with step, .*{fault}"):
        train(quadratic(np.eye(2)), np.zeros(2), optimiser, 1)


def test_an_epoch_is_a_step_per_batch_in_the_order_of_the_epoch():
    optimiser = Adam(0.1, 16)
    table = train(RISK, START, optimiser, 2, seed=5)
    params, state = START, optimiser.initial_state(START)
    for epoch in (1, 2):
        order = np.random.default_rng([5, epoch]).permutation(50)
        for chosen in (order[:16], order[16:32], order[32:48], order[48:]):
            params, state, _ = optimiser.step(RISK.batch(chosen), params, state)
        np.testing.assert_array_equal(table["params"][epoch], params)


def test_batches_hold_every_sample_once_and_differ_by_epoch_and_seed():
    numbered = LinearRisk(np.arange(10.0)[:, None], np.zeros(10))

    def order(seed, epoch):
        return np.concatenate([batch.x[:, 0] for batch in batches(numbered, 4, seed, epoch)])

    assert [batch.n_samples for batch in batches(numbered, 4, 0, 1)] == [4, 4, 2]
    np.testing.assert_array_equal(np.sort(order(0, 1)), np.arange(10))
    np.testing.assert_array_equal(order(0, 1), order(0, 1))
    assert (order(0, 1) != order(0, 2)).any() and (order(0, 1) != order(1, 1)).any()
    assert list(batches(numbered, None, 0, 1)) == [numbered]


def test_what_does_not_apply_is_null_in_the_table(tmp_path):
    table = train(RXProductRisk(2), [[0.3], [0.4]], LBFGS(2), 1, seed=0)
    write_table("trajectories", tmp_path / "part-0.parquet", table)
    rows = pq.read_table(tmp_path / "part-0.parquet").to_pylist()
    for name in ("accuracy", "test_loss", "test_accuracy", "learning_rate"):
        assert [row[name] for row in rows] == [None, None]
    assert rows[0]["params"] == [0.3, 0.4]


class Stopped(Exception):  # noqa: N818
    pass


def stop_after(epoch):
    def report(done, n_epochs, loss):
        if done == epoch:
            raise Stopped

    return report


CASES = {
    "sgd": (RISK, GradientDescent(0.05, 16)),
    "adam": (RISK, Adam(0.05, 16)),
    "gd": (RISK, GradientDescent(0.05)),
    "hlr": (RISK, InverseSharpness()),
    "lbfgs": (RXProductRisk(4), LBFGS(2)),
    "qng": (RXProductRisk(4), NaturalGradient(0.1, True, 1e-8)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("checkpoint_every", [1, 3])
def test_a_run_stopped_at_any_epoch_goes_on_bit_for_bit(tmp_path, name, checkpoint_every):
    risk, optimiser = CASES[name]
    whole = train(risk, START, optimiser, 7, seed=3, test_risk=TEST_RISK)
    for stop in range(7):
        checkpoint = Checkpoint(tmp_path / str(stop), "key")
        run = {"seed": 3, "test_risk": TEST_RISK, "checkpoint": checkpoint, "checkpoint_every": checkpoint_every}
        with pytest.raises(Stopped):
            train(risk, START, optimiser, 7, report=stop_after(stop), **run)
        assert_same(train(risk, START, optimiser, 7, **run), whole)


def test_a_run_stopped_after_every_single_epoch_goes_on_bit_for_bit(tmp_path):
    whole = train(RISK, START, Adam(0.05, 16), 5, seed=3)
    run = {"seed": 3, "checkpoint": Checkpoint(tmp_path, "key"), "checkpoint_every": 1}
    for stop in range(1, 5):
        with pytest.raises(Stopped):
            train(RISK, START, Adam(0.05, 16), 5, report=stop_after(stop), **run)
    assert_same(train(RISK, START, Adam(0.05, 16), 5, **run), whole)


@pytest.mark.parametrize("steps", [0, 3, 4, 9])  # an epoch of 50 samples in batches of 16 is 4 steps
def test_a_run_that_is_asked_to_stop_keeps_the_last_whole_epoch_and_goes_on_bit_for_bit(tmp_path, steps):
    checkpoint, asked = Checkpoint(tmp_path, "key"), iter(range(100))
    run = {"seed": 3, "checkpoint": checkpoint, "checkpoint_every": 5}
    stopped = train(RISK, START, Adam(0.05, 16), 5, stop=lambda: next(asked) == steps, **run)
    assert stopped.ended == "stopped"
    assert_same(stopped, train(RISK, START, Adam(0.05, 16), steps // 4, seed=3))
    assert_same(checkpoint.load()[1], stopped)
    where = f"stopped in epoch {steps // 4 + 1}; last good checkpoint: epoch {steps // 4}, {checkpoint.path}"
    with pytest.raises(TrainingStopped, match=re.escape(where)):
        unless_stopped(stopped, checkpoint)
    again = train(RISK, START, Adam(0.05, 16), 5, **run)
    assert again.ended == "n_epochs" and unless_stopped(again, checkpoint) is again
    assert_same(again, train(RISK, START, Adam(0.05, 16), 5, seed=3))


def test_a_run_without_a_checkpoint_that_is_asked_to_stop_gives_its_rows():
    asked = iter(range(100))
    stopped = train(RISK, START, Adam(0.05), 50, stop=lambda: next(asked) == 7)
    assert (
        repr(stopped)
        == f"Trajectory(7 epochs, loss from {stopped['loss'][0]:.4g} to {stopped['loss'][7]:.4g}, ended: stopped)"
    )
    assert_same(stopped, train(RISK, START, Adam(0.05), 7))
    with pytest.raises(TrainingStopped, match="stopped in epoch 8; there is no checkpoint"):
        unless_stopped(stopped, None)


def test_a_trajectory_that_was_pickled_still_says_why_it_ended():
    run = train(RISK, START, Adam(0.05), 2)
    again = pickle.loads(pickle.dumps(run))
    assert again.ended == "n_epochs"
    assert_same(again, run)


# --- convergence ------------------------------------------------------------------------------------------


def first_still(losses, tol):
    """The definition, epoch by epoch."""
    for epoch in range(10, len(losses)):
        window = losses[epoch - 10 : epoch + 1]
        if max(window) - min(window) <= tol * max(abs(losses[epoch]), 1e-3):
            return epoch
    return None


@pytest.mark.parametrize("energy", [0.0, -3.0, 5.0])
@pytest.mark.parametrize("tol", [1e-2, 1e-5])
def test_a_run_ends_where_its_closed_form_stands_still(energy, tol):
    risk = quadratic(np.eye(1))
    value = risk.loss
    risk.loss = lambda p: energy + value(p)
    run = train(risk, [2.0], GradientDescent(0.1), 1000, tol=tol)
    expected = first_still([energy + 2 * 0.9 ** (2 * epoch) for epoch in range(200)], tol)
    assert run.ended == "converged" and run["epoch"][-1] == expected > 10
    assert_same(run, train(risk, [2.0], GradientDescent(0.1), expected))


def test_no_run_converges_before_there_is_a_whole_window():
    minimum = np.zeros(1)
    assert train(quadratic(np.eye(1)), minimum, GradientDescent(0.1), 9, tol=1e-6).ended == "n_epochs"
    for n_epochs in (10, 50):
        run = train(quadratic(np.eye(1)), minimum, GradientDescent(0.1), n_epochs, tol=1e-6)
        assert run.ended == "converged" and run["epoch"][-1] == 10


def test_a_loss_that_swings_has_not_converged_where_it_comes_back():
    swing = 1 + 0.5 * np.cos(2 * np.pi * np.arange(40) / 10)  # L_e = L_(e - 10)
    assert converged_at(swing, 1e-6) is None
    assert converged_at(np.concatenate([swing, np.full(30, 1.5)]), 1e-6) == 50
    assert converged_at(np.ones(40), None) is None


def test_mini_batches_converge_by_the_loss_of_the_whole_set():
    whole = train(RISK, START, Adam(0.05, 16), 60, seed=3)
    tol = 0.05
    expected = first_still(whole["loss"].tolist(), tol)
    assert 10 < expected < 60
    run = train(RISK, START, Adam(0.05, 16), 60, seed=3, tol=tol)
    assert_same(run, {name: column[: expected + 1] for name, column in whole.items()})


@pytest.mark.parametrize("checkpoint_every", [1, 4, 100])
def test_a_run_that_was_stopped_converges_at_the_same_epoch_and_then_trains_no_more(tmp_path, checkpoint_every):
    steps = []

    class Counted(LinearRisk):
        def loss_and_grad(self, params):
            steps.append(1)
            return super().loss_and_grad(params)

    risk = Counted(RISK.x, RISK.y)
    run = {"tol": 1e-3, "checkpoint": Checkpoint(tmp_path, "key"), "checkpoint_every": checkpoint_every}
    whole = train(RISK, START, Adam(0.1), 500, tol=1e-3)
    for n_steps in (0, 5, 11):
        asked = iter(range(1000))
        assert (
            train(risk, START, Adam(0.1), 500, stop=lambda a=asked, n=n_steps: next(a) == n, **run).ended == "stopped"
        )
    assert_same(train(risk, START, Adam(0.1), 500, **run), whole)
    done = len(steps)
    again = train(risk, START, Adam(0.1), 500, stop=lambda: True, **run)
    assert again.ended == "converged" and len(steps) == done
    assert_same(again, whole)
    # the checkpoint is a whole one: without a tolerance the run goes on from there
    further = train(risk, START, Adam(0.1), len(whole["epoch"]) + 3, checkpoint=run["checkpoint"])
    assert further.ended == "n_epochs"
    assert_same(further, train(RISK, START, Adam(0.1), len(whole["epoch"]) + 3))
    # and the longer run answers for the one that converged
    assert_same(train(risk, START, Adam(0.1), 500, **run), whole)


@pytest.mark.parametrize("tol", [0, -1e-6, "small"])
def test_a_tolerance_that_is_none_is_named(tol):
    with pytest.raises(ValueError, match="`tol` must be"):
        train(RISK, START, Adam(0.1), 5, tol=tol)


# --- a folder as checkpoint -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_keeps_a_run(tmp_path, kind):
    seen = []

    def report(epoch, n_epochs, loss):
        seen.append(epoch)

    run = {"seed": 3, "test_risk": TEST_RISK, "checkpoint": kind(tmp_path / "run")}
    train(RISK, START, Adam(0.05, 16), 4, **run)
    longer = train(RISK, START, Adam(0.05, 16), 6, report=report, **run)
    assert seen == [4, 5, 6]
    assert_same(longer, train(RISK, START, Adam(0.05, 16), 6, seed=3, test_risk=TEST_RISK))


OTHER_RUNS = {
    "initial parameters": {"params": START + 1e-13},
    "optimiser": {"optimiser": Adam(0.06, 16)},
    "seed": {"seed": 4},
    "another sample": {"risk": LinearRisk(RISK.x, np.where(np.arange(50) == 7, -RISK.y, RISK.y))},
    "type of the risk": {"risk": type("Other", (LinearRisk,), {})(RISK.x, RISK.y)},
    "test risk": {"test_risk": linear_risk(30, 4, seed=2)},
    "no test risk": {"test_risk": None},
}


@pytest.mark.parametrize("name", OTHER_RUNS)
def test_a_folder_of_another_run_is_refused(tmp_path, name):
    run = {"risk": RISK, "params": START, "optimiser": Adam(0.05, 16), "n_epochs": 2, "seed": 3, "test_risk": TEST_RISK}
    kept = train(**run, checkpoint=tmp_path)
    with pytest.raises(CheckpointError, match=f"{tmp_path}.* belongs to another run: .* Use another folder, or delete"):
        train(**(run | OTHER_RUNS[name]), checkpoint=tmp_path)
    assert_same(train(**run, checkpoint=tmp_path), kept)


def test_risks_that_agree_at_the_initial_point_are_told_apart(tmp_path):
    first, second = (vl.CircuitRisk(vl.rx_product(2, 1), vl.PauliZ(q), "expval") for q in (0, 1))
    start = np.zeros(2)
    assert first.loss(start) == second.loss(start) and (first.grad(start) == second.grad(start)).all()
    train(first, start, GradientDescent(0.1), 1, checkpoint=tmp_path)
    with pytest.raises(CheckpointError, match="belongs to another run"):
        train(second, start, GradientDescent(0.1), 1, checkpoint=tmp_path)


def test_the_round_off_of_another_processor_is_no_other_run(tmp_path):
    here, there = quadratic(np.diag([1.0, 3.0])), quadratic(np.diag([1.0, 3.0]) * (1 + 1e-14))
    run = {"params": [1.0, 0.5], "optimiser": GradientDescent(0.1), "checkpoint": tmp_path}
    assert here.loss(START[:2]) != there.loss(START[:2])
    train(here, n_epochs=1, **run)
    assert train(there, n_epochs=2, **run)["epoch"].tolist() == [0, 1, 2]


def test_an_optimiser_that_does_not_tell_its_numbers_needs_a_key(tmp_path):
    class Own:
        batch_size = None
        initial_state, step = GradientDescent(0.1).initial_state, GradientDescent(0.1).step

    with pytest.raises(
        ValueError, match=r"repr must tell its numbers, but it is <.*Own object at .* vl\.Checkpoint\(folder"
    ):
        train(RISK, START, Own(), 1, checkpoint=tmp_path)
    assert train(RISK, START, Own(), 1, checkpoint=Checkpoint(tmp_path, "own")).ended == "n_epochs"


@pytest.mark.parametrize("wrong", [3, b"runs", True])
def test_what_is_no_checkpoint_is_named(wrong):
    with pytest.raises(
        ValueError,
        match=f"`checkpoint` must be the path of a folder or a vl.Checkpoint, but is a {type(wrong).__name__}",
    ):
        train(RISK, START, Adam(0.1), 1, checkpoint=wrong)


def test_who_is_asked_to_stop_while_another_trains_writes_nothing(tmp_path):
    first, second = (Checkpoint(tmp_path, "key") for _ in range(2))
    with ThreadPoolExecutor(1) as other, first.lock():
        waiting = other.submit(train, RISK, START, Adam(0.05, 16), 5, seed=3, checkpoint=second, stop=lambda: True)
        with pytest.raises(TrainingStopped, match=f"while another process trained in {tmp_path}"):
            waiting.result(timeout=30)
    assert not first.path.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_request_and_only_a_second_ctrl_c_ends_the_process(number):
    before = signal.getsignal(number)
    with stop_requests() as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop() and (signal.getsignal(number) == before) == (number == signal.SIGINT)
    # the second SIGTERM of two must not end the process before it has said that it stops
    assert signal.getsignal(number) == (signal.SIG_IGN if number == signal.SIGTERM else before)
    signal.signal(number, before)
    with stop_requests() as stop:
        assert not stop() and signal.getsignal(number) != before
    assert signal.getsignal(number) == before


def test_resuming_computes_only_what_is_missing(tmp_path):
    checkpoint, seen = Checkpoint(tmp_path, "key"), []
    short = train(RISK, START, Adam(0.05, 16), 4, seed=3, checkpoint=checkpoint)

    def report(epoch, n_epochs, loss):
        seen.append((epoch, n_epochs))

    longer = train(RISK, START, Adam(0.05, 16), 6, seed=3, checkpoint=checkpoint, report=report)
    assert seen == [(4, 6), (5, 6), (6, 6)]
    assert_same(longer, train(RISK, START, Adam(0.05, 16), 6, seed=3))
    # the longer run answers for the shorter one, and is kept
    assert_same(train(RISK, START, Adam(0.05, 16), 4, seed=3, checkpoint=checkpoint, report=report), short)
    assert seen[3:] == [(4, 4)]
    assert checkpoint.load()[1]["epoch"][-1] == 6


@pytest.mark.parametrize(("stop", "kept"), [(3, 3), (5, 3), (6, 6)])
def test_a_checkpoint_is_written_every_so_many_epochs(tmp_path, stop, kept):
    checkpoint = Checkpoint(tmp_path, "key")
    with pytest.raises(Stopped):
        train(RISK, START, Adam(0.05), 7, seed=3, checkpoint=checkpoint, checkpoint_every=3, report=stop_after(stop))
    assert checkpoint.load()[1]["epoch"][-1] == kept


def test_a_damaged_checkpoint_is_named_and_the_run_starts_anew(tmp_path, caplog):
    checkpoint = Checkpoint(tmp_path, "key")
    whole = train(RISK, START, Adam(0.05, 16), 4, seed=3, checkpoint=checkpoint)
    content = bytearray(checkpoint.path.read_bytes())
    content[-20] ^= 1
    checkpoint.path.write_bytes(content)
    assert_same(train(RISK, START, Adam(0.05, 16), 4, seed=3, checkpoint=checkpoint), whole)
    assert f"{checkpoint.path} is damaged" in caplog.text


def test_two_writers_do_the_work_once(tmp_path):
    steps, results = [], []
    optimiser = GradientDescent(0.05)

    class Counted(LinearRisk):
        def loss_and_grad(self, params):
            steps.append(1)
            return super().loss_and_grad(params)

    def write():
        risk = Counted(RISK.x, RISK.y)
        results.append(train(risk, START, optimiser, 20, seed=0, checkpoint=Checkpoint(tmp_path, "key")))

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert_same(*results)
    assert len(steps) == 41  # the first row, then a step and a row in each of 20 epochs


def test_two_writers_on_a_file_system_without_locks_write_the_same_bytes(tmp_path, monkeypatch):
    def no_locks(descriptor, operation):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    run = {"seed": 3, "checkpoint_every": 1}
    with ThreadPoolExecutor(2) as pool:
        futures = [
            pool.submit(train, RISK, START, Adam(0.05, 16), 40, checkpoint=Checkpoint(tmp_path, "key"), **run)
            for _ in range(2)
        ]
        for future in futures:
            assert_same(future.result(timeout=60), train(RISK, START, Adam(0.05, 16), 40, seed=3))
    assert_same(Checkpoint(tmp_path, "key").load()[1], futures[0].result())


class BreaksDown(LinearRisk):
    """Loss NaN from the given call of ``loss_and_grad`` on (a batch counts for the whole risk)."""

    def __init__(self, x, y, calls_left):
        super().__init__(x, y)
        self.calls_left = calls_left  # shared by the batches

    def batch(self, indices):
        return BreaksDown(self.x[indices], self.y[indices], self.calls_left)

    def loss_and_grad(self, params):
        self.calls_left[0] -= 1
        loss, grad = super().loss_and_grad(params)
        return (math.nan if self.calls_left[0] < 0 else loss), grad


# an epoch of 50 samples in batches of 16 is 4 steps and 1 row; the first row is call 1
@pytest.mark.parametrize(
    ("n_calls", "where"),
    [
        (1 + 5 + 5 + 2, "epoch 3, step 3: loss is nan"),
        (1 + 5 + 5 + 4, "epoch 3, over the whole training set: loss is nan"),
    ],
)
def test_a_nan_loss_ends_the_run_and_keeps_the_last_good_epoch(tmp_path, n_calls, where):
    checkpoint = Checkpoint(tmp_path, "key")
    risk = BreaksDown(RISK.x, RISK.y, [n_calls])
    with pytest.raises(TrainingDiverged, match=f"diverged at {where}; last good checkpoint: epoch 2, .*checkpoint"):
        train(risk, START, Adam(0.05, 16), 7, seed=3, checkpoint=checkpoint)
    kept = checkpoint.load()[1]
    assert_same(kept, train(RISK, START, Adam(0.05, 16), 2, seed=3))
    # with the cause removed, the run goes on as if nothing had been
    again = train(RISK, START, Adam(0.05, 16), 7, seed=3, checkpoint=checkpoint)
    assert_same(again, train(RISK, START, Adam(0.05, 16), 7, seed=3))


def test_a_nan_loss_at_the_start_or_without_checkpoint_is_named(tmp_path):
    at_start = "Training diverged at epoch 0, over the whole training set: loss is nan; there is no checkpoint"
    with pytest.raises(TrainingDiverged, match=at_start):
        train(
            BreaksDown(RISK.x, RISK.y, [0]),
            START,
            GradientDescent(0.1),
            2,
            seed=0,
            checkpoint=Checkpoint(tmp_path, "k"),
        )
    with pytest.raises(TrainingDiverged, match="epoch 1, step 1: loss is nan; there is no checkpoint"):
        train(BreaksDown(RISK.x, RISK.y, [1]), START, GradientDescent(0.1), 2, seed=0)


def test_a_parameter_that_overflows_is_named():
    risk = quadratic(np.eye(2))
    risk.grad = lambda p: np.array([1e300, 0.0])
    with np.errstate(over="ignore"), pytest.raises(TrainingDiverged, match="epoch 1, step 1: a parameter is -inf"):
        train(risk, np.ones(2), GradientDescent(1e300), 2, seed=0)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="`params` must have 4 entries"):
        train(RISK, np.zeros(3), GradientDescent(0.1), 1, seed=0)
    with pytest.raises(ValueError, match="`n_epochs` must be a whole number at least 0, but is -1"):
        train(RISK, START, GradientDescent(0.1), -1, seed=0)
    with pytest.raises(ValueError, match="`checkpoint_every` must be a whole number at least 1, but is 0"):
        train(RISK, START, GradientDescent(0.1), 1, seed=0, checkpoint_every=0)


def test_progress_is_a_line_a_second_and_one_at_the_end():
    stream, now = io.StringIO(), iter([0.0, 0.4, 1.1, 1.2, 1.3])
    report = ProgressLines(stream, clock=lambda: next(now))
    for epoch in range(5):
        report(epoch, 4, 1 / (epoch + 1))
    assert stream.getvalue() == "epoch 0/4  loss 1\nepoch 2/4  loss 0.3333\nepoch 4/4  loss 0.2\n"


@pytest.mark.parametrize(
    ("returned", "fault"),
    [
        (np.zeros(3), r"must return new parameters, state and learning rate, but returned array\(\["),
        ((np.zeros(2), {}, 0.1), r"must return parameters of shape \(3,\), but they are \(2,\)"),
        ((np.zeros(3), None, 0.1), "must return its state as a dictionary, but returned a NoneType"),
        ((np.zeros(3), {}, None), r"must return its learning rate as a number \(NaN: none\), but returned None"),
    ],
)
def test_a_step_that_returns_something_else_is_named(returned, fault):
    class Own(GradientDescent):
        def step(self, risk, params, state):
            return returned

    with pytest.raises(ValueError, match=f"Own.step {fault}"):
        train(RXProductRisk(3), np.ones(3), Own(0.1), 1)


def test_a_batch_larger_than_the_data_is_refused():
    risk = linear_risk(5, 2)
    with pytest.raises(ValueError, match="`optimiser.batch_size` must be a whole number between 1 and 5, but is 6"):
        train(risk, np.zeros(risk.n_params), Adam(0.1, 6), 1)

    class Own(GradientDescent):
        batch_size = "2"

    with pytest.raises(ValueError, match="`optimiser.batch_size` must be a whole number between 1 and 5, but is '2'"):
        train(risk, np.zeros(risk.n_params), Own.__new__(Own), 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stop": True}, "`stop` must be a function, but is True"),
        ({"report": 3}, "`report` must be a function, but is 3"),
        ({"test_risk": "circuit"}, "`test_risk` must be a risk, such as vl.from_qnode"),
    ],
)
def test_what_is_no_function_or_no_risk_is_refused(arguments, message):
    risk = vl.CircuitRisk(vl.rx_product(2, 1), vl.PauliZ(0), "expval")
    with pytest.raises(ValueError, match=message):
        vl.train(risk, [0.1, 0.2], vl.GradientDescent(0.1), 1, **arguments)
