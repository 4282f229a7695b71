"""The Chinese pages say what the English ones do: the two READMEs, and what lies in docs/zh."""

import re

import pytest

from tests.structure import translated
from tests.structure.docs import ROOT

FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
PAIRS = [("README.md", "README.zh-CN.md"), *((f"docs/{name}", f"docs/zh/{name}") for name in translated.pages())]


@pytest.fixture(params=PAIRS, ids=[chinese for _, chinese in PAIRS])
def pair(request: pytest.FixtureRequest) -> tuple[str, str]:
    english, chinese = request.param
    return (ROOT / english).read_text(encoding="utf-8"), (ROOT / chinese).read_text(encoding="utf-8")


def headings(text: str) -> list[int]:
    return [len(line.split()[0]) for line in FENCE.sub("", text).splitlines() if re.match(r"#+ ", line)]


def without_comments(block: str) -> str:
    return re.sub(r"\s*(?<!\S)#.*$", "", block, flags=re.MULTILINE)


def table_rows(text: str) -> int:
    return len(re.findall(r"^\|", text, re.MULTILINE))


def test_same_headings(pair: tuple[str, str]) -> None:
    """The levels of the headings come in the same order."""
    english, chinese = pair
    assert headings(english) == headings(chinese)


def test_same_code(pair: tuple[str, str]) -> None:
    """Every code block of one stands in the other, comments aside."""
    english, chinese = ([without_comments(block) for block in FENCE.findall(text)] for text in pair)
    assert english == chinese


def test_same_tables(pair: tuple[str, str]) -> None:
    """Tables have as many rows: a status changed in one is changed in both."""
    english, chinese = pair
    assert table_rows(english) == table_rows(chinese)


@pytest.mark.parametrize("name", translated.pages())
def test_no_english_page_changed_alone(name: str) -> None:
    """A Chinese page names the English text that it says; another text wants it looked at.

    When it is up to date again: `python -m tests.structure.translated docs/zh/NAME.md`.
    """
    assert (translated.PLACE / name).read_text(encoding="utf-8").startswith(translated.mark(name))


def test_newcomers_are_spoken_to_in_chinese() -> None:
    """The pages that somebody reads first are there."""
    assert {"quick-start.md", "concepts.md", "dify.md", "migrate.md", "operations.md"} <= set(translated.pages())
