"""Running a QNode, as its user would, and without what may change its value."""

from __future__ import annotations

from typing import Any

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.circuits.qnode.parts import NotTakenError, Part, array
from vqc_landscape.circuits.qnode.tape import Tapes
from vqc_landscape.circuits.qnode.translate import parts_of

MAX_WIRES = 8  # of an operation whose matrix is compared with its parts; chosen by us
N_DRAWS = 12  # of results that a transform gets to see; chosen by us
RTOL = 1e-9  # of sums of results
ATOL = 1e-11  # of such a matrix: round-off of some hundred products


def execute(tapes: Tapes, params: Array, row: Any, own_device: bool = True) -> float:
    """Value of the QNode with its transforms, on its device or on default.qubit.

    Raises:
        NotTakenError: it cannot be run, or does not return one number.
    """
    import pennylane as qml

    args, kwargs = tapes.arguments(params, row)
    qnode = tapes.qnode
    try:
        if not own_device:
            qnode = qnode.update(device=qml.device("default.qubit", wires=qnode.device.wires))
        returned = qnode(*args, **kwargs)
    except Exception as error:  # whatever the device raises
        raise NotTakenError(f"{tapes.call.name} cannot be run on its device: {error}") from error
    if isinstance(returned, dict):
        raise NotTakenError(f"{tapes.call.name} must return one qml.expval, but returns a dict.")
    result = array(returned)
    if result.size != 1:
        raise NotTakenError(f"{tapes.call.name} must return one number, but returns an array of shape {result.shape}.")
    return float(result.reshape(-1)[0].real)


def adds_up(tapes: Tapes, params: Array, row: Any, size: float) -> bool:
    """Whether the QNode's transforms make a sum with fixed weights of the results of their circuits.

    Where it was read behind its transforms, they must give the result of the one circuit itself.

    Args:
        tapes: of the QNode.
        params: point at which the circuits are made.
        row: features of one sample.
        size: of the observable; results of three times that are drawn, in which bounds show themselves.
    """
    import pennylane as qml

    if not len(tapes.qnode.compile_pipeline):
        return True
    args, kwargs = tapes.arguments(params, row)
    rng = np.random.default_rng(0)

    def drawn(tape: Any) -> Any:
        shapes = [measured.shape(None, len(tape.wires)) for measured in tape.measurements]
        found = tuple(rng.uniform(-3 * size, 3 * size, shape)[()] for shape in shapes)
        return found if len(found) > 1 else found[0]

    def added(one: Any, other: Any) -> Any:
        return tuple(map(added, one, other)) if isinstance(one, tuple) else one + other

    try:
        circuits, process = tapes.qnode.compile_pipeline((qml.tape.make_qscript(tapes.qnode.func)(*args, **kwargs),))
        for _ in range(N_DRAWS):
            one, other, start = (tuple(drawn(circuit) for circuit in circuits) for _ in range(3))
            results = (added(one, start), added(other, start), added(added(one, other), start), start)
            first, second, both, none = (array(process(result)[0]) for result in results)
            if not np.abs(first + second - both - none).max() <= RTOL * max(1.0, np.abs(both).max()):
                return False
            if tapes.transformed and not abs(none - start[0]) <= RTOL * max(1.0, size):
                return False
    except Exception:  # whatever it makes of numbers
        return False
    return True


def execute_plainly(tapes: Tapes, params: Array, row: Any, own_device: bool) -> float | None:
    """Value of the QNode's function without transforms, on its device or on default.qubit; None where that fails."""
    import pennylane as qml

    device = tapes.qnode.device if own_device else qml.device("default.qubit")
    args, kwargs = tapes.arguments(params, row)
    try:
        return float(array(qml.QNode(tapes.qnode.func, device)(*args, **kwargs)).reshape(-1)[0].real)
    except Exception:  # a transform may have been what made it run
        return None


def inexact_operation(tape: Any) -> str | None:
    """The first operation whose parts are not its matrix up to a phase, as text."""
    import pennylane as qml

    for operation in tape.operations:
        if not operation.has_matrix or len(operation.wires) > MAX_WIRES:
            continue
        try:
            expected = array(operation.matrix())
        except Exception:  # of arrays of two kinds, say, which its decomposition can take
            continue
        parts = [_operation(part) for part in parts_of(operation) if part.kind != "phase"]
        found = array(qml.matrix(qml.tape.QuantumScript(parts), wire_order=operation.wires)) if parts else None
        overlap = 0.0 if found is None else np.abs(np.vdot(found, expected)) / len(expected)
        if found is not None and not abs(overlap - 1) < ATOL:
            return f"{operation.name} on wires {operation.wires.tolist()}"
    return None


def _operation(part: Part) -> Any:
    import pennylane as qml

    if part.kind == "rotation":
        return qml.PauliRot(part.value, part.name, wires=part.wires)
    if part.kind == "gate":
        named = getattr(qml, part.name, None)
        return named(part.wires) if named else qml.ctrl(qml.Z(part.wires[-1]), part.wires[:-1])
    return qml.QubitUnitary(part.value, wires=part.wires)
