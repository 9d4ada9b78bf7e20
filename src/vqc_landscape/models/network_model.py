"""Classical networks as models: exact derivatives by torch in float64.

torch is imported when the first network is handled, not with this module: it costs about two seconds.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from vqc_landscape.checks import Array, Indices, as_matrix, check_choice, check_count
from vqc_landscape.models.model import Model
from vqc_landscape.simulator.engine import Weigh

if TYPE_CHECKING:
    from torch import Tensor, nn

    from vqc_landscape.config import NetworkConfig

COLUMNS = ("difference", "first")

# Samples per term of every sum. It bounds the memory of a Hessian (P tangents x 256 x neurons) and fixes the order
# of the additions. Chosen by us: below 0.2 GB for the paper's network.
BLOCK = 256
POINTS = 64  # parameter vectors that are evaluated side by side; chosen by us, memory as for a Hessian


class Predictor:
    """A torch module as a function of all its parameters, one after the other in the order of ``module.parameters()``.

    It works on a copy of the module in float64 and in evaluation mode (no dropout: f is a function of the parameters
    alone).

    Args:
        module: maps (n, d) to (n,) or (n, 1), or to more columns, of which ``output`` makes one prediction.
        output: None (the one column there is), "difference" (first minus second of two columns) or "first".

    Raises:
        ValueError: an output that there is not.
    """

    n_outputs = 1

    def __init__(self, module: nn.Module, output: str | None = None) -> None:
        need_torch()
        self.output = output if output is None else check_choice("output", output, COLUMNS)
        self.module = copy.deepcopy(module).double().eval()
        self.n_params = sum(p.numel() for p in self.module.parameters())

    def __call__(self, theta: Tensor, x: Tensor) -> Tensor:
        """Predictions (n, K) for parameters (P,) and features (n, d)."""
        from torch.func import functional_call

        columns: Tensor = functional_call(self.module, self.unflatten(theta), (x,)).reshape(len(x), -1)
        return columns[:, :1] - columns[:, 1:2] if self.output == "difference" else columns[:, :1]

    def unflatten(self, flat: Any) -> dict[str, Any]:
        """Views of ``flat`` (P,) in the shapes of the module's parameters, by name."""
        views, start = {}, 0
        for name, parameter in self.module.named_parameters():
            views[name] = flat[start : start + parameter.numel()].reshape(parameter.shape)
            start += parameter.numel()
        return views

    def as_features(self, features: Any) -> Tensor:
        """Features (n, d); two columns are padded with x3 = 0 where the module's first Linear takes three."""
        from torch import nn

        x = as_matrix("features", features)
        first = next((layer for layer in self.module.modules() if isinstance(layer, nn.Linear)), None)
        if first is not None and x.shape[1] == 2 and first.in_features == 3:
            x = np.column_stack([x, np.zeros(len(x))])
        return _tensor(x)

    def check(self, x: Tensor) -> None:
        """Check that the module takes features (n, d), and has the columns that ``output`` needs.

        Raises:
            ValueError: it does not.
        """
        import torch

        try:
            with torch.no_grad():
                n_columns = self.module(x[:1]).reshape(1, -1).shape[1]
        except RuntimeError as error:
            raise ValueError(f"Argument `module` cannot be applied to {x.shape[1]} features ({error}).") from None
        needed = {None: 1, "difference": 2, "first": n_columns}[self.output]
        if n_columns != needed:
            raise ValueError(
                f"Argument `output` is {self.output!r}, which needs a module with {needed} output columns, but it has "
                f"{n_columns}; allowed: None (1 column), 'difference' (2), 'first' (any)."
            )

    def structural_groups(self, features: Tensor) -> list[tuple[int, ...]]:
        """The parameters that each structural direction moves alike, disjoint from group to group.

        Known for a Sequential whose ends are Linear, none are claimed for any other module:

        - the first layer's weights of an input column that is zero in all samples (x3 = 0);
        - with "difference", what moves both outputs alike: (w1 + w2) / sqrt(2) for every weight and the bias;
        - with "first", every weight and the bias of the other outputs.
        """
        from torch import nn

        layers = list(self.module) if isinstance(self.module, nn.Sequential) else []
        n_uses = len(list(self.module.named_parameters(remove_duplicate=False)))
        if not layers or n_uses > len(list(self.module.parameters())):  # a shared parameter acts in two places
            return []
        position = self.unflatten(np.arange(self.n_params))
        dead: set[int] = set()
        pairs: list[tuple[int, ...]] = []
        if isinstance(layers[0], nn.Linear):
            zero_columns = (features == 0).all(dim=0).numpy()
            dead |= set(position["0.weight"][:, zero_columns].flat)
        if isinstance(layers[-1], nn.Linear):
            last = [p for name, p in position.items() if name.startswith(f"{len(layers) - 1}.")]
            rows = np.column_stack(last)  # one row per output: its weights and its bias
            if self.output == "first":
                dead |= set(rows[1:].flat)
            if self.output == "difference":
                pairs = [(i, j) for i, j in rows.T if i not in dead]
        return [(i,) for i in sorted(dead)] + pairs


