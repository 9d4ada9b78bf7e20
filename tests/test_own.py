"""A user's own circuit, network and data: from an entry in the configuration to tables and figures."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vqc_landscape.config import Config, ConfigError, Experiment, parse_config, parse_sections
from vqc_landscape.figures import labels
from vqc_landscape.figures.draw import draw_figure, make_figure
from vqc_landscape.figures.experiment import plot_training
from vqc_landscape.figures.registry import OF_AN_EXPERIMENT
from vqc_landscape.figures.select import own_figures, required_tables
from vqc_landscape.studies import plan
from vqc_landscape.studies.build import initial_params, make_risk
from vqc_landscape.studies.datasets import write_dataset
from vqc_landscape.studies.ensembles import write_ensemble
from vqc_landscape.studies.hessians import write_hessians
from vqc_landscape.studies.inputs import read_samples
from vqc_landscape.studies.landscapes import write_landscape
from vqc_landscape.studies.parts import part_file
from vqc_landscape.studies.planes import write_planes
from vqc_landscape.studies.resources import runtime_minutes
from vqc_landscape.studies.scans import write_scans
from vqc_landscape.studies.spectra import write_spectra
from vqc_landscape.studies.trajectories import run_training, write_trajectory
from vqc_landscape.studies.user_code import load_optimiser, load_own, own_code
from vqc_landscape.tables.parquet import read_table
from vqc_landscape.tables.registry import TABLES

CIRCUIT = '''
"""A circuit of my own."""
import pennylane as qml
from my_gates import turn

device = qml.device("default.qubit", wires=2)

@qml.qnode(device)
def energy(weights):
    turn(weights)
    return qml.expval(qml.Z(0) @ qml.Z(1))

@qml.qnode(device)
def classify(weights, x):
    qml.AngleEmbedding(x, wires=range(2))
    turn(weights)
    return qml.expval(qml.Z(0))

def make():
    return energy

def broken():
    return 3

number = 5
'''
GATES = """
import pennylane as qml

def turn(weights):
    for wire in range(2):
        qml.RY(weights[0, wire], wires=wire)
    qml.CNOT([0, 1])
    qml.RX(weights[1, 0], wires=0)
    qml.RY(weights[1, 1], wires=1)
"""
NETWORK = """
from torch import nn

def make():
    return nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))

module = make()
"""
OPTIMISER = """
import numpy as np

class Momentum:
    batch_size = None

    def initial_state(self, params):
        return {"velocity": np.zeros_like(params)}

    def step(self, risk, params, state):
        velocity = 0.9 * state["velocity"] - 0.1 * risk.grad(params)
        return params + velocity, {"velocity": velocity}, 0.1

class Stepless:
    batch_size = None

def make():
    return Momentum()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the user's own files, in which the study runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "my_circuit.py").write_text(CIRCUIT)
    (tmp_path / "my_gates.py").write_text(GATES)
    (tmp_path / "my_net.py").write_text(NETWORK)
    (tmp_path / "my_optimiser.py").write_text(OPTIMISER)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 2))
    table = pd.DataFrame({"left": x[:, 0], "right": x[:, 1], "kind": np.where(x[:, 0] > x[:, 1], "yes", "no")})
    table.to_csv(tmp_path / "samples.csv", index=False)
    table.to_parquet(tmp_path / "samples.parquet")
    return tmp_path


def experiment(**keys: Any) -> Experiment:
    plain: dict[str, Any] = {
        "circuit": "my_circuit:energy",
        "params_shape": [2, 2],
        "objective": {"loss": "expval"},
        "training": {"optimiser": {"name": "gd", "learning_rate": 0.2}, "n_epochs": 3},
        "hessian": {"epochs": "all"},
        "scans": {"epoch": 3, "positions": [-1], "n_points": 5},
        "planes": {"epoch": 3, "n_grid": 4, "extremes": True},
        "figures": ["training", "spectra", "tracks", "scans", "planes"],
    }
    return Experiment.model_validate({key: value for key, value in (plain | keys).items() if value is not None})


