"""A circuit as PennyLane operations, for oracles and for users who want to look at it there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.circuits.program import Circuit, Rotation, SampleBasisState, SampleState


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
    if circuit.initial is not None:
        qml.StatePrep(_amplitudes(circuit, x), wires=range(circuit.n_qubits))
    for gate in circuit.gates:
        if not isinstance(gate, Rotation):
            if gate.matrix is not None:
                qml.QubitUnitary(np.array(gate.matrix), wires=gate.wires)
            elif gate.name == "MCZ":
                qml.ctrl(qml.Z(gate.wires[-1]), control=gate.wires[:-1])
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


def _amplitudes(circuit: Circuit, x: Any) -> NDArray[np.complex128]:
    """The initial state of a circuit that does not begin on |0...0>, for one row of features."""
    initial = circuit.initial
    if isinstance(initial, SampleState):
        initial = initial.of(np.asarray(x, dtype=np.float64)[np.newaxis])[0]
    elif isinstance(initial, SampleBasisState):
        initial = np.eye(2**circuit.n_qubits, dtype=np.complex128)[int(x[initial.feature])]
    assert initial is not None
    return initial
