"""How many QNodes of the grammar are right, and why the others are refused; as a script, the table of a page."""

from __future__ import annotations

import re
import sys
import warnings
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from qnode_grammar import Draw, qnodes
from qnode_oracle import outcome

BEGIN, END = "<!-- begin: written by `make qnode-counts` -->", "<!-- end -->"
N_DRAWS = 5000
RIGHT, WRONG = "right", "wrong"
# Refusals of QNodes that could have been taken, by what their text has.
REASONS = {
    "cannot be run on its device": "PennyLane itself cannot run it on its device",
    "changes its value": "its device gives another number than default.qubit",
    "is not affine": "a transform makes angles that are not affine",
    "cannot be called with": "its code fails",
}


def count(n_draws: int, stop: bool = True) -> Counter[str]:
    """Outcomes of so many draws, always the same ones.

    Args:
        n_draws: how many.
        stop: whether the first mistake ends it; else it is printed, and counted.
    """
    counts: Counter[str] = Counter()

    @settings(
        max_examples=n_draws,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(qnodes())
    def check(draw: Draw) -> None:
        try:
            counts[reason(draw, outcome(draw))] += 1
        except Exception as error:  # an error of another kind is a mistake, too
            if stop:
                raise
            counts[WRONG] += 1
            print(error, flush=True)

    check()
    return counts


def reason(draw: Draw, said: str | None) -> str:
    """Why a QNode is refused, in words of the table."""
    if said is None:
        return RIGHT
    if draw.refused is not None:
        return draw.refused
    return next((words for text, words in REASONS.items() if text in said), said.split(". ")[0])


def table(counts: Counter[str]) -> str:
    """Outcomes as Markdown, the most frequent one first."""
    rows = [
        f"| {what} | {n:,} |" for what, n in sorted({WRONG: 0, **counts}.items(), key=lambda item: (-item[1], item[0]))
    ]
    return "\n".join(["| outcome | QNodes |", "| --- | --- |", *rows, f"| all | {counts.total():,} |"])


if __name__ == "__main__":
    page = Path(sys.argv[1])
    warnings.simplefilter("ignore")  # of PennyLane, of single QNodes
    found = table(count(N_DRAWS, stop=False))
    written = re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n\n{found}\n\n{END}", page.read_text(), flags=re.DOTALL)
    page.write_text(written)
