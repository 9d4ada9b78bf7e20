"""How far the published code's Hessians are from the exact ones, at the same parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.studies.build import make_risk
from vqc_landscape.studies.inputs import read_params, read_samples
from vqc_landscape.tables.parquet import read_table, write_table

if TYPE_CHECKING:
    from vqc_landscape.config import Problem


def write_convention_errors(
    problem: Problem, trajectory: str, hessians: Sequence[str], dataset: str | None, output: str
) -> None:
    """Write, for every Hessian of an as-published problem, its error against the exact Hessian there.

    Args:
        problem: of convention ``as_published``.
        trajectory: table of its parameters.
        hessians: parts of the table of its Hessians.
        dataset: table of samples; None for state preparation.
        output: the part file.
    """
    samples = read_samples(dataset, "train")
    published = make_risk(problem, samples)
    exact = make_risk(problem.model_copy(update={"convention": "exact"}), samples)
    rows = read_table("hessians", hessians).sort_values(["epoch", "row"])
    epochs = rows["epoch"].unique().tolist()
    points = read_params(trajectory, epochs)
    pairs = [
        (np.stack(values.to_list()), exact.hessian(params))
        for (_, values), params in zip(rows.groupby("epoch")["values"], points, strict=True)
    ]
    columns = {
        "epoch": epochs,
        "loss": [published.loss(params) for params in points],
        "loss_exact": [exact.loss(params) for params in points],
        "hessian_error": [relative_error(ours, theirs) for ours, theirs in pairs],
        "eigval_error": [relative_error(*np.linalg.eigvalsh(np.stack(pair))) for pair in pairs],
    }
    write_table("convention_errors", output, columns)


def relative_error(value: Array, exact: Array) -> float:
    """``|value - exact| / |exact|`` in the Frobenius norm, infinite where ``exact`` is 0.

    For eigenvalues both are in ascending order.
    """
    size = np.linalg.norm(exact)
    return float(np.linalg.norm(value - exact) / size) if size else math.inf
