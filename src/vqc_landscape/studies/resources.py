"""What a job asks of a scheduler, from the sizes in the configuration alone: the workflow asks for thousands of jobs.

The constants were measured (docs/cluster.md) and rounded up; a job that needs more is tried again with more.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from vqc_landscape.config import CircuitConfig, Experiment, TrainingConfig
from vqc_landscape.simulator.memory import gradient_bound, hessian_bound
from vqc_landscape.studies.build import resized

# A job on a cluster is a Snakemake (150 MB) that starts a Python with what the step imports.
LIGHT_MB = 500  # tables and plots: 130 to 200 MB
ENGINE_MB = 750  # numba, compiling at worst: 250 to 350 MB
TORCH_MB = 1000  # torch or PennyLane: 320 to 400 MB
COPIES = 6  # of a table, from its first array to the compressed file: chosen by us
SEEN_COPIES = 3  # of them, at least
LEAST = 0.4  # of the estimates for a large circuit, what it takes at least: 0.45 to 0.64, as some parameters merge
MANY = ("ensembles", "samples", "starts", "shift_rule")  # steps with many models or samples side by side
SECOND_ORDER = ("hessians", "hessian_shards", "landscapes", "convention_errors", "samples", "starts", "shift_rule")

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
    base = LIGHT_MB if stage == "datasets" else 2 * base if stage in MANY else base
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


def _seconds(experiment: Experiment, stage: str, *, least: bool = False) -> float:
    n_samples, n_params, n_qubits, _ = sizes_of(experiment, least=least)
    sweep = n_samples * n_params * 2**n_qubits * SWEEP_SECONDS
    hessian = n_samples * n_params**2 * 2**n_qubits * HESSIAN_SECONDS
    diagonalised = n_params**3 * EIGH_SECONDS
    asked, ensemble, planes = experiment.hessian, experiment.ensemble, experiment.planes
    whole_training = _training_seconds(experiment, sweep, hessian)
    block = min(asked.epochs_per_job, n_hessians(experiment)) * hessian if asked else 0
    points = planes.n_grid**2 * len(planes.axes) if planes else 0
    taken = {
        "trajectories": whole_training,
        "hessians": block,
        "hessian_shards": block / asked.shards.samples if asked else 0,
        "convention_errors": hessian * n_hessians(experiment),
        "spectra": diagonalised * n_hessians(experiment),
        "scans": sweep * experiment.scans.n_points * len(experiment.scans.positions) if experiment.scans else 0,
        "predictions": sweep * len(experiment.predictions.epochs) if experiment.predictions else 0,
        "landscapes": sweep * experiment.landscape.n_grid**2 if experiment.landscape else 0,
        "planes": points * (sweep + (hessian + diagonalised if planes and planes.extremes else 0)),
        # the metric, too, has its tangents and its eigenvalues
        "starts": 2 * experiment.starts.n_starts * (hessian + diagonalised) if experiment.starts else 0,
        "shift_rule": 2 * n_params**3 * (GATE_SECONDS + 2**n_qubits * AMPLITUDE_SECONDS)
        if experiment.shift_rule
        else 0,
    }.get(stage, sweep)
    if ensemble and stage in ("ensembles", "samples"):
        taken = ensemble.seeds_per_job * (whole_training + hessian * len(ensemble.epochs))
    return float(taken)


def _training_seconds(experiment: Experiment, sweep: float, hessian: float) -> float:
    training = experiment.training
    if training is None:
        return 0.0
    n_epochs, row = training.n_epochs, 8 * experiment.n_params
    steps = getattr(training.optimiser, "n_iterations", 1)  # of L-BFGS, a gradient each
    kept = n_epochs**2 / 2 * row * (COPY_SECONDS + SAVE_SECONDS / training.checkpoint_every)
    return n_epochs * (steps * sweep + EPOCH_SECONDS + (hessian if _takes_hessians(training) else 0)) + kept


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
    """Whether the step forms Hessians, or metric tensors, which take as much."""
    training, planes, ensemble = experiment.training, experiment.planes, experiment.ensemble
    if stage == "trajectories" and training:
        return training.optimiser_name == "qng" or _takes_hessians(training)
    if stage == "planes" and planes:
        return planes.extremes
    if stage == "ensembles" and ensemble:
        return ensemble.n_extremes is None
    return stage in SECOND_ORDER


def _takes_hessians(training: TrainingConfig) -> bool:
    """Whether every step may take a Hessian; one's own optimiser may."""
    return training.optimiser_name in ("hlr", "hlr_qng") or isinstance(training.optimiser, str)


def _once(experiment: Experiment, stage: str, least: bool) -> int:
    """Bytes of what the step holds beside engine and table: coefficients of samples, matrices, points of a grid."""
    n_samples, n_params, _, _ = sizes_of(experiment, least=least)
    planes, landscape = experiment.planes, experiment.landscape
    if stage == "datasets":
        return 0
    numbers = n_samples * n_params if experiment.data and experiment.circuit else 0
    if experiment.circuit:  # how parameters depend on one another: every risk has this matrix
        numbers += int(_seen(experiment) * n_params**2) if least else n_params**2
    if _forms_matrices(experiment, stage):
        numbers += 4 * n_params**2  # a Hessian, its eigenvectors, and what they are computed from
    if stage == "planes" and planes:
        numbers += planes.n_grid**2 * n_params
    if stage == "landscapes" and landscape:
        numbers += landscape.n_grid**2 * n_params
    return 8 * numbers


def _table(experiment: Experiment, stage: str, least: bool) -> int:
    """Bytes of the largest table that the step holds."""
    n_params, asked, ensemble, data = experiment.n_params, experiment.hessian, experiment.ensemble, experiment.data
    planes, scans, predictions = experiment.planes, experiment.scans, experiment.predictions
    trajectory = n_params * (experiment.training.n_epochs + 1) if experiment.training else 0
    side_by_side = ensemble.seeds_per_job * max(len(ensemble.initialisers), 1) if ensemble and experiment.network else 1
    seeds_per_job = ensemble.seeds_per_job if ensemble else 1
    hessians = n_params**2 * n_hessians(experiment)
    block = n_params**2 * min(asked.epochs_per_job, n_hessians(experiment)) if asked else 0
    sampled, n_samples = experiment.samples, sizes_of(experiment, least=least).n_samples
    numbers = {
        "datasets": 4 * (n_samples + data.n_test) if data else 0,
        "trajectories": trajectory,
        "ensembles": trajectory * side_by_side,
        "predictions": trajectory + (4 * predictions.n_grid**2 * len(predictions.epochs) if predictions else 0),
        "planes": trajectory + (9 * planes.n_grid**2 * len(planes.axes) if planes else 0),
        "hessians": block,
        "hessian_shards": block,
        "spectra": hessians,
        "scans": hessians + (6 * scans.n_points * len(scans.positions) if scans else 0),
        "convention_errors": hessians,
        "samples": (n_params + sampled.n_leading) * n_samples * len(sampled.epochs) * seeds_per_job if sampled else 0,
        "starts": n_params * experiment.starts.n_starts if experiment.starts else 0,
        "landscapes": 4 * experiment.landscape.n_grid**2 if experiment.landscape else 0,
    }
    return 8 * numbers.get(stage, n_params)
