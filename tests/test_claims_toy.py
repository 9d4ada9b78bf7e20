"""Claims about the toy model, on tables whose verdict is known."""

from __future__ import annotations

from claim_data import rows, verdict_of

from vqc_landscape.claims.toy import toy_barren


def points(*eigvals: list[float], experiment: str = "toy_global", grad_norms: list[float] | None = None):  # type: ignore[no-untyped-def]
    n = len(eigvals)
    norms = grad_norms or [0.0] * n
    return rows(experiment, 0, label=list("abcdefgh"[:n]), loss=[0.5] * n, grad_norm=norms, eigvals=list(eigvals))


def test_a_barren_point() -> None:
    assert (
        verdict_of(toy_barren, ["toy_global"], landscapes=[points([0.0, 1e-17], [-1.0, 1.0])]).verdict == "reproduced"
    )
    assert (
        verdict_of(toy_barren, ["toy_global"], landscapes=[points([0.0, 1e-3], [-1.0, 1.0])]).verdict
        == "not_reproduced"
    )
