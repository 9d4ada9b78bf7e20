"""Cost of the shards of a Hessian, and what follows for a cluster: ``python -m benchmarks.sharding``.

Prints the tables of docs/scaling.md. Times are processor time of one thread, which other work on the machine changes
less than the time on the wall.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

os.environ["OMP_NUM_THREADS"] = "1"

import vqc_landscape as vl
from vqc_landscape.circuits.observables import local_projector
from vqc_landscape.risks.circuit_risk import CircuitRisk
from vqc_landscape.risks.risk import Risk
from vqc_landscape.simulator.memory import hessian_bound

Hessian = NDArray[np.float64]
N_SAMPLES = 2048
START = 2.0  # seconds of processor time until a job computes: Python, Snakemake's script, imports
HOUR = 3600.0
MEMORY = 4e9  # bytes for one core of a common node


def seconds_of(work: Callable[[], Hessian]) -> tuple[float, Hessian]:
    """Processor time of the second of two calls (the first compiles), and the result."""
    work()
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def sample_shards(risk: Risk, params: Hessian, n_shards: int) -> Iterator[Callable[[], Hessian]]:
    for indices in np.array_split(np.arange(risk.n_samples), n_shards):
        batch, share = risk.batch(indices), len(indices) / risk.n_samples
        yield lambda batch=batch, share=share: share * batch.hessian(params)  # type: ignore[misc]


def block_shards(risk: Risk, params: Hessian, n_blocks: int) -> Iterator[Callable[[], Hessian]]:
    for share in range(max(1, n_blocks * (n_blocks - 1) // 2)):
        yield lambda share=share: risk.hessian_share(params, share, n_blocks)  # type: ignore[misc]


def table(title: str, divisions: list[tuple[str, list[Callable[[], Hessian]]]], whole: Callable[[], Hessian]) -> None:
    """One row for each division: jobs, time of all and of the slowest, and the error of the sum."""
    alone, expected = seconds_of(whole)
    print(f"\n{title}: {alone:.2f} s unsplit\n")
    print("| division | jobs | all jobs, s | longest, s | work | speed-up | with a start of 2 s | error |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, shards in divisions:
        times, parts = zip(*(seconds_of(shard) for shard in shards), strict=True)
        error = np.abs(sum(parts) - expected).max()
        longest, total = max(times), sum(times)
        speed_up, started = alone / longest, (alone + START) / (longest + START)
        print(
            f"| {name} | {len(shards)} | {total:.2f} | {longest:.3f} | {total / alone:.2f} | {speed_up:.2f} | "
            f"{started:.2f} | {error:.0e} |"
        )


def plan(seconds_per_unit: float, seconds_per_sample: float) -> None:
    """The largest circuit and the largest number of samples that an hour on so many cores can take."""
    print("\n| cores | blocks | largest state preparation | bytes of a job | its Hessian | samples of the QNN |")
    print("| --- | --- | --- | --- | --- | --- |")
    for cores in (16, 256, 4096):
        n_blocks = max(m for m in range(1, 200) if m * (m - 1) // 2 <= cores)
        fits = [
            (n, 3 * n * n, math.ceil(2 * 3 * n * n / n_blocks))  # n layers on n qubits
            for n in range(4, 40, 2)
        ]
        fits = [
            (n, n_params, carried)
            for n, n_params, carried in fits
            if hessian_bound(n, carried, n) <= MEMORY and seconds_per_unit * carried**2 * 2**n <= HOUR
        ]
        n, n_params, carried = fits[-1]
        size, samples = hessian_bound(n, carried, n), int(cores * HOUR / seconds_per_sample)
        print(
            f"| {cores} | {n_blocks} | {n} qubits, {n} layers, {n_params} parameters | {size / 1e9:.2g} GB | "
            f"{8 * n_params**2 / 1e6:.1f} MB | {samples:.1e} |"
        )


def main() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (N_SAMPLES, 2))
    qnn = CircuitRisk(vl.reuploading(8, 8), vl.PauliZ(0), features=x, targets=np.sign(x[:, 0]))
    params = rng.uniform(0, 2 * np.pi, qnn.n_params)
    divisions = [(f"{n} slices", list(sample_shards(qnn, params, n))) for n in (1, 2, 4, 8)]
    table(f"The paper's QNN, {qnn.n_params} parameters, {N_SAMPLES} samples", divisions, lambda: qnn.hessian(params))
    per_sample = seconds_of(lambda: qnn.hessian(params))[0] / N_SAMPLES

    prepared = CircuitRisk(vl.layered(14, 8), local_projector(14, "X"), loss="infidelity")
    point = rng.uniform(0, 2 * np.pi, prepared.n_params)
    divisions = [(f"{m} blocks", list(block_shards(prepared, point, m))) for m in (1, 3, 4, 5, 6)]
    title = f"State preparation, 14 qubits, 8 layers, {prepared.n_params} parameters"
    table(title, divisions, lambda: prepared.hessian(point))
    n_carried = math.ceil(2 * prepared.n_params / 6)
    times = [seconds_of(shard)[0] for shard in divisions[-1][1]]
    plan(max(times) / (n_carried**2 * 2**14), per_sample)


if __name__ == "__main__":
    main()
