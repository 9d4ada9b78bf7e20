"""The table of verdicts: ``claims.parquet``, and the same for readers, ``claims.md``."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqc_landscape.claims.claim import Claim
from vqc_landscape.claims.data import ClaimData
from vqc_landscape.claims.other_seeds import read_other_seeds
from vqc_landscape.claims.registry import CLAIMS, IDS, fed_by, required_tables, rows_of
from vqc_landscape.claims.verdict import Verdict, judge
from vqc_landscape.config import Config
from vqc_landscape.tables.files import atomic_file
from vqc_landscape.tables.parquet import read_table, write_table
from vqc_landscape.tables.registry import SCHEMAS

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

WORDS = {
    "reproduced": "reproduced",
    "with_caveat": "with a caveat",
    "not_reproduced": "not reproduced",
    "depends_on_seed": "depends on the seed",
    None: "nothing to measure",
}


def write_claims(config: Config, paths: Mapping[str, Iterable[str]], parquet: str, markdown: str) -> None:
    """Measure every claim of the configuration from exactly the given part files, and write both tables.

    Args:
        config: the study.
        paths: stage -> part files, of all claims together.
        parquet: the table.
        markdown: the same in words.

    Raises:
        ConfigError: a claim that does not exist, or experiments that cannot feed it.
        ValueError: a table or a run is missing, or a part file is damaged.
    """
    by_experiment: dict[tuple[str, str], list[str]] = {}
    for stage, parts in paths.items():
        for path in parts:
            by_experiment.setdefault((stage, _experiment_of(path)), []).append(path)

    @functools.cache
    def read(stage: str, experiment: str, columns: tuple[str, ...]) -> pd.DataFrame:
        return read_table(stage, by_experiment.get((stage, experiment), []), columns)

    others = read_other_seeds(config.other_seeds) if config.other_seeds else {}
    rows = []
    for id_, convention in rows_of(config):
        claim = CLAIMS[id_]
        wanted = dict.fromkeys((stage, name) for stage, name, _ in required_tables(config, id_, convention))
        tables = {
            stage: _concat([read(stage, name, columns) for of_stage, name in wanted if of_stage == stage])
            for stage, columns in claim.reads.items()
        }
        rows.append(
            (
                claim,
                convention,
                judge(
                    claim.measure(ClaimData(fed_by(config, id_, convention), tables)),
                    claim.threshold,
                    others.get((id_, convention)),
                ),
            )
        )
    write_table("claims", parquet, _columns(rows))
    with atomic_file(markdown) as temporary:
        temporary.write_text(_markdown(rows, config.notice), encoding="utf-8")
    if config.notice:
        logger.warning(config.notice)


Row = tuple[Claim, str, Verdict]


def _columns(rows: list[Row]) -> dict[str, list[Any]]:
    records = [
        {
            "claim": claim.id,
            "convention": convention,
            "statement": claim.statement,
            "measured": verdict.measured,
            "low": verdict.low,
            "high": verdict.high,
            "n_seeds": verdict.n_seeds,
            "expected": claim.expected,
            "threshold": str(claim.threshold),
            "verdict": verdict.verdict,
            "figure": claim.figure,
            "explanation": verdict.explanation,
        }
        for claim, convention, verdict in rows
    ]
    return {name: [record[name] for record in records] for name in SCHEMAS["claims"].names}


def _markdown(rows: list[Row], notice: str) -> str:
    lines = [
        *([f"> **{notice}**", ""] if notice else []),
        "# The paper's claims, measured",
        "",
        "Huembeli and Dauphin, arXiv:2008.02785. The interval is a 95 % bootstrap interval over the seeds; a claim "
        "holds if all of it is on the right side of the threshold, fails if none of it is, and depends on the seed "
        "in between. How each number is defined, and why the threshold lies where it lies, stands below the table.",
        "",
        "| claim | convention | verdict | measured | interval | seeds | threshold | figure |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for claim, convention, verdict in rows:
        cells = [
            f"[{claim.id}](#{claim.id})",
            f"`{convention}`",
            WORDS[verdict.verdict],
            _number(verdict.measured),
            f"{_number(verdict.low)} to {_number(verdict.high)}" if verdict.n_seeds else "",
            str(verdict.n_seeds or ""),
            str(claim.threshold),
            f"[{claim.figure}](figures/{claim.figure}.png)",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    seen = set[str]()
    for claim, convention, verdict in rows:
        if claim.id not in seen:
            lines += ["", f"## {claim.id}", "", f"{claim.statement} (Sec. {claim.section})", ""]
            lines += [f"* measured: {claim.measures}", f"* expected: {claim.expected}"]
            known = " Numbers of this kind were known when the threshold was chosen." if claim.threshold.known else ""
            lines += [f"* threshold: {claim.threshold}; {claim.threshold.reason}.{known}"]
            seen.add(claim.id)
        explanation = f". {verdict.explanation}" if verdict.explanation else ""
        lines += [f"* `{convention}`: **{WORDS[verdict.verdict]}**, {_number(verdict.measured)}{explanation}"]
    absent = [f"`{id_}`" for id_ in IDS if id_ not in seen]
    if absent:
        lines += [
            "",
            "## Not measured",
            "",
            f"Claims of the paper that this study does not measure: {', '.join(absent)}.",
        ]
    return "\n".join(lines) + "\n"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _concat(frames: list[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat(frames, ignore_index=True)


def _experiment_of(path: str) -> str:
    return next(part for part in Path(path).parts if part.startswith("experiment=")).removeprefix("experiment=")
