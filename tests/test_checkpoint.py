"""A checkpoint comes back as it went in, or it is named and not used."""

import errno
import fcntl
import logging
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from vqc_landscape.training import checkpoint as checkpoint_module
from vqc_landscape.training.checkpoint import Checkpoint, CheckpointError

STATE = {"m": np.array([0.1, -0.2]), "t": np.array([3.0])}
TRAJECTORY = {
    "epoch": np.array([0, 1]),
    "loss": np.array([0.5, 1 / 3]),
    "accuracy": np.array([np.nan, np.nan]),
    "params": np.array([[1.0, 2.0], [3.0, 4.0]]),
}


@pytest.fixture
def saved(tmp_path):
    checkpoint = Checkpoint(tmp_path / "run", "abc")
    checkpoint.save(STATE, TRAJECTORY)
    return checkpoint


def same(left, right):
    return left.keys() == right.keys() and all(
        left[k].dtype == right[k].dtype and left[k].shape == right[k].shape and left[k].tobytes() == right[k].tobytes()
        for k in left
    )


def test_a_checkpoint_comes_back_bit_for_bit(saved):
    state, trajectory = saved.load()
    assert same(state, STATE) and same(trajectory, TRAJECTORY)
    assert not same(state, STATE | {"t": np.array([3])})  # the comparison itself can fail


def test_an_empty_state_and_any_memory_order_come_back(tmp_path):
    checkpoint = Checkpoint(tmp_path, "abc")
    columns = TRAJECTORY | {"params": np.asfortranarray(np.arange(6.0).reshape(2, 3))}
    checkpoint.save({}, columns)
    state, trajectory = checkpoint.load()
    assert state == {} and same(trajectory, columns)


def test_no_checkpoint_is_none(tmp_path):
    assert Checkpoint(tmp_path / "nothing", "abc").load() is None


def test_saving_replaces_and_leaves_nothing_beside(saved):
    saved.save({}, TRAJECTORY)
    assert saved.load()[0] == {}
    assert [p.name for p in saved.folder.iterdir()] == ["checkpoint.safetensors"]


def test_an_interrupted_save_keeps_the_old_checkpoint(saved, monkeypatch):
    def interrupted(arrays, path, metadata):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint_module, "save_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        saved.save({}, TRAJECTORY)
    assert same(saved.load()[0], STATE)
    assert [p.name for p in saved.folder.iterdir()] == ["checkpoint.safetensors"]


def test_a_checkpoint_of_another_run_is_refused_by_name(saved):
    other = Checkpoint(saved.folder, "xyz")
    with pytest.raises(
        CheckpointError, match=r"checkpoint\.safetensors belongs to another run: its key is abc, expected xyz"
    ):
        other.load()
    assert saved.load() is not None  # refused, not destroyed


def test_a_checkpoint_of_another_version_is_refused_by_name(saved, monkeypatch):
    monkeypatch.setattr(checkpoint_module, "VERSION", "2")
    with pytest.raises(CheckpointError, match="its version is 1, expected 2"):
        saved.load()


def load_damaged(checkpoint, content, caplog):
    """What loads from ``content`` and whether the log named it as damaged; the file is set aside then."""
    checkpoint.path.write_bytes(content)
    caplog.clear()
    loaded = checkpoint.load()
    named = any(f"{checkpoint.path} is damaged" in message for message in caplog.messages)
    assert named == (loaded is None) == (not checkpoint.path.exists())
    if loaded is None:
        damaged = checkpoint.path.with_name("checkpoint.safetensors.damaged")
        assert damaged.read_bytes() == content
        damaged.unlink()
    return loaded


def test_a_truncated_checkpoint_is_named_at_every_length(saved, caplog):
    whole = saved.path.read_bytes()
    for length in range(len(whole)):
        assert load_damaged(saved, whole[:length], caplog) is None


