"""The Hessian of every training sample by itself: what each carries of the risk's curvature."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.curvature.spectrum import complement_of, spectrum
from vqc_landscape.studies.build import make_risk
from vqc_landscape.studies.inputs import read_samples
from vqc_landscape.tables.parquet import read_table, write_table

if TYPE_CHECKING:
    from vqc_landscape.config import Problem, SamplesConfig

logger = logging.getLogger(__name__)

CERTAIN = 0.1  # of the samples, those with the largest |f|, get the eigenvalues of the other label, too. Chosen by us.


def write_samples(problem: Problem, samples: SamplesConfig, ensemble: str, dataset: str, output: str) -> None:
    """Write a row per training sample, for every seed of a part of an ensemble.

    Of an ensemble of networks only the members with the problem's own activation and initialiser are read.
    """
    members, network = read_table("ensembles", ensemble), problem.network
    members = members[members["epoch"].isin(samples.epochs)]
    if network is not None:
        own = (members["activation"] == network.activation) & (members["initialiser"] == network.initialiser)
        members = members[own]
    parts = []
    for _, member in members.iterrows():
        part = sample_curvatures(problem, np.array(member["params"]), dataset, samples.n_leading)
        n = len(part["y"])
        parts.append({"seed": np.full(n, member["seed"]), "epoch": np.full(n, member["epoch"])} | part)
        logger.info("seed %d, epoch %d: %d samples", member["seed"], member["epoch"], n)
    write_table("samples", output, {name: [x for part in parts for x in part[name]] for name in parts[0]})


def sample_curvatures(problem: Problem, params: Array, dataset: str, n_leading: int) -> dict[str, Any]:
    r"""The Hessians H_s of the single samples at one point, as columns of table ``samples``.

    With H = mean_s H_s (or their sum, as the risk has it) and its eigenvectors v_k by falling magnitude of the
    eigenvalue, ``leading`` holds v_k^T H_s v_k, which add up to the eigenvalues of H in the same way. ``eigvals`` are
    those of H_s without the structural zeros, ascending; ``other_label`` are the smallest and the largest that the
    sample would have with the other label, -y, for the most certain tenth of the samples.
    """
    features, targets = read_samples(dataset, "train")
    risk, other = make_risk(problem, (features, targets)), make_risk(problem, (features, -targets))
    structural = risk.structural_directions
    whole = spectrum(risk.hessian(params), structural)
    leading = whole.eigvecs[:, np.argsort(-np.abs(whole.eigvals), kind="stable")[:n_leading]]
    complement = complement_of(structural)
    predictions = risk.predict(params)
    n_certain = max(round(CERTAIN * len(targets)), 1)
    certain = set(np.argsort(-np.abs(predictions), kind="stable")[:n_certain].tolist())
    eigvals, shares, others = [], [], []
    for sample in range(len(targets)):
        alone = np.array([sample])
        own = risk.batch(alone).hessian(params)
        eigvals.append(np.linalg.eigvalsh(complement.T @ own @ complement))
        shares.append(np.einsum("pk,pq,qk->k", leading, own, leading, optimize=["einsum_path", (0, 1), (0, 1)]))
        swapped = other.batch(alone).hessian(params) if sample in certain else None
        others.append(None if swapped is None else np.linalg.eigvalsh(complement.T @ swapped @ complement)[[0, -1]])
    return {
        "sample": np.arange(len(targets)),
        "x1": features[:, 0],
        "x2": features[:, 1],
        "y": targets,
        "prediction": predictions,
        "eigvals": eigvals,
        "leading": shares,
        "other_label": others,
    }
