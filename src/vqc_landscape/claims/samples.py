"""Single samples: their own Hessians, and what each carries of the risk's curvature (Sec. VI, Fig. 7)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.claims.claim import Measurement, at_least, at_most, between, claim, over_seeds, without_seeds
from vqc_landscape.claims.data import CIRCUIT, NETWORK, ClaimData, has_circuit, has_network

if TYPE_CHECKING:
    import pandas as pd

FIGURE = "curvature_of_samples"
SPECTRA = {"samples": ("epoch", "y", "prediction", "eigvals", "other_label")}
GROUP = 0.1  # of the samples: the best predicted and the most uncertain tenth. Chosen by us.
UNCERTAIN = 0.5  # half way between a prediction of 0 and a label: below, a prediction counts as uncertain

POSITIVE_WEIGHT = "sum of the positive eigenvalues over the sum of all magnitudes"
THIRDS = "a sign dominates if it has twice the weight of the other, and none does in between"


def positive_weight(eigvals: Array) -> float:
    """Sum of the positive eigenvalues over the sum of all magnitudes."""
    return float(eigvals[eigvals > 0].sum() / np.abs(eigvals).sum())


def certain_correct(rows: pd.DataFrame) -> pd.DataFrame:
    """The tenth of the samples that are predicted best: largest y f."""
    return rows.loc[(rows["y"] * rows["prediction"]).nlargest(_tenth(rows)).index]


def wrong(rows: pd.DataFrame) -> pd.DataFrame:
    """All samples that are predicted with the wrong sign."""
    return rows[rows["y"] * rows["prediction"] < 0]


def uncertain(rows: pd.DataFrame) -> pd.DataFrame:
    """The tenth of the samples with the smallest |f|."""
    return rows.loc[rows["prediction"].abs().nsmallest(_tenth(rows)).index]


def certain(rows: pd.DataFrame) -> pd.DataFrame:
    """The tenth of the samples with the largest |f|, right or wrong: those whose other label was tried."""
    return rows[rows["other_label"].notna()]


def _tenth(rows: pd.DataFrame) -> int:
    return max(round(GROUP * len(rows)), 1)


def seeds_of(data: ClaimData, experiment: str | None = None) -> Iterator[pd.DataFrame]:
    """The samples of each seed at the end of the training."""
    rows = data.rows("samples", experiment, epoch=data.last_epoch(experiment))
    for _, own in rows.groupby("seed"):
        yield own


def _weights(data: ClaimData, group: Callable[[pd.DataFrame], pd.DataFrame]) -> Measurement:
    """Median over a group of samples, for each seed that has one."""
    groups = [group(rows) for rows in seeds_of(data)]
    groups = [rows for rows in groups if len(rows)]
    medians = [np.median([positive_weight(np.asarray(v)) for v in rows["eigvals"]]) for rows in groups]
    eigvals = [np.asarray(v) for rows in groups for v in rows["eigvals"]]
    if not eigvals:
        return over_seeds([], remark="No seed has such a sample.")
    large = [v[np.abs(v) > 0.1 * np.abs(v).max()] for v in eigvals]
    remark = (
        f"{len(eigvals)} samples of {len(groups)} seeds, |f| from "
        f"{min(rows['prediction'].abs().min() for rows in groups):.2g} to "
        f"{max(rows['prediction'].abs().max() for rows in groups):.2g}. Beyond 10 % of a sample's largest magnitude "
        f"lie {np.median([np.sum(v > 0) for v in large]):.0f} positive and "
        f"{np.median([np.sum(v < 0) for v in large]):.0f} negative eigenvalues (medians)."
    )
    return over_seeds(medians, remark=remark)


@claim(
    section="VI, Fig. 7",
    statement="The radius sqrt(2 / pi) balances the two classes.",
    measures="distance of the share of class +1 from 1/2, in standard errors of a balanced draw",
    expected="below 2",
    threshold=at_most(1.96, "null model: a balanced draw is that close with 95 %"),
    figure="fig07",
    reads={"datasets": ("y",)},
)
def data_balanced(data: ClaimData) -> Measurement:
    inside = (data.rows("datasets")["y"] > 0).to_numpy()
    distance = abs(inside.mean() - 0.5) / (0.5 / math.sqrt(len(inside)))
    remark = f"{inside.sum()} of {len(inside)} samples lie inside; the disk has exactly half of the square's area."
    return without_seeds(float(distance), remark=remark)


@claim(
    section="VI",
    statement="The Hessian of a single sample that is predicted correctly has few, positive eigenvalues.",
    measures=f"{POSITIVE_WEIGHT}: median over the tenth of the samples with the largest y f, mean over seeds",
    expected="near 1",
    threshold=at_least(2 / 3, THIRDS),
    figure=FIGURE,
    reads=SPECTRA,
)
def sample_correct(data: ClaimData) -> Measurement:
    return _weights(data, certain_correct)


@claim(
    section="VI",
    statement="The Hessian of a single sample that is predicted wrongly has few, negative eigenvalues.",
    measures=f"{POSITIVE_WEIGHT}: median over all samples with y f < 0, mean over seeds",
    expected="near 0",
    threshold=at_most(1 / 3, THIRDS),
    figure=FIGURE,
    reads=SPECTRA,
)
def sample_wrong(data: ClaimData) -> Measurement:
    found = _weights(data, wrong)
    ends = np.concatenate([np.stack(certain(rows)["other_label"].to_list()) for rows in seeds_of(data)])
    with_other_label = (
        "The most certain tenth of all samples, had they the other label: a smallest eigenvalue of "
        f"{np.median(ends[:, 0]):.3g} and a largest of {np.median(ends[:, 1]):.3g} (medians)."
    )
    return dataclasses.replace(found, remark=f"{found.remark} {with_other_label}")


@claim(
    section="VI",
    statement="The Hessian of a single sample that is predicted with uncertainty has eigenvalues of both signs alike.",
    measures=f"{POSITIVE_WEIGHT}: median over the tenth of the samples with the smallest |f|, mean over seeds",
    expected="near 1/2",
    threshold=between(1 / 3, 2 / 3, THIRDS),
    figure=FIGURE,
    reads=SPECTRA,
)
def sample_uncertain(data: ClaimData) -> Measurement:
    return _weights(data, uncertain)


@claim(
    section="VI",
    statement="The spectrum of the risk behaves like the average of the spectra of the single samples.",
    measures="sum of the |eigenvalues| of the risk's Hessian over the mean of the same sum for single samples; mean "
    "over seeds",
    expected="near 1",
    threshold=at_least(
        0.5, "1 if the samples share their eigenvectors and signs, 0 if they cancel: nearer to the first"
    ),
    figure=FIGURE,
    reads={"samples": ("epoch", "eigvals"), "ensembles": ("epoch", "eigvals")},
)
def risk_average(data: ClaimData) -> Measurement:
    last = data.last_epoch()
    whole = data.rows("ensembles", epoch=last).set_index("seed")["eigvals"]
    ratios, ends = [], []
    for rows in seeds_of(data):
        single, risk = np.stack(rows["eigvals"].to_list()), np.asarray(whole[rows["seed"].iloc[0]])
        ratios.append(np.abs(risk).sum() / np.abs(single).sum(axis=1).mean())
        ends.append([risk[-1] / single[:, -1].mean(), risk[0] / single[:, 0].mean()])
    largest, smallest = np.mean(ends, axis=0)
    remark = (
        f"The largest eigenvalue of the risk is {largest:.2g} times the mean largest of the samples, its smallest "
        f"{smallest:.2g} times their mean smallest."
    )
    return over_seeds(ratios, remark=remark)


@claim(
    section="VI",
    statement="Inside a region of high certainty all eigenvalues are near 0, even where the prediction is wrong.",
    measures="largest |eigenvalue| of the tenth of the samples with the largest |f|, each with the label that makes "
    "its prediction wrong, over that of the tenth with the smallest |f|; medians, mean over seeds",
    expected="near 0",
    threshold=at_most(0.1, "near 0: an order of magnitude below the curvature at the boundary"),
    figure=FIGURE,
    reads=SPECTRA,
)
def confident_pools_flat(data: ClaimData) -> Measurement:
    as_wrong, as_right, n_wrong = [], [], 0
    for rows in seeds_of(data):
        boundary = np.median([np.abs(v).max() for v in uncertain(rows)["eigvals"]])
        pool = certain(rows)
        right = (pool["y"] * pool["prediction"] > 0).to_numpy()
        own = np.array([np.abs(v).max() for v in pool["eigvals"]])
        other = np.array([np.abs(v).max() for v in pool["other_label"]])
        as_wrong.append(np.median(np.where(right, other, own)) / boundary)
        as_right.append(np.median(np.where(right, own, other)) / boundary)
        n_wrong += int((~right).sum())
    remark = (
        f"With the label that makes the prediction right the ratio is {np.mean(as_right):.2g}. Of these samples "
        f"{n_wrong} are in truth predicted wrongly."
    )
    return over_seeds(as_wrong, remark=remark)


@claim(
    section="VI, Figs. 9, 10",
    statement="The trained QNN stays uncertain at the decision boundary, the FFNN hardly.",
    measures="share of the training samples with |f| < 1/2, QNN over FFNN: ratio of the means over seeds",
    expected="well above 1",
    threshold=at_least(2, "uncertain against hardly: at least twice as many samples"),
    figure=FIGURE,
    reads={"samples": ("epoch", "prediction")},
    needs=CIRCUIT | NETWORK,
)
def qnn_boundary(data: ClaimData) -> Measurement:
    shares = [
        np.array([float(np.mean(rows["prediction"].abs() < UNCERTAIN)) for rows in seeds_of(data, data.which(has)[0])])
        for has in (has_circuit, has_network)
    ]

    def ratio(circuit: Array, network: Array, axis: int) -> Any:
        return np.mean(circuit, axis) / np.mean(network, axis)

    circuit, network = (float(np.mean(share)) for share in shares)
    return Measurement(tuple(shares), ratio, remark=f"QNN {circuit:.1%}, FFNN {network:.1%} of the samples.")


@claim(
    section="VI",
    statement="The eigenvalues of the risk come mainly from samples in the transition region.",
    measures="share of the sum of the leading eigenvalues (as many as samples.n_leading says) that the half of the "
    "samples with the smaller |f| contributes, each by v^T H_s v; mean over seeds of the QNN",
    expected="near 1",
    threshold=at_least(2 / 3, "mainly: twice what the other half contributes; alike, they would contribute 1/2"),
    figure=FIGURE,
    reads={"samples": ("epoch", "prediction", "leading")},
    needs=CIRCUIT,
)
def boundary_carries(data: ClaimData) -> Measurement:
    names = sorted(data.experiments, key=lambda name: data.experiments[name].circuit is None)
    shares = {name: np.array([_carried(rows) for rows in seeds_of(data, name)]) for name in names}
    n_leading = len(data.rows("samples", names[0])["leading"].iloc[0])
    others = [f"{name}: {np.mean(shares[name]):.2g} on average." for name in names[1:]]
    remark = " ".join([f"Leading eigenvalues: {n_leading}.", *others])
    return over_seeds(shares[names[0]], remark=remark)


def _carried(rows: pd.DataFrame) -> float:
    contributions = np.stack(rows["leading"].to_list()).sum(axis=1)
    boundary = rows["prediction"].abs().rank(method="first").to_numpy() <= len(rows) / 2
    return float(contributions[boundary].sum() / contributions.sum())
