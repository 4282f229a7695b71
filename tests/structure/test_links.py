"""Every link and picture of a document leads to a file of the project, and every anchor to a heading of its page."""

import re
import unicodedata
from pathlib import Path

import pytest

from tests.structure.docs import DOCUMENTS, FENCE, ROOT

LINK = re.compile(
    r"\]\((?!https?://|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)|(?:src|srcset|href)=\"(?!https?:|#)([^\"#]+)\""
)
HEADING = re.compile(r"^#{1,6} (.+?)\s*$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The names by which a page's headings can be linked to, as the usual renderers make them."""
    names: set[str] = set()
    for heading in HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        kept = [letter for letter in words if letter in " -_" or unicodedata.category(letter)[0] in "LN"]
        name = base = "".join(kept).replace(" ", "-")
        number = 0
        while name in names:
            number += 1
            name = f"{base}-{number}"
        names.add(name)
    return names


def lost(page: Path) -> list[str]:
    """What a page links to and is not there."""
    found = []
    for link, anchor, source in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        target = page.parent / (link or source) if link or source else page
        if not target.exists():
            found.append(link or source)
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            found.append(f"{link}#{anchor}")
    return found


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document: str) -> None:
    """Relative links, pictures among them, name files that exist, and headings that they have."""
    assert lost(ROOT / document) == []


def test_what_is_lost_is_found(tmp_path: Path) -> None:
    """A missing page, a missing heading and a missing picture are each told; code is not looked at."""
    page = tmp_path / "page.md"
    page.write_text(
        "# A `b`: c?\n## 配置\n[1](#a-b-c) [2](#配置) [3](#d) [4](none.md#x) [5](page.md#a-b-c)\n"
        '<img src="none.svg">\n```\n[6](none)\n```\n',
        encoding="utf-8",
    )
    assert lost(page) == ["#d", "none.md", "none.svg"]
