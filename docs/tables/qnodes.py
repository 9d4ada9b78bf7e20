"""The table of docs/qnodes.md: what `from_qnode` takes, what it refuses, and the way out. Every line is run."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pennylane as qml
import scipy.linalg

import vqc_landscape as vl

ROWS = np.random.default_rng(0).normal(size=(6, 4))
PARAMS = np.array([0.3, 0.7, 1.1, 1.9])
SCOPE = {"np": np, "qml": qml, "scipy": scipy, "functools": functools}


class Line(NamedTuple):
    """One line of the table.

    Attributes:
        what: in words.
        code: in the QNode ``circuit(w, x)``; ``return`` and what is before it are added where they are missing.
        refused: a part of the error's text; None: it is taken.
        way_out: what to write instead.
        made: how the QNode is made of ``circuit``.
        call: further arguments of ``from_qnode``, as they are written.
    """

    what: str
    code: str
    refused: str | None = None
    way_out: str = ""
    made: str = 'qml.QNode(circuit, qml.device("default.qubit", wires=6))'
    call: str = ""


NOISE = (
    "qml.QNode(circuit, qml.add_noise(qml.device('default.mixed', wires=4), "
    "qml.NoiseModel({qml.noise.op_eq(qml.RX): qml.noise.partial_wires(qml.AmplitudeDamping, 0.1)})))"
)
TABLE = {
    "Angles": [
        Line("sums of parameters, shared and scaled", "qml.RX(2 * w[0] - w[1] + 0.3, 0)"),
        Line("times any function of the features", "qml.RX(w[0] * np.sin(x[0]) + x[1] ** 2, 0)"),
        Line("dot products", "qml.RX(np.dot(w, x), 0)"),
        Line("branches on features inside an angle", "qml.RX(w[0] * (1 if x[0] > 0 else 2), 0)"),
        Line("nonlinear in a parameter", "qml.RX(np.sin(w[0]), 0)", "is not affine", "make `sin(w)` the parameter"),
        Line("products of parameters", "qml.RX(w[0] * w[1], 0)", "is not affine", "make the product a parameter"),
        Line("single precision", "qml.RX(np.float32(w[0]), 0)", "single precision", "float64"),
        Line("many angles at once", "qml.RX(w, 0)", "angles at once", "rows of a batch as `features`"),
    ],
    "Gates": [
        Line("all rotations, controlled ones, excitations", "qml.CRot(*w[:3], [0, 1]); qml.DoubleExcitation(w[3], range(4))"),
        Line("templates, their adjoints and powers", "qml.adjoint(qml.BasicEntanglerLayers)(w[None], range(4))"),
        Line("controls of anything", "qml.ctrl(qml.Rot(*w[:3], 0), [1, 2], control_values=[0, 1])"),
        Line("matrices on up to 6 wires", "qml.QubitUnitary(scipy.linalg.expm(0.1j * np.ones((16, 16))), range(4))"),
        Line("exponentials", "qml.exp(qml.X(0) + qml.Z(0) @ qml.Z(1), -1j * w[0])"),
        Line("behind a compiler", "qml.RX(w[0], 0); qml.RX(w[1], 0)", made="qml.compile(qml.QNode(circuit, qml.device('default.qubit')))"),
        Line("a matrix of the sample, one wire", "qml.QubitUnitary(scipy.linalg.expm(1j * x[0] * np.ones((2, 2))), 0)"),
        Line("the same on more wires", "qml.QubitUnitary(scipy.linalg.expm(1j * x[0] * np.ones((4, 4))), [0, 1])", "depends on the features", "rotations"),
        Line("gates that depend on the sample", "if x[0] > 0: qml.X(0)", "depend on its features", "`qml.RX(np.pi * (x[0] > 0), 0)`"),
        Line("gates drawn at random in each call", "qml.RandomLayers(w[None], range(4), seed=None)", "drawn at random", "a seed"),
        Line("measurements within the circuit", "m = qml.measure(0); qml.cond(m, qml.RX)(w[0], 1)", "measures within", "`qml.defer_measurements(qnode)`"),
        Line("the way out", "m = qml.measure(0); qml.cond(m, qml.RX)(w[0], 1)", made="qml.defer_measurements(qml.QNode(circuit, qml.device('default.qubit')))"),
        Line("channels", "qml.RX(w[0], 0); qml.PhaseDamping(0.1, 0)", "is noise", "a circuit without noise"),
    ],
    "Initial states": [
        Line("amplitudes of the sample, signed or complex", "qml.AmplitudeEmbedding(x, [0, 1], normalize=True)"),
        Line("padded", "qml.AmplitudeEmbedding(x[:3], [0, 1], pad_with=0.1, normalize=True)"),
        Line("bits of the sample", "qml.BasisEmbedding((x > 0).astype(int), range(4))"),
        Line("Mottonen's circuit", "qml.MottonenStatePreparation(x / np.linalg.norm(x), [0, 1])"),
        Line("states of parameters", "qml.StatePrep(w / np.linalg.norm(w), [0, 1])", "depends on the parameters", "gates with these angles"),
    ],
    "Observables": [
        Line("Pauli words and sums", "return qml.expval(0.5 * qml.X(0) @ qml.Z(1) - qml.Y(2))"),
        Line("hermitian matrices on up to 10 wires", "return qml.expval(qml.Hermitian(np.ones((4, 4)), [0, 1]) @ qml.Z(2))"),
        Line("projectors on some of the wires", "return qml.expval(qml.Projector([1, 0], [2, 0]))"),
        Line("sparse ones", "return qml.expval(qml.SparseHamiltonian(qml.Z(0).sparse_matrix(), [0]))"),
        Line("coefficients and matrices of the sample", "return qml.expval(x[0] * qml.Z(0) + qml.Hermitian(np.diag(x), [1, 2]))"),
        Line("the label's projector", "return qml.expval(qml.Projector([int(x[0] > 0)], 0))"),
        Line("coefficients that are parameters", "return qml.expval(w[0] * qml.Z(0))", "depends on the parameters", "the coefficient outside of the QNode"),
        Line("several values", "return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))", "must return one qml.expval", "their weighted sum"),
        Line("probabilities", "return qml.probs(0)", "must return one qml.expval", "`qml.expval(qml.Projector(bits, wires))`"),
        Line("variances, states, samples", "return qml.var(qml.Z(0))", "must return one qml.expval"),
    ],
    "Arguments": [
        Line("several arrays", "pass", made="qml.QNode(two, qml.device('default.qubit'))", call="params=(w[:2], w[2:]), argnum=['a', 'b']"),
        Line("by keyword", "pass", made="qml.QNode(two, qml.device('default.qubit'))", call="params={'b': w[2:], 'a': w[:2]}"),
        Line("data first", "pass", made="qml.QNode(data_first, qml.device('default.qubit'))", call="argnum='weights'"),
        Line("data first, unsaid", "pass", "is ambiguous", "`argnum`", made="qml.QNode(data_first, qml.device('default.qubit'))"),
        Line("fixed arguments", "pass", made="functools.partial(qml.QNode(deep, qml.device('default.qubit')), depth=2)"),
        Line("as keywords", "pass", made="qml.QNode(deep, qml.device('default.qubit'))", call="depth=2"),
        Line("without a value", "pass", "has no value", "a keyword, or `functools.partial`", made="qml.QNode(deep, qml.device('default.qubit'))"),
    ],
    "Devices": [
        Line("without noise", "qml.RX(w[0], 0)", made="qml.QNode(circuit, qml.device('default.mixed', wires=4))"),
        Line("with noise", "qml.RX(w[0], 0)", "changes its value", "a device without noise", made=NOISE),
        Line("idle wires cost nothing", "qml.RX(w[0], 0)", made="qml.QNode(circuit, qml.device('default.qubit', wires=40))"),
        Line("shots", "qml.RX(w[0], 0)", "takes 100 shots", "`qml.set_shots(qnode, None)`", made="qml.set_shots(qml.QNode(circuit, qml.device('default.qubit')), 100)"),
        Line("a function", "qml.RX(w[0], 0)", "must be a PennyLane QNode", "`qml.QNode(function, device)`", made="circuit"),
    ],
}  # fmt: skip


def two(a: Any, x: Any, b: Any = (0.1, 0.2)) -> Any:
    """Two arrays of parameters, the data between them."""
    qml.RX(a[0] * x[0], 0)
    qml.RY(a[1] + b[0], 0)
    qml.RX(b[1], 0)
    return qml.expval(qml.Z(0))


def data_first(inputs: Any, weights: Any) -> Any:
    """The order of PennyLane's TorchLayer."""
    qml.AngleEmbedding(inputs, range(4))
    qml.AngleEmbedding(weights, range(4), rotation="Y")
    return qml.expval(qml.Z(0))


