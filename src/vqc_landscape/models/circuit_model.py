"""Circuits as models: what they depend on is found once, and only that is differentiated."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from vqc_landscape.checks import Array, Indices
from vqc_landscape.circuits.observables import Observable, Projector, zero_state
from vqc_landscape.circuits.parameters import Layout, Parameters
from vqc_landscape.circuits.program import Circuit
from vqc_landscape.models.model import QuantumModel
from vqc_landscape.models.shares import pair_of_blocks
from vqc_landscape.simulator.compile.compiled import compile_circuit
from vqc_landscape.simulator.compile.encoding import Encoded, encode
from vqc_landscape.simulator.compile.measurement import check_fits, joint_sum
from vqc_landscape.simulator.compile.strategies import OVERLAP, choose_strategy
from vqc_landscape.simulator.devices import make_engine
from vqc_landscape.simulator.engine import Engine, Weigh
from vqc_landscape.structure.dependence import Dependence, analyse
from vqc_landscape.structure.reduction import Reduction, Structure, explain, reduce_exactly


class MeasuredCircuit:
    """A circuit and its observables: what the models of all batches share.

    Args:
        circuit: the program.
        observables: one for each output.
        rows: feature rows of all samples; what they have in common is structure.
        convention: ``"exact"`` or ``"as_published"``.
        device: ``"cpu"``, or a GPU.
        precision: ``"float64"`` or, on a GPU, ``"float32"``.

    Raises:
        ValueError: an observable that does not fit the circuit, or something that the device does not take.
    """

    def __init__(
        self,
        circuit: Circuit,
        observables: Sequence[Observable],
        rows: Array,
        convention: str = "exact",
        device: str = "cpu",
        precision: str = "float64",
    ) -> None:
        self.circuit, self.observables, self.rows = circuit, tuple(observables), rows
        self.strategy = choose_strategy(self.observables[0], convention)
        self._device, self._precision = device, precision
        self._share_engines: dict[tuple[int, int], Engine] = {}
        for observable in self.observables:
            check_fits(observable, circuit.n_qubits)
        self.engine  # noqa: B018 - what does not fit is refused now, not at the first use

    @functools.cached_property
    def engine(self) -> Engine:
        """The engine of the parameters that the outputs depend on."""
        return self._make_engine(self.reduction.pivots)

    def share_engine(self, share: int, n_blocks: int, members: Indices) -> Engine:
        """The engine of some of these parameters."""
        if (share, n_blocks) not in self._share_engines:
            self._share_engines[share, n_blocks] = self._make_engine(self.reduction.pivots[members])
        return self._share_engines[share, n_blocks]

    @functools.cached_property
    def state_engine(self) -> Engine:
        """An engine that leaves no gate and no parameter out, because its observable sees the whole state."""
        target = Projector(zero_state(self.circuit.n_qubits))
        compiled = compile_circuit(self.circuit, [target], OVERLAP)
        return make_engine(compiled, self._device, self._precision)

    @functools.cached_property
    def reduction(self) -> Reduction:
        """The parameters to differentiate, and how the others follow them."""
        if not self.strategy.has_gradient_structure:
            return Reduction(np.arange(self.circuit.n_params), np.eye(self.circuit.n_params))
        return reduce_exactly(self.dependence.functionals, self.circuit.n_params)

    @functools.cached_property
    def dependence(self) -> Dependence:
        """What the outputs depend on."""
        (observable, *others) = self.observables
        if others:
            observable = joint_sum(self.observables)
        return analyse(self.circuit, observable, self.rows, phase_matters=self.strategy.sees_phase)

    def _make_engine(self, active: Indices) -> Engine:
        compiled = compile_circuit(self.circuit, self.observables, self.strategy, active)
        return make_engine(compiled, self._device, self._precision)


class CircuitModel(QuantumModel):
    """Expectation values of a circuit over samples.

    Args:
        measured: the circuit and its observables.
        samples: what the samples are to it.
    """

    def __init__(self, measured: MeasuredCircuit, samples: Encoded) -> None:
        self.measured, self.samples = measured, samples
        self.circuit, self.observables = measured.circuit, measured.observables
        self.n_params, self.n_samples = self.circuit.n_params, samples.n_samples
        self.n_outputs = len(self.observables)

    def part(self, samples: Indices | slice) -> CircuitModel:
        """The model of some of the samples.

        Raises:
            ValueError: the circuit takes no data.
        """
        if not self.circuit.n_features:
            raise ValueError("A batch needs data, but this risk has none.")
        return CircuitModel(self.measured, self.samples.part(samples))

    def with_features(self, features: Any) -> CircuitModel:
        """The model of other samples."""
        rows = self.circuit.feature_rows(features)
        return CircuitModel(self.measured, encode(self.circuit, self.observables, rows))

    # --- values and derivatives -------------------------------------------------------------------------

    def outputs(self, params: Array) -> Array:
        """Expectation values, shape (S, K)."""
        return self.measured.engine.outputs(params, self.samples)

    def outputs_at(self, points: Array) -> Array:
        """Expectation values at many points, shape (n_points, S, K): all of them in one sweep."""
        return self.measured.engine.outputs_at(points, self.samples)

    def jacobian(self, params: Array) -> Array:
        """Derivatives of every output, shape (S, K, P)."""
        return self.measured.reduction.expand_rows(self.measured.engine.jacobian(params, self.samples))

    def gradient(self, params: Array, weigh: Weigh) -> tuple[Array, Array]:
        """Outputs and the gradient of their loss: one adjoint sweep."""
        outputs, core = self.measured.engine.gradient(params, self.samples, weigh)
        return outputs, self.measured.reduction.expand_rows(core)

    def hessian(self, params: Array, weigh: Weigh) -> Array:
        """Second derivatives of the loss, shape (P, P), symmetric."""
        return self.measured.reduction.expand(self.measured.engine.hessian(params, self.samples, weigh))

    def weighted_hessian(self, params: Array, weights: Array) -> Array:
        """``sum_s sum_k weights[s, k] d_i d_j f_sk``, shape (P, P), symmetric."""
        n_outputs = self.n_outputs

        def weigh(outputs: Array, samples: slice) -> tuple[Array, Array]:
            return weights[samples], np.zeros((len(outputs), n_outputs, n_outputs))

        return self.hessian(params, weigh)

    def hvp(self, params: Array, weigh: Weigh, v: Array) -> Array:
        """The product of :meth:`hessian` with v (P,): a few gradients' time.

        For the published arithmetic, whose Hessian is no derivative of its gradient, the matrix is formed.
        """
        if not self.measured.strategy.is_exact:
            return self.hessian(params, weigh) @ v
        reduction = self.measured.reduction
        core = self.measured.engine.hvp(params, self.samples, weigh, reduction.rows @ v)
        return reduction.expand_rows(core)

    def hessian_share(self, params: Array, weigh: Weigh, share: int, n_blocks: int) -> Array:
        """One pair of blocks of :meth:`hessian`; it carries the tangents of these blocks only."""
        reduction = self.measured.reduction
        members, mine = pair_of_blocks(len(reduction.pivots), n_blocks, share)
        engine = self.measured.share_engine(share, n_blocks, members)
        core = np.zeros((len(reduction.pivots),) * 2)
        core[np.ix_(members, members)] = np.where(mine, engine.hessian(params, self.samples, weigh), 0.0)
        return reduction.expand(core)

    def metric_tensor(self, params: Array) -> Array:
        """Fubini-Study metric of the prepared state, shape (P, P).

        Raises:
            ValueError: the circuit takes data.
        """
        if self.circuit.n_features:
            raise ValueError("The metric tensor is defined for one state, but this risk has data.")
        return self.measured.state_engine.metric_tensor(params, self.samples)

    # --- structure --------------------------------------------------------------------------------------

    @property
    def structural_directions(self) -> Array:
        """Orthonormal directions that no output ever sees, shape (P, k)."""
        return self.measured.reduction.structural_directions

    @functools.cached_property
    def structure(self) -> Structure:
        """The structural directions one by one, each with its reason."""
        measured = self.measured
        if not measured.strategy.has_gradient_structure:
            return Structure()
        return explain(measured.reduction, measured.dependence)

    def describe(self) -> list[str]:
        """Circuit and parameters, in the words of a risk's repr."""
        form = "" if self.circuit.parameters is None else f": {self.circuit.parameters}"
        return [
            f"CircuitRisk({self.circuit.name}, {self.circuit.n_qubits} qubits",
            f"{self.n_params} parameters{form}",
        ]

    @property
    def parameter_blocks(self) -> tuple[Indices, ...]:
        """Parameters of each sub-layer of simultaneous rotations."""
        return self.circuit.parameter_blocks

    @property
    def parameter_arrays(self) -> dict[str, Indices]:
        """Positions of the parameters of every argument of a QNode, in its shape."""
        form = self.circuit.parameters or Parameters(Layout("array", self.circuit.shape), ("params",))
        return form.indices()

    def flat(self, params: Any) -> Any:
        """Parameters in the form that the QNode takes, as one vector."""
        parameters = self.circuit.parameters
        if parameters is not None and parameters.layout.kind != "array":
            vector = parameters.layout.flatten(params)
            return params if vector is None else vector
        return params
