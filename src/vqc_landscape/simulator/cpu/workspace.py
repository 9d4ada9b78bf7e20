"""What the compiled functions read and write: the schedule, a batch of samples, work arrays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array
from vqc_landscape.simulator.compile.schedule import Ints, Schedule, Unitaries


class KernelSchedule(NamedTuple):
    """The schedule as the kernels read it."""

    ry_starts: Ints  # RY rotations of block b are ry_starts[b] to ry_starts[b + 1]
    ry_x: Ints  # masks of the qubit of each
    ry_r: Ints
    ry_run: Ints  # run of each
    site_block: Ints
    site_x: Ints  # masks of each site, x = 0 for a word
    site_r: Ints
    rows: Ints  # all basis states
    unitaries: Unitaries  # of each block, after its RY rotations


class Elements(NamedTuple):
    """The gates of every run, and the rotations of words."""

    run_starts: Ints  # elements of run k are run_starts[k] to run_starts[k + 1]
    axis: Ints  # 0, 1, 2 for a rotation about X, Y, Z; 3 for a fixed gate
    which: Ints  # rotation, or fixed gate
    fixed: NDArray[np.complex128]  # fixed gates, as first columns (a, b) of (a, -b*; b, a*)
    word_rotation: Ints
    phase: NDArray[np.complex128]  # of all fixed gates, (1,)
    smallest_cos: float


class Batch(NamedTuple):
    """Arrays of one batch after the first-order sweep, samples innermost except in axes and coefficients."""

    diagonals: Array  # (n_blocks + n_bases, 2, 2**n, n_samples)
    states: Array  # (n_blocks, 2, 2**n, n_samples)
    adjoints: Array  # (n_blocks, 2, 2**n, n_samples)
    images: Array  # (n_outputs, 2, 2**n, n_samples): of the last state, for each output
    tans: Array  # (n_runs, n_samples)
    axes: Array  # (n_rotations, n_samples, 3)
    overlaps: Array  # (n_sites, 3, n_samples)
    coefficients: Array  # (n_samples, n_terms)
    phases: NDArray[np.complex128]  # (n_samples,): psi is this times states[-1] after the last diagonal


class Runs(NamedTuple):
    """Each run of one-qubit gates as diag(1, alpha) cos (1, -t; t, 1) diag(1, gamma); the t are in the batch."""

    cos: Array  # of half of every angle, (n_samples, n_rotations)
    sin: Array
    cosines: Array  # (n_runs, n_samples)
    alphas: NDArray[np.complex128]
    gammas: NDArray[np.complex128]
    has_ry: NDArray[np.bool_]  # (n_runs,)


class Samples(NamedTuple):
    """A batch with its samples one after the other: what the second-order sweep reads."""

    diagonals: Array  # (n_samples, n_blocks + n_bases, 2, 2**n)
    states: Array  # (n_samples, n_blocks, 2, 2**n)
    adjoints: Array  # (n_samples, n_blocks, 2, 2**n)
    images: Array  # (n_samples, n_outputs, 2, 2**n)
    tans: Array  # (n_samples, n_ry)
    axes: Array  # (n_rotations, n_samples, 3)
    overlaps: Array  # (n_sites, 3, n_samples)
    coefficients: Array  # (n_samples, n_terms)


class Generators(NamedTuple):
    """Work arrays of the generators of one step."""

    axes: Array  # (n_entries, 3) of one site
    flipped: Array  # (2, 2**n)
    signs: Array  # (2**n,)
    slots: Array  # (2, n_slots, 2**n and a cache line, because of which equal amplitudes do not share a set)


class Scratch(NamedTuple):
    """Work arrays of one thread."""

    tangent: Generators
    cotangent: Generators
    products: Array  # (n_chunks, n_slots, width)
    inner: Array  # (n_slots, n_slots)
    weights: Array  # (2**n,)
    jacobian: Array  # (n_outputs, n_rows)
    weighted: Array  # (n_outputs, n_rows)
    x: Array  # (n_rows,)
    y: Array


class SecondOrder(NamedTuple):
    """What one thread needs for second derivatives; columns in chunks of ``width``, n_rows = n_chunks * width."""

    scratch: Scratch
    tangents: Array  # (n_chunks, 2, 2**n, width)
    second: Array  # (n_chunks, n_rows, width)
    gram: Array
    outer: Array  # outer products of gradients


def make_second_order(
    n_qubits: int, n_active: int, n_outputs: int, width: int, n_slots: int, n_entries: int
) -> SecondOrder:
    """Allocate for at most ``n_slots`` columns a step and ``n_entries`` entries a site."""
    size, n_chunks, padded = 2**n_qubits, max(-(-n_active // width), 1), (n_slots + 3) // 4 * 4
    n_rows = n_chunks * width
    scratch = Scratch(
        tangent=_generators(size, padded, n_entries),
        cotangent=_generators(size, padded, n_entries),
        products=aligned_zeros((n_chunks, padded, width)),
        inner=np.zeros((padded, padded)),
        weights=np.zeros(size),
        jacobian=np.zeros((n_outputs, n_rows)),
        weighted=np.zeros((n_outputs, n_rows)),
        x=np.zeros(n_rows),
        y=np.zeros(n_rows),
    )
    second, gram, outer = (aligned_zeros((n_chunks, n_rows, width)) for _ in range(3))
    return SecondOrder(scratch, aligned_zeros((n_chunks, 2, size, width)), second, gram, outer)


def _generators(size: int, n_slots: int, n_entries: int) -> Generators:
    return Generators(
        np.zeros((n_entries, 3)), np.zeros((2, size)), np.zeros(size), aligned_zeros((2, n_slots, size + 8))
    )


def empty_batch(
    schedule: Schedule, n_rotations: int, n_bases: int, n_outputs: int, n_samples: int, n_blocks: int
) -> Batch:
    """Allocate for samples side by side, with the states of ``n_blocks`` blocks; coefficients come later."""
    s, size = schedule, 2**schedule.n_qubits
    return Batch(
        diagonals=np.empty((n_blocks + n_bases, 2, size, n_samples)),
        states=np.empty((n_blocks, 2, size, n_samples)),
        adjoints=np.empty((n_blocks, 2, size, n_samples)),
        images=np.empty((n_outputs, 2, size, n_samples)),
        tans=np.empty((s.n_runs, n_samples)),
        axes=np.empty((n_rotations, n_samples, 3)),
        overlaps=np.empty((len(s.site_block), 3, n_samples)),
        coefficients=np.empty((n_samples, 0)),
        phases=np.empty(n_samples, np.complex128),
    )


def empty_runs(schedule: Schedule, n_rotations: int, n_samples: int) -> Runs:
    """Allocate for the gates of samples side by side."""
    angles, runs = (n_samples, n_rotations), (schedule.n_runs, n_samples)
    alphas, gammas = np.empty(runs, np.complex128), np.empty(runs, np.complex128)
    return Runs(np.empty(angles), np.empty(angles), np.empty(runs), alphas, gammas, schedule.run_has_ry)


def empty_samples(*shapes: tuple[int, ...]) -> tuple[Array, ...]:
    """Arrays with the samples first, for arrays of these shapes side by side."""
    return tuple(np.empty((shape[-1], *shape[:-1])) for shape in shapes)


KEPT_BYTES = 2**26  # of one set of arrays; what is larger is seldom used, and its pages are cheap beside the work


class Lent:
    """Arrays from a pool; :meth:`back` gives them back. Where an exception comes between, they are simply dropped."""

    __slots__ = ("_shelf", "arrays")

    def __init__(self, arrays: Any, shelf: list[Lent] | None) -> None:
        self.arrays, self._shelf = arrays, shelf

    def back(self) -> None:
        if self._shelf is not None:
            self._shelf.append(self)


class Pool:
    """Arrays for the next call: touching fresh pages costs as much as the arithmetic on small states."""

    def __init__(self) -> None:
        self._shelves: defaultdict[object, list[Lent]] = defaultdict(list)

    def lend(self, make: Callable[..., Any], *sizes: object) -> Lent:
        """What ``make(*sizes)`` returns, used before or new. Threads get arrays of their own."""
        shelf = self._shelves[make, sizes]
        try:
            return shelf.pop()
        except IndexError:
            arrays = make(*sizes)
            return Lent(arrays, shelf if _bytes(arrays) <= KEPT_BYTES else None)


def _bytes(arrays: Any) -> int:
    return int(arrays.nbytes) if isinstance(arrays, np.ndarray) else sum(map(_bytes, arrays))


def aligned_zeros(shape: tuple[int, ...]) -> Array:
    """Zeros that begin on a cache line of 64 bytes: vector loads across two lines cost half the speed."""
    size = int(np.prod(shape))
    block = np.zeros(size + 8)
    start = (-block.ctypes.data // 8) % 8
    return block[start : start + size].reshape(shape)


def kernel_schedule(schedule: Schedule) -> KernelSchedule:
    """The schedule as the kernels read it."""
    s = schedule
    runs = [
        [run for run in range(s.block_runs[b], s.block_runs[b + 1]) if s.run_has_ry[run]] for b in range(s.n_blocks)
    ]
    flat = np.array([run for block in runs for run in block], dtype=np.int64)
    return KernelSchedule(
        ry_starts=np.cumsum([0] + [len(block) for block in runs]),
        ry_x=s.site_x[flat],
        ry_r=s.site_r[flat],
        ry_run=flat,
        site_block=s.site_block,
        site_x=s.site_x,
        site_r=s.site_r,
        rows=np.arange(2**s.n_qubits),
        unitaries=s.unitaries,
    )


def kernel_elements(schedule: Schedule) -> Elements:
    """The elements of the runs as the kernels read them."""
    s = schedule
    phase, smallest = np.array([s.phase], dtype=np.complex128), smallest_cos(s.n_qubits)
    return Elements(s.run_starts, s.element_axis, s.element_index, s.matrices, s.word_rotation, phase, smallest)


def smallest_cos(n_qubits: int) -> float:
    """What a smaller cos(angle/2) is replaced by: an RY rotation divides by it.

    At 1e-17 the other amplitude is all there is. From 18 qubits on it is larger, up to 1e-12 at 24, because the
    cosines of all qubits are multiplied and their product must stay above 1e-308.
    """
    return float(max(1e-17, 10.0 ** (-290 / n_qubits)))
