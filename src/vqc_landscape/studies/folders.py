"""Where results and checkpoints lie: in folders of their own, never among files that no run of this workflow made."""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from vqc_landscape.config import Config, ConfigError
from vqc_landscape.tables.registry import TABLES

MARKER = ".vqc-landscape"  # made by the first run: whatever a user adds later on is no reason to stop
MARK = "Runs of a vqc-landscape study write into this folder.\n"

# Names that a run gives, for folders of earlier versions, which have no marker.
FOLDERS = (*TABLES, "hessian_shards")
RESULTS = (*FOLDERS, "figures", "logs", "benchmarks", "timings", "claims.parquet", "claims.md", "report.html")
_TABLE = re.compile(rf"({'|'.join(FOLDERS)})/experiment=[^/]+/(seed=[0-9]+/)?part-[^/]+\.parquet")
_FROM_TABLES = re.compile(r"figures/\w+\.(png|pdf)|claims\.(parquet|md)|report\.html")
_RECORD = re.compile(r"logs/\w+/[^/]+\.log|(benchmarks/\w+|timings)/[^/]+\.tsv")
_STATE = re.compile(r"experiment=[^/]+/seed=[0-9]+/[0-9a-f]+/(lock|checkpoint\.safetensors.*)")


def check_folders(config: Config) -> None:
    """See that ``results_dir`` and ``state_dir`` are folders of their own; nothing is made or changed.

    Symbolic links count as what they lead to. Files with a leading dot are not looked at.

    Raises:
        ConfigError: a folder that is, or lies above, the working folder or the home folder; one that holds a file
            that no run has made, and no marker; or two folders that would mix.
    """
    given = {"results_dir": config.results_dir, "state_dir": config.state_dir}
    try:
        results, state = places = [Path(value).resolve() for value in given.values()]
    except (OSError, RuntimeError) as error:  # a loop of symbolic links, a name that is too long
        raise ConfigError(f"results_dir {config.results_dir} or state_dir {config.state_dir}: {error}.") from None
    messages = []
    for (key, value), folder, other in zip(given.items(), places, (state, results), strict=True):
        reason = _wrong_place(folder) or _foreign(folder, other, is_state=key == "state_dir")
        if reason:
            messages.append(f"{key}: must be a folder of its own, but {value!r} {reason}")
    below_results, below_state = _first_step(results, state), _first_step(state, results)
    if results == state or below_results in RESULTS or below_state.startswith("experiment="):
        messages.append(f"state_dir: {config.state_dir!r} would mix with results_dir {config.results_dir!r}")
    if messages:
        raise ConfigError("The configuration cannot be used:\n" + "\n".join(f"  {message}" for message in messages))


def make_folders(config: Config) -> None:
    """Make the folders of results and checkpoints, with their markers, and try to write there.

    Raises:
        OSError: one of them cannot be written; it is named.
    """
    for folder in map(Path, (config.results_dir, config.state_dir)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            if not (folder / MARKER).exists():
                (folder / MARKER).write_text(MARK, encoding="utf-8")
        except OSError as error:
            raise OSError(f"The folder {folder} cannot be written: {error.strerror}.") from None


def check_profile(arguments: Sequence[str], snakefile: Path) -> None:
    """See that a profile that was asked for exists: Snakemake goes on without it, on the machine where it runs.

    Args:
        arguments: of Snakemake.
        snakefile: beside it Snakemake looks, too.

    Raises:
        ConfigError: there is no such profile.
    """
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--workflow-profile", default="none")
    asked = parser.parse_known_args(list(arguments))[0].workflow_profile
    places = [Path(asked), Path("profiles", asked), snakefile.parent / "profiles" / asked]
    if asked != "none" and not any(place.exists() for place in places):
        raise ConfigError(
            f"--workflow-profile {asked}: there is no such profile in {Path.cwd()}, so that jobs would run on this "
            "machine; `python -m vqc_landscape new` writes profiles/slurm and profiles/generic."
        )


def _wrong_place(folder: Path) -> str:
    """Why a folder cannot be taken, from its place alone; empty if it can."""
    here, home = Path.cwd().resolve(), Path(os.path.expanduser("~")).resolve()
    for place, name in ((here, "the folder that Snakemake runs in"), (home, "the home folder")):
        if folder == place:
            return f"is {name}"
        if folder in place.parents:
            return f"lies above {name}, {place}"
    return "is a file" if folder.exists() and not folder.is_dir() else ""


def _foreign(folder: Path, other: Path, *, is_state: bool) -> str:
    """That a folder holds a file that no run has made; empty if it does not, or has the marker."""
    if (folder / MARKER).is_file():
        return ""
    tables, drawn = is_state, ""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if Path(place, name) != other)
        for name in sorted(name for name in files if not name.startswith(".")):
            path = Path(place, name).relative_to(folder).as_posix()
            if not is_state and _TABLE.fullmatch(path):
                tables = True
            elif not is_state and _FROM_TABLES.fullmatch(path):
                drawn = drawn or path
            elif not (_STATE if is_state else _RECORD).fullmatch(path):
                return _holds(path, folder)
    return "" if tables or not drawn else _holds(drawn, folder)  # no run leaves a figure without a table


def _holds(path: str, folder: Path) -> str:
    return (
        f"holds {path}, which no run of this workflow has made (if it is its own folder all the same, "
        f"make an empty file {folder / MARKER})"
    )


def _first_step(folder: Path, below: Path) -> str:
    """Name of the first folder on the way down; empty if it does not lie below."""
    return below.relative_to(folder).parts[0] if folder in below.parents else ""
