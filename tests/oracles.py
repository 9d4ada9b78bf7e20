"""Independent oracles: the paper's objectives once more, as dense matrices, and in closed form.

Nothing here comes from the library. The dense oracles multiply full 2**n x 2**n matrices and leave the derivatives
to torch; wire 0 is the most significant bit. Weights come in the template shapes, parameters in radians.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

Tensor = torch.Tensor
Array = np.ndarray

_PAULIS = {
    "I": torch.eye(2, dtype=torch.complex128),
    "X": torch.tensor([[0, 1], [1, 0]], dtype=torch.complex128),
    "Y": torch.tensor([[0, -1j], [1j, 0]], dtype=torch.complex128),
    "Z": torch.tensor([[1, 0], [0, -1]], dtype=torch.complex128),
}


# --- dense matrices ---------------------------------------------------------------------------------------------


def kron(factors: list[Tensor]) -> Tensor:
    """Tensor product of matrices, the first on wire 0."""
    product = torch.ones(1, 1, dtype=torch.complex128)
    for factor in factors:
        product = torch.kron(product, factor)
    return product


def pauli(letter: str, wire: int, n_qubits: int) -> Tensor:
    """One Pauli matrix on ``wire``, (2**n, 2**n)."""
    return kron([_PAULIS[letter if q == wire else "I"] for q in range(n_qubits)])


def rotation(letter: str, angle: Tensor) -> Tensor:
    """``exp(-i angle P / 2) = cos(angle / 2) - i sin(angle / 2) P``, (2, 2)."""
    return torch.cos(angle / 2) * _PAULIS["I"] - 1j * torch.sin(angle / 2) * _PAULIS[letter]


def rot(angles: Tensor) -> Tensor:
    """``R(a, b, c) = RZ(c) RY(b) RZ(a)``, (2, 2)."""
    return rotation("Z", angles[2]) @ rotation("Y", angles[1]) @ rotation("Z", angles[0])


def bricks(n_qubits: int, layer: int) -> Tensor:
    """CZ on (0,1), (2,3), ... in even layers, on (1,2), ..., (n-1,0) in odd ones."""
    product = torch.eye(2**n_qubits, dtype=torch.complex128)
    for a in range(layer % 2, n_qubits, 2):
        z, w = pauli("Z", a, n_qubits), pauli("Z", (a + 1) % n_qubits, n_qubits)
        identity = torch.eye(2**n_qubits, dtype=torch.complex128)
        product = (identity + z + w - z @ w) / 2 @ product
    return product


def final_state(ansatz: str, weights: Tensor, x: Tensor | None = None) -> Tensor:
    """State after the circuit on |0...0>, (2**n,)."""
    n_layers, n_qubits = weights.shape[:2]
    state = torch.zeros(2**n_qubits, dtype=torch.complex128)
    state[0] = 1
    for layer in range(n_layers):
        gates = [_one_qubit_gate(ansatz, w, x) for w in weights[layer]]
        state = kron(gates) @ state
        if ansatz != "rx_product" and (layer or ansatz != "layered_published"):
            state = bricks(n_qubits, layer) @ state
    return state


def _one_qubit_gate(ansatz: str, w: Tensor, x: Tensor | None) -> Tensor:
    if ansatz == "rx_product":
        return rotation("X", w)
    if ansatz.startswith("layered"):
        return rot(w)
    assert x is not None
    x3 = torch.cat([x, torch.zeros(3 - len(x), dtype=x.dtype)])
    if ansatz == "reuploading":
        return rot(w) @ rot(x3)
    return rot(w[0] + w[1] * x3)  # reuploading_published


def plus(n_qubits: int) -> Tensor:
    """``2**(-n/2) sum_z |z>``."""
    return torch.full((2**n_qubits,), 2.0 ** (-n_qubits / 2), dtype=torch.complex128)


def zero(n_qubits: int) -> Tensor:
    """``|0...0>``."""
    return torch.eye(2**n_qubits, dtype=torch.complex128)[0]


def infidelity(ansatz: str, weights: Tensor, target: Tensor) -> Tensor:
    """``1 - |<t|psi>|^2``."""
    return 1 - torch.vdot(target, final_state(ansatz, weights)).abs() ** 2


def infidelity_as_published(ansatz: str, weights: Tensor, target: Tensor) -> Tensor:
    """``1 - |Re z^2|`` with ``z = <t|psi>``: the published code's loss."""
    return 1 - (torch.vdot(target, final_state(ansatz, weights)) ** 2).real.abs()


