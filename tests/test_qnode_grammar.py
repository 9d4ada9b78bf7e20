"""QNodes drawn from a grammar: every number is PennyLane's, every refusal names a reason, and most QNodes are taken."""

from __future__ import annotations

import pytest
from qnode_counts import RIGHT, count
from qnode_grammar import Draw
from qnode_oracle import outcome
from qnode_words import REFUSED

import vqc_landscape as vl

N_DRAWS = 500
TAKEN = 0.6  # the share that must be taken, so that nothing passes by refusing

PLAIN = """
def circuit(w):
    qml.RX(w[0], 0)
    return qml.expval(qml.Z(0))
node = qml.QNode(circuit, qml.device("default.qubit"), **how)
"""


def test_every_qnode_is_right_or_refused() -> None:
    counts = count(N_DRAWS)
    assert counts.total() >= N_DRAWS
    assert counts[RIGHT] >= TAKEN * counts.total()
    assert len(set(REFUSED) & set(counts)) > len(REFUSED) / 2


@pytest.mark.parametrize("method", ["loss", "grad", "hessian"])
def test_a_wrong_number_is_found(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = getattr(vl.Risk, method)
    monkeypatch.setattr(vl.Risk, method, lambda risk, params: right(risk, params) + 1e-7)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        outcome(Draw(PLAIN, [0.3], None, None, ("w",)))


def test_what_must_be_refused_and_is_taken_is_found() -> None:
    with pytest.raises(AssertionError, match="not refused"):
        outcome(Draw(PLAIN, [0.3], None, None, ("w",), refused="no reason"))
