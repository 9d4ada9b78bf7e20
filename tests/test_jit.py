"""Compilation: a cache for every state of the sources, ahead of use, and no trace in other people's functions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core.codegen import get_host_cpu_features

from vqc_landscape.__main__ import main
from vqc_landscape.checks import Array
from vqc_landscape.simulator.cpu import jit

ATOL = 1e-12  # the same formulas, in another order of roundings
HAS_WIDE_VECTORS = "+avx512f" in get_host_cpu_features().split(",")


def run(code: str, **variables: str) -> Any:
    """What a program prints as JSON, in a process of its own."""
    environment = os.environ | variables
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


GUEST = """
import json
import numba, numpy as np
from numba.core.cpu import CPUTargetOptions

def add(source, out):
    for i in range(len(source)):
        out[i] += source[i]

def compiled():
    function = numba.njit(fastmath=True)(add)
    function(np.zeros(8), np.zeros(8))
    (assembly,) = function.inspect_asm().values()
    return "zmm" in assembly

before = compiled()
import vqc_landscape as vl
risk = vl.CircuitRisk(vl.rx_product(2, 1), vl.Projector([1, 0, 0, 0]), loss="infidelity")
np.testing.assert_allclose(risk.hessian([0.0, 0.0]), [[0.5, 0.0], [0.0, 0.5]], atol=1e-15)  # a few roundings
state = [numba.config.CPU_FEATURES, hasattr(CPUTargetOptions, "noalias"), numba.config.CACHE_DIR]
print(json.dumps([before, compiled(), *state]))
"""


def test_other_peoples_functions_stay_as_they_were() -> None:
    before, after, features, patched, cache = run(GUEST)
    assert before == after and features is None and not patched and cache == ""


@pytest.mark.skipif(not HAS_WIDE_VECTORS, reason="vectors of 512 bits are not there")
def test_kernels_use_the_whole_of_a_vector_register(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(jit, "CACHE", str(tmp_path))  # what comes from a cache has no assembly

    def add(source: Array, out: Array) -> None:
        for i in range(len(source)):
            out[i] += source[i]

    kernel = jit.kernel(add)
    kernel(np.zeros(8), np.zeros(8))
    (assembly,) = kernel.inspect_asm().values()
    assert "zmm" in assembly


PLAIN = """
import vqc_landscape as vl
risk = vl.CircuitRisk(vl.layered(2, 1), vl.Projector(vl.plus_state(2)), loss="infidelity")
print(risk.hessian([0.1] * risk.n_params).tolist())
"""


def test_kernels_run_without_compilation() -> None:
    """A second implementation of the arithmetic: Python's own."""
    found = [run(PLAIN, NUMBA_DISABLE_JIT=disabled) for disabled in ("0", "1")]
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=ATOL)


def test_every_source_in_every_subfolder_is_part_of_the_key(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    for name in ("one.py", "inner/two.py"):
        (tmp_path / name).write_text("x = 1\n")
    first = jit.sources_hash([tmp_path])
    (tmp_path / "inner" / "two.py").write_text("x = 2\n")
    second = jit.sources_hash([tmp_path])
    (tmp_path / "inner" / "two.py").rename(tmp_path / "two.py")
    assert len({first, second, jit.sources_hash([tmp_path])}) == 3


USED = """
import json, sys
import numpy as np
import vqc_landscape as vl
from vqc_landscape.simulator.cpu import jit
x = np.random.default_rng(0).uniform(-1, 1, (20, 2))
for risk in (
    vl.CircuitRisk(vl.reuploading(4, 2), vl.PauliZ(0), "mse", x, np.sign(x[:, 0])),
    vl.CircuitRisk(vl.layered(4, 1), vl.Projector(vl.plus_state(4)), "infidelity"),
    vl.CircuitRisk(vl.layered(10, 1), vl.local_projector(10, "X"), "infidelity"),
):
    params = np.full(risk.n_params, 0.1)
    risk.hessian(params), risk.grad(params), risk.hvp(params, params), risk.losses([params, params])
risk.metric_tensor(params)
compiled = [kernel.py_func.__name__ for kernel in jit.KERNELS if kernel.stats.cache_misses]
print(json.dumps([compiled, "numba.np.npyimpl" in sys.modules]))
"""


def test_a_warm_up_leaves_nothing_to_compile(capsys: pytest.CaptureFixture[str]) -> None:
    """Into the cache of these tests, which most likely has it all."""
    assert main(["warm-up"]) == 0
    assert jit.CACHE in capsys.readouterr().out
    assert run(USED) == [[], False]  # nor are the declarations imported that only compilation needs


def test_a_warm_up_without_compilation_says_so(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(jit, "KERNELS", [])
    assert main(["warm-up"]) == 1
    assert "Nothing is compiled where NUMBA_DISABLE_JIT is set" in capsys.readouterr().err
