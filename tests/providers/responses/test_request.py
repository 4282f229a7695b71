"""Requests of the Responses API: what is read, what is refused and in which words, and what may be changed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.providers.codec import Asked, BadRequest
from tidegate.providers.responses.request import read, with_model, with_output

PICTURE = "data:image/png;base64," + "iVBORw0KGgo" * 500
USER = {"role": "user", "content": [{"type": "input_text", "text": "hi"}]}
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}


def body(**fields: object) -> bytes:
    return json.dumps({"model": "gpt-4o", "input": "hi", **fields}).encode()


def refusal(raw: bytes) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        read(raw)
    return caught.value


def outcome(raw: bytes) -> Asked | BadRequest:
    try:
        return read(raw)
    except BadRequest as error:
        return error


# ── bad input ────────────────────────────────────────────────────────────────────────────────────────────────────────

NOT_JSON = {
    "empty": b"",
    "text": b"hello",
    "cut": b'{"model": "gpt-4o", "input": [{"role"',
    "garbage behind": body() + b"}",
    "not UTF-8": body().replace(b"hi", b"\xff"),
    "half a surrogate pair": body().replace(b"hi", b"\\ud83d!"),
    "deep": body(metadata=0).replace(b": 0", b": " + b"[" * 100_000 + b"]" * 100_000),
    "a list": b"[]",
}


@pytest.mark.parametrize("raw", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_no_request_is_refused(raw: bytes) -> None:
    """With a sentence and no field to blame."""
    error = refusal(raw)
    assert error.param == ""
    assert len(str(error)) < 300


WRONG = [
    ("model", 5),
    ("model", ""),
    ("model", None),
    ("model", "gpt\r\nset-cookie: a=b"),
    ("input", None),
    ("input", 5),
    ("input", {}),
    ("input", True),
    ("stream", "yes"),
    ("max_output_tokens", -1),
    ("max_output_tokens", 1.5),
    ("max_output_tokens", 2**64),
    ("text", "json"),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_wrong_field_is_named(field: str, value: object) -> None:
    """In `param`, as OpenAI does."""
    error = refusal(body(**{field: value}))
    assert error.param == field
    assert field in str(error)


def test_a_request_needs_an_input_or_a_stored_prompt() -> None:
    """A prompt that the provider keeps may be all there is."""
    assert refusal(b'{"model":"m"}').param == "input"
    assert refusal(b'{"model":"m","prompt":{}}').param == "input"
    assert read(b'{"model":"m","prompt":{"id":"pmpt_1"}}').shape.model == "m"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["model", "input", "instructions", "prompt", "tools", "text", "max_output_tokens", "stream"]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_no_types_break_it(fields: dict[str, object]) -> None:
    """Whatever stands in the fields that are read: they are read or refused with a known field."""
    asked = outcome(json.dumps(fields).encode())
    assert isinstance(asked, Asked) or asked.param.partition(".")[0] in FIELDS


@given(st.binary(max_size=200))
def test_no_bytes_break_it(raw: bytes) -> None:
    """Any bytes are read or refused."""
    assert outcome(raw)


# ── what is read ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plain_request() -> None:
    """Model, and nothing asked for; a stream always tells its usage."""
    asked = read(body())
    shape = asked.shape
    assert (shape.model, shape.stream, shape.output, shape.tools, shape.images) == ("gpt-4o", False, 0, False, False)
    assert shape.wants_usage
    assert (asked.text, asked.messages, asked.images) == (b'"hi"', 1, 0)


def test_all_that_the_provider_counts_is_read() -> None:
    """Instructions, items, tools and the schema of the answer; two messages, one of them the instructions."""
    text = {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}, "verbosity": "low"}
    fields = {"instructions": "be kind", "tools": [TOOL], "text": text, "max_output_tokens": 9, "stream": True}
    asked = read(body(input=[USER], **fields))
    assert asked.shape.stream
    assert asked.shape.tools
    assert asked.shape.output == 9
    assert asked.messages == 2
    for word in (b"be kind", b'"hi"', b'"strict"', b"json_schema"):
        assert word in asked.text


@pytest.mark.parametrize("nothing", [None, [], ""])
def test_nothing_is_no_tool_and_no_instruction(nothing: object) -> None:
    """Clients send null and empty ones."""
    asked = read(body(tools=nothing, instructions=nothing))
    assert not asked.shape.tools
    assert asked.messages == 1


MEDIA = {
    "an image": ([{"type": "input_image", "image_url": PICTURE, "detail": "auto"}], 1, 0),
    "a small image": ([{"type": "input_image", "image_url": PICTURE, "detail": "low"}], 1, 1),
    "a linked image": ([{"type": "input_image", "image_url": "https://a/b.png", "detail": "high"}], 1, 0),
    "a file": ([{"type": "input_file", "file_data": PICTURE, "filename": "a.pdf"}], 1, 0),
    "a sound": ([{"type": "input_audio", "input_audio": {"data": "UklG" * 900, "format": "wav"}}], 1, 0),
    "two": ([{"type": "input_image", "image_url": PICTURE}] * 2, 2, 0),
    "the word in a text": ([{"type": "input_text", "text": '{"type":"input_image"}'}], 0, 0),
}


@pytest.mark.parametrize(("content", "images", "low"), MEDIA.values(), ids=MEDIA.keys())
def test_media_are_counted_and_are_no_text(content: list[object], images: int, low: int) -> None:
    """However long they are as base64."""
    asked = read(body(input=[{"role": "user", "content": content}]))
    assert (asked.images, asked.low_images) == (images, low)
    assert len(asked.text) < 300


def test_a_made_picture_is_no_text() -> None:
    """It comes back in the next turn."""
    made = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "iVBORw0KGgo" * 500}
    asked = read(body(input=[USER, made]))
    assert asked.images == 1
    assert len(asked.text) < 300


def test_pictures_are_what_a_model_must_see() -> None:
    """A file or a sound is not one."""
    assert read(body(input=[{"role": "user", "content": MEDIA["an image"][0]}])).shape.images
    assert not read(body(input=[{"role": "user", "content": MEDIA["a file"][0]}])).shape.images


@pytest.mark.parametrize("ascii_only", [True, False])
def test_wide_characters_are_counted_either_way(ascii_only: bool) -> None:
    """Escaped or plain."""
    raw = json.dumps({"model": "m", "input": "世界" * 10}, ensure_ascii=ascii_only).encode()
    asked = read(raw)
    assert asked.wide == 20
    assert asked.escaped == (20 if ascii_only else 0)


# ── what is changed ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_model_and_output_are_changed_and_nothing_else() -> None:
    """Every other field keeps its bytes."""
    raw = b'{"model":"a", "x": 1.50, "input":[ 1.0 ],"max_output_tokens":9}'
    assert with_model(raw, 'b"') == b'{"model":"b\\"","x":1.50,"input":[ 1.0 ],"max_output_tokens":9}'
    assert with_output(raw, 5) == b'{"model":"a","x":1.50,"input":[ 1.0 ],"max_output_tokens":5}'
    assert json.loads(with_output(body(), 5))["max_output_tokens"] == 5
