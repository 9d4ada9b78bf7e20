"""The engine on programs beyond the paper's: shared parameters, prefactors, Pauli words, sums of observables."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pennylane as qml
import pytest
import torch
from programs import random_circuit

import vqc_landscape as vl
from vqc_landscape.simulator.compile.compiled import compile_circuit
from vqc_landscape.simulator.compile.encoding import encode
from vqc_landscape.simulator.compile.strategies import EXACT_PAULI
from vqc_landscape.simulator.cpu import hvp_large, sizes
from vqc_landscape.simulator.cpu.cpu_engine import CpuEngine
from vqc_landscape.simulator.threads import map_in_order, n_threads, run_all

# float64 sums of some thousand terms of order 1, on both sides
ATOL = 1e-11


def pennylane_observable(observable: vl.PauliSum | vl.Projector, n_qubits: int) -> qml.operation.Operator:
    if isinstance(observable, vl.Projector):
        return qml.Projector(observable.state, wires=range(n_qubits))
    letters = {"X": qml.X, "Y": qml.Y, "Z": qml.Z}
    words = [
        qml.prod(*(letters[p](w) for p, w in zip(word, wires, strict=True))) if word else qml.Identity(0)
        for _, word, wires in observable.terms
    ]
    return qml.dot([c for c, _, _ in observable.terms], words)


SUM = vl.PauliSum(((0.3, "XY", (0, 1)), (0.7, "ZZ", (1, 0)), (-0.2, "Y", (2,)), (0.4, "XX", (0, 1)), (1.0, "", ())))
STATE = np.random.default_rng(5).normal(size=8) + 1j * np.random.default_rng(6).normal(size=8)
OBSERVABLES = {"word": vl.PauliZ(1), "sum": SUM, "projector": vl.Projector(STATE / np.linalg.norm(STATE))}


@pytest.mark.parametrize("name", OBSERVABLES)
@pytest.mark.parametrize("seed", range(4))
def test_random_programs_have_pennylanes_second_derivatives(name: str, seed: int) -> None:
    rng = np.random.default_rng([seed, 7])
    circuit = random_circuit(rng, n_qubits=3, n_gates=18, n_params=5, n_features=2)
    x, y = rng.uniform(-1, 1, (3, 2)), rng.choice([-1.0, 1.0], 3)
    params = rng.uniform(0, 2 * np.pi, 5)
    risk = vl.CircuitRisk(circuit, OBSERVABLES[name], "mse", x, y)

    @qml.qnode(qml.device("default.qubit", wires=3), interface="torch", diff_method="backprop")
    def expval(theta: torch.Tensor, row: np.ndarray) -> qml.measurements.ExpectationMP:
        vl.apply_circuit(circuit, theta, row)
        return qml.expval(pennylane_observable(OBSERVABLES[name], 3))

    def loss(theta: torch.Tensor) -> torch.Tensor:
        return sum((expval(theta, row) - target) ** 2 for row, target in zip(x, y, strict=True)) / 3

    point = torch.tensor(params, requires_grad=True)
    value = loss(point)
    (grad,) = torch.autograd.grad(value, point)
    hessian = torch.autograd.functional.hessian(loss, point.detach())
    assert risk.loss(params) == pytest.approx(float(value.detach()), abs=ATOL)
    np.testing.assert_allclose(risk.grad(params), grad.numpy(), rtol=0, atol=ATOL)
    np.testing.assert_allclose(risk.hessian(params), hessian.numpy(), rtol=0, atol=ATOL)


def test_more_tangents_than_one_array_holds() -> None:
    """All 192 parameters carried (two arrays of columns) against the pruned engine (one)."""
    rng = np.random.default_rng(3)
    circuit = vl.reuploading(4, 16)
    x, y = rng.uniform(-1, 1, (2, 2)), np.array([1.0, -1.0])
    params = rng.uniform(0, 2 * np.pi, circuit.n_params)
    risk = vl.CircuitRisk(circuit, vl.PauliZ(0), "mse", x, y)
    full = CpuEngine(compile_circuit(circuit, [vl.PauliZ(0)], EXACT_PAULI))
    hessian = full.hessian(params, risk.model.samples, lambda f, s: (f - y[s, None], np.ones((len(f), 1, 1))))
    np.testing.assert_allclose(hessian, risk.hessian(params), rtol=0, atol=ATOL)


@pytest.mark.parametrize("observable", [vl.Projector(vl.plus_state(4)), vl.local_projector(4, "X"), vl.PauliZ(2)])
def test_threads_inside_a_sample_change_nothing(observable: vl.PauliSum | vl.Projector, monkeypatch: Any) -> None:
    """Large states spread one sample over the threads: the same numbers, and the same bytes for any number of them."""
    circuit = vl.layered(4, 12)
    params = np.random.default_rng(1).uniform(0, 2 * np.pi, circuit.n_params)
    narrow = vl.CircuitRisk(circuit, observable, "infidelity").hessian(params)
    monkeypatch.setattr(sizes, "shares_sample", lambda n_qubits: True)
    found = []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        found.append(vl.CircuitRisk(circuit, observable, "infidelity").hessian(params))
    np.testing.assert_allclose(found[0], narrow, rtol=0, atol=ATOL)
    assert found[0].tobytes() == found[1].tobytes() == found[2].tobytes()


def test_angles_at_half_turns() -> None:
    """A turn divides by cos(angle/2), which is 0 at pi: clamped, and exact all the same."""
    circuit = vl.layered(4, 2)
    risk = vl.CircuitRisk(circuit, vl.Projector(vl.plus_state(4)), loss="infidelity")
    for angle in (np.pi, np.pi + 1e-9, -np.pi, np.pi / 2, 0.0):
        params = np.full(circuit.n_params, angle)
        near = params + 1e-7  # third derivatives are of order 1: the Hessian moves by about 1e-7
        np.testing.assert_allclose(risk.hessian(params), risk.hessian(near), rtol=0, atol=1e-5)
        assert risk.loss(params) == pytest.approx(risk.loss(near), abs=1e-5)


def test_a_parameter_without_a_gate_is_structural() -> None:
    circuit = vl.Circuit("idle", 1, (2,), (vl.Rotation("X", (0,), (vl.Term(param=1),), "RX"),))
    risk = vl.CircuitRisk(circuit, vl.PauliZ(0), loss="infidelity")
    np.testing.assert_array_equal(risk.structural_directions, [[1.0], [0.0]])
    np.testing.assert_allclose(risk.hessian([0.3, 0.5]), [[0, 0], [0, np.cos(0.5)]], rtol=0, atol=1e-15)


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert n_threads() == 3
    assert list(map_in_order(lambda i: i**2, range(8))) == [i**2 for i in range(8)]
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    assert n_threads() >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "two")
    with pytest.raises(ValueError, match="OMP_NUM_THREADS must be a whole number at least 1, but is 'two'"):
        n_threads()


def test_tasks_run_once_each_and_may_run_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    done: list[tuple[int, int]] = []

    def inner(i: int) -> None:
        run_all([partial(done.append, (i, j)) for j in range(20)])

    run_all([partial(inner, i) for i in range(20)])
    assert sorted(done) == [(i, j) for i in range(20) for j in range(20)]

    def fails() -> None:
        raise RuntimeError("this task fails")

    for position in range(4):  # whatever thread it falls to
        tasks: list[Callable[[], object]] = [list] * 3
        tasks.insert(position, fails)
        with pytest.raises(RuntimeError, match="this task fails"):
            run_all(tasks)


@pytest.mark.parametrize("name", OBSERVABLES)
@pytest.mark.parametrize("seed", range(3))
def test_products_with_the_hessian_need_no_hessian(name: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directional sweep against the matrix, on programs with shared parameters, words and features."""
    rng = np.random.default_rng([seed, 8])
    circuit = random_circuit(rng, n_qubits=3, n_gates=30, n_params=6, n_features=2)
    risk = vl.CircuitRisk(circuit, OBSERVABLES[name], "mse", rng.uniform(-1, 1, (40, 2)), rng.choice([-1.0, 1.0], 40))
    params, v = rng.uniform(0, 2 * np.pi, 6), rng.normal(size=6)
    product = risk.hessian(params) @ v
    np.testing.assert_allclose(risk.hvp(params, v), product, rtol=0, atol=ATOL)
    # large states, one by one and in blocks of cosets
    monkeypatch.setattr(sizes, "takes_one", lambda n_qubits, n_samples: True)
    monkeypatch.setattr(hvp_large, "SMALLEST_PIECE", 1)
    found = []
    for threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        found.append(risk.hvp(params, v))
    np.testing.assert_allclose(found[0], product, rtol=0, atol=ATOL)
    assert found[0].tobytes() == found[1].tobytes()


