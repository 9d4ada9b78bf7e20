"""Which change of one key makes an experiment small enough."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from pydantic import ValidationError

from vqc_landscape.config import Experiment
from vqc_landscape.studies.plan import dump
from vqc_landscape.studies.resources import n_hessians, sizes_of

LARGEST = 1_000_000  # number that the configuration takes in one place
N_WAYS = 3  # that are found; chosen by us: a message is read

# One key at a time, in the order in which we say it. More of these is less for a job, or fewer jobs.
LARGER = {
    "hessian.epochs_per_job": {"jobs"},
    "hessian.shards.samples": {"memory", "time"},
    "hessian.shards.blocks": {"memory", "time"},
}
SMALLER = (
    *LARGER,
    "ensemble.seeds_per_job",
    *("planes.n_grid", "landscape.n_grid", "predictions.n_grid", "scans.n_points", "starts.n_starts"),
    *("training.n_epochs", "data.n_train", "params_shape", "network.widths", "circuit.n_layers", "circuit.n_qubits"),
)

Messages = Callable[[Experiment], Collection[str]]


def ways_to_fit(experiment: Experiment, messages: Messages) -> list[str]:
    """Changes of one key, each of which leaves nothing to say.

    Args:
        experiment: what asks for too much.
        messages: kinds of what an experiment asks too much of: memory, time, jobs.
    """
    ways = [_few_hessians(experiment, messages)]
    ways += [_more(experiment, key, messages) for key in LARGER]
    ways += [_less(experiment, key, messages) for key in SMALLER]
    ways += [_sizes_that_fit(experiment, key, messages) for key in ("starts", "shift_rule")]
    return [way for way in ways if way][:N_WAYS]


def _few_hessians(experiment: Experiment, messages: Messages) -> str:
    asked = experiment.hessian
    if asked is None or asked.epochs != "all" or messages(_with(experiment, "hessian.epochs", [0])):
        return ""
    return "hessian.epochs: a list of a few"


def _sizes_that_fit(experiment: Experiment, key: str, messages: Messages) -> str:
    asked = getattr(experiment, key)
    fitting = [
        list(size) for size in (asked.sizes if asked else []) if not messages(_with(experiment, f"{key}.sizes", [size]))
    ]
    return f"{key}.sizes: {fitting}" if fitting else ""


def _more(experiment: Experiment, key: str, messages: Messages) -> str:
    value = _value(experiment, key)
    most = {
        "hessian.epochs_per_job": n_hessians(experiment),
        "hessian.shards.samples": sizes_of(experiment, least=True).n_samples,
        "hessian.shards.blocks": min(experiment.n_params, 1000) if experiment.circuit else 1,
    }[key]
    if value is None or value >= most:
        return ""
    found = _first(value, most, lambda n: LARGER[key].isdisjoint(messages(_with(experiment, key, n))))
    return _said(experiment, key, found, messages)


def _less(experiment: Experiment, key: str, messages: Messages) -> str:
    value = _value(experiment, key)
    if value is None or value <= 1:
        return ""
    found = _first(value, 1, lambda n: not messages(_with(experiment, key, n)))
    if found and key == "circuit.n_qubits" and getattr(experiment.circuit, "ansatz", "") != "rx_product":
        found -= found % 2  # bricks
    return _said(experiment, key, found, messages)


def _first(wrong: int, right: int, is_right: Callable[[int], bool]) -> int | None:
    """The number nearest to ``wrong`` that is right, by bisection; None if even the other end is not."""
    if not is_right(right):
        return None
    while abs(right - wrong) > 1:
        middle = (right + wrong) // 2
        wrong, right = (wrong, middle) if is_right(middle) else (middle, right)
    return right


def _said(experiment: Experiment, key: str, value: int | None, messages: Messages) -> str:
    """The change in words; empty if there is none, or if it is not a valid experiment that fits."""
    if value is None:
        return ""
    changed = _with(experiment, key, value)
    try:
        Experiment.model_validate(dump(changed))
    except ValidationError:  # another key needs more: an epoch, a parameter, a qubit
        return ""
    if messages(changed):
        return ""
    if key == "params_shape":
        return f"{key} of {value} parameters"
    return f"{key} up to {value}" if key == "network.widths" else f"{key}: {value}"


def _value(experiment: Experiment, key: str) -> int | None:
    """The number that stands there, or the number of entries of a shape, or the largest width."""
    if key == "params_shape":
        return experiment.n_params if experiment.is_own else None
    found: Any = experiment
    for step in key.split("."):
        found = getattr(found, step, None)
    if key == "network.widths" and found:
        found = max(found[1:-1], default=None)
    return found if isinstance(found, int) else None


def _with(experiment: Experiment, key: str, value: Any) -> Experiment:
    """The experiment with another value in one place, unchecked, without what it has computed from its sections."""
    first, *rest = key.split(".")
    part: Any = getattr(experiment, first)
    if key == "params_shape":
        part = [value] if value <= LARGEST else [value // 1000, 1000]
    elif key == "network.widths":
        widths = [part.widths[0], *(min(width, value) for width in part.widths[1:-1]), part.widths[-1]]
        part = part.model_copy(update={"widths": widths})
    else:
        for step in reversed(rest[1:]):
            value = getattr(part, rest[0]).model_copy(update={step: value})
        part = part.model_copy(update={rest[0]: value})
    fields = {name: getattr(experiment, name) for name in Experiment.model_fields}
    return Experiment.model_construct(**fields | {first: part})
