"""The list of figures: which function draws each, from which tables. Importing it imports no Matplotlib."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from vqc_landscape.config import Config, ConfigError, DataConfig, Experiment, FigureConfig
from vqc_landscape.studies.parts import Part, parts_of
from vqc_landscape.studies.plan import STAGES
from vqc_landscape.tables import read_table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Canvas


@dataclass(frozen=True)
class Figure:
    """How one figure is made.

    Attributes:
        module: name below the package of the module that draws it, as ``provenance.source_hash`` takes it.
        function: name of the function there, ``(FigureData) -> matplotlib Figure``.
        needs: table stages that it reads.
        n_experiments: how many experiments it shows (None: any number).
        all_seeds: it reads every seed of its experiments, not just the ones shown.
        compares: its experiments share circuit, objective and init.
        needs_circuit: one of its experiments must have a circuit.
    """

    module: str
    function: str
    needs: tuple[str, ...] = ()
    n_experiments: int | None = 1
    all_seeds: bool = False
    compares: bool = True
    needs_circuit: bool = False


FIGURES: dict[str, Figure] = {
    "fig01": Figure("figures.circuits", "draw_state_preparation_circuits", n_experiments=2),
    "fig02": Figure("figures.landscapes", "draw_landscape", ("landscapes",)),
    "fig03": Figure("figures.landscapes", "draw_landscape", ("landscapes",)),
    "fig04": Figure("figures.landscapes", "draw_landscapes_compared", ("landscapes",), n_experiments=2),
    "fig05": Figure("figures.spectra", "draw_spectra_along_training", ("trajectories", "spectra")),
    "fig06": Figure("figures.spectra", "draw_eigenvector_scans", ("scans",)),
    "fig07": Figure("figures.classifier", "draw_data", ("datasets",)),
    "fig08": Figure("figures.circuits", "draw_reuploading_circuit"),
    "fig09": Figure(
        "figures.classifier", "draw_prediction_maps", ("datasets", "trajectories", "spectra", "predictions")
    ),
    "fig10": Figure(
        "figures.classifier", "draw_prediction_maps", ("datasets", "trajectories", "spectra", "predictions")
    ),
    "fig11": Figure("figures.optimisers", "draw_optimisers", ("trajectories",), n_experiments=None, all_seeds=True),
    "fig05_conventions": Figure(
        "figures.spectra", "draw_spectra_compared", ("trajectories", "spectra", "convention_errors"), n_experiments=2
    ),
    "fig06_conventions": Figure(
        "figures.spectra", "draw_scans_compared", ("scans", "convention_errors"), n_experiments=2
    ),
    "fig09_conventions": Figure(
        "figures.classifier",
        "draw_prediction_maps_compared",
        ("datasets", "trajectories", "spectra", "predictions", "convention_errors"),
        n_experiments=2,
    ),
    "flat_starts": Figure("figures.sizes", "draw_flat_starts", ("starts",), n_experiments=3, compares=False),
    "final_losses": Figure(
        "figures.optimisers", "draw_final_losses", ("trajectories",), n_experiments=None, all_seeds=True
    ),
    "hessian_cost": Figure("figures.sizes", "draw_hessian_cost", ("shift_rule",)),
    "spectra_over_seeds": Figure(
        "figures.seeds",
        "draw_spectra_over_seeds",
        ("ensembles",),
        n_experiments=None,
        all_seeds=True,
        compares=False,
        needs_circuit=True,
    ),
    "curvature_of_samples": Figure(
        "figures.samples",
        "draw_curvature_of_samples",
        ("samples",),
        n_experiments=None,
        all_seeds=True,
        compares=False,
        needs_circuit=True,
    ),
}


# What an experiment can draw by itself; the figure is then called `experiment_kind`.
OF_AN_EXPERIMENT: dict[str, Figure] = {
    "training": Figure("figures.experiment", "draw_training", ("trajectories",)),
    "spectra": Figure("figures.spectra", "draw_spectra_along_training", ("trajectories", "spectra")),
    "tracks": Figure("figures.experiment", "draw_tracks", ("spectra",)),
    "scans": Figure("figures.spectra", "draw_eigenvector_scans", ("scans",)),
    "planes": Figure("figures.experiment", "draw_planes", ("planes",)),
}


def own_figures(config: Config, experiment: str | None = None) -> dict[str, tuple[str, str]]:
    """Figures that experiments (or one of them) draw by themselves: name -> (experiment, kind)."""
    return {
        f"{name}_{kind}": (name, kind)
        for name in ([experiment] if experiment else config.experiments)
        for kind in config.experiments[name].figures
    }


def look_up(name: str, config: Config) -> Figure:
    """How a figure is made.

    Raises:
        ConfigError: the figure does not exist or is not configured.
    """
    return _look_up(name, config)[0]


def shown_by(name: str, config: Config) -> FigureConfig:
    """What a figure shows.

    Raises:
        ConfigError: the figure does not exist or is not configured.
    """
    return _look_up(name, config)[1]


def required_tables(name: str, config: Config) -> list[Part]:
    """The parts of the tables that a figure reads.

    Raises:
        ConfigError: the figure does not exist or is not configured, or its experiments cannot feed it.
    """
    figure, shown = _look_up(name, config)
    experiments = {e: config.experiments[e] for e in shown.experiments}
    _check(name, figure, experiments)
    parts: list[Part] = []
    for experiment_name, experiment in experiments.items():
        seeds = experiment.seeds if figure.all_seeds else shown.seeds or experiment.seeds[:1]
        stages = [s for s in figure.needs if s != "convention_errors" or experiment.published_hessian is not None]
        for stage in stages:
            parts += parts_of(stage, experiment_name, experiment, seeds)
    return parts


def make_figure(name: str, config: Config, tables: Mapping[str, pd.DataFrame]) -> Canvas:
    """Draw a figure from tables in memory.

    Args:
        name: a key of ``FIGURES``, or ``experiment_kind`` of what an experiment draws by itself.
        config: the study.
        tables: stage -> rows, as ``tables.read_table`` or ``pandas.read_parquet`` return them.

    Raises:
        ConfigError: as ``required_tables``.
        ValueError: a table or a run is missing.
    """
    required_tables(name, config)
    figure, shown = _look_up(name, config)
    for stage in figure.needs:
        if stage not in tables:
            raise ValueError(f"Figure {name} needs table `{stage}`, which was not given.")
    from vqc_landscape.figures import style  # Matplotlib
    from vqc_landscape.figures.data import FigureData

    data = FigureData(
        experiments={e: config.experiments[e] for e in shown.experiments},
        seeds=tuple(shown.seeds),
        tables=tables,
    )
    with style.paper_style():
        canvas: Canvas = getattr(import_module(f"vqc_landscape.{figure.module}"), figure.function)(data)
    return canvas


def draw_figure(
    name: str,
    config: Config,
    paths: Mapping[str, Iterable[str | PathLike[str]]],
    outputs: Iterable[str | PathLike[str]],
) -> None:
    """Read exactly the given part files, draw the figure, write it.

    Args:
        name: a key of ``FIGURES``, or ``experiment_kind`` of what an experiment draws by itself.
        config: the study.
        paths: stage -> part files.
        outputs: the files to write, by ending: ``.png`` (200 dpi) or ``.pdf``.

    Raises:
        ConfigError: as ``required_tables``.
        ValueError: a table or a run is missing, or a part file is damaged.
    """
    from vqc_landscape.figures import style

    canvas = make_figure(name, config, {stage: read_table(stage, parts) for stage, parts in paths.items() if parts})
    with style.paper_style():
        for path in outputs:
            style.save(canvas, Path(path))


def _look_up(name: str, config: Config) -> tuple[Figure, FigureConfig]:
    if name in (own := own_figures(config)):
        experiment, kind = own[name]
        return OF_AN_EXPERIMENT[kind], FigureConfig(experiments=[experiment])
    if name not in FIGURES:
        raise ConfigError(f"There is no figure {name!r}; there are {', '.join(FIGURES)}.")
    if name not in config.figures:
        listed = ", ".join(config.figures) or "none"
        raise ConfigError(f"The configuration has no key `figures.{name}`; under `figures` it has: {listed}.")
    return FIGURES[name], config.figures[name]


def _check(name: str, figure: Figure, experiments: dict[str, Experiment]) -> None:
    """Refuse experiments that lack what the figure draws, or that it cannot show together."""
    key = f"figures.{name}.experiments"
    if figure.n_experiments not in (None, len(experiments)):
        raise ConfigError(f"{key}: must list {figure.n_experiments}, but lists {', '.join(experiments)}.")
    if figure.needs_circuit and all(experiment.circuit is None for experiment in experiments.values()):
        raise ConfigError(f"{key}: none of {', '.join(experiments)} has a circuit, which {name} draws.")
    # convention_errors: of the second of two experiments alone, and only where the others are there, too
    keys = [STAGES[stage].asked_by for stage in figure.needs if stage != "convention_errors"] or ["circuit"]
    for experiment_name, experiment in experiments.items():
        missing = [needed for needed in keys if getattr(experiment, needed) is None]
        if not figure.needs and experiment.is_own:
            raise ConfigError(f"{key}: experiment {experiment_name} has no built-in circuit, which {name} draws.")
        if "datasets" in figure.needs and not isinstance(experiment.data, DataConfig):
            raise ConfigError(f"{key}: experiment {experiment_name} has other data than the disk, which {name} draws.")
        if missing:
            raise ConfigError(f"{key}: experiment {experiment_name} has no key `{missing[0]}`, which {name} draws.")
        if "trajectories" in figure.needs and experiment.ensemble is not None:
            raise ConfigError(f"{key}: experiment {experiment_name} keeps no trajectories, which {name} draws.")
        if "predictions" in keys and experiment.predictions is not None:
            late = sorted(set(experiment.predictions.epochs) - set(experiment.hessian_epochs))
            if late:
                raise ConfigError(
                    f"experiments.{experiment_name}.hessian.epochs: must have epoch {late[0]}, "
                    f"because {name} draws predictions and spectrum together."
                )
    conventions = [experiment.convention for experiment in experiments.values()]
    if "convention_errors" in figure.needs and conventions != ["exact", "as_published"]:
        raise ConfigError(f"{key}: must list an exact and an as_published experiment, but they are {conventions}.")
    first, *others = [(e.circuit, e.objective, e.init) for e in experiments.values()]
    if figure.needs and figure.compares and any(other != first for other in others):
        raise ConfigError(
            f"{key}: {', '.join(experiments)} differ in circuit, objective or init; {name} compares them."
        )
