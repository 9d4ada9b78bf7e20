"""What users bring, kind by kind: the right value, or an error that names the thing and the way out."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qml
import pytest
import scipy.linalg
import torch

import vqc_landscape as vl

# float64 sums of some hundred products of order 1, on both sides
ATOL = 1e-10


def device(n_wires: int) -> Any:
    return qml.device("default.qubit", wires=n_wires)


def torch_hessian(function: Callable[[torch.Tensor], Any], params: Any) -> tuple[float, np.ndarray]:
    point = torch.tensor(np.asarray(params, dtype=float))
    hessian = torch.autograd.functional.hessian(lambda p: torch.as_tensor(function(p)).real, point)
    return float(function(point)), hessian.numpy().reshape(point.numel(), point.numel())


def is_pennylanes(circuit: Callable[..., Any], params: Any, rows: Any = None, targets: Any = None, **how: Any) -> Any:
    """The risk, after loss and Hessian were compared with torch's backpropagation through PennyLane."""
    node = qml.QNode(circuit, device(how.pop("n_wires", 4)), interface="torch", diff_method="backprop")

    def loss(p: torch.Tensor) -> Any:
        if rows is None:
            return node(p)
        return sum((node(p, row) - y) ** 2 for row, y in zip(rows, targets, strict=True)) / len(rows)

    risk = vl.from_qnode(qml.QNode(circuit, node.device), params, rows, targets, **how)
    value, hessian = torch_hessian(loss, params)
    assert risk.loss(params) == pytest.approx(value, abs=ATOL)
    np.testing.assert_allclose(risk.hessian(params), hessian, rtol=0, atol=ATOL)
    if rows is not None:
        np.testing.assert_allclose(risk.predict(params), [float(node(params, row)) for row in rows], rtol=0, atol=ATOL)
    return risk


X = np.array([[0.0, 0.2, 0.0], [0.3, -0.4, 1.0], [0.5, 0.6, 1.0], [-0.2, 0.1, 0.0]])
Y = np.array([1.0, -1.0, 1.0, 0.5])


# --- A: numbers that were wrong without a word --------------------------------------------------------------------


def test_a_coefficient_that_is_a_parameter_is_refused() -> None:
    @qml.qnode(device(1))
    def circuit(p):
        qml.RX(p[0], 0)
        return qml.expval(p[1] * qml.Z(0))

    with pytest.raises(ValueError, match="The observable of circuit depends on the parameters; only angles may"):
        vl.from_qnode(circuit, [0.3, 2.0])


OF_THE_SAMPLE = {
    "label": lambda x: qml.Projector([int(x[2])], 0),
    "label of all wires": lambda x: qml.Projector([int(x[2]), 1], [1, 0]),
    "coefficient": lambda x: x[0] * qml.Z(0) + qml.X(1),
    "hermitian": lambda x: qml.Hermitian(np.array([[x[0], x[1]], [x[1], -x[0]]]), 0) @ qml.Z(1),
    "state": lambda x: qml.Projector(np.array([math.cos(x[1]), math.sin(x[1])]), 0),
    "state of all wires": lambda x: qml.Projector(np.array([math.cos(x[1]), 0, 0, math.sin(x[1])]), [0, 1]),
    "mixture": lambda x: 0.5 * qml.Z(0) + x[1] * qml.Projector([1, 0], [1, 0]) + 0.1 * qml.Identity(0),
}


@pytest.mark.parametrize("name", OF_THE_SAMPLE)
def test_an_observable_of_the_sample_is_read_for_every_row(name: str) -> None:
    def circuit(w, x):
        qml.RX(w[0] * x[1], 0)
        qml.RY(w[1], 1)
        qml.CNOT([0, 1])
        qml.RZ(w[0], 1)
        qml.RX(w[1] + x[0], 0)
        return qml.expval(OF_THE_SAMPLE[name](x))

    risk = is_pennylanes(circuit, np.array([0.3, 0.7]), X, Y, n_wires=2)
    new = X[::-1] + [0.1, -0.1, 0.0]
    expected = [float(qml.QNode(circuit, device(2))(np.array([0.3, 0.7]), row)) for row in new]
    np.testing.assert_allclose(risk.predict([0.3, 0.7], new), expected, rtol=0, atol=ATOL)


NOISE = qml.NoiseModel({qml.noise.op_in([qml.RX, qml.RY]): qml.noise.partial_wires(qml.AmplitudeDamping, 0.3)})


def entangled(p):
    qml.RX(p[0], 0)
    qml.RY(p[1], 1)
    qml.CNOT([0, 1])
    return qml.expval(qml.Z(1))


def test_noise_is_refused_wherever_it_comes_from() -> None:
    plain = qml.device("default.mixed", wires=2)
    np.testing.assert_allclose(  # without noise it is a device like others
        vl.from_qnode(qml.QNode(entangled, plain), [0.4, 0.7]).loss([0.4, 0.7]),
        math.cos(0.4) * math.cos(0.7),
        atol=ATOL,
    )
    with pytest.raises(
        ValueError, match="The device of entangled, default.mixed, changes its value, as noise does: its"
    ):
        vl.from_qnode(qml.QNode(entangled, qml.add_noise(plain, NOISE)), [0.4, 0.7])
    with pytest.raises(
        ValueError,
        match="A transform of entangled changes its value, by noise, by gates that are not quite its own or by",
    ):
        vl.from_qnode(qml.add_noise(qml.QNode(entangled, plain), NOISE), [0.4, 0.7])


