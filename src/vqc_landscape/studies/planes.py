"""The loss on planes through the parameters of one epoch of a training run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.curvature.planes import Plane, eigenvector_plane, pca_plane, plane_grid, random_plane
from vqc_landscape.curvature.spectrum import Spectrum
from vqc_landscape.studies.build import make_risk
from vqc_landscape.studies.inputs import read_samples
from vqc_landscape.tables.parquet import read_table, write_table

if TYPE_CHECKING:
    import pandas as pd

    from vqc_landscape.config import PlanesConfig, Problem


def write_planes(
    problem: Problem,
    planes: PlanesConfig,
    trajectory: str,
    dataset: str | None,
    output: str,
    spectra: str | None = None,
) -> None:
    """Write the loss on the grid of each plane, and where the epochs of the training run lie on it.

    A run is projected onto the plane of its principal components; the other planes show their centre alone.

    Raises:
        ValueError: the plane of eigenvectors without ``spectra``.
    """
    import pandas as pd

    risk = make_risk(problem, read_samples(dataset, "train"))
    run = read_table("trajectories", trajectory).set_index("epoch")["params"]
    frames = []
    for name in planes.axes:
        plane = _plane(name, run, planes.epoch, planes.seed, spectra)
        radius = None if name == "pca" else planes.radius
        grid = plane_grid(risk, plane, planes.n_grid, radius, planes.extremes).to_pandas()
        epochs = run.index if name == "pca" else [planes.epoch]
        grid["epoch"] = grid["step"].map(dict(enumerate(epochs)), na_action="ignore")
        frames.append(grid.assign(plane=name, axis_a=plane.labels[0], axis_b=plane.labels[1]))
    whole = pd.concat(frames)
    columns: dict[str, list[object]] = {str(name): whole[name].to_list() for name in whole if name != "step"}
    columns["epoch"] = [None if pd.isna(epoch) else int(epoch) for epoch in whole["epoch"]]
    write_table("planes", output, columns)


def _plane(name: str, run: pd.Series, epoch: int, seed: int, spectra: str | None) -> Plane:
    centre: Array = np.array(run[epoch])
    if name == "pca":
        return pca_plane(np.stack(run.to_list()))
    if name == "random":
        return random_plane(centre, seed)
    if spectra is None:
        raise ValueError("The plane of eigenvectors needs the table of spectra, which was not given.")
    pairs = read_table("spectra", spectra)
    return eigenvector_plane(centre, Spectrum.from_pandas(pairs[pairs["epoch"] == epoch]))
