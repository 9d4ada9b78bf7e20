r"""Outputs, gradient, Hessian and metric of a compiled circuit on processors.

Samples are taken in accumulation blocks, whose size follows from the number of samples alone; a block is summed by one
thread, and blocks are added in their order. So the same bytes come out whatever the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.simulator.compile.compiled import CompiledCircuit
from vqc_landscape.simulator.compile.encoding import Encoded
from vqc_landscape.simulator.compile.measurement import CommutingSets, identity_set, no_sets
from vqc_landscape.simulator.compile.strategies import TargetStrategy
from vqc_landscape.simulator.cpu import batched_params, first_order, second_order, sizes
from vqc_landscape.simulator.cpu.hvp_batch import batch_hvp
from vqc_landscape.simulator.cpu.hvp_large import LargeState
from vqc_landscape.simulator.cpu.images import Observed, observe
from vqc_landscape.simulator.cpu.second_order import Operations, Target, make_operations
from vqc_landscape.simulator.cpu.second_order_threads import add_samples_by_threads
from vqc_landscape.simulator.cpu.workspace import (
    Batch,
    Lent,
    Pool,
    Runs,
    Samples,
    SecondOrder,
    empty_batch,
    empty_runs,
    empty_samples,
    kernel_elements,
    kernel_schedule,
    make_second_order,
)
from vqc_landscape.simulator.engine import Weigh
from vqc_landscape.simulator.memory import side_by_side
from vqc_landscape.simulator.threads import map_in_order

T = TypeVar("T")

SLICES = 8  # of a state whose sample the threads share


class _FirstOrder(NamedTuple):
    """A batch after its first-order sweep: adjoints are those of the loss, rows its gradient for every sample."""

    lent: Lent
    batch: Batch
    observed: Observed
    loss_grad: Array  # (n_samples, n_outputs)
    loss_curvature: Array  # (n_samples, n_outputs, n_outputs)
    rows: Array  # (n_samples, n_active), by columns


class CpuEngine:
    """The engine of one compiled circuit; see :class:`simulator.engine.Engine`."""

    def __init__(self, compiled: CompiledCircuit) -> None:
        self.compiled = compiled
        self._schedule = kernel_schedule(compiled.schedule)
        self._elements = kernel_elements(compiled.schedule)
        self._layout = compiled.schedule.layout
        self._entries = compiled.columns.entries
        self._order = compiled.column_order
        self._shares_sample = sizes.shares_sample(compiled.n_qubits)
        self._width = sizes.chunk_width(compiled)
        self._operations: dict[tuple[int, bool, bool, bool], Operations] = {}
        self._hessian_bytes = sizes.hessian_bytes(compiled)
        self._no_sets = no_sets(compiled.n_qubits)
        self._pool = Pool()

    # --- first order -----------------------------------------------------------------------------------

    def outputs(self, params: Array, samples: Encoded) -> Array:
        """Outputs, shape (n_samples, K)."""

        def batch_outputs(part: slice) -> Array:
            lent, _, observed = self._forward(params, samples.part(part))
            lent.back()
            return observed.outputs

        return _concatenated(self._over_batches(batch_outputs, samples.n_samples))

    def outputs_at(self, points: Array, samples: Encoded) -> Array:
        """Outputs at every point, shape (n_points, n_samples, K)."""
        return batched_params.outputs_at(self.compiled, self._schedule, points, samples)

    def jacobian(self, params: Array, samples: Encoded) -> Array:
        """Derivatives of the outputs, shape (n_samples, K, r): an adjoint sweep for each output."""

        def batch_jacobian(part: slice) -> Array:
            n_samples, units = part.stop - part.start, np.eye(self.compiled.n_outputs)
            rows = np.empty((len(units), n_samples, self.compiled.n_active))
            lent, batch, _ = self._forward(params, samples.part(part))
            for unit, row in zip(units, rows, strict=True):
                self._adjoint_sweep(batch, np.tile(unit, (n_samples, 1)), row)
            lent.back()
            return rows[:, :, self._order].transpose(1, 0, 2)

        return _concatenated(self._over_batches(batch_jacobian, samples.n_samples))

    def gradient(self, params: Array, samples: Encoded, weigh: Weigh) -> tuple[Array, Array]:
        """Outputs (n_samples, K), and the gradient of their loss (r,)."""

        def batch_gradient(part: slice) -> tuple[Array, Array]:
            first = self._first_order(params, samples.part(part), part, weigh)
            first.lent.back()
            return first.observed.outputs, first.rows

        outputs, rows = zip(*self._over_batches(batch_gradient, samples.n_samples), strict=True)
        # a sum over samples in their order, without BLAS: the same bytes whatever the number of threads
        total: Array = np.einsum("sp->p", _concatenated(rows))
        return _concatenated(outputs), total[self._order]

    def _over_batches(self, function: Callable[[slice], T], n_samples: int) -> list[T]:
        return list(map_in_order(function, list(sizes.batches(self.compiled.n_qubits, 0, n_samples))))

    def _forward(self, params: Array, samples: Encoded) -> tuple[Lent, Batch, Observed]:
        """States of all blocks, in arrays that are to be given back, and what is measured."""
        lent = self._pool.lend(self._new_batch, samples.n_samples, self.compiled.schedule.n_blocks)
        batch, runs, work = self._with_angles(params, samples, *lent.arrays)
        static = (self._elements, self._layout, self._schedule, self.compiled.basis_phases)
        first_order.forward_sweep(*static, runs, samples.basis_states, samples.initial(), work, batch)
        return lent, batch, observe(self.compiled, batch, samples)

    def _first_order(self, params: Array, samples: Encoded, part: slice, weigh: Weigh) -> _FirstOrder:
        """Forward and adjoint sweep over samples that fit side by side, which are ``part`` of all."""
        lent, batch, observed = self._forward(params, samples)
        loss_grad, loss_curvature = weigh(observed.outputs, part)
        rows = np.empty((samples.n_samples, self.compiled.n_active))
        self._adjoint_sweep(batch, loss_grad, rows)
        return _FirstOrder(lent, batch, observed, loss_grad, loss_curvature, rows)

    def _adjoint_sweep(self, batch: Batch, factors: Array, rows: Array) -> None:
        factor = self.compiled.strategy.gradient_factor
        first_order.adjoint_sweep(factors, factor, self._schedule, self._entries, batch, rows)

    def _with_angles(
        self, params: Array, samples: Encoded, batch: Batch, runs: Runs, work: Array
    ) -> tuple[Batch, Runs, Array]:
        """A batch with its coefficients, and the cosines and sines of half of all angles."""
        half = 0.5 * self.compiled.circuit.angles(params, samples.coefficients)
        np.cos(half, out=runs.cos)
        np.sin(half, out=runs.sin)
        return batch._replace(coefficients=samples.coefficients), runs, work

    # --- second order ----------------------------------------------------------------------------------

    def hessian(self, params: Array, samples: Encoded, weigh: Weigh) -> Array:
        """Second derivatives of the loss, shape (r, r)."""
        strategy, n_active = self.compiled.strategy, self.compiled.n_active
        if isinstance(strategy, TargetStrategy) and not strategy.is_exact:
            strategy.check(self.outputs(params, samples))
        blocks = sizes.accumulation_blocks(samples.n_samples)
        at_once = side_by_side(self._hessian_bytes, f"The Hessian of {n_active} parameters")

        def block_hessian(block: slice) -> Array:
            lent, sums = self._second_order()
            for part in sizes.batches(self.compiled.n_qubits, block.start, block.stop):
                first = self._first_order(params, samples.part(part), part, weigh)
                self._add_second_order(first, sums)
                first.lent.back()
            hessian = np.empty((n_active, n_active))
            factors = (strategy.gram_factor, sums.second, strategy.second_factor)
            second_order.assemble(sums.gram, *factors, sums.outer, self._order, hessian)
            lent.back()
            return hessian

        if self._shares_sample:  # the threads work inside a sample, not on several blocks
            parts: Iterable[Array] = map(block_hessian, blocks)
        else:
            parts = map_in_order(block_hessian, blocks, at_once)
        total, *others = parts
        for part in others:
            total += part
        return total

    def _add_second_order(self, first: _FirstOrder, sums: SecondOrder) -> None:
        measurement, sets, factors = self.compiled.measurement, self._no_sets, first.loss_grad[:, 0]
        if measurement is not None and self.compiled.strategy.gram_factor:
            factors, sets = measurement.combined(first.observed.sets, first.loss_grad)
        self._add_samples(True, factors, first.loss_curvature, first.batch, sets, first.observed.target, sums)

    def _add_samples(
        self,
        with_second: bool,
        factors: Array,
        curvature: Array,
        batch: Batch,
        sets: CommutingSets,
        target: Target,
        sums: SecondOrder,
    ) -> None:
        """Second-order terms of samples side by side."""
        key = (len(sets.weights), len(target.states) > 0, with_second, bool(curvature.any()))
        if key not in self._operations:
            self._operations[key] = make_operations(
                self.compiled.columns,
                self.compiled.schedule.n_blocks,
                key[0],
                self._width,
                SLICES if self._shares_sample else 1,
                has_target=key[1],
                with_second=with_second,
                with_outer=key[3],
            )
        lent, samples = self._one_after_the_other(batch)
        operations, factors = self._operations[key], np.ascontiguousarray(factors)
        gradient_factor, columns = self.compiled.strategy.gradient_factor, self.compiled.columns
        losses, measured = (factors, gradient_factor, curvature), (sets, target, sums)
        if self._shares_sample:
            add_samples_by_threads(operations, *losses, samples, self._schedule, columns, *measured)
        else:
            all_of_it = (-1, 0, len(factors))
            second_order.add_samples(operations, *all_of_it, *losses, samples, self._schedule, columns, *measured)
        if lent is not None:
            lent.back()

    def _one_after_the_other(self, batch: Batch) -> tuple[Lent | None, Samples]:
        """The samples of a batch one after the other; of one sample the arrays as they are."""
        sources = (batch.diagonals, batch.states, batch.adjoints, batch.images)
        tans = np.ascontiguousarray(batch.tans[self._schedule.ry_run].T)
        others = (tans, batch.axes, batch.overlaps, batch.coefficients)
        if len(tans) == 1:
            diagonals, states, adjoints, images = (source.reshape(1, *source.shape[:-1]) for source in sources)
            return None, Samples(diagonals, states, adjoints, images, *others)
        lent = self._pool.lend(empty_samples, *(source.shape for source in sources))
        for source, out in zip(sources, lent.arrays, strict=True):
            second_order.by_sample(source, out)
        diagonals, states, adjoints, images = lent.arrays
        return lent, Samples(diagonals, states, adjoints, images, *others)

    def _second_order(self) -> tuple[Lent, SecondOrder]:
        """Work arrays that are to be given back, the sums set to zero."""
        lent = self._pool.lend(self._new_second_order)
        sums: SecondOrder = lent.arrays
        for total in (sums.second, sums.gram, sums.outer):
            total.fill(0.0)
        return lent, sums

    def hvp(self, params: Array, samples: Encoded, weigh: Weigh, v: Array) -> Array:
        """The product of :meth:`hessian` with v, both (r,), in the time of a few gradients.

        Raises:
            ValueError: for a strategy that is not exact.
        """
        direction = self.compiled.direction(v)

        def block_product(block: slice) -> Array:
            total = np.zeros(self.compiled.n_active)
            if sizes.takes_one(self.compiled.n_qubits, block.stop - block.start):
                for k in range(block.start, block.stop):
                    part = slice(k, k + 1)
                    total += self._large_state(params, samples.part(part)).product(weigh, part, direction)
                return total
            for part in sizes.batches(self.compiled.n_qubits, block.start, block.stop):
                first = self._first_order(params, samples.part(part), part, weigh)
                losses = (first.loss_grad, first.loss_curvature)
                total += batch_hvp(
                    self.compiled, self._schedule, self._entries, first.batch, first.observed, *losses, direction
                )
                first.lent.back()
            return total

        total = np.zeros(self.compiled.n_active)
        for part in map_in_order(block_product, sizes.accumulation_blocks(samples.n_samples)):
            total += part
        return total[self._order]

    def _large_state(self, params: Array, sample: Encoded) -> LargeState:
        size, phases = 2**self.compiled.n_qubits, self.compiled.basis_phases.copy()
        phases[:, -1] = 1.0
        batch, runs, work = self._with_angles(params, sample, *self._new_batch(1, 0))
        first_order.resolve_runs(self._elements, runs, work, batch.tans, batch.phases, batch.axes)
        plain = runs._replace(cosines=np.ones_like(runs.cosines))

        def fill(number: int, out: Array, first: int, stop: int) -> None:
            out = out.reshape(1, 2, size, 1)
            first_order.fill_diagonals(self._layout, plain, phases, number, first, stop, out)

        return LargeState(self.compiled, self._entries, sample, batch, runs.cosines, fill)

    def metric_tensor(self, params: Array, samples: Encoded) -> Array:
        r"""Fubini-Study metric of one state, shape (r, r)."""
        n_active = self.compiled.n_active
        metric = np.empty((n_active, n_active))
        (first_lent, batch, _), (lent, sums) = self._forward(params, samples), self._second_order()
        state = Target(batch.states[-1].reshape(1, 2, -1), np.full((2, 1), -1.0))
        identity, curvature = identity_set(self.compiled.n_qubits), np.zeros((1, 1, 1))
        self._add_samples(False, np.ones(1), curvature, batch, identity, state, sums)
        second_order.assemble(sums.gram, 1.0, sums.second, 0.0, sums.outer, self._order, metric)
        first_lent.back()
        lent.back()
        return metric

    # --- work arrays -----------------------------------------------------------------------------------

    def _new_batch(self, n_samples: int, n_blocks: int) -> tuple[Batch, Runs, Array]:
        compiled = self.compiled
        n_bases = len(compiled.basis_phases) if n_blocks else 0
        n_rotations = len(compiled.circuit.rotations)
        batch = empty_batch(compiled.schedule, n_rotations, n_bases, compiled.n_outputs, n_samples, n_blocks)
        return batch, empty_runs(compiled.schedule, n_rotations, n_samples), np.empty((4, n_samples))

    def _new_second_order(self) -> SecondOrder:
        compiled = self.compiled
        n_slots, n_entries = sizes.most_slots(compiled), sizes.most_entries(compiled)
        return make_second_order(
            compiled.n_qubits, compiled.n_active, compiled.n_outputs, self._width, n_slots, n_entries
        )


def _concatenated(parts: Sequence[Array]) -> Array:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
