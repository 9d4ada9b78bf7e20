"""A circuit and what is measured of it, ready for every engine."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array
from vqc_landscape.circuits.observables import Observable, PauliSum, ProductSum, Projector
from vqc_landscape.circuits.program import Circuit
from vqc_landscape.simulator.compile.columns import Columns, make_columns
from vqc_landscape.simulator.compile.encoding import Encoded
from vqc_landscape.simulator.compile.measurement import CommutingSets, Measurement, check_fits, seen_gates
from vqc_landscape.simulator.compile.schedule import Ints, Schedule, make_schedule
from vqc_landscape.simulator.compile.strategies import Strategy, TargetStrategy

Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class CompiledCircuit:
    """What engines read; nothing in it depends on parameters or data.

    Attributes:
        circuit: the program.
        strategy: how outputs and their derivatives follow from states.
        n_outputs: number of outputs K.
        schedule: blocks of gates.
        columns: the active parameters' tangents, and where each gets its generators.
        measurement: sums of products, one for each output; None with a target.
        target: the target state as states are stored, shape (2**n_qubits, 1); None without, or where each sample
            has its own.
    """

    circuit: Circuit
    strategy: Strategy
    n_outputs: int
    schedule: Schedule
    columns: Columns
    measurement: Measurement | None
    target: Complex | None

    @property
    def n_qubits(self) -> int:
        """Number of qubits."""
        return self.circuit.n_qubits

    @property
    def n_active(self) -> int:
        """Number of active parameters: those whose derivatives are taken."""
        return len(self.columns.params)

    @property
    def measures_matrices(self) -> bool:
        """Whether something else is measured than Pauli words with fixed coefficients, or one target."""
        if self.measurement is None:
            return self.target is None
        return self.measurement.has_matrices or self.measurement.depends_on_samples

    @functools.cached_property
    def column_order(self) -> Ints:
        """Columns in ascending order of their parameters: the order of all that an engine takes and returns."""
        return np.argsort(self.columns.params)

    @functools.cached_property
    def basis_phases(self) -> Complex:
        """A row for each diagonal after the last block: of each basis change, or of a target."""
        if self.measurement is not None:
            return self.measurement.basis_phases
        return np.ones((1, self.n_qubits + 1), dtype=np.complex128)

    def outputs_of(self, samples: Encoded) -> tuple[CommutingSets, ...]:
        """What every output measures of some samples; only with a measurement."""
        assert self.measurement is not None
        return self.measurement.outputs(samples.measured)

    def targets_of(self, samples: Encoded) -> Complex:
        """Target states as states are stored, shape (2**n_qubits, 1 or n_samples); only with a target."""
        if samples.targets.size:
            stored: Complex = samples.targets.T[self.schedule.order[-1]]
            return stored
        assert self.target is not None
        return self.target

    def direction(self, v: Array) -> Array:
        """The direction of a product with the Hessian by columns, from one over active parameters in ascending order.

        Raises:
            ValueError: for a strategy that is not exact: its Hessian need not be the derivative of its gradient.
        """
        if not self.strategy.is_exact:
            raise ValueError("Hessian-vector products are defined for the exact convention only.")
        direction = np.empty(self.n_active)
        direction[self.column_order] = v
        return direction

    def ascending(self, matrix: Array) -> Array:
        """A matrix over columns as one over active parameters in ascending order."""
        return matrix[np.ix_(self.column_order, self.column_order)]


def compile_circuit(
    circuit: Circuit, observables: Sequence[Observable], strategy: Strategy, active: Ints | None = None
) -> CompiledCircuit:
    """Compile a circuit.

    Args:
        circuit: the program.
        observables: one for each output; a projector is the only one.
        strategy: how they are measured.
        active: parameters whose derivatives are taken; all if None.

    Raises:
        ValueError: an observable does not fit the circuit.
        MemoryError: not even one state fits.
    """
    for observable in observables:
        check_fits(observable, circuit.n_qubits)
    schedule = make_schedule(circuit, seen_gates(circuit, observables, strategy))
    columns = make_columns(circuit, schedule, np.arange(circuit.n_params) if active is None else active)
    sums = [o for o in observables if isinstance(o, PauliSum | ProductSum)]
    measurement, target = None, None
    if isinstance(strategy, TargetStrategy):
        if isinstance(observables[0], Projector):
            target = observables[0].state[schedule.order[-1], np.newaxis]
    else:
        # a constant has derivatives, too, where the bra counts as a constant
        measurement = Measurement(sums, schedule.wire_masks, shift=strategy.is_exact)
    return CompiledCircuit(circuit, strategy, len(observables), schedule, columns, measurement, target)
