r"""The engine on a GPU: loss, gradient, Hessian and metric as :class:`simulator.cpu.engine.Engine` has them.

The schedule, the columns and the formulas are the same; a leaf of samples is one batch, and the sums over samples and
amplitudes are matrix products. Leaves depend on the circuit alone, not on the free memory, and are added in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor

from vqc_landscape.checks import Array
from vqc_landscape.circuits.observables import Observable, PauliSum, Projector
from vqc_landscape.circuits.program import Circuit, FixedGate
from vqc_landscape.simulator.compile.columns import make_columns
from vqc_landscape.simulator.compile.encoding import Encoded
from vqc_landscape.simulator.compile.measurement import check_fits, seen_gates
from vqc_landscape.simulator.compile.schedule import Ints, make_schedule
from vqc_landscape.simulator.gpu import second_order, sweeps
from vqc_landscape.simulator.gpu.devices import free_device_bytes, whole_float32
from vqc_landscape.simulator.gpu.first_order import States
from vqc_landscape.simulator.memory import side_by_side

Derivatives = Callable[[Array, slice], tuple[Array, Array]]

LEAF_BYTES = 2**30  # of a leaf; chosen by us: a thousand times what a GPU moves while it starts a kernel
MAX_BATCH = 2**15  # matrices of one batched product; below 2**16, beyond which some kernels do not count
PRECISIONS = {"float64": torch.complex128, "float32": torch.complex64}


class GpuEngine:
    """Derivatives of one circuit and observable.

    Args:
        circuit: the program.
        observable: what is measured.
        published: the arithmetic of the paper's published code, as in :class:`simulator.cpu.engine.Engine`.
        carried: parameters whose derivatives are taken; all if None.
        device: where.
        precision: of the tangent columns, ``"float64"`` or ``"float32"``. States, expectation values, gradients,
            Hessian-vector products, and what partial sums of matrix products add up to, are float64 in both.

    Raises:
        ValueError: the observable does not fit the circuit, or a GPU cannot take one of them.
    """

    def __init__(
        self,
        circuit: Circuit,
        observable: Observable,
        published: bool,
        carried: Ints | None,
        device: torch.device,
        precision: str,
    ) -> None:
        check_fits(observable, circuit.n_qubits)
        measured = _check_taken(circuit, observable)
        self.circuit = circuit
        self.published = published
        self.device = device
        self.dtype = PRECISIONS[precision]
        schedule = make_schedule(circuit, seen_gates(circuit, observable, published))
        self.columns = make_columns(circuit, schedule, np.arange(circuit.n_params) if carried is None else carried)
        self.states = States(circuit, measured, published, schedule, self.columns, device)

    @property
    def n_carried(self) -> int:
        """Number of carried tangents."""
        return len(self.columns.params)

    # --- first order -----------------------------------------------------------------------------------

    def expvals(self, params: Array, samples: Encoded) -> Array:
        """f of every sample, shape (n_samples,)."""
        expvals: Array = self.expvals_at(params[None], samples)[0]
        return expvals

    def expvals_at(self, points: Array, samples: Encoded) -> Array:
        """f at every point (n_points, P) for every sample, shape (n_points, n_samples)."""
        shape, parts = (len(points), samples.n_samples), []
        for leaf in self._leaves(len(points) * samples.n_samples, self._state_bytes):
            point, sample = np.unravel_index(np.arange(leaf.start, leaf.stop), shape)
            parts.append(self.states.measure(self.states.forward(points[point], samples.coefficients[sample]))[0])
        return _numpy(torch.cat(parts)).reshape(shape)

    def jacobian(self, params: Array, samples: Encoded) -> tuple[Array, Array]:
        """f (n_samples,) and df/dparams (n_samples, n_carried) of every sample."""
        leaves = self._leaves(samples.n_samples, self._state_bytes)
        parts = [self.states.first_order(params, samples.coefficients[leaf]) for leaf in leaves]
        return _numpy(torch.cat([p.expvals for p in parts])), _numpy(torch.cat([p.jacobian for p in parts]))

    def ggn(self, params: Array, samples: Encoded, derivatives: Derivatives) -> Array:
        """``sum_s l''(f_s) d_i f_s d_j f_s``, shape (n_carried, n_carried)."""
        expvals, jacobian = self.jacobian(params, samples)
        _, bends = derivatives(expvals, slice(0, len(expvals)))
        return jacobian.T @ (bends[:, None] * jacobian)

    # --- second order ----------------------------------------------------------------------------------

    def hessian(self, params: Array, samples: Encoded, derivatives: Derivatives) -> Array:
        """``sum_s l'(f_s) d_i d_j f_s + l''(f_s) d_i f_s d_j f_s``, shape (n_carried, n_carried).

        Args:
            params: all parameters, radians.
            samples: see :func:`simulator.compile.encoding.encode`.
            derivatives: maps f of a slice of the samples to l' and l''.
        """
        side_by_side(self.hessian_bytes, f"The Hessian of {self.n_carried} parameters", self._free_bytes)
        shape, tensor = (self.n_carried, self.n_carried), self.states.plan.tensor
        second, gram, outer = torch.zeros(3, *shape, dtype=torch.float64, device=self.device)
        pairs = np.zeros(shape)
        earlier, later = self.columns.pair_columns.T
        with self._whole_precision():
            for leaf in self._leaves(samples.n_samples, self.hessian_bytes):
                first = self.states.first_order(params, samples.coefficients[leaf])
                slopes, bends = map(tensor, derivatives(_numpy(first.expvals), leaf))
                columns = second_order.sweep_tangents(self.states, first, self.dtype, slopes, second)
                n = columns.shape[2]  # without those that no angle has: they come last, and stay 0
                gram[:n, :n] += second_order.gram(self.states, first, columns, slopes)
                outer += first.jacobian.T @ (bends[:, None] * first.jacobian)
                np.add.at(pairs, (earlier, later), 0.5 * _numpy(second_order.pair_terms(self.states, first, slopes)))
        if self.states.is_detached:
            half = 0.5 * _numpy(outer) + (_numpy(second) + pairs)
        else:
            half = 0.5 * _numpy(outer) + _numpy(gram) + 2 * (_numpy(second) + pairs)
        return half + half.T

    def hvp(self, params: Array, samples: Encoded, derivatives: Derivatives, v: Array) -> Array:
        """The Hessian of :meth:`hessian` times v, both (n_carried,).

        Raises:
            ValueError: for the published arithmetic, whose Hessian is not the derivative of its gradient.
        """
        if self.published:
            raise ValueError("Hessian-vector products are defined for the exact convention only.")
        tensor = self.states.plan.tensor
        direction, total = tensor(v), torch.zeros(self.n_carried, dtype=torch.float64, device=self.device)
        pairs = np.zeros(self.n_carried)
        earlier, later = self.columns.pair_columns.T
        for leaf in self._leaves(samples.n_samples, self._state_bytes):
            first = self.states.first_order(params, samples.coefficients[leaf])
            slopes, bends = map(tensor, derivatives(_numpy(first.expvals), leaf))
            total += slopes @ second_order.directional(self.states, first, direction)
            total += (bends * (first.jacobian @ direction)) @ first.jacobian
            np.add.at(pairs, earlier, 2 * v[later] * _numpy(second_order.pair_terms(self.states, first, slopes)))
        return _numpy(total) + pairs

    def metric_tensor(self, params: Array) -> Array:
        r"""Fubini-Study metric ``Re<T_i|T_j> - Re(<T_i|psi><psi|T_j>)`` of a circuit without data, (P, P)."""
        first = self.states.first_order(params, self.circuit.coefficients(self.circuit.feature_rows(None)))
        metric = np.zeros((self.n_carried, self.n_carried))
        with self._whole_precision():
            columns = second_order.sweep_tangents(self.states, first, self.dtype)
            along = second_order.overlaps(first.forward.states[-1], columns)
            found = sweeps.inner_products(columns, columns) - second_order.weighted_gram(along, 1.0, 1.0)
        metric[: len(found), : len(found)] = _numpy(found)
        return (metric + metric.T) / 2

    # --- layout ----------------------------------------------------------------------------------------

    @property
    def hessian_bytes(self) -> int:
        """Memory of one sample of a Hessian: its columns, three copies of them on the way, its states, three sums."""
        columns = 4 * self.n_carried * self.dtype.itemsize << self.circuit.n_qubits
        return columns + self._state_bytes + 3 * 8 * self.n_carried**2

    @property
    def _state_bytes(self) -> int:
        """Memory of one sample of a gradient: diagonals, states and adjoints, and twice the images of a step."""
        plan = self.states.plan
        n_images = max((len(step.factors) for steps in plan.steps for step in steps), default=0)
        return 16 * (3 * len(plan.diagonals) + 2 * n_images) << self.circuit.n_qubits

    def _leaves(self, n_samples: int, sample_bytes: int) -> Iterator[slice]:
        """Equal shares of the samples, of about ``LEAF_BYTES``."""
        matrices = 1 << self.states.plan.groups[-1][0]  # of one sample in the turns of the last group of bits
        n_leaves = -(-n_samples // max(min(LEAF_BYTES // sample_bytes, MAX_BATCH // matrices), 1))
        size = -(-n_samples // n_leaves)
        for start in range(0, n_samples, size):
            yield slice(start, min(start + size, n_samples))

    def _free_bytes(self) -> float:
        return free_device_bytes(self.device)

    def _whole_precision(self) -> AbstractContextManager[None]:
        return whole_float32() if self.dtype == torch.complex64 else nullcontext()


def _check_taken(circuit: Circuit, observable: Observable) -> PauliSum | Projector:
    """The observable, if a GPU can take it and the circuit."""
    wide = [gate for gate in circuit.gates if isinstance(gate, FixedGate) and gate.matrix and len(gate.wires) > 1]
    if circuit.initial is None and not wide and isinstance(observable, PauliSum | Projector):
        return observable
    what = "an initial state" if circuit.initial is not None else "gates on several wires that are matrices"
    if not isinstance(observable, PauliSum | Projector):
        what = "an observable that is a matrix or has coefficients of the samples"
    raise ValueError(f"Argument `device` must be 'cpu': the GPU engine does not take {what}.")


def _numpy(values: Tensor) -> Array:
    array: Array = values.cpu().numpy()
    return array
