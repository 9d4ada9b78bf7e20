"""Synthetic tables with the shapes of the paper's study, written as part files, and a study that has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from vqc_landscape.config import Config, Experiment, parse_config
from vqc_landscape.figures.select import find_figure, required_tables
from vqc_landscape.studies.parts import path_of
from vqc_landscape.tables.parquet import write_table
from vqc_landscape.tables.registry import SCHEMAS, is_by_seed

ROOT = Path(__file__).parents[1]
# structural zeros, as these Hessians have them
N_ZEROS = {"layered": 16, "layered_published": 15, "qnn": 65, "qnn_published": 0, "ffnn": 23}


def study(figures: dict[str, Any] | None = None, **experiments: dict[str, Any]) -> Config:
    """The paper's study; ``figures`` replaces all of its figures, ``experiments`` adds some, or changes single keys."""
    raw = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    for name, keys in experiments.items():
        raw["experiments"].setdefault(name, {}).update(keys)
    return parse_config(raw if figures is None else raw | {"figures": figures})


def write_tables(name: str, config: Config, folder: Path) -> dict[str, list[Path]]:
    """Write what a figure needs; returns stage -> part files."""
    paths: dict[str, list[Path]] = {stage: [] for stage in find_figure(name, config)[0].reads}
    for part in required_tables(name, config):
        stage, experiment, number = part
        path = Path(path_of(str(folder), part))
        rng = np.random.default_rng([number, *experiment.encode()])
        chosen = config.experiments[experiment]
        if not is_by_seed(stage):
            chosen = chosen.model_copy(update={"seeds": chosen.seed_blocks[number]})
        write_table(stage, path, _TABLES[stage](chosen, experiment, rng))
        paths[stage].append(path)
    return paths


def landscape(experiment: Experiment, _: str, rng: np.random.Generator) -> dict[str, Any]:
    """Closed forms: prod cos^2(theta/2), its local mean, the flat loss and the published one."""
    plane, published = experiment.landscape, experiment.convention == "as_published"
    axis = np.linspace(plane.low, plane.high, 61)
    a, b = (x.ravel() for x in np.meshgrid(axis, axis))
    points = np.array(list(plane.points.values()))
    a, b = np.append(a, points[:, 0]), np.append(b, points[:, 1])
    if experiment.objective.target == "plus":
        # the exact loss carries rounding noise, which must not look like structure
        loss = 1 - np.abs(np.cos(a + b)) / 4 if published else 0.75 + 2e-16 * rng.integers(-2, 3, a.size)
    elif experiment.objective.locality == "local":
        loss = 1 - (np.cos(a / 2) ** 2 + np.cos(b / 2) ** 2) / 2
    else:
        loss = 1 - np.cos(a / 2) ** 2 * np.cos(b / 2) ** 2
    blank = [None] * axis.size**2
    flat = experiment.objective.target == "plus" and not published
    spectra = [np.zeros(8) if flat else np.sort(np.append(np.zeros(6), rng.uniform(-1, 2, 2))) for _ in points]
    norms: list[float | None] = [0.0] * len(points) if flat else list(rng.uniform(0, 0.5, len(points)))
    if published:  # one marked point on a cusp
        spectra[1], norms[1] = None, None
    n_structural = 8 if flat else 6
    structural = np.arange(8) < n_structural  # as the table has it: the order does not matter here
    vectors = np.zeros((8, 2))
    vectors[n_structural:] = 0.5 * np.eye(2)[: 8 - n_structural]
    # curvature on the whole grid, none along the cusps of the published loss
    cusps = np.abs(np.cos(a + b)) < 1e-9 if published else np.zeros(a.size, dtype=bool)
    everywhere = [None if cusp else np.append(np.zeros(6), [0.2, 0.7]) for cusp in cusps]
    blank_or = everywhere[: len(blank)]
    has = [row is not None for row in blank_or + spectra]
    return {
        "label": blank + list(plane.points),
        "a": a,
        "b": b,
        "loss": loss,
        "grad_norm": blank + norms,
        "eigvals": blank_or + spectra,
        "structural": [structural if there else None for there in has],
        "plane_eigvecs": [vectors.ravel() if there else None for there in has],
    }


def dataset(experiment: Experiment, _: str, rng: np.random.Generator) -> dict[str, Any]:
    n_train, n_test = experiment.data.n_train, experiment.data.n_test
    x = rng.uniform(-1, 1, (n_train + n_test, 2))
    y = np.where(np.hypot(*x.T) < np.sqrt(2 / np.pi), 1.0, -1.0)
    return {"x1": x[:, 0], "x2": x[:, 1], "y": y, "split": ["train"] * n_train + ["test"] * n_test}


