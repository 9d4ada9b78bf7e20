"""CircuitRisk: loss, derivatives and metric against dense matrices, closed forms, PennyLane and printed numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import oracles
import pennylane as qml
import pytest
import torch

import vqc_landscape as vl
from vqc_landscape.simulator.threads import n_threads

# Sums of some thousand products of float64 numbers of order 1, on both sides. The project promises 1e-10.
ATOL = 1e-12


def check_derivatives(risk: vl.Risk, oracle: Callable[[torch.Tensor], torch.Tensor], weights: np.ndarray) -> None:
    loss, grad, hessian = oracles.derivatives(oracle, weights)
    assert risk.loss(weights) == pytest.approx(loss, rel=0, abs=ATOL)
    np.testing.assert_allclose(risk.grad(weights), grad, rtol=0, atol=ATOL)
    found = risk.hessian(weights)
    np.testing.assert_allclose(found, hessian, rtol=0, atol=ATOL)
    np.testing.assert_array_equal(found, found.T)
    v = np.random.default_rng(0).normal(size=risk.n_params)
    np.testing.assert_allclose(risk.hvp(weights, v), hessian @ v, rtol=0, atol=ATOL * len(v))


def random_weights(circuit: vl.Circuit, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 2 * np.pi, circuit.shape)


# --- against dense matrices ---------------------------------------------------------------------------------------

TARGETS = {"zero": (oracles.zero, "Z"), "plus": (oracles.plus, "X")}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("ansatz", ["rx_product", "layered"])
def test_state_preparation_is_the_dense_oracle(ansatz: str, target: str) -> None:
    circuit = getattr(vl, ansatz)(n_qubits=4, n_layers=2)
    weights = random_weights(circuit)
    state, letter = TARGETS[target][0](4), TARGETS[target][1]
    projector = vl.Projector(state)
    check_derivatives(
        vl.CircuitRisk(circuit, projector, loss="infidelity"), lambda w: oracles.infidelity(ansatz, w, state), weights
    )
    check_derivatives(
        vl.CircuitRisk(circuit, vl.local_projector(4, letter), loss="infidelity"),
        lambda w: oracles.local_infidelity(ansatz, w, letter),
        weights,
    )
    check_derivatives(
        vl.CircuitRisk(circuit, projector, loss="infidelity", convention="as_published"),
        lambda w: oracles.infidelity_as_published(ansatz, w, state),
        weights,
    )


@pytest.mark.parametrize("convention", ["exact", "as_published"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("ansatz", ["reuploading", "reuploading_published"])
def test_classification_is_the_dense_oracle(ansatz: str, reduction: str, convention: str) -> None:
    circuit = getattr(vl, ansatz)(n_qubits=4, n_layers=2)
    x, y = oracles.disk(2, seed=1)
    risk = vl.CircuitRisk(circuit, vl.PauliZ(0), "mse", x, y, reduction=reduction, convention=convention)
    detached = convention == "as_published"
    check_derivatives(risk, lambda w: oracles.mse(ansatz, w, x, y, reduction, detached), random_weights(circuit))


def test_published_gradient_is_half_of_the_exact_one_and_its_hessian_is_not() -> None:
    circuit = vl.reuploading(n_qubits=4, n_layers=2)
    x, y = oracles.disk(3, seed=2)
    exact, published = (
        vl.CircuitRisk(circuit, vl.PauliZ(0), "mse", x, y, convention=convention)
        for convention in ("exact", "as_published")
    )
    weights = random_weights(circuit)
    assert published.loss(weights) == pytest.approx(exact.loss(weights), rel=0, abs=ATOL)
    np.testing.assert_allclose(published.grad(weights), exact.grad(weights) / 2, rtol=0, atol=ATOL)
    assert np.linalg.norm(published.hessian(weights) - exact.hessian(weights) / 2) > 0.1


def test_published_spectrum_has_more_eigenvalues_than_the_exact_one_can_have() -> None:
    """Two qubits, four layers, 48 parameters: the ranks of the dense oracle's Hessians, generic points and samples."""
    circuit = vl.reuploading_published(n_qubits=2, n_layers=4)
    x, y = oracles.disk(10, seed=2)
    weights = random_weights(circuit)
    ranks = {}
    for convention in ("exact", "as_published"):
        risk = vl.CircuitRisk(circuit, vl.PauliZ(0), "mse", x, y, convention=convention)
        ranks[convention] = vl.spectrum(risk.hessian(weights), risk.structural_directions).rank
    assert ranks == {"exact": 24, "as_published": 32}


