"""Which tables an experiment gets, where they lie, and what each of them depends on.

The workflow asks here and computes nothing else by itself: a rule hands its step exactly the part of the
configuration that the step may read, and carries a hash over the code that the step runs. A job therefore
runs again when one of the two changes, and only then.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vqc_landscape.config import Config, ConfigError, Experiment, FileData, Problem
from vqc_landscape.provenance import ROOT, source_hash
from vqc_landscape.studies.parts import Part, parts_of, path_of
from vqc_landscape.studies.user_code import own_code
from vqc_landscape.tables.registry import TABLES, is_by_seed

# of no result's code: the configuration, whose values stand in the settings, and the GPU, which no job asks for
# and the list of tables, of which each step's own columns count
_UNUSED = ("config", "simulator.gpu", "tables.registry", "tables.table")


def stages_of(experiment: Experiment) -> list[str]:
    """The tables that an experiment gets."""
    return [
        name
        for name, table in TABLES.items()
        if getattr(experiment, table.section) is not None
        and (table.unless is None or getattr(experiment, table.unless) is None)
    ]


def part_files(config: Config, stage: str, name: str) -> list[str]:
    """Every part file of one table of one experiment, empty if it has no such table."""
    experiment = config.experiments[name]
    if stage not in stages_of(experiment):
        return []
    n_blocks = len(experiment.hessian_blocks) if stage == "hessians" else 1
    parts = parts_of(stage, name, experiment, experiment.seeds)
    return [path_of(config.results_dir, part, block) for part in parts for block in range(n_blocks)]


def shard_file(results_dir: str, name: str, seed: int | str, block: int | str, shard: int | str) -> str:
    """Path of one summand of a block of Hessians, in the columns of the table ``hessians``; gone when added up."""
    return f"{results_dir}/hessian_shards/experiment={name}/seed={seed}/part-{block}-{shard}.parquet"


def shard_files(results_dir: str, experiment: Experiment, name: str, seed: int | str, block: int | str) -> list[str]:
    """Part files of the summands of one block of Hessians, in the order in which they are added; empty if not split."""
    shards = experiment.hessian.shards if experiment.hessian else None
    if shards is None or shards.n_jobs == 1:
        return []
    return [shard_file(results_dir, name, seed, block, shard) for shard in range(shards.n_jobs)]


def stale_parts(config: Config) -> list[Path]:
    """What earlier runs left in the folders of the study's tables.

    Part files of another division into blocks, and temporary files of jobs that were killed.
    """
    stale = []
    for name, experiment in config.experiments.items():
        for stage in stages_of(experiment):
            planned = {Path(path) for path in part_files(config, stage, name)}
            folders = {path.parent for path in planned}
            stale += [
                path
                for folder in sorted(folders)
                for pattern in ("part-*.parquet", ".part-*.parquet")
                for path in folder.glob(pattern)
                if path not in planned
            ]
    return sorted(stale)


def settings(experiment: Experiment, *sections: str) -> dict[str, Any]:
    """The sections of an experiment that a step depends on, defaults filled in; `problem` is what is minimised."""
    plain = experiment.model_dump(mode="json")
    plain["problem"] = {key: plain[key] for key in Problem.model_fields}
    return {section: plain[section] for section in sections}


def own_inputs(experiment: Experiment) -> list[str]:
    """Files of the user that the samples are read from."""
    return [experiment.data.file] if isinstance(experiment.data, FileData) else []


def code_of(experiment: Experiment, stage: str) -> str:
    """Hash over the code that makes a table of an experiment, the user's own circuit, network and optimiser included.

    Raises:
        ConfigError: the user's module cannot be found.
    """
    package = step_code(stage, has_network=experiment.network is not None)
    try:
        return "-".join([package, *(own_code(reference) for reference in _own(experiment, stage))])
    except ValueError as error:
        raise ConfigError(str(error)) from None


def check_own_code(config: Config) -> None:
    """Find the modules of all own circuits, networks and optimisers.

    Raises:
        ConfigError: one of them cannot be found, or is no Python.
    """
    for experiment in config.experiments.values():
        for stage in stages_of(experiment):
            if _own(experiment, stage):
                code_of(experiment, stage)


def _own(experiment: Experiment, stage: str) -> list[str]:
    """The user's own objects that a stage works with, by name."""
    optimiser = experiment.training.optimiser if experiment.training else None
    trains = TABLES[stage].section in ("training", "ensemble")
    chosen = [experiment.model if stage != "datasets" else None, optimiser if trains else None]
    return [reference for reference in chosen if isinstance(reference, str)]


