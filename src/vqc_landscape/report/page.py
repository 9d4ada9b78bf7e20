"""The page itself: verdicts first, then every figure, the definitions, and where it all comes from."""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from docutils.core import publish_parts
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs
from plotly.utils import PlotlyJSONEncoder

from vqc_landscape.claims.registry import CLAIMS
from vqc_landscape.claims.write import WORDS
from vqc_landscape.config import Config
from vqc_landscape.figures import labels
from vqc_landscape.figures.data import FigureData
from vqc_landscape.figures.select import find_figure, own_figures
from vqc_landscape.report import record
from vqc_landscape.report.view import View, Wanted
from vqc_landscape.report.views import VIEWS
from vqc_landscape.tables.files import atomic_file
from vqc_landscape.tables.parquet import read_table

Paths = Iterable[str | PathLike[str]]

# verdict -> its sign, so that no verdict is told by colour alone
SIGNS = {"reproduced": "✓", "with_caveat": "◐", "not_reproduced": "✗", "depends_on_seed": "≈", None: "–"}


@dataclass(frozen=True)
class Shown:
    """A figure on the page."""

    name: str
    title: str
    caption: str
    image: str
    width: int
    height: int
    views: list[View]
    claims: list[Any]


def write_report(
    config: Config,
    figures: Paths,
    tables: Mapping[str, Paths],
    claims: str | PathLike[str] | None,
    benchmarks: Paths,
    output: str | PathLike[str],
) -> None:
    """Write the page from exactly the given files.

    Args:
        config: the study.
        figures: the figures' PNG files.
        tables: stage -> part files that the interactive views read.
        claims: the table of verdicts; None if the study measures no claims.
        benchmarks: Snakemake's benchmark files, ``.../<rule>/<job>.tsv``.
        output: the page.

    Raises:
        ValueError: a table or a run is missing, or a part file is damaged.
    """
    verdicts = [] if claims is None else read_claims(claims)
    files = sorted(map(Path, figures))  # what belongs to one figure of the paper has names that begin alike
    wanted = {path.stem: [VIEWS[view] for view in find_figure(path.stem, config)[0].views] for path in files}
    data = _read([view for views in wanted.values() for view in views], tables)
    shown = [_figure(path, config, data, verdicts, wanted[path.stem]) for path in files]
    finding = ": a demonstration" if config.notice else ": what holds" if verdicts else ""
    text = _template().render(
        heading=f"Loss landscapes of variational quantum circuits{finding}",
        notice=config.notice,
        shown=shown,
        verdicts=verdicts,
        definitions=list({row["claim"]: row for row in verdicts}.values()),
        names={figure.name: figure.title for figure in shown},
        counts=_counts(verdicts),
        costs=record.costs(benchmarks).to_dict("records"),
        commit=record.commit(),
        built=record.now(),
        machine=record.machine(),
        versions=record.versions(),
        seeds=record.seeds(config),
        configuration=yaml.safe_dump(config.model_dump(mode="json", exclude_defaults=True), sort_keys=False),
        plotly=Markup(get_plotlyjs()) if any(figure.views for figure in shown) else "",
        style=Markup(_asset("page.css")),
        script=Markup(_asset("page.js")),
    )
    with atomic_file(output) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_claims(path: str | PathLike[str]) -> list[dict[str, Any]]:
    """Rows of the table of verdicts, each with the definition of its claim (None if the registry has none)."""
    table = read_table("claims", path)
    plain = table.astype(object).where(table.notna(), None)
    rows = [dict(zip(plain.columns, values, strict=True)) for values in plain.itertuples(index=False)]
    for row in rows:
        row["n_seeds"] = (
            None if row["n_seeds"] is None else int(row["n_seeds"])
        )  # pandas has no integer that is missing
        row |= {"definition": CLAIMS.get(row["claim"]), "words": WORDS[row["verdict"]], "sign": SIGNS[row["verdict"]]}
    return rows


def _counts(verdicts: list[dict[str, Any]]) -> list[tuple[str, str, str, int]]:
    """Verdict, its words, its sign, how many rows have it; in the order of their weight."""
    found = [row["verdict"] for row in verdicts]
    return [
        (str(verdict), words, SIGNS[verdict], found.count(verdict))
        for verdict, words in WORDS.items()
        if verdict in found
    ]


def _read(views: Iterable[Wanted], paths: Mapping[str, Paths]) -> dict[str, pd.DataFrame]:
    """The tables of all views, each with the columns that these read."""
    columns: dict[str, set[str]] = {}
    for view in views:
        for stage, names in view.reads.items():
            columns.setdefault(stage, set()).update(names)
    return {stage: read_table(stage, paths.get(stage, []), sorted(names)) for stage, names in columns.items()}


def _figure(
    path: Path,
    config: Config,
    tables: Mapping[str, pd.DataFrame],
    verdicts: list[dict[str, Any]],
    views: Iterable[Wanted],
) -> Shown:
    name, image = path.stem, path.read_bytes()
    width, height = struct.unpack(">II", image[16:24])  # a PNG's first chunk
    figure, chosen = find_figure(name, config)
    data = FigureData({e: config.experiments[e] for e in chosen.experiments}, tuple(chosen.seeds), tables)
    return Shown(
        name=name,
        title=title(name, config),
        caption=publish_parts(figure.caption, writer="html5", settings_overrides=_PLAIN)["body"],
        image=base64.b64encode(image).decode(),
        width=width,
        height=height,
        views=[wanted.make(data) for wanted in views],
        claims=[row for row in verdicts if row["figure"] == name],
    )


def title(name: str, config: Config) -> str:
    """``fig05`` as ``Figure 5``; other names say what they show, and of which experiment where it is one's own."""
    if name in (own := own_figures(config)):
        return ": ".join(own[name])
    number = re.fullmatch(r"fig(\d+)(_conventions)?", name)
    if number is None:
        return name.replace("_", " ").capitalize()
    return f"Figure {int(number[1])}" + (", exact and as published" if number[2] else "")


_PLAIN = {"raw_enabled": False, "file_insertion_enabled": False, "report_level": 5}


def _template() -> Any:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"number": _number, "embed": _embed, "duration": _duration}
    return environment.from_string(_asset("page.html.j2"))


def _asset(name: str) -> str:
    return files("vqc_landscape.report").joinpath(name).read_text(encoding="utf-8")


def _number(value: float | None) -> str:
    return "" if value is None else labels.number(value)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"


def _embed(view: View) -> Markup:
    """Figure and values as JSON that may stand inside a script element."""
    figure = view.figure.to_plotly_json()
    figure["layout"].pop("template", None)
    text = json.dumps({"figure": figure, "values": view.values}, cls=PlotlyJSONEncoder, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))
