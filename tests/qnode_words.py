"""The words of the grammar of `qnode_grammar`: angles, gates, states, observables, devices, and what must be refused.

Places in braces are filled: ``a`` an angle, ``p`` a parameter, ``x`` a feature, ``q0`` a wire, ``n2`` the first two
wires, ``v2`` an array of two parameters, ``gate`` another gate.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pennylane as qml
import scipy.linalg
import scipy.sparse

RNG = np.random.default_rng(7)
_RAW = {n: RNG.normal(size=(2**n, 2**n)) + 1j * RNG.normal(size=(2**n, 2**n)) for n in (1, 2, 3, 4)}
HERMITIANS = {n: (raw + raw.conj().T) / 2 for n, raw in _RAW.items()}
SPARSE = scipy.sparse.csr_matrix(HERMITIANS[2])
UNITARIES = {n: scipy.linalg.expm(1j * matrix) for n, matrix in HERMITIANS.items()}

ANGLES = (
    "{p}", "{p}", "2 * {p}", "-{p}", "{p} + 0.3", "{p} - {p} / 3", "{p} + {p}", "0.5 * ({p} - 1)", "np.pi * 0.2",
    "{p} / 2 + np.pi / 3",
)  # fmt: skip
ANGLES_WITH_ROWS = (
    "{x}", "{p} * {x}", "{p} + {x}", "np.pi * {x}", "{p} * {x} + {p}", "np.sin({x}) * {p}", "{x} ** 2 - {p}",
    "({p} + {p}) * {x}", "(1 if {x} > 0 else 2) * {p}", "max({x}, 0.1) * {p}", "np.where({x} > 0, {x}, 0.2) * {p}",
    "math.exp({x}) + {p}", "np.abs({x}) * {p}", "{p} * np.clip({x}, -0.5, 0.5)", "int({x} > 0) * {p} + 0.1",
    "(np.pi - {x}) * (np.pi - {x} * {x})", "{p} * round(float({x}), 1)", "np.arctan2({x}, 1.0) + 2 * {p}",
    "torch.sin(torch.tensor(float({x}), dtype=torch.float64)).item() + {p}", "qml.math.cos({x}) * {p}", "qml.numpy.tanh({x}) - {p}",
)  # fmt: skip
ROTATIONS = (
    "qml.R{axis}({a}, {q0})", "qml.R{axis}({a}, {q0})", "qml.PhaseShift({a}, {q0})", "qml.Rot({a}, {a}, {a}, {q0})",
    "qml.U1({a}, {q0})", "qml.U2({a}, {a}, {q0})", "qml.U3({a}, {a}, {a}, {q0})", "qml.CR{axis}({a}, {n2})",
    "qml.CRot({a}, {a}, {a}, {n2})", "qml.IsingXX({a}, {n2})", "qml.IsingYY({a}, {n2})", "qml.IsingZZ({a}, {n2})",
    "qml.IsingXY({a}, {n2})", "qml.ControlledPhaseShift({a}, {n2})", "qml.CPhaseShift00({a}, {n2})",
    "qml.CPhaseShift01({a}, {n2})", "qml.CPhaseShift10({a}, {n2})", "qml.SingleExcitation({a}, {n2})",
    "qml.SingleExcitationPlus({a}, {n2})", "qml.SingleExcitationMinus({a}, {n2})", "qml.FermionicSWAP({a}, {n2})",
    "qml.PSWAP({a}, {n2})", "qml.MultiRZ({a}, {n2})", "qml.MultiRZ({a}, {n3})", "qml.PauliRot({a}, 'XY', {n2})",
    "qml.PauliRot({a}, 'XIZ', {n3})", "qml.PauliRot({a}, 'YZX', {n3})", "qml.PCPhase({a}, 3, {n2})",
    "qml.DoubleExcitation({a}, {n4})", "qml.DoubleExcitationPlus({a}, {n4})", "qml.DoubleExcitationMinus({a}, {n4})",
    "qml.OrbitalRotation({a}, {n4})", "qml.GlobalPhase({a})",
)  # fmt: skip
FIXED = (
    "qml.Hadamard({q0})", "qml.S({q0})", "qml.T({q0})", "qml.SX({q0})", "qml.X({q0})", "qml.Y({q0})", "qml.Z({q0})",
    "qml.CNOT({n2})", "qml.CNOT({n2})", "qml.CZ({n2})", "qml.CY({n2})", "qml.CH({n2})", "qml.SWAP({n2})",
    "qml.ISWAP({n2})", "qml.SISWAP({n2})", "qml.ECR({n2})", "qml.Toffoli({n3})", "qml.CSWAP({n3})", "qml.CCZ({n3})",
    "qml.MultiControlledX({n3}, control_values=[0, 1])", "qml.MultiControlledX({n4}, control_values=[1, 0, 1])",
    "qml.QubitUnitary(U[1], {q0})", "qml.QubitUnitary(U[2], {n2})", "qml.QubitUnitary(U[3], {n3})",
    "qml.QubitUnitary(U[4], {n4})", "qml.DiagonalQubitUnitary(np.exp(1j * np.arange(4)), {n2})", "qml.QFT({all})",
    "qml.Identity({q0})", "qml.Barrier({all})", "qml.GroverOperator({n2})", "qml.Permute({n2}[::-1], {n2})",
    "qml.BlockEncode(np.array([[0.3]]), {q0})",
)  # fmt: skip
TEMPLATES = (
    "qml.AngleEmbedding([{a}], [{q0}], rotation='{axis}')", "qml.AngleEmbedding([{a}, {a}], {n2}, rotation='{axis}')",
    "qml.AngleEmbedding({v2}, {n2})", "qml.BasicEntanglerLayers({v2}[None], {n2})",
    "qml.BasicEntanglerLayers({v2}.reshape(1, 2), {n2}, rotation=qml.RZ)", "qml.BasicEntanglerLayers({v3}[None], {n3})",
    "qml.StronglyEntanglingLayers({v3}.reshape(1, 1, 3), [{q0}])",
    "qml.SimplifiedTwoDesign({v2}, {v2}.reshape(1, 1, 2), {n2})", "qml.IQPEmbedding([{a}, {x}], {n2}, n_repeats=2)",
    "qml.IQPEmbedding([{x}, {x}], {n2})", "qml.QAOAEmbedding([{x}, 0.3], {v3}.reshape(1, 3), {n2})",
    "qml.RandomLayers({v2}[None], {n2}, seed=3)", "qml.ArbitraryUnitary({v3}, [{q0}])",
    "qml.exp(qml.{axis}({q0}), -1j * {p})", "qml.evolve(qml.X({q0}) @ qml.Y({q1}) + 0.5 * qml.Z({q0}), {a})",
    "qml.evolve(qml.X({q0}) + 0.5 * qml.Z({q0}), {a})", "qml.exp(qml.Hermitian(H[2], {n2}), 1j * ({a}))",
    "qml.TrotterProduct(qml.X({q0}) + qml.Z({q0}), {p}, n=2)",
    "qml.CommutingEvolution(qml.X({q0}) @ qml.X({q1}) + qml.Z({q0}) @ qml.Z({q1}), {p})",
    "qml.ApproxTimeEvolution(qml.X({q0}) + 0.3 * qml.Z({q0}), {p}, 2)", "qml.MottonenStatePreparation(U[2][0], {n2})",
)  # fmt: skip
WRAPPED = (
    "qml.ctrl(qml.R{axis}({a}, {q0}), {q1})", "qml.ctrl(qml.R{axis}({a}, {q0}), {q1}, control_values=[0])",
    "qml.ctrl(qml.Rot({a}, {a}, {a}, {q0}), [{q1}, {q2}], control_values=[0, 1])",
    "qml.ctrl(qml.IsingXY({a}, {n2}), {q2}, control_values=0)", "qml.ctrl(qml.SWAP({n2}), {q2})",
    "qml.ctrl(qml.U2({a}, {a}, {q0}), {q1})", "qml.ctrl(qml.QubitUnitary(U[1], {q0}), {q1}, control_values=[0])",
    "qml.ctrl(qml.SingleExcitation({a}, {n2}), {q2})", "qml.ctrl(qml.GlobalPhase({a}), {q0})",
    "qml.ctrl(qml.adjoint(qml.Rot({a}, {a}, 0.2, {q0})), {q1})", "qml.ctrl(qml.PhaseShift({a}, {q0}), {q1})",
    "qml.ctrl(qml.PauliRot({a}, 'XY', {n2}), {q2})", "qml.ctrl(qml.Hadamard({q0}), {q1}, control_values=[0])",
    "qml.ctrl(qml.BasicEntanglerLayers, {q2})({v2}[None], {n2})", "qml.ctrl(qml.CRX({a}, {n2}), {q2})",
    "qml.ctrl(qml.evolve(qml.X({q0}) + qml.Z({q0}), {a}), {q1})", "qml.ctrl(qml.FermionicSWAP({a}, {n2}), {q2})",
    "qml.adjoint({gate})", "qml.adjoint({gate})", "qml.adjoint(qml.adjoint({gate}))",
    "qml.adjoint(qml.IQPEmbedding([{a}, {x}], {n2}))", "qml.adjoint(qml.QFT({all}))", "qml.pow({gate}, 2)",
    "qml.pow(qml.R{axis}({a}, {q0}), -1)", "qml.pow(qml.R{axis}({a}, {q0}), -3)", "qml.pow(qml.S({q0}), -3)",
    "qml.pow(qml.X({q0}), 0.3)", "qml.pow(qml.CNOT({n2}), 3)", "qml.prod(qml.RX({a}, {q0}), qml.RY({a}, {q0}))",
    "qml.change_op_basis(qml.Hadamard({q0}), qml.RZ({a}, {q0}))", "[qml.RX({a}, q) for q in {all}]",
    "qml.SelectPauliRot(U[1].real[0], [{q0}], {q1})",
    "qml.cond(True, qml.RX)({a}, {q0})", "qml.Snapshot()",
)  # fmt: skip
FIXED_STATES = ("qml.BasisState([1] * {count}, {all})", "qml.StatePrep(U[1][0], {q0})", "qml.BasisState([1], [{q0}])")
STATES: dict[tuple[tuple[int, ...], bool], tuple[str, ...]] = {
    ((2,), False): ("qml.AmplitudeEmbedding(x, [{q0}], normalize=True)",),
    ((2,), True): (
        "qml.AmplitudeEmbedding(x, [{q0}], normalize=True)", "qml.BasisEmbedding((x > 0).astype(int), {n2})",
        "qml.AmplitudeEmbedding(x, {n2}, pad_with=0.5, normalize=True)", "qml.BasisState([int(x[0] > 0)], [{q1}])",
        "qml.StatePrep(np.array([math.cos(x[0]), 1j * math.sin(x[0])]), [{q1}])",
    ),
    ((4,), True): (
        "qml.AmplitudeEmbedding(x, {n2}, normalize=True)", "qml.StatePrep(x / np.linalg.norm(x), {n2})",
        "qml.MottonenStatePreparation(x / np.linalg.norm(x), {n2})", "qml.AmplitudeEmbedding(x + 0.2j * x[::-1], {n2}, normalize=True)",
        "qml.BasisState([int(x[0] > 0), int(x[1] > 0)], {n2})", "qml.AmplitudeEmbedding(x[:3], {n2}, pad_with=0.1j, normalize=True)",
        "qml.StatePrep(x[:2], [{q0}], normalize=True)",
    ),
    ((2, 2), True): ("qml.AmplitudeEmbedding(x.reshape(-1), {n2}, normalize=True)", "qml.AmplitudeEmbedding(x[0], [{q0}], normalize=True)"),
    ((1,), False): ("qml.BasisEmbedding([int(x[0] > 0)], [{q0}])",),
    ((1,), True): ("qml.BasisEmbedding([int(x[0] > 0)], [{q1}])",),
    ((), True): ("qml.BasisEmbedding(int(x > 0) + 2, {n2})",),
}  # fmt: skip
OBSERVABLES: tuple[str, ...] = (
    "qml.Z({q0})", "qml.Z({q0})", "qml.{axis}({q0})", "qml.{axis}({q0}) @ qml.{axis}({q1})", "qml.X({q0}) + 0.5 * qml.Z({q0})",
    "qml.Hamiltonian([0.3, -0.7], [qml.Z({q0}), qml.X({q0}) @ qml.Z({q1})])", "qml.Hermitian(H[1], {q0})",
    "qml.Hermitian(H[2], {n2})", "qml.Hermitian(H[1], {q1}) @ qml.Y({q0})", "qml.Projector([1], [{q0}])",
    "qml.Projector([0, 1], {n2})", "qml.Projector(U[1][0], [{q0}])", "qml.Projector([0] * {count}, {all})",
    "qml.Projector([1], [{q0}]) @ qml.{axis}({q1})", "qml.SparseHamiltonian(words.SPARSE, {n2})",
    "qml.Identity({q0}) + qml.{axis}({q0})", "2 * qml.Identity({q0}) + 0.3 * qml.Z({q1})", "qml.prod(qml.X({q0}), qml.Hadamard({q0}), qml.X({q0}))",
    "qml.Hadamard({q0})", "qml.s_prod(0.4, qml.Z({q0})) - qml.s_prod(0.1, qml.Hermitian(H[1], {q0}))", "qml.sum(qml.{axis}({q0}), qml.Projector([1, 1], {n2}))",
    "qml.dot([0.2, 0.5], [qml.X({q0}), qml.Y({q0})])", "qml.Z({q0}) ** 2 + qml.{axis}({q0})", "qml.Hamiltonian([1.0, 2.0], [qml.Z({q0}), qml.Z({q0})])",
    "qml.{axis}({q0}) @ qml.{axis}({q1}) @ qml.{axis}({q2})", "(qml.X({q0}) + qml.Z({q0})) @ (qml.Z({q1}) - 0.4 * qml.Identity({q1}))",
    "qml.adjoint(qml.Z({q0}))", "-qml.Z({q0})", "qml.Hermitian(H[2], {n2}) + qml.Hermitian(H[1], {q0})",
)  # fmt: skip
OBSERVABLES_WITH_ROWS: tuple[str, ...] = (
    "{x} * qml.Z({q0})", "qml.Projector([int({x} > 0)], [{q0}])", "qml.Hermitian(np.array([[{x}, 1j], [-1j, {x}]]), {q0})",
    "qml.X({q0}) + {x} * qml.Z({q0})", "qml.Hamiltonian([{x}, 1.0], [qml.Z({q0}), qml.X({q0}) @ qml.{axis}({q1})])",
    "qml.Projector([int({x} > 0), 1], {n2})", "qml.Projector(np.array([math.cos({x}), math.sin({x})]), [{q0}])",
    "{x} * qml.Projector([1], [{q0}]) + qml.{axis}({q0})",
)  # fmt: skip
PREFACES = ("assert True", "'''Words.'''", "unused = 1", "zeros = np.zeros(3)", "table = [0.1, 0.2]")
_PLAIN = "qml.QNode(circuit, dev, **how)"
MADE = (
    _PLAIN,
    *(f"{name}({_PLAIN})" for name in (
        "qml.compile", "qml.transforms.merge_rotations", "qml.transforms.single_qubit_fusion",
        "qml.transforms.cancel_inverses", "qml.transforms.commute_controlled", "qml.defer_measurements",
        "qml.transforms.split_non_commuting", "qml.transforms.undo_swaps", "qml.transforms.remove_barrier",
        "qml.transforms.split_to_single_terms", "qml.transforms.combine_global_phases", "qml.simplify",
    )),
    f"qml.transforms.decompose({_PLAIN}, gate_set=<'RX', 'RY', 'RZ', 'CNOT', 'GlobalPhase'>>)",
    "qml.QNode(circuit, dev, interface='torch', **how)", "qml.QNode(circuit, dev, interface='autograd', **how)",
    "qml.QNode(circuit, dev, diff_method='parameter-shift', **how)", "qml.QNode(circuit, dev, diff_method='finite-diff', **how)",
    "qml.QNode(circuit, dev, diff_method=None, **how)", f"qml.compile(qml.compile({_PLAIN}))",
    f"qml.map_wires({_PLAIN}, <0: 0>>)",
)  # fmt: skip
MADE = tuple(text.replace("<", "{").replace(">>", "}") for text in MADE)
DEVICES = (
    "qml.device('default.qubit', wires=WIRES)", "qml.device('default.qubit')", "qml.device('default.mixed', wires=WIRES)",
    "qml.device('default.qubit', wires=[*WIRES, 'idle', 99])", "qml.device('reference.qubit', wires=WIRES)",
    "qml.add_noise(qml.device('default.mixed', wires=WIRES), words.NO_NOISE)",
)  # fmt: skip


_DAMPING = qml.noise.partial_wires(qml.AmplitudeDamping, 0.1)
NOISE = qml.NoiseModel({qml.noise.op_eq(qml.RY): _DAMPING})
NO_NOISE = qml.NoiseModel({qml.noise.op_eq(qml.QubitSum): _DAMPING})


class Refused(NamedTuple):
    """Something that must be refused.

    Attributes:
        lines: added to the circuit.
        end: the return, where it is another one.
        made, device: how the QNode is made, where that matters.
    """

    lines: tuple[str, ...] = ()
    end: str = ""
    made: str = ""
    device: str = ""


REFUSED = {
    "sine of a parameter": Refused(("qml.RX(np.sin({p}), {q0})",)),
    "square of a parameter": Refused(("qml.RZ(0.3 + {p} ** 2, {q0})",)),
    "product of parameters": Refused(("qml.RY({p} * ({p} + 1), {q0})",)),
    "absolute value of a parameter": Refused(("qml.RY(abs({p}), {q0})",)),
    "maximum of a parameter": Refused(("qml.RY(max({p}, 0), {q0})",)),
    "clipped parameter": Refused(("qml.RY(np.clip({p}, -1, 1), {q0})",)),
    "branch on a parameter": Refused(("qml.RY({p} if {p} > 0.5 else 0.1, {q0})",)),
    "gate of a parameter's sign": Refused(("qml.X({q0}) if {p} > 0.2 else qml.Z({q0})",)),
    "coefficient of a parameter": Refused(end="return qml.expval({p} * qml.Z({q0}))"),
    "observable of a parameter": Refused(end="return qml.expval(qml.Hermitian(np.diag([{p}, 1.0]), {q0}))"),
    "probabilities": Refused(end="return qml.probs({all})"),
    "variance": Refused(end="return qml.var(qml.Z({q0}))"),
    "state": Refused(end="return qml.state()"),
    "two values": Refused(end="return qml.expval(qml.Z({q0})), qml.expval(qml.X({q0}))"),
    "shots": Refused(made=f"qml.set_shots({_PLAIN}, 10)"),
    "channel": Refused(("qml.AmplitudeDamping(0.2, {q0})",), device="qml.device('default.mixed', wires=WIRES)"),
    "noise of the device": Refused(
        ("qml.RY({p}, {q0})",), "return qml.expval(qml.Z({q0}))", _PLAIN,
        "qml.add_noise(qml.device('default.mixed', wires=WIRES), words.NOISE)",
    ),
    "noise by a transform": Refused(
        ("qml.RY({p}, {q0})",), "return qml.expval(qml.Z({q0}))", f"qml.add_noise({_PLAIN}, words.NOISE)",
        "qml.device('default.mixed', wires=WIRES)",
    ),
    "bit flip": Refused(("qml.BitFlip(0.2, {q0})",), device="qml.device('default.mixed', wires=WIRES)"),
    "measured bit": Refused(("qml.cond(qml.measure({q0}), qml.X)({q0})",), made=_PLAIN, device="qml.device('default.qubit')"),
    "drawn angle": Refused(("qml.RX(np.random.default_rng().normal(), {q0})",)),
    "squared by a transform": Refused(made=f"words.squared({_PLAIN})"),
    "absolute value by a transform": Refused(made=f"words.rectified({_PLAIN})"),
    "counts its calls": Refused(("words.CALLS.append(1)", "qml.RX(0.1 * len(words.CALLS), {q0})")),
}  # fmt: skip

CALLS: list[int] = []


@qml.transform  # type: ignore[untyped-decorator]
def squared(tape: Any) -> Any:
    """The square of the value."""
    return (tape,), lambda results: results[0] ** 2


@qml.transform  # type: ignore[untyped-decorator]
def rectified(tape: Any) -> Any:
    """The value where it is positive, else 0."""
    return (tape,), lambda results: qml.math.maximum(results[0], 0.0 * results[0])
