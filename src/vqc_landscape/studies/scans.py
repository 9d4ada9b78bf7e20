"""The loss along eigenvectors of the Hessian (Fig. 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vqc_landscape.studies.build import make_risk
from vqc_landscape.studies.inputs import read_params, read_samples
from vqc_landscape.tables.parquet import read_table, write_table

if TYPE_CHECKING:
    from vqc_landscape.config import Experiment


def write_scans(experiment: Experiment, trajectory: str, spectra: str, dataset: str | None, output: str) -> None:
    """Write the loss at params + t * eigenvector, for t from -radius to radius (radians)."""
    scans = experiment.scans
    assert scans is not None
    risk = make_risk(experiment, read_samples(dataset, "train"))
    (params,) = read_params(trajectory, [scans.epoch])
    pairs = read_table("spectra", spectra).query("epoch == @scans.epoch").set_index("position")
    t = np.linspace(-scans.radius, scans.radius, scans.n_points)
    parts = []
    for position in scans.positions:
        position %= len(pairs)  # -1 is the largest eigenvalue
        pair = pairs.loc[position]
        parts.append(
            {
                "epoch": np.full(len(t), scans.epoch),
                "position": np.full(len(t), position),
                "eigval": np.full(len(t), pair["eigval"]),
                "structural": np.full(len(t), pair["structural"]),
                "t": t,
                "loss": risk.losses(params + np.outer(t, pair["eigvec"])),
            }
        )
    write_table("scans", output, {name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
