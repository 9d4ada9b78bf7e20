"""Claims about spectra over many initial points, on tables whose verdict is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from claim_data import STUDY, rows, verdict_of

from vqc_landscape.claims import seeds as claims
from vqc_landscape.claims.claim import Claim
from vqc_landscape.claims.data import ClaimData
from vqc_landscape.config import Experiment

QNN, FFNN = "qnn_seeds", ["ffnn_difference", "ffnn_first", "ffnn_one_output"]
LAST = 40
Spectrum = Callable[[np.random.Generator], Any]


def ensemble(
    experiment: str, epoch: int, spectrum: Spectrum, n_seeds: int = 20, n_structural: int = 0, **columns: Any
) -> list[pd.DataFrame]:
    """One row per seed, for networks one per activation and initialiser, too."""
    network = STUDY.experiments[experiment].network
    kinds = [("tanh", "torch_default"), ("relu", "xavier_normal")] if network else [(None, None)]
    parts = []
    for seed in range(n_seeds):
        for number, (activation, initialiser) in enumerate(kinds):
            eigvals = np.sort(spectrum(np.random.default_rng([seed, number, epoch, *experiment.encode()])))
            row = {"activation": activation, "initialiser": initialiser, "epoch": epoch, "eigvals": eigvals}
            row |= {"n_structural": n_structural} | columns
            parts.append(rows(experiment, seed, **{name: [value] for name, value in row.items()}))
    return parts


def judged(claim: Claim, names: Sequence[str] | Mapping[str, Experiment], *tables: list[pd.DataFrame]) -> Any:
    whole = [part[[*claim.reads["ensembles"], "experiment", "seed"]] for table in tables for part in table]
    return verdict_of(claim, names, ensembles=whole)


def signs(share: float, bulk: float = 0.6) -> Spectrum:
    """100 eigenvalues beyond the bulk with this share of positive ones, and as many zeros as make ``bulk``."""

    def draw(rng: np.random.Generator) -> Any:
        sign = np.where(rng.random(100) < share, 1, -1)
        return np.append(sign * rng.uniform(0.5, 1, 100), np.zeros(round(100 * bulk / (1 - bulk))))

    return draw


def scaled(factor: float, spread: float = 0.1) -> Spectrum:
    """An amplitude of this size with this relative spread."""
    return lambda rng: np.array([-0.5, 0.0, 1.0]) * factor * np.exp(spread * rng.standard_normal())


@pytest.mark.parametrize(("share", "verdict"), [(0.5, "reproduced"), (0.9, "not_reproduced"), (0.1, "not_reproduced")])
def test_signs_at_the_start(share: float, verdict: str) -> None:
    found = judged(claims.qnn_init_symmetric, [QNN], ensemble(QNN, 0, signs(share)))
    assert found.verdict == verdict and found.n_seeds == 20 and found.measured == pytest.approx(share, abs=0.05)
    tables = ensemble(FFNN[0], 0, signs(1.0)), ensemble(QNN, 0, signs(share))
    assert judged(claims.qnn_init_symmetric, [FFNN[0], QNN], *tables) == found  # whatever stands first
    networks = [ensemble(name, 0, signs(share)) for name in FFNN]
    assert judged(claims.ffnn_init_symmetric, FFNN, *networks).verdict == verdict


def test_structural_zeros_are_no_bulk() -> None:
    found = judged(claims.qnn_init_symmetric, [QNN], ensemble(QNN, 0, signs(0.5, bulk=0.2), n_structural=65))
    assert found.verdict == "with_caveat" and "34% of all eigenvalues are structural zeros" in found.explanation
    assert "only 20% of the others" in found.explanation


def test_equal_numbers_of_unequal_size_are_a_caveat() -> None:
    def lopsided(rng: np.random.Generator) -> Any:
        values = signs(0.5)(rng)
        return np.where(values < 0, 0.1 * values, values)

    found = judged(claims.qnn_init_symmetric, [QNN], ensemble(QNN, 0, lopsided))
    assert found.verdict == "with_caveat" and "In number only" in found.explanation


@pytest.mark.parametrize(
    ("factor", "verdict"), [(0.12, "reproduced"), (1.0, "not_reproduced"), (6.0, "not_reproduced")]
)
def test_amplitudes_of_networks_against_the_qnn(factor: float, verdict: str) -> None:
    networks = [ensemble(name, 0, scaled(factor)) for name in FFNN]
    found = judged(claims.ffnn_init_small, [QNN, *FFNN], ensemble(QNN, 0, scaled(1.0)), *networks)
    assert found.verdict == verdict and found.measured == pytest.approx(factor, rel=0.1)
    assert found.low < found.measured < found.high
    assert f"At or below the threshold: {6 if verdict == 'reproduced' else 0} of 6." in found.explanation


@pytest.mark.parametrize(("spread", "verdict"), [(0.5, "reproduced"), (0.05, "not_reproduced")])
def test_fluctuation_of_networks_against_the_qnn(spread: float, verdict: str) -> None:
    networks = [ensemble(name, 0, scaled(3.0, spread)) for name in FFNN]
    found = judged(claims.ffnn_fluctuates, [QNN, *FFNN], ensemble(QNN, 0, scaled(1.0, 0.1)), *networks)
    assert found.verdict == verdict


def test_fluctuation_that_calms_with_the_size() -> None:
    names = ["ffnn_difference", "ffnn_1000", "ffnn_5000"]

    def verdict(*spreads: float) -> Any:
        sizes = zip(names, spreads, (20, 20, 5), strict=True)
        tables = [ensemble(name, 0, scaled(9.0, spread), n_seeds) for name, spread, n_seeds in sizes]
        return judged(claims.ffnn_overparam_calms, names, *tables)

    calm = verdict(0.5, 0.05, 0.02)
    assert calm.verdict == "reproduced" and calm.measured == pytest.approx(0.1, abs=0.06)
    assert "4995 parameters (5 seeds)" in calm.explanation  # reported; five seeds judge nothing
    assert verdict(0.3, 0.3, 0.01).verdict == "not_reproduced"


def tied(experiment: str, power: float = 1.0) -> list[pd.DataFrame]:
    """Amplitudes that are one power of the same numbers for every activation and initialiser."""
    logs = np.random.default_rng(0).normal(0, 0.5, 20)
    parts = ensemble(experiment, 0, scaled(1.0))
    return [p.assign(eigvals=[np.array([-0.5, 0, 1]) * np.exp(power * logs[p["seed"].iloc[0]])]) for p in parts]


def test_kinds_of_network_that_share_their_seeds_do_not_average_the_fluctuation_out() -> None:
    qnn = ensemble(QNN, 0, scaled(1.0))
    one = judged(claims.ffnn_fluctuates, [QNN, FFNN[0]], qnn, tied(FFNN[0]))
    all_ = judged(claims.ffnn_fluctuates, [QNN, *FFNN], qnn, *[tied(name) for name in FFNN])
    # the same seeds are drawn: what is left is the rounding of a mean of equal numbers
    assert (all_.measured, all_.low, all_.high) == pytest.approx((one.measured, one.low, one.high))


def test_networks_of_two_sizes_share_their_seeds() -> None:
    names = ["ffnn_difference", "ffnn_1000"]
    found = judged(claims.ffnn_overparam_calms, names, tied(names[0]), tied(names[1], power=0.3))
    assert (found.measured, found.low, found.high) == pytest.approx((0.3, 0.3, 0.3))


def with_seeds(**seeds: list[int]) -> dict[str, Experiment]:
    return {name: STUDY.experiments[name].model_copy(update={"seeds": own}) for name, own in seeds.items()}


def test_only_seeds_that_all_networks_have_are_compared() -> None:
    some = {name: STUDY.experiments[name] for name in (QNN, FFNN[0])} | with_seeds(ffnn_first=[4, 2, 19])
    tables = [ensemble(name, 0, scaled(1.0)) for name in some]
    tables[2] = [part for part in tables[2] if part["seed"].iloc[0] in (4, 2, 19)]
    assert judged(claims.ffnn_fluctuates, some, *tables).n_seeds == 3
    data = ClaimData(with_seeds(ffnn_difference=[0], ffnn_first=[1]), {})
    with pytest.raises(ValueError, match="The networks ffnn_difference, ffnn_first have no seed in common"):
        claims.ffnn_few_outliers.measure(data)


def test_without_a_larger_network_nothing_can_calm() -> None:
    few = STUDY.experiments["ffnn_1000"].model_copy(update={"seeds": [0, 1]})
    data = ClaimData({"ffnn_1000": few, "ffnn_difference": STUDY.experiments["ffnn_difference"]}, {})
    words = "ffnn-overparam-calms needs a network that is larger than ffnn_difference and has its seeds"
    with pytest.raises(ValueError, match=f"{words}; it was given ffnn_difference, ffnn_1000"):
        claims.ffnn_overparam_calms.measure(data)


@pytest.mark.parametrize(("ratio", "verdict"), [(0.01, "reproduced"), (0.5, "not_reproduced"), (-0.5, "reproduced")])
def test_negative_eigenvalues_after_the_training(ratio: float, verdict: str) -> None:
    def draw(rng: np.random.Generator) -> Any:
        return np.array([-ratio * rng.uniform(0.9, 1.1), 0.7, 1.0]) * rng.uniform(1, 30)

    tables = [ensemble(QNN, epoch, draw) for epoch in (0, LAST)]
    found = judged(claims.qnn_negatives_vanish, [QNN], *tables)
    assert found.verdict == verdict and found.measured == pytest.approx(max(ratio, 0), rel=0.05)
    networks = [ensemble(name, LAST, draw) for name in FFNN]
    assert judged(claims.ffnn_negatives_vanish, FFNN, *networks).verdict == verdict


@pytest.mark.parametrize(("n_outliers", "verdict"), [(2, "reproduced"), (1, "reproduced"), (30, "not_reproduced")])
def test_outliers_after_the_training(n_outliers: int, verdict: str) -> None:
    def draw(rng: np.random.Generator) -> Any:
        return np.append(rng.uniform(-0.5, 0.5, 100), rng.uniform(8, 12, n_outliers))

    found = judged(claims.ffnn_few_outliers, FFNN, *[ensemble(name, LAST, draw) for name in FFNN])
    assert found.verdict == verdict and found.measured == n_outliers


@pytest.mark.parametrize(("steepness", "verdict"), [(20.0, "reproduced"), (0.2, "not_reproduced")])
def test_tails_after_the_training(steepness: float, verdict: str) -> None:
    """Geometric tails: the network's is ``steepness`` times as steep."""

    def tail(rate: float) -> Spectrum:
        return lambda rng: rng.uniform(1, 2) * np.exp(-rate * np.arange(100)) - 0.01

    networks = [ensemble(name, LAST, tail(0.1 * steepness)) for name in FFNN]
    found = judged(claims.qnn_long_tail, [QNN, *FFNN], ensemble(QNN, LAST, tail(0.1)), *networks)
    assert found.verdict == verdict


@pytest.mark.parametrize(("first", "verdict"), [(0.8, "reproduced"), (0.999, "not_reproduced")])
def test_a_plateau_at_the_start(first: float, verdict: str) -> None:
    losses = {0: 1.0, 1: first, LAST: 0.2}
    tables = [ensemble(QNN, epoch, scaled(1.0), loss=loss, grad_norm=0.5) for epoch, loss in losses.items()]
    found = judged(claims.qnn_no_plateau, [QNN], *tables)
    assert found.verdict == verdict and found.measured == pytest.approx(40 * (1 - first) / 0.8)


def test_numbers_of_a_spectrum() -> None:
    eigvals = np.array([-3.0, -0.01, 0.0, 0.5, 1.0, 6.0])
    assert claims.share_positive(eigvals) == pytest.approx(3 / 4)  # 1 % of 6 is the bulk
    assert claims.negative_end(eigvals) == 0.5
    assert claims.amplitude(eigvals) == 6
    assert claims.n_outliers(eigvals) == 2  # beyond 0.6
    assert claims.effective_number(np.array([-1.0, 2.0, 2.0, 2.0])) == pytest.approx(3)
