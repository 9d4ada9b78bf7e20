"""A folder becomes the checkpoint of a run, with a key made from what the run's trajectory depends on."""

from __future__ import annotations

import hashlib
import os

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.risks.risk import Risk
from vqc_landscape.training.checkpoint import Checkpoint
from vqc_landscape.training.optimisers import Optimiser

# Digits of a loss that tell risks apart: other processors, thread counts and GPUs move the last 2 of 16, one sample of
# a million the first 6.
N_DIGITS = 9


def as_checkpoint(
    where: Checkpoint | str | os.PathLike[str] | None,
    risk: Risk,
    test_risk: Risk | None,
    params: Array,
    optimiser: Optimiser,
    seed: int,
) -> Checkpoint | None:
    """A checkpoint as it is; one in the folder ``where``, with a key over all the other arguments.

    Raises:
        ValueError: neither of the two; or a folder, and an optimiser whose repr does not tell its numbers.
    """
    if where is None or isinstance(where, Checkpoint):
        return where
    if not isinstance(where, str | os.PathLike):
        raise ValueError(
            f"Argument `checkpoint` must be the path of a folder or a vl.Checkpoint, but is a {type(where).__name__}."
        )
    described = repr(optimiser)
    if " at 0x" in described:  # an address: another one in the next session
        raise ValueError(
            f"Argument `checkpoint` is a folder, for which the optimiser's repr must tell its numbers, but it is "
            f"{described}. Make its class a dataclass, or use vl.Checkpoint(folder, key) with a key of your own."
        )
    parts = [described, str(seed), _fingerprint(risk, params), test_risk and _fingerprint(test_risk, params)]
    return Checkpoint(where, hashlib.sha256(repr(parts).encode() + params.tobytes()).hexdigest()[:16])


def _fingerprint(risk: Risk, params: Array) -> str:
    """Class and sizes of a risk, its loss, and its loss plus its slope, at a generic point near ``params``.

    Two different analytic functions differ at a generic point; at the initial one, often all zeros, they may not.
    """
    direction = np.random.default_rng(0).uniform(-1, 1, len(params))
    loss, grad = risk.loss_and_grad(params + direction)
    numbers = [f"{value:.{N_DIGITS}g}" for value in (loss, loss + float(direction @ grad))]
    return f"{type(risk).__name__} {risk.n_params} {risk.n_samples} {numbers}"
