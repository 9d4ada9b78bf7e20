"""Elimination over GF(2), against all sums of the rows."""

from __future__ import annotations

import itertools
import operator
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqc_landscape.circuits.gf2 import Echelon, LabelledEchelon, array_basis

DRAWN = settings(derandomize=True, database=None, deadline=None)
ROWS = st.lists(st.integers(0, 63), max_size=7)


def sums(rows: list[int]) -> set[int]:
    """Of every subset."""
    subsets = itertools.chain.from_iterable(itertools.combinations(rows, n) for n in range(len(rows) + 1))
    return {reduce(operator.xor, subset, 0) for subset in subsets}


def labelled(rows: list[int]) -> LabelledEchelon[frozenset[int]]:
    """Labels: which of the rows were added up."""
    echelon = LabelledEchelon[frozenset[int]](operator.xor)
    for k, row in enumerate(rows):
        echelon.add(row, frozenset([k]))
    return echelon


def assert_echelon(rows: list[int]) -> None:
    highest = [row.bit_length() for row in rows]
    assert 0 not in highest and highest == sorted(set(highest), reverse=True)


@DRAWN
@given(ROWS)
def test_a_row_is_added_if_it_is_no_sum_of_the_rows_before(rows: list[int]) -> None:
    echelon = Echelon()
    for k, row in enumerate(rows):
        assert echelon.add(row) == (row not in sums(rows[:k]))
    again = echelon.copy()
    again.add(64)
    assert echelon.rows == Echelon(rows).rows == again.rows[1:]
    assert_echelon(echelon.rows)
    assert sums(echelon.rows) == sums(rows)


@DRAWN
@given(ROWS, st.integers(0, 63), st.integers(0, 63))
def test_what_is_left_of_a_row_is_the_smallest_of_its_coset(rows: list[int], one: int, other: int) -> None:
    echelon = Echelon(rows)
    assert echelon.reduce(one) == min(one ^ row for row in sums(rows))
    assert echelon.reduce(one ^ other) == echelon.reduce(one) ^ echelon.reduce(other)


@DRAWN
@given(ROWS, st.integers(0, 63))
def test_labels_say_which_rows_were_added(rows: list[int], extra: int) -> None:
    echelon = labelled(rows)
    assert [row for row, _ in echelon.rows] == Echelon(rows).rows
    rest, label = echelon.reduce(extra, frozenset([-1]))
    values = dict(enumerate(rows)) | {-1: extra}
    for row, members in [*echelon.rows, (rest, label)]:
        assert row == reduce(operator.xor, (values[k] for k in members), 0)
    assert -1 in label and rest == Echelon(rows).reduce(extra)
    assert echelon.add(extra, frozenset([-1])) == (rest > 0)


@DRAWN
@given(ROWS, st.integers(0, 63))
def test_the_restriction_keeps_the_sums_on_which_a_function_is_0(rows: list[int], mask: int) -> None:
    echelon = LabelledEchelon[int](operator.xor)  # each row labels itself
    for row in rows:
        echelon.add(row, row)
    whole = echelon.copy()
    echelon.restrict(lambda row: (row & mask).bit_count() % 2 == 1)
    kept = [row for row, _ in echelon.rows]
    assert all(row == label for row, label in echelon.rows)
    assert_echelon(kept)
    assert sums(kept) == {row for row in sums(rows) if (row & mask).bit_count() % 2 == 0}
    assert [row for row, _ in whole.rows] == Echelon(rows).rows  # a copy of its own


@DRAWN
@given(ROWS)
def test_an_array_has_the_same_sums_as_its_rows(rows: list[int]) -> None:
    array = np.array(rows, dtype=np.int64)
    basis = array_basis(array)
    assert_echelon(basis)
    assert sums(basis) == sums(rows)
    assert array.tolist() == rows


@pytest.mark.parametrize("shift", [0, 100])  # longer than a machine word
def test_all_pairs_of_short_rows(shift: int) -> None:
    for one, other in itertools.product(range(8), repeat=2):
        echelon = Echelon([one << shift, other << shift])
        assert len(echelon.rows) == len({one, other} - {0})
        assert echelon.reduce((one ^ other) << shift) == 0
