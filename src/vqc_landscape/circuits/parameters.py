"""Parameters of any form as one vector: arrays, tuples of arrays, dicts of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array, as_float


@dataclass(frozen=True)
class Layout:
    """The form of the parameters: an array, or a tuple, list or dict of such forms.

    Attributes:
        kind: ``"array"``, ``"tuple"``, ``"list"`` or ``"dict"``.
        shape: of an array.
        n_lists: how many axes of an array, the first ones, are nested lists in the example.
        parts: of the others, each with its key.
    """

    kind: str
    shape: tuple[int, ...] = ()
    parts: tuple[tuple[Any, Layout], ...] = ()
    n_lists: int = 0

    @property
    def size(self) -> int:
        """Number of parameters."""
        if self.kind == "array":
            return int(np.prod(self.shape))
        return sum(part.size for _, part in self.parts)

    @property
    def has_lists(self) -> bool:
        """Whether the example has lists where an array could be."""
        return self.n_lists > 0 or any(part.has_lists for _, part in self.parts)

    def flatten(self, params: Any) -> Array | None:
        """The parameters as one vector (P,), if they have this form."""
        if self.kind == "array":
            try:
                array = as_float("params", params)
            except ValueError:
                return None
            return array.reshape(-1) if array.shape == self.shape else None
        known = Mapping if self.kind == "dict" else tuple | list
        if not isinstance(params, known) or len(params) != len(self.parts):
            return None
        found = [np.zeros(0)]
        for key, part in self.parts:
            one = part.flatten(params[key]) if not isinstance(params, Mapping) or key in params else None
            if one is None:
                return None
            found.append(one)
        return np.concatenate(found)

    def unflatten(self, vector: Any, first: int = 0, lists: bool = False) -> Any:
        """The way back, of an array (P,) or a batched one; views where they are arrays, nested lists on request."""
        if self.kind == "array":
            flat = vector[first : first + self.size]
            array = flat.reshape(self.shape) if self.shape else flat[0]
            return _listed(array, self.n_lists) if lists else array
        values = []
        for _, part in self.parts:
            values.append(part.unflatten(vector, first, lists))
            first += part.size
        if self.kind == "dict":
            return dict(zip([key for key, _ in self.parts], values, strict=True))
        return tuple(values) if self.kind == "tuple" else values

    def arrays(self, prefix: str = "") -> Iterator[tuple[str, tuple[int, ...]]]:
        """Name and shape of every array, in the order of the parameters."""
        if self.kind == "array":
            yield prefix, self.shape
        for key, part in self.parts:
            yield from part.arrays(f"{prefix}[{key!r}]" if prefix else str(key))


def layout_of(params: Any, name: str = "params") -> Layout:
    """The form of the user's example of the parameters.

    Raises:
        ValueError: something that holds no numbers.
    """
    if isinstance(params, Mapping):
        return Layout("dict", parts=tuple((key, layout_of(value, f"{name}[{key!r}]")) for key, value in params.items()))
    if isinstance(params, tuple) or (isinstance(params, list) and not _is_regular(params)):
        parts = tuple((k, layout_of(value, f"{name}[{k}]")) for k, value in enumerate(params))
        return Layout("tuple" if isinstance(params, tuple) else "list", parts=parts)
    return Layout("array", as_float(name, params).shape, n_lists=_n_lists(params))


def _n_lists(params: Any) -> int:
    return 1 + min(map(_n_lists, params), default=0) if isinstance(params, list) else 0


def _listed(array: Any, n_lists: int) -> Any:
    """An array whose first axes are nested lists."""
    return [_listed(entry, n_lists - 1) for entry in array] if n_lists else array


def _is_regular(params: Any) -> bool:
    """Whether nested sequences are one array."""
    try:
        return np.asarray([as_float("params", part) for part in params]).dtype.kind in "iuf"
    except ValueError:
        return False


@dataclass(frozen=True)
class Parameters:
    """The parameters of a function, one vector argument by argument.

    Attributes:
        layout: their form; a tuple is several arguments, a dict is given by keywords.
        names: arguments that they go to.
    """

    layout: Layout
    names: tuple[str, ...]

    @property
    def is_spread(self) -> bool:
        """Whether the parts of a tuple are arguments of their own."""
        return self.layout.kind == "tuple" and len(self.names) > 1

    def arguments(self, vector: Any, lists: bool = False) -> dict[str, Any]:
        """Arguments by name, of an array (P,) or a batched one."""
        values = self.layout.unflatten(vector, lists=lists)
        if self.layout.kind == "dict":
            return dict(values)
        return dict(zip(self.names, values if self.is_spread else (values,), strict=True))

    def arrays(self) -> dict[str, tuple[int, ...]]:
        """Shape of every array, by its name, in the order of the parameters."""
        if self.layout.kind == "dict":
            return dict(self.layout.arrays())
        parts = [part for _, part in self.layout.parts] if self.is_spread else [self.layout]
        return dict(array for name, part in zip(self.names, parts, strict=True) for array in part.arrays(name))

    def indices(self) -> dict[str, NDArray[np.int64]]:
        """Positions in the vector of the entries of every array, in its shape."""
        found, first = {}, 0
        for name, shape in self.arrays().items():
            size = int(np.prod(shape))
            found[name] = np.arange(first, first + size).reshape(shape)
            first += size
        return found

    def __str__(self) -> str:
        return ", ".join(f"{name} {shape}" for name, shape in self.arrays().items())
