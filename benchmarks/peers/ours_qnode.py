"""This package by its front door for PennyLane; the circuit of ``cases.strongly_entangling`` as its templates."""

from __future__ import annotations

from typing import Any

import pennylane as qml

import vqc_landscape as vl
from benchmarks.cases import Case
from benchmarks.peers import Compute
from benchmarks.peers.ours import warmed_up


def hessian(case: Case) -> Compute:
    """Reads the QNode's tape for every sample, and compiles."""
    weights = case.params.reshape(-1, case.n_qubits, 3)
    wires = range(case.n_qubits)

    @qml.qnode(qml.device("default.qubit", wires=wires))
    def qnode(weights: Any, x: Any) -> Any:
        qml.AngleEmbedding([x[q % 2] for q in wires], wires=wires)
        qml.StronglyEntanglingLayers(weights, wires=wires)
        return qml.expval(qml.Z(0))

    risk = vl.from_qnode(qnode, weights, features=case.features, targets=case.targets, loss="mse")
    return warmed_up(risk, case)
