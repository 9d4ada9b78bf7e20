r"""A PennyLane QNode as a program, by asking it for its tape.

Angles must be affine in the parameters, :math:`a_k(\theta, x) = \sum_i A_{ki}(x) \theta_i + b_k(x)`, with any
functions of the features as coefficients. The coefficients are read off from the angles of the tape at a few
parameter vectors: no gradient framework is involved, and every sample has its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from vqc_landscape.checks import Array, as_matrix
from vqc_landscape.circuits.observables import Observable
from vqc_landscape.circuits.program import Circuit, Gate, Rotation, Term
from vqc_landscape.circuits.translate import gate_shape, translate, translate_observable

RTOL = 1e-9  # agreement of angles that are computed twice in float64, along different ways


def read_qnode(qnode: Any, params: Any, features: Any = None) -> tuple[Circuit, Observable]:
    """The program and the observable of a QNode.

    Args:
        qnode: ``qnode(params)`` or ``qnode(params, x_row)``; it returns one ``qml.expval``.
        params: an example of the parameters; only the shape matters.
        features: rows of features, shape (n_samples, n_features), or None.

    Returns:
        A circuit that takes the same rows of features, and what it measures.

    Raises:
        ValueError: shots, an operation or measurement that cannot be taken, an angle that is not affine in the
            parameters, or a circuit whose gates depend on parameters or features; each is named.
    """
    reader = _Reader(qnode, np.shape(params))
    if features is None:
        return reader.circuit(None), reader.observable
    rows = as_matrix("features", features, None)
    return reader.circuit(rows), reader.observable


class _Reader:
    def __init__(self, qnode: Any, shape: tuple[int, ...]) -> None:
        self.qnode = qnode
        self.shape = shape
        self.n_params = int(np.prod(shape))
        rng = np.random.default_rng(0)
        self.probes = rng.uniform(1.0, 2.0, (2, self.n_params))  # generic: no two parameters look alike
        # of both signs and far out, where abs, clip, % and their like are no longer what they are near the probes
        far = rng.uniform(1.0, 8.0, self.n_params) * np.where(np.arange(self.n_params) % 2, 1.0, -1.0)
        self.checks = [far, -far, 12 * far, -12 * far]
        self.gates: list[Gate] | None = None
        self.terms: list[tuple[int, ...]] = []  # parameters of each angle

    def circuit(self, rows: Array | None) -> Circuit:
        """The circuit, with the pattern of parameters of the first sample."""
        first = None if rows is None else rows[0]
        self.terms = self._pattern(first)
        assert self.gates is not None
        n_terms = sum(1 + len(params) for params in self.terms)
        if rows is None:
            scales, featuriser = self._coefficients(None, self.checks), None
        else:
            scales, featuriser = np.ones(n_terms), self._featurise
        gates, rotation, term = [], 0, 0
        for gate in self.gates:
            if isinstance(gate, Rotation):
                angle = []
                for param in (None, *self.terms[rotation]):
                    angle.append(Term(float(scales[term]), param, None if rows is None else term))
                    term += 1
                gate = replace(gate, angle=tuple(angle))
                rotation += 1
            gates.append(gate)
        n_features = 0 if rows is None else n_terms
        return Circuit(
            getattr(self.qnode, "__name__", "qnode"),
            self.n_qubits,
            self.shape,
            tuple(gates),
            n_features,
            featuriser=featuriser,
        )

    def _featurise(self, rows: Array) -> Array:
        checks = [self.checks, *[self.checks[:1]] * len(rows)]  # one row is read with care
        return np.array([self._coefficients(row, some) for row, some in zip(rows, checks, strict=False)])

    def _pattern(self, row: Array | None) -> list[tuple[int, ...]]:
        """Parameters of each angle: by the ratio of two probes where it has one, else one parameter at a time."""
        offset = self._angles(np.zeros(self.n_params), row)
        first, second = (self._angles(probe, row) - offset for probe in self.probes[:2])
        ratios = self.probes[1] / self.probes[0]
        order = np.argsort(ratios)
        terms: list[tuple[int, ...] | None] = []
        for a, b in zip(first, second, strict=True):
            if abs(a) <= RTOL and abs(b) <= RTOL:
                terms.append(())
                continue
            place = min(int(np.searchsorted(ratios[order], b / a * (1 - RTOL))), self.n_params - 1)
            param = int(order[place])
            terms.append((param,) if abs(ratios[param] * a - b) <= RTOL * abs(b) else None)
        if None in terms:
            units = np.eye(self.n_params)
            slopes = np.array([self._angles(unit, row) - offset for unit in units])
            found = [tuple(int(i) for i in np.flatnonzero(np.abs(column) > RTOL)) for column in slopes.T]
            terms = [found[k] if term is None else term for k, term in enumerate(terms)]
        return [term or () for term in terms]

    def _coefficients(self, row: Array | None, checks: list[Array]) -> Array:
        """Offset and slopes of every angle, in the order of the terms, for one row of features."""
        offset = self._angles(np.zeros(self.n_params), row)
        n_slopes = max((len(params) for params in self.terms), default=0)
        rng = np.random.default_rng(1)
        probes = rng.uniform(1.0, 2.0, (n_slopes, self.n_params))
        moved = np.array([self._angles(probe, row) - offset for probe in probes]).reshape(n_slopes, len(offset))
        values = []
        for k, params in enumerate(self.terms):
            n = len(params)
            slopes = np.linalg.solve(probes[:n, list(params)], moved[:n, k]) if n else np.zeros(0)
            values += [offset[k], *slopes]
        for theta in checks:
            self._check_affine(np.array(values), row, theta)
        return np.array(values)

    def _check_affine(self, values: Array, row: Array | None, theta: Array) -> None:
        angles, position = self._angles(theta, row), 0
        rotations = [gate for gate in self.gates or [] if isinstance(gate, Rotation)]
        for angle, rotation, params in zip(angles, rotations, self.terms, strict=True):
            slopes = values[position + 1 : position + 1 + len(params)]
            expected = values[position] + slopes @ theta[list(params)]
            position += 1 + len(params)
            if abs(angle - expected) > RTOL * max(1.0, abs(angle)):
                raise ValueError(
                    f"The angle of {rotation.label} on wires {rotation.wires} is not affine in the parameters. "
                    "Angles may be sums of parameters times numbers or functions of the features."
                )

    def _angles(self, params: Array, row: Array | None) -> Array:
        """Angles of the tape's rotations; the first call also reads gates, wires and observable."""
        import pennylane as qml

        arguments = (params.reshape(self.shape),) if row is None else (params.reshape(self.shape), row)
        try:
            tape = qml.workflow.construct_tape(self.qnode, level="user")(*arguments)
        except (TypeError, ValueError, IndexError, AttributeError) as error:
            given = f"parameters of shape {self.shape}" + ("" if row is None else f" and features of shape {row.shape}")
            raise ValueError(
                f"{getattr(self.qnode, '__name__', 'The QNode')} cannot be called with {given}: "
                f"{type(error).__name__}: {error}"
            ) from error
        if self.gates is None:
            self._read_measurement(tape)
        gates = [gate for operation in tape.operations for gate in translate(operation, self.wires)]
        if self.gates is None:
            self.gates = gates
        elif gate_shape(gates) != gate_shape(self.gates):
            raise ValueError(
                f"The gates of {getattr(self.qnode, '__name__', 'the QNode')} depend on its parameters or features; "
                "only angles may."
            )
        return np.array([gate.angle[0].scale for gate in gates if isinstance(gate, Rotation)])

    def _read_measurement(self, tape: Any) -> None:
        if tape.shots:
            raise ValueError(
                f"The QNode takes {tape.shots.total_shots} shots, but its derivatives here are those of the exact "
                "expectation value: give it without shots, qml.set_shots(qnode, None)."
            )
        kinds = [type(m).__name__ for m in tape.measurements]
        if kinds != ["ExpectationMP"] or tape.measurements[0].obs is None:
            raise ValueError(f"The QNode must return one qml.expval, but returns {', '.join(kinds) or 'nothing'}.")
        device_wires = getattr(self.qnode.device, "wires", None)
        labels = list(device_wires) if device_wires else list(tape.wires)
        self.wires = {label: position for position, label in enumerate(labels)}
        self.n_qubits = len(labels)
        self.observable = translate_observable(tape.measurements[0].obs, self.wires)
