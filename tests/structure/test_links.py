"""Every link and picture of a document leads to a file of the project."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
DOCUMENTS = sorted(
    str(path.relative_to(ROOT)) for place in (".", "docs", "bench") for path in (ROOT / place).glob("*.md")
)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document: str) -> None:
    """Relative links, pictures among them, name files that exist."""
    path = ROOT / document
    lost = [link for link in LINK.findall(path.read_text(encoding="utf-8")) if not (path.parent / link).exists()]
    assert lost == []
