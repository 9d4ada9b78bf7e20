"""The risk of a quantum circuit: classification of samples, or preparation of a state."""

from __future__ import annotations

from typing import Any

from vqc_landscape.checks import check_choice
from vqc_landscape.circuits.observables import Observable
from vqc_landscape.circuits.program import Circuit
from vqc_landscape.models.circuit_model import CircuitModel, MeasuredCircuit
from vqc_landscape.risks.losses import LOSSES
from vqc_landscape.risks.risk import Risk
from vqc_landscape.simulator.compile.encoding import encode


def CircuitRisk(  # noqa: N802 - it makes a risk, and reads like a class
    circuit: Circuit,
    observable: Observable,
    loss: str = "mse",
    features: Any = None,
    targets: Any = None,
    reduction: str = "mean",
    convention: str = "exact",
    device: str = "cpu",
    precision: str = "float64",
) -> Risk:
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
        device: ``"cpu"``; or ``"cuda"``, ``"cuda:1"``, ... for all derivatives on that GPU (experimental), with numpy
            arrays in and out as everywhere.
        precision: ``"float64"``; or, on a GPU, ``"float32"`` for the tangents of Hessians and metric tensors, whose
            entries then have an error of about 1e-6 of what they are summed from. All else stays float64.

    Returns:
        A :class:`Risk`.

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
    function = LOSSES[check_choice("loss", loss, tuple(LOSSES))]
    check_choice("reduction", reduction, ("mean", "sum"))
    check_choice("convention", convention, ("exact", "as_published"))
    if not isinstance(circuit, Circuit):
        raise ValueError(f"Argument `circuit` must be a Circuit, such as layered(4, 2), but is {circuit!r}.")
    if not isinstance(observable, Observable):
        raise ValueError(f"Argument `observable` must be a PauliSum or a Projector, but is {observable!r}.")
    if function.needs_targets != (features is not None) or (features is None) != (targets is None):
        needed = "both features and targets" if function.needs_targets else "neither features nor targets"
        raise ValueError(f"Argument `loss` is {loss}, which needs {needed}.")
    check_choice("precision", precision, ("float64", "float32"))
    if device == "cpu" and precision != "float64":
        raise ValueError(f"Argument `precision` must be float64 where `device` is cpu, but is {precision!r}.")
    rows = circuit.feature_rows(features)
    measured = MeasuredCircuit(circuit, [observable], rows, convention, device, precision)
    return Risk(CircuitModel(measured, encode(circuit, [observable], rows)), function, targets, reduction)
