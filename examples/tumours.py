"""Classify tumours: four principal components of the Wisconsin breast-cancer data, as angles of four qubits."""

import pennylane as qml

N_QUBITS = 4


@qml.qnode(qml.device("default.qubit", wires=N_QUBITS))
def classify(weights, x):
    """Prediction in [-1, 1]; weights has shape (n_layers, 4, 3)."""
    qml.AngleEmbedding(x, wires=range(N_QUBITS))
    qml.StronglyEntanglingLayers(weights, wires=range(N_QUBITS))
    return qml.expval(qml.Z(0))
