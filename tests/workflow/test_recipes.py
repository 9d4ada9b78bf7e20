"""CONTRIBUTING's recipes followed to the letter in a copy of the project: a new table, and a figure that draws it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[2]

STEP = '''
"""The trace of every Hessian."""

import numpy as np

from vqc_landscape.tables.parquet import read_table, write_table


def write_traces(hessians, output):
    rows = read_table("hessians", hessians).sort_values(["epoch", "row"])
    traces = rows.groupby("epoch")["values"].apply(lambda values: np.trace(np.stack(values.to_list())))
    write_table("traces", output, {"epoch": traces.index, "trace": traces})
'''

TABLE = """
    "traces": Table(
        what="the trace of every Hessian",
        columns=pa.schema({"epoch": INT, "trace": FLOAT}),
        by_seed=True,
        section="hessian",
        step="studies.traces.write_traces",
        seconds=lambda hessian, work: 0.0,
        numbers=lambda hessian, work: work.n_params**2 * work.n_hessians,
        forms_matrices=_never,
    ),
"""

RULE = """

use rule step as traces with:
    input:
        hessians=hessians_of,
    output:
        table("traces"),
    log:
        logs("traces"),
    benchmark:
        benchmarks("traces")
    resources:
        **needs("traces"),
    params:
        **step("traces"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: traces of the Hessians"
"""

DRAWING = '''

def draw_traces(data: FigureData) -> Figure:
    """The trace along the training."""
    figure = Figure()
    axes = figure.subplots()
    rows = data.rows("traces")
    axes.plot(rows["epoch"], rows["trace"])
    return figure
'''

FIGURE = """
    "trace_of_hessian": Figure(
        draw="figures.experiment.draw_traces",
        reads=("traces",),
        views=(),
        category=BEYOND,
        caption="The trace of the Hessian along the training.",
    ),
"""

CONFIG = """
experiments:
  small:
    circuit: {ansatz: rx_product, n_qubits: 2, n_layers: 1}
    objective: {loss: infidelity}
    training: {optimiser: {name: gd, learning_rate: 0.1}, n_epochs: 2}
    hessian: {}
figures:
  trace_of_hessian: {experiments: [small]}
"""


def insert(path: Path, after: str, text: str) -> None:
    source = path.read_text()
    assert source.count(after) == 1
    path.write_text(source.replace(after, after + text))


def test_a_new_table_and_its_figure(tmp_path: Path) -> None:
    for part in ("src", "workflow", "profiles"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "Snakefile", tmp_path)
    package = tmp_path / "src" / "vqc_landscape"
    # a table: its record, its step, its rule
    insert(package / "tables" / "registry.py", "TABLES: dict[str, Table] = {", TABLE)
    (package / "studies" / "traces.py").write_text(STEP)
    with (tmp_path / "workflow" / "rules" / "curvature.smk").open("a") as rules:
        rules.write(RULE)
    # a figure: its record and its drawing function
    insert(package / "figures" / "registry.py", "FIGURES: dict[str, Figure] = {", FIGURE)
    with (package / "figures" / "experiment.py").open("a") as drawings:
        drawings.write(DRAWING)

    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "study.yaml").write_text(CONFIG)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "all", "--configfile", "study.yaml"]
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path / "src"),
        "NUMBA_CACHE_DIR": str(ROOT / "src" / "vqc_landscape" / "simulator" / "cpu" / "__pycache__"),
    }
    done = subprocess.run(
        [*command, "--snakefile", str(tmp_path / "Snakefile")],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    traces = pd.read_parquet(folder / "results" / "traces").set_index("epoch")["trace"]
    spectra = pd.read_parquet(folder / "results" / "spectra")
    # the trace is the sum of the eigenvalues, but for round-off
    np.testing.assert_allclose(traces, spectra.groupby("epoch")["eigval"].sum(), rtol=0, atol=1e-14)
    assert (folder / "results" / "figures" / "trace_of_hessian.png").read_bytes().startswith(b"\x89PNG")
    assert "The trace of the Hessian along the training." in (folder / "results" / "report.html").read_text()
    assert {path.parent.name for path in (folder / "results" / "logs").rglob("*.log")} >= {"traces", "figures"}
