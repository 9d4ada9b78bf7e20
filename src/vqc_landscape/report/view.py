"""What one interactive view of the page is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from vqc_landscape.figures.data import FigureData

# Of one middle lightness each (relative luminance 0.17 to 0.24), so that they stand out from white and from black.
COLOURS = {
    "blue": "#3B7DD8",
    "red": "#D64550",
    "green": "#2E8B57",
    "purple": "#9B59B6",
    "ochre": "#B7791F",
    "grey": "#7F7F7F",
}


@dataclass(frozen=True)
class View:
    """One interactive view.

    Attributes:
        kind: name of the function of the page's script that drives it.
        title: what it shows.
        hint: how to use it.
        runs: names of what one can switch between, one per experiment.
        figure: Plotly's data and layout.
        values: what the controls put into the figure.
    """

    kind: str
    title: str
    hint: str
    runs: tuple[str, ...]
    figure: go.Figure
    values: dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """A view of a figure, and the columns of the tables that it reads."""

    make: Callable[[FigureData], View]
    reads: dict[str, tuple[str, ...]]
