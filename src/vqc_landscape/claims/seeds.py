"""Spectra of trained classifiers over many initial points: the QNN and classical networks (Sec. VI, Figs. 9, 10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.claims.claim import Measurement, at_least, at_most, between, claim, over_seeds
from vqc_landscape.claims.data import CIRCUIT, NETWORK, ClaimData, has_circuit, has_network

if TYPE_CHECKING:
    import pandas as pd

SPECTRA = {"ensembles": ("activation", "initialiser", "epoch", "eigvals", "n_structural")}
FIGURE = "spectra_over_seeds"
BULK = 0.01  # of the largest |eigenvalue|: below it an eigenvalue counts to the bulk at 0. Chosen by us.
OUTLIER = 0.1  # of the largest eigenvalue: above it an eigenvalue counts as an outlier. Chosen by us.

SIGNS = between(
    0.4, 0.6, "null model: about 100 eigenvalues of random sign have a share of 1/2 with 95 % between these ends"
)
VANISHED = at_most(
    0.05,
    "chosen by us: a twentieth of the largest eigenvalue is less than a bar of a histogram of the spectrum",
    known=True,
)


def share_positive(eigvals: Array) -> float:
    """Share of the positive ones among the eigenvalues outside of the bulk."""
    outside = eigvals[np.abs(eigvals) > BULK * np.abs(eigvals).max(initial=0.0)]
    return float(np.mean(outside > 0))


def negative_end(eigvals: Array) -> float:
    """Magnitude of the smallest eigenvalue, if it is negative, relative to the largest."""
    return max(-float(eigvals[0]), 0.0) / float(eigvals[-1])


def amplitude(eigvals: Array) -> float:
    return float(np.abs(eigvals).max())


def n_outliers(eigvals: Array) -> float:
    return float(np.sum(eigvals > OUTLIER * eigvals[-1]))


def effective_number(eigvals: Array) -> float:
    """(sum of the positive eigenvalues)^2 / sum of their squares: n equal ones give n, a single outlier gives 1."""
    positive = eigvals[eigvals > 0]
    return float(positive.sum() ** 2 / (positive**2).sum())


def of_circuit(data: ClaimData, epoch: int, number: Callable[[Array], float]) -> Array:
    """A number of each seed's spectrum, for the experiment with a circuit."""
    return _per_seed(data.rows("ensembles", data.which(has_circuit)[0], epoch=epoch), number)


def of_networks(data: ClaimData, epoch: int, number: Callable[[Array], float]) -> dict[str, Array]:
    """A number of each seed's spectrum, for every network, activation and initialiser.

    Only the seeds that all of the networks have, so that the entries of all arrays belong together.

    Raises:
        ValueError: there are none.
    """
    networks = data.which(has_network)
    shared = set.intersection(*(set(data.experiments[name].seeds) for name in networks))
    if not shared:
        raise ValueError(f"The networks {', '.join(networks)} have no seed in common.")
    found = {}
    for name in networks:
        rows = data.rows("ensembles", name, epoch=epoch)
        rows = rows[rows["seed"].isin(shared)]
        for (activation, initialiser), own in rows.groupby(["activation", "initialiser"]):
            found[f"{name}, {activation}, {initialiser}"] = _per_seed(own, number)
    return found


def _per_seed(rows: pd.DataFrame, number: Callable[[Array], float]) -> Array:
    return np.array([number(np.asarray(eigvals)) for eigvals in rows.sort_values("seed")["eigvals"]])


def _mean_of_kinds(kinds: dict[str, Array]) -> Array:
    """One number per seed: the mean over the kinds of network."""
    return np.asarray(np.mean(list(kinds.values()), axis=0), dtype=np.float64)


def _range_of_kinds(kinds: dict[str, Array], statistic: Callable[..., Any] = np.mean) -> str:
    numbers = {kind: float(statistic(values)) for kind, values in kinds.items()}
    low, high = min(numbers, key=numbers.__getitem__), max(numbers, key=numbers.__getitem__)
    return (
        f"Over {len(numbers)} kinds of network from {numbers[low]:.3g} ({low}) to {numbers[high]:.3g} ({high})."
        if len(numbers) > 1
        else ""
    )


