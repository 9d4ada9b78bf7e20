"""Angles of a program with exact coefficients."""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from fractions import Fraction

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.circuits.pauli import ROUND_OFF
from vqc_landscape.circuits.program import Circuit, Rotation

# Coefficients of (parameter or None, direction of the coefficient over the samples). Directions of fixed gates, whose
# angle is some other constant, are negative.
Angle = dict[tuple[int | None, int], Fraction]


class Angles:
    """Angles with exact coefficients; coefficients that are proportional over the samples count as one."""

    def __init__(self, circuit: Circuit, rows: Array) -> None:
        # direction and factor of 1 (None) and of every feature of an angle
        self.columns: dict[int | None, tuple[int, Fraction] | None] = {}
        used = sorted({term.feature for term in circuit.terms if term.feature is not None})
        directions, n_directions = np.empty((1 + len(used), len(rows))), 0
        for feature in (None, *used):
            column = np.ones(len(rows)) if feature is None else rows[:, feature]
            largest = np.abs(column).max()
            if largest <= ROUND_OFF:
                self.columns[feature] = None
                continue
            factor = column[np.argmax(np.abs(column) >= largest / 2)]
            distances = np.abs(directions[:n_directions] - column / factor).max(axis=1)
            same = np.flatnonzero(distances <= ROUND_OFF)
            position = int(same[0]) if len(same) else n_directions
            if position == n_directions:
                directions[position] = column / factor
                n_directions += 1
            self.columns[feature] = (position, exact(float(factor)))

    def of(self, rotation: Rotation) -> Angle:
        """The angle of a rotation; empty if it is 0 for all parameters and samples."""
        angle: Angle = defaultdict(Fraction)
        for term in rotation.angle:
            column = self.columns[term.feature]
            if column is not None:
                angle[term.param, column[0]] += exact(term.scale) * column[1]
        return {key: weight for key, weight in angle.items() if weight}

    @staticmethod
    def quarters(angle: Angle) -> int | None:
        """Number of quarter turns of a constant angle; None if there is none."""
        if angle.keys() - {(None, 0)}:
            return None
        turns = float(angle.get((None, 0), Fraction(0))) / (math.pi / 2)
        return round(turns) if abs(turns - round(turns)) <= ROUND_OFF * max(1.0, abs(turns)) else None


@functools.lru_cache(maxsize=4096)
def exact(value: float) -> Fraction:
    """A float as a fraction; round-off beside one with a denominator up to 1000 is removed."""
    simple = Fraction(value).limit_denominator(1000)
    return simple if abs(float(simple) - value) <= ROUND_OFF * abs(value) else Fraction(value)


def scaled(angle: Angle, sign: int) -> Angle:
    """``sign`` times the angle."""
    return {key: sign * weight for key, weight in angle.items()}


def add(angle: Angle, other: Angle, sign: int) -> None:
    """Add ``sign`` times another angle, in place."""
    for key, weight in other.items():
        total = angle.get(key, Fraction(0)) + sign * weight
        angle[key] = total
        if not total:
            del angle[key]
