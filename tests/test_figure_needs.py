"""Figures refuse what they cannot show, before anything runs: every need is broken once, and the message says how."""

from __future__ import annotations

import re
from typing import Any

import pytest
from figure_data import study

from vqc_landscape.config import ConfigError
from vqc_landscape.figures import needs
from vqc_landscape.figures.registry import FIGURES
from vqc_landscape.figures.select import required_tables

ENERGY: dict[str, Any] = {
    "circuit": {"ansatz": "layered", "n_qubits": 4, "n_layers": 2},
    "objective": {"loss": "expval", "observable": {"Z0 Z1": -1.0}},
    "training": {"optimiser": {"name": "adam", "learning_rate": 0.1}, "n_epochs": 50},
}
ITERATIONS = ENERGY | {"training": {"optimiser": {"name": "lbfgs"}, "n_epochs": 10}}
OWN = {
    "circuit": "mine:qnode",
    "params_shape": [3],
    "objective": {"loss": "infidelity"},
    "training": ENERGY["training"],
}
GD = {"name": "gd", "learning_rate": 0.1}
LOCAL = {"loss": "infidelity", "target": "plus", "locality": "local"}
FEWER = {"optimiser": {"name": "adam", "learning_rate": 0.02, "batch_size": 32}, "n_epochs": 20}