def files_by_stage(results_dir: str, parts: Iterable[Part]) -> dict[str, list[str]]:
    """Paths of the parts that a figure reads, by table."""
    files: dict[str, list[str]] = {}
    for part in parts:
        files.setdefault(part[0], []).append(path_of(results_dir, part))
    return files


def figure_settings(config: Config, figure: str, parts: Iterable[Part]) -> dict[str, Any]:
    """The part of the configuration that a figure depends on, itself a valid configuration.

    It has the experiments that the figure shows, with the seeds that it reads.
    """
    shown = config.figures.get(figure)
    read = {(name, seed) for stage, name, seed in parts if is_by_seed(stage)}
    whole = {name for stage, name, _ in parts if not is_by_seed(stage)}
    experiments = {}
    for name in shown.experiments if shown else sorted({name for name, _ in read}):
        seeds = config.experiments[name].seeds
        used = [seed for seed in seeds if (name, seed) in read or name in whole] or seeds[:1]
        own = [] if shown else [figure.removeprefix(f"{name}_")]
        experiments[name] = dump(config.experiments[name]) | {"seeds": used, "figures": own}
    return {"experiments": experiments, "figures": {figure: shown.model_dump(mode="json")} if shown else {}}


def claim_settings(config: Config, parts: Iterable[Part]) -> dict[str, Any]:
    """The part of the configuration that the claims depend on, itself a valid configuration."""
    fed = {name for _, name, _ in parts}
    experiments = {name: dump(experiment) for name, experiment in config.experiments.items() if name in fed}
    return {
        "purpose": config.purpose,
        "experiments": experiments,
        "other_seeds": config.other_seeds,
        "claims": {claim: chosen.model_dump(mode="json") for claim, chosen in config.claims.items()},
    }


def report_settings(config: Config) -> dict[str, Any]:
    """The whole configuration, itself a valid one: the page shows it."""
    plain = config.model_dump(mode="json", exclude={"experiments"})
    return plain | {"experiments": {name: dump(experiment) for name, experiment in config.experiments.items()}}


def benchmark_files(config: Config) -> list[str]:
    """Snakemake's benchmark of every job that makes a table."""
    files = []
    for stage in TABLES:
        for name in config.experiments:
            for path in map(Path, part_files(config, stage, name)):
                seed, block = path.parent.name.removeprefix("seed="), path.stem.removeprefix("part-")
                job = f"{seed}-{block}" if stage == "hessians" else seed if is_by_seed(stage) else block
                files.append(f"{config.results_dir}/benchmarks/{stage}/{name}-{job}.tsv")
    return files


def dump(experiment: Experiment) -> dict[str, Any]:
    """As plain data, itself a valid experiment: `init` is not for networks, not even with its defaults."""
    return experiment.model_dump(mode="json", exclude={"init"} if experiment.network else None)


@functools.cache
def step_code(stage: str, *, has_network: bool) -> str:
    """Hash over the code that makes a table of an experiment with a network, or with a circuit.

    The code of the configuration is left out: its values stand in the settings. So is the code of the
    other kind of model, which such an experiment never runs.
    """
    circuit = ("circuits", "structure", "simulator", "models.circuit_model", "risks.circuit_risk")
    other = circuit if has_network else ("models.network_model", "risks.network_risk")
    module, _, _ = TABLES[stage].step.rpartition(".")
    modules, columns = source_hash(module, skip=(*_UNUSED, *other)), str(TABLES[stage].columns)
    return hashlib.sha256(f"{modules} {columns}".encode()).hexdigest()[:16]


@functools.cache
def figure_code(draw: str) -> str:
    """Hash over the code that draws a figure by this function, named below the package. Captions do not count."""
    module, _, function = draw.rpartition(".")
    kept = ("figures.figure", "figures.registry", "figures.needs", "figures.select")
    return f"{function}-{source_hash(module, 'figures.draw', skip=(*_UNUSED, *kept))}"


@functools.cache
def claims_code() -> str:
    """Hash over the code that measures the claims."""
    return source_hash("claims.write", skip=_UNUSED)


@functools.cache
def report_code() -> str:
    """Hash over the code of the page and over what it is filled into: template, style and script."""
    folder = ROOT / "report"
    assets = b"".join(path.read_bytes() for path in sorted(folder.glob("page.*")) if path.suffix != ".py")
    return source_hash("report.page", skip=_UNUSED) + hashlib.sha256(assets).hexdigest()[:16]
