"""The GPU engine on torch's CPU device, against dense matrices; and on CUDA where it is there.

What it shares with the CPU engine is in test_engines.py.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import oracles
import pytest
import torch
from programs import random_circuit
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import vqc_landscape as vl
from vqc_landscape.simulator.compile.compiled import compile_circuit
from vqc_landscape.simulator.compile.encoding import encode
from vqc_landscape.simulator.compile.schedule import make_schedule
from vqc_landscape.simulator.compile.strategies import EXACT_PAULI, choose_strategy
from vqc_landscape.simulator.cpu.cpu_engine import CpuEngine
from vqc_landscape.simulator.gpu import cuda, gpu_engine
from vqc_landscape.simulator.gpu.device_plan import Plan
from vqc_landscape.simulator.gpu.gpu_engine import GpuEngine
from vqc_landscape.simulator.gpu.layout import block_layout

# float64 sums of some thousand terms of order 1, on both sides. The project promises 1e-10.
ATOL = 1e-11
# A tangent goes through some 50 roundings of 6e-8, which add up like a random walk, and enters with slopes of up to 4
# and factors of 2 from the formulas: 50**0.5 * 6e-8 * 8 = 3e-6, and as much again for sums over amplitudes.
ATOL_32 = 1e-5

CPU = torch.device("cpu")
STATE = np.random.default_rng(5).normal(size=8) + 1j * np.random.default_rng(6).normal(size=8)
OBSERVABLES = {
    "word": vl.PauliZ(1),
    "sum": vl.PauliSum(
        ((0.3, "XY", (0, 1)), (0.7, "ZZ", (1, 0)), (-0.2, "Y", (2,)), (0.4, "XX", (0, 1)), (1.0, "", ()))
    ),
    "projector": vl.Projector(STATE / np.linalg.norm(STATE)),
}


@pytest.fixture
def risk_on(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a risk on the GPU engine, with torch's CPU device in the place of the GPU."""

    def make(*arguments: Any, **options: Any) -> vl.Risk:
        monkeypatch.setattr(cuda, "find_device", lambda name: {"cuda": CPU}[name])
        return vl.CircuitRisk(*arguments, device="cuda", **options)

    return make


# --- against the CPU engine and dense matrices ----------------------------------------------------------------


def test_the_classifier_is_the_dense_oracle(risk_on: Any) -> None:
    circuit = vl.reuploading(4, 2)
    x, y = oracles.disk(6, seed=3)
    weights = np.random.default_rng(0).uniform(0, 2 * np.pi, circuit.shape)
    loss, grad, hessian = oracles.derivatives(lambda w: oracles.mse("reuploading", w, x, y), weights)
    risk = risk_on(circuit, vl.PauliZ(0), "mse", x, y)
    assert risk.loss(weights) == pytest.approx(loss, rel=0, abs=ATOL)
    np.testing.assert_allclose(risk.losses(weights.reshape(1, -1)), [loss], rtol=0, atol=ATOL)
    np.testing.assert_allclose(risk.grad(weights), grad, rtol=0, atol=ATOL)
    found = risk.hessian(weights)
    np.testing.assert_allclose(found, hessian, rtol=0, atol=ATOL)
    np.testing.assert_array_equal(found, found.T)
    v = np.random.default_rng(1).normal(size=risk.n_params)
    np.testing.assert_allclose(risk.hvp(weights, v), hessian @ v, rtol=0, atol=ATOL * len(v))


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_state_preparation_is_the_dense_oracle(precision: str, risk_on: Any) -> None:
    circuit = vl.layered(n_qubits=4, n_layers=2)
    weights = np.random.default_rng(2).uniform(0, 2 * np.pi, circuit.shape)
    atol = ATOL if precision == "float64" else ATOL_32
    plus = oracles.plus(4)
    losses = {
        vl.Projector(plus): lambda w: oracles.infidelity("layered", w, plus),
        vl.local_projector(4, "X"): lambda w: oracles.local_infidelity("layered", w, "X"),
    }
    for observable, oracle in losses.items():
        risk = risk_on(circuit, observable, "infidelity", precision=precision)
        loss, grad, hessian = oracles.derivatives(oracle, weights)
        assert risk.loss(weights) == pytest.approx(loss, rel=0, abs=ATOL)
        np.testing.assert_allclose(risk.grad(weights), grad, rtol=0, atol=ATOL)
        np.testing.assert_allclose(risk.hessian(weights), hessian, rtol=0, atol=atol)
    np.testing.assert_allclose(
        risk.metric_tensor(weights), oracles.metric_tensor("layered", weights), rtol=0, atol=atol
    )


