"""Requests in OpenAI's dialect: what is read, what is refused and in which words, and what may be changed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.call import Kind
from tidegate.providers.codec import Asked, BadRequest
from tidegate.providers.openai.request import read, with_model, with_usage

MESSAGES = [{"role": "user", "content": "hi"}]
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "iVBORw0KGgo" * 500}}


def chat(**fields: object) -> bytes:
    return json.dumps({"model": "gpt-4o", "messages": MESSAGES, **fields}).encode()


def outcome(body: bytes) -> Asked | BadRequest:
    try:
        return read(Kind.CHAT, body)
    except BadRequest as error:
        return error


def refusal(body: bytes, kind: Kind = Kind.CHAT) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        read(kind, body)
    return caught.value


# ── bad input ────────────────────────────────────────────────────────────────────────────────────────────────────────

NOT_JSON = {
    "empty": b"",
    "blank": b"  \n ",
    "text": b"hello",
    "cut": b'{"model": "gpt-4o", "messages": [{"role"',
    "trailing comma": b'{"model": "gpt-4o",}',
    "single quotes": b"{'model': 'gpt-4o'}",
    "garbage behind": chat() + b"}",
    "two bodies": chat() + chat(),
    "NUL": chat() + b"\x00",
    "NUL in a text": chat().replace(b"hi", b"h\x00i"),
    "line end in a text": chat().replace(b"hi", b"h\ni"),
    "byte order mark": b"\xef\xbb\xbf" + chat(),
    "UTF-16": json.dumps({"model": "gpt-4o"}).encode("utf-16"),
    "half a surrogate pair": chat().replace(b"hi", b"\\ud83d!"),
    "half a pair in what is not read": chat(user="x").replace(b'"x"', b'"\\ud83d"'),
    "bad escape": chat().replace(b"hi", b"\\x41"),
    "NaN": chat(temperature=1).replace(b": 1", b": NaN"),
    "leading zero": chat(temperature=1).replace(b": 1", b": 01"),
    "deep": chat(metadata=0).replace(b": 0", b": " + b"[" * 100_000 + b"]" * 100_000),
    "deep and open": b'{"a":' * 100_000,
    "deep messages": chat().replace(b'"hi"', b"[" * 50_000 + b"]" * 50_000),
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_not_json_is_refused(body: bytes) -> None:
    """With a sentence, not with a stack trace, and no field to blame."""
    error = refusal(body)
    assert error.param == ""
    assert str(error).startswith(("We could not parse the JSON body", "The body is not UTF-8"))
    assert len(str(error)) < 300


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xe4\xb8"])
def test_invalid_utf8_is_refused_with_its_place(bad: bytes) -> None:
    """Also where nothing else is read."""
    body = chat(user="x").replace(b'"x"', b'"' + bad + b'"')
    error = refusal(body)
    assert f"byte {body.index(bad)}" in str(error)


@pytest.mark.parametrize("body", [b"[]", b"5", b'"gpt-4o"', b"null", b"true", b"[" + chat() + b"]"])
def test_the_body_is_an_object(body: bytes) -> None:
    """A top-level list, number or text is a wrong type of the whole."""
    assert "object" in str(refusal(body))


WRONG_TYPES = [
    ("model", 5),
    ("model", ["gpt-4o"]),
    ("stream", "yes"),
    ("stream", 1),
    ("stream_options", "include_usage"),
    ("stream_options", []),
    ("max_tokens", "100"),
    ("max_tokens", 1.5),
    ("max_tokens", True),
    ("max_tokens", [1]),
    ("max_completion_tokens", {}),
    ("n", "2"),
    ("n", 2.0),
    ("best_of", False),
    ("messages", "hello"),
    ("messages", 5),
    ("messages", {}),
    ("messages", True),
]


@pytest.mark.parametrize(("field", "value"), WRONG_TYPES)
def test_a_wrong_type_names_its_field(field: str, value: object) -> None:
    """In `param`, as OpenAI does."""
    error = refusal(chat(**{field: value}))
    assert error.param == field
    assert field in str(error)


def test_a_wrong_type_inside_names_its_path() -> None:
    """Down to the field itself."""
    assert refusal(chat(stream_options={"include_usage": 1})).param == "stream_options.include_usage"


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens", "n", "best_of"])
@pytest.mark.parametrize("value", ["-1", "-100000", str(2**64), str(10**30), "9" * 5_000, "1e400", "-0.5"])
def test_impossible_numbers_are_refused(field: str, value: str) -> None:
    """Negative, absurd and unreadable ones, with the field's name and a short sentence."""
    error = refusal(chat(**{field: 0}).replace(b": 0", b": " + value.encode()))
    assert error.param == field
    assert len(str(error)) < 300


@pytest.mark.parametrize("model", [None, ""])
def test_a_call_needs_a_model(model: str | None) -> None:
    """Missing, null or empty."""
    assert refusal(chat(model=model)).param == "model"
    assert refusal(b"{}").param == "model"


