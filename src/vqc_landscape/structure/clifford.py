r"""How gates act on Pauli words, and the Clifford gates that a program has passed.

A Clifford gate G turns every Pauli word W into a word :math:`G^\dagger W G`. So Clifford gates can be pushed to the end
of a program: a rotation about W after the gates C equals C after a rotation about :math:`C^\dagger W C`.

Reference: Aaronson and Gottesman, arXiv:quant-ph/0406196, for the tableau of words.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from vqc_landscape.circuits.pauli import ROUND_OFF, Word, pauli_support, product, signed, split_sign
from vqc_landscape.circuits.program import FixedGate, Matrix

Tableau = dict[str, tuple[str, int]]  # letter P -> (letter, sign) of G+ P G

_PAULIS = {"X": np.array([[0, 1], [1, 0]]), "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.array([[1, 0], [0, -1]])}
_NAMED: dict[str, Tableau] = {
    "H": {"X": ("Z", 1), "Y": ("Y", -1), "Z": ("X", 1)},
    "S": {"X": ("Y", -1), "Y": ("X", 1), "Z": ("Z", 1)},
}
# The letter on each wire in which a gate is diagonal.
_ENTANGLERS = {"CNOT": "ZX", "CZ": "ZZ", "CCZ": "ZZZ"}


def clifford_tableau(gate: FixedGate) -> Tableau | None:
    """``G+ P G`` of the letters X, Y, Z, for a one-qubit Clifford gate G; None for any other gate."""
    if len(gate.wires) > 1:
        return None
    return _matrix_tableau(gate.matrix) if gate.matrix is not None else _NAMED.get(gate.name)


@functools.cache
def _matrix_tableau(matrix: Matrix) -> Tableau | None:
    """``G+ P G`` of the letters for a matrix G, 2 x 2; None if one of them is no letter."""
    gate = np.array(matrix)
    tableau: Tableau = {}
    for letter, pauli in _PAULIS.items():
        conjugated = gate.conj().T @ pauli @ gate
        coefficients = {other: float(np.trace(conjugated @ p).real) / 2 for other, p in _PAULIS.items()}
        large = [other for other, coefficient in coefficients.items() if abs(coefficient) > ROUND_OFF]
        if len(large) > 1:
            return None
        tableau[letter] = (large[0], 1 if coefficients[large[0]] > 0 else -1)
    return tableau


@functools.cache
def gate_words(gate: FixedGate) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Words such that an operator that commutes with all of them commutes with the gate.

    For a named gate, the letters in which it is diagonal; for a matrix, words that generate its Pauli expansion.

    Returns:
        The words as (letters, wires), without wires on which a word is the identity.
    """
    diagonal_letters = _diagonal_letters(gate)
    if diagonal_letters is not None:
        return tuple((letter, (wire,)) for letter, wire in zip(diagonal_letters, gate.wires, strict=True))
    base, generators = pauli_support(np.array(gate.matrix))
    words = []
    for word in (base, *generators):
        kept = [(letter, wire) for letter, wire in zip(word, gate.wires, strict=True) if letter != "I"]
        if kept:
            words.append(("".join(letter for letter, _ in kept), tuple(wire for _, wire in kept)))
    return tuple(words)


def _diagonal_letters(gate: FixedGate) -> str | None:
    """The letter on each wire in which a named gate is diagonal; None for other gates."""
    if gate.matrix is not None:
        return None
    return "Z" * len(gate.wires) if gate.name == "MCZ" else _ENTANGLERS.get(gate.name)


class CliffordFrame:
    """``C+ P C`` for the letters P of every wire, where C is the product of the Clifford gates so far.

    Args:
        n_qubits: number of wires; C is the identity at first.
    """

    def __init__(self, n_qubits: int) -> None:
        self.x = [Word(1 << wire, 0) for wire in range(n_qubits)]
        self.z = [Word(0, 1 << wire) for wire in range(n_qubits)]

    def conjugate(self, letters: str, wires: Sequence[int]) -> Word:
        """``C+ W C`` of the word W with one letter X, Y or Z for each wire."""
        word = Word(0, 0)
        for letter, wire in zip(letters, wires, strict=True):
            word = product(word, self._conjugate_letter(letter, wire))
        return word

    def conjugate_one_qubit_word(self, word: Word) -> Word:
        """``C+ W C`` of a hermitian word W on one wire, with the signs that it has for the samples."""
        wire = (word.x | word.z).bit_length() - 1
        letter = "IZXY"[2 * bool(word.x) + bool(word.z)]
        conjugated = signed(self.conjugate(letter, (wire,)), split_sign(word)[1])
        return conjugated._replace(flips=word.flips)

    def append(self, gate: FixedGate) -> bool:
        """Take a gate into C; False, and nothing happens, if it is not known to be a Clifford gate."""
        a, b = gate.wires[0], gate.wires[-1]
        if gate.matrix is not None and len(gate.wires) > 1:
            return False
        if len(gate.wires) == 1:
            tableau = clifford_tableau(gate)
            if tableau is None:
                return False
            new = {letter: signed(self._conjugate_letter(image, a), sign) for letter, (image, sign) in tableau.items()}
            self.x[a], self.z[a] = new["X"], new["Z"]
        elif gate.name == "SWAP":
            self.x[a], self.x[b], self.z[a], self.z[b] = self.x[b], self.x[a], self.z[b], self.z[a]
        elif gate.name == "CNOT":
            self.x[a], self.z[b] = product(self.x[a], self.x[b]), product(self.z[a], self.z[b])
        elif gate.name == "CZ":
            self.x[a], self.x[b] = product(self.x[a], self.z[b]), product(self.z[a], self.x[b])
        else:
            return False
        return True

    def append_rotation(self, letters: str, wires: Sequence[int], n_quarters: int) -> None:
        """Take the rotation by ``n_quarters * pi/2`` about a word of X, Y, Z into C."""
        axis = self.conjugate(letters, wires)
        for letter, wire in zip(letters, wires, strict=True):
            for other, images in (("X", self.x), ("Z", self.z)):
                if other != letter:  # G+ W G = W exp(-i a P) for a W that anticommutes with P
                    rotated = product(images[wire], axis) if n_quarters % 2 else images[wire]
                    images[wire] = rotated._replace(phase=(rotated.phase - n_quarters) % 4)

    def _conjugate_letter(self, letter: str, wire: int) -> Word:
        if letter == "Y":  # Y = i X Z
            y = product(self.x[wire], self.z[wire])
            return y._replace(phase=(y.phase + 1) % 4)
        return self.x[wire] if letter == "X" else self.z[wire]
