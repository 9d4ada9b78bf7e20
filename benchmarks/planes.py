"""The loss on a plane, beside orqviz and Divi: ``python -m benchmarks.planes`` writes docs/benchmarks-planes.md.

The peers evaluate one point after the other; their time on a small grid over the same plane is scaled by the number of
points, and marked so.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import vqc_landscape as vl
from benchmarks.cases import Array, Case, layered, qnn
from benchmarks.peers.divi_shifts import make_program
from benchmarks.peers.ours import make_risk
from benchmarks.peers.pennylane_circuit import make_qnode
from benchmarks.report import surroundings

N_GRID = 101
RADIUS = np.pi
REPORT = Path("docs/benchmarks-planes.md")


class Plane(NamedTuple):
    """What is drawn: the plane through the case's parameters along two random directions."""

    case: Case
    axes: Array


def ours(plane: Plane, n_grid: int) -> Array:
    """All points in one sweep; rows run along the second axis."""
    ends = np.linspace(-RADIUS, RADIUS, n_grid)
    grid_a, grid_b = np.meshgrid(ends, ends)
    points = plane.case.params + np.stack([grid_a.reshape(-1), grid_b.reshape(-1)], axis=1) @ plane.axes.T
    return make_risk(plane.case).losses(points).reshape(n_grid, n_grid)


def orqviz(plane: Plane, n_grid: int) -> Array:
    """``perform_2D_scan`` of a loss on lightning.qubit."""
    from orqviz.scans import perform_2D_scan

    qnode = make_qnode(plane.case, "lightning.qubit", diff_method=None)
    targets = plane.case.targets

    def loss(params: Array) -> float:
        if targets is None:
            return 1 - float(qnode(params, None))
        predictions = np.array([float(qnode(params, x)) for x in plane.case.features])
        return float(np.mean((predictions - targets) ** 2))

    ends = (-RADIUS, RADIUS)
    x, y = plane.axes.T
    return np.asarray(perform_2D_scan(plane.case.params, loss, x, y, n_grid, end_points_x=ends).values)


def divi(plane: Plane, n_grid: int) -> Array:
    """``scan_2d``, a batch of circuits on its local simulator."""
    from divi.viz import scan_2d

    x, y = plane.axes.T
    found = scan_2d(make_program(plane.case), center=plane.case.params, direction_x=x, direction_y=y,
                    grid_shape=(n_grid, n_grid), normalize_directions=False)  # fmt: skip
    return 1 - np.asarray(found.values)


def measure(
    contender: Callable[[Plane, int], Array], plane: Plane, n_grid: int, n_rounds: int
) -> tuple[float, float, Array]:
    """Median time and processor time on a grid, and the losses there."""
    times, loads = [], []
    for _ in range(n_rounds):
        start, busy = time.perf_counter(), time.process_time()
        values = contender(plane, n_grid)
        times.append(time.perf_counter() - start)
        loads.append(time.process_time() - busy)
    return statistics.median(times), statistics.median(loads), values


def main() -> None:
    """Measure and write the report."""
    columns = ("plane", "", "points measured", "time of 101 x 101 points", "processor time", "ratio of these")
    lines = [f"| {' | '.join(columns)} | largest difference |", "|---|---|---|---|---|---|---|"]
    small: list[tuple[Callable[[Plane, int], Array], int]] = [(orqviz, 11), (divi, 11)]
    for case, peers in ((layered(4, 4, "plus"), small), (qnn(64), [(orqviz, 2)])):
        plane = Plane(case, vl.random_plane(case.params, seed=0).axes)
        ours(plane, 2)  # compiles
        seconds, busy, _ = measure(ours, plane, N_GRID, 3)
        lines.append(f"| {case.name} | vqc-landscape | {N_GRID} x {N_GRID} | {seconds:.2g} s | {busy:.2g} s | | |")
        for peer, n_grid in peers:
            peer(plane, 2)
            taken, used, values = measure(peer, plane, n_grid, 1)
            scale = N_GRID**2 / n_grid**2
            error = min(np.abs(found - ours(plane, n_grid)).max() for found in (values, values.T))
            cells = [case.name, peer.__name__, f"{n_grid} x {n_grid}", f"{taken * scale:.3g} s (extrapolated)"]
            cells += [f"{used * scale:.3g} s", f"{used * scale / busy:.0f}", f"{error:.0e}"]
            lines.append(f"| {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    where = surroundings("orqviz", "qoro-divi", "pennylane-lightning", "numba")
    note = (
        f"`python -m benchmarks.planes` on {where}. The loss at every "
        "point of a square, from -π to π along two random directions. orqviz and Divi were measured on fewer points of "
        "the same plane, after a first call. Divi's scans take no data, so that it has no line for the classifier. "
        "Processor time is what counts where other programs run at the same time: it adds up the threads, and leaves "
        "out waiting."
    )
    REPORT.write_text("\n\n".join(["# Planes beside other packages", note, "\n".join(lines)]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
