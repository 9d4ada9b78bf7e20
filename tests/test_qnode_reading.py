"""How a QNode is read: arrays that stand for many evaluations, affine angles, forms of parameters, and the trial."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pennylane as qml
import pytest

import vqc_landscape as vl
from vqc_landscape.circuits.parameters import Parameters, layout_of
from vqc_landscape.circuits.pauli import pauli_coefficients, pauli_words
from vqc_landscape.circuits.qnode import affine
from vqc_landscape.circuits.qnode.affine import Points, find_pattern, solve
from vqc_landscape.circuits.qnode.arguments import Call
from vqc_landscape.circuits.qnode.assemble import _euler
from vqc_landscape.circuits.qnode.batched import Batched, ManyError
from vqc_landscape.circuits.qnode.read import read_qnode
from vqc_landscape.risks import trial

ATOL = 1e-10  # sums of some hundred products of order 1


# --- many evaluations at once -------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
ROWS, POINTS = RNG.normal(size=(7, 4)), RNG.normal(size=(7, 2, 3))
EXPRESSIONS: dict[str, Callable[[Any, Any], Any]] = {
    "arithmetic": lambda x, w: 2 * x[0] - x[1] / 3 + w[1, 2] * x[-1] ** 2 - (-x[2]) // 0.5 + x[3] % 0.7,
    "functions": lambda x, w: np.sin(x[0]) * np.exp(w[0, 0]) + np.arctan2(x[1], x[2]) + np.hypot(x[0], 1.0),
    "PennyLane's numpy": lambda x, w: qml.numpy.cos(x[0]) + qml.math.sqrt(qml.math.abs(w[0, 1])),
    "axes": lambda x, w: w.T[2, 0] + w[..., 1][1] + w.reshape(-1)[4] + w.ravel()[0] + w[:, None, 1][1, 0],
    "sums": lambda x, w: x.sum() + np.mean(w) + np.dot(x[:3], w[0]) + (w @ x[1:])[1] + np.linalg.norm(x),
    "loops": lambda x, w: sum(a * b for row in w for a, b in zip(row, x, strict=False)),
    "arrays of entries": lambda x, w: np.sum(np.sin(np.array([x[0], w[0, 0]])) * np.array([1.0, x[1]])),
    "where": lambda x, w: np.where(x > 0, x, w[0, 0])[1] + np.clip(x[0], -0.2, 0.3),
    "stacks": lambda x, w: np.concatenate([x, w[0]])[5] + np.stack([x, x])[1, 2] + np.maximum(x[0], x[1]),
    "complex": lambda x, w: ((x[0] + 1j * x[1]) * np.conj(1j * w[0, 0])).real,
    "whole numbers": lambda x, w: x.astype(int)[0] + np.round(x[1]),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_batched_arrays_are_many_arrays(name: str) -> None:
    expression = EXPRESSIONS[name]
    found = expression(Batched(np.moveaxis(ROWS, 0, -1)), Batched(np.moveaxis(POINTS, 0, -1)))
    expected = [expression(x, w) for x, w in zip(ROWS, POINTS, strict=True)]
    np.testing.assert_allclose(found.values, expected, rtol=1e-14)


def test_batched_arrays_have_one_value_only_where_all_have_the_same() -> None:
    same, other = Batched([2, 2, 2]), Batched([1.0, 2.0, 3.0])
    assert float(same) == 2.0 and int(same) == 2 and complex(same) == 2 and [10, 20, 30][same] == 30
    assert bool(other > 0) and not bool(other < 0)
    for convert in (float, int, complex, bool, hash, str, "{:.1f}".format, lambda a: 1 if a > 1.5 else 0, math.sin):
        with pytest.raises(ManyError):
            convert(other)
    for convert in (lambda a: a.flat, lambda a: [1, 2, 3, 4][a.astype(int)]):
        with pytest.raises(ManyError):
            convert(other)
    with pytest.raises(TypeError, match="only whole numbers are an index"):
        [1, 2, 3][Batched([1.0, 1.0])]
    with pytest.raises(TypeError):
        len(other)
    with pytest.raises(AttributeError, match="Batched has no attribute 'size_of'"):
        getattr(other, "size_of")  # noqa: B009 - the access alone
    with pytest.raises(ManyError, match="differ in shape"):
        np.flatnonzero(Batched([[1.0, 0.0], [1.0, 1.0]]))


def reading_of(circuit: Callable[..., Any], n_params: int, rows: Any) -> Any:
    call = Call(circuit, "circuit", Parameters(layout_of(np.zeros(n_params)), ("w",)), "x", {})
    return read_qnode(qml.QNode(circuit, qml.device("default.qubit", wires=2)), call, rows, transformed=False)


@pytest.mark.parametrize(
    ("function", "together"),
    [(np.sin, "all"), (math.sin, "points"), (lambda a: a if a > 0 else 2 * a, "points")],
)
def test_as_much_is_read_in_one_call_as_the_code_allows(function: Callable[[Any], Any], together: str) -> None:
    def circuit(w, x):
        qml.RX(w[0] * function(x[0]) + x[1], 0)
        return qml.expval(qml.Z(0))

    reading = reading_of(circuit, 1, ROWS)
    assert reading.tapes.together == together

    def stubborn(w, x):
        qml.RX(float(w[0]) * function(x[0]) + x[1], 0)
        return qml.expval(qml.Z(0))

    alone = reading_of(stubborn, 1, ROWS)
    assert alone.tapes.together == "none"
    tables = [found.circuit.feature_rows(-ROWS) for found in (reading, alone)]
    np.testing.assert_allclose(*tables, rtol=0, atol=1e-12)


@pytest.mark.parametrize("number", [lambda a: a, float], ids=["together", "alone"])
def test_a_qnode_that_writes_into_its_arguments_changes_nobodys_data(number: Callable[[Any], Any]) -> None:
    rows, params = ROWS.copy(), np.array([0.3, 0.4])

    def circuit(w, x):
        x *= 2.0
        w += 1.0
        qml.RX(number(w[0]) * x[0] + w[1], 0)
        return qml.expval(qml.Z(0))

    risk = vl.from_qnode(qml.QNode(circuit, qml.device("default.qubit")), params, rows, np.ones(7))
    np.testing.assert_array_equal(rows, ROWS)
    np.testing.assert_array_equal(params, [0.3, 0.4])
    np.testing.assert_allclose(risk.predict(params), np.cos(1.3 * 2 * ROWS[:, 0] + 1.4), rtol=0, atol=ATOL)


def test_rows_that_go_another_way_than_the_tried_ones_are_read_one_by_one() -> None:
    rows = np.ones((500, 2))
    rows[321] = -1.0

    def circuit(w, x):
        qml.RX(w[0] * x[0] if x[0] > 0 else 3 * w[0], 0)
        return qml.expval(qml.Z(0))

    reading = reading_of(circuit, 1, rows)
    assert reading.tapes.together == "points"
    np.testing.assert_array_equal(np.flatnonzero(reading.circuit.feature_rows(rows)[:, 1] != 1.0), [321])


# --- affine angles ------------------------------------------------------------------------------------------------


def test_offsets_and_slopes_are_found_exactly() -> None:
    rng, n_params = np.random.default_rng(1), 30
    matrix = np.zeros((6, n_params))
    matrix[0, 3], matrix[1, 29], matrix[3, [1, 5, 7]], matrix[4, 2] = 1.0, -0.5, (0.1, 2.0, -1.0), math.pi
    offset = np.array([0.0, 0.25, 1.7, 0.0, -0.3, 0.0])

    def angles(points: np.ndarray) -> np.ndarray:
        return matrix @ points.T + offset[:, None]

    points = Points(n_params)
    pattern = find_pattern(angles, points)
    assert pattern == [(3,), (29,), (), (1, 5, 7), (2,), ()]
    used = points.first(5)
    coefficients, misfit = solve(pattern, used, angles(used)[:, None])
    # simple numbers to the last bit, others to some eps
    expected = [0.0, 1.0, 0.25, -0.5, 1.7, 0.0, 0.1, 2.0, -1.0, -0.3, math.pi, 0.0]
    np.testing.assert_allclose(coefficients[0], expected, rtol=0, atol=1e-13)
    assert coefficients[0, [0, 1, 2, 3, 5, 7, 8, 11]].tolist() == [0.0, 1.0, 0.25, -0.5, 0.0, 2.0, -1.0, 0.0]
    assert misfit.max() < affine.RTOL
    assert not (used == 0).any() and (used[0] > 0).all() and (used[1] < 0).all()
    bent = angles(used) + 1e-6 * rng.normal(size=(6, 5)) * (matrix.any(axis=1)[:, None])
    assert (solve(pattern, used, bent[:, None])[1][[0, 1, 3, 4]] > affine.RTOL).all()


# --- forms of parameters ------------------------------------------------------------------------------------------

FORMS = [
    0.5,
    [0.1, 0.2],
    np.arange(6.0).reshape(2, 3),
    (np.ones((2, 2)), 0.3),
    {"b": [1.0, 2.0], "a": {"c": 3.0, "d": [[4.0]]}},
    [np.ones(2), np.ones((1, 3))],
    ([0.1, [0.2, 0.3]], 4.0),
    qml.numpy.array([0.1, 0.2], requires_grad=True),
]


@pytest.mark.parametrize("params", FORMS, ids=lambda form: type(form).__name__)
def test_parameters_of_any_form_are_one_vector_and_back(params: Any) -> None:
    layout = layout_of(params)
    flat = layout.flatten(params)
    assert flat is not None and flat.shape == (layout.size,)
    vector = np.arange(1.0, layout.size + 1)
    np.testing.assert_array_equal(layout.flatten(layout.unflatten(vector)), vector)
    batched = layout.unflatten(Batched(np.stack([vector, 2 * vector], axis=-1)))
    again = layout.unflatten(2 * vector)

    def entries(tree: Any, k: int) -> Any:
        if isinstance(tree, dict):
            return {key: entries(value, k) for key, value in tree.items()}
        return type(tree)(entries(v, k) for v in tree) if isinstance(tree, list | tuple) else tree.values[..., k]

    np.testing.assert_array_equal(layout.flatten(entries(batched, 1)), layout.flatten(again))
    for other in ([0.1] * 11, {"z": 1.0}, (1.0,), "text", {"b": 1.0, "a": 2.0}):
        assert layout.flatten(other) is None


def test_parameters_that_are_no_numbers_are_named() -> None:
    with pytest.raises(ValueError, match=r"Argument `params\['a'\]` must be an array of real numbers"):
        layout_of({"a": "text"})
    with pytest.raises(ValueError, match=r"Argument `params\[1\]\[0\]` must be finite"):
        layout_of((1.0, [np.nan]))


# --- matrices that depend on the sample ---------------------------------------------------------------------------


def test_euler_angles_of_any_unitary() -> None:
    rng = np.random.default_rng(2)
    found = [np.linalg.qr(rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2)))[0] for _ in range(20)]
    special = [np.eye(2), [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], np.diag([1, 1j]), [[0, 1], [1j, 0]], -np.eye(2)]
    matrices = np.moveaxis(np.array([*found, *(np.array(m, dtype=complex) for m in special)]), 0, -1)
    for k, (a, b, c) in enumerate(_euler(matrices)):
        made = qml.matrix(qml.RZ(c, 0)) @ qml.matrix(qml.RY(b, 0)) @ qml.matrix(qml.RZ(a, 0))
        assert abs(np.vdot(made, matrices[..., k])) == pytest.approx(2, abs=1e-12)


def test_coefficients_of_words_are_pennylanes() -> None:
    rng = np.random.default_rng(3)
    matrices = rng.normal(size=(8, 8, 2)) + 1j * rng.normal(size=(8, 8, 2))
    matrices = matrices + np.swapaxes(matrices, 0, 1).conj()
    found = pauli_coefficients(matrices)
    for k in range(2):
        sentence = qml.pauli_decompose(matrices[..., k], wire_order=range(3), pauli=True)
        expected = {"".join(word.get(wire, "I") for wire in range(3)): value for word, value in sentence.items()}
        own = dict(zip(pauli_words(3), found[:, k], strict=True))
        assert own == pytest.approx({word: expected.get(word, 0.0) for word in own}, abs=1e-13)


def test_a_unitary_of_the_sample_on_one_wire_is_taken_on_two_it_is_refused() -> None:
    def circuit(w, x, wires=(0,)):
        qml.RX(w[0], 0)
        size = 2 ** len(wires)
        generator = x[0] * np.ones((size, size)) + np.diag(x[1] * np.arange(size))
        values, vectors = np.linalg.eigh(generator)
        qml.QubitUnitary(vectors @ np.diag(np.exp(1j * values)) @ vectors.conj().T, wires=wires)
        qml.RX(w[1], 0)
        return qml.expval(qml.Z(0) + qml.Y(0))

    node, rows = qml.QNode(circuit, qml.device("default.qubit", wires=2)), ROWS[:, :2]
    risk = vl.from_qnode(node, [0.3, 0.4], rows, np.ones(7))
    expected = [float(node(np.array([0.3, 0.4]), row)) for row in rows]
    np.testing.assert_allclose(risk.predict([0.3, 0.4]), expected, rtol=0, atol=ATOL)
    with pytest.raises(ValueError, match=r"matrix of QubitUnitary on wires \[0, 1\] depends on the features; a"):
        vl.from_qnode(node, [0.3, 0.4], rows, np.ones(7), wires=(0, 1))


def test_states_and_matrices_of_the_sample_have_their_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    def state(w, x):
        qml.AmplitudeEmbedding(x, wires=range(2), normalize=True)
        qml.RX(w[0], 0)
        return qml.expval(qml.Z(0))

    monkeypatch.setattr("vqc_landscape.circuits.qnode.assemble.MAX_STATE_QUBITS", 1)
    node = qml.QNode(state, qml.device("default.qubit", wires=2))
    with pytest.raises(ValueError, match="state has a state of 2 qubits that depends on the sample; up to 1 are taken"):
        vl.from_qnode(node, [0.3], ROWS, np.ones(7))

    def observable(w, x):
        for wire in range(6):
            qml.RX(w[0], wire)
        return qml.expval(qml.Hermitian(np.diag(np.arange(64.0)) + x[0] * np.ones((64, 64)), range(6)))

    node = qml.QNode(observable, qml.device("default.qubit", wires=7))
    with pytest.raises(ValueError, match="has a matrix that depends on the sample on 6 wires; up to 5 are taken"):
        vl.from_qnode(node, [0.3], ROWS, np.ones(7))

    def large(w):
        for wire in range(12):
            qml.RX(w[0], wire)
        return qml.expval(qml.Projector(np.full(2048, 2048**-0.5), range(11)))

    with pytest.raises(ValueError, match="has a projector on 11 wires; up to 10 are taken"):
        vl.from_qnode(qml.QNode(large, qml.device("default.qubit", wires=12)), [0.3])


# --- the trial ----------------------------------------------------------------------------------------------------


def plain(w):
    qml.RX(w[0], 0)
    qml.RY(w[1], 1)
    qml.CNOT([0, 1])
    return qml.expval(qml.Z(1) + qml.X(0))


def node_of(circuit: Callable[..., Any] = plain, n_wires: int = 2) -> qml.QNode:
    return qml.QNode(circuit, qml.device("default.qubit", wires=n_wires))


def test_what_a_trial_has_seen_is_part_of_the_risk() -> None:
    risk = vl.from_qnode(node_of(), [0.1, 0.2])
    assert risk.trial.n_runs == 6 and risk.trial.difference < 1e-14
    assert repr(risk).splitlines()[:3] == ["CircuitRisk(plain, 2 qubits", "  2 parameters: w (2,)", "  loss expval"]
    assert repr(risk).splitlines()[3].startswith("  tried against the QNode itself: 6 runs, largest difference ")
    assert vl.CircuitRisk(vl.layered(2, 1), vl.PauliZ(0), "expval").trial is None


def test_a_slow_qnode_is_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(0.0, 2.0)
    monkeypatch.setattr(trial, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    assert "one run, as it is slow" in repr(vl.from_qnode(node_of(), [0.1, 0.2]))


def test_a_wrong_value_is_never_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    right = vl.Risk.outputs
    monkeypatch.setattr(vl.Risk, "outputs", lambda risk, params: right(risk, params) + 1e-8)
    with pytest.raises(ValueError, match="plain is not what was read of it: its value is .* Please report this QNode"):
        vl.from_qnode(node_of(), [0.1, 0.2])


def test_a_wrong_derivative_is_never_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    right = vl.Risk.jacobian
    monkeypatch.setattr(vl.Risk, "jacobian", lambda risk, params: right(risk, params) * (1 + 1e-4))
    with pytest.raises(ValueError, match="The derivative of plain along a direction is .* but .* by what was read"):
        vl.from_qnode(node_of(), [0.1, 0.2])


class Approximate(qml.operation.Operation):  # type: ignore[misc]
    """Seven wires with a matrix, and gates that are not quite that."""

    num_params = 0
    num_wires = 7

    @staticmethod
    def compute_matrix() -> np.ndarray:
        return np.diag(np.exp(1j * np.arange(128)))

    @staticmethod
    def compute_decomposition(wires: Any) -> list[Any]:
        return [qml.RZ(1.001 * 2**k, wires=wires[6 - k]) for k in range(7)]


def test_a_decomposition_that_is_not_the_gate_is_named() -> None:
    def circuit(w):
        for wire in range(7):
            qml.RX(w[0] + wire, wire)
        Approximate(wires=range(7))
        return qml.expval(qml.prod(*(qml.X(wire) for wire in range(7))) + qml.Y(6))

    with pytest.raises(ValueError, match=r"decomposition of Approximate on wires \[0, .*, 6\] in circuit is inexact"):
        vl.from_qnode(node_of(circuit, 7), [0.1])


def test_an_operation_whose_matrix_fails_hides_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    class Headless(Approximate):
        @staticmethod
        def compute_matrix() -> np.ndarray:
            raise TypeError("no matrix today")

    def circuit(w):
        qml.RX(w[0], 0)
        Headless(wires=range(7))
        return qml.expval(qml.X(0))

    right = vl.Risk.outputs
    monkeypatch.setattr(vl.Risk, "outputs", lambda risk, params: right(risk, params) + 1e-8)
    monkeypatch.setattr(trial, "execute", lambda *_: 0.0)
    with pytest.raises(ValueError, match="circuit is not what was read of it"):
        vl.from_qnode(node_of(circuit, 7), [0.1])


def test_a_device_that_fails_or_changes_its_mind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(qml.devices.DefaultQubit):
        def execute(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("no more quota")

    with pytest.raises(ValueError, match="plain cannot be run on its device: no more quota"):
        vl.from_qnode(qml.QNode(plain, Broken(wires=2)), [0.1, 0.2])
    values = itertools.count(0.0, 0.1)
    monkeypatch.setattr(trial, "execute", lambda *_: next(values))
    with pytest.raises(ValueError, match="plain gives another number in each call: it takes shots or draws something"):
        vl.from_qnode(node_of(), [0.1, 0.2])


def test_long_reading_tells_the_log_how_far_it_is(caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    monkeypatch.setattr("vqc_landscape.progress_bar.INTERVAL", 0.0)

    def circuit(w, x):
        qml.RX(w[0] * math.sin(x[0]), 0)
        return qml.expval(qml.Z(0))

    with caplog.at_level("INFO", "vqc_landscape"):
        vl.from_qnode(node_of(circuit), [0.1], np.arange(70.0)[:, None], np.ones(70))
    assert "reading circuit: 1 of 3" in [record.getMessage() for record in caplog.records]