def test_mitigation_without_noise_is_the_value_itself_and_with_noise_refused() -> None:
    def mitigated(on: Any) -> qml.QNode:
        folding, extrapolate = qml.noise.fold_global, qml.noise.richardson_extrapolate
        return qml.noise.mitigate_with_zne(qml.QNode(entangled, on), [1, 3], folding, extrapolate)

    risk = vl.from_qnode(mitigated(device(2)), [0.4, 0.7])
    assert risk.hessian([0.4, 0.7])[0, 1] == pytest.approx(math.sin(0.4) * math.sin(0.7), abs=ATOL)
    with pytest.raises(ValueError, match="The device of entangled, default.mixed, changes its value"):
        vl.from_qnode(mitigated(qml.add_noise(qml.device("default.mixed", wires=2), NOISE)), [0.4, 0.7])


def test_a_transform_that_inserts_gates_is_part_of_the_circuit() -> None:
    """RX(0.3) behind every gate of one wire: cos(a + 0.3), times cos(b)."""
    inserted = qml.noise.insert(qml.QNode(entangled, device(2)), qml.RX, 0.3, "start")
    value = float(inserted(np.array([0.4, 0.7])))
    risk = vl.from_qnode(inserted, [0.4, 0.7])
    assert risk.loss([0.4, 0.7]) == pytest.approx(value, abs=ATOL)
    assert abs(value - math.cos(0.4) * math.cos(0.7)) > 1e-2


def test_the_blocks_of_a_qnode_are_those_of_the_built_in_circuits() -> None:
    for circuit in (vl.layered(4, 3), vl.layered(6, 2), vl.reuploading(4, 2), vl.rx_product(3, 4)):
        rows = np.random.default_rng(0).uniform(-1, 1, (3, circuit.n_features)) if circuit.n_features else None

        def qnode(w, x=None, circuit=circuit):
            vl.apply_circuit(circuit, w, x)
            return qml.expval(qml.Z(0))

        node = qml.QNode(qnode, device(circuit.n_qubits))
        risk = vl.from_qnode(node, np.zeros(circuit.n_params), rows, None if rows is None else np.ones(3))
        found = [block.tolist() for block in risk.parameter_blocks]
        assert found == [np.sort(block).tolist() for block in circuit.parameter_blocks]


def test_the_blocks_of_templates_and_shared_parameters() -> None:
    def layers(w):
        qml.StronglyEntanglingLayers(w, wires=range(4))
        return qml.expval(qml.Z(0))

    index = np.arange(24).reshape(2, 4, 3)
    blocks = vl.from_qnode(qml.QNode(layers, device(4)), np.zeros((2, 4, 3))).parameter_blocks
    assert [b.tolist() for b in blocks] == [index[layer, :, k].tolist() for layer in range(2) for k in range(3)]

    def qaoa(w):  # commuting words of all edges are one sub-layer, whatever wires they share
        for gamma, beta in w:
            for edge in [(0, 1), (1, 2), (2, 3), (3, 0)]:
                qml.IsingZZ(gamma, edge)
            for wire in range(4):
                qml.RX(beta, wire)
        return qml.expval(qml.Z(0) @ qml.Z(1))

    blocks = vl.from_qnode(qml.QNode(qaoa, device(4)), np.zeros((2, 2))).parameter_blocks
    assert [b.tolist() for b in blocks] == [[0], [1], [2], [3]]

    def idle(w):  # two turns about one axis in a row are two sub-layers; a parameter of both joins them
        qml.RZ(w[0], 0)
        qml.RZ(w[1], 0)
        qml.RX(w[2] + w[0], 1)
        return qml.expval(qml.X(0) @ qml.Z(1))

    blocks = vl.from_qnode(qml.QNode(idle, device(2)), np.zeros(4)).parameter_blocks
    assert [b.tolist() for b in blocks] == [[0, 2], [1], [3]]


def test_block_natural_gradient_of_a_qnode_takes_the_steps_of_the_built_in_circuit() -> None:
    circuit = vl.layered(4, 2)

    def qnode(w):
        vl.apply_circuit(circuit, w)
        return qml.expval(qml.Hermitian(np.full((16, 16), 1 / 16), wires=range(4)))

    start = np.random.default_rng(1).uniform(0, 2 * np.pi, circuit.n_params)
    built_in = vl.CircuitRisk(circuit, vl.Projector(vl.plus_state(4)), loss="infidelity")
    own = vl.from_qnode(qml.QNode(qnode, device(4)), start, loss="infidelity")
    runs = [vl.train(risk, start, vl.NaturalGradient(0.1), 5)["params"] for risk in (built_in, own)]
    # round-off of the gradient, divided by the smallest eigenvalue of the metric, here some 1e-3
    np.testing.assert_allclose(runs[1], runs[0], rtol=0, atol=1e-9)


# --- A, B: which argument is what ---------------------------------------------------------------------------------


