"""The double shift rule: against other implementations, printed numbers, and the statistics of shots."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import oracles
import pennylane as qml
import pytest
import torch

from vqc_landscape.curvature.param_shift import param_shift_hessian

# the rule is exact: four expectation values with rounding of some eps each
EXACT = 1e-13
# PennyLane's general rule drops digits of its coefficients: its diagonals are off by some 1e-12
PENNYLANE_RULE = 1e-10


def two_qubits(device: str = "default.qubit", seed: int | None = None) -> qml.QNode:
    options = {} if seed is None else {"seed": seed}

    @qml.qnode(qml.device(device, wires=2, **options))
    def circuit(w):
        qml.RX(w[0], 0)
        qml.RY(w[1], 1)
        qml.IsingXX(w[2], [0, 1])
        return qml.expval(qml.Z(0))

    return circuit


@pytest.mark.parametrize("device", ["default.qubit", "lightning.qubit", "default.mixed"])
def test_is_pennylanes_hessian_on_every_device(device: str) -> None:
    weights = np.random.default_rng(0).uniform(0, 2 * np.pi, 3)
    expected = qml.gradients.param_shift_hessian(two_qubits())(qml.numpy.array(weights))
    hessian = param_shift_hessian(two_qubits(device), weights)
    np.testing.assert_allclose(hessian, expected, rtol=0, atol=PENNYLANE_RULE)
    np.testing.assert_array_equal(hessian, hessian.T)
    assert np.abs(hessian).min() > 1e-3  # no entry of this circuit is trivial
    assert hessian.dtype == np.float64


def test_templates_and_any_shape_of_the_parameters() -> None:
    weights = np.random.default_rng(1).uniform(0, 2 * np.pi, (2, 2, 3))

    @qml.qnode(qml.device("default.qubit", wires=2))
    def circuit(w):
        qml.StronglyEntanglingLayers(w, wires=range(2))
        return qml.expval(qml.Z(0))

    # autograd through the state vector: no shifts at all
    expected = qml.jacobian(qml.grad(circuit))(qml.numpy.array(weights)).reshape(12, 12)
    for params in (weights, torch.as_tensor(weights)):
        np.testing.assert_allclose(param_shift_hessian(circuit, params), expected, rtol=0, atol=EXACT)


def test_is_the_dense_oracles_hessian_of_a_layered_circuit() -> None:
    weights = np.random.default_rng(2).uniform(0, 2 * np.pi, (2, 2, 3))

    @qml.qnode(qml.device("default.qubit", wires=2))
    def circuit(w):
        for layer in range(2):
            for q in range(2):
                qml.Rot(*w[layer, q], wires=q)
            qml.CZ([0, 1])
        return qml.expval(qml.Projector([0, 0], wires=[0, 1]))

    _, _, hessian = oracles.derivatives(lambda w: oracles.infidelity("layered", w, oracles.zero(2)), weights)
    np.testing.assert_allclose(param_shift_hessian(circuit, weights), -hessian, rtol=0, atol=EXACT)


def test_mari_numbers() -> None:
    @qml.qnode(qml.device("default.qubit", wires=5))
    def circuit(w):
        for q in range(5):
            qml.RX(w[q], q)
        for wires in oracles.MARI_CNOTS:
            qml.CNOT(wires)
        return qml.expval(qml.Z(1))

    # half a unit of the last printed digit
    np.testing.assert_allclose(
        param_shift_hessian(circuit, oracles.MARI_WEIGHTS), oracles.MARI_HESSIAN, rtol=0, atol=0.5e-6
    )


def cry() -> qml.QNode:
    @qml.qnode(qml.device("default.qubit", wires=2))
    def circuit(w):
        qml.RX(w[0], 0)
        qml.CRY(w[1], [0, 1])
        return qml.expval(qml.Z(0) @ qml.Z(1))

    return circuit


def test_numbers_of_pennylanes_docs_need_its_general_rule() -> None:
    """The printed circuit has a CRY, where the plain rule is wrong: the error's advice leads to the numbers."""
    with pytest.raises(ValueError, match=r"Parameter 1 enters CRY on wires \[0, 1\].*frequencies 0\.5, 1.*qml\.grad"):
        param_shift_hessian(cry(), oracles.CRY_WEIGHTS)
    advised = qml.gradients.param_shift_hessian(cry())(qml.numpy.array(oracles.CRY_WEIGHTS))
    np.testing.assert_allclose(advised, oracles.CRY_HESSIAN, rtol=0, atol=0.5e-8)

    # the same circuit with CRY(t) = RY(t / 2) CNOT RY(-t / 2) CNOT and its two angles as parameters
    @qml.qnode(qml.device("default.qubit", wires=2))
    def taken_apart(w):
        qml.RX(w[0], 0)
        qml.RY(w[1], 1)
        qml.CNOT([0, 1])
        qml.RY(-w[2], 1)
        qml.CNOT([0, 1])
        return qml.expval(qml.Z(0) @ qml.Z(1))

    chain = np.array([[1, 0], [0, 0.5], [0, 0.5]])
    hessian = chain.T @ param_shift_hessian(taken_apart, chain @ oracles.CRY_WEIGHTS) @ chain
    np.testing.assert_allclose(hessian, oracles.CRY_HESSIAN, rtol=0, atol=0.5e-8)


