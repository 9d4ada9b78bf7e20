r"""Pauli words with signs, and how Clifford gates change them.

A word is :math:`i^p X^x Z^z` with bit masks x and z, one bit per wire: products and commutation are integer
operations. A :class:`Frame` holds :math:`C^\dagger W C` for the Clifford gates C passed so far, so that they can be
pushed to the end of a circuit. A :class:`Stabiliser` is the set of words that fix a state.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.circuits.program import FixedGate, Matrix

Images = dict[str, tuple[str, int]]  # letter P -> (letter, sign) of G+ P G

ROUND_OFF = 1e-13  # below it a number that should be of order 1 is 0: some hundred times float64's resolution
RESIDUE_BITS = 64  # room for more wires than a state vector can have
_PAULIS = {"X": np.array([[0, 1], [1, 0]]), "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.array([[1, 0], [0, -1]])}
_NAMED: dict[str, Images] = {
    "H": {"X": ("Z", 1), "Y": ("Y", -1), "Z": ("X", 1)},
    "S": {"X": ("Y", -1), "Y": ("X", 1), "Z": ("Z", 1)},
}
# Letters of the entanglers: each is diagonal in these.
_ENTANGLERS = {"CNOT": "ZX", "CZ": "ZZ", "CCZ": "ZZZ"}


class Word(NamedTuple):
    """``i**phase X**x Z**z``; hermitian if phase and the number of Y are both even or both odd.

    Bit s of ``flips`` says whether sample s has the opposite sign.
    """

    x: int
    z: int
    phase: int = 0
    flips: int = 0


def product(a: Word, b: Word) -> Word:
    """The operator a b."""
    phase = (a.phase + b.phase + 2 * (a.z & b.x).bit_count()) % 4
    return Word(a.x ^ b.x, a.z ^ b.z, phase, a.flips ^ b.flips)


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
    if len(gate.wires) > 1:
        return None
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
def gate_words(gate: FixedGate) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Words, as (letters, wires): an operator that commutes with all of them commutes with the gate.

    Of a named gate those that it is diagonal in, of a matrix those of its Pauli expansion.
    """
    letters = entangler_letters(gate)
    if letters is not None:
        return tuple((letter, (wire,)) for letter, wire in zip(letters, gate.wires, strict=True))
    base, directions = pauli_support(np.array(gate.matrix))
    words = []
    for word in (base, *directions):
        kept = [(letter, wire) for letter, wire in zip(word, gate.wires, strict=True) if letter != "I"]
        if kept:
            words.append(("".join(letter for letter, _ in kept), tuple(wire for _, wire in kept)))
    return tuple(words)


def entangler_letters(gate: FixedGate) -> str | None:
    """The letters that a named gate is diagonal in, one for each wire; None for other gates."""
    if gate.matrix is not None:
        return None
    return "Z" * len(gate.wires) if gate.name == "MCZ" else _ENTANGLERS.get(gate.name)


def pauli_support(matrix: NDArray[np.complex128]) -> tuple[str, list[str]]:
    """One word of I, X, Y, Z in the Pauli expansion of a matrix, and words that lead from it to all others.

    Signs are left out.

    Args:
        matrix: shape (2**k, 2**k).
    """
    index = np.arange(len(matrix))
    # row x: matrix[i, i ^ x]; its sum with the signs of a mask z is the coefficient of X^x Z^z, up to a phase
    return _support(walsh_hadamard(matrix[index, index ^ index[:, None]]).reshape(-1), len(matrix).bit_length() - 1)


def pauli_words(n_wires: int) -> list[str]:
    """All words of I, X, Y, Z, numbered by the bits of X, then of Z."""
    return [_letters(mask, n_wires) for mask in range(4**n_wires)]


