"""This package."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

import vqc_landscape as vl
from benchmarks.cases import Case
from benchmarks.peers import Array, Compute
from vqc_landscape import Circuit, CircuitRisk, FixedGate, PauliSum, Projector, Risk, Rotation, Term


def make_risk(case: Case, **device: str) -> Risk:
    """The case as a risk; the circuits are those of ``vl.reuploading`` and ``vl.layered``, gate by gate."""
    gates = [
        FixedGate(gate.name, gate.wires)
        if gate.param is None and gate.feature is None
        else Rotation(gate.name[1], gate.wires, (Term(param=gate.param, feature=gate.feature),), gate.name)
        for gate in case.gates
    ]
    circuit = Circuit(case.name, case.n_qubits, case.params.shape, tuple(gates), case.features.shape[1])
    observables: dict[str, Callable[[], PauliSum | Projector]] = {
        "Z0": lambda: vl.PauliZ(0),
        "plus": lambda: vl.Projector(vl.plus_state(case.n_qubits)),
        "local plus": lambda: vl.local_projector(case.n_qubits, "X"),
    }
    observable = observables[case.observable]()
    if case.targets is None:
        return CircuitRisk(circuit, observable, "infidelity", **device)
    return CircuitRisk(circuit, observable, "mse", case.features, case.targets, **device)


def hessian(case: Case, **device: str) -> Compute:
    """Compiles, and finds the structural directions."""
    compute = warmed_up(make_risk(case, **device), case)
    if device:
        compute.peak_bytes = _peak_device_bytes
    return cast(Compute, compute)


def warmed_up(risk: Risk, case: Case) -> Any:
    """The Hessian, with the number of carried parameters beside it."""
    compute: Any = functools.partial(risk.hessian, case.params)
    compute()
    compute.n_carried = risk.n_params - risk.structural_directions.shape[1]
    return compute


def gradient(case: Case, **device: str) -> Compute:
    """Compiles."""
    risk = make_risk(case, **device)
    risk.grad(case.params)
    return lambda: risk.grad(case.params)


def product(case: Case, **device: str) -> Compute:
    """Compiles."""
    risk, direction = make_risk(case, **device), case.direction
    risk.hvp(case.params, direction)
    return lambda: risk.hvp(case.params, direction)


def structural_directions(case: Case) -> Array:
    """What the carried parameters are counted from, shape (P, k)."""
    return make_risk(case).structural_directions


def _peak_device_bytes() -> int:
    """What the process has held at once of the GPU's memory."""
    import torch

    return int(torch.cuda.max_memory_allocated())
