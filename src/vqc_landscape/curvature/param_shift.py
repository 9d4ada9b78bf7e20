"""The Hessian from circuit runs alone: the parameter-shift rule, applied twice (the paper's Sec. IV)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import as_vector, check_count

Array = NDArray[np.float64]

_HINT = "qml.gradients.param_shift_hessian covers this case."
# angles pass through a handful of float64 operations: 1e-9 is far above their rounding, far below any real fault
_ROUNDING = 1e-9


def param_shift_hessian(qnode: Any, params: Any, shots: int | None = None) -> Array:
    r"""Hessian of an expectation value by the double shift rule, on any PennyLane device.

    With :math:`f_{\pm\pm} = f(\theta \pm \tfrac{\pi}{2} e_i \pm \tfrac{\pi}{2} e_j)`,

    .. math::
        H_{ij} = \tfrac14 (f_{++} - f_{+-} - f_{-+} + f_{--}), \qquad
        H_{ii} = \tfrac12 (f(\theta + \pi e_i) - f(\theta)).

    The factor 1/4 belongs to the whole bracket, a correction to the paper's Eqs. 6-9. The diagonal is the same
    rule: both shifts along i give :math:`\theta \pm \pi e_i`, where f has the same value, and twice
    :math:`\theta` itself. That makes 2 P^2 - P + 1 runs of the QNode.

    The rule is exact where every parameter enters one gate, with prefactor +-1, and the generator of this gate
    has two eigenvalues at distance 1 (RX, RY, RZ, Rot, PhaseShift, IsingXX, PauliRot, ...). The gates of the
    QNode are inspected first, and anything else is an error.

    Args:
        qnode: a QNode that takes ``params`` and returns one ``qml.expval``.
        params: parameters of any shape, radians.
        shots: runs of the circuit per expectation value; None keeps the setting of the QNode (exact by default).

    Returns:
        (P, P), symmetric, in the order of ``params.reshape(-1)``.

    Raises:
        ValueError: ``qnode`` is no QNode or does not return one expval, or the rule does not hold for a parameter.

    References:
        Huembeli and Dauphin, arXiv:2008.02785, Eqs. 6-9; Mari, Bromley and Killoran, arXiv:2008.06517, Sec. III.
    """
    import pennylane as qml

    if not isinstance(qnode, qml.QNode):
        raise ValueError(f"Argument `qnode` must be a PennyLane QNode, but is a {type(qnode).__name__}.")
    shape = np.shape(params)
    point = as_vector("params", params, int(np.prod(shape)))
    _check_rule(qnode, point, shape)
    if shots is not None:
        qnode = qml.set_shots(qnode, shots=check_count("shots", shots))

    def run(*shifts: tuple[int, float]) -> float:
        return float(np.asarray(qnode(_shifted(point, *shifts).reshape(shape))))

    quarter = np.pi / 2
    here = run()
    hessian = np.empty((point.size, point.size))
    for i in range(point.size):
        hessian[i, i] = (run((i, np.pi)) - here) / 2
        for j in range(i):
            equal = run((i, quarter), (j, quarter)) + run((i, -quarter), (j, -quarter))
            opposite = run((i, quarter), (j, -quarter)) + run((i, -quarter), (j, quarter))
            hessian[i, j] = hessian[j, i] = (equal - opposite) / 4
    return hessian


@dataclass(frozen=True)
class _Angles:
    """All numbers of a circuit, one entry each: gate angles in order, then coefficients of the observable."""

    values: NDArray[np.complex128]
    labels: list[str]  # the gate each belongs to
    gates: list[str]  # of the whole circuit, those without a number included
    frequencies: list[tuple[float, ...] | None]  # of f in this number; None where it is no rotation angle


def _check_rule(qnode: Any, point: Array, shape: tuple[int, ...]) -> None:
    """Raise a ValueError that names a parameter for which the plain shift rule does not hold.

    How the gate angles depend on the parameters is found by looking at them where the rule looks: at the single
    shifts, and at one random point, which a product of two parameters gives away. No circuit is run.
    """
    base = _angles(qnode, point, shape)
    slopes = np.zeros((len(base.values), point.size), dtype=complex)
    for k in range(point.size):
        for shift in (np.pi / 2, -np.pi / 2, np.pi):
            moved = _angles(qnode, _shifted(point, (k, shift)), shape)
            _check_same_gates(base, moved)
            slope = (moved.values - base.values) / shift
            if shift == np.pi / 2:
                slopes[:, k] = slope
            _check_linear(base, slope, slopes[:, k], f"Parameter {k} enters")
    step = np.random.default_rng(0).uniform(-np.pi, np.pi, point.size)
    moved = _angles(qnode, point + step, shape)
    _check_same_gates(base, moved)
    _check_linear(base, moved.values - base.values, slopes @ step, "A function of several parameters enters")
    for k in range(point.size):
        _check_parameter(base, np.abs(slopes[:, k]), k)


def _check_parameter(base: _Angles, slopes: Array, k: int) -> None:
    # frequencies () belong to a global phase, which no expectation value sees
    entered = [g for g in np.flatnonzero(slopes > _ROUNDING) if base.frequencies[g] != ()]
    for g in entered:
        frequencies = base.frequencies[g]
        if frequencies is None:
            raise ValueError(
                f"Parameter {k} enters {base.labels[g]}, which has no shift rule; it needs params that are gate angles."
            )
        if len(frequencies) > 1:
            raise ValueError(
                f"Parameter {k} enters {base.labels[g]}, where the expectation value has the frequencies "
                f"{', '.join(f'{w:g}' for w in frequencies)}; the plain shift rule allows one frequency, 1. {_HINT}"
            )
        if abs(slopes[g] * frequencies[0] - 1) > _ROUNDING:
            raise ValueError(
                f"Parameter {k} enters {base.labels[g]} with prefactor {slopes[g] * frequencies[0]:g}; "
                f"the plain shift rule allows 1 and -1. {_HINT}"
            )
    if len(entered) > 1:
        raise ValueError(
            f"Parameter {k} enters {len(entered)} angles ({', '.join(base.labels[g] for g in entered)}); "
            f"the plain shift rule allows one. {_HINT}"
        )


def _check_linear(base: _Angles, found: NDArray[Any], expected: NDArray[Any], subject: str) -> None:
    wrong = np.flatnonzero(np.abs(found - expected) > _ROUNDING * (1 + np.abs(expected)))
    if len(wrong):
        raise ValueError(
            f"{subject} {base.labels[wrong[0]]} in a nonlinear way; the shift rule needs params that are gate angles."
        )


def _check_same_gates(base: _Angles, moved: _Angles) -> None:
    if moved.gates != base.gates or moved.labels != base.labels:
        raise ValueError("The gates of the QNode change with the parameters; the shift rule needs a fixed circuit.")


def _angles(qnode: Any, point: Array, shape: tuple[int, ...]) -> _Angles:
    import pennylane as qml

    tape = qml.workflow.construct_tape(qnode, level="top")(point.reshape(shape))
    measured = tape.measurements
    if len(measured) != 1 or not isinstance(measured[0], qml.measurements.ExpectationMP) or measured[0].obs is None:
        raise ValueError("Argument `qnode` must return one qml.expval of an observable.")
    # (label, numbers, their frequencies) of every gate, then of the observable
    parts = [(_label(gate), _numbers(gate), _frequencies(gate)) for gate in _gates(tape.operations)]
    parts.append(("the observable", _numbers(measured[0].obs), None))
    return _Angles(
        values=np.concatenate([numbers for _, numbers, _ in parts]),
        labels=[label for label, numbers, _ in parts for _ in numbers],
        gates=[label for label, _, _ in parts],
        frequencies=[w for _, numbers, known in parts for w in known or [None] * len(numbers)],
    )


def _label(gate: Any) -> str:
    return f"{gate.name} on wires {gate.wires.tolist()}"


def _numbers(operator: Any) -> NDArray[np.complex128]:
    return np.concatenate([np.empty(0, complex), *(np.ravel(np.asarray(d, dtype=complex)) for d in operator.data)])


def _gates(operations: Any) -> Iterator[Any]:
    """Operations with templates (no shift rule of their own) taken apart."""
    for operation in operations:
        if operation.data and _frequencies(operation) is None and operation.has_decomposition:
            yield from _gates(operation.decomposition())
        else:
            yield operation


def _frequencies(operation: Any) -> list[tuple[float, ...] | None] | None:
    """Frequencies of an expectation value in each angle of the operation, or None where it has no shift rule."""
    from pennylane.exceptions import ParameterFrequenciesUndefinedError

    try:
        return list(operation.parameter_frequencies)
    except (ParameterFrequenciesUndefinedError, AttributeError):
        return None


def _shifted(point: Array, *shifts: tuple[int, float]) -> Array:
    point = point.copy()
    for index, shift in shifts:
        point[index] += shift
    return point