def _spread(amplitudes: Array, axis: int = -1) -> Any:
    """Standard deviation of the logarithm, a relative spread: 0.1 is about 10 %."""
    return np.std(np.log(amplitudes), axis=axis, ddof=1)


# --- before the training ------------------------------------------------------------------------------------


def _symmetric(data: ClaimData, shares: Array, names: list[str], remark: str = "") -> Measurement:
    rows = data.tables["ensembles"]
    rows = rows[rows["experiment"].isin(names) & (rows["epoch"] == 0)]
    eigvals = [np.asarray(values) for values in rows["eigvals"]]
    bulk = float(np.mean([np.mean(np.abs(v) <= BULK * np.abs(v).max()) for v in eigvals]))
    ends = float(np.median([-v[0] / v[-1] for v in eigvals]))
    n_params = [len(v) + n for v, n in zip(eigvals, rows["n_structural"], strict=True)]
    structural = float(np.mean(rows["n_structural"] / n_params))
    caveats = []
    if ends < 0.5:
        caveats.append(f"In number only: the smallest eigenvalue has {ends:.2g} times the magnitude of the largest.")
    if bulk < 0.5:
        caveats.append(
            f"{structural:.0%} of all eigenvalues are structural zeros, 0 at every point; only {bulk:.0%} of the "
            "others lie within 1 % of the largest."
        )
    return over_seeds(shares, caveat=" ".join(caveats), remark=remark)


@claim(
    section="VI, Fig. 9a",
    statement="At a random start of the QNN positive and negative eigenvalues are equally likely, and the bulk is 0.",
    measures="share of the positive ones among the eigenvalues beyond 1 % of the largest magnitude; mean over seeds",
    expected="1/2",
    threshold=SIGNS,
    figure=FIGURE,
    reads=SPECTRA,
    needs=CIRCUIT,
)
def qnn_init_symmetric(data: ClaimData) -> Measurement:
    return _symmetric(data, of_circuit(data, 0, share_positive), data.which(has_circuit)[:1])


@claim(
    section="VI",
    statement="At a random start of the FFNN, too, both signs of the eigenvalues are equally likely, the bulk is 0.",
    measures="as for qnn-init-symmetric; per seed the mean over networks, activations and initialisers",
    expected="1/2",
    threshold=SIGNS,
    figure=FIGURE,
    reads=SPECTRA,
    needs=NETWORK,
)
def ffnn_init_symmetric(data: ClaimData) -> Measurement:
    kinds = of_networks(data, 0, share_positive)
    return _symmetric(data, _mean_of_kinds(kinds), data.which(has_network), _range_of_kinds(kinds))


@claim(
    section="VI, Figs. 9, 10",
    statement="At the start the eigenvalues of the FFNN are almost ten times smaller than those of the QNN.",
    measures="largest |eigenvalue| at the start, FFNN over QNN: ratio of the geometric means over seeds (FFNN: over "
    "three networks of about 200 parameters with three activations and four initialisers)",
    expected="a little more than 0.1",
    threshold=at_most(10**-0.5, "on a logarithmic scale nearer to ten times smaller than to equal", known=True),
    figure=FIGURE,
    reads=SPECTRA,
    needs=CIRCUIT | NETWORK,
)
def ffnn_init_small(data: ClaimData) -> Measurement:
    circuit, kinds = of_circuit(data, 0, amplitude), of_networks(data, 0, amplitude)
    networks = np.exp(_mean_of_kinds({kind: np.log(values) for kind, values in kinds.items()}))

    def ratio(network: Array, qnn: Array, axis: int) -> Any:
        return np.exp(np.mean(np.log(network), axis) - np.mean(np.log(qnn), axis))

    ratios = {kind: values / np.exp(np.mean(np.log(circuit))) for kind, values in kinds.items()}
    small = sum(float(np.median(values)) <= 10**-0.5 for values in ratios.values())
    remark = f"{_range_of_kinds(ratios, np.median)} At or below the threshold: {small} of {len(ratios)}."
    return Measurement((networks, circuit), ratio, remark=remark)


