"""Initial states, fixed unitaries and observables that are matrices or depend on the sample: against dense algebra."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from programs import random_circuit, random_unitary

import vqc_landscape as vl
from vqc_landscape.circuits.observables import Diagonalised, Product, ProductSum, SampleProjector
from vqc_landscape.circuits.program import SampleBasisState, SampleState
from vqc_landscape.simulator.compile.compiled import compile_circuit
from vqc_landscape.simulator.compile.strategies import EXACT_PAULI
from vqc_landscape.simulator.cpu import sizes

# float64 sums of some thousand terms of order 1, on both sides
ATOL = 1e-11
N_QUBITS, N_SAMPLES, N_PARAMS, N_FEATURES = 3, 3, 5, 2
PAULIS = {"X": [[0, 1], [1, 0]], "Y": [[0, -1j], [1j, 0]], "Z": [[1, 0], [0, -1]]}
R2 = np.sqrt(0.5)
NAMED = {
    "H": np.array([[R2, R2], [R2, -R2]]),
    "S": np.diag([1, 1j]),
    "CZ": np.diag([1, 1, 1, -1]),
    "CNOT": np.eye(4)[[0, 1, 3, 2]],
    "SWAP": np.eye(4)[[0, 2, 1, 3]],
    "CCZ": np.diag([1] * 7 + [-1]),
}


def on_wires(matrix: Any, wires: tuple[int, ...], n_qubits: int) -> torch.Tensor:
    """A matrix on some wires as one on all: by indices, nothing of the library's."""
    matrix, size = np.asarray(matrix, dtype=complex), 2**n_qubits
    whole = np.zeros((size, size), dtype=complex)
    for column in range(size):
        bits = [column >> (n_qubits - 1 - wire) & 1 for wire in range(n_qubits)]
        source = int("".join(str(bits[wire]) for wire in wires), 2)
        for target in range(len(matrix)):
            for k, wire in enumerate(wires):
                bits[wire] = target >> (len(wires) - 1 - k) & 1
            whole[int("".join(map(str, bits)), 2), column] += matrix[target, source]
    return torch.tensor(whole)


def word_matrix(word: str, wires: tuple[int, ...], n_qubits: int) -> torch.Tensor:
    whole = torch.eye(2**n_qubits, dtype=torch.complex128)
    for letter, wire in zip(word, wires, strict=True):
        whole = whole @ on_wires(PAULIS[letter], (wire,), n_qubits)
    return whole


def dense_state(circuit: vl.Circuit, theta: torch.Tensor, row: np.ndarray) -> torch.Tensor:
    n, initial = circuit.n_qubits, circuit.initial
    psi = np.eye(2**n, dtype=complex)[0]
    if isinstance(initial, SampleState):
        psi = row[initial.first : initial.first + 2**n] + 1j * row[initial.first + 2**n :][: 2**n]
    elif isinstance(initial, SampleBasisState):
        psi = np.eye(2**n, dtype=complex)[int(row[initial.feature])]
    elif initial is not None:
        psi = initial
    state = torch.tensor(psi)
    for gate in circuit.gates:
        if isinstance(gate, vl.FixedGate):
            sign = np.diag([1.0] * (2 ** len(gate.wires) - 1) + [-1.0])
            matrix = sign if gate.name == "MCZ" else NAMED[gate.name] if gate.matrix is None else gate.matrix
            state = on_wires(matrix, gate.wires, n) @ state
            continue
        angle = sum(
            t.scale
            * (1.0 if t.param is None else theta[t.param])
            * (1.0 if t.feature is None else float(row[t.feature]))
            for t in gate.angle
        )
        angle = torch.as_tensor(angle, dtype=torch.float64)
        turned = word_matrix(gate.word, gate.wires, n) @ state
        state = torch.cos(angle / 2) * state - 1j * torch.sin(angle / 2) * turned
    return state


def dense_observable(observable: Any, row: np.ndarray, n: int) -> torch.Tensor:
    if isinstance(observable, vl.Projector | SampleProjector):
        target = observable.state.of(row[None])[0] if isinstance(observable, SampleProjector) else observable.state
        return torch.tensor(np.outer(target, target.conj()))
    total = torch.zeros(2**n, 2**n, dtype=torch.complex128)
    for product in observable.products:
        term = word_matrix(product.word, product.wires, n)
        for matrix, wires in product.matrices:
            change = np.eye(len(matrix.eigvals)) if matrix.change is None else matrix.change
            term = term @ on_wires(change.conj().T @ np.diag(matrix.eigvals) @ change, wires, n)
        total = total + product.coefficient * (1.0 if product.feature is None else row[product.feature]) * term
    return total