def local_infidelity(ansatz: str, weights: Tensor, letter: str) -> Tensor:
    """``1 - (1/n) sum_i <(1 + P_i) / 2>``: P = Z for the target |0...0>, X for |+...+>."""
    n_qubits = weights.shape[1]
    state = final_state(ansatz, weights)
    ones = [torch.vdot(state, pauli(letter, q, n_qubits) @ state).real for q in range(n_qubits)]
    return 1 - (1 + torch.stack(ones).mean()) / 2


def prediction(ansatz: str, weights: Tensor, x: Tensor, detached: bool = False) -> Tensor:
    """``<psi|Z_0|psi>``; ``detached``: the bra is a constant copy, as in the published code."""
    state = final_state(ansatz, weights, x)
    bra = state.detach() if detached else state
    return torch.vdot(bra, pauli("Z", 0, weights.shape[1]) @ state).real


def mse(ansatz: str, weights: Tensor, x: Array, y: Array, reduction: str = "mean", detached: bool = False) -> Tensor:
    """Mean or sum of ``(f - y)^2`` over the samples."""
    rows = torch.as_tensor(x)
    f = torch.stack([prediction(ansatz, weights, row, detached) for row in rows])
    squares = (f - torch.as_tensor(y)) ** 2
    return squares.mean() if reduction == "mean" else squares.sum()


# --- derivatives ------------------------------------------------------------------------------------------------


def derivatives(loss: Callable[[Tensor], Tensor], weights: Array) -> tuple[float, Array, Array]:
    """Value, gradient (P,) and Hessian (P, P) by torch autograd."""
    point = torch.as_tensor(weights, dtype=torch.float64).reshape(-1).clone().requires_grad_()

    def flat(params: Tensor) -> Tensor:
        return loss(params.reshape(weights.shape))

    value = flat(point)
    (grad,) = torch.autograd.grad(value, point)
    hessian = torch.autograd.functional.hessian(flat, point.detach())
    return float(value.detach()), grad.numpy(), hessian.numpy()


def metric_tensor(ansatz: str, weights: Array) -> Array:
    """Fubini-Study metric ``Re <d_i psi|d_j psi> - <d_i psi|psi><psi|d_j psi>``, (P, P)."""
    point = torch.as_tensor(weights, dtype=torch.float64)

    def planes(params: Tensor) -> Tensor:
        return torch.view_as_real(final_state(ansatz, params.reshape(point.shape)))

    tangents = torch.autograd.functional.jacobian(planes, point.reshape(-1)).numpy()  # (2**n, 2, P)
    tangents = tangents[:, 0] + 1j * tangents[:, 1]
    overlaps = tangents.conj().T @ final_state(ansatz, point).numpy()  # <d_i psi|psi>
    return (tangents.conj().T @ tangents - np.outer(overlaps, overlaps.conj())).real


# --- closed forms of the toy model: n_layers of RX on every qubit, target |0...0> ----------------------------------


def toy_global(weights: Array) -> tuple[float, Array, Array]:
    """``1 - prod_i cos^2(t_i / 2)``, t the sum over layers: value, gradient, Hessian.

    One layer: H_ii = (cos t_i / 2) prod_{k != i} c_k^2, H_ij = -(sin t_i sin t_j / 4) prod_{k != i,j} c_k^2, with
    c_k = cos(t_k / 2). Every layer moves the same angle, so L layers repeat gradient and Hessian L and L x L times.
    """
    n_layers, n_qubits = weights.shape
    t = weights.sum(axis=0)
    squares = np.cos(t / 2) ** 2

    def rest(*left_out: int) -> float:
        return float(np.prod(np.delete(squares, left_out)))

    grad = np.array([np.sin(t[i]) / 2 * rest(i) for i in range(n_qubits)])
    hessian = np.diag([np.cos(t[i]) / 2 * rest(i) for i in range(n_qubits)])
    for i in range(n_qubits):
        for j in range(n_qubits):
            if i != j:
                hessian[i, j] = -np.sin(t[i]) * np.sin(t[j]) / 4 * rest(i, j)
    return 1 - rest(), np.tile(grad, n_layers), np.kron(np.ones((n_layers, n_layers)), hessian)


