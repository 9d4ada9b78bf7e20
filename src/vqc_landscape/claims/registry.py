"""All claims of the paper, in its order, and the tables that they read. Importing it imports no pandas."""

from __future__ import annotations

from vqc_landscape.claims import counts, layered, optimisers, samples, seeds, toy
from vqc_landscape.claims.claim import Claim
from vqc_landscape.config import Config, ConfigError, Experiment
from vqc_landscape.config.messages import nearest
from vqc_landscape.studies.parts import Part, parts_of
from vqc_landscape.studies.plan import stages_of

IDS = (
    "toy-barren",
    "toy-saddles",
    "toy-minimum",
    "toy-degenerate",
    "toy-gorge",
    "toy-flat-init",
    "flat-init-depth",
    "local-never-flat",
    "plus-valley",
    "shift-rule",
    "vqc-flat-start",
    "vqc-psd-end",
    "vqc-mostly-zero",
    "scan-zero-flat",
    "scan-order",
    "data-balanced",
    "sample-correct",
    "sample-wrong",
    "sample-uncertain",
    "risk-average",
    "qnn-init-symmetric",
    "qnn-negatives-vanish",
    "ffnn-init-small",
    "ffnn-fluctuates",
    "ffnn-overparam-calms",
    "ffnn-few-outliers",
    "qnn-long-tail",
    "qnn-no-plateau",
    "ffnn-init-symmetric",
    "ffnn-negatives-vanish",
    "confident-pools-flat",
    "qnn-boundary",
    "boundary-carries",
    "parameter-counts",
    "gd-slow",
    "qng-stuck",
    "gd-large-lr",
    "qng-escapes",
    "hlr-escapes",
    "lbfgs-works",
    "hlr-then-qng",
    "hessian-costlier",
)

_FOUND = {
    value.id: value
    for module in (toy, layered, optimisers, counts, samples, seeds)
    for value in vars(module).values()
    if isinstance(value, Claim)
}
CLAIMS: dict[str, Claim] = {id_: _FOUND[id_] for id_ in IDS}


def required_tables(config: Config, id_: str, convention: str) -> list[Part]:
    """The parts (stage, experiment, seed) that a claim reads in one convention.

    Raises:
        ConfigError: there is no such claim, or its experiments cannot feed it.
    """
    if id_ not in CLAIMS:
        raise ConfigError(f"claims: there is no claim {id_!r}{nearest(id_, list(CLAIMS))}")
    key, claim = f"claims.{id_}.{convention}", CLAIMS[id_]
    experiments = fed_by(config, id_, convention)
    for what, has in claim.needs.items():
        if not any(has(experiment) for experiment in experiments.values()):
            raise ConfigError(f"{key}: none of {', '.join(experiments)} has {what}, which the claim measures.")
    parts: list[Part] = []
    for name, experiment in experiments.items():
        stages = [stage for stage in claim.reads if stage in stages_of(experiment)]
        if not stages:
            raise ConfigError(
                f"{key}: experiment {name} has none of the tables that the claim reads, {', '.join(claim.reads)}."
            )
        for stage in stages:
            parts += parts_of(stage, name, experiment, experiment.seeds)
    missing = sorted(set(claim.reads) - {part[0] for part in parts})
    if missing:
        raise ConfigError(f"{key}: no experiment of {', '.join(experiments)} has table {missing[0]}.")
    return parts


def fed_by(config: Config, id_: str, convention: str) -> dict[str, Experiment]:
    """Experiments that feed a claim in one convention, in the order of the configuration; empty if it is not asked."""
    return {name: config.experiments[name] for name in getattr(config.claims[id_], convention)}


def rows_of(config: Config) -> list[tuple[str, str]]:
    """The rows of the table of claims: each configured claim with its conventions, in the paper's order."""
    order = {id_: index for index, id_ in enumerate(IDS)}
    asked = sorted(config.claims, key=lambda id_: order.get(id_, len(order)))
    return [
        (id_, convention)
        for id_ in asked
        for convention in ("exact", "as_published")
        if fed_by(config, id_, convention)
    ]


def all_tables(config: Config) -> list[Part]:
    """The parts that the claims of a study read, each once.

    Raises:
        ConfigError: as :func:`required_tables`.
    """
    parts = [part for id_, convention in rows_of(config) for part in required_tables(config, id_, convention)]
    return list(dict.fromkeys(parts))
