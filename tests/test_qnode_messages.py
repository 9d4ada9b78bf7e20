"""What a refusal of a QNode says: what was met, and the way out of it; and what is taken where there is none."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qml
import pytest

import vqc_landscape as vl
from vqc_landscape.circuits.qnode.arguments import RESERVED

ATOL = 1e-10  # sums of some hundred products of order 1


def node_of(circuit: Callable[..., Any], n_wires: int = 2) -> Any:
    return qml.QNode(circuit, qml.device("default.qubit", wires=n_wires))


def test_bits_of_deferred_measurements_are_an_observable() -> None:
    def circuit(w):
        qml.RX(w[0], 0)
        first = qml.measure(0)
        qml.RX(w[1], 0)
        second = qml.measure(0)
        qml.RY(w[2], 1)
        third = qml.measure(1)
        return qml.expval(first * second + 2 * first - 3 * third * first)

    node, point = qml.defer_measurements(node_of(circuit, 5)), np.array([0.4, 1.2, 0.7])
    one, two, three = np.sin(point / 2) ** 2  # probabilities of a 1, if there was a 0 before
    expected = one * ((1 - two) + 2 - 3 * three)
    assert vl.from_qnode(node, point).loss(point) == pytest.approx(expected, abs=ATOL)


def test_an_imaginary_factor_may_stand_in_the_exponent() -> None:
    def circuit(w):
        qml.RX(w[0], 0)
        qml.exp(-1j * (0.3 * qml.X(0) + 0.2 * qml.Z(0)))
        qml.RY(w[1], 0)
        return qml.expval(qml.Z(0))

    point = np.array([0.4, 1.2])
    assert vl.from_qnode(node_of(circuit), point).loss(point) == pytest.approx(float(node_of(circuit)(point)), abs=ATOL)


def turning_matrix(w):
    c, s = np.cos(w[0]), np.sin(w[0])
    qml.RX(w[1], 0)
    qml.QubitUnitary(np.array([[c, -s], [s, c]]), 0)
    return qml.expval(qml.Z(0))


def amplitudes(w):
    qml.AmplitudeEmbedding(w, 0, normalize=True)
    qml.RX(w[1], 0)
    return qml.expval(qml.Z(0))


def scaled(w, loss):
    qml.RX(w[0] * loss, 0)
    return qml.expval(qml.Z(0))


@pytest.mark.parametrize(
    ("circuit", "message"),
    [
        (turning_matrix, "The matrix of QubitUnitary .* depends on the parameters; only angles may. Write it as gates"),
        (amplitudes, "The state of Amplitude.* depends on the parameters; only angles may. Prepare it by gates"),
        (scaled, r"Argument `loss` of scaled has no value. Give it by functools.partial\(scaled, loss=...\); or,"),
    ],
)
def test_the_way_out_is_that_of_what_was_met(circuit: Callable[..., Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        vl.from_qnode(node_of(circuit), [0.1, 0.2])


@pytest.mark.filterwarnings("ignore:invalid value encountered in divide")  # PennyLane's division by the norm
def test_a_row_that_is_no_state_is_shown() -> None:
    def circuit(w, x):
        qml.AmplitudeEmbedding(x, range(2), normalize=True)
        qml.RX(w[0], 0)
        return qml.expval(qml.Z(0))

    rows = np.array([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 0.0]])
    with pytest.raises(ValueError, match=r"no finite numbers for the features \[0\., 0\., 0\., 0\.\]"):
        vl.from_qnode(node_of(circuit), [0.1], rows, [1.0, 1.0])


def test_words_that_change_with_the_row_are_told_apart() -> None:
    def circuit(w, x):
        qml.PauliRot(w[0], "XX" if x[0] > 0 else "YY", [0, 1])
        return qml.expval(qml.Z(0))

    message = r"PauliRot \(XX\) on wires \[0, 1\] at one point is PauliRot \(YY\) on wires \[0, 1\] at another"
    with pytest.raises(ValueError, match=message):
        vl.from_qnode(node_of(circuit), [0.1], [[1.0], [-1.0]], [1.0, 1.0])


def test_an_approximate_decomposition_is_not_called_noise() -> None:
    def circuit(w):
        qml.RX(w[0], 0)
        return qml.expval(qml.Z(0))

    with pytest.raises(ValueError, match="by noise, by gates that are not quite its own or by what it makes"):
        vl.from_qnode(qml.clifford_t_decomposition(node_of(circuit)), [0.1])


def test_an_exponent_of_zeros_is_no_factor_i() -> None:
    def circuit(w, x):
        qml.RX(w[0], 0)
        qml.exp(x[0] * qml.Z(0), -1j * w[1])
        return qml.expval(qml.X(0))

    rows, point = np.array([[0.0], [0.7]]), np.array([0.4, 1.2])
    node = node_of(circuit)
    found = vl.from_qnode(node, point, rows, [1.0, 1.0]).predict(point)
    np.testing.assert_allclose(found, [float(node(point, row)) for row in rows], rtol=0, atol=ATOL)


def test_a_function_of_many_bits_is_refused_before_its_matrix_is_made() -> None:
    def circuit(w):
        qml.RX(w[0], 0)
        return qml.expval(sum(qml.measure(wire) for wire in range(11)))

    with pytest.raises(ValueError, match="circuit returns a function of 11 measured bits; up to 10 are taken"):
        vl.from_qnode(qml.defer_measurements(node_of(circuit, 22)), [0.1])


def test_the_reserved_names_are_the_arguments_of_from_qnode() -> None:
    assert RESERVED == set(inspect.signature(vl.from_qnode).parameters) - {"static"}
