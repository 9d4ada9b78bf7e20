"""Results and checkpoints go into folders of their own: every other place is refused by name, and stays as it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from vqc_landscape.config import Config, ConfigError, parse_config
from vqc_landscape.studies import plan
from vqc_landscape.studies.folders import MARKER, check_folders, check_profile, make_folders
from vqc_landscape.tables.registry import TABLES

ROOT = Path(__file__).parents[1]
MINIMAL = yaml.safe_load((ROOT / "config" / "minimal.yaml").read_text())


def study(**folders: str) -> Config:
    return parse_config(MINIMAL | {"results_dir": "results", "state_dir": "state"} | folders)


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a home folder and others beside it, each with a user's files."""
    touch(tmp_path, "home/thesis.tex", "work/notes.txt", "work/data/samples.csv", "work/file", "elsewhere/deep/x.png")
    (tmp_path / "work" / "link").symlink_to(tmp_path)
    (tmp_path / "work" / "away").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "work" / "round").symlink_to("round")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.mark.parametrize("key", ["results_dir", "state_dir"])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (".", "is the folder that Snakemake runs in"),
        ("data/..", "is the folder that Snakemake runs in"),
        ("..", "lies above the folder that Snakemake runs in, /"),
        ("/", "lies above the folder that Snakemake runs in, /"),
        ("link", "lies above the folder that Snakemake runs in, /"),
        ("link/work", "is the folder that Snakemake runs in"),
        ("../home", "is the home folder"),
        ("link/home", "is the home folder"),
        ("data", "holds samples.csv, which no run of this workflow has made"),
        ("away", "holds deep/x.png, which no run of this workflow has made"),
        ("/etc", "which no run of this workflow has made"),
        ("file", "is a file"),
    ],
)
def test_a_folder_that_is_not_ones_own_is_refused_by_name(here: Path, key: str, value: str, reason: str) -> None:
    before = sorted(here.parent.rglob("*"))
    with pytest.raises(ConfigError, match=re.escape(f"{key}: must be a folder of its own, but {value!r} ")) as caught:
        check_folders(study(**{key: value}))
    assert reason in str(caught.value) and len(str(caught.value).splitlines()) == 2
    assert sorted(here.parent.rglob("*")) == before


def test_what_lies_above_the_home_folder_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here / "users" / "me"))
    with pytest.raises(ConfigError, match="'users' lies above the home folder, /"):
        check_folders(study(results_dir="users"))


def test_what_leads_nowhere_is_refused(here: Path) -> None:
    with pytest.raises(ConfigError, match="results_dir round or state_dir state: Symlink loop"):
        check_folders(study(results_dir="round"))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("results_dir", "~/x", "results_dir: begins with ~, which only a shell expands: write /root-of-me/x, not ~/x"),
        ("state_dir", "~", "state_dir: begins with ~, which only a shell expands: write /root-of-me, not ~"),
        *(
            ("results_dir", value, "results_dir: must be a path on one line, without any of { } < > [ ] * ?, but is")
            for value in ("a<b>", "a[1]", "{seed}", "a*", "a?", "a\nb")
        ),
    ],
)
def test_what_snakemake_or_a_shell_would_read_otherwise_is_refused(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str, message: str
) -> None:
    monkeypatch.setenv("HOME", "/root-of-me")
    with pytest.raises(ConfigError, match=re.escape(message)):
        study(**{key: value})


@pytest.mark.parametrize(
    ("results", "state"),
    [
        ("out", "out"),
        ("out", "./out/"),
        ("out", "out/figures"),
        ("out", "out/hessians/x"),
        ("out/experiment=qnn/x", "out"),
    ],
)
def test_two_folders_that_would_mix_are_refused(here: Path, results: str, state: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"state_dir: {state!r} would mix with results_dir {results!r}")):
        check_folders(study(results_dir=results, state_dir=state))


@pytest.mark.parametrize(
    ("results", "state"), [("out", "out/state"), ("state/out", "state"), ("a", "b"), ("link/x", "y")]
)
def test_other_folders_are_taken_again_and_again(here: Path, results: str, state: str) -> None:
    config = study(results_dir=results, state_dir=state)
    for _ in range(2):
        check_folders(config)
        make_folders(config)


