"""The typed configuration: a closed schema with a description, unit and default for every key.

``config/config.yaml`` is the paper's study. An experiment is one entry under ``experiments``; what it
asks for (training, Hessians, predictions, scans, a landscape) decides which tables it gets.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Discriminator, Field, Tag, TypeAdapter, ValidationError, model_validator

from vqc_landscape.config_faults import LETTER, describe, nearest
from vqc_landscape.config_own import (
    BundledData,
    Expectation,
    FigureName,
    FileData,
    PlanesConfig,
    kind_of_data,
    own_or,
)
from vqc_landscape.config_types import (
    Activation,
    ClaimId,
    Convention,
    Count,
    Epoch,
    Finite,
    Folder,
    Initialiser,
    Name,
    Positive,
    Section,
)

# one tag per form, so that a wrong value is one fault and not one for each form
Epochs = Annotated[
    Annotated[Literal["all"], Tag("all")] | Annotated[list[Epoch], Field(min_length=1), Tag("list")],
    Discriminator(
        lambda value: "list" if isinstance(value, list) else "all" if value == "all" else None,
        custom_error_type="epochs",
        custom_error_message="must be 'all' or a list of epochs",
    ),
]


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names the key, the value and what is allowed."""


class CircuitConfig(Section):
    """The quantum circuit, one of the paper's ansaetze."""

    ansatz: Literal["rx_product", "layered", "reuploading", "reuploading_published"] = Field(
        description="rx_product: RX on every qubit (Figs. 2-4); layered: rotations and CZ bricks (Fig. 1b); "
        "reuploading: data re-uploading (Fig. 8); reuploading_published: angles theta + w*x (published code)"
    )
    n_qubits: Annotated[int, Field(ge=1, le=20, strict=True)] = Field(description="number of qubits")
    n_layers: Annotated[int, Field(ge=1, le=1000, strict=True)] = Field(description="number of layers")

    @model_validator(mode="after")
    def _bricks(self) -> CircuitConfig:
        if self.ansatz != "rx_product" and self.n_qubits % 2:
            raise ValueError(
                f"n_qubits is {self.n_qubits}, but the brick pattern of {self.ansatz} needs an even number"
            )
        return self


class NetworkConfig(Section):
    """The classical feed-forward network, the paper's FFNN."""

    widths: Annotated[list[Count], Field(min_length=2)] = Field(
        default=[3, 12, 10, 2],
        description="neurons per layer, input and output included (3 inputs: x3 = 0)",
    )
    activation: Activation = Field(default="tanh", description="activation of the hidden layers")
    initialiser: Initialiser = Field(default="torch_default", description="distribution of the initial weights")
    output: Literal["difference", "first"] = Field(
        default="difference", description="prediction of two outputs: their difference, or the first alone"
    )

    @model_validator(mode="after")
    def _ends(self) -> NetworkConfig:
        if self.widths[0] not in (2, 3):
            raise ValueError(f"widths starts with {self.widths[0]}, but the data have 2 columns (3 with x3 = 0)")
        if self.widths[-1] not in (1, 2):
            raise ValueError(f"widths ends with {self.widths[-1]}, but a prediction needs 1 output (or 2)")
        return self


class StatePreparation(Section):
    """Loss 1 - <O>, O the projector onto a target state or its local version."""

    loss: Literal["infidelity"] = Field(description="1 - <O>")
    target: Literal["zero", "plus"] = Field(default="zero", description="target state |0...0> or |+...+>")
    locality: Literal["global", "local"] = Field(
        default="global", description="global: projector onto the whole state; local: mean of the one-qubit projectors"
    )


class Classification(Section):
    """Loss (f - y)^2 with prediction f = <Z> of one qubit, or the output of a network."""

    loss: Literal["mse"] = Field(description="squared error of the prediction")
    wire: Annotated[int, Field(ge=0, strict=True)] = Field(default=0, description="measured qubit (circuits only)")
    reduction: Literal["mean", "sum"] = Field(
        default="mean", description="over samples; sum multiplies every eigenvalue by their number"
    )


