"""Progress of long work: a bar on a terminal or in a notebook, else lines of the log; none where it takes a moment."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

DELAY = 2.0  # seconds without a bar; chosen by us: what is done by then needs none
INTERVAL = 10.0  # seconds between two lines of a log; chosen by us

_log = logging.getLogger(__name__)


def progress_bar(
    items: Iterable[Item], total: int, what: str, clock: Callable[[], float] = time.monotonic
) -> Iterator[Item]:
    """Yield ``items``; after two seconds a bar shows how many of ``total`` are done.

    Where standard error is neither a terminal nor in a notebook, a line every ten seconds goes to the log.
    """
    if sys.stderr.isatty() or "ipykernel" in sys.modules:
        from tqdm.auto import tqdm

        yield from tqdm(items, desc=what, total=total, delay=DELAY, leave=False)
        return
    due = clock() + INTERVAL
    for done, item in enumerate(items):
        if clock() >= due:
            _log.info("%s: %d of %d", what, done, total)
            due = clock() + INTERVAL
        yield item
