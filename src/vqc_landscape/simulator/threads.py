"""How many threads, and how work is spread over them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def n_threads() -> int:
    """Threads of the engine: ``OMP_NUM_THREADS`` (which Snakemake sets for each job), else the usable cores.

    Raises:
        ValueError: the variable is not a whole number of at least 1.
    """
    value = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if not value:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not value.isdigit() or int(value) < 1:
        raise ValueError(f"Environment variable OMP_NUM_THREADS must be a whole number at least 1, but is {value!r}.")
    return int(value)


def map_in_order(
    function: Callable[[Item], Result], items: Sequence[Item], at_once: int | None = None
) -> Iterator[Result]:
    """Yield ``function(item)`` in the order of the items, at most ``at_once`` of them in flight."""
    threads = min(n_threads(), len(items), at_once or len(items)) if len(items) > 1 else 1
    if threads <= 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting = deque[Future[Result]]()
        for item in items:
            if len(waiting) == 2 * threads:
                yield waiting.popleft().result()
            waiting.append(pool.submit(function, item))
        while waiting:
            yield waiting.popleft().result()


def run_all(tasks: Sequence[Callable[[], object]]) -> None:
    """Run tasks that do not depend on one another; returns when all are done.

    The calling thread takes part, and never waits for what nobody has begun: tasks may call this, too.
    """
    waiting = iter(tasks)  # hands out each task once, whatever thread asks

    def work() -> None:
        for task in waiting:
            task()

    n_helpers = min(n_threads(), len(tasks)) - 1
    helpers = [_kept_threads(n_helpers).submit(work) for _ in range(n_helpers)]
    work()
    for helper in helpers:
        if not helper.cancel():
            helper.result()


@cache
def _kept_threads(n: int) -> ThreadPoolExecutor:
    """Threads for the next call: starting and ending two of them takes a quarter of a millisecond."""
    return ThreadPoolExecutor(n)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_kept_threads.cache_clear)  # a child process has none of them