class DataConfig(Section):
    """Samples of the disk: x uniform on [-1, 1]^2, y = +1 inside, -1 outside."""

    name: Literal["disk"] = Field(default="disk", description="data set")
    n_train: Count = Field(description="number of training samples")
    n_test: Count = Field(description="number of test samples")
    seed: Annotated[int, Field(ge=0, strict=True)] = Field(
        default=0, description="seed of the samples; independent of the initial point"
    )


# one tag per form, as for epochs
Data = Annotated[
    Annotated[DataConfig, Tag("disk")] | Annotated[BundledData, Tag("bundled")] | Annotated[FileData, Tag("file")],
    Discriminator(kind_of_data),
]


class InitConfig(Section):
    """Distribution of the initial circuit parameters."""

    distribution: Literal["uniform", "normal"] = Field(
        default="uniform", description="uniform on [low, high) or normal with mean 0"
    )
    low: Finite = Field(default=0.0, description="lower end, radians (uniform)")
    high: Finite = Field(default=2 * math.pi, description="upper end, radians (uniform)")
    scale: Positive = Field(default=1.0, description="standard deviation, radians (normal)")

    @model_validator(mode="after")
    def _order(self) -> InitConfig:
        if self.low >= self.high:
            raise ValueError(f"low is {self.low}, which must be below high, {self.high}")
        return self


class SGD(Section):
    name: Literal["sgd"] = Field(description="stochastic gradient descent")
    learning_rate: Positive = Field(description="step size, factor of the gradient (no unit)")
    batch_size: Count = Field(default=32, description="samples per step")


class Adam(Section):
    name: Literal["adam"] = Field(description="Adam (Kingma and Ba, arXiv:1412.6980)")
    learning_rate: Positive = Field(description="step size, factor of the gradient (no unit)")
    batch_size: Count | None = Field(default=None, description="samples per step; null: all")


class GD(Section):
    name: Literal["gd"] = Field(description="gradient descent, one step an epoch")
    learning_rate: Positive = Field(description="step size, factor of the gradient (no unit)")


class LBFGS(Section):
    name: Literal["lbfgs"] = Field(description="L-BFGS, restarted every epoch")
    n_iterations: Count = Field(default=20, description="iterations per epoch")


class QNG(Section):
    name: Literal["qng"] = Field(description="quantum natural gradient, one step an epoch")
    learning_rate: Positive = Field(description="step size, factor of the gradient (no unit)")
    metric: Literal["block", "full"] = Field(
        default="block", description="block: blocks of simultaneous rotations; full: all parameters"
    )
    regularisation: Positive = Field(default=1e-8, description="added to the diagonal of the metric tensor")


class HLR(Section):
    name: Literal["hlr"] = Field(description="gradient descent with learning rate 1 / lambda_max, one step an epoch")
    variant: Literal["published", "guarded"] = Field(
        default="published",
        description="published: 1 / largest signed eigenvalue; "
        "guarded: 1 / largest magnitude, at most max_learning_rate",
    )
    max_learning_rate: Positive = Field(default=100.0, description="cap of the guarded form")


class HLRThenQNG(Section):
    name: Literal["hlr_qng"] = Field(description="published hlr while the loss is on the plateau, then qng for good")
    plateau: Finite = Field(default=0.9, description="the plateau is left as soon as the loss is below this")
    learning_rate: Positive = Field(description="step size of qng, factor of the gradient (no unit)")
    metric: Literal["block", "full"] = Field(default="block", description="as for qng")
    regularisation: Positive = Field(default=1e-8, description="as for qng")


Optimiser = Annotated[SGD | Adam | GD | LBFGS | QNG | HLR | HLRThenQNG, Field(discriminator="name")]


class TrainingConfig(Section):
    """One training run per seed."""

    optimiser: Optimiser = Field(description="how the parameters move")
    n_epochs: Count = Field(description="number of epochs; epoch 0 is the initial point")
    checkpoint_every: Count = Field(default=5, description="epochs between checkpoints")


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

    epochs: Annotated[list[Epoch], Field(min_length=1)] = Field(description="epochs that get a spectrum")
    activations: list[Activation] = Field(
        default=[], description="networks: every one of these; empty: network.activation alone"
    )
    initialisers: list[Initialiser] = Field(
        default=[], description="networks: every one of these; empty: network.initialiser alone"
    )
    n_extremes: Count | None = Field(
        default=None, description="eigenvalues at either end, by Lanczos; null: all, by diagonalising the Hessian"
    )
    seeds_per_job: Count = Field(default=10, description="seeds in one job")


