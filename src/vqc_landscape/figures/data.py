"""What a figure is drawn from: its experiments and the rows of the tables that it was handed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from vqc_landscape.config import Experiment


def as_frame(name: str, rows: Any, columns: Sequence[str]) -> pd.DataFrame:
    """Rows of a table: a frame as it is, a result of the library, or the columns of a training run.

    Raises:
        ValueError: none of these, or a column is missing; the argument ``name`` is named.
    """
    if isinstance(rows, Mapping):
        rows = pd.DataFrame({column: list(values) for column, values in rows.items()})
    elif not isinstance(rows, pd.DataFrame) and hasattr(rows, "to_pandas"):
        rows = rows.to_pandas()
    message = f"is of type {type(rows).__name__}"
    if isinstance(rows, pd.DataFrame):
        if len(rows) and set(columns) <= set(rows.columns):
            return rows
        message = f"has only {', '.join(map(str, rows.columns))}" if len(rows) else "has no rows"
    raise ValueError(
        f"Argument `{name}` must be a table with the columns {', '.join(columns)}, or a result of the library that "
        f"becomes one, but {message}."
    )


@dataclass(frozen=True)
class FigureData:
    """Everything that a figure shows.

    Attributes:
        experiments: name -> experiment, in the order of the panels.
        seeds: seeds shown one by one; empty: the first of each experiment.
        tables: stage -> rows of that table, all experiments and seeds together.
        against: what a comparison has on its horizontal axis, ``epochs`` or ``gradients``.
    """

    experiments: Mapping[str, Experiment]
    seeds: tuple[int, ...]
    tables: Mapping[str, pd.DataFrame]
    against: str = "epochs"

    @property
    def first(self) -> Experiment:
        """The first experiment; most figures have no other."""
        return next(iter(self.experiments.values()))

    @property
    def name(self) -> str:
        """Name of the first experiment."""
        return next(iter(self.experiments))

    @property
    def seed(self) -> int:
        """The first seed shown."""
        return (self.seeds or tuple(self.first.seeds))[0]

    def rows(
        self, stage: str, experiment: str | None = None, *, seed: int | None = None, epoch: int | None = None
    ) -> pd.DataFrame:
        """Rows of one table for one run.

        Args:
            stage: the table.
            experiment: its name; default: the first.
            seed: default: the first that the figure shows.
            epoch: default: all.

        Raises:
            ValueError: there are none.
        """
        name = experiment or self.name
        if seed is None:
            seed = (self.seeds or self.experiments[name].seeds)[0]
        table = self.tables[stage]
        chosen = (table["experiment"] == name) & (table["seed"] == seed)
        if epoch is not None:
            chosen &= table["epoch"] == epoch
        if not chosen.any():
            at = "" if epoch is None else f", epoch {epoch}"
            raise ValueError(f"Table `{stage}` has no rows for experiment {name}, seed {seed}{at}.")
        return table[chosen]

    def errors(self, epoch: int | None = None) -> pd.DataFrame:
        """Rows of ``convention_errors`` of the as-published experiment."""
        published = next(name for name, e in self.experiments.items() if e.convention == "as_published")
        return self.rows("convention_errors", published, epoch=epoch)