def two_embeddings(inputs, weights):
    qml.AngleEmbedding(inputs, wires=range(4))
    qml.AngleEmbedding(weights, wires=range(4), rotation="Y")
    qml.CNOT([0, 1])
    return qml.expval(qml.Z(0) @ qml.Z(1) + qml.X(2))


def test_roles_that_nothing_proves_are_asked_for() -> None:
    node, rows, weights = qml.QNode(two_embeddings, device(4)), 0.2 + X[:, [0, 1, 1, 0]], [0.1, 0.2, 0.3, 0.4]
    with pytest.raises(
        ValueError, match="`weights` may be parameters, or `inputs` data, .*argnum='weights', or argnum='inputs'"
    ):
        vl.from_qnode(node, weights, rows, Y)
    for argnum in ("weights", 1, -1, ["weights"], (1,)):
        risk = vl.from_qnode(node, weights, rows, Y, argnum=argnum)
        np.testing.assert_allclose(
            risk.predict(weights), [float(node(row, np.array(weights))) for row in rows], rtol=0, atol=ATOL
        )
    swapped = vl.from_qnode(node, weights, rows, Y, argnum=0)
    assert abs(swapped.predict(weights)[1] - risk.predict(weights)[1]) > 1e-3
    for argnum in ("weight", 2, -3, 0.5, True):
        with pytest.raises(
            ValueError, match="`argnum` must name arguments of two_embeddings, `inputs`, `weights`, but is"
        ):
            vl.from_qnode(node, weights, rows, Y, argnum=argnum)
    with pytest.raises(ValueError, match=r"`argnum` must name each argument once, but is \[0, 0\]"):
        vl.from_qnode(node, (weights, weights), rows, Y, argnum=[0, 0])


def test_data_first_is_found_where_only_that_runs() -> None:
    def circuit(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(4))
        qml.StronglyEntanglingLayers(weights, wires=range(4))
        return qml.expval(qml.Z(0))

    node, weights = qml.QNode(circuit, device(4)), np.random.default_rng(0).uniform(0, 6, (2, 4, 3))
    rows = np.random.default_rng(1).uniform(-1, 1, (4, 4))
    risk = vl.from_qnode(node, weights, rows, Y)
    np.testing.assert_allclose(risk.predict(weights), [float(node(row, weights)) for row in rows], rtol=0, atol=ATOL)


def test_parameters_of_any_form_in_any_place() -> None:
    def circuit(a, x, b, *, depth=1, c=0.2):
        for _ in range(depth):
            qml.RX(a[0] * x + b[0][0], 0)
            qml.RY(a[1] + b[1][1], 1)
            qml.CNOT([0, 1])
            qml.RZ(c, 1)
            qml.RX(b[1][0], 1)
        return qml.expval(qml.Z(1) @ qml.X(0))

    node, rows = qml.QNode(circuit, device(2)), np.array([0.3, -0.7, 0.2])
    a, b, c, targets = np.array([0.1, 0.2]), [np.array([0.3]), np.array([0.4, 0.5])], 0.6, np.ones(3)
    expected = [float(node(a, x, b, depth=2)) for x in rows]
    forms = [
        vl.from_qnode(node, (a, b), rows, targets, argnum=["a", "b"], depth=2),
        vl.from_qnode(node, {"a": a, "b": b}, rows, targets, depth=2),
        vl.from_qnode(functools.partial(node, depth=2), {"a": a, "b": b}, rows, targets),
        vl.from_qnode(functools.partial(node, depth=7), {"b": b, "a": a}, rows, targets, depth=2),
    ]
    given = [(a, b), {"a": a, "b": b}, {"a": a, "b": b}, {"b": b, "a": a}]
    for risk, params in zip(forms, given, strict=True):
        np.testing.assert_allclose(risk.predict(params), expected, rtol=0, atol=ATOL)
    assert "a (2,), b[0] (1,), b[1] (2,)" in repr(forms[0])
    assert {name: index.tolist() for name, index in forms[0].parameter_arrays.items()} == {
        "a": [0, 1],
        "b[0]": [2],
        "b[1]": [3, 4],
    }
    flat = np.concatenate([a, b[0], b[1]])
    np.testing.assert_allclose(forms[1].hessian(flat), forms[0].hessian((a, b)), rtol=0, atol=ATOL)
    order = [3 - 3 + k for k in (2, 3, 4, 0, 1)]
    np.testing.assert_allclose(forms[3].hessian(given[3]), forms[0].hessian(flat)[np.ix_(order, order)], atol=ATOL)
    with_c = vl.from_qnode(node, {"a": a, "b": b, "c": c}, rows, targets)
    expected = [float(node(a, x, b, c=c)) for x in rows]
    np.testing.assert_allclose(with_c.predict({"a": a, "b": b, "c": c}), expected, rtol=0, atol=ATOL)
    assert with_c.n_params == 6


