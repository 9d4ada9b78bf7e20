"""Structure: directions that no derivative sees, spectra with these split off, and what the paper's circuits have."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import oracles
import pytest
import scipy.optimize
import torch

import vqc_landscape as vl
from vqc_landscape.structure.reduction import reduce_exactly

EPS = np.finfo(np.float64).eps
# Hessians of order 1 from sums of some thousand products
ATOL = 1e-12


def plus_risk(n_qubits: int, n_layers: int) -> vl.Risk:
    circuit = vl.layered(n_qubits=n_qubits, n_layers=n_layers)
    return vl.CircuitRisk(circuit, vl.Projector(vl.plus_state(n_qubits)), loss="infidelity")


# --- the re-uploading QNN, 8 qubits x 8 layers ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def qnn() -> vl.Risk:
    x, y = oracles.disk(4, seed=0)
    return vl.CircuitRisk(vl.reuploading(n_qubits=8, n_layers=8), vl.PauliZ(0), "mse", x, y)


def light_cone_and_commuting(n_qubits: int, n_layers: int) -> tuple[set[int], set[int]]:
    """Parameters outside the backward light cone of qubit 0; RZ inside that commute through to Z."""
    index = np.arange(n_layers * n_qubits * 3).reshape(n_layers, n_qubits, 3)
    outside: set[int] = set()
    commuting: set[int] = set()
    cone, diagonal = {0}, {0}  # wires that the measured operator has reached, and those where it is still a Z
    for layer in reversed(range(n_layers)):
        for q in range(layer % 2, n_qubits, 2):
            pair = {q, (q + 1) % n_qubits}
            # a CZ commutes with Z; an X or Y on one wire puts a Z on the other
            if pair & cone and not pair & cone <= diagonal:
                diagonal |= pair - cone
                cone |= pair
        for q in range(n_qubits):
            if q not in cone:
                outside |= set(index[layer, q].tolist())
            elif q in diagonal:
                commuting.add(int(index[layer, q, 2]))
        diagonal = set()  # the rotations turn the Z
    return outside, commuting


def test_qnn_has_192_parameters_and_65_of_them_are_dead(qnn: vl.Risk) -> None:
    assert qnn.n_params == 192
    directions = qnn.structural_directions
    assert directions.shape == (192, 65)
    np.testing.assert_array_equal(np.sort(np.abs(directions), axis=0)[:-1], 0)  # unit vectors: dead parameters
    dead = set(np.flatnonzero(directions.any(axis=1)).tolist())
    rng = np.random.default_rng(1)
    grads = np.abs([qnn.grad(rng.uniform(0, 2 * np.pi, 192)) for _ in range(20)]).max(axis=0)
    assert dead == set(np.flatnonzero(grads < 1e-13).tolist())  # round-off; the smallest of the others is 1e-5 or more
    assert grads[~np.isin(np.arange(192), list(dead))].min() > 1e-6


def test_dead_parameters_lie_outside_the_light_cone_or_commute(qnn: vl.Risk) -> None:
    outside, commuting = light_cone_and_commuting(8, 8)
    dead = set(np.flatnonzero(qnn.structural_directions.any(axis=1)).tolist())
    assert (len(outside), len(commuting)) == (57, 8)
    assert dead == outside | commuting


def test_qnn_hessian_has_65_zeros_at_any_point(qnn: vl.Risk) -> None:
    hessian = qnn.hessian(np.random.default_rng(2).uniform(0, 2 * np.pi, 192))
    dead = qnn.structural_directions.any(axis=1)
    np.testing.assert_array_equal(hessian[dead], 0)
    spectrum = vl.spectrum(hessian, qnn.structural_directions)
    assert spectrum.structural.sum() == 65
    np.testing.assert_array_equal(spectrum.eigvals[spectrum.structural], 0)


# --- the general circuit, 4 qubits x 4 layers ------------------------------------------------------------------------


def test_layered_circuit_has_rank_32_of_48_and_4_dead_parameters() -> None:
    risk = plus_risk(4, 4)
    assert risk.n_params == 48
    directions = risk.structural_directions
    assert directions.shape == (48, 16)
    np.testing.assert_allclose(directions.T @ directions, np.eye(16), rtol=0, atol=ATOL)
    # the first RZ acts on |0>; the 12 others combine an RZ with the next layer's RZ through the CZ
    dead = [k for k in range(48) if np.abs(directions[k] @ directions[k] - 1) < ATOL]
    assert dead == [0, 3, 6, 9]
    rng = np.random.default_rng(3)
    for _ in range(3):
        weights = rng.uniform(0, 2 * np.pi, 48)
        np.testing.assert_allclose(directions.T @ risk.grad(weights), 0, atol=ATOL)
        hessian = risk.hessian(weights)
        np.testing.assert_allclose(hessian @ directions, 0, atol=ATOL)
        assert vl.spectrum(hessian, directions).rank == 32


def test_structural_directions_are_those_of_dense_gradients() -> None:
    """The null space of many gradients of the oracle is the same space."""
    risk = plus_risk(2, 3)
    rng = np.random.default_rng(4)
    gradients = []
    for _ in range(30):
        weights = torch.as_tensor(rng.uniform(0, 2 * np.pi, (3, 2, 3))).requires_grad_()
        loss = oracles.infidelity("layered", weights, oracles.plus(2))
        gradients.append(torch.autograd.grad(loss, weights)[0].reshape(-1).numpy())
    _, singular, rows = np.linalg.svd(np.array(gradients))
    n_seen = int(np.sum(singular > 1e-9 * singular[0]))
    directions = risk.structural_directions
    assert directions.shape[1] == 18 - n_seen
    np.testing.assert_allclose(rows[:n_seen] @ directions, 0, atol=1e-10)


def minimise(risk: vl.Risk, weights: np.ndarray) -> np.ndarray:
    options = {"maxiter": 3000, "ftol": 0, "gtol": 1e-12, "maxcor": 40}
    return scipy.optimize.minimize(risk.loss_and_grad, weights, jac=True, method="L-BFGS-B", options=options).x


def test_at_fidelity_one_the_hessian_is_half_the_quantum_fisher_matrix() -> None:
    risk = plus_risk(4, 4)
    weights = minimise(risk, np.random.default_rng(5).uniform(0, 2 * np.pi, 48))
    loss = risk.loss(weights)
    assert loss < 1e-12
    distance = np.sqrt(max(loss, EPS))
    hessian, fisher = risk.hessian(weights), 4 * risk.metric_tensor(weights)
    # they differ by terms with the part of the target that is not psi, of norm sqrt(loss), and second derivatives
    np.testing.assert_allclose(hessian, fisher / 2, rtol=0, atol=10 * distance)
    spectrum = vl.spectrum(fisher / 2)
    assert spectrum.rank <= 2 ** (4 + 1) - 2  # real dimensions of a state without norm and phase
    assert spectrum.index == 0
    # trace: (1 - <P>^2) / 2 <= 1/2 a parameter; the four first RZ act on |0> and have none
    assert spectrum.trace <= 22 + ATOL


def test_at_any_prepared_target_the_hessian_is_twice_the_metric() -> None:
    """No optimiser: the target is what the circuit prepares, so the fidelity is 1 to round-off."""
    circuit = vl.layered(n_qubits=4, n_layers=3)
    weights = np.random.default_rng(6).uniform(0, 2 * np.pi, circuit.shape)
    target = oracles.final_state("layered", torch.as_tensor(weights)).numpy()
    risk = vl.CircuitRisk(circuit, vl.Projector(target), loss="infidelity")
    assert risk.loss(weights) == pytest.approx(0, abs=ATOL)
    np.testing.assert_allclose(risk.hessian(weights), 2 * risk.metric_tensor(weights), rtol=0, atol=ATOL)


# --- the toy model ----------------------------------------------------------------------------------------------------


def test_toy_minimum_has_n_eigenvalues_and_the_rest_zeros() -> None:
    n_qubits, n_layers = 4, 3
    circuit = vl.rx_product(n_qubits=n_qubits, n_layers=n_layers)
    risk = vl.CircuitRisk(circuit, vl.Projector(vl.zero_state(n_qubits)), loss="infidelity")
    spectrum = vl.spectrum(risk.hessian(np.zeros(12)), risk.structural_directions)
    expected = [0.0] * (n_qubits * (n_layers - 1)) + [n_layers / 2] * n_qubits
    np.testing.assert_allclose(spectrum.eigvals, expected, rtol=0, atol=ATOL)
    assert spectrum.structural.sum() == n_qubits * (n_layers - 1)  # layers of RX merge
    plateau = vl.spectrum(risk.hessian(np.full(12, np.pi)))  # an odd number of layers: all angles pi
    assert plateau.rank == 0


def test_a_constant_loss_has_structural_directions_only() -> None:
    """|+> is an eigenvector of X: the true loss of Fig. 4 is 1 - 2**-n everywhere."""
    circuit = vl.rx_product(n_qubits=4, n_layers=2)
    risk = vl.CircuitRisk(circuit, vl.Projector(vl.plus_state(4)), loss="infidelity")
    weights = np.random.default_rng(7).uniform(0, 2 * np.pi, 8)
    assert risk.structural_directions.shape == (8, 8)
    np.testing.assert_allclose(risk.hessian(weights), 0, atol=ATOL)
    assert vl.spectrum(risk.hessian(weights), risk.structural_directions).structural.all()


def test_a_parameter_that_no_gate_uses_is_structural() -> None:
    gates = (vl.Rotation("X", (0,), (vl.Term(param=1),), "RX"), vl.Rotation("X", (0,), (vl.Term(2.0, param=2),), "RX"))
    risk = vl.CircuitRisk(vl.Circuit("c", 1, (3,), gates), vl.PauliZ(0), loss="infidelity")
    directions = risk.structural_directions
    # f = cos(p1 + 2 p2): blind to p0 and to (p1, p2) along (2, -1)
    assert directions.shape == (3, 2)
    np.testing.assert_allclose(directions.T @ [[0.0], [1.0], [2.0]], 0, atol=ATOL)
    hessian = risk.hessian([0.1, 0.2, 0.3])  # of 1 - f
    np.testing.assert_allclose(hessian, np.cos(0.8) * np.outer([0, 1, 2], [0, 1, 2]), rtol=0, atol=ATOL)


# --- row reduction ----------------------------------------------------------------------------------------------------


def test_reduced_functionals_span_the_gradients() -> None:
    rng = np.random.default_rng(8)
    functionals = [{4: Fraction(3), 2: Fraction(3)}, {0: Fraction(1, 3), 3: Fraction(1)}, {3: Fraction(-2)}]
    reduction = reduce_exactly([*functionals, {0: Fraction(1), 2: Fraction(1), 4: Fraction(1)}], 5)
    assert reduction.pivots.tolist() == [0, 2, 3]
    np.testing.assert_array_equal(reduction.rows, [[1, 0, 0, 0, 0], [0, 0, 1, 0, 1], [0, 0, 0, 1, 0]])
    assert reduction.free.tolist() == [1, 4]
    dense = np.array([[float(functional.get(param, 0)) for param in range(5)] for functional in functionals])
    gradients = rng.normal(size=(9, 3)) @ dense
    np.testing.assert_allclose(gradients @ reduction.structural_directions, 0, atol=ATOL)
    pivots, rows = oracles.row_space(gradients)
    assert pivots.tolist() == [0, 2, 3]
    np.testing.assert_allclose(rows, reduction.rows, rtol=0, atol=1e-7)


def test_fractions_that_grow_too_long_leave_every_parameter_that_occurs() -> None:
    rng = np.random.default_rng(9)
    few, many = (
        [{1 + j: Fraction(w) for j, w in enumerate(row)} for row in rng.normal(size=(n, 2 * n))] for n in (5, 30)
    )
    assert reduce_exactly(few, 11).free.tolist() == [0, 6, 7, 8, 9, 10]
    reduction = reduce_exactly(many, 61)
    assert reduction.free.tolist() == [0]
    np.testing.assert_array_equal(reduction.rows, np.eye(61)[1:])


# --- spectra ----------------------------------------------------------------------------------------------------------


def hessian_with(eigvals: list[float], n_structural: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A Hessian with these eigenvalues, and ``n_structural`` directions in which it is 0."""
    n_params = len(eigvals) + n_structural
    q = np.linalg.qr(np.random.default_rng(seed).normal(size=(n_params, n_params)))[0]
    seen = q[:, n_structural:]
    hessian = seen @ np.diag(eigvals) @ seen.T
    return (hessian + hessian.T) / 2, q[:, :n_structural]


