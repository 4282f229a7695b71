"""What of Anthropic's requests is read, and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.call import Kind
from tidegate.providers.anthropic.request import read, with_model, with_output
from tidegate.providers.codec import BadRequest

HELLO = [{"role": "user", "content": "hello"}]
TOOLS = [{"name": "look", "input_schema": {"type": "object"}}]
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 9_000}}


def body(**fields: object) -> bytes:
    return json.dumps({"model": "claude-sonnet", "max_tokens": 64, "messages": HELLO, **fields}).encode()


def test_what_is_routed_on() -> None:
    """Model, stream, the most new tokens, tools and pictures."""
    asked = read(Kind.MESSAGES, body(stream=True, tools=TOOLS, system="Be brief."))
    shape = asked.shape
    assert (shape.model, shape.stream, shape.output, shape.tools, shape.images) == (
        "claude-sonnet", True, 64, True, False,
    )  # fmt: skip
    assert asked.messages == 1
    assert b"Be brief." in asked.text
    assert b"input_schema" in asked.text


def test_a_picture_is_no_text() -> None:
    """It counts as a picture, not by its bytes."""
    asked = read(Kind.MESSAGES, body(messages=[{"role": "user", "content": [PICTURE, {"type": "text", "text": "?"}]}]))
    assert asked.shape.images
    assert asked.images == 1
    assert len(asked.text) < 300


@pytest.mark.parametrize("tools", [None, []])
def test_no_tools_are_none(tools: object) -> None:
    """Clients send null and [] for nothing."""
    assert not read(Kind.MESSAGES, body(tools=tools)).shape.tools


def test_a_count_needs_no_limit_and_makes_nothing() -> None:
    """`max_tokens` belongs to messages only."""
    fields = {"model": "m", "messages": HELLO}
    assert read(Kind.COUNT, json.dumps(fields).encode()).shape.output == 0
    with pytest.raises(BadRequest) as caught:
        read(Kind.MESSAGES, json.dumps(fields).encode())
    assert caught.value.param == "max_tokens"


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        (body(model=None), "model"),
        (body(model="a\nb"), "model"),
        (body(messages="hello"), "messages"),
        (body(messages=None), "messages"),
        (body(max_tokens=-1), "max_tokens"),
        (body(max_tokens="64"), "max_tokens"),
        (body(stream="yes"), "stream"),
        (b"", ""),
        (b"[]", ""),
        (b"{", ""),
        (b'{"model":"\xff"}', ""),
        (b'{"messages":' + b"[" * 100_000, ""),
    ],
)
def test_what_is_wrong_is_named(wrong: bytes, param: str) -> None:
    """The field, and something to do about it."""
    with pytest.raises(BadRequest) as caught:
        read(Kind.MESSAGES, wrong)
    assert caught.value.param == param
    assert str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Nothing else is raised."""
    with pytest.raises(BadRequest):
        read(Kind.MESSAGES, data)


def test_only_what_must_change_changes() -> None:
    """All other fields keep their bytes."""
    odd = b'{"model" : "a", "max_tokens":1e1, "x": {"y" :1.50}, "messages":[]}'
    changed = with_output(with_model(odd, "b"), 7)
    assert b'{"y" :1.50}' in changed
    assert json.loads(changed) == {**json.loads(odd), "model": "b", "max_tokens": 7}


@pytest.mark.parametrize(
    ("tokens", "thinking", "left"),
    [
        (16_000, {"type": "enabled", "budget_tokens": 10_000}, 10_000),
        (10_001, {"type": "enabled", "budget_tokens": 10_000}, 10_000),
        (10_000, {"type": "enabled", "budget_tokens": 10_000}, 5_000),
        (1_025, {"type": "enabled", "budget_tokens": 10_000}, 1_024),
        (1_024, {"type": "enabled", "budget_tokens": 10_000}, None),
        (64, {"type": "enabled", "budget_tokens": 1_024}, None),
    ],
)
def test_thought_fits_in_fewer_tokens(tokens: int, thinking: dict[str, object], left: int | None) -> None:
    """Its budget stays below the limit, and is no less than the least; where both cannot be, there is none."""
    changed = json.loads(with_output(body(thinking=thinking, x=1), tokens))
    assert changed.pop("thinking", None) == (None if left is None else {**thinking, "budget_tokens": left})
    assert changed == {**json.loads(body(x=1)), "max_tokens": tokens}


@pytest.mark.parametrize("thinking", [None, "x", {}, {"type": "adaptive"}, {"budget_tokens": None}, [1]])
def test_thought_without_a_budget_stays(thinking: object) -> None:
    """Whatever it says."""
    assert json.loads(with_output(body(thinking=thinking), 7))["thinking"] == thinking