def trajectory(experiment: Experiment, name: str, rng: np.random.Generator) -> dict[str, Any]:
    epoch = np.arange(experiment.training.n_epochs + 1)
    # every run starts near 1 and falls at its own time to its own plateau
    middle, end = rng.uniform(0.2, 0.9) * epoch[-1], rng.uniform(0, 0.5)
    loss = end + (1 - end) / (1 + np.exp((epoch - middle) / epoch[-1] * 25))
    columns = {"epoch": epoch, "loss": loss}
    if experiment.data is not None:
        columns |= {"accuracy": 0.97 - 0.47 * loss, "test_accuracy": 0.95 - 0.47 * loss}
    return columns


def spectra(experiment: Experiment, name: str, rng: np.random.Generator) -> dict[str, Any]:
    n, n_zeros, rows = experiment.n_params, N_ZEROS[name], []
    largest = 12.0 if experiment.network else 1.3
    for epoch in experiment.hessian_epochs:
        done = epoch / experiment.training.n_epochs
        values = largest * (1 + done) * rng.standard_t(3, n - n_zeros).clip(-3, 3) / 3 * np.linspace(0, 1, n - n_zeros)
        values = np.where(values < 0, values * (1 - done) ** 2 - 1e-4 * (done == 1), values)
        values[: len(values) // 8] = 0
        eigvals = np.append(values, np.zeros(n_zeros))
        structural = np.arange(n) >= n - n_zeros
        order = np.argsort(eigvals, kind="stable")
        rows += [(epoch, p, eigvals[i], structural[i], 1e-12) for p, i in enumerate(order)]
    columns = zip(*rows, strict=True)
    return dict(zip(("epoch", "position", "eigval", "structural", "tolerance"), columns, strict=True))


def scans(experiment: Experiment, _: str, rng: np.random.Generator) -> dict[str, Any]:
    asked = experiment.scans
    t = np.linspace(-asked.radius, asked.radius, asked.n_points)
    eigvals = np.linspace(1.6, 0.02, len(asked.positions))
    eigvals[-1] = 0
    rows = [
        (asked.epoch, position % experiment.n_params, eigval, eigval == 0, x, 1e-4 + eigval * (1 - np.cos(x)))
        for position, eigval in zip(asked.positions, eigvals, strict=True)
        for x in t
    ]
    names = ("epoch", "position", "eigval", "structural", "t", "loss")
    return dict(zip(names, zip(*rows, strict=True), strict=True))


def predictions(experiment: Experiment, _: str, rng: np.random.Generator) -> dict[str, Any]:
    axis = np.linspace(-1, 1, experiment.predictions.n_grid)
    x1, x2 = (x.ravel() for x in np.meshgrid(axis, axis))
    maps = [0.5 * np.sin(2 * x1 + x2), 1.3 * np.tanh(4 * (0.8 - np.hypot(x1, x2)))]
    epochs = np.repeat(experiment.predictions.epochs, x1.size)
    return {"epoch": epochs, "x1": np.tile(x1, 2), "x2": np.tile(x2, 2), "prediction": np.concatenate(maps)}


def convention_errors(experiment: Experiment, _: str, rng: np.random.Generator) -> dict[str, Any]:
    n = len(experiment.hessian_epochs)
    eigval_error = rng.uniform(0.1, 0.5, n)
    return {
        "epoch": experiment.hessian_epochs,
        "loss": rng.uniform(0, 1, n),
        "loss_exact": rng.uniform(0, 1, n),
        "hessian_error": eigval_error + rng.uniform(0.1, 1, n),
        "eigval_error": eigval_error,
    }


def starts(experiment: Experiment, _: str, rng: np.random.Generator) -> dict[str, Any]:
    sizes = [(n, layers, init) for n, layers in experiment.starts.sizes for init in range(experiment.starts.n_starts)]
    n_qubits, n_layers, init = zip(*sizes, strict=True)
    eigvals = [rng.normal(0, 0.3 * 0.6**n, n) for n in n_qubits]
    return {"n_qubits": n_qubits, "n_layers": n_layers, "init": init, "eigvals": eigvals, "quantum_fisher": n_layers}


def shift_rule(experiment: Experiment, _: str, rng: np.random.Generator) -> dict[str, Any]:
    n_qubits, n_layers = zip(*experiment.shift_rule.sizes, strict=True)
    n_params = np.multiply(n_qubits, n_layers) * 3
    runs = {"hessian_runs": 2 * n_params**2, "metric_block_runs": n_params, "metric_full_runs": n_params**2 // 2}
    return {"n_qubits": n_qubits, "n_layers": n_layers, "n_params": n_params, "error": [1e-15] * len(n_params), **runs}


def ensembles(experiment: Experiment, name: str, rng: np.random.Generator) -> dict[str, Any]:
    """Geometric tails of both signs, larger for networks; the negative one goes with the training."""
    asked, network, rows = experiment.ensemble, experiment.network, []
    kinds: list[tuple[str | None, str | None]] = [(None, None)]
    if network is not None:
        activations, initialisers = asked.activations or [network.activation], asked.initialisers
        kinds = [(a, i) for a in activations for i in initialisers or [network.initialiser]]
    n_zeros = 65 if network is None else 23
    n_kept = asked.n_extremes or (experiment.n_params - n_zeros) // 2
    n_zeros = n_zeros if asked.n_extremes else experiment.n_params - 2 * n_kept
    for activation, initialiser in kinds:
        for seed in experiment.seeds:
            for epoch in asked.epochs:
                size = (1.3 if network is None else 9) * np.exp(0.3 * rng.standard_normal()) * (1 + epoch / 40)
                tail = np.exp(-np.arange(n_kept) / (30 if network is None else 3))
                eigvals = np.sort(np.append(-tail * (1 - epoch / 41), tail) * size)
                loss, accuracy = 1 - epoch / 50, 0.5 + epoch / 90
                row = (activation, initialiser, seed, epoch, loss, accuracy, accuracy, 0.1)
                rows.append((*row, np.zeros(experiment.n_params), eigvals, n_zeros, 1e-12))
    return dict(zip(SCHEMAS["ensembles"].names, zip(*rows, strict=True), strict=True))


def samples(experiment: Experiment, name: str, rng: np.random.Generator) -> dict[str, Any]:
    """Certain samples are flat with their label and negative with the other; the boundary carries the curvature."""
    n, asked = 60, experiment.samples
    parts = []
    for seed in experiment.seeds:
        x = rng.uniform(-1, 1, (n, 2))
        f = np.tanh(3 * (0.8 - np.hypot(*x.T))) * (0.7 if experiment.network is None else 1)
        y = np.where(f + 0.1 * rng.standard_normal(n) > 0, 1.0, -1.0)
        parts.append(
            {
                "seed": [seed] * n,
                "epoch": asked.epochs[-1:] * n,
                "sample": np.arange(n),
                "x1": x[:, 0],
                "x2": x[:, 1],
                "y": y,
                "prediction": f,
                "eigvals": np.stack([-np.abs(f - y), -0.1 * np.abs(f), 1 - np.abs(f), 2 * (1 - f**2)], axis=1),
                "leading": np.outer(1 - f**2, np.ones(asked.n_leading)),
                "other_label": [[-2 - g, 1 - g] if g > np.quantile(np.abs(f), 0.9) else None for g in np.abs(f)],
            }
        )
    return {column: [value for part in parts for value in part[column]] for column in parts[0]}


def planes(experiment: Experiment, _: str, rng: np.random.Generator) -> dict[str, Any]:
    """A bowl on every plane, with its curvature; the run comes in along the first axis."""
    asked, parts = experiment.planes, []
    axis = np.linspace(-1, 1, asked.n_grid)
    a, b = (x.ravel() for x in np.meshgrid(axis, axis))
    for number, plane in enumerate(asked.axes):
        epochs = np.arange(experiment.training.n_epochs + 1) if plane == "pca" else [asked.epoch]
        inward, blank = np.linspace(0.9 if plane == "pca" else 0, 0, len(epochs)), [None] * len(epochs)
        parts.append(
            {
                "plane": [plane] * (a.size + len(epochs)),
                "axis_a": ["first axis"] * (a.size + len(epochs)),
                "axis_b": ["second axis"] * (a.size + len(epochs)),
                "epoch": [None] * a.size + list(epochs),
                "a": [*a, *inward],
                "b": [*b, *np.zeros(len(epochs))],
                "loss": [*((number + 1) * (a**2 + b**2 / 2)), *blank],
                "smallest": [*(np.ones(a.size) * (number + 1)), *blank],
                "largest": [*(2 + a), *blank],
            }
        )
    return {column: [value for part in parts for value in part[column]] for column in parts[0]}


_TABLES = {
    "planes": planes,
    "ensembles": ensembles,
    "samples": samples,
    "starts": starts,
    "shift_rule": shift_rule,
    "convention_errors": convention_errors,
    "landscapes": landscape,
    "datasets": dataset,
    "trajectories": trajectory,
    "spectra": spectra,
    "scans": scans,
    "predictions": predictions,
}
