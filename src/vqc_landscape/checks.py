"""Argument checks: one grammar for every error of the library.

Every message names the argument, what it must be, and what it is:
``Argument `params` must have shape (192,), but has shape (3, 2).``
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

# Of a circuit, in Python and in the configuration: 2**24 amplitudes are 256 MB, and a gradient holds several states, a
# Hessian one for each parameter. Memory sets a lower limit to most circuits.
MAX_QUBITS = 24
Array = NDArray[np.float64]
Indices = NDArray[np.intp]
T = TypeVar("T")


class NotDifferentiableError(ValueError):
    """A function has no derivative at this point."""


def as_vector(name: str, value: Any, size: int) -> Array:
    """Return ``value`` as a flat float64 array with ``size`` finite entries.

    Accepts numpy arrays, torch tensors and nested sequences of any shape with ``size`` entries.

    Raises:
        ValueError: wrong number of entries, or an entry that is not finite.
    """
    array = as_float(name, value)
    if array.size != size:
        raise ValueError(f"Argument `{name}` must have {size} entries, but has shape {array.shape}.")
    return array.reshape(-1)


def as_matrix(name: str, value: Any, n_columns: Sequence[int] | None = None) -> Array:
    """Return ``value`` as a finite float64 array of shape (n, c) with n > 0 and c in ``n_columns`` (None: any).

    Raises:
        ValueError: wrong number of dimensions or columns, no rows, or an entry that is not finite.
    """
    array = as_float(name, value)
    fits = array.ndim == 2 and len(array) > 0 and (n_columns is None or array.shape[1] in n_columns)
    if not fits:
        allowed = "d" if n_columns is None else " or ".join(str(c) for c in n_columns)
        raise ValueError(f"Argument `{name}` must have shape (n, {allowed}) with n > 0, but has shape {array.shape}.")
    return array


def check_count(name: str, value: Any, minimum: int = 1, maximum: int | None = None) -> int:
    """Return ``value`` as an int within [minimum, maximum].

    Raises:
        ValueError: not a whole number, or out of range.
    """
    bounds = f"at least {minimum}" if maximum is None else f"between {minimum} and {maximum}"
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < minimum or (maximum is not None and value > maximum):
        raise ValueError(f"Argument `{name}` must be a whole number {bounds}, but is {value!r}.")
    return int(value)


def check_type(name: str, value: Any, kind: type[T], source: str) -> T:
    """Return ``value`` if it is a ``kind``, which ``source`` makes.

    Raises:
        ValueError: anything else.
    """
    if not isinstance(value, kind):
        raise ValueError(
            f"Argument `{name}` must be a {kind.__name__}, as {source} returns, but is of type {type(value).__name__}."
        )
    return value


def check_positive(name: str, value: Any) -> float:
    """Return ``value`` as a float above 0.

    Raises:
        ValueError: not a number, not finite, or not above 0.
    """
    number = as_float(name, value)
    if number.ndim or number <= 0:
        raise ValueError(f"Argument `{name}` must be a number above 0, but is {value!r}.")
    return float(number)


def check_choice(name: str, value: Any, allowed: Sequence[str]) -> str:
    """Return ``value`` if it is one of ``allowed``.

    Raises:
        ValueError: any other value.
    """
    if value not in allowed:
        raise ValueError(f"Argument `{name}` must be one of {', '.join(allowed)}, but is {value!r}.")
    return str(value)


def as_float(name: str, value: Any) -> Array:
    if hasattr(value, "detach"):  # a torch tensor; torch itself is not imported for it
        value = value.detach().cpu().numpy()
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Argument `{name}` must be an array of real numbers ({error}).") from None
    if array.dtype.kind not in "iuf":  # a cast would drop imaginary parts and read texts
        raise ValueError(f"Argument `{name}` must be an array of real numbers, but is {_kind(value, array)}.")
    if not np.isfinite(array).all():
        raise ValueError(f"Argument `{name}` must be finite, but holds NaN or infinity.")
    return np.asarray(array, dtype=np.float64, order="C")


def _kind(value: Any, array: NDArray[Any]) -> str:
    if array.dtype == bool:
        return "of type bool; .astype(float) makes 0 and 1 of it"
    return f"a {type(value).__name__}" if array.dtype == object and not array.ndim else f"of type {array.dtype}"


def ranges(numbers: list[int]) -> str:
    """``"0-2, 5"`` for the ascending numbers 0, 1, 2, 5."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]}-{p[-1]}" for p in parts)
