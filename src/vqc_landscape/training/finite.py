"""Numbers that must be finite for a training run to go on."""

from __future__ import annotations

from typing import Any

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.risks.risk import Risk


def check_finite(name: str, values: Any) -> None:
    """Check that every entry of ``values`` is a number.

    Raises:
        FloatingPointError: one is NaN or infinite: ``loss is nan``.
    """
    flat = np.ravel(values)
    bad = flat[~np.isfinite(flat)]
    if bad.size:
        raise FloatingPointError(f"{name} is {bad[0]}")


def finite_loss_and_grad(risk: Risk, params: Array) -> tuple[float, Array]:
    """Loss and gradient (P,) of ``risk``.

    Raises:
        FloatingPointError: one of them is NaN or infinite.
    """
    loss, grad = risk.loss_and_grad(params)
    check_finite("loss", loss)
    check_finite("gradient", grad)
    return loss, grad
