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
    from vqc_landscape.config import Experiment


def write_spectra(experiment: Experiment, hessians: Sequence[str], dataset: str | None, output: str) -> None:
    """Write the eigenpairs of every Hessian, ascending, the structural ones flagged."""
    structural = make_risk(experiment, read_samples(dataset, "train")).structural_directions
    rows = read_table("hessians", hessians).sort_values(["epoch", "row"])
    parts = []
    for epoch, values in rows.groupby("epoch")["values"]:
        result = spectrum(np.stack(values.to_list()), structural)
        n_params = len(result.eigvals)
        parts.append(
            {
                "epoch": np.full(n_params, epoch),
                "position": np.arange(n_params),
                "eigval": result.eigvals,
                "eigvec": result.eigvecs.T,
                "structural": result.structural,
                "tolerance": np.full(n_params, result.tolerance),
            }
        )
    write_table("spectra", output, {name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
