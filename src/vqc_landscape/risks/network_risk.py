"""The risk of a classical network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vqc_landscape.checks import check_choice
from vqc_landscape.models.network_model import NetworkModel, Predictor, StackedPredictor
from vqc_landscape.risks.losses import LOSSES
from vqc_landscape.risks.risk import Risk

if TYPE_CHECKING:
    from torch import nn


def NetworkRisk(  # noqa: N802 - it makes a risk, and reads like a class
    module: nn.Module,
    features: Any,
    targets: Any,
    loss: str = "mse",
    reduction: str = "mean",
    output: str | None = None,
) -> Risk:
    """``L(theta) = mean_s (f(theta, x_s) - y_s)^2`` with f the prediction of a torch module.

    ``params`` are the module's parameters, one after the other in the order of ``module.parameters()``. The risk works
    on a copy of the module in float64 and in evaluation mode (no dropout: L is a function of ``params`` alone).

    Args:
        module: maps (n, d) to (n,) or (n, 1), or to more columns, of which ``output`` makes one prediction.
        features: (n, d); two columns are padded with x3 = 0 where the module's first Linear takes three.
        targets: (n,)
        loss: "mse", or another that compares predictions with targets.
        reduction: over samples, "mean" or "sum".
        output: None (the one column there is), "difference" (first minus second of two columns) or "first".

    Returns:
        A :class:`Risk`.

    Raises:
        ValueError: an argument of another shape or value, or a module that does not fit features and output.
    """
    function = LOSSES[check_choice("loss", loss, tuple(name for name, each in LOSSES.items() if each.needs_targets))]
    check_choice("reduction", reduction, ("mean", "sum"))
    predictor = Predictor(module, output)
    x = predictor.as_features(features)
    predictor.check(x)
    return Risk(NetworkModel(predictor, x), function, targets, reduction)


def side_by_side(risk: Risk, n_members: int) -> Risk:
    """The summed risk of ``n_members`` networks like that of ``risk``; ``params`` are theirs, one after the other.

    Raises:
        ValueError: the risk is none of a network, or the number is below 1.
    """
    model = risk.model
    if not isinstance(model, NetworkModel):
        raise ValueError(f"Argument `risk` must be that of a network, but its model is a {type(model).__name__}.")
    stack = NetworkModel(StackedPredictor(model.predictor, n_members), model.features)
    return Risk(stack, risk.loss_function, risk.targets, risk.reduction)
