"""The list of tables: columns, parts, section of the configuration, step, memory and time of each."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from vqc_landscape.config import TrainingConfig
from vqc_landscape.tables.table import Table

INT, FLOAT, STR, BOOL = pa.int64(), pa.float64(), pa.string(), pa.bool_()
FLOATS = pa.list_(FLOAT)


def _always(_: Any) -> bool:
    return True


def _never(_: Any) -> bool:
    return False


def _trains_with_matrices(training: TrainingConfig) -> bool:
    return training.optimiser_name == "qng" or training.may_take_hessians


_HESSIANS = pa.schema({"epoch": INT, "row": INT, "values": FLOATS})

TABLES: dict[str, Table] = {
    "datasets": Table(
        what="training and test samples: two features in x1 and x2, others in a list",
        columns=pa.schema({"x1": FLOAT, "x2": FLOAT, "features": FLOATS, "y": FLOAT, "split": STR}),
        by_seed=True,
        section="data",
        step="studies.datasets.write_dataset",
        seconds=lambda data, work: work.sweep,
        numbers=lambda data, work: 4 * (work.n_samples + data.n_test),
        forms_matrices=_never,
    ),
    "trajectories": Table(
        what="training runs, one row an epoch; epoch 0 is the initial point",
        columns=pa.schema(
            {
                "epoch": INT,
                "loss": FLOAT,
                "accuracy": FLOAT,
                "test_loss": FLOAT,
                "test_accuracy": FLOAT,
                "grad_norm": FLOAT,
                "learning_rate": FLOAT,
                "params": FLOATS,
            }
        ),
        by_seed=True,
        section="training",
        unless="ensemble",
        step="studies.trajectories.write_trajectory",
        seconds=lambda training, work: work.training,
        numbers=lambda training, work: work.trajectory,
        forms_matrices=_trains_with_matrices,
    ),
    "hessians": Table(
        what="the Hessian over the whole training set, one row of it a row",
        columns=_HESSIANS,
        by_seed=True,
        section="hessian",
        step="studies.hessians.write_hessians",
        seconds=lambda hessian, work: min(hessian.epochs_per_job, work.n_hessians) * work.hessian,
        numbers=lambda hessian, work: work.n_params**2 * min(hessian.epochs_per_job, work.n_hessians),
        forms_matrices=_always,
    ),
    "spectra": Table(
        what=("eigenpairs of every Hessian, ascending; `structural` marks eigenvalues that are zero at every point"),
        columns=pa.schema(
            {"epoch": INT, "position": INT, "eigval": FLOAT, "eigvec": FLOATS, "structural": BOOL, "tolerance": FLOAT}
        ),
        by_seed=True,
        section="hessian",
        step="studies.spectra.write_spectra",
        seconds=lambda hessian, work: work.diagonalised * work.n_hessians,
        numbers=lambda hessian, work: work.n_params**2 * work.n_hessians,
        forms_matrices=_never,
    ),
    "scans": Table(
        what="loss at params(epoch) + t times an eigenvector",
        columns=pa.schema(
            {"epoch": INT, "position": INT, "eigval": FLOAT, "structural": BOOL, "t": FLOAT, "loss": FLOAT}
        ),
        by_seed=True,
        section="scans",
        step="studies.scans.write_scans",
        seconds=lambda scans, work: work.sweep * scans.n_points * len(scans.positions),
        numbers=lambda scans, work: work.n_params**2 * work.n_hessians + 6 * scans.n_points * len(scans.positions),
        forms_matrices=_never,
    ),
    "predictions": Table(
        what="prediction on a grid over the square of the data",
        columns=pa.schema({"epoch": INT, "x1": FLOAT, "x2": FLOAT, "prediction": FLOAT}),
        by_seed=True,
        section="predictions",
        step="studies.predictions.write_predictions",
        seconds=lambda predictions, work: work.sweep * len(predictions.epochs),
        numbers=lambda predictions, work: work.trajectory + 4 * predictions.n_grid**2 * len(predictions.epochs),
        forms_matrices=_never,
    ),
    "ensembles": Table(
        what=(
            "many seeds of one model: one row a member and epoch, eigenvalues without the structural zeros, ascending"
        ),
        columns=pa.schema(
            {
                "activation": STR,
                "initialiser": STR,
                "seed": INT,
                "epoch": INT,
                "loss": FLOAT,
                "accuracy": FLOAT,
                "test_accuracy": FLOAT,
                "grad_norm": FLOAT,
                "params": FLOATS,
                "eigvals": FLOATS,
                "n_structural": INT,
                "tolerance": FLOAT,
            }
        ),
        by_seed=False,
        section="ensemble",
        step="studies.ensembles.write_ensemble",
        seconds=lambda ensemble, work: work.n_seeds * (work.training + work.hessian * len(ensemble.epochs)),
        numbers=lambda ensemble, work: work.trajectory * work.n_models,
        forms_matrices=lambda ensemble: ensemble.n_extremes is None,
        many=True,
    ),
    "samples": Table(
        what=(
            "the Hessian of every training sample by itself: its eigenvalues, and along the eigenvectors of the whole"
        ),
        columns=pa.schema(
            {
                "seed": INT,
                "epoch": INT,
                "sample": INT,
                "x1": FLOAT,
                "x2": FLOAT,
                "y": FLOAT,
                "prediction": FLOAT,
                "eigvals": FLOATS,
                "leading": FLOATS,
                "other_label": FLOATS,
            }
        ),
        by_seed=False,
        section="samples",
        step="studies.samples.write_samples",
        # with both labels, and the eigenvalues of every sample
        seconds=lambda samples, work: (
            work.n_seeds * len(samples.epochs) * (2 * work.hessian + work.n_samples * work.diagonalised)
        ),
        numbers=lambda samples, work: (
            (work.n_params + samples.n_leading) * work.n_samples * len(samples.epochs) * work.n_seeds
        ),
        forms_matrices=_always,
        many=True,
    ),
    "shift_rule": Table(
        what=(
            "the double shift rule by size: error, and circuit runs of the Hessian and of the metric tensor,"
            " in blocks and in full"
        ),
        columns=pa.schema(
            {
                "n_qubits": INT,
                "n_layers": INT,
                "n_params": INT,
                "error": FLOAT,
                "hessian_runs": INT,
                "metric_block_runs": INT,
                "metric_full_runs": INT,
            }
        ),
        by_seed=True,
        section="shift_rule",
        step="studies.shift_rule.write_shift_rule",
        seconds=lambda shift_rule, work: work.shift_rule,
        numbers=lambda shift_rule, work: work.n_params,
        forms_matrices=_always,
        many=True,
    ),
    "starts": Table(
        what=(
            "initial points without training, one row a point; quantum_fisher is the largest eigenvalue of "
            "that matrix, null with data"
        ),
        columns=pa.schema(
            {
                "n_qubits": INT,
                "n_layers": INT,
                "init": INT,
                "loss": FLOAT,
                "grad_norm": FLOAT,
                "eigvals": FLOATS,
                "n_structural": INT,
                "tolerance": FLOAT,
                "quantum_fisher": FLOAT,
            }
        ),
        by_seed=True,
        section="starts",
        step="studies.starts.write_starts",
        # the metric, too, has its tangents and its eigenvalues
        seconds=lambda starts, work: 2 * starts.n_starts * (work.hessian + work.diagonalised),
        numbers=lambda starts, work: work.n_params * starts.n_starts,
        forms_matrices=_always,
        many=True,
    ),
    "landscapes": Table(
        what=(
            "loss on a plane of two parameters (label null) and at marked points, with eigenpairs there and "
            "on some lines; plane_eigvecs holds the components of each eigenvector along a and b"
        ),
        columns=pa.schema(
            {
                "label": STR,
                "a": FLOAT,
                "b": FLOAT,
                "loss": FLOAT,
                "grad_norm": FLOAT,
                "eigvals": FLOATS,
                "structural": pa.list_(BOOL),
                "plane_eigvecs": FLOATS,
            }
        ),
        by_seed=True,
        section="landscape",
        step="studies.landscapes.write_landscape",
        seconds=lambda landscape, work: work.sweep * landscape.n_grid**2,
        numbers=lambda landscape, work: 4 * landscape.n_grid**2,
        grid=lambda landscape, work: landscape.n_grid**2 * work.n_params,
        forms_matrices=_always,
    ),
    "convention_errors": Table(
        what="an as-published experiment against the exact one at the same parameters",
        columns=pa.schema(
            {"epoch": INT, "loss": FLOAT, "loss_exact": FLOAT, "hessian_error": FLOAT, "eigval_error": FLOAT}
        ),
        by_seed=True,
        section="published_hessian",
        step="studies.conventions.write_convention_errors",
        seconds=lambda hessian, work: work.hessian * work.n_hessians,
        numbers=lambda hessian, work: work.n_params**2 * work.n_hessians,
        forms_matrices=_always,
    ),
    "planes": Table(
        what=(
            "loss on planes through the parameters of one epoch (epoch null), and where the training run lies on them"
        ),
        columns=pa.schema(
            {
                "plane": STR,
                "axis_a": STR,
                "axis_b": STR,
                "epoch": INT,
                "a": FLOAT,
                "b": FLOAT,
                "loss": FLOAT,
                "smallest": FLOAT,
                "largest": FLOAT,
            }
        ),
        by_seed=True,
        section="planes",
        step="studies.planes.write_planes",
        seconds=lambda planes, work: (
            planes.n_grid**2
            * len(planes.axes)
            * (work.sweep + (work.hessian + work.diagonalised if planes.extremes else 0))
        ),
        numbers=lambda planes, work: work.trajectory + 9 * planes.n_grid**2 * len(planes.axes),
        grid=lambda planes, work: planes.n_grid**2 * work.n_params,
        forms_matrices=lambda planes: planes.extremes,
    ),
}

# one file for the whole study, results/claims.parquet
CLAIMS = pa.schema(
    {
        "claim": STR,
        "convention": STR,
        "statement": STR,
        "measured": FLOAT,
        "low": FLOAT,
        "high": FLOAT,
        "n_seeds": INT,
        "expected": STR,
        "threshold": STR,
        "verdict": STR,
        "figure": STR,
        "explanation": STR,
    }
)

SCHEMAS: dict[str, pa.Schema] = {name: table.columns for name, table in TABLES.items()} | {"claims": CLAIMS}


def is_by_seed(table: str) -> bool:
    """Whether every seed has its own folder; else the seed is a column, and a part holds a block of seeds."""
    return table == "claims" or TABLES[table].by_seed
