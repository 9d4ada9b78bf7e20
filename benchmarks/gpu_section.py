"""The GPU's section of the report: measured on another machine than the rest, so kept when the rest is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from benchmarks.cases import make_case
from benchmarks.peers import CUDA
from benchmarks.plan import gpu_chains
from benchmarks.report import HEAD, table_line

TITLE = "## On a GPU"
SECTION = re.compile(rf"^{TITLE}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
MEASURE = "`make bench-gpu` on a machine with a CUDA device measures this table."


def stored_section(report: Path) -> str:
    """The section as it stands in a report, or one that says that nothing was measured."""
    found = SECTION.search(report.read_text(encoding="utf-8")) if report.exists() else None
    return found[0] if found else empty_section()


def put_section(report: Path, section: str) -> None:
    """Put the section in the place of the one that is there, or at the end."""
    text = report.read_text(encoding="utf-8") if report.exists() else "# Benchmarks\n"
    section = section.rstrip("\n") + "\n"
    if SECTION.search(text):
        text = SECTION.sub(lambda found: section + "\n" * (found.end() < len(text)), text)
    else:
        text = f"{text}\n{section}"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(text, encoding="utf-8")


def empty_section() -> str:
    """Every case, not measured."""
    names = [make_case(str(race.case[0]), *race.case[1:]).name for chain in gpu_chains(quick=False) for race in chain]
    lines = [f"| {name} | {peer} | not measured | | | | |" for name in names for peer in CUDA]
    return "\n\n".join([TITLE, MEASURE, "\n".join([HEAD, *lines])]) + "\n"


def measured_section(results: dict[str, Any]) -> str:
    """The table, with the machine."""
    m = results["machine"]
    quick = " Tiny sizes (`--quick`): these numbers mean nothing." if m["quick"] else ""
    parts = [
        TITLE,
        f"`{m['command']}`, {m['minutes']:.0f} minutes on {m['gpu']} (CUDA {m['cuda']}) beside {m['threads']} cores of "
        f"{m['processor']}. torch {m['versions']['torch']}, numba {m['versions']['numba']}.{quick}",
        "`vqc-landscape` is the engine on the CPU, and the ratio is to its time: below 1 the GPU is faster. The peak "
        "memory of a CUDA line is the GPU's. float32 is for the tangents alone; its error is that of single precision.",
        "\n".join([HEAD, *(table_line(row) for row in results["rows"])]),
    ]
    return "\n\n".join(parts) + "\n"
