"""What imitations are asked, what they answer, and what they keep."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol


class Asked(NamedTuple):
    """One POST."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes


class Said(NamedTuple):
    """The answer to it."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class Kept(NamedTuple):
    """A message that was taken."""

    channel: str
    at_s: float
    title: str
    text: str
    message: Any  # the whole of it, decoded


class Taken(NamedTuple):
    """What one request came to: an answer, and the message where it was taken."""

    said: Said
    kept: Kept | None = None


class Imitation(Protocol):
    """One service. Pure but for what it remembers; `now_s` is seconds since 1970."""

    name: str
    path: str  # with its token

    def take(self, asked: Asked, now_s: float) -> Taken:
        """Judge one request."""


class Refusal(Exception):
    """What is wrong with a request, by the service's code and words."""

    def __init__(self, code: int | str, words: str = "", status: int = 200) -> None:
        super().__init__(words)
        self.code = code
        self.words = words
        self.status = status


def in_json(status: int, content: object, headers: tuple[tuple[str, str], ...] = ()) -> Said:
    """An answer in JSON."""
    return Said(status, json.dumps(content, ensure_ascii=False).encode(), headers=headers)


def decoded(asked: Asked, wrong_type: Refusal, wrong: Refusal) -> dict[str, Any]:
    """The body as a mapping. Raises one of these."""
    if not asked.headers.get("content-type", "").lower().startswith("application/json"):
        raise wrong_type
    try:
        found = json.loads(asked.body.decode())
    except (ValueError, RecursionError):
        raise wrong from None
    if not isinstance(found, dict):
        raise wrong
    return found
