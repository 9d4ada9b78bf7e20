"""One module for each contender: ``hessian(case)`` and, where it has them, ``gradient(case)`` and ``product(case)``.

All return a function without arguments that computes the whole result. What can be done once for a circuit, its
compilation included, is done before, and timed apart. Nothing but ``ours`` imports the library.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cases import Case

Array = NDArray[np.float64]
Compute = Callable[[], Array]


class DoesNotFitError(Exception):
    """The contender says beforehand that it needs more memory than the machine has."""


# name in the tables: module, and what is passed to its function beside the case
PEERS: dict[str, tuple[str, dict[str, Any]]] = {
    "vqc-landscape": ("ours", {}),
    "vqc-landscape, from_qnode": ("ours_qnode", {}),
    "vqc-landscape, CUDA float64": ("ours", {"device": "cuda"}),
    "vqc-landscape, CUDA float32": ("ours", {"device": "cuda", "precision": "float32"}),
    "JAX, jit(hessian)": ("jax_simulator", {"batch": "all"}),
    "JAX, HVPs one by one": ("jax_simulator", {"batch": 1}),
    "JAX, HVPs in batches": ("jax_simulator", {"batch": 32}),
    "JAX, jit(hessian), carried parameters": ("jax_simulator", {"batch": "all", "carried_only": True}),
    "JAX, HVPs one by one, carried parameters": ("jax_simulator", {"batch": 1, "carried_only": True}),
    "JAX, HVPs in batches, carried parameters": ("jax_simulator", {"batch": 32, "carried_only": True}),
    "JAX, jit(grad)": ("jax_simulator", {}),
    "JAX, jit(HVP)": ("jax_simulator", {}),
    "PennyLane, torch backprop": ("pennylane_torch", {}),
    "PennyLane, JAX jit(hessian)": ("pennylane_jax", {}),
    "PennyLane, JAX jit(grad)": ("pennylane_jax", {}),
    "TensorCircuit-NG, jit(hessian)": ("tensorcircuit_ng", {}),
    "PennyLane, lightning adjoint": ("pennylane_lightning", {}),
    "shift rule on lightning.qubit": ("shift_rule", {}),
    "orqviz get_Hessian": ("orqviz_differences", {}),
    "Divi compute_hessian": ("divi_shifts", {}),
}


OURS = "vqc-landscape"
CUDA = ("vqc-landscape, CUDA float64", "vqc-landscape, CUDA float32")
# ways of one contender, of which the fastest counts
JAX = ("JAX, jit(hessian)", "JAX, HVPs one by one", "JAX, HVPs in batches")
JAX_CARRIED = tuple(f"{name}, carried parameters" for name in JAX)


def load(peer: str) -> ModuleType:
    """The contender's module; importing it imports the contender."""
    return importlib.import_module(f"benchmarks.peers.{PEERS[peer][0]}")


def prepare(peer: str, quantity: str, case: Case) -> Compute:
    """Let the contender do what it does once for a circuit."""
    compute: Compute = getattr(load(peer), quantity)(case, **PEERS[peer][1])
    return compute
