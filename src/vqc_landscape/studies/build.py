"""From the configuration of an experiment to its objects: circuit, observable, risk, initial point, optimiser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

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
from vqc_landscape.risks.risk import Risk
from vqc_landscape.studies.inputs import Samples
from vqc_landscape.studies.user_code import load_module, load_optimiser, load_qnode
from vqc_landscape.training.optimisers import Optimiser, make_optimiser

if TYPE_CHECKING:
    from vqc_landscape.config import (
        CircuitConfig,
        Classification,
        Expectation,
        Experiment,
        StatePreparation,
        TrainingConfig,
    )


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


def make_risk(experiment: Experiment, samples: Samples | None = None) -> Risk:
    """The risk of an experiment over the given samples (None for state preparation)."""
    features, targets = samples or (None, None)
    objective = experiment.objective
    reduction = objective.reduction if objective.loss == "mse" else "mean"
    if isinstance(experiment.circuit, str):
        from vqc_landscape.risks.from_qnode import from_qnode

        qnode, shape = load_qnode(experiment.circuit), experiment.params_shape
        assert shape is not None
        return from_qnode(qnode, np.zeros(shape), features, targets, objective.loss, reduction=reduction)
    if experiment.circuit is not None:
        from vqc_landscape.risks.circuit_risk import CircuitRisk

        circuit = make_circuit(experiment.circuit)
        return CircuitRisk(
            circuit,
            make_observable(objective, circuit.n_qubits),
            loss=objective.loss,
            features=features,
            targets=targets,
            reduction=reduction,
            convention=experiment.convention,
        )
    from vqc_landscape.models.network_model import make_network
    from vqc_landscape.risks.network_risk import NetworkRisk

    network = experiment.network
    assert network is not None
    if isinstance(network, str):
        risk = NetworkRisk(load_module(network, seed=0), features, targets, reduction=reduction)
        if risk.n_params != experiment.n_params:
            raise ValueError(f"params_shape has {experiment.n_params} entries, but {network} has {risk.n_params}.")
        return risk
    output = network.output if network.widths[-1] == 2 else None
    return NetworkRisk(make_network(network, seed=0), features, targets, reduction=reduction, output=output)


def resized(experiment: Experiment, sizes: Sequence[tuple[int, int]]) -> list[Experiment]:
    """The experiment with a circuit of each of these numbers of qubits and layers; itself if there are none."""
    if experiment.circuit is None or not sizes:
        return [experiment]
    circuits = [experiment.circuit.model_copy(update={"n_qubits": n, "n_layers": layers}) for n, layers in sizes]
    return [experiment.model_copy(update={"circuit": circuit}) for circuit in circuits]


def optimiser_of(training: TrainingConfig) -> Optimiser:
    """How the parameters move."""
    chosen = training.optimiser
    return load_optimiser(chosen) if isinstance(chosen, str) else make_optimiser(chosen)


def initial_params(experiment: Experiment, seed: int) -> Array:
    """Initial point (P,): a function of the seed and the model alone, so that optimisers start alike."""
    if experiment.circuit is not None:
        init, size = experiment.init, experiment.n_params
        rng = np.random.default_rng(seed)
        if init.distribution == "normal":
            return rng.normal(0, init.scale, size)
        return rng.uniform(init.low, init.high, size)
    from vqc_landscape.models.network_model import flat_params, make_network

    network = experiment.network
    assert network is not None
    return flat_params(load_module(network, seed) if isinstance(network, str) else make_network(network, seed=seed))
