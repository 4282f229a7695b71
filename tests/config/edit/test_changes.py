"""Changes of values in a text: what is not concerned keeps every character, and the data is what was asked for."""

import difflib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.config import large
from tests.config.steps import steps
from tidegate.config.edit.changes import CannotChange, Change, apply, changed
from tidegate.config.edit.tree import plain, tree_of
from tidegate.config.nodes import YamlError

MISSION = Path(__file__).parents[1] / "mission.yaml"
TEXT = """\
# head
model_strategy:   # strat
  primary_model: gpt-4o   # the first
  rate_limit_policy: {max_rpm: 3000, max_tpm: 15} # in one line
  'quoted': 'it''s'
  fallback_models:
    # before a
    - model: a   # behind a
      priority: 1
    # before b
    - model: b
  caching:
  words: |
    two
    lines

defaults:
    deadline_seconds: 3

# tail
"""


def data(text: str) -> Any:
    return plain(tree_of(text).root)


def lines(before: str, after: str) -> list[str]:
    """What a diff would show."""
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in list(found)[2:] if not line.startswith("@@")]


def one(path: list[str | int], value: object = None, *, remove: bool = False, text: str = TEXT) -> str:
    return apply(text, [Change(tuple(path), value, remove)])


def test_a_slider_changes_one_line_and_comes_back() -> None:
    """Its comment and its place in the line stay; the way back is the same bytes."""
    path: list[str | int] = ["model_strategy", "rate_limit_policy", "max_rpm"]
    there = one(path, 3500)
    assert lines(TEXT, there) == [
        "-  rate_limit_policy: {max_rpm: 3000, max_tpm: 15} # in one line",
        "+  rate_limit_policy: {max_rpm: 3500, max_tpm: 15} # in one line",
    ]
    assert one(path, 3000, text=there) == TEXT
    assert one(path, 3000) is TEXT or one(path, 3000) == TEXT


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        (["model_strategy", "primary_model"], "a: b",
         ["-  primary_model: gpt-4o   # the first", '+  primary_model: "a: b"   # the first']),
        (["model_strategy", "quoted"], "don't", ["-  'quoted': 'it''s'", "+  'quoted': 'don''t'"]),
        (["model_strategy", "caching", "enabled"], True, ["+    enabled: true"]),
        (["model_strategy", "fallback_models", 1, "priority"], 2, ["+      priority: 2"]),
        (["model_strategy", "fallback_models", 2], {"model": "c"}, ["+    - model: c"]),
        (["model_strategy", "words"], "one", ["-  words: |", "-    two", "-    lines", "+  words: one"]),
        (["model_strategy", "rate_limit_policy", "smoothing", "delay_ms"], 5,
         ["-  rate_limit_policy: {max_rpm: 3000, max_tpm: 15} # in one line",
          "+  rate_limit_policy: {max_rpm: 3000, max_tpm: 15, smoothing: {delay_ms: 5}} # in one line"]),
        (["defaults", "retry_policy", "max_retries"], 3, ["+    retry_policy:", "+      max_retries: 3"]),
        (["cache", "memory_mb"], 1, ["+cache:", "+  memory_mb: 1"]),
    ],
)  # fmt: skip
def test_only_the_lines_concerned(path: list[str | int], value: object, shown: list[str]) -> None:
    """Whatever is set, in blocks, brackets and quotes, as its surroundings are written."""
    after = one(path, value)
    assert [line for line in lines(TEXT, after) if line not in ("-", "+")] == shown


def test_removing() -> None:
    """A line, an item with its comments behind it, the last one of a mapping, and what is not there."""
    assert lines(TEXT, one(["model_strategy", "fallback_models", 0, "priority"], remove=True)) == ["-      priority: 1"]
    assert lines(TEXT, one(["defaults", "deadline_seconds"], remove=True)) == [
        "-defaults:", "-    deadline_seconds: 3", "+defaults: {}",
    ]  # fmt: skip
    after = one(["model_strategy", "fallback_models", 0], remove=True)
    assert lines(TEXT, after) == ["-    - model: a   # behind a", "-      priority: 1"]
    assert one(["model_strategy", "nobody", "there"], remove=True) == TEXT


def test_several_at_once_and_in_their_order() -> None:
    """Paths are those of the text as the changes before left it."""
    path = ("model_strategy", "fallback_models")
    after = apply(
        TEXT, [Change((*path, 0), remove=True), Change((*path, 0, "model"), "z"), Change((*path, 1), {"model": "y"})]
    )
    assert data(after)["model_strategy"]["fallback_models"] == [{"model": "z"}, {"model": "y"}]