def test_scalars_single_columns_and_features_with_more_axes() -> None:
    def scalar(theta, x):
        qml.RX(theta * x, 0)
        return qml.expval(qml.Z(0))

    risk = vl.from_qnode(qml.QNode(scalar, device(1)), 0.5, np.array([1.0, 2.0]), np.zeros(2))
    np.testing.assert_allclose(risk.predict(0.5), np.cos([0.5, 1.0]), rtol=0, atol=ATOL)

    def column(theta, x):
        qml.RX(theta[0] * x[0], 0)
        return qml.expval(qml.Z(0))

    risk = vl.from_qnode(qml.QNode(column, device(1)), [0.5], np.array([[1.0], [2.0]]), np.zeros(2))
    np.testing.assert_allclose(risk.predict([0.5]), np.cos([0.5, 1.0]), rtol=0, atol=ATOL)

    def image(theta, x):
        qml.RX(theta[0] * x[0, 1], 0)
        qml.RX(x[1].sum(), 0)
        return qml.expval(qml.Z(0))

    rows = np.arange(8.0).reshape(2, 2, 2) / 5
    risk = vl.from_qnode(qml.QNode(image, device(1)), [0.5], rows, np.zeros(2))
    expected = np.cos(0.5 * rows[:, 0, 1] + rows[:, 1].sum(axis=1))
    np.testing.assert_allclose(risk.predict([0.5]), expected, rtol=0, atol=ATOL)
    with pytest.raises(ValueError, match=r"`features` must have shape \(n, 2, 2\) with n > 0, but has shape \(3, 4\)"):
        risk.predict([0.5], np.zeros((3, 4)))
    with pytest.raises(ValueError, match=r"`features` must have shape \(n, ...\) with n > 0, but has shape \(0, 2\)"):
        vl.from_qnode(qml.QNode(column, device(1)), [0.5], np.zeros((0, 2)), np.zeros(0))


def test_arguments_that_do_not_fit_are_named() -> None:
    def circuit(w, depth, x=None):
        qml.RX(w[0] * depth, 0)
        return qml.expval(qml.Z(0))

    node = qml.QNode(circuit, device(1))
    assert vl.from_qnode(node, [0.1], depth=2).loss([0.1]) == pytest.approx(math.cos(0.2), abs=ATOL)
    with pytest.raises(
        ValueError, match=r"`depth` of circuit has no value. Give it as a keyword, from_qnode\(..., depth="
    ):
        vl.from_qnode(node, [0.1])
    with pytest.raises(ValueError, match="circuit has no argument `dept`; it has `w`, `depth`, `x`"):
        vl.from_qnode(node, [0.1], dept=2)
    with pytest.raises(ValueError, match="`params` has 'weights', but circuit has `w`, `x`"):
        vl.from_qnode(node, {"weights": [0.1]}, depth=2)
    with pytest.raises(ValueError, match="circuit takes `w`, `depth`, `x`, which is too little for params"):
        vl.from_qnode(node, {"w": [0.1], "x": [0.2]}, np.zeros(2), np.zeros(2), depth=2)
    with pytest.raises(ValueError, match="`params` must hold at least one parameter, but is empty"):
        vl.from_qnode(node, [], depth=2)
    with pytest.raises(ValueError, match="must be a functools.partial with keywords, but has positional arguments"):
        vl.from_qnode(functools.partial(node, [0.1]), [0.1])


# --- B: what was refused or slow without reason -------------------------------------------------------------------


def test_a_first_row_of_zeros_hides_no_parameter() -> None:
    def circuit(w, x):
        qml.RY(w[0] * x[0] + w[1] * x[1] * w[0] ** 0, 0)
        qml.RX(w[2] * x[2] + 0.1, 1)
        qml.CZ([0, 1])
        return qml.expval(qml.Z(0) @ qml.Z(1))

    is_pennylanes(circuit, np.array([0.1, 0.2, 0.3]), X, Y, n_wires=2)
    # one product, whose parameters no single row has together
    rows = np.array([[0.0, 0.0], [0.5, 0.0], [0.0, 0.4]])

    def dot(w, x):
        qml.RY(np.dot(x, [1.0, 1.0]) * 0 + w[0] * x[0] + w[1] * x[1], 0)
        return qml.expval(qml.Z(0))

    risk = is_pennylanes(dot, np.array([0.1, 0.2]), rows, np.ones(3), n_wires=1)
    assert not risk.structural_directions.size


STATES = {
    "amplitudes": lambda x: qml.AmplitudeEmbedding(x, wires=[0, 1], normalize=True),
    "padded": lambda x: qml.AmplitudeEmbedding(x[:3], wires=[1, 0], normalize=True, pad_with=0.3),
    "complex": lambda x: qml.StatePrep((x + 0.3j * x[::-1]) / np.linalg.norm(x + 0.3j * x[::-1]), wires=[0, 1]),
    "on one wire": lambda x: qml.StatePrep(np.array([math.cos(x[1]), math.sin(x[1])]), wires=1),
    "Mottonen": lambda x: qml.MottonenStatePreparation(x / np.linalg.norm(x), wires=[0, 1]),
    "bits": lambda x: qml.BasisState((x > 0).astype(int)[:2], wires=[1, 0]),
    "embedded bits": lambda x: qml.BasisEmbedding([int(v > 0) for v in x[:2]], wires=[0, 1]),
    "two states": lambda x: (
        qml.BasisState([int(x[0] > 0)], wires=1),
        qml.StatePrep(np.array([math.cos(x[1]), math.sin(x[1])]), wires=0),
    ),
    "fixed": lambda x: qml.StatePrep(np.array([0.6, 0, 0, 0.8j]), wires=[0, 1]),
    "fixed bits": lambda x: qml.BasisState([1, 1], wires=[0, 1]),
    "behind a gate": lambda x: (qml.RX(0.3, 0), qml.StatePrep(np.array([math.cos(x[1]), math.sin(x[1])]), wires=1)),
}


