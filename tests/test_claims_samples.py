"""Claims about single samples, on tables whose verdict is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from claim_data import rows, verdict_of

from vqc_landscape.claims import samples as claims
from vqc_landscape.claims.claim import Claim

QNN, FFNN, LAST, N = "qnn_seeds", "ffnn_difference", 40, 100
PREDICTIONS = np.linspace(-0.95, 0.95, N)


def table(experiment: str = QNN, n_seeds: int = 20, **columns: Any) -> list[pd.DataFrame]:
    """One hundred samples per seed, predictions from -0.95 to 0.95, all labels +1 unless said otherwise."""
    plain = {
        "epoch": [LAST] * N,
        "y": np.ones(N),
        "prediction": PREDICTIONS,
        "eigvals": [[-1.0, 1.0]] * N,
        "other_label": [[-1.0, 1.0] if abs(f) > 0.86 else None for f in PREDICTIONS],  # ten of a hundred
        "leading": [[1.0, 1.0]] * N,
    }
    return [rows(experiment, seed, **plain | columns) for seed in range(n_seeds)]


def judged(claim: Claim, *tables: list[pd.DataFrame], names: tuple[str, ...] = (QNN,), **others: Any) -> Any:
    whole = [part[[*claim.reads["samples"], "experiment", "seed"]] for own in tables for part in own]
    return verdict_of(claim, list(names), samples=whole, **others)


def weights(correct: float, wrong: float, uncertain: float) -> list[list[float]]:
    """Two eigenvalues for each sample, with the given weight of the positive one in each group."""
    chosen = np.where(PREDICTIONS < 0, wrong, correct)
    chosen[np.argsort(np.abs(PREDICTIONS), kind="stable")[: N // 10]] = uncertain
    return [[weight - 1, weight] for weight in chosen]


def test_the_balance_of_the_data() -> None:
    def verdict(share: float) -> Any:
        y = np.where(np.arange(1000) < 1000 * share, 1.0, -1.0)
        return verdict_of(claims.data_balanced, [QNN], datasets=[rows(QNN, 0, y=y)])

    assert verdict(0.51).verdict == "reproduced" and verdict(0.51).n_seeds is None
    assert verdict(0.45).verdict == "not_reproduced"
    assert verdict(0.45).measured == pytest.approx(0.05 / (0.5 / np.sqrt(1000)))


def test_signs_of_single_samples() -> None:
    as_claimed = table(eigvals=weights(correct=0.9, wrong=0.1, uncertain=0.5))
    otherwise = table(eigvals=weights(correct=0.4, wrong=0.5, uncertain=0.9))
    for claim, number in ((claims.sample_correct, 0.9), (claims.sample_wrong, 0.1), (claims.sample_uncertain, 0.5)):
        found = judged(claim, as_claimed)
        assert (found.verdict, found.n_seeds) == ("reproduced", 20) and found.measured == pytest.approx(number)
        assert judged(claim, otherwise).verdict == "not_reproduced"


def test_seeds_without_a_wrong_sample_say_nothing() -> None:
    good, bad = table(prediction=np.abs(PREDICTIONS)), table(eigvals=weights(0.9, 0.1, 0.5), n_seeds=3)
    assert judged(claims.sample_wrong, good).verdict is None
    found = judged(claims.sample_wrong, [*bad, *good[3:]])
    assert (found.verdict, found.n_seeds) == ("reproduced", 3)


def test_groups_of_samples() -> None:
    (own,) = table(n_seeds=1, y=np.where(np.arange(N) % 2, 1.0, -1.0))
    assert len(claims.certain_correct(own)) == len(claims.uncertain(own)) == len(claims.certain(own)) == 10
    assert (claims.certain_correct(own).eval("y * prediction") > 0.7).all()
    assert claims.wrong(own).eval("y * prediction").lt(0).all() and len(claims.wrong(own)) == 50
    assert claims.uncertain(own)["prediction"].abs().max() < 0.1 < 0.86 < claims.certain(own)["prediction"].abs().min()


@pytest.mark.parametrize(("whole", "verdict"), [([-0.9, 0.9], "reproduced"), ([-0.1, 0.3], "not_reproduced")])
def test_the_risk_against_the_average_of_its_samples(whole: list[float], verdict: str) -> None:
    ensembles = [rows(QNN, seed, epoch=[LAST], eigvals=[whole]) for seed in range(20)]
    found = judged(claims.risk_average, table(), ensembles=ensembles)
    assert found.verdict == verdict and found.measured == pytest.approx(np.abs(whole).sum() / 2)


@pytest.mark.parametrize(("flat", "verdict"), [(0.01, "reproduced"), (3.0, "not_reproduced")])
@pytest.mark.parametrize("right", [True, False])
def test_pools_of_certainty(right: bool, flat: float, verdict: str) -> None:
    """Curvature of certain samples with the label that makes the prediction wrong: the other one, or their own."""
    pool = np.abs(PREDICTIONS) > 0.86
    wrong = [-flat, 0.5 * flat]
    if right:
        columns = {"other_label": [wrong if inside else None for inside in pool]}
    else:
        columns = {"eigvals": [wrong if inside else [-1.0, 1.0] for inside in pool]}
    found = judged(claims.confident_pools_flat, table(y=np.sign(PREDICTIONS) * (1 if right else -1), **columns))
    assert found.verdict == verdict and found.measured == pytest.approx(flat)
    assert f"{0 if right else 200} are in truth predicted wrongly" in found.explanation
    assert "prediction right the ratio is 1." in found.explanation


@pytest.mark.parametrize(("scale", "verdict"), [(5.0, "reproduced"), (1.0, "not_reproduced")])
def test_uncertainty_at_the_boundary(scale: float, verdict: str) -> None:
    """Predictions of the network are those of the circuit, stretched: fewer are below 1/2."""
    network = table(FFNN, prediction=scale * PREDICTIONS)
    found = judged(claims.qnn_boundary, table(), network, names=(QNN, FFNN))
    assert found.verdict == verdict and found.measured == pytest.approx(scale, rel=0.1)  # samples are counted


@pytest.mark.parametrize(("boundary", "verdict"), [(9.0, "reproduced"), (1.0, "not_reproduced")])
def test_what_the_boundary_carries(boundary: float, verdict: str) -> None:
    leading = [[boundary, -0.1] if abs(f) < np.median(np.abs(PREDICTIONS)) else [1.0, -0.1] for f in PREDICTIONS]
    found = judged(claims.boundary_carries, table(leading=leading), table(FFNN), names=(QNN, FFNN))
    assert found.verdict == verdict
    assert found.measured == pytest.approx((boundary - 0.1) / (boundary + 0.8))
    assert "ffnn_difference: 0.5 on average." in found.explanation
