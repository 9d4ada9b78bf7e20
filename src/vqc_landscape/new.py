"""A new experiment in a user's folder: an entry in the configuration and a circuit file to edit."""

from __future__ import annotations

import importlib.util
import keyword
import re
import shutil
from pathlib import Path

import yaml

from vqc_landscape.config import ConfigError, parse_config
from vqc_landscape.config.messages import NAME, NAME_LENGTH
from vqc_landscape.provenance import ROOT
from vqc_landscape.tables.files import atomic_file

CIRCUIT = '''"""The circuit of experiment {name}. Edit it: any QNode will do that returns one expectation value."""

import pennylane as qml

N_QUBITS = 4


@qml.qnode(qml.device("default.qubit", wires=N_QUBITS))
def qnode(weights):
    """Energy of a transverse-field Ising chain; `weights` has the shape that the configuration says."""
    qml.StronglyEntanglingLayers(weights, wires=range(N_QUBITS))
    bonds = [qml.Z(i) @ qml.Z(i + 1) for i in range(N_QUBITS - 1)]
    fields = [qml.X(i) for i in range(N_QUBITS)]
    return qml.expval(qml.Hamiltonian([-1.0] * len(bonds) + [-0.5] * len(fields), bonds + fields))
'''

ENTRY = """\
{name}:
  # module:name of a QNode that returns one qml.expval; the module is {name}.py, beside the Snakefile
  circuit: "{name}:qnode"
  params_shape: [2, 4, 3] # of the QNode's first argument: 2 layers, 4 qubits, 3 angles
  # expval: the expectation value itself; infidelity: 1 - it; mse: squared error, qnode(weights, x) and data
  objective: {{loss: expval}}
  # data: {{file: samples.csv, features: [a, b], target: label, n_test: 50, scale: 1.57}}
  seeds: [0] # one training run each
  training: {{optimiser: {{name: adam, learning_rate: 0.05}}, n_epochs: 50}}
  hessian: {{epochs: all}} # exact Hessian and its spectrum at every epoch; or a list, such as [0, 25, 50]
  scans: {{epoch: 50, positions: [-1, -2, 0]}} # loss along the two steepest eigenvectors and the lowest one
  planes: {{epoch: 50, axes: [eigenvectors, random, pca], n_grid: 51}}
  figures: [training, spectra, tracks, scans, planes]
"""

SNAKEFILE = """\
# snakemake --cores 4            everything in config/config.yaml
# snakemake --cores 4 only_NAME  one experiment, with its figures
from vqc_landscape.new import workflow_file


include: workflow_file()


workflow.default_target = "all"
"""


def workflow_file() -> str:
    """Path of the workflow's Snakefile: in the installed package, or beside the sources."""
    return str(_shipped("workflow/Snakefile"))


def _shipped(path: str) -> Path:
    return next(file for file in (ROOT / path, ROOT.parents[1] / path) if file.exists())


def new_experiment(name: str, config: str = "config/config.yaml") -> list[Path]:
    """Write ``NAME.py``, an entry ``NAME`` in the configuration, and a Snakefile with its profile where there is none.

    The profiles of clusters, too: Snakemake takes no notice of one that it does not find, and runs jobs here. What is
    there already stays as it is, comments included.

    Args:
        name: lower-case letters, digits and _, a letter first, at most 100 characters.
        config: the configuration; made where it does not exist.

    Returns:
        The files that were written.

    Raises:
        ConfigError: a name that cannot be used or is taken, or a configuration that the entry cannot be put into.
    """
    if len(name) > NAME_LENGTH:
        raise ConfigError(f"A name must have at most {NAME_LENGTH} characters, but {name[:20]}... has {len(name)}.")
    if not re.fullmatch(NAME, name):
        raise ConfigError(f"A name must be lower-case letters, digits and _, a letter first, but is {name!r}.")
    circuit, target, snakefile = Path(f"{name}.py"), Path(config), Path("Snakefile")
    if circuit.exists():
        raise ConfigError(f"{circuit} exists already; nothing was written.")
    if keyword.iskeyword(name) or getattr(importlib.util.find_spec(name), "origin", None):  # a mere folder has none
        raise ConfigError(
            f"A name must not be a word of Python or an installed module, which {circuit} would hide, but is {name!r}."
        )
    before = target.read_text(encoding="utf-8") if target.exists() else "experiments:\n"
    text = _with_entry(before, name, target)
    written = {target: text, circuit: CIRCUIT.format(name=name)}
    profiles = ["slurm", "generic"]
    if not snakefile.exists():
        written[snakefile] = SNAKEFILE
        profiles = ["default", *profiles]
    copied = {path: source for profile in profiles for path, source in _profile(profile) if not path.exists()}
    for path in (*written, *copied):
        path.parent.mkdir(parents=True, exist_ok=True)
    for path, content in written.items():
        with atomic_file(path) as temporary:
            temporary.write_text(content, encoding="utf-8")
    for path, source in copied.items():
        shutil.copyfile(source, path)
        if path.suffix == ".sh":
            path.chmod(0o755)
    return [*written, *copied]


def _profile(name: str) -> list[tuple[Path, Path]]:
    """The files of a profile: where each belongs, and where it is."""
    files = sorted(_shipped(f"profiles/{name}").iterdir())
    return [(Path("profiles", name, file.name), file) for file in files]


def _with_entry(text: str, name: str, path: Path) -> str:
    """The configuration with the entry as the first of its experiments."""
    place = re.search(r"^experiments:[ \t]*(#[^\n]*)?\n", text, re.MULTILINE)
    if place is None:
        raise ConfigError(f"{path} has no line `experiments:` to put the entry below; nothing was written.")
    first = re.match(r"(?:[ \t]*(?:#[^\n]*)?\n)*( +)\S", text[place.end() :])
    indent = first.group(1) if first else "  "
    entry = "".join(f"{indent}{line}\n" for line in ENTRY.format(name=name).splitlines())
    new = text[: place.end()] + entry + ("\n" if first else "") + text[place.end() :]
    try:
        before, after = yaml.safe_load(text), yaml.safe_load(new)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is no valid YAML ({' '.join(str(error).split())}); nothing was written.") from None
    if name in (before.get("experiments") or {}):
        raise ConfigError(f"{path} has an experiment {name} already; nothing was written.")
    parse_config(after)
    return new
