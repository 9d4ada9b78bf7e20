"""Progress of a training run as plain lines, fit for a terminal and for a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from io import TextIOBase
from typing import TextIO


class ProgressLines:
    """A ``report`` for ``train``: ``epoch 12/40  loss 0.3012``, at most once per ``interval``, and at the end."""

    def __init__(
        self,
        stream: TextIO | TextIOBase | None = None,
        interval: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stream = stream or sys.stderr
        self.interval = interval  # seconds
        self.clock = clock
        self.next_line = -float("inf")

    def __call__(self, epoch: int, n_epochs: int, loss: float) -> None:
        now = self.clock()
        if now >= self.next_line or epoch == n_epochs:
            print(f"epoch {epoch}/{n_epochs}  loss {loss:.4g}", file=self.stream, flush=True)
            self.next_line = now + self.interval
