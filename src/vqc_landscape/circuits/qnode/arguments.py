"""How a QNode is called: which of its arguments are the parameters, which one takes the features, which stay fixed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vqc_landscape.circuits.parameters import Layout, Parameters

Argnum = int | str | Sequence[int | str]

# Names that others give to the argument for data (PennyLane's TorchLayer asks for ``inputs``), and to parameters.
DATA_NAMES = frozenset("inputs input x xs data datum features feature sample samples row image point".split())
PARAM_NAMES = frozenset("weights weight params param parameters theta thetas phi phis angles".split())
# The arguments of ``from_qnode`` itself: one of a QNode that has such a name is given by a partial.
RESERVED = frozenset("qnode params features targets loss argnum reduction device precision".split())


# --- roles ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """One way to call a QNode.

    Attributes:
        function: the QNode's function.
        name: of the QNode.
        parameters: which arguments the parameters are.
        feature_name: argument that a row of features goes to; None without features.
        static: values of other arguments.
        order: arguments in the order of the function, where it takes them by position alone.
    """

    function: Callable[..., Any]
    name: str
    parameters: Parameters
    feature_name: str | None
    static: Mapping[str, Any]
    order: tuple[str, ...] = ()

    def arguments(self, params: Any, row: Any = None, lists: bool = False) -> tuple[list[Any], dict[str, Any]]:
        """What the QNode is called with.

        Args:
            params: flat, an array (P,) or a batched one.
            row: features of one sample.
            lists: whether lists of the example are lists; else they are arrays.
        """
        given = self.parameters.arguments(params, lists) | dict(self.static)
        if self.feature_name is not None:
            given[self.feature_name] = row
        if self.order:
            return [given[name] for name in self.order], {}
        return [], given


def find_calls(
    function: Callable[..., Any],
    name: str,
    layout: Layout,
    with_features: bool,
    argnum: Argnum | None,
    static: Mapping[str, Any],
) -> list[Call]:
    """The ways to call a QNode that its signature allows, the documented one (parameters first) first.

    Raises:
        ValueError: arguments that do not fit the signature; they are named.
    """
    names, required, by_position = _signature(function, layout, with_features, static)
    unknown = [key for key in static if key not in names]
    if unknown:
        raise ValueError(f"{name} has no argument `{unknown[0]}`; it has {_listed(names)}.")
    free = [key for key in names if key not in static]
    # what must be given comes first, then what looks like data
    ranked = sorted(free, key=lambda key: (key not in required, key not in required and key not in DATA_NAMES))
    if layout.kind == "dict":
        keys = tuple(str(key) for key, _ in layout.parts)
        unknown = [key for key in keys if key not in free]
        if unknown:
            raise ValueError(f"Argument `params` has {unknown[0]!r}, but {name} has {_listed(free)}.")
        choices = [keys]
    elif argnum is not None:
        choices = [tuple(_named(argnum, names, name))]
    else:
        n_arrays = len(layout.parts) if layout.kind == "tuple" and len(layout.parts) + with_features <= len(free) else 1
        choices = [tuple(ranked[:n_arrays])]
        if with_features:  # the features may go to any other one
            choices += [tuple(key for key in free if key != feature)[:n_arrays] for feature in reversed(choices[0])]
    calls = []
    for chosen in choices:
        others = [key for key in ranked if key not in chosen]
        feature = others.pop(0) if with_features and others else None
        missing = [key for key in others if key in required]
        if with_features and feature is None or not chosen:
            wanted = f"params ({_shapes(layout)})" + (" and features" if with_features else "")
            raise ValueError(f"{name} takes {_listed(names)}, which is too little for {wanted}.")
        if missing:
            keyword = "" if missing[0] in RESERVED else f"as a keyword, from_qnode(..., {missing[0]}=...), or "
            raise ValueError(
                f"Argument `{missing[0]}` of {name} has no value. Give it {keyword}by functools.partial({name}, "
                f"{missing[0]}=...); or, if it is one of the parameters, give `params` as a tuple or a dict."
            )
        order = tuple(key for key in names if key in (*chosen, feature, *static)) if by_position else ()
        calls.append(Call(function, name, Parameters(layout, chosen), feature, dict(static), order))
    return calls


def is_suspicious(call: Call) -> bool:
    """Whether names say that parameters and features may have changed places."""
    params, feature = call.parameters.names, call.feature_name
    data_as_params = any(name in DATA_NAMES for name in params) and feature not in DATA_NAMES
    return data_as_params or (feature in PARAM_NAMES and not any(name in PARAM_NAMES for name in params))


def _signature(
    function: Callable[..., Any], layout: Layout, with_features: bool, static: Mapping[str, Any]
) -> tuple[list[str], set[str], bool]:
    """Names of the arguments, those without a default, and whether they are taken by position alone."""
    kinds = inspect.Parameter
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = [kinds("args", kinds.VAR_POSITIONAL)]
    named = [p for p in parameters if p.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)]
    names = [p.name for p in named]
    required = {p.name for p in named if p.default is kinds.empty}
    by_position = any(p.kind is kinds.POSITIONAL_ONLY for p in named)
    if any(p.kind is kinds.VAR_POSITIONAL for p in parameters) and not names:
        n_arrays = len(layout.parts) if layout.kind == "tuple" else 1
        names, by_position = [f"argument {k}" for k in range(n_arrays + with_features)], True
        required = set(names)
    if any(p.kind is kinds.VAR_KEYWORD for p in parameters):
        keys = [str(key) for key, _ in layout.parts] if layout.kind == "dict" else []
        names += [key for key in (*keys, *static) if key not in names]
    return names, required, by_position


def _named(argnum: Argnum, names: Sequence[str], name: str) -> list[str]:
    found = []
    for one in argnum if isinstance(argnum, list | tuple) else [argnum]:
        if isinstance(one, str) and one in names:
            found.append(one)
        elif isinstance(one, int) and not isinstance(one, bool) and -len(names) <= one < len(names):
            found.append(names[one])
        else:
            raise ValueError(f"Argument `argnum` must name arguments of {name}, {_listed(names)}, but is {argnum!r}.")
    if len(set(found)) < len(found):
        raise ValueError(f"Argument `argnum` must name each argument once, but is {argnum!r}.")
    return found


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "no arguments"


def _shapes(layout: Layout) -> str:
    return ", ".join(str(shape) for _, shape in layout.arrays())
