r"""Which parameters have a tangent column, and where each gets its generators.

A column is one parameter (an active one). At the evaluation point of a block it gains
:math:`\sum_k c_k(x) G_k \psi`, one summand for each rotation there whose angle has that parameter, with
the coefficient ``c_k`` of the angle. The runs of a block come first, then the words of its diagonal: two
*steps* at the same evaluation point. Within a step, generators on different sites commute.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vqc_landscape.circuits.program import Circuit
from vqc_landscape.simulator.compile.schedule import FIXED, Ints, Schedule


class Columns(NamedTuple):
    """Entries of the tangent columns as flat arrays, in the order of steps.

    Attributes:
        params: parameter of each column, in the order of first appearance.
        step_block: block of each step.
        step_columns: columns in use after each step.
        step_slots: slots (columns that gain in this step) of step s are ``step_slots[s]`` to ``[s + 1]``.
        step_plain: whether each slot of the step is one entry and a new column, columns in the order of slots.
        slot_column: column of each slot.
        step_sites: sites of step s, with their entries, are at positions ``step_sites[s]`` to ``[s + 1]``.
        site_number, site_entries: site at each position; its entries are ``site_entries[i]`` to ``[i + 1]``.
        entry_slot: slot of each entry, counted from the first of its step.
        entry_first: whether the entry is the first of its slot.
        entry_generator, entry_term: generator, and term of the circuit whose coefficient goes with it.
        generator_site, generator_rotation: site and rotation of each generator.
        step_pairs: pairs of step s are ``step_pairs[s]`` to ``[s + 1]``.
        pairs: rows (slot of the earlier, slot of the later, earlier entry, later entry) for entries on one
            site, whose generators need not commute; shape (n_pairs, 4).
    """

    params: Ints
    step_block: Ints
    step_columns: Ints
    step_slots: Ints
    step_plain: NDArray[np.bool_]
    slot_column: Ints
    step_sites: Ints
    site_number: Ints
    site_entries: Ints
    entry_slot: Ints
    entry_first: NDArray[np.bool_]
    entry_generator: Ints
    entry_term: Ints
    generator_site: Ints
    generator_rotation: Ints
    step_pairs: Ints
    pairs: Ints

    @property
    def entry_columns(self) -> Ints:
        """Column of each entry."""
        step = np.searchsorted(self.site_entries[self.step_sites], np.arange(len(self.entry_slot)), side="right") - 1
        return _as_ints(self.slot_column[self.step_slots[step] + self.entry_slot])

    @property
    def entries(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Column, site, rotation and term of every entry."""
        generator = self.entry_generator
        return self.entry_columns, self.generator_site[generator], self.generator_rotation[generator], self.entry_term

    @property
    def pair_columns(self) -> Ints:
        """Columns of the earlier and the later entry of every pair, shape (n_pairs, 2)."""
        return _as_ints(self.entry_columns[self.pairs[:, 2:]])


def make_columns(circuit: Circuit, schedule: Schedule, active: Ints) -> Columns:
    """List the entries of the columns for the active parameters."""
    first_term = np.cumsum([0] + [len(rotation.angle) for rotation in circuit.rotations])
    is_active = set(active.tolist())
    column_of: dict[int, int] = {}
    generators: list[tuple[int, int]] = []  # (site, rotation)
    entries: list[tuple[int, int, int, bool]] = []  # (slot, generator, term, first of its slot)
    pairs: list[tuple[int, int, int, int]] = []
    step_block: list[int] = []
    step_columns: list[int] = []
    step_plain: list[bool] = []
    step_slots, step_sites, step_pairs, site_entries = [0], [0], [0], [0]
    slot_column: list[int] = []
    site_number: list[int] = []

    for block, sites in _steps(schedule):
        slot_of: dict[int, int] = {}  # parameter -> slot of this step
        n_columns, n_entries = len(column_of), len(entries)
        for site, rotations in sites:
            first = len(entries)
            for rotation in rotations:
                terms = range(first_term[rotation], first_term[rotation + 1])
                live = [t for t in terms if circuit.terms[t].param in is_active]
                if live:
                    generators.append((site, rotation))
                for term in live:
                    param = _param(circuit, term)
                    slot = slot_of.setdefault(param, len(slot_of))
                    is_first = slot == len(slot_column) - step_slots[-1]
                    if is_first:
                        slot_column.append(column_of.setdefault(param, len(column_of)))
                    entries.append((slot, len(generators) - 1, term, is_first))
            if len(entries) > first:
                site_number.append(site)
                site_entries.append(len(entries))
            for k, i in itertools.combinations(range(first, len(entries)), 2):
                if entries[k][1] != entries[i][1]:
                    pairs.append((entries[k][0], entries[i][0], k, i))
        if slot_of:
            step_block.append(block)
            step_columns.append(len(column_of))
            step_plain.append(len(column_of) - n_columns == len(slot_of) == len(entries) - n_entries)
            step_slots.append(len(slot_column))
            step_sites.append(len(site_number))
            step_pairs.append(len(pairs))

    unused = [p for p in active.tolist() if p not in column_of]
    for param in unused:  # a parameter that no angle has: its column stays 0
        column_of[param] = len(column_of)
    return Columns(
        params=_as_ints(list(column_of)),
        step_block=_as_ints(step_block),
        step_columns=_as_ints(step_columns),
        step_slots=_as_ints(step_slots),
        step_plain=np.array(step_plain, dtype=np.bool_),
        slot_column=_as_ints(slot_column),
        step_sites=_as_ints(step_sites),
        site_number=_as_ints(site_number),
        site_entries=_as_ints(site_entries),
        entry_slot=_as_ints([entry[0] for entry in entries]),
        entry_first=np.array([entry[3] for entry in entries], dtype=np.bool_),
        entry_generator=_as_ints([entry[1] for entry in entries]),
        entry_term=_as_ints([entry[2] for entry in entries]),
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


def _as_ints(values: ArrayLike) -> Ints:
    return np.array(values, dtype=np.int64)


def _param(circuit: Circuit, term: int) -> int:
    param = circuit.terms[term].param
    assert param is not None
    return param
