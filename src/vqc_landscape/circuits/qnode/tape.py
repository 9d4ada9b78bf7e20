"""Tapes of a QNode as plain arrays: what is the same in all of them, and the numbers that are not."""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array
from vqc_landscape.circuits.qnode.arguments import Call
from vqc_landscape.circuits.qnode.batched import Batched, ManyError
from vqc_landscape.circuits.qnode.measured import ObservableTerm, of_bits, terms_of
from vqc_landscape.circuits.qnode.parts import Label, NotTakenError
from vqc_landscape.circuits.qnode.translate import is_state, parts_of, state_of

Rows = NDArray[Any] | None

ROUND_OFF = 1e-12  # of numbers of order 1 that a QNode computes
N_DRAWS = 8  # calls by which gates that are drawn at random show themselves; chosen by us


Seen = tuple["Tape", Array, Any]  # a tape, its point, and its row


class NotTogetherError(Exception):
    """Many points cannot be read at once."""


class Slot(NamedTuple):
    """What a part of a program is, apart from its numbers; see :class:`Part`."""

    kind: str
    name: str
    wires: tuple[Label, ...]
    label: str


class TermSlot(NamedTuple):
    """The same for a term of the observable: its word, and kind and wires of its matrices."""

    word: str
    wires: tuple[Label, ...]
    factors: tuple[tuple[str, tuple[Label, ...]], ...]


@dataclass(frozen=True)
class Tape:
    """A tape, or many of one structure.

    Attributes:
        slots: the parts, without global phases.
        terms: the terms of the observable.
        angles: of the rotations, shape (n_angles, n).
        arrays: matrices and states of the other parts that have numbers, each (..., n), or (..., 1) if all are equal.
        coefficients: of the terms, complex, shape (n_terms, n).
        factors: of the terms, each (..., n) or (..., 1).
    """

    slots: tuple[Slot, ...]
    terms: tuple[TermSlot, ...]
    angles: Array
    arrays: tuple[NDArray[Any], ...]
    coefficients: NDArray[np.complex128]
    factors: tuple[NDArray[Any], ...]

    @property
    def structure(self) -> tuple[Any, ...]:
        """All but the numbers."""
        return self.slots, self.terms, [a.shape[:-1] for a in self.arrays], [f.shape[:-1] for f in self.factors]


