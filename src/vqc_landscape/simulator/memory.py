"""How much memory a Hessian may take: a budget that decides what runs side by side, never the order of sums."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

VARIABLE = "VQC_LANDSCAPE_MEMORY_GB"
SMALL = 2**24  # bytes that every machine has
CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # version 2, and before


def free_bytes() -> float:
    """Bytes of the machine's memory that are free now."""
    return _meminfo("MemAvailable:")


def total_bytes() -> float:
    """Bytes of the machine's memory, or of the container's where that has less."""
    limits = [_meminfo("MemTotal:")]
    for path in map(Path, CGROUPS):
        text = path.read_text().strip() if path.is_file() else ""
        limits += [float(text)] if text.isdigit() else []  # else there is no limit: "max"
    return min(limits)


def _meminfo(key: str) -> float:
    try:
        with open("/proc/meminfo") as lines:
            return next(float(line.split()[1]) * 1024 for line in lines if line.startswith(key))
    except OSError:  # no Linux: the operating system decides
        return float("inf")


def byte_budget(free: Callable[[], float] = free_bytes) -> float:
    """Bytes that the engine may take: environment variable ``VQC_LANDSCAPE_MEMORY_GB``, else what is free now.

    Args:
        free: measures the latter; a GPU has a memory of its own.

    Raises:
        ValueError: the variable is not a positive number.
    """
    value = os.environ.get(VARIABLE)
    if value is None:
        return free()
    try:
        gigabytes = float(value)
    except ValueError:
        gigabytes = -1.0
    if not gigabytes > 0:
        raise ValueError(f"Environment variable {VARIABLE} must be a positive number of GB, but is {value!r}.")
    return gigabytes * 1e9


def side_by_side(n_bytes: int, what: str, free: Callable[[], float] = free_bytes) -> int:
    """How many pieces of ``n_bytes`` fit into the budget; where they are small and no limit is set, any number does.

    Raises:
        MemoryError: not even one does; the message says how large it is and what fits instead.
    """
    if n_bytes < SMALL and VARIABLE not in os.environ:  # asking what is free takes as long as a small Hessian
        return 2**31
    budget = byte_budget(free)
    if n_bytes > budget:
        raise MemoryError(
            f"{what} needs {n_bytes / 1e9:.2g} GB, but {budget / 1e9:.2g} GB may be used. Products with the Hessian "
            f"(`hvp`) need no matrix of tangents; fewer qubits or parameters need less; {VARIABLE} sets the limit."
        )
    return int(min(budget // n_bytes, 2**31))


def check_schedule(n_qubits: int, n_blocks: int, free: Callable[[], float] = free_bytes) -> None:
    """Refuse a circuit whose phases and signs alone do not fit, before any of them is made.

    Raises:
        MemoryError: they do not fit; the message says how large they are and how many qubits do fit.
    """
    budget, n_bytes = byte_budget(free), schedule_bytes(n_qubits, n_blocks)
    if n_bytes <= budget:
        return
    fits = max(n for n in range(n_qubits) if n == 0 or schedule_bytes(n, n_blocks) <= budget)
    raise MemoryError(
        f"A circuit of {n_qubits} qubits and {n_blocks} blocks of gates needs {n_bytes / 1e9:.3g} GB before its first "
        f"gate is applied, but {budget / 1e9:.2g} GB may be used. Up to {fits} qubits of this depth fit; {VARIABLE} "
        "sets the limit."
    )


def schedule_bytes(n_qubits: int, n_blocks: int) -> int:
    """Orders and signs of all diagonals, and the four states of a Hessian-vector product."""
    return (16 * (n_blocks + 1) + 4 * 16) << n_qubits


def hessian_bound(n_qubits: int, n_params: int, n_layers: int) -> int:
    """Bytes that a Hessian takes at most, without making the engine: for planning, with the sizes of our ansaetze.

    Tangents, generators of two sub-layers, the states of a gradient, and the sums over samples.
    """
    state = 2 * 8 << n_qubits
    columns = n_params + 136  # padded to whole chunks
    return state * (columns + 6 * n_qubits + 3) + gradient_bound(n_qubits, n_layers) + 5 * 8 * columns**2


def gradient_bound(n_qubits: int, n_layers: int) -> int:
    """Bytes of a gradient, likewise: the states of all blocks of 32 samples (fewer for large states) in two orders."""
    batch = min(32, max(1, 2**13 >> n_qubits))
    return (2 * 8 << n_qubits) * (3 * (n_layers + 1) + n_qubits) * batch * (1 if batch == 1 else 2)
