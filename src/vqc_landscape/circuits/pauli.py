r"""Pauli words as bit masks, and the Pauli expansion of matrices.

A word is :math:`i^p X^x Z^z` with bit masks x and z, one bit for each wire. Products and commutation are integer
operations.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.circuits.gf2 import array_basis

ROUND_OFF = 1e-13  # below it a number that should be of order 1 is 0: some hundred times float64's resolution
MAX_WIRES = 64  # room for more wires than a state vector can have


class Word(NamedTuple):
    """The operator ``i**phase X**x Z**z``; it is hermitian if phase and the number of Y's are both even or both odd.

    Attributes:
        x: bit w says whether wire w has an X or a Y.
        z: bit w says whether wire w has a Z or a Y.
        phase: exponent of i, 0 to 3.
        flips: bit s says whether sample s has the opposite sign.
    """

    x: int
    z: int
    phase: int = 0
    flips: int = 0

    @property
    def mask(self) -> int:
        """The letters as one row over GF(2); the row of a product is the sum of the rows."""
        return self.x << MAX_WIRES | self.z


def product(a: Word, b: Word) -> Word:
    """The operator a b, a acting last."""
    phase = (a.phase + b.phase + 2 * (a.z & b.x).bit_count()) % 4
    return Word(a.x ^ b.x, a.z ^ b.z, phase, a.flips ^ b.flips)


def commute(a: Word, b: Word) -> bool:
    """Whether a b = b a; otherwise a b = -b a."""
    return ((a.x & b.z).bit_count() + (a.z & b.x).bit_count()) % 2 == 0


def signed(word: Word, sign: int) -> Word:
    """``sign`` times the word."""
    return word if sign > 0 else word._replace(phase=(word.phase + 2) % 4)


def split_sign(word: Word) -> tuple[Word, int]:
    """A hermitian word as a product of letters X, Y, Z, and its sign, 1 or -1."""
    n_y = (word.x & word.z).bit_count() % 4
    return word._replace(phase=n_y), 1 if word.phase == n_y else -1


# --- expansions -----------------------------------------------------------------------------------------


def pauli_support(matrix: NDArray[np.complex128]) -> tuple[str, list[str]]:
    """The words in the Pauli expansion of a matrix: one of them, and words that lead from it to all others.

    Args:
        matrix: shape (2**k, 2**k).

    Returns:
        A word of k letters I, X, Y, Z, and generators: every word of the expansion is the first one times a product
        of generators, up to a factor.
    """
    index = np.arange(len(matrix))
    # row x: matrix[i, i ^ x]; its sum with the signs of a mask z is the coefficient of X^x Z^z, up to a phase
    return _support(walsh_hadamard(matrix[index, index ^ index[:, None]]).reshape(-1), len(matrix).bit_length() - 1)


def pauli_words(n_wires: int) -> list[str]:
    """All 4**n_wires words of I, X, Y, Z, numbered by the bits of x, then of z; wire 0 is the most significant bit."""
    return [_letters(mask, n_wires) for mask in range(4**n_wires)]


def pauli_coefficients(matrices: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Coefficients of the words in the Pauli expansion of some matrices.

    Args:
        matrices: shape (2**k, 2**k, n).

    Returns:
        Shape (4**k, n), in the order of :func:`pauli_words`.
    """
    size = len(matrices)
    index = np.arange(size)
    sums = walsh_hadamard(np.moveaxis(matrices[index, index ^ index[:, None]], 1, -1))  # (x, n, z)
    n_y = np.bitwise_count(index[:, None] & index)  # i for each Y
    coefficients: NDArray[np.complex128] = np.moveaxis(sums, 1, -1) * (1j**n_y)[..., None] / size
    return coefficients.reshape(size**2, -1)


def diagonal_support(diagonal: NDArray[np.float64]) -> tuple[str, list[str]]:
    """The words in the Pauli expansion of a diagonal matrix, as :func:`pauli_support` gives them.

    Args:
        diagonal: its diagonal, shape (2**k,).
    """
    n_wires = len(diagonal).bit_length() - 1
    if np.count_nonzero(diagonal) == 1:  # projects on a basis state: all words of Z's
        return "I" * n_wires, ["I" * k + "Z" + "I" * (n_wires - 1 - k) for k in range(n_wires)]
    return _support(walsh_hadamard(diagonal), n_wires)


def walsh_hadamard(values: NDArray[Any]) -> NDArray[Any]:
    """``sum_i (-1)^(popcount of i & z) values[..., i]`` for every z.

    Args:
        values: shape (..., 2**k).

    Returns:
        The same shape; the last axis is z.
    """
    n_wires = values.shape[-1].bit_length() - 1
    sums = values.reshape(*values.shape[:-1], *[2] * n_wires)
    for axis in range(values.ndim - 1, values.ndim - 1 + n_wires):
        even, odd = np.split(sums, 2, axis)
        sums = np.concatenate([even + odd, even - odd], axis)
    return sums.reshape(values.shape)


def _support(weights: NDArray[Any], n_wires: int) -> tuple[str, list[str]]:
    """A word whose weight is not 0, and generators that lead to all such words.

    Args:
        weights: of the words, in the order of :func:`pauli_words`; or of those of Z's only, in the order of z.
        n_wires: number of letters.
    """
    large = np.abs(weights) > ROUND_OFF * max(float(np.abs(weights).max()), np.finfo(float).tiny)
    masks = np.flatnonzero(large)
    base = int(masks[0]) if len(masks) else 0
    return _letters(base, n_wires), [_letters(mask, n_wires) for mask in array_basis(masks ^ base)]


def _letters(mask: int, n_wires: int) -> str:
    bits = f"{mask:0{2 * n_wires}b}"
    return "".join("IZXY"[2 * int(x) + int(z)] for x, z in zip(bits[:n_wires], bits[n_wires:], strict=True))
