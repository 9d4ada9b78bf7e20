"""Every optimiser against its closed form or against torch.optim."""

import math

import numpy as np
import pytest
import torch
from analytic_risks import FunctionRisk, RXProductRisk, linear_risk, quadratic, rosenbrock
from pydantic import TypeAdapter

import vqc_landscape as vl
from vqc_landscape import config
from vqc_landscape.training.finite import check_finite, finite_loss_and_grad
from vqc_landscape.training.metric import keep_blocks
from vqc_landscape.training.optimisers import (
    LBFGS,
    Adam,
    GradientDescent,
    InverseSharpness,
    InverseSharpnessThenNatural,
    NaturalGradient,
    make_optimiser,
)


def steps(optimiser, risk, params, n_steps):
    """The points visited, (n_steps + 1, P)."""
    points, state = [np.asarray(params, float)], optimiser.initial_state(params)
    for _ in range(n_steps):
        moved, state, _ = optimiser.step(risk, points[-1], state)
        points.append(moved)
    return np.array(points)


def test_gradient_descent_on_a_quadratic_is_a_geometric_series():
    eigvals, start = np.array([0.5, 1.0, 3.0]), np.array([1.0, -2.0, 0.5])
    points = steps(GradientDescent(0.1), quadratic(np.diag(eigvals)), start, 20)
    expected = (1 - 0.1 * eigvals) ** np.arange(21)[:, None] * start
    np.testing.assert_allclose(points, expected, rtol=1e-14)  # 20 multiplications, each rounds by 1e-16


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_first_order_optimisers_follow_torch_step_by_step(name):
    risk, start = linear_risk(64, 5), np.linspace(-1, 1, 5)
    ours = GradientDescent(0.05, 16) if name == "SGD" else Adam(0.05, 16)
    theta = torch.tensor(start, requires_grad=True)
    theirs = getattr(torch.optim, name)([theta], lr=0.05)
    params, state = start, ours.initial_state(start)
    for i in range(100):
        batch = risk.batch(np.arange(16 * (i % 4), 16 * (i % 4 + 1)))
        theta.grad = torch.tensor(batch.grad(theta.detach().numpy()))
        theirs.step()
        params, state, rate = ours.step(batch, params, state)
        assert rate == 0.05
        # both round differently by some 1e-16 in each of 100 contracting steps
        np.testing.assert_allclose(params, theta.detach().numpy(), rtol=0, atol=1e-13)


def test_adam_remembers_nothing_but_its_state():
    risk, start = linear_risk(8, 3), np.zeros(3)
    params, state, _ = Adam(0.1).step(risk, start, Adam(0.1).initial_state(start))
    assert sorted(state) == ["m", "t", "v"] and all(a.dtype == np.float64 for a in state.values())
    copied = {name: array.copy() for name, array in state.items()}
    first, second = Adam(0.1).step(risk, params, state), Adam(0.1).step(risk, params, copied)
    np.testing.assert_array_equal(first[0], second[0])
    for name in state:
        np.testing.assert_array_equal(state[name], copied[name])  # the old state stays what it was


def test_lbfgs_reaches_the_minimum_of_rosenbrock_and_never_climbs():
    risk = rosenbrock()
    points = steps(LBFGS(n_iterations=15), risk, np.array([-1.2, 1.0]), 6)
    losses = [risk.loss(p) for p in points]
    assert losses == sorted(losses, reverse=True)
    # curvature 0.4 along the valley: a loss at rounding, 1e-16, leaves a distance of some 1e-8
    np.testing.assert_allclose(points[-1], [1, 1], atol=1e-7)


def test_lbfgs_has_no_memory_across_steps():
    risk, start = rosenbrock(), np.array([-1.2, 1.0])
    middle = steps(LBFGS(3), risk, start, 1)[-1]
    continued, restarted = steps(LBFGS(3), risk, start, 2)[-1], steps(LBFGS(3), risk, middle, 1)[-1]
    np.testing.assert_array_equal(continued, restarted)
    # one iteration without memory goes along the gradient
    moved = steps(LBFGS(1), risk, middle, 1)[-1] - middle
    grad = risk.grad(middle)
    assert abs(moved @ grad) == pytest.approx(np.linalg.norm(moved) * np.linalg.norm(grad), rel=1e-12)


def test_lbfgs_moves_on_a_plateau_and_has_no_learning_rate():
    risk = quadratic(1e-9 * np.eye(2))  # gradient 1e-9: scipy's own tolerance, 1e-5, would stop at once
    moved, state, rate = LBFGS(20).step(risk, np.ones(2), {})
    np.testing.assert_allclose(moved, 0, atol=1e-6)  # the line search ends at a relative 1e-3 or better, twice
    assert math.isnan(rate) and state == {}


