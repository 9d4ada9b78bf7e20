"""From a YAML file to the checked configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from vqc_landscape.config.experiment import Experiment
from vqc_landscape.config.messages import describe
from vqc_landscape.config.model import Problem
from vqc_landscape.config.study import Config


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names the key, the value and what is allowed."""


def parse_config(raw: Any) -> Config:
    """Check a configuration as read from YAML.

    Raises:
        ConfigError: one line for each mistake, each with the key, the value and what is allowed.
    """
    if not isinstance(raw, dict) or not raw:
        raise ConfigError(f"The configuration must be a mapping with the key `experiments`, but is {raw!r}.")
    try:
        config = Config.model_validate(raw)
        return Config.model_validate(_other_seeds(raw, config.seed_offset)) if config.seed_offset else config
    except ValidationError as error:
        messages = [describe(one) for one in error.errors()]
        raise ConfigError("The configuration cannot be used:\n" + "\n".join(f"  {m}" for m in messages)) from None


def _other_seeds(raw: dict[str, Any], offset: int) -> dict[str, Any]:
    """A valid configuration with every seed moved; new mappings throughout, as YAML aliases share theirs."""

    def moved(section: dict[str, Any], default: int | list[int], key: str) -> dict[str, Any]:
        seeds = section.get(key, default)
        return {**section, key: [seed + offset for seed in seeds] if isinstance(seeds, list) else seeds + offset}

    experiments = {name: moved(experiment, [0], "seeds") for name, experiment in raw["experiments"].items()}
    for experiment in experiments.values():
        if experiment.get("data"):
            experiment["data"] = moved(experiment["data"], 0, "seed")
    figures = {name: moved(figure, [], "seeds") for name, figure in raw.get("figures", {}).items()}
    return {**raw, "experiments": experiments, "figures": figures, "seed_offset": 0, "other_seeds": None}


def parse_sections(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Sections of an experiment, as they were handed to a job: what is minimised under `problem`, others by their key.

    Raises:
        pydantic.ValidationError: a section that is not valid.
    """
    kinds: dict[str, Any] = {key: field.annotation for key, field in Experiment.model_fields.items()}
    kinds["problem"] = Problem
    return {name: TypeAdapter(kinds[name]).validate_python(section) for name, section in plain.items()}


class _StrictLoader(yaml.SafeLoader):
    """YAML that refuses a key twice in one mapping, where the last one would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [(key.value, key.start_mark.line + 1) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        seen: set[str] = set()
        for key, line in keys:
            if str(key) in seen:
                raise yaml.YAMLError(f"key {key!r} stands twice in one mapping, the second time in line {line}")
            seen.add(str(key))
        return super().construct_mapping(node, deep=deep)


def load_config(path: str | Path) -> Config:
    """Read and check a YAML configuration.

    Raises:
        ConfigError: the file is missing, no YAML, or not a valid configuration.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"The configuration file {path} does not exist.")
    try:
        raw = yaml.load(path.read_text(), _StrictLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration file {path} is no valid YAML: {error}") from None
    return parse_config(raw)