def random_hermitian(rng: np.random.Generator, n_wires: int) -> np.ndarray:
    matrix = rng.normal(size=(2**n_wires,) * 2) + 1j * rng.normal(size=(2**n_wires,) * 2)
    return (matrix + matrix.conj().T) / 2


def random_states(rng: np.random.Generator, n_samples: int) -> np.ndarray:
    states = rng.normal(size=(n_samples, 2**N_QUBITS)) + 1j * rng.normal(size=(n_samples, 2**N_QUBITS))
    return states / np.linalg.norm(states, axis=1, keepdims=True)


RNG = np.random.default_rng(11)
MATRIX, LARGER = Diagonalised.of(random_hermitian(RNG, 1)), Diagonalised.of(random_hermitian(RNG, 2))
DIAGONAL = Diagonalised(RNG.normal(size=4))
# after the two features of the angles: 16 numbers of an initial state, one of a basis state, 16 of a target
STATE, BASIS, TARGET = SampleState(2, N_QUBITS), SampleBasisState(2), SampleState(18, N_QUBITS)
INITIAL = {
    "zero": None,
    "fixed": random_states(RNG, 1)[0],
    "state": STATE,
    "basis state": BASIS,
}
OBSERVABLES = {
    "matrix": ProductSum((Product(0.7, matrices=((LARGER, (2, 0)),)),)),
    "word times matrix": ProductSum((Product(0.7, "Y", (1,), ((LARGER, (2, 0)),)), Product(-0.3, "ZX", (0, 2)))),
    "two matrices": ProductSum((Product(1.0, "", (), ((LARGER, (1, 2)), (MATRIX, (0,)))), Product(0.5, "Z", (0,)))),
    "diagonal": ProductSum((Product(1.0, "Z", (0,), ((DIAGONAL, (1, 2)),)), Product(0.2, "X", (0,)))),
    "same matrix twice": ProductSum(
        (
            Product(1.0, "", (), ((MATRIX, (0,)),)),
            Product(0.4, "Z", (1,), ((MATRIX, (0,)),)),
            Product(0.3, "X", (1,), ((MATRIX, (0,)),)),
            Product(0.6, "", (), ((MATRIX, (1,)), (MATRIX, (0,)))),
        )
    ),
    "coefficients of the sample": ProductSum(
        (Product(0.8, "Z", (1,), feature=0), Product(0.5, "XY", (0, 2)), Product(0.3, "", (), ((MATRIX, (0,)),), 1))
    ),
    "constant": ProductSum((Product(0.8), Product(1.0, feature=1), Product(1.0, "Z", (2,)))),
    "projector": vl.Projector(random_states(RNG, 1)[0]),
    "projector of the sample": SampleProjector(TARGET),
}


def rows_of(rng: np.random.Generator, initial: Any) -> np.ndarray:
    angles, target = rng.uniform(-1, 1, (N_SAMPLES, N_FEATURES)), random_states(rng, N_SAMPLES)
    state = random_states(rng, N_SAMPLES)
    middle = np.concatenate([state.real, state.imag], axis=1)
    if initial is BASIS:
        middle = np.concatenate([rng.integers(8, size=(N_SAMPLES, 1)).astype(float), np.zeros((N_SAMPLES, 15))], axis=1)
    return np.concatenate([angles, middle, target.real, target.imag], axis=1)


def case(initial: str, observable: str, seed: int) -> tuple[vl.Risk, np.ndarray, Any]:
    """A risk, its parameters, and its loss as a function of a torch tensor."""
    rng = np.random.default_rng([seed, 3])
    rows, own = rows_of(rng, INITIAL[initial]), INITIAL[initial]
    gates = random_circuit(rng, N_QUBITS, 12, N_PARAMS, N_FEATURES).gates
    circuit = vl.Circuit("random", N_QUBITS, (N_PARAMS,), gates, rows.shape[1], initial=own)
    measured = OBSERVABLES[observable]
    y = rng.choice([-1.0, 1.0], N_SAMPLES)

    def loss(theta: torch.Tensor) -> torch.Tensor:
        total = torch.zeros((), dtype=torch.float64)
        for row, target in zip(rows, y, strict=True):
            psi = dense_state(circuit, theta, row)
            f = torch.vdot(psi, dense_observable(measured, row, N_QUBITS) @ psi).real
            total = total + (f - target) ** 2 / N_SAMPLES
        return total

    return vl.CircuitRisk(circuit, measured, "mse", rows, y), rng.uniform(0, 2 * np.pi, N_PARAMS), loss


