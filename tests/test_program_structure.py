"""Structural directions read off from a program: against the rank of gradients, and the reason of each."""

from __future__ import annotations

import numpy as np
import oracles
import pytest

import vqc_landscape as vl
from vqc_landscape.circuits.pauli import Word, pauli_support
from vqc_landscape.circuits.program import FIXED_GATES
from vqc_landscape.structure.clifford import CliffordFrame
from vqc_landscape.structure.dependence import Reason
from vqc_landscape.structure.stabiliser import Stabiliser, basis_words, fixing_words

ATOL = 1e-12  # gradients of order 1 from sums of some thousand products
R2 = 1 / np.sqrt(2)
PAULIS = {"I": np.eye(2), "X": [[0, 1], [1, 0]], "Y": [[0, -1j], [1j, 0]], "Z": [[1, 0], [0, -1]]}
MATRICES = {
    "S+": ((1, 0), (0, -1j)),
    "X": ((0, 1), (1, 0)),
    "SX": ((0.5 + 0.5j, 0.5 - 0.5j), (0.5 - 0.5j, 0.5 + 0.5j)),
    "T": ((1, 0), (0, np.exp(0.25j * np.pi))),
    "V": ((np.cos(0.3), -1j * np.sin(0.3)), (-1j * np.sin(0.3), np.cos(0.3))),  # a rotation about X
    "U": ((0.6, 0.8j * np.exp(0.4j)), (0.8j, 0.6 * np.exp(0.4j))),
}


