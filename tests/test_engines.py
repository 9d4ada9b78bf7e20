"""The contract of engines: every one of them against dense algebra, with all strategies and one or several outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import oracles
import pytest
import torch
from programs import random_circuit

import vqc_landscape as vl
from vqc_landscape.checks import Array
from vqc_landscape.simulator.compile.compiled import CompiledCircuit, compile_circuit
from vqc_landscape.simulator.compile.encoding import Encoded, encode
from vqc_landscape.simulator.compile.strategies import choose_strategy
from vqc_landscape.simulator.cpu import hvp_large, sizes
from vqc_landscape.simulator.cpu.cpu_engine import CpuEngine
from vqc_landscape.simulator.engine import Engine
from vqc_landscape.simulator.gpu.gpu_engine import GpuEngine

# float64 sums of some thousand terms of order 1, on both sides. The project promises 1e-10.
ATOL = 1e-11

N_QUBITS, N_PARAMS, N_SAMPLES = 3, 7, 5
ACTIVE = np.array([0, 2, 3, 5, 6])

STATE = np.random.default_rng(5).normal(size=8) + 1j * np.random.default_rng(6).normal(size=8)
WORDS = vl.PauliSum(((0.3, "XY", (0, 1)), (0.7, "ZZ", (1, 0)), (-0.2, "Y", (2,)), (0.4, "XX", (0, 1)), (1.0, "", ())))
OBSERVABLES: dict[str, list[Any]] = {
    "word": [vl.PauliZ(1)],
    "sum": [WORDS],
    "projector": [vl.Projector(STATE / np.linalg.norm(STATE))],
    "two outputs": [vl.PauliZ(1), WORDS],
    "outputs that share a basis": [vl.PauliZ(0), vl.PauliSum(((0.5, "ZZ", (0, 2)), (0.1, "", ()))), vl.PauliZ(2)],
}

ENGINES: dict[str, Callable[[CompiledCircuit], Engine]] = {
    "cpu": CpuEngine,
    "gpu": lambda compiled: GpuEngine(compiled, torch.device("cpu"), "float64"),
}


class Case:
    """A random program with words, CNOTs, shared and idle parameters, features; and its dense outputs."""

    def __init__(self, name: str, seed: int, convention: str = "exact") -> None:
        rng = np.random.default_rng([seed, 11])
        circuit = random_circuit(rng, N_QUBITS, 30, N_PARAMS, n_features=2, unitaries=False)
        rows = rng.uniform(-1, 1, (N_SAMPLES, 2))
        observables = OBSERVABLES[name]
        self.params = rng.uniform(0, 2 * np.pi, N_PARAMS)
        strategy = choose_strategy(observables[0], convention)
        self.compiled = compile_circuit(circuit, observables, strategy, ACTIVE)
        self.samples: Encoded = encode(circuit, observables, rows)
        self.targets = rng.normal(size=(N_SAMPLES, len(observables)))
        self.mixing = rng.normal(size=(len(observables), len(observables)))
        self.circuit, self.rows, self.observables, self.convention = circuit, rows, observables, convention

    def weigh(self, outputs: Array, samples: slice) -> tuple[Array, Array]:
        """Of the loss abs(M (f - y))**2 / 2: gradient and curvature mix the outputs."""
        metric = self.mixing.T @ self.mixing
        moved = outputs - self.targets[samples]
        return moved @ metric, np.tile(metric, (len(moved), 1, 1))

    def outputs(self, params: torch.Tensor) -> torch.Tensor:
        """(N_SAMPLES, n_outputs), by dense matrices."""
        found = []
        for row in self.rows:
            state = oracles.program_state(self.circuit, params, row)
            found.append(torch.stack([oracles.expval(state, o, self.convention) for o in self.observables]))
        return torch.stack(found)

    def loss(self, params: torch.Tensor) -> torch.Tensor:
        moved = (self.outputs(params) - torch.tensor(self.targets)) @ torch.tensor(self.mixing).T
        return (moved**2).sum() / 2


@pytest.mark.parametrize("name", OBSERVABLES)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seed", range(2))
def test_derivatives_are_those_of_dense_algebra(engine: str, name: str, seed: int) -> None:
    case = Case(name, seed)
    made, point = ENGINES[engine](case.compiled), (case.params, case.samples)
    theta = torch.tensor(case.params)
    outputs = case.outputs(theta).numpy()
    np.testing.assert_allclose(made.outputs(*point), outputs, rtol=0, atol=ATOL)
    points = np.stack([case.params, case.params + 0.3])
    both = [outputs, case.outputs(torch.tensor(points[1])).numpy()]
    np.testing.assert_allclose(made.outputs_at(points, case.samples), both, rtol=0, atol=ATOL)
    jacobian = torch.func.jacrev(case.outputs)(theta).numpy()[..., ACTIVE]
    np.testing.assert_allclose(made.jacobian(*point), jacobian, rtol=0, atol=ATOL)
    found, gradient = made.gradient(*point, case.weigh)
    np.testing.assert_allclose(found, outputs, rtol=0, atol=ATOL)
    np.testing.assert_allclose(gradient, torch.func.grad(case.loss)(theta).numpy()[ACTIVE], rtol=0, atol=ATOL)
    hessian = torch.autograd.functional.hessian(case.loss, theta).numpy()[np.ix_(ACTIVE, ACTIVE)]
    np.testing.assert_allclose(made.hessian(*point, case.weigh), hessian, rtol=0, atol=10 * ATOL)  # weights up to 10
    v = np.random.default_rng(seed).normal(size=len(ACTIVE))
    np.testing.assert_allclose(made.hvp(*point, case.weigh, v), hessian @ v, rtol=0, atol=10 * ATOL)


@pytest.mark.parametrize("name", ["two outputs", "outputs that share a basis", "projector"])
@pytest.mark.parametrize("way", ["takes_one", "shares_sample"])
def test_large_states_are_taken_in_the_same_way(way: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(name, 3)
    point = (case.params, case.samples, case.weigh)
    expected = CpuEngine(case.compiled).hessian(*point)
    monkeypatch.setattr(sizes, way, lambda *numbers: True)
    monkeypatch.setattr(hvp_large, "SMALLEST_PIECE", 1)
    engine, v = CpuEngine(case.compiled), np.arange(1.0, 6.0)
    np.testing.assert_allclose(engine.hessian(*point), expected, rtol=0, atol=10 * ATOL)
    np.testing.assert_allclose(engine.hvp(*point, v), expected @ v, rtol=0, atol=100 * ATOL)


@pytest.mark.parametrize("name", ["word", "sum", "projector"])
@pytest.mark.parametrize("engine", ENGINES)
def test_the_published_arithmetic_is_the_dense_one(engine: str, name: str) -> None:
    """Outputs and Hessian; and its gradient, half the exact one with a constant bra."""
    case = Case(name, 1, "as_published")
    made, point = ENGINES[engine](case.compiled), (case.params, case.samples)
    theta = torch.tensor(case.params)
    np.testing.assert_allclose(made.outputs(*point), case.outputs(theta).numpy(), rtol=0, atol=ATOL)
    _, gradient = made.gradient(*point, case.weigh)
    np.testing.assert_allclose(gradient, torch.func.grad(case.loss)(theta).numpy()[ACTIVE], rtol=0, atol=ATOL)
    hessian = torch.autograd.functional.hessian(case.loss, theta).numpy()[np.ix_(ACTIVE, ACTIVE)]
    np.testing.assert_allclose(made.hessian(*point, case.weigh), hessian, rtol=0, atol=10 * ATOL)
    with pytest.raises(ValueError, match="Hessian-vector products are defined for the exact convention only"):
        made.hvp(*point, case.weigh, np.zeros(len(ACTIVE)))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_metric_is_the_dense_one(engine: str) -> None:
    rng = np.random.default_rng(2)
    circuit = random_circuit(rng, N_QUBITS, 30, N_PARAMS, n_features=0, unitaries=False)
    target = vl.Projector(vl.zero_state(N_QUBITS))
    compiled = compile_circuit(circuit, [target], choose_strategy(target, "exact"))
    samples = encode(circuit, [target], circuit.feature_rows(None))
    params = rng.uniform(0, 2 * np.pi, N_PARAMS)
    state = oracles.program_state(circuit, torch.tensor(params), np.zeros(0)).numpy()
    real, imaginary = (
        torch.func.jacrev(lambda p, part=part: getattr(oracles.program_state(circuit, p, np.zeros(0)), part))(
            torch.tensor(params)
        ).numpy()
        for part in ("real", "imag")
    )
    tangents = real + 1j * imaginary
    along = state.conj() @ tangents
    expected = (tangents.conj().T @ tangents - np.outer(along.conj(), along)).real
    found = ENGINES[engine](compiled).metric_tensor(params, samples)
    np.testing.assert_allclose(found, expected, rtol=0, atol=ATOL)
