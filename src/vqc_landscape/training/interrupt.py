"""How a scheduler asks a training run to end: as a flag that the loop looks at between two steps."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Stop = Callable[[], bool]

SIGNALS = (signal.SIGTERM, signal.SIGINT)  # from a scheduler or a shutdown, from the terminal


class TrainingStopped(RuntimeError):  # noqa: N818 - what happened, not what was wrong
    """The run was asked to stop before its last epoch; the message says where it goes on."""


@contextmanager
def stop_requests() -> Iterator[Stop]:
    """Yield a function that says whether one of ``SIGNALS`` has come; inside the block they do no more.

    Only a second SIGINT acts as it would have without the block. One SIGTERM may come twice: from who signals all
    processes, and from Snakemake, which passes its own on: after the first one SIGTERM is ignored beyond the block,
    too, so that the second does not cut off the last words of a job. For the main thread only, as signals are.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    asked: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        asked.append(number)
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, before[signal.SIGINT])

    for number in SIGNALS:
        signal.signal(number, note)
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            came = number == signal.SIGTERM and number in asked
            signal.signal(number, signal.SIG_IGN if came else handler)
