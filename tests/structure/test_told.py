"""What the gate says in sentences is there in Chinese for the pages; the sources say which sentences there are."""

import ast

import pytest

from tests.structure.told import catalogue, project
from tests.structure.told.places import Places, template
from tests.structure.told.sentences import Reader, Scope

pytestmark = pytest.mark.timeout(300)  # it reads all sources

SOURCE = """
KNOWN = {"a": "one thing", "b": "another thing"}
PAIR = ("it is wrong", "mend it")

def choice(word, names, otherwise=""):
    if word:
        return f"did you mean {word}?"
    return f"use one of {', '.join(names)}{otherwise}"

def told(name, low, kind):
    message = f"is {'too low' if low else 'too high'}: {name}"
    if kind:
        message = f"{message}; see {name:g}"
    a, b = PAIR if low else ("never", "again")
    return [message, choice(name, [], ", or ask"), KNOWN[kind], KNOWN.get(kind, "nothing"), b, str(name), "x {0}"]
"""


@pytest.fixture(scope="module")
def said() -> dict[str, list[str]]:
    return Places().templates()


def test_every_sentence_has_chinese_words(said: dict[str, list[str]]) -> None:
    """None is shown in English on a Chinese page. `python -m tests.structure.told --write` makes room for new ones."""
    assert catalogue.missing(said, catalogue.read()) == []


def test_no_chinese_sentence_is_stale(said: dict[str, list[str]]) -> None:
    """Each stands for a sentence that the sources still say."""
    assert catalogue.stale(said, catalogue.read()) == []


def test_the_sentences_are_those_of_all_rooms(said: dict[str, list[str]]) -> None:
    """Findings, refusals, advice, reasons of drills, channels and calls are found: nobody lists them by hand."""
    for text in (
        "must be at most {0}",
        "unknown field",
        "a {0} is opened and never closed",
        "no provider serves {0}, so it is skipped",
        "this key is revoked",
        "there is no such namespace",
        "input should be less than or equal to {0}",
        "it lacks {0}",
        "the provider answered {0} with an error",
        "The quota of {0} is in use. This request could be served in {1} s.",
    ):
        assert text in said, text
    assert len(said) > 800


def test_a_missing_and_a_stale_sentence_are_told() -> None:
    """A template without words, or with empty ones, is missing; one that nobody says is stale."""
    said = {"a {0}": ["config/a.py:1"], "b": ["line/b.py:2"], "c": ["config/c.py:3"]}
    rooms = {"config": {"c": "丙", "d": "丁", "a {0}": ""}}
    assert catalogue.missing(said, rooms) == ["a {0}", "b"]
    assert catalogue.stale(said, rooms) == ["d"]
    assert catalogue.renewed(said, rooms) == {"config": {"c": "丙", "a {0}": ""}, "calls": {"b": ""}}


def test_what_an_expression_may_say() -> None:
    """Words are followed through names, branches, tables and functions; values become holes."""
    module = project.module("example", ast.parse(SOURCE))
    function = module.functions["told"][0]
    listed = function.returned[0]
    assert isinstance(listed, ast.List)
    reader, scope = Reader({"example": module}), Scope(module, function)
    found = [{template(text) for text in reader.texts(one, scope)} for one in listed.elts]
    assert found[1] == {"did you mean {0}?", "use one of {0}, or ask"}
    assert found[2] == {"one thing", "another thing"}
    assert found[3] == {"one thing", "another thing", "nothing"}
    assert found[4] == {"mend it", "again"}
    assert found[5] == {"{0}"}
    assert found[6] == {"x {0}"}
    assert found[0] == {"is too low: {0}", "is too high: {0}", "is too low: {0}; see {1}", "is too high: {0}; see {1}"}