@pytest.mark.parametrize("model", ["gpt\r\nset-cookie: a=b", "gpt\x00", "gpt\x7f", "\t", "x" * 100_000])
def test_a_models_name_is_a_name(model: str) -> None:
    """It is told in headers and remembered: control characters and megabytes have no place in it."""
    error = refusal(chat(model=model))
    assert error.param == "model"
    assert len(str(error)) < 300


@pytest.mark.parametrize("model", ["meta-llama/Llama-3.1-8B", "ft:gpt-4o:org:name:id", "通义千问", "gpt 4", "a" * 256])
def test_any_printable_name_may_be_a_model(model: str) -> None:
    """What nobody serves is found out later."""
    assert read(Kind.CHAT, chat(model=model)).shape.model == model


@pytest.mark.parametrize(
    ("kind", "field"), [(Kind.CHAT, "messages"), (Kind.COMPLETION, "prompt"), (Kind.EMBEDDING, "input")]
)
def test_a_call_needs_something_to_answer(kind: Kind, field: str) -> None:
    """Each kind its own field; null is as good as missing."""
    assert refusal(b'{"model":"m"}', kind).param == field
    assert refusal(b'{"model":"m","%b":null}' % field.encode(), kind).param == field


@given(st.binary(max_size=200))
def test_no_bytes_break_it(body: bytes) -> None:
    """Any bytes are read or refused."""
    assert outcome(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["model", "messages", "stream", "stream_options", "max_tokens", "n", "best_of", "tools", "functions", "user"]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_no_types_break_it(fields: dict[str, object]) -> None:
    """Whatever stands in the fields that are read: they are read or refused with a known field."""
    read_or_refused = outcome(json.dumps(fields).encode())
    assert isinstance(read_or_refused, Asked) or read_or_refused.param.partition(".")[0] in FIELDS


# ── what is read ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plain_call() -> None:
    """Model, and nothing asked for."""
    shape = read(Kind.CHAT, chat()).shape
    assert (shape.model, shape.stream, shape.output, shape.tools, shape.images) == ("gpt-4o", False, 0, False, False)
    assert not shape.wants_usage


def test_of_equal_keys_the_last_counts() -> None:
    """As for the provider's own parser: nothing small may hide something large."""
    body = chat(max_tokens=1).replace(b'"max_tokens": 1', b'"max_tokens": 1, "max_tokens": 100')
    assert read(Kind.CHAT, body).shape.output == 100


@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({}, 0),
        ({"max_tokens": None, "n": None}, 0),
        ({"max_tokens": 100}, 100),
        ({"max_completion_tokens": 100}, 100),
        ({"max_tokens": 1, "max_completion_tokens": 4_000}, 4_000),  # LiteLLM#34223: the small one hid the large one
        ({"max_tokens": 4_000, "max_completion_tokens": 1}, 4_000),
        ({"max_tokens": 100, "n": 3}, 300),
        ({"max_tokens": 100, "best_of": 5}, 500),
        ({"max_tokens": 100, "n": 3, "best_of": 5}, 500),
        ({"max_tokens": 1 << 40, "n": 1 << 40}, 1 << 40),  # what the journal can hold
        ({"n": 3}, 0),
        ({"max_tokens": 0}, 0),  # legacy completions score their prompt with it
        ({"max_tokens": 2**40}, 2**40),
    ],
)
def test_the_most_new_tokens(fields: dict[str, object], output: int) -> None:
    """The larger of both names, for every choice."""
    assert read(Kind.CHAT, chat(**fields)).shape.output == output


@pytest.mark.parametrize(
    ("fields", "tools"),
    [
        ({}, False),
        ({"tools": None}, False),
        ({"tools": []}, False),
        ({"functions": None}, False),
        ({"functions": []}, False),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, True),
        ({"functions": [{"name": "f"}]}, True),
    ],
)
def test_tools_are_noticed(fields: dict[str, object], tools: bool) -> None:
    """Only real ones: many clients send null or an empty list."""
    assert read(Kind.CHAT, chat(**fields)).shape.tools is tools
    spaced = json.dumps({"model": "m", "messages": MESSAGES, **fields}, indent=4).encode()
    assert read(Kind.CHAT, spaced.replace(b"[]", b"[  \n  ]")).shape.tools is tools


@pytest.mark.parametrize(
    ("options", "wants"),
    [(None, False), ({}, False), ({"include_usage": None}, False), ({"include_usage": False}, False),
     ({"include_usage": True}, True), ({"include_usage": True, "other": 1}, True)],
)  # fmt: skip
def test_who_wants_usage_in_the_stream(options: object, wants: bool) -> None:
    """Only who says so."""
    assert read(Kind.CHAT, chat(stream=True, stream_options=options)).shape.wants_usage is wants


def test_images_are_noticed_and_their_bytes_are_no_text() -> None:
    """A picture of a megabyte is one image, not a hundred thousand tokens."""
    text = {"type": "text", "text": "What is this? data: 1, 2, 3"}
    low = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}}
    asked = read(Kind.CHAT, chat(messages=[{"role": "user", "content": [text, IMAGE, low]}]))
    assert asked.shape.images
    assert (asked.images, asked.low_images) == (2, 1)
    assert b"iVBORw0KGgo" not in asked.text
    assert len(asked.text) < 300


