"""Circuits as programs: the paper's ansaetze are the oracles' circuits, and what does not fit is refused."""

from __future__ import annotations

import numpy as np
import oracles
import pennylane as qml
import pytest
import torch

import vqc_landscape as vl

# float64 products of some dozen matrices
ROUNDING = 1e-13


@pytest.mark.parametrize(
    ("ansatz", "shape"),
    [
        ("rx_product", (3, 4)),
        ("layered", (3, 4, 3)),
        ("layered_published", (3, 4, 3)),
        ("layered_published", (1, 2, 3)),
        ("reuploading", (3, 4, 3)),
        ("reuploading_published", (3, 4, 2, 3)),
        ("layered", (2, 2, 3)),
    ],
)
def test_ansaetze_prepare_the_states_of_the_paper(ansatz: str, shape: tuple[int, ...]) -> None:
    n_layers, n_qubits = shape[:2]
    circuit = getattr(vl, ansatz)(n_qubits=n_qubits, n_layers=n_layers)
    assert circuit.shape == shape
    assert circuit.n_params == np.prod(shape)
    assert (circuit.n_features > 0) == ansatz.startswith("reuploading")
    weights = np.random.default_rng(0).uniform(0, 2 * np.pi, shape)
    x = np.array([0.3, -0.8, 0.0])

    @qml.qnode(qml.device("default.qubit", wires=n_qubits))
    def state() -> object:
        vl.apply_circuit(circuit, weights.reshape(-1), x)
        return qml.state()

    expected = oracles.final_state(ansatz, torch.as_tensor(weights), torch.as_tensor(x))
    np.testing.assert_allclose(state(), expected.numpy(), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize(
    "ansatz", ["rx_product", "layered", "layered_published", "reuploading", "reuploading_published"]
)
def test_parameter_blocks_are_a_partition_into_sub_layers(ansatz: str) -> None:
    circuit = getattr(vl, ansatz)(n_qubits=4, n_layers=3)
    blocks = circuit.parameter_blocks
    np.testing.assert_array_equal(np.sort(np.concatenate(blocks)), np.arange(circuit.n_params))
    # published code: the simultaneous RZ, RY or RZ of all qubits (there with theta and w each)
    assert {len(block) for block in blocks} == {8 if ansatz == "reuploading_published" else 4}
    for block in blocks:
        letters = {r.word for r in circuit.rotations for term in r.angle if term.param in block}
        assert len(letters) == 1


def test_angles_are_affine_in_parameters_with_features_as_coefficients() -> None:
    angle = (vl.Term(0.5), vl.Term(2.0, param=1), vl.Term(-1.0, param=0, feature=1), vl.Term(feature=0))
    circuit = vl.Circuit("one", 1, (2,), (vl.Rotation("X", (0,), angle, "RX"),), n_features=2)
    x = np.array([[0.1, 0.2], [0.3, 0.4]])
    angles = circuit.angles(np.array([3.0, 5.0]), circuit.coefficients(x))
    np.testing.assert_allclose(
        angles[:, 0], 0.5 + 2 * 5 - 3 * x[:, 1] + x[:, 0], rtol=1e-15
    )  # round-off of a few products


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_qubits": 0, "n_layers": 1}, "`n_qubits` must be a whole number between 1 and 24, but is 0"),
        ({"n_qubits": 4, "n_layers": 0}, "`n_layers` must be a whole number at least 1, but is 0"),
        ({"n_qubits": 3, "n_layers": 1}, "`n_qubits` must be even for CZ bricks, but is 3"),
    ],
)
@pytest.mark.parametrize("ansatz", ["layered", "layered_published", "reuploading", "reuploading_published"])
def test_sizes_that_no_ansatz_has(ansatz: str, arguments: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(vl, ansatz)(**arguments)


def test_gates_that_do_not_fit() -> None:
    with pytest.raises(
        ValueError, match=r"`word` must have one of X, Y, Z for each wire, but is 'XA' for wires \(0, 1\)"
    ):
        vl.Rotation("XA", (0, 1), (vl.Term(),), "")
    with pytest.raises(
        ValueError, match=r"`word` must have one of X, Y, Z for each wire, but is 'X' for wires \(0, 1\)"
    ):
        vl.Rotation("X", (0, 1), (vl.Term(),), "")
    with pytest.raises(ValueError, match="`angle` must have at least one term"):
        vl.Rotation("X", (0,), (), "")
    with pytest.raises(ValueError, match="`name` must be one of H, S, CZ, CNOT, SWAP, CCZ, MCZ, but is 'T'"):
        vl.FixedGate("T", (0,))
    with pytest.raises(ValueError, match=r"`wires` of H must have 1 entries, but is \(0, 1\)"):
        vl.FixedGate("H", (0, 1))
    with pytest.raises(ValueError, match=r"`wires` of MCZ must have at least 2 entries, but is \(0,\)"):
        vl.FixedGate("MCZ", (0,))
    with pytest.raises(ValueError, match="`matrix` of U must be a 2 x 2 unitary"):
        vl.FixedGate("U", (0,), ((1, 0), (0, 2)))
    with pytest.raises(ValueError, match="`matrix` of U must be a 4 x 4 unitary"):
        vl.FixedGate("U", (0, 1), ((1, 0), (0, 1)))
    with pytest.raises(ValueError, match=r"`wires` of U must have 1 to 6 entries, but is \(0, 1, 2, 3, 4, 5, 6\)"):
        vl.FixedGate("U", tuple(range(7)), ((1, 0), (0, 1)))
    with pytest.raises(
        ValueError, match=r"`initial` must have 2 amplitudes of norm 1, but has shape \(2,\) and norm 2"
    ):
        vl.Circuit("c", 1, (1,), (vl.Rotation("X", (0,), (vl.Term(param=0),), ""),), initial=np.array([2.0 + 0j, 0]))
    with pytest.raises(ValueError, match="`gates` must hold at least one rotation"):
        vl.Circuit("c", 1, (1,), (vl.FixedGate("H", (0,)),))
    rotation = vl.Rotation("X", (2,), (vl.Term(param=0),), "")
    with pytest.raises(ValueError, match="`gates` holds Rotation.*, but the circuit has wires 0 to 1"):
        vl.Circuit("c", 2, (1,), (rotation,))
    with pytest.raises(ValueError, match="`gates` uses parameter 0, but there are 0"):
        vl.Circuit("c", 3, (0,), (rotation,))
    with pytest.raises(ValueError, match="`gates` uses feature 1, but there are 1"):
        vl.Circuit("c", 1, (0,), (vl.Rotation("X", (0,), (vl.Term(feature=1),), ""),), n_features=1)


def test_features_that_do_not_fit() -> None:
    circuit = vl.reuploading(n_qubits=2, n_layers=1)
    assert circuit.feature_rows([[0.1, 0.2]]).tolist() == [[0.1, 0.2, 0.0]]
    with pytest.raises(ValueError, match="`features` is missing: circuit reuploading takes rows of 3"):
        circuit.feature_rows(None)
    with pytest.raises(
        ValueError, match=r"`features` must have shape \(n, 2 or 3\) with n > 0, but has shape \(1, 4\)"
    ):
        circuit.feature_rows(np.zeros((1, 4)))
    with pytest.raises(ValueError, match="`features` must be None, because circuit layered takes no data"):
        vl.layered(n_qubits=2, n_layers=1).feature_rows(np.zeros((1, 2)))


def test_observables_that_are_none() -> None:
    with pytest.raises(ValueError, match="`terms` must hold at least one term"):
        vl.PauliSum(())
    for word, wires in (("ZZ", (0,)), ("ZZ", (1, 1)), ("I", (0,))):
        with pytest.raises(ValueError, match=f"`terms` must pair each of X, Y, Z with one wire, but has '{word}' on"):
            vl.PauliSum(((1.0, word, wires),))
    with pytest.raises(ValueError, match="`terms` must have finite coefficients, but has nan"):
        vl.PauliSum(((np.nan, "Z", (0,)),))
    for size in (0, 1, 3):
        with pytest.raises(ValueError, match=rf"`state` must have 2\*\*n_qubits amplitudes, but has {size}"):
            vl.Projector(np.ones(size))
    with pytest.raises(ValueError, match=r"`state` must have norm 1, but has norm 2\.0"):
        vl.Projector(np.ones(4))  # |+>|+> as the paper prints it, without 2**(-n/2)


def test_target_states() -> None:
    np.testing.assert_array_equal(vl.zero_state(3), oracles.zero(3).numpy())
    np.testing.assert_allclose(vl.plus_state(3), oracles.plus(3).numpy(), rtol=1e-15)  # round-off of a few products


def test_unknown_names_of_the_package() -> None:
    with pytest.raises(AttributeError, match="vqc_landscape.*attribute.*layerd"):
        _ = vl.layerd
    assert all(hasattr(vl, name) for name in vl.__all__)
