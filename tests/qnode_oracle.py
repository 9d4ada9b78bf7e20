"""What happens to a QNode: right numbers, or a refusal that a user can understand."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from qnode_grammar import Draw

import vqc_landscape as vl

ATOL = 1e-10  # sums of some hundred products of order 1, on both sides
# What Python and numpy say of a mistake in the code that reads, instead of what is wrong with the QNode.
RAW = re.compile(
    r"\b[A-Z]\w*Error\b|has no attribute|inhomogeneous|NoneType|unsupported operand|subscriptable|not iterable|Batched"
    r"|positional argument|required argument|could not be broadcast|out of bounds|ambiguous\. Use|dimension|has no len"
)
OURS = "Please report this QNode"  # said where what was read is not the QNode: a mistake of ours that did no harm

# Central differences of 6th order, at -3 to 3 steps. The direction is at most 1/8 long in each parameter, so that the
# loss has frequencies of about 1 along it: the error is STEP^6 / 140 = 5e-13, the round-off 1e-15 / STEP^2 = 3e-12.
STEP = 0.02
FIRST = np.array([-1 / 60, 3 / 20, -3 / 4, 0, 3 / 4, -3 / 20, 1 / 60])
SECOND = np.array([1 / 90, -3 / 20, 3 / 2, -49 / 18, 3 / 2, -3 / 20, 1 / 90])


def outcome(draw: Draw) -> str | None:
    """None where the numbers are right, else the text of the refusal.

    Loss, predictions, and the first two derivatives along a direction are compared with the QNode's own, called as its
    user calls it. The direction is generic: it sees every entry of the gradient and of the Hessian.

    Raises:
        AssertionError: a wrong number, a refusal that helps nobody, or something that must be refused and is not.
    """
    node, how = draw.node(), {key: value for key, value in draw.call.items() if key == "depth"}
    rows = [None] if draw.features is None else list(draw.features)
    vector = flat(draw.params)

    def values(point: np.ndarray) -> np.ndarray:
        found = [node(*draw.arguments(rebuilt(draw.params, point), row), **how) for row in rows]
        return np.array([float(np.real(np.ravel(one)[0])) for one in found])

    def loss(found: np.ndarray) -> float:
        if draw.targets is None:
            return float(1 - found[0] if draw.call.get("loss") == "infidelity" else found[0])
        losses = (found - draw.targets) ** 2
        return float(losses.sum() if draw.call.get("reduction") == "sum" else losses.mean())

    try:
        risk = vl.from_qnode(draw.node(), draw.params, draw.features, draw.targets, **draw.call)
    except ValueError as error:
        said = str(error)
        assert OURS not in said, f"{said}\n{draw}"
        if RAW.search(said):  # no mistake of ours, if its user is told the same
            with pytest.raises(Exception) as raised:  # whatever PennyLane raises
                values(vector)
            assert str(raised.value) in said, f"{said}\n{draw}"
        return said
    assert draw.refused is None, f"not refused:\n{draw}"
    expected = values(vector)
    _equal(risk.loss(draw.params), loss(expected), "loss", draw)
    far = 7.0 - 3.0 * vector  # what holds near the user's point only is no reading of the QNode
    _equal(risk.loss(far), loss(values(far)), "loss far away", draw)
    if draw.features is not None:
        _equal(risk.predict(draw.params), expected, "predictions", draw)
        _equal(risk.predict(draw.params, draw.features[::-1]), expected[::-1], "predictions of new rows", draw)
    direction = np.random.default_rng(0).uniform(0.04, 0.125, len(vector)) * (-1) ** np.arange(len(vector))

    def check_derivatives(point: np.ndarray, centre: float) -> None:
        line = [centre if k == 0 else loss(values(point + k * STEP * direction)) for k in range(-3, 4)]
        scale = max(1.0, np.abs(line).max())  # of the round-off
        _equal(risk.grad(point) @ direction, FIRST @ line / STEP, "gradient", draw, scale)
        hessian = risk.hessian(point)
        np.testing.assert_array_equal(hessian, hessian.T)
        _equal(direction @ hessian @ direction, SECOND @ line / STEP**2, "Hessian", draw, scale)

    try:
        check_derivatives(vector, loss(expected))
    except AssertionError:  # PennyLane's angles of fused gates are 1e-11 off in places; a mistake of ours is everywhere
        check_derivatives(vector + 0.3, loss(values(vector + 0.3)))
    return None


def _equal(found: Any, expected: Any, what: str, draw: Draw, scale: float = 1.0) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=ATOL * scale, err_msg=f"{what} of\n{draw}")


def flat(params: Any) -> np.ndarray:
    """The parameters one after the other."""
    if isinstance(params, dict | tuple | list):
        return np.concatenate([flat(value) for value in (params.values() if isinstance(params, dict) else params)])
    return np.ravel(np.asarray(params, dtype=float))


def rebuilt(params: Any, vector: np.ndarray) -> Any:
    """A vector in the form of an example: arrays where it has arrays, lists where it has lists."""
    left = iter(vector)

    def build(example: Any) -> Any:
        if isinstance(example, dict):
            return {key: build(value) for key, value in example.items()}
        if isinstance(example, tuple | list):
            return type(example)(build(value) for value in example)
        if isinstance(example, float):
            return float(next(left))
        return np.array([next(left) for _ in range(example.size)]).reshape(example.shape)

    return build(params)