def toy_local(weights: Array) -> tuple[float, Array, Array]:
    """``1 - (1/n) sum_i cos^2(t_i / 2)``: value, gradient, Hessian (one layer: diag(cos t_i) / (2n))."""
    n_layers, n_qubits = weights.shape
    t = weights.sum(axis=0)
    hessian = np.diag(np.cos(t)) / (2 * n_qubits)
    grad = np.sin(t) / (2 * n_qubits)
    value = 1 - float(np.mean(np.cos(t / 2) ** 2))
    return value, np.tile(grad, n_layers), np.kron(np.ones((n_layers, n_layers)), hessian)


def toy_plus_as_published(weights: Array) -> float:
    """``1 - 2**-n |cos(sum of angles)|``: what ``|Re z^2|`` makes of the target |+...+>; 1 - 2**-n is right."""
    return 1 - abs(np.cos(weights.sum())) / 2 ** weights.shape[1]


# --- data and numbers of others ---------------------------------------------------------------------------------


def disk(n_samples: int, seed: int) -> tuple[Array, Array]:
    """x uniform on [-1, 1]^2, y = +1 strictly inside the disk of radius sqrt(2 / pi), -1 outside."""
    x = np.random.default_rng(seed).uniform(-1, 1, (n_samples, 2))
    return x, np.where(x[:, 0] ** 2 + x[:, 1] ** 2 < 2 / np.pi, 1.0, -1.0)


def accuracy(predictions: Array, targets: Array) -> float:
    """Share of samples whose prediction has the sign of the target."""
    return float(np.mean(np.sign(predictions) == targets))


