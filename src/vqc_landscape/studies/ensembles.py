"""Many initial points of one model in one job: trained, and their eigenvalues at a few epochs."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vqc_landscape.checks import Array
from vqc_landscape.config import NetworkConfig
from vqc_landscape.curvature.lanczos import extreme_eigvals
from vqc_landscape.curvature.spectrum import spectrum, zero_below
from vqc_landscape.risks.risk import Risk
from vqc_landscape.studies.build import initial_params, make_risk, optimiser_of
from vqc_landscape.studies.inputs import read_samples
from vqc_landscape.studies.trajectories import check_batch_size, run_training
from vqc_landscape.tables.parquet import write_table
from vqc_landscape.training.interrupt import stop_requests
from vqc_landscape.training.loop import Report, train, unless_stopped

if TYPE_CHECKING:
    from vqc_landscape.config import EnsembleConfig, InitConfig, Problem, TrainingConfig

logger = logging.getLogger(__name__)


class Member(NamedTuple):
    """One trained model: its settings, and its parameters (n_epochs + 1, P)."""

    problem: Problem
    seed: int
    params: Array


def write_ensemble(
    problem: Problem,
    init: InitConfig,
    training: TrainingConfig,
    ensemble: EnsembleConfig,
    seeds: Sequence[int],
    dataset: str,
    output: str,
    *,
    state_dir: str,
    code: str,
    report: Report | None = None,
) -> None:
    """Train every seed, and for networks every activation and initialiser, and write a row per member and epoch.

    A circuit trains as it does alone, from its checkpoint if there is one. The networks of one activation train side
    by side, with one order of mini-batches for all: that of the data's seed.

    Args:
        problem: what is minimised.
        init: distribution of the initial points.
        training: how.
        ensemble: of what the members are, and when they are looked at.
        seeds: seeds of the initial points.
        dataset: table of samples.
        output: the part file.
        state_dir: folder of the experiment's checkpoints.
        code: hash over the code that trains; other code, other run.
        report: called as ``report(epoch, n_epochs, loss)``.

    Raises:
        TrainingDiverged: a number became NaN or infinite.
        TrainingStopped: it was asked to end while it trained (SIGTERM, SIGINT).
    """
    rows = []
    if isinstance(problem.network, NetworkConfig):
        members = _networks(problem, problem.network, init, training, ensemble, seeds, dataset, report)
    else:
        members = _circuits(problem, init, training, seeds, dataset, state_dir, code, report)
    for member in members:
        network = member.problem.network
        risk, test_risk = (make_risk(member.problem, read_samples(dataset, split)) for split in ("train", "test"))
        for epoch in ensemble.epochs:
            params = member.params[epoch]
            loss, grad = risk.loss_and_grad(params)
            eigvals, tolerance = _eigvals(risk, params, ensemble.n_extremes)
            rows.append(
                {
                    "activation": network and network.activation,
                    "initialiser": network and network.initialiser,
                    "seed": member.seed,
                    "epoch": epoch,
                    "loss": loss,
                    "accuracy": risk.accuracy(params),
                    "test_accuracy": test_risk.accuracy(params),
                    "grad_norm": float(np.linalg.norm(grad)),
                    "params": params,
                    "eigvals": eigvals,
                    "n_structural": risk.structural_directions.shape[1],
                    "tolerance": tolerance,
                }
            )
        logger.debug("spectra of %d members", len(rows) // len(ensemble.epochs))
    write_table("ensembles", output, {name: [row[name] for row in rows] for name in rows[0]})


def _circuits(
    problem: Problem,
    init: InitConfig,
    training: TrainingConfig,
    seeds: Sequence[int],
    dataset: str,
    state_dir: str,
    code: str,
    report: Report | None,
) -> Iterator[Member]:
    for seed in seeds:
        folder = f"{state_dir}/seed={seed}"
        trajectory = run_training(problem, init, training, seed, dataset, state_dir=folder, code=code, report=report)
        yield Member(problem, seed, trajectory["params"])


def _networks(
    problem: Problem,
    network: NetworkConfig,
    init: InitConfig,
    training: TrainingConfig,
    ensemble: EnsembleConfig,
    seeds: Sequence[int],
    dataset: str,
    report: Report | None,
) -> Iterator[Member]:
    """All members of an activation are one risk: a step of all costs little more than a step of one."""
    from vqc_landscape.risks.network_risk import side_by_side

    for activation in ensemble.activations or [network.activation]:
        kinds = [
            problem.model_copy(
                update={"network": network.model_copy(update={"activation": activation, "initialiser": initialiser})}
            )
            for initialiser in ensemble.initialisers or [network.initialiser]
        ]
        risk = make_risk(kinds[0], read_samples(dataset, "train"))
        members = list(itertools.product(kinds, seeds))
        start = np.stack([initial_params(kind, init, seed) for kind, seed in members])
        optimiser, stack = optimiser_of(training), side_by_side(risk, len(members))
        check_batch_size(problem, optimiser, risk.n_samples)
        n_epochs, order = training.n_epochs, getattr(problem.data, "seed", 0)
        with stop_requests() as stop:
            run = train(stack, start, optimiser, n_epochs, seed=order, report=report, stop=stop)
        trajectory = unless_stopped(run, None)
        params = trajectory["params"].reshape(-1, *start.shape)
        for index, (kind, seed) in enumerate(members):
            yield Member(kind, seed, params[:, index])


def _eigvals(risk: Risk, params: Array, n_extremes: int | None) -> tuple[Array, float]:
    """Eigenvalues without the structural zeros, ascending: all, or the extremes; and what counts as zero."""
    if n_extremes is None:
        result = spectrum(risk.hessian(params), risk.structural_directions)
        return result.eigvals[~result.structural], result.tolerance
    eigvals = extreme_eigvals(lambda v: risk.hvp(params, v), risk.structural_directions, n_extremes)
    return eigvals, zero_below(eigvals, risk.n_params)