# angles where a half-angle tangent is 0, 1 or infinite, and just beside
@pytest.mark.parametrize("angle", [0.0, np.pi / 2, np.pi, np.pi + 1e-9, -np.pi, 3 * np.pi])
@pytest.mark.parametrize("ansatz", ["rx_product", "layered", "reuploading"])
def test_special_angles(ansatz: str, angle: float) -> None:
    circuit = getattr(vl, ansatz)(n_qubits=2, n_layers=3)
    weights = np.full(circuit.shape, angle)
    if ansatz == "reuploading":
        x, y = np.array([[0.0, 0.0], [0.5, -0.3]]), np.array([1.0, -1.0])
        risk = vl.CircuitRisk(circuit, vl.PauliZ(0), "mse", x, y)
        check_derivatives(risk, lambda w: oracles.mse(ansatz, w, x, y), weights)
        return
    target = np.random.default_rng(3).normal(size=(4, 2)) @ [1, 1j]
    target /= np.linalg.norm(target)
    risk = vl.CircuitRisk(circuit, vl.Projector(target), loss="infidelity")
    check_derivatives(risk, lambda w: oracles.infidelity(ansatz, w, torch.as_tensor(target)), weights)


@pytest.mark.parametrize("n_layers", [1, 3])
def test_toy_model_is_its_closed_form(n_layers: int) -> None:
    circuit = vl.rx_product(n_qubits=5, n_layers=n_layers)
    weights = random_weights(circuit)
    for observable, closed in (
        (vl.Projector(vl.zero_state(5)), oracles.toy_global),
        (vl.local_projector(5, "Z"), oracles.toy_local),
    ):
        risk = vl.CircuitRisk(circuit, observable, loss="infidelity")
        loss, grad, hessian = closed(weights)
        assert risk.loss(weights) == pytest.approx(loss, rel=0, abs=ATOL)
        np.testing.assert_allclose(risk.grad(weights), grad, rtol=0, atol=ATOL)
        np.testing.assert_allclose(risk.hessian(weights), hessian, rtol=0, atol=ATOL)


@pytest.mark.parametrize("n_qubits", [18, 20])
def test_toy_model_of_many_qubits_on_its_plateau(n_qubits: int) -> None:
    """All angles pi: the half-angle cosines, 6e-17 each, are multiplied and must not underflow."""
    circuit = vl.rx_product(n_qubits=n_qubits, n_layers=1)
    risk = vl.CircuitRisk(circuit, vl.local_projector(n_qubits, "Z"), loss="infidelity")
    loss, grad = risk.loss_and_grad(np.full(n_qubits, np.pi))
    assert loss == pytest.approx(1, rel=0, abs=ATOL)
    np.testing.assert_allclose(grad, 0, atol=ATOL)


# --- against PennyLane: circuits and observables of every kind ------------------------------------------------------


