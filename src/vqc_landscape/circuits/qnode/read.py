r"""A PennyLane QNode as a program, by asking it for its tapes.

What depends on the parameters are angles, and these are affine (:mod:`affine`). What depends on the sample may be any
function of it: coefficients of angles, initial states, numbers of the observable. All of these become the columns of
one table, a row for each sample, in the order in which the program refers to them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array, as_float
from vqc_landscape.circuits.blocks import parameter_blocks
from vqc_landscape.circuits.observables import Observable
from vqc_landscape.circuits.program import Circuit, Rotation
from vqc_landscape.circuits.qnode.affine import RTOL, Pattern, Points, check_affine, find_pattern, one_at_a_time, solve
from vqc_landscape.circuits.qnode.arguments import Call
from vqc_landscape.circuits.qnode.assemble import Assembly, Read
from vqc_landscape.circuits.qnode.parts import NotTakenError
from vqc_landscape.circuits.qnode.tape import ROUND_OFF, NotTogetherError, Rows, Tape, Tapes, agree, join
from vqc_landscape.progress_bar import progress_bar

PIECE = 2**22  # numbers of the angles that are read in one go, 32 MB; chosen by us
PIECE_ALONE = 32  # rows between two steps of the progress bar, where they are read one by one
FEW = 4  # rows by which the reading of many at once is compared with that of one by one; chosen by us
MANY = 64  # the same at one point, where the data are new; chosen by us
N_CAREFUL = 6  # points more, for every row; chosen by us
N_CAREFUL_ALONE = 2  # the same, where each costs a call
WAYS = {  # what to do with what depends on the parameters, and is no angle
    "matrix": "Write it as gates whose angles they are, such as qml.Rot, qml.PauliRot or qml.exp.",
    "state": "Prepare it by gates whose angles they are; amplitudes may be features.",
    "observable": "As an expectation value is linear in its observable, a coefficient can be taken out of the QNode, "
    "and the chain rule be used.",
}


@dataclass(frozen=True)
class Reading:
    """A QNode as a program.

    Attributes:
        circuit: takes the rows that the QNode takes.
        observable: what it measures.
        call: how the QNode is called.
        labels: its wires, in the order of the circuit's.
        tapes: makes its tapes.
        check_repeats: refuses a QNode whose numbers are other ones in each call.
    """

    circuit: Circuit
    observable: Observable
    call: Call
    labels: tuple[Any, ...]
    tapes: Tapes
    check_repeats: Callable[[], None]


def read_qnode(qnode: Any, call: Call, rows: Rows, transformed: bool) -> Reading:
    """The program and the observable of a QNode.

    Args:
        qnode: the QNode.
        call: how it is called.
        rows: features, shape (n_samples, ...), or None.
        transformed: after its own transforms, or before them.

    Raises:
        NotTakenError: an operation or measurement that cannot be taken, an angle that is not affine in the parameters,
            or gates that depend on parameters or features; each is named.
    """
    reader = _Reader(Tapes(qnode, call, transformed), call)
    read = reader.read_first(rows)

    def featurise(features: Any) -> Array:
        if features is rows:  # read already
            return assembly.rows(read)
        return assembly.rows(reader.read_more(as_rows(features, rows.shape[1:])))  # type: ignore[union-attr]

    device_wires = tuple(qnode.device.wires or ())
    assembly = Assembly(read, reader.pattern, device_wires, call.name)
    if not any(isinstance(gate, Rotation) for gate in assembly.gates):
        raise NotTakenError(f"{call.name} has no gate with an angle: there is nothing to differentiate.")
    parameters = call.parameters
    circuit = Circuit(
        call.name,
        assembly.n_qubits,
        parameters.layout.shape if parameters.layout.kind == "array" else (parameters.layout.size,),
        assembly.gates,
        assembly.n_features,
        parameter_blocks(assembly.gates, parameters.layout.size),
        None if rows is None else featurise,
        assembly.initial,
        parameters,
    )
    again = functools.partial(reader.check_repeats, rows)
    return Reading(circuit, assembly.observable, call, assembly.labels, reader.tapes, again)


def as_rows(features: Any, shape: tuple[int, ...] | None = None) -> NDArray[Any]:
    """Features as an array of numbers, a sample in each entry of the first axis; whole numbers stay whole.

    Raises:
        ValueError: no samples, entries that are no finite numbers, or samples of another shape.
    """
    as_float("features", features)
    rows = np.asarray(features.detach().cpu().numpy() if hasattr(features, "detach") else features)
    if not rows.ndim or not len(rows) or (shape is not None and rows.shape[1:] != shape):
        wanted = "(n, ...)" if shape is None else str(("n", *shape)).replace("'", "")
        raise ValueError(f"Argument `features` must have shape {wanted} with n > 0, but has shape {rows.shape}.")
    return rows


def _shown(row: NDArray[Any]) -> str:
    return np.array2string(row, threshold=8, separator=", ").replace("\n", "")


class _Reader:
    """Reads tapes of a QNode and solves for the coefficients of its angles."""

    def __init__(self, tapes: Tapes, call: Call) -> None:
        self.tapes, self.name = tapes, call.name
        self.points = Points(call.parameters.layout.size)
        self.pattern: Pattern = []

    def read_first(self, rows: Rows) -> Read:
        """Find the pattern of parameters, in all rows."""
        first = None if rows is None else rows[:1]
        self._first = first
        self.tapes.find_kind(self.points.first(1)[0], None if rows is None else rows[0])
        self._seen = self.tapes.read_alone(self.points.first(1), first)
        self._compare(rows)
        self.pattern = find_pattern(lambda points: self._tape(points, first).angles, self.points)
        read = self._read(rows, extend=True)
        tape = self._tape(self.points.careful, first)
        fitted = self._expected(read.angles[:1], self.points.careful)
        scale = np.maximum(1.0, np.abs(tape.angles))
        check_affine(np.abs(tape.angles - fitted) / scale, self._angle_text(tape))
        return read

    def read_more(self, rows: NDArray[Any]) -> Read:
        """Other samples of the same program."""
        self._compare_rows(rows, FEW)
        return self._read(rows, extend=False)

    def _compare(self, rows: Rows) -> None:
        """Read much in one call where that gives what one call for each gives."""
        points, some = self.points.first(2), rows
        if rows is not None:
            some = rows[np.unique([0, len(rows) - 1, *np.random.default_rng(0).integers(len(rows), size=FEW)])]
        alone = self.tapes.read_alone(points, some)
        for how in ("all", "points"):
            together = self.tapes.read_together(points, some, how)
            if together is not None and agree(together, alone):
                self.tapes.together = how
                break
        self._compare_rows(rows, MANY)

    def _compare_rows(self, rows: Rows, n_rows: int) -> None:
        """Read rows one by one where one of some is another one so."""
        if rows is None or self.tapes.together != "all":
            return
        some = rows[np.unique(np.linspace(0, len(rows) - 1, n_rows).astype(int))]
        together = self.tapes.read_together(self.points.first(1), some, "all")
        if together is None or not agree(together, self.tapes.read_alone(self.points.first(1), some)):
            self.tapes.together = "points"

    def _read(self, rows: Rows, extend: bool) -> Read:
        n_rows, n_points = 1 if rows is None else len(rows), len(self._points(extend))
        how, piece = self.tapes.together, PIECE_ALONE
        if how == "all":
            piece = max(PIECE // (n_points * max(len(self.pattern), 1)), 1)
        starts = range(0, n_rows, piece)
        found: list[tuple[Tape, Array]] = []
        for start in progress_bar(starts, len(starts), f"reading {self.name}"):
            try:
                found.append(self._read_piece(None if rows is None else rows[start : start + piece], extend))
            except NotTogetherError:  # some rows go another way than others
                self.tapes.together = {"all": "points", "points": "none"}[how]
                return self._read(rows, extend)
            n_terms = sum(1 + len(params) for params in self.pattern)
            if found[0][1].shape[1] != n_terms:  # the pattern has grown
                return self._read(rows, extend)
            if rows is not None and found[-1][0].structure != found[0][0].structure:
                seen = [
                    (tape, self.points.first(1)[0], rows[k]) for tape, k in ((found[0][0], 0), (found[-1][0], start))
                ]
                self.tapes.explain_difference(seen[0], seen[1])
        tapes = [tape for tape, _ in found]
        return Read(join(tapes), np.concatenate([angles for _, angles in found]), rows is not None)

    def _read_piece(self, rows: Rows, extend: bool) -> tuple[Tape, Array]:
        """What some rows have besides angles, and the coefficients of their angles."""
        points = self._points(extend)
        n_rows = 1 if rows is None else len(rows)
        tape = self.tapes.read(points, rows)
        angles = tape.angles.reshape(len(tape.angles), n_rows, len(points))
        coefficients, misfit = solve(self.pattern, points, angles)
        for k in np.unique(np.argwhere(misfit > RTOL)[:, 1]) if extend else []:
            own = None if rows is None else rows[[k]]
            self.check_repeats(own)
            moved = one_at_a_time(lambda some, own=own: self._tape(some, own).angles, points[0])  # type: ignore[misc]
            joined = [tuple(sorted({*one, *other})) for one, other in zip(self.pattern, moved, strict=True)]
            if joined != self.pattern:
                self.pattern = joined
                return self._read_piece(rows, extend)
        check_affine(misfit, self._angle_text(tape))
        return self._without_points(tape, rows, len(points)), coefficients

    def _points(self, extend: bool) -> Array:
        """Points at which every row is read: one more than there are unknowns, and others for what is new."""
        first = self.points.first(2 + max(map(len, self.pattern), default=0))
        more = N_CAREFUL_ALONE if self.tapes.together == "none" else N_CAREFUL
        return np.concatenate([first, self.points.careful[: more * extend]])

    def check_repeats(self, rows: Rows) -> None:
        """Refuse numbers that are other ones in each call, or than they were at first."""
        row = None if rows is None else rows[:1]
        one, *others = (self.tapes.read_alone(self.points.first(1), row) for _ in range(3))
        is_first = row is None or self._first is None or np.array_equal(row, self._first)
        if not all(agree(one, other) for other in (*others, *[self._seen] * is_first)):
            raise NotTakenError(
                f"Numbers of {self.name} are drawn at random anew in each call. Give them a seed, or draw them once "
                "outside of the QNode; if its code remembers earlier calls, give it what it remembers as an argument."
            )

    def _without_points(self, tape: Tape, rows: Rows, n_points: int) -> Tape:
        """One entry for each row, of what must not depend on the parameters."""

        def first(values: NDArray[Any], what: str, way_out: str) -> NDArray[Any]:
            if not np.isfinite(values).all():
                k = int(np.argwhere(~np.isfinite(values))[0][-1]) // n_points
                where = "" if rows is None or values.shape[-1] == 1 else f" for the features {_shown(rows[k])}"
                raise NotTakenError(f"{what} of {self.name} has entries that are no finite numbers{where}.")
            if values.shape[-1] == 1:
                return values
            by_row = values.reshape(*values.shape[:-1], -1, n_points)
            scale = max(1.0, float(np.abs(by_row).max(initial=0.0)))
            if np.abs(by_row - by_row[..., :1]).max(initial=0.0) > ROUND_OFF * scale:
                self.check_repeats(rows)
                raise NotTakenError(f"{what} of {self.name} depends on the parameters; only angles may. {way_out}")
            return by_row[..., 0]

        numbered = [slot for slot in tape.slots if slot.kind in ("matrix", "state")]
        arrays = [
            first(values, f"The {slot.kind} of {slot.label or slot.name} on wires {list(slot.wires)}", WAYS[slot.kind])
            for values, slot in zip(tape.arrays, numbered, strict=True)
        ]
        return Tape(
            tape.slots,
            tape.terms,
            tape.angles[:, ::n_points],
            tuple(arrays),
            first(tape.coefficients, "The observable", WAYS["observable"]),
            tuple(first(values, "The observable", WAYS["observable"]) for values in tape.factors),
        )

    def _tape(self, points: Array, row: Rows) -> Tape:
        """Tapes at several points, for one row."""
        try:
            return self.tapes.read(points, row)
        except NotTogetherError:
            return self.tapes.read_alone(points, row)

    def _expected(self, coefficients: Array, points: Array) -> Array:
        """Angles of the first row at some points."""
        found, start = [], 0
        for params in self.pattern:
            own = coefficients[0, start : start + 1 + len(params)]
            found.append(own[0] + points[:, list(params)] @ own[1:])
            start += len(own)
        return np.array(found).reshape(len(self.pattern), len(points))

    def _angle_text(self, tape: Tape) -> Callable[[int], str]:
        rotations = [slot for slot in tape.slots if slot.kind == "rotation"]
        return lambda k: f"{rotations[k].label or rotations[k].name} on wires {list(rotations[k].wires)}"