def pauli_coefficients(matrices: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Coefficients of all words of some matrices, shape (4**k, n), of matrices (2**k, 2**k, n)."""
    size = len(matrices)
    index = np.arange(size)
    sums = walsh_hadamard(np.moveaxis(matrices[index, index ^ index[:, None]], 1, -1))  # (x, n, z)
    n_y = np.bitwise_count(index[:, None] & index)  # i for each Y
    coefficients: NDArray[np.complex128] = np.moveaxis(sums, 1, -1) * (1j**n_y)[..., None] / size
    return coefficients.reshape(size**2, -1)


def diagonal_support(diagonal: NDArray[np.float64]) -> tuple[str, list[str]]:
    """The same for a diagonal matrix, shape (2**k,)."""
    n_wires = len(diagonal).bit_length() - 1
    if np.count_nonzero(diagonal) == 1:  # projects on a basis state: all words of Z's
        return "I" * n_wires, ["I" * k + "Z" + "I" * (n_wires - 1 - k) for k in range(n_wires)]
    return _support(walsh_hadamard(diagonal), n_wires)


def walsh_hadamard(values: NDArray[Any]) -> NDArray[Any]:
    """``sum_i (-1)^(popcount of i & z) values[..., i]`` for every z, shape (..., 2**k)."""
    n_wires = values.shape[-1].bit_length() - 1
    sums = values.reshape(*values.shape[:-1], *[2] * n_wires)
    for axis in range(values.ndim - 1, values.ndim - 1 + n_wires):
        even, odd = np.split(sums, 2, axis)
        sums = np.concatenate([even + odd, even - odd], axis)
    return sums.reshape(values.shape)


def _support(weights: NDArray[Any], n_wires: int) -> tuple[str, list[str]]:
    """Generators of the words X^x Z^z of some weights, numbered by the bits of x, then of z."""
    large = np.abs(weights) > ROUND_OFF * max(float(np.abs(weights).max()), np.finfo(float).tiny)
    masks = np.flatnonzero(large)
    base, basis = int(masks[0]) if len(masks) else 0, []
    masks = masks ^ base
    while masks.any():
        pivot = masks.max()
        masks = np.minimum(masks, masks ^ pivot)  # the highest bit of the pivot leaves all others
        basis.append(int(pivot))
    return _letters(base, n_wires), [_letters(mask, n_wires) for mask in basis]


def _letters(mask: int, n_wires: int) -> str:
    bits = f"{mask:0{2 * n_wires}b}"
    return "".join("IZXY"[2 * int(x) + int(z)] for x, z in zip(bits[:n_wires], bits[n_wires:], strict=True))


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

    def conjugated(self, word: Word) -> Word:
        """``C+ W C`` of a one-qubit word with its signs."""
        wire = (word.x | word.z).bit_length() - 1
        letter = "IZXY"[2 * bool(word.x) + bool(word.z)]
        turned = signed(self.word(letter, (wire,)), split_sign(word)[1])
        return turned._replace(flips=word.flips)

    def passes(self, gate: FixedGate) -> bool:
        """Take the gate into C, if it is a Clifford gate."""
        a, b = gate.wires[0], gate.wires[-1]
        if gate.matrix is not None and len(gate.wires) > 1:
            return False
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
        """1 or -1 if the state is known as an eigenvector with this eigenvalue; 0 if samples differ in its sign."""
        rest = self._reduce(word)
        if rest.x or rest.z:
            return None
        return 0 if rest.flips else 1 - rest.phase

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


def fixing_words(states: NDArray[np.complex128]) -> list[Word]:
    """One-qubit Paulis that fix each of some states up to its sign; at most one for each wire.

    Args:
        states: shape (n_samples, 2**n_qubits).
    """
    n_qubits = states.shape[1].bit_length() - 1
    found = []
    for wire in range(n_qubits):
        halves = states.reshape(len(states), 2**wire, 2, -1)
        zero, one = halves[:, :, 0], halves[:, :, 1]
        for word, plus, minus in (
            (Word(0, 1 << wire), one, zero),
            (Word(1 << wire, 0), one - zero, one + zero),
            (Word(1 << wire, 1 << wire, 1), one - 1j * zero, one + 1j * zero),
        ):
            is_plus, is_minus = (np.linalg.norm(rest, axis=(1, 2)) < ROUND_OFF for rest in (plus, minus))
            if np.all(is_plus | is_minus):
                found.append(with_signs(word, is_minus))
                break
    return found


def basis_words(indices: NDArray[np.int64], n_qubits: int) -> list[Word]:
    """The same for basis states, given by their index."""
    bits = [(indices >> (n_qubits - 1 - wire)) & 1 for wire in range(n_qubits)]
    return [with_signs(Word(0, 1 << wire), bit.astype(np.bool_)) for wire, bit in enumerate(bits)]


def with_signs(word: Word, negative: NDArray[np.bool_]) -> Word:
    """The word with the sign of each sample."""
    first = bool(negative[0])
    flips = int("".join("01"[bool(n) != first] for n in negative[::-1]), 2)
    return signed(word, -1 if first else 1)._replace(flips=flips)
