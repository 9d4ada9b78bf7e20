"""What code a result was made with: a hash over the source of a module and of all it imports.

Snakemake sees the text of a rule and of its script, but not an edit in the package behind it. Each rule
carries this hash among its parameters, so that an edit runs again what depends on it, and nothing else.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGE = "vqc_landscape"
ROOT = Path(__file__).parent


def source_hash(*modules: str, skip: Iterable[str] = (), root: Path = ROOT) -> str:
    """Return a hash over the source of ``modules`` and of every package module that they import.

    Imports inside functions count, those under ``if TYPE_CHECKING:`` do not. Comments, docstrings and
    formatting do not count either: they change no number.

    Args:
        modules: names below the package, e.g. ``"studies.hessians"``.
        skip: modules and rooms to leave out, with what only they import.
        root: folder of the package.

    Raises:
        ValueError: a module that does not exist, or a name imported from the top of the package,
            whose home cannot be seen.
    """
    digest = hashlib.sha256()
    for module in sorted(dependencies(*modules, skip=skip, root=root)):
        digest.update(f"{module}\n{_parse(module, root)[0]}\n".encode())
    return digest.hexdigest()[:16]


def code_text(tree: ast.AST) -> str:
    """A syntax tree as text, without docstrings and all that only formats."""
    return ast.dump(_WithoutText().visit(tree))


def dependencies(*modules: str, skip: Iterable[str] = (), root: Path = ROOT) -> set[str]:
    """Return ``modules`` and every package module that they import, directly or through others.

    Raises:
        ValueError: as :func:`source_hash`.
    """
    for name in skip:  # one that is left out under an old name would count
        path = root.joinpath(*name.split("."))
        if not path.is_dir() and not path.with_suffix(".py").is_file():
            raise ValueError(f"There is no module {name} to leave out.")
    skipped, found, queue = tuple(f"{name}." for name in skip), set[str](), list(modules)
    while queue:
        module = queue.pop()
        if module not in found and not f"{module}.".startswith(skipped):
            found.add(module)
            queue += _parse(module, root)[1]
            queue += [module.rpartition(".")[0]] if "." in module else []  # the room's __init__ runs first
    return found


@functools.cache
def _parse(module: str, root: Path) -> tuple[str, tuple[str, ...]]:
    """Syntax tree as text, and the package modules that it imports."""
    path = _path(module, root)
    if path is None:
        raise ValueError(f"There is no module {PACKAGE}.{module}.")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = tuple(sorted(set(_imports(tree, module, root))))
    return code_text(tree), imports


def _path(module: str, root: Path) -> Path | None:
    stem = root.joinpath(*module.split("."))
    return next((p for p in (stem.with_suffix(".py"), stem / "__init__.py") if p.is_file()), None)


def _imports(tree: ast.AST, module: str, root: Path) -> Iterator[str]:
    for node in _runtime_nodes(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.startswith(f"{PACKAGE}.")]
            yield from (name.removeprefix(f"{PACKAGE}.") for name in names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise ValueError(f"Module {PACKAGE}.{module} has a relative import; write the full name.")
        elif isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(f"{PACKAGE}."):
            source = str(node.module).removeprefix(PACKAGE).removeprefix(".")
            for alias in node.names:
                name = f"{source}.{alias.name}".removeprefix(".")
                if _path(name, root):
                    yield name
                elif not source:
                    raise ValueError(f"Module {PACKAGE}.{module} imports {name} from {PACKAGE}; name its module.")
            if source:
                yield source


def _runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _runtime_nodes(child)


class _WithoutText(ast.NodeTransformer):
    """Drops docstrings and every other string that stands alone."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        alone = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if alone else self.generic_visit(node)
