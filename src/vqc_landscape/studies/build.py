"""From the configuration of an experiment to its objects: circuit, observable, risk, initial point, optimiser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.circuits import ansatz
from vqc_landscape.circuits.observables import (
    Observable,
    PauliSum,
    PauliZ,
    Projector,
    local_projector,
    plus_state,
    zero_state,
)
from vqc_landscape.circuits.program import Circuit
from vqc_landscape.config import CircuitConfig
from vqc_landscape.risks.risk import Risk
from vqc_landscape.studies.inputs import Samples
from vqc_landscape.studies.user_code import load_module, load_optimiser, load_qnode
from vqc_landscape.training.optimisers import Optimiser, make_optimiser

if TYPE_CHECKING:
    from vqc_landscape.config import (
        Classification,
        Expectation,
        InitConfig,
        Problem,
        StatePreparation,
        TrainingConfig,
    )

    P = TypeVar("P", bound=Problem)


def make_circuit(circuit: CircuitConfig) -> Circuit:
    """The circuit that a configuration describes."""
    make: Callable[[int, int], Circuit] = getattr(ansatz, circuit.ansatz)  # named as in the configuration
    return make(circuit.n_qubits, circuit.n_layers)


def make_observable(objective: StatePreparation | Classification | Expectation, n_qubits: int) -> Observable:
    """Z of the measured qubit, the given Pauli words, or the projector onto the target state.

    The local version of the projector is the mean of those of the single qubits.
    """
    if objective.loss == "expval":
        words = [(word.split(), weight) for word, weight in objective.observable.items()]
        return PauliSum(
            tuple(
                (weight, "".join(factor[0] for factor in word), tuple(int(factor[1:]) for factor in word))
                for word, weight in words
            )
        )
    if objective.loss == "mse":
        return PauliZ(objective.wire)
    if objective.locality == "local":
        return local_projector(n_qubits, {"zero": "Z", "plus": "X"}[objective.target])
    return Projector({"zero": zero_state, "plus": plus_state}[objective.target](n_qubits))


def make_risk(problem: Problem, samples: Samples | None = None) -> Risk:
    """The risk of a problem over the given samples (None for state preparation)."""
    features, targets = samples or (None, None)
    objective = problem.objective
    reduction = objective.reduction if objective.loss == "mse" else "mean"
    model = problem.model
    if isinstance(model, str) and problem.circuit is not None:
        from vqc_landscape.risks.from_qnode import from_qnode

        qnode, start = load_qnode(model), np.zeros(problem.params_shape or ())
        return from_qnode(qnode, start, features, targets, objective.loss, reduction=reduction)
    if isinstance(model, CircuitConfig):
        from vqc_landscape.risks.circuit_risk import CircuitRisk

        circuit = make_circuit(model)
        return CircuitRisk(
            circuit,
            make_observable(objective, circuit.n_qubits),
            loss=objective.loss,
            features=features,
            targets=targets,
            reduction=reduction,
            convention=problem.convention,
        )
    from vqc_landscape.models.network_model import make_network
    from vqc_landscape.risks.network_risk import NetworkRisk

    if isinstance(model, str):
        risk = NetworkRisk(load_module(model, seed=0), features, targets, reduction=reduction)
        if risk.n_params != problem.n_params:
            raise ValueError(f"params_shape has {problem.n_params} entries, but {model} has {risk.n_params}.")
        return risk
    output = model.output if model.widths[-1] == 2 else None
    return NetworkRisk(make_network(model, seed=0), features, targets, reduction=reduction, output=output)


def resized(problem: P, sizes: Sequence[tuple[int, int]]) -> list[P]:
    """The problem with a circuit of each of these numbers of qubits and layers; itself if there are none."""
    if problem.circuit is None or not sizes:
        return [problem]
    circuits = [problem.circuit.model_copy(update={"n_qubits": n, "n_layers": layers}) for n, layers in sizes]
    return [problem.model_copy(update={"circuit": circuit}) for circuit in circuits]


def optimiser_of(training: TrainingConfig) -> Optimiser:
    """How the parameters move."""
    chosen = training.optimiser
    return load_optimiser(chosen) if isinstance(chosen, str) else make_optimiser(chosen)


def initial_params(problem: Problem, init: InitConfig, seed: int) -> Array:
    """Initial point (P,): a function of the seed and the model alone, so that optimisers start alike.

    ``init`` is for circuits; a network starts as its initialiser says.
    """
    model = problem.model
    if isinstance(model, CircuitConfig) or problem.network is None:
        size, rng = problem.n_params, np.random.default_rng(seed)
        if init.distribution == "normal":
            return rng.normal(0, init.scale, size)
        return rng.uniform(init.low, init.high, size)
    from vqc_landscape.models.network_model import flat_params, make_network

    return flat_params(load_module(model, seed) if isinstance(model, str) else make_network(model, seed=seed))