class SamplesConfig(Section):
    """The Hessian of every training sample by itself, for every seed of an ensemble."""

    epochs: Annotated[list[Epoch], Field(min_length=1)] = Field(description="epochs that get them")
    n_leading: Count = Field(
        default=10, description="eigenvectors of the whole Hessian whose curvature is split over the samples"
    )


class PredictionsConfig(Section):
    """Prediction map over the square [-1, 1]^2."""

    epochs: Annotated[list[Epoch], Field(min_length=1)] = Field(description="epochs that get a map")
    n_grid: Annotated[int, Field(ge=2, le=2001, strict=True)] = Field(default=81, description="grid points per axis")


class ScansConfig(Section):
    """Loss along eigenvectors of the Hessian at one epoch."""

    epoch: Epoch = Field(description="epoch of the Hessian")
    positions: Annotated[list[Annotated[int, Field(strict=True)]], Field(min_length=1)] = Field(
        description="eigenvectors, by position in ascending order; negative counts from the largest"
    )
    radius: Positive = Field(default=math.pi, description="scan from -radius to radius, radians")
    n_points: Annotated[int, Field(ge=2, le=100_001, strict=True)] = Field(default=121, description="points per scan")


Sizes = list[tuple[Count, Count]]
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


class Experiment(Section):
    """One model, one objective, and what is computed for it, once per seed."""

    circuit: own_or(CircuitConfig) | None = Field(  # type: ignore[valid-type]
        default=None, description="a quantum circuit, or the name of your own QNode, my_module:my_qnode (or: network)"
    )
    network: own_or(NetworkConfig) | None = Field(  # type: ignore[valid-type]
        default=None, description="a classical network, or the name of your own torch module (or: circuit)"
    )
    params_shape: Annotated[list[Count], Field(min_length=1)] | None = Field(
        default=None, description="shape of the parameters of your own circuit or network"
    )
    objective: Annotated[StatePreparation | Classification | Expectation, Field(discriminator="loss")] = Field(
        description="what is minimised"
    )
    convention: Convention = Field(
        default="exact", description="exact, or the published code's arithmetic with its two bugs"
    )
    data: Data | None = Field(default=None, description="training and test samples (loss mse)")
    init: InitConfig = Field(default=InitConfig(), description="initial parameters of a circuit")
    seeds: Annotated[list[Epoch], Field(min_length=1)] = Field(default=[0], description="seeds of the initial points")
    training: TrainingConfig | None = Field(default=None, description="training runs")
    hessian: HessianConfig | None = Field(default=None, description="Hessians along the training")
    predictions: PredictionsConfig | None = Field(default=None, description="prediction maps")
    scans: ScansConfig | None = Field(default=None, description="scans along eigenvectors")
    ensemble: EnsembleConfig | None = Field(default=None, description="spectra over the seeds, without trajectories")
    samples: SamplesConfig | None = Field(default=None, description="Hessians of single samples of an ensemble")
    starts: StartsConfig | None = Field(default=None, description="spectra at many initial points")
    shift_rule: ShiftRuleConfig | None = Field(default=None, description="the shift rule, its error and its cost")
    landscape: LandscapeConfig | None = Field(default=None, description="a plane of the landscape")
    planes: PlanesConfig | None = Field(default=None, description="planes through the parameters of one epoch")
    figures: list[FigureName] = Field(default=[], description="figures of this experiment alone")

    @model_validator(mode="after")
    def _consistent(self) -> Experiment:
        if (self.circuit is None) == (self.network is None):
            raise ValueError("exactly one of circuit and network must be given")
        with_data = self.objective.loss == "mse"
        if with_data != (self.data is not None):
            rule = "must be given" if with_data else "must not be given"
            raise ValueError(f"data {rule} for loss {self.objective.loss}")
        self._check_own()
        ansatz = self.circuit.ansatz if self.circuit and not self.is_own else None
        if ansatz and ansatz.startswith("reuploading") != with_data:
            raise ValueError(f"ansatz {ansatz} does not go with loss {self.objective.loss}")
        if self.network is not None and not with_data:
            raise ValueError("a network needs loss mse")
        if self.network is not None and "init" in self.model_fields_set:
            raise ValueError("init is for circuits; a network has network.initialiser")
        wire = self.objective.wire if isinstance(self.objective, Classification) else 0
        if self.circuit and ansatz and wire >= self.circuit.n_qubits:
            raise ValueError(f"objective.wire is {wire}, but must be below circuit.n_qubits {self.circuit.n_qubits}")
        if (
            isinstance(self.objective, StatePreparation)
            and self.objective.locality == "local"
            and self.convention == "as_published"
        ):
            raise ValueError("convention as_published is defined for locality global only")
        if self.network is not None and self.convention == "as_published":
            raise ValueError("convention as_published is defined for circuits only")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds holds a seed twice: {self.seeds}")
        if self.starts and len(self.seeds) > 1:
            raise ValueError(f"starts counts its seeds up from one, but seeds is {self.seeds}")
        if self.shift_rule and (self.circuit is None or with_data or self.convention != "exact"):
            raise ValueError("shift_rule needs a circuit with loss infidelity, global and exact")
        if self.shift_rule and isinstance(self.objective, StatePreparation) and self.objective.locality == "local":
            raise ValueError("shift_rule needs a circuit with loss infidelity, global and exact")
        if self.starts and self.starts.sizes and self.circuit is None:
            raise ValueError("starts.sizes needs a circuit")
        if self.landscape and (self.circuit is None or with_data):
            raise ValueError("landscape needs a circuit with loss infidelity")
        if self.landscape and max(self.landscape.axes) >= self.n_params:
            raise ValueError(
                f"landscape.axes is {list(self.landscape.axes)}, "
                f"but the circuit has {self.n_params} parameters, counted from 0"
            )
        self._check_training()
        self._check_figures()
        return self

    def _check_own(self) -> None:
        """What goes with the user's own circuit or network, and with no other."""
        if self.is_own != (self.params_shape is not None):
            rule = "must be given" if self.is_own else "must not be given"
            model = "your own circuit or network" if self.is_own else "a built-in circuit or network"
            raise ValueError(f"params_shape {rule} for {model}")
        if self.is_own and self.convention == "as_published":
            raise ValueError("convention as_published is defined for built-in circuits only")
        fields = type(self.objective).model_fields  # compared by value: what comes back from a job has all defaults
        in_qnode = [
            key
            for key in ("target", "locality", "wire", "observable")
            if key in fields and getattr(self.objective, key) != fields[key].default
        ]
        if self.is_own and in_qnode:
            raise ValueError(
                f"objective.{in_qnode[0]} is for a built-in ansatz; your own circuit says what it measures"
            )
        if isinstance(self.objective, Expectation) and not self.is_own:
            if not self.objective.observable:
                raise ValueError("objective.observable must be given for loss expval")
            wires = [int(letter[1:]) for word in self.objective.observable for letter in word.split()]
            if self.circuit and max(wires) >= self.circuit.n_qubits:
                raise ValueError(
                    f"objective.observable acts on qubit {max(wires)}, but circuit.n_qubits is {self.circuit.n_qubits}"
                )

    def _check_figures(self) -> None:
        """A figure has the tables that it draws."""
        needs = {
            "training": "training",
            "spectra": "hessian",
            "tracks": "hessian",
            "scans": "scans",
            "planes": "planes",
        }
        for figure in self.figures:
            if getattr(self, needs[figure]) is None:
                raise ValueError(f"figures has {figure}, which needs the key `{needs[figure]}`")
        if len(set(self.figures)) < len(self.figures):
            raise ValueError(f"figures holds a figure twice: {self.figures}")
        if "tracks" in self.figures and len(self.hessian_epochs) < 2:
            raise ValueError("figures has tracks, which needs at least 2 epochs in hessian.epochs")

    def _check_training(self) -> None:
        for key in ("hessian", "predictions", "scans", "ensemble", "planes"):
            if getattr(self, key) and not self.training:
                raise ValueError(f"{key} needs training")
        self._check_ensemble()
        if self.training is None:
            return
        optimiser, last = self.training.optimiser, self.training.n_epochs
        if isinstance(optimiser, QNG | HLRThenQNG) and (self.network or self.data):
            raise ValueError(f"training.optimiser {optimiser.name} needs a circuit with loss infidelity")
        batch_size = getattr(optimiser, "batch_size", None)
        if batch_size and self.data and not isinstance(self.data, FileData) and batch_size > self.data.n_train:
            raise ValueError(f"training.optimiser.batch_size is {batch_size}, but data.n_train is {self.data.n_train}")
        if isinstance(optimiser, SGD) and not self.data:
            raise ValueError("training.optimiser sgd needs data (use gd)")
        if batch_size and not self.data:
            raise ValueError(f"training.optimiser.batch_size is {batch_size}, but without data it must be null")
        if self.predictions and not isinstance(self.data, DataConfig):
            raise ValueError("predictions needs data in the square, such as disk")
        asked = {
            "hessian.epochs": self.hessian_epochs,
            "predictions.epochs": self.predictions.epochs if self.predictions else [],
            "scans.epoch": [self.scans.epoch] if self.scans else [],
            "ensemble.epochs": self.ensemble.epochs if self.ensemble else [],
            "planes.epoch": [self.planes.epoch] if self.planes else [],
        }
        for key, epochs in asked.items():
            if epochs and max(epochs) > last:
                raise ValueError(f"{key} asks for epoch {max(epochs)}, but training ends at n_epochs {last}")
        if self.hessian:
            self._check_shards(self.hessian.shards)
        if self.scans and self.scans.epoch not in self.hessian_epochs:
            raise ValueError(f"scans.epoch is {self.scans.epoch}, which hessian.epochs does not have")
        if self.planes and "eigenvectors" in self.planes.axes and self.planes.epoch not in self.hessian_epochs:
            raise ValueError(
                f"planes.epoch is {self.planes.epoch}, which hessian.epochs does not have; axes eigenvectors needs it"
            )
        if self.planes and "pca" in self.planes.axes and last < 2:
            raise ValueError(f"planes.axes pca needs at least 2 epochs of training, but n_epochs is {last}")
        if self.scans and not all(-self.n_params <= p < self.n_params for p in self.scans.positions):
            raise ValueError(
                f"scans.positions is {self.scans.positions}, "
                f"but eigenvectors have positions {-self.n_params} to {self.n_params - 1}"
            )

    def _check_ensemble(self) -> None:
        if self.ensemble is None:
            if self.samples:
                raise ValueError("samples needs ensemble")
            return
        for key in ("hessian", "predictions", "scans", "planes", "figures"):
            if getattr(self, key):
                raise ValueError(f"{key} needs trajectories, which an experiment with ensemble does not keep")
        if not self.data:
            raise ValueError("ensemble needs data")
        if isinstance(self.network, str):
            raise ValueError("ensemble needs a built-in network or a circuit")
        if self.samples and not isinstance(self.data, DataConfig):
            raise ValueError("samples needs data in the square, such as disk")
        if self.network is None and (self.ensemble.activations or self.ensemble.initialisers):
            raise ValueError("ensemble.activations and ensemble.initialisers are for networks")
        if self.network and self.training and self.training.optimiser.name not in ("adam", "sgd", "gd"):
            raise ValueError(
                f"training.optimiser is {self.training.optimiser.name}, but the networks of an ensemble "
                "train side by side, which adam, sgd and gd can"
            )
        if self.ensemble.n_extremes and 2 * self.ensemble.n_extremes >= self.n_params:
            raise ValueError(
                f"ensemble.n_extremes is {self.ensemble.n_extremes}, but must be below half of the "
                f"{self.n_params} parameters"
            )
        late = sorted(set(self.samples.epochs) - set(self.ensemble.epochs)) if self.samples else []
        if late:
            raise ValueError(f"samples.epochs asks for epoch {late[0]}, which ensemble.epochs does not have")

    @functools.cached_property
    def seed_blocks(self) -> list[list[int]]:
        """The seeds of an ensemble, cut into the blocks that are computed by one job each."""
        step = self.ensemble.seeds_per_job if self.ensemble else 1
        return [self.seeds[i : i + step] for i in range(0, len(self.seeds), step)]

    def _check_shards(self, shards: ShardsConfig) -> None:
        n_samples = getattr(self.data, "n_train", None) if self.data else 1
        if n_samples and shards.samples > n_samples:  # a file is counted when it is read
            raise ValueError(f"hessian.shards.samples is {shards.samples}, but there are {n_samples} samples")
        if shards.blocks > 1 and self.network:
            raise ValueError("hessian.shards.blocks is for circuits; the samples of a network can be split")
        if shards.blocks > self.n_params:
            raise ValueError(f"hessian.shards.blocks is {shards.blocks}, but there are {self.n_params} parameters")

    @functools.cached_property
    def hessian_epochs(self) -> list[int]:
        """Epochs that get a Hessian, ascending."""
        if self.hessian is None or self.training is None:
            return []
        if self.hessian.epochs == "all":
            return list(range(self.training.n_epochs + 1))
        return sorted(set(self.hessian.epochs))

    @functools.cached_property
    def hessian_blocks(self) -> list[list[int]]:
        """``hessian_epochs`` cut into the blocks that are computed by one job each."""
        step = self.hessian.epochs_per_job if self.hessian else 1
        return [self.hessian_epochs[i : i + step] for i in range(0, len(self.hessian_epochs), step)]

    @property
    def published_hessian(self) -> HessianConfig | None:
        """``hessian`` of an as-published experiment: its Hessians are compared with the exact ones."""
        return self.hessian if self.convention == "as_published" else None

    @property
    def is_own(self) -> bool:
        """Whether the circuit or network is the user's own, given by name."""
        return isinstance(self.circuit or self.network, str)

    @property
    def n_params(self) -> int:
        """Number of parameters of the model."""
        if self.params_shape is not None:
            return math.prod(self.params_shape)
        if self.network is not None:
            widths = self.network.widths
            return sum((a + 1) * b for a, b in zip(widths, widths[1:], strict=False))
        assert self.circuit is not None
        per_gate = {"rx_product": 1, "layered": 3, "reuploading": 3, "reuploading_published": 6}
        return int(per_gate[self.circuit.ansatz] * self.circuit.n_qubits * self.circuit.n_layers)