@pytest.mark.parametrize("entangler", ["CZ", "CNOT"])
def test_products_of_states_with_more_qubits_than_turn_together(
    entangler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten qubits are two groups; the cosets of the first are neighbours in memory, unless CNOTs mix the bits."""
    rng = np.random.default_rng(9)
    gates: list[vl.Rotation | vl.FixedGate] = []
    for layer in range(2):
        for wire in range(10):
            gates.append(vl.Rotation("Y", (wire,), (vl.Term(param=10 * layer + wire),), "RY"))
        gates += [vl.FixedGate(entangler, (wire, (wire + 3) % 10)) for wire in range(10)]
    gates += [vl.Rotation("X", (wire,), (vl.Term(param=20 + wire),), "RX") for wire in range(10)]
    circuit = vl.Circuit("two groups", 10, (30,), tuple(gates))
    risk = vl.CircuitRisk(circuit, vl.local_projector(10, "X"), "infidelity")
    params, v = rng.uniform(0, 2 * np.pi, 30), rng.normal(size=30)
    product = risk.hessian(params) @ v
    monkeypatch.setattr(sizes, "takes_one", lambda n_qubits, n_samples: True)
    np.testing.assert_allclose(risk.hvp(params, v), product, rtol=0, atol=ATOL)


def test_by_products() -> None:
    rng = np.random.default_rng(9)
    x, y = rng.uniform(-1, 1, (40, 3)), rng.choice([-1.0, 1.0], 40)
    risk = vl.CircuitRisk(vl.reuploading(4, 2), vl.PauliZ(0), "mse", x, y)
    params, h = rng.uniform(0, 2 * np.pi, risk.n_params), 1e-6
    jacobian = risk.jacobian(params)
    v = rng.normal(size=risk.n_params)
    slope = (risk.predict(params + h * v) - risk.predict(params - h * v)) / (2 * h)
    np.testing.assert_allclose(jacobian @ v, slope, rtol=0, atol=1e-8)  # 1e-6 squared, and 1e-16 / 1e-6
    np.testing.assert_allclose(risk.ggn(params), 2 * jacobian.T @ jacobian / 40, rtol=0, atol=ATOL)
    single = [risk.batch(np.array([s])) for s in range(40)]
    residual = sum((p.predict(params)[0] - p.targets[0]) * _hessian_of_f(p, params) * 2 for p in single) / 40
    np.testing.assert_allclose(risk.hessian(params) - risk.ggn(params), residual, rtol=0, atol=ATOL)


def _hessian_of_f(risk: vl.Risk, params: np.ndarray) -> np.ndarray:
    """f = (risk(target -1) - risk(target +1)) / 4 for a risk (f - y)^2 of one sample."""
    low, high = (vl.Risk(risk.model, risk.loss_function, [y]) for y in (1.0, -1.0))
    return (high.hessian(params) - low.hessian(params)) / 4


def test_the_memory_budget_decides_what_runs_side_by_side_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    circuit = vl.reuploading(6, 3)
    risk = vl.CircuitRisk(circuit, vl.PauliZ(0), "mse", rng.uniform(-1, 1, (100, 2)), rng.choice([-1.0, 1.0], 100))
    params = rng.uniform(0, 2 * np.pi, risk.n_params)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    free = risk.hessian(params)
    monkeypatch.setenv(
        "VQC_LANDSCAPE_MEMORY_GB", f"{1.5e-9 * sizes.hessian_bytes(risk.model.measured.engine.compiled)}"
    )  # one block at a time
    assert risk.hessian(params).tobytes() == free.tobytes()
    monkeypatch.setenv("VQC_LANDSCAPE_MEMORY_GB", "0.0001")
    with pytest.raises(MemoryError, match=r"The Hessian of \d+ parameters needs .* GB, but 0.0001 GB may be used"):
        risk.hessian(params)
    monkeypatch.setenv("VQC_LANDSCAPE_MEMORY_GB", "much")
    with pytest.raises(ValueError, match="VQC_LANDSCAPE_MEMORY_GB must be a positive number of GB, but is 'much'"):
        risk.hessian(params)


def test_a_circuit_that_is_too_large_is_refused_before_anything_is_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VQC_LANDSCAPE_MEMORY_GB", "1")
    gates = tuple(vl.Rotation("X", (wire,), (vl.Term(param=wire),), "RX") for wire in range(30))
    # 16 * 2 + 64 bytes for each of 2**30 amplitudes are 103 GB, of 2**23 are 0.8 GB
    message = "30 qubits and 1 blocks of gates needs 103 GB .* 1 GB may be used. Up to 23 qubits of this depth fit"
    tracemalloc.start()
    with pytest.raises(MemoryError, match=message):
        vl.CircuitRisk(vl.Circuit("large", 30, (30,), gates), vl.PauliZ(0), "expval")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**27


@pytest.mark.parametrize(("n_qubits", "n_features"), [(10, 0), (8, 3)])
def test_the_predicted_memory_is_what_is_allocated(
    n_qubits: int, n_features: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Python sees of the allocations at their peak; the prediction leaves out what is small, a tenth at most."""
    circuit = vl.reuploading(n_qubits, 8) if n_features else vl.layered(n_qubits, 8)
    observables = [vl.local_projector(n_qubits, "X")]
    engine = CpuEngine(compile_circuit(circuit, observables, EXACT_PAULI))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # one block after the other
    samples = encode(circuit, observables, np.zeros((2 * sizes.batch_size(n_qubits), n_features)))
    params = np.zeros(circuit.n_params)
    tracemalloc.start()
    engine.hessian(params, samples, lambda f, s: (np.ones_like(f), np.zeros((len(f), 1, 1))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.9 < peak / sizes.hessian_bytes(engine.compiled) < 1.1


def test_quantum_fisher_of_product_rotations_is_the_identity() -> None:
    """RX on |0>: the variance of X/2 is 1/4 on each qubit, none between them; QFI is 4 times that."""
    risk = vl.CircuitRisk(vl.rx_product(3, 1), vl.Projector(vl.zero_state(3)), "infidelity")
    np.testing.assert_allclose(risk.quantum_fisher([0.3, 1.0, 2.0]), np.eye(3), rtol=0, atol=ATOL)
