"""TensorCircuit-NG on its JAX backend, complex128; the samples side by side by ``vmap``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import tensorcircuit as tc

from benchmarks.cases import Case
from benchmarks.peers import Compute
from benchmarks.peers.jax_simulator import compiled

tc.set_backend("jax")
tc.set_dtype("complex128")


def hessian(case: Case) -> Compute:
    """``jit(hessian)``."""
    return compiled(jax.hessian(_risk_of(case)), jnp.asarray(case.params))


def gradient(case: Case) -> Compute:
    """``jit(grad)``."""
    return compiled(jax.grad(_risk_of(case)), jnp.asarray(case.params))


def _risk_of(case: Case) -> Callable[[Any], Any]:
    x = jnp.asarray(case.features)
    if case.targets is None:
        return lambda params: 1 - _expval(case, params, x[0])
    y = jnp.asarray(case.targets)
    return lambda params: jnp.mean((jax.vmap(lambda row: _expval(case, params, row))(x) - y) ** 2)


def _expval(case: Case, params: Any, x: Any) -> Any:
    circuit = tc.Circuit(case.n_qubits)
    for gate in case.gates:
        angle = {} if gate.param is None and gate.feature is None else {"theta": case.angle(gate, params, x)}
        getattr(circuit, gate.name.lower())(*gate.wires, **angle)
    if case.observable == "Z0":
        return circuit.expectation_ps(z=[0]).real
    if case.observable == "local plus":
        return 0.5 + 0.5 * jnp.mean(jnp.array([circuit.expectation_ps(x=[q]).real for q in range(case.n_qubits)]))
    return jnp.abs(jnp.sum(circuit.state())) ** 2 / 2**case.n_qubits
