"""What is said once of every figure."""

from __future__ import annotations

from dataclasses import dataclass

from vqc_landscape.figures.needs import Need

# Where Snakemake's own report lists a figure.
PAPER, BEYOND = "Figures of the paper", "Beyond the paper"
CONVENTIONS, ONE = "Figures of the paper, exact and as published", "Figures of one experiment"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """How one figure is made, and what is said of it.

    Attributes:
        draw: name below the package of the function that draws it, ``(FigureData) -> matplotlib Figure``.
        reads: tables.
        views: interactive views of the page, names of ``report.views.VIEWS``.
        category: see above.
        caption: for the page and Snakemake's own report, reStructuredText.
        needs: what else it takes for granted of its experiments.
        n_experiments: fewest and most experiments that it shows (None: any number).
        n_seeds: most seeds that it shows one by one.
        all_seeds: it reads every seed of its experiments, not just the ones shown.
    """

    draw: str
    reads: tuple[str, ...]
    views: tuple[str, ...]
    category: str
    caption: str
    needs: tuple[Need, ...] = ()
    n_experiments: tuple[int, int | None] = (1, 1)
    n_seeds: int = 1
    all_seeds: bool = False

    @property
    def module(self) -> str:
        """Module of the drawing function, below the package."""
        return self.draw.rpartition(".")[0]
