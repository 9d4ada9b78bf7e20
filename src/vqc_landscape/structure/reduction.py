r"""Directions along which the loss never changes, and why.

A direction v is *structural* if :math:`v \cdot \nabla f(\theta, x) = 0` at every parameter vector and for every
sample. Examples are a parameter without effect, and the difference of two RZ in a row. Then f depends on fewer
coordinates, :math:`f(\theta) = F(R\theta)`. So :math:`H = R^T H_F R`, where R has one row for each coordinate.
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
    """The coordinates R params that a function depends on.

    Attributes:
        pivots: the parameters that serve as coordinates, to be differentiated; ascending, shape (r,).
        rows: R in reduced row echelon form, the identity on the pivots; shape (r, P).
    """

    pivots: NDArray[np.int64]
    rows: Array

    @property
    def free(self) -> NDArray[np.int64]:
        """The other parameters, one for each structural direction; ascending, shape (P - r,)."""
        return np.setdiff1d(np.arange(self.rows.shape[1]), self.pivots)

    @functools.cached_property
    def _mixed(self) -> tuple[NDArray[np.int64], Array]:
        """Free parameters that move a coordinate, and their columns of R, shape (r, k): few, if any."""
        mixed = self.free[np.any(self.rows[:, self.free] != 0, axis=0)]
        return mixed, np.ascontiguousarray(self.rows[:, mixed])

    @functools.cached_property
    def _places(self) -> NDArray[np.int64]:
        """Of every parameter among pivots, mixed ones, and one more that stands for all without effect; shape (P,)."""
        mixed, _ = self._mixed
        places = np.full(self.rows.shape[1], len(self.pivots) + len(mixed))
        places[self.pivots] = np.arange(len(self.pivots))
        places[mixed] = np.arange(len(self.pivots), places.max(initial=0))
        return places

    def expand(self, core: Array) -> Array:
        """R^T core R for a symmetric matrix over the pivots.

        Args:
            core: shape (r, r).

        Returns:
            Shape (P, P); symmetric to the last bit.
        """
        n, (_, columns) = len(self.pivots), self._mixed
        if n == self.rows.shape[1]:
            return core
        seen = np.zeros((n + columns.shape[1] + 1,) * 2)
        seen[:n, :n] = core
        if columns.shape[1]:
            across = core @ columns
            corner = columns.T @ across
            seen[:n, n:-1], seen[n:-1, :n] = across, across.T
            seen[n:-1, n:-1] = (corner + corner.T) / 2
        return seen.take(self._places, axis=0).take(self._places, axis=1)

    def expand_rows(self, core: Array) -> Array:
        """``core R``, shape (..., P), of derivatives by the pivots (..., r); exactly 0 where nothing depends.

        A sum in a fixed order, without BLAS: the same bytes whatever the number of threads.
        """
        n, (_, columns) = len(self.pivots), self._mixed
        if n == self.rows.shape[1]:
            return core
        seen = np.zeros((*core.shape[:-1], n + columns.shape[1] + 1))
        seen[..., :n] = core
        if columns.shape[1]:
            seen[..., n:-1] = np.einsum("...r,rm->...m", core, columns)
        return seen.take(self._places, axis=-1)

    @functools.cached_property
    def structural_directions(self) -> Array:
        """Orthonormal basis of the null space of R, shape (P, P - r); a unit vector for a parameter without effect."""
        free = self.free
        basis = np.zeros((self.rows.shape[1], len(free)))
        basis[free, np.arange(len(free))] = 1.0
        basis[self.pivots] = -self.rows[:, free]
        # modified Gram-Schmidt keeps vectors of different gates apart: zeros stay zeros
        for k in range(len(free)):
            for _ in range(2):
                basis[:, k] -= basis[:, :k] @ (basis[:, :k].T @ basis[:, k])
            basis[:, k] /= np.linalg.norm(basis[:, k])
        basis.setflags(write=False)
        return basis


@dataclass(frozen=True)
class StructuralDirection:
    """A direction along which the loss does not change: it moves ``params`` by ``weights`` and no other parameter.

    Attributes:
        params: a parameter without effect; or one that merges with others, followed by these.
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
    """All structural directions. They span the same space as the columns of ``structural_directions``.

    Its repr is a summary with one line for each reason.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        by_reason: dict[str, list[StructuralDirection]] = defaultdict(list)
        for direction in self:
            by_reason[", ".join(direction.reasons)].append(direction)
        lines = [f"{len(self)} structural directions"]
        for reason, directions in by_reason.items():
            if len(directions[0].params) > 1:
                which = "; ".join(f"{d.params[0]} with {', '.join(map(str, d.params[1:]))}" for d in directions)
            else:
                which = ranges([direction.params[0] for direction in directions])
            lines.append(f"  {len(directions)} {reason}: {which}")
        return "\n".join(lines)


def reduce_exactly(functionals: Iterable[Mapping[int, Fraction]], n_params: int) -> Reduction:
    """The coordinates of a function that depends on some linear functions of its parameters, by exact elimination.

    If a fraction grows beyond 1024 bits, the elimination stops, and every parameter that occurs becomes a coordinate.

    Args:
        functionals: the linear functions, as {parameter: weight}.
        n_params: number of parameters P.
    """
    rows: dict[int, dict[int, Fraction]] = {}  # {pivot: row}
    functionals = list(functionals)
    for functional in functionals:
        rest = dict(functional)
        for pivot in functional.keys() & rows.keys():
            _subtract(rest, rest[pivot], rows[pivot])
        if not rest:
            continue
        new_pivot = min(rest)
        rest = {param: weight / rest[new_pivot] for param, weight in rest.items()}
        if max(weight.denominator.bit_length() for weight in rest.values()) > MAX_BITS:
            rows = {param: {param: Fraction(1)} for functional in functionals for param in functional}
            break
        for row in rows.values():
            if new_pivot in row:
                _subtract(row, row[new_pivot], rest)
        rows[new_pivot] = rest
    pivots = sorted(rows)
    matrix = np.zeros((len(pivots), n_params))
    for k, pivot in enumerate(pivots):
        for param, weight in rows[pivot].items():
            matrix[k, param] = float(weight)
    return Reduction(np.array(pivots, dtype=np.int64), matrix)


def explain(reduction: Reduction, dependence: Dependence) -> Structure:
    """The structural directions of a reduction with their reasons, one for each of its free parameters.

    Args:
        reduction: of the functionals of ``dependence``.
        dependence: of the function.
    """
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
    """Subtract ``factor`` times another row, in place; rows hold no zeros."""
    for param, weight in other.items():
        total = row.get(param, Fraction(0)) - factor * weight
        if total:
            row[param] = total
        else:
            row.pop(param, None)
