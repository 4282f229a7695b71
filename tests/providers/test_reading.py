"""What every codec says of a body that it cannot read."""

import msgspec
import pytest

from tidegate.providers import reading
from tidegate.providers.codec import BadRequest

DOTS = [".", "..", "../x", "a/../b", "a/.", "./a", "..\\a", "a/./b"]


class Form(msgspec.Struct):
    model: str | None = None
    stream: bool = False


def why(body: bytes) -> BadRequest:
    with pytest.raises(reading.UNREADABLE) as caught:
        msgspec.json.decode(body, type=Form)
    return reading.bad(caught.value)


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        (b"{", "", "could not parse the JSON body"),
        (b"[]", "", "Invalid body: Expected `object`"),
        (b'{"stream":"yes"}', "stream", "Invalid type for 'stream': Expected `bool`, got `str`"),
        (b'{"model":"\xff"}', "", "not UTF-8"),
        (b'{"x":' + b"[" * 100_000, "", "nested too deeply"),
    ],
)
def test_the_field_is_named(body: bytes, param: str, words: str) -> None:
    """What is wrong, where, and of what type it should be."""
    found = why(body)
    assert found.param == param
    assert words in str(found)


@pytest.mark.parametrize(
    "name", ["gpt-4o", "org/model:free", "模型", "x" * 256, "gpt-4.1", ".a", "a..b", "a./.b", "%2e%2e"]
)
def test_a_name_is_any_printable_word(name: str) -> None:
    """Of whatever script, up to 256 characters."""
    assert reading.model(name) == name


@pytest.mark.parametrize("name", [None, "", "x" * 257, "a\nb", "a\x00", *DOTS])
def test_other_names_are_refused(name: str | None) -> None:
    """The error names the field."""
    with pytest.raises(BadRequest) as caught:
        reading.model(name)
    assert caught.value.param == "model"


@pytest.mark.parametrize(
    ("data", "told"), [(b"{}", True), (b" 1 ", True), (b"", False), (b"{", False), (b'"\xff"', False)]
)
def test_json_or_not(data: bytes, told: bool) -> None:
    """Any JSON value is JSON; a part of one is not."""
    assert reading.is_json(data) is told


@pytest.mark.parametrize(
    ("told", "tier"),
    [("flex", "flex"), ("priority", "priority"), ("default", ""), ("standard", ""), (None, ""), (7, "")],
)
def test_a_service_tier(told: object, tier: str) -> None:
    """The usual one has no name, nor has what cannot be read."""
    assert reading.tier(told) == tier
