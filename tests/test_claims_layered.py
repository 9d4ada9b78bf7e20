"""Claims about the layered circuit and about counts, on tables whose verdict is known, both ways."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from claim_data import STUDY, rows, verdict_of

from vqc_landscape.claims import counts, layered
from vqc_landscape.claims.claim import Claim

SEEDS = STUDY.experiments["layered"].seeds

# --- starts -----------------------------------------------------------------------------------------------


def starts(flat: dict[tuple[int, int], float], n_starts: int = 50) -> pd.DataFrame:
    """Starts of which the given share of each size is flat; the scale of curvature grows with the layers."""
    sizes = [
        (n, layers, init, layers * (0.04 if init < share * n_starts else 0.4))
        for (n, layers), share in flat.items()
        for init in range(n_starts)
    ]
    n_qubits, n_layers, init, largest = zip(*sizes, strict=True)
    return rows(
        "layered_sizes",
        0,
        n_qubits=n_qubits,
        n_layers=n_layers,
        init=init,
        eigvals=[[-value, 0.0, value / 2] for value in largest],
        quantum_fisher=[2.0 * layers for layers in n_layers],
    )


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [
        ({(2, 1): 0.1, (2, 9): 0.4, (8, 1): 0.6, (8, 9): 0.9}, "reproduced"),
        ({(2, 1): 0.4, (2, 9): 0.1, (8, 1): 0.9, (8, 9): 0.6}, "not_reproduced"),  # with the qubits only
        ({(2, 1): 0.4, (2, 9): 0.7, (8, 1): 0.1, (8, 9): 0.4}, "not_reproduced"),  # with the layers only
    ],
)
def test_flat_starts_with_qubits_and_layers(shares: dict[tuple[int, int], float], verdict: str) -> None:
    found = verdict_of(layered.flat_init_depth, ["layered_sizes"], starts=[starts(shares)])
    rises = {"reproduced": 0.3, "not_reproduced": -0.3}
    assert (found.verdict, found.measured) == (verdict, pytest.approx(rises[verdict]))


@pytest.mark.parametrize(("share", "verdict"), [(0.9, "reproduced"), (0.1, "not_reproduced"), (0.5, "depends_on_seed")])
def test_a_flat_start_of_the_four_by_four_circuit(share: float, verdict: str) -> None:
    table = starts({(4, 4): share, (8, 4): 1 - share})
    found = verdict_of(layered.vqc_flat_start, ["layered_sizes"], starts=[table])
    assert (found.verdict, found.measured, found.n_seeds) == (verdict, pytest.approx(share), 50)


# --- the end of the training ------------------------------------------------------------------------------


def ends(eigvals: list[float], structural: list[bool], loss: float = 1e-6) -> dict[str, list[pd.DataFrame]]:
    """The last epoch of 20 runs; one more never converges and looks otherwise."""
    n, tables = len(eigvals), {"spectra": [], "trajectories": []}  # type: ignore[var-annotated]
    for seed in SEEDS:
        odd = seed == SEEDS[-1]
        values = np.linspace(-1, 1, n) if odd else np.array(eigvals)
        tables["spectra"].append(rows("layered", seed, epoch=[15] * n, eigval=values, structural=structural))
        tables["trajectories"].append(rows("layered", seed, epoch=[0, 15], loss=[0.9, 0.5 if odd else loss]))
    return tables


def at_the_end(
    claim: Claim, eigvals: list[float], structural: list[bool], loss: float = 1e-6
) -> tuple[str | None, str]:
    found = verdict_of(claim, ["layered"], **ends(eigvals, structural, loss))
    return found.verdict, found.explanation


def test_no_negative_eigenvalue_after_convergence() -> None:
    flags = [False] * 4
    assert at_the_end(layered.vqc_psd_end, [-1e-5, 0.0, 1.0, 3.0], flags) == (
        "reproduced",
        "19 of 20 runs converged (loss below 0.01).",
    )
    assert at_the_end(layered.vqc_psd_end, [-0.5, 0.0, 1.0, 3.0], flags)[0] == "not_reproduced"


def test_without_a_converged_run_there_is_nothing_to_measure() -> None:
    for claim in (layered.vqc_psd_end, layered.vqc_mostly_zero):
        found = verdict_of(claim, ["layered"], **ends([0.0, 1.0], [False] * 2, loss=0.4))
        assert found.verdict is None and found.explanation.startswith("0 of 20 runs converged")


def test_most_eigenvalues_are_zero_by_curvature_or_by_structure() -> None:
    zeros, none = [0.0, 0.0, 1e-3, 2.0], [False] * 4
    assert at_the_end(layered.vqc_mostly_zero, zeros, none)[0] == "reproduced"
    verdict, explanation = at_the_end(
        layered.vqc_mostly_zero, [0.0, 0.0, 0.0, 1.0, 2.0], [True, True, True, False, False]
    )
    assert verdict == "with_caveat"
    assert "of the others at most half are. Structural zeros are 0.60 of all eigenvalues" in explanation
    assert at_the_end(layered.vqc_mostly_zero, [0.0, 1.0, 1.0, 2.0], none)[0] == "not_reproduced"


# --- scans ------------------------------------------------------------------------------------------------


def scans(curvatures: list[float], eigvals: list[float], structural: bool = False) -> list[pd.DataFrame]:
    """Curves c (1 - cos t) of curvature c, named by the eigenvalues that the table claims."""
    t = np.linspace(-np.pi, np.pi, 61)
    tables = []
    for seed in SEEDS:
        for position, (curvature, eigval) in enumerate(zip(curvatures, eigvals, strict=True)):
            curve = 0.01 + curvature * (1 - np.cos(t))
            flag = structural and eigval == 0
            columns = {"position": position, "eigval": eigval, "structural": flag}
            tables.append(rows("layered", seed, **{k: [v] * 61 for k, v in columns.items()}, t=t, loss=curve))
    return tables


def test_flat_along_a_zero_eigenvector() -> None:
    flat = scans([0.0, 1e-6, 0.5, 2.0], [0.0, 1e-6, 0.5, 2.0], structural=True)
    found = verdict_of(layered.scan_zero_flat, ["layered"], scans=flat)
    assert found.verdict == "reproduced" and found.measured == pytest.approx(5e-7)
    assert "structural zeros the loss changes by at most 0" in found.explanation
    steep = scans([0.0, 0.7, 2.0, 2.0], [0.0, 1e-6, 0.5, 2.0], structural=True)
    found = verdict_of(layered.scan_zero_flat, ["layered"], scans=steep)
    assert found.verdict == "not_reproduced" and found.measured == pytest.approx(0.35)


def test_steeper_along_larger_eigenvalues() -> None:
    eigvals = [-1e-3, 0.0, 0.5, 2.0]  # the first two count as equal
    found = verdict_of(layered.scan_order, ["layered"], scans=scans([0.1, 0.0, 0.5, 2.0], eigvals))
    assert (found.verdict, found.measured) == ("reproduced", 1)
    found = verdict_of(layered.scan_order, ["layered"], scans=scans([2.0, 2.0, 0.0, 0.5], eigvals))
    assert (found.verdict, found.measured) == ("not_reproduced", pytest.approx(1 / 5))


# --- counts -----------------------------------------------------------------------------------------------


def costs(error: float = 1e-15, hessian: tuple[int, int] = (277, 4561)) -> pd.DataFrame:
    return rows(
        "layered_shift_rule",
        0,
        n_params=[12, 48],
        error=[1e-16, error],
        hessian_runs=hessian,
        metric_block_runs=[10, 31],
        metric_full_runs=[74, 1130],
    )


def test_the_shift_rule_gives_the_hessian_or_not() -> None:
    for error, verdict in ((1e-15, "reproduced"), (1e-6, "not_reproduced")):
        assert verdict_of(counts.shift_rule, ["layered_shift_rule"], shift_rule=[costs(error)]).verdict == verdict


def test_the_hessian_takes_more_runs_or_not() -> None:
    more = verdict_of(counts.hessian_costlier, ["layered_shift_rule"], shift_rule=[costs()])
    assert more.verdict == "reproduced" and more.measured == pytest.approx(4561 / 31) and "1130" in more.explanation
    fewer = verdict_of(counts.hessian_costlier, ["layered_shift_rule"], shift_rule=[costs(hessian=(300, 20))])
    assert fewer.verdict == "not_reproduced"  # the largest circuit decides


def test_parameters_are_counted() -> None:
    def spectra(name: str, n: int) -> pd.DataFrame:
        return rows(name, 0, epoch=[0] * n, structural=[True] * 20 + [False] * (n - 20))

    right = verdict_of(counts.parameter_counts, ["qnn", "ffnn"], spectra=[spectra("qnn", 192), spectra("ffnn", 200)])
    assert right.verdict == "reproduced" and "172 of 192 (qnn), 180 of 200 (ffnn)" in right.explanation
    wrong = verdict_of(counts.parameter_counts, ["qnn", "ffnn"], spectra=[spectra("qnn", 192), spectra("ffnn", 177)])
    assert (wrong.verdict, wrong.measured) == ("not_reproduced", 23)