def test_number_of_runs() -> None:
    n_params = 3
    circuit = two_qubits()
    with qml.Tracker(circuit.device) as tracker:
        param_shift_hessian(circuit, np.zeros(n_params))
    assert tracker.totals["executions"] == 2 * n_params**2 - n_params + 1


def test_shots_are_unbiased_and_their_error_falls_as_one_over_root_shots() -> None:
    weights = np.random.default_rng(3).uniform(0, 2 * np.pi, 3)
    exact = param_shift_hessian(two_qubits(), weights)
    circuit, n_repetitions = two_qubits(seed=4), 60
    spread = {}
    for shots in (100, 10_000):
        samples = np.array([param_shift_hessian(circuit, weights, shots=shots) for _ in range(n_repetitions)])
        np.testing.assert_array_equal(samples, samples.transpose(0, 2, 1))
        spread[shots] = samples.std(axis=0, ddof=1)
        z = (samples.mean(axis=0) - exact) / (spread[shots] / np.sqrt(n_repetitions))
        # 12 different entries in all: |z| > 4.5 (t, 59 degrees of freedom) has probability 4e-4 for any of them
        assert np.abs(z).max() < 4.5
    # a spread from 60 repetitions is known to 1 / sqrt(2 * 59) = 9 %, the ratio of two to 13 %, their mean over at
    # least three independent entries to 7.5 %: four times that. 1 / shots would give 100, no dependence 1.
    upper = np.triu_indices(3)
    ratio = np.sqrt(np.mean(spread[100][upper] ** 2) / np.mean(spread[10_000][upper] ** 2))
    assert ratio == pytest.approx(10, rel=0.3)


@pytest.mark.parametrize("phase", [False, True])
def test_prefactor_minus_one_sums_and_global_phases_are_fine(phase: bool) -> None:
    def circuit(w):
        qml.H(0)
        qml.RZ(-w[0], 0)
        qml.RX(w[1] + w[2] + 0.3, 0)
        qml.PhaseShift(w[3], 0)
        if phase:
            qml.GlobalPhase(3 * w[0])
        return qml.expval(qml.X(0))

    weights = np.random.default_rng(5).uniform(0, 2 * np.pi, 5)  # the last one enters nothing
    node = qml.QNode(circuit, qml.device("default.qubit", wires=1))
    a, b, c = weights[0], weights[1] + weights[2] + 0.3, weights[3]

    # <X> = cos a cos c + sin a cos b sin c
    chain = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])
    aa = cc = -(np.cos(a) * np.cos(c) + np.sin(a) * np.cos(b) * np.sin(c))
    bb = -np.sin(a) * np.cos(b) * np.sin(c)
    ab, bc = -np.cos(a) * np.sin(b) * np.sin(c), -np.sin(a) * np.sin(b) * np.cos(c)
    ac = np.sin(a) * np.sin(c) + np.cos(a) * np.cos(b) * np.cos(c)
    hessian = chain @ np.array([[aa, ab, ac], [ab, bb, bc], [ac, bc, cc]]) @ chain.T
    np.testing.assert_allclose(param_shift_hessian(node, weights), hessian, rtol=0, atol=EXACT)


def shared(w):
    qml.RX(w[0], 0)
    qml.RY(w[1], 0)
    qml.RX(w[0], 1)


def prefactor(w):
    qml.RX(w[0], 0)
    qml.RY(2 * w[1], 1)


def square(w):
    qml.RX(w[0] ** 2, 0)


def magnitude(w):
    qml.RX(abs(w[0]), 0)


def product(w):
    qml.RX(w[0] * w[1], 0)


def changing(w):
    qml.RX(w[0], 0)
    if w[1] > 1:
        qml.H(0)


def single(w):
    qml.RX(np.float32(w[0]), 0)