CLASSIFIER: dict[str, Any] = {
    "circuit": "my_circuit:classify",
    "objective": {"loss": "mse"},
    "data": {"file": "samples.csv", "features": ["left", "right"], "target": "kind", "n_test": 10, "scale": 1.5},
}
NET: dict[str, Any] = CLASSIFIER | {"circuit": None, "network": "my_net:make", "params_shape": [9]}

# --- objects ----------------------------------------------------------------------------------------------


def test_the_risk_is_what_the_qnode_returns(folder: Path) -> None:
    theta = np.array([0.3, -0.4, 0.5, 0.6])
    expected = float(load_own("my_circuit:energy")(theta.reshape(2, 2)))
    for circuit in ("my_circuit:energy", "my_circuit:make"):  # a QNode, and a function that returns it
        own = experiment(circuit=circuit)
        assert make_risk(own).loss(theta) == pytest.approx(expected, abs=1e-14)  # two simulators' round-off
    infidelity = experiment(objective={"loss": "infidelity"})
    assert make_risk(infidelity).loss(theta) == pytest.approx(1 - expected, abs=1e-14)
    assert initial_params(own, own.init, 3).shape == (4,)
    assert not np.array_equal(initial_params(own, own.init, 3), initial_params(own, own.init, 4))


def test_a_built_in_ansatz_takes_a_pauli_sum() -> None:
    circuit = {"ansatz": "rx_product", "n_qubits": 2, "n_layers": 1}
    objective = {"loss": "expval", "observable": {"Z0 Z1": 2.0, "Y0": -1.0}}
    own = experiment(circuit=circuit, params_shape=None, objective=objective)
    # RX(t): <Z> = cos t, <Y> = -sin t; 1e-14: a few roundings
    assert make_risk(own).loss([0.3, 0.4]) == pytest.approx(
        2 * math.cos(0.3) * math.cos(0.4) + math.sin(0.3), abs=1e-14
    )


def test_an_own_network_has_initial_weights_for_every_seed(folder: Path) -> None:
    own = experiment(**NET)
    first, second = initial_params(own, own.init, 0), initial_params(own, own.init, 1)
    assert first.shape == second.shape == (9,) and not np.array_equal(first, second)
    np.testing.assert_array_equal(first, initial_params(own, own.init, 0))
    assert make_risk(own, (np.zeros((2, 2)), np.ones(2))).n_params == 9


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"circuit": "my_circuit:nothing"}, "module my_circuit has no nothing; it has .*energy"),
        ({"circuit": "nowhere:energy"}, "there is no file nowhere.py in .*, nor a module nowhere"),
        ({"circuit": "my_circuit:number"}, "must be a PennyLane QNode or a function that returns one, but is 5"),
        ({"circuit": "my_circuit:broken"}, "must be a PennyLane QNode or a function that returns one, but is 3"),
        ({"circuit": "my_gates:turn"}, "my_gates:turn must be callable without arguments"),
        (NET | {"params_shape": [8]}, "params_shape has 8 entries, but my_net:make has 9"),
        (NET | {"network": "my_net:module"}, "must be a class or function that makes a torch module"),
    ],
)
def test_an_object_that_does_not_fit_is_named(folder: Path, keys: dict[str, Any], message: str) -> None:
    own = experiment(**keys)
    samples = (np.zeros((2, 2)), np.ones(2)) if own.data else None
    with pytest.raises(ValueError, match=message):
        make_risk(own, samples)


def test_a_module_that_cannot_be_run_is_named(folder: Path) -> None:
    (folder / "bad.py").write_text("1 / 0\n")
    with pytest.raises(ValueError, match=r"bad:x: bad.py cannot be run \(ZeroDivisionError: division by zero\)"):
        load_own("bad:x")
    (folder / "worse.py").write_text("def (\n")
    with pytest.raises(ValueError, match="worse:x: worse.py is no Python: line 1"):
        own_code("worse:x")


