"""What is counted: parameters, and the circuit runs of Hessian and metric tensor (Secs. IV, VI, VII)."""

from __future__ import annotations

from vqc_landscape.claims.claim import Measurement, above, at_most, between, claim, without_seeds
from vqc_landscape.claims.data import ClaimData

PARAMETERS = {"circuit": 192, "network": 200}


@claim(
    section="VI",
    statement="The QNN has 192 parameters and the FFNN has 200.",
    measures="the largest difference from these numbers",
    expected="0",
    threshold=between(0, 0, "a count", known=True),
    figure="fig09",
    reads={"spectra": ("epoch", "structural")},
)
def parameter_counts(data: ClaimData) -> Measurement:
    differences, effective = [], []
    for name, experiment in data.experiments.items():
        rows = data.rows("spectra", name, seed=experiment.seeds[0], epoch=0)
        differences.append(abs(len(rows) - PARAMETERS["circuit" if experiment.circuit else "network"]))
        effective.append(f"{int((~rows['structural'].astype(bool)).sum())} of {len(rows)} ({name})")
    return without_seeds(max(differences), remark=f"The loss depends on fewer combinations: {', '.join(effective)}.")


@claim(
    section="IV",
    statement="The parameter-shift rule, applied twice, gives the Hessian.",
    measures="the largest difference between its Hessian and the exact one of tangent propagation, in units of the "
    "largest entry",
    expected="0",
    threshold=at_most(1e-12, "round-off of some thousand numbers of order one", known=True),
    figure="hessian_cost",
    reads={"shift_rule": ("n_params", "hessian_runs", "error")},
)
def shift_rule(data: ClaimData) -> Measurement:
    table = data.rows("shift_rule")
    return without_seeds(float(table["error"].max()))


@claim(
    section="VII",
    statement="The full Hessian costs more than the metric tensor.",
    measures="circuit runs for the Hessian by the double shift rule, divided by those for the block-diagonal metric "
    "tensor, at the largest number of parameters",
    expected="above 1",
    threshold=above(1, "'costs more'", known=True),
    figure="hessian_cost",
    reads={"shift_rule": ("n_params", "hessian_runs", "metric_block_runs", "metric_full_runs")},
)
def hessian_costlier(data: ClaimData) -> Measurement:
    largest = data.rows("shift_rule").sort_values("n_params").iloc[-1]
    hessian, block, full = (int(largest[f"{name}_runs"]) for name in ("hessian", "metric_block", "metric_full"))
    remark = (
        f"{largest['n_params']} parameters: {hessian} runs for the Hessian, {block} for the block-diagonal metric, "
        f"{full} for the full one (by Hadamard tests with one more qubit and controlled gates; by the shift rule on "
        "overlaps it takes as many runs as the Hessian). Times are in results/timings."
    )
    return without_seeds(hessian / block, remark=remark)
