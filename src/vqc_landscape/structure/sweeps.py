"""Sweeps over a list of rotations and other non-Clifford gates that drop or merge what cannot matter.

Both ends are asked the same question: :meth:`residue` is linear over products of words, and 0 for a word whose
rotation has no effect there. At the front that is a word that fixes the initial state; at the back one that commutes
with the observable, or fixes the target. A sweep takes every gate that it keeps into the end that it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from vqc_landscape.circuits.pauli import Stabiliser, Word, commute, product
from vqc_landscape.structure.angles import Angle, add


@dataclass
class Element:
    """A gate that is no Clifford gate: a function of words, and of an angle if it is a rotation.

    Attributes:
        words: a rotation has one.
        angle: for a fixed gate a constant of its own.
        gates: positions in the program; more than one once rotations have merged.
    """

    words: tuple[Word, ...]
    angle: Angle
    gates: list[int] = field(default_factory=list)

    def commutes_with(self, words: Iterable[Word]) -> bool:
        return all(commute(mine, other) for other in words for mine in self.words)


class Commutant:
    """The words that commute with some given ones.

    Args:
        words: the given ones.
    """

    def __init__(self, words: Iterable[Word]) -> None:
        self.words: list[Word] = []  # independent ones, with different leading bits, descending
        for word in words:
            self.keep_commuting(word)

    def copy(self) -> Commutant:
        other = Commutant(())
        other.words = self.words[:]
        return other

    def residue(self, word: Word) -> int:
        """Which of the given words do not commute with this one, as bits; 0 if it belongs."""
        return sum(1 << k for k, own in enumerate(self.words) if not commute(own, word))

    def sign(self, word: Word) -> int | None:
        return None if self.residue(word) else 1

    def keep_commuting(self, word: Word) -> None:
        """One more given word."""
        rest = (word.x, word.z)
        for row in self.words:
            rest = min(rest, (rest[0] ^ row.x, rest[1] ^ row.z))
        if any(rest):
            self.words = sorted([*self.words, Word(*rest)], reverse=True)


def fade(elements: Sequence[Element], back: Commutant) -> tuple[list[Element], list[int]]:
    """Drop what commutes with the observable and with all later gates that matter.

    Returns:
        The elements that are left, and the gates of the others.
    """
    kept: list[Element] = []
    dropped: list[int] = []
    for element in reversed(elements):
        if not any(back.residue(word) for word in element.words):
            dropped += element.gates
            continue
        kept.append(element)
        for word in element.words:
            back.keep_commuting(word)
    return kept[::-1], dropped


def absorb(elements: Sequence[Element], fixed: Stabiliser, phase: Angle) -> tuple[list[Element], list[int]]:
    """Drop what only gives the state a phase, and merge rotations that do the same to it.

    Args:
        elements: in the order in which they act on the state.
        fixed: the words that fix the state; used up.
        phase: angle of the phase; added to.

    Returns:
        The elements that are left, and the gates of those that were dropped.
    """
    kept: list[Element] = []
    dropped: list[int] = []
    for element in elements:
        signs = [fixed.sign(word) for word in element.words]
        if None not in signs:
            add(phase, element.angle, signs[0] or 1)
            dropped += element.gates
            continue
        partner, sign = _partner(element, kept, fixed)
        if partner is not None:
            add(partner.angle, element.angle, sign)
            partner.gates += element.gates
            if not partner.angle:
                kept = [other for other in kept if other is not partner]
            continue
        kept.append(element)
        for word in element.words:
            fixed.keep_commuting(word)
    return kept, dropped


def _partner(element: Element, kept: Sequence[Element], fixed: Stabiliser) -> tuple[Element | None, int]:
    """An earlier rotation that does the same up to the sign of the angle, with only commuting gates between."""
    if len(element.words) == 1:
        for other in reversed(kept):
            sign = fixed.sign(product(other.words[0], element.words[0])) if len(other.words) == 1 else None
            if sign:
                return other, sign
            if not element.commutes_with(other.words):
                break
    return None, 0


def settle(
    elements: Sequence[Element], front: Stabiliser, back: Commutant | Stabiliser, phase: Angle
) -> tuple[list[Element], list[int]]:
    """Drop rotations about P = Q Q' with commuting words Q that fixes the state there, and Q' without effect.

    Args:
        elements: in the order of time.
        front: the words that fix the initial state; used up.
        back: the words without effect at the end; used up.
        phase: angle of the phase; added to.

    Returns:
        The elements that are left, and the gates of the others.
    """
    ends = []
    for element in reversed(elements):
        ends.append(back.copy())
        for word in element.words:
            back.keep_commuting(word)
    kept: list[Element] = []
    dropped: list[int] = []
    for element, end in zip(elements, reversed(ends), strict=True):
        sign = _two_sided(element.words[0], front, end) if front.rows and len(element.words) == 1 else None
        if sign is not None:
            add(phase, element.angle, sign)
            dropped += element.gates
            continue
        kept.append(element)
        for word in element.words:
            front.keep_commuting(word)
    return kept, dropped


def _two_sided(word: Word, front: Stabiliser, back: Commutant | Stabiliser) -> int | None:
    """Sign of Q' in word = Q Q'; None if there are no such two."""
    rows: list[tuple[int, Word]] = []  # combinations of the front's words, by what they leave at the back

    def reduce(value: int, combination: Word) -> tuple[int, Word]:
        for other, own in rows:
            if value ^ other < value:
                value, combination = value ^ other, product(combination, own)
        return value, combination

    for _, fixing in front.rows:  # the last bit: whether it commutes with the word
        value, combination = reduce(2 * back.residue(fixing) + (not commute(fixing, word)), fixing)
        if value:
            rows = sorted([*rows, (value, combination)], reverse=True)
    value, rest = reduce(2 * back.residue(word), word)
    return None if value else back.sign(rest)
