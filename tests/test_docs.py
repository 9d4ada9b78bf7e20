"""The documentation: every block of Python is run while the site is built, every entry is a valid configuration."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from vqc_landscape.claims.registry import IDS
from vqc_landscape.config import load_config, parse_config
from vqc_landscape.studies.plan import code_of

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))


def blocks(page: Path) -> list[tuple[str, str]]:
    """Head line and text of every fenced block."""
    return re.findall(r"^ *```([a-z][^\n]*)\n(.*?)^ *```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_is_run_and_entries_are_valid(page: Path) -> None:
    for head, text in blocks(page):
        language = head.split()[0]
        if language in ("python", "bash"):
            assert 'exec="on"' in head, f"not run: {head}\n{text}"
        elif language == "yaml" and "experiments:" in text:
            parse_config(yaml.safe_load(text))


def test_every_page_has_its_place_and_every_place_its_page() -> None:
    listed = re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(listed) == [page.name for page in PAGES]


def test_the_examples_are_valid_and_their_circuits_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name, experiment in load_config("config/examples.yaml").experiments.items():
        assert "-" in code_of(experiment, "hessians"), name  # the hash of the package, then of the user's file


def test_the_findings_have_every_claim_where_its_verdict_belongs() -> None:
    table = (ROOT / "docs" / "claims.md").read_text()
    rows = re.findall(r"^\| \[([a-z-]+)\]\(#[a-z-]+\) \| `exact` \| ([a-z ]+) \|", table, re.MULTILINE)
    verdicts = {
        "What holds": "reproduced",
        "What needs a caveat": "with a caveat",
        "What does not hold": "not reproduced",
        "What depends on the seed": "depends on the seed",
    }
    sections = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", findings(), re.DOTALL | re.MULTILINE))
    for title, verdict in verdicts.items():
        told = {id_ for id_ in re.findall(r"`([a-z-]+)`", sections[title]) if id_ in IDS}
        assert told == {id_ for id_, found in rows if found == verdict}, title
    assert {id_ for id_, _ in rows} == set(IDS)


def findings() -> str:
    return (ROOT / "docs" / "findings.md").read_text()
