"""The hash over code: what changes it, what does not."""

from pathlib import Path

import pytest

from vqc_landscape.provenance import _parse, dependencies, source_hash

SOURCES = {
    "__init__": "from vqc_landscape.top import never_seen",
    "top": "from vqc_landscape.room.middle import work\nx = 1",
    "room.__init__": "",
    "room.middle": "def work():\n    import vqc_landscape.leaf\n    return 2",
    "leaf": "y = 3",
    "typed": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from vqc_landscape import leaf",
    "submodule": "from vqc_landscape.room import middle",
    "from_top": "from vqc_landscape import CircuitRisk",
    "relative": "from . import leaf",
    "elsewhere": "import json\nfrom vqc_landscape_other import leaf",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for module, source in SOURCES.items():
        path = tmp_path.joinpath(*module.split(".")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    return tmp_path


def hash_after(root: Path, module: str, edited: str, source: str) -> str:
    """Hash of ``module`` after the source of ``edited`` was replaced."""
    root.joinpath(*edited.split(".")).with_suffix(".py").write_text(source)
    _parse.cache_clear()
    return source_hash(module, root=root)


def test_imports_are_followed_through_functions_and_packages(root: Path) -> None:
    assert dependencies("top", root=root) == {"top", "room", "room.middle", "leaf"}
    assert dependencies("submodule", root=root) == {"submodule", "room", "room.middle", "leaf"}


def test_imports_for_types_and_of_other_packages_do_not_count(root: Path) -> None:
    assert dependencies("typed", root=root) == {"typed"}
    assert dependencies("elsewhere", root=root) == {"elsewhere"}


def test_skipped_modules_take_what_only_they_import_with_them(root: Path) -> None:
    assert dependencies("top", skip=["room.middle"], root=root) == {"top"}
    assert dependencies("top", skip=["room"], root=root) == {"top"}


@pytest.mark.parametrize("edited", ["top", "room.middle", "leaf", "room.__init__"])
def test_an_edit_anywhere_below_changes_the_hash(root: Path, edited: str) -> None:
    before = source_hash("top", root=root)
    assert hash_after(root, "top", edited, SOURCES[edited] + "\nz = 4") != before


def test_an_edit_elsewhere_does_not(root: Path) -> None:
    before = source_hash("top", root=root)
    assert hash_after(root, "top", "typed", "z = 4") == before


def test_comments_docstrings_and_formatting_do_not(root: Path) -> None:
    before = source_hash("top", root=root)
    told = '"""What it does."""\ndef work():\n    """More."""\n\n    import vqc_landscape.leaf  # why\n    return (2)'
    assert hash_after(root, "top", "room.middle", told) == before


def test_a_module_that_does_not_exist(root: Path) -> None:
    with pytest.raises(ValueError, match=r"^There is no module vqc_landscape\.nowhere\.$"):
        source_hash("nowhere", root=root)


def test_a_module_to_skip_that_does_not_exist(root: Path) -> None:
    with pytest.raises(ValueError, match=r"^There is no module room\.old to leave out\.$"):
        dependencies("top", skip=["room.old"], root=root)


def test_a_name_whose_home_cannot_be_seen(root: Path) -> None:
    with pytest.raises(ValueError, match="from_top imports CircuitRisk from vqc_landscape; name its module"):
        source_hash("from_top", root=root)


def test_a_relative_import(root: Path) -> None:
    with pytest.raises(ValueError, match="relative has a relative import; write the full name"):
        source_hash("relative", root=root)
