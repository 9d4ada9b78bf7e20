"""Growth of the cost with samples, parameters and qubits: log-log slopes, and their plot."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import make_case

Row = dict[str, Any]
# the design's O(S P^2 2^n), against samples, parameters, and the 2^n amplitudes of a state
AXES = {"samples": 1.0, "parameters": 2.0, "amplitudes": 1.0}


def growth_table(rows: list[Row]) -> str:
    """Slopes from all sizes and from the two largest, beside the exponent of the leading term."""
    lines = ["| against | slope | at the largest sizes | leading term |", "|---|---|---|---|"]
    for axis, (sizes, times) in series(rows).items():
        slope, last = np.polyfit(np.log(sizes), np.log(times), 1)[0], np.diff(np.log(times)) / np.diff(np.log(sizes))
        lines.append(f"| {axis} | {slope:.2f} | {last[-1]:.2f} | {AXES[axis]:.0f} |")
    return "\n".join(lines)


def series(rows: list[Row]) -> dict[str, tuple[list[float], list[float]]]:
    """Sizes and median seconds along each axis that has two sizes at least; the rest is held fixed."""
    points: dict[str, list[tuple[float, float]]] = {axis: [] for axis in AXES}
    measured = [row for row in rows if "seconds" in row]
    for row in measured:
        case = make_case(*row["size"])
        time = statistics.median(row["seconds"])
        size = {"samples": len(case.features), "parameters": row["n_carried"], "amplitudes": 2**case.n_qubits}
        points[row["along"]].append((size[row["along"]], time))
    grown = {axis: np.array(sorted(found)).T for axis, found in points.items() if len(found) > 1}
    return {axis: (list(sizes), list(times)) for axis, (sizes, times) in grown.items()}


def draw_growth(rows: list[Row], path: Path) -> None:
    """Seconds against each size, on logarithmic axes, with the slope of the leading term."""
    from vqc_landscape.figures.style import COLOURS, MUTED, new_figure, paper_style, save

    with paper_style():
        figure = new_figure(2.4)
        for ax, (axis, (sizes, times)) in zip(figure.subplots(1, len(AXES)), series(rows).items(), strict=False):
            ax.loglog(sizes, times, "o-", color=COLOURS["blue"], label="measured")
            guide = times[-1] * (np.array(sizes) / sizes[-1]) ** AXES[axis]
            ax.loglog(sizes, guide, ":", color=MUTED, label=f"slope {AXES[axis]:.0f}")
            ax.set(xlabel=axis, ylabel="time of a Hessian (s)")
            ax.set_xticks(sizes, [f"{size:g}" for size in sizes])
            ax.set_xticks([], minor=True)
            ax.legend(loc="upper left")
        save(figure, path)
