"""A state-vector simulator written by hand in JAX, complex128, compiled.

The fastest of those we tried, with 8 qubits and 8 layers on two cores: the rotations of a layer are one matrix of up to
16 x 16 for every four qubits, its CZs one vector of signs, and a scan over the layers keeps compilation short.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.cases import Case, Ints
from benchmarks.memory import available_bytes
from benchmarks.peers import Array, Compute, DoesNotFitError

jax.config.update("jax_enable_x64", True)


def hessian(case: Case, batch: int | str = "all", carried_only: bool = False) -> Compute:
    """``jit(hessian)``, or ``lax.map`` over Hessian-vector products, ``batch`` of them side by side.

    ``carried_only`` differentiates by those parameters alone that span what the risk depends on.
    """
    risk = risk_of(case)
    point = jnp.asarray(case.params)
    if carried_only:
        carried, whole, whole_risk = carried_params(case), point, risk
        point = whole[carried]

        def risk(params: Any) -> Any:
            return whole_risk(whole.at[carried].set(params))

    if batch == "all":
        rows = jax.hessian(risk)
    else:
        rows = _products(risk, None if batch == 1 else int(batch))
    compute = compiled(rows, point)
    return functools.partial(_spread, compute, carried, len(case.params)) if carried_only else compute


def _products(risk: Callable[[Any], Any], batch_size: int | None) -> Callable[[Any], Any]:
    """All Hessian-vector products with unit vectors, forward over reverse."""

    def rows(params: Any) -> Any:
        def product(v: Any) -> Any:
            return jax.jvp(jax.grad(risk), (params,), (v,))[1]

        return jax.lax.map(product, jnp.eye(len(params)), batch_size=batch_size)

    return rows


def _spread(compute: Compute, carried: Ints, n_params: int) -> Array:
    """The entries of the carried parameters in their places, NaN elsewhere."""
    hessian = np.full((n_params, n_params), np.nan)
    hessian[np.ix_(carried, carried)] = compute()
    return hessian


def gradient(case: Case) -> Compute:
    """``jit(grad)``."""
    return compiled(jax.grad(risk_of(case)), jnp.asarray(case.params))


def product(case: Case) -> Compute:
    """The Hessian times a direction, forward over reverse."""
    grad, direction = jax.grad(risk_of(case)), jnp.asarray(case.direction)
    return compiled(lambda params: jax.jvp(grad, (params,), (direction,))[1], jnp.asarray(case.params))


def risk_of(case: Case) -> Callable[[Any], Any]:
    """The risk as a function that JAX can differentiate."""
    x = jnp.asarray(case.features)
    if case.targets is None:
        return lambda params: 1 - _expval(case, params, x[0])
    y = jnp.asarray(case.targets)
    return lambda params: jnp.mean((jax.vmap(lambda row: _expval(case, params, row))(x) - y) ** 2)


def carried_params(case: Case) -> Ints:
    """Parameters that span what the risk depends on: independent columns of the projector off the structure."""
    from scipy.linalg import qr

    from benchmarks.peers.ours import structural_directions

    idle = structural_directions(case)
    pivots = qr(np.eye(len(idle)) - idle @ idle.T, mode="r", pivoting=True)[1]
    return np.sort(pivots[: idle.shape[0] - idle.shape[1]])


def compiled(function: Callable[[Any], Any], point: Any) -> Compute:
    """Compile ahead of time, so that compilation can be timed apart, and look at what it would allocate."""
    compiled = jax.jit(function).lower(point).compile()
    needed = compiled.memory_analysis().temp_size_in_bytes
    if needed > available_bytes():
        raise DoesNotFitError(f"asks for {needed / 1e9:.0f} GB")
    return lambda: np.asarray(compiled(point).block_until_ready())


# --- the simulator ------------------------------------------------------------------------------------------------

GROUP = 4  # qubits whose matrices are multiplied into one: 16 x 16 was faster than 2 x 2 and 4 x 4


def _expval(case: Case, params: Any, x: Any) -> Any:
    names, columns, signs = _layers(case)
    angles = jnp.concatenate([params, x])[columns]  # (n_layers, n_qubits, rotations in a row)
    matrices = _rotation(names[0], angles[..., 0])
    for k, name in enumerate(names[1:], start=1):
        matrices = _rotation(name, angles[..., k]) @ matrices

    def layer(state: Any, inputs: Any) -> Any:
        one_qubit, layer_signs = inputs
        for first in range(0, case.n_qubits, GROUP):
            matrix = functools.reduce(jnp.kron, one_qubit[first : first + GROUP])
            state = jnp.einsum("ab,xby->xay", matrix, state.reshape(2**first, len(matrix), -1))
        return state.reshape(-1) * layer_signs, None

    start = jnp.zeros(2**case.n_qubits, jnp.complex128).at[0].set(1)
    return _measure(case, jax.lax.scan(layer, start, (matrices, jnp.asarray(signs)))[0])


def _layers(case: Case) -> tuple[list[str], Ints, Array]:
    """The gates as layers: names of the rotations in a row, their angles (parameters, then features), signs of the CZs.

    Raises:
        ValueError: the circuit is not made of equal layers of rotations and CZs.
    """
    n_qubits, n_params = case.n_qubits, len(case.params)
    names: list[list[tuple[str, int]]] = [[] for _ in range(n_qubits)]  # rotations of each qubit, layer after layer
    signs: list[Array] = []
    after_cz = True
    for gate in case.gates:
        if gate.name == "CZ":
            signs[-1] = signs[-1] * (1.0 - 2.0 * _bit(gate.wires[0], n_qubits) * _bit(gate.wires[1], n_qubits))
        else:
            if after_cz:
                signs.append(np.ones(2**n_qubits))
            column = gate.param if gate.param is not None else n_params + (gate.feature or 0)
            names[gate.wires[0]].append((gate.name, column))
        after_cz = gate.name == "CZ"
    in_a_row = len(names[0]) // len(signs)
    pattern = [name for name, _ in names[0][:in_a_row]]
    if any([name for name, _ in row] != pattern * len(signs) for row in names):
        raise ValueError(f"{case.name} is not made of equal layers of rotations and CZs.")
    columns = np.array([[column for _, column in row] for row in names])
    return pattern, columns.reshape(n_qubits, len(signs), in_a_row).transpose(1, 0, 2), np.array(signs)


def _rotation(name: str, angle: Any) -> Any:
    """``exp(-i angle P / 2)``, shape (..., 2, 2)."""
    c, s = jnp.cos(angle / 2), jnp.sin(angle / 2)
    zero = jnp.zeros_like(c)
    rows = {
        "RX": [[c, -1j * s], [-1j * s, c]],
        "RY": [[c, -s], [s, c]],
        "RZ": [[c - 1j * s, zero], [zero, c + 1j * s]],
    }[name]
    return jnp.stack([jnp.stack([jnp.asarray(v, jnp.complex128) for v in row], -1) for row in rows], -2)


def _bit(wire: int, n_qubits: int) -> Any:
    return np.arange(2**n_qubits) >> (n_qubits - 1 - wire) & 1


def _measure(case: Case, state: Any) -> Any:
    if case.observable == "Z0":
        return jnp.sum(jnp.abs(state) ** 2 * (1.0 - 2.0 * _bit(0, case.n_qubits)))
    if case.observable == "plus":
        return jnp.abs(jnp.sum(state)) ** 2 / len(state)
    planes = [state.reshape(2**q, 2, -1) for q in range(case.n_qubits)]
    return jnp.mean(jnp.array([jnp.sum(jnp.abs(p[:, 0] + p[:, 1]) ** 2) / 2 for p in planes]))
