"""What pydantic finds wrong with a configuration, in one line each: the key, what is allowed, and the value."""

from __future__ import annotations

import difflib
from typing import Any

LETTER = r"^[a-z]$"
NAME = r"^[a-z][a-z0-9_]*$"
NAME_LENGTH = 100  # a file's name has 255 bytes, and seed, block, shard or figure stand beside this one
CLAIM = r"^[a-z][a-z0-9-]*$"
FOLDER = r"^[^{}<>\[\]*?\n]+$"
PAULI_WORD = r"^[XYZ][0-9]+( [XYZ][0-9]+)*$"
REFERENCE = r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$"
TABLE_FILE = r"^[^{}<>\n]+\.(csv|parquet)$"


def describe(error: Any) -> str:
    """One entry of ``ValidationError.errors()`` as ``key: what is allowed, but is value``."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    steps = [str(step) for step in error["loc"]]
    # the member of a union ("adam", "mse") is no key of the file
    steps = [s for i, s in enumerate(steps) if not (s in _TAGS and i and steps[i - 1] in _UNIONS)]
    if steps[-1:] == ["[key]"]:
        allowed = context["expected"] if kind == "literal_error" else _PATTERNS.get(context.get("pattern"), "a text")
        rule = _ALLOWED[kind].format(**context) if kind == "string_too_long" else f"must be {allowed}"
        return f"{'.'.join(steps[:-2])}: a name {rule}, but is {_short(value)}"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        steps.append(context["discriminator"].strip("'"))
        value = context.get("tag")
    key = ".".join(steps)
    if kind in ("missing", "union_tag_not_found"):
        return f"{key}: missing"
    if kind == "value_error":  # a rule of a section; its message says what is wrong
        return ": ".join(filter(None, [key, str(context["error"])]))
    if kind == "string_pattern_mismatch":
        context = {"what": _PATTERNS[context["pattern"]]}
    allowed = _ALLOWED[kind].format(**context) if kind in _ALLOWED else error["msg"]
    if kind == "too_short":
        allowed += "entry" if context["min_length"] == 1 else "entries"
    return f"{key}: {allowed}, but is {_short(value)}"


def _short(value: Any) -> str:
    """As Python writes it, but no longer than a line."""
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:100]}... ({len(text)} characters)"


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
    LETTER: "one lower-case letter",
    NAME: "lower-case letters, digits and _, a letter first",
    CLAIM: "lower-case letters, digits and -, a letter first",
    FOLDER: "a path on one line, without any of { } < > [ ] * ?",
    PAULI_WORD: "X, Y or Z with the number of a qubit, several with one blank between them, such as Z0 Z1",
    REFERENCE: "a mapping, or module:name such as my_module:my_qnode",
    TABLE_FILE: "the path of a .csv or .parquet file, without any of { } < >",
}

# pydantic's kind of error -> what is allowed
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
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must be {what}",
}
