"""The observable of a QNode: its terms on the wires that are used, with what the sample puts into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array
from vqc_landscape.circuits.observables import (
    Diagonalised,
    Observable,
    PauliSum,
    Product,
    ProductSum,
)
from vqc_landscape.circuits.pauli import pauli_coefficients, pauli_words, walsh_hadamard
from vqc_landscape.circuits.qnode.measured import MAX_OBSERVABLE_WIRES
from vqc_landscape.circuits.qnode.parts import Label, NotTakenError
from vqc_landscape.circuits.qnode.tape import ROUND_OFF, Tape

MAX_VARYING_WIRES = 5  # of a matrix that depends on the sample: 4**5 words; chosen by us

Complex = NDArray[np.complex128]


@dataclass(frozen=True)
class _Factor:
    """A matrix of a term, on the wires that are used.

    Attributes:
        number: which of the tape's factors.
        kind: see :class:`measured.Factor`.
        wires: those that are used.
        keep: entries of an index of all wires in which the idle ones are 0.
        varies: whether it depends on the sample.
    """

    number: int
    kind: str
    wires: tuple[Label, ...]
    keep: NDArray[np.int64]
    varies: bool

    def values(self, tape: Tape) -> NDArray[Any]:
        """Matrix, diagonal or amplitudes on the used wires, with the samples behind."""
        value = tape.factors[self.number]
        if self.kind == "bits":
            value = basis_vectors(value)
        return value[np.ix_(self.keep, self.keep)] if self.kind == "matrix" else value[self.keep]


@dataclass(frozen=True)
class _Term:
    number: int
    word: str
    wires: tuple[Label, ...]
    factors: tuple[_Factor, ...]


class Measured:
    """The observable of a QNode.

    Args:
        tape: what was read, for all samples.
        active: wires that gates act on; all others are zero.
        name: of the QNode.

    Attributes:
        wires: the wires that it needs.
    """

    def __init__(self, tape: Tape, active: set[Label], name: str) -> None:
        self._tape, self._name = tape, name
        self._terms: list[_Term] = []
        factor = 0
        for number, slot in enumerate(tape.terms):
            letters = dict(zip(slot.wires, slot.word, strict=True))
            sees_zero = any(letter != "Z" and wire not in active for wire, letter in letters.items())
            kept = {wire: letter for wire, letter in letters.items() if wire in active}
            factors = [_factor(tape, factor + k, *own, active) for k, own in enumerate(slot.factors)]
            factor += len(factors)
            if not sees_zero:  # <0|X|0> = <0|Y|0> = 0, <0|Z|0> = 1
                self._terms.append(_Term(number, "".join(kept.values()), tuple(kept), tuple(factors)))
        found = [w for term in self._terms for w in (*term.wires, *(w for f in term.factors for w in f.wires))]
        self.wires = tuple(dict.fromkeys(found))

    def projected(self, labels: Sequence[Label]) -> _Factor | None:
        """The factor of an observable that is one projector onto a state of all wires."""
        if len(self._terms) != 1 or self._terms[0].word or len(self._terms[0].factors) != 1:
            return None
        (term,), (factor,) = self._terms, self._terms[0].factors
        is_state = factor.kind in ("bits", "amplitudes") and len(factor.keep) == 2 ** len(factor.wires)
        whole = is_state and set(factor.wires) == set(labels) and np.all(self._tape.coefficients[term.number] == 1)
        # a state of another norm is no projector, but its matrix will do
        normal = whole and np.abs(np.linalg.norm(factor.values(self._tape), axis=0) - 1).max() < 1e-10
        return factor if normal else None

    def coefficients(self, tape: Tape) -> Complex:
        """Coefficient of every product for every sample, shape (n_products, n_samples)."""
        found = []
        for term in self._terms:
            own = tape.coefficients[[term.number]]
            for factor in term.factors:
                if not factor.wires:
                    own = own * _expval(factor, factor.values(tape))
                elif factor.varies:
                    words = _word_coefficients(factor, factor.values(tape))
                    own = (own[:, None] * words[None]).reshape(-1, max(own.shape[1], words.shape[1]))
            found.append(own)
        n_samples = max((own.shape[1] for own in found), default=1)
        return np.concatenate([np.zeros((0, n_samples)), *(np.broadcast_to(f, (len(f), n_samples)) for f in found)])

    def products(self, positions: dict[Label, int]) -> list[Product]:
        """The products, without their coefficients."""
        found = []
        for term in self._terms:
            words = [(term.word, term.wires)]
            matrices = []
            for factor in (factor for factor in term.factors if factor.wires):
                if factor.varies:
                    letters = _words(factor)
                    words = [
                        (
                            word + own.replace("I", ""),
                            wires + tuple(w for w, x in zip(factor.wires, own, strict=True) if x != "I"),
                        )
                        for word, wires in words
                        for own in letters
                    ]
                else:
                    matrices.append((self._diagonalised(factor), tuple(positions[w] for w in factor.wires)))
            found += [Product(1.0, word, tuple(positions[w] for w in wires), tuple(matrices)) for word, wires in words]
        return found

    def _diagonalised(self, factor: _Factor) -> Diagonalised:
        value = factor.values(self._tape)[..., 0]
        if factor.kind in ("bits", "amplitudes"):
            if np.count_nonzero(value) > 1:
                self._check_size(factor, MAX_OBSERVABLE_WIRES, "a projector")
            return Diagonalised.projector(value)
        if factor.kind == "diagonal":
            self.check_real(value)
            return Diagonalised(value.real.copy())
        if np.abs(value - value.conj().T).max() > ROUND_OFF * max(1.0, np.abs(value).max()):
            raise NotTakenError(f"The observable of {self._name} has a matrix that is not hermitian.")
        return Diagonalised.of((value + value.conj().T) / 2)

    def real_coefficients(self, tape: Tape) -> Array:
        """The same, for a hermitian observable."""
        found = self.coefficients(tape)
        self.check_real(found)
        return found.real

    def check_real(self, coefficients: Complex) -> None:
        """Refuse what is not hermitian."""
        if np.abs(coefficients.imag).max(initial=0.0) > ROUND_OFF * max(1.0, np.abs(coefficients).max(initial=0.0)):
            raise NotTakenError(
                f"The observable of {self._name} is not hermitian: it has complex coefficients. Products of Pauli "
                "operators on one wire may have made them, such as X @ Y = iZ."
            )

    def check_varying(self) -> None:
        """Refuse matrices that depend on the sample where they have too many words."""
        for factor in (factor for term in self._terms for factor in term.factors if factor.varies):
            limit = MAX_OBSERVABLE_WIRES if factor.kind in ("bits", "diagonal") else MAX_VARYING_WIRES
            self._check_size(factor, limit, "a matrix that depends on the sample")

    def _check_size(self, factor: _Factor, limit: int, what: str) -> None:
        if len(factor.wires) > limit:
            raise NotTakenError(
                f"The observable of {self._name} has {what} on {len(factor.wires)} wires; up to {limit} are taken."
            )


def _factor(tape: Tape, number: int, kind: str, wires: tuple[Label, ...], active: set[Label]) -> _Factor:
    index = np.arange(2 ** len(wires))
    for k, wire in enumerate(wires):
        if wire not in active:
            index = index[index >> (len(wires) - 1 - k) & 1 == 0]
    return _Factor(number, kind, tuple(w for w in wires if w in active), index, varies(tape.factors[number]))


def varies(values: NDArray[Any]) -> bool:
    """Whether samples differ, beyond round-off."""
    return values.shape[-1] > 1 and bool(np.abs(values - values[..., :1]).max(initial=0.0) > ROUND_OFF)


def basis_vectors(bits: NDArray[Any]) -> Complex:
    """Amplitudes (2**k, n) of basis states, given by their bits (k, n)."""
    index = np.zeros(bits.shape[1], dtype=np.int64)
    for bit in bits:
        index = 2 * index + bit.astype(np.int64)
    vectors = np.zeros((2 ** len(bits), bits.shape[1]), dtype=np.complex128)
    vectors[index, np.arange(len(index))] = 1.0
    return vectors


def _words(factor: _Factor) -> list[str]:
    """Words of a matrix that depends on the sample, those of a diagonal one of Z's alone."""
    n_wires = len(factor.wires)
    return pauli_words(n_wires)[: 2**n_wires] if factor.kind in ("bits", "diagonal") else pauli_words(n_wires)


