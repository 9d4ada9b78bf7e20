"""PennyLane's default.qubit, differentiated and compiled by JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from benchmarks.cases import Case
from benchmarks.peers import Compute
from benchmarks.peers.jax_simulator import compiled
from benchmarks.peers.pennylane_circuit import make_qnode, risk_of


def hessian(case: Case) -> Compute:
    """``jit(hessian)``."""
    qnode = make_qnode(case, "default.qubit", interface="jax", diff_method="backprop", max_diff=2)
    return compiled(jax.hessian(risk_of(case, qnode, jnp.asarray)), jnp.asarray(case.params))


def gradient(case: Case) -> Compute:
    """``jit(grad)``."""
    qnode = make_qnode(case, "default.qubit", interface="jax", diff_method="backprop")
    return compiled(jax.grad(risk_of(case, qnode, jnp.asarray)), jnp.asarray(case.params))
