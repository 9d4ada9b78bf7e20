"""A circuit as PennyLane operations, for oracles and for users who want to look at it there."""

from __future__ import annotations

from typing import Any

import numpy as np

from vqc_landscape.circuits.program import Circuit, Rotation


def apply_circuit(circuit: Circuit, params: Any, x: Any = None) -> None:
    """Queue the circuit inside a QNode.

    Args:
        circuit: the program.
        params: flat parameters in radians; any array type that PennyLane differentiates.
        x: one row of features, shape (n_features,).
    """
    import pennylane as qml

    rotations = {"X": qml.RX, "Y": qml.RY, "Z": qml.RZ}
    fixed = {"H": qml.Hadamard, "S": qml.S, "CZ": qml.CZ, "CNOT": qml.CNOT, "SWAP": qml.SWAP, "CCZ": qml.CCZ}
    for gate in circuit.gates:
        if not isinstance(gate, Rotation):
            if gate.matrix is not None:
                qml.QubitUnitary(np.array(gate.matrix), wires=gate.wires)
            else:
                fixed[gate.name](wires=gate.wires)
            continue
        angle: Any = 0.0
        for term in gate.angle:
            value = term.scale if term.param is None else term.scale * params[term.param]
            angle = angle + (value if term.feature is None else value * x[term.feature])
        if len(gate.word) == 1:
            rotations[gate.word](angle, wires=gate.wires[0])
        else:
            qml.PauliRot(angle, gate.word, wires=gate.wires)
