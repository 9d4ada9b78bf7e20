"""Claims about the toy model, on tables whose verdict is known, both ways."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from claim_data import STUDY, rows, verdict_of

from vqc_landscape.claims import toy
from vqc_landscape.claims.claim import Claim

# what Fig. 2 shows with 2 qubits and 4 layers: six zeros everywhere, from repeated layers
BARREN, SADDLE, OTHER_SADDLE, MINIMUM = (
    [0.0] * 6 + pair for pair in ([0.0, 0.0], [-1.0, 0.3], [-0.2, 0.9], [2.0, 2.0])
)


def points(*eigvals: list[float], grad_norms: list[float] | None = None) -> pd.DataFrame:
    """Marked points, the loss falling from 1 to 0."""
    n = len(eigvals)
    loss, norms = np.linspace(1, 0, n), grad_norms or [0.0] * n
    return rows("toy_global", 0, label=list("abcdefgh"[:n]), loss=loss, grad_norm=norms, eigvals=list(eigvals))


def marked(claim: Claim, *eigvals: list[float], grad_norms: list[float] | None = None) -> tuple[str | None, str]:
    found = verdict_of(claim, ["toy_global"], landscapes=[points(*eigvals, grad_norms=grad_norms)])
    return found.verdict, found.explanation


def test_a_barren_point() -> None:
    assert marked(toy.toy_barren, BARREN, SADDLE)[0] == "reproduced"
    assert marked(toy.toy_barren, [1e-3, *BARREN[1:]], SADDLE)[0] == "not_reproduced"


def test_saddles_on_the_way_down() -> None:
    verdict, explanation = marked(toy.toy_saddles, BARREN, SADDLE, OTHER_SADDLE, MINIMUM)
    assert verdict == "with_caveat" and "6 of the 8 eigenvalues are 0 at every point" in explanation
    assert marked(toy.toy_saddles, BARREN, SADDLE, MINIMUM, MINIMUM)[0] == "not_reproduced"  # c) has one sign only
    full = [-1.0, -1.0, -1.0, 1.0, 1.0, 0.0, 0.0, 0.0]  # both signs, no bulk at 0
    assert marked(toy.toy_saddles, BARREN, full, MINIMUM)[0] == "not_reproduced"


def test_zeros_that_one_layer_would_have_are_no_caveat() -> None:
    one_layer = {"toy_global": STUDY.experiments["toy_sizes"]}
    found = verdict_of(toy.toy_degenerate, one_layer, landscapes=[points([-1.0, 1.0], [0.0, 1.0])])
    assert found.verdict == "reproduced"


def test_the_minimum_has_no_negative_eigenvalue_and_no_gradient() -> None:
    assert marked(toy.toy_minimum, BARREN, MINIMUM)[0] == "reproduced"
    assert marked(toy.toy_minimum, BARREN, SADDLE)[0] == "not_reproduced"
    assert marked(toy.toy_minimum, BARREN, MINIMUM, grad_norms=[0.0, 1e-6])[0] == "not_reproduced"


def test_many_zeros_at_the_minimum() -> None:
    assert marked(toy.toy_degenerate, BARREN, MINIMUM)[0] == "with_caveat"
    assert marked(toy.toy_degenerate, BARREN, [2.0] * 8)[0] == "not_reproduced"


def test_the_local_hessian_vanishes_somewhere_or_not() -> None:
    assert marked(toy.local_never_flat, SADDLE, MINIMUM)[0] == "reproduced"
    verdict, explanation = marked(toy.local_never_flat, SADDLE, BARREN, MINIMUM, grad_norms=[0.0, 0.5, 0.0])
    assert verdict == "not_reproduced" and "norm is 0.5" in explanation and "point b)" in explanation
    assert marked(toy.local_never_flat, SADDLE, BARREN)[1] == ""  # a barren point: gradient and Hessian both vanish


def test_points_without_a_hessian_are_left_out() -> None:
    table = points(BARREN, MINIMUM)
    table.at[1, "eigvals"] = None
    assert verdict_of(toy.toy_barren, ["toy_global"], landscapes=[table]).verdict == "reproduced"


# --- sizes ------------------------------------------------------------------------------------------------


def starts(name: str, curvature: Callable[[int, float], float], n_starts: int = 40) -> pd.DataFrame:
    """Starts of 2, 6 and 12 qubits; ``curvature(n_qubits, u)`` with u uniform on (0, 1) is the largest |eigenvalue|."""
    uniform = (np.arange(n_starts) + 0.5) / n_starts
    sizes = [(n, init, [-curvature(n, u), 0.0]) for n in (2, 6, 12) for init, u in enumerate(uniform)]
    n_qubits, init, eigvals = zip(*sizes, strict=True)
    ones = np.ones(len(sizes), dtype=int)
    return rows(name, 0, n_qubits=n_qubits, n_layers=ones, init=init, eigvals=eigvals, quantum_fisher=1.0 * ones)


def test_an_amplitude_that_no_size_changes() -> None:
    experiments = ["toy_gorge", "toy_sizes"]
    same, falling = (lambda n, u: 0.5), (lambda n, u: 0.5**n)
    for gorge, anywhere, verdict in (
        (same, same, "reproduced"),
        (same, falling, "with_caveat"),
        (falling, falling, "not_reproduced"),
    ):
        tables = [starts("toy_gorge", gorge), starts("toy_sizes", anywhere)]
        assert verdict_of(toy.toy_gorge, experiments, starts=tables).verdict == verdict
        assert verdict_of(toy.toy_gorge, experiments[::-1], starts=tables).verdict == verdict


def test_flat_starts_become_more_likely_or_not() -> None:
    def share_of_flat(share: Callable[[int], float]) -> pd.DataFrame:
        return starts("toy_sizes", lambda n, u: 0.01 if u < share(n) else 0.3)

    found = verdict_of(toy.toy_flat_init, ["toy_sizes"], starts=[share_of_flat(lambda n: n / 12)])
    assert found.verdict == "reproduced" and found.measured == pytest.approx(1 - 1 / 6, abs=0.03)  # one start of 40
    assert (
        verdict_of(toy.toy_flat_init, ["toy_sizes"], starts=[share_of_flat(lambda n: 1 / n)]).verdict
        == "not_reproduced"
    )
    assert (
        verdict_of(toy.toy_flat_init, ["toy_sizes"], starts=[share_of_flat(lambda n: 0.5)]).verdict == "not_reproduced"
    )
    others = starts("toy_sizes", lambda n, u: 0.01 if (u < 0.5) == (n == 2) else 0.3)  # as many, but other ones
    assert verdict_of(toy.toy_flat_init, ["toy_sizes"], starts=[others]).verdict == "depends_on_seed"


def test_flat_starts_of_two_sizes_are_drawn_together() -> None:
    """Six of 40 starts are flat with the most qubits alone: drawn together that is a rise, drawn apart chance."""
    share = {2: 0.5, 6: 0.5, 12: 0.65}
    found = verdict_of(
        toy.toy_flat_init, ["toy_sizes"], starts=[starts("toy_sizes", lambda n, u: 0.01 if u < share[n] else 0.3)]
    )
    assert found.verdict == "reproduced" and found.measured == pytest.approx(0.15)


# --- the valley -------------------------------------------------------------------------------------------


def plane(loss: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> pd.DataFrame:
    a, b = (x.ravel() for x in np.meshgrid(np.linspace(-math.pi, math.pi, 13), np.linspace(-math.pi, math.pi, 13)))
    return rows("toy_plus", 0, label=[None] * a.size, a=a, b=b, loss=loss(a, b))


def test_a_valley_along_the_antidiagonal() -> None:
    def verdict(loss: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> str | None:
        return verdict_of(toy.plus_valley, ["toy_plus"], landscapes=[plane(loss)]).verdict

    assert verdict(lambda a, b: 1 - np.abs(np.cos(a + b)) / 4) == "reproduced"
    assert verdict(lambda a, b: 0.75 + 1e-16 * np.sin(a)) == "not_reproduced"
    assert verdict(lambda a, b: 1 - np.abs(np.cos(a - b)) / 4) == "not_reproduced"  # the other diagonal
