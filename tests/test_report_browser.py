"""The page in a real browser: Debian's Chromium, driven by Playwright, without a network.

`apt-get install chromium` brings the browser; without it these tests are skipped.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from report_data import FIGURES, VERDICTS, Material

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium: apt-get install chromium")

# WebGL on the processor; root may not use the sandbox
ARGUMENTS = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"] + ["--no-sandbox"] * (os.geteuid() == 0)
PATIENCE = 60_000  # ms: a slow machine is no fault of the page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    return Material(tmp_path_factory.mktemp("browser")).page().as_uri()


class Opened:
    """The page in a window of its own, and all that it complained about or asked for."""

    def __init__(self, browser: Browser, address: str, script: str = "", **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(offline=True, **options)
        self.context.set_default_timeout(PATIENCE)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda m: self.faults.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        if script:
            self.page.add_init_script(script)
        self.page.goto(address)

    def view(self, name: str) -> Locator:
        """An interactive view, drawn."""
        view = self.page.locator(f"#{name}")
        view.scroll_into_view_if_needed()
        expect(view).to_have_attribute("data-drawn", "yes")
        return view


@pytest.fixture(scope="module")
def opened(browser: Browser, address: str) -> Iterator[Opened]:
    opened = Opened(browser, address, viewport={"width": 1200, "height": 900})
    yield opened
    opened.context.close()


def traces(view: Locator) -> Any:
    """Data of the view's plot, as Plotly has them now."""
    return view.locator(".plot").evaluate(
        "plot => plot._fullData.map(t => ({y: Array.from(t.y ?? []), z: t.z, visible: t.visible, meta: t.meta}))"
    )


def test_all_views_are_drawn_without_an_error_and_without_a_request(opened: Opened, address: str) -> None:
    views = opened.page.locator(".view").all()
    assert len(views) == 7
    for view in views:
        opened.view(str(view.get_attribute("id")))
        assert view.locator(".reading").inner_text() or view.get_attribute("data-kind") == "curves"
    assert opened.faults == []
    outside = [url for url in opened.requests if not url.startswith(("data:", "blob:")) and url != address]
    assert outside == []


def test_the_filter_shows_the_chosen_verdicts_with_the_keyboard_alone(opened: Opened) -> None:
    page = opened.page
    rows = page.locator("#verdicts tbody tr:visible")
    expect(rows).to_have_count(len(VERDICTS))
    box = page.get_by_label(re.compile("not reproduced"))
    box.focus()
    page.keyboard.press("Space")
    expect(rows).to_have_count(len(VERDICTS) - 2)
    expect(page.locator(".filter output")).to_have_text(f"{len(VERDICTS) - 2} of {len(VERDICTS)} shown")
    page.get_by_label("as published", exact=True).uncheck()
    expect(rows).to_have_count(len(VERDICTS) - 3)
    page.get_by_label("as published", exact=True).check()
    page.keyboard.press("Shift+Tab")  # back to "exact"
    assert page.evaluate("document.activeElement.value") == "exact"
    box.check()
    expect(rows).to_have_count(len(VERDICTS))


def test_a_verdict_leads_to_its_figure_and_to_its_definition(opened: Opened) -> None:
    page = opened.page
    row = page.locator("#verdicts tbody tr").filter(has_text="qnn-init-symmetric")
    row.get_by_role("link", name="Figure 9").press("Enter")
    expect(page.locator("#fig09")).to_be_in_viewport()
    row.get_by_role("link", name="qnn-init-symmetric").press("Enter")
    expect(page.locator("#claim-qnn-init-symmetric")).to_be_in_viewport()
    assert page.evaluate("location.hash") == "#claim-qnn-init-symmetric"


def test_the_slider_moves_the_spectrum(opened: Opened) -> None:
    view = opened.view("fig05_conventions-1")
    slider = view.get_by_role("slider")
    before = traces(view)
    assert sum(before[0]["y"]) == 16 and sum(before[1]["y"]) == 32
    slider.focus()
    for _ in range(3):
        opened.page.keyboard.press("ArrowRight")
    expect(view.locator(".reading")).to_have_text(re.compile("^Epoch 3: loss"))
    assert slider.get_attribute("aria-valuetext") == "epoch 3"
    after = traces(view)
    assert after[1]["y"] != before[1]["y"] and sum(after[1]["y"]) == 32
    view.get_by_label(re.compile("structural zeros")).uncheck()
    assert traces(view)[0]["visible"] is False
    view.get_by_label(re.compile("as published")).check()
    expect(view.locator(".reading")).to_have_text(re.compile("15 structural zeros"))
    view.get_by_label(re.compile("structural zeros")).check()
    assert sum(traces(view)[0]["y"]) == 15


def test_the_map_switches_between_before_and_after(opened: Opened) -> None:
    view = opened.view("fig09-1")
    before = traces(view)[0]["z"]
    view.get_by_label("epoch 40").check()
    expect(view.locator(".reading")).to_have_text(re.compile("^Epoch 40"))
    after = traces(view)[0]["z"]
    assert len(after) == len(after[0]) == 81 and after != before
    assert after[40][40] == pytest.approx(
        1.2957, abs=1e-9
    )  # 1.3 tanh(3.2) to four decimals, as the synthetic map has it in its middle


