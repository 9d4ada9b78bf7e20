"""PennyLane's default.qubit, differentiated by torch; the samples side by side by broadcasting."""

from __future__ import annotations

import torch

from benchmarks.cases import Case
from benchmarks.peers import Compute
from benchmarks.peers.pennylane_circuit import make_qnode, risk_of


def hessian(case: Case) -> Compute:
    """``torch.autograd.functional.hessian``; nothing is compiled."""
    qnode = make_qnode(case, "default.qubit", interface="torch", diff_method="backprop", max_diff=2)
    risk, point = risk_of(case, qnode, torch.as_tensor), torch.as_tensor(case.params)
    return lambda: torch.autograd.functional.hessian(risk, point).numpy()


def gradient(case: Case) -> Compute:
    """One backward pass; nothing is compiled."""
    qnode = make_qnode(case, "default.qubit", interface="torch", diff_method="backprop")
    risk = risk_of(case, qnode, torch.as_tensor)
    point = torch.as_tensor(case.params).requires_grad_()
    return lambda: torch.autograd.grad(risk(point), point)[0].numpy()
