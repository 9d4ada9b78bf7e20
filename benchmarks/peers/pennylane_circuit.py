"""A case as PennyLane operations, for every contender that is built on PennyLane."""

from __future__ import annotations

from typing import Any

import numpy as np
import pennylane as qml

from benchmarks.cases import Case


def apply_gates(case: Case, params: Any, x: Any) -> None:
    """Queue the gates; ``x[j]`` is one feature, or that of many samples."""
    for gate in case.gates:
        operation = getattr(qml, gate.name)
        if gate.param is None and gate.feature is None:
            operation(wires=gate.wires)
        else:
            operation(case.angle(gate, params, x), wires=gate.wires)


def observable(case: Case) -> Any:
    """What is measured, as PennyLane's fastest form of it that we found."""
    wires = range(case.n_qubits)
    if case.observable == "Z0":
        return qml.Z(0)
    if case.observable == "plus":
        return qml.Projector(np.zeros(case.n_qubits, dtype=int), wires=wires)  # after Hadamards
    return qml.Hamiltonian([0.5, *[0.5 / case.n_qubits] * case.n_qubits], [qml.Identity(0), *map(qml.X, wires)])


def make_qnode(case: Case, device: str, **options: Any) -> qml.QNode:
    """``qnode(params, x)`` returns f; ``x`` is a row, or the transposed matrix of the features."""

    @qml.qnode(qml.device(device, wires=case.n_qubits), **options)
    def qnode(params: Any, x: Any) -> Any:
        apply_gates(case, params, x)
        if case.observable == "plus":
            for q in range(case.n_qubits):
                qml.Hadamard(q)
        return qml.expval(observable(case))

    return qnode


def risk_of(case: Case, qnode: qml.QNode, like: Any) -> Any:
    """The risk as a function of the parameters; ``like`` makes the framework's arrays."""
    if case.targets is None:
        return lambda params: 1 - qnode(params, None)
    x, y = like(case.features.T), like(case.targets)
    return lambda params: ((qnode(params, x) - y) ** 2).mean()