@pytest.mark.parametrize("name", ["Momentum", "make"])
def test_an_own_optimiser_moves_the_parameters(folder: Path, name: str) -> None:
    own = experiment(training={"optimiser": f"my_optimiser:{name}", "n_epochs": 3})
    run = run_training(own, own.init, own.training, 0, None, state_dir="state", code="c")
    risk = make_risk(own)
    params, velocity = run["params"][0], np.zeros(4)
    for epoch in range(1, 4):  # heavy ball (Polyak 1964), written out
        velocity = 0.9 * velocity - 0.1 * risk.grad(params)
        params = params + velocity
        np.testing.assert_array_equal(run["params"][epoch], params)  # the same operations
    longer = experiment(training={"optimiser": f"my_optimiser:{name}", "n_epochs": 5})
    resumed = run_training(longer, longer.init, longer.training, 0, None, state_dir="state", code="c")
    whole = run_training(longer, longer.init, longer.training, 0, None, state_dir="elsewhere", code="c")
    np.testing.assert_array_equal(resumed["params"], whole["params"])  # the velocity came back with the checkpoint
    assert labels.optimiser(f"my_optimiser:{name}") == f"my_optimiser:{name}"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Stepless", "must be an optimiser, with step, initial_state and batch_size, but .* has no step"),
        ("np", "has no step"),
        ("nothing", "module my_optimiser has no nothing; it has .*Momentum"),
    ],
)
def test_an_optimiser_that_does_not_fit_is_named(folder: Path, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_optimiser(f"my_optimiser:{name}")


def test_a_dataclass_may_have_its_types_as_text(folder: Path) -> None:
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n" + OPTIMISER
    text = text.replace("class Momentum:\n", "@dataclass(frozen=True)\nclass Momentum:\n    friction: float = 0.1\n")
    (folder / "my_dataclass.py").write_text(text)
    assert isinstance(load_optimiser("my_dataclass:Momentum"), sys.modules["my_dataclass"].Momentum)
    (folder / "my_dataclass.py").write_text("1 / 0\n")
    with pytest.raises(ValueError, match=r"my_dataclass.py cannot be run \(ZeroDivisionError"):
        load_optimiser("my_dataclass:Momentum")
    assert "my_dataclass" not in sys.modules


# --- what runs again --------------------------------------------------------------------------------------


def test_the_code_of_the_user_counts_with_what_it_imports(folder: Path) -> None:
    own, builtin = experiment(), experiment(circuit={"ansatz": "rx_product", "n_qubits": 2, "n_layers": 1},
                                            params_shape=None, objective={"loss": "infidelity"})  # fmt: skip
    before, without = plan.code_of(own, "hessians"), plan.code_of(builtin, "hessians")
    (folder / "my_circuit.py").write_text(CIRCUIT + "# a remark\n")
    assert plan.code_of(own, "hessians") == before
    (folder / "my_gates.py").write_text(GATES.replace("RX", "RY"))
    assert plan.code_of(own, "hessians") != before
    assert plan.code_of(builtin, "hessians") == without == before.split("-")[0]
    with pytest.raises(ConfigError, match="there is no file gone.py"):
        plan.code_of(experiment(circuit="gone:x"), "hessians")


@pytest.mark.parametrize(
    ("statement", "counted"),
    [
        ("import helpers", {"__init__"}),
        ("import helpers.gates", {"__init__", "gates"}),
        ("from helpers import gates", {"__init__", "gates"}),
        ("from helpers.gates import *", {"__init__", "gates"}),
        ("from . import gates", {"__init__", "gates"}),
        ("from .gates import turn", {"__init__", "gates"}),
        ("from ..helpers.gates import turn", {"__init__", "gates"}),
        ("import gates", set()),  # of the working folder, where there is none
    ],
)
def test_packages_and_neighbours_count(folder: Path, statement: str, counted: set[str]) -> None:
    (folder / "helpers").mkdir()
    for name in ("__init__", "gates", "other"):
        (folder / "helpers" / f"{name}.py").write_text("")
    (folder / "helpers" / "mine.py").write_text(statement)
    before = own_code("helpers.mine:qnode")
    for name in ("__init__", "gates", "other"):
        (folder / "helpers" / f"{name}.py").write_text("changed = True")
        assert (own_code("helpers.mine:qnode") != before) == (name in counted), name
        before = own_code("helpers.mine:qnode")


def test_a_package_is_a_module(folder: Path) -> None:
    (folder / "my_package").mkdir()
    (folder / "my_package" / "__init__.py").write_text("from .inner import number")
    (folder / "my_package" / "inner.py").write_text("number = 5")
    before = own_code("my_package:number")
    assert load_own("my_package:number") == 5
    (folder / "my_package" / "inner.py").write_text("number = 6")
    assert own_code("my_package:number") != before


def test_a_module_that_is_not_there_is_found_before_anything_runs(folder: Path) -> None:
    good = experiment()
    plan.check_own_code(Config(experiments={"mine": good, "toy": experiment(circuit="my_circuit:make")}))
    for keys in ({"circuit": "gone:x"}, {"training": {"optimiser": "gone:x", "n_epochs": 3}}):
        with pytest.raises(ConfigError, match="there is no file gone.py"):
            plan.check_own_code(Config(experiments={"mine": good, "other": experiment(**keys)}))


def test_the_code_of_an_own_optimiser_counts_for_the_training_alone(folder: Path) -> None:
    own = experiment(training={"optimiser": "my_optimiser:Momentum", "n_epochs": 3})
    before = {stage: plan.code_of(own, stage) for stage in plan.stages_of(own)}
    (folder / "my_optimiser.py").write_text(OPTIMISER.replace("0.9", "0.8"))
    changed = [stage for stage in before if plan.code_of(own, stage) != before[stage]]
    assert changed == ["trajectories"]
    assert runtime_minutes(own, "trajectories") >= runtime_minutes(experiment(), "trajectories")  # it may take Hessians


def test_a_data_file_is_an_input(folder: Path) -> None:
    assert plan.own_inputs(experiment(**CLASSIFIER)) == ["samples.csv"]
    assert plan.own_inputs(experiment()) == []


# --- data -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_samples_come_from_the_users_file(folder: Path, ending: str) -> None:
    section = CLASSIFIER["data"] | {"file": f"samples.{ending}", "scale": None}
    write_dataset(parse_sections({"data": section})["data"], "d.parquet")
    table, whole = read_table("datasets", "d.parquet"), pd.read_csv("samples.csv")
    assert table["split"].value_counts().to_dict() == {"train": 20, "test": 10}
    by_left = whole.set_index(whole["left"].round(12))
    found = by_left.loc[table["x1"].round(12)]
    np.testing.assert_allclose(found["right"], table["x2"], atol=1e-12)  # the decimals of a CSV file
    assert np.where(found["kind"] == "yes", 1.0, -1.0).tolist() == table["y"].tolist()


def test_scaled_features_span_the_range_on_the_training_samples(folder: Path) -> None:
    write_dataset(parse_sections({"data": CLASSIFIER["data"]})["data"], "d.parquet")
    features, _ = read_samples("d.parquet", "train") or (np.empty(0), 0)
    np.testing.assert_allclose([features.min(axis=0), features.max(axis=0)], [[-1.5] * 2, [1.5] * 2], atol=1e-15)


@pytest.mark.parametrize(("name", "n_features"), [("iris", 4), ("breast_cancer", 6), ("iris", 2)])
def test_bundled_samples_are_two_classes_in_principal_components(folder: Path, name: str, n_features: int) -> None:
    section = {"name": name, "n_features": n_features, "n_train": 60, "n_test": 20, "seed": 1}
    write_dataset(parse_sections({"data": section})["data"], "d.parquet")
    features, targets = read_samples("d.parquet", "train") or (np.empty(0), np.empty(0))
    assert features.shape == (60, n_features) and set(targets) == {-1.0, 1.0}
    np.testing.assert_allclose(np.abs(features).max(axis=0), math.pi / 2, atol=1e-14)
    # principal components do not correlate on the samples that they were made from; 1e-12: round-off of 60 products
    correlation = np.corrcoef(features.T)
    np.testing.assert_allclose(correlation, np.eye(n_features), atol=1e-12)


FAULTY_DATA = [
    ({"file": "gone.csv"}, "data.file gone.csv does not exist in"),
    ({"file": "my_gates.csv"}, "data.file my_gates.csv cannot be read as csv"),
    ({"file": "text.parquet"}, "data.file text.parquet cannot be read as parquet"),
    ({"features": ["left", "up"]}, "samples.csv has no column 'up'; it has left, right, kind"),
    ({"features": ["left", "kind"]}, "samples.csv, column 'kind', row 1: must be a finite number, but is '(yes|no)'"),
    ({"n_test": 30}, "data.n_test is 30, but samples.csv has 30 rows"),
    ({"file": "three.csv"}, "three.csv, column 'kind': must be numbers or two labels, but has 3: a, b, c"),
    ({"file": "empty.csv"}, "empty.csv, column 'kind', row 2: must not be empty"),
    (
        {"file": "three.csv", "target_is": "classes"},
        "three.csv, column 'kind': must be numbers or two labels, but has 3",
    ),
    (
        {"target_is": "numbers"},
        "samples.csv, column 'kind': must be numbers, as data.target_is says, but has '(yes|no)'",
    ),
    # a column twice: pandas calls the second one left.1
    ({"file": "twice.csv"}, "twice.csv has 2 columns 'left': which one is meant"),
    ({"file": "twice.csv", "features": ["left.1", "right"]}, "twice.csv has 2 columns 'left'"),
    ({"file": "twice.parquet"}, "twice.parquet has 2 columns 'left'"),
    ({"file": "long.csv"}, "long.csv cannot be read as csv: Length of header or names does not match length of data"),
]


@pytest.mark.parametrize(("keys", "message"), FAULTY_DATA)
def test_a_faulty_file_is_named(folder: Path, keys: dict[str, Any], message: str) -> None:
    (folder / "my_gates.csv").write_bytes(b"")
    (folder / "text.parquet").write_text("no parquet")
    (folder / "three.csv").write_text("left,right,kind\n1,2,a\n3,4,b\n5,6,c\n")
    (folder / "empty.csv").write_text("left,right,kind\n1,2,a\n3,4,\n5,6,b\n")
    (folder / "twice.csv").write_text("left,left,right,kind\n1,2,3,a\n3,4,5,b\n")
    (folder / "long.csv").write_text("left,right,kind\n1,2,a,3\n4,5,b,6\n")
    columns = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], ["a", "b"]]
    pq.write_table(pa.table(columns, names=["left", "left", "right", "kind"]), "twice.parquet")
    with pytest.raises(ValueError, match=message):
        write_dataset(parse_sections({"data": CLASSIFIER["data"] | {"n_test": 1} | keys})["data"], "d.parquet")


