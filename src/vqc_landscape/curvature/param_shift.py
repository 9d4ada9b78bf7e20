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
# angles pass through a handful of float64 operations: 1e-9 is far above their rounding, far below any real mistake
_ROUNDING = 1e-9
_N_DRAWS = 12  # of results that a transform gets to see; chosen by us


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
    has two eigenvalues at distance 1 (RX, RY, RZ, Rot, PhaseShift, IsingXX, PauliRot, ...). The gates of all circuits
    that are executed are inspected first, after the QNode's transforms (folding, mitigation) and the noise that they
    or the device insert, and anything else is an error.

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
        raise ValueError(
            f"Argument `qnode` must be a PennyLane QNode of `params` alone, but is a {type(qnode).__name__}."
        )
    if isinstance(params, tuple | dict):
        raise ValueError(
            f"Argument `params` must be one array, but is a {type(params).__name__}. Give a QNode that takes its "
            "arguments out of one array."
        )
    shape = np.shape(params)
    point = as_vector("params", params, int(np.prod(shape)))
    _check_rule(qnode, point, shape)
    if shots is not None:
        qnode = qml.set_shots(qnode, shots=check_count("shots", shots))

    def run(*shifts: tuple[int, float]) -> float:
        return _one_number(qnode(_shifted(point, *shifts).reshape(shape)))

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


def _one_number(returned: Any) -> float:
    value = np.asarray(None if isinstance(returned, dict) else returned)
    if value.size != 1 or value.dtype == object:
        kind = f"a {type(returned).__name__}" if value.dtype == object else f"an array of shape {value.shape}"
        raise ValueError(f"Argument `qnode` must return one qml.expval, but returns {kind}.")
    return float(value.reshape(-1)[0])


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
    for level in ("user", "device") if _device_adds_noise(qnode, point, shape) else ("user",):
        base, again = (_executed(qnode, point, shape, level) for _ in range(2))
        _check_same_gates(base, again)
        if any(not np.array_equal(own.values, other.values) for own, other in zip(base, again, strict=True)):
            raise ValueError("Argument `qnode` draws numbers anew in each call; the shift rule needs a fixed circuit.")
        slopes = [np.zeros((len(own.values), point.size), dtype=complex) for own in base]
        for k in range(point.size):
            for shift in (np.pi / 2, -np.pi / 2, np.pi):
                moved = _executed(qnode, _shifted(point, (k, shift)), shape, level)
                _check_same_gates(base, moved)
                for own, other, found in zip(base, moved, slopes, strict=True):
                    slope = (other.values - own.values) / shift
                    if shift == np.pi / 2:
                        found[:, k] = slope
                    _check_linear(own, slope, found[:, k], f"Parameter {k} enters")
        step = np.random.default_rng(0).uniform(-np.pi, np.pi, point.size)
        moved = _executed(qnode, point + step, shape, level)
        _check_same_gates(base, moved)
        for own, other, found in zip(base, moved, slopes, strict=True):
            _check_linear(own, other.values - own.values, found @ step, "A function of several parameters enters")
            for k in range(point.size):
                _check_parameter(own, np.abs(found[:, k]), k)


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
    if len(wrong) and np.allclose(found, expected, rtol=1e-5, atol=1e-5):  # seven digits are those of float32
        raise ValueError(
            f"The angle of {base.labels[wrong[0]]} is computed in single precision; compute it in float64."
        )
    if len(wrong):
        raise ValueError(
            f"{subject} {base.labels[wrong[0]]} in a nonlinear way; the shift rule needs params that are gate angles."
        )


def _check_same_gates(base: list[_Angles], moved: list[_Angles]) -> None:
    if [(own.gates, own.labels) for own in base] != [(own.gates, own.labels) for own in moved]:
        raise ValueError("The gates of the QNode change with the parameters; the shift rule needs a fixed circuit.")


def _device_adds_noise(qnode: Any, point: Array, shape: tuple[int, ...]) -> bool:
    """Whether the device executes channels that the QNode does not have."""
    import pennylane as qml

    def n_channels(level: str) -> int:
        tapes, _ = _batch(qnode, point, shape, level)
        return sum(isinstance(gate, qml.operation.Channel) for tape in tapes for gate in tape.operations)

    return n_channels("device") > n_channels("user")


def _batch(qnode: Any, point: Array, shape: tuple[int, ...], level: str) -> tuple[Any, Any]:
    """The circuits that are executed for one value of the QNode, and what makes this value of theirs."""
    import pennylane as qml

    try:
        return qml.workflow.construct_batch(qnode, level=level)(point.reshape(shape))  # type: ignore[no-any-return]
    except Exception as error:  # whatever the user's code raises
        raise ValueError(f"Argument `qnode` cannot be called with params of shape {shape}: {error}") from error


def _executed(qnode: Any, point: Array, shape: tuple[int, ...], level: str) -> list[_Angles]:
    """The numbers of every circuit that is executed."""
    tapes, combine = _batch(qnode, point, shape, level)
    if len(qnode.compile_pipeline):
        _check_combination(combine, len(tapes))
    return [_angles(tape) for tape in tapes]


def _check_combination(combine: Any, n_circuits: int) -> None:
    """The value must be a linear function of those of the circuits, as the shift rule is."""
    rng = np.random.default_rng(0)
    for one, other in rng.uniform(-3.0, 3.0, (_N_DRAWS, 2, n_circuits)):  # of both signs, where a bound shows itself
        try:
            sums = [float(np.squeeze(combine(tuple(values)))) for values in (one, other, one + other, 0 * one)]
        except Exception as error:  # what a transform makes of its results is its own code
            raise ValueError(
                f"What a transform of the QNode makes of {n_circuits} circuits cannot be tried: {error}"
            ) from error
        if abs(sums[2] - sums[0] - sums[1] + sums[3]) > _ROUNDING * max(1.0, *map(abs, sums)):
            raise ValueError(
                f"A transform of the QNode makes its value of {n_circuits} circuits by a nonlinear function; the shift "
                "rule needs a linear one."
            )


def _angles(tape: Any) -> _Angles:
    import pennylane as qml

    measured = tape.measurements
    if len(measured) != 1 or not isinstance(measured[0], qml.measurements.ExpectationMP) or measured[0].obs is None:
        raise ValueError("Argument `qnode` must return one qml.expval of an observable.")
    if tape.batch_size is not None:
        raise ValueError(
            f"Argument `qnode` has a gate that takes {tape.batch_size} angles at once; the shift rule needs one "
            "circuit for each set of parameters."
        )
    # (label, numbers, their frequencies) of every gate, then of the observable
    parts = [(_label(gate), _numbers(gate), _frequencies(gate)) for gate in _gates(tape.operations)]
    parts.append(("the observable", _numbers(measured[0].obs), None))
    for label, numbers, _ in parts:
        if not np.isfinite(numbers).all():
            raise ValueError(f"Argument `qnode` has an entry of {label} that is no finite number.")
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
