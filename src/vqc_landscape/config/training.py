"""Sections of the configuration for the training: optimisers, epochs, checkpoints."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vqc_landscape.config.types import Count, Finite, Positive, Section, own_or, spelt


class SGD(Section):
    name: Literal["sgd"] = Field(description="stochastic gradient descent")
    learning_rate: Positive = Field(description="step size, factor of the gradient (no unit)")
    batch_size: Count = Field(default=32, description="samples per step")


class Adam(Section):
    name: Literal["adam"] = Field(description="Adam (Kingma and Ba, arXiv:1412.6980)")
    learning_rate: Positive = Field(description="step size, factor of the gradient (no unit)")
    batch_size: Count | None = Field(default=None, description="samples per step; null: all")


class GD(Section):
    name: Literal["gd"] = Field(description="gradient descent, one step an epoch")
    learning_rate: Positive = Field(description="step size, factor of the gradient (no unit)")


class LBFGS(Section):
    name: Literal["lbfgs"] = Field(description="L-BFGS, restarted every epoch")
    n_iterations: Count = Field(default=20, description="iterations per epoch")


class QNG(Section):
    name: Literal["qng"] = Field(description="quantum natural gradient, one step an epoch")
    learning_rate: Positive = Field(description="step size, factor of the gradient (no unit)")
    metric: Literal["block", "full"] = Field(
        default="block", description="block: blocks of simultaneous rotations; full: all parameters"
    )
    regularisation: Positive = Field(default=1e-8, description="added to the diagonal of the metric tensor")


class HLR(Section):
    name: Literal["hlr"] = Field(description="gradient descent with learning rate 1 / lambda_max, one step an epoch")
    variant: Literal["published", "guarded"] = Field(
        default="published",
        description="published: 1 / largest signed eigenvalue; "
        "guarded: 1 / largest magnitude, at most max_learning_rate",
    )
    max_learning_rate: Positive = Field(default=100.0, description="cap of the guarded form")


class HLRThenQNG(Section):
    name: Literal["hlr_qng"] = Field(description="published hlr while the loss is on the plateau, then qng for good")
    plateau: Finite = Field(default=0.9, description="the plateau is left as soon as the loss is below this")
    learning_rate: Positive = Field(description="step size of qng, factor of the gradient (no unit)")
    metric: Literal["block", "full"] = Field(default="block", description="as for qng")
    regularisation: Positive = Field(default=1e-8, description="as for qng")


_Optimisers = SGD | Adam | GD | LBFGS | QNG | HLR | HLRThenQNG
Optimiser = Annotated[_Optimisers, Field(discriminator="name"), spelt("name", _Optimisers)]


class TrainingConfig(Section):
    """One training run per seed."""

    optimiser: own_or(Optimiser) = Field(  # type: ignore[valid-type]
        description="how the parameters move, or the name of your own optimiser, my_module:my_optimiser"
    )
    n_epochs: Count = Field(description="number of epochs; epoch 0 is the initial point")
    checkpoint_every: Count = Field(default=5, description="epochs between checkpoints")

    @property
    def optimiser_name(self) -> str:
        """``adam`` and so on, or ``my_module:my_optimiser``."""
        return self.optimiser if isinstance(self.optimiser, str) else str(self.optimiser.name)

    @property
    def may_take_hessians(self) -> bool:
        """Whether every step may take a Hessian; one's own optimiser may."""
        return self.optimiser_name in ("hlr", "hlr_qng") or isinstance(self.optimiser, str)
