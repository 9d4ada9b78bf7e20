"""What every engine does with a compiled circuit: the one contract of CPU and GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from vqc_landscape.checks import Array
from vqc_landscape.simulator.compile.compiled import CompiledCircuit
from vqc_landscape.simulator.compile.encoding import Encoded

# From the outputs (s, K) of a slice of the samples to the loss gradient (s, K) and the loss curvature (s, K, K).
Weigh = Callable[[Array, slice], tuple[Array, Array]]


class Engine(Protocol):
    """Outputs and derivatives of a compiled circuit over samples.

    Parameters of derivatives are the active ones of the compiled circuit, r of them, in ascending order.
    """

    compiled: CompiledCircuit

    def outputs(self, params: Array, samples: Encoded) -> Array:
        """Outputs f at ``params`` (P,), shape (n_samples, K)."""

    def outputs_at(self, points: Array, samples: Encoded) -> Array:
        """Outputs at each of ``points`` (n_points, P), shape (n_points, n_samples, K)."""

    def jacobian(self, params: Array, samples: Encoded) -> Array:
        """Derivatives of the outputs, shape (n_samples, K, r)."""

    def gradient(self, params: Array, samples: Encoded, weigh: Weigh) -> tuple[Array, Array]:
        """Outputs (n_samples, K), and ``sum_s sum_k g_sk d_i f_sk`` (r,): one adjoint sweep."""

    def hessian(self, params: Array, samples: Encoded, weigh: Weigh) -> Array:
        """``sum_s [sum_k g_sk d_i d_j f_sk + (J_s^T C_s J_s)_ij]`` with the loss curvature C, shape (r, r).

        Raises:
            MemoryError: not even the tangents of one sample fit.
            NotDifferentiableError: there is none at this point.
        """

    def hvp(self, params: Array, samples: Encoded, weigh: Weigh, v: Array) -> Array:
        """The product of :meth:`hessian` with v (r,), shape (r,), in the time of a few gradients.

        Raises:
            ValueError: the strategy is not exact.
        """

    def metric_tensor(self, params: Array, samples: Encoded) -> Array:
        """Fubini-Study metric ``Re<T_i|T_j> - Re(<T_i|psi><psi|T_j>)`` of one sample's state, shape (r, r)."""
