"""The Pauli words that fix a state.

A word g fixes the state if ``g |state> = |state>``. The words that do are a group; its elements commute with each
other. With data, the sign may differ between samples: then the word that fixes the state has a sign for each of them.

Reference: Aaronson and Gottesman, arXiv:quant-ph/0406196.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.circuits.gf2 import LabelledEchelon
from vqc_landscape.circuits.pauli import ROUND_OFF, Word, commute, product, signed


class Stabiliser:
    """The group of words that are known to fix a state, as independent generators.

    Args:
        words: words that fix the state.
    """

    def __init__(self, words: Iterable[Word]) -> None:
        self._echelon = LabelledEchelon[Word](product)
        for word in words:
            self._echelon.add(word.mask, word)

    @property
    def generators(self) -> list[Word]:
        """Independent words of which all others are products."""
        return [word for _, word in self._echelon.rows]

    def copy(self) -> Stabiliser:
        """The same group, to be narrowed on its own."""
        other = Stabiliser(())
        other._echelon = self._echelon.copy()
        return other

    def residue(self, word: Word) -> int:
        """A row over GF(2) that is 0 if the state is known to be an eigenvector of the word.

        The row of a product of words is the sum of their rows.
        """
        return self._reduce(word).mask

    def sign(self, word: Word) -> int | None:
        """The eigenvalue of the state, 1 or -1, for a hermitian word; 0 if samples differ in it.

        None if the state is not known to be an eigenvector.
        """
        rest = self._reduce(word)
        if rest.mask:
            return None
        return 0 if rest.flips else 1 - rest.phase

    def keep_commuting(self, word: Word) -> None:
        """Forget the words that do not commute with this one: a rotation about it need not preserve them."""
        self._echelon.restrict(lambda generator: not commute(generator, word))

    def _reduce(self, word: Word) -> Word:
        """The word times generators; the identity up to a sign if the state is an eigenvector."""
        return self._echelon.reduce(word.mask, word)[1]


def fixing_words(states: NDArray[np.complex128]) -> list[Word]:
    """Letters X, Y, Z on one wire that fix each of some states up to a sign, which is the word's sign for that state.

    There is at most one for each wire.

    Args:
        states: shape (n_samples, 2**n_qubits).
    """
    n_qubits = states.shape[1].bit_length() - 1
    found = []
    for wire in range(n_qubits):
        halves = states.reshape(len(states), 2**wire, 2, -1)
        zero, one = halves[:, :, 0], halves[:, :, 1]
        # a word P, what is 0 where P fixes the state, and what is 0 where P changes the state's sign
        for word, left_of_plus, left_of_minus in (
            (Word(0, 1 << wire), one, zero),
            (Word(1 << wire, 0), one - zero, one + zero),
            (Word(1 << wire, 1 << wire, 1), one - 1j * zero, one + 1j * zero),
        ):
            is_plus, is_minus = (np.linalg.norm(n, axis=(1, 2)) < ROUND_OFF for n in (left_of_plus, left_of_minus))
            if np.all(is_plus | is_minus):
                found.append(with_signs(word, is_minus))
                break
    return found


def basis_words(indices: NDArray[np.int64], n_qubits: int) -> list[Word]:
    """The letter Z of every wire, with the signs that fix some basis states.

    Args:
        indices: of the basis states, shape (n_samples,).
        n_qubits: number of wires.
    """
    bits = [(indices >> (n_qubits - 1 - wire)) & 1 for wire in range(n_qubits)]
    return [with_signs(Word(0, 1 << wire), bit.astype(np.bool_)) for wire, bit in enumerate(bits)]


def with_signs(word: Word, negative: NDArray[np.bool_]) -> Word:
    """The word with a sign for each sample.

    Args:
        word: with sign 1.
        negative: whether the sign of a sample is -1, shape (n_samples,).
    """
    first = bool(negative[0])
    flips = int("".join("01"[bool(n) != first] for n in negative[::-1]), 2)
    return signed(word, -1 if first else 1)._replace(flips=flips)
