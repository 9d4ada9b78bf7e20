"""A state-vector simulator written by hand in JAX, complex128, compiled.

The rotations between two entanglers are one 2 x 2 matrix for each qubit, and neighbouring CZs are one vector of signs:
about what one would write who wants this circuit to be fast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.cases import Case, Gate
from benchmarks.memory import available_bytes
from benchmarks.peers import Array, Compute, DoesNotFit

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
        return _compiled(jax.hessian(risk), point)

    def rows(params: Any) -> Any:
        def product(v: Any) -> Any:
            return jax.jvp(jax.grad(risk), (params,), (v,))[1]

        return jax.lax.map(product, jnp.eye(len(params)), batch_size=None if batch == 1 else int(batch))

    return _compiled(rows, point)


def gradient(case: Case) -> Compute:
    """``jit(grad)``."""
    return _compiled(jax.grad(risk_of(case)), jnp.asarray(case.params))


def risk_of(case: Case) -> Callable[[Any], Any]:
    """The risk as a function that JAX can differentiate."""
    x = jnp.asarray(case.features)
    if case.targets is None:
        return lambda params: 1 - _expval(case, params, x[0])
    y = jnp.asarray(case.targets)
    return lambda params: jnp.mean((jax.vmap(lambda row: _expval(case, params, row))(x) - y) ** 2)


def carried_params(case: Case) -> Array:
    """Parameters that span what the risk depends on: independent columns of the projector off the structure."""
    from scipy.linalg import qr

    from benchmarks.peers.ours import structural_directions

    idle = structural_directions(case)
    pivots = qr(np.eye(len(idle)) - idle @ idle.T, mode="r", pivoting=True)[1]
    return np.sort(pivots[: idle.shape[0] - idle.shape[1]])


def _compiled(function: Callable[[Any], Any], point: Any) -> Compute:
    compiled = jax.jit(function).lower(point).compile()
    needed = compiled.memory_analysis().temp_size_in_bytes
    if needed > available_bytes():
        raise DoesNotFit(f"asks for {needed / 1e9:.0f} GB")
    return lambda: np.asarray(compiled(point).block_until_ready())


# --- the simulator ------------------------------------------------------------------------------------------------


def _expval(case: Case, params: Any, x: Any) -> Any:
    n_qubits = case.n_qubits
    state = jnp.zeros(2**n_qubits, jnp.complex128).at[0].set(1)
    pending: dict[int, Any] = {}
    signs = np.ones(2**n_qubits)
    for gate in case.gates:
        if gate.name != "CZ":
            signs, state = np.ones(2**n_qubits), state if np.all(signs == 1) else state * signs
            if gate.name == "CNOT":
                state = _flush(state, pending, gate.wires, n_qubits)
                state = state[_cnot_order(gate, n_qubits)]
            else:
                matrix, wire = _rotation(gate.name, case.angle(gate, params, x)), gate.wires[0]
                pending[wire] = matrix @ pending[wire] if wire in pending else matrix
            continue
        state = _flush(state, pending, gate.wires, n_qubits)
        signs = signs * _cz_signs(gate, n_qubits)
    state = _flush(state * signs, pending, tuple(pending), n_qubits)
    return _measure(case, state)


def _flush(state: Any, pending: dict[int, Any], wires: tuple[int, ...], n_qubits: int) -> Any:
    """Apply the 2 x 2 matrices that wait on ``wires``; they commute with the signs of all other wires."""
    for wire in wires:
        if wire in pending:
            planes = state.reshape(2**wire, 2, 2 ** (n_qubits - wire - 1))
            state = jnp.einsum("ab,xby->xay", pending.pop(wire), planes).reshape(-1)
    return state


def _rotation(name: str, angle: Any) -> Any:
    c, s = jnp.cos(angle / 2), jnp.sin(angle / 2)
    rows = {
        "RX": [[c, -1j * s], [-1j * s, c]],
        "RY": [[c, -s], [s, c]],
        "RZ": [[c - 1j * s, 0], [0, c + 1j * s]],
    }[name]
    return jnp.array(rows, dtype=jnp.complex128)


def _bit(wire: int, n_qubits: int) -> Any:
    return np.arange(2**n_qubits) >> (n_qubits - 1 - wire) & 1


def _cz_signs(gate: Gate, n_qubits: int) -> Array:
    return 1.0 - 2.0 * _bit(gate.wires[0], n_qubits) * _bit(gate.wires[1], n_qubits)


def _cnot_order(gate: Gate, n_qubits: int) -> Any:
    control, target = gate.wires
    return np.arange(2**n_qubits) ^ _bit(control, n_qubits) << (n_qubits - 1 - target)


def _measure(case: Case, state: Any) -> Any:
    if case.observable == "Z0":
        return jnp.sum(jnp.abs(state) ** 2 * (1.0 - 2.0 * _bit(0, case.n_qubits)))
    if case.observable == "plus":
        return jnp.abs(jnp.sum(state)) ** 2 / len(state)
    ones = [state.reshape(2**q, 2, -1) for q in range(case.n_qubits)]
    fidelities = [jnp.sum(jnp.abs(planes[:, 0] + planes[:, 1]) ** 2) / 2 for planes in ones]
    return jnp.mean(jnp.array(fidelities))
