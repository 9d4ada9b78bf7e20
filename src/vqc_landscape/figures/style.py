"""The one style of all figures: colours, line styles, sizes, panel letters, captions, saving."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from vqc_landscape.checks import check_choice
from vqc_landscape.tables.files import atomic_file

# Paul Tol's medium-contrast scheme (SRON/EPS/TN/09-002, 2021): safe for all colour-blind readers,
# and each colour has its own lightness (L* = 0, 29, 42, 62, 72, 83), so that a grey print keeps them apart.
COLOURS = {
    "black": "#000000",
    "blue": "#004488",
    "red": "#994455",
    "light_blue": "#6699CC",
    "light_red": "#EE99AA",
    "yellow": "#EECC66",
}
MUTED = "#555555"  # secondary text, axes at zero, hatching
COLOUR_MAPS = {"loss": "viridis", "prediction": "magma"}  # lightness rises with the value: readable in grey

# Curves differ in colour, in line style and in marker.
CURVES: tuple[dict[str, Any], ...] = (
    {"color": COLOURS["black"], "linestyle": "-", "marker": "o"},
    {"color": COLOURS["light_blue"], "linestyle": "--", "marker": "s"},
    {"color": COLOURS["blue"], "linestyle": (0, (4, 1.5)), "marker": "D"},
    {"color": COLOURS["light_red"], "linestyle": (0, (1, 0.8)), "marker": "v"},
    {"color": COLOURS["red"], "linestyle": "-.", "marker": "^"},
    {"color": COLOURS["yellow"], "linestyle": (0, (6, 1, 1, 1, 1, 1)), "marker": "P"},
)

N_TICKS = 5  # steps between ticks, at most: numbers of four digits stay apart in a third of the page's width
WIDTH = 7.0  # inches: two columns of a journal page
DPI = 200

_RC = {
    "font.family": "DejaVu Sans",  # ships with Matplotlib: the same on every machine
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 3,
    "lines.linewidth": 1.3,
    "patch.linewidth": 0.7,
    "lines.markersize": 4,
    "hatch.linewidth": 0.6,
    "figure.titlesize": 10,
    "figure.titleweight": "bold",
    "figure.labelsize": 7,
    "savefig.dpi": DPI,
    "pdf.fonttype": 42,  # TrueType: text stays text
}

# Matplotlib's default metadata hold the time of drawing (pdf) and its own version (png)
_METADATA: dict[str, dict[str, Any]] = {".png": {"Software": None}, ".pdf": {"CreationDate": None}}


@contextmanager
def paper_style() -> Iterator[None]:
    """The style as a context: Matplotlib's defaults plus ours, whatever the user's matplotlibrc says."""
    with matplotlib.style.context([_RC], after_reset=True):
        yield


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """An empty figure (inches) that no global list keeps alive."""
    return Figure(figsize=(width, height), layout="constrained")


def add_colour_bar(ax: Axes, contours: ContourSet, label: str, top: float = 1.0) -> None:
    """Colour bar right of ``ax``, from its lower edge to the height ``top`` (1: the upper edge)."""
    bar = ax.inset_axes((1.04, 0, 0.05, top))
    ax.figure.colorbar(contours, cax=bar, label=label)


def body_of(figure: Figure) -> SubFigure:
    """The room between title and caption: a legend outside the axes, but inside the body, meets neither."""
    return figure.add_subfigure(figure.add_gridspec(1, 1)[0])


def axes_or_new(ax: Axes | None) -> Axes:
    """``ax`` itself, or the axes of a new pyplot figure, which a notebook shows."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def panel_title(ax: Axes, letter: str, text: str, **options: Any) -> None:
    """Panel letter as in the paper, ``a)``, and what the panel shows."""
    ax.set_title(rf"$\mathbf{{{letter})}}$ {text}", **options)


def whole_ticks(ax: Axes, numbers: Iterable[float]) -> None:
    """Round whole numbers on the horizontal axis, few enough to stay apart, for these and what is drawn: epochs."""
    there = [*numbers, *(end for end in ax.dataLim.intervalx if np.isfinite(end))]
    ticks = MaxNLocator(N_TICKS, integer=True, steps=[1, 2, 5, 10]).tick_values(min(there), max(there))
    ax.set_xticks([tick for tick in ticks if min(there) <= tick <= max(there)])


def at_ticks(ax: Axes, numbers: Iterable[float]) -> list[int]:
    """Which of these numbers lie on the ticks of the horizontal axis, or closest to them: ``markevery`` of a curve."""
    places = np.array(list(numbers))
    ticks = [tick for tick in ax.get_xticks() if places.min() <= tick <= places.max()]
    return sorted({int(np.abs(places - tick).argmin()) for tick in ticks})


def caption(figure: Figure, title: str, *sentences: str) -> None:
    """Title above the figure; below it what a reader must know: model, loss, convention, sizes."""
    figure.suptitle(title, x=0.01, ha="left")
    text = "\n".join(_lines(sentences, figure.get_figwidth()))
    figure.supxlabel(text, x=0.01, ha="left", color=MUTED, linespacing=1.4)


def caption_height(*sentences: str) -> float:
    """Inches that title and caption take in a figure of the usual width."""
    return 0.4 + 0.14 * len(_lines(sentences, WIDTH))  # 10 pt, lines of 7 pt with a spacing of 1.4, and air


def _lines(sentences: Iterable[str], width: float) -> list[str]:
    """Every sentence on lines of its own, as many characters as fit into ``width`` inches."""
    characters = int(20.5 * width)  # of 7 pt text, measured
    return [line for sentence in sentences for line in textwrap.wrap(sentence, characters)]


def save(figure: Figure, path: Path) -> None:
    """Write ``path`` (.png or .pdf) whole or not at all, with the same bytes every time.

    Raises:
        ValueError: any other ending.
    """
    check_choice("path", path.suffix, list(_METADATA))
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], metadata=_METADATA[path.suffix])
