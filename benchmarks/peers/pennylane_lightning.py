"""The adjoint gradient of lightning.qubit."""

from __future__ import annotations

import numpy as np
import pennylane as qml
from pennylane.devices import ExecutionConfig

from benchmarks.cases import Case
from benchmarks.peers import Array, Compute
from benchmarks.peers.pennylane_circuit import make_qnode


def gradient(case: Case) -> Compute:
    """The device's own entry point, one tape for each sample, without a QNode's overhead in between."""
    qnode = make_qnode(case, "lightning.qubit", diff_method="adjoint")
    program = [(gate.param is not None) for gate in case.gates if gate.param is not None or gate.feature is not None]
    trainable = np.flatnonzero(program)
    order = [gate.param for gate in case.gates if gate.param is not None]
    device, config = qnode.device, ExecutionConfig(gradient_method="adjoint", use_device_gradient=True)

    def compute() -> Array:
        tapes = []
        for x in case.features:
            tape = qml.workflow.construct_tape(qnode, level="user")(case.params, x)
            tape.trainable_params = list(map(int, trainable))
            tapes.append(tape)
        values, jacobians = device.execute_and_compute_derivatives(tuple(tapes), config)
        jacobian = np.empty((len(case.features), len(case.params)))
        jacobian[:, order] = np.array(jacobians).reshape(len(case.features), -1)
        if case.targets is None:
            return -jacobian[0]
        return np.asarray(2 * (np.array(values).reshape(-1) - case.targets) @ jacobian / len(case.targets))

    return compute
