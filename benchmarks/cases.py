"""What is computed: circuits, parameters and data in plain numpy, so that no contender brings its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Observable = Literal["Z0", "plus", "local plus"]


@dataclass(frozen=True)
class Gate:
    """RX, RY, RZ by an angle in radians, which is a parameter or a feature; or CZ, CNOT without one."""

    name: str
    wires: tuple[int, ...]
    param: int | None = None
    feature: int | None = None


@dataclass(frozen=True)
class Case:
    """A risk: the mean of ``(f - y)**2`` over the samples, or ``1 - f`` where there are none.

    Attributes:
        name: how the tables call it.
        n_qubits: number of qubits; wire 0 is the most significant bit.
        gates: in the order of time.
        params: the point, radians, shape (P,).
        observable: f is the expectation value of Z on wire 0; of the projector onto |+...+>; or of the mean of the
            one-qubit projectors onto |+>.
        features: rows of data, shape (n_samples, n_features); (1, 0) without data.
        targets: y, shape (n_samples,); None without data.
    """

    name: str
    n_qubits: int
    gates: tuple[Gate, ...]
    params: Array
    observable: Observable
    features: Array
    targets: Array | None = None

    @property
    def direction(self) -> Array:
        """What a product with the Hessian is taken with, shape (P,)."""
        return np.random.default_rng(2).standard_normal(len(self.params))

    def angle(self, gate: Gate, params: Array, x: Array) -> float:
        """Angle of a rotation for one row of features; indexing is all it asks of ``params`` and ``x``."""
        value: float = params[gate.param] if gate.param is not None else x[gate.feature]
        return value


def qnn(n_samples: int, n_qubits: int = 8, n_layers: int = 8) -> Case:
    """The paper's re-uploading classifier of the disk, Z on wire 0, mean squared error."""
    gates: list[Gate] = []
    for layer in range(n_layers):
        for q in range(n_qubits):
            gates += _rotations(q, None)
            gates += _rotations(q, 3 * (layer * n_qubits + q))
        gates += _bricks(n_qubits, layer)
    name = f"QNN {n_qubits} x {n_layers}, {_count(n_samples, 'sample')}"
    return Case(name, n_qubits, tuple(gates), _angles(3 * n_qubits * n_layers), "Z0", *_disk(n_samples))


def layered(n_qubits: int, n_layers: int, observable: Observable) -> Case:
    """State preparation by the paper's layered circuit: target |+...+>, global or local loss."""
    gates: list[Gate] = []
    for layer in range(n_layers):
        for q in range(n_qubits):
            gates += _rotations(q, 3 * (layer * n_qubits + q))
        gates += _bricks(n_qubits, layer)
    loss = {"plus": "global", "local plus": "local", "Z0": "Z0"}[observable]
    name = f"layered {n_qubits} x {n_layers}, {loss} loss"
    return Case(name, n_qubits, tuple(gates), _angles(3 * n_qubits * n_layers), observable, np.zeros((1, 0)))


def ry_layers(n_qubits: int, n_layers: int) -> Case:
    """RY on every qubit and CZ bricks, the local loss: a small circuit in which every parameter counts."""
    gates: list[Gate] = []
    for layer in range(n_layers):
        gates += [Gate("RY", (q,), param=layer * n_qubits + q) for q in range(n_qubits)]
        gates += _bricks(n_qubits, layer)
    params = _angles(n_qubits * n_layers)
    return Case(f"RY {n_qubits} x {n_layers}", n_qubits, tuple(gates), params, "local plus", np.zeros((1, 0)))


def strongly_entangling(n_samples: int, n_qubits: int = 8, n_layers: int = 8) -> Case:
    """AngleEmbedding, then StronglyEntanglingLayers, gate by gate as PennyLane decomposes them."""
    gates = [Gate("RX", (q,), feature=q % 2) for q in range(n_qubits)]
    for layer in range(n_layers):
        for q in range(n_qubits):
            gates += _rotations(q, 3 * (layer * n_qubits + q))
        reach = layer % (n_qubits - 1) + 1  # the template's default ranges
        gates += [Gate("CNOT", (q, (q + reach) % n_qubits)) for q in range(n_qubits)]
    features, targets = _disk(n_samples)
    name = f"StronglyEntanglingLayers {n_qubits} x {n_layers}, {_count(n_samples, 'sample')}"
    return Case(name, n_qubits, tuple(gates), _angles(3 * n_qubits * n_layers), "Z0", features, targets)


def _rotations(wire: int, first: int | None) -> list[Gate]:
    """RZ, RY, RZ by three parameters from ``first`` on; or by (x1, x2, 0), whose last gate is the identity."""
    if first is None:
        return [Gate("RZ", (wire,), feature=0), Gate("RY", (wire,), feature=1)]
    return [Gate(name, (wire,), param=first + k) for k, name in enumerate(("RZ", "RY", "RZ"))]


def _bricks(n_qubits: int, layer: int) -> list[Gate]:
    return [Gate("CZ", (q, (q + 1) % n_qubits)) for q in range(layer % 2, n_qubits, 2)]


def _angles(n_params: int) -> Array:
    return np.random.default_rng(0).uniform(0, 2 * np.pi, n_params)


def _disk(n_samples: int) -> tuple[Array, Array]:
    """Points of [-1, 1]^2 and y = +1 inside the disk of half the area, -1 outside (Fig. 7 of the paper)."""
    features = np.random.default_rng(1).uniform(-1, 1, (n_samples, 2))
    return features, np.where((features**2).sum(axis=1) < 2 / np.pi, 1.0, -1.0)


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n != 1)}"


FAMILIES = {"qnn": qnn, "layered": layered, "strongly_entangling": strongly_entangling}


def make_case(family: str, *sizes: int | str) -> Case:
    """A case by the name of its family and its sizes: what a worker is told."""
    case: Case = FAMILIES[family](*sizes)  # type: ignore[operator]
    return case