def random_circuit(seed: int) -> vl.Circuit:
    """Words of one to three letters, fixed gates, shared parameters, prefactors and features, in random order."""
    rng = np.random.default_rng(seed)
    n_qubits, n_params, n_features = 3, 6, 2
    gates: list[vl.Rotation | vl.FixedGate] = []
    for _ in range(22):
        kind = rng.choice(["H", "S", "CZ", "rotation"], p=[0.12, 0.12, 0.16, 0.6])
        wires = tuple(int(w) for w in rng.permutation(n_qubits))
        if kind == "rotation":
            length = int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))
            word = "".join(rng.choice(list("XYZ"), length))
            angle = tuple(
                vl.Term(
                    scale=float(rng.normal()),
                    param=int(rng.integers(n_params)) if rng.random() < 0.85 else None,
                    feature=int(rng.integers(n_features)) if rng.random() < 0.4 else None,
                )
                for _ in range(rng.integers(1, 4))
            )
            gates.append(vl.Rotation(word, wires[:length], angle, ""))
        else:
            gates.append(vl.FixedGate(str(kind), wires[: 2 if kind == "CZ" else 1]))
    return vl.Circuit("random", n_qubits, (n_params,), tuple(gates), n_features)


PAULI_SUM = vl.PauliSum(
    ((0.5, "Z", (0,)), (-0.8, "XY", (0, 2)), (0.3, "Y", (1,)), (0.7, "", ()), (0.4, "ZZX", (2, 0, 1)), (0.2, "X", (2,)))
)


def pennylane_prediction(circuit: vl.Circuit, observable: vl.PauliSum | vl.Projector) -> Callable[..., torch.Tensor]:
    if isinstance(observable, vl.Projector):
        measured = qml.Projector(observable.state, wires=range(circuit.n_qubits))
    else:
        letters = {"X": qml.X, "Y": qml.Y, "Z": qml.Z}
        measured = qml.dot(
            [coefficient for coefficient, _, _ in observable.terms],
            [
                qml.prod(*(letters[p](w) for p, w in zip(word, wires, strict=True))) if word else qml.Identity(0)
                for _, word, wires in observable.terms
            ],
        )

    @qml.qnode(qml.device("default.qubit", wires=circuit.n_qubits), interface="torch", diff_method="backprop")
    def prediction(params: torch.Tensor, x: torch.Tensor) -> object:
        vl.apply_circuit(circuit, params, x)
        return qml.expval(measured)

    return prediction


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["sum", "projector"])
def test_any_circuit_is_pennylanes(kind: str, seed: int) -> None:
    circuit = random_circuit(seed)
    rng = np.random.default_rng(100 + seed)
    target = rng.normal(size=8) + 1j * rng.normal(size=8)
    observable = PAULI_SUM if kind == "sum" else vl.Projector(target / np.linalg.norm(target))
    x, y = rng.uniform(-1, 1, (2, 2)), rng.choice([-1.0, 1.0], 2)
    prediction = pennylane_prediction(circuit, observable)

    def oracle(params: torch.Tensor) -> torch.Tensor:
        rows = zip(torch.as_tensor(x), torch.as_tensor(y), strict=True)
        return torch.stack([(prediction(params, row) - target) ** 2 for row, target in rows]).mean()

    check_derivatives(vl.CircuitRisk(circuit, observable, "mse", x, y), oracle, random_weights(circuit, seed))


def mari_circuit() -> vl.Circuit:
    gates: list[vl.Rotation | vl.FixedGate] = [vl.Rotation("X", (q,), (vl.Term(param=q),), "RX") for q in range(5)]
    for control, target in oracles.MARI_CNOTS:  # CNOT = H CZ H
        flip = vl.FixedGate("H", (target,))
        gates += [flip, vl.FixedGate("CZ", (control, target)), flip]
    return vl.Circuit("Mari et al.", 5, (5,), tuple(gates))


def test_mari_numbers() -> None:
    risk = vl.CircuitRisk(mari_circuit(), vl.PauliZ(1), loss="infidelity")
    # half a unit of the last printed digit; the risk is 1 - f
    assert 1 - risk.loss(oracles.MARI_WEIGHTS) == pytest.approx(oracles.MARI_VALUE, rel=0, abs=0.5e-10)
    np.testing.assert_allclose(-risk.grad(oracles.MARI_WEIGHTS), oracles.MARI_GRAD, rtol=0, atol=0.5e-7)
    np.testing.assert_allclose(-risk.hessian(oracles.MARI_WEIGHTS), oracles.MARI_HESSIAN, rtol=0, atol=0.5e-6)


