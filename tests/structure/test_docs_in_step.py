"""The two READMEs say the same: as many headings of each level, and the same code."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def readmes() -> tuple[str, str]:
    return tuple((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))  # type: ignore[return-value]


def headings(text: str) -> list[int]:
    return [len(line.split()[0]) for line in FENCE.sub("", text).splitlines() if re.match(r"#+ ", line)]


def without_comments(block: str) -> str:
    return re.sub(r"\s*(?<!\S)#.*$", "", block, flags=re.MULTILINE)


def table_rows(text: str) -> int:
    return len(re.findall(r"^\|", text, re.MULTILINE))


def test_same_headings(readmes: tuple[str, str]) -> None:
    """The levels of the headings come in the same order."""
    english, chinese = readmes
    assert headings(english) == headings(chinese)


def test_same_code(readmes: tuple[str, str]) -> None:
    """Every code block of one stands in the other, comments aside."""
    english, chinese = ([without_comments(block) for block in FENCE.findall(text)] for text in readmes)
    assert english == chinese


def test_same_tables(readmes: tuple[str, str]) -> None:
    """Tables have as many rows: a status changed in one is changed in both."""
    english, chinese = readmes
    assert table_rows(english) == table_rows(chinese)
