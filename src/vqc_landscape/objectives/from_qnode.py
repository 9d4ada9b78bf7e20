"""The front door for PennyLane: a QNode becomes a risk."""

from __future__ import annotations

from typing import Any

from vqc_landscape.circuits.qnode import read_qnode
from vqc_landscape.objectives.circuit import CircuitRisk


def from_qnode(
    qnode: Any,
    params: Any,
    features: Any = None,
    targets: Any = None,
    loss: str | None = None,
    reduction: str = "mean",
    device: str = "cpu",
    precision: str = "float64",
) -> CircuitRisk:
    """The risk of a PennyLane QNode, with exact derivatives of every order that a risk has.

    Args:
        qnode: returns one ``qml.expval``; called as ``qnode(params)``, or ``qnode(params, x_row)`` with features.
        params: an example of the parameters, any shape; only the shape matters.
        features: rows of data, shape (n_samples, n_features).
        targets: y, shape (n_samples,).
        loss: ``"expval"``, the expectation value itself (default without features); ``"mse"`` (default with
            features); or ``"infidelity"``, ``1 - <O>``.
        reduction: ``"mean"`` or ``"sum"`` over the samples.
        device: ``"cpu"`` or ``"cuda"``, see :class:`CircuitRisk`.
        precision: ``"float64"`` or, on a GPU, ``"float32"``.

    Returns:
        A risk of ``params.reshape(-1)``.

    Raises:
        ValueError: the QNode has something that cannot be taken; the message names it and says what to do.

    Example:
        >>> import pennylane as qml
        >>> import vqc_landscape as vl
        >>> @qml.qnode(qml.device("default.qubit", wires=1))
        ... def qnode(params):
        ...     qml.RX(params[0], wires=0)
        ...     return qml.expval(qml.Z(0))
        >>> vl.from_qnode(qnode, [0.0]).hessian([0.0])
        array([[-1.]])
    """
    circuit, observable = read_qnode(qnode, params, features)
    default = "expval" if features is None else "mse"
    how: dict[str, Any] = {"reduction": reduction, "device": device, "precision": precision}
    return CircuitRisk(circuit, observable, loss or default, features, targets, **how)
