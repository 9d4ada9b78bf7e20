"""Sections of the configuration for what is computed: one section, one table."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from vqc_landscape.config.messages import LETTER
from vqc_landscape.config.types import (
    Activation,
    Count,
    Epoch,
    EpochList,
    Epochs,
    Finite,
    Initialiser,
    Layers,
    Once,
    Positive,
    Qubits,
    Section,
)

PlaneName = Literal["eigenvectors", "random", "pca"]


class ShardsConfig(Section):
    """One Hessian spread over jobs, whose partial sums are added in a fixed order."""

    samples: Count = Field(default=1, description="slices of the training samples, a job each")
    blocks: Annotated[int, Field(ge=1, le=1000, strict=True)] = Field(
        default=1,
        description="blocks of parameters (circuits only); each pair of blocks is a job that carries these two: "
        "blocks * (blocks - 1) / 2 jobs for every slice of samples",
    )

    @property
    def n_pairs(self) -> int:
        """Number of pairs of parameter blocks; one block, or two, are one job."""
        return max(1, self.blocks * (self.blocks - 1) // 2)

    @property
    def n_jobs(self) -> int:
        """Number of jobs for the Hessians of one block of epochs."""
        return self.samples * self.n_pairs


class HessianConfig(Section):
    """Exact Hessians over the whole training set."""

    epochs: Epochs = Field(default="all", description="epochs that get a Hessian: all, or a list")
    epochs_per_job: Count = Field(default=16, description="epochs in one job")
    shards: ShardsConfig = Field(default=ShardsConfig(), description="jobs that share one Hessian")


class EnsembleConfig(Section):
    """Many initial points of one model, trained and differentiated together: eigenvalues, no Hessian is kept."""

    epochs: EpochList = Field(description="epochs that get a spectrum")
    activations: Annotated[list[Activation], Once] = Field(
        default=[], description="networks: every one of these; empty: network.activation alone"
    )
    initialisers: Annotated[list[Initialiser], Once] = Field(
        default=[], description="networks: every one of these; empty: network.initialiser alone"
    )
    n_extremes: Count | None = Field(
        default=None, description="eigenvalues at either end, by Lanczos; null: all, by diagonalising the Hessian"
    )
    seeds_per_job: Count = Field(default=10, description="seeds in one job")


class SamplesConfig(Section):
    """The Hessian of every training sample by itself, for every seed of an ensemble."""

    epochs: EpochList = Field(description="epochs that get them")
    n_leading: Count = Field(
        default=10, description="eigenvectors of the whole Hessian whose curvature is split over the samples"
    )


class PredictionsConfig(Section):
    """Prediction map over the square [-1, 1]^2."""

    epochs: EpochList = Field(description="epochs that get a map")
    n_grid: Annotated[int, Field(ge=2, le=2001, strict=True)] = Field(default=81, description="grid points per axis")


class ScansConfig(Section):
    """Loss along eigenvectors of the Hessian at one epoch."""

    epoch: Epoch = Field(description="epoch of the Hessian")
    positions: Annotated[list[Annotated[int, Field(strict=True)]], Field(min_length=1), Once] = Field(
        description="eigenvectors, by position in ascending order; negative counts from the largest"
    )
    radius: Positive = Field(default=math.pi, description="scan from -radius to radius, radians")
    n_points: Annotated[int, Field(ge=2, le=100_001, strict=True)] = Field(default=121, description="points per scan")


Sizes = Annotated[list[tuple[Qubits, Layers]], Once]
SIZES = "numbers of qubits and layers, one pair a circuit; empty: the experiment's own"


class StartsConfig(Section):
    """Spectra at many initial points, all in one job and without training."""

    n_starts: Count = Field(description="number of initial points; their seeds count up from the experiment's")
    sizes: Sizes = Field(default=[], description=SIZES)


class ShiftRuleConfig(Section):
    """The double shift rule against the exact Hessian, on PennyLane, with its cost beside that of the metric tensor."""

    sizes: Sizes = Field(default=[], description=SIZES)


class LandscapeConfig(Section):
    """Loss on a plane of two parameters (all others 0), Hessians at marked points."""

    axes: tuple[Epoch, Epoch] = Field(default=(0, 1), description="indices of the two parameters")
    low: Finite = Field(description="lower end of both axes, radians")
    high: Finite = Field(description="upper end of both axes, radians")
    n_grid: Annotated[int, Field(ge=2, le=2001, strict=True)] = Field(default=121, description="grid points per axis")
    points: dict[Annotated[str, Field(pattern=LETTER)], tuple[Finite, Finite]] = Field(
        default={}, description="marked points: letter -> position on the two axes, radians"
    )

    @model_validator(mode="after")
    def _order(self) -> LandscapeConfig:
        if self.low >= self.high:
            raise ValueError(f"low is {self.low}, which must be below high, {self.high}")
        if self.axes[0] == self.axes[1]:
            raise ValueError(f"axes is {list(self.axes)}, but must name two different parameters")
        return self


class PlanesConfig(Section):
    """Loss on planes through the parameters of one epoch."""

    axes: Annotated[list[PlaneName], Field(min_length=1), Once] = Field(
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
