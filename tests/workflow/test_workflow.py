"""The workflow itself: run once on the minimal study at --cores 16, then asked what it would do after changes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from vqc_landscape.claims.registry import rows_of
from vqc_landscape.config import Config, load_config
from vqc_landscape.figures.select import own_figures
from vqc_landscape.studies import plan
from vqc_landscape.tables.parquet import read_table
from vqc_landscape.tables.registry import SCHEMAS, TABLES

ROOT = Path(__file__).parents[2]
MINIMAL = ROOT / "config" / "minimal.yaml"
PAGE = "write the page"
Edit = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Study:
    """A folder in which the workflow runs, with its configuration and the package that it uses."""

    folder: Path
    config: Path
    source: Path = ROOT / "src"
    snakefile: Path = ROOT / "Snakefile"

    @property
    def parsed(self) -> Config:
        return load_config(self.config)

    @property
    def figures(self) -> list[str]:
        return [*self.parsed.figures, *own_figures(self.parsed)]

    @property
    def results(self) -> Path:
        return self.folder / self.parsed.results_dir

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it; errors are the caller's to look at."""
        command = [sys.executable, "-m", "snakemake", *arguments, "--snakefile", str(self.snakefile)]
        command += ["--directory", str(self.folder), "--configfile", str(self.config)]
        environment = {**os.environ, "PYTHONPATH": str(self.source)}
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=400)

    def planned(self) -> set[str]:
        """Messages of the jobs that a run would do, but for the page, which follows whatever is done."""
        done = self.snakemake("--dry-run", "all")
        assert done.returncode == 0, done.stderr
        jobs = set(re.findall(r"^ *Job \d+: (.*)$", done.stdout + done.stderr, re.MULTILINE))
        assert not jobs or PAGE in jobs
        return {
            job for job in jobs - {PAGE} if not job.startswith("Every table, figure and claim is there, and the page.")
        }

    def edited(self, edit: Edit) -> Study:
        """The same folder with another configuration."""
        raw = yaml.safe_load(self.config.read_text())
        edit(raw)
        config = self.folder / "edited.yaml"
        config.write_text(yaml.safe_dump(raw, sort_keys=False))  # the order of claims is that of their table
        return replace(self, config=config)

    def with_module(self, tmp_path: Path, module: str, text: str) -> Study:
        """The same folder with a package in which ``text`` was added to a module."""
        source = tmp_path / "src"
        shutil.copytree(self.source, source, ignore=shutil.ignore_patterns("__pycache__"))
        with (source / "vqc_landscape" / module).open("a") as file:
            file.write(text)
        return replace(self, source=source)

    def tables(self, stage: str) -> list[tuple[str, list[Path]]]:
        """Part files of a table, by experiment."""
        config = self.parsed
        files = {name: plan.part_files(config, stage, name) for name in config.experiments}
        return [(name, [self.folder / path for path in paths]) for name, paths in files.items() if paths]


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("minimal")
    study = Study(folder, Path(shutil.copy(MINIMAL, folder)))
    done = study.snakemake("--cores", "16", "all")
    assert done.returncode == 0, done.stdout + done.stderr
    return study


# --- what it made -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", TABLES)
def test_every_table_is_there_in_its_schema(study: Study, stage: str) -> None:
    tables = study.tables(stage)
    assert tables
    for _, paths in tables:
        for path in paths:
            assert pq.read_schema(path).equals(SCHEMAS[stage]), path
    whole = pd.read_parquet(study.results / stage)  # as the README opens it
    assert set(whole["experiment"]) == {name for name, _ in tables}
    assert len(whole) == sum(len(read_table(stage, paths)) for _, paths in tables)
    on_disk = {path for path in (study.results / stage).rglob("*.parquet")}
    assert on_disk == {path for _, paths in tables for path in paths}


