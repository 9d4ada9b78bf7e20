"""Eigenvalues and eigenvectors of the Hessians."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vqc_landscape.curvature.spectrum import spectrum
from vqc_landscape.studies.build import make_risk
from vqc_landscape.studies.inputs import read_samples
from vqc_landscape.tables.parquet import read_table, write_table

if TYPE_CHECKING:
    from vqc_landscape.config import Problem


def write_spectra(problem: Problem, hessians: Sequence[str], dataset: str | None, output: str) -> None:
    """Write the eigenpairs of every Hessian, ascending, the structural ones flagged."""
    import pandas as pd

    structural = make_risk(problem, read_samples(dataset, "train")).structural_directions
    rows = read_table("hessians", hessians).sort_values(["epoch", "row"])
    frames = [
        spectrum(np.stack(values.to_list()), structural).to_pandas().assign(epoch=epoch)
        for epoch, values in rows.groupby("epoch")["values"]
    ]
    write_table("spectra", output, {**pd.concat(frames)})
