"""Which devices there are, and how much memory is free on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from vqc_landscape.simulator.memory import free_bytes


def find_device(name: str) -> torch.device:
    """The device called ``name``: ``"cuda"``, or ``"cuda:1"`` for the second one.

    Raises:
        ValueError: there is no such device; the message names those that there are.
    """
    n_devices = torch.cuda.device_count()
    names = ["cpu", *["cuda"][:n_devices], *(f"cuda:{k}" for k in range(n_devices))]
    if name not in names:
        raise ValueError(
            f"Argument `device` must be one of {', '.join(names)}, but is {name!r}: "
            f"torch {torch.__version__} finds {n_devices} CUDA devices here."
        )
    return torch.device(name)


def free_device_bytes(device: torch.device) -> float:
    """Bytes that can still be allocated, with those that torch holds for itself and does not use."""
    if device.type != "cuda":
        return free_bytes()
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return float(torch.cuda.mem_get_info(device)[0] + unused)


@contextmanager
def whole_float32() -> Iterator[None]:
    """Matrix products of float32 with all of its 24 bits, also where TF32 (11 bits) is switched on for other work."""
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(precision)
