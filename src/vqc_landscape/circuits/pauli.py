r"""Pauli words with signs, and how Clifford gates change them.

A word is :math:`i^p X^x Z^z` with bit masks x and z, one bit per wire: products and commutation are integer
operations. A :class:`Frame` holds :math:`C^\dagger W C` for the Clifford gates C passed so far, so that they can be
pushed to the end of a circuit. A :class:`Stabiliser` is the set of words that fix a state.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.circuits.program import FixedGate

Matrix = tuple[tuple[complex, complex], tuple[complex, complex]]
Images = dict[str, tuple[str, int]]  # letter P -> (letter, sign) of G+ P G

ROUND_OFF = 1e-13  # below it a number that should be of order 1 is 0: some hundred times float64's resolution
RESIDUE_BITS = 64  # room for more wires than a state vector can have
_PAULIS = {"X": np.array([[0, 1], [1, 0]]), "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.array([[1, 0], [0, -1]])}
_NAMED: dict[str, Images] = {
    "H": {"X": ("Z", 1), "Y": ("Y", -1), "Z": ("X", 1)},
    "S": {"X": ("Y", -1), "Y": ("X", 1), "Z": ("Z", 1)},
}
# Letters of the entanglers: each is diagonal in these.
ENTANGLERS = {"CZ": "ZZ", "CNOT": "ZX", "CCZ": "ZZZ"}


class Word(NamedTuple):
    """``i**phase X**x Z**z``; hermitian if phase and the number of Y are both even or both odd."""

    x: int
    z: int
    phase: int = 0


def product(a: Word, b: Word) -> Word:
    """The operator a b."""
    return Word(a.x ^ b.x, a.z ^ b.z, (a.phase + b.phase + 2 * (a.z & b.x).bit_count()) % 4)


def commute(a: Word, b: Word) -> bool:
    """Whether a b = b a; otherwise a b = -b a."""
    return ((a.x & b.z).bit_count() + (a.z & b.x).bit_count()) % 2 == 0


def signed(word: Word, sign: int) -> Word:
    """``sign`` times the word."""
    return word if sign > 0 else word._replace(phase=(word.phase + 2) % 4)


def split_sign(word: Word) -> tuple[Word, int]:
    """A hermitian word as (product of letters X, Y, Z; sign)."""
    n_y = (word.x & word.z).bit_count() % 4
    return word._replace(phase=n_y), 1 if word.phase == n_y else -1


# --- gates ----------------------------------------------------------------------------------------------


def clifford_images(gate: FixedGate) -> Images | None:
    """``G+ P G`` of the three Pauli letters, for a one-qubit Clifford gate; None for any other gate."""
    return _matrix_images(gate.matrix) if gate.matrix is not None else _NAMED.get(gate.name)


@functools.cache
def _matrix_images(matrix: Matrix) -> Images | None:
    gate = np.array(matrix)
    images: Images = {}
    for letter, pauli in _PAULIS.items():
        turned = gate.conj().T @ pauli @ gate
        parts = {other: float(np.trace(turned @ p).real) / 2 for other, p in _PAULIS.items()}
        large = [other for other, part in parts.items() if abs(part) > ROUND_OFF]
        if len(large) > 1:
            return None
        images[letter] = (large[0], 1 if parts[large[0]] > 0 else -1)
    return images


@functools.cache
def axis_letters(matrix: Matrix) -> str:
    """Letters of n in ``exp(-i a/2 (n . (X, Y, Z)))``, up to a phase the one-qubit matrix; empty for the identity."""
    gate = np.array(matrix)
    return "".join(letter for letter, pauli in _PAULIS.items() if abs(np.trace(gate @ pauli)) > ROUND_OFF)


# --- frames ---------------------------------------------------------------------------------------------


class Frame:
    """``C+ P C`` for the letters P of every wire, with C the Clifford gates passed so far."""

    def __init__(self, n_qubits: int) -> None:
        self.x = [Word(1 << wire, 0) for wire in range(n_qubits)]
        self.z = [Word(0, 1 << wire) for wire in range(n_qubits)]

    def word(self, letters: str, wires: Sequence[int]) -> Word:
        """``C+ P C`` of a word of letters on wires."""
        word = Word(0, 0)
        for letter, wire in zip(letters, wires, strict=True):
            word = product(word, self._letter(letter, wire))
        return word

    def passes(self, gate: FixedGate) -> bool:
        """Take the gate into C, if it is a Clifford gate."""
        a, b = gate.wires[0], gate.wires[-1]
        if len(gate.wires) == 1:
            images = clifford_images(gate)
            if images is None:
                return False
            turned = {letter: signed(self._letter(image, a), sign) for letter, (image, sign) in images.items()}
            self.x[a], self.z[a] = turned["X"], turned["Z"]
        elif gate.name == "SWAP":
            self.x[a], self.x[b], self.z[a], self.z[b] = self.x[b], self.x[a], self.z[b], self.z[a]
        elif gate.name == "CNOT":
            self.x[a], self.z[b] = product(self.x[a], self.x[b]), product(self.z[a], self.z[b])
        elif gate.name == "CZ":
            self.x[a], self.x[b] = product(self.x[a], self.z[b]), product(self.z[a], self.x[b])
        else:
            return False
        return True

    def turn(self, letters: str, wires: Sequence[int], quarters: int) -> None:
        """Take the rotation about a word by ``quarters * pi/2`` into C."""
        about = self.word(letters, wires)
        for letter, wire in zip(letters, wires, strict=True):
            for other, images in (("X", self.x), ("Z", self.z)):
                if other != letter:  # G+ W G = W exp(-i a P) for a W that anticommutes with P
                    turned = product(images[wire], about) if quarters % 2 else images[wire]
                    images[wire] = turned._replace(phase=(turned.phase - quarters) % 4)

    def _letter(self, letter: str, wire: int) -> Word:
        if letter == "Y":  # Y = i X Z
            y = product(self.x[wire], self.z[wire])
            return y._replace(phase=(y.phase + 1) % 4)
        return self.x[wire] if letter == "X" else self.z[wire]


# --- states ---------------------------------------------------------------------------------------------


class Stabiliser:
    """Words g with ``g |state> = |state>``, as generators in echelon form.

    Args:
        words: independent words that commute with each other and fix the state.
    """

    def __init__(self, words: Iterable[Word]) -> None:
        self.rows: list[tuple[tuple[int, int], Word]] = []  # (highest x bit, highest z bit), descending
        for word in words:
            reduced = self._reduce(word)
            self.rows = sorted([*self.rows, (_leading(reduced), reduced)], reverse=True)

    def copy(self) -> Stabiliser:
        other = Stabiliser(())
        other.rows = self.rows[:]
        return other

    def residue(self, word: Word) -> int:
        """0 if the state is known as an eigenvector of the word; linear over products of words."""
        rest = self._reduce(word)
        return rest.x << RESIDUE_BITS | rest.z

    def sign(self, word: Word) -> int | None:
        """1 or -1 if the state is known as an eigenvector of the word with this eigenvalue."""
        rest = self._reduce(word)
        return None if rest.x or rest.z else 1 - rest.phase

    def keep_commuting(self, word: Word) -> None:
        """Forget the words that a rotation about ``word`` does not leave in place."""
        wrong = [k for k, (_, row) in enumerate(self.rows) if not commute(row, word)]
        if wrong:
            *others, last = wrong  # the lowest: to multiply by it changes no leading bit above
            for k in others:
                leading, row = self.rows[k]
                self.rows[k] = (leading, product(row, self.rows[last][1]))
            del self.rows[last]

    def _reduce(self, word: Word) -> Word:
        for (x_bit, z_bit), row in self.rows:
            if (word.x & x_bit) or (not x_bit and word.z & z_bit):
                word = product(word, row)
        return word


def _leading(word: Word) -> tuple[int, int]:
    """The highest bit of x, or of z if x is 0; as (x bit, z bit)."""
    if word.x:
        return 1 << (word.x.bit_length() - 1), 0
    return 0, 1 << (word.z.bit_length() - 1)


def fixing_words(state: NDArray[np.complex128]) -> list[tuple[str, int, int]]:
    """One-qubit Paulis that fix a state up to sign, as (letter, wire, sign); at most one for each wire."""
    n_qubits = state.size.bit_length() - 1
    found = []
    for wire in range(n_qubits):
        halves = state.reshape(2**wire, 2, -1)
        zero, one = halves[:, 0], halves[:, 1]
        for letter, sign, difference in (
            ("Z", 1, one), ("Z", -1, zero), ("X", 1, one - zero), ("X", -1, one + zero),
            ("Y", 1, one - 1j * zero), ("Y", -1, one + 1j * zero),
        ):  # fmt: skip
            if np.linalg.norm(difference) < ROUND_OFF:
                found.append((letter, wire, sign))
                break
    return found