@pytest.mark.parametrize("keys", [CLASSIFIER, NET], ids=["circuit", "network"])
def test_a_batch_larger_than_a_file_is_named(folder: Path, keys: dict[str, Any]) -> None:
    adam = {"name": "adam", "learning_rate": 0.1, "batch_size": 21}
    own = experiment(**keys | {"training": {"optimiser": adam, "n_epochs": 3}})
    assert own.data is not None
    write_dataset(own.data, "d.parquet")
    message = r"training.optimiser.batch_size is 21, but samples.csv has 20 training samples, with data.n_test 10 for"
    with pytest.raises(ValueError, match=message):
        run_training(own, own.init, own.training, 0, "d.parquet", state_dir="s", code="c")


def test_a_batch_larger_than_a_file_is_named_in_an_ensemble(folder: Path) -> None:
    training = {"optimiser": {"name": "sgd", "learning_rate": 0.1, "batch_size": 21}, "n_epochs": 3}
    model = {"network": {"widths": [2, 3, 1]}, "objective": {"loss": "mse"}, "data": CLASSIFIER["data"]}
    own = Experiment.model_validate({**model, "training": training, "ensemble": {"epochs": [0]}})
    assert own.data is not None
    write_dataset(own.data, "d.parquet")
    with pytest.raises(ValueError, match="batch_size is 21, but samples.csv has 20 training samples"):
        write_ensemble(
            own, own.init, own.training, own.ensemble, [0], "d.parquet", "e.parquet", state_dir="s", code="c"
        )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"n_train": 90}, r"data asks for 90 \+ 20 samples, but the two classes of iris have 100"),
        ({"classes": [0, 3]}, r"data.classes is \[0, 3\], but iris has classes 0 to 2"),
        ({"n_features": 5}, "data.n_features is 5, but iris has 4 columns"),
    ],
)
def test_more_than_a_bundled_set_has_is_refused(folder: Path, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_dataset(
            parse_sections({"data": {"name": "iris", "n_train": 60, "n_test": 20} | keys})["data"], "d.parquet"
        )


def test_without_scikit_learn_bundled_data_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    with pytest.raises(ValueError, match="data.name iris comes with scikit-learn: pip install"):
        write_dataset(parse_sections({"data": {"name": "iris", "n_train": 60, "n_test": 20}})["data"], "d.parquet")


# --- configuration ----------------------------------------------------------------------------------------

FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"params_shape": None}, "mine: params_shape must be given for your own circuit or network"),
    ({"circuit": "no reference"}, "mine.circuit: must be a mapping, or module:name"),
    ({"objective": {"loss": "infidelity", "target": "plus"}}, "objective.target is for a built-in ansatz"),
    ({"convention": "as_published"}, "convention as_published is defined for built-in circuits only"),
    ({"data": {"name": "iris", "n_train": 9, "n_test": 9}}, "data must not be given for loss expval"),
    ({"figures": ["spectra", "spectra"]}, "mine.figures: holds 'spectra' twice"),
    ({"scans": None}, "figures has scans, which needs the key `scans`"),
    ({"hessian": {"epochs": [3]}}, "figures has tracks, which needs at least 2 epochs in hessian.epochs"),
    ({"starts": {"n_starts": 2}}, "starts needs a built-in circuit, or a network"),
    ({"starts": {"n_starts": 2, "sizes": [[2, 1]]}}, "starts needs a built-in circuit, or a network"),
    ({"shift_rule": {}}, "shift_rule needs a built-in circuit with loss infidelity, global and exact"),
    (
        {"shift_rule": {}, "objective": {"loss": "infidelity"}},
        "shift_rule needs a built-in circuit with loss infidelity, global and exact",
    ),
    (
        {
            "circuit": {"ansatz": "layered", "n_qubits": 2, "n_layers": 1},
            "params_shape": None,
            "objective": {"loss": "expval", "observable": {"Z0": 1.0}},
            "shift_rule": {},
        },
        "shift_rule needs a built-in circuit with loss infidelity, global and exact",
    ),
    ({"hessian": {"epochs": [0, 1]}, "scans": None, "figures": []}, "planes.epoch is 3, which hessian.epochs does not"),
    ({"planes": {"epoch": 4}}, "planes.epoch asks for epoch 4, but training ends at n_epochs 3"),
    ({"planes": {"epoch": 3, "axes": ["pac"]}}, "mine.planes.axes.0: must be 'eigenvectors', 'random' or 'pca'"),
    (CLASSIFIER | {"predictions": {"epochs": [0]}}, "predictions needs data in the square, such as disk"),
    (
        CLASSIFIER | {"data": CLASSIFIER["data"] | {"file": "samples.txt"}},
        "mine.data.file: must be the path of a .csv or .parquet file",
    ),
    ({"circuit": {"ansatz": "layered", "n_qubits": 2, "n_layers": 1}}, "params_shape must not be given for a built-in"),
    (
        {"circuit": {"ansatz": "layered", "n_qubits": 2, "n_layers": 1}, "params_shape": None},
        "objective.observable must be given for loss expval",
    ),
    (
        {
            "circuit": {"ansatz": "layered", "n_qubits": 2, "n_layers": 1},
            "params_shape": None,
            "objective": {"loss": "expval", "observable": {"Z2": 1.0}},
        },
        "objective.observable acts on qubit 2, but circuit.n_qubits is 2",
    ),
    (
        {
            "training": {"optimiser": {"name": "gd", "learning_rate": 0.2}, "n_epochs": 1},
            "scans": None,
            "figures": [],
            "hessian": None,
            "planes": {"epoch": 1, "axes": ["pca"]},
        },
        "planes.axes pca needs at least 2 epochs of training, but n_epochs is 1",
    ),
    (
        {"training": {"optimiser": "momentum", "n_epochs": 3}},
        "mine.training.optimiser: must be a mapping, or module:name such as my_module:my_qnode, but is 'momentum'",
    ),
    (
        {"training": {"optimiser": {"name": "gd", "learning_rate": -1}, "n_epochs": 3}},
        "mine.training.optimiser.learning_rate: must be above 0, but is -1",
    ),
    ({"training": {"optimiser": {"name": "gdd"}, "n_epochs": 3}}, "mine.training.optimiser.name: must be one of 'sgd'"),
    ({"data": {"name": "iris", "classes": [1, 1], "n_train": 9, "n_test": 9}}, "classes is [1, 1], but must name two"),
]


