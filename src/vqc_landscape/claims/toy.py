"""The toy model: RX rotations on a product state (Secs. III, Figs. 2-4)."""

from __future__ import annotations

import numpy as np

from vqc_landscape.claims.claim import Measurement, at_most, claim, without_seeds
from vqc_landscape.claims.data import ClaimData

POINTS = {"landscapes": ("label", "loss", "grad_norm", "eigvals")}


@claim(
    section="III, Fig. 2a",
    statement="There is a point of the global loss at which every eigenvalue of the Hessian is 0.",
    measures="the smallest, over the marked points, of the largest |eigenvalue|",
    expected="0 at point a)",
    threshold=at_most(1e-12, "the magnitude up to which this project counts an eigenvalue as zero", known=True),
    figure="fig02",
    reads=POINTS,
)
def toy_barren(data: ClaimData) -> Measurement:
    points = data.rows("landscapes").dropna(subset=["label"])
    largest = [np.max(np.abs(eigvals)) for eigvals in points["eigvals"]]
    return without_seeds(min(largest))