def test_text_that_looks_like_a_data_url_stays_text() -> None:
    """Beside an image, only the image's own bytes are left out."""
    text = {"type": "text", "text": "data:" + "a word " * 200}
    asked = read(Kind.CHAT, chat(messages=[{"role": "user", "content": [text, IMAGE]}]))
    assert asked.text.count(b"a word") == 200


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_audio", "input_audio": {"data": "UklGRi" * 50_000, "format": "wav"}},
        {
            "type": "file",
            "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64," + "JVBERi" * 50_000},
        },
    ],
    ids=["audio", "file"],
)
def test_encoded_sounds_and_files_are_no_text(part: object) -> None:
    """Nor do they make the call an image call; they count as one thing of unknown price."""
    asked = read(Kind.CHAT, chat(messages=[{"role": "user", "content": [part]}]))
    assert not asked.shape.images
    assert asked.images == 1
    assert len(asked.text) < 300


def test_a_text_about_images_is_no_image() -> None:
    """The word inside a text has escaped quotes."""
    asked = read(Kind.CHAT, chat(messages=[{"role": "user", "content": 'use {"type": "image_url", "image_url": {}}'}]))
    assert not asked.shape.images
    assert asked.images == 0


def test_tools_and_the_answers_form_are_part_of_the_prompt() -> None:
    """The provider counts them too."""
    tools = [{"type": "function", "function": {"name": "look_up", "description": "d" * 500}}]
    form = {"type": "json_schema", "json_schema": {"name": "answer_form"}}
    asked = read(Kind.CHAT, chat(tools=tools, response_format=form))
    assert b"look_up" in asked.text
    assert b"answer_form" in asked.text


def test_messages_are_counted() -> None:
    """Each costs a few tokens of its own."""
    asked = read(Kind.CHAT, chat(messages=MESSAGES * 7))
    assert asked.messages == 7


@pytest.mark.parametrize("kind", [Kind.COMPLETION, Kind.EMBEDDING])
def test_other_kinds_have_no_messages(kind: Kind) -> None:
    """Their prompt is a text, a list of texts, or tokens."""
    field = "prompt" if kind is Kind.COMPLETION else "input"
    for value in ("hello", ["a", "b"], [1, 2, 3], [[1], [2]]):
        asked = read(kind, json.dumps({"model": "m", field: value}).encode())
        assert asked.messages == 0
        assert json.loads(asked.text) == value


# ── what is changed ──────────────────────────────────────────────────────────────────────────────────────────────────

OBJECTS = st.dictionaries(st.text(max_size=12) | st.sampled_from(["stream_options", "n", "x"]), JSON, max_size=5)
SPACES = st.sampled_from(["", " ", "\n\t "])


@given(OBJECTS, st.text(max_size=20), st.booleans(), SPACES)
def test_another_model_and_nothing_else(fields: dict[str, object], model: str, escaped: bool, space: str) -> None:
    """Every other field keeps its value, and of raw values every byte."""
    body = space + json.dumps({"a": 1, "model": "old", **fields}, ensure_ascii=escaped, indent=len(space) or None)
    changed = with_model(body.encode(), model)
    assert json.loads(changed) == {"a": 1, **fields, "model": model}


def test_values_keep_their_bytes() -> None:
    """Numbers, escapes and the space inside values are not written anew."""
    values = b'[1.0, 1e2, "\\u4e2d\\/", {"b" :  2}]'
    body = b'{"model":"old","messages":%b,"seed":18446744073709551617}' % values
    changed = with_model(body, "new")
    assert values in changed
    assert b"18446744073709551617" in changed


@given(OBJECTS, st.booleans(), SPACES)
def test_usage_is_asked_for_and_nothing_else(fields: dict[str, object], escaped: bool, space: str) -> None:
    """Whatever the fields are, only `stream_options.include_usage` is set."""
    if not isinstance(fields.get("stream_options"), dict | None):
        fields["stream_options"] = None
    body = space + json.dumps({"model": "m", **fields}, ensure_ascii=escaped, indent=len(space) or None)
    changed = json.loads(with_usage(body.encode()))
    options = fields.get("stream_options") or {}
    assert isinstance(options, dict)
    assert changed.pop("stream_options") == {**options, "include_usage": True}
    fields.pop("stream_options", None)
    assert changed == {"model": "m", **fields}


def test_every_byte_stays_where_no_options_are() -> None:
    """The field is put in front: the rest is copied."""
    body = b'\n { "model" : "m", "messages" : [ 1.0 ] } '
    assert with_usage(body) == b'\n {"stream_options":{"include_usage":true}, "model" : "m", "messages" : [ 1.0 ] } '


def test_the_word_inside_a_text_is_no_field() -> None:
    """`"stream_options"` as a message's content, as its own string, does not count as the field."""
    body = chat(messages=[{"role": "user", "content": ["stream_options"]}], stream=True)
    changed = json.loads(with_usage(body))
    assert changed["stream_options"] == {"include_usage": True}
    assert changed["messages"] == [{"role": "user", "content": ["stream_options"]}]
