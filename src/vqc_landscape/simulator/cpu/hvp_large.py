r"""Hessian-vector products without a matrix; the formulas are in :mod:`directional`.

Small states: many samples side by side, the states of all blocks kept. Large ones: one sample at a time, and four
states alone (psi, tau, lambda, mu), because every block can be undone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.simulator.compile.encoding import Encoded
from vqc_landscape.simulator.compile.schedule import Ints, Unitaries
from vqc_landscape.simulator.cpu import first_order, hvp
from vqc_landscape.simulator.cpu import hvp_large_kernels as kernels
from vqc_landscape.simulator.cpu.kernels import apply_unitaries
from vqc_landscape.simulator.cpu.workspace import Groups
from vqc_landscape.simulator.threads import run_all

if TYPE_CHECKING:
    from vqc_landscape.simulator.cpu.engine import Engine
    from vqc_landscape.simulator.cpu.workspace import FirstOrder, Leaf

LARGE = 9  # qubits from which a state is taken alone ...
FEW = 2  # ... where no more than these would be side by side
PIECES = 8  # of a large state, for the threads; part of the result's bytes
SMALLEST_PIECE = 2**12  # amplitudes: with fewer, a second thread costs what it gains
PSI, TAU, LAMBDA, MU = range(4)


def lane_product(engine: Engine, first: FirstOrder, slopes: Array, bends: Array, v: Array) -> Array:
    """``sum_s l' H_f v + l'' (grad f . v) grad f`` over samples side by side, from their first derivatives."""
    leaf, n_runs, turns = first.leaf, engine.schedule.n_runs, engine.turns
    axes, overlaps = np.empty_like(leaf.overlaps), np.empty_like(leaf.overlaps)
    tangents, scratch = np.empty_like(leaf.states), np.empty_like(leaf.states[0])
    hvp.site_axes(v, engine.columns.entries, leaf.axes, leaf.coefficients, axes)
    hvp.forward_tangent(leaf, turns, n_runs, axes, tangents)
    cotangent = _observe(engine, tangents[-1], first)
    hvp.backward_overlaps(leaf, turns, n_runs, axes, tangents, cotangent, scratch, overlaps)
    return _collect(engine, leaf, first.jacobian, overlaps, slopes, bends, v)


def _observe(engine: Engine, tangent: Array, first: FirstOrder) -> Array:
    """The observable times the tangent of the last block, as the adjoint state is made from the state."""
    out = np.empty_like(tangent)
    if engine.measurement is None:
        target = (first.targets[:, 0] + 1j * first.targets[:, 1]).T
        image = target * np.sum(np.conj(target) * (tangent[0] + 1j * tangent[1]), axis=0)
        out[0], out[1] = image.real, image.imag
    else:
        unused = np.empty(tangent.shape[-1])
        n_blocks = engine.schedule.n_blocks
        first_order.measure(tangent, first.leaf.diagonals, n_blocks, first.groups, unused, out)
    return out


def _collect(
    engine: Engine, leaf: Leaf, jacobian: Array, overlaps: Array, slopes: Array, bends: Array, v: Array
) -> Array:
    columns, rows = engine.columns, np.zeros_like(jacobian)
    first_order.add_gradients(overlaps, leaf.axes, columns.entries, leaf.coefficients, rows)
    total: Array = np.einsum("s,sp->p", slopes, rows)
    total += np.einsum("s,sp->p", bends * np.einsum("sp,p->s", jacobian, v), jacobian)
    hvp.add_pairs(v, slopes, columns, leaf, columns.pair_columns, total)
    return total


