"""The configuration: both files are valid, and every fault is one line with the key, the value and what is allowed."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from vqc_landscape.config import Config, ConfigError, Experiment, Section, load_config, parse_config
from vqc_landscape.figures.registry import FIGURES

CONFIGS = Path(__file__).parents[1] / "config"
ABSENT = object()

# one experiment of each kind, small
STUDY: dict[str, Any] = {
    "experiments": {
        "toy": {
            "circuit": {"ansatz": "rx_product", "n_qubits": 2, "n_layers": 2},
            "objective": {"loss": "infidelity"},
            "landscape": {"low": -1.0, "high": 1.0, "points": {"a": [0.0, 0.5]}},
        },
        "layered": {
            "circuit": {"ansatz": "layered", "n_qubits": 4, "n_layers": 4},
            "objective": {"loss": "infidelity", "target": "plus"},
            "training": {"optimiser": {"name": "lbfgs"}, "n_epochs": 15},
            "hessian": {"epochs": [15, 0, 7]},
            "scans": {"epoch": 15, "positions": [-1, 0]},
        },
        "qnn": {
            "circuit": {"ansatz": "reuploading", "n_qubits": 4, "n_layers": 2},
            "objective": {"loss": "mse"},
            "data": {"n_train": 20, "n_test": 10},
            "seeds": [0, 1],
            "training": {"optimiser": {"name": "adam", "learning_rate": 0.1, "batch_size": 5}, "n_epochs": 4},
            "hessian": {"epochs": "all", "epochs_per_job": 2},
            "predictions": {"epochs": [0, 4]},
        },
        "ffnn": {
            "network": {"widths": [3, 12, 10, 2]},
            "objective": {"loss": "mse"},
            "data": {"n_train": 20, "n_test": 10},
            "training": {"optimiser": {"name": "sgd", "learning_rate": 0.1, "batch_size": 5}, "n_epochs": 4},
        },
    },
    "figures": {"fig09": {"experiments": ["qnn"], "seeds": [1]}},
}


def edited(key: str, value: Any) -> dict[str, Any]:
    """The study with one key changed, added, or (ABSENT) removed."""
    raw = copy.deepcopy(STUDY)
    *path, last = key.split("/")
    section = raw
    for step in path:
        section = section[step]
    if value is ABSENT:
        del section[last]
    else:
        section[last] = value
    return raw


@pytest.mark.parametrize(("name", "missing"), [("config.yaml", {"compare"}), ("minimal.yaml", set())])
def test_the_files_of_the_project_are_valid(name: str, missing: set[str]) -> None:
    config = load_config(CONFIGS / name)
    assert {f"fig{i:02d}" for i in range(1, 12)} < set(config.figures) == set(FIGURES) - missing


def test_the_paper_has_its_numbers_of_parameters() -> None:
    experiments = load_config(CONFIGS / "config.yaml").experiments
    counts = {name: experiments[name].n_params for name in ("layered", "qnn", "ffnn", "fig11_gd")}
    assert counts == {"layered": 48, "qnn": 192, "ffnn": 200, "fig11_gd": 96}
    assert experiments["qnn"].data.n_train >= 500
    for name in ("layered", "qnn", "ffnn"):  # Hessians of every epoch
        assert experiments[name].hessian_epochs == list(range(experiments[name].training.n_epochs + 1))


def sections(model: type[BaseModel] = Section) -> list[type[BaseModel]]:
    return [m for sub in model.__subclasses__() for m in (sub, *sections(sub))]


@pytest.mark.parametrize("section", sections(), ids=lambda s: s.__name__)
def test_every_key_is_described_and_every_section_is_closed(section: type[BaseModel]) -> None:
    for key, field in section.model_fields.items():
        assert field.description, key
    assert section.model_config["extra"] == "forbid"


def test_hessian_epochs_are_cut_into_blocks() -> None:
    experiments = parse_config(STUDY).experiments
    assert experiments["qnn"].hessian_epochs == [0, 1, 2, 3, 4]
    assert experiments["qnn"].hessian_blocks == [[0, 1], [2, 3], [4]]
    assert experiments["layered"].hessian_epochs == [0, 7, 15]
    assert experiments["toy"].hessian_epochs == experiments["toy"].hessian_blocks == []


@pytest.mark.parametrize(
    ("ansatz", "expected"),
    [
        ("rx_product", 8),
        ("layered", 24),
        ("layered_published", 24),
        ("reuploading", 24),
        ("reuploading_published", 48),
    ],
)
def test_number_of_parameters_of_each_ansatz(ansatz: str, expected: int) -> None:
    with_data = ansatz.startswith("reuploading")
    experiment = Experiment.model_validate(
        {
            "circuit": {"ansatz": ansatz, "n_qubits": 4, "n_layers": 2},
            "objective": {"loss": "mse" if with_data else "infidelity"},
            **({"data": {"n_train": 1, "n_test": 1}} if with_data else {}),
        }
    )
    assert experiment.n_params == expected


X = "experiments/"
FAULTS = [
    # missing
    ("experiments", ABSENT, "experiments: missing"),
    (X + "qnn/objective", ABSENT, "experiments.qnn.objective: missing"),
    (X + "qnn/objective", {}, "experiments.qnn.objective.loss: missing"),
    (X + "qnn/training/optimiser/name", ABSENT, "experiments.qnn.training.optimiser.name: missing"),
    (X + "qnn/data/n_train", ABSENT, "experiments.qnn.data.n_train: missing"),
    (X + "qnn/data", ABSENT, "experiments.qnn: data must be given for loss mse"),
    # shards
    (X + "qnn/hessian/shards", {"samples": 21}, "hessian.shards.samples is 21, but there are 20 samples"),
    (X + "layered/hessian/shards", {"samples": 2}, "hessian.shards.samples is 2, but there are 1 samples"),
    (X + "layered/hessian/shards", {"blocks": 49}, "hessian.shards.blocks is 49, but there are 48 parameters"),
    (X + "ffnn/hessian", {"shards": {"blocks": 2}}, "hessian.shards.blocks is for circuits; the samples of a netw"),
    (X + "qnn/hessian/shards", {"sample": 2}, "experiments.qnn.hessian.shards: unknown key 'sample'; did you mean 's"),
    (X + "qnn/hessian/shards", {"samples": 0}, "experiments.qnn.hessian.shards.samples: must be at least 1, but is 0"),
    # empty
    ("experiments", {}, "experiments: must hold at least 1 entry, but is {}"),
    (X + "qnn", None, "experiments.qnn: must be a mapping, but is None"),
    (X + "qnn/seeds", [], "experiments.qnn.seeds: must hold at least 1 entry, but is []"),
    (X + "qnn/hessian/epochs", [], "experiments.qnn.hessian.epochs: must hold at least 1 entry, but is []"),
    (X + "ffnn/network/widths", [3], "experiments.ffnn.network.widths: must hold at least 2 entries, but is [3]"),
    ("results_dir", "", "results_dir: must not be empty, but is ''"),
    ("purpose", "demo", "purpose: must be 'study' or 'demonstration', but is 'demo'"),
    # unknown or misspelt
    ("experiment", {}, "unknown key 'experiment'; did you mean 'experiments'?"),
    ("{colour}", 1, "unknown key '{colour}'; allowed: purpose, results_dir, state_dir, experiments, figures"),
    (X + "qnn/circuit/nqubits", 4, "experiments.qnn.circuit: unknown key 'nqubits'; did you mean 'n_qubits'?"),
    # in a section that another key chooses: the misspelt one is named, not the one that is missing because of it
    (X + "qnn/objective", {"lossx": "mse"}, "qnn.objective: unknown key 'lossx'; did you mean 'loss'?"),
    (X + "qnn/objective", {"colour": 1}, "qnn.objective: unknown key 'colour'; allowed: loss, target, locality, wire,"),
    (X + "qnn/objective", {"loss": "mse", "wires": 0}, "qnn.objective: unknown key 'wires'; did you mean 'wire'?"),
    (
        X + "qnn/data",
        {"fil": "samples.csv", "features": ["a"], "target": "y", "n_test": 1},
        "qnn.data: unknown key 'fil'; did you mean 'file'?",
    ),
    (X + "qnn/data", {"nam": "iris", "n_train": 1, "n_test": 1}, "qnn.data: unknown key 'nam'; did you mean 'name'?"),
    (
        X + "qnn/data",
        {"file": "samples.csv", "feature": ["a"], "target": "y", "n_test": 1},
        "qnn.data: unknown key 'feature'; did you mean 'features'?",
    ),
    (
        X + "qnn/data/name",
        "digits",
        "experiments.qnn.data: name must be one of disk, iris, breast_cancer, but is 'digits'",
    ),
    (
        X + "qnn/training/optimiser",
        {"nam": "adam", "learning_rate": 0.1},
        "experiments.qnn.training.optimiser: unknown key 'nam'; did you mean 'name'?",
    ),
    (
        X + "qnn/training/optimiser",
        {"name": "adam", "learning_rat": 0.1},
        "experiments.qnn.training.optimiser: unknown key 'learning_rat'; did you mean 'learning_rate'?",
    ),
    (X + "qnn/circuit", {"ansats": "layered"}, "experiments.qnn.circuit: unknown key 'ansats'; did you mean 'ansatz'?"),
    (X + "ffnn/network", {"width": [3, 2]}, "experiments.ffnn.network: unknown key 'width'; did you mean 'widths'?"),
    (
        X + "layered/training/optimiser/batch_size",  # a key of other optimisers
        4,
        "experiments.layered.training.optimiser: unknown key 'batch_size'; allowed: name, n_iterations",
    ),
    (
        X + "qnn/training/optimiser/name",
        "adamw",
        "experiments.qnn.training.optimiser.name: "
        "must be one of 'sgd', 'adam', 'gd', 'lbfgs', 'qng', 'hlr', 'hlr_qng', but is 'adamw'",
    ),
    (
        X + "qnn/objective/loss",
        "l2",
        "experiments.qnn.objective.loss: must be one of 'infidelity', 'mse', 'expval', but is 'l2'",
    ),
    (
        X + "qnn/circuit/ansatz",
        "foo",
        "experiments.qnn.circuit.ansatz: "
        "must be 'rx_product', 'layered', 'layered_published', 'reuploading' or 'reuploading_published', but is 'foo'",
    ),
    (
        "figures/fig09/experiments",
        ["qn"],
        "figures.fig09.experiments: there is no experiment 'qn'; did you mean 'qnn'?",
    ),
    ("figures/fig09/seeds", [7], "figures.fig09.seeds: experiment qnn has no seed 7; it has [0, 1]"),
    ("figures/fig09/against", "gradients", "figures.fig09.against: is for compare only, but is 'gradients'"),
    (
        "figures/compare",
        {"experiments": ["qnn"], "against": "steps"},
        "figures.compare.against: must be 'epochs' or 'gradients', but is 'steps'",
    ),
    (
        X + "Bad Name",
        STUDY["experiments"]["toy"],
        "experiments: a name must be lower-case letters, digits and _, a letter first, but is 'Bad Name'",
    ),
    (
        X + "n" * 300,
        STUDY["experiments"]["toy"],
        "experiments: a name must have at most 100 characters, but is '" + "n" * 99 + "... (302 characters)",
    ),
    ("figures/fig09/experiments", ["n" * 101], "figures.fig09.experiments.0: must have at most 100 characters, but is"),
    (
        X + "toy/landscape/points/aa",
        [0.0, 0.0],
        "experiments.toy.landscape.points: a name must be one lower-case letter, but is 'aa'",
    ),
    # out of range or of the wrong type
    (X + "qnn/circuit/n_qubits", 0, "experiments.qnn.circuit.n_qubits: must be at least 1, but is 0"),
    (X + "qnn/circuit/n_qubits", 26, "experiments.qnn.circuit.n_qubits: must be at most 24, but is 26"),
    (X + "qnn/circuit/n_qubits", 4.5, "experiments.qnn.circuit.n_qubits: must be a whole number, but is 4.5"),
    (
        X + "qnn/circuit/n_qubits",
        3,
        "experiments.qnn.circuit: n_qubits is 3, but the brick pattern of reuploading needs an even number",
    ),
    (
        X + "qnn/training/optimiser/learning_rate",
        -0.1,
        "experiments.qnn.training.optimiser.learning_rate: must be above 0, but is -0.1",
    ),
    (
        X + "qnn/training/optimiser/learning_rate",
        float("inf"),
        "experiments.qnn.training.optimiser.learning_rate: must be finite, but is inf",
    ),
    (
        X + "qnn/training/optimiser/learning_rate",
        "fast",
        "experiments.qnn.training.optimiser.learning_rate: must be a number, but is 'fast'",
    ),
    (
        X + "qnn/training/optimiser",
        "adam",
        "training.optimiser: must be a mapping, or module:name such as my_module:my_qnode, but is 'adam'",
    ),
    (X + "qnn/data/n_train", 0, "experiments.qnn.data.n_train: must be at least 1, but is 0"),
    (X + "qnn/seeds", 3, "experiments.qnn.seeds: must be a list, but is 3"),
    (X + "qnn/seeds", [0, 0], "experiments.qnn.seeds: holds 0 twice: [0, 0]"),
    (X + "qnn/hessian/epochs", "al", "experiments.qnn.hessian.epochs: must be 'all' or a list of epochs, but is 'al'"),
    (X + "qnn/hessian/epochs", [-1], "experiments.qnn.hessian.epochs.0: must be at least 0, but is -1"),
    (X + "toy/landscape/points/a", [0.0, 0.0, 0.0], "experiments.toy.landscape.points.a: must hold at most 2 entries"),
    (X + "toy/landscape/high", -2.0, "experiments.toy.landscape: low is -1.0, which must be below high, -2.0"),
    (X + "layered/init", {"low": 1.0, "high": 1.0}, "experiments.layered.init: low is 1.0, which must be below high"),
    (X + "toy/landscape/axes", [0, 4], "landscape.axes is [0, 4], but the circuit has 4 parameters, counted from 0"),
    (X + "toy/landscape/axes", [1, 1], "axes is [1, 1], but must name two different parameters"),
    (X + "ffnn/network/widths", [4, 2], "experiments.ffnn.network: widths starts with 4, but the data have 2 columns"),
    (
        X + "ffnn/network/widths",
        [3, 3],
        "experiments.ffnn.network: widths ends with 3, but a prediction needs 1 output",
    ),
    (X + "layered/scans/positions", [48], "scans.positions is [48], but eigenvectors have positions -48 to 47"),
    (X + "qnn/objective/wire", 4, "experiments.qnn: objective.wire is 4, but must be below circuit.n_qubits 4"),
    (
        X + "qnn/training/optimiser/batch_size",
        21,
        "experiments.qnn: training.optimiser.batch_size is 21, but data.n_train is 20",
    ),
    # an entry twice
    (X + "qnn/hessian/epochs", [3, 3], "experiments.qnn.hessian.epochs: holds 3 twice: [3, 3]"),
    (X + "qnn/predictions/epochs", [0, 4, 0], "experiments.qnn.predictions.epochs: holds 0 twice: [0, 4, 0]"),
    (X + "layered/scans/positions", [-1, -1], "experiments.layered.scans.positions: holds -1 twice: [-1, -1]"),
    (X + "layered/scans/positions", [-1, 0, 47], "scans.positions holds -1 and 47, which are the same of 48"),
    (X + "layered/planes", {"epoch": 0, "axes": ["pca", "pca"]}, "experiments.layered.planes.axes: holds 'pca' twice"),
    (X + "layered/starts", {"n_starts": 1, "sizes": [[2, 1], [2, 1]]}, "layered.starts.sizes: holds (2, 1) twice"),
    (X + "layered/shift_rule", {"sizes": [[2, 1], [2, 1]]}, "layered.shift_rule.sizes: holds (2, 1) twice"),
    (X + "layered/figures", ["scans", "scans"], "experiments.layered.figures: holds 'scans' twice"),
    (X + "ffnn/ensemble", {"epochs": [0, 0]}, "experiments.ffnn.ensemble.epochs: holds 0 twice"),
    (X + "ffnn/ensemble", {"epochs": [0], "activations": ["tanh", "tanh"]}, "ensemble.activations: holds 'tanh' twice"),
    (
        X + "ffnn/ensemble",
        {"epochs": [0], "initialisers": ["xavier_normal", "xavier_normal"]},
        "ensemble.initialisers: holds 'xavier_normal' twice",
    ),
    (X + "ffnn/samples", {"epochs": [1, 1]}, "experiments.ffnn.samples.epochs: holds 1 twice"),
    ("figures/fig09/experiments", ["qnn", "qnn"], "figures.fig09.experiments: holds 'qnn' twice"),
    ("figures/fig09/seeds", [1, 1], "figures.fig09.seeds: holds 1 twice"),
    ("claims", {"toy-barren": {"exact": ["toy", "toy"]}}, "claims.toy-barren.exact: holds 'toy' twice"),
    # other sizes of a circuit
    (X + "layered/starts", {"n_starts": 1, "sizes": [[26, 1]]}, "starts.sizes.0.0: must be at most 24, but is 26"),
    (X + "layered/shift_rule", {"sizes": [[2, 1001]]}, "shift_rule.sizes.0.1: must be at most 1000, but is 1001"),
    (
        X + "layered/starts",
        {"n_starts": 1, "sizes": [[2, 1], [3, 1]]},
        "experiments.layered: starts.sizes holds [3, 1]: n_qubits is 3, but the brick pattern of layered needs an even",
    ),
    (X + "layered/shift_rule", {"sizes": [[3, 1]]}, "shift_rule.sizes holds [3, 1]: n_qubits is 3, but the brick"),
    # names and texts
    ("results_dir", "a{b}", "results_dir: must be a path on one line, without any of { } < > [ ] * ?, but is 'a{b}'"),
    (
        "claims",
        {"toy_barren": {"exact": ["toy"]}},
        "claims: a name must be lower-case letters, digits and -, a letter first, but is 'toy_barren'",
    ),
    (
        X + "toy/objective",
        {"loss": "expval", "observable": {"Z0Z1": 1}},
        "toy.objective.observable: a name must be X, Y or",
    ),
    ("claims", {5: {"exact": ["toy"]}}, "claims: a name must be a text, but is 5"),
    (X + "layered/planes", {"epoch": 0, "axes": []}, "planes.axes: must hold at least 1 entry, but is []"),
    (X + "toy/params_shape", [], "params_shape: must hold at least 1 entry, but is []"),
    # epochs that are not trained
    (
        X + "qnn/hessian/epochs",
        [5],
        "experiments.qnn: hessian.epochs asks for epoch 5, but training ends at n_epochs 4",
    ),
    (X + "qnn/predictions/epochs", [5], "experiments.qnn: predictions.epochs asks for epoch 5, but training ends at"),
    (X + "layered/scans/epoch", 16, "experiments.layered: scans.epoch asks for epoch 16, but training ends at"),
    (X + "layered/scans/epoch", 3, "experiments.layered: scans.epoch is 3, which hessian.epochs does not have"),
    (X + "qnn/training", ABSENT, "experiments.qnn: hessian needs training"),
    # what does not go together
    (X + "toy/network", {}, "experiments.toy: exactly one of circuit and network must be given"),
    (X + "toy/data", {"n_train": 1, "n_test": 1}, "experiments.toy: data must not be given for loss infidelity"),
    (X + "qnn/circuit/ansatz", "layered", "experiments.qnn: ansatz layered does not go with loss mse"),
    (X + "ffnn/init", {}, "experiments.ffnn: init is for circuits; a network has network.initialiser"),
    (X + "ffnn/convention", "as_published", "experiments.ffnn: convention as_published is defined for circuits only"),
    (X + "qnn/landscape", {"low": 0.0, "high": 1.0}, "experiments.qnn: landscape needs a circuit with loss infidelity"),
    (X + "layered/predictions", {"epochs": [0]}, "experiments.layered: predictions needs data"),
    (
        X + "qnn/training/optimiser",
        {"name": "qng", "learning_rate": 0.1},
        "experiments.qnn: training.optimiser qng needs a circuit with loss infidelity",
    ),
    (
        X + "layered/training/optimiser",
        {"name": "sgd", "learning_rate": 0.1},
        "experiments.layered: training.optimiser sgd needs data (use gd)",
    ),
    (
        X + "layered/training/optimiser",
        {"name": "adam", "learning_rate": 0.1, "batch_size": 3},
        "experiments.layered: training.optimiser.batch_size is 3, but without data it must be null",
    ),
]


@pytest.mark.parametrize(("key", "value", "message"), FAULTS)
def test_one_fault_is_one_line(key: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        parse_config(edited(key, value))
    title, *faults = str(caught.value).splitlines()
    assert title == "The configuration cannot be used:"
    assert len(faults) == 1


def test_what_is_measured_lies_on_circuits_of_other_sizes() -> None:
    starts = {"n_starts": 1, "sizes": [[4, 1], [2, 1]]}
    raw = edited("experiments/qnn/starts", starts) | {"figures": {}}
    raw["experiments"]["qnn"] |= {"objective": {"loss": "mse", "wire": 3}, "seeds": [0]}
    message = "experiments.qnn: starts.sizes holds [2, 1]: objective.wire is 3, but must be below circuit.n_qubits 2"
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse_config(raw)
    energy = {"loss": "expval", "observable": {"Z0 Z3": 1.0}}
    raw = edited("experiments/layered", STUDY["experiments"]["layered"] | {"objective": energy, "starts": starts})
    message = "starts.sizes holds [2, 1]: objective.observable acts on qubit 3, but circuit.n_qubits is 2"
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse_config(raw)


def test_a_network_needs_data_and_local_as_published_does_not_exist() -> None:
    ffnn = {"network": {}, "objective": {"loss": "infidelity"}}
    with pytest.raises(ConfigError, match=r"experiments\.ffnn: a network needs loss mse"):
        parse_config(edited("experiments/ffnn", ffnn))
    toy = {
        **STUDY["experiments"]["toy"],
        "objective": {"loss": "infidelity", "locality": "local"},
        "convention": "as_published",
    }
    with pytest.raises(ConfigError, match=r"experiments\.toy: convention as_published is defined for locality global"):
        parse_config(edited("experiments/toy", toy))


def test_every_fault_is_told_at_once() -> None:
    raw = edited("experiments/qnn/circuit/n_qubits", 0)
    raw["experiments"]["toy"]["objective"]["target"] = "minus"
    with pytest.raises(ConfigError) as caught:
        parse_config(raw)
    assert str(caught.value).splitlines()[1:] == [
        "  experiments.toy.objective.target: must be 'zero' or 'plus', but is 'minus'",
        "  experiments.qnn.circuit.n_qubits: must be at least 1, but is 0",
    ]


def test_an_experiment_may_have_the_name_of_an_optimiser() -> None:
    gd = {**STUDY["experiments"]["toy"], "circuit": 3}
    with pytest.raises(ConfigError, match=r"experiments\.gd\.circuit: must be a mapping, but is 3"):
        parse_config(edited("experiments/gd", gd))


@pytest.mark.parametrize("raw", [None, {}, [1], "experiments"])
def test_what_is_no_mapping_is_refused(raw: Any) -> None:
    message = f"The configuration must be a mapping with the key `experiments`, but is {raw!r}"
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse_config(raw)


def test_missing_empty_and_malformed_files(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    with pytest.raises(ConfigError, match=r"The configuration file .*study\.yaml does not exist"):
        load_config(path)
    path.write_text("")
    with pytest.raises(ConfigError, match="must be a mapping with the key `experiments`, but is None"):
        load_config(path)
    path.write_text("experiments: {toy: [")
    with pytest.raises(ConfigError, match=r"(?s)The configuration file .*study\.yaml is no valid YAML: .*line 1"):
        load_config(path)
    path.write_bytes(b"\xff\xfe\x00experiments")
    with pytest.raises(ConfigError, match=r"study\.yaml is no valid YAML"):
        load_config(path)
    path.write_text(yaml.safe_dump(STUDY))
    assert load_config(path) == parse_config(STUDY)


def test_numbers_as_yaml_reads_them() -> None:
    """YAML 1.1 reads 1e-3 (no dot) as a text; it is a number here all the same."""
    raw = edited("experiments/qnn/training/optimiser/learning_rate", yaml.safe_load("1e-3"))
    config = parse_config(raw)
    assert config.experiments["qnn"].training.optimiser.learning_rate == 1e-3
    assert isinstance(config, Config)


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text("experiments:\n  a: {}\n  a: {}\n")
    with pytest.raises(ConfigError, match="key 'a' stands twice in one mapping, the second time in line 3"):
        load_config(path)


def test_true_is_no_number() -> None:
    raw = yaml.safe_load((CONFIGS / "minimal.yaml").read_text())
    raw["experiments"]["qnn"]["training"]["optimiser"]["learning_rate"] = True
    with pytest.raises(ConfigError, match="learning_rate: must be a number, not true"):
        parse_config(raw)
