r"""Which tangent columns are carried, and where each gets its generators.

A column is one parameter (of those that are carried). At the evaluation point of a block it gains
:math:`\sum_k c_k(x) G_k \psi`, one summand for each rotation there whose angle has that parameter, with
the coefficient ``c_k`` of the angle. The runs of a block come first, then the words of its diagonal: two
*steps* at the same evaluation point. Within a step, generators on different sites commute.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vqc_landscape.circuits.program import Circuit
from vqc_landscape.simulator.schedule import FIXED, Ints, Schedule


class Columns(NamedTuple):
    """Entries of the tangent columns as flat arrays, in the order of steps.

    Attributes:
        params: parameter of each column, in the order of first appearance.
        step_block: block of each step.
        step_slots: slots (columns that gain in this step) of step s are ``step_slots[s]`` to ``[s + 1]``.
        slot_column: column of each slot.
        slot_entries: entries of slot j are ``slot_entries[j]`` to ``[j + 1]``.
        entry_generator, entry_term: generator, and term of the circuit whose coefficient goes with it.
        generator_site, generator_rotation: site and rotation of each generator.
        step_pairs: pairs of step s are ``step_pairs[s]`` to ``[s + 1]``.
        pairs: rows (slot of the earlier, slot of the later, earlier entry, later entry) for entries on one
            site, whose generators need not commute; shape (n_pairs, 4).
    """

    params: Ints
    step_block: Ints
    step_slots: Ints
    slot_column: Ints
    slot_entries: Ints
    entry_generator: Ints
    entry_term: Ints
    generator_site: Ints
    generator_rotation: Ints
    step_pairs: Ints
    pairs: Ints


def make_columns(circuit: Circuit, schedule: Schedule, carried: Ints) -> Columns:
    """List the entries of the columns for the parameters ``carried``."""
    first_term = np.cumsum([0] + [len(rotation.angle) for rotation in circuit.rotations])
    wanted = set(carried.tolist())
    column_of: dict[int, int] = {}
    generators: list[tuple[int, int]] = []
    step_block: list[int] = []
    step_slots, step_pairs, slot_entries = [0], [0], [0]
    slot_column: list[int] = []
    entries: list[tuple[int, int]] = []  # (generator, term)
    pairs: list[tuple[int, int, int, int]] = []

    for block, sites in _steps(schedule):
        by_param: dict[int, list[tuple[int, int]]] = {}
        for site, rotations in sites:
            for rotation in rotations:
                terms = range(first_term[rotation], first_term[rotation + 1])
                live = [t for t in terms if circuit.terms[t].param in wanted]
                if live:
                    generators.append((site, rotation))
                for t in live:
                    by_param.setdefault(_param(circuit, t), []).append((len(generators) - 1, t))
        if not by_param:
            continue
        first_slot = len(slot_column)
        on_site: dict[int, list[tuple[int, int]]] = {}  # site -> (slot, entry) in the order of time
        for param in sorted(by_param, key=lambda p: by_param[p][0]):
            slot = len(slot_column)
            slot_column.append(column_of.setdefault(param, len(column_of)))
            for generator, term in by_param[param]:
                on_site.setdefault(generators[generator][0], []).append((slot - first_slot, len(entries)))
                entries.append((generator, term))
            slot_entries.append(len(entries))
        for found in on_site.values():
            found.sort(key=lambda item: entries[item[1]][0])
            for (slot_k, k), (slot_i, i) in itertools.combinations(found, 2):
                if entries[k][0] != entries[i][0]:
                    pairs.append((slot_k, slot_i, k, i))
        step_block.append(block)
        step_slots.append(len(slot_column))
        step_pairs.append(len(pairs))

    unused = [p for p in carried.tolist() if p not in column_of]
    for param in unused:  # a parameter that no angle has: its column stays 0
        column_of[param] = len(column_of)
    return Columns(
        params=_as_ints(list(column_of)),
        step_block=_as_ints(step_block),
        step_slots=_as_ints(step_slots),
        slot_column=_as_ints(slot_column),
        slot_entries=_as_ints(slot_entries),
        entry_generator=_as_ints([g for g, _ in entries]),
        entry_term=_as_ints([t for _, t in entries]),
        generator_site=_as_ints([site for site, _ in generators]),
        generator_rotation=_as_ints([rotation for _, rotation in generators]),
        step_pairs=_as_ints(step_pairs),
        pairs=_as_ints(pairs).reshape(-1, 4),
    )


def _steps(schedule: Schedule) -> list[tuple[int, list[tuple[int, list[int]]]]]:
    """(block, [(site, its rotations in the order of time)]) of every step."""
    steps = []
    for block in range(schedule.n_blocks):
        runs = range(schedule.block_runs[block], schedule.block_runs[block + 1])
        steps.append((block, [(run, _rotations(schedule, run)) for run in runs]))
        words = range(schedule.block_words[block], schedule.block_words[block + 1])
        steps.append((block, [(schedule.n_runs + w, [int(schedule.word_rotation[w])]) for w in words]))
    return steps


def _rotations(schedule: Schedule, run: int) -> list[int]:
    elements = range(schedule.run_starts[run], schedule.run_starts[run + 1])
    return [int(schedule.element_index[e]) for e in elements if schedule.element_axis[e] != FIXED]


def _as_ints(values: Sequence[int] | Sequence[tuple[int, ...]]) -> Ints:
    return np.array(values, dtype=np.int64)


def _param(circuit: Circuit, term: int) -> int:
    param = circuit.terms[term].param
    assert param is not None
    return param
