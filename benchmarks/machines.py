"""How far results differ between kinds of processors: ``python -m benchmarks.machines``.

The same training, Hessians and spectra with the instructions of this processor, with those of an AVX2 one, and with
those that every x86-64 has, in numba, numpy and BLAS alike. Prints the table of docs/reliability.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

AVX512 = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4"
MACHINES = {
    "this processor": {},
    "AVX2": {"NUMBA_CPU_NAME": "haswell", "OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": AVX512},
    "any x86-64": {
        "NUMBA_CPU_NAME": "x86-64",
        "NUMBA_CPU_FEATURES": "",
        "OPENBLAS_CORETYPE": "Prescott",
        "NPY_DISABLE_CPU_FEATURES": f"AVX2 FMA3 X86_V3 {AVX512}",
    },
}
EPOCHS = (0, 10, 40)


def results() -> dict[str, np.ndarray]:
    """Parameters, losses, Hessians and spectra of a short training of a QNN of 6 qubits and 4 layers."""
    import vqc_landscape as vl
    from vqc_landscape.training.loop import train
    from vqc_landscape.training.optimisers import Adam

    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (100, 2))
    risk = vl.CircuitRisk(vl.reuploading(6, 4), vl.PauliZ(0), features=x, targets=np.sign(1 - 2 * (x**2).sum(axis=1)))
    run = train(risk, rng.uniform(0, 2 * np.pi, risk.n_params), Adam(0.05, 20), max(EPOCHS), seed=0)
    found = {"loss": run["loss"]}
    for epoch in EPOCHS:
        params = run["params"][epoch]
        hessian = risk.hessian(params)
        eigvals = vl.spectrum(hessian, risk.structural_directions).eigvals
        found |= {f"params {epoch}": params, f"Hessian {epoch}": hessian, f"eigenvalues {epoch}": eigvals}
    return found


def main() -> None:
    if len(sys.argv) == 2:
        np.savez(sys.argv[1], **results())
        return
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for machine, variables in MACHINES.items():
            path = Path(folder) / f"{len(found)}.npz"
            environment = {**os.environ, **variables, "NUMBA_CACHE_DIR": folder}
            subprocess.run([sys.executable, "-m", "benchmarks.machines", str(path)], env=environment, check=True)
            found[machine] = dict(np.load(path))
    ours, *others = found.values()
    print("| quantity, epoch | largest value |", " | ".join(list(found)[1:]), "|")
    print("| --- | --- |", " --- |" * len(others))
    for name, value in ours.items():
        errors = " | ".join(f"{np.abs(other[name] - value).max():.0e}" for other in others)
        print(f"| {name} | {np.abs(value).max():.2g} | {errors} |")


if __name__ == "__main__":
    main()