def deep(w: Any, x: Any, depth: int) -> Any:
    """An argument that is the same in every call."""
    for _ in range(depth):
        qml.RX(w[0] * x[0], 0)
        qml.RY(w[1], 0)
    return qml.expval(qml.Z(0))


def outcome(line: Line) -> str | None:
    """Run a line: None if it is taken, else what the error says.

    Raises:
        AssertionError: the table says something else.
    """
    scope = SCOPE | {"two": two, "data_first": data_first, "deep": deep}
    before, after = "qml.RY(0.3, 0)", "return qml.expval(qml.Z(0) + qml.Z(1))"
    if line.code.startswith("return"):
        before, after = "qml.RX(w[0] * x[0], 0); qml.CRY(w[1], [0, 1]); qml.RX(w[2], 1)", ""
    elif "qml.RX(w" not in line.code:
        after = f"qml.RX(w[0], 0)\n{after}"
    if line.code.split("(")[0].endswith(("Embedding", "Preparation", "StatePrep")):
        before = ""
    body = "\n".join((before, line.code, after))
    exec(f"def circuit(w, x):\n{textwrap.indent(body, '    ')}", scope)
    qnode = eval(line.made, scope)
    how = eval(f"dict({line.call})", scope | {"w": PARAMS})
    try:
        risk = vl.from_qnode(qnode, how.pop("params", PARAMS), ROWS, np.ones(len(ROWS)), **how)
        assert np.isfinite(risk.hessian(PARAMS)).all()
        said = None
    except ValueError as error:
        said = str(error)
    right = said is None if line.refused is None else said is not None and line.refused in said
    assert right, f"{line.what}: {line.code} {line.made} {line.call}: {said}"
    return said


def lines() -> Iterator[Line]:
    """All lines."""
    for section in TABLE.values():
        yield from section


def markdown() -> str:
    """The table, each line run."""
    text = ["| | in the QNode `circuit(w, x)` | | way out |", "| --- | --- | --- | --- |"]
    for section, members in TABLE.items():
        text.append(f"| **{section}** | | | |")
        for line in members:
            said = outcome(line)
            code = line.code if line.code != "pass" else f"from_qnode({line.made}, {line.call})".replace(", )", ")")
            if line.made == NOISE:
                code = "on `qml.add_noise(device, noise_model)`"
            elif line.code != "pass" and line.made not in (Line._field_defaults["made"], "circuit"):
                code = f"`{line.code}`, as `{line.made.replace('circuit, ', '...')}`"
            shown = code if "`" in code else f"`{code}`"
            verdict = "taken" if said is None else f"refused: *{said.split('. ')[0].split(': ')[0]}*"
            text.append(f"| {line.what} | {shown.replace('|', '&#124;')} | {verdict} | {line.way_out} |")
    return "\n".join(text)
