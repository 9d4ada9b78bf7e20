"""Optimisers on a plateau (Sec. VII, Fig. 11)."""

from __future__ import annotations

from typing import Any

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.claims.claim import Measurement, above, at_least, at_most, claim, over_seeds
from vqc_landscape.claims.data import ClaimData
from vqc_landscape.claims.definitions import CONVERGED, PLATEAU
from vqc_landscape.config import GD

OFF = f"a run has left the plateau once its loss is below {PLATEAU:g} (a random state of 8 qubits: probability 2e-12)"
MOST = "of a random start, most runs"
LOSSES = {"trajectories": ("epoch", "loss")}


def losses(data: ClaimData, name: str, **settings: Any) -> Array:
    """Loss by seed and epoch, (n_seeds, n_epochs + 1), of the first experiment with this optimiser and these settings.

    Only the seeds that all of the claim's experiments have, so that runs from the same points are compared.

    Raises:
        ValueError: there is none.
    """
    shared = set.intersection(*(set(config.seeds) for config in data.experiments.values()))
    for experiment, config in data.experiments.items():
        assert config.training is not None
        optimiser = config.training.optimiser
        if config.training.optimiser_name == name and all(
            getattr(optimiser, key) == value for key, value in settings.items()
        ):
            rows = data.rows("trajectories", experiment)
            rows = rows[rows["seed"].isin(shared)]
            return np.asarray(rows.pivot(index="seed", columns="epoch", values="loss").to_numpy(), dtype=np.float64)
    raise ValueError(f"No experiment of {', '.join(data.experiments)} has optimiser {name} with {settings}.")


def leaves(runs: Array) -> Array:
    """1 for a run that has left the plateau at some epoch, else 0."""
    return np.where(runs.min(axis=1) < PLATEAU, 1.0, 0.0)


def converges(runs: Array) -> Array:
    """1 for a run that ends converged, else 0."""
    return np.where(runs[:, -1] < CONVERGED, 1.0, 0.0)


@claim(
    section="VII, Fig. 11",
    statement="Gradient descent hardly moves on the plateau.",
    measures="the share of its initial loss that a run has lost after 100 steps, mean",
    expected="small",
    threshold=at_most(
        0.1, "'hardly' read as less than a tenth; a loss below 0.9 would have left the plateau", known=True
    ),
    figure="final_losses",
    reads=LOSSES,
)
def gd_slow(data: ClaimData) -> Measurement:
    runs = losses(data, "gd")
    return over_seeds(1 - runs[:, -1] / runs[:, 0])


@claim(
    section="VII",
    statement="Quantum natural gradient is poor when it starts on a plateau: it stays there.",
    measures=f"the share of runs with block-diagonal metric that never leave the plateau; {OFF}",
    expected="most runs",
    threshold=at_least(0.5, MOST, known=True),
    figure="final_losses",
    reads=LOSSES,
)
def qng_stuck(data: ClaimData) -> Measurement:
    block, full = losses(data, "qng", metric="block"), losses(data, "qng", metric="full")
    remark = (
        f"With the full metric {1 - leaves(full).mean():.2f} stay. But few converge (loss below {CONVERGED:g}): "
        f"{converges(block).mean():.2f} with blocks, {converges(full).mean():.2f} with the full metric."
    )
    return over_seeds(1 - leaves(block), remark=remark)


@claim(
    section="VII",
    statement="Gradient descent with a large learning rate may leave the plateau, but cannot converge.",
    measures="of the runs at learning rate 1 that leave the plateau, the share that end converged, at a loss below "
    f"{CONVERGED:g}; {OFF}",
    expected="0",
    threshold=at_most(0.1, "'cannot' read as at most one run in ten; 'may leave' asks for no number", known=True),
    figure="final_losses",
    reads=LOSSES,
)
def gd_large_lr(data: ClaimData) -> Measurement:
    runs = losses(data, "gd")
    left = leaves(runs) == 1
    return over_seeds(converges(runs[left]), remark=f"{int(left.sum())} of {len(runs)} runs leave the plateau.")


