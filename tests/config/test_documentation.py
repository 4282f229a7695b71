"""docs/configuration.md says what the schema says, and its examples load."""

import re
from pathlib import Path
from typing import get_args

import pytest

from tests.config import tables
from tests.config.conftest import Loads
from tests.config.texts import MISSION, SMALLEST
from tidegate.config.fields import all_fields
from tidegate.config.schema.tenants import PickName, SchedulerName
from tidegate.model.tenant import TIERS

SCHEDULERS, PICKS = get_args(SchedulerName), get_args(PickName)
TEXT = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(params=[tables.ENGLISH, tables.CHINESE], ids=["english", "chinese"])
def language(request: pytest.FixtureRequest) -> tables.Language:
    found: tables.Language = request.param
    return found


def test_every_field_is_documented(language: tables.Language) -> None:
    """Each field of the schema has a row in the table of its section; equal sections share one table."""
    rows = {id(field): False for _, field in all_fields()}
    sections = tables.sections()
    for path, body in tables.documented(language).items():
        for name, field in sections[path].items():
            assert tables.row(name, field, language) in body.splitlines(), f"{path}.{name}"
            rows[id(field)] = True
    assert [path for path, field in all_fields() if not rows[id(field)]] == []


def test_nothing_else_is_documented(language: tables.Language) -> None:
    """No section and no row describes what the schema does not have."""
    sections = tables.sections()
    for path, body in tables.documented(language).items():
        named = re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE)
        assert named == list(sections[path])


def test_every_field_has_a_chinese_meaning() -> None:
    """`descriptions.zh.json` says it, and leaves what is written in code as it is."""
    assert tables.missing() == []
    for english, chinese in tables.CHINESE_TEXTS.items():
        assert sorted(re.findall(r"`[^`]*`", english)) == sorted(re.findall(r"`[^`]*`", chinese)), english


def test_pages_have_the_tables_of_the_schema(language: tables.Language) -> None:
    """To write them again changes nothing: `python -m tests.config.tables --write`."""
    assert tables.written(language) == language.page.read_text(encoding="utf-8")


def test_every_field_says_what_it_is() -> None:
    """A field has a meaning and an example, and one that is a duration, a size or a rate names its unit."""
    units = {"_seconds": "seconds", "_bytes": "bytes", "_ms": "milliseconds", "rpm": "per minute", "tpm": "per minute"}
    for path, field in all_fields():
        assert field.description, path
        assert field.examples, path
        for ending, unit in units.items():
            if path.endswith(ending):
                assert unit in field.description, path


@pytest.mark.parametrize("number", range(2))
def test_examples_load(loads: Loads, number: int) -> None:
    """The examples are the two texts that must load, and do."""
    assert EXAMPLES[number] == (SMALLEST, MISSION)[number]
    assert loads(EXAMPLES[number])


def test_the_example_of_tenants_loads(loads: Loads) -> None:
    """It means what the text beside it says, and nothing is to be said about it."""
    loaded = loads(EXAMPLES[2])
    assert [pool.name for pool in loaded.snapshot.pools] == ["reserved", "shared"]
    assert loaded.warnings == ()


def test_the_example_of_who_may_call_loads(loads: Loads) -> None:
    """It means what the text beside it says, and nothing is to be said about it."""
    loaded = loads(EXAMPLES[3])
    assert [item.namespace for item in loaded.snapshot.isolated] == ["acme"]
    assert [key.user for key in loaded.snapshot.namespaces[0].clients] == ["ann", "ann"]
    assert loaded.warnings == ()


def test_the_built_in_tiers_are_documented() -> None:
    """As they are: rank, weight and the two switches."""
    rows = re.findall(r"^\| `(\w+)` \| (\d) \| (\d) \| (\w+) \| (\w+) \|$", TEXT, re.MULTILINE)
    assert [tuple(row) for row in rows] == [
        (tier.name, str(rank), f"{tier.weight_milli / 1000:g}", str(tier.smoothed).lower(), str(tier.reserve).lower())
        for rank, tier in enumerate(TIERS)
    ]


@pytest.mark.parametrize(("field", "words"), [("scheduler", SCHEDULERS), ("pick", PICKS)])
def test_words_are_documented(field: str, words: tuple[str, ...]) -> None:
    """Each scheduler and pick has a row that says what it does."""
    table = TEXT.partition(f"| {field} | what it does |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(words)


def test_schema_examples_are_right(loads: Loads) -> None:
    """The examples that remedies quote fit their fields."""
    texts = [f"{path}: {field.examples[0]}" for path, field in all_fields() if field.examples and "." not in path]
    for text in texts:
        if "…" not in text and "keys_file" not in text and "ours.yaml" not in text:
            assert loads(text)
