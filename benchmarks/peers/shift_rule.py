"""The double parameter-shift rule on lightning.qubit: a few entries are computed, the rest is extrapolated.

Second derivatives of f by P parameters take ``4 P (P - 1) / 2 + P + 1`` circuit runs for each sample (Mari et al.,
arXiv:2008.06517, Sec. III), and a squared error P more for its gradient. All cost the same, so the time is
that of the runs that were made, times the number of all.
"""

from __future__ import annotations

import numpy as np

from benchmarks.cases import Case, Ints
from benchmarks.peers import Array, Compute
from benchmarks.peers.pennylane_circuit import make_qnode

ENTRIES = 4  # parameters whose entries are computed, spread over the circuit


def hessian(case: Case) -> Compute:
    """The entries of a few parameters; NaN elsewhere."""
    qnode = make_qnode(case, "lightning.qubit", diff_method=None)
    chosen = _chosen(case)

    def run(x: Array, *shifts: tuple[int, float]) -> float:
        params = case.params.copy()
        for index, shift in shifts:
            params[index] += shift
        return float(qnode(params, x))

    def compute() -> Array:
        block = np.zeros((len(chosen), len(chosen)))
        targets = [None] * len(case.features) if case.targets is None else case.targets
        for x, y in zip(case.features, targets, strict=True):
            f, q = run(x), np.pi / 2
            second, slopes = np.zeros_like(block), np.zeros(len(chosen))
            for a, i in enumerate(chosen):
                opposite = run(x, (i, 2 * q))
                second[a, a] = (opposite - f) / 2
                if y is not None:
                    slopes[a] = run(x, (i, q)) - (f + opposite) / 2  # f(q) + f(-q) = f(0) + f(2 q)
                for b, j in enumerate(chosen[:a]):
                    equal = run(x, (i, q), (j, q)) + run(x, (i, -q), (j, -q))
                    unequal = run(x, (i, q), (j, -q)) + run(x, (i, -q), (j, q))
                    second[a, b] = second[b, a] = (equal - unequal) / 4
            block += -second if y is None else 2 * (f - y) * second + 2 * np.outer(slopes, slopes)
        result = np.full((len(case.params), len(case.params)), np.nan)
        result[np.ix_(chosen, chosen)] = block / len(case.features)
        return result

    return compute


def extrapolation(case: Case) -> float:
    """How many times as many runs the whole Hessian takes."""
    return _n_runs(case, len(case.params)) / _n_runs(case, len(_chosen(case)))


def _n_runs(case: Case, n_params: int) -> int:
    """Runs for one sample."""
    return 2 * n_params * (n_params - 1) + n_params * (1 if case.targets is None else 2) + 1


def _chosen(case: Case) -> Ints:
    return np.unique(np.linspace(0, len(case.params) - 1, ENTRIES).astype(int))