@claim(
    section="VII",
    statement="Quantum natural gradient, too, escapes the flat region.",
    measures=f"the share of runs with block-diagonal metric that leave the plateau; {OFF}",
    expected="most runs",
    threshold=at_least(0.5, MOST, known=True),
    figure="final_losses",
    reads=LOSSES,
)
def qng_escapes(data: ClaimData) -> Measurement:
    block, full = losses(data, "qng", metric="block"), losses(data, "qng", metric="full")
    caveat = ""
    if converges(block).mean() < 0.5:
        caveat = f"It leaves, but seldom arrives: {converges(block).mean():.2f} of the runs converge."
    remark = f"With the full metric {leaves(full).mean():.2f} leave and {converges(full).mean():.2f} converge."
    return over_seeds(leaves(block), caveat=caveat, remark=remark)


@claim(
    section="VII, Fig. 11",
    statement="A learning rate of 1 / lambda_max escapes the plateau.",
    measures=f"the share of H-LR runs, as published, that leave the plateau; {OFF}",
    expected="most runs",
    threshold=at_least(0.5, MOST, known=True),
    figure="final_losses",
    reads=LOSSES,
)
def hlr_escapes(data: ClaimData) -> Measurement:
    runs = losses(data, "hlr", variant="published")
    stalled = 1 - converges(runs).mean()
    caveat = f"What the paper does not show: {stalled:.2f} of the runs stall after that." if stalled > 0.1 else ""
    return over_seeds(leaves(runs), caveat=caveat)


@claim(
    section="VII",
    statement="L-BFGS, being Hessian based, trains these circuits better than first-order methods.",
    measures="the share of starts from which L-BFGS ends at a lower loss than every first-order method (GD, GD with "
    "a large learning rate, Adam) with about as many gradients",
    expected="most starts",
    threshold=above(
        0.5, "'better' against the null model of a coin; 60 iterations took 71 to 141 gradients, median 84"
    ),
    figure="final_losses",
    reads=LOSSES,
)
def lbfgs_works(data: ClaimData) -> Measurement:
    ours = losses(data, "lbfgs")
    others = [losses(data, "adam"), *(losses(data, "gd", learning_rate=rate) for rate in _rates(data))]
    best = np.min([runs[:, -1] for runs in others], axis=0)
    arrive, theirs = converges(ours).mean(), max(converges(runs).mean() for runs in others)
    caveat = ""
    if arrive - theirs < 0.1:
        caveat = f"In the last digits: {arrive:.2f} of its runs converge, {theirs:.2f} with the best of the others."
    return over_seeds(ours[:, -1] < best, caveat=caveat)


def _rates(data: ClaimData) -> list[float]:
    """Learning rates of the gradient descents."""
    trainings = [experiment.training for experiment in data.experiments.values()]
    return [t.optimiser.learning_rate for t in trainings if t is not None and isinstance(t.optimiser, GD)]


@claim(
    section="VII",
    statement="H-LR to leave the plateau, then quantum natural gradient: the combination works.",
    measures=f"share of converged runs (loss below {CONVERGED:g}) of the combination with the full metric, less that "
    "of the better of H-LR and natural gradient alone",
    expected="above 0",
    threshold=above(0, "a combination works if it is better than either of its parts", known=True),
    figure="final_losses",
    reads=LOSSES,
)
def hlr_then_qng(data: ClaimData) -> Measurement:
    def share(metric: str) -> tuple[Array, Array, Array]:
        runs = losses(data, "hlr_qng", metric=metric), losses(data, "hlr"), losses(data, "qng", metric=metric)
        return converges(runs[0]), converges(runs[1]), converges(runs[2])

    def gain(both: Array, hlr: Array, qng: Array, axis: int) -> Array:
        return np.asarray(np.mean(both, axis) - np.maximum(np.mean(hlr, axis), np.mean(qng, axis)))

    full, block = share("full"), share("block")
    caveat = ""
    if gain(*block, axis=-1) <= 0.1:
        caveat = (
            f"Only with the full metric: with the block-diagonal one {block[0].mean():.2f} converge, with H-LR alone "
            f"{block[1].mean():.2f}."
        )
    remark = (
        f"{full[0].mean():.2f} of the combined runs converge, {full[1].mean():.2f} with H-LR alone, "
        f"{full[2].mean():.2f} with "
        "natural gradient alone. The switch comes as soon as the loss is below 0.9."
    )
    return Measurement(full, gain, draws=(0, 0, 0), caveat=caveat, remark=remark)
