"""Ground state of the transverse-field Ising chain: 6 qubits in a ring, at the critical field.

H = - sum_i Z_i Z_{i+1} - sum_i X_i. The ansatz follows the Hamiltonian: a layer turns all ZZ terms by one angle and
all X terms by another, from |+...+>.
"""

import pennylane as qml

N_QUBITS = 6
BONDS = [(i, (i + 1) % N_QUBITS) for i in range(N_QUBITS)]
HAMILTONIAN = qml.Hamiltonian(
    [-1.0] * (2 * N_QUBITS), [qml.Z(i) @ qml.Z(j) for i, j in BONDS] + [qml.X(i) for i in range(N_QUBITS)]
)


@qml.qnode(qml.device("default.qubit", wires=N_QUBITS))
def energy(angles):
    """Energy; angles has shape (n_layers, 2), shared by all gates of one kind in a layer."""
    for wire in range(N_QUBITS):
        qml.Hadamard(wire)
    for zz, x in angles:
        for bond in BONDS:
            qml.IsingZZ(zz, wires=bond)
        for wire in range(N_QUBITS):
            qml.RX(x, wires=wire)
    return qml.expval(HAMILTONIAN)


@qml.qnode(qml.device("default.qubit", wires=N_QUBITS))
def energy_free(angles):
    """The same circuit with an angle of its own for every gate; angles has shape (n_layers, 2, 6)."""
    for wire in range(N_QUBITS):
        qml.Hadamard(wire)
    for zz, x in angles:
        for angle, bond in zip(zz, BONDS, strict=True):
            qml.IsingZZ(angle, wires=bond)
        for wire, angle in enumerate(x):
            qml.RX(angle, wires=wire)
    return qml.expval(HAMILTONIAN)
