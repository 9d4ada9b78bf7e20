"""The same study with other seeds: ``python -m vqc_landscape.claims.other_seeds CLAIMS.parquet OTHER.csv``.

The numbers of that run are kept in a small text file. A claim on which the two runs disagree depends on the seed.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from vqc_landscape.tables.files import atomic_file
from vqc_landscape.tables.parquet import read_table

Numbers = dict[tuple[str, str], tuple[float, float, float]]  # claim, convention -> measured, low, high
_COLUMNS = ("claim", "convention", "measured", "low", "high")


def write_other_seeds(claims: str, output: str) -> None:
    """Keep the measured numbers of a table of claims, without its verdicts: thresholds may change."""
    rows = read_table("claims", claims, _COLUMNS).dropna(subset=["measured"])
    with atomic_file(output) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(rows[list(_COLUMNS)].itertuples(index=False))


def read_other_seeds(path: str) -> Numbers:
    """The numbers of the other run.

    Raises:
        ValueError: the file is missing, or is not what :func:`write_other_seeds` writes.
    """
    if not Path(path).is_file():
        raise ValueError(f"other_seeds: {path} does not exist; `make other-seeds` writes it.")
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != _COLUMNS:
            raise ValueError(f"other_seeds: {path} must have the columns {', '.join(_COLUMNS)}.")
        return {
            (row["claim"], row["convention"]): (float(row["measured"]), float(row["low"]), float(row["high"]))
            for row in reader
        }


if __name__ == "__main__":
    write_other_seeds(sys.argv[1], sys.argv[2])