def check(risk: vl.Risk, params: np.ndarray, loss: Any) -> None:
    point = torch.tensor(params, requires_grad=True)
    value = loss(point)
    (grad,) = torch.autograd.grad(value, point)
    hessian = torch.autograd.functional.hessian(loss, point.detach()).numpy()
    assert risk.loss(params) == pytest.approx(float(value.detach()), abs=ATOL)
    np.testing.assert_allclose(risk.losses(params[None]), [float(value.detach())], rtol=0, atol=ATOL)
    np.testing.assert_allclose(risk.grad(params), grad.numpy(), rtol=0, atol=ATOL)
    np.testing.assert_allclose(risk.hessian(params), hessian, rtol=0, atol=ATOL)
    v = np.random.default_rng(1).normal(size=len(params))
    np.testing.assert_allclose(risk.hvp(params, v), hessian @ v, rtol=0, atol=10 * ATOL)
    directions = risk.structural_directions
    np.testing.assert_allclose(grad.numpy() @ directions, 0, atol=ATOL)
    np.testing.assert_allclose(hessian @ directions, 0, atol=ATOL)


def test_matrices_are_what_they_were_made_of() -> None:
    rng = np.random.default_rng(4)
    state = rng.normal(size=8) + 1j * rng.normal(size=8)
    given = [random_hermitian(rng, 3), np.outer(state, state.conj()), np.diag([0, 0, 0.25, 0]).astype(complex)]
    made = [Diagonalised.of(given[0]), Diagonalised.projector(state), Diagonalised.projector(np.array([0, 0, 0.5j, 0]))]
    for matrix, own in zip(given, made, strict=True):
        change = np.eye(len(matrix)) if own.change is None else own.change
        np.testing.assert_allclose(change @ change.conj().T, np.eye(len(matrix)), rtol=0, atol=1e-14)
        np.testing.assert_allclose(change.conj().T @ np.diag(own.eigvals) @ change, matrix, rtol=0, atol=1e-13)


@pytest.mark.parametrize("observable", OBSERVABLES)
@pytest.mark.parametrize("initial", INITIAL)
def test_derivatives_are_those_of_dense_algebra(initial: str, observable: str) -> None:
    check(*case(initial, observable, seed=len(initial) + len(observable)))


