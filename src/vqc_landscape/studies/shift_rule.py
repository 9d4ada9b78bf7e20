"""The double shift rule against the exact Hessian, and what both curvature and metric cost in circuit runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.circuits.observables import Projector
from vqc_landscape.circuits.pennylane import apply_circuit
from vqc_landscape.config import CircuitConfig
from vqc_landscape.curvature.param_shift import param_shift_hessian
from vqc_landscape.studies.build import initial_params, make_circuit, make_observable, make_risk, resized
from vqc_landscape.tables.files import atomic_file
from vqc_landscape.tables.parquet import write_table

if TYPE_CHECKING:
    from vqc_landscape.config import InitConfig, Problem, ShiftRuleConfig

REPEATS = 20  # per time; the best of them is what the machine can do


def write_shift_rule(problem: Problem, init: InitConfig, shift_rule: ShiftRuleConfig, seed: int, output: str) -> None:
    """Write, for each size of the circuit, the error of the shift rule's Hessian and the circuit runs.

    Runs are counted, not computed: those that the device executes for the Hessian, and the circuits into which
    PennyLane expands the metric tensor.
    """
    rows = [_row(sized, init, seed) for sized in resized(problem, shift_rule.sizes)]
    write_table("shift_rule", output, {name: [row[name] for row in rows] for name in rows[0]})


def write_timings(problem: Problem, init: InitConfig, shift_rule: ShiftRuleConfig, seed: int, output: str) -> None:
    """Write how long loss and gradient, Hessian and metric tensor take, as tab-separated text.

    Times differ from run to run: no table of the study, and nothing reads them.
    """
    lines = ["n_qubits\tn_layers\tn_params\tgrad_ms\thessian_ms\tmetric_ms"]
    for sized in resized(problem, shift_rule.sizes):
        risk, params = make_risk(sized), initial_params(sized, init, seed)
        times = [_milliseconds(each, params) for each in (risk.loss_and_grad, risk.hessian, risk.metric_tensor)]
        numbers = [_circuit(sized).n_qubits, _circuit(sized).n_layers, risk.n_params, *(f"{t:.4g}" for t in times)]
        lines.append("\t".join(str(number) for number in numbers))
    with atomic_file(output) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _milliseconds(function: Any, params: Array) -> float:
    """Best time of a call."""
    best = np.inf
    for _ in range(REPEATS):
        start = time.perf_counter()
        function(params)
        best = min(best, time.perf_counter() - start)
    return 1e3 * float(best)


def _circuit(problem: Problem) -> CircuitConfig:
    assert isinstance(problem.model, CircuitConfig)  # the configuration has no other with a shift rule
    return problem.model


def _row(problem: Problem, init: InitConfig, seed: int) -> dict[str, float]:
    import pennylane as qml

    circuit, params = make_circuit(_circuit(problem)), initial_params(problem, init, seed)
    projector = make_observable(problem.objective, circuit.n_qubits)
    assert isinstance(projector, Projector)
    wires, device = range(circuit.n_qubits), qml.device("default.qubit", wires=circuit.n_qubits)

    @qml.qnode(device)  # type: ignore[untyped-decorator]
    def fidelity(params: Any) -> Any:
        apply_circuit(circuit, params)
        return qml.expval(qml.Projector(projector.state, wires=wires))

    with qml.Tracker(device) as tracker:
        hessian = -param_shift_hessian(fidelity, params)
    exact = make_risk(problem).hessian(params)
    tape = qml.workflow.construct_tape(fidelity)(qml.numpy.array(params, requires_grad=True))
    metrics = {
        approximation: len(qml.metric_tensor(tape, approx=approximation, aux_wire=circuit.n_qubits)[0])
        for approximation in ("block-diag", None)
    }
    return {
        "n_qubits": circuit.n_qubits,
        "n_layers": _circuit(problem).n_layers,
        "n_params": circuit.n_params,
        "error": float(np.abs(hessian - exact).max() / np.abs(exact).max()),
        "hessian_runs": tracker.totals["executions"],
        "metric_block_runs": metrics["block-diag"],
        "metric_full_runs": metrics[None],
    }
