"""Where the results come from: code, versions, seeds, and what the jobs took."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

import vqc_landscape
from vqc_landscape.config import Config
from vqc_landscape.figures import labels
from vqc_landscape.provenance import ROOT

LIBRARIES = (
    "snakemake",
    "numpy",
    "scipy",
    "numba",
    "llvmlite",
    "torch",
    "pennylane",
    "pandas",
    "pyarrow",
    "matplotlib",
    "plotly",
)


def commit(folder: Path = ROOT) -> str:
    """Commit of the code, and whether it was changed since; ``unknown`` without git or outside of a checkout."""
    try:
        known = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "unknown (no git checkout)"
    return f"{known} and local changes" if changed else known


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def versions() -> dict[str, str]:
    """Versions of Python, of the package, and of the libraries that have a part in the numbers or the figures."""
    found = {"python": platform.python_version(), "vqc-landscape": vqc_landscape.__version__}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # jobs may run in an environment of their own, without Snakemake
            continue
    return found


def machine() -> str:
    """Operating system, processor and number of cores that made the page."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def now() -> str:
    """The time, to the minute."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def seeds(config: Config) -> list[tuple[str, str, str, str, str]]:
    """Experiment, model, convention, seeds of the initial points, seed of the data."""
    return [
        (
            name,
            labels.model(experiment),
            experiment.convention,
            _ranges(experiment.seeds),
            "" if experiment.data is None else str(experiment.data.seed),
        )
        for name, experiment in config.experiments.items()
    ]


def _ranges(numbers: Iterable[int]) -> str:
    """``[0, 1, 2, 5]`` as ``0–2, 5``."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def costs(benchmarks: Iterable[str | os.PathLike[str]]) -> pd.DataFrame:
    """Number of jobs, time (s) and memory (MB) of each rule, from the benchmarks of its jobs.

    A job that ended before Snakemake took its first sample has no memory, which is NaN if no job of its rule has.
    """
    rows = []
    for path in map(Path, benchmarks):
        table = pd.read_csv(path, sep="\t", na_values=["-"])
        rows.append((path.parent.name, table["s"].mean(), table["max_rss"].max()))
    frame = pd.DataFrame(rows, columns=["rule", "s", "mb"])
    by_rule = frame.groupby("rule", sort=False)
    table = by_rule.agg(jobs=("s", "size"), total=("s", "sum"), longest=("s", "max"), memory=("mb", "max"))
    return table.sort_values("total", ascending=False).reset_index()
