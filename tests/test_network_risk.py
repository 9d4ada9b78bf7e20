"""NetworkRisk against a forward pass written by hand and torch's other autodiff, and against finite differences."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from vqc_landscape.config import NetworkConfig
from vqc_landscape.models import network_model
from vqc_landscape.models.network_model import flat_params, make_network
from vqc_landscape.risks.network_risk import NetworkRisk

RNG = np.random.default_rng(0)
FEATURES = RNG.uniform(-1, 1, (40, 2))
TARGETS = np.where(np.linalg.norm(FEATURES, axis=1) < np.sqrt(2 / np.pi), 1.0, -1.0)
ACTIVATIONS = {"tanh": torch.tanh, "sigmoid": lambda z: 1 / (1 + torch.exp(-z)), "relu": lambda z: z.clamp(min=0)}


def small_risk(activation="tanh", output="difference", reduction="mean", widths=(3, 5, 4, 2)):
    module = make_network(NetworkConfig(widths=list(widths), activation=activation), seed=1)
    return NetworkRisk(module, FEATURES, TARGETS, reduction=reduction, output=output), flat_params(module)


def loss_by_hand(theta, widths, activation, output, reduction):
    """The same loss from slices of theta: (weights row by row, bias) layer after layer."""
    h, start = torch.tensor(FEATURES), 0
    if widths[0] == 3:
        h = torch.cat([h, torch.zeros(len(h), 1, dtype=torch.float64)], dim=1)
    for layer, (a, b) in enumerate(zip(widths, widths[1:], strict=False)):
        weight = theta[start : start + a * b].reshape(b, a)
        h = torch.einsum("na,ba->nb", h, weight) + theta[start + a * b : start + a * b + b]
        start += a * b + b
        if layer < len(widths) - 2:
            h = ACTIVATIONS[activation](h)
    f = h[:, 0] - h[:, 1] if output == "difference" else h[:, 0]
    squares = (f - torch.tensor(TARGETS)) ** 2
    return squares.mean() if reduction == "mean" else squares.sum()


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
@pytest.mark.parametrize(
    ("widths", "output", "reduction"),
    [((3, 5, 4, 2), "difference", "mean"), ((3, 5, 4, 2), "first", "sum"), ((2, 5, 1), None, "mean")],
)
def test_loss_gradient_and_hessian_are_those_of_the_network_by_hand(activation, widths, output, reduction, monkeypatch):
    monkeypatch.setattr(network_model, "BLOCK", 16)  # 40 samples: two whole blocks and a rest
    risk, params = small_risk(activation, output, reduction, widths)
    theta = torch.tensor(params, requires_grad=True)

    def by_hand(t):
        return loss_by_hand(t, widths, activation, output, reduction)

    loss = by_hand(theta)
    (grad,) = torch.autograd.grad(loss, theta)
    hessian = torch.autograd.functional.hessian(by_hand, theta).numpy()
    # float64 sums of 40 terms in another order: some 1e-15 of the largest entry
    scale = max(1.0, np.abs(hessian).max())
    assert risk.loss(params) == pytest.approx(loss.item(), rel=1e-13)
    np.testing.assert_allclose(risk.grad(params), grad.numpy(), rtol=0, atol=1e-13 * scale)
    np.testing.assert_allclose(risk.hessian(params), hessian, rtol=0, atol=1e-13 * scale)
    together = risk.loss_and_grad(params)
    assert together[0] == pytest.approx(loss.item(), rel=1e-13)
    np.testing.assert_array_equal(together[1], risk.grad(params))


def test_hessian_is_symmetric_and_the_derivative_of_the_gradient():
    risk, params = small_risk()
    hessian, step = risk.hessian(params), 1e-5
    np.testing.assert_array_equal(hessian, hessian.T)
    columns = [
        (risk.grad(params + step * e) - risk.grad(params - step * e)) / (2 * step) for e in np.eye(risk.n_params)
    ]
    # central differences: step^2 / 6 times third derivatives of order 10, and rounding 1e-16 / step
    np.testing.assert_allclose(np.array(columns), hessian, rtol=0, atol=1e-8)


def test_hvp_is_the_hessian_times_the_vector():
    risk, params = small_risk()
    v = np.random.default_rng(2).normal(size=risk.n_params)
    # 54 products of order 1, each rounded to 1e-16
    np.testing.assert_allclose(risk.hvp(params, v), risk.hessian(params) @ v, rtol=0, atol=1e-13)


def test_torch_tensors_and_any_shape_are_taken_and_numpy_comes_out():
    risk, params = small_risk()
    tensor = torch.tensor(params, requires_grad=True).reshape(2, -1)
    frozen = params.copy()
    frozen.flags.writeable = False
    for given in (tensor, frozen, list(params)):
        assert risk.loss(given) == risk.loss(params)
    for array in (risk.grad(tensor), risk.hessian(tensor), risk.predict(tensor)):
        assert type(array) is np.ndarray and array.dtype == np.float64


@pytest.mark.parametrize(
    ("widths", "output", "n_params", "n_structural"),
    [([3, 12, 10, 2], "difference", 200, 23), ([3, 12, 10, 2], "first", 200, 23), ([2, 12, 10, 1], None, 177, 0)],
)
def test_structural_directions_of_the_papers_network(widths, output, n_params, n_structural):
    risk = NetworkRisk(make_network(NetworkConfig(widths=widths), 0), FEATURES, TARGETS, output=output)
    directions = risk.structural_directions
    assert (risk.n_params, directions.shape) == (n_params, (n_params, n_structural))
    np.testing.assert_allclose(
        directions.T @ directions, np.eye(n_structural), atol=1e-15
    )  # round-off of a few products
    rng = np.random.default_rng(3)
    grads = np.array([risk.grad(rng.normal(size=n_params)) for _ in range(2 * n_params)])
    # all there are: the gradients at random points span everything else, and nothing of these
    assert np.linalg.matrix_rank(grads) == n_params - n_structural
    np.testing.assert_allclose(grads @ directions, 0, atol=1e-12 * np.abs(grads).max())


def gradient_rank(risk):
    rng = np.random.default_rng(4)
    return np.linalg.matrix_rank([risk.grad(rng.normal(size=risk.n_params)) for _ in range(2 * risk.n_params)])


@pytest.mark.parametrize(
    ("module", "output", "n_structural"),
    [
        (nn.Sequential(nn.Linear(3, 2)), "difference", 5),  # dead inputs are not counted again as a sum direction
        (nn.Sequential(nn.Linear(3, 4, bias=False), nn.Tanh(), nn.Linear(4, 2, bias=False)), "difference", 8),
        (
            nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 3), nn.Tanh()),
            "first",
            0,
        ),  # not claimed: no Linear end
    ],
)
def test_structural_directions_at_the_edges(module, output, n_structural):
    risk = NetworkRisk(module, FEATURES, TARGETS, output=output)
    assert risk.structural_directions.shape == (risk.n_params, n_structural)
    if n_structural:
        assert gradient_rank(risk) == risk.n_params - n_structural


def test_a_shared_layer_has_no_claimed_direction():
    shared = nn.Linear(3, 3)
    risk = NetworkRisk(nn.Sequential(shared, nn.Tanh(), shared), FEATURES, TARGETS, output="first")
    assert risk.structural_directions.shape == (12, 0)
    # as two layers, it would have 9: the zero input column and the other two outputs, which act in the other place
    assert gradient_rank(risk) == 10


def test_predictions_and_accuracy():
    risk, params = small_risk()
    module = make_network(NetworkConfig(widths=[3, 5, 4, 2]), seed=1)
    grid = RNG.uniform(-1, 1, (7, 2))
    with torch.no_grad():
        columns = module(torch.tensor(np.column_stack([grid, np.zeros(7)]))).numpy()
    # the same two matrix products on 7 rows, to rounding
    np.testing.assert_allclose(risk.predict(params, grid), columns[:, 0] - columns[:, 1], rtol=0, atol=1e-15)
    f = risk.predict(params)
    assert f.shape == (40,)
    assert risk.loss(params) == pytest.approx(np.mean((f - TARGETS) ** 2), rel=1e-14)
    odd = risk.batch(np.arange(33))  # right and wrong cannot be equally many
    assert odd.accuracy(params) == np.mean((f > 0) == (TARGETS > 0), where=np.arange(40) < 33)
    assert 0 < odd.accuracy(params) < 1
    assert NetworkRisk(module, FEATURES, (TARGETS + 1) / 2, output="difference").accuracy(params) is None


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_batch_is_the_risk_on_its_samples(reduction):
    risk, params = small_risk(reduction=reduction)
    chosen = np.array([3, 1, 30])
    module = make_network(NetworkConfig(widths=[3, 5, 4, 2]), seed=1)
    alone = NetworkRisk(module, FEATURES[chosen], TARGETS[chosen], reduction=reduction, output="difference")
    part = risk.batch(chosen)
    assert (risk.n_samples, part.n_samples) == (40, 3)
    assert part.loss(params) == alone.loss(params)
    np.testing.assert_array_equal(part.grad(params), alone.grad(params))
    assert part.accuracy(params) == alone.accuracy(params)


def test_the_module_is_copied_and_its_dropout_sleeps():
    module = nn.Sequential(nn.Linear(2, 4), nn.Dropout(0.5), nn.Linear(4, 1))
    risk = NetworkRisk(module, FEATURES, TARGETS)
    params = flat_params(module)
    assert params.dtype == np.float64
    assert module.training and module[0].weight.dtype == torch.float32
    before = risk.loss(params)
    nn.init.zeros_(module[0].weight)
    assert risk.loss(params) == before


def test_a_module_that_returns_a_vector_is_taken():
    module = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    assert NetworkRisk(module, FEATURES, TARGETS).predict(np.array([1.0, 0.0, 0.5])) == pytest.approx(
        FEATURES[:, 0] + 0.5
    )


def test_a_network_has_no_metric():
    assert not small_risk()[0].has_metric


@pytest.mark.parametrize("initialiser", ["torch_default", "xavier_uniform", "xavier_normal", "kaiming_uniform"])
def test_make_network_depends_on_the_seed_alone(initialiser):
    config = NetworkConfig(initialiser=initialiser)
    state = torch.random.get_rng_state()
    first = flat_params(make_network(config, 3))
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.rand(5)
    np.testing.assert_array_equal(first, flat_params(make_network(config, 3)))
    assert (first != flat_params(make_network(config, 4))).any()
    assert first.shape == (200,) and first.dtype == np.float64


def test_initialisers_have_the_spread_that_their_names_promise():
    widths = [3, 200, 200, 1]  # 40000 weights in the middle layer: their spread is known to 1/2 %
    expected = {  # of the middle layer, fan-in = fan-out = 200
        "torch_default": np.sqrt(1 / (3 * 200)),
        "xavier_uniform": np.sqrt(2 / 400),
        "xavier_normal": np.sqrt(2 / 400),
        "kaiming_uniform": np.sqrt(2 / 200),
    }
    for initialiser, spread in expected.items():
        module = make_network(NetworkConfig(widths=widths, initialiser=initialiser), 0)
        assert module[2].weight.std().item() == pytest.approx(spread, rel=0.02)  # four standard errors
        assert (module[2].bias == 0).all().item() == (initialiser != "torch_default")


def test_arguments_are_checked():
    module = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="`loss` must be one of mse, but is 'hinge'"):
        NetworkRisk(module, FEATURES, TARGETS, loss="hinge")
    with pytest.raises(ValueError, match="`reduction` must be one of mean, sum, but is 'max'"):
        NetworkRisk(module, FEATURES, TARGETS, reduction="max")
    with pytest.raises(ValueError, match="`output` must be one of difference, first, but is 'last'"):
        NetworkRisk(module, FEATURES, TARGETS, output="last")
    with pytest.raises(ValueError, match="`targets` must have 40 entries"):
        NetworkRisk(module, FEATURES, TARGETS[:5], output="first")
    with pytest.raises(ValueError, match=r"`features` must have shape \(n, d\) with n > 0, but has shape \(40,\)"):
        NetworkRisk(module, TARGETS, TARGETS, output="first")
    with pytest.raises(ValueError, match="`module` cannot be applied to 4 features"):
        NetworkRisk(module, np.ones((40, 4)), TARGETS, output="first")
    with pytest.raises(ValueError, match="`output` is None, which needs a module with 1 output columns, but it has 2"):
        NetworkRisk(module, FEATURES, TARGETS)
    with pytest.raises(ValueError, match="`output` is 'difference', which needs a module with 2 output columns"):
        NetworkRisk(nn.Linear(2, 3), FEATURES, TARGETS, output="difference")
    with pytest.raises(ValueError, match="`params` must have 6 entries"):
        NetworkRisk(module, FEATURES, TARGETS, output="first").loss(np.ones(5))
    with pytest.raises(ValueError, match="`features` must have 2 columns, but has 3"):
        NetworkRisk(module, FEATURES, TARGETS, output="first").predict(np.ones(6), np.ones((5, 3)))
    with pytest.raises(ValueError, match="`v` must have 6 entries"):
        NetworkRisk(module, FEATURES, TARGETS, output="first").hvp(np.ones(6), np.ones(5))


def test_torch_is_imported_with_the_first_network_only():
    program = "import sys; import vqc_landscape.risks.network_risk; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