def test_natural_gradient_of_the_rx_product_is_four_times_the_gradient():
    risk, start = RXProductRisk(3), np.array([0.3, 1.1, -0.7])
    for block_diagonal in (True, False):
        moved, state, rate = NaturalGradient(0.1, block_diagonal, 1e-8).step(risk, start, {})
        expected = start - 0.1 * risk.grad(start) / (1 / 4 + 1e-8)
        np.testing.assert_allclose(moved, expected, rtol=1e-14)  # one division
        assert rate == 0.1 and state == {}


def test_natural_gradient_by_blocks_solves_every_block_alone():
    root = np.random.default_rng(1).normal(size=(4, 4))
    metric, blocks = root @ root.T + np.eye(4), [np.array([0, 2]), np.array([1, 3])]
    risk, start = RXProductRisk(4, metric, blocks), np.array([0.3, 1.1, -0.7, 0.4])
    grad = risk.grad(start)
    natural = np.empty(4)
    for i, j in blocks:
        natural[[i, j]] = np.linalg.inv(metric[np.ix_([i, j], [i, j])]) @ grad[[i, j]]
    by_block = NaturalGradient(0.1, True, 1e-12).step(risk, start, {})[0]
    full = NaturalGradient(0.1, False, 1e-12).step(risk, start, {})[0]
    # the regularisation of 1e-12 moves the solution by as much, relative to eigenvalues above 1
    np.testing.assert_allclose(by_block, start - 0.1 * natural, atol=1e-11)
    np.testing.assert_allclose(full, start - 0.1 * np.linalg.inv(metric) @ grad, atol=1e-11)
    assert np.abs(full - by_block).max() > 1e-3


def test_natural_gradient_needs_a_metric():
    with pytest.raises(ValueError, match=r"qng\) needs the risk of a quantum circuit, but got LinearRisk"):
        NaturalGradient(0.1, True, 1e-8).step(linear_risk(8, 3), np.zeros(3), {})
    combined = InverseSharpnessThenNatural(plateau=-1.0)  # at the first step, not when the plateau is left
    with pytest.raises(ValueError, match="needs the risk of a quantum circuit, but got LinearRisk"):
        combined.step(linear_risk(8, 3), np.zeros(3), combined.initial_state(np.zeros(3)))


@pytest.mark.parametrize(
    ("blocks", "fault"),
    [
        ([], "no block has 0-3"),
        ([np.array([0, 2])], "no block has 1, 3"),
        ([np.array([0, 1]), np.array([1, 2, 3])], "several entries are 1"),
        ([np.arange(6)], "there is no 4-5"),
        ([np.array([-1, 0, 1, 2]), np.array([2])], "no block has 3, several entries are 2, there is no -1"),
    ],
)
def test_blocks_that_do_not_partition_the_parameters_are_refused(blocks, fault):
    risk, start = RXProductRisk(4, blocks=blocks), np.array([0.3, 1.1, -0.7, 0.4])
    message = (
        f"parameter_blocks must partition its 4 parameters, but {fault}. Use .* block_diagonal=False, .*metric: full"
    )
    with pytest.raises(ValueError, match=message):
        NaturalGradient(0.1).step(risk, start, {})
    NaturalGradient(0.1, block_diagonal=False).step(risk, start, {})


@pytest.mark.parametrize("block_diagonal", [True, False])
def test_a_metric_with_a_negative_eigenvalue_is_refused(block_diagonal):
    blocks = [np.array([0, 3]), np.array([1, 2])] if block_diagonal else []
    metric = np.eye(4) / 4
    metric[0, 3] = metric[3, 0] = 0.3  # 1/4 -+ 0.3
    named = "0, 3" if block_diagonal else "0-3"
    with pytest.raises(ValueError, match=f"positive on the block of parameters {named}, but has the eigenvalue -0.05 "):
        NaturalGradient(0.1, block_diagonal).step(RXProductRisk(4, metric, blocks), np.zeros(4), {})


@pytest.mark.parametrize("null", [0.0, 1e-14, -1e-14])  # round-off of a metric of ten qubits
def test_a_singular_block_is_refused_only_where_the_loss_has_a_slope(null):
    metric, start = np.diag([0.25, null, 0.25, null]), np.array([0.3, 1.1, -0.7, 0.4])
    risk = RXProductRisk(4, metric, [np.array([0, 1]), np.array([2, 3])])
    slope = f"{risk.grad(start)[1]:.2g}"
    with pytest.raises(
        ValueError, match=f"block of parameters 0-1, but is 0 along a direction of slope {slope}: .*Adam"
    ):
        NaturalGradient(0.1).step(risk, start, {})
    flat = start * [1, 0, 1, 0]  # tan(0) = 0: the loss does not move along parameters 1 and 3
    moved, _, _ = NaturalGradient(0.1).step(risk, flat, {})
    np.testing.assert_array_equal(moved[[1, 3]], 0)


