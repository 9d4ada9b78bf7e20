"""From what was read of a QNode to a circuit, an observable, and the columns that every sample brings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array
from vqc_landscape.circuits.observables import Observable, Projector, SampleProjector
from vqc_landscape.circuits.program import (
    FixedGate,
    Gate,
    Rotation,
    SampleBasisState,
    SampleState,
    State,
    Term,
)
from vqc_landscape.circuits.qnode.affine import Pattern
from vqc_landscape.circuits.qnode.observe import Measured, basis_vectors, build_observable, varies
from vqc_landscape.circuits.qnode.parts import Label, NotTakenError
from vqc_landscape.circuits.qnode.tape import ROUND_OFF, Slot, Tape

MAX_STATE_QUBITS = 14  # of a state of each sample: 16,384 amplitudes; chosen by us

Complex = NDArray[np.complex128]
Columns = Callable[["Read"], Array]


@dataclass(frozen=True)
class Read:
    """What was read of a QNode for some samples, or of one without data.

    Attributes:
        tape: structure; and arrays, coefficients and factors of every sample, (..., n_samples), or (..., 1) where all
            are equal.
        angles: offset and slopes of every angle for every sample, shape (n_samples, n_terms).
        has_data: whether there are samples.
    """

    tape: Tape
    angles: Array
    has_data: bool

    @property
    def n_samples(self) -> int:
        """Number of samples; 1 without data."""
        return len(self.angles)


class Assembly:
    """The program of a QNode.

    Args:
        read: what was read of it.
        pattern: parameters of each angle.
        device_wires: wires of its device, in their order; empty where it has none.
        name: of the QNode.

    Attributes:
        labels: the wires that are used, in the order of the circuit's.
        gates, initial, observable: the program.
        n_features: columns of :meth:`rows`.
    """

    def __init__(self, read: Read, pattern: Pattern, device_wires: Sequence[Label], name: str) -> None:
        self.name, self.n_features = name, 0
        self._first = read
        self._columns: list[Columns] = []
        self._fixed: list[tuple[str, Callable[[Read], NDArray[Any]]]] = []  # the same for all samples
        active = dict.fromkeys(wire for slot in read.tape.slots for wire in slot.wires)
        self._measured = Measured(read.tape, set(active), name)
        used = dict.fromkeys((*active, *self._measured.wires))
        self._check_wires([wire for term in read.tape.terms for wire in term.wires], device_wires)
        self._check_wires(used, device_wires)
        self.labels = tuple(wire for wire in (device_wires or used) if wire in used)
        self._position = {label: k for k, label in enumerate(self.labels)}
        self.gates = tuple(self._gates(pattern))
        self.initial = self._initial()
        self.observable = self._observable()

    @property
    def n_qubits(self) -> int:
        """Number of wires that are used."""
        return len(self.labels)

    def rows(self, read: Read) -> Array:
        """The columns of samples, shape (n_samples, n_features).

        Raises:
            NotTakenError: something that is the same for all samples of the first reading is not for these.
        """
        if read.tape.structure != self._first.tape.structure:
            raise NotTakenError(f"The gates of {self.name} depend on its features: these rows have others.")
        for what, values in self._fixed:
            first = values(self._first)[..., :1]
            if np.abs(values(read) - first).max(initial=0.0) > ROUND_OFF * max(1.0, np.abs(first).max(initial=0.0)):
                raise NotTakenError(
                    f"{what} of {self.name} is the same for all rows that the risk was made of, but another one for "
                    "these. Make the risk of rows that differ in it, too."
                )
        parts = [np.zeros((read.n_samples, 0)), *(columns(read) for columns in self._columns)]
        return np.concatenate([np.broadcast_to(part, (read.n_samples, part.shape[1])) for part in parts], axis=1)

    def _add(self, n_columns: int, columns: Columns) -> int:
        """Number of the first of some columns."""
        first = self.n_features
        self._columns.append(columns)
        self.n_features += n_columns
        return first

    def _check_wires(self, used: Sequence[Label] | dict[Label, None], device_wires: Sequence[Label]) -> None:
        missing = [wire for wire in used if device_wires and wire not in device_wires]
        if missing:
            raise NotTakenError(
                f"Wire {missing[0]!r} of {self.name} is not on its device, which has wires {list(device_wires)}."
            )

    # --- gates ------------------------------------------------------------------------------------------

    def _gates(self, pattern: Pattern) -> list[Gate]:
        read, gates, angle, array, term = self._first, list[Gate](), 0, 0, 0
        if read.has_data:
            self._add(read.angles.shape[1], lambda other: other.angles)
        for slot in read.tape.slots:
            wires = tuple(self._position[wire] for wire in slot.wires)
            if slot.kind == "rotation":
                terms = []
                for param in (None, *pattern[angle]):
                    scale = 1.0 if read.has_data else float(read.angles[0, term])
                    terms.append(Term(scale, param, term if read.has_data else None))
                    term += 1
                gates.append(Rotation(slot.name, wires, tuple(terms), slot.label or slot.name))
                angle += 1
            elif slot.kind == "gate":
                gates.append(FixedGate(slot.name, wires))
            elif slot.kind == "matrix":
                gates += self._matrix(slot, array, wires)
            array += slot.kind in ("matrix", "state")
        return gates

    def _matrix(self, slot: Slot, array: int, wires: tuple[int, ...]) -> list[Gate]:
        what = f"{slot.label or slot.name} on wires {list(slot.wires)}"
        matrices = self._first.tape.arrays[array]
        if not varies(matrices):
            self._fixed.append((f"The matrix of {what}", lambda read: read.tape.arrays[array]))
            matrix = _unitary(matrices, what)[..., 0]
            return [FixedGate(slot.name, wires, tuple(tuple(complex(x) for x in row) for row in matrix))]
        if len(wires) > 1:
            raise NotTakenError(
                f"The matrix of {what} depends on the features; a matrix on one wire may. Write it as rotations whose "
                "angles depend on them."
            )
        _unitary(matrices, what)
        first = self._add(3, lambda read: _euler(_unitary(read.tape.arrays[array], what)))
        return [Rotation(word, wires, (Term(1.0, None, first + k),), slot.name) for k, word in enumerate("ZYZ")]

    # --- initial state ----------------------------------------------------------------------------------

    def _initial(self) -> State | None:
        """The initial state: fixed, or in the columns of every sample."""
        states = self._states(self._first)
        if not states:
            return None
        if not self._first.has_data or (self._first.n_samples > 1 and not any(varies(s) for _, s in states)):
            for k, (slot, _) in enumerate(states):
                what = f"The state that {slot.label} prepares on wires {list(slot.wires)}"
                self._fixed.append((what, lambda read, k=k: self._states(read)[k][1]))  # type: ignore[misc]
            amplitudes: Complex = self._amplitudes(self._first)[0]
            return amplitudes
        if all(slot.name == "bits" for slot, _ in states):
            return SampleBasisState(self._add(1, self._basis_index))
        return self._sample_state(self._amplitudes)

    def _sample_state(self, amplitudes: Callable[[Read], Complex]) -> SampleState:
        """A state of all qubits in the columns of every sample."""
        if self.n_qubits > MAX_STATE_QUBITS:
            raise NotTakenError(
                f"{self.name} has a state of {self.n_qubits} qubits that depends on the sample; up to "
                f"{MAX_STATE_QUBITS} are taken, as each sample keeps its 2**{self.n_qubits} amplitudes."
            )

        def columns(read: Read) -> Array:
            found = amplitudes(read)
            return np.concatenate([found.real, found.imag], axis=1)

        return SampleState(self._add(2 * 2**self.n_qubits, columns), self.n_qubits)

    def _states(self, read: Read) -> list[tuple[Slot, NDArray[Any]]]:
        """Every prepared state: bits or amplitudes, with the samples behind."""
        slots = [slot for slot in read.tape.slots if slot.kind in ("matrix", "state")]
        return [(s, a) for s, a in zip(slots, read.tape.arrays, strict=True) if s.kind == "state"]

    def _basis_index(self, read: Read) -> Array:
        index: Array = np.zeros((read.n_samples, 1))
        for slot, bits in self._states(read):
            for bit, wire in zip(bits, slot.wires, strict=True):
                index += bit[:, np.newaxis] * 2.0 ** (self.n_qubits - 1 - self._position[wire])
        return index

    def _amplitudes(self, read: Read) -> Complex:
        """Shape (n_samples or 1, 2**n_qubits): the prepared states, and zeros on the other wires."""
        product, wires = np.ones((1, 1), dtype=np.complex128), list[Label]()
        for slot, value in self._states(read):
            own = basis_vectors(value).T if slot.name == "bits" else value.T
            norms = np.linalg.norm(own, axis=1)
            if not np.abs(norms - 1).max() < 1e-10:  # round-off of 2**20 squares, far below any mistake
                raise NotTakenError(
                    f"{slot.label} on wires {list(slot.wires)} prepares a state of norm {norms[0]:.10g}. Normalise it "
                    "in float64."
                )
            product = (product[:, :, np.newaxis] * own[:, np.newaxis]).reshape(max(len(product), len(own)), -1)
            wires += slot.wires
        return self._placed(product, wires)

    def _placed(self, amplitudes: Complex, wires: Sequence[Label]) -> Complex:
        """States of some wires as states of all, zeros on the others."""
        index = np.zeros(1, dtype=np.int64)
        for wire in wires:
            bit = 1 << (self.n_qubits - 1 - self._position[wire])
            index = np.add.outer(index, np.array([0, bit])).reshape(-1)
        whole = np.zeros((len(amplitudes), 2**self.n_qubits), dtype=np.complex128)
        whole[:, index] = amplitudes
        return whole

    # --- observable -------------------------------------------------------------------------------------

    def _observable(self) -> Observable:
        measured, read = self._measured, self._first
        for k, values in enumerate(read.tape.factors):
            if not varies(values):
                self._fixed.append(("A matrix of the observable", lambda read, k=k: read.tape.factors[k]))  # type: ignore[misc]
        factor = measured.projected(self.labels)
        if factor is not None and factor.varies:
            return SampleProjector(
                self._sample_state(lambda read: self._placed(factor.values(read.tape).T, factor.wires))
            )
        if factor is not None:
            self._fixed.append(("The observable", lambda read: read.tape.coefficients))
            return Projector(self._placed(factor.values(read.tape).T, factor.wires)[0])
        observable, own = build_observable(measured, read.tape, self._position, self.n_features, read.has_data)
        self._fixed.append(("The observable", lambda read: measured.coefficients(read.tape)[~own]))
        self._add(int(own.sum()), lambda read: measured.real_coefficients(read.tape)[own].T)
        return observable


def _unitary(matrices: Complex, what: str) -> Complex:
    """Matrices (d, d, n) themselves.

    Raises:
        NotTakenError: one of them is not unitary.
    """
    products = np.einsum("ijn,kjn->ikn", matrices, matrices.conj())
    if not np.abs(products - np.eye(len(matrices))[..., np.newaxis]).max() < ROUND_OFF * len(matrices):
        raise NotTakenError(f"{what} is not unitary: its matrix times the adjoint is not the identity.")
    return matrices


def _euler(matrices: Complex) -> Array:
    """Angles a, b, c (n, 3) with ``RZ(c) RY(b) RZ(a)`` equal to each of some matrices (2, 2, n) up to a phase."""
    (p, q), (r, s) = matrices
    plain, flipped = np.abs(r) < ROUND_OFF, np.abs(p) < ROUND_OFF  # b = 0 or pi: one phase is left, the other is free
    first = np.where(plain | flipped, 0.0, np.angle(-q * p.conj()))
    last = np.where(plain, np.angle(s * p.conj()), np.where(flipped, np.angle(-r * q.conj()), np.angle(r * p.conj())))
    return np.stack([first, 2 * np.arctan2(np.abs(r), np.abs(p)), last], axis=1)
