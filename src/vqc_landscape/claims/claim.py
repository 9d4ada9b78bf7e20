"""What a claim is: its words, what is measured, the threshold with its reason, and the function that measures it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.claims.data import ClaimData
from vqc_landscape.config import Experiment


@dataclass(frozen=True)
class Threshold:
    """The numbers for which a claim holds, low <= number <= high, or low < number if ``strict``.

    Attributes:
        low: lower end.
        high: upper end, included.
        reason: where it comes from: the paper's own wording, or a null model.
        known: whether numbers of this kind had been seen when the threshold was chosen.
        strict: whether ``low`` itself is excluded.
    """

    low: float
    high: float
    reason: str
    known: bool = False
    strict: bool = False

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.low:g}"
        if math.isinf(self.high):
            return f"{'above' if self.strict else 'at least'} {self.low:g}"
        return f"at most {self.high:g}" if math.isinf(self.low) else f"{self.low:g} to {self.high:g}"


def at_least(low: float, reason: str, *, known: bool = False) -> Threshold:
    return Threshold(low, math.inf, reason, known)


def above(low: float, reason: str, *, known: bool = False) -> Threshold:
    return Threshold(low, math.inf, reason, known, strict=True)


def at_most(high: float, reason: str, *, known: bool = False) -> Threshold:
    return Threshold(-math.inf, high, reason, known)


def between(low: float, high: float, reason: str, *, known: bool = False) -> Threshold:
    return Threshold(low, high, reason, known)


@dataclass(frozen=True)
class Measurement:
    """What a claim's function found in the tables.

    Attributes:
        samples: one or several arrays, one number per seed in each; the bootstrap draws seeds from them.
        statistic: ``statistic(*samples, axis=-1)``, the measured number.
        draws: for each sample the number of the draw of seeds that it takes part in: samples that share their seeds,
            entry by entry, are drawn together. Empty: each is drawn by itself.
        seeded: whether a seed enters at all.
        caveat: what limits the claim if it holds; the verdict is then ``with_caveat``.
        remark: further numbers that a reader wants beside the verdict.
    """

    samples: tuple[Array, ...]
    statistic: Callable[..., Any] = np.mean
    draws: tuple[int, ...] = ()
    seeded: bool = True
    caveat: str = ""
    remark: str = ""

    @property
    def n_seeds(self) -> int:
        """Seeds behind the number; 0 where none enters."""
        return min(len(sample) for sample in self.samples) if self.seeded else 0


def over_seeds(values: Any, statistic: Callable[..., Any] = np.mean, caveat: str = "", remark: str = "") -> Measurement:
    """One number per seed."""
    return Measurement((np.asarray(values, dtype=np.float64).reshape(-1),), statistic, caveat=caveat, remark=remark)


def without_seeds(value: float, caveat: str = "", remark: str = "") -> Measurement:
    """A number in which no seed enters."""
    return Measurement((np.array([value], dtype=np.float64),), seeded=False, caveat=caveat, remark=remark)


@dataclass(frozen=True)
class Claim:
    """One claim of the paper.

    Attributes:
        id: its name, lower case with hyphens.
        section: where the paper makes it.
        statement: what it says, in our words.
        measures: what the measured number is, with the definitions that it needs.
        expected: what the paper leads one to expect, in a few words.
        threshold: for which numbers the claim holds, and why there.
        figure: the figure that shows it.
        reads: table -> its columns that the function reads, for every seed of the claim's experiments.
        measure: the function.
        needs: what one of its experiments has to have, in words -> whether an experiment has it.
    """

    id: str
    section: str
    statement: str
    measures: str
    expected: str
    threshold: Threshold
    figure: str
    reads: Mapping[str, tuple[str, ...]]
    measure: Callable[[ClaimData], Measurement]
    needs: Mapping[str, Callable[[Experiment], bool]] = field(default_factory=dict)


def claim(**words: Any) -> Callable[[Callable[[ClaimData], Measurement]], Claim]:
    """Decorator: the function below it, named after the claim's id, becomes a :class:`Claim`."""
    return lambda measure: Claim(id=measure.__name__.replace("_", "-"), measure=measure, **words)
