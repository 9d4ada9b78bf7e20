"""What the sections of the configuration are made of: closed sections, and numbers with bounds."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from vqc_landscape.checks import MAX_QUBITS
from vqc_landscape.config.messages import CLAIM, FOLDER, NAME, NAME_LENGTH, REFERENCE, TABLE_FILE, nearest


def _no_bool(value: object) -> object:
    """YAML's true and false are no numbers; text such as 1e-3 is one, which YAML 1.1 does not see."""
    if isinstance(value, bool):
        raise ValueError(f"must be a number, not {str(value).lower()}")
    return value


def _once(values: list[Any]) -> list[Any]:
    twice = [value for i, value in enumerate(values) if value in values[:i]]
    if twice:
        raise ValueError(f"holds {twice[0]!r} twice: {values}")
    return values


def _no_home(path: str) -> str:
    if path.startswith("~"):
        raise ValueError(f"begins with ~, which only a shell expands: write {os.path.expanduser(path)}, not {path}")
    return path


# bounds stand next to the type: on a validator they would be missing in the schema
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(_no_bool)]
Finite = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_no_bool)]
# Bounds far beyond what any machine finishes, so that a slip of the finger is an error and no endless run.
Count = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
Qubits = Annotated[int, Field(ge=1, le=MAX_QUBITS, strict=True)]
Layers = Annotated[int, Field(ge=1, le=1000, strict=True)]
Folder = Annotated[str, Field(min_length=1, pattern=FOLDER), AfterValidator(_no_home)]
TableFile = Annotated[str, Field(pattern=TABLE_FILE), AfterValidator(_no_home)]
Epoch = Annotated[int, Field(ge=0, strict=True)]
Convention = Literal["exact", "as_published"]
Reference = Annotated[str, Field(pattern=REFERENCE)]
Name = Annotated[str, Field(pattern=NAME, max_length=NAME_LENGTH)]
ClaimId = Annotated[str, Field(pattern=CLAIM)]
Activation = Literal["tanh", "relu", "sigmoid"]
Initialiser = Literal["torch_default", "xavier_uniform", "xavier_normal", "kaiming_uniform"]

Once = AfterValidator(_once)  # of a list: no entry stands in it twice
EpochList = Annotated[list[Epoch], Field(min_length=1), Once]  # or seeds

# one tag per form, so that a wrong value is one mistake and not one for each form
Epochs = Annotated[
    Annotated[Literal["all"], Tag("all")] | Annotated[EpochList, Tag("list")],
    Discriminator(
        lambda value: "list" if isinstance(value, list) else "all" if value == "all" else None,
        custom_error_type="epochs",
        custom_error_message="must be 'all' or a list of epochs",
    ),
]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _closed(cls, raw: Any) -> Any:
        # before pydantic's own check, which knows neither the nearest key nor the allowed ones
        unknown = [key for key in raw if key not in cls.model_fields] if isinstance(raw, dict) else []
        if unknown:
            raise ValueError(f"unknown key {unknown[0]!r}{nearest(str(unknown[0]), list(cls.model_fields))}")
        return raw


def spelt(key: str, sections: Any) -> BeforeValidator:
    """Name a misspelt key of a section that is chosen by ``key``, which is what would be missing otherwise.

    Args:
        key: the key by whose value, or presence, one of the sections is chosen.
        sections: their union.
    """
    known = list(dict.fromkeys(name for section in get_args(sections) for name in section.model_fields))

    def check(raw: Any) -> Any:
        unknown = [name for name in raw if name not in known] if isinstance(raw, dict) and key not in raw else []
        if unknown:
            raise ValueError(f"unknown key {unknown[0]!r}{nearest(str(unknown[0]), known)}")
        return raw

    return BeforeValidator(check)


def _kind(value: Any) -> str:
    """Whether it is the user's own, given by name."""
    return "own" if isinstance(value, str) else "built_in"


def own_or(section: Any) -> Any:
    """Type of a key that holds a section, or the name of the user's own object."""
    return Annotated[Annotated[section, Tag("built_in")] | Annotated[Reference, Tag("own")], Discriminator(_kind)]
