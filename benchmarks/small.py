"""Small circuits beside jitted JAX: ``python -m benchmarks.small`` writes docs/benchmarks-small.md.

Here a call is mostly overhead: Python and the passing of arrays for us, dispatch for JAX.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from benchmarks.cases import Case, ry_layers
from benchmarks.peers import Array
from benchmarks.peers.jax_simulator import compiled, risk_of
from benchmarks.peers.ours import make_risk
from benchmarks.report import surroundings

SIZES = ((2, 1), (2, 3), (4, 3), (5, 5), (8, 8))  # qubits and layers: 2, 6, 12, 25 and 64 parameters
N_ROUNDS = 15
SECONDS = 0.1  # of a round
REPORT = Path("docs/benchmarks-small.md")


def contenders(case: Case) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """Our function and JAX's for each quantity."""
    risk, function, point = make_risk(case), risk_of(case), jax.numpy.asarray(case.params)
    return {
        "loss": (lambda: risk.loss(case.params), compiled(function, point)),
        "gradient": (lambda: risk.grad(case.params), compiled(jax.grad(function), point)),
        "Hessian": (lambda: risk.hessian(case.params), compiled(jax.hessian(function), point)),
    }


def measure(functions: tuple[Callable[[], object], ...]) -> list[float]:
    """Median time of one call of each, in milliseconds; rounds alternate."""
    n_calls = []
    for function in functions:
        function()
        start = time.perf_counter()
        function()
        n_calls.append(max(int(SECONDS / (time.perf_counter() - start)), 1))
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(N_ROUNDS):
        for function, n, found in zip(functions, n_calls, times, strict=True):
            start = time.perf_counter()
            for _ in range(n):
                function()
            found.append((time.perf_counter() - start) / n * 1e3)
    return [statistics.median(found) for found in times]


def crossover(ratios: dict[int, float]) -> str:
    """From how many parameters on we are ahead."""
    ahead = [n for n in ratios if all(ratio > 1 for m, ratio in ratios.items() if m >= n)]
    return f"from {min(ahead)} parameters on" if ahead else "nowhere among these"


def main() -> None:
    """Measure and write the report."""
    lines = ["| circuit | parameters | quantity | vqc-landscape, ms | JAX, ms | JAX / ours | difference |"]
    lines.append("|---|---|---|---|---|---|---|")
    ratios: dict[str, dict[int, float]] = {}
    for size in SIZES:
        case = ry_layers(*size)
        for quantity, pair in contenders(case).items():
            one, other = measure(pair)
            ratios.setdefault(quantity, {})[len(case.params)] = other / one
            difference = np.abs(np.asarray(pair[0]()) - _array(pair[1]())).max()
            cells = [case.name, str(len(case.params)), quantity, f"{one:.3f}", f"{other:.3f}", f"{other / one:.2g}"]
            lines.append(f"| {' | '.join(cells)} | {difference:.0e} |")
            print(lines[-1], flush=True)
    ahead = "; ".join(f"{quantity} {crossover(found)}" for quantity, found in ratios.items())
    note = (
        f"`python -m benchmarks.small` on {surroundings('jax', 'numba', 'numpy')}. Layers of "
        "RY on every qubit and CZ bricks, the mean infidelity of the single qubits with |+⟩. JAX is the simulator by "
        "hand that is the fastest peer in [benchmarks.md](benchmarks.md), compiled ahead of time: `jax.jit` of the "
        "loss, of `jax.grad` and of `jax.hessian`. Medians of rounds that alternate, in one process."
    )
    text = ["# Small circuits beside JAX", note, f"Ahead of JAX: {ahead}.", "\n".join(lines)]
    REPORT.write_text("\n\n".join(text) + "\n", encoding="utf-8")


def _array(value: object) -> Array:
    return np.asarray(value, dtype=np.float64)


if __name__ == "__main__":
    main()
