"""A target of numba for the kernels alone: other functions of the process are compiled as if it did not exist.

It shares numba's declarations for CPUs, and has an LLVM engine, options and a cache of its own. Kernels can be called
from compiled functions of others, which then contain them, compiled the others' way.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.codegen import JITCPUCodegen
from numba.core.cpu import CPUTargetOptions
from numba.core.options import TargetOptions
from numba.core.registry import CPUDispatcher, CPUTarget, cpu_target
from numba.core.runtime.nrt import rtsys
from numba.core.utils import threadsafe_cached_property

Function = Callable[..., Any]
_config: Any = numba.config


class _Codegen(JITCPUCodegen):
    """LLVM with the whole of a vector register, half of which it leaves unused on some processors for the clock's sake.

    Hessians are a fifth faster on the whole of it. Features are part of the key of numba's cache.
    """

    def _customize_tm_features(self) -> str:
        features: str = super()._customize_tm_features()
        whole = _config.CPU_FEATURES is None and "+avx512f" in features.split(",")
        return f"{features},-prefer-256-bit" if whole else features


class _Options(CPUTargetOptions):
    """With an attribute of arguments that numba passes on to LLVM, but does not list among a function's options."""

    noalias = TargetOptions.Mapping("noalias")


class _Target(CPUTarget):
    options = _Options

    @property
    def typing_context(self) -> Any:
        return cpu_target.typing_context

    @threadsafe_cached_property
    def _toplevel_target_context(self) -> Any:
        # a copy that shares all declarations, as numba makes it for compilation ahead of time
        return cpu_target.target_context.subtarget(_internal_codegen=_Codegen("vqc_landscape.exec"))


class Kernel(CPUDispatcher):
    """A function that is compiled at its first call, for this target."""

    targetdescr = _Target("cpu")

    def cache_in(self, folder: str | Path) -> None:
        """Keep the machine code in a folder, which is one state of all the sources that the function sees."""
        self._cache = _Cache(self.py_func, folder)


class _Cache(FunctionCache):
    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """As numba's, but for the declarations of all of numpy: only who compiles needs them, and they take 0.3 s."""
        rtsys.initialize(target_context)  # reference counts of arrays, which machine code calls
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)

    def __init__(self, function: Function, folder: str | Path) -> None:
        self._impl_class: Any = partial(_Files, folder=folder)
        super().__init__(function)


class _Files(CompileResultCacheImpl):
    """The files of a function. What is set for numba's cache, of other functions, says nothing here."""

    def __init__(self, function: Function, folder: str | Path) -> None:
        self._lineno = function.__code__.co_firstlineno
        self._locator = _Locator(function, folder)
        self._filename_base = self.get_filename_base(function.__qualname__, "")


class _Locator:
    """Numba's interface for where and when."""

    def __init__(self, function: Function, folder: str | Path) -> None:
        self._py_file = function.__code__.co_filename
        self._folder = str(folder)
        self._key = f"{function.__module__}:{function.__code__.co_firstlineno}"

    def get_cache_path(self) -> str:
        return self._folder

    def ensure_cache_path(self) -> None:
        os.makedirs(self._folder, exist_ok=True)

    def get_source_stamp(self) -> str:
        return self._folder  # named after the contents of all sources

    def get_disambiguator(self) -> str:
        return hashlib.sha256(self._key.encode()).hexdigest()[:10]