@claim(
    section="VI",
    statement="The spectra of random FFNNs fluctuate strongly from one start to the next, those of the QNN do not.",
    measures="standard deviation over seeds of the logarithm of the largest |eigenvalue| at the start, mean over the "
    "kinds of network, divided by the QNN's",
    expected="well above 1",
    threshold=at_least(2, "strong against none: at least twice the relative spread"),
    figure=FIGURE,
    reads=SPECTRA,
    needs=CIRCUIT | NETWORK,
)
def ffnn_fluctuates(data: ClaimData) -> Measurement:
    circuit, kinds = of_circuit(data, 0, amplitude), of_networks(data, 0, amplitude)

    def ratio(qnn: Array, *networks: Array, axis: int) -> Any:
        return np.mean([_spread(network, axis) for network in networks], axis=0) / _spread(qnn, axis)

    remark = f"Spread of the QNN {_spread(circuit):.2g}. {_range_of_kinds(kinds, _spread)}"
    # one seed starts all networks from the same random numbers, the QNN from others
    draws = (0, *(1 for _ in kinds))
    return Measurement((circuit, *kinds.values()), ratio, draws=draws, remark=remark)


@claim(
    section="VI",
    statement="This fluctuation disappears for larger FFNNs.",
    measures="standard deviation over seeds of the logarithm of the largest |eigenvalue| at the start: about 1000 "
    "parameters over 200, with the same activation and initialiser",
    expected="well below 1",
    threshold=at_most(0.5, "to disappear, it must at least halve"),
    figure=FIGURE,
    reads=SPECTRA,
    needs=NETWORK,
)
def ffnn_overparam_calms(data: ClaimData) -> Measurement:
    networks = data.experiments
    names = sorted(data.which(has_network), key=lambda name: networks[name].n_params)
    small = networks[names[0]]
    large = [
        name
        for name in names
        if networks[name].n_params > small.n_params and set(networks[name].seeds) >= set(small.seeds)
    ]
    if not large:
        raise ValueError(
            f"Claim ffnn-overparam-calms needs a network that is larger than {names[0]} and has its seeds; "
            f"it was given {', '.join(names)}."
        )
    rows = {name: _own_kind(data, name) for name in names}
    amplitudes = {name: _per_seed(own, amplitude) for name, own in rows.items()}
    spreads = [
        f"{_spread(values):.2g} with {networks[name].n_params} parameters ({len(values)} seeds)"
        for name, values in amplitudes.items()
    ]
    shared = rows[large[-1]]["seed"].isin(small.seeds)

    def ratio(many: Array, few: Array, axis: int) -> Any:
        return _spread(many, axis) / _spread(few, axis)

    samples = (_per_seed(rows[large[-1]][shared], amplitude), amplitudes[names[0]])
    return Measurement(samples, ratio, draws=(0, 0), remark=f"Relative spread {', '.join(spreads)}.")


def _own_kind(data: ClaimData, name: str) -> pd.DataFrame:
    """Rows at the start of the networks with the experiment's own activation and initialiser."""
    network, rows = data.experiments[name].network, data.rows("ensembles", name, epoch=0)
    assert network is not None
    own: pd.DataFrame = rows[(rows["activation"] == network.activation) & (rows["initialiser"] == network.initialiser)]
    return own


# --- after the training -------------------------------------------------------------------------------------


@claim(
    section="VI, Fig. 9b",
    statement="After the training the QNN's negative eigenvalues have disappeared.",
    measures="magnitude of the smallest eigenvalue over the largest, after the training; mean over seeds",
    expected="0",
    threshold=VANISHED,
    figure=FIGURE,
    reads=SPECTRA,
    needs=CIRCUIT,
)
def qnn_negatives_vanish(data: ClaimData) -> Measurement:
    last = data.last_epoch()
    before, after = (float(np.mean(of_circuit(data, epoch, negative_end))) for epoch in (0, last))
    left = float(np.mean(of_circuit(data, last, lambda v: float(np.sum(v < -BULK * v[-1])))))
    remark = (
        f"Before the training {before:.2g}, after it {after:.2g}; on average {left:.2g} eigenvalues lie below -1 %."
    )
    return over_seeds(of_circuit(data, last, negative_end), remark=remark)