def test_numbers_of_pennylanes_docs() -> None:
    half, gates = vl.Term(0.5, param=1), [vl.Rotation("X", (0,), (vl.Term(param=0),), "RX")]
    # CRY(t) = exp(-i t/4 Y1) exp(i t/4 Z0 Y1)
    minus = vl.Term(-0.5, param=1)
    gates += [vl.Rotation("Y", (1,), (half,), ""), vl.Rotation("ZY", (0, 1), (minus,), "")]
    risk = vl.CircuitRisk(vl.Circuit("docs", 2, (2,), tuple(gates)), vl.PauliSum(((1.0, "ZZ", (0, 1)),)), "infidelity")
    np.testing.assert_allclose(-risk.hessian(oracles.CRY_WEIGHTS), oracles.CRY_HESSIAN, rtol=0, atol=0.5e-8)


# --- metric tensor --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2, 4, 3), (2, 2, 3)])
def test_metric_tensor_is_the_dense_oracle(shape: tuple[int, ...]) -> None:
    circuit = vl.layered(n_qubits=shape[1], n_layers=shape[0])
    weights = random_weights(circuit)
    risk = vl.CircuitRisk(circuit, vl.Projector(vl.plus_state(shape[1])), loss="infidelity")
    metric = risk.metric_tensor(weights)
    np.testing.assert_allclose(metric, oracles.metric_tensor("layered", weights), rtol=0, atol=ATOL)
    np.testing.assert_array_equal(metric, metric.T)


def test_metric_tensor_is_pennylanes() -> None:
    circuit = mari_circuit()
    risk = vl.CircuitRisk(circuit, vl.PauliZ(1), loss="infidelity")

    @qml.qnode(qml.device("default.qubit", wires=6))
    def node(params):
        vl.apply_circuit(circuit, params)
        return qml.expval(qml.Z(1))

    expected = qml.metric_tensor(node, approx=None)(qml.numpy.array(oracles.MARI_WEIGHTS))
    np.testing.assert_allclose(risk.metric_tensor(oracles.MARI_WEIGHTS), expected, rtol=0, atol=ATOL)


# --- samples --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def classifier() -> tuple[vl.Risk, np.ndarray]:
    """70 samples: three leaves, the last one not full."""
    circuit = vl.reuploading(n_qubits=4, n_layers=2)
    x, y = oracles.disk(70, seed=4)
    return vl.CircuitRisk(circuit, vl.PauliZ(0), "mse", x, y), random_weights(circuit)


def test_risk_is_the_mean_of_its_samples(classifier: tuple[vl.Risk, np.ndarray]) -> None:
    risk, weights = classifier
    assert risk.n_samples == 70
    singles = [risk.batch(np.array([s])) for s in range(70)]
    assert risk.loss(weights) == pytest.approx(np.mean([r.loss(weights) for r in singles]), rel=0, abs=ATOL)
    np.testing.assert_allclose(risk.grad(weights), np.mean([r.grad(weights) for r in singles], axis=0), atol=ATOL)
    np.testing.assert_allclose(risk.hessian(weights), np.mean([r.hessian(weights) for r in singles], axis=0), atol=ATOL)


def test_loss_and_grad_are_loss_and_grad(classifier: tuple[vl.Risk, np.ndarray]) -> None:
    risk, weights = classifier
    loss, grad = risk.loss_and_grad(weights)
    assert loss == pytest.approx(risk.loss(weights), rel=0, abs=ATOL)
    np.testing.assert_array_equal(grad, risk.grad(weights))


