"""PennyLane operations as rotations about Pauli words, and fixed gates.

Four rules cover PennyLane. A gate with one angle whose generator is a sum of commuting Pauli words is a rotation about
each; any other generator on few wires is diagonalised, and its eigenvalues are words of Z's. A fixed gate on few wires
is its matrix. A controlled or adjoint gate is made of the parts of its base. Everything else is decomposed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.circuits.program import MAX_MATRIX_WIRES
from vqc_landscape.circuits.qnode.control import adjoint, flip_if, under_control
from vqc_landscape.circuits.qnode.generators import cached_generator, exponential, generated, generator_of
from vqc_landscape.circuits.qnode.parts import NotTakenError, Part, array, number

_NOTHING = frozenset(("Identity", "Barrier", "WireCut", "Snapshot"))  # no effect on an expectation value
_NAMED = frozenset(("CNOT", "CZ", "SWAP", "CCZ"))
_AXES = {"RX": "X", "RY": "Y", "RZ": "Z"}
# Fixed gates of PennyLane that are few of the engine's cheapest ones: better so than as a matrix.
_DECOMPOSED = frozenset(("CY", "CH", "CSWAP", "ISWAP", "SISWAP", "SQISW", "ECR", "QFT"))
_FIXED_MATRICES = frozenset(("QubitUnitary", "DiagonalQubitUnitary"))
_HADAMARD = np.array([[1, 1], [1, -1]]) / np.sqrt(2) + 0j
_FLIP = np.array([[0, 1], [1, 0]], dtype=np.complex128)


def parts_of(operation: Any) -> Iterator[Part]:
    """The parts of one PennyLane operation, global phases included.

    Raises:
        NotTakenError: the operation cannot be taken.
    """
    name, wires = operation.name, operation.wires.labels
    if name in _AXES:
        yield Part("rotation", _AXES[name], wires, number(operation, operation.parameters[0]), name)
    elif name in _NOTHING:
        return
    elif name in _NAMED:
        yield Part("gate", name, wires)
    elif name == "Toffoli":
        yield from flip_if(wires)
    elif name == "GlobalPhase":
        yield Part("phase", name, (), -number(operation, operation.parameters[0]))
    elif name == "Rot":
        for word, angle in zip("ZYZ", operation.parameters, strict=True):
            yield Part("rotation", word, wires, number(operation, angle), name)
    elif name == "PauliRot":
        yield from _word_rotation(operation)
    elif name == "MultiRZ":
        yield Part("rotation", "Z" * len(wires), wires, number(operation, operation.parameters[0]), name)
    else:
        yield from _by_kind(operation)


def is_state(operation: Any) -> bool:
    """Whether an operation prepares a state."""
    import pennylane as qml

    return isinstance(operation, qml.operation.StatePrepBase | qml.MottonenStatePreparation)


def state_of(operation: Any) -> Part:
    """The state that an operation prepares from zeros: bits, or amplitudes."""
    import pennylane as qml

    value = operation.parameters[0] if operation.parameters else operation.state_vector().reshape(-1)
    if not isinstance(operation, qml.BasisState | qml.StatePrep | qml.MottonenStatePreparation):
        value = operation.state_vector().reshape(-1)
    kind = "bits" if isinstance(operation, qml.BasisState) else "amplitudes"
    return Part("state", kind, operation.wires.labels, array(value), operation.name)


# --- by kind ----------------------------------------------------------------------------------------------------


def _by_kind(operation: Any) -> Iterator[Part]:
    import pennylane as qml

    name, wires = operation.name, operation.wires.labels
    _check_powers(operation)
    if name in _DECOMPOSED:
        yield from _decomposed(operation)
    elif isinstance(operation, qml.ops.Controlled) and not cached_generator(type(operation), operation):
        yield from _controlled(operation)
    elif isinstance(operation, qml.ops.Adjoint):
        yield from adjoint(list(parts_of(operation.base)))
    elif isinstance(operation, qml.ops.Exp):
        yield from exponential(operation)
    elif generator := generator_of(operation):
        yield from generated(generator, wires, number(operation, operation.parameters[0]), name)
    elif isinstance(operation, qml.ops.Pow) and operation.z == int(operation.z) and abs(operation.z) <= 8:
        parts = list(parts_of(operation.base))
        yield from (parts if operation.z > 0 else adjoint(parts)) * abs(int(operation.z))
    elif operation.num_params == 0 or name in _FIXED_MATRICES:
        yield from _fixed(operation)
    elif operation.has_decomposition:
        yield from _decomposed(operation)
    elif operation.has_matrix and len(wires) <= MAX_MATRIX_WIRES:
        yield Part("matrix", name, wires, _matrix(operation))
    else:
        raise NotTakenError(_why_not(operation))


def _check_powers(operation: Any) -> None:
    """Refuse a power that is none of the angles, under controls and adjoints, too.

    Whole powers are. Others are principal roots of a matrix, which jump where an eigenvalue passes -1.
    """
    import pennylane as qml

    own = operation
    while isinstance(own, qml.ops.SymbolicOp) and hasattr(own, "base"):
        base = own.base
        if isinstance(own, qml.ops.Pow) and own.z != int(own.z) and base.num_params:
            raise NotTakenError(
                f"{base.name} to the power {own.z:g} on wires {list(own.wires)} is a root of its matrix, which "
                "jumps where an eigenvalue passes -1. Write it as a gate with another angle."
            )
        own = base


def _fixed(operation: Any) -> Iterator[Part]:
    wires = operation.wires.labels
    if operation.has_matrix and len(wires) <= MAX_MATRIX_WIRES:
        yield Part("matrix", operation.name, wires, _matrix(operation))
    elif operation.has_decomposition:
        yield from _decomposed(operation)
    else:
        raise NotTakenError(_why_not(operation))


def _decomposed(operation: Any) -> Iterator[Part]:
    for part in operation.decomposition():
        yield from parts_of(part)


def _why_not(operation: Any) -> str:
    import pennylane as qml

    what = f"{operation.name} on wires {operation.wires.tolist()}"
    if operation.name in ("MidMeasureMP", "MidMeasure") or isinstance(operation, qml.ops.Conditional):
        return f"{what} measures within the circuit. Give the QNode as qml.defer_measurements(qnode)."
    if isinstance(operation, qml.operation.Channel):
        return f"{what} is noise: the state is no vector any more. Only circuits without noise are taken."
    return (
        f"{what} cannot be taken: it has no generator and no decomposition, and PennyLane has no matrix for it on "
        f"up to {MAX_MATRIX_WIRES} wires. Write it as other gates."
    )


def _matrix(operation: Any) -> NDArray[np.complex128]:
    if operation.name == "QubitUnitary":  # as it is given: PennyLane's own would need numbers
        return array(operation.parameters[0]).astype(np.complex128)
    return array(operation.matrix()).astype(np.complex128)


def _word_rotation(operation: Any) -> Iterator[Part]:
    word, angle = operation.hyperparameters["pauli_word"], number(operation, operation.parameters[0])
    acting = [(letter, wire) for letter, wire in zip(word, operation.wires.labels, strict=True) if letter != "I"]
    if acting:
        letters, wires = zip(*acting, strict=True)
        yield Part("rotation", "".join(letters), wires, angle, operation.name)
    else:
        yield Part("phase", operation.name, (), -angle / 2)


def _controlled(operation: Any) -> Iterator[Part]:
    controls = tuple(zip(operation.control_wires.labels, operation.control_values, strict=True))
    flips = [Part("matrix", "X", (wire,), _FLIP, frames=True) for wire, value in controls if not value]
    if operation.base.num_params == 0 and operation.base.name not in ("PauliX", "PauliZ"):
        wires = operation.wires.labels
        if operation.has_matrix and len(wires) <= MAX_MATRIX_WIRES:
            yield Part("matrix", operation.name, wires, _matrix(operation))
            return
    try:
        found = [part for own in parts_of(operation.base) for part in under_control(own, controls)]
    except NotTakenError:
        if not operation.has_decomposition:
            raise
        yield from _decomposed(operation)
        return
    needs_flips = any(part.kind in ("gate", "matrix") and not part.frames for part in found)
    if not needs_flips:
        yield from found
        return
    # gates ask for ones: flip the zeros, and let the words of the rotations see the flipped signs
    ones = tuple((wire, 1) for wire, _ in controls)
    yield from flips
    for own in parts_of(operation.base):
        yield from under_control(own, ones)
    yield from flips
