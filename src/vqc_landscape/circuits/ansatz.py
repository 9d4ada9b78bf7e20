"""The paper's circuits.

Conventions (arXiv:2008.02785 and its published code): half angles, ``R(a, b, c) = RZ(c) RY(b) RZ(a)``;
CZ bricks on (0,1), (2,3), ... in even layers and (1,2), ..., (n-1,0) in odd ones, also after the last
layer of rotations. What the published code does otherwise is an ansatz of its own, ``..._published``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import MAX_QUBITS, check_count
from vqc_landscape.circuits.program import Circuit, FixedGate, Gate, Rotation, Term

Ints = NDArray[np.int64]


def rx_product(n_qubits: int, n_layers: int) -> Circuit:
    """RX on every qubit, ``n_layers`` times, no entangler (Figs. 1a, 2-4): weights (n_layers, n_qubits)."""
    _check_size(n_qubits, n_layers)
    index = np.arange(n_layers * n_qubits).reshape(n_layers, n_qubits)
    gates = [Rotation("X", (q,), (Term(param=int(row[q])),), "RX") for row in index for q in range(n_qubits)]
    return Circuit("rx_product", n_qubits, index.shape, tuple(gates), parameter_blocks=tuple(index))


def layered(n_qubits: int, n_layers: int) -> Circuit:
    """Layers of R(w) on every qubit and CZ bricks (Fig. 1b): weights (n_layers, n_qubits, 3)."""
    _check_size(n_qubits, n_layers, even=True)
    index = _weights(n_qubits, n_layers)
    gates: list[Gate] = []
    for layer in range(n_layers):
        for q in range(n_qubits):
            gates += _rot(q, [(Term(param=int(p)),) for p in index[layer, q]], "R(w)")
        gates += _bricks(n_qubits, layer)
    return Circuit("layered", n_qubits, index.shape, tuple(gates), parameter_blocks=_sublayers(index))


def layered_published(n_qubits: int, n_layers: int) -> Circuit:
    """The layered circuit as the published code builds it: its first layer has rotations alone, and no CZ.

    Weights (n_layers, n_qubits, 3). One line of that code is overwritten by the next one, which loses the bricks.
    """
    whole = layered(n_qubits, n_layers)
    bricks = _bricks(n_qubits, 0)
    gates = (*whole.gates[: 3 * n_qubits], *whole.gates[3 * n_qubits + len(bricks) :])
    return replace(whole, name="layered_published", gates=gates)


def reuploading(n_qubits: int, n_layers: int) -> Circuit:
    """Data re-uploading (Fig. 8): R(x), then R(w), on every qubit, then CZ bricks.

    Weights (n_layers, n_qubits, 3); features (n_samples, 3), or 2 columns with x3 = 0.
    """
    _check_size(n_qubits, n_layers, even=True)
    index = _weights(n_qubits, n_layers)
    gates: list[Gate] = []
    for layer in range(n_layers):
        for q in range(n_qubits):
            gates += _rot(q, [(Term(feature=j),) for j in range(3)], "R(x)")
            gates += _rot(q, [(Term(param=int(p)),) for p in index[layer, q]], "R(w)")
        gates += _bricks(n_qubits, layer)
    return Circuit("reuploading", n_qubits, index.shape, tuple(gates), 3, _sublayers(index))


def reuploading_published(n_qubits: int, n_layers: int) -> Circuit:
    """Re-uploading as in the published code: one rotation with angles ``theta + w * x`` per qubit.

    Weights (n_layers, n_qubits, 2, 3): theta in ``[..., 0, :]``, w in ``[..., 1, :]``.
    """
    _check_size(n_qubits, n_layers, even=True)
    index = np.arange(n_layers * n_qubits * 6).reshape(n_layers, n_qubits, 2, 3)
    gates: list[Gate] = []
    for layer in range(n_layers):
        for q in range(n_qubits):
            theta, w = index[layer, q]
            angles: list[tuple[Term, ...]] = [
                (Term(param=int(theta[j])), Term(param=int(w[j]), feature=j)) for j in range(3)
            ]
            gates += _rot(q, angles, "R(θ+wx)")
        gates += _bricks(n_qubits, layer)
    blocks = tuple(row[:, :, j].reshape(-1) for row in index for j in range(3))
    return Circuit("reuploading_published", n_qubits, index.shape, tuple(gates), 3, blocks)


def _rot(wire: int, angles: list[tuple[Term, ...]], label: str) -> list[Gate]:
    return [Rotation(word, (wire,), angle, label) for word, angle in zip("ZYZ", angles, strict=True)]


def _bricks(n_qubits: int, layer: int) -> list[Gate]:
    first = layer % 2
    return [FixedGate("CZ", (q, (q + 1) % n_qubits)) for q in range(first, n_qubits, 2)]


def _weights(n_qubits: int, n_layers: int) -> Ints:
    return np.arange(n_layers * n_qubits * 3).reshape(n_layers, n_qubits, 3)


def _sublayers(index: Ints) -> tuple[Ints, ...]:
    """The simultaneous RZ, RY and RZ of each layer, as in the published code's natural gradient."""
    return tuple(layer[:, j] for layer in index for j in range(3))


def _check_size(n_qubits: int, n_layers: int, even: bool = False) -> None:
    check_count("n_qubits", n_qubits, maximum=MAX_QUBITS)
    check_count("n_layers", n_layers)
    if even and n_qubits % 2:
        raise ValueError(f"Argument `n_qubits` must be even for CZ bricks, but is {n_qubits}.")
