"""Which figures a study has, and which parts of the tables each of them reads."""

from __future__ import annotations

from vqc_landscape.config import Config, ConfigError, Experiment, FigureConfig
from vqc_landscape.config.messages import nearest
from vqc_landscape.figures import needs
from vqc_landscape.figures.figure import Figure
from vqc_landscape.figures.registry import FIGURES, OF_AN_EXPERIMENT
from vqc_landscape.studies.parts import Part, parts_of
from vqc_landscape.tables.registry import TABLES


def own_figures(config: Config, experiment: str | None = None) -> dict[str, tuple[str, str]]:
    """Figures that experiments (or one of them) draw by themselves: name -> (experiment, kind)."""
    return {
        f"{name}_{kind}": (name, kind)
        for name in ([experiment] if experiment else config.experiments)
        for kind in config.experiments[name].figures
    }


def required_tables(name: str, config: Config) -> list[Part]:
    """The parts of the tables that a figure reads.

    Raises:
        ConfigError: the figure does not exist or is not configured, or its experiments cannot feed it.
    """
    figure, shown = find_figure(name, config)
    experiments = {e: config.experiments[e] for e in shown.experiments}
    _check(name, figure, shown, experiments)
    parts: list[Part] = []
    for experiment_name, experiment in experiments.items():
        seeds = experiment.seeds if figure.all_seeds else shown.seeds or experiment.seeds[:1]
        stages = [s for s in figure.reads if s != "convention_errors" or experiment.published_hessian is not None]
        for stage in stages:
            parts += parts_of(stage, experiment_name, experiment, seeds)
    return parts


def find_figure(name: str, config: Config) -> tuple[Figure, FigureConfig]:
    """How a figure is made, and what it shows.

    Raises:
        ConfigError: the figure does not exist or is not configured.
    """
    if name in (own := own_figures(config)):
        experiment, kind = own[name]
        return OF_AN_EXPERIMENT[kind], FigureConfig(experiments=[experiment])
    if name not in FIGURES:
        raise ConfigError(f"figures: there is no figure {name!r}{nearest(name, list(FIGURES))}")
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
    section, unless = TABLES[stage].section, TABLES[stage].unless
    if getattr(experiment, section) is None:
        raise ConfigError(f"{who} has no key `{section}`, which {name} draws.")
    if unless is not None and getattr(experiment, unless) is not None:
        raise ConfigError(f"{who} has the key `{unless}` and so keeps no {stage}, which {name} draws.")
