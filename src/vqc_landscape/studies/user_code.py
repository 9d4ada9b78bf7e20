"""A user's own circuit, network or optimiser, found by name, ``my_module:my_qnode``, where the study runs."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from vqc_landscape.provenance import code_text
from vqc_landscape.training.optimisers import Optimiser, check_optimiser


def load_own(reference: str) -> Any:
    """The object of that name.

    ``my_module`` is the file ``my_module.py`` of the folder that Python runs in (``a.b`` is ``a/b.py``), else an
    installed module.

    Raises:
        ValueError: no such module, a module that cannot be run, or one without that name.
    """
    module_name, name = reference.split(":")
    module = _import(reference, module_name)
    if not hasattr(module, name):
        public = [other for other in vars(module) if not other.startswith("_")]
        raise ValueError(f"{reference}: module {module_name} has no {name}; it has {', '.join(public) or 'nothing'}.")
    return getattr(module, name)


def load_qnode(reference: str) -> Any:
    """The user's QNode, or what their function without arguments returns.

    Raises:
        ValueError: as :func:`load_own`, or something else than a QNode.
    """
    import pennylane as qml

    own = load_own(reference)
    if callable(own) and not isinstance(own, qml.QNode):
        own = _called(reference, own)
    if not isinstance(own, qml.QNode):
        raise ValueError(f"{reference} must be a PennyLane QNode or a function that returns one, but is {own!r}.")
    return own


def load_module(reference: str, seed: int) -> Any:
    """The user's torch module, made anew: its class or function is called with torch's seed set.

    Raises:
        ValueError: as :func:`load_own`, or something else than a class or function that makes a module.
    """
    import torch

    own = load_own(reference)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        module = _called(reference, own) if callable(own) and not isinstance(own, torch.nn.Module) else None
    if not isinstance(module, torch.nn.Module):
        raise ValueError(
            f"{reference} must be a class or function that makes a torch module, so that every seed has its own "
            f"initial weights, but is {own!r}."
        )
    return module


def load_optimiser(reference: str) -> Optimiser:
    """The user's optimiser, or what their class or function without arguments makes.

    Raises:
        ValueError: as :func:`load_own`, or something without an optimiser's attributes.
    """
    own = load_own(reference)
    if callable(own) and (isinstance(own, type) or not hasattr(own, "step")):
        own = _called(reference, own)
    return check_optimiser(reference, own)


def _called(reference: str, own: Any) -> Any:
    try:
        return own()
    except TypeError as error:
        raise ValueError(f"{reference} must be callable without arguments ({error}).") from None


def own_code(reference: str) -> str:
    """Hash over the code of the user's module and of the files beside it that it imports.

    Raises:
        ValueError: no such module.
    """
    digest, queue, seen = hashlib.sha256(), [_file(reference, reference.split(":")[0])], set[Path]()
    while queue:
        path = queue.pop()
        if path.resolve() not in seen:
            seen.add(path.resolve())
            try:
                tree = ast.parse(path.read_text(encoding="utf-8"))
            except SyntaxError as error:
                raise ValueError(f"{reference}: {path} is no Python: line {error.lineno}, {error.msg}.") from None
            digest.update(f"{path.name}\n{code_text(tree)}\n".encode())
            queue += sorted({file for file in _imported(tree, path.parent) if file.is_file()})
    return digest.hexdigest()[:16]


def _imported(tree: ast.AST, folder: Path) -> list[Path]:
    """Where what a file imports would lie: below the working folder, or, with dots, below the file's own."""
    modules: list[Path] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules += [Path(*alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = folder.joinpath(*[".."] * (node.level - 1)) if node.level else Path()
            module = start.joinpath(*(node.module or "").split("."))
            modules += [module, *(module / alias.name for alias in node.names)]
    # a package is run before what lies in it
    packages = {package for module in modules for package in (module, *module.parents)} - {Path()}
    return [Path(f"{module}.py") for module in modules] + [package / "__init__.py" for package in packages]


def _local(module: str) -> Path:
    place = Path(*module.split("."))
    return package if (package := place / "__init__.py").is_file() else place.with_suffix(".py")


def _file(reference: str, module: str) -> Path:
    if _local(module).is_file():
        return _local(module)
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        raise ValueError(f"{reference}: there is no file {_local(module)} in {Path.cwd()}, nor a module {module}.")
    return Path(spec.origin)


def _import(reference: str, name: str) -> ModuleType:
    path = _file(reference, name)
    folder = str(Path.cwd())
    if folder not in sys.path:  # what the file imports may lie beside it
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look up the types that they are given as text
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ValueError(f"{reference}: {path} cannot be run ({type(error).__name__}: {error}).") from error
    return module
