"""``python -m benchmarks.run``: measure, store, write the report. ``--help`` lists the options."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.gpu_section import put_section, stored_section
from benchmarks.memory import total_bytes
from benchmarks.plan import QUICK, SECTIONS, Race
from benchmarks.race import Limits, alone, race
from benchmarks.report import write_report

PACKAGES = (
    "vqc-landscape", "numpy", "numba", "jax", "jaxlib", "pennylane", "pennylane-lightning", "torch",
    "tensorcircuit-ng", "orqviz", "qoro-divi",
)  # fmt: skip


FIRST_USE_S = 120  # seconds at least that compiling into an empty cache may take


def main() -> None:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--limit", type=float, default=30, help="seconds until an answer: ready, then each round")
    parser.add_argument("--threads", type=int, default=2, help="threads, and cores, of each contender")
    parser.add_argument("--only", nargs="*", choices=[*SECTIONS, "first_use"], help="sections, else all")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that everything runs")
    parser.add_argument("--results", type=Path, default=Path("results-bench"), help="folder of the measurements")
    parser.add_argument("--report", type=Path, help="the report to write (default: in the folder of the measurements)")
    parser.add_argument("--report-only", action="store_true", help="write the report from stored measurements")
    options = parser.parse_args()
    stored = options.results / "results.json"
    if not options.report_only:
        options.results.mkdir(parents=True, exist_ok=True)
        measure(options, stored)
    report = options.report or options.results / "benchmarks.md"
    gpu = stored_section(report)
    write_report(json.loads(stored.read_text()), report)
    put_section(report, gpu)


def measure(options: argparse.Namespace, stored: Path) -> None:
    """Race after race; the file is whole after each, so that nothing is lost where a run is stopped."""
    limits, begin = Limits(options.limit, options.threads), time.monotonic()
    sections = options.only or [*SECTIONS, "first_use"]
    results: dict[str, Any] = {"machine": machine(options), "rows": []}
    for section in sections:
        if section == "first_use":
            rows = first_use(limits, options.quick)
            results["rows"] += [row | {"section": section} for row in rows]
        else:
            for chain in (QUICK if options.quick else SECTIONS)[section]():
                for row in run_chain(chain, limits):
                    results["rows"].append(row | {"section": section})
                    print(summary(row), file=sys.stderr, flush=True)
                    results["machine"]["minutes"] = (time.monotonic() - begin) / 60
                    stored.write_text(json.dumps(results, indent=1))
    results["machine"]["minutes"] = (time.monotonic() - begin) / 60
    stored.write_text(json.dumps(results, indent=1))


def run_chain(chain: list[Race], limits: Limits) -> Iterator[dict[str, Any]]:
    """Rows of races of growing size: who did not answer is not asked for more of the same."""
    failed: set[str] = set()
    times: dict[str, float] = {}
    for contest in chain:
        bounds = replace(limits, rounds_s=math.inf) if contest.headline else limits
        patient = replace(bounds, seconds=contest.patience * bounds.seconds)
        ours, row = alone(contest.quantity, contest.case, patient, 1 if contest.peers else contest.n_rounds)
        row |= {"n_calls": contest.n_calls, "headline": contest.headline, "along": contest.along}
        yield row
        if ours is None:
            continue
        about_ours = {key: row[key] for key in ("case", "n_carried", "n_calls", "headline")}
        for entry in contest.peers:
            ways = (entry,) if isinstance(entry, str) else entry
            known = sorted((way for way in ways if way in times), key=lambda way: times[way])
            for peer in known or ways:
                if peer in failed:
                    yield about_ours | {"peer": peer, "failure": "not tried: no answer at a smaller size"}
                    continue
                found = race(ours, peer, contest.quantity, contest.other or contest.case, bounds, contest.n_rounds)
                yield about_ours | {"our_carried": row["n_carried"]} | found
                if "failure" in found:
                    failed.add(peer)
                    continue
                times.setdefault(peer, min(found["seconds"]))  # the ways are compared on one case
                if known:
                    break
        ours.close()


def first_use(limits: Limits, quick: bool) -> list[dict[str, Any]]:
    """Seconds from the import to the first Hessian, with an empty and with a filled cache of compiled code."""
    case = ("qnn", 2, 4, 2) if quick else ("qnn", 64)
    limits, rows = replace(limits, seconds=max(limits.seconds, FIRST_USE_S)), []
    with tempfile.TemporaryDirectory() as cache:
        for what in ("empty cache", "second process"):
            ours, row = alone("hessian", case, limits, 1, NUMBA_CACHE_DIR=cache)
            if ours is not None:
                ours.close()
            rows.append(row | {"peer": what})
    return rows


def machine(options: argparse.Namespace) -> dict[str, Any]:
    """What the report says about where the numbers come from."""
    model = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "")
    return {
        "processor": model or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": total_bytes(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": {package: _version(package) for package in PACKAGES},
        "command": " ".join([f"python -m benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]]),
        "limit": options.limit,
        "threads": options.threads,
        "quick": options.quick,
    }


def summary(row: dict[str, Any]) -> str:
    """One line of progress."""
    said = row.get("failure") or f"{statistics.median(row['seconds']):.4g} s"
    return f"{row.get('case')}: {row['peer']}: {said}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    main()
