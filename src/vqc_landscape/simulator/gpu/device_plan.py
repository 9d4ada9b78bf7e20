"""The schedule, the columns and the commuting sets as tensors of a device: what the sweeps read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vqc_landscape.simulator.compile.columns import Columns
from vqc_landscape.simulator.compile.measurement import CommutingSets
from vqc_landscape.simulator.compile.schedule import Ints, Schedule
from vqc_landscape.simulator.gpu.layout import BlockLayout, block_layout, moves, wire_layout
from vqc_landscape.simulator.gpu.ry_products import bit_ranges, ry_matrices


class Step(NamedTuple):
    """Generators that enter at one evaluation point: the runs of a block, or the words after them.

    Attributes:
        slots: columns that gain, (n_slots,).
        old, new: which of the slots have a column already, and which begin one.
        rotations, terms: rotation and term of each entry, (n_entries,).
        incidence: 1 where an entry belongs to a slot and a site, (n_entries, n_slots * n_sites).
        sources, factors: ``-i/2 sigma`` of every site for X, Y, Z as a permutation of amplitudes and a factor for
            each, (3 n_sites, 2**n_qubits); words have Z alone, (n_sites, 2**n_qubits) and no permutation.
    """

    slots: Tensor
    old: Tensor
    new: Tensor
    rotations: Tensor
    terms: Tensor
    incidence: Tensor
    sources: Tensor | None
    factors: Tensor


class Diagonal(NamedTuple):
    """How amplitudes come from one block to the next: in another order, and times signs and phases.

    Attributes:
        there, back: source of each new position, and of each old one; None where the order stays.
        signs: of CZ, CCZ and MCZ, (2**n_qubits,).
        factors: which of alphas, gammas and halves of words' angles (one after the other) are in it, (n_factors,).
        patterns: how often each enters the phase of an amplitude, (n_factors, 2**n_qubits).
    """

    there: Tensor | None
    back: Tensor | None
    signs: Tensor
    factors: Tensor
    patterns: Tensor


class Pairs(NamedTuple):
    """Entries on one site, k before i, whose generators need not commute.

    Attributes:
        rotations, terms: of k and of i, (2, n_pairs).
        sites: position of the site among those of all steps of runs.
    """

    rotations: Tensor
    terms: Tensor
    sites: Tensor


class MeasuredSet(NamedTuple):
    """One commuting set of Pauli words.

    Attributes:
        phases: before its basis change, (2**n_qubits,).
        rotations: its basis change as matrices; None without a change of basis.
        rows: amplitudes with a weight that is not 0.
        weights: their weights.
    """

    phases: Tensor
    rotations: list[Tensor] | None
    rows: Tensor
    weights: Tensor


class Plan:
    """Everything that does not depend on parameters or data.

    Attributes:
        wire_layout: the order of amplitudes in which observables are measured, that of the wires.
        ranges: bits whose RY rotations are one matrix.
        diagonals: of every block, and after the last one.
        ry_run: run whose RY acts on each bit of each block, n_runs where there is none, (n_blocks, n_qubits).
        has_ry: whether any bit of each range has one, for every block.
        steps: of every block.
        words: rotation of each word of Z's.
        pairs: of all steps.
    """

    def __init__(self, schedule: Schedule, columns: Columns, device: torch.device) -> None:
        self.schedule = schedule
        self.device = device
        layouts = [block_layout(schedule, b) for b in range(schedule.n_blocks)]
        self.wire_layout = wire_layout(schedule)
        self.ranges = bit_ranges(schedule.n_qubits)
        self.diagonals = [
            self._diagonal(b, layout, layouts[b - 1] if b else layout)
            for b, layout in enumerate([*layouts, self.wire_layout])
        ]
        ry_run = np.full((schedule.n_blocks, schedule.n_qubits), schedule.n_runs)
        for b, layout in enumerate(layouts):
            for bit, run in zip(layout.bits, range(*schedule.block_runs[b : b + 2]), strict=True):
                if schedule.run_has_ry[run]:
                    ry_run[b, bit] = run
        self.ry_run = self.tensor(ry_run)
        self.has_ry = [[bool((runs[bits] < schedule.n_runs).any()) for bits in self.ranges] for runs in ry_run]
        self._known_paulis: dict[tuple[int, ...], tuple[Tensor, Tensor]] = {}
        self.steps: list[list[Step]] = [[] for _ in layouts]
        n_active = 0
        for step, block in enumerate(columns.step_block):
            self.steps[block].append(self._step(step, columns, layouts[block], n_active))
            slots = columns.slot_column[columns.step_slots[step] : columns.step_slots[step + 1]]
            n_active = max(n_active, int(slots.max()) + 1)
        self.words = self.tensor(schedule.word_rotation)
        self.pairs = self._pairs(columns)

    def measured(self, sets: CommutingSets) -> list[MeasuredSet]:
        """The commuting sets of an observable, for states in the order of the wires."""
        wires = self.schedule.wire_masks.r.tolist()
        found = []
        for g in np.flatnonzero(np.diff(sets.row_starts)):
            weights = sets.weights[g, self.wire_layout.z, 0]
            rows = np.flatnonzero(weights)
            phases, matrices = np.ones(len(weights), np.complex128), None
            if sets.ry_starts[g + 1] > sets.ry_starts[g]:
                basis, tans = sets.basis_phases[sets.basis[g], :-1], np.zeros(len(wires))
                phases = np.prod(
                    np.where(_bits(self.wire_layout.z, self.schedule.wire_masks.r), basis[:, None], 1.0), axis=0
                )
                for k in range(sets.ry_starts[g], sets.ry_starts[g + 1]):
                    tans[wires.index(sets.ry_r[k])] = sets.ry_tans[k]
                half = self.tensor(np.arctan(tans))[:, None]
                matrices = ry_matrices(torch.cos(half), torch.sin(half), self.ranges)
            found.append(MeasuredSet(self.tensor(phases), matrices, self.tensor(rows), self.tensor(weights[rows])))
        return found

    def tensor(self, values: np.ndarray) -> Tensor:
        """An array on the device."""
        return torch.as_tensor(values).to(self.device)

    def numpy(self, values: Tensor) -> np.ndarray:
        """A tensor of the device as an array."""
        array: np.ndarray = values.cpu().numpy()
        return array

    def _diagonal(self, b: int, layout: BlockLayout, before: BlockLayout) -> Diagonal:
        s = self.schedule
        factors: list[int] = []
        patterns: list[Ints] = []
        if b > 0:
            runs = range(s.block_runs[b - 1], s.block_runs[b])
            words = range(s.block_words[b - 1], s.block_words[b])
            factors += [*runs, *(2 * s.n_runs + word for word in words)]
            patterns += [*_bits(layout.z, s.site_r[runs]), *(1 - 2 * _bits(layout.z, s.site_r[s.n_runs :][words]))]
        if b < s.n_blocks:
            runs = range(s.block_runs[b], s.block_runs[b + 1])
            factors += [s.n_runs + run for run in runs]
            patterns += [*_bits(layout.z, s.site_r[runs])]
        there, back = moves(before, layout) or (None, None)
        return Diagonal(
            None if there is None else self.tensor(there),
            None if back is None else self.tensor(back),
            self.tensor(s.signs[b, layout.z]),
            self.tensor(np.array(factors, dtype=np.int64)),
            self.tensor(np.array(patterns, dtype=np.int8).reshape(-1, len(layout.z))),
        )

    def _step(self, step: int, columns: Columns, layout: BlockLayout, n_active: int) -> Step:
        s = self.schedule
        slots = columns.slot_column[columns.step_slots[step] : columns.step_slots[step + 1]]
        positions = range(columns.step_sites[step], columns.step_sites[step + 1])
        sites = columns.site_number[positions]
        counts = np.diff(columns.site_entries)[positions]
        entries = np.arange(columns.site_entries[positions[0]], columns.site_entries[positions[-1] + 1])
        incidence = np.zeros((len(entries), len(slots), len(sites)))
        site = np.repeat(np.arange(len(sites)), counts)
        incidence[np.arange(len(entries)), columns.entry_slot[entries], site] = 1.0
        if sites[0] >= s.n_runs:
            sources, factors = None, self.tensor(-0.5j * (1 - 2 * _bits(layout.z, s.site_r[sites])))
        else:
            bits = layout.bits[sites - s.block_runs[columns.step_block[step]]]
            sources, factors = self._paulis(tuple(bits.tolist()))
        return Step(
            slots=self.tensor(slots),
            old=self.tensor(np.flatnonzero(slots < n_active)),
            new=self.tensor(np.flatnonzero(slots >= n_active)),
            rotations=self.tensor(columns.generator_rotation[columns.entry_generator[entries]]),
            terms=self.tensor(columns.entry_term[entries]),
            incidence=self.tensor(incidence.reshape(len(entries), -1)),
            sources=sources,
            factors=factors,
        )

    def _paulis(self, bits: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """``-i/2`` times X, Y and Z of qubits that have one bit each; the same tensors for the same bits."""
        if bits not in self._known_paulis:
            z = np.arange(2**self.schedule.n_qubits, dtype=np.int64)
            flips = [1 << (self.schedule.n_qubits - 1 - bit) for bit in bits]
            sources = np.stack([source for flip in flips for source in (z ^ flip, z ^ flip, z)])
            signs = [np.where(z & flip, -1.0, 1.0) for flip in flips]
            # on |0>, row 0 of Y is -i times the other amplitude, row 1 is i times it
            factors = np.stack([f for sign in signs for f in (np.full(len(z), -0.5j), -0.5 * sign, -0.5j * sign)])
            self._known_paulis[bits] = self.tensor(sources), self.tensor(factors.astype(np.complex64))  # exact
        return self._known_paulis[bits]

    def _pairs(self, columns: Columns) -> Pairs:
        sites = columns.site_number[columns.site_number < self.schedule.n_runs].tolist()
        entries = columns.pairs[:, 2:].T
        generators = columns.entry_generator[entries]
        found = [sites.index(site) for site in columns.generator_site[generators[0]]]
        return Pairs(
            self.tensor(columns.generator_rotation[generators]),
            self.tensor(columns.entry_term[entries]),
            self.tensor(np.array(found, dtype=np.int64)),
        )


def _bits(z: Ints, masks: Ints) -> Ints:
    """Parity of z & mask, (n_masks, len(z))."""
    parities: Ints = (np.bitwise_count(z & np.asarray(masks, dtype=np.int64)[:, None]) % 2).astype(np.int64)
    return parities
