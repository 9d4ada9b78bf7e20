r"""The engine on a GPU, experimental: what :class:`simulator.engine.Engine` asks for, by torch.

The schedule, the columns and the formulas are those of the CPU; a batch of samples is one tensor, and the sums over
samples and amplitudes are matrix products. Batches depend on the circuit alone, not on the free memory, and are added
in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor

from vqc_landscape.checks import Array
from vqc_landscape.circuits.program import FixedGate
from vqc_landscape.simulator.compile.compiled import CompiledCircuit
from vqc_landscape.simulator.compile.encoding import Encoded
from vqc_landscape.simulator.compile.strategies import TargetStrategy
from vqc_landscape.simulator.engine import Weigh
from vqc_landscape.simulator.gpu import sweeps, tangents
from vqc_landscape.simulator.gpu.cuda import free_device_bytes, whole_float32
from vqc_landscape.simulator.gpu.states import FirstOrder, States
from vqc_landscape.simulator.memory import side_by_side

BATCH_BYTES = 2**30  # of a batch; chosen by us: a thousand times what a GPU moves while it starts a kernel
MAX_BATCH = 2**15  # matrices of one batched product; below 2**16, beyond which some kernels do not count
PRECISIONS = {"float64": torch.complex128, "float32": torch.complex64}


class GpuEngine:
    """The engine of one compiled circuit; see :class:`simulator.engine.Engine`.

    Args:
        compiled: the circuit.
        device: where.
        precision: of the tangent columns, ``"float64"`` or ``"float32"``. States, outputs, gradients,
            Hessian-vector products, and what partial sums of matrix products add up to, are float64 in both.

    Raises:
        ValueError: a GPU cannot take the circuit or its observable.
    """

    def __init__(self, compiled: CompiledCircuit, device: torch.device, precision: str) -> None:
        _check_taken(compiled)
        self.compiled = compiled
        self.device = device
        self.dtype = PRECISIONS[precision]
        self.states = States(compiled, device)
        self._order, self._numpy = compiled.column_order, self.states.plan.numpy

    # --- first order -----------------------------------------------------------------------------------

    def outputs(self, params: Array, samples: Encoded) -> Array:
        """Outputs, shape (n_samples, K)."""
        outputs: Array = self.outputs_at(params[None], samples)[0]
        return outputs

    def outputs_at(self, points: Array, samples: Encoded) -> Array:
        """Outputs at every point, shape (n_points, n_samples, K)."""
        shape, parts = (len(points), samples.n_samples), []
        for batch in self._batches(len(points) * samples.n_samples, self._state_bytes):
            point, sample = np.unravel_index(np.arange(batch.start, batch.stop), shape)
            forward = self.states.forward(points[point], samples.coefficients[sample])
            parts.append(self.states.measure(forward).outputs)
        return self._numpy(torch.cat(parts)).reshape(*shape, -1)

    def jacobian(self, params: Array, samples: Encoded) -> Array:
        """Derivatives of the outputs, shape (n_samples, K, r): an adjoint sweep for each output."""
        units, parts = np.eye(self.compiled.n_outputs), []
        for batch in self._batches(samples.n_samples, self._state_bytes):
            forward = self.states.forward(params[None], samples.coefficients[batch])
            observed, n_samples = self.states.measure(forward), batch.stop - batch.start
            factors = [self.states.plan.tensor(np.tile(unit, (n_samples, 1))) for unit in units]
            rows = [self._numpy(self.states.first_order(forward, observed, factor).rows) for factor in factors]
            parts.append(np.stack(rows, axis=1))
        return np.concatenate(parts)[:, :, self._order]

    def gradient(self, params: Array, samples: Encoded, weigh: Weigh) -> tuple[Array, Array]:
        """Outputs (n_samples, K), and the gradient of their loss (r,)."""
        outputs, total = [], np.zeros(self.compiled.n_active)
        for first, _, _ in self._first_orders(params, samples, weigh, self._state_bytes):
            outputs.append(self._numpy(first.observed.outputs))
            total += self._numpy(first.rows.sum(0))
        return np.concatenate(outputs), total[self._order]

    def _first_orders(
        self, params: Array, samples: Encoded, weigh: Weigh, sample_bytes: int
    ) -> Iterator[tuple[FirstOrder, Tensor, Tensor]]:
        """First-order sweeps over batches, with loss gradient and loss curvature."""
        for batch in self._batches(samples.n_samples, sample_bytes):
            forward = self.states.forward(params[None], samples.coefficients[batch])
            observed = self.states.measure(forward)
            loss_grad, curvature = map(self.states.plan.tensor, weigh(self._numpy(observed.outputs), batch))
            yield self.states.first_order(forward, observed, loss_grad), loss_grad, curvature

    # --- second order ----------------------------------------------------------------------------------

    def hessian(self, params: Array, samples: Encoded, weigh: Weigh) -> Array:
        """Second derivatives of the loss, shape (r, r)."""
        strategy, n_active = self.compiled.strategy, self.compiled.n_active
        if isinstance(strategy, TargetStrategy) and not strategy.is_exact:
            strategy.check(self.outputs(params, samples))
        side_by_side(self.hessian_bytes, f"The Hessian of {n_active} parameters", self._free_bytes)
        shape = (n_active, n_active)
        second, gram, outer = torch.zeros(3, *shape, dtype=torch.float64, device=self.device)
        pairs = np.zeros(shape)
        earlier, later = self.compiled.columns.pair_columns.T
        with self._whole_precision():
            for first, _, curvature in self._first_orders(params, samples, weigh, self.hessian_bytes):
                columns = tangents.sweep_tangents(self.states, first, self.dtype, second)
                n = columns.shape[2]  # without those that no angle has: they come last, and stay 0
                if strategy.gram_factor:
                    gram[:n, :n] += tangents.gram(self.states, first, columns)
                rows = tangents.output_rows(self.states, first, columns)
                outer += rows.flatten(0, 1).T @ (curvature @ rows).flatten(0, 1)
                np.add.at(pairs, (earlier, later), 0.5 * self._numpy(tangents.pair_terms(self.states, first)))
        half = 0.5 * (self._numpy(outer) + strategy.gram_factor * self._numpy(gram))
        half += strategy.second_factor * (self._numpy(second) + pairs)
        return self.compiled.ascending(half + half.T)

    def hvp(self, params: Array, samples: Encoded, weigh: Weigh, v: Array) -> Array:
        """The product of :meth:`hessian` with v, both (r,).

        Raises:
            ValueError: for a strategy that is not exact.
        """
        by_column = self.compiled.direction(v)
        direction, total = self.states.plan.tensor(by_column), np.zeros(self.compiled.n_active)
        earlier, later = self.compiled.columns.pair_columns.T
        for first, _, curvature in self._first_orders(params, samples, weigh, self._state_bytes):
            total += self._numpy(tangents.hvp(self.states, first, curvature, direction).sum(0))
            np.add.at(total, earlier, 2 * by_column[later] * self._numpy(tangents.pair_terms(self.states, first)))
        return total[self._order]

    def metric_tensor(self, params: Array, samples: Encoded) -> Array:
        r"""Fubini-Study metric of one state, shape (r, r)."""
        forward = self.states.forward(params[None], samples.coefficients)
        observed = self.states.measure(forward)
        first = self.states.first_order(forward, observed, torch.ones_like(observed.outputs))
        metric = np.zeros((self.compiled.n_active, self.compiled.n_active))
        with self._whole_precision():
            columns = tangents.sweep_tangents(self.states, first, self.dtype)
            along = tangents.overlaps(first.forward.states[-1], columns)
            found = sweeps.inner_products(columns, columns) - tangents.weighted_gram(along, 1.0, 1.0)
        metric[: len(found), : len(found)] = self._numpy(found)
        return self.compiled.ascending((metric + metric.T) / 2)

    # --- layout ----------------------------------------------------------------------------------------

    @property
    def hessian_bytes(self) -> int:
        """Memory of one sample of a Hessian: its columns, three copies of them on the way, its states, three sums."""
        columns = 4 * self.compiled.n_active * self.dtype.itemsize << self.compiled.n_qubits
        return columns + self._state_bytes + 3 * 8 * self.compiled.n_active**2

    @property
    def _state_bytes(self) -> int:
        """Memory of one sample of a gradient: diagonals, states and adjoints, and twice the images of a step."""
        plan = self.states.plan
        n_images = max((len(step.factors) for steps in plan.steps for step in steps), default=0)
        n_images += self.compiled.n_outputs
        return 16 * (3 * len(plan.diagonals) + 2 * n_images) << self.compiled.n_qubits

    def _batches(self, n_samples: int, sample_bytes: int) -> Iterator[slice]:
        """Equal shares of the samples, of about ``BATCH_BYTES``."""
        matrices = 1 << self.states.plan.ranges[-1][0]  # of one sample in the RY rotations of the last bits
        n_batches = -(-n_samples // max(min(BATCH_BYTES // sample_bytes, MAX_BATCH // matrices), 1))
        size = -(-n_samples // n_batches)
        for start in range(0, n_samples, size):
            yield slice(start, min(start + size, n_samples))

    def _free_bytes(self) -> float:
        return free_device_bytes(self.device)

    def _whole_precision(self) -> AbstractContextManager[None]:
        return whole_float32() if self.dtype == torch.complex64 else nullcontext()


def _check_taken(compiled: CompiledCircuit) -> None:
    circuit = compiled.circuit
    what = ""
    if any(isinstance(gate, FixedGate) and gate.matrix and len(gate.wires) > 1 for gate in circuit.gates):
        what = "gates on several wires that are matrices"
    if compiled.measures_matrices:
        what = "an observable that is a matrix or has coefficients of the samples"
    if circuit.initial is not None:
        what = "an initial state"
    if what:
        raise ValueError(f"Argument `device` must be 'cpu': the GPU engine does not take {what}.")
