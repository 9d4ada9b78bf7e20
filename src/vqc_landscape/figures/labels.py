"""The words of the figures: what a model, a loss, an axis is called, derived from its configuration."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vqc_landscape.config import (
    HLR,
    LBFGS,
    QNG,
    Classification,
    Expectation,
    Experiment,
    FileData,
    HLRThenQNG,
    Optimiser,
    StatePreparation,
    TrainingConfig,
)

if TYPE_CHECKING:
    import pandas as pd

_ANSATZ = {
    "rx_product": "RX product circuit",
    "layered": "layered circuit",
    "layered_published": "layered circuit without its first CZ layer",
    "reuploading": "data re-uploading circuit",
    "reuploading_published": "data re-uploading circuit with angles θ + w·x",
}

STRUCTURAL_ZERO = "a direction that cannot change the loss at any parameters"
STRUCTURAL_ZEROS = "structural zeros, whose eigenvectors cannot change the loss at any parameters"

CONVENTION_ERROR = (
    "Error: |published − exact| / |exact| of one circuit at the same parameters, Frobenius norm; of the "
    "eigenvalues in ascending order"
)


def hatched(spectra: pd.DataFrame) -> str:
    """What the hatched parts of drawn spectra are, where there are some; ends in a space."""
    return f"Hatched: {STRUCTURAL_ZEROS}. " if spectra["structural"].any() else ""


def errors(row: pd.Series) -> str:
    """Relative errors of one row of ``convention_errors``."""
    return f"relative error {row['hessian_error']:.2f} of the Hessian, {row['eigval_error']:.2f} of its eigenvalues"


def model(experiment: Experiment) -> str:
    """For instance ``layered circuit, 4 qubits, 4 layers, 48 parameters``."""
    parameters = f"{experiment.n_params} parameters"
    if experiment.is_own:
        kind = "circuit" if experiment.circuit else "network"
        return f"{kind} {experiment.circuit or experiment.network}, {parameters}"
    if experiment.network is not None:
        widths = "-".join(str(width) for width in experiment.network.widths)
        return f"feed-forward network {widths} with biases, {experiment.network.activation}, {parameters}"
    assert experiment.circuit is not None
    circuit = experiment.circuit
    layers = "1 layer" if circuit.n_layers == 1 else f"{circuit.n_layers} layers"
    qubits = "1 qubit" if circuit.n_qubits == 1 else f"{circuit.n_qubits} qubits"
    return f"{_ANSATZ[circuit.ansatz]}, {qubits}, {layers}, {parameters}"


def short_model(experiment: Experiment) -> str:
    """``QNN``, or for instance ``3-12-10-2, difference``."""
    network = experiment.network
    if network is None:
        return "QNN"
    widths = "-".join(str(width) for width in network.widths)
    return f"{widths}, {network.output}" if network.widths[-1] == 2 else widths


def n_train(experiment: Experiment) -> int | None:
    """Number of training samples, where the configuration says it."""
    return None if isinstance(experiment.data, FileData | None) else experiment.data.n_train


def target(objective: StatePreparation) -> str:
    """The target state as a ket."""
    return "|0…0⟩" if objective.target == "zero" else "|+…+⟩"


def loss(experiment: Experiment, n_samples: int | None = None) -> str:
    """The loss in words, with its definition and, for data, the number of samples."""
    objective = experiment.objective
    if isinstance(objective, Classification):
        samples = "" if n_samples is None else f" over {n_samples} training samples"
        return f"{squared_error(objective)}{samples}"
    if isinstance(objective, Expectation):
        return f"loss ⟨O⟩, O = {pauli_sum(objective)}" if objective.observable else "loss: its expectation value"
    if experiment.is_own:
        return "loss: 1 − its expectation value"
    ket = target(objective)
    if objective.locality == "local":
        return f"local loss L = 1 − mean over the qubits of their fidelity, target {ket}"
    if experiment.convention == "as_published":
        return f"global loss L = 1 − |Re(z²)|, z = ⟨target|ψ⟩, target {ket}"
    return f"global loss L = 1 − |⟨target|ψ⟩|², target {ket}"


def loss_name(experiment: Experiment) -> str:
    """Short name of the loss, for titles."""
    objective = experiment.objective
    if isinstance(objective, Classification):
        return squared_error(objective)
    if isinstance(objective, Expectation):
        return "expectation value"
    return "infidelity" if experiment.is_own else f"{objective.locality} loss, target {target(objective)}"


def pauli_sum(objective: Expectation, longest: int = 4) -> str:
    """``−1 Z0 Z1 + 0.5 X0``, the first few words of it."""
    words = [f"{weight:g} {word}".replace("-", "−") for word, weight in objective.observable.items()]
    rest = [f"… ({len(words) - longest} more)"] if len(words) > longest else []
    return " + ".join(words[:longest] + rest).replace("+ −", "− ")


def squared_error(objective: Classification) -> str:
    """``mean squared error`` or, when the samples are added up, ``sum of squared errors``."""
    return "mean squared error" if objective.reduction == "mean" else "sum of squared errors"


def convention(experiment: Experiment) -> str:
    """Which arithmetic: ours, or the published code's with its bug named."""
    if experiment.convention == "exact":
        return "convention: exact"
    bug = "Re(z²) for |z|²" if experiment.objective.loss == "infidelity" else "detached bra"
    return f"convention: as published ({bug})"


