"""What a job asks of a scheduler, from the sizes in the configuration alone: the workflow asks for thousands of jobs.

The constants were measured (docs/cluster.md) and rounded up; a job that needs more is tried again with more.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from vqc_landscape.config import CircuitConfig, Experiment
from vqc_landscape.simulator.memory import gradient_bound, hessian_bound
from vqc_landscape.studies.build import resized
from vqc_landscape.tables.registry import TABLES
from vqc_landscape.tables.table import Table, Work

# A job on a cluster is a Snakemake (150 MB) that starts a Python with what the step imports.
LIGHT_MB = 500  # tables and plots: 130 to 200 MB
ENGINE_MB = 750  # numba, compiling at worst: 250 to 350 MB
TORCH_MB = 1000  # torch or PennyLane: 320 to 400 MB
COPIES = 6  # of a table, from its first array to the compressed file: chosen by us
SEEN_COPIES = 3  # of them, at least
LEAST = 0.4  # of the estimates for a large circuit, what it takes at least: 0.45 to 0.64, as some parameters merge

SHORT = 10  # minutes: seconds of work, on a file system that may be slow
SLACK = 20  # how much slower than measured a node may be before a job runs out of time
HESSIAN_SECONDS = 1e-10  # per sample, squared number of parameters and amplitude: 0.4 ms for the paper's QNN
SWEEP_SECONDS = 2e-8  # per sample, parameter and amplitude: a gradient, at worst in batches of one
EPOCH_SECONDS = 1e-3  # per epoch besides: 0.4 ms, more with a checkpoint
COPY_SECONDS = 2e-10  # per byte of the trajectory, which is copied at every epoch
SAVE_SECONDS = 1e-9  # per byte of the trajectory, at every checkpoint
EIGH_SECONDS = 1e-8  # per cubed number of parameters: eigenvalues and eigenvectors
GATE_SECONDS = 1e-4  # of PennyLane, per run of a circuit and gate: 22 s for the shift rule with 48 parameters
AMPLITUDE_SECONDS = 3e-8  # the same, per amplitude on top


class Need(NamedTuple):
    """Bytes that a job holds besides its libraries.

    Attributes:
        engine: tangents and states, at most.
        once: arrays that it holds once.
        table: the largest table.
    """

    engine: int
    once: int
    table: int


class Sizes(NamedTuple):
    """How large the model and its data are."""

    n_samples: int
    n_params: int
    n_qubits: int
    n_layers: int


def sizes_of(experiment: Experiment, *, least: bool = False) -> Sizes:
    """The sizes that the configuration says; what only the user's own code or file says is assumed.

    Args:
        experiment: its model and data.
        least: assume as little as there may be, one sample and one qubit, instead of what is usual.
    """
    # ASSUME: a file of 10,000 samples, an own circuit of 12 qubits; a network takes the time of 10 qubits.
    n_rows, n_own, n_network = (1, 1, 1) if least else (10_000, 12, 10)
    n_samples = getattr(experiment.data, "n_train", n_rows) if experiment.data else 1
    n_qubits = n_network if experiment.network else getattr(experiment.circuit, "n_qubits", n_own)
    n_layers = getattr(experiment.circuit, "n_layers", math.ceil(experiment.n_params / n_qubits))
    return Sizes(n_samples, experiment.n_params, n_qubits, n_layers)


def memory_mb(experiment: Experiment, stage: str) -> int:
    """Megabytes of the first attempt of a job that makes a part of table ``stage``."""
    base = TORCH_MB if experiment.network or experiment.is_own else ENGINE_MB
    base = LIGHT_MB if stage == "datasets" else 2 * base if _record(stage).many else base
    held = max(need.engine + need.once + COPIES * need.table for need in _needs(experiment, stage))
    return base + math.ceil(held / 1e6)


def runtime_minutes(experiment: Experiment, stage: str) -> int:
    """Minutes of the first attempt."""
    return SHORT + int(SLACK * sum(_seconds(each, stage) for each in sized(experiment, stage)) // 60)


def least_bytes(experiment: Experiment, stage: str) -> float:
    """What such a job takes at least, besides its libraries: a machine that has less cannot do it."""
    needs = _needs(experiment, stage, least=True)
    return max(LEAST * (need.engine + need.once) + SEEN_COPIES * need.table for need in needs)


def least_seconds(experiment: Experiment, stage: str) -> float:
    """What such a job takes at the measured speed of one core, but for its start; what is unknown counts as small."""
    return sum(_seconds(each, stage, least=True) for each in sized(experiment, stage))


def n_hessians(experiment: Experiment) -> int:
    """Number of epochs that get a Hessian."""
    asked, training = experiment.hessian, experiment.training
    if asked is None or training is None:
        return 0
    return training.n_epochs + 1 if asked.epochs == "all" else len(asked.epochs)


def sized(experiment: Experiment, stage: str) -> list[Experiment]:
    """The experiment with the circuit of each size that the job works with, one after the other."""
    asked = {"starts": experiment.starts, "shift_rule": experiment.shift_rule}.get(stage)
    return resized(experiment, asked.sizes) if asked else [experiment]


def _needs(experiment: Experiment, stage: str, *, least: bool = False) -> list[Need]:
    return [
        Need(_engine(each, stage, least), _once(each, stage, least), _table(each, stage, least))
        for each in sized(experiment, stage)
    ]


def _record(stage: str) -> Table:
    """What is said of a table; a summand of Hessians is like their table."""
    return TABLES["hessians" if stage == "hessian_shards" else stage]


def _asked(experiment: Experiment, stage: str) -> Any:
    """The section of the configuration that asks for a table."""
    return getattr(experiment, _record(stage).section)


def _work(experiment: Experiment, *, least: bool = False) -> Work:
    n_samples, n_params, n_qubits, _ = sizes_of(experiment, least=least)
    sweep = n_samples * n_params * 2**n_qubits * SWEEP_SECONDS
    hessian = n_samples * n_params**2 * 2**n_qubits * HESSIAN_SECONDS
    ensemble, n_seeds = experiment.ensemble, experiment.ensemble.seeds_per_job if experiment.ensemble else 1
    return Work(
        n_samples=n_samples,
        n_params=n_params,
        n_epochs=experiment.training.n_epochs if experiment.training else 0,
        n_hessians=n_hessians(experiment),
        n_seeds=n_seeds,
        n_models=n_seeds * max(len(ensemble.initialisers), 1) if ensemble and experiment.network else 1,
        sweep=sweep,
        hessian=hessian,
        diagonalised=n_params**3 * EIGH_SECONDS,
        shift_rule=2 * n_params**3 * (GATE_SECONDS + 2**n_qubits * AMPLITUDE_SECONDS),
        training=_training_seconds(experiment, sweep, hessian),
    )


def _seconds(experiment: Experiment, stage: str, *, least: bool = False) -> float:
    asked = _asked(experiment, stage)
    if asked is None:
        return 0.0
    seconds = _record(stage).seconds(asked, _work(experiment, least=least))
    return seconds / asked.shards.samples if stage == "hessian_shards" else seconds


def _training_seconds(experiment: Experiment, sweep: float, hessian: float) -> float:
    training = experiment.training
    if training is None:
        return 0.0
    n_epochs, row = training.n_epochs, 8 * experiment.n_params
    steps = getattr(training.optimiser, "n_iterations", 1)  # of L-BFGS, a gradient each
    kept = n_epochs**2 / 2 * row * (COPY_SECONDS + SAVE_SECONDS / training.checkpoint_every)
    return n_epochs * (steps * sweep + EPOCH_SECONDS + (hessian if training.may_take_hessians else 0)) + kept


def _engine(experiment: Experiment, stage: str, least: bool) -> int:
    """Bytes of the states of a gradient, and of the tangents of a Hessian for the steps that form one."""
    asked = experiment.hessian
    if experiment.network or stage == "datasets":
        return 0
    _, n_carried, n_qubits, n_layers = sizes_of(experiment)
    share = _seen(experiment) if least else 1.0
    if not _forms_matrices(experiment, stage):
        return int(share * gradient_bound(n_qubits, n_layers))
    if stage == "hessian_shards" and asked and asked.shards.blocks > 2:
        n_carried = math.ceil(2 * n_carried / asked.shards.blocks)
    return int(share * hessian_bound(n_qubits, n_carried, n_layers))


def _seen(experiment: Experiment) -> float:
    """Share of a circuit that surely matters; 0 where only the user's code says it.

    Shallow circuits lose most parameters to their neighbours, and a local observable sees a cone of the others.
    """
    circuit = experiment.circuit
    if not isinstance(circuit, CircuitConfig) or circuit.ansatz == "rx_product":
        return 0.0
    is_global = getattr(experiment.objective, "locality", "") == "global"
    return min(1.0, circuit.n_layers / (4 if is_global else circuit.n_qubits))


def _forms_matrices(experiment: Experiment, stage: str) -> bool:
    asked = _asked(experiment, stage)
    return asked is not None and _record(stage).forms_matrices(asked)


def _once(experiment: Experiment, stage: str, least: bool) -> int:
    """Bytes of what the step holds beside engine and table: coefficients of samples, matrices, points of a grid."""
    n_samples, n_params, _, _ = sizes_of(experiment, least=least)
    if stage == "datasets":
        return 0
    numbers = n_samples * n_params if experiment.data and experiment.circuit else 0
    if experiment.circuit:  # how parameters depend on one another: every risk has this matrix
        numbers += int(_seen(experiment) * n_params**2) if least else n_params**2
    if _forms_matrices(experiment, stage):
        numbers += 4 * n_params**2  # a Hessian, its eigenvectors, and what they are computed from
    if (asked := _asked(experiment, stage)) is not None:
        numbers += int(_record(stage).grid(asked, _work(experiment, least=least)))
    return 8 * numbers


def _table(experiment: Experiment, stage: str, least: bool) -> int:
    """Bytes of the largest table that the step holds."""
    asked = _asked(experiment, stage)
    return 8 * int(_record(stage).numbers(asked, _work(experiment, least=least))) if asked is not None else 0
