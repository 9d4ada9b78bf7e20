"""Networks of one architecture that train side by side: a step of eighty costs little more than a step of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vqc_landscape.checks import Array, check_count
from vqc_landscape.risks.network import NetworkRisk

if TYPE_CHECKING:
    from torch import Tensor


class NetworkStack(NetworkRisk):
    """The summed risk of ``n_members`` networks; ``params`` are theirs, one member after the other.

    The gradient is the members' gradients, one after the other, so that an optimiser which treats each parameter by
    itself (gradient descent, Adam) trains every member as it would alone.

    Args:
        risk: the risk of one member.
        n_members: how many.
    """

    def __init__(self, risk: NetworkRisk, n_members: int) -> None:
        self.__dict__.update(risk.__dict__)
        self.member = risk
        self.n_members = check_count("n_members", n_members)
        self.n_params = n_members * risk.n_params

    @property
    def structural_directions(self) -> Array:
        return np.asarray(np.kron(np.eye(self.n_members), self.member.structural_directions), dtype=np.float64)

    def _predict(self, theta: Tensor, x: Tensor) -> Tensor:
        """Predictions (n_members, n)."""
        from torch.func import vmap

        predict = vmap(self.member._predict, in_dims=(0, None))
        predictions: Tensor = predict(theta.reshape(self.n_members, -1), x)
        return predictions
