"""Progress bars for long work: on a terminal or in a notebook, and only where it takes longer than a moment."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

DELAY = 2.0  # seconds without a bar; chosen by us: what is done by then needs none


def bar(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """Yield ``items``; after two seconds a bar shows how many of ``total`` are done.

    Log files get none: there is a bar only where standard error is a terminal, or in a notebook.
    """
    from tqdm.auto import tqdm

    seen = sys.stderr.isatty() or "ipykernel" in sys.modules
    yield from tqdm(items, desc=what, total=total, delay=DELAY, leave=False, disable=not seen)
