r"""Angles as affine functions of the parameters, read off from their values at a few points.

:math:`a_k(\theta, x) = b_k(x) + \sum_i A_{ki}(x) \theta_i`, with any functions of the features as coefficients. No
gradient framework is involved. The points are generic and of both signs, some of them far out, where abs, clip, % and
their like are no longer what they are nearby; and there is one point more than there are unknowns, for every row.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.circuits.qnode.parts import NotTakenError

RTOL = 1e-10  # agreement of an angle that is computed in float64 in two ways
AT_ONCE = 256  # parameters whose effect is looked at in one go: it bounds the memory; chosen by us
SAME = 1e-12  # the same for one that does not depend on the parameters at all

Pattern = list[tuple[int, ...]]  # parameters of each angle, ascending
Angles = Callable[[Array], Array]  # of points (n, P), shape (n_angles, n)


class Points:
    """The points at which angles are looked at.

    Args:
        n_params: number of parameters P.
    """

    def __init__(self, n_params: int) -> None:
        self.n_params = n_params
        self._rng = np.random.default_rng(0)
        # positive and near, negative, far out; then any signs
        self._made = [self._draw(1.0, 2.0), -self._draw(1.0, 8.0), 12 * self._draw(1.0, 8.0)]

    def first(self, n: int) -> Array:
        """The first n points, shape (n, P)."""
        while len(self._made) < n:
            self._made.append(self._draw(1.0, 8.0) * self._rng.choice([-1.0, 1.0], self.n_params))
        return np.array(self._made[:n]).reshape(n, self.n_params)

    @functools.cached_property
    def careful(self) -> Array:
        """More points at which an angle must be what it is elsewhere, shape (22, P); the first ones for every row.

        Some are far out and some close to zero. The others are in each of 16 equal parts of two turns, for every
        parameter, in an order of its own.
        """
        near, far, small = self._draw(1.0, 8.0), self._draw(0.1, 8.0), self._draw(0.01, 0.3)
        signs = np.where(np.arange(self.n_params) % 2, 1.0, -1.0)
        parts = self._rng.permuted(np.tile(np.arange(-8.0, 8.0), (self.n_params, 1)), axis=1).T
        turns = [np.pi / 4 * (part + self._draw(0.05, 0.95)) for part in parts]
        found = [turns[0], 12 * far * signs, -12 * far * signs, small * signs, *turns[1:3], near * signs]
        return np.array([*found, -near * signs, -small * signs, *turns[3:]]).reshape(22, self.n_params)

    def _draw(self, low: float, high: float) -> Array:
        # 30 bits: products with simple coefficients are exact, but no number is one in single precision
        return (2 * np.round(self._rng.uniform(low, high, self.n_params) * 2**29) + 1) / 2**30


def find_pattern(angles: Angles, points: Points) -> Pattern:
    """Parameters of each angle: by the ratio of two changes where it has one, else one parameter at a time."""
    start, *others = points.first(3)
    values = angles(points.first(3))
    moved = values[:, 1:] - values[:, :1]
    steps = np.array([other - start for other in others])
    still = np.all(np.abs(moved) <= SAME * np.maximum(1.0, np.abs(values).max(axis=1))[:, None], axis=1)
    pattern: list[tuple[int, ...] | None] = [() if same else None for same in still]
    if points.n_params:
        ratios = steps[1] / steps[0]
        order = np.argsort(ratios)
        for k in np.flatnonzero(~still):
            if moved[k, 0] == 0:
                continue
            ratio = moved[k, 1] / moved[k, 0]
            place = min(int(np.searchsorted(ratios[order], ratio - RTOL * abs(ratio))), points.n_params - 1)
            param = int(order[place])
            if abs(ratios[param] - ratio) <= RTOL * max(1.0, abs(ratio)):
                pattern[k] = (param,)
    if None in pattern:
        found = one_at_a_time(angles, start)
        pattern = [found[k] if own is None else own for k, own in enumerate(pattern)]
    return [own or () for own in pattern]


def one_at_a_time(angles: Angles, start: Array) -> Pattern:
    """Parameters that move each angle."""
    here = angles(start[np.newaxis])
    found: list[list[int]] = [[] for _ in here]
    for first in range(0, len(start), AT_ONCE):
        params = np.arange(first, min(first + AT_ONCE, len(start)))
        points = np.tile(start, (len(params), 1))
        points[np.arange(len(params)), params] += 1.0
        moved = np.abs(angles(points) - here) > SAME * np.maximum(1.0, np.abs(here))
        for own, row in zip(found, moved, strict=True):
            own += params[row].tolist()
    return [tuple(own) for own in found]


def solve(pattern: Sequence[tuple[int, ...]], points: Array, values: Array) -> tuple[Array, Array]:
    """Offset and slopes of every angle, and the largest disagreement of each.

    Args:
        pattern: parameters of each angle.
        points: shape (n_points, P), at least one more than unknowns.
        values: angles at the points, for every row of data, shape (n_angles, n_rows, n_points).

    Returns:
        coefficients in the order of the terms (offset, slopes, next angle), shape (n_rows, n_terms); disagreement,
        relative to the angle where that is above 1, shape (n_angles, n_rows).
    """
    starts = np.cumsum([0] + [1 + len(own) for own in pattern])
    coefficients = np.empty((values.shape[1], starts[-1]))
    misfit = np.empty(values.shape[:2])
    for own in set(pattern):
        members = [k for k, other in enumerate(pattern) if other == own]
        n = 1 + len(own)
        matrix = np.concatenate([np.ones((len(points), 1)), points[:, list(own)]], axis=1)
        solved = np.linalg.solve(matrix[:n], values[members][..., :n, np.newaxis])[..., 0]
        solved = _tidy(solved)
        for k, found in zip(members, solved, strict=True):
            coefficients[:, starts[k] : starts[k] + n] = found
        expected = solved @ matrix.T
        scale = np.maximum(1.0, np.abs(values[members]).max(axis=-1))
        misfit[members] = np.abs(expected - values[members]).max(axis=-1) / scale
    return coefficients, misfit


def _tidy(solved: Array) -> Array:
    """Without the round-off of the solution, where a multiple of 1/16 is that close."""
    simple = np.round(solved * 16) / 16
    return np.where(np.abs(solved - simple) <= SAME * np.maximum(1.0, np.abs(simple)), simple, solved)


def check_affine(misfit: Array, what: Callable[[int], str]) -> None:
    """Refuse angles that are no affine functions of the parameters.

    Args:
        misfit: of each angle, shape (n_angles, n_rows).
        what: text for the number of an angle.

    Raises:
        NotTakenError: one of them; it is named.
    """
    worst = misfit.max(axis=1, initial=0.0)
    wrong = np.flatnonzero(~(worst <= RTOL))
    if not len(wrong):
        return
    k = int(wrong[0])
    if not np.isfinite(worst[k]):
        raise NotTakenError(f"The angle of {what(k)} is not a finite number at every point and for every row.")
    if worst[k] < 1e-5:  # seven digits are those of float32
        raise NotTakenError(
            f"The angle of {what(k)} is computed in single precision, {worst[k]:.0e} off. Compute angles in float64."
        )
    raise NotTakenError(
        f"The angle of {what(k)} is not affine in the parameters. Angles may be sums of parameters times numbers or "
        "functions of the features; make what is nonlinear a parameter of its own."
    )
