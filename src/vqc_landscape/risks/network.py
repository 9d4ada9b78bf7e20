"""Risk of a classical network: the interface of ``CircuitRisk``, exact derivatives by torch in float64.

torch is imported when the first network is handled, not with this module: it costs about two seconds.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from vqc_landscape.checks import Array, as_matrix, as_vector, check_choice
from vqc_landscape.risks.interface import Indices
from vqc_landscape.risks.losses import are_classes

if TYPE_CHECKING:
    from torch import Tensor, nn

    from vqc_landscape.config import NetworkConfig

OUTPUTS = ("difference", "first")

# Samples per term of every sum. It bounds the memory of a Hessian (P tangents x 256 x neurons) and fixes the order
# of the additions. Chosen by us: below 0.2 GB for the paper's network.
LEAF = 256
POINTS = 64  # parameter vectors that are evaluated side by side; chosen by us, memory as for a Hessian


class NetworkRisk:
    """L(theta) = mean_s (f(theta, x_s) - y_s)^2 with f the prediction of a torch module.

    ``params`` are the module's parameters, one after the other in the order of ``module.parameters()``. The risk works
    on a copy of the module in float64 and in evaluation mode (no dropout: L is a function of ``params`` alone).

    Args:
        module: maps (n, d) to (n,) or (n, 1), or to more columns, of which ``output`` makes one prediction.
        features: (n, d); two columns are padded with x3 = 0 where the module's first Linear takes three.
        targets: (n,)
        loss: "mse".
        reduction: over samples, "mean" or "sum".
        output: None (the one column there is), "difference" (first minus second of two columns) or "first".

    Raises:
        ValueError: an argument of another shape or value, or a module that does not fit features and output.
    """

    def __init__(
        self,
        module: nn.Module,
        features: Any,
        targets: Any,
        loss: str = "mse",
        reduction: str = "mean",
        output: str | None = None,
    ) -> None:
        need_torch()
        check_choice("loss", loss, ("mse",))
        self.reduction = check_choice("reduction", reduction, ("mean", "sum"))
        self.output = output if output is None else check_choice("output", output, OUTPUTS)
        self.module = copy.deepcopy(module).double().eval()
        self.n_params = sum(p.numel() for p in self.module.parameters())
        self._features = self._as_features(features)
        self._targets = _tensor(as_vector("targets", targets, len(self._features)))
        self._check_module()

    @property
    def n_samples(self) -> int:
        return len(self._features)

    def loss(self, params: Any) -> float:
        theta = self._theta(params)
        return float(sum(self._loss(theta, x, y) for x, y in self._leaves()))

    def losses(self, points: Any) -> Array:
        """L at each row of ``points``, shape (n_points, P): all of them at once, shape (n_points,)."""
        from torch.func import vmap

        theta = _tensor(as_matrix("points", points, (self.n_params,)))
        evaluate = vmap(self._loss, in_dims=(0, None, None), chunk_size=POINTS)
        return _array(sum(evaluate(theta, x, y) for x, y in self._leaves()))

    def grad(self, params: Any) -> Array:
        """Gradient (P,)."""
        return self.loss_and_grad(params)[1]

    def loss_and_grad(self, params: Any) -> tuple[float, Array]:
        from torch.func import grad_and_value

        theta, derive = self._theta(params), grad_and_value(self._loss)
        grads, losses = zip(*(derive(theta, x, y) for x, y in self._leaves()), strict=True)
        return float(sum(losses)), _array(sum(grads))

    # Second derivatives by two backward passes: no slower than torch's forward mode, which compiles its
    # decompositions when first used.

    def hessian(self, params: Any) -> Array:
        """(P, P), symmetric: the two triangles differ by rounding and are averaged."""
        from torch.func import grad, jacrev

        theta, derive = self._theta(params), jacrev(grad(self._loss))
        matrix = _array(sum(derive(theta, x, y) for x, y in self._leaves()))
        return (matrix + matrix.T) / 2

    def hvp(self, params: Any, v: Any) -> Array:
        """Hessian-vector product (P,): the gradient of v . grad."""
        from torch.func import grad

        theta, direction = self._theta(params), _tensor(as_vector("v", v, self.n_params))
        derive = grad(lambda t, x, y: grad(self._loss)(t, x, y) @ direction)
        return _array(sum(derive(theta, x, y) for x, y in self._leaves()))

    def predict(self, params: Any, features: Any = None) -> Array:
        """(n,) predictions on (n, d) features, by default the risk's own."""
        x = self._features if features is None else self._as_features(features)
        if x.shape[1] != self._features.shape[1]:
            raise ValueError(f"Argument `features` must have {self._features.shape[1]} columns, but has {x.shape[1]}.")
        return _array(self._predict(self._theta(params), x))

    def accuracy(self, params: Any) -> float | None:
        """Share of samples with sign(prediction) == target; None unless every target is -1 or 1."""
        targets = self._targets.numpy()
        return float(np.mean(np.sign(self.predict(params)) == targets)) if are_classes(targets) else None

    def batch(self, indices: Indices) -> NetworkRisk:
        """The risk on these samples only, with the same reduction."""
        part = copy.copy(self)
        part._features, part._targets = self._features[indices], self._targets[indices]
        return part

    @property
    def structural_directions(self) -> Array:
        """(P, k) orthonormal columns v with v . grad = 0 at every params.

        Known for a Sequential whose ends are Linear, none are claimed for any other module:

        - the first layer's weights of an input column that is zero in all samples (x3 = 0);
        - with "difference", what moves both outputs alike: (w1 + w2) / sqrt(2) for every weight and the bias;
        - with "first", every weight and the bias of the other outputs.
        """
        groups = self._structural_groups()
        directions = np.zeros((self.n_params, len(groups)))
        for column, group in enumerate(groups):
            directions[list(group), column] = 1 / np.sqrt(len(group))
        return directions

    def _structural_groups(self) -> list[tuple[int, ...]]:
        """The parameters that each structural direction moves alike, disjoint from group to group."""
        from torch import nn

        layers = list(self.module) if isinstance(self.module, nn.Sequential) else []
        n_uses = len(list(self.module.named_parameters(remove_duplicate=False)))
        if not layers or n_uses > len(list(self.module.parameters())):  # a shared parameter acts in two places
            return []
        position = self._unflatten(np.arange(self.n_params))
        dead: set[int] = set()
        pairs: list[tuple[int, ...]] = []
        if isinstance(layers[0], nn.Linear):
            zero_columns = (self._features == 0).all(dim=0).numpy()
            dead |= set(position["0.weight"][:, zero_columns].flat)
        if isinstance(layers[-1], nn.Linear):
            last = [p for name, p in position.items() if name.startswith(f"{len(layers) - 1}.")]
            rows = np.column_stack(last)  # one row per output: its weights and its bias
            if self.output == "first":
                dead |= set(rows[1:].flat)
            if self.output == "difference":
                pairs = [(i, j) for i, j in rows.T if i not in dead]
        return [(i,) for i in sorted(dead)] + pairs

    def _unflatten(self, flat: Any) -> dict[str, Any]:
        """Views of ``flat`` (P,) in the shapes of the module's parameters, by name."""
        views, start = {}, 0
        for name, parameter in self.module.named_parameters():
            views[name] = flat[start : start + parameter.numel()].reshape(parameter.shape)
            start += parameter.numel()
        return views

    def _predict(self, theta: Tensor, x: Tensor) -> Tensor:
        from torch.func import functional_call

        columns: Tensor = functional_call(self.module, self._unflatten(theta), (x,)).reshape(len(x), -1)
        return columns[:, 0] - columns[:, 1] if self.output == "difference" else columns[:, 0]

    def _loss(self, theta: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """One leaf's share of L."""
        share: Tensor = ((self._predict(theta, x) - y) ** 2).sum()
        return share / self.n_samples if self.reduction == "mean" else share

    def _leaves(self) -> Iterator[tuple[Tensor, Tensor]]:
        for start in range(0, self.n_samples, LEAF):
            yield self._features[start : start + LEAF], self._targets[start : start + LEAF]

    def _theta(self, params: Any) -> Tensor:
        return _tensor(as_vector("params", params, self.n_params))

    def _as_features(self, features: Any) -> Tensor:
        from torch import nn

        x = as_matrix("features", features)
        first = next((layer for layer in self.module.modules() if isinstance(layer, nn.Linear)), None)
        if first is not None and x.shape[1] == 2 and first.in_features == 3:
            x = np.column_stack([x, np.zeros(len(x))])
        return _tensor(x)

    def _check_module(self) -> None:
        import torch

        x = self._features[:1]
        try:
            with torch.no_grad():
                n_columns = self.module(x).reshape(1, -1).shape[1]
        except RuntimeError as error:
            raise ValueError(f"Argument `module` cannot be applied to {x.shape[1]} features ({error}).") from None
        needed = {None: 1, "difference": 2, "first": n_columns}[self.output]
        if n_columns != needed:
            raise ValueError(
                f"Argument `output` is {self.output!r}, which needs a module with {needed} output columns, but it has "
                f"{n_columns}; allowed: None (1 column), 'difference' (2), 'first' (any)."
            )


def need_torch() -> None:
    """Say how to install torch where it is missing: only networks and GPUs need it.

    Raises:
        ImportError: torch is not installed.
    """
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        raise ImportError("Networks need torch: pip install 'vqc-landscape[torch]'.") from None


def make_network(config: NetworkConfig, seed: int) -> nn.Sequential:
    """The paper's feed-forward network in float64, with initial weights that depend on ``seed`` alone.

    torch's global random state stays as it is.
    """
    import torch
    from torch import nn

    activation = {"tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid}[config.activation]
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # not torch.manual_seed, which would reseed a GPU too
        layers: list[nn.Module] = []
        for n_in, n_out in zip(config.widths, config.widths[1:], strict=False):
            layers += [_linear(n_in, n_out, config.initialiser), activation()]
    return nn.Sequential(*layers[:-1])


def flat_params(module: nn.Module) -> Array:
    """The module's parameters as the ``params`` (P,) of its risk."""
    from torch.nn.utils import parameters_to_vector

    return _array(parameters_to_vector(module.parameters()).double())


def _linear(n_in: int, n_out: int, initialiser: str) -> nn.Linear:
    import torch
    from torch import nn

    layer = nn.Linear(n_in, n_out, dtype=torch.float64)
    if initialiser != "torch_default":
        # ASSUME: biases start at 0 where the weights are not torch's default, as in Keras and in Glorot's paper.
        getattr(nn.init, f"{initialiser}_")(layer.weight)
        nn.init.zeros_(layer.bias)
    return layer


def _tensor(array: Array) -> Tensor:
    import torch

    return torch.tensor(array)  # a copy: from_numpy warns of read-only arrays, which tables give


def _array(tensor: Any) -> Array:
    return cast("Array", tensor.detach().numpy())
