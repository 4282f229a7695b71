"""What names an answer: what counts and what does not, what may not be cached, and that parts cannot run together."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.parts import Kind
from tidegate.policy.caching.canonical import VARIANT_HEADERS, canonical, key

CHAT: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 2 + 2?"}],
    "temperature": 0,
    "stream": False,
}
MESSAGE: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
RESPONSE: dict[str, Any] = {"model": "m", "input": "Hi", "store": False}
EMBEDDING: dict[str, Any] = {"model": "m", "input": "Hi"}
COMPLETION: dict[str, Any] = {"model": "m", "prompt": "Hi"}
BODIES = {
    Kind.CHAT: CHAT,
    Kind.MESSAGES: MESSAGE,
    Kind.RESPONSES: RESPONSE,
    Kind.EMBEDDING: EMBEDDING,
    Kind.COMPLETION: COMPLETION,
    Kind.COUNT: MESSAGE,
}


def base(kind: Kind, body: dict[str, Any], *, keep_user: bool = False) -> bytes:
    return canonical(kind, json.dumps(body).encode(), keep_user=keep_user).base


COSMETIC = [
    (kind, name, value)
    for name, value in (
        ("user", "u-1"),
        ("safety_identifier", "s"),
        ("prompt_cache_key", "k"),
        ("prompt_cache_retention", "24h"),
        ("stream_options", {"include_usage": True}),
        ("metadata", {"a": "b"}),
        ("service_tier", "flex"),
        ("stream", True),
        ("stream", None),
        ("model", "another"),
    )
    for kind in (Kind.CHAT, Kind.COMPLETION, Kind.RESPONSES, Kind.EMBEDDING)
] + [
    (kind, name, value)
    for name, value in (
        ("metadata", {"user_id": "u"}),
        ("service_tier", "standard_only"),
        ("stream", True),
        ("model", "another"),
    )
    for kind in (Kind.MESSAGES, Kind.COUNT)
]


@pytest.mark.parametrize(("kind", "name", "value"), COSMETIC)
def test_what_does_not_count(kind: Kind, name: str, value: object) -> None:
    """Who asks, how the answer travels, and the model, which `key` adds as the one that answers."""
    assert base(kind, BODIES[kind] | {name: value}) == base(kind, BODIES[kind])


COUNTS = [
    (Kind.CHAT, "n", 2),
    (Kind.CHAT, "seed", 1),
    (Kind.CHAT, "logprobs", True),
    (Kind.CHAT, "temperature", 1),
    (Kind.CHAT, "temperature", None),
    (Kind.CHAT, "max_tokens", 5),
    (Kind.CHAT, "tools", []),
    (Kind.CHAT, "response_format", {"type": "json_object"}),
    (Kind.CHAT, "reasoning_effort", "low"),
    (Kind.CHAT, "a_parameter_of_next_year", 1),
    (Kind.CHAT, "num_ctx", 4_096),
    (Kind.CHAT, "Stream", True),
    (Kind.CHAT, "stream", "yes"),
    (Kind.CHAT, "stream", 1.0),
    (Kind.CHAT, "model", 5),
    (Kind.MESSAGES, "system", "Be brief."),
    (Kind.MESSAGES, "max_tokens", 10),
    (Kind.MESSAGES, "thinking", {"type": "enabled", "budget_tokens": 1_024}),
    (Kind.MESSAGES, "user", "not of this API"),
    (Kind.MESSAGES, "stream_options", {}),
    (Kind.RESPONSES, "instructions", "Be brief."),
    (Kind.RESPONSES, "include", ["reasoning.encrypted_content"]),
    (Kind.EMBEDDING, "dimensions", 256),
    (Kind.EMBEDDING, "encoding_format", "base64"),
    (Kind.COMPLETION, "suffix", "."),
]


@pytest.mark.parametrize(("kind", "name", "value"), COUNTS)
def test_what_counts(kind: Kind, name: str, value: object) -> None:
    """Everything else, known or not; and a cosmetic field whose value its API does not know."""
    assert base(kind, BODIES[kind] | {name: value}) != base(kind, BODIES[kind])


def test_what_stands_in_depth_counts() -> None:
    """Names are left out at the top only: in a message, a tool or a mark of the prompt cache they count."""
    for part in (
        {"role": "user", "content": "What is 2 + 2?", "user": "x"},
        {"role": "user", "content": "What is 2 + 2?", "metadata": {}},
        {"role": "user", "content": [{"type": "text", "text": "What is 2 + 2?"}]},
        {"role": "user", "content": "What is 2 + 2? "},
    ):
        assert base(Kind.CHAT, CHAT | {"messages": [CHAT["messages"][0], part]}) != base(Kind.CHAT, CHAT)
    block = {"type": "text", "text": "Hi"}
    plain, marked = (
        {"role": "user", "content": [part]} for part in (block, block | {"cache_control": {"type": "ephemeral"}})
    )
    assert base(Kind.MESSAGES, MESSAGE | {"messages": [plain]}) != base(Kind.MESSAGES, MESSAGE | {"messages": [marked]})


def test_users_apart() -> None:
    """Where an answer may depend on whom the client asks for, that counts as well; other labels never do."""
    for kind, name, value in ((Kind.CHAT, "user", "u"), (Kind.CHAT, "safety_identifier", "s"),
                              (Kind.MESSAGES, "metadata", {"user_id": "u"})):  # fmt: skip
        body = BODIES[kind]
        assert base(kind, body | {name: value}, keep_user=True) != base(kind, body, keep_user=True)
    assert base(Kind.CHAT, CHAT | {"metadata": {}}, keep_user=True) == base(Kind.CHAT, CHAT, keep_user=True)


def test_what_it_tells_beside() -> None:
    """Whether it is a stream, and the model as it was named."""
    asked = canonical(Kind.CHAT, json.dumps(CHAT | {"stream": True}).encode())
    assert (asked.stream, asked.model, asked.stateful, len(asked.base)) == (True, "m", "", 32)
    asked = canonical(Kind.CHAT, b'{"messages":[]}')
    assert (asked.stream, asked.model) == (False, "")


@pytest.mark.parametrize(
    ("kind", "fields", "word"),
    [
        (Kind.CHAT, {}, ""),
        (Kind.CHAT, {"store": True}, "store"),
        (Kind.CHAT, {"store": False}, ""),
        (Kind.CHAT, {"store": None}, ""),
        (Kind.CHAT, {"store": True, "metadata": {}}, "store"),
        (Kind.RESPONSES, {}, ""),
        (Kind.RESPONSES, {"store": True}, "store"),
        (Kind.RESPONSES, {"store": True, "background": True}, "background"),
        (Kind.CHAT, {"store": 1.0}, "store"),
        (Kind.RESPONSES, {"store": None}, "store"),
        (Kind.RESPONSES, {"previous_response_id": "resp_1"}, "previous_response_id"),
        (Kind.RESPONSES, {"previous_response_id": None}, ""),
        (Kind.RESPONSES, {"conversation": "conv_1"}, "conversation"),
        (Kind.RESPONSES, {"conversation": {"id": "conv_1"}}, "conversation"),
        (Kind.RESPONSES, {"background": True}, "background"),
        (Kind.RESPONSES, {"background": False}, ""),
        (Kind.RESPONSES, {"prompt": {"id": "pmpt_1"}}, "prompt"),
        (Kind.RESPONSES, {"prompt": {"id": "pmpt_1", "version": "2"}}, ""),
        (Kind.COMPLETION, {"prompt": "text"}, ""),
        (Kind.MESSAGES, {"container": "c_1"}, "container"),
        (Kind.MESSAGES, {}, ""),
    ],
)
def test_calls_with_a_state(kind: Kind, fields: dict[str, Any], word: str) -> None:
    """What continues, or makes, something that the provider keeps is named; responses are stored if nothing is said."""
    assert canonical(kind, json.dumps(BODIES[kind] | fields).encode()).stateful == word


def test_a_response_that_says_nothing_is_stored() -> None:
    """OpenAI's default, so that its id can be continued."""
    assert canonical(Kind.RESPONSES, b'{"input":"Hi"}').stateful == "store"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"nul", b'{"a":1,"a":2}', b'{"model":"a","model":"b"}', b'{"stream":true,"stream":false}',
             b'{"user":"a","n":1,"user":"b"}', b'{"a":"\\ud800"}', b'{"a":1e999}', b'{"a":' * 5_000]
)  # fmt: skip
def test_what_is_refused(body: bytes) -> None:
    """Whatever may be read in two ways, also in a field that does not count."""
    with pytest.raises(ValueError):  # noqa: PT011 - any of them
        canonical(Kind.CHAT, body)


