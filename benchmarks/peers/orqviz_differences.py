"""orqviz' ``get_Hessian``: finite differences of any loss function, here of one on lightning.qubit."""

from __future__ import annotations

import numpy as np
from orqviz.hessians import get_Hessian

from benchmarks.cases import Case
from benchmarks.peers import Array, Compute
from benchmarks.peers.pennylane_circuit import make_qnode


def hessian(case: Case) -> Compute:
    """With the step of 0.1 that is the default there."""
    qnode = make_qnode(case, "lightning.qubit", diff_method=None)

    def risk(params: Array) -> float:
        return 1 - float(qnode(params, None))

    return lambda: np.asarray(get_Hessian(case.params, risk).hessian_matrix)
