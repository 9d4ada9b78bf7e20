"""A new model is three methods, and a new loss is one class: either works with all that knows a risk."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

import vqc_landscape as vl
from vqc_landscape.checks import Array, Indices
from vqc_landscape.models.circuit_model import CircuitModel, MeasuredCircuit
from vqc_landscape.models.model import Model
from vqc_landscape.models.network_model import NetworkModel, Predictor
from vqc_landscape.risks.losses import LOSSES, SquaredError
from vqc_landscape.simulator.compile.encoding import encode


class QuadraticForms(Model):
    """f_k(p, x_s) = (x_s p) . A_k (x_s p) / 2 for a scale x_s of each sample."""

    def __init__(self, matrices: Array, scales: Array) -> None:
        self.matrices, self.scales = matrices, scales
        self.n_outputs, self.n_params, _ = matrices.shape
        self.n_samples = len(scales)

    def outputs(self, params: Array) -> Array:
        return 0.5 * np.einsum("s,kij,i,j->sk", self.scales**2, self.matrices, params, params)

    def jacobian(self, params: Array) -> Array:
        return np.einsum("s,kij,j->ski", self.scales**2, self.matrices, params)

    def weighted_hessian(self, params: Array, weights: Array) -> Array:
        return np.einsum("sk,s,kij->ij", weights, self.scales**2, self.matrices)

    def part(self, samples: Indices | slice) -> QuadraticForms:
        return QuadraticForms(self.matrices, self.scales[samples])


class LogCosh:
    """sum_k log cosh(f_k - y_k)."""

    name = "log-cosh"
    needs_targets = True

    def value(self, outputs: Array, targets: Array) -> Array:
        return np.log(np.cosh(outputs - targets[:, None])).sum(axis=1)

    def gradient(self, outputs: Array, targets: Array) -> Array:
        return np.tanh(outputs - targets[:, None])

    def curvature(self, outputs: Array, targets: Array) -> Array:
        return (1 - self.gradient(outputs, targets) ** 2)[:, :, None] * np.eye(outputs.shape[1])


@pytest.fixture
def risk() -> vl.Risk:
    rng = np.random.default_rng(0)
    matrices = rng.normal(size=(2, 4, 4))
    return vl.Risk(
        QuadraticForms(matrices + matrices.transpose(0, 2, 1), rng.normal(size=5)), LogCosh(), rng.normal(size=5)
    )


def check_by_differences(risk: vl.Risk, params: Array) -> None:
    h, units = 1e-5, np.eye(risk.n_params)
    grad = [(risk.loss(params + h * e) - risk.loss(params - h * e)) / (2 * h) for e in units]
    hessian = [(risk.grad(params + h * e) - risk.grad(params - h * e)) / (2 * h) for e in units]
    # h squared times a third derivative of order 10, and round-off over h
    np.testing.assert_allclose(risk.grad(params), grad, rtol=0, atol=1e-8)
    np.testing.assert_allclose(risk.hessian(params), hessian, rtol=0, atol=1e-8)
    np.testing.assert_allclose(risk.hvp(params, units[0]), risk.hessian(params)[0], rtol=0, atol=1e-12)


def test_three_methods_are_a_model_that_trains_and_has_spectra_scans_and_planes(risk: vl.Risk) -> None:
    params = np.array([0.3, -0.2, 0.5, 0.1])
    check_by_differences(risk, params)
    parts = [risk.batch(np.array([s])) for s in range(risk.n_samples)]
    assert np.mean([part.loss(params) for part in parts]) == pytest.approx(risk.loss(params), rel=1e-14)
    np.testing.assert_allclose(
        np.mean([part.hessian(params) for part in parts], axis=0), risk.hessian(params), atol=1e-14
    )
    shares = [risk.hessian_share(params, share, 3) for share in range(3)]
    np.testing.assert_allclose(sum(shares), risk.hessian(params), rtol=0, atol=1e-14)
    run = vl.train(risk, params, vl.GradientDescent(0.05), 20)
    assert run["loss"][-1] < run["loss"][0]
    spectrum = vl.spectrum(risk.hessian(params), risk.structural_directions)
    assert len(spectrum.eigvals) == 4
    scans = vl.eigenvector_scans(risk, params, spectrum, positions=[-1])
    grid = vl.plane_grid(risk, vl.parameter_plane(params, 0, 1), n_grid=5)
    assert np.isfinite(scans.losses).all() and grid.losses.shape == (5, 5)
    for draw, drawn in ((vl.plot_training, run), (vl.plot_plane, grid)):
        draw(drawn)
        assert plt.gcf().axes
        plt.close("all")
    assert repr(risk) == "Risk(QuadraticForms\n  4 parameters\n  loss log-cosh over 5 samples)"
    with pytest.raises(ValueError, match="needs the risk of a quantum circuit, but got QuadraticForms"):
        vl.train(risk, params, vl.NaturalGradient(0.1), 1)
    with pytest.raises(ValueError, match="needs the risk of a quantum circuit, but the model is a QuadraticForms"):
        risk.metric_tensor(params)
    with pytest.raises(ValueError, match="Predictions need data, but this risk has none"):
        risk.predict(params, np.ones((2, 1)))


def test_a_registered_loss_is_taken_by_its_name_for_circuits_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LOSSES, "log-cosh", LogCosh())
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-1, 1, (6, 2)), rng.choice([-1.0, 1.0], 6)
    network = nn.Sequential(nn.Linear(2, 3, dtype=torch.float64), nn.Tanh(), nn.Linear(3, 1, dtype=torch.float64))
    for risk in (
        vl.CircuitRisk(vl.reuploading(2, 2), vl.PauliZ(0), "log-cosh", x, y),
        vl.NetworkRisk(network, x, y, "log-cosh"),
    ):
        check_by_differences(risk, rng.normal(size=risk.n_params))
    with pytest.raises(ValueError, match="`loss` must be one of mse, log-cosh, but is 'expval'"):
        vl.NetworkRisk(network, x, y, "expval")


def test_one_loss_serves_circuits_and_networks() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-1, 1, (6, 2)), rng.choice([-1.0, 1.0], 6)
    predictor = Predictor(nn.Sequential(nn.Linear(2, 3, dtype=torch.float64), nn.Tanh(), nn.Linear(3, 1)))
    circuit = vl.reuploading(2, 2)
    rows = circuit.feature_rows(x)
    measured = MeasuredCircuit(circuit, [vl.PauliZ(0)], rows)
    models: list[Any] = [
        CircuitModel(measured, encode(circuit, [vl.PauliZ(0)], rows)),
        NetworkModel(predictor, predictor.as_features(x)),
    ]
    for model in models:
        check_by_differences(vl.Risk(model, LogCosh(), y), rng.normal(size=model.n_params))


def test_a_circuit_may_have_several_outputs() -> None:
    """Two outputs with a target for each: the sum of two risks of one output."""
    rng = np.random.default_rng(2)
    circuit, observables = vl.reuploading(2, 2), [vl.PauliZ(0), vl.PauliSum(((0.5, "XX", (0, 1)), (0.3, "", ())))]
    x, y = rng.uniform(-1, 1, (40, 2)), rng.normal(size=(40, 2))
    rows = circuit.feature_rows(x)
    model = CircuitModel(MeasuredCircuit(circuit, observables, rows), encode(circuit, observables, rows))
    both = vl.Risk(model, SquaredError(), y)
    singles = [vl.CircuitRisk(circuit, o, "mse", x, y[:, k]) for k, o in enumerate(observables)]
    params, v = rng.uniform(0, 6, both.n_params), rng.normal(size=both.n_params)
    assert both.loss(params) == pytest.approx(sum(r.loss(params) for r in singles), rel=1e-13)
    for name in ("grad", "hessian", "ggn"):
        found, expected = getattr(both, name)(params), sum(getattr(r, name)(params) for r in singles)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(both.hvp(params, v), both.hessian(params) @ v, rtol=0, atol=1e-11)
    assert both.predict(params).shape == (40, 2) and both.jacobian(params).shape == (40, 2, both.n_params)
    np.testing.assert_allclose(both.batch(np.array([3, 1])).outputs(params), both.outputs(params)[[3, 1]], atol=1e-14)


def test_targets_of_another_shape_are_refused() -> None:
    risk = vl.CircuitRisk(vl.reuploading(2, 1), vl.PauliZ(0), "mse", [[0.1, 0.2], [0.3, 0.4]], [1.0, -1.0])
    with pytest.raises(ValueError, match="`targets` must have 2 rows, but has 3"):
        vl.Risk(risk.model, LOSSES["mse"], np.zeros((3, 1)))