class FigureConfig(Section):
    """What a figure shows."""

    experiments: Annotated[list[Name], Field(min_length=1)] = Field(
        description="experiments, in the order of the panels"
    )
    seeds: list[Epoch] = Field(default=[], description="seeds shown one by one; empty: the first of each experiment")


class ClaimConfig(Section):
    """From which experiments a claim is measured, in either arithmetic."""

    exact: list[Name] = Field(default=[], description="experiments that feed the claim in exact arithmetic")
    as_published: list[Name] = Field(default=[], description="experiments that feed it in the published arithmetic")

    @model_validator(mode="after")
    def _some(self) -> ClaimConfig:
        if not self.exact and not self.as_published:
            raise ValueError("exact or as_published must list an experiment")
        return self


FIGURES = (
    *(f"fig{i:02d}" for i in range(1, 12)),
    *(f"{figure}_conventions" for figure in ("fig05", "fig06", "fig09")),  # exact beside as published
    "flat_starts",  # beyond the paper's figures, from here on
    "final_losses",
    "hessian_cost",
    "spectra_over_seeds",
    "curvature_of_samples",
)


class Config(Section):
    """The whole study."""

    results_dir: Folder = Field(default="results", description="folder of tables, figures and the report")
    state_dir: Folder = Field(default="state", description="folder of checkpoints")
    experiments: Annotated[dict[Name, Experiment], Field(min_length=1)] = Field(description="name -> experiment")
    figures: dict[Literal[FIGURES], FigureConfig] = Field(default={}, description="figure -> what it shows")  # type: ignore[valid-type]
    claims: dict[ClaimId, ClaimConfig] = Field(default={}, description="claim -> experiments that it is measured from")
    other_seeds: Folder | None = Field(
        default=None, description="numbers of the claims in a run with other seeds, as `make other-seeds` writes them"
    )
    seed_offset: Epoch = Field(
        default=0, description="added to every seed, of initial points and of data; other_seeds is then left out"
    )

    @model_validator(mode="after")
    def _claims_are_fed(self) -> Config:
        for claim, fed in self.claims.items():
            for convention in ("exact", "as_published"):
                for name in getattr(fed, convention):
                    if name not in self.experiments:
                        raise ValueError(
                            f"claims.{claim}.{convention}: there is no experiment {name!r}"
                            + nearest(name, list(self.experiments))
                        )
        return self

    @model_validator(mode="after")
    def _figures_exist(self) -> Config:
        for figure, shown in self.figures.items():
            for name in shown.experiments:
                if name not in self.experiments:
                    raise ValueError(
                        f"figures.{figure}.experiments: there is no experiment {name!r}"
                        + nearest(name, list(self.experiments))
                    )
                missing = sorted(set(shown.seeds) - set(self.experiments[name].seeds))
                if missing:
                    raise ValueError(
                        f"figures.{figure}.seeds: experiment {name} has no seed {missing[0]}; "
                        f"it has {self.experiments[name].seeds}"
                    )
        return self


