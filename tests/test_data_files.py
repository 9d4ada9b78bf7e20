"""What the target of a user's table is: classes, numbers to be fitted, or what may be either and has to be said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from vqc_landscape.config import FileData
from vqc_landscape.studies.user_samples import file_samples


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def targets(values: list[Any], **keys: Any) -> list[float]:
    """y of a file with these targets, in the order of its rows."""
    pd.DataFrame({"x": range(len(values)), "y": values}).to_csv("y.csv", index=False)
    section = {"file": "y.csv", "features": ["x"], "target": "y", "n_test": 1} | keys
    x, y, _ = file_samples(FileData.model_validate(section))
    return y[np.argsort(x[:, 0])].tolist()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            [0, 1, 0, 1],
            "y.csv, column 'y' holds 0, 1: classes, or numbers? Write data.target_is: classes, which makes 0",
        ),
        (
            [1.0, 2.0, 2.0, 1.0],
            "Write data.target_is: classes, which makes 1 -1 and 2 1; or data.target_is: numbers, to fit them",
        ),
        (
            [0, 1, 2] * 2,
            "holds 0, 1, 2: classes, or numbers? Write two labels, or -1 and 1, for a classification; or",
        ),
        ([-1, 0, 1] * 2, "holds -1, 0, 1: classes, or numbers? Write two labels"),
        (list(range(10)) * 2, "holds 0, 1, 2, 3, 4, ...: classes, or numbers? Write two labels"),
    ],
)
def test_whole_numbers_that_may_be_classes_are_refused_until_it_is_said(
    here: Path, values: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        targets(values)
    assert targets(values, target_is="numbers") == values


@pytest.mark.parametrize(
    "values",
    [[-1, 1, 1, -1], [1, 1, 1, 1], [0.5, 1.0, 0.5, 1.0], list(range(11)) * 2, [1, 2, 3, 4], [0.1, 0.2, 0.3, 0.4]],
    ids=["-1 and 1", "one", "a half", "eleven", "each once", "real"],
)
def test_other_numbers_stay_as_they_are(here: Path, values: list[float]) -> None:
    assert targets(values) == targets(values, target_is="numbers") == values


def test_two_labels_of_any_kind_are_classes(here: Path) -> None:
    expected = [-1.0, 1.0, 1.0, -1.0]
    assert targets([0, 1, 1, 0], target_is="classes") == expected
    assert targets([-1, 1, 1, -1], target_is="classes") == expected
    assert targets(["cat", "dog", "dog", "cat"], target_is="classes") == expected
    with pytest.raises(ValueError, match=r"must be two classes, as data.target_is says, but has 3: 0, 1.5, 2"):
        targets([0, 1.5, 2, 2], target_is="classes")


def test_a_table_that_ends_every_row_with_a_comma_is_not_shifted(here: Path) -> None:
    (here / "comma.csv").write_text("x,y\n1,-1,\n2,1,\n3,1,\n")
    x, y, _ = file_samples(FileData(file="comma.csv", features=["x"], target="y", n_test=1))
    assert sorted(zip(x[:, 0].tolist(), y.tolist(), strict=True)) == [(1.0, -1.0), (2.0, 1.0), (3.0, 1.0)]
