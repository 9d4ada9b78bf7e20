"""The list of figures: which function draws each, from which tables. Importing it imports no Matplotlib."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from vqc_landscape.config import Config, ConfigError, Experiment, FigureConfig
from vqc_landscape.figures import needs
from vqc_landscape.figures.needs import Need
from vqc_landscape.studies.parts import Part, parts_of
from vqc_landscape.tables.parquet import read_table
from vqc_landscape.tables.registry import TABLES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Canvas


@dataclass(frozen=True)
class Figure:
    """How one figure is made.

    Attributes:
        module: name below the package of the module that draws it, as ``provenance.source_hash`` takes it.
        function: name of the function there, ``(FigureData) -> matplotlib Figure``.
        reads: table stages.
        needs: what else it takes for granted of its experiments.
        n_experiments: fewest and most experiments that it shows (None: any number).
        n_seeds: most seeds that it shows one by one.
        all_seeds: it reads every seed of its experiments, not just the ones shown.
    """

    module: str
    function: str
    reads: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    n_experiments: tuple[int, int | None] = (1, 1)
    n_seeds: int = 1
    all_seeds: bool = False


_CONVENTIONS = needs.SAME_MODEL_BUT_CONVENTION
_MAPS = ("datasets", "trajectories", "spectra", "predictions")

FIGURES: dict[str, Figure] = {
    "fig01": Figure(
        "figures.circuits", "draw_state_preparation_circuits", needs=(needs.STATE_PREPARATION,), n_experiments=(2, 2)
    ),
    "fig02": Figure("figures.landscapes", "draw_landscape", ("landscapes",), (needs.MARKED_POINTS,)),
    "fig03": Figure("figures.landscapes", "draw_landscape", ("landscapes",), (needs.MARKED_POINTS,)),
    "fig04": Figure(
        "figures.landscapes",
        "draw_landscapes_compared",
        ("landscapes",),
        (needs.MARKED_POINTS, *_CONVENTIONS),
        n_experiments=(2, 2),
    ),
    "fig05": Figure("figures.spectra", "draw_spectra_along_training", ("trajectories", "spectra")),
    "fig06": Figure("figures.spectra", "draw_eigenvector_scans", ("scans",)),
    "fig07": Figure("figures.classifier", "draw_data", ("datasets",), (needs.DISK,)),
    "fig08": Figure("figures.circuits", "draw_reuploading_circuit", needs=(needs.REUPLOADING,)),
    "fig09": Figure("figures.classifier", "draw_prediction_maps", _MAPS, (needs.DISK, needs.SPECTRA_OF_MAPS)),
    "fig10": Figure("figures.classifier", "draw_prediction_maps", _MAPS, (needs.DISK, needs.SPECTRA_OF_MAPS)),
    "fig11": Figure(
        "figures.optimisers",
        "draw_optimisers",
        ("trajectories",),
        (needs.NO_NEGATIVE_LOSS, *needs.SAME_MODEL, needs.SAME_CONVENTION, needs.SHARED_SEED),
        n_experiments=(1, needs.N_CURVES),
        n_seeds=4,  # panels of 1.4 inches: chosen by us
        all_seeds=True,
    ),
    "fig05_conventions": Figure(
        "figures.spectra",
        "draw_spectra_compared",
        ("trajectories", "spectra", "convention_errors"),
        (*_CONVENTIONS, *needs.SAME_TRAINING, needs.SAME_HESSIAN_EPOCHS),
        n_experiments=(2, 2),
    ),
    "fig06_conventions": Figure(
        "figures.spectra",
        "draw_scans_compared",
        ("scans", "convention_errors"),
        (*_CONVENTIONS, *needs.SAME_TRAINING),
        n_experiments=(2, 2),
    ),
    "fig09_conventions": Figure(
        "figures.classifier",
        "draw_prediction_maps_compared",
        (*_MAPS, "convention_errors"),
        (needs.DISK, needs.SPECTRA_OF_MAPS, *_CONVENTIONS, *needs.SAME_TRAINING, needs.SAME_MAP_EPOCHS),
        n_experiments=(2, 2),
    ),
    "flat_starts": Figure(
        "figures.sizes",
        "draw_flat_starts",
        ("starts",),
        (needs.GLOBAL_INFIDELITY, *needs.GORGE),
        n_experiments=(3, 3),
    ),
    "final_losses": Figure(
        "figures.optimisers",
        "draw_final_losses",
        ("trajectories",),
        (needs.COMPARABLE_INFIDELITY, *needs.SAME_MODEL, needs.SAME_CONVENTION),
        n_experiments=(1, None),
        n_seeds=0,
        all_seeds=True,
    ),
    "hessian_cost": Figure("figures.sizes", "draw_hessian_cost", ("shift_rule",)),
    "spectra_over_seeds": Figure(
        "figures.seeds",
        "draw_spectra_over_seeds",
        ("ensembles",),
        (
            needs.ONE_CIRCUIT,
            *needs.SAME_DATA,
            needs.SAME_ENSEMBLE_EPOCHS,
            needs.TWO_SEEDS,
            needs.WHOLE_SPECTRUM,
        ),
        n_experiments=(1, needs.N_CURVES),
        n_seeds=0,
        all_seeds=True,
    ),
    "curvature_of_samples": Figure(
        "figures.samples",
        "draw_curvature_of_samples",
        ("samples",),
        (needs.ONE_CIRCUIT, *needs.SAME_DATA, needs.SAME_SAMPLE_EPOCH),
        n_experiments=(1, needs.N_CURVES),
        n_seeds=0,
        all_seeds=True,
    ),
    "compare": Figure(
        "figures.compare",
        "draw_comparison",
        ("trajectories",),
        n_experiments=(1, needs.N_CURVES),
        n_seeds=0,
        all_seeds=True,
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
    _check(name, figure, shown, experiments)
    parts: list[Part] = []
    for experiment_name, experiment in experiments.items():
        seeds = experiment.seeds if figure.all_seeds else shown.seeds or experiment.seeds[:1]
        stages = [s for s in figure.reads if s != "convention_errors" or experiment.published_hessian is not None]
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
    for stage in figure.reads:
        if stage not in tables:
            raise ValueError(f"Figure {name} needs table `{stage}`, which was not given.")
    from vqc_landscape.figures import style  # Matplotlib
    from vqc_landscape.figures.data import FigureData

    data = FigureData(
        experiments={e: config.experiments[e] for e in shown.experiments},
        seeds=tuple(shown.seeds),
        tables=tables,
        against=shown.against,
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


def _check(name: str, figure: Figure, shown: FigureConfig, experiments: dict[str, Experiment]) -> None:
    """Refuse experiments that lack what the figure draws, or that it cannot show together."""
    key = f"figures.{name}.experiments"
    fewest, most = figure.n_experiments
    if len(experiments) < fewest or (most is not None and len(experiments) > most):
        allowed = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        raise ConfigError(f"{key}: must list {allowed}, but lists {len(experiments)}: {', '.join(experiments)}.")
    if len(shown.seeds) > figure.n_seeds:
        allowed = f"list at most {figure.n_seeds}" if figure.n_seeds else f"be left out, as {name} shows all"
        raise ConfigError(f"figures.{name}.seeds: must {allowed}, but is {shown.seeds}.")
    for stage in figure.reads:
        for experiment_name, experiment in experiments.items():
            _check_table(f"{key}: experiment {experiment_name}", name, experiment, stage)
    if not figure.all_seeds and shown.seeds:
        experiments = {e: experiments[e].model_copy(update={"seeds": shown.seeds}) for e in experiments}
    counted = (needs.COUNTED_GRADIENTS,) if shown.against == "gradients" else ()
    for need in (*figure.needs, *counted):
        if message := need.message(experiments):
            raise ConfigError(f"{key}: {name} needs {message}")


def _check_table(who: str, name: str, experiment: Experiment, stage: str) -> None:
    """Refuse an experiment without a table that the figure reads."""
    if stage == "convention_errors":  # of the as-published one of two experiments, where the others are there, too
        return
    asked_by, unless = TABLES[stage].section, TABLES[stage].unless
    if getattr(experiment, asked_by) is None:
        raise ConfigError(f"{who} has no key `{asked_by}`, which {name} draws.")
    if unless is not None and getattr(experiment, unless) is not None:
        raise ConfigError(f"{who} has the key `{unless}` and so keeps no {stage}, which {name} draws.")