def endless(w):
    qml.RX(w[0] * np.inf, 0)


def drawn(w):
    qml.RX(w[0] + np.random.default_rng().uniform(), 0)


@pytest.mark.parametrize(
    ("gates", "message"),
    [
        (shared, r"Parameter 0 enters 2 angles \(RX on wires \[0\], RX on wires \[1\]\).*qml\.gradients\.param_shift"),
        (prefactor, r"Parameter 1 enters RY on wires \[1\] with prefactor 2;.*qml\.gradients\.param_shift_hessian"),
        (square, r"Parameter 0 enters RX on wires \[0\] in a nonlinear way"),
        (magnitude, r"Parameter 0 enters RX on wires \[0\] in a nonlinear way"),
        (product, r"A function of several parameters enters RX on wires \[0\] in a nonlinear way"),
        (changing, "The gates of the QNode change with the parameters"),
        (single, r"The angle of RX on wires \[0\] is computed in single precision; compute it in float64"),
        (endless, "Argument `qnode` has an entry of RX on wires \\[0\\] that is no finite number"),
        (drawn, "Argument `qnode` draws numbers anew in each call; the shift rule needs a fixed circuit"),
    ],
)
def test_circuits_outside_the_plain_rule_are_named(gates: Callable, message: str) -> None:
    @qml.qnode(qml.device("default.qubit", wires=2))
    def circuit(w):
        gates(w)
        return qml.expval(qml.Z(0) @ qml.Z(1))

    # w[1] = 1 gives the product the slope 1 in w[0], and w[0] = 0 hides w[1]: only the random point tells
    with pytest.raises(ValueError, match=message):
        param_shift_hessian(circuit, [0.0 if gates is product else 0.3, 1.0])


def test_the_advice_for_shared_parameters_and_prefactors_holds() -> None:
    @qml.qnode(qml.device("default.qubit", wires=2))
    def circuit(w):
        shared(w)
        qml.RY(2 * w[1], 1)
        return qml.expval(qml.Z(0) @ qml.Z(1))

    weights = qml.numpy.array([0.3, 1.0])
    advised = qml.gradients.param_shift_hessian(circuit)(weights)
    expected = qml.jacobian(qml.grad(circuit))(weights)
    np.testing.assert_allclose(advised, expected, rtol=0, atol=PENNYLANE_RULE)


def test_parameters_of_matrices_and_observables_are_named() -> None:
    @qml.qnode(qml.device("default.mixed", wires=1))
    def matrix(w):
        qml.PhaseDamping(w[0], 0)
        return qml.expval(qml.Z(0))

    @qml.qnode(qml.device("default.qubit", wires=1))
    def observable(w):
        return qml.expval(qml.Hermitian(np.diag([w[0], 1.0]), wires=0))

    with pytest.raises(ValueError, match=r"Parameter 0 enters PhaseDamping on wires \[0\], which has no shift rule"):
        param_shift_hessian(matrix, [0.3])
    with pytest.raises(ValueError, match="Parameter 0 enters the observable, which has no shift rule"):
        param_shift_hessian(observable, [0.3])


def test_what_is_no_expectation_value_is_refused() -> None:
    device = qml.device("default.qubit", wires=2)

    @qml.qnode(device)
    def two(w):
        return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))

    @qml.qnode(device)
    def probabilities(w):
        return qml.probs(wires=0)

    for circuit in (two, probabilities):
        with pytest.raises(ValueError, match=r"`qnode` must return one qml\.expval"):
            param_shift_hessian(circuit, [0.1])
    with pytest.raises(ValueError, match="`qnode` must be a PennyLane QNode of `params` alone, but is a function"):
        param_shift_hessian(lambda w: 0.0, [0.1])
    with pytest.raises(ValueError, match="`params` must be finite"):
        param_shift_hessian(two_qubits(), [0.1, np.nan, 0.2])
    with pytest.raises(ValueError, match="`shots` must be a whole number at least 1, but is 0"):
        param_shift_hessian(two_qubits(), np.zeros(3), shots=0)


# --- what is executed ---------------------------------------------------------------------------------------------

NOISE = qml.NoiseModel({qml.noise.op_in([qml.RX, qml.RY]): qml.noise.partial_wires(qml.AmplitudeDamping, 0.3)})


def noisy(transform: Callable[[qml.QNode], qml.QNode] = lambda node: node) -> qml.QNode:
    """RX, RY, CNOT, RX and <Z1> on a device that damps after every rotation."""

    @qml.qnode(qml.add_noise(qml.device("default.mixed", wires=2), NOISE))
    def circuit(w):
        qml.RX(w[0], 0)
        qml.RY(w[1], 1)
        qml.CNOT([0, 1])
        qml.RX(w[2], 1)
        return qml.expval(qml.Z(1))

    return transform(circuit)


