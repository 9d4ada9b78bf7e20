"""The page: its numbers are those of the tables, it needs nothing from outside, its colours can be told apart."""

from __future__ import annotations

import html
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from report_data import Material

from vqc_landscape.figures.data import FigureData
from vqc_landscape.report import page as report_page
from vqc_landscape.report import record, surfaces, views
from vqc_landscape.tables.parquet import read_table


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return Material(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def text(material: Material) -> str:
    return material.page().read_text()


def data_of(material: Material, figure: str) -> FigureData:
    shown = material.config.figures[figure]
    tables = {stage: read_table(stage, paths) for stage, paths in material.tables.items() if paths}
    experiments = {name: material.config.experiments[name] for name in shown.experiments}
    return FigureData(experiments, tuple(shown.seeds), tables)


class Outline(HTMLParser):
    """Attributes of all elements, and ids and links among them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, attribute: str) -> list[str]:
        return [value for _, attrs in self.elements if (value := attrs.get(attribute))]


# --- what is on it ----------------------------------------------------------------------------------------


def test_every_link_leads_to_a_place_on_the_page_and_no_place_is_there_twice(text: str) -> None:
    outline = Outline(text)
    ids, links = outline.all("id"), outline.all("href")
    assert len(ids) == len(set(ids))
    assert {link for link in links if not link.startswith("data:")} <= {f"#{id_}" for id_ in ids}
    assert {"#claim-toy-barren", "#claim-unheard-of", "#fig02", "#fig05_conventions", "#provenance"} <= set(links)


def test_nothing_comes_from_outside(text: str) -> None:
    outline = Outline(text)
    assert outline.all("src") and all(source.startswith("data:") for source in outline.all("src"))
    assert [tag for tag, _ in outline.elements if tag in ("link", "iframe", "object")] == ["link"]  # the empty icon
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style and "url(" not in style[1] and "@import" not in style[1]
    assert "default-src 'none'" in text
    assert len(text.encode()) < 15e6


def test_every_field_has_a_label_and_every_image_a_text(text: str) -> None:
    for tag, attrs in Outline(text).elements:
        assert tag != "img" or attrs.get("alt")
    bare = re.sub(r"<label.*?</label>", "", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL), flags=re.DOTALL)
    assert "<input" not in bare


def test_verdicts_are_the_table_and_change_with_it(tmp_path: Path) -> None:
    material = Material(tmp_path, ("fig07",))
    before = material.page().read_text()
    assert "0.471" in before and "0.400 to 0.500" in before and "with a caveat (1)" in before
    material.write_claims([("qnn-init-symmetric", "exact", 0.8822, 0.85, 0.9, 7, "reproduced", "fig09")])
    after = material.page().read_text()
    assert "0.882" in after and "0.850 to 0.900" in after and "reproduced (1)" in after
    assert "0.471" not in after and "with a caveat (" not in after


def test_a_definition_says_what_the_registry_says(text: str) -> None:
    from vqc_landscape.claims.registry import CLAIMS

    definition = CLAIMS["toy-barren"]
    assert html.escape(definition.measures) in text and html.escape(definition.threshold.reason) in text
    assert "threshold of unheard-of" in text  # what the registry does not know has its row of the table


def test_a_study_without_claims_or_views_has_a_page(tmp_path: Path) -> None:
    text = Material(tmp_path, ("fig07",)).page(claims=False).read_text()
    assert "<h1>Loss landscapes of variational quantum circuits</h1>" in text and "Huembeli" not in text
    assert 'href="#verdicts"' not in text and 'id="definitions"' not in text and 'class="filter"' not in text
    assert len(text) < 1e5  # without Plotly


@pytest.mark.parametrize("claims", [True, False])
def test_a_demonstration_says_first_of_all_that_it_means_nothing(tmp_path: Path, claims: bool) -> None:
    pages = {}
    for purpose in ("study", "demonstration"):
        page = Material(tmp_path / purpose, ("fig07",), purpose=purpose).page(claims=claims).read_text()
        pages[purpose] = re.sub(r"<[^>]*>", " ", page.split("<body>")[1].split("<nav")[0]).split()
    skip = ["Skip", "to", "the", "verdicts"] if claims else []
    words = "This is a demonstration: sizes were chosen to be quick. Its numbers and verdicts mean nothing."
    assert pages["demonstration"][: len(skip) + 16] == [*skip, *words.split()]
    assert "circuits: a demonstration" in " ".join(pages["demonstration"])
    assert "what holds" not in " ".join(pages["demonstration"])
    assert "demonstration" not in " ".join(pages["study"])


def test_captions_are_text_and_cannot_bring_in_files(text: str, tmp_path: Path) -> None:
    assert '<span class="pre">|0...0&gt;</span>' in text
    (tmp_path / "secret").write_text("told")
    body = report_page.publish_parts(
        f".. include:: {tmp_path / 'secret'}\n\n.. raw:: html\n\n   <b>bold</b>\n",
        writer="html5",
        settings_overrides=report_page._PLAIN,
    )["body"]
    assert "told" not in body and "<b>" not in body


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("fig05", "Figure 5"),
        ("fig11", "Figure 11"),
        ("fig09_conventions", "Figure 9, exact and as published"),
        ("flat_starts", "Flat starts"),
        ("qnn_planes", "qnn: planes"),
    ],
)
def test_titles(name: str, title: str, material: Material) -> None:
    assert report_page.title(name, material.config) == title


# --- provenance -------------------------------------------------------------------------------------------


def test_costs_are_the_benchmarks(material: Material, text: str) -> None:
    costs = record.costs(sorted((material.folder / "benchmarks").rglob("*.tsv"))).set_index("rule")
    assert costs.loc["hessians"].tolist() == [2, 80.5, 70.5, 320.5]
    assert costs.loc["figures", ["jobs", "total"]].tolist() == [1, 2.0] and np.isnan(costs.loc["figures", "memory"])
    assert "1 min 20 s" in text and "320 MB" in text and "not sampled" in text


def test_the_commit_is_gits(tmp_path: Path) -> None:
    assert record.commit(tmp_path) == "unknown (no git checkout)"

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    (tmp_path / "file").write_text("1")
    git("init", "-q")
    git("add", "file")
    git("commit", "-qm", "first")
    assert record.commit(tmp_path) == git("rev-parse", "HEAD")
    (tmp_path / "file").write_text("2")
    assert record.commit(tmp_path) == f"{git('rev-parse', 'HEAD')} and local changes"


def test_versions_and_seeds_are_named(material: Material, text: str) -> None:
    assert {"python", "vqc-landscape", "numpy", "torch", "plotly"} <= set(record.versions())
    rows = {row[0]: row for row in record.seeds(material.config)}
    assert rows["fig11_gd"][3].startswith("0–") and rows["qnn"][3:] == ("0", "0")
    assert record._ranges([5, 0, 1, 2, 9, 8]) == "0–2, 5, 8–9"
    assert "fig11_hlr" in text and "learning_rate: 0.1" in text


# --- views ------------------------------------------------------------------------------------------------


def test_the_spectrum_has_every_eigenvalue_at_every_epoch(material: Material) -> None:
    data = data_of(material, "fig05_conventions")
    view = views.spectrum(data)
    for name, run, n_zeros in zip(data.experiments, view.values["runs"], (16, 15), strict=True):
        rows = data.rows("spectra", name)
        assert list(run["epochs"]) == sorted(rows["epoch"].unique())
        assert np.sum(run["zeros"], axis=1).tolist() == [n_zeros] * 16
        assert np.sum(run["others"], axis=1).tolist() == [48 - n_zeros] * 16
        assert run["text"][3].startswith("Epoch 3: loss ") and f"{n_zeros} structural zeros" in run["text"][3]
        assert list(run["loss"]) == data.rows("trajectories", name)["loss"].tolist()


def test_the_spectrum_changes_with_its_table(tmp_path: Path) -> None:
    material = Material(tmp_path, ("fig05_conventions",))
    assert "to 123" not in material.page().read_text()
    material.change("spectra", "layered", eigval=lambda old: old.where(old < old.max(), 123.0))
    assert "to 123" in material.page().read_text()


def test_maps_are_the_table(material: Material) -> None:
    data = data_of(material, "fig09")
    view = views.maps(data)
    rows = data.rows("predictions", epoch=40)
    axis = np.linspace(-1, 1, 81)
    x1, x2 = np.meshgrid(axis, axis)  # rows of a map run along x2
    expected = 1.3 * np.tanh(4 * (0.8 - np.hypot(x1, x2)))  # as the synthetic table has it
    assert len(rows) == 81**2 and view.runs == ("epoch 0", "epoch 40")
    np.testing.assert_allclose(view.values["maps"][1], expected, atol=0.51e-4)  # four decimals


def test_curves_are_the_table(material: Material) -> None:
    data = data_of(material, "fig11")
    traces = {tuple(trace.meta): trace for trace in views.curves(data).figure.data if trace.name}
    for name, experiment in data.experiments.items():
        losses = np.stack([data.rows("trajectories", name, seed=seed)["loss"] for seed in experiment.seeds])
        np.testing.assert_array_equal(traces[name, "median"].y, np.median(losses, axis=0))
        for seed, loss in zip(experiment.seeds, losses, strict=True):
            np.testing.assert_array_equal(traces[name, str(seed)].y, loss)


def test_directions_of_the_landscape_are_the_eigenvectors_within_the_plane() -> None:
    class Row:
        eigvals = np.array([-0.5, 0.0, 0.25])
        structural = np.array([False, True, False])
        plane_eigvecs = np.array([-0.3, -0.4, 0.9, 0.1, 0.4, -0.3])

    assert surfaces._in_plane(Row) == [[-0.5, 0.6, 0.8], [0.25, 0.8, -0.6]]
    Row.eigvals = None
    assert surfaces._in_plane(Row) is None


def test_a_cusp_has_no_directions_and_a_flat_landscape_none_either(material: Material) -> None:
    exact, published = surfaces.landscape(data_of(material, "fig04")).values["runs"]
    assert all(pairs == [] for pairs in exact["pairs"])
    axis = np.linspace(-np.pi, np.pi, 61)
    on_cusp = [abs(np.cos(a + b)) < 1e-9 for b in axis for a in axis]
    assert [pairs is None for pairs in published["pairs"]] == on_cusp and any(on_cusp)


def test_planes_are_the_table_with_the_run_upon_them(material: Material) -> None:
    rows = read_table("planes", material.tables["planes"])
    data = FigureData({"qnn": material.config.experiments["qnn"]}, (), {"planes": rows})
    view = surfaces.planes(data)
    eigenvectors, pca = view.values["runs"]
    assert view.runs == ("largest eigenvectors", "principal components")
    assert view.values["heights"][1:] == ["smallest eigenvalue (rad⁻²)", "largest eigenvalue (rad⁻²)"]
    axis = np.linspace(-1, 1, 41)
    a, b = np.meshgrid(axis, axis)
    # four digits; zero where the bowl is below 1e-9
    np.testing.assert_allclose(pca["heights"][0], 2 * (a**2 + b**2 / 2), rtol=6e-4, atol=1e-9)
    np.testing.assert_allclose(eigenvectors["heights"][2], 2 + a, rtol=6e-4)
    assert eigenvectors["path"]["epochs"].tolist() == [40] and len(pca["path"]["epochs"]) == 41
    # the bowl at the run's place, a lift of a hundredth of its depth, and what interpolation in steps of 0.05 adds:
    # at most step^2 / 8 times the second derivative 4
    run = np.linspace(0.9, 0, 41)
    np.testing.assert_allclose(pca["path"]["heights"][0], 2 * run**2 + 0.03, atol=0.05**2 / 2 + 1e-3)
    assert eigenvectors["axes"] == ["first axis (rad)", "second axis (rad)"]
    assert pca["text"][0] == "Loss from 0 to 3.00 on this plane."
    assert pca["text"][2] == "Largest eigenvalue (rad⁻²) from 1.00 to 3.00 on this plane."


def test_a_run_has_no_height_where_it_leaves_the_grid(material: Material) -> None:
    rows = read_table("planes", material.tables["planes"])
    rows.loc[(rows["plane"] == "pca") & (rows["epoch"] == 3), "a"] = 1.5  # the grid ends at 1
    view = surfaces.planes(FigureData({"qnn": material.config.experiments["qnn"]}, (), {"planes": rows}))
    for heights in view.values["runs"][1]["path"]["heights"]:
        assert [epoch for epoch, height in enumerate(heights) if height is None] == [3]


# --- colours ----------------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Relative luminance of sRGB, as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_can_be_read_on_both_papers() -> None:
    light, dark = (
        dict(re.findall(r"--(\w+): (#\w+)", part)) for part in report_page._asset("page.css").split("@media", 2)[:2]
    )
    assert set(light) == set(dark)
    for theme in (light, dark):
        for name in ("ink", "muted", "link", "good", "half", "bad", "even"):  # text: WCAG 2 AA
            assert contrast(theme[name], theme["paper"]) >= 4.5 and contrast(theme[name], theme["raised"]) >= 4.5, name
        for name, colour in views.COLOURS.items():  # curves and bars: WCAG 2 AA for graphics
            assert contrast(colour, theme["paper"]) >= 3, name
