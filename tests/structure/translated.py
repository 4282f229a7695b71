"""Chinese pages name the English text that they say.

Write its digest into those that are up to date again:

python -m tests.structure.translated docs/zh/concepts.md
"""

import hashlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "docs" / "zh"
MARK = re.compile(r"<!-- \.\./(?P<source>[\w-]+\.md), sha256 (?P<digest>[0-9a-f]{16}) -->\n\n")


def pages() -> list[str]:
    """The pages that have an English one; the index has none of its own."""
    return sorted(page.name for page in PLACE.glob("*.md") if page.name != "README.md")


def digest(name: str) -> str:
    """Of the English page."""
    return hashlib.sha256((ROOT / "docs" / name).read_bytes()).hexdigest()[:16]


def mark(name: str) -> str:
    """What a Chinese page begins with while it says what the English one does."""
    return f"<!-- ../{name}, sha256 {digest(name)} -->\n\n"


def main() -> None:
    """Mark the pages that are named as up to date."""
    for argument in sys.argv[1:]:
        page = Path(argument)
        text = page.read_text(encoding="utf-8")
        page.write_text(mark(page.name) + MARK.sub("", text, count=1), encoding="utf-8")


if __name__ == "__main__":
    main()
