"""Every page of the documentation can be found from its first one."""

import re
from pathlib import Path

import pytest

from tests.structure.docs import ROOT

DOCS = ROOT / "docs"


def linked(page: Path) -> set[Path]:
    """Pages that a page links to."""
    found = re.findall(r"\]\(([^)#\s]+\.md)", page.read_text(encoding="utf-8"))
    return {(page.parent / link).resolve() for link in found if "://" not in link}


@pytest.mark.parametrize("index", ["docs/README.md", "docs/zh/README.md"])
def test_every_page_is_in_the_index(index: str) -> None:
    """English pages from the English index, Chinese ones from the Chinese; chapters of the design from its overview."""
    start = ROOT / index
    own = set(start.parent.glob("*.md")) - {start}
    assert sorted(str(page.relative_to(ROOT)) for page in own - linked(start)) == []
    chapters = set((DOCS / "design").glob("*.md"))
    assert sorted(page.name for page in chapters - linked(DOCS / "design.md")) == []


@pytest.mark.parametrize("page", ["docs/control-room.md", "docs/zh/control-room.md"])
def test_every_page_of_the_control_room_is_shown(page: str) -> None:
    """Its picture, in the language of the page where there is one."""
    shown = re.findall(r"/ui/(\w+)(?:\.zh)?\.png", (ROOT / page).read_text(encoding="utf-8"))
    there = {path.name.partition(".")[0] for path in (DOCS / "images" / "ui").glob("*.png")}
    assert sorted(shown) == sorted(there)


def test_the_readmes_lead_to_the_index() -> None:
    """Each README to the one of its language."""
    assert DOCS / "README.md" in linked(ROOT / "README.md")
    assert DOCS / "zh" / "README.md" in linked(ROOT / "README.zh-CN.md")
