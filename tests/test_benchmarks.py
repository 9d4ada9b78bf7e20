"""The benchmarks: every contender that is installed agrees with ours, and the report is written from what is stored."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vqc_landscape.checks import Array

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.cases import Case, layered, qnn, strongly_entangling
from benchmarks.peers import JAX, JAX_CARRIED, prepare
from benchmarks.report import write_report

ATOL = 1e-9  # what the report calls an agreement; float64 leaves about 1e-14
NEEDS = {"JAX": "jax", "TensorCircuit": "tensorcircuit", "Divi": "divi", "orqviz": "orqviz"}
PEERS = (
    "PennyLane, torch backprop",
    "shift rule on lightning.qubit",
    *JAX,
    *JAX_CARRIED,
    "TensorCircuit-NG, jit(hessian)",
)
CASES = {"qnn": qnn(2, 2, 1), "global": layered(2, 1, "plus"), "local": layered(2, 1, "local plus")}


def compute(peer: str, quantity: str, case: Case) -> Array:
    for name, module in NEEDS.items():
        if name in peer and importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed: `make bench-env`, then .venv-bench/bin/pytest tests/{__name__}.py")
    return prepare(peer, quantity, case)()


@pytest.mark.filterwarnings("ignore")  # of the contenders
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "peer",
    [
        "PennyLane, torch backprop",
        "shift rule on lightning.qubit",
        *JAX,
        *JAX_CARRIED,
        "TensorCircuit-NG, jit(hessian)",
    ],
)
def test_a_contender_computes_our_hessian(peer: str, case: str) -> None:
    found, ours = compute(peer, "hessian", CASES[case]), prepare("vqc-landscape", "hessian", CASES[case])()
    computed = ~np.isnan(found)  # some compute only some of the entries
    assert computed.any()
    np.testing.assert_allclose(found[computed], ours[computed], rtol=0, atol=ATOL)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("peer", ["PennyLane, torch backprop", "PennyLane, lightning adjoint", "JAX, jit(grad)"])
def test_a_contender_computes_our_gradient(peer: str) -> None:
    found, ours = (compute(name, "gradient", CASES["qnn"]) for name in (peer, "vqc-landscape"))
    np.testing.assert_allclose(found, ours, rtol=0, atol=ATOL)


def test_the_templates_are_the_gates_of_the_case() -> None:
    found, ours = (
        prepare(peer, "hessian", strongly_entangling(2, 3, 2))()
        for peer in ("vqc-landscape, from_qnode", "vqc-landscape")
    )
    np.testing.assert_allclose(found, ours, rtol=0, atol=ATOL)


def row(peer: str, section: str, **more: Any) -> dict[str, Any]:
    measured = {"compile_s": 1.0, "seconds": [0.2, 0.1, 0.3], "peak": 10**9, "factor": 1.0, "size": ["qnn", 4, 2, 1]}
    return {
        "peer": peer,
        "section": section,
        "case": "QNN",
        "n_carried": 5,
        "n_calls": 1,
        "error": 0.0,
        **measured,
        **more,
    }


def test_the_report_is_written_from_stored_measurements(tmp_path: Path) -> None:
    machine = {"command": "run", "minutes": 1, "processor": "p", "cores": 2, "memory": 8e9, "load": 0.1, "python": "3"}
    rows = [
        row("vqc-landscape", "qnn"),
        row(JAX[0], "qnn", ratios=[150.0, 100.0, 200.0], headline=True, error=1e-3),
        {"peer": "slow", "section": "qnn", "case": "QNN", "failure": "no answer within 1 s"},
        row("vqc-landscape", "growth", along="samples"),
        row("vqc-landscape", "growth", along="samples", size=["qnn", 8, 2, 1], seconds=[0.4]),
    ]
    write_report(
        {"machine": machine | {"versions": {"numpy": "2"}, "limit": 1, "threads": 2, "quick": False}, "rows": rows},
        tmp_path / "benchmarks.md",
    )
    text = (tmp_path / "benchmarks.md").read_text()
    assert "150 (100 to 200) times faster" in text
    assert "200 ms (100 to 300)" in text
    assert "1e-03 **above 1e-9**" in text
    assert "no answer within 1 s" in text
    assert "| samples | 1.00 | 1.00 | 1 |" in text
    assert (tmp_path / "benchmarks-growth.png").stat().st_size > 1000