def gradients(risk: vl.Risk, seed: int) -> np.ndarray:
    """Gradients of single samples at generic points, more of them than parameters."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 2 * np.pi, (risk.n_params + 8, risk.n_params))
    parts = [risk if risk.targets is None else risk.batch(rng.integers(risk.n_samples, size=1)) for _ in points]
    return np.array([part.grad(theta) for part, theta in zip(parts, points, strict=True)])


# --- the paper's circuits -------------------------------------------------------------------------------------------


def paper_risks() -> dict[str, vl.Risk]:
    x, y = oracles.disk(5, seed=0)
    state = np.random.default_rng(1).normal(size=(16, 2)) @ [1, 1j]
    observables = {
        "plus": vl.Projector(vl.plus_state(4)),
        "zero": vl.Projector(vl.zero_state(4)),
        "generic": vl.Projector(state / np.linalg.norm(state)),
        "local X": vl.local_projector(4, "X"),
        "local Z": vl.local_projector(4, "Z"),
    }
    risks = {"reuploading": vl.CircuitRisk(vl.reuploading(8, 8), vl.PauliZ(0), "mse", x, y)}
    for size in ((4, 3), (2, 4)):
        circuit = vl.reuploading_published(*size)
        risks[f"reuploading_published {size}"] = vl.CircuitRisk(circuit, vl.PauliZ(0), "mse", x, y)
    for name, observable in observables.items():
        for ansatz in (vl.layered(4, 4), vl.rx_product(4, 3)):
            risks[f"{ansatz.name} {name}"] = vl.CircuitRisk(ansatz, observable, "infidelity")
            if isinstance(observable, vl.Projector):
                risks[f"{ansatz.name} {name} as published"] = vl.CircuitRisk(
                    ansatz, observable, "infidelity", convention="as_published"
                )
    return risks


RISKS = paper_risks()


@pytest.mark.parametrize("name", RISKS)
def test_the_papers_circuits_have_the_rank_of_their_gradients(name: str) -> None:
    risk = RISKS[name]
    seen = gradients(risk, seed=2)
    directions = risk.structural_directions
    pivots, _ = oracles.row_space(seen)
    assert directions.shape[1] == len(risk.structure) == risk.n_params - len(pivots)
    np.testing.assert_allclose(seen @ directions, 0, atol=ATOL)
    np.testing.assert_allclose(directions.T @ directions, np.eye(directions.shape[1]), rtol=0, atol=ATOL)


def by_reason(risk: vl.Risk) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for direction in risk.structure:
        groups.setdefault(", ".join(direction.reasons), []).append(direction.params[0])
    return groups


def test_the_qnn_is_57_outside_the_light_cone_and_8_commuting() -> None:
    groups = by_reason(RISKS["reuploading"])
    assert {reason: len(params) for reason, params in groups.items()} == {Reason.OUTSIDE: 57, Reason.COMMUTES: 8}
    assert groups[Reason.COMMUTES] == [86, 89, 107, 116, 128, 143, 149, 170]
    assert repr(RISKS["reuploading"].structure) == (
        "65 structural directions\n"
        "  8 commutes with what follows and the observable: 86, 89, 107, 116, 128, 143, 149, 170\n"
        "  57 outside the light cone of the observable: 108-113, 129-140, 150-167, 171-191"
    )


def test_the_layered_circuit_merges_through_cz() -> None:
    risk = RISKS["layered plus"]
    groups = by_reason(risk)
    assert groups[Reason.INITIAL] == [0, 3, 6, 9]
    assert groups[Reason.MERGES] == list(range(12, 48, 3))
    first_merging = risk.structure[4]
    assert str(first_merging) == "parameter 12 merges with 2"
    assert (first_merging.params, first_merging.weights) == ((12, 2), (1.0, -1.0))
    assert str(risk.structure[0]) == "parameter 0: stabilises the initial state"
    assert "  12 merges with other parameters: 12 with 2; 15 with 5;" in repr(risk.structure)


def test_the_constant_bra_has_no_structure() -> None:
    x, y = oracles.disk(3, seed=0)
    risk = vl.CircuitRisk(vl.reuploading(2, 1), vl.PauliZ(0), "mse", x, y, convention="as_published")
    assert risk.structure == ()
    assert risk.structural_directions.shape == (6, 0)


# --- one program for each rule --------------------------------------------------------------------------------------


def rotation(word: str, wires: int | tuple[int, ...], *terms: vl.Term | int) -> vl.Rotation:
    wires = (wires,) if isinstance(wires, int) else wires
    return vl.Rotation(word, wires, tuple(vl.Term(param=t) if isinstance(t, int) else t for t in terms), "R")


def fixed(name: str, *wires: int) -> vl.FixedGate:
    return vl.FixedGate(name, wires, MATRICES.get(name))


def mixed(n_qubits: int) -> list[vl.Rotation]:
    """RX and RZ by constants on every wire: no word fixes the state, and the angles are no quarter turns."""
    return [rotation(letter, wire, vl.Term(0.7 + 0.1 * wire)) for wire in range(n_qubits) for letter in "XZ"]


QUARTER = vl.Term(np.pi / 2)
ZERO_PROJECTOR = vl.Projector(vl.zero_state(2))
CASES = {
    "outside the cone": ([rotation("X", 0, 0), rotation("X", 1, 1)], vl.PauliZ(0), {1: Reason.OUTSIDE}),
    "cz next to z": ([rotation("X", 0, 0), rotation("X", 1, 1), fixed("CZ", 0, 1)], vl.PauliZ(0), {1: Reason.OUTSIDE}),
    "in the cone": ([*mixed(2), rotation("X", 0, 0), rotation("X", 1, 1), fixed("CNOT", 1, 0)], vl.PauliZ(0), {}),
    "commutes": ([rotation("X", 0, 0), rotation("Z", 0, 1)], vl.PauliZ(0), {1: Reason.COMMUTES}),
    "commutes past t": ([rotation("X", 0, 0), rotation("Z", 0, 1), fixed("T", 0)], vl.PauliZ(0), {1: Reason.COMMUTES}),
    "h turns": ([*mixed(1), rotation("X", 0, 0), fixed("H", 0)], vl.PauliZ(0), {0: Reason.COMMUTES}),
    "swap": ([*mixed(2), rotation("Z", 0, 0), fixed("SWAP", 0, 1)], vl.PauliZ(1), {0: Reason.COMMUTES}),
    "swap away": ([*mixed(2), rotation("X", 0, 0), fixed("SWAP", 0, 1)], vl.PauliZ(0), {0: Reason.OUTSIDE}),
    "quarter turn": ([*mixed(1), rotation("Y", 0, 0), rotation("X", 0, QUARTER)], vl.PauliZ(0), {0: Reason.COMMUTES}),
    "sx": ([*mixed(1), rotation("Y", 0, 0), fixed("SX", 0)], vl.PauliZ(0), {0: Reason.COMMUTES}),
    "target": ([*mixed(2), rotation("ZZ", (0, 1), 0)], ZERO_PROJECTOR, {0: Reason.COMMUTES}),
    "stabilises": ([rotation("Z", 0, 0), *mixed(1)], vl.PauliZ(0), {0: Reason.INITIAL}),
    "past cnot": ([fixed("CNOT", 0, 1), rotation("Z", 1, 0), *mixed(2)], ZERO_PROJECTOR, {0: Reason.INITIAL}),
    "ccz is diagonal": ([fixed("CCZ", 0, 1, 2), rotation("Z", 1, 0), *mixed(3)], vl.PauliZ(1), {0: Reason.INITIAL}),
    "u blocks": ([*mixed(1), rotation("Z", 0, 0), fixed("U", 0)], vl.PauliZ(0), {}),
    "v passes x": (
        [*mixed(1), rotation("X", 0, 0), fixed("V", 0), rotation("X", 0, 1)], vl.PauliZ(0), {1: Reason.MERGES}
    ),
    "cnot conjugates": (
        [*mixed(2), rotation("Z", 1, 0), fixed("CNOT", 0, 1), rotation("ZZ", (0, 1), 1), fixed("H", 0), fixed("H", 1)],
        vl.PauliSum(((1.0, "ZZ", (0, 1)), (0.5, "Z", (1,)))), {1: Reason.MERGES},
    ),
    "cancels": (
        [*mixed(1), rotation("X", 0, 0), fixed("S", 0), rotation("Y", 0, vl.Term(-1.0, 0)), fixed("S+", 0)],
        vl.PauliZ(0), {0: Reason.CANCELS},
    ),
    "cancels in the angle": (
        [*mixed(1), rotation("Z", 0, vl.Term(1.0, 0), vl.Term(-1.0, 0)), rotation("X", 0, QUARTER)],
        vl.PauliZ(0), {0: Reason.NO_COEFFICIENT},
    ),
    "bell pair": (  # Z on either half does the same
        [rotation("X", 0, 0), fixed("CNOT", 0, 1), rotation("Z", 0, 1), rotation("Z", 1, 2), *mixed(2)],
        vl.PauliSum(((1.0, "X", (0,)), (1.0, "ZX", (0, 1)))), {2: Reason.MERGES},
    ),
    "conserved parity": (  # after the first gate Z_1 acts like the parity, which all else conserves
        [rotation("X", 1, 0), rotation("Z", 1, 1), rotation("XY", (0, 1), 2), rotation("YY", (0, 1), 3)],
        vl.local_projector(2, "Z"), {1: Reason.CONSERVED},
    ),
    "no gate": ([rotation("X", 0, 1)], vl.PauliZ(0), {0: Reason.NO_GATE}),
    "scale 0": ([rotation("X", 0, vl.Term(0.0, 0), vl.Term(1.0, 1))], vl.PauliZ(0), {0: Reason.NO_COEFFICIENT}),
    "words that add up to 0": (
        [rotation("X", 0, 0), rotation("X", 1, 1)],
        vl.PauliSum(((0.5, "Z", (0,)), (0.5, "ZZ", (0, 1)), (-0.5, "ZZ", (1, 0)))), {1: Reason.OUTSIDE},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_rule(name: str) -> None:
    gates, observable, expected = CASES[name]
    params = [term.param for gate in gates if isinstance(gate, vl.Rotation) for term in gate.angle]
    n_params = 1 + max(p for p in params if p is not None)
    n_qubits = max(2 if isinstance(observable, vl.Projector) else 1, 1 + max(w for gate in gates for w in gate.wires))
    circuit = vl.Circuit(name, n_qubits, (n_params,), tuple(gates))
    risk = vl.CircuitRisk(circuit, observable, "infidelity")
    assert {d.params[0]: d.reasons for d in risk.structure} == {p: (reason,) for p, reason in expected.items()}
    seen = gradients(risk, seed=3)
    np.testing.assert_allclose(seen @ risk.structural_directions, 0, atol=ATOL)
    assert len(oracles.row_space(seen)[0]) == n_params - len(expected)


def test_features_that_are_0_or_proportional_count_over_all_samples() -> None:
    angle = (vl.Term(1.0, 0), vl.Term(1.0, 1, 0), vl.Term(2.0, 2, 1), vl.Term(1.0, 3, 2))
    circuit = vl.Circuit("c", 1, (4,), (rotation("X", 0, *angle),), n_features=3)
    x = np.array([[0.3, 0.6, 0.0], [-0.4, -0.8, 0.0], [0.7, 1.4, 0.0]])
    risk = vl.CircuitRisk(circuit, vl.PauliZ(0), "mse", x, np.ones(3))
    assert by_reason(risk) == {Reason.MERGES: [2], Reason.NO_COEFFICIENT: [3]}
    assert risk.structure[0].weights == (1.0, -4.0)  # 2 * p2 * x1 = 4 * p2 * x0
    # a batch has the structure of the whole, not that of its single sample
    assert risk.batch(np.array([0])).structure == risk.structure
    alone = vl.CircuitRisk(circuit, vl.PauliZ(0), "mse", x[:1], np.ones(1))
    assert by_reason(alone) == {Reason.MERGES: [1, 2], Reason.NO_COEFFICIENT: [3]}


def excitation(a: int, b: int, param: int) -> list[vl.Rotation]:
    return [rotation("XX", (a, b), param), rotation("YY", (a, b), param)]


def test_a_direction_that_is_missed_leaves_the_numbers_right() -> None:
    """Z_0 + Z_1 + Z_2 is conserved, a sum of words: the analysis does not look for it."""
    first, last = [*excitation(0, 1, 0), *excitation(1, 2, 1)], [*excitation(0, 1, 5), *excitation(1, 2, 6)]
    gates = [fixed("X", 0), *first, *[rotation("Z", q, 2 + q) for q in range(3)], *last]
    risk = vl.CircuitRisk(vl.Circuit("c", 3, (7,), tuple(gates)), vl.PauliZ(1), "infidelity")
    seen = gradients(risk, seed=4)
    assert len(oracles.row_space(seen)[0]) < 7 - len(risk.structure)
    together = np.array([0, 0, 1, 1, 1, 0, 0])
    np.testing.assert_allclose(seen @ together, 0, atol=ATOL)
    params = np.random.default_rng(5).uniform(0, 2 * np.pi, 7)
    hessian = risk.hessian(params)
    np.testing.assert_allclose(hessian @ together, 0, atol=ATOL)
    # sixth-order differences of the gradient: steps of 1e-2 leave about 1e-12
    offsets, weights = np.array([-3, -2, -1, 1, 2, 3]) * 1e-2, np.array([-1, 9, -45, 45, -9, 1]) / 0.6
    expected = [sum(w * risk.grad(params + h * e) for h, w in zip(offsets, weights, strict=True)) for e in np.eye(7)]
    np.testing.assert_allclose(hessian, expected, rtol=0, atol=1e-9)


# --- random programs ------------------------------------------------------------------------------------------------


def random_risk(seed: int) -> vl.Risk:
    """Gates, observables and samples with much structure: product targets, quarter turns, simple scales."""
    rng = np.random.default_rng([seed, 99])
    n_qubits, n_features = int(rng.integers(2, 5)), int(rng.integers(0, 3))
    gates: list[vl.Rotation | vl.FixedGate] = []
    n_params = 0
    for _ in range(rng.integers(4, 30)):
        wires = tuple(int(w) for w in rng.permutation(n_qubits))
        kind = rng.random()
        if kind < 0.12:
            gates.append(fixed(str(rng.choice(list(MATRICES))), wires[0]))
        elif kind < 0.5:
            name = str(rng.choice([g for g, size in FIXED_GATES.items() if size and size <= n_qubits]))
            gates.append(fixed(name, *wires[: FIXED_GATES[name]]))
        else:
            size = int(rng.choice([1, 1, 1, 2, min(3, n_qubits)]))
            word = "".join(rng.choice(list("XYZ"), size, p=[0.25, 0.25, 0.5]))
            terms = [vl.Term(float(rng.integers(-3, 4)) * np.pi / 2)]
            if kind > 0.55:
                shared = n_params and rng.random() < 0.1
                param = int(rng.integers(n_params)) if shared else n_params
                feature = int(rng.integers(n_features)) if n_features and rng.random() < 0.3 else None
                terms = [vl.Term(float(rng.choice([1, -1, 2, 0.5, 0.3])), param, feature)]
                n_params += not shared
            gates.append(rotation(word, wires[:size], *terms))
    gates.append(rotation("X", 0, n_params))
    circuit = vl.Circuit("random", n_qubits, (n_params + 1,), tuple(gates), n_features)
    product = np.ones(1)
    for _ in range(n_qubits):
        product = np.kron(product, [[1, 0], [0, 1], [R2, R2], [R2, -R2], [R2, 1j * R2], [0.6, 0.8]][rng.integers(6)])
    observables = [
        vl.PauliZ(0),
        vl.PauliSum(((0.3, "XZ", (0, 1)), (0.7, "Z", (1,)), (1.0, "", ()))),
        vl.local_projector(n_qubits, "Z"),
        vl.Projector(vl.plus_state(n_qubits)),
        vl.Projector(product),
    ]
    observable = observables[rng.integers(len(observables))]
    published = isinstance(observable, vl.Projector) and rng.random() < 0.3
    x = rng.uniform(-1, 1, (3, n_features)) * (rng.random(n_features) < 0.8)
    data = {"features": x, "targets": np.full(3, 2.0)} if n_features else {}
    convention = "as_published" if published else "exact"
    return vl.CircuitRisk(circuit, observable, "mse" if n_features else "infidelity", convention=convention, **data)


def test_random_programs_have_every_direction_that_is_claimed(record_property: pytest.RecordProperty) -> None:
    n_found = n_all = 0
    for seed in range(150):
        risk = random_risk(seed)
        seen = gradients(risk, seed)
        directions = risk.structural_directions
        np.testing.assert_allclose(seen @ directions, 0, atol=ATOL, err_msg=f"seed {seed}")
        n_found += directions.shape[1]
        n_all += risk.n_params - len(oracles.row_space(seen)[0])
    record_property("structural_directions", n_all)
    record_property("missed", n_all - n_found)
    print(f"{n_found} of {n_all} structural directions of 150 random programs found")
    assert n_found > 0.9 * n_all


# --- words against matrices -----------------------------------------------------------------------------------------


def dense_word(word: Word, n_qubits: int) -> np.ndarray:
    """``i**phase X**x Z**z``; bit w of a mask is wire w."""
    product = np.ones((1, 1))
    for wire in range(n_qubits):
        x, z = (word.x >> wire) & 1, (word.z >> wire) & 1
        factor = np.linalg.matrix_power(PAULIS["X"], x) @ np.linalg.matrix_power(PAULIS["Z"], z)
        product = np.kron(product, factor)
    return 1j**word.phase * product


def letters_on(letters: str, wires: tuple[int, ...], n_qubits: int) -> np.ndarray:
    product = np.ones((1, 1))
    for wire in range(n_qubits):
        product = np.kron(product, PAULIS[letters[wires.index(wire)] if wire in wires else "I"])
    return product


def dense_gate(gate: vl.FixedGate, n_qubits: int) -> np.ndarray:
    identity = np.eye(2**n_qubits)
    x, z = (lambda w: letters_on("X", (w,), n_qubits)), (lambda w: letters_on("Z", (w,), n_qubits))
    a, b = gate.wires[0], gate.wires[-1]
    if gate.name == "CNOT":
        return (identity + z(a)) / 2 + (identity - z(a)) @ x(b) / 2
    if gate.name == "CZ":
        return (identity + z(a)) / 2 + (identity - z(a)) @ z(b) / 2
    if gate.name == "SWAP":
        return sum(letters_on(letter * 2, (a, b), n_qubits) for letter in "XYZ") / 2 + identity / 2
    named = {"H": [[R2, R2], [R2, -R2]], "S": [[1, 0], [0, 1j]]}
    matrix = named[gate.name] if gate.matrix is None else gate.matrix
    return np.kron(np.kron(np.eye(2**a), matrix), np.eye(2 ** (n_qubits - a - 1)))


@pytest.mark.parametrize("seed", range(10))
def test_frames_and_stabilisers_are_those_of_matrices(seed: int) -> None:
    rng, n_qubits = np.random.default_rng(seed), 3
    frame, unitary = CliffordFrame(n_qubits), np.eye(8)
    for _ in range(25):
        wires = tuple(int(w) for w in rng.permutation(n_qubits))
        if rng.random() < 0.3:
            word, quarters = "".join(rng.choice(list("XYZ"), 2)), int(rng.integers(-2, 5))
            frame.append_rotation(word, wires[:2], quarters)
            half = quarters * np.pi / 4
            gate = np.cos(half) * np.eye(8) - 1j * np.sin(half) * letters_on(word, wires[:2], n_qubits)
        else:
            name = str(rng.choice(["H", "S", "S+", "X", "SX", "CZ", "CNOT", "SWAP"]))
            clifford = fixed(name, *wires[: FIXED_GATES.get(name, 1)])
            assert frame.append(clifford)
            gate = dense_gate(clifford, n_qubits)
        unitary = gate @ unitary
    assert not frame.append(fixed("CCZ", 0, 1, 2))
    assert not frame.append(fixed("T", 0))
    for letters, wires in (("X", (0,)), ("Y", (1,)), ("ZY", (2, 0)), ("XYZ", (0, 2, 1))):
        expected = unitary.conj().T @ letters_on(letters, wires, n_qubits) @ unitary
        np.testing.assert_allclose(dense_word(frame.conjugate(letters, wires), n_qubits), expected, rtol=0, atol=ATOL)
    # frame.conjugate(Z) fixes C+|0>, and nothing but their products does
    stabiliser = Stabiliser(frame.conjugate("Z", (wire,)) for wire in range(n_qubits))
    state = unitary.conj().T[:, 0]
    about = frame.conjugate("XZ", (0, 1))
    narrowed = stabiliser.copy()
    narrowed.keep_commuting(about)
    n_fixing = 0
    for x in range(8):
        for z in range(8):
            word = Word(x, z, (x & z).bit_count() % 4)
            expected = np.vdot(state, dense_word(word, n_qubits) @ state).real
            sign = stabiliser.sign(word)
            assert (sign or 0) == pytest.approx(expected, abs=ATOL)
            commutes = np.allclose(
                dense_word(word, 3) @ dense_word(about, 3), dense_word(about, 3) @ dense_word(word, 3)
            )
            assert narrowed.sign(word) == (sign if commutes else None)
            n_fixing += sign is not None
    assert n_fixing == 8


def test_words_that_fix_a_product_state() -> None:
    factors = [[1, 0], [0, 1], [R2, R2], [R2, -R2], [R2, 1j * R2], [R2, -1j * R2], [0.6, 0.8]]
    state = np.ones(1)
    for factor in factors:
        state = np.kron(state, factor)
    expected = [
        Word(0, 1), Word(0, 2, 2), Word(4, 0), Word(8, 0, 2), Word(16, 16, 1), Word(32, 32, 3),
    ]  # fmt: skip
    assert fixing_words(state[np.newaxis].astype(complex)) == expected


def test_words_that_fix_several_states_have_a_sign_for_each() -> None:
    zero, one, plus = np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([R2, R2])
    states = np.stack([np.kron(zero, plus), np.kron(one, plus), np.kron(one, plus)]).astype(complex)
    assert fixing_words(states) == [Word(0, 1, 0, flips=0b110), Word(2, 0)]
    assert fixing_words(states[1:]) == [Word(0, 1, 2), Word(2, 0)]
    assert fixing_words(np.stack([np.kron(zero, plus), np.kron(plus, plus)]).astype(complex)) == [Word(2, 0)]
    assert basis_words(np.array([0b00, 0b10, 0b10]), 2) == [Word(0, 1, 0, flips=0b110), Word(0, 2)]


def test_the_words_of_a_matrix() -> None:
    """Every word of the Pauli expansion is the first one times a product of the others, and nothing else is."""
    rng = np.random.default_rng(0)
    paulis = PAULIS | {"I": np.eye(2)}
    for n_words in (1, 2, 3, 5):
        words = ["".join(rng.choice(list("IXYZ"), 3)) for _ in range(n_words)]
        matrix = sum(rng.normal() * np.kron(np.kron(paulis[a], paulis[b]), paulis[c]) for a, b, c in map(tuple, words))
        base, directions = pauli_support(matrix)
        masks = {word: sum("IZXY".index(letter) << 2 * k for k, letter in enumerate(word)) for word in words}
        span = {0}
        for direction in directions:
            own = sum("IZXY".index(letter) << 2 * k for k, letter in enumerate(direction))
            span |= {mask ^ own for mask in span}
        start = sum("IZXY".index(letter) << 2 * k for k, letter in enumerate(base))
        assert {mask ^ start for mask in masks.values()} <= span
        assert len(directions) <= len(set(words)) - 1
