r"""Hessian-vector products of large states: one sample at a time, and four states alone.

They are psi, tau, lambda and mu of :mod:`hvp`, because every block can be undone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.simulator.compile.compiled import CompiledCircuit
from vqc_landscape.simulator.compile.encoding import Encoded
from vqc_landscape.simulator.compile.measurement import CommutingSets
from vqc_landscape.simulator.compile.schedule import Ints, Unitaries
from vqc_landscape.simulator.cpu import hvp, hvp_large_kernels
from vqc_landscape.simulator.cpu.kernels import apply_unitaries
from vqc_landscape.simulator.cpu.workspace import Batch
from vqc_landscape.simulator.engine import Weigh
from vqc_landscape.simulator.threads import run_all

PIECES = 8  # of a large state, for the threads; part of the result's bytes
SMALLEST_PIECE = 2**12  # amplitudes: with fewer, a second thread costs what it gains
PSI, TAU, LAMBDA, MU = range(4)


class LargeState:
    """One sample of a large circuit: its angles resolved, and four states.

    Args:
        compiled: an exact strategy's circuit.
        entries: of its columns.
        sample: the sample.
        batch: of this one sample, whose runs are resolved; its arrays of states are not used.
        cosines: cosines of the runs' RY rotations, (n_runs, 1).
        diagonal: fills an array with the phases of one diagonal, from one amplitude to another.
    """

    def __init__(
        self,
        compiled: CompiledCircuit,
        entries: tuple[Ints, ...],
        sample: Encoded,
        batch: Batch,
        cosines: Array,
        diagonal: Callable[[int, Array, int, int], None],
    ) -> None:
        self.compiled, self.entries = compiled, entries
        self.sample, self.batch, self._diagonal = sample, batch, diagonal
        s, size = compiled.schedule, 2**compiled.n_qubits
        self.schedule = s
        self.cos = np.where(s.run_has_ry, cosines[:, 0], 1.0)
        self.sin = np.where(s.run_has_ry, cosines[:, 0] * batch.tans[:, 0], 0.0)
        self.states = np.zeros((4, 2, size))
        initial = sample.initial()
        if initial.size:
            self.states[PSI] = initial[:, :, 0]
        else:
            self.states[PSI, 0, sample.basis_states[0]] = 1.0
        self.phases = np.empty((2, size))
        self.overlaps = np.zeros((2, len(s.site_block), 3, 1))

    def product(self, weigh: Weigh, part: slice, v: Array) -> Array:
        """The product of the Hessian of this sample with v, both by columns.

        Args:
            weigh: see :class:`simulator.engine.Engine`.
            part: which sample it is.
            v: shape (n_active,).
        """
        batch, columns = self.batch, self.compiled.columns
        axes = np.empty((len(self.schedule.site_block), 3, 1))
        hvp.site_axes(v, self.entries, batch.axes, batch.coefficients, axes)
        for b in range(self.schedule.n_blocks):
            self._forward(b, axes[:, :, 0])
        self._observe(weigh, part)
        for b in range(self.schedule.n_blocks - 1, -1, -1):
            self._backward(b, axes[:, :, 0])
        total, rows = np.zeros(len(v)), np.empty((1, len(v)))
        with_overlaps = batch._replace(overlaps=self.overlaps[0])
        hvp.collect(v, columns, self.entries, columns.pair_columns, with_overlaps, self.overlaps[1], rows, total)
        return total

    def _forward(self, b: int, axes: Array) -> None:
        rotations = [(*self._rotations(runs), axes[runs]) for runs in self._at_once(b)]
        self._rotate(self.states[:2], b, rotations, 1.0)
        _apply(self.schedule.unitaries, b, self.states[:2], 1.0)
        masks, weights = self._words(b, axes)
        if len(masks):
            self._over_pieces(0, hvp_large_kernels.add_words, self.states[:2], PSI, TAU, masks, weights, 1.0)

    def _backward(self, b: int, axes: Array) -> None:
        states, s = self.states, self.schedule
        masks, weights = self._words(b, axes)
        if len(masks):
            words = slice(s.n_runs + s.block_words[b], s.n_runs + s.block_words[b + 1])
            for out, left, right in ((0, LAMBDA, PSI), (1, MU, PSI), (1, LAMBDA, TAU)):
                found = self._sums(0, (len(masks), 3), hvp_large_kernels.add_word_overlaps, states, left, right, masks)
                self.overlaps[out, words, :, 0] += found
            for source, target in ((LAMBDA, MU), (PSI, TAU)):
                self._over_pieces(0, hvp_large_kernels.add_words, states, source, target, masks, weights, -1.0)
        _apply(s.unitaries, b, states, -1.0)
        slices = self._at_once(b)
        if b > 0:
            self._over_pieces(0, self._diagonal, b, self.phases)
        for runs in slices:
            n_rotated = len(axes[runs])
            rotations = (states, *self._rotations(runs), axes[runs], self.phases, b > 0 and runs == slices[-1])
            found = self._sums(n_rotated, (n_rotated, 2, 3), hvp_large_kernels.backward_qubits, *rotations)
            self.overlaps[:, runs, :, 0] = found.transpose(1, 0, 2)
        if b > 0 and not slices:
            self._over_pieces(0, hvp_large_kernels.multiply_states, states, self.phases, -1.0)

    def _observe(self, weigh: Weigh, part: slice) -> None:
        """From psi and tau to lambda and mu at the end."""
        images, outputs = self._images()
        # d_v f_k = 2 Re <O_k psi|tau>
        derivatives = np.array([2.0 * self._real_product(image[0], self.states[TAU]) for image in images])
        loss_grad, loss_curvature = weigh(outputs[np.newaxis], part)
        weights = loss_curvature[0] @ derivatives
        self._over_pieces(0, hvp_large_kernels.combine_images, images, loss_grad[0], weights, self.states)

    def _images(self) -> tuple[Array, Array]:
        """The observables times psi and tau, shape (n_outputs, 2, 2, 2**n), and the outputs (n_outputs,)."""
        n_outputs, pair = self.compiled.n_outputs, self.states[:2]
        images, outputs = np.empty((n_outputs, *pair.shape)), np.empty(n_outputs)
        if self.compiled.measurement is None:
            target = np.ascontiguousarray(self.compiled.targets_of(self.sample)[:, 0])
            self._over_pieces(0, self._diagonal, self.schedule.n_blocks, self.phases)
            overlaps = self._sums(0, (2, 2), hvp_large_kernels.project, self.states, self.phases, target)
            self._over_pieces(0, hvp_large_kernels.fill_images, images[0], self.phases, target, overlaps)
            outputs[0] = np.sum(overlaps[0] ** 2)
            return images, outputs
        for k, sets in enumerate(self.compiled.outputs_of(self.sample)):
            outputs[k], is_first = sets.offset[0], True
            for g in np.flatnonzero(np.diff(sets.row_starts)).tolist():
                measured = images[k] if is_first else np.empty_like(pair)
                measured[:] = pair
                self._change_basis(sets, g, measured, 1.0)
                weights = np.ascontiguousarray(sets.weights[g, :, 0])
                outputs[k] += self._sums(0, (1,), hvp_large_kernels.weigh, measured, weights)[0]
                self._change_basis(sets, g, measured, -1.0)
                if not is_first:
                    images[k] += measured
                is_first = False
            if is_first:  # a constant
                images[k] = 0.0
        return images, outputs

    def _real_product(self, left: Array, right: Array) -> float:
        return float(self._sums(0, (1,), hvp_large_kernels.add_real_product, left, right)[0])

    def _change_basis(self, sets: CommutingSets, g: int, states: Array, direction: float) -> None:
        """Take states to the basis of a commuting set, or back."""
        first, stop = sets.ry_starts[g], sets.ry_starts[g + 1]
        if sets.basis[g] < 0:
            return
        if direction < 0:
            _apply(sets.unitaries, g, states, -1.0)
        rotations = []
        for start in range(first, stop, hvp_large_kernels.QUBITS_AT_ONCE):
            part = slice(start, min(start + hvp_large_kernels.QUBITS_AT_ONCE, stop))
            cos = 1 / np.sqrt(1 + sets.ry_tans[part] ** 2)
            sin = direction * cos * sets.ry_tans[part]
            rotations.append((sets.ry_x[part], sets.ry_r[part], cos, sin, np.zeros((len(cos), 3))))
        self._rotate(states, self.schedule.n_blocks + int(sets.basis[g]), rotations, direction)
        if direction > 0:
            _apply(sets.unitaries, g, states, 1.0)

    def _rotate(self, states: Array, number: int, rotations: list[tuple[Any, ...]], direction: float) -> None:
        """All RY rotations of a block after its diagonal; or (direction -1) before the conjugate of it."""
        self._over_pieces(0, self._diagonal, number, self.phases)
        # the qubits that are in the cache when the diagonal is due
        scaling = 0 if direction > 0 else len(rotations) - 1
        for i, some in enumerate(rotations):
            scale = direction if i == scaling else 0.0
            self._over_pieces(len(some[0]), hvp_large_kernels.forward_qubits, states, *some, self.phases, scale)
        if not rotations:
            self._over_pieces(0, hvp_large_kernels.multiply_states, states, self.phases, direction)

    def _rotations(self, runs: slice) -> tuple[Ints, Ints, Array, Array]:
        s = self.schedule
        return s.site_x[runs], s.site_r[runs], self.cos[runs], self.sin[runs]

    def _at_once(self, b: int) -> list[slice]:
        start, stop = self.schedule.block_runs[b : b + 2]
        return [
            slice(i, min(i + hvp_large_kernels.QUBITS_AT_ONCE, stop))
            for i in range(start, stop, hvp_large_kernels.QUBITS_AT_ONCE)
        ]

    def _words(self, b: int, axes: Array) -> tuple[Ints, Array]:
        s = self.schedule
        words = slice(s.n_runs + s.block_words[b], s.n_runs + s.block_words[b + 1])
        return s.site_r[words], np.ascontiguousarray(axes[words, 2])

    def _over_pieces(self, n_rotated: int, work: Callable[..., object], *arguments: object) -> None:
        """Run ``work(*arguments, first, stop)`` on pieces of the cosets of ``n_rotated`` qubits."""
        run_all([partial(work, *arguments, *piece) for piece in self._pieces(n_rotated)])

    def _sums(self, n_rotated: int, shape: tuple[int, ...], work: Callable[..., object], *arguments: object) -> Array:
        """The sum over the pieces of what ``work(*arguments, first, stop, out)`` adds to zeros, in their order."""
        pieces = self._pieces(n_rotated)
        found = np.zeros((len(pieces), *shape))
        run_all([partial(work, *arguments, *piece, out) for piece, out in zip(pieces, found, strict=True)])
        total: Array = np.sum(found, axis=0)
        return total

    def _pieces(self, n_rotated: int) -> list[tuple[int, int]]:
        n_cosets = self.states.shape[2] >> n_rotated
        step = max(n_cosets // PIECES, SMALLEST_PIECE >> n_rotated, 1)
        return [(start, min(start + step, n_cosets)) for start in range(0, n_cosets, step)]


def _apply(unitaries: Unitaries, b: int, states: Array, direction: float) -> None:
    """The unitaries of a block on every state."""
    for state in states:
        apply_unitaries(unitaries, b, direction, state[:, :, np.newaxis], 1)