@pytest.mark.parametrize(("keys", "message"), FAULTS)
def test_an_entry_that_does_not_fit_together_is_one_error(keys: dict[str, Any], message: str) -> None:
    plain = experiment().model_dump(mode="json", exclude_unset=True)
    entry = {key: value for key, value in (plain | keys).items() if value is not None}
    with pytest.raises(ConfigError) as caught:
        parse_config({"experiments": {"mine": entry}})
    assert message in str(caught.value) and len(str(caught.value).splitlines()) == 2


def test_figures_of_the_paper_are_not_for_own_circuits() -> None:
    entry = experiment().model_dump(mode="json", exclude_unset=True)
    config = parse_config({"experiments": {"mine": entry}, "figures": {"fig08": {"experiments": ["mine"]}}})
    with pytest.raises(
        ConfigError, match=r"fig08 needs a built-in re-uploading circuit, but lists mine \(my_circuit:energy\)\."
    ):
        required_tables("fig08", config)
    entry = experiment(**CLASSIFIER).model_dump(mode="json", exclude_unset=True)
    config = parse_config({"experiments": {"mine": entry}, "figures": {"fig07": {"experiments": ["mine"]}}})
    with pytest.raises(ConfigError, match=r"fig07 needs the disk data, but lists mine \(samples\.csv\)\."):
        required_tables("fig07", config)