class LargeState:
    """One sample of a large circuit: its angles resolved, and four states.

    Args:
        engine: the engine of the circuit and observable.
        sample: the sample.
        leaf: a leaf of one sample whose runs are resolved (``Engine.resolve``); its arrays of states are not used.
        cosines: cosines of the runs' turns, (n_runs, 1).
        diagonal: fills an array with the phases of one diagonal, from one amplitude to another.
    """

    def __init__(
        self,
        engine: Engine,
        sample: Encoded,
        leaf: Leaf,
        cosines: Array,
        diagonal: Callable[[int, Array, int, int], None],
    ) -> None:
        self.engine, self.sample, self.leaf, self._diagonal = engine, sample, leaf, diagonal
        s, size = engine.schedule, 2**engine.schedule.n_qubits
        self.cos = np.where(s.run_turns, cosines[:, 0], 1.0)
        self.sin = np.where(s.run_turns, cosines[:, 0] * leaf.tans[:, 0], 0.0)
        self.states = np.zeros((4, 2, size))
        initial = sample.initial()
        if initial.size:
            self.states[PSI] = initial[:, :, 0]
        else:
            self.states[PSI, 0, sample.basis_states[0]] = 1.0
        self.phases = np.empty((2, size))
        self.overlaps = np.zeros((2, len(s.site_block), 3, 1))

    def product(self, derivatives: Callable[[Array], tuple[Array, Array]], v: Array) -> Array:
        """``l' H_f v + l'' (grad f . v) grad f``; ``derivatives`` maps f (1,) to l' and l''."""
        engine, leaf = self.engine, self.leaf
        axes = np.empty((len(engine.schedule.site_block), 3, 1))
        hvp.site_axes(v, engine.columns.entries, leaf.axes, leaf.coefficients, axes)
        for b in range(engine.schedule.n_blocks):
            self._forward(b, axes[:, :, 0])
        slopes, bends = derivatives(self._observe())
        for b in range(engine.schedule.n_blocks - 1, -1, -1):
            self._backward(b, axes[:, :, 0])
        jacobian = np.zeros((1, engine.n_carried))
        first_order.add_gradients(self.overlaps[0], leaf.axes, engine.columns.entries, leaf.coefficients, jacobian)
        with_overlaps = leaf._replace(overlaps=self.overlaps[0])
        return _collect(engine, with_overlaps, jacobian, self.overlaps[1], slopes, bends, v)

    def _forward(self, b: int, axes: Array) -> None:
        turned = [(*self._turned(runs), axes[runs]) for runs in self._groups(b)]
        self._turn(self.states[:2], b, turned, 1.0)
        _apply(self.engine.turns.unitaries, b, self.states[:2], 1.0)
        masks, weights = self._words(b, axes)
        if len(masks):
            self._over_pieces(0, kernels.add_words, self.states[:2], PSI, TAU, masks, weights, 1.0)

    def _backward(self, b: int, axes: Array) -> None:
        states, s = self.states, self.engine.schedule
        masks, weights = self._words(b, axes)
        if len(masks):
            words = slice(s.n_runs + s.block_words[b], s.n_runs + s.block_words[b + 1])
            for out, left, right in ((0, LAMBDA, PSI), (1, MU, PSI), (1, LAMBDA, TAU)):
                found = self._sums(0, (len(masks), 3), kernels.add_word_overlaps, states, left, right, masks)
                self.overlaps[out, words, :, 0] += found
            for source, target in ((LAMBDA, MU), (PSI, TAU)):
                self._over_pieces(0, kernels.add_words, states, source, target, masks, weights, -1.0)
        _apply(s.unitaries, b, states, -1.0)
        groups = self._groups(b)
        if b > 0:
            self._over_pieces(0, self._diagonal, b, self.phases)
        for runs in groups:
            n_turned = len(axes[runs])
            turned = (states, *self._turned(runs), axes[runs], self.phases, b > 0 and runs == groups[-1])
            found = self._sums(n_turned, (n_turned, 2, 3), kernels.backward_group, *turned)
            self.overlaps[:, runs, :, 0] = found.transpose(1, 0, 2)
        if b > 0 and not groups:
            self._over_pieces(0, kernels.multiply_states, states, self.phases, -1.0)

    def _observe(self) -> Array:
        """lambda = O psi and mu = O tau; returns f, shape (1,)."""
        pair, images = self.states[:2], self.states[2:]
        if self.engine.measurement is None:
            target = np.ascontiguousarray(self.engine.targets_of(self.sample)[:, 0])
            self._over_pieces(0, self._diagonal, self.engine.schedule.n_blocks, self.phases)
            overlaps = self._sums(0, (2, 2), kernels.project, self.states, self.phases, target)
            self._over_pieces(0, kernels.fill_images, self.states, self.phases, target, overlaps)
            fidelity: Array = np.sum(overlaps[:1] ** 2, axis=1)
            return fidelity
        groups = self.engine.groups_of(self.sample)
        expval = groups.offset.copy()
        for g, weights in enumerate(np.ascontiguousarray(groups.weights[:, :, 0])):
            measured = images if g == 0 else np.empty_like(images)
            measured[:] = pair
            self._turn_to(groups, g, measured, 1.0)
            expval += self._sums(0, (1,), kernels.weigh, measured, weights)
            self._turn_to(groups, g, measured, -1.0)
            if g > 0:
                images += measured
        return expval

    def _turn_to(self, groups: Groups, g: int, states: Array, direction: float) -> None:
        """Take states to the basis of a measured group, or back."""
        first, stop = groups.turns[g], groups.turns[g + 1]
        if groups.tails[g] < 0:
            return
        if direction < 0:
            _apply(groups.unitaries, g, states, -1.0)
        turned = []
        for start in range(first, stop, kernels.GROUP):
            part = slice(start, min(start + kernels.GROUP, stop))
            cos = 1 / np.sqrt(1 + groups.tans[part] ** 2)
            sin = direction * cos * groups.tans[part]
            turned.append((groups.x[part], groups.r[part], cos, sin, np.zeros((len(cos), 3))))
        self._turn(states, self.engine.schedule.n_blocks + int(groups.tails[g]), turned, direction)
        if direction > 0:
            _apply(groups.unitaries, g, states, 1.0)

    def _turn(self, states: Array, number: int, turned: list[tuple[Any, ...]], direction: float) -> None:
        """All turns of a block after its diagonal; or (direction -1) before the conjugate of it."""
        self._over_pieces(0, self._diagonal, number, self.phases)
        scaling = 0 if direction > 0 else len(turned) - 1  # the group that is in the cache when the diagonal is due
        for i, group in enumerate(turned):
            scale = direction if i == scaling else 0.0
            self._over_pieces(len(group[0]), kernels.forward_group, states, *group, self.phases, scale)
        if not turned:
            self._over_pieces(0, kernels.multiply_states, states, self.phases, direction)

    def _turned(self, runs: slice) -> tuple[Ints, Ints, Array, Array]:
        s = self.engine.schedule
        return s.site_x[runs], s.site_r[runs], self.cos[runs], self.sin[runs]

    def _groups(self, b: int) -> list[slice]:
        start, stop = self.engine.schedule.block_runs[b : b + 2]
        return [slice(i, min(i + kernels.GROUP, stop)) for i in range(start, stop, kernels.GROUP)]

    def _words(self, b: int, axes: Array) -> tuple[Ints, Array]:
        s = self.engine.schedule
        words = slice(s.n_runs + s.block_words[b], s.n_runs + s.block_words[b + 1])
        return s.site_r[words], np.ascontiguousarray(axes[words, 2])

    def _over_pieces(self, n_turned: int, work: Callable[..., object], *arguments: object) -> None:
        """Run ``work(*arguments, first, stop)`` on pieces of the cosets of ``n_turned`` qubits."""
        run_all([partial(work, *arguments, *piece) for piece in self._pieces(n_turned)])

    def _sums(self, n_turned: int, shape: tuple[int, ...], work: Callable[..., object], *arguments: object) -> Array:
        """The sum over the pieces of what ``work(*arguments, first, stop, out)`` adds to zeros, in their order."""
        pieces = self._pieces(n_turned)
        found = np.zeros((len(pieces), *shape))
        run_all([partial(work, *arguments, *piece, out) for piece, out in zip(pieces, found, strict=True)])
        total: Array = np.sum(found, axis=0)
        return total

    def _pieces(self, n_turned: int) -> list[tuple[int, int]]:
        n_cosets = self.states.shape[2] >> n_turned
        step = max(n_cosets // PIECES, SMALLEST_PIECE >> n_turned, 1)
        return [(start, min(start + step, n_cosets)) for start in range(0, n_cosets, step)]


def _apply(unitaries: Unitaries, b: int, states: Array, direction: float) -> None:
    """The unitaries of a block on every state."""
    for state in states:
        apply_unitaries(unitaries, b, direction, state[:, :, np.newaxis], 1)