def summary(experiment: Experiment, n_samples: int | None = None) -> str:
    """One sentence: model, loss, convention."""
    words = f"{model(experiment)}; {loss(experiment, n_samples)}; {convention(experiment)}."
    return words[0].upper() + words[1:]


def loss_axis(experiment: Experiment) -> str:
    """Axis label of the loss."""
    if isinstance(experiment.objective, Classification):
        return squared_error(experiment.objective)
    if isinstance(experiment.objective, Expectation):
        return "expectation value ⟨O⟩"
    return "infidelity L" if experiment.objective.locality == "global" else "local infidelity L"


def unit(experiment: Experiment, power: int = 1) -> str:
    """Unit of a distance between parameters, in brackets: the weights of a network have none."""
    return "" if experiment.network is not None else {1: " (rad)", -1: " (rad⁻¹)", -2: " (rad⁻²)"}[power]


def eigenvalue_axis(experiment: Experiment, *, two_lines: bool = False) -> str:
    """Axis label of Hessian eigenvalues."""
    separator = "\n" if two_lines else " "
    of = squared_error(experiment.objective) if isinstance(experiment.objective, Classification) else "loss"
    return f"eigenvalue of the Hessian{separator}of the {of}{unit(experiment, -2)}"


def optimiser(chosen: Optimiser | str) -> str:
    """Name of an optimiser, with what tells it from its variants."""
    if isinstance(chosen, str):
        return chosen
    if isinstance(chosen, QNG | HLRThenQNG):
        metric = "block-diagonal metric" if chosen.metric == "block" else "full metric"
        first = "" if isinstance(chosen, QNG) else f"H-LR while L ≥ {chosen.plateau:g}, then "
        return f"{first}QNG, {metric}, η = {chosen.learning_rate:g}"
    if isinstance(chosen, HLR):
        return (
            r"H-LR as published, η = $1/\lambda_\mathrm{max}$"
            if chosen.variant == "published"
            else rf"H-LR guarded, η = $1/\mathrm{{max}}|\lambda|$ ≤ {chosen.max_learning_rate:g}"
        )
    if isinstance(chosen, LBFGS):
        return f"L-BFGS, {chosen.n_iterations} iterations an epoch"
    names = {"sgd": "SGD", "adam": "Adam", "gd": "GD"}
    return f"{names[chosen.name]}, η = {chosen.learning_rate:g}"


def training(experiment: Experiment, seed: int) -> str:
    """For instance ``Trained with Adam, η = 0.02, batches of 32, for 40 epochs from ...``."""
    assert experiment.training is not None
    epochs = f"{experiment.training.n_epochs} epochs from the initial point (epoch 0) of seed {seed}"
    return f"Trained with {optimiser_with_batches(experiment.training)}, for {epochs}"


def optimiser_with_batches(training: TrainingConfig) -> str:
    """``Adam, η = 0.02, batches of 32``."""
    size = getattr(training.optimiser, "batch_size", None)
    return optimiser(training.optimiser) + (f", batches of {size}" if size else "")


def prediction_axis(experiment: Experiment) -> str:
    """What the prediction f is."""
    if experiment.is_own:
        return "prediction f(x)"
    if isinstance(experiment.objective, Classification) and experiment.circuit is not None:
        return f"prediction f(x) = ⟨Z⟩ of qubit {experiment.objective.wire}"
    assert experiment.network is not None
    if experiment.network.widths[-1] == 1:
        return "prediction f(x): output"
    two = {"difference": "difference of the two outputs", "first": "first of the two outputs"}
    return f"prediction f(x): {two[experiment.network.output]}"


def number(value: float) -> str:
    """Two or three digits: ``0.0312``, ``1.00``, ``−2.5·10⁻⁷``; ``∞``."""
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "−∞"}.get(value, "no number")
    mantissa, exponent = f"{value:.1e}".split("e")
    if -4 < int(exponent) < 3:
        return f"{value:#.3g}".rstrip(".").replace("-", "−") if value else "0"
    superscript = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa}·10{superscript}".replace("-", "−")