def test_rows_are_those_of_the_contract(study: Study) -> None:
    for name, experiment in study.parsed.experiments.items():
        n_params, seeds = experiment.n_params, len(experiment.seeds)

        def rows(stage: str, name: str = name) -> pd.DataFrame:
            return read_table(stage, dict(study.tables(stage))[name])

        if experiment.data:
            assert rows("datasets")["split"].value_counts().to_dict() == {"train": 24, "test": 24}
        if experiment.ensemble:
            ensembles = rows("ensembles")
            kinds = len(experiment.ensemble.activations or [0]) * len(experiment.ensemble.initialisers or [0])
            assert len(ensembles) == kinds * seeds * len(experiment.ensemble.epochs)
            assert sorted(set(ensembles["seed"])) == experiment.seeds
            if experiment.samples:
                assert len(rows("samples")) == 24 * seeds * len(experiment.samples.epochs)
        elif experiment.training:
            n_epochs = experiment.training.n_epochs
            table = rows("trajectories")
            assert table["epoch"].tolist() == list(range(n_epochs + 1)) * seeds
            assert table["params"].map(len).eq(n_params).all()
            assert table["accuracy"].notna().all() == (experiment.data is not None)
        if experiment.hessian:
            epochs = np.repeat(experiment.hessian_epochs, n_params).tolist()
            assert rows("hessians")["epoch"].tolist() == rows("spectra")["epoch"].tolist() == epochs
            assert rows("hessians")["values"].map(len).eq(n_params).all()
            assert rows("spectra")["eigvec"].map(len).eq(n_params).all()
        if experiment.scans:
            assert len(rows("scans")) == len(experiment.scans.positions) * experiment.scans.n_points
        if experiment.predictions:
            assert len(rows("predictions")) == len(experiment.predictions.epochs) * experiment.predictions.n_grid**2
        if experiment.starts:
            n_sizes = max(len(experiment.starts.sizes), 1)
            assert rows("starts")["init"].tolist() == list(range(experiment.starts.n_starts)) * n_sizes
        if experiment.landscape:
            assert rows("landscapes")["label"].dropna().tolist() == list(experiment.landscape.points)


def test_eigenpairs_solve_the_stored_hessians(study: Study) -> None:
    for name, paths in study.tables("hessians"):
        hessians = read_table("hessians", paths)
        spectra = read_table("spectra", dict(study.tables("spectra"))[name])
        for (seed, epoch), pairs in spectra.groupby(["seed", "epoch"]):
            rows = hessians[(hessians["seed"] == seed) & (hessians["epoch"] == epoch)].sort_values("row")
            hessian, vectors = np.stack(rows["values"].to_list()), np.stack(pairs["eigvec"].to_list(), axis=1)
            size = np.linalg.norm(hessian)
            np.testing.assert_array_equal(hessian, hessian.T)
            np.testing.assert_allclose(vectors.T @ vectors, np.eye(len(rows)), atol=1e-12)  # round-off of P products
            # the contract's bound: 1e-9 of the norm of H
            assert np.linalg.norm(hessian @ vectors - vectors * pairs["eigval"].to_numpy(), axis=0).max() < 1e-9 * size
            assert np.all(np.diff(pairs["eigval"]) >= 0)


def test_every_figure_is_there(study: Study) -> None:
    for figure in study.figures:
        assert (study.results / "figures" / f"{figure}.png").read_bytes().startswith(b"\x89PNG")
        assert (study.results / "figures" / f"{figure}.pdf").read_bytes().startswith(b"%PDF")


def test_every_job_has_a_log_and_a_benchmark_and_works_with_the_one_thread_that_it_declares(study: Study) -> None:
    logs, benchmarks = (sorted((study.results / kind).rglob("*.*")) for kind in ("logs", "benchmarks"))
    names = [
        [path.relative_to(study.results / kind).with_suffix("") for path in paths]
        for kind, paths in (("logs", logs), ("benchmarks", benchmarks))
    ]
    n_tables = sum(len(paths) for stage in TABLES for _, paths in study.tables(stage))
    assert names[0] == names[1] and len(names[0]) == n_tables + len(study.figures) + 3  # claims, page, timings
    assert all(path.read_text().endswith("done\n") for path in logs)
    assert "epoch 3/3  loss" in (study.results / "logs" / "trajectories" / "qnn-0.log").read_text()
    threads = {path: path.read_text().count("threads: 1\n") for path in logs}  # what the engine and torch read
    assert {path: count for path, count in threads.items() if count != 1} == {}
    loads = {path: pd.read_csv(path, sep="\t")["mean_load"].iloc[0] for path in benchmarks}
    # per cent of one core; two busy threads would show 200, and short jobs are sampled coarsely
    assert {path: load for path, load in loads.items() if load > 150} == {}


# --- what runs again --------------------------------------------------------------------------------------


def test_a_second_run_has_nothing_to_do(study: Study) -> None:
    done = study.snakemake("--cores", "16")
    assert done.returncode == 0 and "Nothing to be done" in done.stdout + done.stderr


