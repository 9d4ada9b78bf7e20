"""The benchmarks: every contender that is installed agrees with ours, and the report is written from what is stored."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vqc_landscape.checks import Array

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import gpu
from benchmarks.cases import Case, layered, qnn, strongly_entangling
from benchmarks.gpu_section import measured_section, put_section, stored_section
from benchmarks.peers import CUDA, JAX, JAX_CARRIED, prepare
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


@pytest.mark.filterwarnings("ignore")
def test_a_contender_computes_our_product() -> None:
    found, ours = (compute(name, "product", CASES["global"]) for name in ("JAX, jit(HVP)", "vqc-landscape"))
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


def test_the_gpu_keeps_its_section_when_the_rest_is_written(tmp_path: Path) -> None:
    report = tmp_path / "benchmarks.md"
    assert "| QNN 8 x 8, 64 samples | vqc-landscape, CUDA float64 | not measured |" in stored_section(report)
    about = {
        "command": "gpu",
        "minutes": 1,
        "gpu": "card",
        "cuda": "13",
        "threads": 2,
        "processor": "p",
        "quick": False,
    }
    rows = [row("vqc-landscape", "gpu"), row(CUDA[1], "gpu", ratios=[0.05], error=1e-6)]
    measured = measured_section({"machine": about | {"versions": {"torch": "2", "numba": "1"}}, "rows": rows})
    assert "1e-06 **above 1e-9**" in measured
    report.write_text("# Benchmarks\n\n## First\n\nold\n")
    put_section(report, stored_section(report))
    put_section(report, measured)
    assert report.read_text() == f"# Benchmarks\n\n## First\n\nold\n\n{measured}"
    report.write_text(report.read_text() + "\n## Last\n")
    put_section(report, measured)
    assert report.read_text() == f"# Benchmarks\n\n## First\n\nold\n\n{measured}\n## Last\n"
    assert stored_section(report).strip() == measured.strip()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device, which would be measured")
def test_without_a_cuda_device_nothing_is_measured(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    report = tmp_path / "benchmarks.md"
    monkeypatch.setattr(sys, "argv", ["gpu", "--report", str(report)])
    gpu.main()
    assert "No CUDA device" in capsys.readouterr().out
    assert "not measured" in report.read_text()
