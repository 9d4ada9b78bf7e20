"""A page made of synthetic tables, figures and benchmarks, for the tests of the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from figure_data import study, write_tables
from PIL import Image

from vqc_landscape.config import Config
from vqc_landscape.report.page import write_report
from vqc_landscape.tables.parquet import read_table, write_table

FIGURES = {
    "fig02": {"experiments": ["toy_global"]},
    "fig04": {"experiments": ["toy_plus", "toy_plus_published"]},
    "fig07": {"experiments": ["qnn"]},
    "fig09": {"experiments": ["qnn"]},
    "fig11": {"experiments": ["fig11_gd", "fig11_hlr"]},
    "fig05_conventions": {"experiments": ["layered", "layered_published"]},
    "qnn_planes": {},  # of the experiment itself
}
# claim, convention, measured, low, high, seeds, verdict, figure; the last one is in no registry
VERDICTS = [
    ("toy-barren", "exact", 0.0, 0.0, 0.0, None, "reproduced", "fig02"),
    ("qnn-init-symmetric", "exact", 0.4711, 0.4, 0.5, 20, "with_caveat", "fig09"),
    ("gd-slow", "exact", 0.97, 0.9, 1.0, 12, "not_reproduced", "fig11"),
    ("plus-valley", "exact", 0.0, 0.0, 0.0, None, "not_reproduced", "fig04"),
    ("plus-valley", "as_published", 1.0, 1.0, 1.0, None, "reproduced", "fig04"),
    ("flat-init-depth", "exact", float("inf"), -float("inf"), float("inf"), 3, "depends_on_seed", "fig05_conventions"),
    ("unheard-of", "exact", None, None, None, None, None, "fig99"),
]


@dataclass
class Material:
    """Everything that a page is made of, on disk.

    Attributes:
        folder: where it lies.
        figures: its figures, keys of ``FIGURES``.
        tables: stage -> part files.
        purpose: as in the configuration.
    """

    folder: Path
    figures: tuple[str, ...] = tuple(FIGURES)
    tables: dict[str, list[Path]] = field(default_factory=dict)
    purpose: str = "study"

    def __post_init__(self) -> None:
        paper = study({name: FIGURES[name] for name in self.figures if FIGURES[name]})
        self.config: Config = paper.model_copy(update={"purpose": self.purpose})
        for name in self.figures:
            for stage, paths in write_tables(name, self.config, self.folder).items():
                self.tables.setdefault(stage, [])
                self.tables[stage] += [path for path in paths if path not in self.tables[stage]]
            Image.new("RGB", (1400, 900), "white").save(self.folder / f"{name}.png")
        self.write_claims(VERDICTS)
        for rule, job, text in (
            ("hessians", "qnn-0", "70.5\t320.5"),
            ("hessians", "qnn-1", "10\t100"),
            ("figures", "fig02", "2\t-"),
        ):
            path = self.folder / "benchmarks" / rule / f"{job}.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"s\tmax_rss\n{text}\n")

    def write_claims(self, verdicts: list[Any]) -> None:
        names = ("claim", "convention", "measured", "low", "high", "n_seeds", "verdict", "figure")
        columns = dict(zip(names, map(list, zip(*verdicts, strict=True)), strict=True))
        words = {
            key: [f"{key} of {row[0]}" for row in verdicts]
            for key in ("statement", "expected", "threshold", "explanation")
        }
        write_table("claims", self.folder / "claims.parquet", columns | words)

    def change(self, stage: str, name: str, **columns: Any) -> None:
        """Rewrite columns of the one part of an experiment; a value is a function of the old column."""
        (path,) = (p for p in self.tables[stage] if f"experiment={name}" in p.parts)
        table = read_table(stage, path).drop(columns=["experiment", "seed"])
        for column, new in columns.items():
            table[column] = new(table[column])
        write_table(stage, path, {key: table[key].replace({np.nan: None}) for key in table})

    def page(self, claims: bool = True) -> Path:
        """Write the page."""
        output = self.folder / "report.html"
        write_report(
            self.config,
            [self.folder / f"{name}.png" for name in self.figures],
            self.tables,
            self.folder / "claims.parquet" if claims else None,
            sorted((self.folder / "benchmarks").rglob("*.tsv")),
            output,
        )
        return output