def test_a_figure_setting_draws_that_figure_again(study: Study) -> None:
    assert study.edited(lambda raw: raw["figures"]["fig11"].update(seeds=[1])).planned() == {"draw fig11"}


def test_a_caption_writes_the_page_again_and_nothing_else(study: Study, tmp_path: Path) -> None:
    caption = """
from dataclasses import replace
FIGURES["fig05"] = replace(FIGURES["fig05"], caption="Another sentence.")
"""
    other = study.with_module(tmp_path, "figures/registry.py", caption)
    assert other.planned() == set()  # the page itself is not listed
    done = other.snakemake("--dry-run", "all")
    assert PAGE in done.stdout + done.stderr


def test_snakemakes_own_report_has_every_figure_with_its_caption_and_category(study: Study, tmp_path: Path) -> None:
    page = tmp_path / "snakemake.html"
    done = study.snakemake("--report", str(page))
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    for figure in study.figures:
        assert f"{figure}.png" in text
    for words in (
        "Figures of the paper, exact and as published",
        "Beyond the paper",
        "uniform on the square, class +1",
    ):
        assert words in text
    assert not re.search(r'(src|href)="https?://[^"]*\.(js|css)"', text)  # opens without a network


def test_a_plot_style_draws_the_figures_again_and_nothing_else(study: Study, tmp_path: Path) -> None:
    edited = study.with_module(tmp_path, "figures/style.py", "\n_ = 0\n")
    assert edited.planned() == {f"draw {figure}" for figure in study.figures}


def test_another_seed_computes_that_seed(study: Study) -> None:
    def add_seeds(raw: dict[str, Any]) -> None:
        raw["experiments"]["layered"]["seeds"] = [0, 7]
        raw["experiments"]["fig11_gd"]["seeds"] = [0, 1, 2]

    assert study.edited(add_seeds).planned() == {
        "measure the claims",
        "layered seed 7: train",
        "layered seed 7: Hessians, block 0",
        "layered seed 7: Hessians, block 1",
        "layered seed 7: diagonalise the Hessians",
        "layered seed 7: loss along eigenvectors",
        "fig11_gd seed 2: train",
        "draw fig11",
        "draw final_losses",
        "draw compare",
    }


def test_an_edited_module_runs_again_what_depends_on_it(study: Study, tmp_path: Path) -> None:
    edited = study.with_module(tmp_path, "curvature/spectrum.py", "\n_ = 0\n")
    spectra = {
        f"{name} seed 0: diagonalise the Hessians"
        for name in ("layered", "layered_published", "qnn", "qnn_published", "ffnn")
    }
    planes = {f"{name}: plane of the landscape" for name, _ in study.tables("landscapes")}
    scans = {f"{name} seed 0: loss along eigenvectors" for name in ("layered", "layered_published")}
    starts = {f"{name}: spectra at many initial points" for name, _ in study.tables("starts")}
    ensembles = {
        f"{name}: {what}, block {block}"
        for stage, what in (("ensembles", "train and differentiate seeds"), ("samples", "Hessians of single samples"))
        for name, parts in study.tables(stage)
        for block in range(len(parts))
    }
    planes |= {f"{name} seed 0: planes of the landscape" for name, _ in study.tables("planes")}
    tables = spectra | planes | scans | starts | ensembles
    planned = edited.planned()
    figures = {f"draw {figure}" for figure in study.figures} - {
        f"draw {figure}" for figure in ("fig01", "fig08", "fig11", "final_losses", "hessian_cost", "compare")
    }
    assert tables | {"measure the claims"} == {message for message in planned if not message.startswith("draw ")}
    # fig07, the disk, among them: its module draws spectra, too
    assert figures == {message for message in planned if message.startswith("draw ")}


def test_the_minimal_study_is_a_demonstration_and_says_so(study: Study) -> None:
    words = "This is a demonstration: sizes were chosen to be quick. Its numbers and verdicts mean nothing."
    for name in ("claims.md", "report.html", "logs/claims/claims.log"):
        assert words in (study.results / name).read_text(), name
    assert study.edited(lambda raw: raw.pop("purpose")).planned() == {"measure the claims"}
    last = study.snakemake("--dry-run", "--forcerun", "all", "all")
    assert f"Every table, figure and claim is there, and the page. {words}" in last.stdout + last.stderr


