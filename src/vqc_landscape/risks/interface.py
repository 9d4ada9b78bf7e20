"""What every objective offers: the one interface that training and curvature know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array

Indices = NDArray[np.intp]


class Risk(Protocol):
    """A loss over a whole set of samples, as a function of P parameters.

    ``params`` may come in any shape with P entries, as numpy array or torch tensor.
    """

    @property
    def n_params(self) -> int: ...

    @property
    def n_samples(self) -> int:
        """Number of samples (1 for state preparation)."""

    @property
    def structural_directions(self) -> Array:
        """(P, k) orthonormal columns v with v . grad = 0 at every params."""

    def loss(self, params: Any) -> float: ...

    def losses(self, points: Any) -> Array:
        """Loss (n_points,) at each row of ``points`` (n_points, P)."""

    def grad(self, params: Any) -> Array:
        """Gradient (P,)."""

    def loss_and_grad(self, params: Any) -> tuple[float, Array]:
        """Loss and gradient (P,) for the price of the gradient."""

    def hessian(self, params: Any) -> Array:
        """(P, P), symmetric."""

    def hvp(self, params: Any, v: Any) -> Array:
        """Hessian-vector product (P,)."""

    def predict(self, params: Any, features: Any = None) -> Array:
        """Predictions f (n,), on the risk's own features when none are given."""

    def accuracy(self, params: Any) -> float | None:
        """Share of samples with sign(prediction) == target; None without data or if a target is not -1 or 1."""

    def batch(self, indices: Indices) -> Risk:
        """The risk on these samples only, with the same reduction."""


@runtime_checkable
class HasMetric(Protocol):
    """A risk whose states have a Fubini-Study metric (a quantum circuit)."""

    @property
    def parameter_blocks(self) -> Sequence[Indices]:
        """A partition of the parameters into sub-layers of simultaneous rotations."""

    def metric_tensor(self, params: Any) -> Array:
        """Fubini-Study metric (P, P)."""


@runtime_checkable
class SplitsParameters(Protocol):
    """A risk whose Hessian can be made of shares (a quantum circuit)."""

    def hessian_share(self, params: Any, share: int, n_blocks: int) -> Array:
        """(P, P): the entries of one pair of blocks of parameters, zeros elsewhere."""
