"""A new user's way in: the generator, the wheel, the workflow as a module of another one."""

from __future__ import annotations

import importlib.util
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
from vqc_landscape.studies import plan
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
    said = capsys.readouterr().out
    assert "only_ising" in said and "not installed" not in said
    assert {path.name for path in folder.iterdir()} == {"config", "ising.py", "Snakefile", "profiles"}
    experiment = load_config("config/config.yaml").experiments["ising"]
    assert make_risk(experiment).n_params == experiment.n_params == 24
    output = planned(folder, "only_ising")
    for message in ("ising seed 0: train", "ising seed 0: planes of the landscape", "draw ising_planes"):
        assert message in output


def profiles(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def test_profiles_of_clusters_are_there_and_work_with_slurm(folder: Path) -> None:
    assert main(["new", "ising"]) == 0
    assert profiles(folder / "profiles") == profiles(ROOT / "profiles")
    assert os.access("profiles/generic/status.sh", os.X_OK)
    output = planned(folder, "only_ising", "--workflow-profile", "profiles/slurm")
    assert "Using workflow specific profile profiles/slurm" in output


def test_profiles_that_are_there_stay_and_the_default_is_for_a_new_snakefile(folder: Path) -> None:
    (folder / "Snakefile").write_text("# my own\n")
    (folder / "profiles" / "slurm").mkdir(parents=True)
    (folder / "profiles" / "slurm" / "config.yaml").write_text("# my own\n")
    assert main(["new", "ising"]) == 0
    assert (folder / "Snakefile").read_text() == "# my own\n"
    assert profiles(folder / "profiles").keys() == {"slurm/config.yaml", "generic/config.yaml", "generic/status.sh"}
    assert (folder / "profiles" / "slurm" / "config.yaml").read_text() == "# my own\n"


def test_without_snakemake_it_says_what_to_install_first(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "snakemake" else found(name))
    assert main(["new", "ising"]) == 0
    *_, first, then = capsys.readouterr().out.splitlines()
    assert first.endswith("pip install 'vqc-landscape[workflow]'") and "snakemake --cores 4 only_ising" in then


def test_a_name_may_be_as_long_as_the_longest(folder: Path) -> None:
    name = "n" * 100
    assert main(["new", name]) == 0
    assert list(load_config("config/config.yaml").experiments) == [name]
    seed, block, shard = 2**63 - 1, 10**6, 10**6 * 499_500  # the largest of each
    log = f"{name}-{seed}-{block}-{shard}.log"  # of rule hessian_shard
    paths = [plan.shard_file("results", name, seed, block, shard), log, f"{name}_training.pdf"]
    longest = max(len(part) for path in paths for part in Path(path).parts)
    assert longest + len(".12345678.parquet") <= 255  # as long as a file is being written


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
        ("n" * 300, None, "A name must have at most 100 characters, but nnnnnnnnnnnnnnnnnnnn... has 300."),
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
    assert {f"vqc_landscape/profiles/{path}" for path in profiles(ROOT / "profiles")} <= names
    metadata = zipfile.ZipFile(wheel).read(next(n for n in names if n.endswith("METADATA"))).decode()
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert not [line for line in needed if "snakemake" in line or "torch" in line]  # extras: workflow, torch


def test_without_torch_networks_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import vqc_landscape as vl

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="Networks need torch: pip install 'vqc-landscape"):
        vl.NetworkRisk(None, [[0.0]], [1.0])
