"""One sample over several threads, for states too large to take many samples side by side.

The operations of :func:`second_order.add_samples`, the pieces of each at once. No entry of any sum is shared between
pieces, so the bytes do not depend on the number of threads.
"""

from __future__ import annotations

from functools import partial

from vqc_landscape.checks import Array
from vqc_landscape.simulator.compile.columns import Columns
from vqc_landscape.simulator.compile.measurement import CommutingSets
from vqc_landscape.simulator.cpu.second_order import Operations, Target, run_piece
from vqc_landscape.simulator.cpu.workspace import KernelSchedule, Samples, SecondOrder
from vqc_landscape.simulator.threads import run_all


def add_samples_by_threads(
    operations: Operations,
    factors: Array,
    gradient_factor: float,
    curvature: Array,
    samples: Samples,
    schedule: KernelSchedule,
    columns: Columns,
    sets: CommutingSets,
    target: Target,
    work: SecondOrder,
) -> None:
    """Second-order terms of samples; see :func:`second_order.add_samples`."""
    data = (operations, factors, gradient_factor, curvature, samples, schedule, columns, sets, target, work)
    for sample in range(len(factors)):
        for i, n_pieces in enumerate(operations.n_pieces):
            run_all([partial(run_piece, i, piece, sample, *data) for piece in range(n_pieces)])