# --- tables and figures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [{}, CLASSIFIER, NET], ids=["energy", "classifier", "network"])
def test_an_own_experiment_gets_its_tables_and_figures(folder: Path, keys: dict[str, Any]) -> None:
    config = Config(experiments={"mine": experiment(**keys)})
    files = {stage: part_file("r", stage, "mine", 0) for stage in TABLES}
    own = config.experiments["mine"]
    data = files["datasets"] if keys else None
    if data:
        write_dataset(own.data, data)  # type: ignore[arg-type]
    write_trajectory(own, own.init, own.training, 0, data, files["trajectories"], state_dir="state", code="c")
    write_hessians(own, [0, 1, 2, 3], files["trajectories"], data, files["hessians"])
    write_spectra(own, [files["hessians"]], data, files["spectra"])
    write_scans(own, own.scans, files["trajectories"], files["spectra"], data, files["scans"])
    write_planes(own, own.planes, files["trajectories"], data, files["planes"], files["spectra"])
    with pytest.raises(ValueError, match="The plane of eigenvectors needs the table of spectra, which was not given"):
        write_planes(own, own.planes, files["trajectories"], data, files["planes"])

    run = np.stack(read_table("trajectories", files["trajectories"])["params"].to_list())
    planes = read_table("planes", files["planes"])
    assert planes["plane"].unique().tolist() == ["eigenvectors", "random", "pca"]
    grid = planes[planes["epoch"].isna()]
    assert len(grid) == 3 * 16 and grid[["loss", "smallest", "largest"]].notna().all(axis=None)
    path = planes[(planes["plane"] == "pca") & planes["epoch"].notna()]
    assert path["epoch"].tolist() == [0, 1, 2, 3]
    last = path[["a", "b"]].to_numpy()[-1]
    np.testing.assert_allclose(last, 0, atol=1e-15)  # the plane goes through the end of the run
    step = np.linalg.norm(path[["a", "b"]].to_numpy()[0] - last)
    assert step <= np.linalg.norm(run[0] - run[-1]) + 1e-12  # a projection shortens
    others = planes[(planes["plane"] != "pca") & planes["epoch"].notna()]
    assert others[["epoch", "a", "b"]].values.tolist() == [[3, 0, 0], [3, 0, 0]]

    assert set(own_figures(config)) == {f"mine_{kind}" for kind in OF_AN_EXPERIMENT}
    drawn = own_figures(config, "mine") if not keys else ["mine_training"]  # a drawing costs a second
    for figure in drawn:
        parts = required_tables(figure, config)
        alone = Config(**plan.figure_settings(config, figure, parts))
        assert own_figures(alone) == {figure: own_figures(config)[figure]}
        draw_figure(figure, alone, plan.files_by_stage("r", parts), [f"{figure}.png"])
        assert Path(f"{figure}.png").stat().st_size > 20_000  # an empty page has fewer bytes


