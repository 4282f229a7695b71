"""What a prompt begins with, and whose conversation it says to be.

A conversation keeps its tools, its instructions and its first question while it grows: these are how it is recognised.
Read only where a pool wants it; O(bytes) at C speed.
"""

import msgspec

from tidegate.model.call import Kind
from tidegate.providers.reading import UNREADABLE

_LONGEST = 4_096  # bytes of a prompt that is one text


class _Body(msgspec.Struct, gc=False):
    messages: list[msgspec.Raw] = []
    prompt: msgspec.Raw = msgspec.Raw()
    input: msgspec.Raw = msgspec.Raw()
    instructions: msgspec.Raw = msgspec.Raw()
    system: msgspec.Raw = msgspec.Raw()
    tools: msgspec.Raw = msgspec.Raw()
    functions: msgspec.Raw = msgspec.Raw()


class _Metadata(msgspec.Struct, gc=False):
    user_id: str | None = None


class _Named(msgspec.Struct, gc=False):
    prompt_cache_key: str | None = None
    user: str | None = None
    metadata: _Metadata | None = None


class _Message(msgspec.Struct, gc=False):
    role: str = ""


_decode_body = msgspec.json.Decoder(_Body).decode
_decode_named = msgspec.json.Decoder(_Named).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_message = msgspec.json.Decoder(_Message).decode


def opening(kind: Kind, body: bytes) -> tuple[bytes, ...]:
    """The tools and all messages up to the first of the user; a completion's first bytes. Empty when there is none."""
    try:
        fields = _decode_body(body)
        if kind is Kind.CHAT or kind is Kind.MESSAGES:
            prompt = _to_the_user(fields.messages)
        elif kind is Kind.RESPONSES:
            given = bytes(fields.input)
            items = _to_the_user(_decode_items(given)) if given.startswith(b"[") else [given[:_LONGEST]]
            prompt = [bytes(fields.instructions), *items] if given else []
        else:
            prompt = [bytes(fields.prompt)[:_LONGEST]] if kind is Kind.COMPLETION and fields.prompt else []
    except UNREADABLE:
        return ()
    return (bytes(fields.tools), bytes(fields.functions), bytes(fields.system), *prompt) if prompt else ()


def session(body: bytes) -> str:
    """The conversation or end user that the body names: `prompt_cache_key`, `user`, `metadata.user_id`; "" for none."""
    if b'"prompt_cache_key"' not in body and b'"user"' not in body and b'"user_id"' not in body:
        return ""
    try:
        named = _decode_named(body)
    except UNREADABLE:
        return ""
    return named.prompt_cache_key or named.user or (named.metadata and named.metadata.user_id) or ""


def _to_the_user(messages: list[msgspec.Raw]) -> list[bytes]:
    found = []
    for message in messages:
        found.append(bytes(message))
        if _decode_message(message).role == "user":
            break
    return found
