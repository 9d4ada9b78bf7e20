"""What pydantic finds wrong with a configuration, in one line each: the key, what is allowed, and the value."""

from __future__ import annotations

import difflib
from typing import Any

LETTER = r"^[a-z]$"
REFERENCE = r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$"
TABLE_FILE = r"^[^{}\n]+\.(csv|parquet)$"


def describe(fault: Any) -> str:
    """One entry of ``ValidationError.errors()`` as ``key: what is allowed, but is value``."""
    kind, value, context = fault["type"], fault["input"], fault.get("ctx", {})
    steps = [str(step) for step in fault["loc"]]
    if steps[-1:] == ["[key]"]:
        return f"{'.'.join(steps[:-2])}: {_wrong_name(kind, value, context)}"
    # the member of a union ("adam", "mse") is no key of the file
    steps = [s for i, s in enumerate(steps) if not (s in _TAGS and i and steps[i - 1] in _UNIONS)]
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        steps.append(context["discriminator"].strip("'"))
        value = context.get("tag")
    key = ".".join(steps)
    if kind in ("missing", "union_tag_not_found"):
        return f"{key}: missing"
    if kind == "value_error":  # a rule of a section; its message says what is wrong
        return ": ".join(filter(None, [key, str(context["error"])]))
    if kind == "string_pattern_mismatch":
        context = {"what": _PATTERNS.get(context["pattern"], "lower-case letters, digits and _, a letter first")}
    allowed = _ALLOWED[kind].format(**context) if kind in _ALLOWED else fault["msg"]
    if kind == "too_short":  # keys of lists are plurals
        allowed += steps[-1].removesuffix("s") if context["min_length"] == 1 else steps[-1]
    return f"{key}: {allowed}, but is {value!r}"


def _wrong_name(kind: str, name: Any, context: dict[str, Any]) -> str:
    if kind == "literal_error":
        return f"a name must be {context['expected']}, but is {name!r}"
    allowed = (
        "one lower-case letter"
        if context.get("pattern") == LETTER
        else "lower-case letters, digits and _, a letter first"
    )
    return f"a name must be {allowed}, but is {name!r}"


def nearest(name: str, allowed: list[str]) -> str:
    """End of an error message: the allowed name that is close to ``name``, else all of them."""
    close = difflib.get_close_matches(name, allowed, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; allowed: {', '.join(allowed)}"


_UNIONS = {"optimiser", "objective", "epochs", "circuit", "network", "data", "built_in"}
_TAGS = {
    *("sgd", "adam", "gd", "lbfgs", "qng", "hlr", "hlr_qng", "infidelity", "mse", "expval", "all", "list"),
    *("built_in", "own", "disk", "bundled", "file"),
}

_PATTERNS = {
    REFERENCE: "a mapping, or module:name such as my_module:my_qnode",
    TABLE_FILE: "the path of a .csv or .parquet file",
}

# kind of pydantic's fault -> what is allowed
_ALLOWED = {
    "literal_error": "must be {expected}",
    "union_tag_invalid": "must be one of {expected_tags}",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "finite_number": "must be finite",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "too_short": "must hold at least {min_length} ",
    "too_long": "must hold at most {max_length} entries",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "string_type": "must be a text",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must be {what}",
}