class StackedPredictor(Predictor):
    """Networks of one architecture side by side, an output for each; the parameters are theirs, one after the other.

    A step of eighty costs little more than a step of one. The gradient of their summed losses is the members'
    gradients, so that an optimiser which treats each parameter by itself (gradient descent, Adam) trains every member
    as it would alone.

    Args:
        member: one of them.
        n_members: how many.
    """

    def __init__(self, member: Predictor, n_members: int) -> None:
        self.member, self.module, self.output = member, member.module, member.output
        self.n_outputs = check_count("n_members", n_members)
        self.n_params = n_members * member.n_params

    def __call__(self, theta: Tensor, x: Tensor) -> Tensor:
        """Predictions (n, n_members)."""
        from torch.func import vmap

        predict = vmap(self.member, in_dims=(0, None), out_dims=1)
        predictions: Tensor = predict(theta.reshape(self.n_outputs, -1), x)[..., 0]
        return predictions

    def unflatten(self, flat: Any) -> dict[str, Any]:
        """Views of ``flat`` (P,), a row for each member, by name."""
        return {"members": flat.reshape(self.n_outputs, -1)}

    def structural_groups(self, features: Tensor) -> list[tuple[int, ...]]:
        """Those of every member."""
        groups, size = self.member.structural_groups(features), self.member.n_params
        return [tuple(k * size + param for param in group) for k in range(self.n_outputs) for group in groups]


