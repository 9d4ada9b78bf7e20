"""Whatever a user hands in, it works or is one clear error: configurations, tables of samples, checkpoints.

Hypothesis draws the inputs, always the same ones.
"""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from vqc_landscape.config import Config, ConfigError, FileData, parse_config
from vqc_landscape.studies import plan
from vqc_landscape.studies.resources import memory_mb, runtime_minutes
from vqc_landscape.studies.user_samples import file_samples
from vqc_landscape.training.checkpoint import Checkpoint

ROOT = Path(__file__).parents[1]
# one folder for all examples of a test: each writes its file anew
DRAWN = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # a failing example is small enough as it is drawn
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

# --- configurations ---------------------------------------------------------------------------------------

counts = st.integers(1, 30)
rates = st.floats(1e-4, 1.0)
GRADIENT = st.one_of(
    st.fixed_dictionaries({"name": st.just("gd"), "learning_rate": rates}),
    st.fixed_dictionaries({"name": st.just("lbfgs")}, optional={"n_iterations": counts}),
    st.fixed_dictionaries({"name": st.just("hlr")}, optional={"variant": st.sampled_from(["published", "guarded"])}),
    st.fixed_dictionaries({"name": st.just("adam"), "learning_rate": rates}),
)


@st.composite
def experiments(draw: st.DrawFn) -> dict[str, Any]:
    """A valid experiment: any model and objective that go together, and what can be asked of them."""
    kind = draw(st.sampled_from(["preparation", "qnn", "network"]))
    n_epochs = draw(counts)
    epochs = st.lists(st.integers(0, n_epochs), min_size=1, max_size=4, unique=True)
    experiment: dict[str, Any] = {"seeds": draw(st.lists(st.integers(0, 99), min_size=1, max_size=3, unique=True))}
    experiment["training"] = {"optimiser": draw(GRADIENT), "n_epochs": n_epochs}
    experiment["hessian"] = {"epochs": draw(st.one_of(st.just("all"), epochs)), "epochs_per_job": draw(counts)}
    if kind == "preparation":
        ansatz, n_qubits = draw(st.sampled_from(["rx_product", "layered"])), draw(st.sampled_from([2, 4, 6]))
        experiment["circuit"] = {"ansatz": ansatz, "n_qubits": n_qubits, "n_layers": draw(st.integers(1, 5))}
        experiment["objective"] = {"loss": "infidelity", "target": draw(st.sampled_from(["zero", "plus"]))}
        experiment["landscape"] = {"low": -1.0, "high": draw(st.floats(0.0, 9.0)), "n_grid": draw(st.integers(2, 50))}
        experiment["hessian"]["shards"] = {"blocks": draw(st.integers(1, 2 * n_qubits // 2))}
        return experiment
    n_train = draw(st.integers(4, 50))
    experiment["objective"] = {"loss": "mse", "reduction": draw(st.sampled_from(["mean", "sum"]))}
    experiment["data"] = {"n_train": n_train, "n_test": draw(counts), "seed": draw(counts)}
    experiment["predictions"] = {"epochs": draw(epochs)}
    experiment["hessian"]["shards"] = {"samples": draw(st.integers(1, 4))}
    if draw(st.booleans()):
        batch_size = draw(st.integers(1, n_train))
        experiment["training"]["optimiser"] = {"name": "sgd", "learning_rate": draw(rates), "batch_size": batch_size}
    if kind == "qnn":
        experiment["circuit"] = {"ansatz": "reuploading", "n_qubits": draw(st.sampled_from([2, 4])), "n_layers": 2}
    else:
        experiment["network"] = {"widths": [draw(st.sampled_from([2, 3])), *draw(st.lists(counts, max_size=2)), 2]}
    return experiment


studies = st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), experiments(), min_size=1, max_size=3)


def check_plan(config: Config) -> None:
    """What the workflow computes from a configuration before it starts."""
    for name, experiment in config.experiments.items():
        for stage in plan.stages_of(experiment):
            assert len(set(plan.part_files(config, stage, name))) == len(plan.part_files(config, stage, name)) > 0
            assert 0 < memory_mb(experiment, stage) < 1e6 and runtime_minutes(experiment, stage) > 0


@DRAWN
@given(studies)
def test_a_valid_configuration_has_a_plan(drawn: dict[str, Any]) -> None:
    config = parse_config({"experiments": drawn})
    check_plan(config)
    assert parse_config(yaml.safe_load(yaml.safe_dump({"experiments": drawn}))) == config


def test_valid_configurations_run_to_the_dry_run(tmp_path: Path) -> None:
    drawn: list[dict[str, Any]] = []

    @settings(DRAWN, max_examples=25)
    @given(experiments())
    def collect(experiment: dict[str, Any]) -> None:
        drawn.append(experiment)

    collect()
    study = {"experiments": {f"drawn_{number}": experiment for number, experiment in enumerate(drawn)}}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(tmp_path), "--configfile", str(tmp_path / "study.yaml")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def keys_of(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Path of every value below a mapping or list."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in children:
        yield (*path, key)
        yield from keys_of(value, (*path, key))


def section_of(raw: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        raw = raw[step]
    return raw


WRONG = [None, True, -1, 0, 1.5, 10**9, float("nan"), "nonsense", "", [], [[]], {"nonsense": 1}, "1e-3", b"x"]


@DRAWN
@given(experiments(), st.randoms(use_true_random=False))
def test_every_single_mutation_is_valid_or_one_fault_that_names_the_key(drawn: dict[str, Any], draw: Random) -> None:
    study = {"experiments": {"drawn": drawn}}
    for path in keys_of(study):
        mutated = copy.deepcopy(study)
        *parent, last = path
        section = section_of(mutated, tuple(parent))
        what = draw.choice(["remove", "misspell", "replace", "replace"])
        if what == "remove" or isinstance(last, int):
            del section[last]
        elif what == "misspell":
            section[f"{last}x"] = section.pop(last)
        else:
            section[last] = draw.choice(WRONG)
        try:
            check_plan(parse_config(mutated))
        except ConfigError as error:
            title, *faults = str(error).splitlines()
            # the key, or one that no longer goes with it, in its experiment
            assert len(faults) <= 1 and "experiments" in str(error), (path, what, str(error))
            assert len(path) < 3 or "experiments.drawn" in faults[0], (path, what, faults)
            named = [str(last), f"'{last}x'", *(str(step) for step in parent[2:])]
            assert len(path) < 3 or any(name in faults[0] for name in named), (path, what, faults)


# --- tables of samples ------------------------------------------------------------------------------------

cells = st.one_of(
    st.floats(-1e6, 1e6), st.just(float("nan")), st.just(float("inf")), st.text(max_size=5), st.none(), st.booleans()
)
columns = st.lists(st.sampled_from(["x1", "x2", "y", "x3", "Y", ""]), min_size=0, max_size=4, unique=True)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """A table as a user may have it: columns that are missing, of numbers, of anything."""
    n_rows = draw(st.integers(0, 6))
    values = {
        name: draw(
            st.lists(
                draw(st.sampled_from([cells, st.floats(-3, 3), st.sampled_from(["a", "b"])])),
                min_size=n_rows,
                max_size=n_rows,
            )
        )
        for name in draw(columns)
    }
    return pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in values.items()})


ASKED: dict[str, Any] = {"features": ["x1", "x2"], "target": "y", "n_test": 2}


def check_samples(path: Path) -> None:
    """Samples of finite numbers, or one line that names the file."""
    try:
        x, y, split = file_samples(FileData(file=str(path), **ASKED))
    except ValueError as error:
        assert str(path) in str(error) and "\n" not in str(error).strip()
        return
    assert np.isfinite(x).all() and np.isfinite(y).all()
    assert x.shape == (len(y), 2) and split == ["train"] * (len(y) - 2) + ["test"] * 2


@DRAWN
@given(frame=frames())
def test_a_csv_file_is_used_or_named(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame.to_csv(tmp_path / "samples.csv", index=False)
    check_samples(tmp_path / "samples.csv")


@DRAWN
@given(frame=frames())
def test_a_parquet_file_is_used_or_named(tmp_path: Path, frame: pd.DataFrame) -> None:
    try:
        frame.to_parquet(tmp_path / "samples.parquet")
    except Exception:  # a column of mixed types, which pyarrow does not write
        frame.astype(str).to_parquet(tmp_path / "samples.parquet")
    check_samples(tmp_path / "samples.parquet")


@DRAWN
@given(content=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_of_anything_is_used_or_named(tmp_path: Path, ending: str, content: bytes) -> None:
    path = tmp_path / f"samples.{ending}"
    path.write_bytes(content)
    check_samples(path)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a"] * 4, "must be numbers or two labels, but has 1: a"),
        ([[1.0], [2.0], [1.0], [2.0]], "must be numbers or two labels, but has array"),
        (list(pd.date_range("2026-01-01", periods=4)), "must be numbers or two labels"),
    ],
    ids=["one label", "lists", "dates"],
)
def test_a_target_of_one_class_or_of_no_class_is_named(tmp_path: Path, values: list[Any], message: str) -> None:
    pd.DataFrame({"x1": range(4), "x2": range(4), "y": values}).to_parquet(tmp_path / "samples.parquet")
    with pytest.raises(ValueError, match=message):
        file_samples(FileData(file=str(tmp_path / "samples.parquet"), **ASKED))


def test_one_number_may_be_the_target_of_all(tmp_path: Path) -> None:
    pd.DataFrame({"x1": range(4), "x2": range(4), "y": [1] * 4}).to_csv(tmp_path / "samples.csv")
    assert file_samples(FileData(file=str(tmp_path / "samples.csv"), **ASKED))[1].tolist() == [1.0] * 4


@pytest.mark.parametrize("values", [[[1.0]] * 4, list(pd.date_range("2026-01-01", periods=4)), [b"x"] * 4])
def test_a_feature_that_is_no_number_is_named(tmp_path: Path, values: list[Any]) -> None:
    pd.DataFrame({"x1": values, "x2": range(4), "y": [0, 1, 0, 1]}).to_parquet(tmp_path / "samples.parquet")
    with pytest.raises(ValueError, match="column 'x1', row 1: must be a finite number, but is"):
        file_samples(FileData(file=str(tmp_path / "samples.parquet"), **ASKED))


# --- checkpoints ------------------------------------------------------------------------------------------


def whole_checkpoint(folder: Path) -> Checkpoint:
    checkpoint = Checkpoint(folder, "abc")
    checkpoint.save({"m": np.arange(3.0)}, {"epoch": np.arange(2), "params": np.ones((2, 3))})
    return checkpoint


@DRAWN
@given(content=st.binary(max_size=400))
def test_a_checkpoint_of_anything_is_set_aside(tmp_path: Path, content: bytes) -> None:
    checkpoint = whole_checkpoint(tmp_path)
    checkpoint.path.write_bytes(content)
    assert checkpoint.load() is None and not checkpoint.path.exists()


@DRAWN
@given(data=st.data())
def test_a_checkpoint_that_was_edited_is_set_aside_or_unchanged(tmp_path: Path, data: st.DataObject) -> None:
    checkpoint = whole_checkpoint(tmp_path)
    content, saved = checkpoint.path.read_bytes(), checkpoint.load()
    assert saved is not None
    start, end = sorted(data.draw(st.integers(0, len(content))) for _ in range(2))
    checkpoint.path.write_bytes(content[:start] + data.draw(st.binary(max_size=20)) + content[end:])
    loaded = checkpoint.load()
    if loaded is not None:
        for before, after in zip(saved, loaded, strict=True):
            assert {name: a.tobytes() for name, a in before.items()} == {name: a.tobytes() for name, a in after.items()}


def test_a_pickle_in_place_of_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "ran",))

    checkpoint = whole_checkpoint(tmp_path)
    checkpoint.path.write_bytes(pickle.dumps(Trap()))
    assert checkpoint.load() is None and not (tmp_path / "ran").exists()
