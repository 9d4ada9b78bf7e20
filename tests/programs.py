"""Programs that no ansatz has: what a test of the engine draws at random."""

from __future__ import annotations

from typing import Any

import numpy as np

import vqc_landscape as vl
from vqc_landscape.circuits.program import FIXED_GATES, SampleBasisState, SampleState


def random_circuit(
    rng: np.random.Generator,
    n_qubits: int,
    n_gates: int,
    n_params: int,
    n_features: int,
    *,
    unitaries: bool = True,
    initial: Any = None,
) -> vl.Circuit:
    """Any gates in any order; parameters are shared, scaled, and multiplied by features.

    Args:
        rng: draws them.
        n_qubits, n_gates, n_params, n_features: how many.
        unitaries: whether matrices on several wires are among the gates.
        initial: the initial state, as a circuit has it; its features come after the n_features of the angles.
    """
    names = [*FIXED_GATES, *["unitary"] * unitaries]
    gates: list[vl.Rotation | vl.FixedGate] = []
    for _ in range(n_gates):
        wires = tuple(int(w) for w in rng.permutation(n_qubits))
        if rng.random() < 0.5:
            name = str(rng.choice(names))
            size = int(rng.integers(2, 5)) if name in ("MCZ", "unitary") else FIXED_GATES[name]
            size = min(size or 0, n_qubits)
            matrix = random_unitary(rng, size) if name == "unitary" else None
            gates.append(vl.FixedGate(name, wires[:size], matrix))
            continue
        size = int(rng.choice([1, 1, 1, 2, 3][: n_qubits + 2]))
        word = "".join(rng.choice(list("XYZ"), size))
        terms = [
            vl.Term(
                scale=float(rng.normal()),
                param=int(rng.integers(n_params)) if rng.random() < 0.8 else None,
                feature=int(rng.integers(n_features)) if n_features and rng.random() < 0.5 else None,
            )
            for _ in range(rng.integers(1, 4))
        ]
        gates.append(vl.Rotation(word, wires[:size], tuple(terms), word))
    own = {SampleState: 2 * 2**n_qubits, SampleBasisState: 1}.get(type(initial), 0)
    return vl.Circuit("random", n_qubits, (n_params,), tuple(gates), n_features + own, initial=initial)


def random_unitary(rng: np.random.Generator, n_wires: int) -> tuple[tuple[complex, ...], ...]:
    """A unitary as rows of numbers."""
    size = 2**n_wires
    matrix = np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))[0]
    return tuple(tuple(complex(entry) for entry in row) for row in matrix)