# figure, its experiments, keys of experiments that are changed or added, what the message says
FAULTS: list[tuple[str, list[str], dict[str, Any], str]] = [
    # what stands under energies was accepted once, and drawn empty
    (
        "fig11",
        ["chain_adam", "chain_lbfgs"],
        {"chain_adam": ENERGY, "chain_lbfgs": ITERATIONS},
        "a loss that is never negative, the infidelity of a built-in circuit or mse, but lists chain_adam, chain_lbfgs "
        "(expval). Figure `compare` shows any loss.",
    ),
    (
        "final_losses",
        ["chain_adam", "chain_lbfgs"],
        {"chain_adam": ENERGY, "chain_lbfgs": ITERATIONS},
        "the global infidelity of a built-in circuit, a loss with a plateau at 1, but lists chain_adam, chain_lbfgs "
        "(expval). Figure `compare` shows any loss.",
    ),
    ("fig11", ["own"], {"own": OWN}, "but lists own (infidelity of an own circuit). Figure `compare` shows any loss."),
    ("final_losses", ["own"], {"own": OWN}, "a plateau at 1, but lists own (infidelity of an own circuit)."),
    ("final_losses", ["fig11_gd"], {"fig11_gd": {"objective": LOCAL}}, "but lists fig11_gd (local infidelity)."),
    ("fig01", ["toy_global", "qnn"], {}, "built-in circuits with loss infidelity, but lists qnn (mse)."),
    (
        "flat_starts",
        ["toy_sizes", "toy_gorge", "layered_sizes"],
        {"layered_sizes": {"objective": ENERGY["objective"]}},
        "the global infidelity of a built-in circuit, a loss with a plateau at 1, but lists layered_sizes (expval).",
    ),
    # the model
    ("fig08", ["layered"], {}, "a built-in re-uploading circuit, but lists layered (layered)."),
    ("fig08", ["ffnn"], {}, "a built-in re-uploading circuit, but lists ffnn (network)."),
    (
        "fig11",
        ["fig11_gd", "layered"],
        {},
        "experiments with the same circuit, but lists fig11_gd (ansatz='layered' n_qubits=8 n_layers=4); layered (",
    ),
    (
        "fig06_conventions",
        ["layered", "layered_published"],
        {"layered_published": {"circuit": {"ansatz": "layered_published", "n_qubits": 6, "n_layers": 4}}},
        "experiments with the same circuit, or layered and then layered_published, but lists layered (",
    ),
    (
        "fig11",
        ["fig11_gd", "fig11_qng"],
        {"fig11_qng": {"objective": {"loss": "infidelity"}}},
        "experiments with the same objective, but lists fig11_gd (",
    ),
    (
        "final_losses",
        ["fig11_gd", "fig11_qng"],
        {"fig11_qng": {"init": {"high": 1.0}}},
        "experiments with the same init, but lists fig11_gd (",
    ),
    (
        "fig11",
        ["qnn", "fig11_adam"],
        {
            "fig11_adam": {
                "circuit": {"ansatz": "reuploading", "n_qubits": 8, "n_layers": 8},
                "data": {"n_train": 9, "n_test": 9},
            }
            | {"objective": {"loss": "mse"}}
        },
        "experiments with the same data, but lists qnn (",
    ),
    (
        "fig11",
        ["ffnn", "fig11_adam"],
        {
            "fig11_adam": {
                "circuit": None,
                "network": {"widths": [3, 2]},
                "objective": {"loss": "mse"},
                "data": {"n_train": 500, "n_test": 500},
            }
        },
        "experiments with the same network, but lists ffnn (widths=[3, 12, 10, 2]",
    ),
    (
        "fig11",
        ["own", "other"],
        {
            name: OWN | {"objective": {"loss": "mse"}, "data": {"n_train": 5, "n_test": 5}, "params_shape": [n]}
            for name, n in (("own", 3), ("other", 4))
        },
        "experiments with the same params_shape, but lists own ([3]); other ([4]).",
    ),
    (
        "spectra_over_seeds",
        ["ffnn_first", "ffnn_1000"],
        {},
        "exactly one circuit, but lists ffnn_first, ffnn_1000 (network).",
    ),
    (
        "spectra_over_seeds",
        ["qnn_seeds", "qnn_seeds_published"],
        {},
        "exactly one circuit, but lists qnn_seeds, qnn_seeds_published (reuploading).",
    ),
    ("curvature_of_samples", ["ffnn_difference"], {}, "exactly one circuit, but lists ffnn_difference (network)."),
    # data
    (
        "fig07",
        ["own"],
        {"own": OWN | {"objective": {"loss": "mse"}, "data": {"name": "iris", "n_train": 5, "n_test": 5}}},
        "the disk data, but lists own (iris).",
    ),
    (
        "spectra_over_seeds",
        ["qnn_seeds", "ffnn_1000"],
        {"ffnn_1000": {"data": {"n_train": 40, "n_test": 9}}},
        "experiments with the same data, but lists qnn_seeds (",
    ),
    (
        "spectra_over_seeds",
        ["qnn_seeds", "ffnn_1000"],
        {"ffnn_1000": {"objective": {"loss": "mse", "reduction": "sum"}}},
        "experiments with the same objective.reduction, but lists qnn_seeds (mean); ffnn_1000 (sum).",
    ),
    # conventions
    (
        "fig11",
        ["fig11_gd", "fig11_qng"],
        {"fig11_qng": {"convention": "as_published"}},
        "experiments with the same convention, but lists fig11_gd (exact); fig11_qng (as_published).",
    ),
    (
        "fig04",
        ["toy_plus", "toy_plus_published"],
        {"toy_plus_published": {"convention": "exact"}},
        "an exact and an as_published experiment, in this order, but lists toy_plus, toy_plus_published (exact).",
    ),
    (
        "fig05_conventions",
        ["layered_published", "layered"],
        {},
        "in this order, but lists layered_published (as_published); layered (exact).",
    ),
    # training, epochs and seeds
    (
        "fig05_conventions",
        ["layered", "layered_published"],
        {"layered_published": {"training": {"optimiser": GD, "n_epochs": 15}}},
        "experiments with the same optimiser, but lists layered (name='lbfgs' n_iterations=6); layered_published (",
    ),
    (
        "fig06_conventions",
        ["layered", "layered_published"],
        {"layered_published": {"training": {"optimiser": {"name": "lbfgs", "n_iterations": 6}, "n_epochs": 16}}},
        "experiments with the same training.n_epochs, but lists layered (15); layered_published (16).",
    ),
    (
        "fig06_conventions",
        ["layered", "layered_published"],
        {"layered_published": {"seeds": [3, 0]}},
        "experiments with the same first seed, but lists layered (0); layered_published (3).",
    ),
    (
        "fig05_conventions",
        ["layered", "layered_published"],
        {"layered_published": {"hessian": {"epochs": [5, 15]}}},
        "the same first and last epoch under hessian.epochs, but lists layered ((0, 15)); layered_published ((5, 15)).",
    ),
    (
        "fig09_conventions",
        ["qnn", "qnn_published"],
        {"qnn_published": {"predictions": {"epochs": [0, 20]}}},
        "the same first and last epoch under predictions.epochs, but lists qnn ((0, 40)); qnn_published ((0, 20)).",
    ),
    (
        "spectra_over_seeds",
        ["qnn_seeds", "ffnn_1000"],
        {"ffnn_1000": {"training": FEWER, "ensemble": {"epochs": [0, 20]}}},
        "the same first and last epoch under ensemble.epochs, but lists qnn_seeds ((0, 40)); ffnn_1000 ((0, 20)).",
    ),
    (
        "curvature_of_samples",
        ["qnn_seeds", "ffnn_difference"],
        {"ffnn_difference": {"samples": {"epochs": [0]}}},
        "experiments with the same last epoch under samples.epochs, but lists qnn_seeds (40); ffnn_difference (0).",
    ),
    (
        "fig09",
        ["qnn"],
        {"qnn": {"hessian": {"epochs": [0, 5]}, "planes": None, "figures": []}},
        "a Hessian at every epoch that has predictions, under hessian.epochs, but lists qnn (none at 40).",
    ),
    (
        "spectra_over_seeds",
        ["qnn_seeds", "ffnn_1000"],
        {"ffnn_1000": {"seeds": [0]}},
        "at least 2 seeds, to draw how they differ, but lists ffnn_1000 ([0]).",
    ),
    (
        "fig11",
        ["fig11_gd", "fig11_qng"],
        {"fig11_gd": {"seeds": [0, 1]}, "fig11_qng": {"seeds": [2]}},
        "a seed that all of its experiments have, but lists fig11_gd ([0, 1]); fig11_qng ([2]).",
    ),
    # what single figures draw
    (
        "fig02",
        ["toy_global"],
        {"toy_global": {"landscape": {"low": -1.0, "high": 1.0}}},
        "marked points, whose eigenvalues it shows, under landscape.points, but lists toy_global (none).",
    ),
    (
        "spectra_over_seeds",
        ["qnn_seeds", "ffnn_1000"],
        {"qnn_seeds": {"ensemble": {"epochs": [0, 40], "n_extremes": 5}, "samples": None}},
        "all eigenvalues of the circuit, ensemble.n_extremes: null, but lists qnn_seeds (5).",
    ),
    (
        "flat_starts",
        ["toy_sizes", "layered_sizes", "toy_gorge"],
        {},
        "one circuit and objective in its first two experiments, with target zero: the minimum lies at 0, but lists",
    ),
    (
        "flat_starts",
        ["toy_sizes", "toy_gorge", "layered_sizes"],
        {"toy_gorge": {"init": {"high": 1.0}}},
        "one of its first two experiments to start around the minimum, init.distribution: normal, all else uniformly, "
        "but lists toy_sizes, toy_gorge, layered_sizes (uniform).",
    ),
    (
        "flat_starts",
        ["toy_sizes", "toy_gorge", "layered_sizes"],
        {"layered_sizes": {"starts": {"n_starts": 2, "sizes": [[2, n] for n in range(1, 8)]}}},
        "at most 6 numbers of layers in its last experiment, under starts.sizes, but lists toy_sizes, toy_gorge ([1]); "
        "layered_sizes ([1, 2, 3, 4, 5, 6, 7]).",
    ),
]


