"""A file is there as a whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


class atomic_file:  # noqa: N801 - reads as a verb: with atomic_file(path) as temporary
    """Context manager: a temporary path beside ``path``; on success it replaces ``path``, else it goes."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __enter__(self) -> Path:
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.", suffix=self.path.suffix)
        os.close(descriptor)
        self.temporary = Path(name)
        return self.temporary

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.temporary.unlink(missing_ok=True)
            return
        with open(self.temporary, "rb") as file:
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        self.temporary.chmod(0o666 & ~umask)  # mkstemp makes 0600: others of the group read results
        os.replace(self.temporary, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)  # the rename, too, has to outlive a loss of power
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
