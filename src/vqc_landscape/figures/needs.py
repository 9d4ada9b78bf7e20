"""What figures take for granted of the experiments that they show, each need written down once.

That an experiment has the tables that a figure reads is no need of its own: it follows from ``tables.registry``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from vqc_landscape.config import CircuitConfig, DataConfig, Experiment, FileData, StatePreparation

N_CURVES = 6  # in one figure: so many looks has `style.CURVES`


@dataclass(frozen=True)
class Need:
    """Something that a figure takes for granted of its experiments.

    Attributes:
        what: the need, in words that follow "fig11 needs".
        of: what of an experiment it is about: a message says what came.
        each: whether an experiment will do.
        together: whether all experiments, in their order, will do.
        instead: a sentence with the way out, where the need itself does not say it.
    """

    what: str
    of: Callable[[Experiment], Any]
    each: Callable[[Experiment], bool] = lambda _: True
    together: Callable[[list[Experiment]], bool] = lambda _: True
    instead: str = ""

    def message(self, experiments: Mapping[str, Experiment]) -> str:
        """What is wrong, in words that follow "fig11 needs"; empty if these experiments will do."""
        wrong = {name: experiment for name, experiment in experiments.items() if not self.each(experiment)}
        if not wrong and not self.together(list(experiments.values())):
            wrong = dict(experiments)
        if not wrong:
            return ""
        by_value: dict[str, list[str]] = {}
        for name, experiment in wrong.items():
            by_value.setdefault(str(self.of(experiment)), []).append(name)
        came = "; ".join(f"{', '.join(names)} ({value})" for value, names in by_value.items())
        return f"{self.what}, but lists {came}. {self.instead}".strip()


def same(what: str, of: Callable[[Experiment], Any]) -> Need:
    """All experiments have this in common."""

    def alike(experiments: list[Experiment]) -> bool:
        return all(of(experiment) == of(experiments[0]) for experiment in experiments)

    return Need(f"experiments with the same {what}", of, together=alike)


def _loss(experiment: Experiment) -> str:
    objective, own = experiment.objective, " of an own circuit" if experiment.is_own else ""
    local = "local " if isinstance(objective, StatePreparation) and objective.locality == "local" else ""
    return f"{local}{objective.loss}{own}"


def _model(experiment: Experiment) -> str:
    if isinstance(experiment.circuit, CircuitConfig):
        return str(experiment.circuit.ansatz)
    return str(experiment.circuit or (experiment.network if experiment.is_own else "network"))


def _printed_circuit(experiment: Experiment) -> object:
    """The circuit, and for layered_published, which has the parameters of layered, the one that the paper prints."""
    circuit = experiment.circuit
    if isinstance(circuit, CircuitConfig) and circuit.ansatz == "layered_published":
        return circuit.model_copy(update={"ansatz": "layered"}) if experiment.convention == "as_published" else circuit
    return circuit


def _data(experiment: Experiment) -> str | None:
    data = experiment.data
    return data.file if isinstance(data, FileData) else None if data is None else data.name


def _prepares_a_state(experiment: Experiment) -> bool:
    """Whether the loss is the infidelity of a built-in circuit: an own one may return any number."""
    return isinstance(experiment.circuit, CircuitConfig) and experiment.objective.loss == "infidelity"


def _is_global(experiment: Experiment) -> bool:
    objective = experiment.objective
    return _prepares_a_state(experiment) and isinstance(objective, StatePreparation) and objective.locality == "global"


def _has_circuit(experiment: Experiment) -> bool:
    return experiment.circuit is not None


def _without_hessian(experiment: Experiment) -> list[int]:
    maps = experiment.predictions.epochs if experiment.predictions else []
    return sorted(set(maps) - set(experiment.hessian_epochs))


def _depths(experiment: Experiment) -> list[int]:
    return sorted({n_layers for _, n_layers in experiment.starts.sizes}) if experiment.starts else []


def _ends(section: str) -> Callable[[Experiment], tuple[int, int]]:
    """First and last epoch that a section of the experiment asks for."""

    def of(experiment: Experiment) -> tuple[int, int]:
        epochs = experiment.hessian_epochs if section == "hessian" else getattr(experiment, section).epochs
        return min(epochs), max(epochs)

    return of


# the loss
STATE_PREPARATION = Need("built-in circuits with loss infidelity", _loss, _prepares_a_state)
GLOBAL_INFIDELITY = Need("the global infidelity of a built-in circuit, a loss with a plateau at 1", _loss, _is_global)
COMPARABLE_INFIDELITY = replace(GLOBAL_INFIDELITY, instead="Figure `compare` shows any loss.")
NO_NEGATIVE_LOSS = Need(
    "a loss that is never negative, the infidelity of a built-in circuit or mse",
    _loss,
    lambda e: _prepares_a_state(e) or e.objective.loss == "mse",
    instead="Figure `compare` shows any loss.",
)

# the model
REUPLOADING = Need("a built-in re-uploading circuit", _model, lambda e: _model(e).startswith("reuploading"))
ONE_CIRCUIT = Need("exactly one circuit", _model, together=lambda all_: sum(map(_has_circuit, all_)) == 1)
_SAME_BUT_CIRCUIT = tuple(
    same(key, attrgetter(key)) for key in ("network", "params_shape", "objective", "data", "init")
)
SAME_MODEL = (same("circuit", attrgetter("circuit")), *_SAME_BUT_CIRCUIT)

# data
DISK = Need("the disk data", _data, lambda e: isinstance(e.data, DataConfig))
SAME_DATA = (same("data", attrgetter("data")), same("objective.reduction", attrgetter("objective.reduction")))

# conventions
SAME_CONVENTION = same("convention", attrgetter("convention"))
BOTH_CONVENTIONS = Need(
    "an exact and an as_published experiment, in this order",
    attrgetter("convention"),
    together=lambda all_: [e.convention for e in all_] == ["exact", "as_published"],
)
SAME_MODEL_BUT_CONVENTION = (
    BOTH_CONVENTIONS,
    same("circuit, or layered and then layered_published", _printed_circuit),
    *_SAME_BUT_CIRCUIT,
)

# training, epochs and seeds
SAME_TRAINING = (
    same("optimiser", attrgetter("training.optimiser")),
    same("training.n_epochs", attrgetter("training.n_epochs")),
    same("first seed", lambda e: e.seeds[0]),
)
SAME_HESSIAN_EPOCHS = same("first and last epoch under hessian.epochs", _ends("hessian"))
SAME_MAP_EPOCHS = same("first and last epoch under predictions.epochs", _ends("predictions"))
SAME_ENSEMBLE_EPOCHS = same("first and last epoch under ensemble.epochs", _ends("ensemble"))
SAME_SAMPLE_EPOCH = same("last epoch under samples.epochs", lambda e: max(e.samples.epochs) if e.samples else None)
SPECTRA_OF_MAPS = Need(
    "a Hessian at every epoch that has predictions, under hessian.epochs",
    lambda e: f"none at {', '.join(map(str, _without_hessian(e)))}",
    lambda e: not _without_hessian(e),
)
TWO_SEEDS = Need("at least 2 seeds, to draw how they differ", attrgetter("seeds"), lambda e: len(e.seeds) > 1)
SHARED_SEED = Need(
    "a seed that all of its experiments have",
    attrgetter("seeds"),
    together=lambda all_: bool(set.intersection(*(set(e.seeds) for e in all_))),
)
COUNTED_GRADIENTS = Need(
    "built-in optimisers, whose gradients can be counted",
    attrgetter("training.optimiser"),
    lambda e: e.training is not None and not isinstance(e.training.optimiser, str),
    instead="With `against: epochs` it shows any.",
)

# what single figures draw
MARKED_POINTS = Need(
    "marked points, whose eigenvalues it shows, under landscape.points",
    lambda e: "none",
    lambda e: e.landscape is not None and bool(e.landscape.points),
)
WHOLE_SPECTRUM = Need(
    "all eigenvalues of the circuit, ensemble.n_extremes: null",
    attrgetter("ensemble.n_extremes"),
    lambda e: not (_has_circuit(e) and e.ensemble is not None and e.ensemble.n_extremes),
)
GORGE = (
    Need(
        "one circuit and objective in its first two experiments, with target zero: the minimum lies at 0",
        lambda e: f"{e.circuit}, {e.objective}",
        together=lambda all_: (
            (all_[0].circuit, all_[0].objective) == (all_[1].circuit, all_[1].objective)
            and getattr(all_[0].objective, "target", None) == "zero"
        ),
    ),
    Need(
        "one of its first two experiments to start around the minimum, init.distribution: normal, all else uniformly",
        attrgetter("init.distribution"),
        together=lambda all_: (
            sorted(e.init.distribution for e in all_[:2]) == ["normal", "uniform"]
            and all_[-1].init.distribution == "uniform"
        ),
    ),
    Need(
        f"at most {N_CURVES} numbers of layers in its last experiment, under starts.sizes",
        _depths,
        together=lambda all_: len(_depths(all_[-1])) <= N_CURVES,
    ),
)
