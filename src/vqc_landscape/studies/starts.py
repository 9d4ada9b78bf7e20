"""Spectra at many random initial points, without training, for circuits of one or several sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.curvature.spectrum import spectrum
from vqc_landscape.risks.risk import Risk
from vqc_landscape.studies.build import initial_params, make_risk, resized
from vqc_landscape.studies.inputs import read_samples
from vqc_landscape.tables.parquet import write_table

if TYPE_CHECKING:
    from vqc_landscape.config import InitConfig, Problem, StartsConfig


def write_starts(
    problem: Problem, init: InitConfig, starts: StartsConfig, seed: int, dataset: str | None, output: str
) -> None:
    """Write loss, gradient and eigenvalues at the initial points of the seeds from ``seed`` on, one row each."""
    samples = read_samples(dataset, "train")
    rows = []
    for sized in resized(problem, starts.sizes):
        risk, size = make_risk(sized, samples), sized.circuit
        for own in range(seed, seed + starts.n_starts):
            names = {"n_qubits": size.n_qubits, "n_layers": size.n_layers} if size else {}
            rows.append(
                {**names, "init": own, **_at(risk, initial_params(sized, init, own), with_data=samples is not None)}
            )
    write_table("starts", output, {name: [row[name] for row in rows] for name in rows[0]})


def _at(risk: Risk, params: Array, *, with_data: bool) -> dict[str, object]:
    loss, grad = risk.loss_and_grad(params)
    found = spectrum(risk.hessian(params), risk.structural_directions)
    return {
        "loss": loss,
        "grad_norm": float(np.linalg.norm(grad)),
        "eigvals": found.eigvals,
        "n_structural": int(found.structural.sum()),
        "tolerance": found.tolerance,
        "quantum_fisher": None if with_data else _quantum_fisher(risk, params),
    }


def _quantum_fisher(risk: Risk, params: Array) -> float:
    """Largest eigenvalue of the quantum Fisher matrix, twice the sharpness if the state were the target."""
    return 4 * float(np.linalg.eigvalsh(risk.metric_tensor(params))[-1])
