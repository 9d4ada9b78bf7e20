"""Optimisers in plain numpy: gradient descent, Adam, L-BFGS, natural gradient, 1 / lambda_max.

An optimiser is a frozen set of numbers. All that it remembers between steps is its state, a dictionary of named
float64 arrays that a checkpoint can hold, so that a resumed run equals an uninterrupted one bit for bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np

from vqc_landscape import config
from vqc_landscape.checks import Array, as_float, check_count, check_positive
from vqc_landscape.risks.risk import Risk
from vqc_landscape.training.finite import check_finite, finite_loss_and_grad
from vqc_landscape.training.metric import check_block, check_partition, keep_blocks, with_metric

# where L-BFGS stops: far below the round-off of any loss, far above where the squares of its steps become 0
SMALLEST_GRADIENT = 1e-20

State = dict[str, Array]
Step = tuple[Array, State, float]


class Optimiser(Protocol):
    """One way to move the parameters."""

    @property
    def batch_size(self) -> int | None:
        """Samples per step; None: the whole training set, one step an epoch."""

    def initial_state(self, params: Array) -> State:
        """Memory before the first step."""

    def step(self, risk: Risk, params: Array, state: State) -> Step:
        """New parameters (P,), new state, and the learning rate (NaN where there is none).

        Raises:
            FloatingPointError: the loss, the gradient or the learning rate is not finite; the message says which.
        """


def check_optimiser(what: str, optimiser: object) -> Optimiser:
    """The optimiser itself.

    Raises:
        ValueError: it lacks what an optimiser has, or is a class; ``what`` names it.
    """
    missing = [name for name in ("step", "initial_state", "batch_size") if not hasattr(optimiser, name)]
    if missing or isinstance(optimiser, type):
        message = f"has no {missing[0]}" if missing else "is a class"
        raise ValueError(
            f"{what} must be an optimiser, with step, initial_state and batch_size, but {optimiser!r} {message}."
        )
    return cast(Optimiser, optimiser)


def check_numbers(learning_rate: float, batch_size: int | None = None) -> None:
    """Refuse what no optimiser can use.

    Raises:
        ValueError: a learning rate that is not above 0, or a batch of less than one sample; it is named.
    """
    check_positive("learning_rate", learning_rate)
    if batch_size is not None:
        check_count("batch_size", batch_size)


def check_step(optimiser: Optimiser, moved: object, n_params: int) -> Step:
    """What a step returned.

    Raises:
        ValueError: it is not the new parameters, the new state and the learning rate.
    """
    name = type(optimiser).__name__
    if not isinstance(moved, tuple) or len(moved) != 3:
        raise ValueError(f"{name}.step must return new parameters, state and learning rate, but returned {moved!r}.")
    params, state, rate = moved
    if np.shape(params) != (n_params,):
        raise ValueError(f"{name}.step must return parameters of shape ({n_params},), but they are {np.shape(params)}.")
    if not isinstance(state, dict):
        raise ValueError(f"{name}.step must return its state as a dictionary, but returned a {type(state).__name__}.")
    if not isinstance(rate, int | float | np.floating):
        raise ValueError(f"{name}.step must return its learning rate as a number (NaN: none), but returned {rate!r}.")
    return params, state, float(rate)


def make_optimiser(section: config.Optimiser) -> Optimiser:
    """The optimiser that a configuration describes."""
    match section:
        case config.SGD():
            return GradientDescent(section.learning_rate, section.batch_size)
        case config.GD():
            return GradientDescent(section.learning_rate)
        case config.Adam():
            return Adam(section.learning_rate, section.batch_size)
        case config.LBFGS():
            return LBFGS(section.n_iterations)
        case config.QNG():
            return NaturalGradient(section.learning_rate, section.metric == "block", section.regularisation)
        case config.HLR():
            return InverseSharpness(section.max_learning_rate if section.variant == "guarded" else None)
        case config.HLRThenQNG():
            natural = NaturalGradient(section.learning_rate, section.metric == "block", section.regularisation)
            return InverseSharpnessThenNatural(InverseSharpness(), natural, section.plateau)


class _Memoryless:
    """An optimiser of the whole training set whose steps do not depend on earlier ones."""

    batch_size: int | None = None

    def initial_state(self, params: Array) -> State:
        return {}


@dataclass(frozen=True)
class GradientDescent(_Memoryless):
    """theta <- theta - learning_rate * grad, over the whole set (GD) or mini-batches (SGD)."""

    learning_rate: float
    batch_size: int | None = None

    def __post_init__(self) -> None:
        check_numbers(self.learning_rate, self.batch_size)

    def step(self, risk: Risk, params: Array, state: State) -> Step:
        _, grad = finite_loss_and_grad(risk, params)
        return params - self.learning_rate * grad, state, self.learning_rate


@dataclass(frozen=True)
class Adam:
    """theta <- theta - learning_rate * m_hat / (sqrt(v_hat) + epsilon), m_hat and v_hat the moments of the gradient.

    Reference:
        Kingma and Ba, arXiv:1412.6980, Algorithm 1; beta1, beta2 and epsilon are the ones proposed there.
    """

    learning_rate: float
    batch_size: int | None = None
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        check_numbers(self.learning_rate, self.batch_size)

    def initial_state(self, params: Array) -> State:
        return {"m": np.zeros_like(params), "v": np.zeros_like(params), "t": np.zeros(1)}

    def step(self, risk: Risk, params: Array, state: State) -> Step:
        _, grad = finite_loss_and_grad(risk, params)
        t = state["t"] + 1
        m = self.beta1 * state["m"] + (1 - self.beta1) * grad
        v = self.beta2 * state["v"] + (1 - self.beta2) * grad**2
        m_hat, v_hat = m / (1 - self.beta1**t), v / (1 - self.beta2**t)
        moved = params - self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)
        return moved, {"m": m, "v": v, "t": t}, self.learning_rate


@dataclass(frozen=True)
class LBFGS(_Memoryless):
    """``n_iterations`` of L-BFGS per step, each step with an empty memory, so that nothing hides in scipy.

    Reference:
        Liu and Nocedal, Math. Program. 45, 503 (1989); scipy's L-BFGS-B without bounds.
    """

    n_iterations: int

    def __post_init__(self) -> None:
        check_count("n_iterations", self.n_iterations)

    def step(self, risk: Risk, params: Array, state: State) -> Step:
        from scipy.optimize import minimize  # half a second that the other optimisers need not pay

        # scipy's own tolerances would take a plateau (gradient below 1e-5) for a minimum
        result = minimize(
            lambda p: finite_loss_and_grad(risk, p),
            params,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": self.n_iterations, "ftol": 0.0, "gtol": SMALLEST_GRADIENT},
        )
        return result.x, state, math.nan


@dataclass(frozen=True)
class NaturalGradient(_Memoryless):
    """Quantum natural gradient: theta <- theta - learning_rate * (g + regularisation * I)^-1 grad, one step an epoch.

    g is the Fubini-Study metric of the state, or only its blocks of simultaneous rotations, which cost fewer circuit
    runs on a device. For the risk of a circuit without data.

    Args:
        learning_rate: step size, factor of the natural gradient.
        block_diagonal: the blocks of ``risk.parameter_blocks`` only, or (False) the whole metric.
        regularisation: added to the diagonal of g, which is singular where parameters change a phase only, or do the
            same as others.

    Raises:
        ValueError: an argument that cannot be used; at a step, no metric, blocks that do not partition the parameters,
            or a metric that is not positive where the gradient is not 0.

    Reference:
        Stokes, Izaac, Killoran, Carleo, Quantum 4, 269 (2020).
    """

    learning_rate: float
    block_diagonal: bool = True
    regularisation: float = 1e-8

    def __post_init__(self) -> None:
        check_numbers(self.learning_rate)
        if not isinstance(self.block_diagonal, bool):
            raise ValueError(f"Argument `block_diagonal` must be True or False, but is {self.block_diagonal!r}.")
        check_positive("regularisation", self.regularisation)

    def step(self, risk: Risk, params: Array, state: State) -> Step:
        geometry = with_metric(risk)
        loss, grad = finite_loss_and_grad(risk, params)
        metric = geometry.metric_tensor(params)
        check_finite("metric tensor", metric)
        blocks = (
            check_partition(geometry.parameter_blocks, len(grad)) if self.block_diagonal else [np.arange(len(grad))]
        )
        for block in blocks:
            check_block(metric, grad, loss, block)
        if self.block_diagonal:
            metric = keep_blocks(metric, blocks)
        natural = np.linalg.solve(metric + self.regularisation * np.eye(len(grad)), grad)
        return params - self.learning_rate * natural, state, self.learning_rate


@dataclass(frozen=True)
class InverseSharpness(_Memoryless):
    """H-LR: gradient descent with learning rate 1 / lambda_max, the Hessian's largest eigenvalue, one step an epoch.

    On a plateau the curvature is small, so the steps are long: it leaves where gradient descent stands still. The rate
    of every step is in the column ``learning_rate`` of the run.

    As published (``max_learning_rate`` None) lambda_max is the largest *signed* eigenvalue: no cap, and where all
    eigenvalues are negative the step ascends. Guarded, it is the largest magnitude, and the rate is capped.

    Args:
        max_learning_rate: the cap of the guarded form; None: as published.

    Raises:
        ValueError: a cap that is not above 0.

    Reference:
        Huembeli and Dauphin, arXiv:2008.02785, Sec. VII and the published code of Fig. 11.
    """

    max_learning_rate: float | None = None

    def __post_init__(self) -> None:
        if self.max_learning_rate is not None:
            check_positive("max_learning_rate", self.max_learning_rate)

    def step(self, risk: Risk, params: Array, state: State) -> Step:
        _, grad = finite_loss_and_grad(risk, params)
        hessian = risk.hessian(params)
        check_finite("Hessian", hessian)
        rate = self._learning_rate(np.linalg.eigvalsh(hessian).astype(np.float64))
        return params - rate * grad, state, rate

    def _learning_rate(self, eigvals: Array) -> float:
        if self.max_learning_rate is not None:
            sharpness = float(np.abs(eigvals).max())
            return 1 / max(sharpness, 1 / self.max_learning_rate)
        largest = float(eigvals[-1])
        if largest == 0:
            raise FloatingPointError("learning rate 1 / lambda_max is infinite, as the largest eigenvalue is 0")
        return 1 / largest


@dataclass(frozen=True)
class InverseSharpnessThenNatural(_Memoryless):
    """1 / lambda_max until the loss has left the plateau, then natural gradient for good: the paper's proposal.

    Args:
        escape: how the run leaves the plateau.
        descent: how it goes on. The whole metric, because with the blocks alone the combination gained nothing over
            ``escape`` in 20 runs of the paper's circuit.
        plateau: the plateau is left as soon as the loss is below this. 0.9 is for the infidelity: random states of n
            qubits have a fidelity above F with probability (1 - F)^(2^n - 1), so that a fidelity of 0.1 on 8 qubits, of
            probability 2e-12, is no chance. Another loss wants another number.

    Raises:
        ValueError: an argument of another type, or a plateau that is no number.

    Reference:
        Huembeli and Dauphin, arXiv:2008.02785, Sec. VII, propose the combination without a criterion.
    """

    escape: InverseSharpness = InverseSharpness()
    descent: NaturalGradient = NaturalGradient(0.1, block_diagonal=False)
    plateau: float = 0.9

    def __post_init__(self) -> None:
        for name, value, kind in (
            ("escape", self.escape, InverseSharpness),
            ("descent", self.descent, NaturalGradient),
        ):
            if not isinstance(value, kind):
                raise ValueError(f"Argument `{name}` must be of type {kind.__name__}, but is {value!r}.")
        if as_float("plateau", self.plateau).ndim:
            raise ValueError(f"Argument `plateau` must be one number, but is {self.plateau!r}.")

    def initial_state(self, params: Array) -> State:
        return {"left": np.zeros(1)}

    def step(self, risk: Risk, params: Array, state: State) -> Step:
        with_metric(risk)  # said at the first step, not when the plateau is left
        left = bool(state["left"][0]) or risk.loss(params) < self.plateau
        moved, _, rate = (self.descent if left else self.escape).step(risk, params, {})
        return moved, {"left": np.array([float(left)])}, rate
