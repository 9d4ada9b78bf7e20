"""QNodes as users write them, drawn from a grammar: their source, how `from_qnode` is called, and what must happen."""

from __future__ import annotations

import functools
import math
import random
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pennylane as qml
import qnode_words as words
import torch
from hypothesis import strategies as st

NAMES = ("a wire", 0, "b", 7)  # of wires


@dataclass(frozen=True)
class Draw:
    """One QNode and one call of `from_qnode`.

    Attributes:
        source: defines ``circuit``, ``dev`` and ``node``; ``how`` is in its scope, which `qml.QNode` gets.
        params: in the form that the user has.
        features: rows, or None.
        targets: one for each row, or None.
        order: of the arguments: names of the parameters, ``"x"`` for a row.
        call: other arguments of `from_qnode`.
        refused: why it must be refused; None: it may be taken.
    """

    source: str
    params: Any
    features: Any
    targets: Any
    order: tuple[str, ...]
    call: dict[str, Any] = field(default_factory=dict)
    refused: str | None = None

    def node(self, **how: Any) -> Any:
        """The QNode, made anew."""
        scope = {"np": np, "qml": qml, "math": math, "functools": functools, "torch": torch, "how": how}
        scope |= {"U": words.UNITARIES, "H": words.HERMITIANS, "words": words}
        exec(self.source, scope)
        return scope["node"]

    def arguments(self, params: Any, row: Any) -> list[Any]:
        """What a user calls the QNode with."""
        names = [name for name in self.order if name != "x"]
        values = params if len(names) > 1 and isinstance(params, tuple) else (params,)
        given = dict(params) if isinstance(params, dict) else dict(zip(names, values, strict=True))
        return [row if name == "x" else given[name] for name in self.order]

    def __repr__(self) -> str:
        return (
            f"{self.source}\n# params = {self.params!r}\n# features = {self.features!r}\n# {self.call}, {self.refused}"
        )


@dataclass(frozen=True)
class Form:
    """A form of the parameters.

    Attributes:
        example: the parameters.
        names: arguments that they are.
        scalars: texts of single parameters.
        vectors: texts of arrays of one axis, by their length.
    """

    example: Any
    names: tuple[str, ...]
    scalars: tuple[str, ...]
    vectors: dict[int, str] = field(default_factory=dict)


A = np.array
FORMS = (
    Form(A([0.4, -0.7, 1.3]), ("w",), ("w[0]", "w[1]", "w[-1]"), {1: "w[:1]", 2: "w[:2]", 3: "w"}),
    Form(A([[0.4, -0.7], [0.9, 0.2]]), ("w",), ("w[0, 1]", "w[1][0]", "w[-1, -1]"), {2: "w[1]", 1: "w[0, :1]"}),
    Form(qml.numpy.array([0.4, -0.7], requires_grad=True), ("w",), ("w[0]", "w[1]"), {2: "w"}),
    Form(0.6, ("theta",), ("theta",)),
    Form([0.4, -0.7, 1.3], ("w",), ("w[0]", "w[1]", "w[2]")),
    Form([A([0.4]), A([-0.7, 1.3])], ("w",), ("w[0][0]", "w[1][0]", "w[1][1]"), {1: "w[0]", 2: "w[1]"}),
    Form((A([0.4, -0.7]), 1.3), ("a", "b"), ("a[0]", "a[1]", "b"), {2: "a"}),
    Form((A([0.4, -0.7]), [0.2]), ("a", "b"), ("a[0]", "a[1]", "b[0]"), {2: "a"}),
    Form({"a": A([0.4, -0.7]), "b": 1.3}, ("a", "b"), ("a[1]", "a[0]", "b"), {2: "a"}),
    Form({"b": A([[0.4]]), "a": [0.3, 1.1]}, ("b", "a"), ("a[1]", "b[0, 0]", "a[0]"), {1: "b[0]"}),
)  # fmt: skip
ROW_SHAPES = ((), (1,), (2,), (4,), (2, 2))
X_SCALARS = {
    (): ("x",),
    (1,): ("x[0]",),
    (2,): ("x[0]", "x[1]", "x[-1]"),
    (4,): ("x[0]", "x[1]", "x[3]", "x[:2].sum()"),
    (2, 2): ("x[0, 1]", "x[1][0]", "x[1].mean()"),
}


def qnodes() -> st.SearchStrategy[Draw]:
    """QNodes of the grammar: one for each seed, so that none is a small change of another."""
    return st.integers(0, 2**64 - 1).map(lambda seed: _Writer(random.Random(seed)).write())


