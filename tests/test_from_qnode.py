"""Any PennyLane circuit: derivatives against PennyLane's own, operation by operation and on random tapes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pennylane as qml
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import vqc_landscape as vl

ATOL = 1e-10  # what the project promises; sums of some hundred products of order 1 are good to 1e-13


def pennylane_hessian(function: Callable[[torch.Tensor], Any], params: np.ndarray) -> tuple[float, np.ndarray]:
    point = torch.tensor(params, dtype=torch.float64)
    hessian = torch.autograd.functional.hessian(lambda p: function(p).real, point)
    return float(function(point).real), hessian.numpy().reshape(params.size, params.size)


def check(circuit: Callable[..., Any], params: np.ndarray, wires: Any = 3, observable: Any = None) -> vl.Risk:
    """Second derivatives of ``circuit(params)`` followed by a fixed layer that makes phases visible."""
    labels = list(range(wires)) if isinstance(wires, int) else wires
    observable = qml.Z(labels[0]) @ qml.X(labels[1]) + 0.3 * qml.Y(labels[-1]) if observable is None else observable

    def qnode(p: Any) -> Any:
        for k, wire in enumerate(labels):
            qml.RY(0.4 + 0.3 * k, wires=wire)
        circuit(p)
        for k, wire in enumerate(labels):
            qml.RX(0.7 - 0.2 * k, wires=wire)
        return qml.expval(observable)

    device = qml.device("default.qubit", wires=labels)
    value, hessian = pennylane_hessian(qml.QNode(qnode, device, interface="torch", diff_method="backprop"), params)
    risk = vl.from_qnode(qml.QNode(qnode, device), params)
    assert risk.loss(params) == pytest.approx(value, abs=ATOL)
    np.testing.assert_allclose(risk.hessian(params), hessian, rtol=0, atol=ATOL)
    return risk


ONE_ANGLE = {
    **{name: (getattr(qml, name), [0]) for name in ("RX", "RY", "RZ", "PhaseShift", "U1")},
    **{name: (getattr(qml, name), [0, 2]) for name in ("CRX", "CRY", "CRZ", "ControlledPhaseShift")},
    **{name: (getattr(qml, name), [2, 0]) for name in ("IsingXX", "IsingYY", "IsingZZ", "IsingXY", "SingleExcitation")},
    "SingleExcitationPlus": (qml.SingleExcitationPlus, [0, 1]),
    "PSWAP": (qml.PSWAP, [0, 1]),
    "MultiRZ": (qml.MultiRZ, [0, 1, 2]),
    "PauliRot": (lambda a, wires: qml.PauliRot(a, "XIY", wires=wires), [0, 1, 2]),
    "DoubleExcitation": (qml.DoubleExcitation, [0, 1, 2, 3]),
    "controlled RX": (lambda a, wires: qml.ctrl(qml.RX(a, wires=wires[2]), control=wires[:2]), [0, 1, 2]),
    "adjoint RY": (lambda a, wires: qml.adjoint(qml.RY(a, wires=wires)), [1]),
}


@pytest.mark.parametrize("name", ONE_ANGLE)
def test_gates_with_one_angle(name: str) -> None:
    gate, wires = ONE_ANGLE[name]

    def circuit(p: Any) -> None:
        gate(p[0], wires=wires)
        qml.CNOT(wires=[0, 1])
        gate(0.5 * p[1] - 0.3, wires=wires)
        gate(p[0] + 2 * p[1], wires=wires)

    check(circuit, np.array([0.3, 1.1]), wires=4 if name == "DoubleExcitation" else 3)


MANY_ANGLES = {"Rot": (3, [1]), "U2": (2, [1]), "U3": (3, [1]), "CRot": (3, [2, 0])}


@pytest.mark.parametrize("name", MANY_ANGLES)
def test_gates_with_several_angles(name: str) -> None:
    n, wires = MANY_ANGLES[name]

    def circuit(p: Any) -> None:
        getattr(qml, name)(*p[:n], wires=wires)
        qml.CZ(wires=[0, 1])
        getattr(qml, name)(*(p[:n] * 0.7), wires=wires)

    check(circuit, np.array([0.3, 1.1, -0.8]))


UNITARY = np.linalg.qr(
    np.random.default_rng(3).normal(size=(4, 4)) + 1j * np.random.default_rng(4).normal(size=(4, 4))
)[0]
FIXED = {
    **{name: partial(getattr(qml, name), wires=1) for name in ("Hadamard", "S", "T", "SX", "X", "Y", "Z")},
    **{name: partial(getattr(qml, name), wires=[1, 2]) for name in ("CNOT", "CZ", "CY", "SWAP", "ISWAP", "SISWAP")},
    **{name: partial(getattr(qml, name), wires=[0, 2]) for name in ("CH", "ECR")},
    **{name: partial(getattr(qml, name), wires=[2, 0, 1]) for name in ("Toffoli", "CSWAP", "CCZ")},
    "adjoint T": lambda: qml.adjoint(qml.T(wires=1)),
    "QubitUnitary 1": lambda: qml.QubitUnitary(np.linalg.qr(UNITARY[:2, :2])[0], wires=1),
    "QubitUnitary 2": lambda: qml.QubitUnitary(UNITARY, wires=[2, 0]),
    "Identity": lambda: qml.Identity(1),
    "GlobalPhase": lambda: qml.GlobalPhase(0.4),
    "BasisState": lambda: qml.X(0),
}


@pytest.mark.parametrize("name", FIXED)
def test_fixed_gates(name: str) -> None:
    def circuit(p: Any) -> None:
        qml.Rot(*p, wires=1)
        FIXED[name]()
        qml.CRY(p[0] * p.shape[0], wires=[0, 2])
        FIXED[name]()
        qml.RX(p[1], wires=2)

    check(circuit, np.array([0.3, 1.1, -0.8]))


TEMPLATES = {
    "StronglyEntanglingLayers": lambda p: qml.StronglyEntanglingLayers(p.reshape(2, 3, 3), wires=range(3)),
    "BasicEntanglerLayers": lambda p: qml.BasicEntanglerLayers(p[:9].reshape(3, 3), wires=range(3), rotation=qml.RY),
    "SimplifiedTwoDesign": lambda p: qml.SimplifiedTwoDesign(p[:3], p[3:11].reshape(2, 2, 2), wires=range(3)),
    "RandomLayers": lambda p: qml.RandomLayers(p[:6].reshape(2, 3), wires=range(3), seed=3),
    "QFT": lambda p: (qml.RX(p[0], wires=0), qml.QFT(wires=range(3)), qml.RY(p[1], wires=2)),
    "ArbitraryUnitary": lambda p: qml.ArbitraryUnitary(p[:15], wires=[0, 2]),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates(name: str) -> None:
    check(TEMPLATES[name], np.random.default_rng(1).uniform(0, 2 * np.pi, 18))


def test_qaoa_shares_each_angle_among_many_gates() -> None:
    edges = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2)]
    cost = sum((0.5 * qml.Z(a) @ qml.Z(b) for a, b in edges), start=0.5 * qml.Identity(0))

    def circuit(p: Any) -> None:
        for gamma, beta in p.reshape(2, 2):
            for a, b in edges:
                qml.CNOT(wires=[a, b])
                qml.RZ(2 * gamma, wires=b)
                qml.CNOT(wires=[a, b])
            for wire in range(4):
                qml.RX(2 * beta, wires=wire)

    risk = check(circuit, np.array([0.3, 0.7, 0.2, 1.1]), wires=4, observable=cost)
    assert risk.n_params == 4


OBSERVABLES = {
    "word": qml.X("b") @ qml.Z(7),
    "sum": 0.5 * qml.X("b") - 1.5 * (qml.Y(7) @ qml.Y("a")) + 2.0 * qml.Z("a") @ qml.X(7) + 0.1 * qml.Identity("a"),
    "hamiltonian": qml.Hamiltonian([0.3, -1.2], [qml.Z("b"), qml.X("a") @ qml.X("b")]),
    "projector": qml.Projector([1, 0, 1], wires=["b", 7, "a"]),
    "projector onto a state": qml.Projector(np.full(8, 8**-0.5), wires=[7, "a", "b"]),
    "projector of one wire": qml.Projector([1], wires=["b"]),
    "hermitian": qml.Hermitian(np.array([[0.2, 0.4 - 0.3j], [0.4 + 0.3j, -0.7]]), wires="b"),
    "hermitian of two wires": qml.Hermitian(UNITARY + UNITARY.conj().T, wires=["b", 7]),
}


@pytest.mark.parametrize("name", OBSERVABLES)
def test_observables_on_named_wires_in_any_order(name: str) -> None:
    def circuit(p: Any) -> None:
        qml.Rot(*p[:3], wires="b")
        qml.CNOT(wires=["b", 7])
        qml.CRX(p[3], wires=[7, "a"])
        qml.RY(p[0], wires="a")

    check(circuit, np.array([0.3, 1.1, -0.8, 0.6]), wires=["a", 7, "b"], observable=OBSERVABLES[name])


def test_data_enter_by_any_function_and_parameters_by_affine_ones() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, (5, 3)), rng.choice([-1.0, 1.0], 5)
    params = rng.uniform(0, 2 * np.pi, (2, 3, 2))

    def qnode(p: Any, row: Any) -> Any:
        qml.AngleEmbedding(row, wires=range(3))
        for layer in p:
            for wire in range(3):
                qml.RY(layer[wire][0] + layer[wire][1] * row[wire], wires=wire)
                qml.RZ(layer[wire][0] * row[0] * row[1] + np.exp(row[2]), wires=wire)
            for wire in range(3):
                qml.CNOT(wires=[wire, (wire + 1) % 3])
        return qml.expval(qml.Z(1))

    device = qml.device("default.qubit", wires=3)
    torch_qnode = qml.QNode(qnode, device, interface="torch", diff_method="backprop")

    def risk_of(p: torch.Tensor) -> torch.Tensor:
        return sum((torch_qnode(p.reshape(2, 3, 2), row) - t) ** 2 for row, t in zip(x, y, strict=True)) / 5

    value, hessian = pennylane_hessian(risk_of, params.reshape(-1))
    risk = vl.from_qnode(qml.QNode(qnode, device), params, features=x, targets=y, loss="mse")
    assert risk.loss(params) == pytest.approx(value, abs=ATOL)
    np.testing.assert_allclose(risk.hessian(params), hessian, rtol=0, atol=ATOL)
    new = rng.uniform(-1, 1, (4, 3))
    expected = [float(torch_qnode(torch.tensor(params), row)) for row in new]
    np.testing.assert_allclose(risk.predict(params, new), expected, rtol=0, atol=ATOL)


# --- random tapes -------------------------------------------------------------------------------------------------

GATES: list[tuple[str, int]] = [
    *((name, 1) for name in ("RX", "RY", "RZ", "PhaseShift", "Hadamard", "S", "T", "X")),
    *((name, 2) for name in ("CRX", "CRY", "CRZ", "ControlledPhaseShift", "IsingXX", "IsingYY", "IsingZZ", "IsingXY")),
    *((name, 2) for name in ("CNOT", "CZ", "SWAP", "SingleExcitation")),
    *((name, 3) for name in ("Toffoli", "MultiRZ")),
]


@st.composite
def tapes(draw: st.DrawFn) -> tuple[int, list[tuple[str, list[int], int, float, float]]]:
    n_wires = draw(st.integers(1, 5))
    usable = [gate for gate in GATES if gate[1] <= n_wires]
    gates = []
    for _ in range(draw(st.integers(2, 12))):
        name, size = draw(st.sampled_from(usable))
        wires = draw(st.permutations(range(n_wires)))[:size]
        gates.append(
            (name, wires, draw(st.integers(0, 2)), draw(st.sampled_from([1.0, -0.5, 2.0])), draw(st.floats(-3, 3)))
        )
    return n_wires, gates


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(tapes())
def test_random_tapes(case: tuple[int, list[tuple[str, list[int], int, float, float]]]) -> None:
    n_wires, gates = case
    params = np.array([0.3, -1.2, 2.1])

    def circuit(p: Any) -> Any:
        for wire in range(n_wires):
            qml.RY(0.5 + 0.4 * wire, wires=wire)
        qml.RX(p[0], wires=0)
        for name, wires, index, scale, shift in gates:
            gate = getattr(qml, name)
            gate(scale * p[index] + shift, wires=wires) if gate.num_params else gate(wires=wires)
        return qml.expval(qml.X(0) + 0.5 * qml.Z(n_wires - 1))

    device = qml.device("default.qubit", wires=n_wires)
    value, hessian = pennylane_hessian(qml.QNode(circuit, device, interface="torch", diff_method="backprop"), params)
    risk = vl.from_qnode(qml.QNode(circuit, device), params)
    assert risk.loss(params) == pytest.approx(value, abs=ATOL)
    np.testing.assert_allclose(risk.hessian(params), hessian, rtol=0, atol=ATOL)


# --- what cannot be taken -----------------------------------------------------------------------------------------


def read(circuit: Callable[..., Any], params: Any = (0.1, 0.2), features: Any = None) -> vl.Risk:
    device = qml.device("default.qubit", wires=2)
    targets = None if features is None else np.ones(len(features))
    return vl.from_qnode(qml.QNode(circuit, device), np.array(params), features, targets)


def test_refusals() -> None:
    def squared(p: Any) -> Any:
        qml.RX(p[0] ** 2, wires=1)
        return qml.expval(qml.Z(1))

    with pytest.raises(ValueError, match=r"angle of RX on wires \[1\] is not affine in the parameters"):
        read(squared)

    def noisy(p: Any) -> Any:
        qml.RX(p[0], wires=0)
        qml.AmplitudeDamping(0.1, wires=0)
        return qml.expval(qml.Z(0))

    with pytest.raises(ValueError, match=r"AmplitudeDamping on wires \[0\] is noise: .*without noise"):
        read(noisy)

    def probabilities(p: Any) -> Any:
        qml.RX(p[0], wires=0)
        return qml.probs(wires=0)

    with pytest.raises(ValueError, match=r"must return one qml.expval, but returns Probability\..*qml.Projector"):
        read(probabilities)

    def branching(p: Any) -> Any:
        (qml.RX if p[0] < 0.5 else qml.RY)(p[0], wires=0)
        return qml.expval(qml.Z(0))

    with pytest.raises(
        ValueError,
        match=r"gates of branching depend on its parameters: .* at one point is .*Only angles",
    ):
        read(branching)


@pytest.mark.parametrize(
    "angle",
    [
        abs,
        lambda a: np.clip(a, -np.pi, np.pi),
        lambda a: a % np.pi,
        lambda a: qml.math.where(a > 0, a, 0.0),
        lambda a: a if a < 10 else 0.0,
    ],
    ids=["abs", "clip", "mod", "where", "if"],
)
def test_an_angle_that_is_affine_only_near_some_point_is_refused(angle: Callable[[float], float]) -> None:
    @qml.qnode(qml.device("default.qubit", wires=1))
    def qnode(weights: Any) -> Any:
        qml.RY(0.3, wires=0)
        qml.RX(angle(weights[0]), wires=0)
        return qml.expval(qml.Z(0))

    with pytest.raises(ValueError, match=r"angle of RX on wires \[0\] is not affine in the parameters"):
        vl.from_qnode(qnode, [0.1])


def test_parameters_that_the_qnode_cannot_take_are_named() -> None:
    @qml.qnode(qml.device("default.qubit", wires=1))
    def qnode(weights: Any) -> Any:
        qml.RX(weights[0, 1], wires=0)
        return qml.expval(qml.Z(0))

    with pytest.raises(ValueError, match=r"qnode cannot be called with weights \(2,\): too many indices"):
        vl.from_qnode(qnode, [0.1, 0.2])
    with pytest.raises(ValueError, match="qnode takes `weights`, which is too little for params .* and features"):
        vl.from_qnode(qnode, [[0.1, 0.2]], np.ones((2, 3)), np.ones(2), loss="mse")


def test_shots_are_refused() -> None:
    @qml.set_shots(100)
    @qml.qnode(qml.device("default.qubit", wires=1))
    def sampled(params):
        qml.RX(params[0], wires=0)
        return qml.expval(qml.Z(0))

    with pytest.raises(
        ValueError, match=r"takes 100 shots, but .* give it without shots, qml.set_shots\(qnode, None\)"
    ):
        vl.from_qnode(sampled, [0.0])
    np.testing.assert_allclose(vl.from_qnode(qml.set_shots(sampled, None), [0.0]).hessian([0.0]), -1, atol=1e-15)
