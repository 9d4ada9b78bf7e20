"""Checkpoints of a training run: one file that is replaced as a whole, checked when read, locked while in use.

A checkpoint holds the optimiser's state and the trajectory so far, whose last row has the epoch and the parameters.
The random state is (seed, epoch): the generator of every epoch is made anew from the two, and the seed is part of the
key. The metadata have the format's version, the key of the run and a SHA-256 of all of it. safetensors holds arrays and
text only: no checkpoint can run code.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from vqc_landscape.tables.files import atomic_file
from vqc_landscape.training.interrupt import Stop, TrainingStopped

VERSION = "1"
Columns = dict[str, NDArray[Any]]

_log = logging.getLogger(__name__)

_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK}  # not implemented, not supported, no server for locks


class CheckpointError(RuntimeError):
    """A checkpoint that must not be used; the message names the file."""


class Checkpoint:
    """The checkpoint of one training run, for ``vl.train(..., checkpoint=...)``.

    A folder in its place is a checkpoint whose key ``vl.train`` makes from the run itself.

    Args:
        folder: where the file and its lock live; made when first needed.
        key: a name or a hash of all that changes the trajectory (not the number of epochs): a run goes on from a
            checkpoint of its own key only.

    Raises:
        ValueError: a folder that is a file or no path, or a key that is no text.

    Example:
        >>> import tempfile
        >>> import vqc_landscape as vl
        >>> folder = tempfile.mkdtemp()  # or "runs/toy"
        >>> risk = vl.CircuitRisk(vl.rx_product(2, 1), vl.Projector([1, 0, 0, 0]), loss="infidelity")
        >>> checkpoint = vl.Checkpoint(folder, key="rx_product, gradient descent 0.5, from (1, 2)")
        >>> _ = vl.train(risk, [1.0, 2.0], vl.GradientDescent(0.5), n_epochs=3, checkpoint=checkpoint)
        >>> state, trajectory = checkpoint.load()
        >>> trajectory["epoch"]
        array([0, 1, 2, 3])
        >>> longer = vl.train(risk, [1.0, 2.0], vl.GradientDescent(0.5), n_epochs=5, checkpoint=checkpoint)  # 2 more
    """

    def __init__(self, folder: str | os.PathLike[str], key: str) -> None:
        if not isinstance(folder, str | os.PathLike) or Path(folder).is_file():
            raise ValueError(f"Argument `folder` must be the path of a folder, but is {folder!r}.")
        if not isinstance(key, str) or not key:
            raise ValueError(f"Argument `key` must be a text that names the run, but is {key!r}.")
        self.folder = Path(folder)
        self.key = key
        self.path = self.folder / "checkpoint.safetensors"

    @contextmanager
    def lock(self, stop: Stop = lambda: False) -> Iterator[None]:
        """Hold the folder: a second writer waits here, and then finds the work done; ``stop`` ends the waiting.

        The lock is ``flock``, which Linux turns into a lock of the server on NFS: it holds across the nodes of a
        cluster, and ends with its process. Where a file system has no locks, two writers do the same work twice
        and replace whole files by the same bytes.

        Raises:
            TrainingStopped: while it waited.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        # a soft lock, filelock's own way out, would outlive a killed process on another node
        lock = FileLock(self.folder / "lock", fallback_to_soft=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            _log.warning("Waiting for another process that trains in %s.", self.folder)
            try:
                lock.acquire(cancel_check=stop)
            except Timeout:
                raise TrainingStopped(f"Stopped while another process trained in {self.folder}.") from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            _log.warning("The file system of %s has no locks (%s).", self.folder, error)
        if lock.is_locked:
            for left in self.folder.glob(f".{self.path.name}.*"):  # of a writer that was killed while it wrote
                left.unlink()
        try:
            yield
        finally:
            lock.release()

    def save(self, state: Columns, trajectory: Columns) -> None:
        """Replace the checkpoint: all of it or nothing."""
        arrays = {f"state.{k}": v for k, v in state.items()} | {f"trajectory.{k}": v for k, v in trajectory.items()}
        # safetensors writes a column-major array in the wrong order
        arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
        metadata = {"version": VERSION, "key": self.key, "sha256": _digest(VERSION, self.key, arrays)}
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_file(self.path) as temporary:
            save_file(arrays, temporary, metadata)
        _log.debug("checkpoint of epoch %d is safe", trajectory["epoch"][-1])

    def load(self) -> tuple[Columns, Columns] | None:
        """State and trajectory as saved; None where there is no checkpoint or only a damaged one.

        A damaged file is named in the log and set aside as ``checkpoint.safetensors.damaged``, the next one as
        ``.damaged-2`` and so on.

        Raises:
            CheckpointError: the file is whole, but of another run or of another version of the format.
        """
        if not self.path.exists():
            return None
        try:
            version, key, arrays = _read(self.path)
        except (SafetensorError, KeyError, ValueError) as error:
            damaged = self._free_name()
            os.replace(self.path, damaged)
            _log.warning("Checkpoint %s is damaged (%s): kept as %s, training starts anew.", self.path, error, damaged)
            return None
        for name, found, expected in (("version", version, VERSION), ("key", key, self.key)):
            if found != expected:
                raise CheckpointError(
                    f"Checkpoint {self.path} belongs to another run: its {name} is {found}, expected {expected}. "
                    "Its initial parameters, optimiser, seed, risk or code were others. Use another folder, or delete "
                    f"{self.folder} to train anew."
                )
        return _under("state.", arrays), _under("trajectory.", arrays)

    def _free_name(self) -> Path:
        """Where a damaged file goes without replacing an earlier one."""
        name = f"{self.path.name}.damaged"
        numbered = (self.path.with_name(f"{name}-{number}") for number in itertools.count(2))
        return next(path for path in itertools.chain([self.path.with_name(name)], numbered) if not path.exists())


def _read(path: Path) -> tuple[str, str, Columns]:
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata() or {}
        arrays = {name: file.get_tensor(name) for name in file.keys()}
    version, key, stored = (metadata[name] for name in ("version", "key", "sha256"))
    if _digest(version, key, arrays) != stored:
        raise ValueError("its SHA-256 does not match")
    return version, key, arrays


def _digest(version: str, key: str, arrays: Columns) -> str:
    digest = hashlib.sha256(f"{version} {key}".encode())
    for name in sorted(arrays):
        digest.update(f" {name} {arrays[name].dtype} {arrays[name].shape} ".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def _under(prefix: str, arrays: Columns) -> Columns:
    return {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}