@pytest.mark.parametrize(("figure", "shown", "experiments", "message"), FAULTS)
def test_what_a_figure_cannot_show_is_refused(
    figure: str, shown: list[str], experiments: dict[str, Any], message: str
) -> None:
    config = study({figure: {"experiments": shown}}, **experiments)
    expected = f"figures.{figure}.experiments: {figure} needs "
    with pytest.raises(ConfigError, match=f"^{re.escape(expected)}.*{re.escape(message)}"):
        required_tables(figure, config)


def test_every_need_of_every_figure_is_broken_above() -> None:
    told = {(figure, message) for figure, *_, message in FAULTS}
    wanted = {need.what for figure in FIGURES.values() for need in figure.needs}
    missing = {what for what in wanted if not any(_says(message, what) for _, message in told)}
    assert missing == set()


def _says(message: str, what: str) -> bool:
    """Whether a message, which may leave out the beginning of a need, is about it."""
    return message.split(", but lists")[0] in what and ", but lists" in message


@pytest.mark.parametrize(
    ("figure", "shown", "message"),
    [
        ("fig02", ["toy_global", "toy_local"], "must list 1, but lists 2: toy_global, toy_local."),
        ("fig04", ["toy_plus"], "must list 2, but lists 1: toy_plus."),
        (
            "fig11",
            [f"fig11_{name}" for name in ("gd", "qng", "qng_full", "hlr", "hlr_guarded", "adam", "lbfgs")],
            "must list 1 to 6, but lists 7: fig11_gd, fig11_qng, ",
        ),
        ("fig02", ["layered"], "experiment layered has no key `landscape`, which fig02 draws."),
        ("fig10", ["layered"], "experiment layered has no key `data`, which fig10 draws."),
        (
            "fig11",
            ["qnn_seeds"],
            "experiment qnn_seeds has the key `ensemble` and so keeps no trajectories, which fig11 draws.",
        ),
        ("compare", ["toy_global"], "experiment toy_global has no key `training`, which compare draws."),
    ],
)
def test_numbers_of_experiments_and_their_tables_are_checked(figure: str, shown: list[str], message: str) -> None:
    config = study({figure: {"experiments": shown}})
    with pytest.raises(ConfigError, match=re.escape(f"figures.{figure}.experiments: {message}")):
        required_tables(figure, config)


