"""Claims: how a number becomes a verdict, what feeds a claim, and what is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from claim_data import STUDY, rows, verdict_of

from vqc_landscape.claims.claim import Measurement, above, at_least, at_most, between, over_seeds, without_seeds
from vqc_landscape.claims.data import ClaimData
from vqc_landscape.claims.other_seeds import read_other_seeds, write_other_seeds
from vqc_landscape.claims.registry import CLAIMS, IDS, all_tables, required_tables
from vqc_landscape.claims.verdict import CONFIDENCE, interval, judge
from vqc_landscape.claims.write import write_claims
from vqc_landscape.config import Config, ConfigError, parse_config
from vqc_landscape.figures.registry import FIGURES
from vqc_landscape.studies.plan import claim_settings
from vqc_landscape.tables.parquet import read_table, write_table

ROOT = Path(__file__).parents[1]
REASON = "a reason"

# --- verdicts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "threshold", "verdict"),
    [
        ([1.0, 1.1, 0.9, 1.0], at_least(0.5, REASON), "reproduced"),
        ([1.0, 1.1, 0.9, 1.0], at_most(0.5, REASON), "not_reproduced"),
        ([0.0, 1.0, 0.0, 1.0], at_least(0.5, REASON), "depends_on_seed"),
        ([1.0, 1.1, 0.9, 1.0], between(0.8, 1.2, REASON), "reproduced"),
        ([1.0, 1.1, 0.9, 1.0], between(1.2, 1.4, REASON), "not_reproduced"),
        ([1.0, 1.0, 1.0, 1.0], at_most(1.0, REASON), "reproduced"),  # the ends count
    ],
)
def test_the_whole_interval_decides(values: list[float], threshold: Any, verdict: str) -> None:
    assert judge(over_seeds(values), threshold).verdict == verdict


def test_a_caveat_limits_only_what_holds() -> None:
    limited = over_seeds([1.0, 1.0], caveat="Only here.", remark="And more.")
    assert judge(limited, at_least(1, REASON)).verdict == "with_caveat"
    assert judge(limited, at_least(2, REASON)).verdict == "not_reproduced"
    assert judge(limited, at_least(1, REASON)).explanation == "Only here. And more."


def test_a_number_without_seeds_is_compared_as_it_is() -> None:
    found = judge(without_seeds(0.25), at_most(0.25, REASON))
    assert (found.verdict, found.measured, found.low, found.high, found.n_seeds) == (
        "reproduced",
        0.25,
        0.25,
        0.25,
        None,
    )


def test_one_seed_has_no_spread() -> None:
    found = judge(over_seeds([0.25]), at_most(0.2, REASON))
    assert (found.verdict, found.low, found.high, found.n_seeds) == ("not_reproduced", 0.25, 0.25, 1)


def test_without_any_seed_there_is_no_verdict() -> None:
    found = judge(over_seeds([], remark="No run converged."), at_most(1, REASON))
    assert (found.verdict, found.measured, found.explanation) == (None, None, "No run converged.")


def test_the_interval_is_that_of_the_normal_theory_for_many_normal_numbers() -> None:
    values = np.random.default_rng(0).normal(3, 2, 400)
    low, high = interval(over_seeds(values))
    half = 1.96 * values.std() / np.sqrt(400)
    assert CONFIDENCE == 0.95
    # 10 % of the half width: the ends of a bootstrap of 9999 resamples scatter by 2 %, skewness does the rest
    assert low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_samples_that_share_their_seeds_are_drawn_together() -> None:
    base = np.random.default_rng(0).normal(0, 10, 30)

    def difference(a: Any, b: Any, axis: int) -> Any:
        return np.mean(a, axis) - np.mean(b, axis)

    apart = interval(Measurement((base + 1, base), difference))
    together = interval(Measurement((base + 1, base), difference, draws=(0, 0)))
    assert apart[0] < 0 < apart[1]
    assert together == pytest.approx((1, 1))


def test_samples_of_other_seeds_are_drawn_apart_from_those() -> None:
    base, other = np.random.default_rng(0).normal(0, 10, 30), np.random.default_rng(1).normal(0, 10, 12)

    def with_difference(x: Any, a: Any, b: Any, axis: int) -> Any:
        return np.mean(x, axis) + np.mean(a, axis) - np.mean(b, axis)

    found = interval(Measurement((other, base + 1, base), with_difference, draws=(0, 1, 1)))
    assert found == pytest.approx([end + 1 for end in interval(over_seeds(other))])


def test_the_same_tables_give_the_same_interval() -> None:
    values = np.random.default_rng(0).exponential(1, 20)
    assert interval(over_seeds(values, np.median)) == interval(over_seeds(values, np.median))


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        ((1.0, 0.9, 1.1), "reproduced"),
        ((0.4, 0.3, 0.6), "depends_on_seed"),  # on both sides
        ((0.2, 0.1, 0.3), "depends_on_seed"),  # on the other side
    ],
)
def test_another_run_with_other_seeds_has_to_agree(other: tuple[float, float, float], verdict: str) -> None:
    found = judge(over_seeds([1.0, 1.1, 0.9, 1.0], remark="Said."), at_least(0.5, REASON), other)
    assert found.verdict == verdict and found.measured == 1.0
    assert found.explanation == f"Said. With other seeds: {other[0]:g} ({other[1]:g} to {other[2]:g})."


def test_what_holds_with_a_caveat_agrees_with_what_holds() -> None:
    limited = over_seeds([1.0, 1.0], caveat="Only here.")
    assert judge(limited, at_least(0.5, REASON), (2.0, 2.0, 2.0)).verdict == "with_caveat"


def test_zero_is_not_above_zero() -> None:
    assert judge(over_seeds([0.0, 0.0]), above(0, REASON)).verdict == "not_reproduced"
    assert judge(over_seeds([0.0, 1.0, 0.0, 0.0]), above(0, REASON)).verdict == "depends_on_seed"
    assert (
        judge(over_seeds([1.0, 1.0]), above(0, REASON)).verdict == "reproduced" and str(above(0, REASON)) == "above 0"
    )


@pytest.mark.parametrize(
    ("threshold", "words"),
    [
        (at_least(0.9, REASON), "at least 0.9"),
        (at_most(1e-12, REASON), "at most 1e-12"),
        (between(0.4, 0.6, REASON), "0.4 to 0.6"),
        (between(3, 3, REASON), "3"),
    ],
)
def test_thresholds_read_as_words(threshold: Any, words: str) -> None:
    assert str(threshold) == words


# --- the registry -----------------------------------------------------------------------------------------


def test_claims_stand_in_the_order_of_the_paper() -> None:
    assert list(CLAIMS) == list(IDS) and len(set(IDS)) == 42


@pytest.mark.parametrize("id_", CLAIMS)
def test_every_claim_is_fed_and_has_a_figure_that_is_drawn(id_: str) -> None:
    claim = CLAIMS[id_]
    assert claim.figure in FIGURES and claim.figure in STUDY.figures
    assert claim.threshold.reason and claim.statement and claim.measures and claim.expected
    assert id_ in STUDY.claims


def test_other_experiments_than_the_claim_can_read_are_refused() -> None:
    def study(**claims: Any) -> Any:
        raw = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
        return parse_config(raw | {"claims": claims})

    with pytest.raises(ConfigError, match=r"claims: there is no claim 'toy-baren'; did you mean 'toy-barren'\?"):
        required_tables(study(**{"toy-baren": {"exact": ["toy_global"]}}), "toy-baren", "exact")
    with pytest.raises(ConfigError, match=r"claims\.toy-barren\.exact: experiment layered has none .* landscapes\."):
        required_tables(study(**{"toy-barren": {"exact": ["toy_global", "layered"]}}), "toy-barren", "exact")
    with pytest.raises(ConfigError, match=r"claims\.toy-barren: exact or as_published must list an experiment"):
        study(**{"toy-barren": {}})
    with pytest.raises(ConfigError, match=r"claims\.toy-barren\.exact: there is no experiment 'toy_globl'; did you"):
        study(**{"toy-barren": {"exact": ["toy_globl"]}})


@pytest.mark.parametrize(
    ("id_", "name", "missing"),
    [
        ("qnn-init-symmetric", "ffnn_difference", "a circuit"),
        ("ffnn-fluctuates", "qnn_seeds", "a network"),
        ("ffnn-fluctuates", "ffnn_difference", "a circuit"),
        ("ffnn-overparam-calms", "qnn_seeds", "a network"),
        ("qnn-boundary", "qnn_seeds", "a network"),
        ("toy-gorge", "toy_sizes", "init.distribution normal (the gorge)"),
        ("toy-gorge", "toy_gorge", "init.distribution uniform"),
    ],
)
def test_a_claim_without_what_it_compares_is_refused(id_: str, name: str, missing: str) -> None:
    raw = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    study = parse_config(raw | {"claims": {id_: {"exact": [name]}}})
    words = re.escape(f"claims.{id_}.exact: none of {name} has {missing}, which the claim measures.")
    with pytest.raises(ConfigError, match=words):
        required_tables(study, id_, "exact")


def test_missing_rows_are_named() -> None:
    data = ClaimData({"a": STUDY.experiments["layered"]}, {"spectra": rows("a", 0, epoch=[0], eigval=[1.0])})
    assert data.rows("spectra", seed=0, epoch=0)["eigval"].tolist() == [1.0] and data.last_epoch() == 15
    with pytest.raises(ValueError, match="Table `spectra` has no rows for experiment a, seed 0, epoch 3"):
        data.rows("spectra", seed=0, epoch=3)


# --- what is written --------------------------------------------------------------------------------------


def test_the_tables_hold_the_verdicts_of_exactly_the_given_files(tmp_path: Path) -> None:
    part = tmp_path / "landscapes" / "experiment=toy_global" / "seed=0" / "part-0.parquet"
    study = parse_config(
        {
            "experiments": {"toy_global": STUDY.experiments["toy_global"].model_dump(mode="json")},
            "claims": {"toy-barren": {"exact": ["toy_global"]}},
        }
    )
    found: dict[str, pd.Series[Any]] = {}
    for name, curvature in (("flat", 0.0), ("curved", 0.25)):
        points = {"label": ["a"], "a": [0.0], "b": [0.0], "loss": [1.0], "grad_norm": [0.0], "eigvals": [[curvature]]}
        write_table("landscapes", part, points)
        outputs = [str(tmp_path / f"{name}.{ending}") for ending in ("parquet", "md")]
        write_claims(study, {"landscapes": [str(part)]}, outputs[0], outputs[1])
        (found[name],) = (row for _, row in read_table("claims", outputs[0]).iterrows())
    assert found["flat"][["claim", "convention", "verdict", "figure"]].tolist() == [
        "toy-barren",
        "exact",
        "reproduced",
        "fig02",
    ]
    assert found["curved"]["verdict"] == "not_reproduced" and found["curved"]["measured"] == 0.25
    text = (tmp_path / "curved.md").read_text()
    assert "| [toy-barren](#toy-barren) | `exact` | not reproduced | 0.25 |  |  | at most 1e-12 |" in text
    assert "`toy-gorge`" in text.split("## Not measured")[1]


def test_a_demonstration_says_so_above_its_verdicts_and_on_the_terminal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    part = tmp_path / "landscapes" / "experiment=toy_global" / "seed=0" / "part-0.parquet"
    points = {"label": ["a"], "a": [0.0], "b": [0.0], "loss": [1.0], "grad_norm": [0.0], "eigvals": [[0.0]]}
    write_table("landscapes", part, points)
    toy = STUDY.experiments["toy_global"].model_dump(mode="json")
    raw = {"experiments": {"toy_global": toy}, "claims": {"toy-barren": {"exact": ["toy_global"]}}}
    words = "This is a demonstration: sizes were chosen to be quick. Its numbers and verdicts mean nothing."
    texts = {}
    for purpose in ("study", "demonstration"):
        study = parse_config({**raw, "purpose": purpose})
        settings = claim_settings(study, all_tables(study))  # what the job gets
        caplog.clear()
        write_claims(
            Config(**settings), {"landscapes": [str(part)]}, str(tmp_path / "c.parquet"), str(tmp_path / "c.md")
        )
        texts[purpose] = (tmp_path / "c.md").read_text()
        assert caplog.messages == ([words] if purpose == "demonstration" else [])
    assert texts["demonstration"] == f"> **{words}**\n\n{texts['study']}"


def test_the_numbers_of_another_run_are_kept_and_read(tmp_path: Path) -> None:
    table, kept = tmp_path / "claims.parquet", tmp_path / "other.csv"
    columns = {"claim": ["a", "b"], "convention": ["exact"] * 2, "measured": [0.1, None], "low": [0.0, None]}
    write_table("claims", table, columns | {"high": [1 / 3, None]})
    write_other_seeds(str(table), str(kept))
    assert kept.read_text() == "claim,convention,measured,low,high\na,exact,0.1,0.0,0.3333333333333333\n"
    assert read_other_seeds(str(kept)) == {("a", "exact"): (0.1, 0.0, 1 / 3)}


def test_a_missing_or_foreign_file_of_other_seeds_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"other_seeds: .*none\.csv does not exist; `make other-seeds` writes it"):
        read_other_seeds(str(tmp_path / "none.csv"))
    foreign = tmp_path / "foreign.csv"
    foreign.write_text("x,y\n1,2\n")
    with pytest.raises(ValueError, match=r"foreign\.csv must have the columns claim, convention, measured, low, high"):
        read_other_seeds(str(foreign))


def test_every_seed_moves_once() -> None:
    raw = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())  # with aliases: experiments share their data
    moved = parse_config(raw | {"seed_offset": 1000, "other_seeds": "docs/x.csv"})
    assert moved.seed_offset == 0 and moved.other_seeds is None
    for name, experiment in STUDY.experiments.items():
        assert moved.experiments[name].seeds == [seed + 1000 for seed in experiment.seeds]
        if experiment.data:
            assert moved.experiments[name].data.seed == experiment.data.seed + 1000  # type: ignore[union-attr]
    assert moved.figures["fig11"].seeds == [1000, 1001] and raw["experiments"]["layered"]["seeds"][0] == 0


Tables = Callable[..., pd.DataFrame]


def test_helper_refuses_what_the_claim_does_not_read() -> None:
    with pytest.raises(AssertionError):
        verdict_of(CLAIMS["toy-barren"], ["toy_global"], scans=[rows("toy_global", 0, t=[0.0])])