@pytest.mark.parametrize("name", STATES)
def test_states_of_the_sample(name: str) -> None:
    rows = np.random.default_rng(3).normal(size=(4, 4))

    def circuit(w, x):
        STATES[name](np.asarray(x))
        qml.RZ(w[0], 0)
        qml.RX(w[0], 0)
        qml.CNOT([0, 1])
        qml.RY(w[1], 1)
        return qml.expval(qml.Z(1) @ qml.X(0) + 0.5 * qml.Z(0) + 0.3 * qml.Z(1))

    risk = is_pennylanes(circuit, np.array([0.4, 0.9]), rows, Y, n_wires=2)
    new = np.random.default_rng(4).normal(size=(3, 4))
    node = qml.QNode(circuit, device(2))
    expected = [float(node(np.array([0.4, 0.9]), row)) for row in new]
    np.testing.assert_allclose(risk.predict([0.4, 0.9], new), expected, rtol=0, atol=ATOL)
    assert risk.structural_directions.shape[1] == 0
    v = np.array([0.3, -0.8])
    np.testing.assert_allclose(risk.hvp([0.4, 0.9], v), risk.hessian([0.4, 0.9]) @ v, rtol=0, atol=ATOL)


def test_a_phase_of_basis_states_is_structural_and_the_metric_starts_from_the_state() -> None:
    def circuit(w, x):
        qml.BasisEmbedding(x, wires=[0, 1])
        qml.RZ(w[0], 0)
        qml.RX(w[1], 0)
        return qml.expval(qml.Z(0))

    risk = vl.from_qnode(qml.QNode(circuit, device(2)), [0.1, 0.2], np.array([[0, 1], [1, 1]]), np.ones(2))
    np.testing.assert_array_equal(risk.structural_directions, [[1.0], [0.0]])

    def one_state(w):
        qml.StatePrep(np.array([0.6, 0.8]), wires=0)
        qml.RZ(w[0], 0)
        return qml.expval(qml.X(0))

    # variance of Z/2 in the state: (1 - <Z>^2) / 4
    metric = vl.from_qnode(qml.QNode(one_state, device(1)), [0.1]).metric_tensor([0.1])
    np.testing.assert_allclose(metric, [[(1 - (0.36 - 0.64) ** 2) / 4]], rtol=0, atol=ATOL)


def test_wires_without_gates_cost_nothing_and_their_words_are_numbers() -> None:
    """Z of a wire in |0> is 1, X is 0, and projectors on it are 0 or 1: what is left acts on the others."""
    observable = (
        qml.Hamiltonian([1.0] * 23, [qml.Z(k) @ qml.Z(k + 1) for k in range(23)])
        + 0.5 * qml.X(9) @ qml.Z(0)
        + 0.25 * qml.Projector([0, 0, 0], [7, 1, 8])
        + 0.125 * qml.Projector([1, 1], [0, 11])
        + 0.1 * qml.Hermitian(np.array([[0.2, 0, 0, 0.1], [0, 0.3, 0, 0], [0, 0, 0.4, 0], [0.1, 0, 0, 0.5]]), [12, 2])
    )

    def circuit(w):
        for k in range(4):
            qml.RX(w[k], k)
        qml.CNOT([0, 1])
        return qml.expval(observable)

    risk = vl.from_qnode(qml.QNode(circuit, qml.device("default.qubit")), np.ones(4))
    assert risk.model.circuit.n_qubits == 4
    w = np.array([0.3, 0.5, 0.7, 0.9])
    c = np.cos(w)
    words = c[1] + c[0] * c[1] * c[2] + c[2] * c[3] + c[3] + 19
    projector = 0.25 * (1 + c[0] * c[1]) / 2
    hermitian = 0.1 * (0.2 * (1 + c[2]) / 2 + 0.3 * (1 - c[2]) / 2)
    assert risk.loss(w) == pytest.approx(words + projector + hermitian, abs=ATOL)


@pytest.mark.parametrize("how", ["bits", "state"])
def test_a_projector_on_ten_of_eleven_wires_is_no_sum_of_words(how: str) -> None:
    state = np.random.default_rng(0).normal(size=1024)
    onto = [0, 1] * 5 if how == "bits" else state / np.linalg.norm(state)

    def circuit(w):
        qml.StronglyEntanglingLayers(w, wires=range(11))
        return qml.expval(qml.Projector(onto, wires=range(10)))

    node = qml.QNode(circuit, device(11))
    params = np.random.default_rng(1).uniform(0, 6, (1, 11, 3))
    risk = vl.from_qnode(node, params)
    assert len(risk.model.observables[0].products) == 1
    assert risk.loss(params) == pytest.approx(float(node(params)), abs=ATOL)


