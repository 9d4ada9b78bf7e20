r"""In which order the amplitudes of a block are stored.

The schedule stores states in one order throughout, where CNOTs have made the qubit of a run a pair of masks (x, r).
On a GPU RY rotations are matrix products over consecutive bits. So each block has an order of its own, in which every
run of the block has one bit: bit j of a position is the parity of ``z & masks[j]``. Without CNOTs all orders are the
same.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vqc_landscape.circuits.gf2 import Echelon
from vqc_landscape.simulator.compile.schedule import Ints, Schedule, bit_order


class BlockLayout(NamedTuple):
    """An order of amplitudes.

    Attributes:
        z: the schedule's basis state at each position, (2**n_qubits,).
        bits: bit of each run of the block, counted from the most significant one.
    """

    z: Ints
    bits: Ints


def block_layout(schedule: Schedule, block: int) -> BlockLayout:
    """The order of one block."""
    runs = range(schedule.block_runs[block], schedule.block_runs[block + 1])
    n_qubits = schedule.n_qubits
    units = [1 << (n_qubits - 1 - j) for j in range(n_qubits)]
    masks: dict[int, int] = {}  # of each bit
    bits: dict[int, int] = {}  # of each run
    for run in runs:
        mask = int(schedule.site_r[run])
        if mask in units:
            bits[run] = units.index(mask)
            masks[bits[run]] = mask
    chosen = Echelon()
    for j in range(n_qubits):
        if j not in masks:
            rest = units[j]  # without what the X of the runs would flip
            for run in runs:
                if units[j] & int(schedule.site_x[run]):
                    rest ^= int(schedule.site_r[run])
            if chosen.add(rest):
                masks[j] = rest
    free = iter([j for j in range(n_qubits) if j not in masks])
    for run in runs:
        if run not in bits:
            bits[run] = next(free)
            masks[bits[run]] = int(schedule.site_r[run])
    ordered = np.array([bits[run] for run in runs], dtype=np.int64)
    return BlockLayout(_positions([masks[j] for j in range(n_qubits)]), ordered)


def wire_layout(schedule: Schedule) -> BlockLayout:
    """The order after the last gate in which every wire has its bit: that of physical states."""
    return BlockLayout(_positions([int(mask) for mask in schedule.wire_masks.r]), np.arange(schedule.n_qubits))


def moves(old: BlockLayout, new: BlockLayout) -> tuple[Ints, Ints] | None:
    """Where each position of the new order comes from, and the way back; None where the orders are the same."""
    if np.array_equal(old.z, new.z):
        return None
    position = np.argsort(old.z)
    there = position[new.z]
    return there, np.argsort(there)


def _positions(masks: list[int]) -> Ints:
    if masks == [1 << j for j in reversed(range(len(masks)))]:
        return np.arange(2 ** len(masks))
    return np.argsort(bit_order(np.arange(2 ** len(masks)), masks))
