"""One module for each contender: ``hessian(case)`` and, where it has one, ``gradient(case)``.

Both return a function without arguments that computes the whole result. What can be done once for a circuit, its
compilation included, is done before, and timed apart. Nothing but ``ours`` imports the library.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cases import Case

Array = NDArray[np.float64]
Compute = Callable[[], Array]


class DoesNotFit(Exception):
    """The contender says beforehand that it needs more memory than the machine has."""


# name in the tables: module, and what is passed to its function beside the case
PEERS: dict[str, tuple[str, dict[str, Any]]] = {
    "vqc-landscape": ("ours", {}),
    "vqc-landscape, from_qnode": ("ours_qnode", {}),
    "JAX, jit(hessian)": ("jax_simulator", {"batch": "all"}),
    "JAX, HVPs one by one": ("jax_simulator", {"batch": 1}),
    "JAX, HVPs in batches": ("jax_simulator", {"batch": 32}),
    "JAX, jit(hessian), carried parameters": ("jax_simulator", {"batch": "all", "carried_only": True}),
    "JAX, HVPs one by one, carried parameters": ("jax_simulator", {"batch": 1, "carried_only": True}),
    "JAX, HVPs in batches, carried parameters": ("jax_simulator", {"batch": 32, "carried_only": True}),
    "PennyLane, torch backprop": ("pennylane_torch", {}),
    "PennyLane, JAX jit(hessian)": ("pennylane_jax", {}),
    "TensorCircuit-NG, jit(hessian)": ("tensorcircuit_ng", {}),
    "PennyLane, lightning adjoint": ("pennylane_lightning", {}),
    "shift rule on lightning.qubit": ("shift_rule", {}),
    "orqviz get_Hessian": ("orqviz_differences", {}),
    "Divi compute_hessian": ("divi_shifts", {}),
}


def prepare(peer: str, quantity: str, case: Case) -> Compute:
    """Import the contender and let it do what it does once for a circuit."""
    module, options = PEERS[peer]
    compute: Compute = getattr(importlib.import_module(f"benchmarks.peers.{module}"), quantity)(case, **options)
    return compute
