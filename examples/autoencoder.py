"""Compress a family of four-qubit states into two qubits: the other two, the trash, are to end in |00>.

A sample x = (a, b) prepares a state of two Bell-like pairs; the target of every sample is a trash fidelity of 1.
(J. Romero, J. P. Olson and A. Aspuru-Guzik, Quantum Sci. Technol. 2, 045001, 2017.)
"""

import numpy as np
import pennylane as qml

N_QUBITS = 4
TRASH = (2, 3)


@qml.qnode(qml.device("default.qubit", wires=N_QUBITS))
def trash_fidelity(weights, x):
    """Probability that both trash qubits are in |0>; weights has shape (n_layers, 4, 3)."""
    for first, angle in zip((0, 2), x, strict=True):
        qml.RY(angle, wires=first)
        qml.CNOT([first, first + 1])
    qml.CNOT([1, 2])
    qml.StronglyEntanglingLayers(weights, wires=range(N_QUBITS))
    return qml.expval(qml.Projector(np.array([0, 0]), wires=TRASH))
