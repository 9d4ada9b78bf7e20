"""Elimination over GF(2): rows are bit masks, and the sum of two rows is their XOR.

A row is a non-negative integer of any length. The compiled kernels cannot call this module; they have an elimination
of their own, ``echelon_pivots`` in :mod:`vqc_landscape.simulator.cpu.kernels`.
"""

from __future__ import annotations

import bisect
import operator
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Label = TypeVar("Label")


class Echelon:
    """Independent rows whose highest bits all differ.

    Args:
        rows: added one after the other.

    Attributes:
        rows: the rows, descending; as many as the rank of all rows that were added.

    Example:
        >>> echelon = Echelon([0b110, 0b011])
        >>> echelon.add(0b101), echelon.reduce(0b111)  # 101 is the sum of the two; 111 leaves 001
        (False, 1)
    """

    def __init__(self, rows: Iterable[int] = ()) -> None:
        self.rows: list[int] = []
        for row in rows:
            self.add(row)

    def reduce(self, row: int) -> int:
        """What is left of a row when sums of the stored rows are taken away; 0 if it is such a sum.

        Rows that differ by a sum of stored rows leave the same. The map is linear.
        """
        for other in self.rows:
            row = min(row, row ^ other)
        return row

    def add(self, row: int) -> bool:
        """Add a row; False if it is a sum of the stored rows, which then stay as they are."""
        rest = self.reduce(row)
        if rest:
            bisect.insort(self.rows, rest, key=operator.neg)
        return rest > 0

    def copy(self) -> Echelon:
        """One with the same rows, to which others can be added."""
        other = Echelon()
        other.rows = self.rows[:]
        return other


class LabelledEchelon(Generic[Label]):
    """Independent rows whose highest bits all differ, each with a label that takes part in every sum.

    Where the label of a row is the operator that the row stands for, the label of a sum is the product of operators.

    Args:
        combine: the label of the sum of two rows, of their labels.

    Attributes:
        rows: (row, label), the rows descending.
    """

    def __init__(self, combine: Callable[[Label, Label], Label]) -> None:
        self.combine = combine
        self.rows: list[tuple[int, Label]] = []

    def copy(self) -> LabelledEchelon[Label]:
        """One with the same rows, to which others can be added."""
        other = LabelledEchelon(self.combine)
        other.rows = self.rows[:]
        return other

    def reduce(self, row: int, label: Label) -> tuple[int, Label]:
        """What is left of a row, as in :meth:`Echelon.reduce`, and the label of that."""
        for other, its_label in self.rows:
            if row ^ other < row:
                row, label = row ^ other, self.combine(label, its_label)
        return row, label

    def add(self, row: int, label: Label) -> bool:
        """Add a row; False if it is a sum of the stored rows, which then stay as they are."""
        rest, label = self.reduce(row, label)
        if rest:
            bisect.insort(self.rows, (rest, label), key=lambda stored: -stored[0])
        return rest > 0

    def restrict(self, is_odd: Callable[[Label], bool]) -> None:
        """Keep the sums on which a linear function is 0: those with an even number of odd rows.

        Args:
            is_odd: the linear function; whether it is 1 on the row with this label.
        """
        odd = [k for k, (_, label) in enumerate(self.rows) if is_odd(label)]
        if odd:
            *others, lowest = odd  # adding the lowest changes no highest bit of the others
            for k in others:
                row, label = self.rows[k]
                self.rows[k] = row ^ self.rows[lowest][0], self.combine(label, self.rows[lowest][1])
            del self.rows[lowest]


def array_basis(rows: NDArray[np.int64]) -> list[int]:
    """A basis of the sums of many rows, all eliminated at once; its highest bits differ and descend.

    It spans what ``Echelon(rows).rows`` spans, but need not consist of the same rows.

    Args:
        rows: non-negative, shape (n,).
    """
    basis = []
    while rows.any():
        pivot = rows.max()
        rows = np.minimum(rows, rows ^ pivot)  # takes the highest bit of the pivot from all rows
        basis.append(int(pivot))
    return basis