def test_seeds_can_be_switched(opened: Opened) -> None:
    view = opened.view("fig11-1")

    def shown() -> set[str]:
        return {seed for trace in traces(view) if trace["visible"] is True for seed in trace["meta"][1:]}

    assert shown() == {"median"}
    view.get_by_label("3", exact=True).check()
    view.get_by_label("median and quartiles").uncheck()
    assert shown() == {"3"}
    view.get_by_role("button", name="all seeds").press("Enter")
    n_seeds = view.locator("input[name=seed]").count() - 1
    assert len(shown()) == n_seeds
    view.get_by_label(re.compile("GD,")).uncheck()
    assert {trace["meta"][0] for trace in traces(view) if trace["visible"] is True} == {"fig11_hlr"}
    view.get_by_role("button", name="no seed").click()
    assert shown() == set()


def test_the_eigenvectors_follow_slider_and_pointer(opened: Opened) -> None:
    view = opened.view("fig02-1")
    reading, slider = view.locator(".reading"), view.get_by_role("slider").first
    expect(reading).to_have_text(re.compile(r"eigenvalue 0\.200 rad⁻² along \(1\.00, 0\.00\)"))
    slider.focus()
    before = reading.inner_text()
    opened.page.keyboard.press("ArrowRight")
    expect(reading).not_to_have_text(before)
    line = view.locator(".plot").evaluate("plot => plot._fullData[3].x")
    assert len(line) > 10 and max(line) - min(line) > 1  # drawn along the first parameter
    scene = view.locator(".plot canvas").first.bounding_box()
    assert scene
    before = reading.inner_text()
    for step in range(8):  # the plot answers once it has drawn, so the pointer moves on until it does
        opened.page.mouse.move(scene["x"] + scene["width"] * (0.45 + 0.02 * step), scene["y"] + scene["height"] * 0.5)
        opened.page.wait_for_timeout(100)
        if reading.inner_text() != before:
            break
    assert reading.inner_text() != before


def test_planes_and_heights_can_be_switched(opened: Opened) -> None:
    view = opened.view("qnn_planes-1")
    expect(view.locator(".reading")).to_have_text("Loss from 0 to 1.50 on this plane.")
    view.get_by_label("principal components").check()
    expect(view.locator(".reading")).to_have_text("Loss from 0 to 3.00 on this plane.")
    view.get_by_label("largest eigenvalue").check()
    expect(view.locator(".reading")).to_have_text("Largest eigenvalue (rad⁻²) from 1.00 to 3.00 on this plane.")
    surface, run = traces(view)
    assert max(map(max, surface["z"])) == 3 and len(run["z"]) == 41  # the synthetic 2 + a, and every epoch
    title = view.locator(".plot").evaluate("plot => plot._fullLayout.scene.zaxis.title.text")
    assert title == "largest eigenvalue (rad⁻²)"


def test_a_flat_landscape_and_a_cusp_say_so(opened: Opened) -> None:
    view = opened.view("fig04-1")
    expect(view.locator(".reading")).to_have_text(re.compile("every direction in this plane is a structural zero"))
    view.get_by_label(re.compile("as published")).check()
    view.get_by_role("slider").first.fill("0")  # (-pi, -pi/2), where cos(a + b) = 0
    view.get_by_role("slider").last.fill("15")
    expect(view.locator(".reading")).to_have_text(re.compile("it has a cusp here, and so no Hessian"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_everything_without_scrolling_sideways(browser: Browser, address: str, scheme: Any) -> None:
    """In either colour scheme, which the plots follow; without WebGL, which phones may lack, landscapes are maps."""
    no_webgl = "HTMLCanvasElement.prototype.getContext = (get => function (kind, ...rest) {"
    no_webgl += (
        "return /webgl/.test(kind) ? null : get.call(this, kind, ...rest); })(HTMLCanvasElement.prototype.getContext)"
    )
    opened = Opened(browser, address, no_webgl, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    opened.page.keyboard.press("Tab")  # the first stop of the tabulator
    expect(opened.page.get_by_role("link", name="Skip to the verdicts")).to_be_in_viewport()
    for name in ("fig02-1", "fig09-1", "fig11-1", "fig05_conventions-1", "qnn_planes-1"):
        opened.view(name)
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert opened.page.locator("#fig02-1 .plot").evaluate("plot => plot._fullData[0].type") == "heatmap"
    background = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    paper = opened.page.locator("#fig11-1 .plot").evaluate("plot => plot._fullLayout.paper_bgcolor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 28)"}[scheme]
    assert paper == {"light": "#ffffff", "dark": "#14171c"}[scheme]
    assert opened.faults == []
    opened.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_the_notice_of_a_demonstration_stays_in_sight_and_hides_no_heading(
    browser: Browser, tmp_path: Path, scheme: Any, width: int
) -> None:
    address = Material(tmp_path, ("fig02", "fig07"), purpose="demonstration").page().as_uri()
    opened = Opened(browser, address, viewport={"width": width, "height": 740}, color_scheme=scheme)
    notice = opened.page.get_by_role("note")
    for place in ("", "#fig07", "#claim-plus-valley", "#provenance"):
        opened.page.goto(f"{address}{place}")
        expect(notice).to_be_in_viewport(ratio=1)
        if place:
            below = notice.evaluate("n => n.getBoundingClientRect().bottom")
            assert (
                opened.page.locator(f"{place} :is(h2, h3)").first.evaluate("h => h.getBoundingClientRect().top")
                >= below
            )
    colours = notice.evaluate("n => [getComputedStyle(n).backgroundColor, getComputedStyle(n).color]")
    paper = {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 28)"}[scheme]
    assert colours[0] != paper and colours[1] == paper  # a pair whose contrast is checked with the other colours
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.faults == []
    opened.context.close()


def test_every_figure_has_its_picture(opened: Opened) -> None:
    sizes = opened.page.locator("figure img").evaluate_all(
        "images => images.map(i => [i.naturalWidth, i.naturalHeight])"
    )
    assert sizes == [[1400, 900]] * len(FIGURES)
