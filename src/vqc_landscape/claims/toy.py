"""The toy model: RX rotations on a product state (Sec. III, Figs. 2-4)."""

from __future__ import annotations

from typing import Any

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.claims.claim import Measurement, above, at_least, at_most, claim, over_seeds, without_seeds
from vqc_landscape.claims.data import ClaimData
from vqc_landscape.claims.definitions import FLAT, by_size, is_flat, rise
from vqc_landscape.config import Experiment

ZERO = 1e-12  # magnitude up to which an eigenvalue counts as zero, as in the spectra
AS_ZERO = "the magnitude up to which this project counts an eigenvalue as zero"
POINTS = {"landscapes": ("label", "loss", "grad_norm", "eigvals")}
SIZES = {"starts": ("n_qubits", "n_layers", "init", "eigvals", "quantum_fisher")}


@claim(
    section="III, Fig. 2a",
    statement="There is a point of the global loss at which every eigenvalue of the Hessian is 0.",
    measures="the smallest, over the marked points, of the largest |eigenvalue|",
    expected="0 at point a)",
    threshold=at_most(ZERO, AS_ZERO, known=True),
    figure="fig02",
    reads=POINTS,
)
def toy_barren(data: ClaimData) -> Measurement:
    return without_seeds(min(np.max(np.abs(eigvals)) for eigvals in _points(data)["eigvals"]))


@claim(
    section="III, Fig. 2b, c",
    statement="On the way down some eigenvalues are negative, some positive, and the bulk is 0.",
    measures="the share of the marked points between barren point and minimum with eigenvalues of both signs and more "
    "than half of them 0",
    expected="1, both points",
    threshold=at_least(1, "the paper says it of both points", known=True),
    figure="fig02",
    reads=POINTS,
)
def toy_saddles(data: ClaimData) -> Measurement:
    points = _points(data).sort_values("loss")
    between = points["eigvals"].iloc[1:-1]
    signs = [np.sign(np.where(np.abs(eigvals) > ZERO, eigvals, 0)) for eigvals in between]
    found = [np.any(s < 0) and np.any(s > 0) and np.mean(s == 0) > 0.5 for s in signs]
    return without_seeds(float(np.mean(found)), caveat=_repeated_layers(data))


@claim(
    section="III, Fig. 2d",
    statement="At the minimum no eigenvalue is negative and the gradient is 0.",
    measures="at the marked point of lowest loss: the norm of the gradient, or minus the smallest eigenvalue if that "
    "is larger",
    expected="0",
    threshold=at_most(ZERO, AS_ZERO, known=True),
    figure="fig02",
    reads=POINTS,
)
def toy_minimum(data: ClaimData) -> Measurement:
    lowest = _points(data).sort_values("loss").iloc[0]
    return without_seeds(max(lowest["grad_norm"], -float(np.min(lowest["eigvals"]))))


@claim(
    section="III, Fig. 2d",
    statement="At the minimum many eigenvalues are 0.",
    measures="the share of eigenvalues that are 0 at the marked point of lowest loss",
    expected="many: at least half",
    threshold=at_least(0.5, "'many' read as half of them or more", known=True),
    figure="fig02",
    reads=POINTS,
)
def toy_degenerate(data: ClaimData) -> Measurement:
    eigvals = _points(data).sort_values("loss").iloc[0]["eigvals"]
    return without_seeds(float(np.mean(np.abs(eigvals) <= ZERO)), caveat=_repeated_layers(data))


def _points(data: ClaimData) -> Any:
    """The marked points that have a Hessian."""
    return data.rows("landscapes").dropna(subset=["label", "eigvals"])


def _repeated_layers(data: ClaimData) -> str:
    """Says so if the zeros are those that repeated layers give at every point, N (L - 1) of them."""
    circuit = data.experiments[data.first].circuit
    assert circuit is not None
    repeated = circuit.n_qubits * (circuit.n_layers - 1)
    fewest = min(int(np.sum(np.abs(eigvals) <= ZERO)) for eigvals in _points(data)["eigvals"])
    if not repeated or fewest < repeated:
        return ""
    return (
        f"Only because layers repeat: the angles of one qubit add up, so that {repeated} of the "
        f"{circuit.n_qubits * circuit.n_layers} eigenvalues are 0 at every point; a single layer has none of these."
    )


def _near_minimum(experiment: Experiment) -> bool:
    return experiment.init.distribution == "normal"  # around 0, where the loss of the target |0...0> is least


def _anywhere(experiment: Experiment) -> bool:
    return experiment.init.distribution == "uniform"


