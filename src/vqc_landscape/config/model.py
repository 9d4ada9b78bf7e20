"""Sections of the configuration for what is trained: circuit or network, what is minimised, data, initial point."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from vqc_landscape.config.messages import PAULI_WORD
from vqc_landscape.config.types import (
    Activation,
    Convention,
    Count,
    Epoch,
    Finite,
    Initialiser,
    Layers,
    Positive,
    Qubits,
    Section,
    TableFile,
    own_or,
    spelt,
)


class CircuitConfig(Section):
    """The quantum circuit, one of the paper's ansaetze."""

    ansatz: Literal["rx_product", "layered", "layered_published", "reuploading", "reuploading_published"] = Field(
        description="rx_product: RX on every qubit (Figs. 2-4); layered: rotations and CZ bricks (Fig. 1b); "
        "layered_published: the same without the first CZ layer (published code); "
        "reuploading: data re-uploading (Fig. 8); reuploading_published: angles theta + w*x (published code)"
    )
    n_qubits: Qubits = Field(description="number of qubits")
    n_layers: Layers = Field(description="number of layers")

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


class Expectation(Section):
    """Loss <O>: an energy, or whatever a QNode returns."""

    loss: Literal["expval"] = Field(description="the expectation value itself")
    observable: dict[Annotated[str, Field(pattern=PAULI_WORD)], Finite] = Field(
        default={},
        description="for a built-in ansatz: Pauli words with their coefficients, such as {Z0 Z1: -1.0, X0: 0.5}; "
        "a QNode has its own observable",
    )


_Objectives = StatePreparation | Classification | Expectation
Objective = Annotated[_Objectives, Field(discriminator="loss"), spelt("loss", _Objectives)]


class DataConfig(Section):
    """Samples of the disk: x uniform on [-1, 1]^2, y = +1 inside, -1 outside."""

    name: Literal["disk"] = Field(default="disk", description="data set")
    n_train: Count = Field(description="number of training samples")
    n_test: Count = Field(description="number of test samples")
    seed: Annotated[int, Field(ge=0, strict=True)] = Field(
        default=0, description="seed of the samples; independent of the initial point"
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

    file: TableFile = Field(description="path of a .csv or .parquet file, from the folder that Snakemake runs in")
    features: Annotated[list[str], Field(min_length=1)] = Field(description="columns of numbers, in their order")
    target: str = Field(
        description="column of two labels, the first in the alphabet is y = -1; or of numbers, which stay as they are: "
        "-1 and 1 are classes, all others are fitted, without an accuracy"
    )
    target_is: Literal["classes", "numbers"] | None = Field(
        default=None,
        description="classes: the smaller of two numbers, such as 0 and 1, is y = -1; numbers: they are fitted as they "
        "are; null: as above, but a few whole numbers, which may be either, are refused",
    )
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


def _known_name(raw: Any) -> Any:
    # before the section of the disk, which knows no other name
    if isinstance(raw, dict) and isinstance(raw.get("name"), str) and raw["name"] not in DATA_SETS:
        raise ValueError(f"name must be one of {', '.join(DATA_SETS)}, but is {raw['name']!r}")
    return raw


DATA_SETS = ("disk", "iris", "breast_cancer")
# one tag per form, as for epochs
Data = Annotated[
    Annotated[DataConfig, Tag("disk")] | Annotated[BundledData, Tag("bundled")] | Annotated[FileData, Tag("file")],
    Discriminator(kind_of_data),
    BeforeValidator(_known_name),
    spelt("file", DataConfig | BundledData | FileData),
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


class Problem(Section):
    """What is minimised: a model, its objective, and the data."""

    circuit: own_or(CircuitConfig) | None = Field(  # type: ignore[valid-type]
        default=None, description="a quantum circuit, or the name of your own QNode, my_module:my_qnode (or: network)"
    )
    network: own_or(NetworkConfig) | None = Field(  # type: ignore[valid-type]
        default=None, description="a classical network, or the name of your own torch module (or: circuit)"
    )
    params_shape: Annotated[list[Count], Field(min_length=1)] | None = Field(
        default=None, description="shape of the parameters of your own circuit or network"
    )
    objective: Objective = Field(description="what is minimised")
    convention: Convention = Field(
        default="exact",
        description="exact, or the published code's arithmetic with its two bugs; its circuits are under ansatz",
    )
    data: Data | None = Field(default=None, description="training and test samples (loss mse)")

    @property
    def model(self) -> CircuitConfig | NetworkConfig | str:
        """The circuit or the network, whichever there is."""
        circuit: CircuitConfig | str | None = self.circuit
        network: NetworkConfig | str | None = self.network
        model = network if circuit is None else circuit
        assert model is not None  # an experiment has one of them
        return model

    @property
    def is_own(self) -> bool:
        """Whether the circuit or network is the user's own, given by name."""
        return isinstance(self.model, str)

    @property
    def n_params(self) -> int:
        """Number of parameters of the model."""
        if self.params_shape is not None:
            return math.prod(self.params_shape)
        model = self.model
        if isinstance(model, NetworkConfig):
            return sum((a + 1) * b for a, b in zip(model.widths, model.widths[1:], strict=False))
        assert isinstance(model, CircuitConfig)  # others have a shape
        per_gate = {"rx_product": 1, "layered": 3, "layered_published": 3, "reuploading": 3, "reuploading_published": 6}
        return int(per_gate[model.ansatz] * model.n_qubits * model.n_layers)
