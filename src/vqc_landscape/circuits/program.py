r"""Circuits as programs: Pauli rotations with affine angles, and fixed gates.

A rotation is :math:`\exp(-i\,\tfrac{a}{2} P)` with a Pauli word :math:`P` and an angle

.. math:: a(\theta, x) = \sum_t s_t\, \theta_{p_t}\, x_{f_t},

where a missing parameter or feature counts as 1. Every rotation of the paper is of this form, and so
are shared parameters, prefactors, and the published code's ``theta + w * x``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array, as_matrix
from vqc_landscape.circuits.parameters import Parameters

# Number of wires of the gates that need no matrix; MCZ, the sign of |1...1>, takes any number.
FIXED_GATES = {"H": 1, "S": 1, "CZ": 2, "CNOT": 2, "SWAP": 2, "CCZ": 3, "MCZ": None}
MAX_MATRIX_WIRES = 6  # of a fixed gate; chosen by us: 64 x 64 numbers, applied to every column of tangents

Matrix = tuple[tuple[complex, ...], ...]


@dataclass(frozen=True)
class Term:
    """One summand of an angle: ``scale * params[param] * x[feature]``, in radians."""

    scale: float = 1.0
    param: int | None = None
    feature: int | None = None


Angle = tuple[Term, ...]


@dataclass(frozen=True)
class Rotation:
    """``exp(-i angle/2 P)`` with ``P`` the Pauli ``word`` (e.g. ``"Z"``, ``"XX"``) on ``wires``.

    Consecutive rotations on one wire with the same ``label`` are drawn as one box.
    """

    word: str
    wires: tuple[int, ...]
    angle: Angle
    label: str

    def __post_init__(self) -> None:
        if len(self.word) != len(self.wires) or not self.word or set(self.word) - set("XYZ"):
            raise ValueError(
                f"Argument `word` must have one of X, Y, Z for each wire, but is {self.word!r} for wires {self.wires}."
            )
        if not self.angle:
            raise ValueError("Argument `angle` must have at least one term.")


@dataclass(frozen=True)
class FixedGate:
    """A gate without an angle: H, S, CZ, CNOT, SWAP, CCZ, MCZ, or any unitary on up to 6 wires, as rows of numbers.

    The first wire is the most significant bit of a row's index.
    """

    name: str
    wires: tuple[int, ...]
    matrix: Matrix | None = None

    def __post_init__(self) -> None:
        if self.matrix is not None:
            self._check_matrix(np.array(self.matrix))
            return
        if self.name not in FIXED_GATES:
            raise ValueError(f"Argument `name` must be one of {', '.join(FIXED_GATES)}, but is {self.name!r}.")
        n_wires = FIXED_GATES[self.name]
        if len(self.wires) != n_wires if n_wires else len(self.wires) < 2:
            wanted = n_wires or "at least 2"
            raise ValueError(f"Argument `wires` of {self.name} must have {wanted} entries, but is {self.wires}.")

    def _check_matrix(self, matrix: NDArray[np.complex128]) -> None:
        if not 1 <= len(self.wires) <= MAX_MATRIX_WIRES:
            raise ValueError(
                f"Argument `wires` of {self.name} must have 1 to {MAX_MATRIX_WIRES} entries, but is {self.wires}."
            )
        size = 2 ** len(self.wires)
        # 1e-10: round-off of a matrix computed in float64, far below any mistake
        if matrix.shape != (size, size) or not np.abs(matrix @ matrix.conj().T - np.eye(size)).max() < 1e-10:
            raise ValueError(f"Argument `matrix` of {self.name} must be a {size} x {size} unitary, but is {matrix}.")


Gate = Rotation | FixedGate


@dataclass(frozen=True)
class SampleState:
    """A state that every sample brings in its row of features.

    Attributes:
        first: its first feature.
        n_qubits: number of qubits; 2**n_qubits real parts come first, then as many imaginary parts.
    """

    first: int
    n_qubits: int

    def of(self, rows: Array) -> NDArray[np.complex128]:
        """Amplitudes of every sample, shape (n_samples, 2**n_qubits)."""
        middle, stop = (self.first + factor * 2**self.n_qubits for factor in (1, 2))
        amplitudes: NDArray[np.complex128] = rows[:, self.first : middle] + 1j * rows[:, middle:stop]
        return amplitudes


@dataclass(frozen=True)
class SampleBasisState:
    """A basis state that every sample brings, as one feature: its index."""

    feature: int

    def of(self, rows: Array) -> NDArray[np.int64]:
        """Index of every sample, shape (n_samples,)."""
        return rows[:, self.feature].astype(np.int64)


State = NDArray[np.complex128] | SampleState | SampleBasisState


@dataclass(frozen=True)
class Circuit:
    """A parametrised quantum circuit on ``|0...0>``, or on another initial state.

    Attributes:
        name: what it is, for titles.
        n_qubits: number of qubits; wire 0 is the most significant bit of a basis state's index.
        shape: template shape of the weights; ``params`` is their ``reshape(-1)``.
        gates: the program, in the order of time.
        n_features: entries of one feature row (0: no data).
        featuriser: turns the rows that a user has into these rows; None: they are the same.
        parameter_blocks: parameters of each sub-layer of simultaneous rotations.
        initial: amplitudes of the initial state, shape (2**n_qubits,), or where each sample has its own; None: |0...0>.
        parameters: names and shapes, where the parameters are more than one array of ``shape``.
    """

    name: str
    n_qubits: int
    shape: tuple[int, ...]
    gates: tuple[Gate, ...]
    n_features: int = 0
    parameter_blocks: tuple[NDArray[np.int64], ...] = ()
    featuriser: Callable[[Any], Array] | None = None
    initial: State | None = None
    parameters: Parameters | None = None

    def __post_init__(self) -> None:
        if isinstance(self.initial, np.ndarray):
            size, norm = 2**self.n_qubits, float(np.linalg.norm(self.initial))
            # 1e-10: round-off of 2**20 squares, far below any mistake in a state written by hand
            if self.initial.shape != (size,) or not abs(norm - 1) < 1e-10:
                raise ValueError(
                    f"Argument `initial` must have {size} amplitudes of norm 1, but has shape {self.initial.shape} and "
                    f"norm {norm:.6g}."
                )
        if not self.rotations:
            raise ValueError("Argument `gates` must hold at least one rotation.")
        for gate in self.gates:
            if not all(0 <= w < self.n_qubits for w in gate.wires) or len(set(gate.wires)) < len(gate.wires):
                raise ValueError(f"Argument `gates` holds {gate}, but the circuit has wires 0 to {self.n_qubits - 1}.")
        for term in self.terms:
            if term.param is not None and not 0 <= term.param < self.n_params:
                raise ValueError(f"Argument `gates` uses parameter {term.param}, but there are {self.n_params}.")
            if term.feature is not None and not 0 <= term.feature < self.n_features:
                raise ValueError(f"Argument `gates` uses feature {term.feature}, but there are {self.n_features}.")

    @functools.cached_property
    def n_params(self) -> int:
        """Number of parameters."""
        return math.prod(self.shape)

    @functools.cached_property
    def rotations(self) -> tuple[Rotation, ...]:
        """The gates that have an angle, in the order of time."""
        return tuple(g for g in self.gates if isinstance(g, Rotation))

    @functools.cached_property
    def terms(self) -> tuple[Term, ...]:
        return tuple(term for rotation in self.rotations for term in rotation.angle)

    def coefficients(self, x: Array) -> Array:
        """Coefficient ``scale * x[feature]`` of every term of every angle, shape (n_samples, n_terms).

        Args:
            x: result of :meth:`feature_rows`.
        """
        scales = np.array([term.scale for term in self.terms])
        columns = np.array([0 if term.feature is None else 1 + term.feature for term in self.terms], dtype=np.int64)
        coefficients: Array = scales * np.concatenate([np.ones((len(x), 1)), x], axis=1)[:, columns]
        return coefficients

    def feature_rows(self, features: Any) -> Array:
        """Features as (n_samples, n_features); without features one empty row. Two columns get x3 = 0.

        Raises:
            ValueError: features missing, not wanted, or of the wrong shape.
        """
        if self.n_features == 0:
            if features is not None:
                raise ValueError(f"Argument `features` must be None, because circuit {self.name} takes no data.")
            return np.zeros((1, 0))
        if features is None:
            raise ValueError(f"Argument `features` is missing: circuit {self.name} takes rows of {self.n_features}.")
        if self.featuriser is not None:
            return self.featuriser(features)
        columns = (2, 3) if self.n_features == 3 else (self.n_features,)
        x = as_matrix("features", features, columns)
        if x.shape[1] < self.n_features:
            x = np.concatenate([x, np.zeros((len(x), 1))], axis=1)
        return x

    def angles(self, params: Array, coefficients: Array) -> Array:
        """Angles of all rotations in radians, shape (n_samples, n_rotations).

        Args:
            params: parameters (P,), radians.
            coefficients: result of :meth:`coefficients`.
        """
        theta = np.empty(self.n_params + 1)
        theta[:-1], theta[-1] = params, 1.0  # the last one is the factor of a term without a parameter
        terms: Array = coefficients * theta[self.term_params]
        return terms if terms.shape[1] == len(self.first_terms) else np.add.reduceat(terms, self.first_terms, axis=1)

    @functools.cached_property
    def term_params(self) -> NDArray[np.int64]:
        """Parameter of every term, -1 for a term without one."""
        return np.array([-1 if term.param is None else term.param for term in self.terms], dtype=np.int64)

    @functools.cached_property
    def first_terms(self) -> NDArray[np.int64]:
        """The first term of every rotation."""
        return np.cumsum([0] + [len(rotation.angle) for rotation in self.rotations[:-1]], dtype=np.int64)
