"""Claims about optimisers, on losses whose verdict is known, both ways."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from claim_data import STUDY, rows, verdict_of

from vqc_landscape.claims import optimisers
from vqc_landscape.claims.claim import Claim
from vqc_landscape.claims.verdict import Verdict

SEEDS = STUDY.experiments["fig11_gd"].seeds
STAYS, LEAVES, ARRIVES = (0.99, 0.97), (0.99, 0.5), (0.99, 1e-6)  # first and last loss
RETURNS = (0.99, 0.95)  # after a middle below the plateau


def runs(experiment: str, *ends: tuple[float, float], middle: float | None = None) -> list[pd.DataFrame]:
    """Every seed's losses, the given ends in turn."""
    last = STUDY.experiments[experiment].training.n_epochs  # type: ignore[union-attr]
    tables = []
    for index, seed in enumerate(SEEDS):
        first, end = ends[index % len(ends)]
        losses = [first, middle if middle is not None else (first + end) / 2, end] if last > 1 else [first, end]
        tables.append(rows(experiment, seed, epoch=[0, 50, last] if last > 1 else [0, 1], loss=losses))
    return tables


def judged(claim: Claim, **experiments: list[pd.DataFrame]) -> Verdict:
    tables = [table for parts in experiments.values() for table in parts]
    return verdict_of(claim, list(experiments), trajectories=tables)


def test_gradient_descent_that_hardly_moves_or_does() -> None:
    assert judged(optimisers.gd_slow, fig11_gd=runs("fig11_gd", STAYS)).verdict == "reproduced"
    assert judged(optimisers.gd_slow, fig11_gd=runs("fig11_gd", LEAVES)).verdict == "not_reproduced"
    assert judged(optimisers.gd_slow, fig11_gd=runs("fig11_gd", (1.0, 0.95), (1.0, 0.85))).verdict == "depends_on_seed"


def test_natural_gradient_that_stays_or_leaves() -> None:
    stays = {"fig11_qng": runs("fig11_qng", STAYS), "fig11_qng_full": runs("fig11_qng_full", STAYS)}
    arrives = {"fig11_qng": runs("fig11_qng", ARRIVES), "fig11_qng_full": runs("fig11_qng_full", STAYS)}
    leaves = {"fig11_qng": runs("fig11_qng", LEAVES), "fig11_qng_full": runs("fig11_qng_full", ARRIVES)}
    assert judged(optimisers.qng_stuck, **stays).verdict == "reproduced"
    assert judged(optimisers.qng_stuck, **leaves).verdict == "not_reproduced"
    assert judged(optimisers.qng_escapes, **stays).verdict == "not_reproduced"
    assert judged(optimisers.qng_escapes, **arrives).verdict == "reproduced"
    found = judged(optimisers.qng_escapes, **leaves)
    assert found.verdict == "with_caveat" and "With the full metric 1.00 leave and 1.00 converge" in found.explanation


def test_a_large_learning_rate() -> None:
    def verdict(*ends: tuple[float, float], middle: float | None = None) -> str | None:
        return judged(optimisers.gd_large_lr, fig11_gd_large=runs("fig11_gd_large", *ends, middle=middle)).verdict

    assert verdict(RETURNS, STAYS, middle=0.4) == "reproduced"  # left and came back: left
    assert verdict(ARRIVES, STAYS) == "not_reproduced"
    assert verdict((0.99, 0.97)) is None  # none has left


def test_hlr_leaves_the_plateau_and_may_stall() -> None:
    def found(*ends: tuple[float, float]) -> Verdict:
        return judged(optimisers.hlr_escapes, fig11_hlr=runs("fig11_hlr", *ends))

    assert found(ARRIVES).verdict == "reproduced"
    assert (
        found(ARRIVES, LEAVES).verdict == "with_caveat"
        and "0.50 of the runs stall" in found(ARRIVES, LEAVES).explanation
    )
    assert found(STAYS).verdict == "not_reproduced"


def test_lbfgs_against_first_order_methods() -> None:
    def verdict(
        lbfgs: tuple[float, float], adam: tuple[float, float], large: tuple[float, float] = STAYS
    ) -> str | None:
        return judged(
            optimisers.lbfgs_works,
            fig11_lbfgs=runs("fig11_lbfgs", lbfgs),
            fig11_gd=runs("fig11_gd", STAYS),
            fig11_gd_large=runs("fig11_gd_large", large),
            fig11_adam=runs("fig11_adam", adam),
        ).verdict

    assert verdict(ARRIVES, LEAVES) == "reproduced"
    assert verdict(ARRIVES, (0.99, 1e-3)) == "with_caveat"  # both converge
    assert verdict(LEAVES, ARRIVES) == "not_reproduced"
    assert verdict(LEAVES, STAYS, large=ARRIVES) == "not_reproduced"  # every first-order method counts


def test_the_combination_against_its_parts() -> None:
    def found(
        full: list[tuple[float, float]], block: list[tuple[float, float]], hlr: list[tuple[float, float]]
    ) -> Verdict:
        return judged(
            optimisers.hlr_then_qng,
            fig11_hlr_qng=runs("fig11_hlr_qng", *block),
            fig11_hlr_qng_full=runs("fig11_hlr_qng_full", *full),
            fig11_hlr=runs("fig11_hlr", *hlr),
            fig11_qng=runs("fig11_qng", LEAVES),
            fig11_qng_full=runs("fig11_qng_full", STAYS),
        )

    half = [ARRIVES, LEAVES]
    assert found([ARRIVES], [ARRIVES], half).verdict == "reproduced"
    limited = found([ARRIVES], half, half)
    assert (limited.verdict, limited.measured) == ("with_caveat", pytest.approx(0.5))
    assert found(half, half, [ARRIVES]).verdict == "not_reproduced"
    assert found(half, half, half).verdict == "not_reproduced"  # no gain at all


def test_an_optimiser_that_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match=r"No experiment of fig11_qng has optimiser qng with \{'metric': 'full'\}"):
        judged(optimisers.qng_stuck, fig11_qng=runs("fig11_qng", STAYS))


def test_the_smallest_loss_of_a_random_state_is_above_the_plateau() -> None:
    # Porter and Thomas: P(fidelity > F) = (1 - F)^(D - 1); checked on random states of 4 qubits, F = 0.1
    rng = np.random.default_rng(0)
    states = rng.normal(size=(4000, 16, 2)).view(complex)[..., 0]
    fidelities = np.abs(states[:, 0]) ** 2 / (np.abs(states) ** 2).sum(axis=1)
    expected = 0.9**15
    # four standard errors of 4000 draws
    assert np.mean(fidelities > 0.1) == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 4000))
