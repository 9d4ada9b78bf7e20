"""Compilation by numba, cached under a hash of the sources that kernels see.

numba's own cache looks at the file of a function alone. An edit in a callee's file would go unnoticed, and the old
machine code would run on: so every state of the sources has a cache folder of its own.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numba

from vqc_landscape.simulator.cpu.target import Kernel

_config: Any = numba.config

ROOM = Path(__file__).parent
SOURCES = (ROOM, ROOM.parent / "compile")  # kernels have constants of the schedule, too

KERNELS: list[Kernel] = []  # all of them, whether compiled yet or not


def kernel(function: Callable[..., Any] | None = None, *, inline: str = "never", distinct: bool = False) -> Any:
    """Compile a function at its first call, without the GIL and with fast arithmetic.

    Args:
        function: what to compile. Not-a-number and infinity are excluded by fast arithmetic: arguments are checked
            before they come here.
        inline: ``"always"`` makes it part of those that call it; by itself it is compiled where Python calls it.
        distinct: no array that is written shares memory with another argument. Without this promise every inner
            loop begins with a comparison of all addresses, which costs as much as twenty columns of a product.
    """
    if function is None:
        return lambda f: kernel(f, inline=inline, distinct=distinct)
    if _config.DISABLE_JIT:  # to step through it
        return function
    options: dict[str, Any] = dict(nopython=True, fastmath=True, nogil=True, boundscheck=False, error_model="numpy")
    # no entry for C code: nobody calls it, and it would be compiled with every function
    options |= dict(inline=inline, noalias=distinct, no_cfunc_wrapper=True)
    made = Kernel(function, targetoptions=options)
    made.cache_in(CACHE)
    KERNELS.append(made)
    return made


def sources_hash(folders: Iterable[Path]) -> str:
    """A hash of all sources in some folders, subfolders included, and of where they are in them."""
    digest = hashlib.sha256()
    for folder in folders:
        for source in sorted(folder.rglob("*.py")):
            content = source.read_bytes()
            digest.update(f"{folder.name}/{source.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def cache_folder() -> str:
    """``NUMBA_CACHE_DIR``, else beside the sources, else in the user's cache, else temporary; then the hash."""
    choices = [os.environ.get("NUMBA_CACHE_DIR"), ROOM / "__pycache__", Path("~/.cache/vqc-landscape").expanduser()]
    for choice in choices:
        if choice and _is_writable(Path(choice)):
            return str(Path(choice) / f"vqc-landscape-{sources_hash(SOURCES)}")
    return str(Path(tempfile.mkdtemp()))


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


CACHE = cache_folder()
