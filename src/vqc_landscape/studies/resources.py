"""What a job asks of a scheduler, from the sizes in the configuration alone: the workflow asks for thousands of jobs.

The constants were measured (docs/cluster.md) and rounded up; a job that needs more is tried again with more.
"""

from __future__ import annotations

import math

from vqc_landscape.config import Experiment
from vqc_landscape.simulator.memory import hessian_bound

# A job on a cluster is a Snakemake (150 MB) that starts a Python with what the step imports.
LIGHT_MB = 500  # tables and plots: 130 to 200 MB
ENGINE_MB = 750  # numba, compiling at worst: 250 to 350 MB
TORCH_MB = 1000  # 320 to 400 MB
COPIES = 6  # of a table, from its first array to the compressed file: chosen by us, at least 3 were seen

_MANY = ("ensembles", "samples")  # many models or samples side by side

SHORT = 10  # minutes: seconds of work, on a file system that may be slow
SLACK = 20  # how much slower than measured a node may be before a job runs out of time
HESSIAN_SECONDS = 1e-10  # per sample, squared number of parameters and amplitude: 0.4 ms for the paper's QNN
SWEEP_SECONDS = 2e-8  # per sample, parameter and amplitude: a gradient, at worst in batches of one


def memory_mb(experiment: Experiment, stage: str) -> int:
    """Megabytes of the first attempt of a job that makes a part of table ``stage``."""
    if stage == "datasets":
        return LIGHT_MB
    base = TORCH_MB if experiment.network else ENGINE_MB
    base *= 2 if stage in _MANY else 1
    return base + math.ceil((_differentiation(experiment, stage) + COPIES * _table(experiment, stage)) / 1e6)


def runtime_minutes(experiment: Experiment, stage: str) -> int:
    """Minutes of the first attempt."""
    n_samples = experiment.data.n_train if experiment.data else 1
    sweep = n_samples * experiment.n_params * _n_amplitudes(experiment) * SWEEP_SECONDS
    hessian = n_samples * experiment.n_params**2 * _n_amplitudes(experiment) * HESSIAN_SECONDS
    training, asked = experiment.training, experiment.hessian
    seconds = {
        "trajectories": (sweep + hessian * (training.optimiser.name == "hlr")) * training.n_epochs if training else 0,
        "hessians": hessian * asked.epochs_per_job if asked else 0,
        "hessian_shards": hessian * asked.epochs_per_job if asked else 0,
        "convention_errors": hessian * len(experiment.hessian_epochs),
        "spectra": 1e-8 * experiment.n_params**3 * len(experiment.hessian_epochs),
        "landscapes": sweep * experiment.landscape.n_grid**2 if experiment.landscape else 0,
    }.get(stage, sweep)
    if experiment.ensemble and stage in _MANY:
        n_epochs = training.n_epochs if training else 0
        seconds = experiment.ensemble.seeds_per_job * (sweep * n_epochs + hessian * len(experiment.ensemble.epochs))
    return SHORT + math.ceil(SLACK * seconds / 60)


def _differentiation(experiment: Experiment, stage: str) -> int:
    """Bytes of the tangents of a Hessian, for the steps that form one."""
    training, asked = experiment.training, experiment.hessian
    forms_one = stage in ("hessians", "hessian_shards", "landscapes", "convention_errors", *_MANY) or (
        stage == "trajectories" and training is not None and training.optimiser.name in ("hlr", "qng")
    )
    if not forms_one or experiment.circuit is None:
        return 0
    n_carried = experiment.n_params
    if stage == "hessian_shards" and asked and asked.shards.blocks > 2:
        n_carried = math.ceil(2 * n_carried / asked.shards.blocks)
    return hessian_bound(experiment.circuit.n_qubits, n_carried, experiment.circuit.n_layers)


def _table(experiment: Experiment, stage: str) -> int:
    """Bytes of the largest table that the step holds."""
    n_params, asked = experiment.n_params, experiment.hessian
    n_rows = {
        "trajectories": experiment.training.n_epochs if experiment.training else 0,
        "hessians": n_params * min(asked.epochs_per_job, len(experiment.hessian_epochs)) if asked else 0,
        "spectra": n_params * len(experiment.hessian_epochs),
    }
    n_rows["hessian_shards"] = n_rows["hessians"]
    n_rows["convention_errors"] = n_rows["spectra"]
    n_rows["samples"] = n_params * (experiment.data.n_train if experiment.data else 1)
    n_rows["scans"] = n_rows["spectra"]
    n_rows["predictions"] = n_rows["trajectories"]
    return 8 * n_params * n_rows.get(stage, 1)


def _n_amplitudes(experiment: Experiment) -> int:
    # a network of P parameters takes about as long as P amplitudes: measured on the paper's
    return 2**experiment.circuit.n_qubits if experiment.circuit else experiment.n_params