def test_batch_keeps_order_and_reduction() -> None:
    circuit = vl.reuploading(n_qubits=2, n_layers=2)
    x, y = oracles.disk(6, seed=5)
    weights, indices = random_weights(circuit), np.array([4, 0, 4])
    for reduction in ("mean", "sum"):
        batch = vl.CircuitRisk(circuit, vl.PauliZ(0), "mse", x, y, reduction=reduction).batch(indices)
        expected = oracles.mse("reuploading", torch.as_tensor(weights), x[indices], y[indices], reduction)
        assert batch.n_samples == 3
        assert batch.loss(weights) == pytest.approx(float(expected), rel=0, abs=ATOL)
        np.testing.assert_array_equal(batch.targets, y[indices])


def test_predictions_and_accuracy(classifier: tuple[vl.Risk, np.ndarray]) -> None:
    risk, weights = classifier
    x, y = oracles.disk(70, seed=4)

    def oracle(rows: np.ndarray) -> list[float]:
        return [
            float(oracles.prediction("reuploading", torch.as_tensor(weights), torch.as_tensor(row))) for row in rows
        ]

    np.testing.assert_allclose(risk.predict(weights), oracle(x), rtol=0, atol=ATOL)
    assert risk.accuracy(weights) == oracles.accuracy(np.array(oracle(x)), y)
    assert vl.CircuitRisk(risk.model.circuit, vl.PauliZ(0), "mse", x, y / 2).accuracy(weights) is None
    other = np.array([[0.2, -0.7, 0.4], [0.0, 0.0, 0.0]])  # a third component of the features counts
    np.testing.assert_allclose(risk.predict(weights, other), oracle(other), rtol=0, atol=ATOL)


def test_parameters_may_come_in_any_shape_and_as_tensors(classifier: tuple[vl.Risk, np.ndarray]) -> None:
    risk, weights = classifier
    expected = risk.grad(weights.reshape(-1))
    for params in (weights, weights.tolist(), torch.as_tensor(weights, dtype=torch.float64).requires_grad_()):
        np.testing.assert_array_equal(risk.grad(params), expected)


def test_more_columns_than_one_array_holds() -> None:
    """At most 136 columns go together. Shift rule: H[:, j] = (grad(+pi/2) - grad(-pi/2)) / 2."""
    circuit = vl.layered(n_qubits=6, n_layers=12)
    risk = vl.CircuitRisk(circuit, vl.Projector(vl.plus_state(6)), loss="infidelity")
    weights = random_weights(circuit).reshape(-1)
    assert risk.n_params - risk.structural_directions.shape[1] > 136
    shifts = np.eye(risk.n_params) * np.pi / 2
    expected = [(risk.grad(weights + s) - risk.grad(weights - s)) / 2 for s in shifts]
    np.testing.assert_allclose(risk.hessian(weights), expected, rtol=0, atol=ATOL)


