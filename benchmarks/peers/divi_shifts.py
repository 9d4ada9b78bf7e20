"""Divi's ``compute_hessian``: the shift rule on its local simulator."""

from __future__ import annotations

import itertools

import numpy as np
import pennylane as qml
from divi.backends import MaestroSimulator
from divi.qprog.algorithms import CustomVQA
from divi.qprog.optimizers import MonteCarloOptimizer
from divi.viz import compute_hessian

from benchmarks.cases import Case
from benchmarks.peers import Compute
from benchmarks.peers.pennylane_circuit import apply_gates


def hessian(case: Case) -> Compute:
    """Minus the Hessian of the expectation value, that of the infidelity."""
    program = make_program(case)
    return lambda: -np.asarray(compute_hessian(program, case.params).hessian)


def make_program(case: Case) -> CustomVQA:
    """The projector onto |+...+> as the sum of all words of X, which is the form that Divi takes."""
    with qml.queuing.AnnotatedQueue() as queue:
        apply_gates(case, qml.numpy.array(case.params, requires_grad=True), None)
        qml.expval(_words_of_x(case.n_qubits))
    script = qml.tape.QuantumScript.from_queue(queue)
    return CustomVQA(script, backend=MaestroSimulator(), optimizer=MonteCarloOptimizer())  # never run


def _words_of_x(n_qubits: int) -> qml.Hamiltonian:
    """``prod_i (1 + X_i) / 2``."""
    words = itertools.product((False, True), repeat=n_qubits)
    factors = [[qml.X(q) for q in range(n_qubits) if word[q]] for word in words]
    return qml.Hamiltonian([2.0**-n_qubits] * len(factors), [qml.prod(*f) if f else qml.Identity(0) for f in factors])
