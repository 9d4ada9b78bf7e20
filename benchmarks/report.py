"""The report: tables and a plot from stored measurements, nothing measured here."""

from __future__ import annotations

import os
import statistics
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.growth import draw_growth, growth_table
from benchmarks.peers import JAX, JAX_CARRIED, OURS

Row = dict[str, Any]
ATOL = 1e-9  # agreement with ours: more is marked
COMPILED = (*JAX, "TensorCircuit-NG, jit(hessian)", "PennyLane, JAX jit(hessian)")
HEAD = "| case | | time | ratio to ours | compile | peak memory | largest error |\n|---|---|---|---|---|---|---|"
TITLES = {
    "qnn": "The paper's QNN: exact Hessian of the risk",
    "state_preparation": "State preparation: the layered circuit",
    "small": "The 4 x 4 circuit",
    "large": "Large circuits",
    "products": "Products of the Hessian with a direction",
    "training": "Gradient: one epoch of training",
    "generic": "Any circuit: a QNode of PennyLane's templates",
    "growth": "Growth of the cost",
    "first_use": "First use",
}
NOTES = {
    "training": "Seconds for all batches of an epoch; the optimiser's own arithmetic is not in them.",
    "generic": "The ratio on the QNN's line compares two circuits; divided by the carried parameters squared:",
    "products": "The product has as many entries as there are parameters, and no matrix of tangents is formed.",
    "first_use": "Compile: from the risk to its first Hessian, structural directions included.",
}


def write_report(results: dict[str, Any], path: Path) -> None:
    """Write the tables, and the plot beside them as ``<stem>-growth.png`` where growth was measured."""
    rows: list[Row] = results["rows"]
    plot = path.with_name(f"{path.stem}-growth.png")
    parts = ["# Benchmarks", *_machine(results["machine"])]
    head = headline(rows)
    parts += [head] if head else []
    for section, title in TITLES.items():
        found = [row for row in rows if row["section"] == section]
        if not found:
            continue
        parts.append(f"## {title}")
        if section == "growth":
            draw_growth(found, plot)
            parts += [growth_table(found), f"![Time against size]({plot.name})"]
            continue
        parts.append("\n".join([HEAD, *(table_line(row) for row in found)]))
        parts += [NOTES[section]] if section in NOTES else []
        parts += generic_ratio(found) if section == "generic" else []
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def surroundings(*packages: str) -> str:
    """Cores, load and versions: what the note of a small report says about where its numbers come from."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.0f} at the end: {versions}"


def headline(rows: list[Row]) -> str:
    """The ratio that the project is about, to the fastest compiled contender, and with carried parameters alone."""
    lines = []
    for carried in (False, True):
        compiled = [
            row
            for row in rows
            if row.get("headline") and row.get("ratios") and row["peer"] in (JAX_CARRIED if carried else COMPILED)
        ]
        if compiled:
            best = min(compiled, key=lambda row: statistics.median(row["seconds"]))
            whom = " when it, too, differentiates only the parameters that we carry" if carried else ""
            lines.append(
                f"**{best['case']}: {ratio(best)} times faster than the fastest compiled contender{whom}** "
                f"({best['peer']}; median of {len(best['ratios'])} rounds in turns, in brackets the extremes)."
            )
    return "\n\n".join(lines)


def table_line(row: Row) -> str:
    """One contender on one case."""
    if "failure" in row:
        return f"| {row['case']} | {row['peer']} | {row['failure']} | | | | |"
    calls = row.get("n_calls", 1)
    error = row.get("error")
    cells = [
        row["case"],
        row["peer"] + (" (extrapolated)" if row["factor"] != 1 else ""),
        seconds(row["seconds"], calls),
        ratio(row) if row.get("ratios") else "",
        f"{row['compile_s']:.1f} s",
        f"{row['peak'] / 1e9:.2f} GB",
        "" if error is None or row["peer"] == OURS else f"{error:.0e}" + (" **above 1e-9**" if error > ATOL else ""),
    ]
    return f"| {' | '.join(cells)} |"


def seconds(times: list[float], calls: int = 1) -> str:
    """Median and, of several rounds, the extremes."""
    low, middle, high = (calls * value for value in (min(times), statistics.median(times), max(times)))
    unit, scale = ("h", 1 / 3600) if middle > 3600 else ("s", 1.0) if middle >= 1 else ("ms", 1e3)
    text = f"{middle * scale:.3g} {unit}"
    return text if len(times) == 1 else f"{text} ({low * scale:.3g} to {high * scale:.3g})"


def ratio(row: Row) -> str:
    """Median ratio to ours over the rounds, and the extremes."""
    ratios = row["ratios"]
    text = f"{statistics.median(ratios):.3g}"
    return text if len(ratios) == 1 else f"{text} ({min(ratios):.3g} to {max(ratios):.3g})"


def generic_ratio(rows: list[Row]) -> list[str]:
    """Time per carried parameter squared, of the template circuit relative to the paper's circuit."""
    pairs = [row for row in rows if row.get("ratios") and row["size"][0] == "strongly_entangling"]
    pairs = [row for row in pairs if row.get("our_carried") and row["section"] == "generic" and row["error"] is None]
    return [
        f"**{statistics.median(r['ratios']) * (r['our_carried'] / r['n_carried']) ** 2:.2f} times** the time of the "
        f"paper's circuit ({r['n_carried']} and {r['our_carried']} carried parameters)."
        for r in pairs
    ]


def _machine(machine: dict[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    quick = " Tiny sizes (`--quick`): these numbers mean nothing." if machine["quick"] else ""
    return [
        f"`{machine['command']}`, {machine['minutes']:.0f} minutes on {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory'] / 1e9:.0f} GB, load {machine['load']:.1f} at the start. "
        f"Python {machine['python']}, {versions}.{quick}",
        f"Every contender runs in a process of its own on {machine['threads']} cores with as many threads, "
        f"float64 (complex128), the same parameters and data, {machine['limit']:.0f} s at most for each answer. Times "
        "are medians after compilation, which stands beside them; a contender's runs and ours take turns. Ours "
        "compiles once for each machine: there, compile is loading, and finding the structural directions. Peak memory "
        "is that of the whole process. The error is the largest difference from our Hessian, gradient or product.",
    ]