def test_a_flipped_bit_is_named_or_changes_nothing(saved, caplog):
    whole = saved.path.read_bytes()
    n_named = 0
    for position in range(len(whole)):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << position % 8
        loaded = load_damaged(saved, bytes(flipped), caplog)
        n_named += loaded is None
        if loaded is not None:  # spaces that pad the header
            assert same(loaded[0], STATE) and same(loaded[1], TRAJECTORY)
    assert n_named > len(whole) - 16


def test_a_damaged_checkpoint_does_not_replace_an_earlier_one(saved, caplog):
    for number in range(1, 5):
        saved.path.write_bytes(b"damage %d" % number)
        assert saved.load() is None
        name = "checkpoint.safetensors.damaged" + (f"-{number}" if number > 1 else "")
        assert caplog.messages[-1].endswith(f"kept as {saved.folder / name}, training starts anew.")
    assert {path.read_bytes() for path in saved.folder.iterdir()} == {b"damage %d" % n for n in range(1, 5)}


@pytest.mark.parametrize(
    ("folder", "key", "message"),
    [
        (3, "abc", "`folder` must be the path of a folder, but is 3"),
        (__file__, "abc", r"`folder` must be the path of a folder, but is '.*test_checkpoint\.py'"),
        ("runs", 7, "`key` must be a text that names the run, but is 7"),
        ("runs", "", "`key` must be a text that names the run, but is ''"),
    ],
)
def test_what_makes_no_checkpoint_is_named(folder, key, message):
    with pytest.raises(ValueError, match=message):
        Checkpoint(folder, key)


@pytest.mark.parametrize("content", [b"", b"no safetensors file", b"\x02\0\0\0\0\0\0\0{}"])
def test_a_foreign_file_is_named(saved, caplog, content):
    assert load_damaged(saved, content, caplog) is None


def test_the_second_writer_waits_for_the_first(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    first, second = Checkpoint(tmp_path / "run", "abc"), Checkpoint(tmp_path / "run", "abc")
    waiting, order = threading.Event(), []

    class Watch(logging.Handler):
        def emit(self, record):
            waiting.set()

    def write():
        with second.lock():
            order.append("second")

    logger = logging.getLogger(checkpoint_module.__name__)
    watch = Watch()
    logger.addHandler(watch)
    try:
        with first.lock():
            thread = threading.Thread(target=write)
            thread.start()
            assert waiting.wait(timeout=30)
            order.append("first")
        thread.join(timeout=30)
    finally:
        logger.removeHandler(watch)
    assert order == ["first", "second"]
    assert f"Waiting for another process that trains in {tmp_path / 'run'}" in caplog.text


def test_a_killed_writer_leaves_no_lock_behind(tmp_path):
    program = (
        "import sys, time; from vqc_landscape.training.checkpoint import Checkpoint\n"
        "with Checkpoint(sys.argv[1], 'abc').lock(): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "held\n"
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
    with Checkpoint(tmp_path, "abc").lock():
        pass


def test_what_a_killed_writer_left_half_written_goes_when_the_next_one_holds_the_folder(saved):
    left = saved.folder / ".checkpoint.safetensors.k3x.safetensors"
    left.write_bytes(b"half")
    with saved.lock():
        assert not left.exists()
    assert saved.load() is not None


def refuse_to_lock(monkeypatch, number):
    def flock(descriptor, operation):
        if operation != fcntl.LOCK_UN:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK])
def test_without_locks_the_work_goes_on_and_the_log_says_so(saved, monkeypatch, caplog, number):
    refuse_to_lock(monkeypatch, number)
    half_written = saved.folder / ".checkpoint.safetensors.k3x.safetensors"
    half_written.write_bytes(b"of another writer, who may live")
    with saved.lock():
        saved.save({}, TRAJECTORY)
    assert f"The file system of {saved.folder} has no locks" in caplog.text
    assert half_written.exists()
    assert not list(saved.folder.glob("*.lock"))  # no soft lock, which would outlive a killed process


def test_a_lock_that_fails_for_another_reason_is_an_error(saved, monkeypatch):
    refuse_to_lock(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="Input/output error"), saved.lock():
        pass
