"""Whether a metric can be inverted for a natural gradient, block by block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vqc_landscape.checks import Array, Indices, ranges
from vqc_landscape.risks.risk import Risk

# A negative eigenvalue beyond this part of the largest is none of a metric: ten times the round-off of the coarsest
# tangents, float32 on a GPU.
NEGATIVE = 1e-5

# more parameters in a block would not help: what is wrong in a block is wrong in the whole metric
_WAY_OUT = (
    "It is not the metric of this loss (convention as_published has none): use an optimiser without one, such as Adam."
)


def with_metric(risk: Risk) -> Risk:
    """The risk itself.

    Raises:
        ValueError: its states have no metric.
    """
    if not getattr(risk, "has_metric", False):
        raise ValueError(
            "NaturalGradient (in a configuration qng) needs the risk of a quantum circuit, but got "
            f"{type(getattr(risk, 'model', risk)).__name__}."
        )
    return risk


def keep_blocks(matrix: Array, blocks: Sequence[Indices]) -> Array:
    """``matrix`` (P, P) with all entries set to 0 that couple different blocks."""
    kept = np.zeros_like(matrix)
    for block in blocks:
        kept[np.ix_(block, block)] = matrix[np.ix_(block, block)]
    return kept


def check_partition(blocks: Sequence[Indices], n_params: int) -> Sequence[Indices]:
    """The blocks themselves, without empty ones.

    Raises:
        ValueError: a parameter is in no block, or in two, or there is no such parameter; all are named.
    """
    members = np.concatenate([np.zeros(0, dtype=np.intp), *blocks])
    known = members[(members >= 0) & (members < n_params)]
    times = np.bincount(known, minlength=n_params)
    messages = [
        f"{text} {ranges(np.unique(wrong).tolist())}"
        for text, wrong in (
            ("no block has", np.flatnonzero(times == 0)),
            ("several entries are", np.flatnonzero(times > 1)),
            ("there is no", np.setdiff1d(members, known)),
        )
        if wrong.size
    ]
    if messages:
        raise ValueError(
            f"The risk's parameter_blocks must partition its {n_params} parameters, but {', '.join(messages)}. Use "
            "blocks that do, or the metric of all parameters: block_diagonal=False, in a configuration metric: full."
        )
    return [block for block in blocks if len(block)]


def check_block(metric: Array, grad: Array, loss: float, block: Indices) -> None:
    """Check that the metric is positive on a block, apart from directions without a slope.

    For an expectation value, |v . grad| <= 2 sqrt(v . g v) Delta O: along a null vector v of g only a phase changes,
    and the loss does not. An eigenvalue up to the round-off e may stand for one of 2 e, which allows a slope of
    2 sqrt(2 e) Delta O. Delta O is not known here; taken for it is the largest of 1, |loss| and |grad|.

    Args:
        metric: shape (P, P).
        grad: shape (P,).
        loss: at the same point.
        block: parameters of the block.

    Raises:
        ValueError: a negative eigenvalue beyond round-off, or a slope along a null vector; the block is named.
    """
    eigvals, eigvecs = np.linalg.eigh(metric[np.ix_(block, block)])
    largest = max(float(np.max(np.abs(eigvals))), 1.0)  # entries are differences of numbers of order 1
    smallest, named = float(eigvals[0]), f"the block of parameters {ranges(np.sort(block).tolist())}"
    if smallest < -NEGATIVE * largest:
        raise ValueError(
            f"The metric tensor must be positive on {named}, but has the eigenvalue {smallest:.2g} there. {_WAY_OUT}"
        )
    # round-off of a float64 metric, as for the zeros of a Hessian; negative eigenvalues show that there is more
    round_off = max(1e-12, len(block) * float(np.finfo(np.float64).eps) * largest, -smallest)
    slope = float(np.linalg.norm(eigvecs[:, eigvals <= round_off].T @ grad[block]))
    if slope > 2 * np.sqrt(2 * round_off) * max(1.0, abs(loss), float(np.linalg.norm(grad))):
        raise ValueError(
            f"The metric tensor must be positive on {named}, but is 0 along a direction of slope {slope:.2g}: the step "
            f"would be that slope divided by the regularisation alone. {_WAY_OUT}"
        )
