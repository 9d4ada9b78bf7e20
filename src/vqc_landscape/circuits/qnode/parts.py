"""The steps of a program, and the numbers in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.circuits.qnode.batched import Batched, as_batched

Label = Any  # of a wire
Number = Any  # a float, or (n_entries,) where many evaluations are made at once


class NotTakenError(ValueError):
    """Something in the QNode that cannot be taken; the message names it, with the way out."""


@dataclass(frozen=True)
class Part:
    """One step of a program.

    Attributes:
        kind: ``"rotation"``, ``exp(-i value/2 word)``; ``"gate"``, a named one of :data:`FIXED_GATES`; ``"matrix"``;
            ``"phase"``, ``exp(i value)``; ``"state"``, amplitudes or bits of an initial state.
        name: word of a rotation, name of a gate, label of a matrix.
        wires: labels, one for each letter of a word.
        value: angle, matrix (d, d), phase or state; where many evaluations are made at once, with one more axis.
        label: operation that a rotation comes from.
        frames: whether the part is a change of basis whose inverse follows: it needs no control.
    """

    kind: str
    name: str
    wires: tuple[Label, ...]
    value: Any = None
    label: str = ""
    frames: bool = False


def number(operation: Any, value: Any) -> Number:
    """A real parameter of a gate.

    Raises:
        NotTakenError: several at once.
    """
    if type(value) in (float, np.float64):
        return float(value)
    found = array(value)
    if found.dtype.itemsize < 8 and found.dtype.kind in "fc":
        raise NotTakenError(
            f"{operation.name} on wires {operation.wires.tolist()} has an angle in single precision, {found.dtype}. "
            "Compute angles in float64, of features in float64; with JAX, jax.config.update('jax_enable_x64', True)."
        )
    if np.iscomplexobj(found) and found.imag.any():
        raise NotTakenError(f"{operation.name} on wires {operation.wires.tolist()} has a complex angle.")
    n_axes = 1 if isinstance(as_batched(value), Batched) else 0
    if found.ndim != n_axes:
        raise NotTakenError(
            f"{operation.name} on wires {operation.wires.tolist()} has {found.shape} angles at once. Give the rows of "
            "a batch as `features`: the QNode is then called with one row at a time."
        )
    return found.real if n_axes else float(found.real)


def array(value: Any) -> NDArray[Any]:
    """A plain array, from any of PennyLane's tensor types or a sparse matrix; entries of a batched one come last."""
    if hasattr(value, "detach"):
        return np.asarray(value.detach().cpu().numpy())
    if hasattr(value, "toarray"):
        return np.asarray(value.toarray())
    value = as_batched(value)
    return value.values if isinstance(value, Batched) else np.asarray(value)