def test_ends_of_lines_stay() -> None:
    """Windows' line ends, no end of the last line, an empty text, one of comments only."""
    windows = TEXT.replace("\n", "\r\n")
    after = one(["defaults", "x", "y"], 1, text=windows)
    assert after.count("\n") == after.count("\r\n") == windows.count("\r\n") + 2
    assert one(["a"], 1, text="b: 2") == "b: 2\na: 1"
    assert one(["a", "b"], 1, text="") == "a:\n  b: 1\n"
    assert one(["a"], 1, text="# c\n") == "# c\na: 1\n"


ALIASED = "base: &b {a: 1}\none: *b\ntwo:\n  <<: *b\n  c: 2\nthree: &x 5\nfour: *x\n"


def test_aliases_are_not_changed_behind_ones_back() -> None:
    """A value that other places use is refused with its place; one's own beside merged ones is written."""
    with pytest.raises(CannotChange) as told:
        one(["base", "a"], 2, text=ALIASED)
    assert told.value.finding.line == 1
    with pytest.raises(CannotChange):
        one(["three"], 6, text=ALIASED)
    assert data(one(["two", "a"], 3, text=ALIASED))["two"] == {"a": 3, "c": 2}
    assert data(one(["four"], 7, text=ALIASED))["four"] == 7
    assert data(one(["two", "c"], 9, text=ALIASED))["two"] == {"a": 1, "c": 9}


def test_what_cannot_be_changed_is_told() -> None:
    """A path through a value, a list that is shorter, a text that is none."""
    for path in (
        ["model_strategy", "primary_model", "x"],
        ["model_strategy", "fallback_models", 7],
        ["model_strategy", 0],
    ):
        with pytest.raises(CannotChange) as told:
            one(path, 1)
        assert told.value.finding.remedy == "change it in the text"
    with pytest.raises(YamlError):
        one(["a"], 1, text="a: [")


def test_the_missions_policy_from_nothing() -> None:
    """Its example is made by changes of values alone, and loads to the same data field for field."""
    wanted = data(MISSION.read_text(encoding="utf-8"))["model_strategy"]
    changes: list[Change] = []

    def write(path: tuple[str | int, ...], value: object) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                write((*path, name), inner)
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                write((*path, number), inner)
        else:
            changes.append(Change(path, value))

    write(("model_strategy",), wanted)
    text = apply("providers: {}\nmodel_strategy:\n", changes)
    assert data(text)["model_strategy"] == wanted


SCALARS = (
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["yes", "null", "1", "a: b", "# c", "- x", "${V}", "1e3", "~", "0x1f", " x", "é«»"])
)  # fmt: skip
NAMES = st.sampled_from(
    ["model_strategy", "defaults", "caching", "fallback_models", "rate_limit_policy", "max_rpm", "new", "a b", "1"]
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
PATHS = st.lists(NAMES | st.integers(0, 2), min_size=1, max_size=4)
CHANGES = st.builds(lambda path, value, remove: Change(tuple(path), value, remove), PATHS, VALUES, st.booleans())


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from([TEXT, TEXT.replace("\n", "\r\n"), ALIASED, "", "{a: {b: [1, {c: 2}]}, d: }\n"]),
    st.lists(CHANGES, max_size=4),
)
def test_random_changes(text: str, changes: list[Change]) -> None:
    """Either all are made, and the text says exactly what was asked for, or it is refused; whole comment lines stay."""
    wanted = deepcopy(data(text))
    try:
        after = apply(text, changes)
    except CannotChange:
        return
    for change in changes:
        wanted = changed(wanted, change)
    assert data(after) == wanted
    if not any(change.remove or isinstance(change.value, (list, dict)) for change in changes):
        kept = [line for line in after.splitlines() if line.strip().startswith("#")]
        assert kept == [line for line in text.splitlines() if line.strip().startswith("#")]


def test_many_scalars_are_found_in_a_text_that_is_looked_through_once() -> None:
    """Each further one costs a look at the names beside it, and not where all of them end."""
    text = large.namespaces(200)
    changes = [Change(("namespaces", f"n{number:05}", "limits", "rpm"), 6) for number in range(0, 200, 10)]
    one, many = (steps(lambda found=found: apply(text, found)) for found in (changes[:1], changes))  # type: ignore[misc]
    assert apply(text, changes).count("rpm: 6,") == len(changes)
    assert many < 3 * one
