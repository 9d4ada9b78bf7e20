"""Sub-layers of simultaneous rotations: the blocks of the block-diagonal metric."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.circuits.program import Gate, Rotation


def parameter_blocks(gates: Sequence[Gate], n_params: int) -> tuple[NDArray[np.int64], ...]:
    """The parameters of each sub-layer, a partition of all of them.

    Every rotation that has a parameter belongs to the first sub-layer that its wires allow: one beside rotations about
    other words that commute with it, behind all else. A fixed gate, or a rotation without a parameter, ends the
    sub-layers of its wires. A parameter of several sub-layers joins them.

    Reference:
        Stokes, Izaac, Killoran, Carleo, Quantum 4, 269 (2020), Sec. 3.
    """
    level: dict[int, int] = defaultdict(int)  # that a wire has reached
    members: dict[int, list[Rotation]] = defaultdict(list)
    layers: dict[int, set[int]] = defaultdict(set)
    for gate in gates:
        params = {term.param for term in gate.angle if term.param is not None} if isinstance(gate, Rotation) else set()
        own = max(level[wire] for wire in gate.wires)
        if isinstance(gate, Rotation) and params:
            if not all(_beside(gate, other) for other in members[own]):
                own += 1
            members[own].append(gate)
            layers[own] |= params
        elif any(set(gate.wires) & set(other.wires) for other in members[own]):
            own += 1
        for wire in gate.wires:
            level[wire] = own
    blocks: list[set[int]] = []
    for _, params in sorted(layers.items()):
        joined = [block for block in blocks if block & params]
        blocks = [block for block in blocks if not block & params] + [params.union(*joined)]
    seen = set().union(*blocks)
    blocks += [{param} for param in range(n_params) if param not in seen]
    return tuple(np.array(sorted(block), dtype=np.int64) for block in sorted(blocks, key=min))


def _beside(one: Rotation, other: Rotation) -> bool:
    """Whether two rotations are simultaneous: on different wires, or about different words that commute."""
    letters = dict(zip(other.wires, other.word, strict=True))
    shared = [(letter, letters[wire]) for wire, letter in zip(one.wires, one.word, strict=True) if wire in letters]
    same = len(shared) == len(one.wires) == len(other.wires) and all(a == b for a, b in shared)
    return not same and sum(a != b for a, b in shared) % 2 == 0
