"""Wrong requests are `Untranslatable` and name their field; wrong answers are a `ValueError`."""

import msgspec
import pytest

from tidegate.providers.translate.face import Untranslatable
from tidegate.providers.translate.reading import (
    Dropped,
    arguments_of,
    nameable,
    read_answer,
    read_inner,
    read_request,
)
from tidegate.providers.translate.words_chat import Chunk, Request

decode_request = msgspec.json.Decoder(Request).decode
decode_chunk = msgspec.json.Decoder(Chunk).decode
DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"model":"m","messages":[{"role":1}]}', "messages[0].role"),
        (b'{"model":"m","messages":[],"stop":3}', "stop"),
        (b'{"model":"m"}', ""),
        (b"[]", ""),
        (b"{", ""),
        (b"\xff", ""),
        (b'{"model":"m","response_format":{"type":"","json_schema":{"schema":' + DEEP, ""),
    ],
)
def test_a_wrong_request_names_its_field(body: bytes, param: str) -> None:
    """As far as there is one to name."""
    with pytest.raises(Untranslatable) as refused:
        read_request(decode_request, body)
    assert refused.value.param == param
    assert refused.value.message


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"choices":3}', b'{"choices":' + DEEP, b'{"id":"\xff"}'])
def test_a_wrong_answer(body: bytes) -> None:
    """Whatever is wrong with it."""
    with pytest.raises(ValueError, match="."):
        read_answer(decode_chunk, body)


def test_a_wrong_part() -> None:
    """It is named by whoever reads it."""
    with pytest.raises(Untranslatable, match="tools.parameters") as refused:
        read_inner(decode_request, msgspec.Raw(b"3"), "tools.parameters")
    assert refused.value.param == "tools.parameters"


@pytest.mark.parametrize(
    ("name", "told"), [("top_k", "top_k"), ("x\r\ny", "(unnamed)"), ("", "(unnamed)"), ("a" * 65, "(unnamed)")]
)
def test_names_of_fields(name: str, told: str) -> None:
    """Never what could not stand in a header."""
    assert nameable(name) == told


def test_names_are_bounded() -> None:
    """A body with a thousand unknown fields does not make a header of them."""
    dropped = Dropped()
    for number in range(1000):
        dropped.add(f"field{number}")
    assert len(dropped.names()) == 24


@pytest.mark.parametrize(
    ("text", "found"),
    [("", b"{}"), (" \n", b"{}"), ('{"a": 1}', b'{"a": 1}'), ("[]", None), ("{", None), ("\ud800", None), ("1", None)],
)
def test_arguments(text: str, found: bytes | None) -> None:
    """Only an object is one; its own bytes are kept."""
    raw = arguments_of(text)
    assert (None if raw is None else bytes(raw)) == found
