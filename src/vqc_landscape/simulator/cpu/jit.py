"""Compilation by numba, cached under a hash of this room's sources.

numba's own cache looks at the file of a function alone. An edit in a callee's file would go unnoticed, and the old
machine code would run on: so every state of the sources has a cache folder of its own.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core.codegen import get_host_cpu_features
from numba.core.cpu import CPUTargetOptions
from numba.core.options import TargetOptions

# numba knows this LLVM attribute of arguments, but does not list it among the options of a function
CPUTargetOptions.noalias = TargetOptions.Mapping("noalias")  # type: ignore[no-untyped-call]

ROOM = Path(__file__).parent
_numba: Any = numba.config

# On some processors LLVM leaves half of a vector register unused, for the clock's sake. Hessians are a fifth faster on
# the whole of it. The features are part of the key of numba's cache. They hold for the whole process, unless numba has
# compiled something before: then they stay as they were, and the last digits can differ.
_features: str = get_host_cpu_features()  # type: ignore[no-untyped-call]
if _numba.CPU_FEATURES is None and "+avx512f" in _features.split(","):
    _numba.CPU_FEATURES = f"{_features},-prefer-256-bit"


def compiled(function: Callable[..., Any] | None = None, *, inline: str = "never", distinct: bool = False) -> Any:
    """Compile a function at its first call, without the GIL and with fast arithmetic.

    Args:
        function: what to compile. Not-a-number and infinity are excluded by fast arithmetic: arguments are checked
            before they come here.
        inline: ``"always"`` makes it part of those that call it; by itself it is compiled where Python calls it.
        distinct: no array that is written shares memory with another argument. Without this promise every inner
            loop begins with a comparison of all addresses, which costs as much as twenty columns of a product.
    """
    if function is None:
        return lambda f: compiled(f, inline=inline, distinct=distinct)
    if _numba.DISABLE_JIT:  # to step through it
        return function
    options: dict[str, Any] = dict(fastmath=True, nogil=True, boundscheck=False, error_model="numpy", inline=inline)
    # no entry for C code: nobody calls it, and it would be compiled with every function
    options |= dict(noalias=distinct, no_cfunc_wrapper=True)
    dispatcher = numba.njit(**options)(function)
    others = _numba.CACHE_DIR
    _numba.CACHE_DIR = CACHE
    try:
        dispatcher.enable_caching()
    finally:
        _numba.CACHE_DIR = others  # functions of other packages keep their own
    return dispatcher


def cache_folder() -> str:
    """``NUMBA_CACHE_DIR``, else beside the sources, else in the user's cache, else temporary; then the hash."""
    digest = hashlib.sha256()
    for source in sorted(ROOM.glob("*.py")):
        digest.update(source.read_bytes())
    choices = [os.environ.get("NUMBA_CACHE_DIR"), ROOM / "__pycache__", Path("~/.cache/vqc-landscape").expanduser()]
    for choice in choices:
        if choice and _is_writable(Path(choice)):
            return str(Path(choice) / f"vqc-landscape-{digest.hexdigest()[:16]}")
    return str(Path(tempfile.mkdtemp()))


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


CACHE = cache_folder()


class Helper:
    """Another process that fills the cache while this one compiles something else: numba's lock is no concern of it.

    Nothing depends on it: what it does not compile is compiled here.

    Args:
        module: what it runs.
        last: what it compiles last.
    """

    def __init__(self, module: str, last: Any) -> None:
        self._module = module
        self._files = f"{last.__module__.rpartition('.')[2]}.{last.__name__}-*.nbi"
        self._process: subprocess.Popen[bytes] | None = None
        self._asked = False

    def start(self) -> bool:
        """Start it where its work is not in the cache; returns whether it was started by this call."""
        if self._asked:
            return False
        self._asked = True
        if sys.executable and not any(Path(CACHE).rglob(self._files)):
            code = f"import sys; sys.path[:] = {sys.path!r}; import runpy; runpy.run_module({self._module!r})"
            quiet = subprocess.DEVNULL
            self._process = subprocess.Popen([sys.executable, "-c", code], stdin=quiet, stdout=quiet, stderr=quiet)
        return self._process is not None

    def wait(self) -> None:
        """Return when it has ended."""
        if self._process is not None:
            self._process.wait()