class _Writer:
    """Writes one QNode, drawing as it goes."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.refused: str | None = None
        self.form: Form = self.pick(FORMS)
        self.has_rows = self.chance(70)
        self.shape: tuple[int, ...] = self.pick(ROW_SHAPES) if self.has_rows else ()
        self.n_wires = self.pick((1, 2, 2, 3, 3, 4))
        self.wires: list[Any] = list(range(self.n_wires))
        if self.chance(15):
            self.wires = list(NAMES[: self.n_wires])
        self.depth = self.chance(10)

    def pick(self, options: Any) -> Any:
        return self.rng.choice(list(options))

    def chance(self, percent: int) -> bool:
        return self.rng.randrange(100) < percent

    def write(self) -> Draw:
        """Everything."""
        bad = self.pick(tuple(words.REFUSED)) if self.chance(22) else None
        lines = self.state() if self.has_rows and self.chance(25) else []
        if not lines and self.chance(6):
            lines = [self.filled(self.pick(words.FIXED_STATES))]
        lines += [f"qml.RY({0.3 + 0.2 * k}, {wire!r})" for k, wire in enumerate(self.wires) if self.chance(40)]
        lines += [self.filled("qml.R{axis}({p}, {q0})")]
        lines += [self.gate() for _ in range(self.rng.randint(1, 4))]
        if self.chance(8):
            lines.insert(0, self.pick(words.PREFACES))
        observable = self.observable()
        end = f"return qml.expval({observable})"
        made, device = self.made(), self.device()
        if bad is not None:
            what = words.REFUSED[bad]
            self.refused = bad
            lines += [self.filled(line) for line in what.lines]
            end = self.filled(what.end) if what.end else end
            made, device = what.made or made, what.device or device
        return self.finished(lines, end, made, device)

    def finished(self, lines: list[str], end: str, made: str, device: str) -> Draw:
        """The source, and the call."""
        names, call = list(self.form.names), dict[str, Any]()
        order = list(names)
        if self.has_rows:
            order.insert(self.rng.randint(0, len(names)) if self.chance(40) else len(names), "x")
            if order[-1] != "x" and not isinstance(self.form.example, dict):
                call["argnum"] = names if len(names) > 1 else self.pick((names[0], [order.index(names[0])]))
        arguments = ", ".join(order)
        if self.depth:
            arguments += ", *, depth" + self.pick(("", "=1"))
            if self.chance(50):
                call["depth"] = 2
                lines.append(f"for _ in range(depth): qml.RX({self.angle()}, {self.wires[0]!r})")
            else:
                made = f"functools.partial({made}, depth=2)"
        body = "\n".join(f"    {line}" for line in (*lines, end))
        source = f"def circuit({arguments}):\n{body}\ndev = {device.replace('WIRES', repr(self.wires))}\nnode = {made}"
        rows = targets = None
        if self.has_rows:
            rng = np.random.default_rng(self.rng.getrandbits(16))
            rows = np.round(rng.normal(size=(self.pick((1, 1, 1, 2, 2, 3)), *self.shape)), 3)
            targets = rng.choice([-1.0, 1.0, 0.5], len(rows))
            call["reduction"] = self.pick(("mean", "mean", "sum"))
        elif self.chance(15):
            call["loss"] = "infidelity"
        return Draw(source, self.form.example, rows, targets, tuple(order), call, self.refused)

    # --- parts ------------------------------------------------------------------------------------------

    def angle(self) -> str:
        """An angle that is affine in the parameters."""
        kinds = words.ANGLES_WITH_ROWS if self.has_rows and self.chance(50) else words.ANGLES
        return self.filled(self.pick(kinds))

    def filled(self, text: str) -> str:
        """A template with its places filled: angles, parameters, features, wires, vectors."""
        wires = list(self.wires)
        while "{" in text:
            start, end = text.index("{"), text.index("}")
            text = text[:start] + str(self.part(text[start + 1 : end], wires)) + text[end + 1 :]
        return text

    def part(self, name: str, wires: list[Any]) -> Any:
        if name == "a":
            return self.angle()
        if name == "p":
            return self.pick(self.form.scalars)
        if name == "x":
            return self.pick(X_SCALARS[self.shape]) if self.has_rows else "0.7"
        if name == "axis":
            return self.pick("XYZ")
        if name == "gate":
            return self.gate(plain=True)
        if name[0] == "v":
            return self.form.vectors[int(name[1:])]
        if name[0] == "q":
            return repr(wires[int(name[1:])])
        if name[0] == "n" and name != "count":  # the first n wires
            return repr(wires[: int(name[1:])])
        return len(wires) if name == "count" else repr(wires)

    def fits(self, text: str) -> bool:
        """Whether there are wires, vectors and rows for a template."""
        places = [(kind, int(size)) for kind, size in re.findall(r"{([qnv])(\d)}", text)]
        vectors = [size for kind, size in places if kind == "v"]
        needed = max((size + (kind == "q") for kind, size in places if kind != "v"), default=1)
        return needed <= self.n_wires and all(size in self.form.vectors for size in vectors)

    def gate(self, plain: bool = False) -> str:
        """One gate, or a template."""
        by_kind = (words.ROTATIONS, words.ROTATIONS, words.ROTATIONS, words.FIXED)
        kind = self.pick(by_kind if plain else (*by_kind, words.TEMPLATES, words.WRAPPED))
        self.order_wires()
        return self.filled(self.pick([text for text in kind if self.fits(text)]))

    def order_wires(self) -> None:
        if self.chance(40):
            self.wires = self.rng.sample(self.wires, len(self.wires))

    def state(self) -> list[str]:
        """An initial state of the sample."""
        kinds = words.STATES.get((self.shape, self.n_wires > 1), ())
        return [self.filled(self.pick(kinds))] if kinds else []

    def observable(self) -> str:
        self.order_wires()
        kinds = words.OBSERVABLES + (words.OBSERVABLES_WITH_ROWS if self.has_rows else ())
        return self.filled(self.pick([text for text in kinds if self.fits(text)]))

    def made(self) -> str:
        return self.pick(words.MADE) if self.chance(25) else words.MADE[0]

    def device(self) -> str:
        return self.pick(words.DEVICES) if self.chance(20) else words.DEVICES[0]
