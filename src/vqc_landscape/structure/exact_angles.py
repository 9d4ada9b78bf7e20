"""Angles of rotations with rational coefficients, so that sums and differences of angles are exact.

An angle is a linear function of the parameters for every sample. Two coefficients that are proportional over the
samples, such as those of two proportional features, count as multiples of one *direction* over the samples: then angles
that agree for all samples have the same coefficients.
"""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from fractions import Fraction

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.circuits.pauli import ROUND_OFF
from vqc_landscape.circuits.program import Circuit, Rotation

# Coefficient of each (parameter, direction over the samples), without zeros. The parameter is None for a constant.
# Directions of fixed gates, whose angle is some other constant, are negative.
ExactAngle = dict[tuple[int | None, int], Fraction]


class ExactAngles:
    """The angles of a circuit's rotations for some data.

    Args:
        circuit: the program.
        rows: features of all samples, shape (n_samples, n_features).

    Attributes:
        features: (direction, factor) of every feature that occurs, and of the constant 1 (None); None if it is 0.
    """

    def __init__(self, circuit: Circuit, rows: Array) -> None:
        self.features: dict[int | None, tuple[int, Fraction] | None] = {}
        used = sorted({term.feature for term in circuit.terms if term.feature is not None})
        directions, n_directions = np.empty((1 + len(used), len(rows))), 0
        for feature in (None, *used):
            column = np.ones(len(rows)) if feature is None else rows[:, feature]
            largest = np.abs(column).max()
            if largest <= ROUND_OFF:
                self.features[feature] = None
                continue
            factor = column[np.argmax(np.abs(column) >= largest / 2)]
            distances = np.abs(directions[:n_directions] - column / factor).max(axis=1)
            same = np.flatnonzero(distances <= ROUND_OFF)
            position = int(same[0]) if len(same) else n_directions
            if position == n_directions:
                directions[position] = column / factor
                n_directions += 1
            self.features[feature] = (position, to_fraction(float(factor)))

    def of(self, rotation: Rotation) -> ExactAngle:
        """The angle of a rotation; empty if it is 0 for all parameters and samples."""
        angle: ExactAngle = defaultdict(Fraction)
        for term in rotation.angle:
            column = self.features[term.feature]
            if column is not None:
                direction, factor = column
                angle[term.param, direction] += to_fraction(term.scale) * factor
        return {key: weight for key, weight in angle.items() if weight}


def quarter_turns(angle: ExactAngle) -> int | None:
    """How many times pi/2 a constant angle is; None if it is not constant, or no multiple of pi/2."""
    if angle.keys() - {(None, 0)}:
        return None
    turns = float(angle.get((None, 0), Fraction(0))) / (math.pi / 2)
    return round(turns) if abs(turns - round(turns)) <= ROUND_OFF * max(1.0, abs(turns)) else None


@functools.lru_cache(maxsize=4096)
def to_fraction(value: float) -> Fraction:
    """A float as a fraction: one with a denominator up to 1000 if they differ by round-off only, else the exact one."""
    simple = Fraction(value).limit_denominator(1000)
    return simple if abs(float(simple) - value) <= ROUND_OFF * abs(value) else Fraction(value)


def scale_angle(angle: ExactAngle, sign: int) -> ExactAngle:
    """``sign`` times the angle."""
    return {key: sign * weight for key, weight in angle.items()}


def add_angle(angle: ExactAngle, other: ExactAngle, sign: int) -> None:
    """Add ``sign`` times another angle, in place."""
    for key, weight in other.items():
        total = angle.get(key, Fraction(0)) + sign * weight
        angle[key] = total
        if not total:
            del angle[key]