def everything(config: Config) -> list[str]:
    """Every file that a run leaves, as an earlier version would have left it: without a marker."""
    results, state = config.results_dir, config.state_dir
    tables = [path for stage in TABLES for name in config.experiments for path in plan.part_files(config, stage, name)]
    return [
        *tables,
        *plan.benchmark_files(config),
        *(path.replace("/benchmarks/", "/logs/").replace(".tsv", ".log") for path in plan.benchmark_files(config)),
        plan.shard_file(results, "qnn", 0, 0, 3),
        f"{Path(tables[0]).parent}/.part-0.parquet.k3x.parquet",
        *(f"{results}/{name}" for name in ("figures/fig01.png", "figures/qnn_planes.pdf", "report.html", "claims.md")),
        *(
            f"{results}/{name}"
            for name in ("claims.parquet", "timings/qnn-0.tsv", "logs/report/report.log", ".DS_Store")
        ),
        *(f"{state}/experiment=qnn/seed=0/0a1b/{name}" for name in ("lock", "checkpoint.safetensors")),
        f"{state}/experiment=qnn/seed=0/0a1b/checkpoint.safetensors.damaged-2",
    ]


@pytest.mark.parametrize(("results", "state"), [("results", "state"), ("out", "out/state"), ("state/out", "state")])
def test_the_folders_of_earlier_versions_are_taken(here: Path, results: str, state: str) -> None:
    config = study(results_dir=results, state_dir=state)
    touch(here, *everything(config))
    check_folders(config)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("results", "notes.txt"),
        ("results", "figures/mine.svg"),
        ("results", "hessians/mine.parquet"),
        ("results", ".git/config"),
        ("state", "experiment=qnn/seed=0/0a1b/mine"),
        ("state", "report.html"),
    ],
)
def test_among_them_one_file_of_the_user_is_found_and_with_a_marker_it_is_welcome(
    here: Path, folder: str, name: str
) -> None:
    config = study()
    touch(here, *everything(config), f"{folder}/{name}")
    with pytest.raises(
        ConfigError, match=re.escape(f"{folder}_dir: must be a folder of its own, but {folder!r} holds {name}")
    ):
        check_folders(config)
    touch(here, f"{folder}/{MARKER}")  # as the message says
    check_folders(config)


def test_a_users_figures_are_no_results(here: Path) -> None:
    touch(here, "paper/figures/fig01.png")
    with pytest.raises(ConfigError, match="'paper' holds figures/fig01.png, which no run"):
        check_folders(study(results_dir="paper"))


def test_a_folder_that_cannot_be_written_is_named(here: Path) -> None:
    folders = {"results_dir": "new/results", "state_dir": "file/state"}
    with pytest.raises(OSError, match=re.escape("The folder file/state cannot be written: Not a dir")):
        make_folders(study(**folders))
    assert [path.name for path in Path("new/results").iterdir()] == [MARKER]  # made, and no test file is left in it


# --- profiles ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["--cores", "2"],
        ["--workflow-profile", "profiles/slurm"],
        ["--workflow-profile=slurm", "all"],
        ["--workflow-profile", "none"],
        ["--workflow-profile", "of_the_workflow"],
    ],
)
def test_a_profile_that_snakemake_finds_is_taken(here: Path, arguments: list[str]) -> None:
    touch(here, "profiles/slurm/config.yaml", "flow/profiles/of_the_workflow/config.yaml")
    check_profile(arguments, Path("flow/Snakefile"))


def test_a_profile_that_snakemake_would_ignore_is_refused(here: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"--workflow-profile profiles/slrum: there is no such profile in .*/work, so"
    ):
        check_profile(["all", "--workflow-profile", "profiles/slrum"], Path("Snakefile"))


# --- the workflow -----------------------------------------------------------------------------------------


def dry_run(folder: Path, config: dict[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "study.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--dry-run", "only_toy_global", *arguments]
    command += ["--snakefile", str(ROOT / "Snakefile"), "--configfile", "study.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=200)


@pytest.mark.parametrize(
    ("folders", "arguments", "message"),
    [
        ({"results_dir": ".."}, [], "results_dir: must be a folder of its own, but '..' lies above the folder that"),
        ({}, ["--workflow-profile", "profiles/slrum"], "--workflow-profile profiles/slrum: there is no such profile"),
    ],
)
def test_a_dry_run_refuses_it_too(here: Path, folders: dict[str, str], arguments: list[str], message: str) -> None:
    done = dry_run(here, MINIMAL | folders, *arguments)
    said = done.stdout + done.stderr  # messages of a dry run go to the first, those before it to the second
    assert done.returncode == 1 and message in said and "Traceback" not in said
