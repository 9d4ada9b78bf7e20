"""QNodes whose numbers were once wrong without a word: each is right now, or refused."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qml
import pytest

import vqc_landscape as vl

ATOL = 1e-10  # sums of some hundred products of order 1
ROWS = np.random.default_rng(0).uniform(-1, 1, (60, 2))
RARE = 17  # a row that no sample of four sees
ROWS[RARE] = [2.0, 0.5]


def node_of(circuit: Callable[..., Any], n_wires: int = 2) -> Any:
    return qml.QNode(circuit, qml.device("default.qubit", wires=n_wires))


def check_rows(circuit: Callable[..., Any], params: Any, rows: Any = ROWS) -> Any:
    """The risk, after its predictions were compared with the QNode."""
    node = node_of(circuit)
    risk = vl.from_qnode(node, params, rows, np.ones(len(rows)))
    expected = [float(node(np.asarray(params), row)) for row in rows]
    np.testing.assert_allclose(risk.predict(params), expected, rtol=0, atol=ATOL)
    return risk


# --- transforms ---------------------------------------------------------------------------------------------------


@qml.transform  # type: ignore[untyped-decorator]
def processed(tape: Any, function: Callable[..., Any], n_tapes: int = 1) -> Any:
    return [tape] * n_tapes, lambda results: function(*results)


NONLINEAR = {
    "abs": (qml.math.abs, 1),
    "maximum": (lambda a: max(a, -0.9), 1),
    "of two": (max, 2),
    "product": (lambda a, b: a if a > -0.8 else a * b, 2),
}


@pytest.mark.parametrize("name", NONLINEAR)
def test_a_transform_that_is_not_linear_in_the_values_is_refused(name: str) -> None:
    def circuit(w):
        qml.RX(0.05 * w[0], 0)  # positive at every point that is tried
        return qml.expval(qml.Z(0))

    function, n_tapes = NONLINEAR[name]
    with pytest.raises(ValueError, match="A transform of circuit makes something else of its values than a sum"):
        vl.from_qnode(processed(node_of(circuit), function, n_tapes), [0.3])


def test_a_transform_that_is_linear_in_the_values_is_taken() -> None:
    def circuit(w):
        qml.RX(w[0], 0)
        return qml.expval(qml.Z(0))

    risk = vl.from_qnode(processed(node_of(circuit), lambda a, b: 0.3 * a + 0.7 * b, 2), [0.3])
    assert risk.hessian([0.3])[0, 0] == pytest.approx(-math.cos(0.3), abs=ATOL)


# --- forms of parameters ------------------------------------------------------------------------------------------


def test_a_list_is_a_list_where_that_is_another_thing_than_an_array() -> None:
    def circuit(w):
        angles = w + [0.5]  # one more angle, not 0.5 more each
        for k, angle in enumerate(angles[:3]):
            qml.RX(angle, k % 2)
        return qml.expval(qml.Z(0) @ qml.Z(1))

    risk = vl.from_qnode(node_of(circuit), [0.3, 0.4])
    assert risk.loss([0.3, 0.4]) == pytest.approx(math.cos(0.3 + 0.5) * math.cos(0.4), abs=ATOL)
    assert risk.hessian([0.3, 0.4])[0, 1] == pytest.approx(math.sin(0.8) * math.sin(0.4), abs=ATOL)


def test_a_list_within_a_dict_is_a_list_too() -> None:
    def circuit(a, b):
        for angle in 2 * a["inner"]:  # twice as long
            qml.RX(angle, 0)
        qml.RX(b, 0)
        return qml.expval(qml.Z(0))

    risk = vl.from_qnode(node_of(circuit), {"a": {"inner": [0.1, 0.2]}, "b": 0.3})
    assert risk.loss([0.1, 0.2, 0.3]) == pytest.approx(math.cos(0.9), abs=ATOL)
    assert risk.hessian([0.1, 0.2, 0.3])[0, 2] == pytest.approx(-2 * math.cos(0.9), abs=ATOL)


# --- what is remembered between calls -----------------------------------------------------------------------------


def test_a_qnode_that_changes_in_its_last_call_is_refused() -> None:
    calls: list[int] = []

    def circuit(w, last=math.inf):
        calls.append(1)
        qml.RX(w[0] + (0.3 if len(calls) >= last else 0.0), 0)
        return qml.expval(qml.Z(0))

    vl.from_qnode(node_of(circuit), [0.1])
    n_calls = len(calls)
    calls.clear()
    with pytest.raises(
        ValueError, match="drawn at random anew in each call.* remembers earlier calls, give it what it"
    ):
        vl.from_qnode(node_of(circuit), [0.1], last=n_calls)


@pytest.mark.parametrize("period", [2, 3])
def test_a_qnode_that_alternates_is_refused(period: int) -> None:
    calls = []

    def circuit(w):
        calls.append(1)
        qml.RX(w[0] + 0.3 * (len(calls) % period), 0)
        return qml.expval(qml.Z(0))

    with pytest.raises(ValueError, match="drawn at random anew in each call|another number in each call"):
        vl.from_qnode(node_of(circuit), [0.1])


def test_a_qnode_that_remembers_its_first_sample_is_refused_or_right() -> None:
    seen: list[Any] = []

    def circuit(w, x):
        seen.append(x[0])
        qml.RX(w[0] * (x[0] - seen[-2] if len(seen) > 1 else x[0]), 0)  # depends on the row before
        return qml.expval(qml.Z(0))

    with pytest.raises(ValueError, match="circuit"):
        vl.from_qnode(node_of(circuit), [0.1], ROWS, np.ones(60))


# --- one row that is another one ----------------------------------------------------------------------------------


def swallow(x: Any) -> float:
    try:
        return 3.0 if x[0] > 1.5 else 1.0
    except Exception:
        return 1.0


def swallow_all(x: Any) -> float:
    try:
        return 3.0 if x[0] > 1.5 else 1.0
    except:  # noqa: E722
        return 1.0


def suppress(x: Any) -> float:
    found = 1.0
    with contextlib.suppress(TypeError):
        found = math.floor(x[0] - 1.0) if x[0] > 1.5 else 1.0
    return found


KNOWN = {2.0: 3.0}
ROW_CODE: dict[str, Callable[[Any], Any]] = {
    "an error that is swallowed": swallow,
    "any error that is swallowed": swallow_all,
    "an error that is suppressed": suppress,
    "a table": lambda x: KNOWN.get(x[0], 1.0),
    "a set": lambda x: 3.0 if x[0] in {2.0} else 1.0,
    "a kind of array": lambda x: 3.0 if isinstance(x, np.ndarray) and float(np.max(x)) > 1.5 else 1.0,
    "a kind of number": lambda x: 3.0 if isinstance(x[0], float) and x[0] > 1.5 else 1.0,
    "an attribute": lambda x: 3.0 if hasattr(x, "max") and x.max() > 1.5 else 1.0,
    "a text": lambda x: 3.0 if str(x[0]) == "2.0" else 1.0,
    "a formatted text": lambda x: 3.0 if f"{x[0]}" == "2.0" else 1.0,
    "a type": lambda x: 3.0 if type(x) is np.ndarray and x[0] > 1.5 else 1.0,
}


@pytest.mark.parametrize("name", ROW_CODE)
def test_code_that_goes_another_way_for_one_row(name: str) -> None:
    def circuit(w, x):
        qml.RX(ROW_CODE[name](x) * w[0], 0)
        qml.RY(w[1] * x[1], 0)
        return qml.expval(qml.Z(0))

    check_rows(circuit, np.array([0.3, 0.7]))


def test_a_gate_on_one_row_only_is_refused() -> None:
    def circuit(w, x):
        qml.RX(w[0] * x[1], 0)
        if x[0] > 1.5:
            qml.X(0)
        return qml.expval(qml.Z(0))

    with pytest.raises(ValueError, match="gates of circuit depend on its features"):
        check_rows(circuit, np.array([0.3]))


def test_a_matrix_that_is_not_unitary_on_one_row_is_refused() -> None:
    def circuit(w, x):
        qml.RX(w[0], 0)
        qml.QubitUnitary(np.diag([1.0, np.exp(1j * x[1])]) * np.where(x[0] > 1.5, 1.1, 1.0), 0)
        return qml.expval(qml.Z(0))

    with pytest.raises(ValueError, match=r"QubitUnitary on wires \[0\] is not unitary"):
        vl.from_qnode(node_of(circuit), [0.3], ROWS, np.ones(60))
    risk = vl.from_qnode(node_of(circuit), [0.3], ROWS[:RARE], np.ones(RARE))
    with pytest.raises(ValueError, match=r"QubitUnitary on wires \[0\] is not unitary"):
        risk.predict([0.3], ROWS)


def test_a_matrix_that_is_not_hermitian_on_a_new_row_is_refused() -> None:
    def circuit(w, x):
        qml.RX(w[0], 0)
        return qml.expval(qml.Hermitian(np.array([[x[0], 1.0], [np.where(x[0] > 1.5, 3.0, 1.0), 0.5]]), 0))

    with pytest.raises(ValueError, match="not hermitian"):
        vl.from_qnode(node_of(circuit), [0.3], ROWS, np.ones(60))
    risk = vl.from_qnode(node_of(circuit), [0.3], ROWS[:RARE], np.ones(RARE))
    with pytest.raises(ValueError, match="observable of circuit is the same for all rows"):
        risk.predict([0.3], ROWS)


@pytest.mark.parametrize("what", ["state", "projector"])
def test_bits_that_are_none_on_one_row_are_refused(what: str) -> None:
    def circuit(w, x):
        bits = np.round(abs(x)).astype(int)
        if what == "state":
            qml.BasisState(bits, [0, 1])
        qml.RX(w[0], 0)
        return qml.expval(qml.Projector(bits, [0, 1]) if what == "projector" else qml.Z(0) @ qml.Z(1))

    with pytest.raises(ValueError, match="circuit"):
        vl.from_qnode(node_of(circuit), [0.3], ROWS, np.ones(60))


def test_an_angle_that_is_no_number_on_one_row_is_refused() -> None:
    def circuit(w, x):
        with np.errstate(invalid="ignore"):
            qml.RX(w[0] * np.sqrt(1.5 - x[0]), 0)
        return qml.expval(qml.Z(0))

    with pytest.raises(ValueError, match=r"angle of RX on wires \[0\] is not a finite number"):
        vl.from_qnode(node_of(circuit), [0.3], ROWS, np.ones(60))


def test_a_coefficient_that_is_no_number_on_one_row_is_refused() -> None:
    def circuit(w, x):
        qml.RX(w[0], 0)
        with np.errstate(invalid="ignore"):
            return qml.expval(np.sqrt(1.5 - x[0]) * qml.Z(0))

    with pytest.raises(ValueError, match="The observable of circuit has entries that are no finite numbers"):
        vl.from_qnode(node_of(circuit), [0.3], ROWS, np.ones(60))


# --- angles that look affine --------------------------------------------------------------------------------------

BENT: dict[str, Callable[[Any, Any], Any]] = {
    "a bound on one row": lambda w, x: np.maximum(w[0] * (x[0] > 1.5), -9.0),
    "a narrow bound": lambda w, x: np.clip(w[0], -0.5, 0.5) if False else np.where(abs(w[0]) < 0.4, 2 * w[0], w[0]),
    "a norm": lambda w, x: w[0] * (1 if w[0] ** 2 + w[1] ** 2 > 0.5 else 2),
    "an interval": lambda w, x: w[0] if not 2.0 < w[0] < 3.6 else 2 * w[0],
    "a negative interval": lambda w, x: w[0] if not -2.0 < w[0] < -0.4 else 2 * w[0],
    "an order": lambda w, x: w[0] if w[0] > w[1] else 2 * w[0],
    "an order on one row": lambda w, x: w[0] if x[0] < 1.5 or w[0] > w[1] else w[1],
    "a remainder": lambda w, x: w[0] % (2 * np.pi),
    "a long remainder": lambda w, x: w[0] % (16 * np.pi) if x[0] > 1.5 else w[0],
}


@pytest.mark.parametrize("name", BENT)
def test_an_angle_in_pieces_is_refused(name: str) -> None:
    def circuit(w, x):
        qml.RX(BENT[name](w, x), 0)
        qml.RY(w[1], 0)
        return qml.expval(qml.Z(0))

    with pytest.raises(ValueError, match="is not affine"):
        vl.from_qnode(node_of(circuit), [0.3, 0.4], ROWS, np.ones(60))


# --- own operations -----------------------------------------------------------------------------------------------


class Scaled(qml.operation.Operation):  # type: ignore[misc]
    """RX of an angle times a number that is no parameter."""

    num_params = 1
    num_wires = 1

    def __init__(self, angle: Any, scale: float, wires: Any) -> None:
        self.scale = scale
        super().__init__(angle, wires=wires)

    def generator(self) -> Any:
        return -0.5 * self.scale * qml.X(self.wires)

    def decomposition(self) -> list[Any]:
        return [qml.RX(self.scale * self.data[0], self.wires)]

    @property
    def has_decomposition(self) -> bool:
        return True


def test_generators_of_own_operations_are_their_own() -> None:
    def circuit(w):
        Scaled(w[0], 1.0, wires=0)
        Scaled(w[0], 2.0, wires=0)
        return qml.expval(qml.Z(0))

    assert vl.from_qnode(node_of(circuit), [0.3]).loss([0.3]) == pytest.approx(math.cos(0.9), abs=ATOL)


# --- constants ----------------------------------------------------------------------------------------------------


def test_constants_and_idle_wires_are_part_of_the_value() -> None:
    def circuit(w, x):
        qml.RX(w[0], 0)
        return qml.expval(x[0] * qml.Identity(5) + x[1] * qml.Z(7) + qml.Z(0) @ qml.Identity(3) + 0.5 * qml.X(9))

    node = qml.QNode(circuit, qml.device("default.qubit", wires=10))
    risk = vl.from_qnode(node, [0.3], ROWS, np.ones(60))
    np.testing.assert_allclose(risk.predict([0.3]), ROWS.sum(axis=1) + math.cos(0.3), rtol=0, atol=ATOL)


IDLE = {
    "bits": lambda x: x[0] * qml.Projector([0, 0], [2, 3]) + 2 * qml.Projector([0], [4]) + 3 * qml.Projector([1], [5]),
    "a state": lambda x: x[0] * qml.Projector(np.array([0.6, 0.8j]), [2]) + 2.0 / 0.36 * qml.Projector([0], [4]),
    "a matrix": lambda x: qml.Hermitian(np.array([[x[0], 1.0], [1.0, 0.0]]), 2) + 2 * qml.Projector([0], [4]),
}


@pytest.mark.parametrize("name", IDLE)
def test_matrices_on_idle_wires_alone_are_numbers(name: str) -> None:
    def circuit(w, x):
        qml.RX(w[0], 0)
        return qml.expval(qml.Z(0) + IDLE[name](x))

    node = node_of(circuit, 6)
    risk = vl.from_qnode(node, [0.3], ROWS, np.ones(60))
    expected = [float(node(np.array([0.3]), row)) for row in ROWS]
    np.testing.assert_allclose(risk.predict([0.3]), expected, rtol=0, atol=ATOL)


# --- single precision ---------------------------------------------------------------------------------------------


class Single(qml.devices.DefaultQubit):
    """A device that rounds to single precision and is slightly off."""

    c_dtype = np.complex64
    error = 0.0

    def execute(self, circuits: Any, execution_config: Any = None) -> Any:
        found = super().execute(circuits, execution_config)
        return tuple(np.float32(value) for value in found)


def test_a_device_of_single_precision_is_tried_in_double_precision() -> None:
    def circuit(w):
        qml.RX(w[0], 0)
        return qml.expval(qml.Z(0))

    risk = vl.from_qnode(qml.QNode(circuit, Single(wires=1)), [0.3])
    assert risk.loss([0.3]) == pytest.approx(math.cos(0.3), abs=ATOL)


def test_a_wrong_number_is_seen_on_a_device_of_single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    def circuit(w):
        qml.RX(w[0], 0)
        return qml.expval(qml.Z(0))

    right = vl.Risk.outputs
    monkeypatch.setattr(vl.Risk, "outputs", lambda risk, params: right(risk, params) + 1e-6)
    with pytest.raises(ValueError, match="circuit is not what was read of it"):
        vl.from_qnode(qml.QNode(circuit, Single(wires=1)), [0.3])


# --- roots, examples, and what a caller does to his arrays ----------------------------------------------------------


@pytest.mark.parametrize(
    "gate",
    [
        lambda a: qml.pow(qml.PhaseShift(a, 0), 0.5),
        lambda a: qml.pow(qml.CPhase(a, [0, 1]), -1.3),
        lambda a: qml.pow(qml.RX(a, 0), -1.3),
        lambda a: qml.pow(qml.SingleExcitation(a, [0, 1]), 0.5),
        lambda a: qml.ctrl(qml.pow(qml.PhaseShift(a, 0), 0.5), 1),
        lambda a: qml.pow(qml.ctrl(qml.GlobalPhase(a), 0), 0.5),
    ],
    ids=["PhaseShift", "CPhase", "RX", "SingleExcitation", "controlled root", "root of a controlled phase"],
)
def test_a_root_of_a_gate_that_jumps_is_refused(gate: Callable[[Any], Any]) -> None:
    """The device takes the principal root of the matrix, which is no gate of a multiple of the angle."""

    def circuit(w: Any) -> Any:
        qml.RY(0.3, 0)
        qml.RY(0.7, 1)
        gate(w[0])
        qml.RX(w[1], 0)
        return qml.expval(qml.Z(0) @ qml.X(1))

    with pytest.raises(ValueError, match="is a root of its matrix, which jumps where an eigenvalue passes -1"):
        vl.from_qnode(qml.QNode(circuit, qml.device("default.qubit", wires=2)), [0.1, 0.2])


@pytest.mark.parametrize(
    ("branch", "example"),
    [
        (lambda w: np.any(w != 0), [0.0, 0.0]),
        (lambda w: not np.allclose(w, 0), [0.0, 0.0]),
        (lambda w: abs(w[0] - 1) > 0.05, [1.0, 2.0]),
    ],
    ids=["any", "allclose", "near"],
)
def test_the_example_is_tried(branch: Callable[[Any], bool], example: list[float]) -> None:
    def circuit(w: Any) -> Any:
        qml.RY(w[0], 0)
        qml.RY(w[1], 1)
        qml.CNOT([0, 1])
        if branch(w):
            qml.RX(0.4, 1)
        return qml.expval(qml.Z(1))

    with pytest.raises(ValueError, match="circuit"):
        vl.from_qnode(qml.QNode(circuit, qml.device("default.qubit", wires=2)), example)


def test_a_caller_who_writes_into_his_arrays_changes_no_risk() -> None:
    def circuit(w: Any, x: Any) -> Any:
        qml.RX(w[0], 0)
        qml.RY(x[0], 0)
        return qml.expval(qml.Z(0))

    x, y = np.linspace(0.1, 1, 5)[:, None], np.ones(5)
    risk = vl.from_qnode(qml.QNode(circuit, qml.device("default.qubit", wires=1)), [0.3], x, y)
    before = risk.loss([0.3])
    x[:], y[:] = 5, 5
    assert risk.loss([0.3]) == before
    with pytest.raises(ValueError, match="read-only"):
        risk.structural_directions[:] = 1


def test_a_dictionary_of_values_is_refused() -> None:
    def circuit(w: Any) -> Any:
        qml.RX(w[0], 0)
        return {"z": qml.expval(qml.Z(0))}

    qnode = qml.QNode(circuit, qml.device("default.qubit", wires=1))
    with pytest.raises(ValueError, match="must return one qml.expval, but returns a dict"):
        vl.from_qnode(qnode, [0.1])
    with pytest.raises(ValueError, match="must return one qml.expval, but returns a dict"):
        vl.param_shift_hessian(qnode, [0.1])


@pytest.mark.parametrize("indices", [[5], [-1], "a", [0.5], [], 3, None, [[0, 1]]], ids=str)
def test_a_batch_of_samples_that_there_are_not_is_refused(indices: Any) -> None:
    risk = vl.CircuitRisk(vl.reuploading(2, 1), vl.PauliZ(0), "mse", [[0.1, 0.2]] * 4, [1.0, -1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="`indices` must be a list of at least one sample from 0 to 3"):
        risk.batch(indices)
