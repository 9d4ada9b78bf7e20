"""Arrays that stand for many evaluations at once: a QNode that is called with them queues its gates once for all.

A :class:`Batched` array has the shape that the QNode expects, and one more axis that the QNode does not see. All
arithmetic of numpy works entry by entry of that axis. What has no meaning for many entries at once (a branch that they
take differently, a conversion to one float) is a :class:`ManyError`, and the caller evaluates one entry at a time
instead. Code that swallows the error is found out by :attr:`Batched.n_refused`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NoReturn

import autoray
import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


class ManyError(BaseException):
    """Entries that differ were asked for the one value that they do not have; no ``except Exception`` catches it."""


# what numpy asks of the entries of an object array
_METHODS = frozenset(
    "sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh exp exp2 expm1 log log2 log10 log1p sqrt "
    "cbrt square absolute fabs sign floor ceil trunc rint deg2rad rad2deg degrees radians conjugate".split()
)


class Batched(NDArrayOperatorsMixin):
    """One array for each of ``n`` evaluations.

    Args:
        values: their entries, shape (*shape, n).

    Attributes:
        n_refused: how often any of them was asked for one value and had none.
    """

    n_refused: ClassVar[int] = 0

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # code that asks for its kind goes the way of one entry
        return np.ndarray if self.values.ndim > 1 else self.values.dtype.type

    def __copy__(self) -> Batched:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Batched:
        return self.copy()

    # --- what the QNode sees of an array ----------------------------------------------------------------

    @property
    def n_entries(self) -> int:
        """Number of evaluations."""
        return int(self.values.shape[-1])

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape[:-1]

    @property
    def ndim(self) -> int:
        return self.values.ndim - 1

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def dtype(self) -> Any:
        return self.values.dtype

    @property
    def T(self) -> Batched:  # noqa: N802 - numpy's name
        return self.transpose()

    @property
    def real(self) -> Batched:
        return Batched(self.values.real)

    @property
    def imag(self) -> Batched:
        return Batched(self.values.imag)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an array without axes")
        return self.shape[0]

    def __iter__(self) -> Iterator[Batched]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Batched:
        indices = index if isinstance(index, tuple) else (index,)
        return Batched(self.values[(*indices, slice(None))])

    def __repr__(self) -> str:
        return f"Batched(shape {self.shape}, {self.n_entries} entries)"

    def reshape(self, *shape: Any) -> Batched:
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        return Batched(self.values.reshape(*wanted, self.n_entries))

    def ravel(self) -> Batched:
        return self.reshape(-1)

    def flatten(self) -> Batched:
        return self.reshape(-1)

    def transpose(self) -> Batched:
        return Batched(np.moveaxis(self.values.T, 0, -1))

    def copy(self) -> Batched:
        return Batched(self.values.copy())

    def astype(self, dtype: Any, **_: Any) -> Batched:
        return Batched(self.values.astype(dtype))

    def tolist(self) -> Any:
        return [entry.tolist() for entry in self] if self.shape else self

    def item(self) -> Batched:
        return self.reshape(())

    def sum(self, *args: Any, **kwargs: Any) -> Any:
        return np.sum(self, *args, **kwargs)

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        return np.mean(self, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name in _METHODS:
            return functools.partial(getattr(np, name), self)
        if name.startswith("__") or not hasattr(self.__class__, name):
            raise AttributeError(f"Batched has no attribute {name!r}")
        if not callable(getattr(self.__class__, name)):
            self._refuse(name)
        return lambda *args, **kwargs: _one_by_one(_method(name), (self, *args), kwargs)

    # --- one value for all, or none ---------------------------------------------------------------------

    def _refuse(self, what: str) -> NoReturn:
        Batched.n_refused += 1
        raise ManyError(f"entries that differ have no one {what}")

    def _only(self, what: str) -> Any:
        first = self.values.reshape(-1)[0] if self.values.size else None
        if self.shape or first is None or not np.all(self.values == first):
            self._refuse(what)
        return first

    def __hash__(self) -> int:
        return hash(self._only("hash"))

    def __str__(self) -> str:
        return str(self._only("text"))

    def __format__(self, spec: str) -> str:
        return format(self._only("text"), spec)

    def __bool__(self) -> bool:
        return bool(self._only("truth value"))

    def __float__(self) -> float:
        return float(self._only("float"))

    def __int__(self) -> int:
        return int(self._only("int"))

    def __index__(self) -> int:
        only = self._only("index")
        if self.values.dtype.kind not in "iu":
            raise TypeError("only whole numbers are an index")
        return int(only)

    def __complex__(self) -> complex:
        return complex(self._only("complex number"))

    # --- numpy ------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and ufunc.signature is None and not kwargs:
            found = ufunc(*(_aligned(value) for value in inputs))
            return tuple(map(Batched, found)) if isinstance(found, tuple) else Batched(found)
        return _one_by_one(getattr(ufunc, method), inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in _SHAPES:
            return _SHAPES[function](*args, **kwargs)
        return _one_by_one(function, args, kwargs)


def _with_numbers(operator: Callable[[Batched, Any], Any]) -> Callable[[Batched, Any], Any]:
    """The operator where the other operand is a number or an array; else Python asks the other one."""

    @functools.wraps(operator)
    def operate(self: Batched, other: Any) -> Any:
        if isinstance(other, Batched | np.ndarray | np.generic | int | float | complex | list | tuple):
            return operator(self, other)
        if operator.__name__ in ("__mul__", "__rmul__") and hasattr(other, "pauli_rep"):
            import pennylane as qml  # whose operators take the numbers that they know

            return qml.s_prod(self, other, lazy=False)
        return NotImplemented

    return operate


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
    for _side in (f"__{_name}__", f"__r{_name}__"):
        setattr(Batched, _side, _with_numbers(getattr(NDArrayOperatorsMixin, _side)))

autoray.register_backend(Batched, "numpy")  # where PennyLane looks for the functions of an array

_SHAPES: dict[Any, Callable[..., Any]] = {
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a: a.size,
}


def _aligned(value: Any) -> Any:
    """An operand with the axis of entries as its last one."""
    if isinstance(value, Batched):
        return value.values
    array = np.asarray(value)
    if array.dtype == object:
        array = _gathered(array).values
        return array
    return array[..., np.newaxis]


def _gathered(array: np.ndarray[Any, Any]) -> Batched:
    """An object array, some of whose entries are batched, as one batched array."""
    entries = [entry.values if isinstance(entry, Batched) else np.asarray(entry) for entry in array.reshape(-1)]
    n_entries = max((entry.shape[-1] for entry in entries if entry.ndim), default=1)
    flat = [np.broadcast_to(entry, (n_entries,)) for entry in entries]
    return Batched(np.array(flat).reshape(*array.shape, n_entries))


def as_batched(value: Any) -> Any:
    """The value itself, or one batched array for an object array that holds some."""
    return _gathered(value) if isinstance(value, np.ndarray) and value.dtype == object else value


def _method(name: str) -> Callable[..., Any]:
    return lambda entry, *args, **kwargs: getattr(entry, name)(*args, **kwargs)


def _one_by_one(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """``function`` of every entry by itself, stacked."""
    n_entries = next(found.n_entries for found in _all(args, kwargs))
    found = [function(*_entry(args, k), **_entry(kwargs, k)) for k in range(n_entries)]
    if isinstance(found[0], tuple | list):
        return type(found[0])(_stacked(list(part)) for part in zip(*found, strict=True))
    return _stacked(found)


def _stacked(found: list[Any]) -> Batched | None:
    arrays = [np.asarray(one) for one in found]
    if all(one is None for one in found):  # a method that works in place
        return None
    if any(array.dtype == object or array.shape != arrays[0].shape for array in arrays):
        Batched.n_refused += 1
        raise ManyError("entries that differ in shape cannot be stacked")
    return Batched(np.stack(arrays, axis=-1))


def _all(*values: Any) -> Iterator[Batched]:
    for value in values:
        if isinstance(value, Batched):
            yield value
        elif isinstance(value, tuple | list):
            yield from _all(*value)
        elif isinstance(value, dict):
            yield from _all(*value.values())
        elif isinstance(value, np.ndarray) and value.dtype == object:
            yield from _all(*value.reshape(-1))


def _entry(value: Any, k: int) -> Any:
    if isinstance(value, Batched):
        return value.values[..., k]
    if isinstance(value, tuple | list):
        return type(value)(_entry(part, k) for part in value)
    if isinstance(value, dict):
        return {key: _entry(part, k) for key, part in value.items()}
    if isinstance(value, np.ndarray) and value.dtype == object:
        return np.array([_entry(part, k) for part in value.reshape(-1)]).reshape(value.shape)
    return value
