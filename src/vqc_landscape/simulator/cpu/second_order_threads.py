"""One sample over several threads, for states too large to take many samples side by side.

The operations of :func:`second_order.add_samples`, the pieces of each at once. No entry of any sum is shared between
pieces, so the bytes do not depend on the number of threads.
"""

from __future__ import annotations

from functools import partial

from vqc_landscape.checks import Array
from vqc_landscape.simulator.compile.columns import Columns
from vqc_landscape.simulator.compile.measurement import CommutingSets
from vqc_landscape.simulator.cpu.second_order import Operations, Target, add_samples
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
    data = (factors, gradient_factor, curvature, samples, schedule, columns, sets, target, work)
    each = [Operations(*(field[i : i + 1] for field in operations)) for i in range(len(operations.kind))]
    for sample in range(len(factors)):
        for operation in each:
            pieces = range(int(operation.n_pieces[0]))
            run_all([partial(add_samples, operation, piece, sample, sample + 1, *data) for piece in pieces])