def digest(risk: vl.Risk, weights: np.ndarray) -> str:
    loss, grad = risk.loss_and_grad(weights)
    parts = [np.float64(loss), np.float64(risk.loss(weights)), grad, risk.hessian(weights), risk.predict(weights)]
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def test_same_bytes_for_every_number_of_threads(
    classifier: tuple[vl.Risk, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    risk, weights = classifier
    digests = set()
    for threads in (1, 2, 3, 16):
        monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
        assert n_threads() == threads
        digests.add(digest(risk, weights))
    monkeypatch.delenv("OMP_NUM_THREADS")
    digests.add(digest(risk, weights))
    assert len(digests) == 1


def test_number_of_threads_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")  # nested OpenMP: the outer level counts
    assert n_threads() == 4
    for value in ("0", "many"):
        monkeypatch.setenv("OMP_NUM_THREADS", value)
        with pytest.raises(ValueError, match=f"OMP_NUM_THREADS must be a whole number at least 1, but is '{value}'"):
            n_threads()


# --- what is refused ------------------------------------------------------------------------------------------------

X, Y = oracles.disk(4, seed=6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "l2"}, "`loss` must be one of mse, infidelity, expval, but is 'l2'"),
        ({"reduction": "max"}, "`reduction` must be one of mean, sum, but is 'max'"),
        ({"convention": "published"}, "`convention` must be one of exact, as_published, but is 'published'"),
        ({"observable": "Z"}, "`observable` must be a PauliSum or a Projector, but is 'Z'"),
        ({"observable": vl.PauliZ(2)}, r"`observable` has Z on wires \(2,\), but the circuit has wires 0 to 1"),
        ({"observable": vl.Projector(vl.zero_state(3))}, "`observable` projects on 3 qubits, but the circuit has 2"),
        ({"targets": None}, "`loss` is mse, which needs both features and targets"),
        ({"features": None}, "`loss` is mse, which needs both features and targets"),
        ({"loss": "infidelity"}, "`loss` is infidelity, which needs neither features nor targets"),
        ({"targets": Y[:3]}, r"`targets` must have 4 entries, but has shape \(3,\)"),
        ({"targets": [1.0, np.nan, 1.0, 1.0]}, "`targets` must be finite"),
        ({"features": X[:, :1]}, r"`features` must have shape \(n, 2 or 3\) with n > 0, but has shape \(4, 1\)"),
        ({"features": X[:0], "targets": Y[:0]}, r"`features` must have shape \(n, 2 or 3\) with n > 0"),
    ],
)
def test_risks_that_do_not_fit_together(changes: dict[str, object], message: str) -> None:
    arguments = {"observable": vl.PauliZ(0), "loss": "mse", "features": X, "targets": Y} | changes
    with pytest.raises(ValueError, match=message):
        vl.CircuitRisk(vl.reuploading(n_qubits=2, n_layers=1), **arguments)


def test_a_risk_needs_a_circuit() -> None:
    with pytest.raises(ValueError, match=r"Argument `circuit` must be a Circuit, such as layered\(4, 2\), but is None"):
        vl.CircuitRisk(None, vl.PauliZ(0), "infidelity")  # type: ignore[arg-type]


def test_calls_that_do_not_fit() -> None:
    with_data = vl.CircuitRisk(vl.reuploading(n_qubits=2, n_layers=1), vl.PauliZ(0), "mse", X, Y)
    without = vl.CircuitRisk(vl.layered(n_qubits=2, n_layers=1), vl.PauliZ(0), "infidelity")
    params = np.zeros(6)
    assert without.accuracy(params) is None
    assert without.n_samples == 1
    with pytest.raises(ValueError, match=r"`params` must have 6 entries, but has shape \(5,\)"):
        without.loss(np.zeros(5))
    with pytest.raises(ValueError, match="`params` must be finite, but holds NaN"):
        without.grad(np.full(6, np.nan))
    with pytest.raises(ValueError, match=r"`v` must have 6 entries, but has shape \(2,\)"):
        without.hvp(params, np.zeros(2))
    with pytest.raises(ValueError, match="Predictions need data, but this risk has none"):
        without.predict(params)
    with pytest.raises(ValueError, match="A batch needs data, but this risk has none"):
        without.batch(np.array([0]))
    with pytest.raises(ValueError, match="metric tensor is defined for one state, but this risk has data"):
        with_data.metric_tensor(params)


def test_the_published_loss_has_no_hessian_at_its_cusps() -> None:
    circuit = vl.rx_product(n_qubits=2, n_layers=1)
    risk = vl.CircuitRisk(circuit, vl.Projector(vl.plus_state(2)), "infidelity", convention="as_published")
    assert risk.loss([0.3, 0.4]) == pytest.approx(oracles.toy_plus_as_published(np.array([[0.3, 0.4]])), abs=ATOL)
    with pytest.raises(ValueError, match=r"`params` is a cusp of the published loss, \|Re\(z\*\*2\)\| ="):
        risk.hessian([np.pi / 4, np.pi / 4])
