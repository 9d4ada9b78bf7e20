r"""Rules that drop or merge gates that cannot change the result.

The rules act on the rotations and the other non-Clifford gates of a program, in the order in which they act on the
state. Each rule goes through them once, from one end.

An *end* is a set of words whose rotations have no effect there. At the front these are the words that fix the initial
state. At the back they are the words that commute with the observable (:class:`Commutant`), or those that fix the
target. Every gate that a rule keeps narrows the end to the words that commute with the gate. Both kinds of end answer
``residue(word)``: 0 if the word belongs to the end, and linear over products of words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from vqc_landscape.circuits.gf2 import Echelon, LabelledEchelon
from vqc_landscape.circuits.pauli import MAX_WIRES, Word, commute, product
from vqc_landscape.structure.exact_angles import ExactAngle, add_angle
from vqc_landscape.structure.stabiliser import Stabiliser


@dataclass
class Element:
    """A gate that is not Clifford: a function of words, and of an angle if it is a rotation.

    Attributes:
        words: a rotation has one.
        angle: of the rotation; for a fixed gate a constant of its own.
        gates: positions in the program; more than one once rotations have merged.
    """

    words: tuple[Word, ...]
    angle: ExactAngle
    gates: list[int] = field(default_factory=list)

    def commutes_with(self, words: Iterable[Word]) -> bool:
        """Whether each of its words commutes with each of the given ones."""
        return all(commute(word, other) for other in words for word in self.words)


class Commutant:
    """The words that commute with some given words.

    Args:
        words: the given ones.
    """

    def __init__(self, words: Iterable[Word]) -> None:
        self._given = Echelon(word.mask for word in words)  # a word that commutes with a basis commutes with all

    def copy(self) -> Commutant:
        """The same words, to be narrowed on its own."""
        other = Commutant(())
        other._given = self._given.copy()
        return other

    def residue(self, word: Word) -> int:
        """Bit k says whether the word anticommutes with row k of the given ones; 0 if it belongs."""
        swapped = word.z << MAX_WIRES | word.x  # X's of the one meet Z's of the other
        return sum(1 << k for k, row in enumerate(self._given.rows) if (row & swapped).bit_count() % 2)

    def sign(self, word: Word) -> int | None:
        """1 if the word belongs, else None."""
        return None if self.residue(word) else 1

    def keep_commuting(self, word: Word) -> None:
        """Narrow to the words that commute with this one, too."""
        self._given.add(word.mask)


def drop_commuting(elements: Sequence[Element], back: Commutant) -> tuple[list[Element], list[int]]:
    """Drop gates that commute with the observable and with all later gates that are kept.

    Args:
        elements: in the order in which they act on the state.
        back: the words that commute with the observable; narrowed in place.

    Returns:
        The elements that are kept, and the positions of the gates that are dropped.
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


def absorb_into_state(
    elements: Sequence[Element], fixing: Stabiliser, phase: ExactAngle
) -> tuple[list[Element], list[int]]:
    """Drop gates that only multiply the state by a phase, and merge rotations that do the same to it.

    Args:
        elements: in the order in which they act on the state; in reverse, if the state is the target.
        fixing: the words that fix the state; narrowed in place.
        phase: angle of the phase; added to in place.

    Returns:
        The elements that are kept, and the positions of the gates that are dropped.
    """
    kept: list[Element] = []
    dropped: list[int] = []
    for element in elements:
        signs = [fixing.sign(word) for word in element.words]
        if None not in signs:
            add_angle(phase, element.angle, signs[0] or 1)
            dropped += element.gates
            continue
        partner, sign = _find_partner(element, kept, fixing)
        if partner is not None:
            add_angle(partner.angle, element.angle, sign)
            partner.gates += element.gates
            if not partner.angle:
                kept = [other for other in kept if other is not partner]
            continue
        kept.append(element)
        for word in element.words:
            fixing.keep_commuting(word)
    return kept, dropped


def _find_partner(element: Element, kept: Sequence[Element], fixing: Stabiliser) -> tuple[Element | None, int]:
    """An earlier rotation with the same effect, where only gates that commute with the element lie between.

    Returns:
        The rotation, and the sign of the element's angle relative to it; None and 0 if there is none.
    """
    if len(element.words) == 1:
        for other in reversed(kept):
            sign = fixing.sign(product(other.words[0], element.words[0])) if len(other.words) == 1 else None
            if sign:
                return other, sign
            if not element.commutes_with(other.words):
                break
    return None, 0


def drop_conserved(
    elements: Sequence[Element], front: Stabiliser, back: Commutant | Stabiliser, phase: ExactAngle
) -> tuple[list[Element], list[int]]:
    """Drop rotations about P = Q Q', where Q and Q' commute, Q fixes the state there and Q' has no effect after it.

    On that state the rotation about P equals the one about Q', and Q' is conserved: all that follows commutes with it.

    Args:
        elements: in the order in which they act on the state.
        front: the words that fix the initial state; narrowed in place.
        back: the words without effect at the back; narrowed in place.
        phase: angle of the phase; added to in place.

    Returns:
        The elements that are kept, and the positions of the gates that are dropped.
    """
    backs = []  # after each element, the last one first
    for element in reversed(elements):
        backs.append(back.copy())
        for word in element.words:
            back.keep_commuting(word)
    kept: list[Element] = []
    dropped: list[int] = []
    for element, back_here in zip(elements, reversed(backs), strict=True):
        sign = _conserved_sign(element.words[0], front, back_here) if len(element.words) == 1 else None
        if sign is not None:
            add_angle(phase, element.angle, sign)
            dropped += element.gates
            continue
        kept.append(element)
        for word in element.words:
            front.keep_commuting(word)
    return kept, dropped


def _conserved_sign(word: Word, front: Stabiliser, back: Commutant | Stabiliser) -> int | None:
    """The sign of Q' at the back, where word = Q Q' as in :func:`drop_conserved`; None if there are no such words.

    Q is a product of the front's generators. Each has a row: its residue at the back, and in the last bit whether it
    anticommutes with the word. Both are linear, so the word's own row, with 0 in the last bit, must be a sum of rows.
    """
    generators = front.generators
    if not generators:
        return None
    echelon = LabelledEchelon[Word](product)
    for generator in generators:
        echelon.add(2 * back.residue(generator) + (not commute(generator, word)), generator)
    rest, second_factor = echelon.reduce(2 * back.residue(word), word)
    return None if rest else back.sign(second_factor)
