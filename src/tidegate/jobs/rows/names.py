"""From records to what columns hold, and back."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Row

from tidegate.jobs.records import Job, Owner
from tidegate.model.jobs import EMBEDDED, shown

_NAME: Final = 128
_LONG: Final = 1_024
_TAGS: Final = msgspec.json.Decoder(tuple[str, ...])
_Item = TypeVar("_Item")


def cut(text: str, most: int = _NAME) -> str:
    """The text as a column holds it: of whole characters, without NUL, cut to `most`."""
    return plain(text)[:most]


def reason(text: str) -> str:
    """Why, not too long."""
    return cut(text, _LONG)


def plain(text: str) -> str:
    """The text of whole characters, without NUL: PostgreSQL holds no others."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "�")


def backend_name(backend: str) -> str:
    """A backend as rows know it: without its credentials, which may change. The same for a name as for its URL."""
    named = shown(backend)
    return EMBEDDED if named == shown(EMBEDDED) else named


def tenant_name(owner: Owner) -> str:
    """Whose turn it is: a namespace, else a key of its own."""
    return f"n:{cut(owner.namespace)}" if owner.namespace else f"k:{cut(owner.client)}"


def once_key(once: bytes) -> str | None:
    """A key as it is kept: always as short."""
    return hashlib.sha256(once).hexdigest() if once else None


def tags_text(tags: Sequence[str]) -> str:
    """As JSON; "" where there are none."""
    return msgspec.json.encode([cut(tag) for tag in tags]).decode() if tags else ""


def pieces(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """The items, so many at a time."""
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece


def job_of(row: Row[Any]) -> Job:
    """The record of a row of `jobs`."""
    return Job(
        id=row.id,
        owner=owner_of(row),
        path=row.path,
        model=row.model,
        backend=row.backend,
        state=row.state,
        reason=row.reason,
        priority=-row.rank,
        not_before_us=row.not_before_us,
        deadline_us=row.deadline_us,
        created_us=row.created_us,
        started_us=row.started_us,
        finished_us=row.finished_us,
        attempts=row.attempts,
        crashes=row.crashes,
        fence=row.fence,
        tags=_TAGS.decode(row.tags) if row.tags else (),
        webhook=row.webhook,
        stream=bool(row.stream),
        batch=row.batch,
        line=row.line,
        custom_id=row.custom_id,
        status=row.status,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        cancelling=bool(row.cancelling),
        version=row.version,
    )


def owner_of(row: Row[Any]) -> Owner:
    """Whose it is."""
    return Owner(row.namespace, row.client, row.user)


def is_of(row: Row[Any], owner: Owner | None) -> bool:
    """Whether it is that owner's; None: an operator looks."""
    if owner is None:
        return True
    if owner.namespace:
        return bool(row.namespace == cut(owner.namespace))
    return not row.namespace and bool(row.client == cut(owner.client))
