"""Bodies as they may be stored."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.redaction.test_events import chunk, sse
from tidegate.model.bodies import KINDS
from tidegate.redaction.guard import BadPattern
from tidegate.redaction.redactor import Redactor

MOST = 65_536
SECRETS = ("john@example.com", "13812345678", "4111 1111 1111 1111", "11010519491231002X", "sk-abcdefghijklmnop1234")
CUT = 4_096


def text_of(value: Any, redact: tuple[str, ...] = KINDS, most: int = MOST) -> str:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Redactor(redact).body(body, len(body), most).text


def test_all_that_a_document_says() -> None:
    """Members and their names, numbers, escaped signs, JSON within JSON; it is JSON still."""
    said = {
        "messages": [{"role": "user", "content": f"我是 {secret}\nyes"} for secret in SECRETS],
        "number": 13812345678,
        "john@example.com": 1,
        "arguments": json.dumps({"mail": "john@example.com", "password": "x y"}),
        "password": "any thing",
        "stop": None,
        "temperature": 0.5,
        "stream": True,
    }
    found = Redactor(KINDS).body(json.dumps(said).encode(), 1, MOST)
    told = json.loads(found.text)
    assert not [secret for secret in SECRETS if secret in found.text]
    assert told["messages"][0] == {"role": "user", "content": "我是 [email]\nyes"}
    assert (told["number"], told["password"], told["[email]"]) == ("[phone]", "[secret]", 1)
    assert (told["temperature"], told["stream"], told["stop"]) == (0.5, True, None)
    assert found.times == 9


def test_only_what_was_asked_for() -> None:
    """Without a list nothing is taken out."""
    said = {"a": list(SECRETS)}
    assert json.loads(text_of(said, ())) == said
    assert json.loads(text_of(said, ("email",)))["a"] == ["[email]", *SECRETS[1:]]


def test_operators_own_expressions() -> None:
    """Beside the kinds, also in short words."""
    said = {"a": "ACME-1234 and john@example.com", "b": "X-1"}
    found = json.loads(text_of(said, ("email", r"/ACME-\d{4}/", "/X-1/")))
    assert found == {"a": "[redacted] and [email]", "b": "[redacted]"}


@pytest.mark.parametrize("bad", [("emails",), ("email", "/a*/")])
def test_a_list_that_cannot_be_applied(bad: tuple[str, ...]) -> None:
    """The configuration refuses it before."""
    with pytest.raises((BadPattern, KeyError)):
        Redactor(bad)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_a_secret_across_events(secret: str, step: int) -> None:
    """The events of a stream are joined before anything is looked for."""
    pieces = [secret[at : at + step] for at in range(0, len(secret), step)]
    told = text_of(sse(chunk(content="it is "), *(chunk(content=piece) for piece in pieces), chunk(content=" now")))
    assert secret not in told
    assert json.loads(told)["texts"]["choices.0.delta.content"].endswith("] now")


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_across_the_cut(secret: str) -> None:
    """Wherever the bound falls: of what is behind it, a margin is read and not stored."""
    body = json.dumps({"messages": [{"role": "user", "content": "x " * 100 + secret + " y" * 5_000}]}).encode()
    at, most = body.index(secret.encode()[:4]), 0
    for most in range(at - 3, at + len(secret) + 3):
        told = Redactor(KINDS).body(body[: most + CUT], len(body), most).text
        assert len(told.encode()) <= most
        assert secret[:6] not in told


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_at_the_end_of_what_is_read(secret: str) -> None:
    """A part of one does not have its form; it goes with the margin."""
    body = json.dumps({"a": "x " * 2_000 + "john@example.com " * 20 + secret + " y" * 5_000}).encode()
    at = body.index(secret.encode()[:12], body.index(b"john@") + 17 * 20 - 1)
    for read in range(at + 1, at + len(secret) + 1):
        assert secret[:6] not in Redactor(KINDS).body(body[:read], len(body), read - CUT).text


def test_escaped_signs_of_a_document_that_was_cut() -> None:
    """Its strings are read as what they say."""
    body = b'{"a": "john\\u0040example.com", "password": "open sesame", "n": 13812345678, "b": "' + b"y " * 5_000
    told = Redactor(KINDS).body(body, len(body) + 1, len(body) - CUT).text
    assert told.startswith('{"a": "[email]", "password": "[secret]", "n": [phone], "b": "y')


def test_what_is_no_json() -> None:
    """As text."""
    assert text_of(b"mail john@example.com <html>\xff\x00") == "mail [email] <html>\ufffd\ufffd"


def test_pictures_are_left_out() -> None:
    """They say nothing to who reads, and fill the room."""
    said = {"url": "data:image/png;base64," + "iVBORw0KGgo" * 100}
    assert json.loads(text_of(said)) == {"url": "data:image/png;base64,[left out]"}


def test_lone_surrogates_and_nulls_are_fit_for_a_database() -> None:
    """JSON may hold both; PostgreSQL takes neither."""
    told = text_of(rb'{"a": "\ud800", "b": "\u0000"}', ())
    assert told.encode()
    assert "\x00" not in told


@given(st.binary(max_size=400), st.integers(0, 300))
def test_whatever_it_is(body: bytes, most: int) -> None:
    """It ends, and is not longer than agreed."""
    redactor = Redactor(KINDS)
    assert len(redactor.body(body, len(body), most).text.encode()) <= most
    assert len(redactor.body(body, len(body) + 1, most).text.encode()) <= most


def test_deep_nesting() -> None:
    """Deeper than Python recurses."""
    body = b"[" * 50_000 + b'"john@example.com"'
    assert "john" not in text_of(body, most=MOST)