def test_noise_of_the_device_is_part_of_the_hessian() -> None:
    weights, step = np.array([0.4, 0.7, 0.3]), 1e-2
    found, node = param_shift_hessian(noisy(), weights), noisy()

    def f(*shifts: tuple[int, float]) -> float:
        moved = weights.copy()
        for index, shift in shifts:
            moved[index] += shift
        return float(node(moved))

    for i in range(3):
        for j in range(3):
            quotient = sum(a * b * f((i, a * step), (j, b * step)) for a in (1, -1) for b in (1, -1)) / (4 * step**2)
            # the error of the quotient is of the order of step^2 / 3 times a fourth derivative of at most 1
            assert found[i, j] == pytest.approx(quotient, abs=1e-4)
    assert np.abs(found).min() > 1e-2  # no entry is trivial
    assert abs(found[2, 2] - param_shift_hessian(noiseless(), weights)[2, 2]) > 1e-2  # nor is the noise


def noiseless() -> qml.QNode:
    return qml.QNode(noisy().func, qml.device("default.qubit", wires=2))


def mitigated(scale_factors: list[float], extrapolate: Callable) -> Callable[[qml.QNode], qml.QNode]:
    return lambda node: qml.noise.mitigate_with_zne(node, scale_factors, qml.noise.fold_global, extrapolate)


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (partial(qml.noise.fold_global, scale_factor=3), r"Parameter 0 enters 3 angles \(RX on wires \[0\], Adjoint"),
        (
            mitigated([1, 3], qml.noise.richardson_extrapolate),
            r"Parameter 0 enters 3 angles \(RX on wires \[0\], Adjoint",
        ),
        (mitigated([1, 1.2], lambda x, y: np.exp(y[0]) * y[1]), "its value of 2 circuits by a nonlinear function"),
        (mitigated([1, 1.2], lambda x, y: y[7]), "What a transform of the QNode makes of 2 circuits cannot be tried"),
    ],
)
def test_circuits_that_a_transform_makes_are_inspected(transform: Callable, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        param_shift_hessian(noisy(transform), [0.4, 0.7, 0.3])


def test_circuits_whose_linear_function_is_the_value_are_fine() -> None:
    """A factor of 1.2 folds nothing of four gates: two equal circuits, of which a straight line is drawn."""
    weights = [0.4, 0.7, 0.3]
    found = param_shift_hessian(noisy(mitigated([1, 1.2], qml.noise.richardson_extrapolate)), weights)
    # the line through two equal values 0.2 apart multiplies their round-off by some ten
    np.testing.assert_allclose(found, param_shift_hessian(noisy(), weights), rtol=0, atol=1e-12)


def test_a_batch_of_angles_is_named() -> None:
    @qml.qnode(qml.device("default.qubit", wires=1))
    def batch(w):
        qml.RX(w, 0)
        return qml.expval(qml.Z(0))

    with pytest.raises(ValueError, match="has a gate that takes 3 angles at once"):
        param_shift_hessian(batch, np.zeros(3))
    with pytest.raises(ValueError, match=r"`qnode` cannot be called with params of shape \(3,\)"):
        param_shift_hessian(qml.QNode(lambda w: qml.RX(w[5], 0), qml.device("default.qubit")), np.zeros(3))


@pytest.mark.parametrize("function", [lambda r: r**2, lambda r: np.log(2 + r), lambda r: np.maximum(r, 0)])
def test_one_circuit_and_a_nonlinear_function_of_its_value_are_refused(function):
    @qml.transform
    def bent(tape):
        return [tape], lambda results: function(results[0])

    @qml.qnode(qml.device("default.qubit", wires=1))
    def circuit(params):
        qml.RX(params[0], 0)
        return qml.expval(qml.Z(0))

    with pytest.raises(ValueError, match="makes its value of 1 circuits by a nonlinear function"):
        param_shift_hessian(bent(circuit), [0.4])


@pytest.mark.parametrize("params", [([0.3],), {"w": [0.3]}])
def test_parameters_in_several_arguments_are_named(params):
    with pytest.raises(ValueError, match=f"`params` must be one array, but is a {type(params).__name__}. Give a QNode"):
        param_shift_hessian(qml.QNode(lambda w: qml.expval(qml.Z(0)), qml.device("default.qubit")), params)
