"""From part files to a figure. Importing it imports no Matplotlib."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from vqc_landscape.config import Config
from vqc_landscape.figures.select import find_figure, required_tables
from vqc_landscape.tables.parquet import read_table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Canvas


def make_figure(name: str, config: Config, tables: Mapping[str, pd.DataFrame]) -> Canvas:
    """Draw a figure from tables in memory.

    Args:
        name: a key of ``FIGURES``, or ``experiment_kind`` of what an experiment draws by itself.
        config: the study.
        tables: table -> rows, as ``tables.read_table`` or ``pandas.read_parquet`` return them.

    Raises:
        ConfigError: as ``required_tables``.
        ValueError: a table or a run is missing.
    """
    required_tables(name, config)
    figure, shown = find_figure(name, config)
    for table in figure.reads:
        if table not in tables:
            raise ValueError(f"Figure {name} needs table `{table}`, which was not given.")
    from vqc_landscape.figures import style  # Matplotlib
    from vqc_landscape.figures.data import FigureData

    data = FigureData(
        experiments={e: config.experiments[e] for e in shown.experiments},
        seeds=tuple(shown.seeds),
        tables=tables,
        against=shown.against,
    )
    module, _, function = figure.draw.rpartition(".")
    with style.paper_style():
        canvas: Canvas = getattr(import_module(f"vqc_landscape.{module}"), function)(data)
    return canvas


def draw_figure(
    name: str,
    config: Config,
    paths: Mapping[str, Iterable[str | PathLike[str]]],
    outputs: Iterable[str | PathLike[str]],
) -> None:
    """Read exactly the given part files, draw the figure, write it.

    Args:
        name: a key of ``FIGURES``, or ``experiment_kind`` of what an experiment draws by itself.
        config: the study.
        paths: table -> part files.
        outputs: the files to write, by ending: ``.png`` (200 dpi) or ``.pdf``.

    Raises:
        ConfigError: as ``required_tables``.
        ValueError: a table or a run is missing, or a part file is damaged.
    """
    from vqc_landscape.figures import style

    canvas = make_figure(name, config, {table: read_table(table, parts) for table, parts in paths.items() if parts})
    with style.paper_style():
        for path in outputs:
            style.save(canvas, Path(path))
