"""What is measured: sections of races, small sizes first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.peers import CUDA, JAX, JAX_CARRIED

CaseName = tuple[str | int, ...]
HEADLINE = 5  # rounds at least, for the ratio that the project is about


@dataclass(frozen=True)
class Race:
    """Ours on a case, and contenders one after the other.

    Attributes:
        case: family and sizes, for ``cases.make_case``.
        peers: names; a tuple of names stands for the ways of one contender, of which the fastest counts.
        quantity: ``"hessian"``, ``"gradient"`` or ``"product"`` (of the Hessian with a direction).
        n_rounds: rounds at most; the headline makes all of them, however long they take.
        headline: whether it is.
        n_calls: calls that make what the table shows (the batches of an epoch).
        other: case of the contenders, if it is not ours.
        patience: times the limit for an answer, for ours alone.
        along: what grows in the chain of races, where that is what they are about.
    """

    case: CaseName
    peers: tuple[str | tuple[str, ...], ...] = ()
    quantity: str = "hessian"
    n_rounds: int = 5
    headline: bool = False
    n_calls: int = 1
    other: CaseName | None = None
    patience: float = 1.0
    along: str = ""


Chains = list[list[Race]]  # in a chain the sizes grow: who does not answer is not asked for more

COMPILED = (JAX, "TensorCircuit-NG, jit(hessian)", "PennyLane, JAX jit(hessian)")
AUTODIFF = (*COMPILED, "PennyLane, torch backprop")
TRAINING = (
    "PennyLane, lightning adjoint",
    "PennyLane, torch backprop",
    "PennyLane, JAX jit(grad)",
    "JAX, jit(grad)",
)
QNODE = "vqc-landscape, from_qnode"
PRODUCT = "JAX, jit(HVP)"
LOSSES = ("plus", "local plus")


def _qnn(sizes: tuple[int, int], samples: tuple[int, int, int]) -> Chains:
    few, some, many = samples
    chain = [
        Race(("qnn", few, *sizes), (*AUTODIFF, JAX_CARRIED, "shift rule on lightning.qubit")),
        Race(("qnn", some, *sizes), (JAX, JAX_CARRIED, *AUTODIFF[1:]), n_rounds=HEADLINE, headline=True),
        Race(("qnn", many, *sizes), AUTODIFF),
    ]
    return [chain]


def _state_preparation(n_layers: int, qubits: tuple[int, ...]) -> Chains:
    return [
        [Race(("layered", n, n_layers, loss), (*AUTODIFF, "shift rule on lightning.qubit")) for n in qubits]
        for loss in LOSSES
    ]


def _small(n_qubits: int, n_layers: int) -> Chains:
    peers = (*AUTODIFF, "shift rule on lightning.qubit", "orqviz get_Hessian", "Divi compute_hessian")
    return [[Race(("layered", n_qubits, n_layers, "plus"), peers)]]


def _training(sizes: tuple[int, int], batch: int, n_samples: int) -> Chains:
    return [
        [Race(("qnn", batch, *sizes), TRAINING, "gradient", n_calls=n_samples // batch)],
        [Race(("qnn", n_samples, *sizes), TRAINING, "gradient")],
    ]


def _generic(sizes: tuple[int, int], n_samples: int) -> Chains:
    template = ("strongly_entangling", n_samples, *sizes)
    return [
        [Race(template, (QNODE,))],
        [Race(("qnn", n_samples, *sizes), (QNODE,), other=template)],
    ]


def _products(n_layers: int, qubits: tuple[int, ...]) -> Chains:
    return [[Race(("layered", n, n_layers, loss), (PRODUCT,), "product") for n in qubits] for loss in LOSSES]


def _growth(samples: tuple[int, ...], layers: tuple[int, ...], qubits: tuple[int, ...], n_gates: int) -> Chains:
    """Along one size each; qubits with as many parameters throughout, 3 ``n_gates``."""
    return [
        [Race(("qnn", n), n_rounds=3, along="samples") for n in samples],
        [Race(("layered", 8, n, "local plus"), n_rounds=3, along="parameters") for n in layers],
        [Race(("layered", n, n_gates // n, "local plus"), n_rounds=3, along="amplitudes") for n in qubits],
    ]


def gpu_chains(quick: bool) -> Chains:
    """What is measured on a CUDA device: Hessians, beside ours on the CPU."""
    sizes, samples = ((4, 2), (2, 4)) if quick else ((8, 8), (16, 64, 512))
    small, qubits = ((2, 2), (4,)) if quick else ((4, 4), (8, 12, 14, 16))
    cases: list[list[CaseName]] = [
        [("qnn", n, *sizes) for n in samples],
        [("layered", *small, "plus")],
        *([("layered", n, sizes[1], loss) for n in qubits] for loss in LOSSES),
    ]
    return [[Race(case, CUDA) for case in chain] for chain in cases]


SECTIONS: dict[str, Callable[[], Chains]] = {
    "qnn": lambda: _qnn((8, 8), (16, 64, 512)),
    "small": lambda: _small(4, 4),
    "training": lambda: _training((8, 8), 32, 512),
    "generic": lambda: _generic((8, 8), 64),
    "growth": lambda: _growth((8, 32, 128, 512), (2, 4, 8, 16), (4, 6, 8, 12), 48),
    "state_preparation": lambda: _state_preparation(8, (8, 12, 14, 16)),
    "large": lambda: [[Race(("layered", n, 8, loss), n_rounds=1, patience=10) for n in (18, 20)] for loss in LOSSES],
    "products": lambda: _products(8, (12, 16, 20)),
}
QUICK: dict[str, Callable[[], Chains]] = {
    "qnn": lambda: _qnn((4, 2), (2, 4, 8)),
    "small": lambda: _small(2, 2),
    "training": lambda: _training((4, 2), 4, 16),
    "generic": lambda: _generic((4, 2), 4),
    "growth": lambda: _growth((4, 8), (1, 2), (4, 6), 12),
    "state_preparation": lambda: _state_preparation(2, (4,)),
    "large": lambda: [],
    "products": lambda: _products(2, (4,)),
}