@pytest.mark.parametrize("observable", OBSERVABLES)
@pytest.mark.parametrize("way", ["takes_one", "shares_sample"])
def test_large_states_are_taken_in_the_same_way(way: str, observable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of large states, each on a small one."""
    monkeypatch.setattr(sizes, way, lambda *numbers: True)
    for initial in ("state", "basis state"):
        check(*case(initial, observable, seed=5))


def test_batches_and_new_samples_bring_their_own_states_and_observables() -> None:
    for observable in ("coefficients of the sample", "projector of the sample"):
        risk, params, _ = case("state", observable, seed=9)
        whole, indices = risk.predict(params), np.array([2, 0])
        np.testing.assert_allclose(risk.batch(indices).predict(params), whole[indices], rtol=0, atol=1e-15)
        np.testing.assert_allclose(
            risk.predict(params, risk.model.measured.rows[::-1]), whole[::-1], rtol=0, atol=1e-15
        )
        points = np.stack([params, params + 0.1])
        expected = [risk.loss(point) for point in points]
        np.testing.assert_allclose(risk.losses(points), expected, rtol=0, atol=1e-14)


def test_the_metric_is_that_of_the_prepared_state() -> None:
    rng = np.random.default_rng(8)
    circuit = random_circuit(rng, N_QUBITS, 12, N_PARAMS, 0, initial=random_states(rng, 1)[0])
    params = rng.uniform(0, 2 * np.pi, N_PARAMS)
    risk = vl.CircuitRisk(circuit, vl.PauliZ(0), "expval")

    def planes(theta: torch.Tensor) -> torch.Tensor:
        state = dense_state(circuit, theta, np.zeros(0))
        return torch.stack([state.real, state.imag])

    jacobian = torch.autograd.functional.jacobian(planes, torch.tensor(params)).numpy()
    tangents, psi = jacobian[0] + 1j * jacobian[1], planes(torch.tensor(params)).numpy()
    along = tangents.conj().T @ (psi[0] + 1j * psi[1])
    expected = (tangents.conj().T @ tangents - np.outer(along, along.conj())).real
    np.testing.assert_allclose(risk.metric_tensor(params), expected, rtol=0, atol=ATOL)


def test_a_rotation_that_only_gives_every_sample_a_phase_is_structural() -> None:
    """RZ on basis states: another phase for every sample, seen by none; on superpositions it is seen."""
    gates = (
        vl.Rotation("Z", (0,), (vl.Term(param=0),), "RZ"),
        vl.Rotation("Z", (1,), (vl.Term(param=1),), "RZ"),
        vl.Rotation("X", (0,), (vl.Term(param=2),), "RX"),
        vl.Rotation("Y", (1,), (vl.Term(param=3),), "RY"),
        vl.FixedGate("CNOT", (0, 1)),
    )
    y = np.array([1.0, -1.0, 1.0])
    basis = vl.Circuit("basis", 2, (4,), gates, 1, initial=SampleBasisState(0))
    risk = vl.CircuitRisk(basis, vl.PauliZ(1), "mse", np.array([[0.0], [1.0], [3.0]]), y)
    np.testing.assert_array_equal(np.flatnonzero(risk.structural_directions.any(axis=1)), [0, 1])
    states = np.eye(4)[[0, 1, 3]]
    states[2] = [R2, 0, R2, 0]
    mixed = vl.Circuit("mixed", 2, (4,), gates, 8, initial=SampleState(0, 2))
    risk = vl.CircuitRisk(mixed, vl.PauliZ(1), "mse", np.concatenate([states, 0 * states], axis=1), y)
    np.testing.assert_array_equal(np.flatnonzero(risk.structural_directions.any(axis=1)), [1])


def test_what_a_diagonal_unitary_lets_through_is_structural() -> None:
    """exp(-0.1i ZZ) as a matrix commutes with RZ, and so does the observable: RZ is seen by nobody."""
    phases = np.exp(-0.1j * np.array([1, -1, -1, 1]))
    unitary = tuple(tuple(complex(entry) for entry in row) for row in np.diag(phases))
    gates = (
        vl.Rotation("Y", (0,), (vl.Term(param=0),), "RY"),
        vl.Rotation("Z", (0,), (vl.Term(param=1),), "RZ"),
        vl.FixedGate("phases", (0, 1), unitary),
    )
    diagonal = ProductSum((Product(1.0, "", (), ((Diagonalised(np.array([1.0, 0, 0, 2.0])), (0, 1)),)),))
    risk = vl.CircuitRisk(vl.Circuit("phases", 2, (2,), gates), diagonal, "expval")
    np.testing.assert_array_equal(np.flatnonzero(risk.structural_directions.any(axis=1)), [1])
    # 1 - cos^2(a/2) on |10>, of weight 0, and cos^2(a/2) on |00>, of weight 1
    assert risk.hessian([0.4, 0.2])[0, 0] == pytest.approx(-np.cos(0.4) / 2, abs=1e-14)


def test_a_gpu_names_what_it_does_not_take() -> None:
    from vqc_landscape.simulator.gpu.gpu_engine import GpuEngine

    plain = vl.rx_product(2, 1)
    unitary = vl.FixedGate("U", (0, 1), random_unitary(np.random.default_rng(0), 2))
    faults = {
        "an initial state": (vl.Circuit("a", 2, (2,), plain.gates, initial=np.eye(4)[0] + 0j), vl.PauliZ(0)),
        "gates on several wires that are matrices": (vl.Circuit("a", 2, (2,), (*plain.gates, unitary)), vl.PauliZ(0)),
        "an observable that is a matrix": (plain, ProductSum((Product(1.0, "", (), ((MATRIX, (0,)),)),))),
    }
    for what, (circuit, observable) in faults.items():
        with pytest.raises(ValueError, match=f"`device` must be 'cpu': the GPU engine does not take {what}"):
            GpuEngine(compile_circuit(circuit, [observable], EXACT_PAULI), torch.device("cpu"), "float64")
