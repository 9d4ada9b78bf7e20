"""``python -m benchmarks.gpu``: Hessians on a CUDA device, beside the CPU. ``--help`` lists the options."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.gpu_section import measured_section, put_section, stored_section
from benchmarks.plan import gpu_chains
from benchmarks.race import Limits
from benchmarks.run import machine, run_chain, summary


def main() -> None:
    """Measure where there is a device; else say so, and leave what was measured elsewhere."""
    import torch

    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--limit", type=float, default=30, help="seconds until an answer: ready, then each round")
    parser.add_argument("--threads", type=int, default=2, help="threads, and cores, of the CPU")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that everything runs")
    parser.add_argument("--results", type=Path, default=Path("results-bench"), help="folder of the measurements")
    parser.add_argument("--report", type=Path, help="report that gets the section (default: one in that folder)")
    options = parser.parse_args()
    report = options.report or options.results / "benchmarks.md"
    if not torch.cuda.is_available():
        put_section(report, stored_section(report))
        print(f"No CUDA device: torch {torch.__version__} finds none, so nothing was measured. {report} says so.")
        return
    options.results.mkdir(parents=True, exist_ok=True)
    results = measure(options)
    (options.results / "gpu.json").write_text(json.dumps(results, indent=1))
    put_section(report, measured_section(results))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Race after race, ours on the CPU and on the GPU in turns."""
    import torch

    begin, rows = time.monotonic(), []
    for chain in gpu_chains(options.quick):
        for row in run_chain(chain, Limits(options.limit, options.threads)):
            rows.append(row)
            print(summary(row), file=sys.stderr, flush=True)
    about = {"gpu": torch.cuda.get_device_name(), "cuda": torch.version.cuda}
    about["minutes"] = (time.monotonic() - begin) / 60
    return {"machine": machine(options) | about, "rows": rows}


if __name__ == "__main__":
    main()