def test_a_changed_threshold_measures_the_claims_again_and_nothing_else(study: Study, tmp_path: Path) -> None:
    assert study.with_module(tmp_path, "claims/toy.py", "\nZERO = 1e-11\n").planned() == {"measure the claims"}


def test_every_configured_claim_has_its_row(study: Study) -> None:
    table = pd.read_parquet(study.results / "claims.parquet")
    asked = [(id_, convention) for id_, convention in rows_of(study.parsed)]
    assert list(zip(table["claim"], table["convention"], strict=True)) == asked
    text = (study.results / "claims.md").read_text()
    assert all(f"## {id_}" in text for id_ in study.parsed.claims)


def test_an_edited_network_leaves_the_circuits_alone(study: Study, tmp_path: Path) -> None:
    planned = study.with_module(tmp_path, "risks/network_risk.py", "\n_ = 0\n").planned()
    assert "ffnn seed 0: train" in planned
    models = {message.split()[0] for message in planned - {"measure the claims"} if "draw " not in message}
    assert all(model.startswith("ffnn") for model in models)


def test_a_comment_in_a_module_runs_nothing_again(study: Study, tmp_path: Path) -> None:
    assert study.with_module(tmp_path, "simulator/cpu/kernels.py", "\n# a remark\n").planned() == set()


# --- the same bytes, whatever the number of cores ---------------------------------------------------------


@pytest.mark.parametrize(("cores", "experiment"), [("1", "layered"), ("2", "qnn")])
def test_tables_are_the_same_bytes_at_any_number_of_cores_and_in_little_memory(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: str, experiment: str
) -> None:
    monkeypatch.setenv("VQC_LANDSCAPE_MEMORY_GB", "0.0002")  # one accumulation block at a time
    again = Study(tmp_path, study.config)
    done = again.snakemake("--cores", cores, f"only_{experiment}")
    assert done.returncode == 0, done.stderr
    for stage in TABLES:
        paths = plan.part_files(study.parsed, stage, experiment)
        assert [(tmp_path / path).read_bytes() for path in paths] == [(study.folder / p).read_bytes() for p in paths]


# --- bad input --------------------------------------------------------------------------------------------


def set_layers(raw: dict[str, Any]) -> None:
    raw["experiments"]["qnn"]["circuit"] = {"ansatz": "reuploading", "n_qubits": 0, "n_layer": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Config file must be given as JSON or YAML with keys at top level."),
        ("experiments: [1, 2", "Config file is not valid JSON or YAML."),
        (set_layers, "experiments.qnn.circuit: unknown key 'n_layer'; did you mean 'n_layers'?"),
        (
            lambda raw: raw["figures"]["fig05"].update(experiments=["toy_plus"]),
            "figures.fig05.experiments: experiment toy_plus has no key `training`, which fig05 draws.",
        ),
        (
            lambda raw: raw["figures"]["final_losses"].update(experiments=["qnn"]),
            "final_losses needs the global infidelity of a built-in circuit, a loss with a plateau at 1, but lists qnn "
            "(mse). Figure `compare` shows any loss.",
        ),
    ],
    ids=["empty", "malformed", "unknown key", "figure without table", "figure of another loss"],
)
def test_a_bad_configuration_is_one_error_before_anything_runs(tmp_path: Path, text: str | Edit, message: str) -> None:
    config = Path(shutil.copy(MINIMAL, tmp_path / "bad.yaml"))
    bad = Study(tmp_path, config)
    if isinstance(text, str):
        config.write_text(text)
    else:
        bad = bad.edited(text)
    done = bad.snakemake("--cores", "2", "all")
    output = done.stdout + done.stderr
    assert done.returncode == 1 and message in output
    assert "Traceback" not in output
    assert not (tmp_path / "results-minimal").exists()


def test_a_truncated_table_is_named_and_not_used(study: Study, tmp_path: Path) -> None:
    copy = Study(tmp_path / "copy", study.config)
    shutil.copytree(study.folder, copy.folder)
    scans = copy.folder / plan.part_files(copy.parsed, "scans", "layered")[0]
    scans.write_bytes(scans.read_bytes()[:-50])
    done = copy.snakemake("--cores", "1", "fig06", "--forcerun", "fig06", "--rerun-triggers", "params")
    assert done.returncode == 1
    assert re.search(
        r"fig06: ValueError: Table `scans`: \S+/experiment=layered/seed=0/part-0.parquet is damaged", done.stderr
    )
