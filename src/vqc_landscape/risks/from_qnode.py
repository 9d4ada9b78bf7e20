"""The front door for PennyLane: a QNode becomes a risk."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from vqc_landscape.circuits.parameters import layout_of
from vqc_landscape.circuits.qnode.arguments import Argnum, Call, find_calls, is_suspicious
from vqc_landscape.circuits.qnode.parts import NotTakenError
from vqc_landscape.circuits.qnode.read import as_rows, read_qnode
from vqc_landscape.circuits.qnode.tape import Rows, Tapes
from vqc_landscape.risks.circuit_risk import CircuitRisk
from vqc_landscape.risks.risk import Risk
from vqc_landscape.risks.trial import TrialError, try_out


def from_qnode(
    qnode: Any,
    params: Any,
    features: Any = None,
    targets: Any = None,
    loss: str | None = None,
    argnum: Argnum | None = None,
    reduction: str = "mean",
    device: str = "cpu",
    precision: str = "float64",
    **static: Any,
) -> Risk:
    """The risk of a PennyLane QNode, with exact derivatives of every order that a risk has.

    What is read of the QNode is tried against the QNode itself, on its own device and with its transforms, before the
    risk is handed out; ``print(risk)`` says how.

    Args:
        qnode: returns one ``qml.expval``; called as ``qnode(params)``, or ``qnode(params, x_row)`` with features.
        params: an example of the parameters; only the form matters. An array is one argument of the QNode, a tuple
            several of them, a dict is given by keywords.
        features: rows of data, shape (n_samples, ...); the QNode gets one row at a time.
        targets: y, shape (n_samples,).
        loss: ``"expval"``, the expectation value itself (default without features); ``"mse"`` (default with
            features); or ``"infidelity"``, ``1 - <O>``.
        argnum: position or name of the argument, or arguments, that the parameters go to; the features go to the one
            that is left.
        reduction: ``"mean"`` or ``"sum"`` over the samples.
        device: ``"cpu"`` or ``"cuda"``, see :class:`CircuitRisk`.
        precision: ``"float64"`` or, on a GPU, ``"float32"``.
        **static: values of other arguments of the QNode, the same in every call.

    Returns:
        A risk of the parameters as one vector: argument by argument, each ``reshape(-1)``.

    Raises:
        ValueError: the QNode has something that cannot be taken, or gives another value than what was read of it; the
            message names it and says what to do.
        MemoryError: the circuit is too large for the memory; the message says what it needs.

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
    qnode, static = _unwrapped(qnode, static)
    rows = None if features is None else as_rows(features)
    call = _find_call(qnode, params, rows, argnum, static)
    how: dict[str, Any] = {"reduction": reduction, "device": device, "precision": precision}
    default, example = "expval" if features is None else "mse", call.parameters.layout.flatten(params)
    assert example is not None  # the form is that of the example

    def risk_of(transformed: bool) -> Risk:
        reading = read_qnode(qnode, call, rows, transformed)
        risk = CircuitRisk(reading.circuit, reading.observable, loss or default, rows, targets, **how)
        risk.trial = try_out(risk, reading, rows, example)
        return risk

    try:  # before its transforms, if that is what is executed; else after them
        return risk_of(transformed=False)
    except NotTakenError as first:
        if not len(qnode.compile_pipeline):
            raise
        try:
            return risk_of(transformed=True)
        except NotTakenError as second:
            if isinstance(first, TrialError) and not isinstance(second, TrialError):
                raise first from None
            raise


def _unwrapped(qnode: Any, static: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The QNode itself, and what is bound to it."""
    import pennylane as qml

    if isinstance(qnode, functools.partial) and isinstance(qnode.func, qml.QNode):
        if qnode.args:
            raise ValueError(
                "Argument `qnode` must be a functools.partial with keywords, but has positional arguments: "
                f"{qnode.args!r}."
            )
        return qnode.func, dict(qnode.keywords) | static
    if not isinstance(qnode, qml.QNode):
        kind = type(qnode).__name__
        hint = ""
        if hasattr(qnode, "named_parameters"):
            hint = (
                " A torch module is a risk by vl.NetworkRisk; qml.qnn.TorchLayer has its QNode as an attribute, qnode."
            )
        elif callable(qnode):
            hint = (
                " Make one of a function, qml.QNode(function, device); fix arguments of one by functools.partial; give "
                "a compiled one as it was before."
            )
        raise ValueError(f"Argument `qnode` must be a PennyLane QNode, but is of type {kind}.{hint}")
    if qnode.shots:
        raise NotTakenError(
            f"{_name(qnode)} takes {qnode.shots.total_shots} shots, but its derivatives here are those of the exact "
            "expectation value: give it without shots, qml.set_shots(qnode, None)."
        )
    return qnode, static


def _name(qnode: Any) -> str:
    name = getattr(qnode, "__name__", "qnode")
    return "qnode" if name == "<lambda>" else str(name)


def _find_call(qnode: Any, params: Any, rows: Rows, argnum: Argnum | None, static: dict[str, Any]) -> Call:
    """How the QNode is called: as documented, unless names or failures speak against it.

    Raises:
        ValueError: arguments that do not fit, or roles that nothing proves.
    """
    layout = layout_of(params)
    if layout.size == 0:
        raise ValueError("Argument `params` must hold at least one parameter, but is empty.")
    calls = find_calls(qnode.func, _name(qnode), layout, rows is not None, argnum, static)
    first = calls[0]
    failure = _failure(qnode, first, rows)
    if failure is None and not (len(calls) > 1 and is_suspicious(first)):
        return first
    others = [call for call in calls[1:] if _failure(qnode, call, rows) is None]
    if failure is None and others:
        ways = [list(call.parameters.names) for call in (others[0], first)]
        one, other = (way[0] if len(way) == 1 else way for way in ways)
        raise ValueError(
            f"Which argument of {first.name} takes the features is ambiguous: by its names `{first.feature_name}` may "
            f"be parameters, or `{others[0].feature_name}` data, and it runs either way. Name the parameters: "
            f"argnum={one!r}, or argnum={other!r}."
        )
    if failure is not None and not others:
        raise failure
    return first if failure is None else others[0]


def _failure(qnode: Any, call: Call, rows: Rows) -> NotTakenError | None:
    """What speaks against a way to call the QNode: an error of its own code."""
    point = np.random.default_rng(0).uniform(1.0, 2.0, call.parameters.layout.size)
    try:
        Tapes(qnode, call, transformed=False).find_kind(point, None if rows is None else rows[0])
    except NotTakenError as error:
        return error
    return None
