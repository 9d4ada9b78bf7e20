"""Programs that no ansatz has: what a test of the engine draws at random."""

from __future__ import annotations

import numpy as np

import vqc_landscape as vl
from vqc_landscape.circuits.program import FIXED_GATES


def random_circuit(rng: np.random.Generator, n_qubits: int, n_gates: int, n_params: int, n_features: int) -> vl.Circuit:
    """Any gates in any order; parameters are shared, scaled, and multiplied by features."""
    gates: list[vl.Rotation | vl.FixedGate] = []
    for _ in range(n_gates):
        wires = tuple(int(w) for w in rng.permutation(n_qubits))
        if rng.random() < 0.5:
            name = str(rng.choice(list(FIXED_GATES)))
            gates.append(vl.FixedGate(name, wires[: FIXED_GATES[name]]))
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
    return vl.Circuit("random", n_qubits, (n_params,), tuple(gates), n_features)
