"""What is written, compared and shown of texts: scalars, differences, the form, and the process that answers."""

import json
import subprocess
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.config.edit.asked import Answer, Failed, ShowAsk, Shown
from tidegate.config.edit.difference import difference
from tidegate.config.edit.emit import flow, scalar
from tidegate.config.edit.form import FIELDS, form_of
from tidegate.config.edit.tree import plain, tree_of
from tidegate.config.schema.strategy import StrategyConfig

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@settings(max_examples=500, deadline=None)
@given(SCALARS, st.sampled_from([None, "'", '"']))
def test_scalars_are_read_back(value: object, style: str | None) -> None:
    """As what they are, in a block, between brackets, and in whatever quotes stood there."""
    if isinstance(value, str) and any(0xD800 <= ord(sign) < 0xE000 for sign in value):
        return
    for text in (f"a: {scalar(value, style)}\n", f"a: [{scalar(value, style)}]\n", f"{{a: {flow(value)}}}"):
        found: Any = plain(tree_of(text).root)
        got = found["a"][0] if isinstance(found["a"], list) else found["a"]
        assert (type(got), got) == (type(value), value), text


def test_differences() -> None:
    """Line numbers are those of the whole texts; far apart changes are two hunks; equal texts differ in nothing."""
    before = "".join(f"line {number}\n" for number in range(2_000))
    after = before.replace("line 1000\n", "line X\n").replace("line 1500\n", "")
    found = difference(before, after)
    assert (found.added, found.removed) == (1, 2)
    assert [line for line in found.text.splitlines() if line.startswith("@@")] == [
        "@@ -998,7 +998,7 @@", "@@ -1498,7 +1498,6 @@",
    ]  # fmt: skip
    assert difference(before, before) == ("", 0, 0)
    assert difference("", "a\n").text == "@@ -0,0 +1 @@\n+a\n"
    assert "line ends" in difference("a\n", "a\r\n").text


def test_a_difference_of_large_texts_is_quick() -> None:
    """Where everything differs it is not tried to find what has moved."""
    before, after = ("".join(f"{word} {number}\n" for number in range(30_000)) for word in ("a", "b"))
    assert difference(before, after)[1:] == (30_000, 30_000)


def test_the_form_has_every_field_of_the_editor() -> None:
    """With what counts where the file says nothing; what stands in the file is named."""
    text = "strategies:\n  chat: {primary_model: m, caching: {ttl_seconds: 5}, fallback_models: [{model: n}]}\n"
    text += "providers: {p: {models: {o: {}}}}\n"
    form: Any = form_of(plain(tree_of(text).root))
    (chat,) = form["strategies"]
    assert set(chat) == {"path", "name", "set", *FIELDS}
    assert chat["caching"] == StrategyConfig.model_construct().caching.model_dump() | {"ttl_seconds": 5}
    assert chat["rate_limit_policy"]["smoothing"] == {"threshold": 0.85, "delay_ms": 100}
    assert chat["fallback_models"] == [{"model": "n", "priority": None}]
    assert chat["set"] == ["primary_model", "fallback_models", "caching.ttl_seconds"]
    assert form["models"] == ["o", "m", "n"]
    assert form_of(None) == {"strategies": [], "models": []}


@pytest.mark.parametrize(
    "data",
    [{"model_strategy": 3}, {"strategies": [1]}, {"strategies": {"a": None}}, [1], {"providers": {"p": {"scopes": 3}}}],
)
def test_a_form_of_what_is_broken(data: object) -> None:
    """It is shown as far as it goes."""
    assert isinstance(form_of(data)["models"], list)


def test_the_process_answers_line_by_line() -> None:
    """A question that is none is told as one, and the next is answered; it ends with its input."""
    question = ShowAsk(key=b"k", base="a: 1\n", file="/none.yaml")
    asked = "{}\n[]\n" + json.dumps(msgspec.to_builtins(question)) + "\n"
    command = [sys.executable, "-P", "-m", "tidegate.config.edit"]
    done = subprocess.run(command, input=asked.encode(), capture_output=True, check=True, timeout=60)
    first, second, third = (msgspec.convert(json.loads(line), Answer) for line in done.stdout.splitlines())
    assert isinstance(first, Failed)
    assert isinstance(second, Failed)
    assert isinstance(third, Shown)
    assert third.errors[0].field == "a"
