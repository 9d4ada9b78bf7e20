"""What the compiled functions read and write: the schedule, a leaf of samples, work arrays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array
from vqc_landscape.simulator.compile.schedule import Ints, Schedule, Unitaries

T = TypeVar("T")


class Leaf(NamedTuple):
    """What the first-order pass leaves of a leaf of samples (samples innermost, but for coefficients)."""

    diagonals: Array  # (n_blocks + n_tails, 2, 2**n, n_samples)
    states: Array  # (n_blocks, 2, 2**n, n_samples)
    adjoints: Array  # (n_blocks, 2, 2**n, n_samples)
    tans: Array  # (n_runs, n_samples)
    axes: Array  # (n_rotations, n_samples, 3)
    overlaps: Array  # (n_sites, 3, n_samples)
    coefficients: Array  # (n_samples, n_terms)
    phases: NDArray[np.complex128]  # (n_samples,): psi is this times states[-1] after the last diagonal


class Groups(NamedTuple):
    """Groups of products that are measured together: a basis change each, then a weight for each basis state.

    Attributes:
        turns: turns of group g are ``turns[g]`` to ``turns[g + 1]``.
        x, r, tans: masks of the qubit of each turn, and its t.
        unitaries: of each group, after its turns.
        tail_phases: a row for each basis change: phase on |1> per wire, then a factor; (n_changes, n_qubits + 1).
        tails: row of ``tail_phases`` of each group; -1 where it is already diagonal.
        weights: eigenvalue of each basis state less the group's offset, (n_groups, 2**n_qubits, 1 or n_samples).
        rows: basis states with a weight that is not 0, those of group g ``row_starts[g]`` to ``row_starts[g + 1]``.
        offset: sum over the groups of the most frequent eigenvalue. ``O - offset`` has the derivatives of ``O``.
    """

    turns: Ints
    x: Ints
    r: Ints
    tans: Array
    unitaries: Unitaries
    tail_phases: NDArray[np.complex128]
    tails: Ints
    weights: Array
    rows: Ints
    row_starts: Ints
    offset: Array


class FirstOrder(NamedTuple):
    """First derivatives of a leaf of samples.

    Attributes:
        expvals: f, shape (n_samples,).
        jacobian: df/dparams of the carried parameters, shape (n_samples, n_carried).
        leaf: what the second derivatives start from.
        groups: what is measured; none for projectors.
        targets: the target state pulled back before the last diagonal, (2, 2**n, n_samples); projectors only.
        target_weights: weights of Re and Im of <target|T> in the Gram matrix, (2, n_samples); projectors only.
    """

    expvals: Array
    jacobian: Array
    leaf: Leaf
    groups: Groups
    targets: Array
    target_weights: Array


class Runs(NamedTuple):
    """Each run of one-qubit gates as diag(1, alpha) cos (1, -t; t, 1) diag(1, gamma); the t are in the leaf."""

    cos: Array  # of half of every angle, (n_samples, n_rotations)
    sin: Array
    cosines: Array  # (n_runs, n_samples)
    alphas: NDArray[np.complex128]
    gammas: NDArray[np.complex128]
    turns: NDArray[np.bool_]  # (n_runs,)


class Turns(NamedTuple):
    """The schedule as the kernels read it."""

    blocks: Ints  # turns of block b are blocks[b] to blocks[b + 1]
    x: Ints  # masks of the qubit of each turn
    r: Ints
    runs: Ints  # run of each turn
    site_block: Ints
    site_x: Ints  # masks of each site, x = 0 for a word
    site_r: Ints
    rows: Ints  # all basis states
    unitaries: Unitaries  # of each block, after its turns


class Samples(NamedTuple):
    """The same, samples one after the other: what the second-order pass reads."""

    diagonals: Array  # (n_samples, n_blocks + n_tails, 2, 2**n)
    states: Array  # (n_samples, n_blocks, 2, 2**n)
    adjoints: Array  # (n_samples, n_blocks, 2, 2**n)
    tans: Array  # (n_samples, n_turns)
    axes: Array  # (n_rotations, n_samples, 3)
    overlaps: Array  # (n_sites, 3, n_samples)
    coefficients: Array  # (n_samples, n_terms)


class Generators(NamedTuple):
    """Work arrays of the generators of one step."""

    axes: Array  # (n_entries, 3) of one site
    flipped: Array  # (2, 2**n)
    signs: Array  # (2**n,)
    slots: Array  # (2, n_slots, 2**n and a cache line, because of which equal amplitudes do not share a set)


def _generators(size: int, n_slots: int, n_entries: int) -> Generators:
    return Generators(
        np.zeros((n_entries, 3)), np.zeros((2, size)), np.zeros(size), aligned_zeros((2, n_slots, size + 8))
    )


class Scratch(NamedTuple):
    """Work arrays of one thread."""

    tangent: Generators
    cotangent: Generators
    products: Array  # (n_chunks, n_slots, width)
    inner: Array  # (n_slots, n_slots)
    weights: Array  # (2**n,)
    x: Array  # (n_rows,)
    y: Array


def make_scratch(n_qubits: int, n_slots: int, n_entries: int, width: int, n_rows: int) -> Scratch:
    """Allocate the work arrays for at most ``n_slots`` columns a step and ``n_entries`` entries a site."""
    size, padded = 2**n_qubits, (n_slots + 3) // 4 * 4
    return Scratch(
        tangent=_generators(size, padded, n_entries),
        cotangent=_generators(size, padded, n_entries),
        products=aligned_zeros((n_rows // width, padded, width)),
        inner=np.zeros((padded, padded)),
        weights=np.zeros(size),
        x=np.zeros(n_rows),
        y=np.zeros(n_rows),
    )


class SecondOrder(NamedTuple):
    """What one thread needs for second derivatives; columns in chunks of ``width``, n_rows = n_chunks * width."""

    scratch: Scratch
    tangents: Array  # (n_chunks, 2, 2**n, width)
    second: Array  # (n_chunks, n_rows, width)
    gram: Array
    outer: Array  # outer products of gradients


def make_second_order(n_qubits: int, n_carried: int, width: int, n_slots: int, n_entries: int) -> SecondOrder:
    """Allocate for at most ``n_slots`` columns a step and ``n_entries`` entries a site."""
    n_chunks = max(-(-n_carried // width), 1)
    second, gram, outer = (aligned_zeros((n_chunks, n_chunks * width, width)) for _ in range(3))
    return SecondOrder(
        make_scratch(n_qubits, n_slots, n_entries, width, n_chunks * width),
        aligned_zeros((n_chunks, 2, 2**n_qubits, width)),
        second,
        gram,
        outer,
    )


def empty_leaf(schedule: Schedule, n_rotations: int, n_tails: int, n_samples: int, n_blocks: int) -> Leaf:
    """Allocate for samples side by side, with the states of ``n_blocks`` blocks; coefficients come later."""
    s, size = schedule, 2**schedule.n_qubits
    return Leaf(
        diagonals=np.empty((n_blocks + n_tails, 2, size, n_samples)),
        states=np.empty((n_blocks, 2, size, n_samples)),
        adjoints=np.empty((n_blocks, 2, size, n_samples)),
        tans=np.empty((s.n_runs, n_samples)),
        axes=np.empty((n_rotations, n_samples, 3)),
        overlaps=np.empty((len(s.site_block), 3, n_samples)),
        coefficients=np.empty((n_samples, 0)),
        phases=np.empty(n_samples, np.complex128),
    )


def empty_samples(states: tuple[int, ...], diagonals: tuple[int, ...]) -> tuple[Array, Array, Array]:
    """Diagonals, states and adjoints, one sample after the other, for arrays of these shapes side by side."""
    shapes = ((shape[-1], *shape[:-1]) if shape[-1] > 1 else (0,) for shape in (diagonals, states, states))
    big, state, adjoint = (np.empty(shape) for shape in shapes)
    return big, state, adjoint


KEPT_BYTES = 2**26  # of one set of arrays; what is larger is seldom used, and its pages are cheap beside the work


class Pool:
    """Arrays for the next call: touching fresh pages costs as much as the arithmetic on small states."""

    def __init__(self) -> None:
        self._kept: defaultdict[object, list[Any]] = defaultdict(list)

    @contextmanager
    def lend(self, make: Callable[..., T], *sizes: object) -> Iterator[T]:
        """What ``make(*sizes)`` returns, used before or new. Threads get arrays of their own."""
        kept = self._kept[make, sizes]
        try:
            arrays = kept.pop()
        except IndexError:
            arrays = make(*sizes)
        yield arrays
        if _bytes(arrays) <= KEPT_BYTES:
            kept.append(arrays)


def _bytes(arrays: Any) -> int:
    return int(arrays.nbytes) if isinstance(arrays, np.ndarray) else sum(map(_bytes, arrays))


def aligned_zeros(shape: tuple[int, ...]) -> Array:
    """Zeros that begin on a cache line of 64 bytes: vector loads across two lines cost half the speed."""
    size = int(np.prod(shape))
    block = np.zeros(size + 8)
    start = (-block.ctypes.data // 8) % 8
    return block[start : start + size].reshape(shape)


def make_turns(schedule: Schedule) -> Turns:
    """The schedule as the kernels read it."""
    s = schedule
    runs = [[run for run in range(s.block_runs[b], s.block_runs[b + 1]) if s.run_turns[run]] for b in range(s.n_blocks)]
    flat = np.array([run for block in runs for run in block], dtype=np.int64)
    return Turns(
        blocks=np.cumsum([0] + [len(block) for block in runs]),
        x=s.site_x[flat],
        r=s.site_r[flat],
        runs=flat,
        site_block=s.site_block,
        site_x=s.site_x,
        site_r=s.site_r,
        rows=np.arange(2**s.n_qubits),
        unitaries=s.unitaries,
    )
