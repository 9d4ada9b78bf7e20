"""The risk of a quantum circuit: classification of samples, or preparation of a state."""

from __future__ import annotations

import functools
import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array, as_matrix, as_vector, check_choice
from vqc_landscape.circuits.observables import Observable, PauliSum, Projector, zero_state
from vqc_landscape.circuits.parameters import Layout, Parameters
from vqc_landscape.circuits.program import Circuit
from vqc_landscape.risks.interface import Indices
from vqc_landscape.risks.losses import LOSSES, Loss, are_classes
from vqc_landscape.risks.shares import pair_of_blocks
from vqc_landscape.simulator.compile.encoding import encode
from vqc_landscape.simulator.cpu.batched_params import expvals_at
from vqc_landscape.simulator.cpu.engine import Engine
from vqc_landscape.structure.dependence import Dependence, analyse
from vqc_landscape.structure.reduction import Reduction, Structure, explain, reduce_exactly

if TYPE_CHECKING:
    from vqc_landscape.risks.trial import Trial
    from vqc_landscape.simulator.gpu.engine import GpuEngine

CUSP = 1e-12  # |Re(z^2)| below which its absolute value counts as not differentiable: round-off of z


class CircuitRisk:
    r"""``L(params) = mean_s l(f(params, x_s), y_s)`` with ``f = <psi| O |psi>``, and its exact derivatives.

    Args:
        circuit: the program that prepares psi.
        observable: O, a :class:`PauliSum` or a :class:`Projector`.
        loss: ``"mse"``, ``(f - y)**2``; or, without data, ``"infidelity"``, ``1 - f``, or ``"expval"``, f itself, an
            energy.
        features: rows of data, shape (n_samples, n_features); two columns for a circuit of three get x3 = 0.
        targets: y, shape (n_samples,).
        reduction: ``"mean"`` or ``"sum"`` over the samples; sum multiplies every eigenvalue by n_samples.
        convention: ``"exact"``, or ``"as_published"`` for the arithmetic of the code of arXiv:2008.02785: a
            constant bra for Pauli sums, ``|Re(z**2)|`` instead of ``|z|**2`` for projectors.
        device: ``"cpu"``; or ``"cuda"``, ``"cuda:1"``, ... for all derivatives on that GPU, with numpy arrays in and
            out as everywhere.
        precision: ``"float64"``; or, on a GPU, ``"float32"`` for the tangents of Hessians and metric tensors, whose
            entries then have an error of about 1e-6 of what they are summed from. All else stays float64.

    Raises:
        ValueError: an argument that is not allowed or does not fit the others; it is named.

    Example:
        >>> import numpy as np
        >>> import vqc_landscape as vl
        >>> risk = vl.CircuitRisk(vl.rx_product(2, 1), vl.Projector([1, 0, 0, 0]), loss="infidelity")
        >>> np.round(risk.hessian([0.0, 0.0]), 12) + 0.0
        array([[0.5, 0. ],
               [0. , 0.5]])
    """

    def __init__(
        self,
        circuit: Circuit,
        observable: Observable,
        loss: str = "mse",
        features: Any = None,
        targets: Any = None,
        reduction: str = "mean",
        convention: str = "exact",
        device: str = "cpu",
        precision: str = "float64",
    ) -> None:
        self.circuit = circuit
        self.observable = observable
        self.loss_name = check_choice("loss", loss, tuple(LOSSES))
        self.reduction = check_choice("reduction", reduction, ("mean", "sum"))
        self.convention = check_choice("convention", convention, ("exact", "as_published"))
        if not isinstance(circuit, Circuit):
            raise ValueError(f"Argument `circuit` must be a Circuit, such as layered(4, 2), but is {circuit!r}.")
        if not isinstance(observable, Observable):
            raise ValueError(f"Argument `observable` must be a PauliSum or a Projector, but is {observable!r}.")
        if self._loss.needs_targets != (features is not None) or (features is None) != (targets is None):
            wanted = "both features and targets" if self._loss.needs_targets else "neither features nor targets"
            raise ValueError(f"Argument `loss` is {loss}, which needs {wanted}.")
        self.rows = circuit.feature_rows(features)  # of all samples, in batches, too: what they share is structure
        self.features = None if features is None else self.rows if circuit.featuriser is None else features
        self.encoded = encode(circuit, observable, self.rows)
        n_samples = self.encoded.n_samples
        self.targets = np.zeros(n_samples) if targets is None else as_vector("targets", targets, n_samples)
        self.device = device
        self.precision = check_choice("precision", precision, ("float64", "float32"))
        if device == "cpu" and precision != "float64":
            raise ValueError(f"Argument `precision` must be float64 where `device` is cpu, but is {precision!r}.")
        self._full_engine = self._make_engine(np.arange(circuit.n_params))
        self._share_engines: dict[tuple[int, int], Engine | GpuEngine] = {}

    trial: Trial | None = None  # of the QNode that it was read from

    def __repr__(self) -> str:
        form = "" if self.circuit.parameters is None else f": {self.circuit.parameters}"
        data = "" if self.features is None else f" over {self.n_samples} samples"
        lines = [
            f"CircuitRisk({self.circuit.name}, {self.circuit.n_qubits} qubits",
            f"{self.n_params} parameters{form}",
            f"loss {self.loss_name}{data}",
        ]
        return "\n  ".join(lines + [str(self.trial)] * (self.trial is not None)) + ")"

    # --- values and derivatives -------------------------------------------------------------------------

    @property
    def n_params(self) -> int:
        """Number of parameters P."""
        return self.circuit.n_params

    @property
    def n_samples(self) -> int:
        """Number of samples; 1 without data."""
        return self.encoded.n_samples

    def loss(self, params: Any) -> float:
        """L(params)."""
        expvals = self._engine.expvals(self._vector(params), self.encoded)
        return float(np.sum(self._loss.value(expvals, self.targets)) * self._scale)

    def losses(self, points: Any) -> Array:
        """L at each row of ``points``, shape (n_points, P): all of them in one sweep, shape (n_points,)."""
        rows = as_matrix("points", points, (self.n_params,))
        engine, samples = self._engine, self.encoded
        expvals = expvals_at(engine, rows, samples) if isinstance(engine, Engine) else engine.expvals_at(rows, samples)
        values: Array = np.sum(self._loss.value(expvals, self.targets), axis=1) * self._scale
        return values

    def grad(self, params: Any) -> Array:
        """Gradient of L, shape (P,)."""
        return self.loss_and_grad(params)[1]

    def loss_and_grad(self, params: Any) -> tuple[float, Array]:
        """L and its gradient, for the price of the gradient."""
        expvals, jacobian = self._full_engine.jacobian(self._vector(params), self.encoded)
        slopes = self._loss.first(expvals, self.targets) * self._scale
        grad = np.zeros(self.n_params)
        # a sum over samples in their order, without BLAS: the same bytes whatever the number of threads
        grad[self._full_engine.columns.params] = np.einsum("s,sp->p", slopes, jacobian)
        return float(np.sum(self._loss.value(expvals, self.targets)) * self._scale), grad

    def hessian(self, params: Any) -> Array:
        """Exact Hessian of L, shape (P, P), symmetric.

        Raises:
            ValueError: as-published infidelity at a cusp, Re(z**2) = 0, where there is no Hessian.
        """
        theta = self._vector(params)
        self._check_cusp(theta)
        return self._expand(self._engine.hessian(theta, self.encoded, self._slopes_and_bends))

    def hessian_share(self, params: Any, share: int, n_blocks: int) -> Array:
        """One summand of the Hessian, shape (P, P): the entries of one pair of ``n_blocks`` blocks of parameters.

        The shares 0 to n_blocks * (n_blocks - 1) / 2 - 1 add up to :meth:`hessian`. Each carries the tangents of its
        two blocks only, 2 / n_blocks of the memory of all.

        Raises:
            ValueError: as :meth:`hessian`, or a share that the blocks do not have.
        """
        theta = self._vector(params)
        self._check_cusp(theta)
        pivots = self._reduction.pivots
        members, mine = pair_of_blocks(len(pivots), n_blocks, share)
        if (share, n_blocks) not in self._share_engines:
            engine = self._make_engine(pivots[members])
            self._share_engines[share, n_blocks] = engine
        engine = self._share_engines[share, n_blocks]
        order = np.argsort(engine.columns.params)
        part = engine.hessian(theta, self.encoded, self._slopes_and_bends)[np.ix_(order, order)]
        core = np.zeros((len(pivots), len(pivots)))
        core[np.ix_(members, members)] = np.where(mine, part, 0.0)
        return self._expand_sorted(core)

    def ggn(self, params: Any) -> Array:
        """Generalised Gauss-Newton part of the Hessian, ``mean_s l''(f_s) grad f_s grad f_s^T``, shape (P, P).

        The rest, ``hessian - ggn``, is the residual part ``mean_s l'(f_s) hessian f_s``.
        """
        return self._expand(self._engine.ggn(self._vector(params), self.encoded, self._slopes_and_bends))

    def hvp(self, params: Any, v: Any) -> Array:
        """Product of the Hessian at params with the direction v, shape (P,): a few gradients' time, no matrix.

        Only for the published arithmetic, whose Hessian is no derivative of its gradient, the matrix is formed.
        """
        theta, direction = self._vector(params), as_vector("v", v, self.n_params)
        if self.convention == "as_published":
            return self.hessian(theta) @ direction
        engine, rows = self._engine, self._reduction.rows
        order = np.argsort(engine.columns.params)
        core = np.empty(len(order))
        core[order] = rows @ direction
        product = engine.hvp(theta, self.encoded, self._slopes_and_bends, core)
        return rows.T @ product[order] * self._scale

    def jacobian(self, params: Any) -> Array:
        """Derivatives of every sample's f, shape (n_samples, P)."""
        _, carried = self._full_engine.jacobian(self._vector(params), self.encoded)
        jacobian = np.zeros((self.n_samples, self.n_params))
        jacobian[:, self._full_engine.columns.params] = carried
        return jacobian

    def quantum_fisher(self, params: Any) -> Array:
        """Quantum Fisher information of the prepared state, 4 times the metric tensor, shape (P, P).

        Raises:
            ValueError: the circuit takes data.
        """
        return 4 * self.metric_tensor(params)

    def metric_tensor(self, params: Any) -> Array:
        """Fubini-Study metric of the prepared state, shape (P, P); a quarter of the quantum Fisher matrix.

        Raises:
            ValueError: the circuit takes data.
        """
        if self.circuit.n_features:
            raise ValueError("The metric tensor is defined for one state, but this risk has data.")
        engine = self._state_engine
        order = np.argsort(engine.columns.params)
        return engine.metric_tensor(self._vector(params))[np.ix_(order, order)]

    # --- data -------------------------------------------------------------------------------------------

    def predict(self, params: Any, features: Any = None) -> Array:
        """f of each row of features (the risk's own if None), shape (n,).

        Raises:
            ValueError: the risk has no data.
        """
        if self.features is None:
            raise ValueError("Predictions need data, but this risk has none.")
        samples = self.encoded
        if features is not None:
            samples = encode(self.circuit, self.observable, self.circuit.feature_rows(features))
        return self._engine.expvals(self._vector(params), samples)

    def expvals(self, params: Any) -> Array:
        """f of every sample, shape (n_samples,); of the one state there is without data."""
        return self._engine.expvals(self._vector(params), self.encoded)

    def accuracy(self, params: Any) -> float | None:
        """Share of the samples with sign(f) = y; None without data or if a target is not -1 or 1."""
        if self.features is None or not are_classes(self.targets):
            return None
        return float(np.mean(np.sign(self.predict(params)) == self.targets))

    def batch(self, indices: Indices) -> CircuitRisk:
        """The risk of some of the samples."""
        if self.features is None:
            raise ValueError("A batch needs data, but this risk has none.")
        _ = self._engine  # made once, for all batches
        part = object.__new__(CircuitRisk)
        part.__dict__.update(self.__dict__)
        part.features, part.targets = self.features[indices], self.targets[indices]
        part.encoded = self.encoded.part(indices)
        return part

    # --- structure --------------------------------------------------------------------------------------

    @property
    def parameter_arrays(self) -> dict[str, Indices]:
        """Positions of the parameters of every argument of a QNode, in its shape: rows and columns of matrices."""
        form = self.circuit.parameters or Parameters(Layout("array", self.circuit.shape), ("params",))
        return form.indices()

    @property
    def parameter_blocks(self) -> tuple[Indices, ...]:
        """Parameters of each sub-layer of simultaneous rotations."""
        return self.circuit.parameter_blocks

    @property
    def structural_directions(self) -> Array:
        """Orthonormal directions v with v . grad = 0 at every params, shape (P, k)."""
        return self._reduction.structural_directions

    @functools.cached_property
    def structure(self) -> Structure:
        """The structural directions one by one, each with the reason why f cannot see it."""
        return Structure() if self._detached else explain(self._reduction, self._dependence)

    @functools.cached_property
    def _reduction(self) -> Reduction:
        """The parameters to carry, and how the others follow them."""
        if self._detached:
            # with a constant bra, H is not the derivative of the gradient and sees what the gradient does not
            return Reduction(np.arange(self.n_params), np.eye(self.n_params))
        return reduce_exactly(self._dependence.functionals, self.n_params)

    @functools.cached_property
    def _dependence(self) -> Dependence:
        return analyse(self.circuit, self.observable, self.rows, phase_matters=self.convention == "as_published")

    @property
    def _detached(self) -> bool:
        """Whether the bra counts as a constant."""
        return self.convention == "as_published" and isinstance(self.observable, PauliSum)

    @functools.cached_property
    def _engine(self) -> Engine | GpuEngine:
        """The engine that carries only the parameters f depends on."""
        return self._make_engine(self._reduction.pivots)

    @functools.cached_property
    def _state_engine(self) -> Engine | GpuEngine:
        """An engine that leaves no gate out, because its observable sees the whole state."""
        return self._make_engine(np.arange(self.n_params), Projector(zero_state(self.circuit.n_qubits)))

    def _make_engine(self, carried: NDArray[np.int64], observable: Observable | None = None) -> Engine | GpuEngine:
        published, measured = self.convention == "as_published", observable or self.observable
        if self.device == "cpu":
            return Engine(self.circuit, measured, published, carried)
        if importlib.util.find_spec("torch") is None:
            raise ValueError(f"Argument `device` is {self.device!r}, which needs torch: pip install torch.")
        from vqc_landscape.simulator.gpu.devices import find_device
        from vqc_landscape.simulator.gpu.engine import GpuEngine

        device = find_device(self.device)
        return GpuEngine(self.circuit, measured, published, carried, device, self.precision)

    # --- inner workings ---------------------------------------------------------------------------------

    def _expand(self, core: Array) -> Array:
        """From a sum over the carried parameters to the whole (P, P) matrix of the risk, symmetric."""
        order = np.argsort(self._engine.columns.params)
        return self._expand_sorted(core[np.ix_(order, order)])

    def _expand_sorted(self, core: Array) -> Array:
        """The same, with the carried parameters in ascending order."""
        return self._reduction.expand(core * self._scale)

    def _check_cusp(self, theta: Array) -> None:
        if self.convention == "as_published" and isinstance(self.observable, Projector):
            fidelity = self._engine.expvals(theta, self.encoded)[0]
            if fidelity < CUSP:
                raise ValueError(f"Argument `params` is a cusp of the published loss, |Re(z**2)| = {fidelity:.1e}.")

    @property
    def _loss(self) -> Loss:
        return LOSSES[self.loss_name]()

    @property
    def _scale(self) -> float:
        return 1.0 / self.n_samples if self.reduction == "mean" else 1.0

    def _vector(self, params: Any) -> Array:
        parameters = self.circuit.parameters
        if parameters is not None and parameters.layout.kind != "array":
            flat = parameters.layout.flatten(params)
            if flat is not None:
                return flat
        return as_vector("params", params, self.n_params)

    def _slopes_and_bends(self, expvals: Array, samples: slice) -> tuple[Array, Array]:
        y = self.targets[samples]
        return self._loss.first(expvals, y), self._loss.second(expvals, y)
