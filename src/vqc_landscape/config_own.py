"""Sections of the configuration for what a user brings along: a circuit or network, data, planes, figures."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from vqc_landscape.config_faults import REFERENCE, TABLE_FILE
from vqc_landscape.config_types import Count, Epoch, Finite, Positive, Section

Reference = Annotated[str, Field(pattern=REFERENCE)]
PlaneName = Literal["eigenvectors", "random", "pca"]
FigureName = Literal["training", "spectra", "tracks", "scans", "planes"]


class Expectation(Section):
    """Loss <O>: an energy, or whatever a QNode returns."""

    loss: Literal["expval"] = Field(description="the expectation value itself")
    observable: dict[Annotated[str, Field(pattern=r"^[XYZ][0-9]+( [XYZ][0-9]+)*$")], Finite] = Field(
        default={},
        description="for a built-in ansatz: Pauli words with their coefficients, such as {Z0 Z1: -1.0, X0: 0.5}; "
        "a QNode has its own observable",
    )


class BundledData(Section):
    """Two classes of a data set that comes with scikit-learn, as principal components."""

    name: Literal["iris", "breast_cancer"] = Field(description="data set")
    classes: tuple[Epoch, Epoch] = Field(default=(0, 1), description="numbers of the two classes: y = -1, y = +1")
    n_features: Annotated[int, Field(ge=1, le=64, strict=True)] = Field(
        default=4, description="number of principal components, each scaled to [-pi/2, pi/2] on the training samples"
    )
    n_train: Count = Field(description="number of training samples")
    n_test: Count = Field(description="number of test samples")
    seed: Epoch = Field(default=0, description="seed of the choice of samples")

    @model_validator(mode="after")
    def _two(self) -> BundledData:
        if self.classes[0] == self.classes[1]:
            raise ValueError(f"classes is {list(self.classes)}, but must name two different classes")
        return self


class FileData(Section):
    """Samples of a CSV or Parquet file, one row each."""

    file: Annotated[str, Field(pattern=TABLE_FILE)] = Field(
        description="path of a .csv or .parquet file, from the folder that Snakemake runs in"
    )
    features: Annotated[list[str], Field(min_length=1)] = Field(description="columns of numbers, in their order")
    target: str = Field(description="column of numbers, or of two labels: the first in the alphabet is y = -1")
    n_test: Count = Field(description="number of test samples; all others are for training")
    scale: Positive | None = Field(
        default=None, description="map every feature onto [-scale, scale] of the training samples; null: as it is"
    )
    seed: Epoch = Field(default=0, description="seed of the choice of test samples")


def kind_of_data(value: Any) -> str:
    """Which section describes the data."""
    keys = value if isinstance(value, dict) else getattr(value, "__dict__", {})  # anything but a section is refused
    if "file" in keys:
        return "file"
    return "bundled" if keys.get("name") in ("iris", "breast_cancer") else "disk"


def kind_of_model(value: Any) -> str:
    """Whether a circuit or network is the user's own, given by name."""
    return "own" if isinstance(value, str) else "built_in"


def own_or(section: Any) -> Any:
    """Type of a key that holds a section, or the name of the user's own object."""
    return Annotated[
        Annotated[section, Tag("built_in")] | Annotated[Reference, Tag("own")], Discriminator(kind_of_model)
    ]


class PlanesConfig(Section):
    """Loss on planes through the parameters of one epoch."""

    axes: Annotated[list[PlaneName], Field(min_length=1)] = Field(
        default=["eigenvectors", "random", "pca"],
        description="eigenvectors: of the two largest eigenvalues; random: isotropic; "
        "pca: first two principal components of the training run, the run drawn on it",
    )
    epoch: Epoch = Field(description="epoch of the centre (pca: always the last)")
    n_grid: Annotated[int, Field(ge=2, le=2001, strict=True)] = Field(default=51, description="grid points per axis")
    radius: Positive = Field(default=math.pi, description="from -radius to radius, radians (pca: fits the run)")
    extremes: bool = Field(
        default=False, description="also the smallest and largest eigenvalue of the Hessian at every point"
    )
    seed: Epoch = Field(default=0, description="seed of the random directions")