def test_the_published_loss_has_no_metric_because_it_sees_the_phase_of_the_state():
    published, exact = (
        vl.CircuitRisk(vl.layered(2, 2), vl.Projector(vl.plus_state(2)), "infidelity", convention=convention)
        for convention in ("as_published", "exact")
    )
    start = np.linspace(0.2, 2.0, published.n_params)
    for block_diagonal in (True, False):
        # RZ on |0> turns the phase alone
        with pytest.raises(ValueError, match=r"is 0 along a direction of slope .*convention as_published has none"):
            NaturalGradient(0.1, block_diagonal).step(published, start, {})
        NaturalGradient(0.1, block_diagonal).step(exact, start, {})


@pytest.mark.parametrize("n_qubits", [2, 4, 6])
def test_singular_metrics_of_circuits_are_accepted_at_generic_and_at_special_points(n_qubits):
    risk = vl.CircuitRisk(vl.layered(n_qubits, n_qubits), vl.Projector(vl.plus_state(n_qubits)), "infidelity")
    points = [np.random.default_rng(seed).uniform(0, 2 * np.pi, risk.n_params) for seed in range(3)]
    points += [np.full(risk.n_params, angle) for angle in (0.0, 1e-7, np.pi / 2, np.pi)]
    for point in points:
        for block_diagonal in (True, False):
            optimiser = NaturalGradient(0.1, block_diagonal)
            metric = risk.metric_tensor(point)
            if block_diagonal:
                metric = keep_blocks(metric, risk.parameter_blocks)
            moved, _, _ = optimiser.step(risk, point, {})
            # the checks leave the step what it was, to the bit
            solved = np.linalg.solve(metric + 1e-8 * np.eye(risk.n_params), risk.grad(point))
            np.testing.assert_array_equal(moved, point - 0.1 * solved)


def test_a_metric_that_is_no_number_ends_the_step():
    with pytest.raises(FloatingPointError, match="metric tensor is nan"):
        NaturalGradient(0.1).step(RXProductRisk(2, np.full((2, 2), math.nan)), np.ones(2), {})


def test_published_hlr_removes_the_steepest_direction_in_one_step():
    moved, state, rate = InverseSharpness().step(quadratic(np.diag([1.0, 4.0, -8.0])), np.ones(3), {})
    assert rate == pytest.approx(1 / 4, rel=1e-15) and state == {}  # round-off of a few products
    np.testing.assert_allclose(moved, [3 / 4, 0, 3], atol=1e-15)  # (1 - eigval / 4), rounded once


def test_published_hlr_ascends_where_every_eigenvalue_is_negative():
    risk, start = quadratic(np.diag([-1.0, -1.5])), np.ones(2)
    moved, _, rate = InverseSharpness().step(risk, start, {})
    assert rate == pytest.approx(-1, rel=1e-15)  # round-off of a few products
    assert risk.loss(moved) > risk.loss(start)


def test_published_hlr_has_no_rate_without_curvature():
    with pytest.raises(FloatingPointError, match=r"1 / lambda_max is infinite"):
        InverseSharpness().step(quadratic(np.zeros((2, 2))), np.ones(2), {})


@pytest.mark.parametrize(
    ("eigvals", "rate"), [([1, 4, -8], 1 / 8), ([-2, -1, 0], 1 / 2), ([1e-6, 0, 0], 100), ([0, 0, 0], 100)]
)
def test_guarded_hlr_takes_the_largest_magnitude_up_to_a_cap(eigvals, rate):
    _, _, measured = InverseSharpness(100.0).step(quadratic(np.diag(eigvals)), np.ones(3), {})
    assert measured == pytest.approx(rate, rel=1e-14)  # eigenvalues of a diagonal matrix, to rounding


def test_the_combination_switches_once_the_plateau_is_left_and_for_good():
    risk = RXProductRisk(2)
    risk.hessian = lambda p: np.diag([0.5, 0.25])
    combined = InverseSharpnessThenNatural(InverseSharpness(), NaturalGradient(0.1, False, 1e-8), plateau=0.5)
    on, off = np.array([2.0, 1.5]), np.array([0.5, 0.4])  # losses 0.84 and 0.10
    assert risk.loss(on) > 0.5 > risk.loss(off)
    params, state, rate = combined.step(risk, on, combined.initial_state(on))
    np.testing.assert_array_equal(params, on - 2 * risk.grad(on))
    assert rate == 2 and state["left"][0] == 0
    for start in (off, on):  # back on the plateau it stays with the natural gradient
        params, state, rate = combined.step(risk, start, state)
        np.testing.assert_array_equal(params, NaturalGradient(0.1, False, 1e-8).step(risk, start, {})[0])
        assert rate == 0.1 and state["left"][0] == 1