@pytest.mark.parametrize("column", ["los", "accuracy", "epoch"])
def test_a_training_run_is_drawn_by_a_column_that_it_has(column: str) -> None:
    run = {"epoch": np.arange(2), "loss": np.ones(2), "accuracy": np.full(2, np.nan)}
    with pytest.raises(ValueError, match=f"`column` must be loss, grad_norm or accuracy and in the run, .*'{column}'"):
        plot_training(run, column=column)


def test_what_the_planes_show_is_said(folder: Path) -> None:
    config = Config(experiments={"mine": experiment()})
    rng = np.random.default_rng(0)
    a, b = np.meshgrid(np.linspace(-1, 1, 4), np.linspace(-1, 1, 4))
    table = pd.DataFrame({"a": a.reshape(-1), "b": b.reshape(-1), "loss": rng.normal(size=16)})
    table = pd.concat([table, pd.DataFrame({"a": [0.0], "b": [0.0], "epoch": [3.0]})])
    table = table.assign(plane="random", axis_a="first", axis_b="second", experiment="mine", seed=0)
    table[["smallest", "largest"]] = np.nan
    (ax, _) = (figure := make_figure("mine_planes", config, {"planes": table})).subfigs[0].axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("first (rad)", "second (rad)")
    assert "circuit my_circuit:energy, 4 parameters" in figure.get_supxlabel().lower()


