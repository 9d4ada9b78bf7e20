"""Every kernel is compiled ahead, so that no later process waits for it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.circuits.observables import Observable, PauliSum, Projector, zero_state
from vqc_landscape.circuits.program import Circuit, FixedGate, Gate, Rotation, Term
from vqc_landscape.simulator.compile.compiled import compile_circuit
from vqc_landscape.simulator.compile.encoding import encode
from vqc_landscape.simulator.compile.strategies import choose_strategy
from vqc_landscape.simulator.cpu import jit
from vqc_landscape.simulator.cpu.cpu_engine import CpuEngine

SIZES = (2, 9, 13)  # qubits from which other kernels are called: one state alone in products, threads inside a sample


class WarmUp(NamedTuple):
    """How many functions a warm-up compiled, and how many it found compiled."""

    compiled: int
    cached: int


def warm_up() -> WarmUp:
    """Compute on small circuits all that the engine computes."""
    for n_qubits in SIZES:
        for observable in (PauliSum(((0.5, "X", (0,)), (0.25, "Z", (1,)))), Projector(zero_state(n_qubits))):
            _use_with_data(_circuit(n_qubits), observable)
    stats = [kernel.stats for kernel in jit.KERNELS]
    compiled = sum(sum(s.cache_misses.values()) for s in stats)
    return WarmUp(compiled, sum(sum(s.cache_hits.values()) for s in stats))


def _circuit(n_qubits: int) -> Circuit:
    """Rotations, a word of Z's, a unitary without a name, and two generators on one site."""
    swap = ((1, 0, 0, 0), (0, 0, 1, 0), (0, 1, 0, 0), (0, 0, 0, 1))
    gates: tuple[Gate, ...] = (
        Rotation("X", (0,), (Term(param=0),), "RX"),
        Rotation("Y", (0,), (Term(param=1, feature=0),), "RY"),
        FixedGate("unitary", (0, 1), swap),
        Rotation("ZZ", (0, 1), (Term(param=2),), "ZZ"),
        Rotation("X", (0,), (Term(param=0, feature=0),), "RX"),
    )
    return Circuit("warm-up", n_qubits, (3,), gates, n_features=1)


def _use_with_data(circuit: Circuit, observable: Observable) -> None:
    rows, params = circuit.feature_rows(np.array([[0.5], [1.0]])), np.full(circuit.n_params, 0.1)
    engine = CpuEngine(compile_circuit(circuit, [observable], choose_strategy(observable, "exact")))
    samples = encode(circuit, [observable], rows)
    engine.hessian(params, samples, _half)
    engine.hvp(params, samples, _half, params)
    engine.outputs_at(np.stack([params, params]), samples)
    engine.metric_tensor(params, encode(circuit, [observable], rows[:1]))


def _half(outputs: Array, _: slice) -> tuple[Array, Array]:
    return 0.5 * outputs, np.full((len(outputs), 1, 1), 0.5)
