"""From records to what columns hold."""

import pytest

from tidegate.jobs.records import Owner
from tidegate.jobs.rows.names import backend_name, cut, once_key, plain, tags_text, tenant_name


@pytest.mark.parametrize(
    ("text", "kept"),
    [("plain", "plain"), ("\u4e2d", "\u4e2d"), ("a\0b", "a\ufffdb"), ("\ud800x", "?x"), ("\u4e2d\0", "\u4e2d\ufffd")],
)
def test_texts_are_such_as_both_databases_hold(text: str, kept: str) -> None:
    """Of whole characters, and without NUL."""
    assert plain(text) == kept
    assert cut("x" * 200 + text) == "x" * 128


@pytest.mark.parametrize(
    ("backend", "name"),
    [
        ("", ""),
        ("sqlite:///somewhere/jobs.db", ""),
        ("redis://gate:secret@cache.example:6379/1", "redis://cache.example:6379/1"),
        ("amqps://gate:secret@mq.example/jobs?heartbeat=5", "amqps://mq.example/jobs"),
    ],
)
def test_a_backend_is_known_by_a_name_without_secrets(backend: str, name: str) -> None:
    """The same whether its URL is given or its name."""
    assert backend_name(backend) == name
    assert backend_name(name) == name


def test_a_tenant_is_a_namespace_or_else_a_key() -> None:
    """Which may have the same name."""
    names = {tenant_name(owner) for owner in (Owner("a", "k"), Owner("a", "l", "u"), Owner("", "a"), Owner())}
    assert names == {"n:a", "k:a", "k:"}


def test_keys_and_tags_are_short() -> None:
    """However long they were; what is none is nothing."""
    assert once_key(b"") is None
    assert len(once_key(b"x" * 10_000) or "") == 64
    assert tags_text(()) == ""
    assert tags_text(["a" * 200, '"']) == '["' + "a" * 128 + '","\\""]'
