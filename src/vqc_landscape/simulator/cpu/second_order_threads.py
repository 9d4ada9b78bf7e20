"""One sample over several threads, for states too large to take many samples side by side.

The same steps as :func:`tangents.add_samples`, a thread per chunk of columns: no entry of any sum is shared, so
the bytes do not depend on the number of threads.
"""

from __future__ import annotations

from functools import partial

from vqc_landscape.checks import Array
from vqc_landscape.simulator.compile.columns import Columns
from vqc_landscape.simulator.cpu import second_order
from vqc_landscape.simulator.cpu.workspace import Groups, Samples, Scratch, Turns
from vqc_landscape.simulator.threads import run_all


def add_samples_wide(
    slopes: Array,
    with_second: bool,
    samples: Samples,
    turns: Turns,
    columns: Columns,
    groups: Groups,
    targets: Array,
    target_weights: Array,
    scratch: Scratch,
    tangents: Array,
    second: Array,
    gram: Array,
) -> None:
    """Second-order terms of samples, each times its slope; see :func:`tangents.add_samples`."""
    t, chunks = second_order, range(len(tangents))
    for sample, slope in enumerate(slopes):
        _carry_tangents(sample, slope, with_second, samples, turns, columns, scratch, tangents, second)
        for g in range(len(groups.weights)):
            t.load_weights(g, sample, slope, groups, scratch)
            run_all([partial(t.change_basis, g, sample, 1.0, samples, groups, tangents[chunk]) for chunk in chunks])
            pairs = [(low, chunk) for low in chunks for chunk in range(low + 1)]
            run_all([partial(t.add_gram_tile, g, *pair, groups, scratch, tangents, gram) for pair in pairs])
            if g + 1 < len(groups.weights):
                run_all(
                    [partial(t.change_basis, g, sample, -1.0, samples, groups, tangents[chunk]) for chunk in chunks]
                )
        if len(targets):
            w_re, w_im = slope * target_weights[:, sample]
            t.add_target_gram(w_re, w_im, targets[sample], scratch.x, scratch.y, tangents, gram)


def _carry_tangents(
    sample: int,
    slope: float,
    with_second: bool,
    samples: Samples,
    turns: Turns,
    columns: Columns,
    scratch: Scratch,
    tangents: Array,
    second: Array,
) -> None:
    t, size = second_order, samples.states.shape[-1]
    slices = [(z, min(z + size // 8, size)) for z in range(0, size, size // 8)]
    before, step = 0, 0
    for b in range(samples.states.shape[1]):
        chunks = range(t.n_chunks(before, tangents))
        run_all([partial(t.propagate_chunk, b, sample, c, before, samples, turns, tangents) for c in chunks])
        while step < len(columns.step_block) and columns.step_block[step] == b:
            plain, after = columns.step_plain[step], columns.step_columns[step]
            insertion = [partial(t.insert_slots, step, before, *part, columns, scratch, tangents) for part in slices]
            shared = (samples, turns, columns)
            fill = [partial(t.fill_generators, step, sample, 0.5, samples.states, *shared, scratch.tangent)]
            if with_second:
                fill.append(
                    partial(t.fill_generators, step, sample, -slope, samples.adjoints, *shared, scratch.cotangent)
                )
            run_all(fill)
            if plain:
                run_all(insertion)
            if with_second:
                seen = after if plain else before
                chunks = range(t.n_chunks(seen, tangents))
                run_all(
                    [partial(t.collect_cross, step, c, seen, turns, columns, scratch, tangents, second) for c in chunks]
                )
            if not plain:
                if with_second:
                    t.collect_inner(step, sample, slope, samples, columns, scratch, second)
                run_all(insertion)
            before, step = after, step + 1