class Tapes:
    """Makes tapes of a QNode.

    Args:
        qnode: the QNode.
        call: how it is called.
        transformed: with the QNode's own transforms, or before them.
    """

    def __init__(self, qnode: Any, call: Call, transformed: bool) -> None:
        self.qnode, self.call, self.transformed = qnode, call, transformed
        self.together = "none"  # what is read in one call: "all", the "points" of a row, or "none"
        self.lists = False  # whether lists of the example are given as lists; else as arrays
        self._convert: Callable[[Any], Any] = lambda array: array

    def arguments(self, params: Any, row: Any = None) -> tuple[list[Any], dict[str, Any]]:
        """What the QNode is called with: arrays of the kind that it takes, and its own to write into."""
        own = None if row is None else self._convert(copy.copy(row))
        return self.call.arguments(self._convert(copy.deepcopy(params)), own, self.lists)

    def find_kind(self, params: Array, row: Any) -> None:
        """Give it lists where these are something else than arrays, torch's tensors if it cannot take numpy's arrays.

        Raises:
            NotTakenError: it can be called with none of them.
        """
        if self.call.parameters.layout.has_lists:
            self.lists = True
            try:
                listed = self.read_one(params, row)
            except NotTakenError:
                self.lists = False
            else:
                self.lists = not self._is_read(params, row, listed)
                return
        try:
            self.script(params, row)
        except NotTakenError:
            if "torch" not in sys.modules:  # nor does its code use it
                raise
            self._convert = sys.modules["torch"].as_tensor
            try:
                self.script(params, row)
            except NotTakenError:
                self._convert = lambda array: array
            else:
                return
            raise

    def _is_read(self, params: Array, row: Any, expected: Tape) -> bool:
        """Whether arrays give the same tape as lists."""
        self.lists = False
        try:
            return agree(self.read_one(params, row), expected)
        except NotTakenError:
            return False

    def script(self, params: Any, row: Any = None) -> Any:
        """PennyLane's tape at one point.

        Raises:
            NotTakenError: the QNode's own code fails, or it is called in another way than it wants.
        """
        import pennylane as qml

        args, kwargs = self.arguments(params, row)
        try:
            tape = qml.tape.make_qscript(self.qnode.func)(*args, **kwargs)
            if not self.transformed:
                return tape
            tapes, _ = self.qnode.compile_pipeline((tape,))
        except Exception as error:  # whatever the user's code raises
            given = str(self.call.parameters) + (
                "" if row is None else f" and a row of features of shape {np.shape(row)}"
            )
            raise NotTakenError(f"{self.call.name} cannot be called with {given}: {error}") from error
        if len(tapes) != 1:
            raise NotTakenError(f"A transform of {self.call.name} makes {len(tapes)} circuits of it; one is taken.")
        return tapes[0]

    def read(self, points: Array, rows: Rows = None) -> Tape:
        """Tapes at all points for every row: one entry for each pair, the points of a row one after the other.

        Args:
            points: parameters, shape (n_points, P).
            rows: features, shape (n_rows, ...); None without data.

        Raises:
            NotTakenError: something cannot be taken, or the tapes differ in their gates.
            NotTogetherError: the QNode seemed to allow many at once, but does not allow these.
        """
        if self.together == "none":
            return self.read_alone(points, rows)
        found = self.read_together(points, rows, self.together)
        if found is None:
            raise NotTogetherError
        return found

    def read_alone(self, points: Array, rows: Rows) -> Tape:
        """The same, a call for each pair."""
        pairs = [(point, row) for row in ([None] if rows is None else rows) for point in points]
        tapes = [self.read_one(point, row) for point, row in pairs]
        for tape, (point, row) in zip(tapes, pairs, strict=True):
            if tape.structure != tapes[0].structure:
                self.explain_difference((tapes[0], *pairs[0]), (tape, point, row))
        return join(tapes)

    def read_one(self, point: Array, row: Any) -> Tape:
        """The tape at one point."""
        return read_tape(self.script(point, row), 1, self.call.name)

    def read_together(self, points: Array, rows: Rows, how: str) -> Tape | None:
        """The same in one call, or (``how`` is "points") in one for every row; None if the code does not allow that."""
        n_refused = Batched.n_refused
        try:
            with warnings.catch_warnings(action="ignore"):  # what concerns an array will be said when it is read alone
                found = self._read_many(points, rows, how)
        except (Exception, ManyError):  # whatever its code makes of an array that is none
            return None
        return found if Batched.n_refused == n_refused else None  # else its code has swallowed the refusal

    def _read_many(self, points: Array, rows: Rows, how: str) -> Tape | None:
        if how == "points" and rows is not None:
            tapes = [read_tape(self.script(Batched(points.T), row), len(points), self.call.name) for row in rows]
            return join(tapes) if all(tape.structure == tapes[0].structure for tape in tapes) else None
        n_rows = 1 if rows is None else len(rows)
        batched = None if rows is None else Batched(np.moveaxis(np.repeat(rows, len(points), axis=0), 0, -1))
        script = self.script(Batched(np.tile(points, (n_rows, 1)).T), batched)
        return read_tape(script, len(points) * n_rows, self.call.name)

    def explain_difference(self, first: Seen, other: Seen) -> NoReturn:
        """Say why two tapes differ in their gates.

        Args:
            first: a tape, its point, and its row ...
            other: ... and another one.

        Raises:
            NotTakenError: always.
        """
        tape, point, row = first
        if any(self.read_one(point, row).structure != tape.structure for _ in range(N_DRAWS)):
            raise NotTakenError(
                f"The gates of {self.call.name} are drawn at random anew in each call. Give them a seed, or draw them "
                "once outside of the QNode."
            )
        what = _difference(tape, other[0])
        if not np.array_equal(point, other[1]):
            raise NotTakenError(f"The gates of {self.call.name} depend on its parameters: {what}. Only angles may.")
        raise NotTakenError(
            f"The gates of {self.call.name} depend on its features: {what}. Only angles, initial states and numbers of "
            "the observable may: write `if bit: qml.X(0)` as qml.RX(np.pi * bit, 0)."
        )


def agree(one: Tape, other: Tape) -> bool:
    """Whether two readings of the same points are the same, up to round-off."""
    if one.structure != other.structure:
        return False
    pairs = [(one.angles, other.angles), (one.coefficients, other.coefficients)]
    pairs += [*zip(one.arrays, other.arrays, strict=True), *zip(one.factors, other.factors, strict=True)]
    return all(np.abs(a - b).max(initial=0.0) <= ROUND_OFF * max(1.0, np.abs(b).max(initial=0.0)) for a, b in pairs)


def _difference(first: Tape, other: Tape) -> str:
    for one, two in zip(first.slots, other.slots, strict=False):
        if one != two:
            return f"{_text(one)} at one point is {_text(two)} at another"
    if len(first.slots) != len(other.slots):
        return f"{len(first.slots)} gates at one point are {len(other.slots)} at another"
    return "the observable changes"


