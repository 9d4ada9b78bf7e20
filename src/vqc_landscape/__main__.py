"""``python -m vqc_landscape new NAME``: a commented entry in the configuration, and a circuit file to edit."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence

from vqc_landscape.config import ConfigError
from vqc_landscape.new import new_experiment


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m vqc_landscape", description="Curvature of quantum loss landscapes")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    new = commands.add_parser("new", help="write an entry in the configuration, and a circuit file to edit")
    new.add_argument("name", help="of the experiment: lower-case letters, digits and _")
    new.add_argument("--config", default="config/config.yaml", help="the configuration (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    try:
        written = new_experiment(chosen.name, chosen.config)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Written: {', '.join(str(path) for path in written)}")
    if importlib.util.find_spec("snakemake") is None:
        print("Snakemake is not installed here; it comes with: pip install 'vqc-landscape[workflow]'")
    print(f"Edit {chosen.name}.py and its entry in {chosen.config}, then: snakemake --cores 4 only_{chosen.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
