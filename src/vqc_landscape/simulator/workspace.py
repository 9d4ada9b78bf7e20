"""What the compiled functions read and write: the schedule, a leaf of samples, work arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array
from vqc_landscape.simulator.schedule import Ints, Schedule


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


class Generators(NamedTuple):
    """Work arrays of the generators of one site: the state, their axes, their columns."""

    state: Array
    axes: Array
    columns: Ints


def _generators(size: int, n_entries: int) -> Generators:
    return Generators(np.zeros((2, size)), np.zeros((n_entries, 3)), np.zeros(n_entries, dtype=np.int64))


class Scratch(NamedTuple):
    """Work arrays of one thread."""

    tangent: Generators
    cotangent: Generators
    new: Array
    adjoint: Array
    diagonal: Array
    products: Array
    inner: Array
    turn_tans: Array
    weights: Array
    x: Array
    y: Array


def make_scratch(n_qubits: int, n_slots: int, n_entries: int, width: int, n_rows: int) -> Scratch:
    """Allocate the work arrays for at most ``n_slots`` columns a step and ``n_entries`` entries a site."""
    size, padded = 2**n_qubits, (n_slots + 3) // 4 * 4
    return Scratch(
        tangent=_generators(size, n_entries),
        cotangent=_generators(size, n_entries),
        new=aligned_zeros((2, size, padded)),
        adjoint=aligned_zeros((2, size, padded)),
        diagonal=np.zeros((2, size)),
        products=aligned_zeros((n_rows // width, padded, width)),
        inner=np.zeros((padded, padded)),
        turn_tans=np.zeros(n_qubits),
        weights=np.zeros(size),
        x=np.zeros(n_rows),
        y=np.zeros(n_rows),
    )


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
    )