def test_a_dense_hermitian_of_eight_wires() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(256, 256)) + 1j * rng.normal(size=(256, 256))
    matrix = matrix + matrix.conj().T

    def circuit(w):
        for k in range(8):
            qml.RY(w[k], k)
        for k in range(7):
            qml.CNOT([k, k + 1])
        return qml.expval(qml.Hermitian(matrix, wires=range(8)))

    params = rng.uniform(0, 2 * np.pi, 8)
    _, hessian = torch_hessian(qml.QNode(circuit, device(8), interface="torch", diff_method="backprop"), params)
    found = vl.from_qnode(qml.QNode(circuit, device(8)), params).hessian(params)
    # relative: eigenvalues of 256 x 256 numbers of order 1 are of order 40
    assert np.abs(found - hessian).max() < 1e-12 * np.abs(hessian).max()


def test_sparse_hamiltonians_are_matrices_and_diagonal_ones_of_any_size() -> None:
    word = 0.7 * qml.X(0) @ qml.Y(2) - 0.2 * qml.Z(1)
    cost = sum(k * qml.Z(k) @ qml.Z((k + 1) % 11) for k in range(11))

    def circuit(observable, n_wires):
        def qnode(w):
            for k in range(n_wires):
                qml.RY(w[k % 3], k)
            qml.CNOT([0, 2])
            qml.RX(w[1], 2)
            return qml.expval(observable)

        return qml.QNode(qnode, device(n_wires))

    params = np.array([0.3, 0.5, 0.8])
    for observable, n_wires in ((word, 3), (cost, 11)):
        sparse = qml.SparseHamiltonian(observable.sparse_matrix(wire_order=range(n_wires)), wires=range(n_wires))
        found = vl.from_qnode(circuit(sparse, n_wires), params)
        expected = vl.from_qnode(circuit(observable, n_wires), params)
        np.testing.assert_allclose(found.hessian(params), expected.hessian(params), rtol=0, atol=1e-9)
    full = qml.SparseHamiltonian((cost + qml.X(0)).sparse_matrix(wire_order=range(11)), wires=range(11))
    with pytest.raises(
        ValueError, match="SparseHamiltonian acts on 11 wires; a matrix is measured on up to 10. Write it"
    ):
        vl.from_qnode(circuit(full, 11), params)


RING = qml.matrix(sum(qml.Z(k) @ qml.Z((k + 1) % 4) for k in range(4)), wire_order=range(4))
SYMMETRIC = np.random.default_rng(0).normal(size=(16, 16))
GATES: dict[str, Callable[[Any], Any]] = {
    "C(Rot), two wires": lambda p: qml.ctrl(qml.Rot(*p, wires=2), control=[0, 1]),
    "C(U2)": lambda p: qml.ctrl(qml.U2(p[0], p[1], wires=1), control=[0]),
    "C(U3) where zero": lambda p: qml.ctrl(qml.U3(*p, wires=2), control=[0, 1], control_values=[0, 1]),
    "C(OrbitalRotation)": lambda p: qml.ctrl(qml.OrbitalRotation(p[0], wires=[0, 1, 2, 3]), control=[4]),
    "C(FermionicSWAP)": lambda p: qml.ctrl(qml.FermionicSWAP(p[0], wires=[1, 2]), control=[0, 3, 4]),
    "C(DoubleExcitationMinus)": lambda p: qml.ctrl(qml.DoubleExcitationMinus(p[0], wires=[1, 2, 3, 4]), control=[0]),
    "C(template)": lambda p: qml.ctrl(qml.BasicEntanglerLayers, control=3)(p[None], wires=range(3)),
    "C(GlobalPhase)": lambda p: qml.ctrl(qml.GlobalPhase(p[0]), control=[1, 2]),
    "C(SWAP)": lambda p: qml.ctrl(qml.SWAP([1, 2]), control=[0, 3], control_values=[1, 0]),
    "C(QubitUnitary)": lambda p: qml.ctrl(qml.QubitUnitary(scipy.linalg.expm(-0.3j * RING[:4, :4]), [1, 2]), 0),
    "exp of terms that do not commute": lambda p: qml.exp(qml.X(0) + 0.5 * qml.Z(0) @ qml.Z(1) + qml.Y(1), -1j * p[0]),
    "exp of terms that commute": lambda p: qml.exp(qml.X(0) @ qml.X(1) + 0.3 * qml.Z(0) @ qml.Z(1), -1j * p[0]),
    "evolve": lambda p: qml.evolve(qml.X(0) + qml.Z(0) @ qml.Y(2), p[1]),
    "inexact in PennyLane": lambda p: qml.QubitUnitary(scipy.linalg.expm(-0.01j * RING), wires=range(4)),
    "a dense unitary": lambda p: qml.QubitUnitary(scipy.linalg.expm(-1j * (SYMMETRIC + SYMMETRIC.T)), [3, 1, 0, 2]),
    "diagonal": lambda p: qml.DiagonalQubitUnitary(np.exp(1j * np.arange(8)), wires=[2, 0, 1]),
    "many controls": lambda p: qml.MultiControlledX(wires=[0, 1, 2, 3, 4], control_values=[1, 0, 1, 1]),
    "pow": lambda p: (qml.pow(qml.RX(p[0], 0), -3), qml.pow(qml.S(1), -2), qml.pow(qml.X(2), 0.3)),
    "adjoint": lambda p: qml.adjoint(qml.StronglyEntanglingLayers)(p.reshape(1, 1, 3), wires=[2]),
    "Grover": lambda p: qml.GroverOperator(wires=range(3)),
    "Trotter": lambda p: qml.TrotterProduct(qml.X(0) + qml.Z(0) @ qml.Z(1), p[0], n=2, order=2),
}


