"""The house: pinned versions agree, generated files are current, imports go downwards and stay light."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib.metadata import version
from pathlib import Path

import jsonschema
import pytest
import yaml

from vqc_landscape import reference
from vqc_landscape.config import parse_config

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "vqc_landscape"
MODULES = {".".join(p.relative_to(SOURCE).with_suffix("").parts): p for p in sorted(SOURCE.rglob("*.py"))}

# --- versions ---------------------------------------------------------------------------------------------

CONDA_NAMES = {"torch": "pytorch"}


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def requirements(*extras: str) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] + [line for extra in extras for line in project["optional-dependencies"][extra]]
    return [re.split("[<>=!~ ]", line)[0] for line in lines]


@pytest.mark.parametrize(
    ("environment", "extras"),
    [("environment.yml", ("workflow", "dev")), ("workflow/envs/vqc-landscape.yaml", ("torch", "data", "report"))],
)
def test_the_conda_environments_have_the_requirements_with_the_pinned_versions(
    environment: str, extras: tuple[str, ...]
) -> None:
    listed = yaml.safe_load((ROOT / environment).read_text())["dependencies"]
    conda = dict(line.split("=") for line in listed if isinstance(line, str) and "=" in line)
    assert conda.pop("python") == "3.11"
    assert conda == {CONDA_NAMES.get(name, name): pins()[name] for name in requirements(*extras)}


def test_the_conda_environment_has_the_browsers_driver_from_pypi() -> None:
    *_, pip = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert pip["pip"] == [f"playwright=={pins()['playwright']}", "-e ."]


def test_what_runs_these_tests_is_what_is_pinned() -> None:
    names = requirements("workflow", "dev", "browser")
    assert {name: version(name).split("+")[0] for name in names} == {name: pins()[name] for name in names}  # 2.13.0+cpu


# --- generated files --------------------------------------------------------------------------------------


def test_the_json_schema_is_current_and_accepts_the_studies() -> None:
    written = (ROOT / reference.SCHEMA).read_text(encoding="utf-8")
    assert written == reference.json_schema(), "run `make reference`"
    for study in ("config.yaml", "minimal.yaml"):
        jsonschema.validate(yaml.safe_load((ROOT / "config" / study).read_text()), json.loads(written))


def test_the_json_schema_refuses_a_misspelt_key() -> None:
    with pytest.raises(jsonschema.ValidationError, match="experimants"):
        jsonschema.validate({"experimants": {}}, json.loads(reference.json_schema()))


def test_the_table_of_keys_is_current_and_complete() -> None:
    readme = (ROOT / reference.README).read_text(encoding="utf-8")
    assert readme == reference.with_key_tables(readme), "run `make reference`"
    for key in ("n_qubits", "checkpoint_every", "max_learning_rate", "points"):
        assert f"| `{key}` |" in readme
    rows = [line for line in reference.key_tables().splitlines() if line.startswith("| `")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}  # four cells


def test_the_schema_and_the_table_say_what_must_be_above_0() -> None:
    minimal = yaml.safe_load((ROOT / "config" / "minimal.yaml").read_text())
    minimal["experiments"]["qnn"]["training"]["optimiser"]["learning_rate"] = -1
    with pytest.raises(jsonschema.ValidationError, match="-1"):
        jsonschema.validate(minimal, json.loads(reference.json_schema()))
    assert "| `learning_rate` | number > 0 |" in reference.key_tables()


def test_a_readme_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="must have the lines"):
        reference.with_key_tables("# Configuration")


def test_the_minimal_study_has_the_shape_of_the_whole_one() -> None:
    whole, minimal = (yaml.safe_load((ROOT / "config" / f"{n}.yaml").read_text()) for n in ("config", "minimal"))
    own = minimal["figures"].pop("compare")  # the paper compares in its Fig. 11
    assert own["against"] == "gradients" and minimal["figures"] == whole["figures"]
    assert minimal["claims"] == whole["claims"]
    asked = {name: {*experiment} for name, experiment in whole["experiments"].items()}
    assert {name: {*experiment} for name, experiment in minimal["experiments"].items()} == asked


# --- documents --------------------------------------------------------------------------------------------


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)


def test_the_experiment_of_the_readme_is_valid() -> None:
    (example,) = code_blocks("yaml")
    assert list(parse_config(yaml.safe_load(example)).experiments) == ["my_circuit"]


def test_the_code_of_the_readme_runs() -> None:
    n_params = []
    for block in code_blocks("python"):
        names: dict[str, object] = {}  # each stands alone
        exec(block, names)
        n_params.append(names["risk"].n_params)  # type: ignore[attr-defined]
    assert n_params == [18, 48]


DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "config" / "README.md", *ROOT.glob("docs/*.md")]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_document_links_to_exists(path: Path) -> None:
    links = re.findall(r"\]\(((?!http)[^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


# --- imports ----------------------------------------------------------------------------------------------

# From the ground up: a room may import from lower floors and from itself; single modules are the ground.
FLOORS = [
    {"circuits"},
    {"structure"},
    {"simulator"},
    {"models"},
    {"risks"},
    {"training", "curvature"},
    {"studies"},
    {"claims"},
    {"figures"},
    {"report"},
    {"__main__", "reference"},  # the commands
]
FLOOR = {room: level for level, rooms in enumerate(FLOORS, start=1) for room in rooms}
# training and curvature know a risk, not what is behind it
NOT_FOR = {room: {"circuits", "structure", "simulator", "models"} for room in ("training", "curvature")}
HOMES = {
    "matplotlib": {"figures"},
    "torch": {
        "models.network_model",
        "risks.network_risk",
        "studies.user_code",
        *(module for module in MODULES if module.startswith("simulator.gpu")),
    },
    "pennylane": {
        "circuits.pennylane",
        *(module for module in MODULES if module.startswith("circuits.qnode.")),
        "curvature.param_shift",
        "risks.from_qnode",
        "studies.user_code",
        "studies.shift_rule",
    },
    "plotly": {"report"},
    "jinja2": {"report"},
    "docutils": {"report"},
    "snakemake": set[str](),
}
LAZY = ("torch", "pennylane")
GPU = "vqc_landscape.simulator.gpu"  # imports torch at once, and is itself imported inside functions


def imports(node: ast.AST, *, lazy: bool = False, types: bool = False) -> Iterator[tuple[str, bool, bool]]:
    """Every imported name below ``node``, whether a function imports it, and whether it is for types only."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, lazy, types) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from ((f"{node.module}.{alias.name}", lazy, types) for alias in node.names)
    lazy = lazy or isinstance(node, ast.FunctionDef | ast.Lambda)
    types = types or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    for child in ast.iter_child_nodes(node):
        yield from imports(child, lazy=lazy, types=types)


