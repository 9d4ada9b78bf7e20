"""The whole configuration: experiments, and the figures and claims that are made from them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from vqc_landscape.config.experiment import Experiment
from vqc_landscape.config.messages import nearest
from vqc_landscape.config.types import ClaimId, Epoch, Folder, Name, Once, Section


class FigureConfig(Section):
    """What a figure shows."""

    experiments: Annotated[list[Name], Field(min_length=1), Once] = Field(
        description="experiments, in the order of the panels"
    )
    seeds: Annotated[list[Epoch], Once] = Field(
        default=[], description="seeds shown one by one; empty: the first of each experiment"
    )
    against: Literal["epochs", "gradients"] = Field(
        default="epochs",
        description="compare only, the horizontal axis: epochs, or gradients, each one pass over all training samples "
        "(a Hessian of P parameters counts as P)",
    )


class ClaimConfig(Section):
    """From which experiments a claim is measured, in either arithmetic."""

    exact: Annotated[list[Name], Once] = Field(
        default=[], description="experiments that feed the claim in exact arithmetic"
    )
    as_published: Annotated[list[Name], Once] = Field(
        default=[], description="experiments that feed it in the published arithmetic"
    )

    @model_validator(mode="after")
    def _some(self) -> ClaimConfig:
        if not self.exact and not self.as_published:
            raise ValueError("exact or as_published must list an experiment")
        return self


class Config(Section):
    """The whole study."""

    purpose: Literal["study", "demonstration"] = Field(
        default="study",
        description="demonstration: sizes are chosen to be quick; page, claims and terminal say that numbers and "
        "verdicts mean nothing",
    )
    results_dir: Folder = Field(default="results", description="folder of tables, figures and the report, of its own")
    state_dir: Folder = Field(default="state", description="folder of checkpoints, of its own")
    experiments: Annotated[dict[Name, Experiment], Field(min_length=1)] = Field(description="name -> experiment")
    figures: dict[str, FigureConfig] = Field(default={}, description="figure -> what it shows")
    claims: dict[ClaimId, ClaimConfig] = Field(default={}, description="claim -> experiments that it is measured from")
    other_seeds: Folder | None = Field(
        default=None, description="numbers of the claims in a run with other seeds, as `make other-seeds` writes them"
    )
    seed_offset: Epoch = Field(
        default=0, description="added to every seed, of initial points and of data; other_seeds is then left out"
    )

    @property
    def notice(self) -> str:
        """What must be said wherever verdicts are listed; empty for a study."""
        if self.purpose == "study":
            return ""
        return "This is a demonstration: sizes were chosen to be quick. Its numbers and verdicts mean nothing."

    @model_validator(mode="after")
    def _claims_are_fed(self) -> Config:
        for claim, fed in self.claims.items():
            for convention in ("exact", "as_published"):
                for name in getattr(fed, convention):
                    if name not in self.experiments:
                        raise ValueError(
                            f"claims.{claim}.{convention}: there is no experiment {name!r}"
                            + nearest(name, list(self.experiments))
                        )
        return self

    @model_validator(mode="after")
    def _figures_exist(self) -> Config:
        for figure, shown in self.figures.items():
            if figure != "compare" and shown.against != "epochs":
                raise ValueError(f"figures.{figure}.against: is for compare only, but is {shown.against!r}")
            for name in shown.experiments:
                if name not in self.experiments:
                    raise ValueError(
                        f"figures.{figure}.experiments: there is no experiment {name!r}"
                        + nearest(name, list(self.experiments))
                    )
                missing = sorted(set(shown.seeds) - set(self.experiments[name].seeds))
                if missing:
                    raise ValueError(
                        f"figures.{figure}.seeds: experiment {name} has no seed {missing[0]}; "
                        f"it has {self.experiments[name].seeds}"
                    )
        return self