def test_a_landscape_of_an_own_circuit_names_its_parameters(folder: Path) -> None:
    plane = {"low": -1.0, "high": 1.0, "n_grid": 3, "points": {"a": [0.0, 0.5]}, "axes": [1, 3]}
    keys: dict[str, Any] = {"objective": {"loss": "infidelity"}, "landscape": plane}
    own = experiment(**keys)
    write_landscape(own, own.landscape, "l.parquet")
    table = read_table("landscapes", "l.parquet").assign(experiment="mine", seed=0)
    config = Config(experiments={"mine": own}, figures={"fig02": {"experiments": ["mine"]}})
    figure = make_figure("fig02", config, {"landscapes": table})
    ax = figure.subfigs[0].axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == (r"parameter $\theta_{1}$ (rad)", r"parameter $\theta_{3}$ (rad)")
    assert "circuit my_circuit:energy, 4 parameters" in figure.get_supxlabel().lower()


@pytest.mark.parametrize("keys", [CLASSIFIER, NET], ids=["classifier", "network"])
def test_what_an_own_model_predicts_is_not_guessed(keys: dict[str, Any]) -> None:
    assert labels.prediction_axis(experiment(**keys)) == "prediction f(x)"


@pytest.mark.parametrize(("column", "n_panels"), [("kind", 3), ("number", 2)])
def test_numbers_that_are_no_classes_have_no_accuracy(folder: Path, column: str, n_panels: int) -> None:
    table = pd.read_csv("samples.csv")
    table.assign(number=np.where(table["kind"] == "yes", 1, 0)).to_csv("samples.csv", index=False)
    numbers = {"target": column, "target_is": "numbers"} if column == "number" else {}
    own = experiment(**CLASSIFIER | {"data": CLASSIFIER["data"] | numbers})
    assert own.data is not None
    write_dataset(own.data, "d.parquet")
    run = pd.DataFrame(
        {
            k: list(v)
            for k, v in run_training(own, own.init, own.training, 0, "d.parquet", state_dir="s", code="c").items()
        }
    )
    assert run[["accuracy", "test_accuracy"]].notna().all(axis=None) == (column == "kind")
    figure = make_figure(
        "mine_training", Config(experiments={"mine": own}), {"trajectories": run.assign(experiment="mine", seed=0)}
    )
    assert sum(len(part.axes) for part in figure.subfigs) == n_panels