@pytest.mark.parametrize("n_structural", [0, 3])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_spectrum_satisfies_its_defining_equations(n_structural: int, scale: float) -> None:
    eigvals = [-2 * scale, -0.5 * scale, 0.0, 0.25 * scale, 4 * scale]
    hessian, structural = hessian_with(eigvals, n_structural, seed=9)
    spectrum = vl.spectrum(hessian, structural)
    n_params = len(hessian)
    rounding = 100 * EPS * 4 * scale  # eigh is backward stable: some eps of the norm
    np.testing.assert_allclose(
        hessian @ spectrum.eigvecs, spectrum.eigvecs * spectrum.eigvals, rtol=0, atol=rounding + 1e-16
    )
    np.testing.assert_allclose(
        spectrum.eigvecs.T @ spectrum.eigvecs, np.eye(n_params), rtol=0, atol=1e-13
    )  # round-off of eigh
    assert (np.diff(spectrum.eigvals) >= 0).all()
    np.testing.assert_allclose(spectrum.eigvals, sorted(eigvals + [0.0] * n_structural), rtol=0, atol=rounding)
    assert spectrum.tolerance == max(1e-12, n_params * EPS * np.abs(spectrum.eigvals).max())
    assert (spectrum.rank, spectrum.index) == (4, 2)
    assert spectrum.sharpness == spectrum.eigvals[-1]
    assert spectrum.trace == pytest.approx(np.trace(hessian), rel=1e-12)
    assert spectrum.structural.sum() == n_structural
    np.testing.assert_array_equal(spectrum.eigvals[spectrum.structural], 0)


