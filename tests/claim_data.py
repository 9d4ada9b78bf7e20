"""Synthetic tables for the claims: rows of one table, put together by experiment and seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from vqc_landscape.claims.claim import Claim
from vqc_landscape.claims.data import ClaimData
from vqc_landscape.claims.verdict import Verdict, judge
from vqc_landscape.config import Experiment, load_config
from vqc_landscape.tables.registry import SCHEMAS

STUDY = load_config(Path(__file__).parents[1] / "config" / "config.yaml")

Columns = Mapping[str, Sequence[Any]]


def rows(experiment: str, seed: int, **columns: Sequence[Any]) -> pd.DataFrame:
    """Rows of one part file, as ``read_table`` gives them."""
    return pd.DataFrame(columns).assign(experiment=experiment, seed=seed)


def verdict_of(
    claim: Claim, experiments: Mapping[str, Experiment] | Sequence[str], **tables: Sequence[pd.DataFrame]
) -> Verdict:
    """The verdict of a claim on synthetic tables; experiments by name are those of the paper's study.

    The tables may only hold what the claim says that it reads, so that it cannot read more.
    """
    if not isinstance(experiments, Mapping):
        experiments = {name: STUDY.experiments[name] for name in experiments}
    assert set(tables) <= set(claim.reads)
    whole = {}
    for stage, parts in tables.items():
        assert set(claim.reads[stage]) <= set(SCHEMAS[stage].names)
        whole[stage] = pd.concat(parts, ignore_index=True)[[*claim.reads[stage], "experiment", "seed"]]
    return judge(claim.measure(ClaimData(experiments, whole)), claim.threshold)
