"""Contenders against the clock: each in its own process, in turns with ours, within limits of time and memory."""

from __future__ import annotations

import json
import os
import selectors
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.memory import available_bytes, resident_bytes
from benchmarks.peers import OURS

POLL = 0.05  # seconds between two looks at a contender's memory
ROUND = 0.3  # seconds: a round is as many runs as fill them, so that short ones are not lost in the clock's noise


@dataclass(frozen=True)
class Limits:
    """What a contender may use: seconds to get ready and again for each round, threads, and seconds in all rounds."""

    seconds: float
    threads: int = 2
    rounds_s: float = 10.0


class NoAnswerError(Exception):
    """A contender ended, failed, or ran into a limit; the message goes into the table."""


class Contender:
    """A worker process, ready to run when the constructor returns.

    Raises:
        NoAnswerError: it did not get ready.
    """

    def __init__(self, peer: str, quantity: str, case: tuple[Any, ...], limits: Limits, **environment: str) -> None:
        self.limits = limits
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "result.npy")
        task = {"peer": peer, "quantity": quantity, "case": case, "threads": limits.threads, "result": str(self.path)}
        threads = {"OMP_NUM_THREADS": str(limits.threads), "OPENBLAS_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", json.dumps(task)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | threads | environment,
            start_new_session=True,
        )
        self.ready = self._answer()

    def round(self, seconds: float = ROUND) -> tuple[float, int]:
        """Median time of the runs of one round, and the peak of memory up to now in bytes.

        Raises:
            NoAnswerError: a limit, or a failure.
        """
        assert self.process.stdin is not None
        try:
            print(seconds, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            raise NoAnswerError("ended without an answer") from None
        answer = self._answer()
        return statistics.median(answer["seconds"]) * self.ready["factor"], answer["peak"]

    def result(self) -> Any:
        """What the last run computed."""
        return np.load(self.path)

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        deadline = time.monotonic() + self.limits.seconds
        allowed = available_bytes() + resident_bytes(self.process.pid)
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not selector.select(POLL):
                if time.monotonic() > deadline:
                    self.close()
                    raise NoAnswerError(f"no answer within {self.limits.seconds:g} s")
                if resident_bytes(self.process.pid) > allowed:
                    self.close()
                    raise NoAnswerError(f"needs more than {allowed / 1e9:.0f} GB")
        answer: dict[str, Any] = json.loads(self.process.stdout.readline() or '{"failure": "ended without an answer"}')
        if "failure" in answer:
            self.close()
            raise NoAnswerError(answer["failure"].removeprefix("DoesNotFitError: "))
        return answer

    def close(self) -> None:
        """End the process and what it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.folder.cleanup()


def race(
    ours: Contender, peer: str, quantity: str, case: tuple[Any, ...], limits: Limits, n_rounds: int
) -> dict[str, Any]:
    """One contender in turns with ours: times, ratios, peak memory, error."""
    row: dict[str, Any] = {"peer": peer, "quantity": quantity, "case": ours.ready["case"], "size": case}
    try:
        theirs = Contender(peer, quantity, case, limits)
    except NoAnswerError as reason:
        return row | {"failure": str(reason)}
    row |= theirs.ready
    try:
        return row | _rounds(ours, theirs, limits, n_rounds)
    finally:
        theirs.close()


def _rounds(ours: Contender, theirs: Contender, limits: Limits, n_rounds: int) -> dict[str, Any]:
    seconds: list[float] = []
    ratios: list[float] = []
    peak, error, spent = 0, None, time.monotonic()
    while len(seconds) < n_rounds and (not seconds or time.monotonic() - spent < limits.rounds_s):
        our_time, _ = ours.round()
        try:
            their_time, peak = theirs.round()
        except NoAnswerError as reason:
            if not seconds:
                return {"failure": str(reason)}
            break
        seconds.append(their_time)
        ratios.append(their_time / our_time)
        if error is None and theirs.ready["case"] == ours.ready["case"]:
            error = float(np.nanmax(np.abs(theirs.result() - ours.result())))
    return {"seconds": seconds, "ratios": ratios, "peak": peak, "error": error}


def alone(
    quantity: str, case: tuple[Any, ...], limits: Limits, n_rounds: int, **environment: str
) -> tuple[Contender | None, dict[str, Any]]:
    """Ours without a contender: its row, and the process, which stays ready (None if it did not answer)."""
    row: dict[str, Any] = {"peer": OURS, "quantity": quantity, "size": case}
    try:
        ours = Contender(OURS, quantity, case, limits, **environment)
        row |= ours.ready
        rounds = [ours.round() for _ in range(n_rounds)]
    except NoAnswerError as reason:
        return None, {"case": " ".join(map(str, case))} | row | {"failure": str(reason)}
    return ours, row | {"seconds": [t for t, _ in rounds], "peak": rounds[-1][1], "error": 0.0}
