"""The oracles agree with one another and with PennyLane: closed forms, dense matrices, another simulator."""

from __future__ import annotations

import numpy as np
import oracles
import pennylane as qml
import pytest
import torch

# float64 products of matrices up to 32 x 32, a few dozen in a row: errors stay within some hundred eps
ROUNDING = 1e-13


@pytest.mark.parametrize("n_layers", [1, 3])
def test_toy_closed_forms_are_the_derivatives_of_the_dense_circuit(n_layers: int) -> None:
    weights = np.random.default_rng(1).uniform(0, 2 * np.pi, (n_layers, 3))
    for closed, dense in (
        (oracles.toy_global, lambda w: oracles.infidelity("rx_product", w, oracles.zero(3))),
        (oracles.toy_local, lambda w: oracles.local_infidelity("rx_product", w, "Z")),
    ):
        for expected, found in zip(closed(weights), oracles.derivatives(dense, weights), strict=True):
            np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING)


def test_plus_target_of_the_toy_model_is_flat_and_the_published_loss_is_not() -> None:
    weights = np.random.default_rng(2).uniform(0, 2 * np.pi, (2, 3))
    value, grad, hessian = oracles.derivatives(lambda w: oracles.infidelity("rx_product", w, oracles.plus(3)), weights)
    assert value == pytest.approx(1 - 2**-3, abs=ROUNDING)
    np.testing.assert_allclose(grad, 0, atol=ROUNDING)
    np.testing.assert_allclose(hessian, 0, atol=ROUNDING)
    published = oracles.infidelity_as_published("rx_product", torch.as_tensor(weights), oracles.plus(3))
    assert float(published) == pytest.approx(oracles.toy_plus_as_published(weights), abs=ROUNDING)
    assert float(published) > value + 1e-3


def pennylane_state(ansatz: str, weights: np.ndarray, x: np.ndarray | None = None) -> np.ndarray:
    n_layers, n_qubits = weights.shape[:2]

    @qml.qnode(qml.device("default.qubit", wires=n_qubits))
    def circuit() -> object:
        for layer in range(n_layers):
            for q, w in enumerate(weights[layer]):
                if ansatz == "rx_product":
                    qml.RX(w, q)
                elif ansatz.startswith("layered"):
                    qml.Rot(*w, wires=q)
                elif ansatz == "reuploading":
                    qml.Rot(*x, 0.0, wires=q)
                    qml.Rot(*w, wires=q)
                else:
                    qml.Rot(*(w[0] + w[1] * np.append(x, 0.0)), wires=q)
            if ansatz != "rx_product" and (layer or ansatz != "layered_published"):
                for q in range(layer % 2, n_qubits, 2):
                    qml.CZ([q, (q + 1) % n_qubits])
        return qml.state()

    return np.asarray(circuit())


@pytest.mark.parametrize(
    ("ansatz", "shape"),
    [
        ("rx_product", (2, 4)),
        ("layered", (3, 4, 3)),
        ("layered_published", (3, 4, 3)),
        ("reuploading", (3, 4, 3)),
        ("reuploading_published", (3, 4, 2, 3)),
    ],
)
def test_final_states_are_pennylanes(ansatz: str, shape: tuple[int, ...]) -> None:
    weights = np.random.default_rng(3).uniform(0, 2 * np.pi, shape)
    x = np.array([0.3, -0.8])
    state = oracles.final_state(ansatz, torch.as_tensor(weights), torch.as_tensor(x)).numpy()
    # one global phase less: PennyLane's Rot has the same half angles, so not even that differs
    np.testing.assert_allclose(state, pennylane_state(ansatz, weights, x), rtol=0, atol=ROUNDING)


def test_metric_tensor_is_pennylanes() -> None:
    weights = np.random.default_rng(4).uniform(0, 2 * np.pi, (2, 2, 3))

    @qml.qnode(qml.device("default.qubit", wires=3))
    def circuit(w: object) -> object:
        for layer in range(2):
            for q in range(2):
                qml.Rot(*w[layer, q], wires=q)
            qml.CZ([layer % 2, (layer + 1) % 2])
        return qml.expval(qml.Z(0))

    expected = qml.metric_tensor(circuit, approx=None)(qml.numpy.array(weights)).reshape(12, 12)
    np.testing.assert_allclose(oracles.metric_tensor("layered", weights), expected, rtol=0, atol=ROUNDING)


def test_published_bra_halves_the_gradient_and_loses_a_term_of_the_hessian() -> None:
    weights, x = np.random.default_rng(5).uniform(0, 2 * np.pi, (2, 2, 3)), torch.tensor([0.3, -0.8])

    def exact(w: torch.Tensor) -> torch.Tensor:
        return oracles.prediction("reuploading", w, x)

    def published(w: torch.Tensor) -> torch.Tensor:
        return oracles.prediction("reuploading", w, x, detached=True)

    value, grad, hessian = oracles.derivatives(exact, weights)
    value_published, grad_published, hessian_published = oracles.derivatives(published, weights)
    assert value_published == pytest.approx(value, abs=ROUNDING)
    np.testing.assert_allclose(2 * grad_published, grad, rtol=0, atol=ROUNDING)
    # the term that is lost is Re <d_i psi|Z|d_j psi>, from numerical tangents (central differences)
    step = 1e-5
    tangents = []
    for direction in np.eye(weights.size).reshape(-1, *weights.shape):
        ends = [
            oracles.final_state("reuploading", torch.as_tensor(weights + s * step * direction), x).numpy()
            for s in (1, -1)
        ]
        tangents.append((ends[0] - ends[1]) / (2 * step))
    tangent = np.array(tangents)
    lost = 2 * (tangent.conj() @ oracles.pauli("Z", 0, 2).numpy() @ tangent.T).real
    # central differences: error about step^2 / 24 + eps / step, below 1e-10
    np.testing.assert_allclose(2 * hessian_published, hessian - lost, rtol=0, atol=1e-9)
    assert np.abs(lost).max() > 0.1


def test_mari_numbers() -> None:
    value, grad, hessian = oracles.derivatives(oracles.mari, oracles.MARI_WEIGHTS)
    # half a unit of the last printed digit
    assert value == pytest.approx(oracles.MARI_VALUE, abs=0.5e-10)
    np.testing.assert_allclose(grad, oracles.MARI_GRAD, rtol=0, atol=0.5e-7)
    np.testing.assert_allclose(hessian, oracles.MARI_HESSIAN, rtol=0, atol=0.5e-6)


def test_disk_is_balanced() -> None:
    x, y = oracles.disk(20000, seed=6)
    assert x.min() >= -1 and x.max() <= 1
    # the disk covers half of the square: the mean of y is 0 with standard deviation 1 / sqrt(n); 4 of them
    assert abs(y.mean()) < 4 / np.sqrt(len(y))
    assert oracles.accuracy(np.array([0.2, -0.1, 0.4]), np.array([1.0, 1.0, 1.0])) == pytest.approx(2 / 3)
