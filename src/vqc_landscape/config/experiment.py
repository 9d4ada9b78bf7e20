"""One entry under `experiments`: its keys, and which of them go together."""

from __future__ import annotations

import functools
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from vqc_landscape.config.messages import describe
from vqc_landscape.config.model import (
    CircuitConfig,
    Classification,
    DataConfig,
    Expectation,
    FileData,
    InitConfig,
    Problem,
    StatePreparation,
)
from vqc_landscape.config.tables import (
    EnsembleConfig,
    HessianConfig,
    LandscapeConfig,
    PlanesConfig,
    PredictionsConfig,
    SamplesConfig,
    ScansConfig,
    ShardsConfig,
    ShiftRuleConfig,
    StartsConfig,
)
from vqc_landscape.config.training import GD, QNG, SGD, Adam, HLRThenQNG, TrainingConfig
from vqc_landscape.config.types import EpochList, Once

FigureName = Literal["training", "spectra", "tracks", "scans", "planes"]


class Experiment(Problem):
    """One model, one objective, and what is computed for it, once per seed."""

    init: InitConfig = Field(default=InitConfig(), description="initial parameters of a circuit")
    seeds: EpochList = Field(default=[0], description="seeds of the initial points")
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
    figures: Annotated[list[FigureName], Once] = Field(default=[], description="figures of this experiment alone")

    @model_validator(mode="after")
    def _consistent(self) -> Experiment:
        if (self.circuit is None) == (self.network is None):
            raise ValueError("exactly one of circuit and network must be given")
        with_data = self.objective.loss == "mse"
        if with_data != (self.data is not None):
            rule = "must be given" if with_data else "must not be given"
            raise ValueError(f"data {rule} for loss {self.objective.loss}")
        self._check_own()
        if isinstance(self.circuit, CircuitConfig):
            if self.circuit.ansatz.startswith("reuploading") != with_data:
                raise ValueError(f"ansatz {self.circuit.ansatz} does not go with loss {self.objective.loss}")
            self._check_qubits(self.circuit)
        if self.network is not None and not with_data:
            raise ValueError("a network needs loss mse")
        if self.network is not None and "init" in self.model_fields_set:
            raise ValueError("init is for circuits; a network has network.initialiser")
        if (
            isinstance(self.objective, StatePreparation)
            and self.objective.locality == "local"
            and self.convention == "as_published"
        ):
            raise ValueError("convention as_published is defined for locality global only")
        if self.network is not None and self.convention == "as_published":
            raise ValueError("convention as_published is defined for circuits only")
        if self.starts and len(self.seeds) > 1:
            raise ValueError(f"starts counts its seeds up from one, but seeds is {self.seeds}")
        if self.starts and isinstance(self.circuit, str):
            raise ValueError("starts needs a built-in circuit, or a network")
        global_loss = isinstance(self.objective, StatePreparation) and self.objective.locality == "global"
        exact_circuit = isinstance(self.circuit, CircuitConfig) and self.convention == "exact"
        if self.shift_rule and not (global_loss and exact_circuit):
            raise ValueError("shift_rule needs a built-in circuit with loss infidelity, global and exact")
        self._check_sizes()
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
        if isinstance(self.objective, Expectation) and not self.is_own and not self.objective.observable:
            raise ValueError("objective.observable must be given for loss expval")

    def _check_qubits(self, circuit: CircuitConfig) -> None:
        """What is measured lies on the circuit."""
        if isinstance(self.objective, Classification) and self.objective.wire >= circuit.n_qubits:
            raise ValueError(
                f"objective.wire is {self.objective.wire}, but must be below circuit.n_qubits {circuit.n_qubits}"
            )
        if isinstance(self.objective, Expectation):
            wires = [int(letter[1:]) for word in self.objective.observable for letter in word.split()]
            if max(wires) >= circuit.n_qubits:
                raise ValueError(
                    f"objective.observable acts on qubit {max(wires)}, but circuit.n_qubits is {circuit.n_qubits}"
                )

    def _check_sizes(self) -> None:
        """Circuits of other sizes keep the rules of the experiment's own."""
        for key, asked in (("starts", self.starts), ("shift_rule", self.shift_rule)):
            for n_qubits, n_layers in asked.sizes if asked else []:
                if not isinstance(self.circuit, CircuitConfig):
                    raise ValueError(f"{key}.sizes needs a circuit")
                circuit = {"ansatz": self.circuit.ansatz, "n_qubits": n_qubits, "n_layers": n_layers}
                try:
                    self._check_qubits(CircuitConfig.model_validate(circuit))
                except ValueError as error:
                    wrong = describe(error.errors()[0]) if isinstance(error, ValidationError) else error
                    raise ValueError(f"{key}.sizes holds {[n_qubits, n_layers]}: {wrong}") from None

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
        same = [p for p in self.scans.positions if p - self.n_params in self.scans.positions] if self.scans else []
        if same:
            raise ValueError(
                f"scans.positions holds {same[0] - self.n_params} and {same[0]}, "
                f"which are the same of {self.n_params} eigenvectors"
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
        if self.network and self.training and not isinstance(self.training.optimiser, Adam | SGD | GD):
            raise ValueError(
                f"training.optimiser is {self.training.optimiser_name}, but the networks of an ensemble "
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
        return sorted(self.hessian.epochs)

    @functools.cached_property
    def hessian_blocks(self) -> list[list[int]]:
        """``hessian_epochs`` cut into the blocks that are computed by one job each."""
        step = self.hessian.epochs_per_job if self.hessian else 1
        return [self.hessian_epochs[i : i + step] for i in range(0, len(self.hessian_epochs), step)]

    @property
    def published_hessian(self) -> HessianConfig | None:
        """``hessian`` of an as-published experiment: its Hessians are compared with the exact ones."""
        return self.hessian if self.convention == "as_published" else None
