"""From a measurement to a verdict: a bootstrap over the seeds against the threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vqc_landscape.claims.claim import Measurement, Threshold

CONFIDENCE = 0.95
N_RESAMPLES = 9_999  # the ends of a 95 % interval then rest on 250 resamples each
SEED = 20_080_278  # fixed, so that the same tables give the same bytes


@dataclass(frozen=True)
class Verdict:
    """The outcome of one claim.

    Attributes:
        verdict: ``reproduced``, ``with_caveat``, ``not_reproduced`` or ``depends_on_seed``; None if there was nothing
            to measure.
        measured: the number.
        low: lower end of its 95 % interval over seeds; ``measured`` where no seed enters.
        high: upper end.
        n_seeds: number of seeds; None where none enters.
        explanation: the caveat and further numbers.
    """

    verdict: str | None
    measured: float | None = None
    low: float | None = None
    high: float | None = None
    n_seeds: int | None = None
    explanation: str = ""


def judge(measurement: Measurement, threshold: Threshold, other: tuple[float, float, float] | None = None) -> Verdict:
    """Compare a measurement, with its spread over seeds, with the threshold.

    The claim holds if the whole bootstrap interval lies where it says, fails if the whole interval lies outside;
    in between it depends on the seed. A number in which no seed enters is compared as it is.

    Args:
        measurement: what was found.
        threshold: for which numbers the claim holds.
        other: measured number and interval of the same study with other seeds; if it says otherwise, the claim depends
            on the seed.
    """
    if any(len(sample) == 0 for sample in measurement.samples):
        return Verdict(None, explanation=measurement.remark or "There was nothing to measure.")
    measured = float(measurement.statistic(*measurement.samples, axis=-1))
    low, high = interval(measurement) if measurement.n_seeds > 1 else (measured, measured)
    outcome = decide(low, high, threshold)
    if other is not None and outcome != "depends_on_seed" and decide(other[1], other[2], threshold) != outcome:
        outcome = "depends_on_seed"
    verdict = "with_caveat" if outcome == "reproduced" and measurement.caveat else outcome
    again = f"With other seeds: {other[0]:.3g} ({other[1]:.3g} to {other[2]:.3g})." if other is not None else ""
    explanation = " ".join(filter(None, (measurement.caveat, measurement.remark, again)))
    return Verdict(verdict, measured, low, high, measurement.n_seeds or None, explanation)


def decide(low: float, high: float, threshold: Threshold) -> str:
    """``reproduced``, ``not_reproduced``, or ``depends_on_seed`` for an interval that is on both sides."""
    inside = (threshold.low < low if threshold.strict else threshold.low <= low) and high <= threshold.high
    below = high <= threshold.low if threshold.strict else high < threshold.low
    if inside:
        return "reproduced"
    return "not_reproduced" if below or low > threshold.high else "depends_on_seed"


def interval(measurement: Measurement) -> tuple[float, float]:
    """Percentile bootstrap interval of the statistic over seeds.

    Where every seed gives the same number it has no width; 20 of 20 then still means "at least 86 %" of all seeds
    (0.86**20 = 0.05).
    """
    from scipy.stats import bootstrap

    samples = measurement.samples
    draws = measurement.draws or tuple(range(len(samples)))
    places = {draw: np.arange(len(sample)) for draw, sample in zip(draws, samples, strict=True)}

    def of_places(*drawn: Any, axis: int) -> Any:
        chosen = dict(zip(places, drawn, strict=True))
        return measurement.statistic(*(s[chosen[draw]] for draw, s in zip(draws, samples, strict=True)), axis=axis)

    result = bootstrap(
        tuple(places.values()),
        of_places,
        n_resamples=N_RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(SEED),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
