r"""Directions that no derivative ever sees, and why.

A direction v is structural when :math:`v \cdot \nabla f(\theta, x) = 0` at every parameter vector and for every
sample: a dead parameter, or a combination such as two RZ in a row. Then f depends on fewer coordinates,
:math:`f(\theta) = F(R\theta)`, and :math:`H = R^T H_F R` with as many rows in R as there are pivots.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array, ranges
from vqc_landscape.structure.dependence import Dependence, Reason

MAX_BITS = 1024  # chosen by us: about 20 angles that each mix all parameters by generic floats, a quarter of a second


@dataclass(frozen=True)
class Reduction:
    """The coordinates that a function depends on.

    Attributes:
        pivots: parameters to differentiate, ascending, shape (r,).
        rows: R in reduced row echelon form: identity on the pivots, shape (r, P).
    """

    pivots: NDArray[np.int64]
    rows: Array

    @property
    def free(self) -> NDArray[np.int64]:
        """The other parameters, one for each structural direction, ascending, shape (P - r,)."""
        return np.setdiff1d(np.arange(self.rows.shape[1]), self.pivots)

    @functools.cached_property
    def _mixed(self) -> tuple[NDArray[np.int64], Array]:
        """Parameters that are combinations of pivots, and their columns of R: few, if any."""
        mixed = self.free[np.any(self.rows[:, self.free] != 0, axis=0)]
        return mixed, np.ascontiguousarray(self.rows[:, mixed])

    def expand(self, core: Array) -> Array:
        """R^T core R, shape (P, P), of a symmetric matrix over the pivots; symmetric to the last bit."""
        if len(self.pivots) == self.rows.shape[1]:
            return core
        whole = np.zeros((self.rows.shape[1],) * 2)
        whole[np.ix_(self.pivots, self.pivots)] = core
        mixed, columns = self._mixed
        if len(mixed):
            across = core @ columns
            corner = columns.T @ across
            whole[np.ix_(self.pivots, mixed)], whole[np.ix_(mixed, self.pivots)] = across, across.T
            whole[np.ix_(mixed, mixed)] = (corner + corner.T) / 2
        return whole

    def expand_rows(self, core: Array) -> Array:
        """``core R``, shape (..., P), of derivatives by the pivots (..., r); exactly 0 where nothing depends.

        A sum in a fixed order, without BLAS: the same bytes whatever the number of threads.
        """
        whole = np.zeros((*core.shape[:-1], self.rows.shape[1]))
        whole[..., self.pivots] = core
        mixed, columns = self._mixed
        if len(mixed):
            whole[..., mixed] = np.einsum("...r,rm->...m", core, columns)
        return whole

    @functools.cached_property
    def structural_directions(self) -> Array:
        """Orthonormal basis of the null space of R, shape (P, P - r); unit vectors for dead parameters."""
        free = self.free
        basis = np.zeros((self.rows.shape[1], len(free)))
        basis[free, np.arange(len(free))] = 1.0
        basis[self.pivots] = -self.rows[:, free]
        # modified Gram-Schmidt keeps vectors of different gates apart: zeros stay zeros
        for k in range(len(free)):
            for _ in range(2):
                basis[:, k] -= basis[:, :k] @ (basis[:, :k].T @ basis[:, k])
            basis[:, k] /= np.linalg.norm(basis[:, k])
        return basis


@dataclass(frozen=True)
class StructuralDirection:
    """One direction that the loss cannot see: ``params`` moved by ``weights``, all others at rest.

    Attributes:
        params: a dead parameter; or one that merges with others, and these.
        weights: how far each is moved; 1 for the first.
        reasons: why; more than one if the parameter is in several gates.
    """

    params: tuple[int, ...]
    weights: tuple[float, ...]
    reasons: tuple[Reason, ...]

    def __str__(self) -> str:
        first, *others = self.params
        if others:
            return f"parameter {first} merges with {', '.join(map(str, others))}"
        return f"parameter {first}: {', '.join(self.reasons)}"


class Structure(tuple[StructuralDirection, ...]):
    """All structural directions, one for each column of ``structural_directions`` and spanning the same space.

    Printed, it is a summary: a line for each reason.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        groups: dict[str, list[StructuralDirection]] = defaultdict(list)
        for direction in self:
            groups[", ".join(direction.reasons)].append(direction)
        lines = [f"{len(self)} structural directions"]
        for reason, own in groups.items():
            if len(own[0].params) > 1:
                which = "; ".join(f"{d.params[0]} with {', '.join(map(str, d.params[1:]))}" for d in own)
            else:
                which = ranges([direction.params[0] for direction in own])
            lines.append(f"  {len(own)} {reason}: {which}")
        return "\n".join(lines)


def reduce_exactly(functionals: Iterable[Mapping[int, Fraction]], n_params: int) -> Reduction:
    """The coordinates of a function of some linear functions of its parameters, by exact elimination.

    Fractions that grow beyond 1024 bits are given up: then every parameter that occurs counts as a coordinate.

    Args:
        functionals: the linear functions, as {parameter: weight}.
        n_params: number of parameters P.
    """
    rows: dict[int, dict[int, Fraction]] = {}  # of each pivot
    functionals = list(functionals)
    for functional in functionals:
        rest = dict(functional)
        for pivot in functional.keys() & rows.keys():
            _subtract(rest, rest[pivot], rows[pivot])
        if not rest:
            continue
        new = min(rest)
        rest = {param: weight / rest[new] for param, weight in rest.items()}
        if max(weight.denominator.bit_length() for weight in rest.values()) > MAX_BITS:
            rows = {param: {param: Fraction(1)} for functional in functionals for param in functional}
            break
        for row in rows.values():
            if new in row:
                _subtract(row, row[new], rest)
        rows[new] = rest
    pivots = sorted(rows)
    matrix = np.zeros((len(pivots), n_params))
    for k, pivot in enumerate(pivots):
        for param, weight in rows[pivot].items():
            matrix[k, param] = float(weight)
    return Reduction(np.array(pivots, dtype=np.int64), matrix)


def explain(reduction: Reduction, dependence: Dependence) -> Structure:
    """The structural directions of a reduction with their reasons."""
    directions = []
    for param in reduction.free.tolist():
        column = reduction.rows[:, param]
        partners = np.flatnonzero(column)
        params = (param, *reduction.pivots[partners].tolist())
        weights = (1.0, *(-column[partners]).tolist())
        reasons = (Reason.MERGES,) if len(partners) else dependence.reasons[param]
        directions.append(StructuralDirection(params, weights, reasons))
    return Structure(directions)


def _subtract(row: dict[int, Fraction], factor: Fraction, other: Mapping[int, Fraction]) -> None:
    for param, weight in other.items():
        total = row.get(param, Fraction(0)) - factor * weight
        if total:
            row[param] = total
        else:
            row.pop(param, None)