# Mari, Bromley and Killoran, arXiv:2008.06517: RX(w_i) on five qubits, CNOT 0-1, 2-1, 3-1, 4-3, <Z_1>
MARI_WEIGHTS = np.array([2.73943676, 0.16289932, 3.4536312, 2.73521126, 2.6412488])
MARI_CNOTS = ((0, 1), (2, 1), (3, 1), (4, 3))
MARI_VALUE = -0.7938055590  # printed to 10 digits
MARI_GRAD = np.array([-0.3376347, 0.1304665, 0.2560632, -0.3416029, 0.0])  # to 7
MARI_HESSIAN = np.array(  # to 6
    [
        [0.793806, 0.055492, 0.108913, -0.145296, 0.0],
        [0.055492, 0.793806, -0.042085, 0.056144, 0.0],
        [0.108913, -0.042085, 0.793806, 0.110193, 0.0],
        [-0.145296, 0.056144, 0.110193, 0.793806, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
    ]
)


def mari(weights: Tensor) -> Tensor:
    """The expectation value of Mari et al.'s circuit, by dense matrices."""
    state = kron([rotation("X", w) for w in weights])[:, 0]
    for control, target in MARI_CNOTS:
        z, x = pauli("Z", control, 5), pauli("X", target, 5)
        identity = torch.eye(32, dtype=torch.complex128)
        state = (identity + z + x - z @ x) / 2 @ state  # CNOT = |0><0| + |1><1| X
    return torch.vdot(state, pauli("Z", 1, 5) @ state).real


# PennyLane docs, param_shift_hessian: RX(0.5) on wire 0, CRY(0.2) from 0 to 1, <Z0 Z1>, printed to 8 digits
CRY_WEIGHTS = np.array([0.5, 0.2])
CRY_HESSIAN = np.array([[-0.86883595, 0.04762358], [0.04762358, 0.05998862]])


# --- structure ---------------------------------------------------------------------------------------------------


def row_space(gradients: Array) -> tuple[Array, Array]:
    """Pivots and reduced row echelon form of gradients, (m, P) with m > P, at generic points: what is not structural.

    Gauss-Jordan elimination with full row pivoting; decided by the sizes of floats, unlike the library's.
    """
    rows = gradients.copy()
    n_points, n_params = rows.shape
    # round-off of a gradient is about 1e-15 of its size and grows in the elimination; the smallest true
    # pivots of generic gradients are 1e-5 and more. 1e-9 lies far from both.
    largest = np.abs(rows).max(initial=0.0)
    threshold = max(1e-9 * largest, 1e-14)  # the latter: gradients of a constant are nothing but round-off
    pivots: list[int] = []
    for column in range(n_params):
        rank = len(pivots)
        if rank == n_points:
            break
        best = rank + int(np.argmax(np.abs(rows[rank:, column])))
        if abs(rows[best, column]) <= threshold:
            rows[rank:, column] = 0.0
            continue
        rows[[rank, best]] = rows[[best, rank]]
        rows[rank] /= rows[rank, column]
        factors = rows[:, column].copy()
        factors[rank] = 0.0
        rows -= factors[:, None] * rows[rank]
        rows[:, column] = 0.0
        rows[rank, column] = 1.0
        pivots.append(column)
    reduced = rows[: len(pivots)]
    return np.array(pivots, dtype=np.int64), reduced


# --- any program, gate by gate as dense matrices ------------------------------------------------------------------


FIXED = {
    "H": np.array([[1, 1], [1, -1]]) / np.sqrt(2),
    "S": np.diag([1, 1j]),
    "CZ": np.diag([1, 1, 1, -1]),
    "CNOT": np.eye(4)[[0, 1, 3, 2]],
    "SWAP": np.eye(4)[[0, 2, 1, 3]],
    "CCZ": np.diag([1] * 7 + [-1]),
}


def _on_wires(matrix: Tensor, wires: tuple[int, ...], state: Tensor, n_qubits: int) -> Tensor:
    """A matrix on some wires of a state (2**n_qubits,)."""
    others = [wire for wire in range(n_qubits) if wire not in wires]
    tensor = state.reshape([2] * n_qubits).permute(*wires, *others)
    image = (matrix @ tensor.reshape(2 ** len(wires), -1)).reshape([2] * n_qubits)
    return image.permute(*np.argsort([*wires, *others]).tolist()).reshape(-1)


def _word(letters: str) -> Tensor:
    return kron([pauli(letter, 0, 1) for letter in letters])


def program_state(circuit: object, params: Tensor, row: Array) -> Tensor:
    """The state of a program on |0...0>, for one row of features."""
    n_qubits = circuit.n_qubits
    state = torch.zeros(2**n_qubits, dtype=torch.complex128)
    state[0] = 1
    for gate in circuit.gates:
        if hasattr(gate, "word"):
            factors = [
                term.scale
                * (1.0 if term.param is None else params[term.param])
                * (1.0 if term.feature is None else float(row[term.feature]))
                for term in gate.angle
            ]
            half = torch.as_tensor(sum(factors), dtype=torch.float64) / 2
            turned = _on_wires(_word(gate.word), gate.wires, state, n_qubits)
            state = torch.cos(half) * state - 1j * torch.sin(half) * turned
        else:
            matrix = gate.matrix
            if matrix is None and gate.name == "MCZ":
                matrix = np.diag([1] * (2 ** len(gate.wires) - 1) + [-1])
            matrix = FIXED[gate.name] if matrix is None else matrix
            state = _on_wires(torch.tensor(np.array(matrix, dtype=complex)), gate.wires, state, n_qubits)
    return state


def expval(state: Tensor, observable: object, convention: str = "exact") -> Tensor:
    """``<psi|O|psi>`` of words or a projector; as published with a constant bra, or ``|Re(z**2)|``."""
    if hasattr(observable, "state"):
        z = torch.tensor(observable.state).conj() @ state
        return (z**2).real.abs() if convention == "as_published" else z.abs() ** 2
    bra = state.detach() if convention == "as_published" else state
    n_qubits, total = int(np.log2(len(state))), 0.0
    for coefficient, word, wires in observable.terms:
        image = _on_wires(_word(word), wires, state, n_qubits) if word else state
        total = total + coefficient * (bra.conj() @ image).real
    return total
