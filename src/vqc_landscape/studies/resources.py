"""What a job asks of a scheduler, from the sizes in the configuration alone: the workflow asks for thousands of jobs.

The constants were measured (docs/cluster.md) and rounded up; a job that needs more is tried again with more.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from vqc_landscape.config import Experiment, TrainingConfig
from vqc_landscape.simulator.memory import hessian_bound
from vqc_landscape.studies.build import resized

# A job on a cluster is a Snakemake (150 MB) that starts a Python with what the step imports.
LIGHT_MB = 500  # tables and plots: 130 to 200 MB
ENGINE_MB = 750  # numba, compiling at worst: 250 to 350 MB
TORCH_MB = 1000  # torch or PennyLane: 320 to 400 MB
COPIES = 6  # of a table, from its first array to the compressed file: chosen by us, at least 3 were seen
MANY = ("ensembles", "samples", "starts", "shift_rule")  # steps with many models or samples side by side
SECOND_ORDER = ("hessians", "hessian_shards", "landscapes", "planes", "convention_errors", *MANY)

SHORT = 10  # minutes: seconds of work, on a file system that may be slow
SLACK = 20  # how much slower than measured a node may be before a job runs out of time
HESSIAN_SECONDS = 1e-10  # per sample, squared number of parameters and amplitude: 0.4 ms for the paper's QNN
SWEEP_SECONDS = 2e-8  # per sample, parameter and amplitude: a gradient, at worst in batches of one
EIGH_SECONDS = 1e-8  # per cubed number of parameters: eigenvalues and eigenvectors
GATE_SECONDS = 1e-4  # of PennyLane, per run of a circuit and gate: 22 s for the shift rule with 48 parameters
AMPLITUDE_SECONDS = 3e-8  # the same, per amplitude on top


class Sizes(NamedTuple):
    """How large the model and its data are."""

    n_samples: int
    n_params: int
    n_qubits: int
    n_layers: int


def sizes_of(experiment: Experiment) -> Sizes:
    """The sizes that the configuration says; what only the user's own code or file says is assumed."""
    # ASSUME: a file of 10,000 samples, an own circuit of 12 qubits; a network takes the time of 10 qubits.
    n_samples = getattr(experiment.data, "n_train", 10_000) if experiment.data else 1
    n_qubits = 10 if experiment.network else getattr(experiment.circuit, "n_qubits", 12)
    n_layers = getattr(experiment.circuit, "n_layers", math.ceil(experiment.n_params / n_qubits))
    return Sizes(n_samples, experiment.n_params, n_qubits, n_layers)


def memory_mb(experiment: Experiment, stage: str) -> int:
    """Megabytes of the first attempt of a job that makes a part of table ``stage``."""
    if stage == "datasets":
        return LIGHT_MB
    base = TORCH_MB if experiment.network or experiment.is_own else ENGINE_MB
    base *= 2 if stage in MANY else 1
    held = max(_tangents(sized, stage) + COPIES * _table(sized, stage) for sized in _sized(experiment, stage))
    return base + math.ceil(held / 1e6)


def runtime_minutes(experiment: Experiment, stage: str) -> int:
    """Minutes of the first attempt."""
    return SHORT + int(SLACK * sum(_seconds(sized, stage) for sized in _sized(experiment, stage)) // 60)


def _sized(experiment: Experiment, stage: str) -> list[Experiment]:
    """The experiment with the circuit of each size that the job works with, one after the other."""
    asked = {"starts": experiment.starts, "shift_rule": experiment.shift_rule}.get(stage)
    return resized(experiment, asked.sizes) if asked else [experiment]


def _seconds(experiment: Experiment, stage: str) -> float:
    """What a job takes at the measured speed, but for its start."""
    n_samples, n_params, n_qubits, _ = sizes_of(experiment)
    sweep = n_samples * n_params * 2**n_qubits * SWEEP_SECONDS
    hessian = n_samples * n_params**2 * 2**n_qubits * HESSIAN_SECONDS
    diagonalised = n_params**3 * EIGH_SECONDS
    training, asked, ensemble = experiment.training, experiment.hessian, experiment.ensemble
    epoch = sweep + (hessian if training and _takes_hessians(training) else 0)
    whole_training = training.n_epochs * epoch if training else 0
    block = asked.epochs_per_job * hessian if asked else 0
    seconds = {
        "trajectories": whole_training,
        "hessians": block,
        "hessian_shards": block,
        "convention_errors": hessian * len(experiment.hessian_epochs),
        "spectra": diagonalised * len(experiment.hessian_epochs),
        "landscapes": sweep * experiment.landscape.n_grid**2 if experiment.landscape else 0,
        "planes": sweep * len(experiment.planes.axes) * experiment.planes.n_grid**2 if experiment.planes else 0,
        # the metric, too, has its tangents and its eigenvalues
        "starts": 2 * experiment.starts.n_starts * (hessian + diagonalised) if experiment.starts else 0,
        "shift_rule": 2 * n_params**3 * (GATE_SECONDS + 2**n_qubits * AMPLITUDE_SECONDS)
        if experiment.shift_rule
        else 0,
    }.get(stage, sweep)
    if ensemble and stage in ("ensembles", "samples"):
        seconds = ensemble.seeds_per_job * (whole_training + hessian * len(ensemble.epochs))
    return float(seconds)


def _tangents(experiment: Experiment, stage: str) -> int:
    """Bytes of the tangents of a Hessian, for the steps that form one."""
    training, asked = experiment.training, experiment.hessian
    trains_with_one = training is not None and (training.optimiser_name == "qng" or _takes_hessians(training))
    if experiment.network or not (stage in SECOND_ORDER or (stage == "trajectories" and trains_with_one)):
        return 0
    _, n_carried, n_qubits, n_layers = sizes_of(experiment)
    if stage == "hessian_shards" and asked and asked.shards.blocks > 2:
        n_carried = math.ceil(2 * n_carried / asked.shards.blocks)
    return hessian_bound(n_qubits, n_carried, n_layers)


def _takes_hessians(training: TrainingConfig) -> bool:
    """Whether every step may take a Hessian; one's own optimiser may."""
    return training.optimiser_name in ("hlr", "hlr_qng") or isinstance(training.optimiser, str)


def _table(experiment: Experiment, stage: str) -> int:
    """Bytes of the largest table that the step holds."""
    n_params, asked = experiment.n_params, experiment.hessian
    trajectory = experiment.training.n_epochs + 1 if experiment.training else 0
    hessians = n_params * len(experiment.hessian_epochs)
    block = n_params * min(asked.epochs_per_job, len(experiment.hessian_epochs)) if asked else 0
    n_rows = {
        "trajectories": trajectory,
        "predictions": trajectory,
        "planes": trajectory,
        "hessians": block,
        "hessian_shards": block,
        "spectra": hessians,
        "scans": hessians,
        "convention_errors": hessians,
        "samples": n_params * sizes_of(experiment).n_samples,
        "starts": experiment.starts.n_starts if experiment.starts else 0,
    }
    return 8 * n_params * n_rows.get(stage, 1)