@claim(
    section="III",
    statement="The amplitude of the eigenvalues does not depend on the number of qubits.",
    measures="near the minimum (0.01 rad), the largest eigenvalue's maximum over the numbers of qubits divided by its "
    "minimum, one layer, median over the starts",
    expected="1",
    threshold=at_most(1.01, "no dependence, but for 1 %: the curvature changes by n (0.01)^2 over the distance"),
    figure="flat_starts",
    reads=SIZES,
    needs={"init.distribution normal (the gorge)": _near_minimum, "init.distribution uniform": _anywhere},
)
def toy_gorge(data: ClaimData) -> Measurement:
    names = [data.which(wanted)[0] for wanted in (_near_minimum, _anywhere)]
    gorge, anywhere = (_largest(by_size(data.rows("starts", name))) for name in names)
    typical = np.median(anywhere, axis=1)
    caveat = ""
    if typical[-1] < FLAT * typical[0]:
        caveat = (
            f"Only in the gorge: at random points the largest |eigenvalue| falls by a factor "
            f"{typical[0] / typical[-1]:.2g}"
            " from the fewest to the most qubits (median)."
        )
    return over_seeds(np.max(gorge, axis=0) / np.min(gorge, axis=0), np.median, caveat=caveat)


def _largest(sizes: dict[tuple[int, int], Any]) -> Array:
    """Largest |eigenvalue| by size and start."""
    return np.array([[np.max(np.abs(eigvals)) for eigvals in rows["eigvals"]] for rows in sizes.values()])


@claim(
    section="III",
    statement="The more qubits, the more likely a random initial point is flat.",
    measures="the rise, from the fewest to the most qubits, of the share of flat starts (every |eigenvalue| below a "
    "tenth of the largest eigenvalue at a minimum), one layer",
    expected="above 0",
    threshold=above(0, "'more likely' against the null model that the number of qubits does not matter", known=True),
    figure="flat_starts",
    reads=SIZES,
)
def toy_flat_init(data: ClaimData) -> Measurement:
    sizes = {n: is_flat(rows) for (n, _), rows in by_size(data.rows("starts")).items()}
    shares = ", ".join(f"{n}: {flat.mean():.2f}" for n, flat in sizes.items())
    few, *_, many = sizes.values()
    return Measurement((few, many), rise, draws=(0, 0), remark=f"Share of flat starts by number of qubits: {shares}.")


@claim(
    section="III, Fig. 3",
    statement="For the local loss there is no point where the Hessian vanishes.",
    measures="the smallest, over the marked points, of the largest |eigenvalue|",
    expected="above 0 everywhere",
    threshold=above(ZERO, AS_ZERO, known=True),
    figure="fig03",
    reads=POINTS,
)
def local_never_flat(data: ClaimData) -> Measurement:
    points = _points(data)
    largest = [float(np.max(np.abs(eigvals))) for eigvals in points["eigvals"]]
    flattest = int(np.argmin(largest))
    point, together = points.iloc[flattest], max(largest[flattest], points.iloc[flattest]["grad_norm"])
    remark = ""
    if largest[flattest] <= ZERO < together:
        remark = (
            f"The Hessian is diag(cos theta_i) / (2N) and vanishes at theta_i = +-pi/2, point {point['label']}); but "
            f"the gradient does not, its norm is {point['grad_norm']:.3g}. What is true: the two never vanish "
            "together."
        )
    return without_seeds(largest[flattest], remark=remark)


@claim(
    section="III, Fig. 4",
    statement="For the target |+...+> there is a stable valley at high loss, with a zero mode along (theta_1, "
    "-theta_2).",
    measures="how much the loss differs between the lines theta_1 + theta_2 = const of the plane, less how much it "
    "varies along one of them",
    expected="above 0",
    threshold=above(ZERO, "a valley along these lines, against a flat plane; 1e-12 is far above round-off", known=True),
    figure="fig04",
    reads={"landscapes": ("label", "a", "b", "loss")},
)
def plus_valley(data: ClaimData) -> Measurement:
    table = data.rows("landscapes")
    grid = table[table["label"].isna()]
    lines = grid["loss"].groupby((grid["a"] + grid["b"]).round(9))
    means, spread = lines.mean(), lines.max() - lines.min()
    remark = f"The loss on the plane lies between {grid['loss'].min():.4g} and {grid['loss'].max():.4g}."
    if means.max() - means.min() <= ZERO:
        remark += " |+> is an eigenvector of X, so that RX changes it by a phase only: the loss is 1 - 2^-n everywhere."
    return without_seeds(float(means.max() - means.min() - spread.max()), remark=remark)