def test_structural_zeros_do_not_mix_with_small_curvatures() -> None:
    """Curvatures of 1e-14 are degenerate with the zeros to any eigensolver; only the split tells them apart."""
    hessian, structural = hessian_with([1e-14, -1e-14, 1.0], 4, seed=10)
    spectrum = vl.spectrum(hessian, structural)
    own = spectrum.eigvecs[:, spectrum.structural]
    np.testing.assert_allclose(
        own @ own.T, structural @ structural.T, rtol=0, atol=1e-13
    )  # round-off of a few products
    np.testing.assert_allclose(spectrum.eigvecs[:, ~spectrum.structural].T @ structural, 0, atol=1e-13)
    assert spectrum.rank == 1


def test_spectrum_of_nothing_but_zeros_and_of_tensors() -> None:
    spectrum = vl.spectrum(torch.zeros(3, 3), np.eye(3))
    assert spectrum.structural.all()
    assert (spectrum.rank, spectrum.index, spectrum.sharpness, spectrum.tolerance) == (0, 0, 0.0, 1e-12)


def test_spectrum_shows_itself() -> None:
    text = repr(vl.spectrum(np.diag([2.0, 0.0, -1.0]), np.eye(3)[:, 1:2]))
    assert text == "Spectrum(n=3, rank=2, structural_zeros=1, sharpness=2, index=1, tolerance=1.0e-12)"


@pytest.mark.parametrize(
    ("hessian", "structural", "message"),
    [
        (np.zeros((2, 3)), None, r"`hessian` must have shape \(P, P\) with P > 0, but has shape \(2, 3\)"),
        (np.zeros((0, 0)), None, r"`hessian` must have shape \(P, P\) with P > 0, but has shape \(0, 0\)"),
        (np.full((2, 2), np.nan), None, "`hessian` must be finite, but holds NaN or infinity"),
        ([[0.0, 1.0], [1.001, 0.0]], None, r"`hessian` must be symmetric, but differs from its transpose by 1\.0e-03"),
        (np.eye(2), np.zeros((3, 1)), r"`structural` must have shape \(2, k\), but has shape \(3, 1\)"),
        (np.eye(2), np.zeros(2), r"`structural` must have shape \(2, k\), but has shape \(2,\)"),
        (np.zeros((2, 2)), [[2.0], [0.0]], "`structural` must have orthonormal columns, but has not"),
        (np.eye(2), [[1.0], [0.0]], "`structural` has a direction in which the Hessian is not 0"),
    ],
)
def test_matrices_that_have_no_spectrum(hessian: object, structural: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        vl.spectrum(hessian, structural)