@claim(
    section="VI, Fig. 10",
    statement="After the training the FFNN's negative eigenvalues have disappeared.",
    measures="magnitude of the smallest eigenvalue over the largest, after the training; per seed the mean over the "
    "kinds of network",
    expected="0",
    threshold=VANISHED,
    figure=FIGURE,
    reads=SPECTRA,
    needs=NETWORK,
)
def ffnn_negatives_vanish(data: ClaimData) -> Measurement:
    kinds = of_networks(data, data.last_epoch(), negative_end)
    return over_seeds(_mean_of_kinds(kinds), remark=_range_of_kinds(kinds))


@claim(
    section="VI",
    statement="After the training the FFNN has a few large positive eigenvalues, about as many as there are classes.",
    measures="number of eigenvalues above 10 % of the largest, after the training; per seed the mean over the kinds of "
    "network",
    expected="2",
    threshold=between(
        2 * 10**-0.5, 2 * 10**0.5, "the order of 2 classes: nearer to 2 than to 20 or 0.2 on a logarithmic scale"
    ),
    figure=FIGURE,
    reads=SPECTRA,
    needs=NETWORK,
)
def ffnn_few_outliers(data: ClaimData) -> Measurement:
    kinds = of_networks(data, data.last_epoch(), n_outliers)
    return over_seeds(_mean_of_kinds(kinds), remark=_range_of_kinds(kinds))


@claim(
    section="VI",
    statement="After the training the QNN keeps a tail of positive eigenvalues that is less steep than the FFNN's.",
    measures="effective number of positive eigenvalues, (sum)^2 / sum of squares, after the training: QNN over FFNN "
    "(per seed the mean over the kinds of network)",
    expected="above 1",
    threshold=at_least(1, "the paper's own comparison: less steep means more eigenvalues of comparable size"),
    figure=FIGURE,
    reads=SPECTRA,
    needs=CIRCUIT | NETWORK,
)
def qnn_long_tail(data: ClaimData) -> Measurement:
    last = data.last_epoch()
    circuit, kinds = of_circuit(data, last, effective_number), of_networks(data, last, effective_number)

    def ratio(qnn: Array, network: Array, axis: int) -> Any:
        return np.mean(qnn, axis) / np.mean(network, axis)

    remark = f"The QNN has {np.mean(circuit):.3g}. {_range_of_kinds(kinds)}"
    return Measurement((circuit, _mean_of_kinds(kinds)), ratio, remark=remark)


@claim(
    section="VI",
    statement="A QNN that is trained on data does not start on a plateau.",
    measures="fall of the loss in the first epoch over its fall in all epochs, times the number of epochs; mean over "
    "seeds",
    expected="above 1",
    threshold=at_least(1, "null model: on a plateau the first epoch brings less than its even share of the fall"),
    figure=FIGURE,
    reads={"ensembles": ("epoch", "loss", "grad_norm", "eigvals")},
    needs=CIRCUIT,
)
def qnn_no_plateau(data: ClaimData) -> Measurement:
    name = data.which(has_circuit)[0]
    last = data.last_epoch(name)
    rows = {epoch: data.rows("ensembles", name, epoch=epoch).sort_values("seed") for epoch in (0, 1, last)}
    loss = {epoch: own["loss"].to_numpy() for epoch, own in rows.items()}
    norms = rows[0]["grad_norm"]
    amplitudes = of_circuit(data, 0, amplitude)
    remark = (
        f"At the start the norm of the gradient is {norms.min():.2g} to {norms.max():.2g}, the largest |eigenvalue| "
        f"{amplitudes.min():.2g} to {amplitudes.max():.2g}."
    )
    return over_seeds(last * (loss[0] - loss[1]) / (loss[0] - loss[last]), remark=remark)
