"""One contender in a process of its own: ``python -m benchmarks.worker '{"peer": ..., ...}'``.

It says on one line of JSON when it is ready, and then answers each number of seconds on its standard input with the
times of as many runs as fill them; after the end of the input come its peak memory and, in a file, its result.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from typing import Any

import numpy as np


def main() -> None:
    """Serve until the input ends."""
    task = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what contenders print is no answer
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: task["threads"]])

    def answer(**what: Any) -> None:
        print(json.dumps(what), file=answers)

    try:
        serve(task, answer)
    except Exception as error:  # a contender may raise anything: it goes into the table
        answer(failure=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:120])


def serve(task: dict[str, Any], answer: Any) -> None:
    """Prepare, then run as often as asked."""
    from benchmarks.cases import make_case
    from benchmarks.peers import load, prepare

    start = time.perf_counter()
    module = load(task["peer"])
    imported = time.perf_counter()
    case = make_case(*task["case"])
    compute = prepare(task["peer"], task["quantity"], case)
    factor = module.extrapolation(case) if hasattr(module, "extrapolation") else 1.0
    answer(
        import_s=imported - start,
        compile_s=time.perf_counter() - imported,
        factor=factor,
        n_carried=getattr(compute, "n_carried", None),
        case=case.name,
    )
    for line in sys.stdin:
        seconds: list[float] = []
        while sum(seconds) < float(line) or not seconds:
            begin = time.perf_counter()
            result = compute()
            seconds.append(time.perf_counter() - begin)
        np.save(task["result"], result)
        answer(seconds=seconds, peak=getattr(compute, "peak_bytes", _peak_bytes)())


def _peak_bytes() -> int:
    """What the process has held at once of the machine's memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