def test_more_qubits_than_one_matrix_turns() -> None:
    """Seven qubits are two ranges of bits, whose matrices act on different axes; CNOTs change the order."""
    rng = np.random.default_rng(4)
    circuit = random_circuit(rng, n_qubits=7, n_gates=100, n_params=12, n_features=0, unitaries=False)
    observable = vl.PauliSum(((0.5, "XYZ", (6, 0, 3)), (0.3, "ZZ", (2, 5))))
    params, samples = rng.uniform(0, 2 * np.pi, 12), encode(circuit, [observable], circuit.feature_rows(None))
    compiled = compile_circuit(circuit, [observable], EXACT_PAULI)
    engines = CpuEngine(compiled), GpuEngine(compiled, CPU, "float64")
    point = (params, samples, lambda f, _: (np.ones_like(f), np.zeros((1, 1, 1))))
    assert engines[1].states.plan.ranges == [range(4), range(4, 7)]
    np.testing.assert_allclose(*(engine.hessian(*point) for engine in engines), rtol=0, atol=ATOL)
    np.testing.assert_allclose(*(engine.metric_tensor(params, samples) for engine in engines), rtol=0, atol=ATOL)


@pytest.mark.parametrize("seed", range(3))
def test_in_its_block_every_run_has_a_bit_of_its_own(seed: int) -> None:
    """What defines the order of a block: Z of a run reads its bit, and X flips it and no other."""
    schedule = make_schedule(random_circuit(np.random.default_rng([seed, 12]), 4, 60, 5, 0, unitaries=False), range(60))
    for block in range(schedule.n_blocks):
        layout = block_layout(schedule, block)
        position = np.argsort(layout.z)
        for run, bit in zip(range(*schedule.block_runs[block : block + 2]), layout.bits, strict=True):
            place = 1 << (3 - bit)
            parity = np.bitwise_count(layout.z & schedule.site_r[run]) % 2
            np.testing.assert_array_equal((np.arange(16) & place) > 0, parity)
            np.testing.assert_array_equal(position[layout.z ^ schedule.site_x[run]], np.arange(16) ^ place)


