"""The reference of the configuration, written from its types: ``python -m vqc_landscape.reference``.

A JSON schema for editors (completion, checks while typing) and a table of all keys for readers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vqc_landscape.config import Config
from vqc_landscape.figures.registry import FIGURES

SCHEMA = Path("workflow/schemas/config.schema.json")
README = Path("config/README.md")
BEGIN, END = "<!-- begin: written by `make reference` -->", "<!-- end -->"

Schema = dict[str, Any]


def json_schema() -> str:
    """The configuration as a JSON schema."""
    return json.dumps(_schema(), indent=2) + "\n"


def _schema() -> Schema:
    schema = Config.model_json_schema()
    schema["properties"]["figures"]["propertyNames"] = {"enum": [*FIGURES]}
    return schema


def key_tables() -> str:
    """One Markdown table of keys per section of the configuration."""
    schema = _schema()
    return "\n\n".join(_section(name, part) for name, part in _in_order(schema)) + "\n"


def with_key_tables(readme: str) -> str:
    """A README whose part between the two marks is replaced by the tables.

    Raises:
        ValueError: a mark is missing.
    """
    if BEGIN not in readme or END not in readme:
        raise ValueError(f"{README} must have the lines {BEGIN!r} and {END!r}.")
    head, tail = readme.split(BEGIN)[0], readme.split(END)[1]
    return f"{head}{BEGIN}\n\n{key_tables()}\n{END}{tail}"


def _in_order(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The sections as a reader meets them: top down, each once."""
    queue, seen = [("Config", schema)], {"Config"}
    while queue:
        name, section = queue.pop(0)
        yield name, section
        for reference in _references(section["properties"]):
            if reference not in seen:
                seen.add(reference)
                queue.append((reference, schema["$defs"][reference]))


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield _name(node)
        node = [value for key, value in node.items() if key != "discriminator"]
    if isinstance(node, list):
        for child in node:
            yield from _references(child)


def _section(name: str, section: Schema) -> str:
    rows = [
        _row(f"`{key}`", _type(field), _default(key, field, section), _text(field))
        for key, field in section["properties"].items()
    ]
    head = [f"### {name}", "", *([_text(section), ""] if "description" in section else [])]
    return "\n".join([*head, "| key | value | default | meaning |", "| --- | --- | --- | --- |", *rows])


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _type(field: Schema) -> str:
    if "$ref" in field:
        return f"[{_name(field)}](#{_name(field).lower()})"
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    for several in ("anyOf", "oneOf"):
        if several in field:
            return " or ".join(_type(option) for option in field[several] if option.get("type") != "null")
    match field["type"]:
        case "array" if "prefixItems" in field:
            return f"[{', '.join(_type(item) for item in field['prefixItems'])}]"
        case "array":
            at_least = f", at least {field['minItems']}" if "minItems" in field else ""
            return f"list of {_type(field['items'])}{at_least}"
        case "object":
            values = field.get("additionalProperties") or next(iter(field["patternProperties"].values()))
            return f"name: {_type(values)}"
        case "string":
            return f"text `{field['pattern']}`" if "pattern" in field else "text"
        case kind:
            return f"{kind}{_range(field)}"


def _range(field: Schema) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    return " and".join(f" {sign} {field[key]}" for key, sign in signs.items() if key in field)


def _default(key: str, field: Schema, section: Schema) -> str:
    if key in section.get("required", []):
        return "(required)"
    return f"`{json.dumps(field.get('default'))}`"


def _text(described: Schema) -> str:
    text = str(described.get("description", ""))
    return text.replace("\n", " ").replace("<", "&lt;")


def _name(field: Schema) -> str:
    return str(field["$ref"]).rpartition("/")[2]


if __name__ == "__main__":
    SCHEMA.write_text(json_schema(), encoding="utf-8")
    README.write_text(with_key_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
