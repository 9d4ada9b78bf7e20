"""``python -m vqc_landscape new NAME``: a commented entry in the configuration, and a circuit file to edit.

``python -m vqc_landscape warm-up``: machine code for every computation on the CPU, before the first one waits for it.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Sequence

from vqc_landscape.config import ConfigError
from vqc_landscape.new import new_experiment


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m vqc_landscape", description="Curvature of quantum loss landscapes")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    new = commands.add_parser("new", help="write an entry in the configuration, and a circuit file to edit")
    new.add_argument("name", help="of the experiment: lower-case letters, digits and _")
    new.add_argument("--config", default="config/config.yaml", help="the configuration (default: %(default)s)")
    commands.add_parser("warm-up", help="compile all that the CPU computes with; later processes find it")
    chosen = parser.parse_args(arguments)
    return _warm_up() if chosen.command == "warm-up" else _new(chosen.name, chosen.config)


def _new(name: str, config: str) -> int:
    try:
        written = new_experiment(name, config)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Written: {', '.join(str(path) for path in written)}")
    if importlib.util.find_spec("snakemake") is None:
        print("Snakemake is not installed here; it comes with: pip install 'vqc-landscape[workflow]'")
    print(f"Edit {name}.py and its entry in {config}, then: snakemake --cores 4 only_{name}")
    return 0


def _warm_up() -> int:
    from vqc_landscape.simulator.cpu import jit  # numba takes half a second, which `new` has no use for
    from vqc_landscape.simulator.cpu.warm_up import warm_up

    if not jit.KERNELS:
        print("Nothing is compiled where NUMBA_DISABLE_JIT is set.", file=sys.stderr)
        return 1
    start = time.perf_counter()
    done = warm_up()
    seconds = time.perf_counter() - start
    print(
        f"Compiled {done.compiled} functions in {seconds:.0f} s, found {done.cached} compiled; they are in {jit.CACHE}"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
