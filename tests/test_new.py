"""A new user's way in: the generator, the wheel, the workflow as a module of another one."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from vqc_landscape.__main__ import main
from vqc_landscape.config import load_config
from vqc_landscape.new import workflow_file
from vqc_landscape.studies.build import make_risk

ROOT = Path(__file__).parents[1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))  # and no folder of another test afterwards
    monkeypatch.delitem(sys.modules, "ising", raising=False)
    return tmp_path


def planned(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_an_empty_folder_becomes_a_study(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "ising"]) == 0
    assert "only_ising" in capsys.readouterr().out
    assert {path.name for path in folder.iterdir()} == {"config", "ising.py", "Snakefile", "profiles"}
    experiment = load_config("config/config.yaml").experiments["ising"]
    assert make_risk(experiment).n_params == experiment.n_params == 24
    output = planned(folder, "only_ising")
    for message in ("ising seed 0: train", "ising seed 0: planes of the landscape", "draw ising_planes"):
        assert message in output


def test_an_entry_is_added_and_all_else_stays(folder: Path) -> None:
    text = (ROOT / "config" / "config.yaml").read_text()
    Path("study.yaml").write_text(text)
    assert main(["new", "mine", "--config", "study.yaml"]) == 0
    added = Path("study.yaml").read_text()
    assert [line for line in text.splitlines() if line not in added.splitlines()] == []
    before, after = yaml.safe_load(text), yaml.safe_load(added)
    assert after["experiments"].pop("mine")["circuit"] == "mine:qnode"
    assert after == before


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("Mine", None, "A name must be lower-case letters, digits and _, a letter first, but is 'Mine'."),
        ("taken", None, "taken.py exists already; nothing was written."),
        ("json", None, "a word of Python or an installed module, which json.py would hide, but is 'json'."),
        ("numpy", None, "a word of Python or an installed module, which numpy.py would hide, but is 'numpy'."),
        ("class", None, "a word of Python or an installed module, which class.py would hide, but is 'class'."),
        ("mine", "experiments:\n  a: [\n", "config/config.yaml is no valid YAML (while parsing a flow"),
        ("mine", "figures: {}\n", "config/config.yaml has no line `experiments:`"),
        ("mine", "experiments:\n  mine: {}\n", "config/config.yaml has an experiment mine already"),
        ("mine", "experiments:\n  other: {}\n", "experiments.other.objective: missing"),
    ],
)
def test_what_cannot_be_added_is_said_and_nothing_is_written(
    folder: Path, name: str, config: str | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "taken.py").write_text("")
    if config is not None:
        (folder / "config").mkdir()
        (folder / "config" / "config.yaml").write_text(config)
    before = sorted(folder.rglob("*"))
    assert main(["new", name]) == 1
    error = capsys.readouterr().err
    assert message in error and len(error.splitlines()) <= 2  # of the configuration: a title and its fault
    assert sorted(folder.rglob("*")) == before
    assert config is None or (folder / "config" / "config.yaml").read_text() == config


def test_another_workflow_imports_this_one_as_a_module(folder: Path) -> None:
    assert main(["new", "ising"]) == 0
    (folder / "Snakefile").write_text(
        f"""
module landscape:
    snakefile: "{workflow_file()}"
    config: {{**{yaml.safe_load((folder / "config" / "config.yaml").read_text())!r}, "results_dir": "elsewhere"}}

use rule * from landscape as landscape_*

rule count:
    input: "elsewhere/spectra/experiment=ising/seed=0/part-0.parquet"
    output: "count.txt"
    shell: "ls {{input}} | wc -l > {{output}}"
"""
    )
    output = planned(folder, "count")
    assert "ising seed 0: diagonalise the Hessians" in output and "draw" not in output


def test_the_wheel_has_the_library_its_types_and_the_workflow(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    found = [path for ending in ("py", "pyi") for path in (ROOT / "src").rglob(f"*.{ending}")]
    sources = {str(path.relative_to(ROOT / "src")) for path in found}
    assert sources <= names and "vqc_landscape/py.typed" in names
    parts = {path for path in (ROOT / "workflow").rglob("*") if path.is_file()}
    assert {f"vqc_landscape/workflow/{path.relative_to(ROOT / 'workflow')}" for path in parts} <= names
    metadata = zipfile.ZipFile(wheel).read(next(n for n in names if n.endswith("METADATA"))).decode()
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert not [line for line in needed if "snakemake" in line or "torch" in line]  # extras: workflow, torch


def test_without_torch_networks_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import vqc_landscape as vl

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="Networks need torch: pip install 'vqc-landscape"):
        vl.NetworkRisk(None, [[0.0]], [1.0])
