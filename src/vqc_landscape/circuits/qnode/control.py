"""Parts of a program under an adjoint or under controls."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.circuits.program import MAX_MATRIX_WIRES
from vqc_landscape.circuits.qnode.parts import Label, NotTakenError, Part

MAX_CONTROLS = 6  # of a rotation, which becomes 2**6 words; chosen by us

_HADAMARD = np.array([[1, 1], [1, -1]]) / np.sqrt(2) + 0j


def adjoint(parts: Iterable[Part]) -> list[Part]:
    """The inverse of a product of parts."""
    return [_inverse(part) for part in reversed(list(parts))]


def _inverse(part: Part) -> Part:
    if part.kind in ("rotation", "phase"):
        return replace(part, value=-part.value)
    if part.kind == "gate":  # all of them are their own inverse
        return part
    return replace(part, value=np.swapaxes(part.value, 0, 1).conj())


def flip_if(wires: tuple[Label, ...]) -> Iterator[Part]:
    """X on the last wire where all others are 1."""
    hadamard = Part("matrix", "H", wires[-1:], _HADAMARD, frames=True)
    yield from (hadamard, _sign(wires), hadamard)


def _sign(wires: tuple[Label, ...]) -> Part:
    """-1 where all wires are 1."""
    return Part("gate", {2: "CZ", 3: "CCZ"}.get(len(wires), "MCZ"), wires)


def under_control(part: Part, controls: tuple[tuple[Label, Any], ...]) -> Iterator[Part]:
    """A part, where all controls have their values."""
    wires = tuple(wire for wire, _ in controls)
    if part.frames:
        yield part
    elif part.kind in ("rotation", "phase"):
        if len(controls) > MAX_CONTROLS:
            raise NotTakenError(
                f"{part.label or part.name} on wires {list(part.wires)} has {len(controls)} controls; at most "
                f"{MAX_CONTROLS} are taken. Use an auxiliary wire for the others."
            )
        # |1><1| = (1 - Z) / 2 and |0><0| = (1 + Z) / 2: a product of words, each with a sign
        for chosen in itertools.product((False, True), repeat=len(controls)):
            sign = np.prod([-1.0 if value else 1.0 for (_, value), z in zip(controls, chosen, strict=True) if z])
            factor = float(sign) / 2 ** len(controls)
            zs = tuple(wire for wire, z in zip(wires, chosen, strict=True) if z)
            if part.kind == "rotation":
                yield replace(part, name=part.name + "Z" * len(zs), wires=part.wires + zs, value=factor * part.value)
            elif zs:
                yield Part("rotation", "Z" * len(zs), zs, -2.0 * factor * part.value, part.label or part.name)
            else:
                yield replace(part, value=factor * part.value)
    elif part.kind == "matrix" and part.name == "PauliX":
        yield from flip_if(wires + part.wires)
    elif part.kind == "matrix" and part.name == "PauliZ" or part.name in ("CZ", "CCZ", "MCZ"):
        yield _sign(wires + part.wires)
    elif part.name == "CNOT":
        yield from flip_if(wires + part.wires)
    elif part.name == "SWAP":
        a, b = part.wires
        yield Part("gate", "CNOT", (b, a))
        yield from flip_if((*wires, a, b))
        yield Part("gate", "CNOT", (b, a))
    elif part.kind == "matrix" and len(wires + part.wires) <= MAX_MATRIX_WIRES:
        yield Part("matrix", f"C({part.name})", wires + part.wires, _controlled_matrix(part.value, len(wires)))
    else:
        raise NotTakenError(
            f"{part.name} on wires {list(part.wires)} with {len(controls)} controls cannot be taken: its matrix is "
            f"taken on up to {MAX_MATRIX_WIRES} wires. Write it as other gates."
        )


def _controlled_matrix(matrix: NDArray[np.complex128], n_controls: int) -> NDArray[np.complex128]:
    size = len(matrix) << n_controls
    whole = np.zeros((size, size, *matrix.shape[2:]), dtype=np.complex128)
    index = np.arange(size - len(matrix))
    whole[index, index] = 1.0
    whole[-len(matrix) :, -len(matrix) :] = matrix
    return whole
