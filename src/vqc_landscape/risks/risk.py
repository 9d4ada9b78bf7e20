"""Risk = model + loss + data: the one object that training and curvature know."""

from __future__ import annotations

from typing import Any

import numpy as np

from vqc_landscape.checks import Array, Indices, as_matrix, as_vector, check_choice
from vqc_landscape.models.model import Model, QuantumModel
from vqc_landscape.risks.losses import Loss, are_classes


class Risk:
    r"""``L(params) = mean_s l(f(params, x_s), y_s)``, and its exact derivatives.

    ``params`` may come in any shape with P entries, as numpy array or torch tensor.

    Args:
        model: f, over the samples.
        loss: l.
        targets: y, shape (n_samples,) or (n_samples, K); None without data.
        reduction: ``"mean"`` or ``"sum"`` over the samples.

    Raises:
        ValueError: targets of another length, or a reduction that there is not.
    """

    def __init__(self, model: Model, loss: Loss, targets: Any = None, reduction: str = "mean") -> None:
        self.model, self.loss_function = model, loss
        self.reduction = check_choice("reduction", reduction, ("mean", "sum"))
        self.targets = None if targets is None else _as_targets(targets, model.n_samples)
        self._targets = np.zeros(model.n_samples) if self.targets is None else self.targets
        self._scale = 1.0 / model.n_samples if reduction == "mean" else 1.0

    trial: object | None = None  # of the QNode that the model was read from

    def __repr__(self) -> str:
        data = "" if self.targets is None else f" over {self.n_samples} samples"
        lines = [*self.model.describe(), f"loss {self.loss_function.name}{data}"]
        return "\n  ".join(lines + [str(self.trial)] * (self.trial is not None)) + ")"

    @property
    def n_params(self) -> int:
        """Number of parameters P."""
        return self.model.n_params

    @property
    def n_samples(self) -> int:
        """Number of samples; 1 without data."""
        return self.model.n_samples

    # --- values and derivatives -------------------------------------------------------------------------

    def loss(self, params: Any) -> float:
        """L(params)."""
        return self._reduced(self.model.outputs(self._vector(params)))

    def losses(self, points: Any) -> Array:
        """L at each row of ``points``, shape (n_points, P): all of them in one sweep, shape (n_points,)."""
        outputs = self.model.outputs_at(as_matrix("points", points, (self.n_params,)))
        n_points, n_samples, n_outputs = outputs.shape
        targets = np.concatenate([self._targets] * n_points)
        values = self.loss_function.value(outputs.reshape(-1, n_outputs), targets)
        losses: Array = np.sum(values.reshape(n_points, n_samples), axis=1) * self._scale
        return losses

    def grad(self, params: Any) -> Array:
        """Gradient of L, shape (P,)."""
        return self.loss_and_grad(params)[1]

    def loss_and_grad(self, params: Any) -> tuple[float, Array]:
        """L and its gradient, for the price of the gradient."""
        outputs, grad = self.model.gradient(self._vector(params), self._weigh)
        return self._reduced(outputs), grad

    def hessian(self, params: Any) -> Array:
        """Exact Hessian of L, shape (P, P), symmetric.

        Raises:
            NotDifferentiableError: there is none at this point, as at a cusp of the published infidelity.
        """
        return self.model.hessian(self._vector(params), self._weigh)

    def hessian_share(self, params: Any, share: int, n_blocks: int) -> Array:
        """One summand of the Hessian, shape (P, P): the entries of one pair of ``n_blocks`` blocks of parameters.

        The shares 0 to n_blocks * (n_blocks - 1) / 2 - 1 (share 0 alone of one block) add up to :meth:`hessian`. Each
        carries the tangents of its two blocks only, 2 / n_blocks of the memory of all.

        Raises:
            ValueError: as :meth:`hessian`, or a share that the blocks do not have.
        """
        return self.model.hessian_share(self._vector(params), self._weigh, share, n_blocks)

    def ggn(self, params: Any) -> Array:
        """Generalised Gauss-Newton part of the Hessian, ``mean_s J_s^T l''(f_s) J_s``, shape (P, P).

        The rest, ``hessian - ggn``, is the residual part ``mean_s l'(f_s) hessian f_s``.
        """
        return self.model.ggn(self._vector(params), self._weigh)

    def hvp(self, params: Any, v: Any) -> Array:
        """Product of the Hessian at params with the direction v, shape (P,): a few gradients' time, no matrix.

        Only for the published arithmetic, whose Hessian is no derivative of its gradient, the matrix is formed.
        """
        return self.model.hvp(self._vector(params), self._weigh, as_vector("v", v, self.n_params))

    def jacobian(self, params: Any) -> Array:
        """Derivatives of f of every sample: shape (n_samples, P) of one output, (n_samples, K, P) of several."""
        jacobian = self.model.jacobian(self._vector(params))
        return jacobian[:, 0] if self.model.n_outputs == 1 else jacobian

    # --- data -------------------------------------------------------------------------------------------

    def outputs(self, params: Any) -> Array:
        """Outputs of every sample, shape (n_samples, K); of the one state there is without data."""
        return self.model.outputs(self._vector(params))

    def predict(self, params: Any, features: Any = None) -> Array:
        """f of each row of features (the risk's own if None): shape (n,) of one output, (n, K) of several.

        Raises:
            ValueError: the risk has no data.
        """
        if self.targets is None:
            raise ValueError("Predictions need data, but this risk has none.")
        model = self.model if features is None else self.model.with_features(features)
        outputs = model.outputs(self._vector(params))
        return outputs[:, 0] if model.n_outputs == 1 else outputs

    def accuracy(self, params: Any) -> float | None:
        """Share of the (sample, output) pairs with sign(f) = y; None without data or if a target is not -1 or 1."""
        if self.targets is None or not are_classes(self.targets):
            return None
        classes = np.sign(self.outputs(params))
        return float(np.mean(classes == self.targets.reshape(len(classes), -1)))

    def batch(self, indices: Indices) -> Risk:
        """The risk of some of the samples, with the same reduction.

        Args:
            indices: samples, shape (n,).

        Raises:
            ValueError: no such samples, or no data.
        """
        indices = _as_indices(indices, self.n_samples)
        part = self.model.part(indices)
        targets = None if self.targets is None else self.targets[indices]
        return Risk(part, self.loss_function, targets, self.reduction)

    # --- structure and geometry -------------------------------------------------------------------------

    @property
    def structural_directions(self) -> Array:
        """Orthonormal directions v with v . grad = 0 at every params, shape (P, k)."""
        return self.model.structural_directions

    @property
    def structure(self) -> Any:
        """The structural directions of a circuit one by one, each with the reason why f cannot see it."""
        return self._quantum.structure

    @property
    def parameter_arrays(self) -> dict[str, Indices]:
        """Positions of the parameters by name, in the shape of each array: rows and columns of matrices."""
        return self.model.parameter_arrays

    @property
    def parameter_blocks(self) -> tuple[Indices, ...]:
        """Parameters of each sub-layer of simultaneous rotations of a circuit."""
        return self._quantum.parameter_blocks

    @property
    def has_metric(self) -> bool:
        """Whether the model prepares states, which have a metric."""
        return isinstance(self.model, QuantumModel)

    def metric_tensor(self, params: Any) -> Array:
        """Fubini-Study metric of the prepared state, shape (P, P); a quarter of the quantum Fisher matrix.

        Raises:
            ValueError: the model prepares no state, or takes data.
        """
        return self._quantum.metric_tensor(self._vector(params))

    def quantum_fisher(self, params: Any) -> Array:
        """Quantum Fisher information of the prepared state, 4 times the metric tensor, shape (P, P).

        Raises:
            ValueError: the model prepares no state, or takes data.
        """
        return 4 * self.metric_tensor(params)

    @property
    def _quantum(self) -> QuantumModel:
        if not isinstance(self.model, QuantumModel):
            kind = type(self.model).__name__
            raise ValueError(f"This needs the risk of a quantum circuit, but the model is a {kind}.")
        return self.model

    # --- inner workings ---------------------------------------------------------------------------------

    def _vector(self, params: Any) -> Array:
        return as_vector("params", self.model.flat(params), self.n_params)

    def _reduced(self, outputs: Array) -> float:
        return float(self.loss_function.value(outputs, self._targets).sum() * self._scale)

    def _weigh(self, outputs: Array, samples: slice) -> tuple[Array, Array]:
        """Gradient and curvature in the outputs of some samples, the reduction included."""
        targets = self._targets[samples]
        gradient = self.loss_function.gradient(outputs, targets)
        return gradient * self._scale, self.loss_function.curvature(outputs, targets) * self._scale


def _as_indices(indices: Any, n_samples: int) -> Indices:
    array = np.asarray(indices)
    allowed = np.issubdtype(array.dtype, np.integer) and array.ndim == 1 and array.size > 0
    if not allowed or array.min() < 0 or array.max() >= n_samples:
        raise ValueError(
            f"Argument `indices` must be a list of at least one sample from 0 to {n_samples - 1}, but is {indices!r}."
        )
    return np.asarray(array, dtype=np.intp)


def _as_targets(targets: Any, n_samples: int) -> Array:
    if np.ndim(targets) == 2:
        matrix = as_matrix("targets", targets)
        if len(matrix) != n_samples:
            raise ValueError(f"Argument `targets` must have {n_samples} rows, but has {len(matrix)}.")
        return matrix.copy()
    return as_vector("targets", targets, n_samples).copy()