@pytest.mark.parametrize(
    ("figure", "shown", "seeds", "message"),
    [
        ("fig05", ["layered"], [0, 1], "must list at most 1, but is [0, 1]."),
        ("fig11", ["fig11_gd"], [0, 1, 2, 3, 4], "must list at most 4, but is [0, 1, 2, 3, 4]."),
        ("final_losses", ["fig11_gd"], [0], "must be left out, as final_losses shows all, but is [0]."),
    ],
)
def test_seeds_that_a_figure_would_leave_out_are_refused(
    figure: str, shown: list[str], seeds: list[int], message: str
) -> None:
    config = study({figure: {"experiments": shown, "seeds": seeds}})
    with pytest.raises(ConfigError, match=re.escape(f"figures.{figure}.seeds: {message}")):
        required_tables(figure, config)


def test_a_seed_that_is_asked_for_is_the_first_of_both_conventions() -> None:
    shown = {"experiments": ["layered", "layered_published"], "seeds": [4]}
    config = study({"fig06_conventions": shown}, layered_published={"seeds": [4, 0]})
    assert ("scans", "layered_published", 4) in required_tables("fig06_conventions", config)


def test_gradients_of_an_own_optimiser_cannot_be_counted() -> None:
    own = ENERGY | {"training": {"optimiser": "mine:optimiser", "n_epochs": 5}}
    config = study({"compare": {"experiments": ["fig11_gd", "own"], "against": "gradients"}}, own=own)
    message = "compare needs built-in optimisers, whose gradients can be counted, but lists own (mine:optimiser). "
    with pytest.raises(ConfigError, match=re.escape(message + "With `against: epochs` it shows any.")):
        required_tables("compare", config)
    config = study({"compare": {"experiments": ["fig11_gd", "own"]}}, own=own)
    assert ("trajectories", "own", 0) in required_tables("compare", config)


def test_every_curve_has_its_own_look() -> None:
    from vqc_landscape.figures import style

    assert len(style.CURVES) == needs.N_CURVES