def test_kinds_without_an_answer_to_keep() -> None:
    """What is forwarded unread has no canonical form."""
    with pytest.raises(ValueError, match="forwarded"):
        canonical(Kind.PASS, b"{}")


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize("ascii_", [True, False])
def test_spelling_does_not_count(separators: tuple[str, str], ascii_: bool) -> None:
    """Whatever the client's JSON library writes, and in whatever order, with and without fields that are left out."""
    body = CHAT | {"top_p": 0.5, "user": 'q"é的', "metadata": {"a": "\\"}, "stop": ["的", "😀"]}
    turned = dict(reversed(body.items()))
    data = json.dumps(turned, separators=separators, ensure_ascii=ascii_).encode()
    assert canonical(Kind.CHAT, data).base == base(Kind.CHAT, CHAT | {"top_p": 5e-1, "stop": ["的", "😀"]})


PART = st.binary(max_size=6) | st.sampled_from([b"", b"1:", b"32:", b"n:a", b"\n", b"chat"])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
KINDS = st.sampled_from(sorted(BODIES, key=lambda kind: kind.name))
ARGUMENTS = st.tuples(PART, PART, KINDS, PART, TEXT)


@given(one=ARGUMENTS, other=ARGUMENTS)
def test_parts_of_a_key_do_not_run_together(
    one: tuple[bytes, bytes, Kind, bytes, str], other: tuple[bytes, bytes, Kind, bytes, str]
) -> None:
    """Two keys are equal only where all parts are, wherever one ends and the next begins."""
    assert (key(*one) == key(*other)) == (one == other)
    assert len(key(*one)) == 32


def test_bytes_that_move_from_part_to_part() -> None:
    """The same bytes in another part are another key."""
    keys = {
        key(b"ab", b"c", Kind.CHAT, b"d", "e"),
        key(b"a", b"bc", Kind.CHAT, b"d", "e"),
        key(b"ab", b"", Kind.CHAT, b"cd", "e"),
        key(b"ab", b"c", Kind.CHAT, b"", "de"),
        key(b"ab", b"c", Kind.COMPLETION, b"d", "e"),
        key(b"ab", b"c1:d", Kind.CHAT, b"", "e"),
        key(b"ab", b"c0:d", Kind.CHAT, b"", "e"),
        key(b"ab", b"c", Kind.CHAT, b"d0:", "e"),
    }
    assert len(keys) == 8


def test_headers_that_change_the_answer() -> None:
    """Are named as heads have them: in lower case, each once."""
    assert all(name == name.lower() for name in VARIANT_HEADERS)
    assert len(set(VARIANT_HEADERS)) == len(VARIANT_HEADERS)
