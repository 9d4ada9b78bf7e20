"""State preparation by the layered circuit (Secs. V and VII, Figs. 5, 6)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqc_landscape.checks import Array
from vqc_landscape.claims.claim import Measurement, above, at_least, at_most, claim, over_seeds
from vqc_landscape.claims.data import CIRCUIT, ClaimData, has_circuit
from vqc_landscape.claims.definitions import CONVERGED, WHEN_FLAT, by_size, is_flat, relative_curvature

NEGLIGIBLE = 0.01  # share of the largest eigenvalue below which one cannot be seen in a figure of the spectrum
END = {
    "trajectories": ("epoch", "loss"),
    "spectra": ("epoch", "eigval", "structural"),
}
CURVES = {"scans": ("position", "eigval", "structural", "t", "loss")}


@claim(
    section="VII",
    statement="The likelihood of starting on a plateau grows with the number of qubits and with the number of layers.",
    measures=f"the smaller of two rises of the share of flat starts: from the fewest to the most qubits (mean over the "
    f"layers), and from the fewest to the most layers (mean over the qubits); {WHEN_FLAT}",
    expected="above 0",
    threshold=above(0, "'grows' against the null model that the size does not matter", known=True),
    figure="flat_starts",
    reads={"starts": ("n_qubits", "n_layers", "init", "eigvals", "quantum_fisher")},
)
def flat_init_depth(data: ClaimData) -> Measurement:
    flat = {size: is_flat(rows) for size, rows in by_size(data.rows("starts")).items()}
    qubits, layers = (sorted({size[axis] for size in flat}) for axis in (0, 1))

    def mean(axis: int, value: int) -> Array:
        return np.asarray(np.mean([values for size, values in flat.items() if size[axis] == value], axis=0))

    rises = [mean(axis, ends[-1]) - mean(axis, ends[0]) for axis, ends in ((0, qubits), (1, layers))]

    def smaller(by_qubits: Array, by_layers: Array, axis: int) -> Array:
        return np.asarray(np.minimum(np.mean(by_qubits, axis), np.mean(by_layers, axis)))

    shares = "; ".join(
        f"{n} qubits: " + ", ".join(f"{flat[n, depth].mean():.2f} ({depth})" for depth in layers if (n, depth) in flat)
        for n in qubits
    )
    remark = (
        f"With the qubits the share rises by {rises[0].mean():.2f}, with the layers by {rises[1].mean():.2f}. "
        f"Shares by qubits (and layers): {shares}."
    )
    return Measurement((rises[0], rises[1]), smaller, draws=(0, 0), remark=remark)


@claim(
    section="V, Fig. 5a",
    statement="A random initial point of the 4 x 4 circuit has all eigenvalues close to 0.",
    measures=f"the share of flat starts; {WHEN_FLAT}",
    expected="most starts",
    threshold=at_least(
        0.5, "the paper speaks of a random start, so that a typical one, the median, must be flat", known=True
    ),
    figure="flat_starts",
    reads={"starts": ("n_qubits", "n_layers", "init", "eigvals", "quantum_fisher")},
    needs=CIRCUIT,
)
def vqc_flat_start(data: ClaimData) -> Measurement:
    name = data.which(has_circuit)[0]
    circuit = data.experiments[name].circuit
    assert circuit is not None
    starts = by_size(data.rows("starts", name))[circuit.n_qubits, circuit.n_layers]
    relative = relative_curvature(starts)
    low, middle, high = np.quantile(relative, [0.1, 0.5, 0.9])
    remark = (
        f"The largest |eigenvalue| is {middle:.2f} of that scale in the median, {low:.2f} to {high:.2f} in four of "
        "five starts."
    )
    return over_seeds(is_flat(starts), remark=remark)


def _ends(data: ClaimData) -> list[tuple[Array, NDArray[np.bool_]]]:
    """Eigenvalues and structural flags at the last epoch of every converged run."""
    spectra, losses = data.rows("spectra"), data.rows("trajectories", epoch=data.last_epoch())
    converged = losses.loc[losses["loss"] < CONVERGED, "seed"]
    last = spectra[spectra["epoch"] == data.last_epoch()]
    runs = [last[last["seed"] == seed] for seed in sorted(converged)]
    return [(run["eigval"].to_numpy(), run["structural"].to_numpy(dtype=bool)) for run in runs]


def _converged(data: ClaimData, n_converged: int) -> str:
    n_runs = len(data.experiments[data.first].seeds)
    return f"{n_converged} of {n_runs} runs converged (loss below {CONVERGED:g})."


@claim(
    section="V, Fig. 5d",
    statement="After convergence no eigenvalue is negative.",
    measures="minus the smallest eigenvalue in units of the largest, median over the converged runs",
    expected="0",
    threshold=at_most(NEGLIGIBLE, "a hundredth of the largest: what a figure of the spectrum can show", known=True),
    figure="fig05",
    reads=END,
)
def vqc_psd_end(data: ClaimData) -> Measurement:
    ends = _ends(data)
    ratios = [max(-eigvals.min(), 0) / eigvals.max() for eigvals, _ in ends]
    return over_seeds(ratios, np.median, remark=_converged(data, len(ends)))


@claim(
    section="V, Fig. 5d",
    statement="After convergence most eigenvalues are 0.",
    measures="the share of |eigenvalues| below a hundredth of the largest, mean over the converged runs",
    expected="more than half",
    threshold=above(0.5, "'most'", known=True),
    figure="fig05",
    reads=END,
)
def vqc_mostly_zero(data: ClaimData) -> Measurement:
    ends = _ends(data)
    zeros = [np.abs(eigvals) < NEGLIGIBLE * eigvals.max() for eigvals, _ in ends]
    shares = [zero.mean() for zero in zeros]
    structural = np.mean([flags.mean() for _, flags in ends]) if ends else math.nan
    of_curvature = np.mean([zero[~flags].mean() for zero, (_, flags) in zip(zeros, ends, strict=True)]) if ends else 0
    caveat = ""
    if ends and of_curvature <= 0.5 < np.mean(shares):
        caveat = "Only with those that the architecture makes zero: of the others at most half are."
    remark = f"Structural zeros are {structural:.2f} of all eigenvalues; of the others {of_curvature:.2f} are zero. "
    return over_seeds(shares, caveat=caveat, remark=(remark if ends else "") + _converged(data, len(ends)))


@claim(
    section="V, Fig. 6",
    statement="Along an eigenvector of eigenvalue 0 the loss stays flat for small displacements.",
    measures="the largest change of the loss within 0.1 rad along the scanned eigenvector of smallest |eigenvalue| "
    "that is no structural zero, divided by that along the one of largest eigenvalue, median over the runs",
    expected="0",
    threshold=at_most(NEGLIGIBLE, "a hundredth of the steepest curve: what Fig. 6 can show"),
    figure="fig06",
    reads=CURVES,
)
def scan_zero_flat(data: ClaimData) -> Measurement:
    ratios, eigvals, structural = [], [], []
    for _, run in data.rows("scans").groupby("seed"):
        curves = sorted((curve for _, curve in run.groupby("position")), key=_eigval)
        steepest = _change(curves[-1], 0.1)
        curved = [curve for curve in curves if not curve["structural"].iloc[0]]
        flattest = min(curved, key=lambda curve: abs(_eigval(curve)))
        ratios.append(_change(flattest, 0.1) / steepest)
        eigvals.append(abs(_eigval(flattest)) / _eigval(curves[-1]))
        structural += [_change(curve, np.pi) / steepest for curve in curves if curve["structural"].iloc[0]]
    remark = f"The eigenvalue there is at most {max(eigvals):.1g} of the largest."
    if structural:
        remark += f" Along structural zeros the loss changes by at most {max(structural):.1g} of that, within pi."
    return over_seeds(ratios, np.median, remark=remark)


@claim(
    section="V, Fig. 6",
    statement="The larger the eigenvalue, the steeper the loss along its eigenvector.",
    measures="the share of pairs of scanned eigenvectors of which the one with the larger eigenvalue has the larger "
    "mean rise of the loss within 1 rad, mean over the runs",
    expected="1",
    threshold=at_least(0.9, "a rule, up to one pair in ten; without any relation it would be a half"),
    figure="fig06",
    reads=CURVES,
)
def scan_order(data: ClaimData) -> Measurement:
    shares = []
    for _, run in data.rows("scans").groupby("seed"):
        curves = sorted((_eigval(curve), _rise(curve, 1.0)) for _, curve in run.groupby("position"))
        apart = NEGLIGIBLE * curves[-1][0]
        pairs = [a < b for j, (high, b) in enumerate(curves) for low, a in curves[:j] if high - low > apart]
        shares.append(np.mean(pairs))
    return over_seeds(shares)


def _eigval(curve: Any) -> float:
    return float(curve["eigval"].iloc[0])


def _change(curve: Any, radius: float) -> float:
    return float(np.max(np.abs(_rises(curve, radius))))


def _rise(curve: Any, radius: float) -> float:
    return float(np.mean(_rises(curve, radius)))


def _rises(curve: Any, radius: float) -> Array:
    """Loss less that at the centre, within a radius."""
    t, loss = (curve[name].to_numpy() for name in ("t", "loss"))
    distance = np.abs(t)
    reach = max(radius, float(np.min(distance[distance > 1e-9])))  # at least the points next to the centre
    # 1e-9 rad: the ends count, and the centre is the centre, whatever their rounding
    return np.asarray(loss[distance <= reach + 1e-9] - loss[np.argmin(distance)])
