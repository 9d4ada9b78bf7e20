"""How samples and columns are divided: by the circuit and the number of samples alone, as sums depend on it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vqc_landscape.simulator.compile.compiled import CompiledCircuit

SMALLEST_BLOCK = 8  # with fewer samples, the second thread costs what it gains
BLOCK = 32  # samples that are summed before anything else; part of the result's bytes
BATCH_AMPLITUDES = 2**13  # of all samples side by side: their states stay in the cache of a core
MAX_WIDTH = 136  # tangent columns of one array: long enough to vectorise, short enough for the cache
SHARED_WIDTH = 64  # the same where the threads share a sample: more chunks than threads
LARGE = 9  # qubits from which a state is taken alone ...
FEW = 2  # ... where no more than these would be side by side


def block_size(n_samples: int) -> int:
    """Samples of an accumulation block: 32, or half of fewer than 64, so that two threads have work."""
    return min(BLOCK, max(-(-n_samples // 2), SMALLEST_BLOCK))


def accumulation_blocks(n_samples: int) -> list[slice]:
    """The samples in blocks, each summed by one thread."""
    size = block_size(n_samples)
    return [slice(start, min(start + size, n_samples)) for start in range(0, n_samples, size)]


def shares_sample(n_qubits: int) -> bool:
    """Whether the threads share one sample: a state alone fills the cache of a core."""
    return batch_size(n_qubits) == 1


def batch_size(n_qubits: int) -> int:
    """Samples side by side."""
    return max(BATCH_AMPLITUDES >> n_qubits, 1)


def batches(n_qubits: int, start: int, stop: int) -> Iterator[slice]:
    """Samples from ``start`` to ``stop`` in batches."""
    size = batch_size(n_qubits)
    for first in range(start, stop, size):
        yield slice(first, min(first + size, stop))


def takes_one(n_qubits: int, n_samples: int) -> bool:
    """Whether products with the Hessian take one sample at a time, and undo its blocks instead of keeping them."""
    return n_qubits >= LARGE and min(batch_size(n_qubits), n_samples) <= FEW


def chunk_width(compiled: CompiledCircuit) -> int:
    """Columns of a chunk of tangents."""
    widest = SHARED_WIDTH if shares_sample(compiled.n_qubits) else MAX_WIDTH
    return min(widest, max(-(-compiled.n_active // 8) * 8, 8))


def most_slots(compiled: CompiledCircuit) -> int:
    """Columns that gain in one step, at most."""
    return int(np.max(np.diff(compiled.columns.step_slots), initial=1))


def most_entries(compiled: CompiledCircuit) -> int:
    """Entries on one site, at most."""
    return int(np.max(np.diff(compiled.columns.site_entries), initial=1))


def hessian_bytes(compiled: CompiledCircuit) -> int:
    """Memory of one accumulation block of a Hessian: tangents, generators, states of all blocks, and three sums."""
    amplitude = 2 * 8 * 2**compiled.n_qubits  # real and imaginary part, of a whole state
    width, side_by_side = chunk_width(compiled), min(batch_size(compiled.n_qubits), BLOCK)
    columns = -(-compiled.n_active // width) * width
    n_states = (3 * compiled.schedule.n_blocks + len(compiled.basis_phases) + compiled.n_outputs) * side_by_side
    copies = 1 if side_by_side == 1 else 2  # side by side, and one after the other
    return int(amplitude * (columns + 2 * most_slots(compiled) + 3 + n_states * copies) + 5 * 8 * columns**2)
