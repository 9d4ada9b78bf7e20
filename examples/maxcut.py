"""MaxCut by QAOA on the cube: 8 nodes, 12 edges, the best cut takes all of them.

A layer has two angles, each shared by many gates: gamma by the 12 edges, beta by the 8 nodes.
"""

import pennylane as qml

N_NODES = 8
# two corners of the cube are neighbours when their numbers differ in one bit
EDGES = [(i, i ^ bit) for bit in (1, 2, 4) for i in range(N_NODES) if not i & bit]


@qml.qnode(qml.device("default.qubit", wires=N_NODES))
def uncut(angles):
    """Number of edges that are not cut; angles has shape (n_layers, 2), gamma and beta."""
    for node in range(N_NODES):
        qml.Hadamard(node)
    for gamma, beta in angles:
        for edge in EDGES:
            qml.IsingZZ(gamma, wires=edge)
        for node in range(N_NODES):
            qml.RX(2 * beta, wires=node)
    same = [qml.Z(i) @ qml.Z(j) for i, j in EDGES]
    return qml.expval(qml.Hamiltonian([0.5] * len(EDGES) + [0.5 * len(EDGES)], [*same, qml.Identity(0)]))
