"""Argument checks: what they accept, and that each error names the argument, what is allowed, and what it is."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch

from vqc_landscape.checks import as_matrix, as_vector, check_choice, check_count, check_positive, check_type


@pytest.mark.parametrize(
    "value",
    [
        [[0.0, 1.0], [2.0, 3.0]],
        np.arange(4).reshape(2, 2),
        np.arange(4, dtype=np.float32),
        np.arange(8.0)[::2] / 2,  # strided: the engine needs it contiguous
        torch.arange(4.0, requires_grad=True),
        (0, 1, 2, 3),
    ],
)
def test_as_vector_flattens_whatever_holds_the_numbers(value: object) -> None:
    vector = as_vector("params", value, 4)
    np.testing.assert_array_equal(vector, [0.0, 1.0, 2.0, 3.0])
    assert vector.shape == (4,) and vector.dtype == np.float64 and vector.flags.c_contiguous


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros((3, 2)), r"Argument `params` must have 4 entries, but has shape \(3, 2\)\."),
        (0.5, r"Argument `params` must have 4 entries, but has shape \(\)\."),
        ([0.0, 1.0, np.nan, 3.0], "Argument `params` must be finite, but holds NaN or infinity"),
        ([0.0, 1.0, -np.inf, 3.0], "Argument `params` must be finite"),
        ([[0.0, 1.0], [2.0]], r"Argument `params` must be an array of real numbers \("),
        (np.ones(4) * 1j, "Argument `params` must be an array of real numbers, but is of type complex128"),
        (["0", "1", "2", "3"], "Argument `params` must be an array of real numbers, but is of type <U1"),
        (None, "Argument `params` must be an array of real numbers, but is a NoneType"),
        ({"w": 0.1}, "Argument `params` must be an array of real numbers, but is a dict"),
        ([True] * 4, r"array of real numbers, but is of type bool; \.astype\(float\) makes 0 and 1 of it"),
    ],
)
def test_as_vector_refuses(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        as_vector("params", value, 4)


def test_as_matrix_takes_the_allowed_numbers_of_columns() -> None:
    assert as_matrix("features", np.zeros((5, 2)), (2, 3)).shape == (5, 2)
    assert as_matrix("features", torch.zeros(1, 3), (2, 3)).dtype == np.float64


@pytest.mark.parametrize("shape", [(5, 4), (5,), (0, 2), (2, 2, 2)])
def test_as_matrix_refuses(shape: tuple[int, ...]) -> None:
    with pytest.raises(
        ValueError, match=r"Argument `features` must have shape \(n, 2 or 3\) with n > 0, but has shape"
    ):
        as_matrix("features", np.zeros(shape), (2, 3))


def test_check_count() -> None:
    assert check_count("shots", np.int64(3)) == 3
    assert type(check_count("shots", np.int64(3))) is int
    for value in (0, 1.0, True, "3", None):
        with pytest.raises(ValueError, match=f"Argument `shots` must be a whole number at least 1, but is {value!r}"):
            check_count("shots", value)
    for value in (-1, 9):
        with pytest.raises(ValueError, match=f"`wire` must be a whole number between 0 and 8, but is {value}"):
            check_count("wire", value, minimum=0, maximum=8)


def test_check_choice() -> None:
    assert check_choice("loss", "mse", ("mse", "infidelity")) == "mse"
    with pytest.raises(ValueError, match="Argument `loss` must be one of mse, infidelity, but is 'msr'"):
        check_choice("loss", "msr", ("mse", "infidelity"))


def test_check_type() -> None:
    assert check_type("name", "text", str, "input") == "text"
    with pytest.raises(ValueError, match="Argument `name` must be a str, as input returns, but is of type list"):
        check_type("name", ["text"], str, "input")


def test_check_positive() -> None:
    assert check_positive("rate", np.float64(0.5)) == 0.5
    for value in (0, -0.1, [0.1]):
        with pytest.raises(ValueError, match=f"`rate` must be a number above 0, but is {re.escape(repr(value))}"):
            check_positive("rate", value)
    with pytest.raises(ValueError, match="`rate` must be finite"):
        check_positive("rate", math.nan)