class NetworkModel(Model):
    """Predictions of a network over samples.

    Args:
        predictor: the network, or several side by side.
        features: of every sample, see :meth:`Predictor.as_features`.
    """

    def __init__(self, predictor: Predictor, features: Tensor) -> None:
        self.predictor, self.features = predictor, features
        self.n_params, self.n_samples, self.n_outputs = predictor.n_params, len(features), predictor.n_outputs

    def part(self, samples: Indices | slice) -> NetworkModel:
        """The model of some of the samples."""
        return NetworkModel(self.predictor, self.features[samples])

    def with_features(self, features: Any) -> NetworkModel:
        """The model of other samples."""
        x = self.predictor.as_features(features)
        if x.shape[1] != self.features.shape[1]:
            raise ValueError(f"Argument `features` must have {self.features.shape[1]} columns, but has {x.shape[1]}.")
        return NetworkModel(self.predictor, x)

    # --- values and derivatives -------------------------------------------------------------------------

    def outputs(self, params: Array) -> Array:
        """Predictions, shape (S, K)."""
        theta = _tensor(params)
        return np.concatenate([_array(self.predictor(theta, x)) for x, _ in self._blocks()])

    def outputs_at(self, points: Array) -> Array:
        """Predictions at each row of points, shape (n_points, S, K): all of them at once."""
        from torch.func import vmap

        evaluate = vmap(self.predictor, in_dims=(0, None), chunk_size=POINTS)
        return np.concatenate([_array(evaluate(_tensor(points), x)) for x, _ in self._blocks()], axis=1)

    def jacobian(self, params: Array) -> Array:
        """Derivatives of every prediction, shape (S, K, P)."""
        from torch.func import jacrev

        derive, theta = jacrev(self.predictor), _tensor(params)
        return np.concatenate([_array(derive(theta, x)) for x, _ in self._blocks()])

    def gradient(self, params: Array, weigh: Weigh) -> tuple[Array, Array]:
        """Predictions, and the gradient of their loss: one backward pass."""
        from torch.func import vjp

        theta, outputs, total = _tensor(params), [], np.zeros(len(params))
        for x, block in self._blocks():
            found, pull_back, *_ = vjp(functools.partial(self.predictor, x=x), theta)
            outputs.append(_array(found))
            total += _array(pull_back(_tensor(weigh(outputs[-1], block)[0]))[0])
        return np.concatenate(outputs), total

    # Second derivatives by two backward passes: no slower than torch's forward mode, which compiles its
    # decompositions when first used.

    def hessian(self, params: Array, weigh: Weigh) -> Array:
        """Second derivatives of the loss, shape (P, P): the two triangles differ by rounding and are averaged."""
        from torch.func import grad, jacrev

        theta = _tensor(params)
        matrix = sum(_array(jacrev(grad(loss))(theta)) for loss in self._local_losses(theta, weigh))
        return np.asarray((matrix + np.transpose(matrix)) / 2)

    def weighted_hessian(self, params: Array, weights: Array) -> Array:
        """``sum_s sum_k weights[s, k] d_i d_j f_sk``, shape (P, P), symmetric."""
        none = np.zeros((self.n_samples, self.n_outputs, self.n_outputs))
        return self.hessian(params, lambda _, samples: (weights[samples], none[samples]))

    def hvp(self, params: Array, weigh: Weigh, v: Array) -> Array:
        """The product of :meth:`hessian` with v: the gradient of v . grad."""
        from torch.func import grad

        theta, direction = _tensor(params), _tensor(v)
        losses = self._local_losses(theta, weigh)
        total = sum(_array(grad(lambda t, loss=loss: grad(loss)(t) @ direction)(theta)) for loss in losses)
        return np.asarray(total)

    def _local_losses(self, theta: Tensor, weigh: Weigh) -> Iterator[Any]:
        """For each block a function with the derivatives of its loss at theta, first and second.

        It is ``sum_s [g_s . f_s + (f_s - f_s(theta)) . C_s (f_s - f_s(theta)) / 2]``.
        """
        import torch

        for x, block in self._blocks():
            centre = self.predictor(theta, x).detach()
            loss_grad, curvature = map(_tensor, weigh(_array(centre), block))

            def loss(
                t: Tensor, x: Tensor = x, centre: Tensor = centre, g: Tensor = loss_grad, c: Tensor = curvature
            ) -> Tensor:
                outputs = self.predictor(t, x)
                moved = outputs - centre
                return (g * outputs).sum() + 0.5 * torch.einsum("sk,skl,sl->", moved, c, moved)

            yield loss

    # --- structure --------------------------------------------------------------------------------------

    @property
    def structural_directions(self) -> Array:
        """Orthonormal directions v with v . grad = 0 at every params, shape (P, k), where they are known."""
        groups = self.predictor.structural_groups(self.features)
        directions = np.zeros((self.n_params, len(groups)))
        for column, group in enumerate(groups):
            directions[list(group), column] = 1 / np.sqrt(len(group))
        return directions

    @property
    def parameter_arrays(self) -> dict[str, Indices]:
        """Positions of the parameters by name, in the shape of each."""
        return self.predictor.unflatten(np.arange(self.n_params))

    def _blocks(self) -> Iterator[tuple[Tensor, slice]]:
        for start in range(0, len(self.features), BLOCK):
            block = slice(start, min(start + BLOCK, len(self.features)))
            yield self.features[block], block


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