class Stays(TorchDispatchMode):
    """Refuses every operation on a tensor that is not on the device meta, but for the copy that brings it there."""

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = [a for a in tree_leaves((args, kwargs)) if isinstance(a, torch.Tensor)]
        arrives = function in (torch.ops.aten.lift_fresh.default, torch.ops.aten._to_copy.default)
        strays = [a.shape for a in tensors if a.device.type != "meta" and a.dim() and not arrives]
        assert strays == [], f"{function} on a tensor of the CPU"
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", OBSERVABLES)
def test_all_tensors_are_on_the_device(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's device meta has shapes without numbers, and shows without a GPU what a GPU would refuse."""
    circuit = random_circuit(np.random.default_rng(13), 3, 40, 5, 0, unitaries=False)
    monkeypatch.setattr(Plan, "numpy", lambda plan, values: np.zeros(tuple(values.shape)))
    monkeypatch.setattr(gpu_engine, "free_device_bytes", lambda device: 1e12)
    point = (np.zeros(5), encode(circuit, [OBSERVABLES[name]], circuit.feature_rows(None)))
    compiled = compile_circuit(circuit, [OBSERVABLES[name]], choose_strategy(OBSERVABLES[name], "exact"))
    with Stays():
        engine = GpuEngine(compiled, torch.device("meta"), "float32")
        assert engine.outputs(*point).shape == (1, 1)
        assert engine.hessian(*point, lambda f, _: (f, f[:, None])).shape == (5, 5)
        assert engine.hvp(*point, lambda f, _: (f, f[:, None]), np.zeros(5)).shape == (5,)
        assert engine.metric_tensor(*point).shape == (5, 5)


# --- precision, batches, memory --------------------------------------------------------------------------------


def test_float32_is_for_the_tangents_alone(risk_on: Any) -> None:
    circuit = vl.reuploading(4, 3)
    x, y = oracles.disk(20, seed=5)
    data: dict[str, Any] = {"loss": "mse", "features": x, "targets": y}
    params = np.random.default_rng(6).uniform(0, 2 * np.pi, circuit.n_params)
    double = vl.CircuitRisk(circuit, vl.PauliZ(0), **data)
    single = risk_on(circuit, vl.PauliZ(0), precision="float32", **data)
    difference = np.abs(single.hessian(params) - double.hessian(params)).max()
    assert 1e-9 < difference < ATOL_32  # more than float64 ever leaves: it was float32
    v = np.random.default_rng(7).normal(size=circuit.n_params)
    np.testing.assert_allclose(single.grad(params), double.grad(params), rtol=0, atol=ATOL)
    np.testing.assert_allclose(single.hvp(params, v), double.hvp(params, v), rtol=0, atol=ATOL * len(v))


def test_float32_products_keep_all_their_bits_and_leave_the_setting_as_it_was() -> None:
    torch.set_float32_matmul_precision("high")
    try:
        with cuda.whole_float32():
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_batches_do_not_depend_on_the_memory(risk_on: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = vl.reuploading(4, 2)
    x, y = oracles.disk(50, seed=8)
    params = np.random.default_rng(9).uniform(0, 2 * np.pi, circuit.n_params)
    risk = risk_on(circuit, vl.PauliZ(0), "mse", x, y)
    whole = risk.hessian(params)
    sample_bytes = risk.model.measured.engine.hessian_bytes
    monkeypatch.setenv("VQC_LANDSCAPE_MEMORY_GB", f"{1.5e-9 * sample_bytes}")
    assert risk.hessian(params).tobytes() == whole.tobytes()
    monkeypatch.setenv("VQC_LANDSCAPE_MEMORY_GB", f"{0.5e-9 * sample_bytes}")
    with pytest.raises(MemoryError, match=r"The Hessian of \d+ parameters needs .* GB, but .* GB may be used"):
        risk.hessian(params)
    monkeypatch.delenv("VQC_LANDSCAPE_MEMORY_GB")
    monkeypatch.setattr(gpu_engine, "BATCH_BYTES", 7 * sample_bytes)
    batches = list(risk.model.measured.engine._batches(50, sample_bytes))
    assert [batch.stop - batch.start for batch in batches] == [7, 7, 7, 7, 7, 7, 7, 1]
    np.testing.assert_allclose(risk.hessian(params), whole, rtol=0, atol=ATOL)


# --- which device ---------------------------------------------------------------------------------------------


def test_a_device_that_is_not_there_is_named_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit, observable = vl.rx_product(1, 1), vl.PauliZ(0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ValueError, match=r"`device` must be one of cpu, but is 'cuda': torch .* finds 0 CUDA devices"):
        vl.CircuitRisk(circuit, observable, "infidelity", device="cuda")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match="`device` must be one of cpu, cuda, cuda:0, cuda:1, but is 'gpu'"):
        vl.CircuitRisk(circuit, observable, "infidelity", device="gpu")
    assert cuda.find_device("cuda:1") == torch.device("cuda", 1)


def test_float32_needs_a_gpu() -> None:
    circuit, observable = vl.rx_product(1, 1), vl.PauliZ(0)
    with pytest.raises(ValueError, match="`precision` must be float64 where `device` is cpu, but is 'float32'"):
        vl.CircuitRisk(circuit, observable, "infidelity", precision="float32")
    with pytest.raises(ValueError, match="`precision` must be one of float64, float32, but is 'float16'"):
        vl.CircuitRisk(circuit, observable, "infidelity", precision="float16")


@pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no CUDA device: the kernels were tested on torch's CPU device"
)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_on_a_cuda_device(precision: str) -> None:
    rng = np.random.default_rng(10)
    x, y = oracles.disk(40, seed=10)
    cases: list[tuple[Any, ...]] = [
        (vl.reuploading(8, 4), vl.PauliZ(0), "mse", x, y),
        (random_circuit(rng, 7, 120, 20, 0), OBSERVABLES["sum"], "infidelity"),
        (vl.layered(6, 4), vl.Projector(vl.plus_state(6)), "infidelity"),
    ]
    atol = ATOL if precision == "float64" else ATOL_32
    for case in cases:
        cpu, gpu = vl.CircuitRisk(*case), vl.CircuitRisk(*case, device="cuda", precision=precision)
        params, v = rng.uniform(0, 2 * np.pi, cpu.n_params), rng.normal(size=cpu.n_params)
        assert gpu.loss(params) == pytest.approx(cpu.loss(params), rel=0, abs=ATOL)
        np.testing.assert_allclose(gpu.grad(params), cpu.grad(params), rtol=0, atol=ATOL)
        hessian = gpu.hessian(params)
        np.testing.assert_allclose(hessian, cpu.hessian(params), rtol=0, atol=atol)
        assert hessian.tobytes() == gpu.hessian(params).tobytes()
        np.testing.assert_allclose(gpu.hvp(params, v), cpu.hvp(params, v), rtol=0, atol=ATOL * len(v))


def test_a_device_without_torch_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ValueError, match="`device` is 'cuda', which needs torch: pip install torch"):
        vl.CircuitRisk(vl.layered(2, 1), vl.PauliZ(0), "expval", device="cuda")
