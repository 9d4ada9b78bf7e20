"""One sample over several threads, for states too large to take many samples side by side.

The same steps as :func:`tangents.sweep_tangents`, a thread per chunk of columns: no entry of any sum is shared, so
the bytes do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable

from vqc_landscape.checks import Array
from vqc_landscape.simulator import tangents as second_order
from vqc_landscape.simulator.columns import Columns
from vqc_landscape.simulator.measurement import Groups
from vqc_landscape.simulator.threads import run_all
from vqc_landscape.simulator.workspace import Leaf, Scratch, Turns

Task = Callable[[], object]


def sweep_wide(
    sample: int,
    weight: float,
    with_second: bool,
    leaf: Leaf,
    turns: Turns,
    columns: Columns,
    scratch: Scratch,
    tangents: Array,
    second: Array,
) -> None:
    """Carry all tangents of one sample to the last evaluation point; add weight * second-order terms."""
    t = second_order
    n_active, step = 0, 0
    for b in range(len(leaf.states)):
        if n_active:
            t.load_block(b, sample, leaf, turns, scratch)
            active = range(t.n_chunks(n_active, tangents))
            run_all([_task(t.propagate_chunk, b, chunk, n_active, turns, scratch, tangents) for chunk in active])
        while step < len(columns.step_block) and columns.step_block[step] == b:
            slots = columns.slot_column[columns.step_slots[step] : columns.step_slots[step + 1]]
            shared = (leaf, turns, columns)
            # one half, because the inner products of a step are counted twice
            fill = [_task(t.fill_generators, step, sample, 0.5, leaf.states, *shared, scratch.tangent, scratch.new, 0)]
            if with_second:
                work = (scratch.cotangent, scratch.adjoint, 0)
                fill.append(_task(t.fill_generators, step, sample, -weight, leaf.adjoints, *shared, *work))
            run_all(fill)
            if with_second:
                cross = (slots, n_active, False, turns, scratch, tangents, second)
                run_all(
                    [
                        _task(t.collect_cross, slots, chunk, *cross[1:])
                        for chunk in range(t.n_chunks(n_active, tangents))
                    ]
                )
                t.collect_inner(step, sample, weight, slots, *shared, scratch, second)
            n_active = t.insert(scratch.new, slots, n_active, tangents)
            step += 1


def add_groups_gram_wide(
    sample: int,
    weight: float,
    leaf: Leaf,
    groups: Groups,
    scratch: Scratch,
    tangents: Array,
    gram: Array,
) -> None:
    """gram += weight * T+ O T (real part, lower triangle)."""
    t, chunks = second_order, range(len(tangents))
    for g in range(len(groups.weights)):
        t.load_group(g, sample, weight, leaf.diagonals, len(leaf.states), groups, scratch)
        run_all([_task(t.change_basis, g, 1.0, groups, scratch, tangents[chunk]) for chunk in chunks])
        pairs = [(low, chunk) for low in chunks for chunk in range(low + 1)]
        run_all([_task(t.add_gram_tile, g, low, chunk, groups, scratch, tangents, gram) for low, chunk in pairs])
        if g + 1 < len(groups.weights):
            run_all([_task(t.change_basis, g, -1.0, groups, scratch, tangents[chunk]) for chunk in chunks])


def _task(function: Callable[..., object], *arguments: object) -> Task:
    return lambda: function(*arguments)
