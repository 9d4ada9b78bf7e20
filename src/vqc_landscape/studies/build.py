"""From the configuration of an experiment to its objects: circuit, observable, risk, initial point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.circuits import ansatz
from vqc_landscape.circuits.observables import (
    Observable,
    PauliZ,
    Projector,
    local_projector,
    plus_state,
    zero_state,
)
from vqc_landscape.circuits.program import Circuit
from vqc_landscape.objectives.interface import Risk
from vqc_landscape.studies.inputs import Samples

if TYPE_CHECKING:
    from vqc_landscape.config import CircuitConfig, Classification, Experiment, StatePreparation


def make_circuit(circuit: CircuitConfig) -> Circuit:
    """The circuit that a configuration describes."""
    make = {
        "rx_product": ansatz.rx_product,
        "layered": ansatz.layered,
        "reuploading": ansatz.reuploading,
        "reuploading_published": ansatz.reuploading_published,
    }
    return make[circuit.ansatz](circuit.n_qubits, circuit.n_layers)


def make_observable(objective: StatePreparation | Classification, n_qubits: int) -> Observable:
    """Z of the measured qubit, or the projector onto the target state (local: mean of one-qubit projectors)."""
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
    if experiment.circuit is not None:
        from vqc_landscape.objectives.circuit import CircuitRisk

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
    from vqc_landscape.objectives.network import NetworkRisk, make_network

    network = experiment.network
    assert network is not None
    output = network.output if network.widths[-1] == 2 else None
    return NetworkRisk(make_network(network, seed=0), features, targets, reduction=reduction, output=output)


def initial_params(experiment: Experiment, seed: int) -> Array:
    """Initial point (P,): a function of the seed and the model alone, so that optimisers start alike."""
    if experiment.circuit is not None:
        init, size = experiment.init, make_circuit(experiment.circuit).n_params
        rng = np.random.default_rng(seed)
        if init.distribution == "normal":
            return rng.normal(0, init.scale, size)
        return rng.uniform(init.low, init.high, size)
    from vqc_landscape.objectives.network import flat_params, make_network

    assert experiment.network is not None
    return flat_params(make_network(experiment.network, seed=seed))
