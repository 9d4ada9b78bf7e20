"""What is measured of a batch of states: outputs, and the image of every state for each output."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.simulator.compile.compiled import CompiledCircuit
from vqc_landscape.simulator.compile.encoding import Encoded
from vqc_landscape.simulator.compile.measurement import CommutingSets
from vqc_landscape.simulator.compile.strategies import TargetStrategy
from vqc_landscape.simulator.cpu import first_order
from vqc_landscape.simulator.cpu.second_order import Target
from vqc_landscape.simulator.cpu.workspace import Batch


class Observed(NamedTuple):
    """What was measured of a batch.

    Attributes:
        outputs: shape (n_samples, n_outputs).
        sets: commuting sets of each output; none with a target.
        target: the target pulled back, and its Gram weights; no state without.
    """

    outputs: Array
    sets: tuple[CommutingSets, ...]
    target: Target


def observe(compiled: CompiledCircuit, batch: Batch, samples: Encoded) -> Observed:
    """The outputs of a batch; its images are filled."""
    size, n_samples = batch.states.shape[2:]
    n_blocks, final = compiled.schedule.n_blocks, batch.states[-1]
    if isinstance(compiled.strategy, TargetStrategy):
        pulled, overlaps = np.empty((n_samples, 2, size)), np.empty(n_samples, np.complex128)
        targets, last = compiled.targets_of(samples), batch.diagonals[-1]
        first_order.pull_target_back(final, last, batch.phases, targets, pulled, overlaps)
        outputs, factors, weights = compiled.strategy.evaluate(overlaps)
        first_order.fill_images(factors, pulled, batch.images[0])
        return Observed(outputs[:, np.newaxis], (), Target(pulled, weights))
    sets = compiled.outputs_of(samples)
    outputs = np.empty((compiled.n_outputs, n_samples))
    for k, own in enumerate(sets):
        first_order.measure(final, batch.diagonals, n_blocks, own, outputs[k], batch.images[k])
    return Observed(np.ascontiguousarray(outputs.T), sets, no_target(size))


def observe_tangent(
    compiled: CompiledCircuit, batch: Batch, observed: Observed, loss_grad: Array, tangent: Array
) -> tuple[Array, Array]:
    """The observable times a tangent of the last block, without a factor for every sample, and these factors.

    Args:
        compiled: an exact strategy's.
        batch: states.
        observed: what was measured of them.
        loss_grad: of every output, shape (n_samples, n_outputs).
        tangent: shape (2, 2**n_qubits, n_samples).
    """
    image = np.empty_like(tangent)
    if compiled.measurement is None:
        target = observed.target.states[:, 0] + 1j * observed.target.states[:, 1]
        overlap = np.einsum("sz,zs->s", target.conj(), tangent[0] + 1j * tangent[1])
        first_order.fill_images(overlap, observed.target.states, image)
        return image, np.ascontiguousarray(loss_grad[:, 0])
    factors, sets = compiled.measurement.combined(observed.sets, loss_grad)
    n_blocks, unused = compiled.schedule.n_blocks, np.empty(tangent.shape[2])
    first_order.measure(tangent, batch.diagonals, n_blocks, sets, unused, image)
    return image, np.ascontiguousarray(factors)


@functools.cache
def no_target(size: int) -> Target:
    """No target state, for sums of products."""
    return Target(np.empty((0, 2, size)), np.empty((2, 0)))