def test_the_defaults_are_the_study_s():
    assert NaturalGradient(0.1) == NaturalGradient(0.1, True, 1e-8)
    whole = {"name": "hlr_qng", "learning_rate": 0.1, "metric": "full"}
    assert InverseSharpnessThenNatural() == make_optimiser(TypeAdapter(config.Optimiser).validate_python(whole))


@pytest.mark.parametrize(
    ("section", "optimiser"),
    [
        ({"name": "sgd", "learning_rate": 0.1, "batch_size": 8}, GradientDescent(0.1, 8)),
        ({"name": "gd", "learning_rate": 0.1}, GradientDescent(0.1, None)),
        ({"name": "adam", "learning_rate": 0.1}, Adam(0.1, None)),
        ({"name": "adam", "learning_rate": 0.1, "batch_size": 4}, Adam(0.1, 4)),
        ({"name": "lbfgs", "n_iterations": 7}, LBFGS(7)),
        ({"name": "qng", "learning_rate": 0.1}, NaturalGradient(0.1, True, 1e-8)),
        ({"name": "qng", "learning_rate": 0.1, "metric": "full"}, NaturalGradient(0.1, False, 1e-8)),
        ({"name": "hlr"}, InverseSharpness(None)),
        ({"name": "hlr", "variant": "guarded", "max_learning_rate": 5.0}, InverseSharpness(5.0)),
        (
            {"name": "hlr_qng", "learning_rate": 0.2, "metric": "full", "plateau": 0.8},
            InverseSharpnessThenNatural(InverseSharpness(), NaturalGradient(0.2, False, 1e-8), 0.8),
        ),
    ],
)
def test_make_optimiser_builds_what_the_configuration_says(section, optimiser):
    made = make_optimiser(TypeAdapter(config.Optimiser).validate_python(section))
    assert made == optimiser
    assert made.batch_size == section.get("batch_size")


@pytest.mark.parametrize(
    "optimiser", [GradientDescent(0.1), Adam(0.1), LBFGS(3), NaturalGradient(0.1, True, 1e-8), InverseSharpness()]
)
@pytest.mark.parametrize(
    ("loss", "slope", "message"), [(math.nan, 1.0, "loss is nan"), (1.0, math.inf, "gradient is inf")]
)
def test_a_number_that_is_not_finite_ends_the_step(optimiser, loss, slope, message):
    risk = RXProductRisk(2)
    risk.loss, risk.grad = lambda p: loss, lambda p: np.full(2, slope)
    with pytest.raises(FloatingPointError, match=message):
        optimiser.step(risk, np.ones(2), optimiser.initial_state(np.ones(2)))


def test_a_hessian_that_is_not_finite_ends_the_step():
    risk = FunctionRisk(2, lambda p: 0.0, lambda p: p, lambda p: np.full((2, 2), -np.inf))
    with pytest.raises(FloatingPointError, match="Hessian is -inf"):
        InverseSharpness().step(risk, np.ones(2), {})


def test_finite_numbers_pass_unchanged():
    check_finite("loss", 1.0)
    risk = quadratic(np.eye(2))
    loss, grad = finite_loss_and_grad(risk, np.array([1.0, 2.0]))
    assert loss == 2.5
    np.testing.assert_array_equal(grad, [1, 2])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GradientDescent(-0.1), "`learning_rate` must be a number above 0, but is -0.1"),
        (lambda: Adam(0.0), "`learning_rate` must be a number above 0, but is 0.0"),
        (lambda: Adam(0.1, batch_size=0), "`batch_size` must be a whole number at least 1, but is 0"),
        (lambda: NaturalGradient(-1.0, True, 1e-8), "`learning_rate` must be a number above 0"),
        (lambda: NaturalGradient(0.1, True, 0.0), "`regularisation` must be a number above 0"),
        (lambda: NaturalGradient(0.1, "full"), "`block_diagonal` must be True or False, but is 'full'"),
        (lambda: InverseSharpness(0), "`max_learning_rate` must be a number above 0, but is 0"),
        (lambda: InverseSharpnessThenNatural(escape=None), "`escape` must be of type InverseSharpness, but is None"),
        (lambda: InverseSharpnessThenNatural(descent=0.1), "`descent` must be of type NaturalGradient, but is 0.1"),
        (lambda: InverseSharpnessThenNatural(plateau=[0.9]), r"`plateau` must be one number, but is \[0.9\]"),
        (lambda: InverseSharpnessThenNatural(plateau=math.inf), "`plateau` must be finite"),
        (lambda: LBFGS(0), "`n_iterations` must be a whole number at least 1, but is 0"),
    ],
)
def test_numbers_that_no_optimiser_can_use_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
