"""Shares of a Hessian: pairs of blocks of parameters, so that every entry belongs to exactly one share."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Indices, check_count


def pair_of_blocks(n_params: int, n_blocks: int, share: int) -> tuple[Indices, NDArray[np.bool_]]:
    """The parameters of one pair of blocks, and which entries of their Hessian belong to it.

    The entries between two blocks belong to their pair, those within a block to the first pair that has the block.

    Args:
        n_params: number of parameters; they are cut into blocks of neighbours, as equal as can be.
        n_blocks: number of blocks, of which some are empty if there are more than parameters.
        share: number of the pair, in the order (0, 1), (0, 2), ..., (1, 2), ...

    Returns:
        parameters, ascending, shape (k,); entries of the share, shape (k, k), symmetric.

    Raises:
        ValueError: a number of the blocks or of the pair that cannot be.
    """
    blocks = np.array_split(np.arange(n_params), check_count("n_blocks", n_blocks))
    pairs = list(itertools.combinations(range(n_blocks), 2)) or [(0, 0)]
    if not isinstance(share, int | np.integer) or not 0 <= share < len(pairs):
        raise ValueError(f"Argument `share` must be a whole number at least 0 and below {len(pairs)}, but is {share}.")
    first, second = pairs[share]
    if first == second:
        return blocks[0], np.ones((n_params, n_params), dtype=np.bool_)
    owner = {block: pairs.index(next(pair for pair in pairs if block in pair)) for block in (first, second)}
    of = np.repeat([first, second], [len(blocks[first]), len(blocks[second])])
    within = np.array([owner[block] == share for block in of], dtype=np.bool_)
    mine = (of[:, None] != of) | within[:, None] & within
    return np.concatenate([blocks[first], blocks[second]]), mine