def _text(slot: Slot) -> str:
    word = f" ({slot.name})" if slot.kind == "rotation" and slot.label else ""
    return f"{slot.label or slot.name}{word} on wires {list(slot.wires)}"


def read_tape(tape: Any, n_entries: int, name: str) -> Tape:
    """PennyLane's tape as plain arrays.

    Raises:
        NotTakenError: an operation or a measurement that cannot be taken.
    """
    slots: list[Slot] = []
    angles, arrays = [], []
    touched: set[Label] = set()
    for operation in tape.operations:
        starts = is_state(operation) and touched.isdisjoint(operation.wires.labels)
        for part in (state_of(operation),) if starts else parts_of(operation):
            touched.update(part.wires)
            if part.kind == "phase":
                continue
            slots.append(Slot(part.kind, part.name, part.wires, part.label))
            if part.kind == "rotation":
                angles.append(part.value)
            elif part.kind != "gate":
                arrays.append(_last_axis(part.value, {"matrix": 2, "state": 1}[part.kind]))
    terms = terms_of(_observable(tape, name))
    axes = {"matrix": 2, "diagonal": 1, "bits": 1, "amplitudes": 1}
    return Tape(
        tuple(slots),
        tuple(_term_slot(term) for term in terms),
        _columns(angles, n_entries).real,
        tuple(arrays),
        _columns([term.coefficient for term in terms], n_entries).astype(np.complex128),
        tuple(_last_axis(factor.value, axes[factor.kind]) for term in terms for factor in term.factors),
    )


def _term_slot(term: ObservableTerm) -> TermSlot:
    return TermSlot(term.word, term.wires, tuple((factor.kind, factor.wires) for factor in term.factors))


def _columns(numbers: Sequence[Any], n_entries: int) -> NDArray[Any]:
    """Numbers, some of which are different for each entry, as rows (len(numbers), n_entries)."""
    if n_entries == 1:
        return np.array([np.ravel(number)[0] if np.ndim(number) else number for number in numbers]).reshape(-1, 1)
    return np.array([np.broadcast_to(number, (n_entries,)) for number in numbers]).reshape(-1, n_entries)


def _last_axis(value: NDArray[Any], n_axes: int) -> NDArray[Any]:
    """An array of ``n_axes``, with an axis of entries behind them."""
    return value if value.ndim > n_axes else value[..., np.newaxis]


def join(tapes: Sequence[Tape]) -> Tape:
    """Tapes of one structure as one."""

    def together(read: Callable[[Tape], tuple[NDArray[Any], ...]]) -> tuple[NDArray[Any], ...]:
        columns = zip(*(read(tape) for tape in tapes), strict=True)
        return tuple(np.concatenate(_same_length(tapes, column), axis=-1) for column in columns)

    first = tapes[0]
    return Tape(
        first.slots,
        first.terms,
        np.concatenate([tape.angles for tape in tapes], axis=1),
        together(lambda tape: tape.arrays),
        np.concatenate([tape.coefficients for tape in tapes], axis=1),
        together(lambda tape: tape.factors),
    )


def _same_length(tapes: Sequence[Tape], arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Arrays (..., 1) of all entries of a tape as (..., n), unless they are the same in all tapes."""
    if all(array.shape[-1] == 1 and np.array_equal(array, arrays[0]) for array in arrays):
        return [arrays[0]]
    counts = [tape.coefficients.shape[1] for tape in tapes]
    return [np.broadcast_to(a, (*a.shape[:-1], n)) for a, n in zip(arrays, counts, strict=True)]


def _observable(tape: Any, name: str) -> Any:
    import pennylane as qml

    kinds = [type(measured) for measured in tape.measurements]
    if len(kinds) == 1 and kinds[0] is qml.measurements.ExpectationMP:
        (measured,) = tape.measurements
        if measured.obs is not None:
            return measured.obs
        if not any(isinstance(operation, qml.ops.MidMeasure) for operation in tape.operations):  # deferred
            return of_bits(measured, name)
        raise NotTakenError(
            f"{name} returns the expectation value of a bit that was measured within the circuit. Give the QNode as "
            "qml.defer_measurements(qnode)."
        )
    found = ", ".join(kind.__name__.removesuffix("MP") for kind in kinds) or "nothing"
    hint = ""
    if len(kinds) > 1 and set(kinds) == {qml.measurements.ExpectationMP}:
        hint = " Their weighted sum is one: qml.expval(a * qml.Z(0) + b * qml.Z(1))."
    elif kinds and kinds[0] in (qml.measurements.ProbabilityMP, qml.measurements.StateMP):
        hint = " The probability of one outcome is one: qml.expval(qml.Projector(bits, wires))."
    raise NotTakenError(f"{name} must return one qml.expval, but returns {found}.{hint}")
