"""Memory of the machine and of a process, in bytes."""

from __future__ import annotations

import psutil

SHARE = 0.8  # of the memory that is free: what a contender may use; chosen by us, the rest is for the others


def available_bytes() -> int:
    """What a contender may use."""
    return int(SHARE * psutil.virtual_memory().available)


def resident_bytes(pid: int) -> int:
    """What a process holds now; 0 once it has ended."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def total_bytes() -> int:
    """What the machine has."""
    return int(psutil.virtual_memory().total)
