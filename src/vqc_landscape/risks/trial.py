"""A reading of a QNode is a claim about it: here it is tried against the QNode itself, before anybody gets a number.

The QNode is run as its user would run it: on its device, with all of its transforms. Compared are its values on a few
rows at a generic point, and one directional derivative there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.circuits.observables import PauliSum, ProductSum
from vqc_landscape.circuits.qnode.execute import adds_up, execute, execute_plainly, inexact_operation
from vqc_landscape.circuits.qnode.parts import NotTakenError
from vqc_landscape.circuits.qnode.read import Reading
from vqc_landscape.circuits.qnode.tape import Rows
from vqc_landscape.risks.risk import Risk

SLOW = 1.0  # seconds of a run, from which there is no second one; chosen by us
N_ROWS = 4  # first, last, and some between; chosen by us
STEP = 0.01  # of the derivative, times the highest frequency: its error is 1e-8 / 30 of value times frequency
ATOL = 1e-9  # of a value in float64 by another program; the same for derivatives
ATOL_SINGLE = 1e-4  # the same where the device computes in single precision: there default.qubit is asked, too


@dataclass(frozen=True)
class Trial:
    """What a trial has seen.

    Attributes:
        n_runs: runs of the QNode.
        difference: the largest one of a value, relative to the size of the observable where that is above 1.
    """

    n_runs: int
    difference: float

    def __str__(self) -> str:
        runs = "one run, as it is slow" if self.n_runs == 1 else f"{self.n_runs} runs"
        return f"tried against the QNode itself: {runs}, largest difference {self.difference:.0e}"


class TrialError(NotTakenError):
    """The QNode gives another number than what was read of it."""


def try_out(risk: Risk, reading: Reading, rows: Rows, example: Array) -> Trial:
    """Compare a risk with its QNode, at a generic point and at the one that the user gives as an example.

    Raises:
        TrialError: they differ; the message says in what.
        NotTakenError: the QNode cannot be run.
    """
    return _Trial(risk, reading, rows).run(example)


class _Trial:
    def __init__(self, risk: Risk, reading: Reading, rows: Rows) -> None:
        self.risk, self.reading, self.rows = risk, reading, rows
        self.rng = np.random.default_rng(0)
        self.size = max(1.0, _size(reading, rows))
        self.is_single = np.dtype(getattr(reading.tapes.qnode.device, "c_dtype", complex)) == np.complex64
        self.n_runs, self.largest, self.seconds = 0, 0.0, 0.0

    def run(self, example: Array) -> Trial:
        theta = self.rng.uniform(-np.pi, np.pi, self.risk.n_params)
        if not adds_up(self.reading.tapes, theta, None if self.rows is None else self.rows[0], self.size):
            raise TrialError(
                f"A transform of {self.reading.call.name} makes something else of its values than a sum with fixed "
                "weights. Give the QNode without it, and use the chain rule."
            )
        self._compare(theta, 0)
        if self.seconds < SLOW:
            for k in self._other_rows():
                self._compare(theta, k)
            self._compare_derivative(theta)
            self._compare(example, 0)
        self.reading.check_repeats()
        return Trial(self.n_runs, self.largest)

    def _other_rows(self) -> list[int]:
        n_rows = 1 if self.rows is None else len(self.rows)
        some = np.unique([n_rows - 1, *self.rng.integers(n_rows, size=N_ROWS - 2)])
        return [int(k) for k in some if k > 0]

    def _ours(self, theta: Array, k: int) -> tuple[float, Array]:
        own = self.risk if self.rows is None else self.risk.batch(np.array([k]))
        return float(own.outputs(theta)[0, 0]), own.jacobian(theta)[0]

    def _theirs(self, theta: Array, k: int, own_device: bool = True) -> float:
        """Value of the QNode; not on its own device, where that computes in single precision."""
        self.n_runs += 1
        start = time.perf_counter()
        value = execute(self.reading.tapes, theta, None if self.rows is None else self.rows[k], own_device)
        self.seconds = time.perf_counter() - start
        return value

    def _compare(self, theta: Array, k: int) -> None:
        ours = self._ours(theta, k)[0]
        for own_device in (True, False) if self.is_single else (True,):
            theirs = self._theirs(theta, k, own_device)
            difference = abs(ours - theirs) / self.size
            atol = ATOL_SINGLE if self.is_single and own_device else ATOL
            self.largest = max(self.largest, difference if atol == ATOL else 0.0)
            if not difference <= atol:
                self._explain(theta, k, ours, theirs, atol * self.size)

    def _compare_derivative(self, theta: Array) -> None:
        """By the values at four points along a direction, on the first row."""
        direction = self.rng.normal(size=len(theta))
        direction /= max(np.abs(direction).max(initial=0.0), np.finfo(float).tiny)
        circuit = self.reading.circuit
        row = circuit.coefficients(circuit.feature_rows(None if self.rows is None else self.rows[:1]))
        moved, still = (circuit.angles(t, row) for t in (direction, 0 * direction))
        frequency = max(float(np.abs(moved - still).sum()), np.finfo(float).tiny)
        h = STEP / frequency
        own = not self.is_single
        one, other, two, fourth = (self._theirs(theta + c * h * direction, 0, own) for c in (1, -1, 2, -2))
        theirs = (8 * (one - other) - (two - fourth)) / (12 * h)
        ours = float(self._ours(theta, 0)[1] @ direction)
        # round-off of values, over the step
        if not abs(ours - theirs) <= self.size * frequency * (10 * ATOL + ATOL / STEP):
            raise TrialError(
                f"The derivative of {self.reading.call.name} along a direction is {theirs:.12g}, but {ours:.12g} by "
                "what was read of it. Please report this QNode; until then, use PennyLane's own derivatives."
            )

    def _explain(self, theta: Array, k: int, ours: float, theirs: float, atol: float) -> NoReturn:
        reading, row = self.reading, None if self.rows is None else self.rows[k]
        name = reading.call.name
        numbers = f"its value is {theirs:.12g}, but {ours:.12g} by its gates, at a point that was tried"
        if self.is_single and atol < ATOL_SINGLE * self.size:
            self._report(numbers)
        if abs(self._theirs(theta, k) - theirs) > atol:
            raise TrialError(f"{name} gives another number in each call: it takes shots or draws something at random.")
        raw = execute_plainly(reading.tapes, theta, row, own_device=False)
        if raw is not None and abs(raw - ours) <= atol:
            same = execute_plainly(reading.tapes, theta, row, own_device=True)
            if same is not None and abs(same - ours) <= atol:
                raise TrialError(
                    f"A transform of {name} changes its value, by noise, by gates that are not quite its own or by "
                    f"what it makes of the results: {numbers}. Give the QNode without it."
                )
            raise TrialError(
                f"The device of {name}, {reading.tapes.qnode.device.name}, changes its value, as noise does: "
                f"{numbers}. Give the QNode on a device without noise, such as default.qubit."
            )
        wrong = inexact_operation(reading.tapes.script(theta, row))
        if wrong:
            raise TrialError(f"PennyLane's decomposition of {wrong} in {name} is inexact: {numbers}.")
        self._report(numbers)

    def _report(self, numbers: str) -> NoReturn:
        raise TrialError(
            f"{self.reading.call.name} is not what was read of it: {numbers}. Please report this QNode; until then, "
            "use PennyLane's own derivatives."
        )


def _size(reading: Reading, rows: Rows) -> float:
    """A bound on the observable's values."""
    observable = reading.observable
    if isinstance(observable, PauliSum):
        return sum(abs(coefficient) for coefficient, _, _ in observable.terms)
    if not isinstance(observable, ProductSum):
        return 1.0
    coefficients = np.abs(observable.coefficients(reading.circuit.feature_rows(rows))).max(axis=0)
    norms = [np.prod([np.abs(m.eigvals).max() for m, _ in product.matrices]) for product in observable.products]
    return float(coefficients @ np.array(norms))