def parse_config(raw: Any) -> Config:
    """Check a configuration as read from YAML.

    Raises:
        ConfigError: one line per fault, each with the key, the value and what is allowed.
    """
    if not isinstance(raw, dict) or not raw:
        raise ConfigError(f"The configuration must be a mapping with the key `experiments`, but is {raw!r}.")
    try:
        config = Config.model_validate(raw)
        return Config.model_validate(_other_seeds(raw, config.seed_offset)) if config.seed_offset else config
    except ValidationError as error:
        faults = [describe(fault) for fault in error.errors()]
        raise ConfigError("The configuration cannot be used:\n" + "\n".join(f"  {f}" for f in faults)) from None


def _other_seeds(raw: dict[str, Any], offset: int) -> dict[str, Any]:
    """A valid configuration with every seed moved; new mappings throughout, as YAML aliases share theirs."""

    def moved(section: dict[str, Any], default: int | list[int], key: str) -> dict[str, Any]:
        seeds = section.get(key, default)
        return {**section, key: [seed + offset for seed in seeds] if isinstance(seeds, list) else seeds + offset}

    experiments = {name: moved(experiment, [0], "seeds") for name, experiment in raw["experiments"].items()}
    for experiment in experiments.values():
        if experiment.get("data"):
            experiment["data"] = moved(experiment["data"], 0, "seed")
    figures = {name: moved(figure, [], "seeds") for name, figure in raw.get("figures", {}).items()}
    return {**raw, "experiments": experiments, "figures": figures, "seed_offset": 0, "other_seeds": None}


def parse_data(raw: dict[str, Any]) -> DataConfig | BundledData | FileData:
    """The section `data` of an experiment."""
    data: DataConfig | BundledData | FileData = TypeAdapter(Data).validate_python(raw)
    return data


class _StrictLoader(yaml.SafeLoader):
    """YAML that refuses a key twice in one mapping, where the last one would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [(key.value, key.start_mark.line + 1) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        seen: set[str] = set()
        for key, line in keys:
            if str(key) in seen:
                raise yaml.YAMLError(f"key {key!r} stands twice in one mapping, the second time in line {line}")
            seen.add(str(key))
        return super().construct_mapping(node, deep=deep)


def load_config(path: str | Path) -> Config:
    """Read and check a YAML configuration.

    Raises:
        ConfigError: the file is missing, no YAML, or not a valid configuration.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"The configuration file {path} does not exist.")
    try:
        raw = yaml.load(path.read_text(), _StrictLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration file {path} is no valid YAML: {error}") from None
    return parse_config(raw)