def _word_coefficients(factor: _Factor, values: NDArray[Any]) -> Complex:
    """Coefficients (n_words, n_samples) of these words."""
    if factor.kind in ("bits", "diagonal"):
        sums: Complex = walsh_hadamard(values.T.astype(np.complex128)).T
        return sums / len(values)
    if factor.kind == "amplitudes":
        values = np.einsum("is,js->ijs", values, values.conj())
    return pauli_coefficients(values)


def _expval(factor: _Factor, values: NDArray[Any]) -> NDArray[Any]:
    """What a matrix on idle wires alone, which are all zero, is in each sample."""
    number = values.reshape(-1)
    return np.abs(number) ** 2 if factor.kind == "amplitudes" else number


def build_observable(
    measured: Measured, tape: Tape, positions: dict[Label, int], first_feature: int, has_data: bool
) -> tuple[Observable, NDArray[np.bool_]]:
    """The observable, and which of its products have a coefficient for each sample, from ``first_feature`` on."""
    measured.check_varying()
    coefficients, products = measured.real_coefficients(tape), measured.products(positions)
    scale = max(1.0, float(np.abs(coefficients).max(initial=0.0)))
    own = np.array([has_data and (len(c) == 1 or varies(c[np.newaxis])) for c in coefficients], dtype=np.bool_)
    kept = []
    feature = first_feature
    for product, coefficient, is_own in zip(products, coefficients, own, strict=True):
        if is_own:
            kept.append(replace(product, feature=feature))
            feature += 1
        elif abs(coefficient[0]) > np.finfo(float).eps * scale or len(products) == 1:
            kept.append(replace(product, coefficient=float(coefficient[0])))
    if all(not product.matrices and product.feature is None for product in kept):
        terms = tuple((product.coefficient, product.word, product.wires) for product in kept)
        return PauliSum(terms or ((0.0, "", ()),)), own
    return ProductSum(tuple(kept)), own