@pytest.mark.parametrize("name", GATES)
def test_any_gate_exactly(name: str) -> None:
    def circuit(p):
        for k in range(5):
            qml.RY(0.4 + 0.3 * k, k)
        qml.RX(p[0], 0)
        GATES[name](p)
        for k in range(5):
            qml.RX(0.3 + 0.2 * k + p[2], k)
        return qml.expval(qml.Z(0) @ qml.X(1) + 0.3 * qml.Y(2) @ qml.Z(3) + qml.Z(4))

    is_pennylanes(circuit, np.array([0.3, 0.7, -0.5]), n_wires=5)


@pytest.mark.parametrize(
    "transform",
    [qml.compile, qml.transforms.merge_rotations, qml.transforms.single_qubit_fusion, qml.transforms.cancel_inverses],
    ids=["compile", "merge_rotations", "single_qubit_fusion", "cancel_inverses"],
)
def test_circuits_behind_a_compiler(transform: Callable[[qml.QNode], qml.QNode]) -> None:
    def circuit(p):
        qml.RX(p[0], 0)
        qml.RX(p[1], 0)
        qml.RZ(p[2], 0)
        qml.Hadamard(1)
        qml.Hadamard(1)
        qml.CNOT([0, 1])
        qml.RY(p[0], 1)
        return qml.expval(qml.Z(1))

    params = np.array([0.3, 0.7, -0.5])
    _, hessian = torch_hessian(qml.QNode(circuit, device(2), interface="torch", diff_method="backprop"), params)
    risk = vl.from_qnode(transform(qml.QNode(circuit, device(2))), params)
    np.testing.assert_allclose(risk.hessian(params), hessian, rtol=0, atol=ATOL)


def test_what_is_drawn_at_random_in_each_call_is_refused() -> None:
    def gates(p):
        qml.RandomLayers(p, wires=[0, 1], seed=None)
        return qml.expval(qml.Z(0))

    with pytest.raises(ValueError, match="The gates of gates are drawn at random anew in each call. Give them a seed"):
        vl.from_qnode(qml.QNode(gates, device(2)), np.ones((2, 3)))

    def angles(p):
        qml.RX(p[0] + np.random.default_rng().normal(), 0)
        return qml.expval(qml.Z(0))

    with pytest.raises(ValueError, match="Numbers of angles are drawn at random anew in each call. Give them a seed"):
        vl.from_qnode(qml.QNode(angles, device(1)), [0.1])

    def coefficients(p):
        qml.RX(p[0], 0)
        return qml.expval(float(np.random.default_rng().normal()) * qml.Z(0))

    with pytest.raises(ValueError, match="Numbers of coefficients are drawn at random anew in each call"):
        vl.from_qnode(qml.QNode(coefficients, device(1)), [0.1])


READINGS = {
    "numpy": lambda a: np.sin(a),
    "PennyLane's numpy": lambda a: qml.numpy.sin(a) * qml.math.abs(a),
    "math": lambda a: math.sin(a),
    "a branch": lambda a: a if a > 0 else -2 * a,
    "where": lambda a: np.where(a > 0, a, -2 * a)[()],
    "a table": lambda a: [0.1, 0.2][int(a > 0)],
}


@pytest.mark.parametrize("name", READINGS)
def test_every_row_is_read_however_it_is_computed(name: str) -> None:
    rows = np.random.default_rng(5).uniform(-1, 1, (6, 2))

    def circuit(w, x):
        qml.RX(READINGS[name](x[0]) * w[0], 0)
        qml.RY(w[1] + READINGS[name](x[1]), 0)
        return qml.expval(qml.Z(0))

    risk = is_pennylanes(circuit, np.array([0.3, 0.7]), rows, np.arange(6.0), n_wires=1)
    new = -rows
    node = qml.QNode(circuit, device(1))
    expected = [float(node(np.array([0.3, 0.7]), row)) for row in new]
    np.testing.assert_allclose(risk.predict([0.3, 0.7], new), expected, rtol=0, atol=ATOL)


# --- C: messages ---------------------------------------------------------------------------------------------------


def returns(measurement: Callable[[], Any]) -> Callable[[Any], Any]:
    def circuit(p):
        qml.RX(p[0], 0)
        return measurement()

    return circuit


def measured_bit(p):
    qml.RX(p[0], 0)
    bit = qml.measure(0)
    qml.cond(bit, qml.RX)(p[1], 1)
    return qml.expval(qml.Z(1))


def non_unitary(p):
    qml.RX(p[0], 0)
    qml.exp(qml.Z(0), 0.3)
    return qml.expval(qml.Z(0))