def all_imports() -> Iterator[tuple[str, str, bool, bool]]:
    for module, path in MODULES.items():
        if module != "__init__":  # names every home, and imports them when they are asked for
            for name, lazy, types in imports(ast.parse(path.read_text())):
                yield module, name, lazy, types


def test_imports_go_downwards() -> None:
    wrong = []
    for module, name, _, _ in all_imports():
        if name.startswith("vqc_landscape."):
            room, other = module.split(".")[0], name.split(".")[1]
            downwards = FLOOR.get(other, 0) < FLOOR.get(room, 0) or FLOOR.get(other, 0) == 0 or room == other
            if not downwards or other in NOT_FOR.get(room, ()):
                wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_no_import_cycles() -> None:
    graph: dict[str, set[str]] = {}
    for module, name, _, _ in all_imports():
        home = name.removeprefix("vqc_landscape.")
        homes = {h for h in (home, home.rpartition(".")[0], f"{home}.__init__") if h in MODULES}
        if name.startswith("vqc_landscape."):
            graph.setdefault(module, set()).update(homes)
    TopologicalSorter(graph).prepare()  # raises CycleError with the cycle


def test_no_two_files_of_the_core_have_one_name() -> None:
    core = ("circuits", "structure", "simulator", "models", "risks")
    names = [path.name for room in core for path in (SOURCE / room).rglob("*.py") if path.name != "__init__.py"]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("library", HOMES)
def test_heavy_libraries_stay_in_their_rooms(library: str) -> None:
    strays = []
    for module, name, lazy, types in all_imports():
        in_gpu = f"vqc_landscape.{module}".startswith(GPU)
        is_heavy = name.split(".")[0] == library
        at_home = module in HOMES[library] or module.split(".")[0] in HOMES[library]
        at_once = (is_heavy or name.startswith(GPU)) and library in LAZY and not (lazy or types or in_gpu)
        if (is_heavy and not at_home) or at_once:
            strays.append(f"{module} imports {name}")
    assert strays == []


def test_importing_the_package_imports_neither_torch_nor_pennylane() -> None:
    listing = "import sys, vqc_landscape, vqc_landscape.studies.plan; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True).stdout.split()
    assert "vqc_landscape" in loaded
    assert not {"torch", "pennylane", "numba", "matplotlib", "pandas"} & set(loaded)


def test_every_public_name_can_be_loaded() -> None:
    import vqc_landscape as vl

    for name in vl.__all__:
        assert getattr(vl, name) is not None
