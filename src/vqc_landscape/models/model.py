r"""What every model offers: outputs :math:`f_k(\theta, x_s)` of its samples, and their derivatives.

Three methods make a model: outputs, Jacobian, and the second derivative with a weight for every output. All else
follows from them here; circuits and networks override what they can do in one sweep.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from vqc_landscape.checks import Array, Indices
from vqc_landscape.models.shares import pair_of_blocks
from vqc_landscape.simulator.engine import Weigh
from vqc_landscape.structure.reduction import Structure


class Model(ABC):
    """A function of P parameters and a sample, with K outputs, over S samples.

    Attributes:
        n_params: number of parameters P.
        n_samples: number of samples S; 1 without data.
        n_outputs: number of outputs K.
    """

    n_params: int
    n_samples: int
    n_outputs: int = 1

    # --- what makes a model -----------------------------------------------------------------------------

    @abstractmethod
    def outputs(self, params: Array) -> Array:
        """Outputs of every sample, shape (S, K)."""

    @abstractmethod
    def jacobian(self, params: Array) -> Array:
        """Derivatives of every output, shape (S, K, P)."""

    @abstractmethod
    def weighted_hessian(self, params: Array, weights: Array) -> Array:
        """``sum_s sum_k weights[s, k] d_i d_j f_sk``, shape (P, P), symmetric; weights (S, K)."""

    def part(self, samples: Indices | slice) -> Model:
        """The model of some of the samples.

        Raises:
            ValueError: there are no data.
        """
        raise ValueError("A batch needs data, but this risk has none.")

    def with_features(self, features: Any) -> Model:
        """The model of other samples.

        Raises:
            ValueError: there are no data.
        """
        raise ValueError("Predictions need data, but this risk has none.")

    # --- what follows -----------------------------------------------------------------------------------

    def outputs_at(self, points: Array) -> Array:
        """Outputs at each of ``points`` (n_points, P), shape (n_points, S, K)."""
        return np.stack([self.outputs(point) for point in points])

    def gradient(self, params: Array, weigh: Weigh) -> tuple[Array, Array]:
        """Outputs (S, K), and ``sum_s sum_k g_sk d_i f_sk`` (P,) with the loss gradient g."""
        outputs = self.outputs(params)
        loss_grad, _ = weigh(outputs, slice(0, self.n_samples))
        return outputs, np.einsum("sk,skp->p", loss_grad, self.jacobian(params))

    def ggn(self, params: Array, weigh: Weigh) -> Array:
        """``sum_s J_s^T C_s J_s`` with the loss curvature C, shape (P, P): the generalised Gauss-Newton matrix."""
        _, curvature = weigh(self.outputs(params), slice(0, self.n_samples))
        jacobian = self.jacobian(params)
        flat = jacobian.reshape(-1, self.n_params)
        matrix: Array = flat.T @ np.einsum("skl,slp->skp", curvature, jacobian).reshape(flat.shape)
        return (matrix + matrix.T) / 2

    def hessian(self, params: Array, weigh: Weigh) -> Array:
        """``sum_s [sum_k g_sk d_i d_j f_sk + (J_s^T C_s J_s)_ij]``, shape (P, P), symmetric."""
        loss_grad, _ = weigh(self.outputs(params), slice(0, self.n_samples))
        return self.weighted_hessian(params, loss_grad) + self.ggn(params, weigh)

    def hvp(self, params: Array, weigh: Weigh, v: Array) -> Array:
        """The product of :meth:`hessian` with v (P,), shape (P,)."""
        return self.hessian(params, weigh) @ v

    def hessian_share(self, params: Array, weigh: Weigh, share: int, n_blocks: int) -> Array:
        """The entries of :meth:`hessian` that belong to one pair of ``n_blocks`` blocks of parameters, (P, P)."""
        members, mine = pair_of_blocks(self.n_params, n_blocks, share)
        part, matrix = np.zeros((self.n_params, self.n_params)), self.hessian(params, weigh)
        part[np.ix_(members, members)] = np.where(mine, matrix[np.ix_(members, members)], 0.0)
        return part

    # --- structure --------------------------------------------------------------------------------------

    @property
    def structural_directions(self) -> Array:
        """Orthonormal directions v with ``v . grad f = 0`` at every params, shape (P, k); none are known here."""
        return np.zeros((self.n_params, 0))

    @property
    def parameter_arrays(self) -> dict[str, Indices]:
        """Positions of the parameters by name, in the shape of each array."""
        return {"params": np.arange(self.n_params)}

    def describe(self) -> list[str]:
        """Lines of the repr of a risk, the first with an open bracket."""
        return [f"Risk({type(self).__name__}", f"{self.n_params} parameters"]

    def flat(self, params: Any) -> Any:
        """Parameters as the user has them, as the P numbers of them; what is no form of them stays as it is."""
        return params


class QuantumModel(Model):
    """A model whose outputs are measured on states, which have a geometry of their own."""

    @property
    @abstractmethod
    def structure(self) -> Structure:
        """The structural directions one by one, each with the reason why no output can see it."""

    @property
    @abstractmethod
    def parameter_blocks(self) -> tuple[Indices, ...]:
        """A partition of the parameters into sub-layers of simultaneous rotations."""

    @abstractmethod
    def metric_tensor(self, params: Array) -> Array:
        """Fubini-Study metric of the prepared state, shape (P, P)."""
