r"""Loss, gradient, Hessian and metric of ``sum_s l(<psi_s| O |psi_s>, y_s)`` for a circuit.

Samples are taken in fixed leaves of 32; a leaf is summed by one thread, leaves are added in their order.
So the same bytes come out whatever the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.circuits.observables import Observable, PauliSum, Projector
from vqc_landscape.circuits.program import Circuit
from vqc_landscape.simulator import directional
from vqc_landscape.simulator import states as first_order
from vqc_landscape.simulator import tangents as second_order
from vqc_landscape.simulator.columns import make_columns
from vqc_landscape.simulator.measurement import check_fits, measured_groups
from vqc_landscape.simulator.memory import side_by_side
from vqc_landscape.simulator.schedule import Ints, make_schedule
from vqc_landscape.simulator.threads import map_in_order
from vqc_landscape.simulator.wide import add_groups_gram_wide, sweep_wide
from vqc_landscape.simulator.workspace import Leaf, Scratch, aligned_zeros, make_scratch, make_turns

LEAF = 32  # samples that are summed before anything else; part of the result's bytes
WIDE_WIDTH = 64  # the same where the threads share a sample: more chunks than threads
MAX_WIDTH = 136  # tangent columns of one array: long enough to vectorise, short enough for the cache


@dataclass(frozen=True)
class FirstOrder:
    """First derivatives of a leaf of samples.

    Attributes:
        expvals: f, shape (n_samples,).
        jacobian: df/dparams of the carried parameters, shape (n_samples, n_carried).
        leaf: what the second derivatives start from.
        targets: the target state pulled back before the last diagonal, (2, 2**n, n_samples); projectors only.
        target_weights: weights of Re and Im of <target|T> in the Gram matrix, (2, n_samples); projectors only.
    """

    expvals: Array
    jacobian: Array
    leaf: Leaf
    targets: Array
    target_weights: Array


class Engine:
    """Derivatives of one circuit and observable.

    Args:
        circuit: the program.
        observable: what is measured.
        published: the arithmetic of the paper's published code instead of the exact one. For Pauli sums the
            bra is a constant: half the gradient, and no ``<T_i|O|T_j>`` in the second derivative. For
            projectors ``|Re(z^2)|`` stands for ``|z|^2``, z = <target|psi>.
        carried: parameters whose derivatives are taken; all if None. Their order in Jacobians and Hessians is
            that of ``columns.params``.

    Raises:
        ValueError: the observable does not fit the circuit.
    """

    def __init__(
        self, circuit: Circuit, observable: Observable, published: bool = False, carried: Ints | None = None
    ) -> None:
        check_fits(observable, circuit.n_qubits)
        self.circuit = circuit
        self.observable = observable
        self.published = published
        n_qubits = circuit.n_qubits
        self.schedule = make_schedule(circuit)
        self.columns = make_columns(circuit, self.schedule, np.arange(circuit.n_params) if carried is None else carried)
        self.turns = make_turns(self.schedule)
        # with a constant bra, the identity has derivatives, too: no shift of the observable there
        self.groups = (
            measured_groups(observable, self.schedule.frame, shift=not published)
            if isinstance(observable, PauliSum)
            else None
        )
        # the diagonals after the last block: one for each basis change, or one for a target state
        self.tail_phases = self.groups.tail_phases if self.groups else np.ones((1, n_qubits + 1), dtype=np.complex128)
        if isinstance(observable, Projector):  # the last row of `order` takes stored states to physical ones
            self.target = observable.state[self.schedule.order[-1]]
        self.lanes = min(LEAF, max(1, 2 ** (13 - n_qubits)))  # samples side by side: keeps the states in cache

    # --- first order -----------------------------------------------------------------------------------

    def expvals(self, params: Array, coefficients: Array) -> Array:
        """f of every sample, shape (n_samples,)."""
        leaves = self._leaves(len(coefficients))
        return np.concatenate(list(map_in_order(lambda part: self._expvals(params, coefficients[part]), list(leaves))))

    def jacobian(self, params: Array, coefficients: Array) -> tuple[Array, Array]:
        """f (n_samples,) and df/dparams (n_samples, n_carried) of every sample."""
        leaves = list(self._leaves(len(coefficients)))
        parts = list(map_in_order(lambda part: self._leaf_jacobian(params, coefficients[part]), leaves))
        return np.concatenate([f for f, _ in parts]), np.concatenate([jacobian for _, jacobian in parts])

    def _leaf_jacobian(self, params: Array, coefficients: Array) -> tuple[Array, Array]:
        parts = [self.first_order(params, coefficients[lane]) for lane in self._lanes(len(coefficients))]
        return np.concatenate([p.expvals for p in parts]), np.concatenate([p.jacobian for p in parts])

    def _expvals(self, params: Array, coefficients: Array) -> Array:
        pieces = [self._forward(params, coefficients[lane]) for lane in self._lanes(len(coefficients))]
        return np.concatenate([self.measure(piece)[0] for piece in pieces])

    def first_order(self, params: Array, coefficients: Array) -> FirstOrder:
        """Forward and adjoint sweep over samples that fit side by side."""
        leaf = self._forward(params, coefficients)
        expvals, targets, target_weights = self.measure(leaf)
        turns = self.turns
        first_order.backward(leaf.diagonals, turns, leaf.tans, leaf.adjoints, np.empty_like(leaf.states[0]))
        first_order.site_overlaps(leaf.adjoints, leaf.states, turns, leaf.overlaps)
        jacobian = np.zeros((len(coefficients), self.n_carried))
        first_order.add_gradients(leaf.overlaps, leaf.axes, self.columns.entries, leaf.coefficients, jacobian)
        if self.published and self.groups is not None:
            jacobian *= 0.5
        return FirstOrder(expvals, jacobian, leaf, targets, target_weights)

    def _forward(self, params: Array, coefficients: Array) -> Leaf:
        s, n_samples = self.schedule, len(coefficients)
        half = 0.5 * self.circuit.angles(params, coefficients)
        cos, sin = np.cos(half), np.sin(half)
        size, n_tails = 2**s.n_qubits, len(self.tail_phases)
        leaf = Leaf(
            diagonals=np.empty((s.n_blocks + n_tails, 2, size, n_samples)),
            states=np.empty((s.n_blocks, 2, size, n_samples)),
            adjoints=np.empty((s.n_blocks, 2, size, n_samples)),
            tans=np.empty((s.n_runs, n_samples)),
            axes=np.empty((cos.shape[1], n_samples, 3)),
            overlaps=np.empty((len(s.site_block), 3, n_samples)),
            coefficients=np.ascontiguousarray(coefficients),
            phases=np.empty(n_samples, np.complex128),
        )
        leaf.axes[s.word_rotation] = (0.0, 0.0, 1.0)
        cosines = np.empty_like(leaf.tans)
        alphas, gammas = np.empty(leaf.tans.shape, np.complex128), np.empty(leaf.tans.shape, np.complex128)
        elements = (s.run_starts, s.element_axis, s.element_index, s.matrices, first_order.smallest_cos(s.n_qubits))
        first_order.resolve_runs(elements, cos, sin, leaf.tans, cosines, alphas, gammas, leaf.phases, leaf.axes)
        leaf.phases[:] *= s.phase
        layout = (
            s.block_runs, s.site_r[: s.n_runs], s.alpha_slot, s.gamma_slot, s.order, s.signs,
            s.block_words, s.site_r[s.n_runs :], s.word_rotation,
        )  # fmt: skip
        first_order.fill_diagonals(
            layout, cos, sin, cosines, alphas, gammas, s.run_turns, self.tail_phases, leaf.adjoints[0], leaf.diagonals
        )
        turns = self.turns
        first_order.forward(leaf.diagonals, turns, leaf.tans, leaf.states)
        return leaf

    def measure(self, leaf: Leaf) -> tuple[Array, Array, Array]:
        """f, and for projectors the pulled-back target and its Gram weights; fills the last adjoint."""
        if self.groups is None:
            return self._measure_target(leaf)
        final, expvals = leaf.states[-1], np.empty(leaf.states.shape[-1])
        first_order.measure(
            final, leaf.diagonals, self.schedule.n_blocks, self.groups, expvals, leaf.adjoints[-1], np.empty_like(final)
        )
        return expvals, np.empty((2, 0, 0)), np.empty((2, 0))

    def _measure_target(self, leaf: Leaf) -> tuple[Array, Array, Array]:
        final, adjoint, tail = leaf.states[-1], leaf.adjoints[-1], leaf.diagonals[self.schedule.n_blocks]
        # the states lack the phase of their runs, so the target goes without it, too
        target = np.conj((tail[0] + 1j * tail[1]) * leaf.phases) * self.target[:, None]
        overlap = np.sum(np.conj(target) * (final[0] + 1j * final[1]), axis=0)
        if self.published:
            square = (overlap**2).real
            sign = np.where(square < 0, -1.0, 1.0)
            expvals, pulled = np.abs(square), sign * np.conj(overlap) * target
            weights = np.stack([sign, -sign])
        else:
            expvals, pulled = np.abs(overlap) ** 2, overlap * target
            weights = np.ones((2, len(overlap)))
        adjoint[0], adjoint[1] = pulled.real, pulled.imag
        return expvals, np.stack([target.real, target.imag]), weights

    # --- second order ----------------------------------------------------------------------------------

    def hessian(
        self, params: Array, coefficients: Array, derivatives: Callable[[Array, slice], tuple[Array, Array]]
    ) -> Array:
        """``sum_s l'(f_s) d_i d_j f_s + l''(f_s) d_i f_s d_j f_s``, shape (n_carried, n_carried).

        Args:
            params: all parameters, radians.
            coefficients: see :meth:`Circuit.coefficients`, a row per sample.
            derivatives: maps f of a slice of the samples to l' and l''.
        """
        leaves = list(self._leaves(len(coefficients)))
        total = np.zeros((self.n_carried, self.n_carried))
        at_once = side_by_side(self.hessian_bytes, f"The Hessian of {self.n_carried} parameters")
        if self.is_wide:  # the threads work inside a sample, not on several leaves
            parts: Iterable[Array] = (self._leaf_hessian(params, coefficients, leaf, derivatives) for leaf in leaves)
        else:
            parts = map_in_order(
                lambda leaf: self._leaf_hessian(params, coefficients, leaf, derivatives), leaves, at_once
            )
        for part in parts:
            total += part
        return total

    def _leaf_hessian(
        self,
        params: Array,
        coefficients: Array,
        samples: slice,
        derivatives: Callable[[Array, slice], tuple[Array, Array]],
    ) -> Array:
        tangents, second, gram, outer = self._tangent_arrays()
        shared = (self.turns, self.columns)
        arrays = (self._scratch(), tangents, second, gram)
        for lane in self._lanes(samples.stop - samples.start):
            part = slice(samples.start + lane.start, samples.start + lane.stop)
            first = self.first_order(params, coefficients[part])
            slopes, bends = derivatives(first.expvals, part)
            if self.is_wide:
                self._add_wide(slopes, first, *arrays)
            elif self.groups is None:
                second_order.add_target(slopes, first.leaf, *shared, first.targets, first.target_weights, *arrays)
            else:
                second_order.add_groups(slopes, first.leaf, *shared, self.groups, *arrays)
            second_order.add_outer_products(first.jacobian, bends, outer)
        hessian = np.empty((self.n_carried, self.n_carried))
        detached = self.published and self.groups is not None
        second_order.assemble(gram, 0.0 if detached else 2.0, second, 1.0 if detached else 2.0, outer, hessian)
        return hessian

    def _add_wide(
        self,
        slopes: Array,
        first: FirstOrder,
        scratch: Scratch,
        tangents: Array,
        second: Array,
        gram: Array,
    ) -> None:
        for sample, slope in enumerate(slopes):
            shared = (first.leaf, self.turns, self.columns, scratch, tangents, second)
            sweep_wide(sample, slope, True, *shared)
            if self.groups is None:
                w_re, w_im = slope * first.target_weights[:, sample]
                second_order.add_target_gram(sample, w_re, w_im, first.targets, scratch, tangents, gram)
            else:
                add_groups_gram_wide(sample, slope, first.leaf, self.groups, scratch, tangents, gram)

    def ggn(
        self, params: Array, coefficients: Array, derivatives: Callable[[Array, slice], tuple[Array, Array]]
    ) -> Array:
        """``sum_s l''(f_s) d_i f_s d_j f_s``, shape (n_carried, n_carried)."""
        expvals, jacobian = self.jacobian(params, coefficients)
        _, bends = derivatives(expvals, slice(0, len(expvals)))
        return jacobian.T @ (bends[:, None] * jacobian)

    def hvp(
        self,
        params: Array,
        coefficients: Array,
        derivatives: Callable[[Array, slice], tuple[Array, Array]],
        v: Array,
    ) -> Array:
        """The Hessian of :meth:`hessian` times v, both (n_carried,), in the time of a few gradients.

        Raises:
            ValueError: for the published arithmetic, whose Hessian is not the derivative of its gradient.
        """
        if self.published:
            raise ValueError("Hessian-vector products are defined for the exact convention only.")
        leaves = list(self._leaves(len(coefficients)))
        total = np.zeros(self.n_carried)
        for part in map_in_order(lambda leaf: self._leaf_hvp(params, coefficients, leaf, derivatives, v), leaves):
            total += part
        return total

    def _leaf_hvp(
        self,
        params: Array,
        coefficients: Array,
        samples: slice,
        derivatives: Callable[[Array, slice], tuple[Array, Array]],
        v: Array,
    ) -> Array:
        total = np.zeros(self.n_carried)
        n_runs, turns = self.schedule.n_runs, self.turns
        for lane in self._lanes(samples.stop - samples.start):
            part = slice(samples.start + lane.start, samples.start + lane.stop)
            first = self.first_order(params, coefficients[part])
            leaf = first.leaf
            slopes, bends = derivatives(first.expvals, part)
            axes, overlaps = np.empty_like(leaf.overlaps), np.empty_like(leaf.overlaps)
            tangents, scratch = np.empty_like(leaf.states), np.empty_like(leaf.states[0])
            directional.site_axes(v, self.columns.entries, leaf.axes, leaf.coefficients, axes)
            directional.forward_tangent(leaf, turns, n_runs, axes, tangents)
            cotangent = self._observe(tangents[-1], first)
            directional.backward_overlaps(leaf, turns, n_runs, axes, tangents, cotangent, scratch, overlaps)
            rows = np.zeros_like(first.jacobian)
            first_order.add_gradients(overlaps, leaf.axes, self.columns.entries, leaf.coefficients, rows)
            total += np.einsum("s,sp->p", slopes, rows)
            total += np.einsum("s,sp->p", bends * np.einsum("sp,p->s", first.jacobian, v), first.jacobian)
            directional.add_pairs(v, slopes, self.columns, leaf, self.columns.pair_columns, total)
        return total

    def _observe(self, tangent: Array, first: FirstOrder) -> Array:
        """The observable times the tangent of the last block, as the adjoint state is made from the state."""
        out = np.empty_like(tangent)
        if self.groups is None:
            target = first.targets[0] + 1j * first.targets[1]
            image = target * np.sum(np.conj(target) * (tangent[0] + 1j * tangent[1]), axis=0)
            out[0], out[1] = image.real, image.imag
        else:
            unused = np.empty(tangent.shape[-1])
            n_blocks, scratch = self.schedule.n_blocks, np.empty_like(tangent)
            first_order.measure(tangent, first.leaf.diagonals, n_blocks, self.groups, unused, out, scratch)
        return out

    def metric_tensor(self, params: Array) -> Array:
        r"""Fubini-Study metric ``Re<T_i|T_j> - Re(<T_i|psi><psi|T_j>)`` of a circuit without data, (P, P)."""
        leaf = self._forward(params, self.circuit.coefficients(self.circuit.feature_rows(None)))
        tangents, second, gram, outer = self._tangent_arrays()
        scratch = self._scratch()
        sweep = sweep_wide if self.is_wide else second_order.sweep_tangents
        sweep(0, 0.0, False, leaf, self.turns, self.columns, scratch, tangents, second)
        identity = measured_groups(PauliSum(((1.0, "", ()),)), self.schedule.frame, shift=False)
        second_order.add_groups_gram(0, 1.0, leaf.diagonals, 0, identity, scratch, tangents, gram)
        second_order.add_target_gram(0, -1.0, -1.0, leaf.states[-1], scratch, tangents, gram)
        metric = np.empty((self.n_carried, self.n_carried))
        second_order.assemble(gram, 1.0, second, 0.0, outer, metric)
        return metric

    # --- layout ----------------------------------------------------------------------------------------

    @property
    def n_carried(self) -> int:
        """Number of carried tangents."""
        return len(self.columns.params)

    @property
    def hessian_bytes(self) -> int:
        """Memory of one leaf of a Hessian: tangents, generators, states of all blocks, and three sums."""
        amplitude = 2 * 8 * 2**self.circuit.n_qubits  # real and imaginary part, of a whole state
        n_slots = int(np.max(np.diff(self.columns.step_slots), initial=1))
        columns = -(-self.n_carried // self._width) * self._width
        n_states = (3 * self.schedule.n_blocks + len(self.tail_phases) + 2) * self.lanes
        return int(amplitude * (columns + 2 * n_slots + n_states) + 4 * 8 * columns**2)

    @property
    def is_wide(self) -> bool:
        """Whether the threads share one sample: a state of 2**13 amplitudes fills the cache of a core."""
        return self.circuit.n_qubits >= 13

    @property
    def _width(self) -> int:
        return min(WIDE_WIDTH if self.is_wide else MAX_WIDTH, max(-(-self.n_carried // 8) * 8, 8))

    def _tangent_arrays(self) -> tuple[Array, Array, Array, Array]:
        """Tangents, and three (P, P) sums in chunks of columns: second, Gram, outer products of gradients."""
        width = self._width
        n_chunks = max(-(-self.n_carried // width), 1)
        shape = (n_chunks, n_chunks * width, width)
        tangents = aligned_zeros((n_chunks, 2, 2**self.circuit.n_qubits, width))
        second, gram, outer = (aligned_zeros(shape) for _ in range(3))
        return tangents, second, gram, outer

    def _scratch(self) -> Scratch:
        width = self._width
        n_slots = int(np.max(np.diff(self.columns.step_slots), initial=1))
        n_rows = max(-(-self.n_carried // width), 1) * width
        n_entries = int(np.max(np.diff(self.columns.group_entries), initial=1))
        return make_scratch(self.circuit.n_qubits, n_slots, n_entries, width, n_rows)

    def _leaves(self, n_samples: int) -> Iterator[slice]:
        for start in range(0, n_samples, LEAF):
            yield slice(start, min(start + LEAF, n_samples))

    def _lanes(self, n_samples: int) -> Iterator[slice]:
        for start in range(0, n_samples, self.lanes):
            yield slice(start, min(start + self.lanes, n_samples))