REFUSALS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "probabilities": (
        returns(lambda: qml.probs(wires=0)),
        r"returns Probability\. The probability of one outcome is one: ",
    ),
    "two values": (
        returns(lambda: (qml.expval(qml.Z(0)), qml.expval(qml.Z(1)))),
        r"returns Expectation, Expectation\. Their weighted sum is one",
    ),
    "variance": (returns(lambda: qml.var(qml.Z(0))), "must return one qml.expval, but returns Variance"),
    "measured bit": (measured_bit, r"measures within the circuit\. Give the QNode as qml\.defer_measurements\(qnode\)"),
    "bit that is returned": (
        returns(lambda: qml.expval(qml.measure(1))),
        r"measures within the circuit\. Give the QNode as qml\.defer_measurements\(qnode\)",
    ),
    "not hermitian": (
        returns(lambda: qml.expval(qml.X(0) @ qml.Y(0))),
        "is not hermitian: it has complex coefficients",
    ),
    "matrix that is not hermitian": (
        returns(lambda: qml.expval(qml.Hermitian(np.array([[1.0, 1.0], [0.0, 1.0]]), 0))),
        "has a matrix that is not hermitian",
    ),
    "wire": (
        returns(lambda: qml.expval(qml.Z(7))),
        r"Wire 7 of circuit is not on its device, which has wires \[0, 1\]",
    ),
    "factor that is not imaginary": (
        non_unitary,
        r"Exp on wires \[0\] is not unitary: its exponent must be a hermitian operator",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_cannot_be_taken_is_named_with_the_way_out(name: str) -> None:
    circuit, message = REFUSALS[name]
    with pytest.raises(ValueError, match=message):
        vl.from_qnode(qml.QNode(circuit, device(2)), [0.1, 0.2])


def test_the_way_out_for_measured_bits_holds() -> None:
    risk = vl.from_qnode(qml.defer_measurements(qml.QNode(measured_bit, device(3))), [0.4, 0.9])
    # half of <1 - Z0> turns the second wire
    expected = (1 + math.cos(0.4)) / 2 + (1 - math.cos(0.4)) / 2 * math.cos(0.9)
    assert risk.loss([0.4, 0.9]) == pytest.approx(expected, abs=ATOL)


def test_the_way_out_for_branches_on_bits_holds() -> None:
    def branch(p, x):
        if x[0]:
            qml.PauliX(0)
        qml.RX(p[0], 0)
        return qml.expval(qml.Z(0))

    def turned(p, x):
        qml.RX(np.pi * x[0], 0)
        qml.RX(p[0], 0)
        return qml.expval(qml.Z(0))

    rows = np.array([[0.0], [1.0], [1.0]])
    with pytest.raises(
        ValueError, match=r"gates of branch depend on its features: .*write `if bit: qml.X\(0\)` as qml.RX"
    ):
        vl.from_qnode(qml.QNode(branch, device(1)), [0.3], rows, np.ones(3))
    risk = vl.from_qnode(qml.QNode(turned, device(1)), [0.3], rows, np.ones(3))
    node = qml.QNode(branch, device(1))
    np.testing.assert_allclose(risk.predict([0.3]), [float(node([0.3], row)) for row in rows], rtol=0, atol=ATOL)


def test_other_things_than_qnodes_are_named() -> None:
    with pytest.raises(
        ValueError, match=r"must be a PennyLane QNode, but is of type function. Make one of a function, qml.Q"
    ):
        vl.from_qnode(lambda p: p, [0.1])
    with pytest.raises(ValueError, match="of type Linear. A torch module is a risk by vl.NetworkRisk"):
        vl.from_qnode(torch.nn.Linear(2, 2), [0.1])


def test_batches_and_single_precision_are_named() -> None:
    def batch(p):
        qml.RX(p, 0)
        return qml.expval(qml.Z(0))

    with pytest.raises(
        ValueError, match=r"RX on wires \[0\] has \(3,\) angles at once. Give the rows of a batch as `features`"
    ):
        vl.from_qnode(qml.QNode(batch, device(1)), np.ones(3))

    def single(p):
        qml.RX(np.float32(p[0]), 0)
        return qml.expval(qml.Z(0))

    with pytest.raises(
        ValueError, match=r"RX on wires \[0\] has an angle in single precision, float32. Compute angles"
    ):
        vl.from_qnode(qml.QNode(single, device(1)), [0.1])

    def rounded(p):
        qml.RX(float(np.float32(p[0])), 0)
        return qml.expval(qml.Z(0))

    with pytest.raises(
        ValueError, match=r"angle of RX on wires \[0\] is computed in single precision, .* Compute angle"
    ):
        vl.from_qnode(qml.QNode(rounded, device(1)), [0.1])
    # parameters in single precision are only an example of their form
    risk = vl.from_qnode(qml.QNode(returns(lambda: qml.expval(qml.Z(0))), device(1)), np.ones(1, dtype=np.float32))
    assert risk.loss([0.1]) == pytest.approx(math.cos(0.1), abs=ATOL)


def test_what_new_rows_cannot_change_is_named() -> None:
    def circuit(p, x):
        qml.RX(p[0], 0)
        return qml.expval(qml.Projector([int(x[0])], 0))

    risk = vl.from_qnode(qml.QNode(circuit, device(1)), [0.3], np.array([[1.0], [1.0]]), np.ones(2))
    with pytest.raises(
        ValueError, match="of circuit is the same for all rows that the risk was made of, but another one for"
    ):
        risk.predict([0.3], np.array([[0.0]]))
