"""What cannot be done is refused before anything starts: too much memory or time of a job, too many jobs of a plan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from vqc_landscape.config import ConfigError, Experiment
from vqc_landscape.simulator.memory import byte_budget, total_bytes
from vqc_landscape.studies.parts import parts_of
from vqc_landscape.studies.plan import stages_of
from vqc_landscape.studies.resources import least_bytes, least_seconds, n_hessians, sized, sizes_of
from vqc_landscape.studies.what_fits import ways_to_fit

# A year: at the measured speed of single samples, which batches beat by up to 160 times. What is refused takes days.
LONGEST_SECONDS = 365 * 86_400
LARGEST_NODE = 4 * 2.0**40  # bytes; chosen by us: what the large nodes of clusters have
MAX_JOBS = 30_000  # Snakemake plans a thousand in 1.3 s (docs/scaling.md): this many in 40 s


class Room(NamedTuple):
    """Where jobs run, and how many bytes the largest of them may take."""

    name: str
    n_bytes: float


CLUSTER = Room("a large node of a cluster", LARGEST_NODE)


def this_machine() -> Room:
    """This machine with its memory, or with what VQC_LANDSCAPE_MEMORY_GB says where that is more.

    Raises:
        ConfigError: the variable is not a positive number.
    """
    try:
        return Room("this machine", max(total_bytes(), byte_budget(total_bytes)))
    except ValueError as error:
        raise ConfigError(str(error)) from None


def check_sizes(experiments: Mapping[str, Experiment], room: Room) -> None:
    """See that every job of these experiments can be done there, and that Snakemake can plan all of them.

    What only the user's own code or file says (qubits, samples) counts as one: what is refused is certain.

    Raises:
        ConfigError: a line for each experiment that asks for too much, with the size and with what would fit.
    """
    messages = []
    for name, experiment in experiments.items():
        found = _faults(experiment, room)
        if found:
            ways = ways_to_fit(experiment, lambda changed: _faults(changed, room).keys())
            what = " or ".join(ways) or "less of several things at once"
            messages.append(
                f"experiments.{name} ({_sizes(experiment)}): {'; '.join(found.values())}. What may fit: {what}"
            )
    counts = {name: n_jobs(experiment) for name, experiment in experiments.items()}
    if not messages and sum(counts.values()) > MAX_JOBS:
        largest = max(counts, key=lambda name: counts[name])
        messages.append(
            f"experiments: {sum(counts.values()):,} jobs, but a plan has at most {MAX_JOBS:,}; most are of {largest}, "
            f"{counts[largest]:,}. What may fit: more in a job (hessian.epochs_per_job, ensemble), or several studies"
        )
    if messages:
        raise ConfigError("The study asks for too much:\n" + "\n".join(f"  {message}" for message in messages))


def n_jobs(experiment: Experiment) -> int:
    """Number of jobs that make the tables of an experiment."""
    asked, n = experiment.hessian, 0
    for stage in stages_of(experiment):
        n_parts = len(parts_of(stage, "", experiment, experiment.seeds))
        if stage == "hessians" and asked:
            n_shards = asked.shards.n_jobs
            n_parts *= math.ceil(n_hessians(experiment) / asked.epochs_per_job) * (1 if n_shards == 1 else 1 + n_shards)
        n += n_parts
    return n


def _faults(experiment: Experiment, room: Room) -> dict[str, str]:
    """What an experiment asks too much of, by kind: memory, time, jobs."""
    messages, n = {}, n_jobs(experiment)
    split = experiment.hessian is not None and experiment.hessian.shards.n_jobs > 1
    steps = ["hessian_shards" if step == "hessians" and split else step for step in stages_of(experiment)]
    n_bytes, stage = max(((least_bytes(experiment, step), step) for step in steps), default=(0.0, ""))
    if n_bytes > room.n_bytes:
        has = f"{room.name} has {_size(room.n_bytes)}"
        messages["memory"] = f"a job of table {stage} takes at least {_size(n_bytes)} of memory, but {has}"
    taken, stage = max(((least_seconds(experiment, step), step) for step in steps), default=(0.0, ""))
    if taken > LONGEST_SECONDS:
        years = taken / LONGEST_SECONDS
        messages["time"] = f"a job of table {stage} takes about {years:.2g} years, but at most one is allowed"
    if n > MAX_JOBS:
        messages["jobs"] = f"{n:,} jobs, but a plan has at most {MAX_JOBS:,}"
    return messages


def _sizes(experiment: Experiment) -> str:
    """What the estimates follow from, as far as the configuration says it: of several circuits, the largest."""
    circuits = [circuit for step in ("starts", "shift_rule") for circuit in sized(experiment, step)]
    n_samples, n_params, n_qubits, _ = max(map(sizes_of, circuits), key=lambda sizes: sizes.n_params << sizes.n_qubits)
    shape = f", params_shape {experiment.params_shape}" if experiment.is_own else ""
    told = [f"{n_params:.7g} parameters{shape}"]
    if experiment.circuit and not experiment.is_own:
        told.append(f"{n_qubits} qubits")
    if hasattr(experiment.data, "n_train"):
        told.append(f"{n_samples} samples")
    if experiment.training:
        told.append(f"{experiment.training.n_epochs} epochs")
    if experiment.hessian:
        told.append(f"{n_hessians(experiment)} of them with a Hessian")
    if len(experiment.seeds) > 1:
        told.append(f"{len(experiment.seeds)} seeds")
    return ", ".join(told)


def _size(n_bytes: float) -> str:
    """In binary units: 7.3 TiB."""
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")
    power = min(int(math.log(max(n_bytes, 1), 1024)), len(units) - 1)
    return f"{n_bytes / 1024**power:.3g} {units[power]}"
