"""The loss along eigenvectors of the Hessian (Fig. 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vqc_landscape.curvature.scans import eigenvector_scans
from vqc_landscape.curvature.spectrum import Spectrum
from vqc_landscape.studies.build import make_risk
from vqc_landscape.studies.inputs import read_params, read_samples
from vqc_landscape.tables.parquet import read_table, write_table

if TYPE_CHECKING:
    from vqc_landscape.config import Problem, ScansConfig


def write_scans(
    problem: Problem, scans: ScansConfig, trajectory: str, spectra: str, dataset: str | None, output: str
) -> None:
    """Write the loss at params + t * eigenvector, for t from -radius to radius (radians)."""
    risk = make_risk(problem, read_samples(dataset, "train"))
    (params,) = read_params(trajectory, [scans.epoch])
    pairs = Spectrum.from_pandas(read_table("spectra", spectra).query("epoch == @scans.epoch"))
    found = eigenvector_scans(risk, params, pairs, scans.positions, scans.radius, scans.n_points).to_pandas()
    write_table("scans", output, {"epoch": [scans.epoch] * len(found), **found})
