r"""Loss, gradient, Hessian and metric of ``sum_s l(<psi_s| O |psi_s>, y_s)`` for a circuit.

Samples are taken in leaves, whose size follows from the number of samples alone; a leaf is summed by one thread, and
leaves are added in their order. So the same bytes come out whatever the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array
from vqc_landscape.circuits.observables import Observable, PauliSum, ProductSum, Projector
from vqc_landscape.circuits.program import Circuit
from vqc_landscape.simulator.compile.columns import make_columns
from vqc_landscape.simulator.compile.encoding import Encoded, encode
from vqc_landscape.simulator.compile.measurement import (
    Measurement,
    check_fits,
    measure_target,
    no_groups,
    seen_gates,
)
from vqc_landscape.simulator.compile.schedule import Ints, make_schedule
from vqc_landscape.simulator.cpu import first_order, second_order
from vqc_landscape.simulator.cpu.first_order import smallest_cos
from vqc_landscape.simulator.cpu.hvp_large import FEW, LARGE, LargeState, lane_product
from vqc_landscape.simulator.cpu.jit import Helper
from vqc_landscape.simulator.cpu.matmul import compile_products
from vqc_landscape.simulator.cpu.second_order_threads import add_samples_wide
from vqc_landscape.simulator.cpu.workspace import (
    FirstOrder,
    Groups,
    Leaf,
    Pool,
    Runs,
    Samples,
    SecondOrder,
    empty_leaf,
    empty_samples,
    make_second_order,
    make_turns,
)
from vqc_landscape.simulator.memory import side_by_side
from vqc_landscape.simulator.threads import map_in_order, n_threads

SMALLEST_LEAF = 8  # with fewer samples, the second thread costs what it gains
LEAF = 32  # samples that are summed before anything else; part of the result's bytes
WIDE_WIDTH = 64  # the same where the threads share a sample: more chunks than threads
MAX_WIDTH = 136  # tangent columns of one array: long enough to vectorise, short enough for the cache

_helper = Helper("vqc_landscape.simulator.cpu.warm_up", second_order.add_samples)


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
        self.schedule = make_schedule(circuit, seen_gates(circuit, observable, published))
        self.columns = make_columns(circuit, self.schedule, np.arange(circuit.n_params) if carried is None else carried)
        self.turns = make_turns(self.schedule)
        # with a constant bra, the identity has derivatives, too: no shift of the observable there
        # the diagonals after the last block: one for each basis change, or one for a target state
        self.measurement: Measurement | None = None
        if isinstance(observable, PauliSum | ProductSum):
            self.measurement = Measurement(observable, self.schedule.wire_masks, shift=not published)
            self.tail_phases = self.measurement.groups.tail_phases
        else:
            self.tail_phases = np.ones((1, n_qubits + 1), dtype=np.complex128)
            self._no_groups = no_groups(n_qubits)
            if isinstance(observable, Projector):
                self._target = observable.state[:, np.newaxis]
        self._pool = Pool()

    # --- first order -----------------------------------------------------------------------------------

    def expvals(self, params: Array, samples: Encoded) -> Array:
        """f of every sample, shape (n_samples,)."""
        lanes = list(self._lanes(samples.n_samples))
        return np.concatenate(list(map_in_order(lambda lane: self._lane_expvals(params, samples.part(lane)), lanes)))

    def jacobian(self, params: Array, samples: Encoded) -> tuple[Array, Array]:
        """f (n_samples,) and df/dparams (n_samples, n_carried) of every sample."""
        lanes = list(self._lanes(samples.n_samples))
        parts = list(map_in_order(lambda lane: self._lane_jacobian(params, samples.part(lane)), lanes))
        return np.concatenate([f for f, _ in parts]), np.concatenate([jacobian for _, jacobian in parts])

    def _lane_expvals(self, params: Array, samples: Encoded) -> Array:
        with self._forward(params, samples) as leaf:
            return self.measure(leaf, samples)[0]

    def _lane_jacobian(self, params: Array, samples: Encoded) -> tuple[Array, Array]:
        with self._first_order(params, samples) as first:
            return first.expvals, first.jacobian

    @contextmanager
    def _first_order(self, params: Array, samples: Encoded) -> Iterator[FirstOrder]:
        """Forward and adjoint sweep over samples that fit side by side."""
        with self._forward(params, samples) as leaf:
            expvals, targets, target_weights = self.measure(leaf, samples)
            jacobian = np.zeros((samples.n_samples, self.n_carried))
            first_order.backward(leaf.diagonals, self.turns, leaf.tans, leaf.adjoints)
            first_order.site_overlaps(leaf.adjoints, leaf.states, self.turns, leaf.overlaps)
            first_order.add_gradients(leaf.overlaps, leaf.axes, self.columns.entries, leaf.coefficients, jacobian)
            if self._is_detached:
                jacobian *= 0.5
            yield FirstOrder(expvals, jacobian, leaf, self.groups_of(samples), targets, target_weights)

    @contextmanager
    def _forward(self, params: Array, samples: Encoded) -> Iterator[Leaf]:
        """States of all blocks; the arrays go back to the pool at the end."""
        with self._pool.lend(self._new_leaf, samples.n_samples) as arrays:
            leaf, runs = self._resolve(params, samples.coefficients, arrays)
            size = leaf.diagonals.shape[2]
            self._fill_diagonals(runs, self.tail_phases, 0, 0, size, leaf.diagonals)
            initial = (samples.basis_states, samples.initial())
            first_order.forward(leaf.diagonals, self.turns, leaf.tans, *initial, leaf.states)
            yield leaf

    def _resolve(self, params: Array, coefficients: Array, arrays: Leaf) -> tuple[Leaf, Runs]:
        """Angles and runs of some samples, the former into their leaf."""
        s, leaf = self.schedule, arrays._replace(coefficients=np.ascontiguousarray(coefficients))
        half = 0.5 * self.circuit.angles(params, coefficients)
        cos, sin = np.cos(half), np.sin(half)
        leaf.axes[s.word_rotation] = (0.0, 0.0, 1.0)
        alphas, gammas = (np.empty(leaf.tans.shape, np.complex128) for _ in range(2))
        runs = Runs(cos, sin, np.empty_like(leaf.tans), alphas, gammas, s.run_turns)
        elements = (s.run_starts, s.element_axis, s.element_index, s.matrices, smallest_cos(s.n_qubits))
        values = (leaf.tans, runs.cosines, alphas, gammas, leaf.phases, leaf.axes)
        first_order.resolve_runs(elements, cos, sin, *values)
        leaf.phases[:] *= s.phase
        return leaf, runs

    def _fill_diagonals(
        self, runs: Runs, tail_phases: NDArray[np.complex128], number: int, first: int, stop: int, out: Array
    ) -> None:
        first_order.fill_diagonals(self.schedule.layout, tuple(runs), tail_phases, number, first, stop, out)

    def measure(self, leaf: Leaf, samples: Encoded) -> tuple[Array, Array, Array]:
        """f, and for projectors the pulled-back target and its Gram weights; fills the last adjoint."""
        if self.measurement is None:
            tail = leaf.diagonals[self.schedule.n_blocks]
            return measure_target(leaf, tail, self.targets_of(samples), self.published)
        size, n_samples = leaf.states.shape[2:]
        expvals = np.empty(n_samples)
        groups = self.groups_of(samples)
        first_order.measure(leaf.states[-1], leaf.diagonals, self.schedule.n_blocks, groups, expvals, leaf.adjoints[-1])
        return expvals, np.empty((0, 2, size)), np.empty((2, 0))

    def groups_of(self, samples: Encoded) -> Groups:
        """What is measured of some samples; no groups for a projector."""
        if self.measurement is None:
            return self._no_groups
        return self.measurement.of(samples.measured) if samples.measured.size else self.measurement.groups

    def targets_of(self, samples: Encoded) -> NDArray[np.complex128]:
        """Target states as states are stored, (2**n_qubits, 1 or n_samples)."""
        targets = samples.targets.T if samples.targets.size else self._target
        stored: NDArray[np.complex128] = targets[self.schedule.order[-1]]
        return stored

    # --- second order ----------------------------------------------------------------------------------

    def hessian(
        self, params: Array, samples: Encoded, derivatives: Callable[[Array, slice], tuple[Array, Array]]
    ) -> Array:
        """``sum_s l'(f_s) d_i d_j f_s + l''(f_s) d_i f_s d_j f_s``, shape (n_carried, n_carried).

        Args:
            params: all parameters, radians.
            samples: see :func:`encode`.
            derivatives: maps f of a slice of the samples to l' and l''.
        """
        leaves = list(self._leaves(samples.n_samples))
        total = np.zeros((self.n_carried, self.n_carried))
        at_once = side_by_side(self.hessian_bytes, f"The Hessian of {self.n_carried} parameters")
        if n_threads() > 1 and not self.is_wide and _helper.start():
            compile_products()  # the first derivatives, below, are the other half of the work
        if self.is_wide:  # the threads work inside a sample, not on several leaves
            parts: Iterable[Array] = (self._leaf_hessian(params, samples, leaf, derivatives) for leaf in leaves)
        else:
            parts = map_in_order(lambda leaf: self._leaf_hessian(params, samples, leaf, derivatives), leaves, at_once)
        for part in parts:
            total += part
        return total

    def _leaf_hessian(
        self,
        params: Array,
        samples: Encoded,
        leaf: slice,
        derivatives: Callable[[Array, slice], tuple[Array, Array]],
    ) -> Array:
        with self._second_order() as sums:
            for lane in self._lanes(leaf.stop - leaf.start):
                part = slice(leaf.start + lane.start, leaf.start + lane.stop)
                with self._first_order(params, samples.part(part)) as first:
                    slopes, bends = derivatives(first.expvals, part)
                    measured = (first.groups, first.targets, first.target_weights)
                    self._add_samples(slopes, True, first.leaf, *measured, sums)
                    second_order.add_outer_products(first.jacobian, bends, sums.outer)
            hessian = np.empty((self.n_carried, self.n_carried))
            factors = (0.0, 1.0) if self._is_detached else (2.0, 2.0)
            second_order.assemble(sums.gram, factors[0], sums.second, factors[1], sums.outer, hessian)
        return hessian

    def _add_samples(
        self,
        slopes: Array,
        with_second: bool,
        leaf: Leaf,
        groups: Groups,
        targets: Array,
        target_weights: Array,
        sums: SecondOrder,
    ) -> None:
        """Second-order terms of samples side by side, each times its slope."""
        _helper.wait()
        with self._pool.lend(empty_samples, leaf.states.shape, leaf.diagonals.shape) as arrays:
            samples = self._one_after_the_other(leaf, arrays)
            add = add_samples_wide if self.is_wide else second_order.add_samples
            work = (sums.scratch, sums.tangents, sums.second, sums.gram)
            add(slopes, with_second, samples, self.turns, self.columns, groups, targets, target_weights, *work)

    def compile_second_order(self) -> None:
        """Compile what second derivatives need, all but the first ones, by a call without a sample."""
        size = 2**self.circuit.n_qubits
        with self._pool.lend(self._new_leaf, 2) as leaf, self._second_order() as sums:
            none = (no_groups(self.circuit.n_qubits), np.empty((0, 2, size)), np.empty((2, 0)))
            self._add_samples(np.empty(0), True, leaf, *none, sums)
            second_order.add_outer_products(np.empty((0, self.n_carried)), np.empty(0), sums.outer)
            hessian = np.empty((self.n_carried, self.n_carried))
            second_order.assemble(sums.gram, 0.0, sums.second, 0.0, sums.outer, hessian)

    def _one_after_the_other(self, leaf: Leaf, arrays: tuple[Array, Array, Array]) -> Samples:
        n_samples = leaf.states.shape[-1]
        sources = (leaf.diagonals, leaf.states, leaf.adjoints)
        if n_samples == 1:
            diagonals, states, adjoints = (source.reshape(1, *source.shape[:-1]) for source in sources)
        else:
            diagonals, states, adjoints = arrays
            for source, out in zip(sources, arrays, strict=True):
                second_order.by_sample(source, out)
        tans = np.ascontiguousarray(leaf.tans[self.turns.runs].T)
        return Samples(diagonals, states, adjoints, tans, leaf.axes, leaf.overlaps, leaf.coefficients)

    @contextmanager
    def _second_order(self) -> Iterator[SecondOrder]:
        """Work arrays, the sums set to zero; they go back to the pool at the end."""
        with self._pool.lend(self._new_second_order) as arrays:
            for total in (arrays.second, arrays.gram, arrays.outer):
                total.fill(0.0)
            yield arrays

    def ggn(self, params: Array, samples: Encoded, derivatives: Callable[[Array, slice], tuple[Array, Array]]) -> Array:
        """``sum_s l''(f_s) d_i f_s d_j f_s``, shape (n_carried, n_carried)."""
        expvals, jacobian = self.jacobian(params, samples)
        _, bends = derivatives(expvals, slice(0, len(expvals)))
        return jacobian.T @ (bends[:, None] * jacobian)

    def hvp(
        self,
        params: Array,
        samples: Encoded,
        derivatives: Callable[[Array, slice], tuple[Array, Array]],
        v: Array,
    ) -> Array:
        """The Hessian of :meth:`hessian` times v, both (n_carried,), in the time of a few gradients.

        Raises:
            ValueError: for the published arithmetic, whose Hessian is not the derivative of its gradient.
        """
        if self.published:
            raise ValueError("Hessian-vector products are defined for the exact convention only.")
        leaves = list(self._leaves(samples.n_samples))
        total = np.zeros(self.n_carried)
        for part in map_in_order(lambda leaf: self._leaf_hvp(params, samples, leaf, derivatives, v), leaves):
            total += part
        return total

    def _leaf_hvp(
        self,
        params: Array,
        samples: Encoded,
        leaf: slice,
        derivatives: Callable[[Array, slice], tuple[Array, Array]],
        v: Array,
    ) -> Array:
        total = np.zeros(self.n_carried)
        alone = self.takes_one(leaf.stop - leaf.start)
        step = 1 if alone else self.lanes
        for start in range(leaf.start, leaf.stop, step):
            part = slice(start, min(start + step, leaf.stop))
            if alone:
                state = self._large_state(params, samples.part(part))
                total += state.product(partial(_of_samples, derivatives, part), v)
            else:
                with self._first_order(params, samples.part(part)) as first:
                    total += lane_product(self, first, *derivatives(first.expvals, part), v)
        return total

    def _large_state(self, params: Array, sample: Encoded) -> LargeState:
        size, tails = 2**self.circuit.n_qubits, self.tail_phases.copy()
        tails[:, -1] = 1.0
        leaf, runs = self._resolve(
            params, sample.coefficients, empty_leaf(self.schedule, len(self.circuit.rotations), 0, 1, 0)
        )
        phases = runs._replace(cosines=np.ones_like(runs.cosines))

        def fill(number: int, out: Array, first: int, stop: int) -> None:
            self._fill_diagonals(phases, tails, number, first, stop, out.reshape(1, 2, size, 1))

        return LargeState(self, sample, leaf, runs.cosines, fill)

    def metric_tensor(self, params: Array) -> Array:
        r"""Fubini-Study metric ``Re<T_i|T_j> - Re(<T_i|psi><psi|T_j>)`` of a circuit without data, (P, P)."""
        sample = encode(self.circuit, self.observable, self.circuit.feature_rows(None))
        identity = Measurement(PauliSum(((1.0, "", ()),)), self.schedule.wire_masks, shift=False).groups
        metric = np.empty((self.n_carried, self.n_carried))
        with self._forward(params, sample) as leaf, self._second_order() as sums:
            state = leaf.states[-1].reshape(1, 2, -1)
            self._add_samples(np.ones(1), False, leaf, identity, state, np.full((2, 1), -1.0), sums)
            second_order.assemble(sums.gram, 1.0, sums.second, 0.0, sums.outer, metric)
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
        n_states = (3 * self.schedule.n_blocks + len(self.tail_phases)) * min(self.lanes, LEAF)
        copies = 1 if self.lanes == 1 else 2  # side by side, and one after the other
        return int(amplitude * (columns + 2 * n_slots + 3 + n_states * copies) + 5 * 8 * columns**2)

    @property
    def _is_detached(self) -> bool:
        """Whether the bra counts as a constant."""
        return self.published and self.measurement is not None

    @property
    def lanes(self) -> int:
        """Samples side by side: as many as keep their states in the cache."""
        return 1 if self.is_wide else 2 ** (13 - self.circuit.n_qubits)

    @property
    def is_wide(self) -> bool:
        """Whether the threads share one sample: a state of 2**13 amplitudes fills the cache of a core."""
        return self.circuit.n_qubits >= 13

    def takes_one(self, n_samples: int) -> bool:
        """Whether products with the Hessian take one sample at a time, and undo its blocks instead of keeping them."""
        return self.circuit.n_qubits >= LARGE and min(self.lanes, n_samples) <= FEW

    @property
    def _width(self) -> int:
        return min(WIDE_WIDTH if self.is_wide else MAX_WIDTH, max(-(-self.n_carried // 8) * 8, 8))

    def _new_leaf(self, n_samples: int) -> Leaf:
        return empty_leaf(
            self.schedule, len(self.circuit.rotations), len(self.tail_phases), n_samples, self.schedule.n_blocks
        )

    def _new_second_order(self) -> SecondOrder:
        n_slots = int(np.max(np.diff(self.columns.step_slots), initial=1))
        n_entries = int(np.max(np.diff(self.columns.group_entries), initial=1))
        return make_second_order(self.circuit.n_qubits, self.n_carried, self._width, n_slots, n_entries)

    def _leaves(self, n_samples: int) -> Iterator[slice]:
        size = leaf_size(n_samples)
        for start in range(0, n_samples, size):
            yield slice(start, min(start + size, n_samples))

    def _lanes(self, n_samples: int) -> Iterator[slice]:
        for start in range(0, n_samples, self.lanes):
            yield slice(start, min(start + self.lanes, n_samples))


def leaf_size(n_samples: int) -> int:
    """Samples of a leaf: 32, or half of fewer than 64, so that two threads have work."""
    return min(LEAF, max(-(-n_samples // 2), SMALLEST_LEAF))


def _of_samples(
    derivatives: Callable[[Array, slice], tuple[Array, Array]], part: slice, expvals: Array
) -> tuple[Array, Array]:
    return derivatives(expvals, part)
