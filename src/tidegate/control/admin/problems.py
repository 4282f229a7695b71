"""Refusals of the admin API: RFC 9457 problem details, each naming the field at fault and the remedy.

Nothing that a client sent is repeated but the names of fields, cut and without control characters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

MEDIA_TYPE = "application/problem+json"
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field (`limits.rpm`, `path.namespace`, `header.host`), and what would be right."""

    field: str
    problem: str
    remedy: str


class Refused(Exception):
    """A call that is not carried out: the status, and why."""

    def __init__(
        self,
        status: int,
        faults: Sequence[Fault],
        headers: Sequence[tuple[str, str]] = (),
        more: Mapping[str, object] | None = None,
    ) -> None:
        """`more`: members of the document beside those that every refusal has."""
        super().__init__("; ".join(f"{fault.field}: {fault.problem}" for fault in faults))
        self.status = status
        self.faults = tuple(faults)
        self.headers = tuple(headers)
        self.more = dict(more or {})


def refused(status: int, field: str, problem: str, remedy: str, *headers: tuple[str, str]) -> Refused:
    """A refusal for the sake of one field."""
    return Refused(status, (Fault(field, problem, remedy),), headers)


def body_of(refusal: Refused) -> bytes:
    """The JSON document."""
    return msgspec.json.encode(document_of(refusal))


def document_of(refusal: Refused) -> dict[str, object]:
    """`type` and `title` tell the status; `errors` holds a member for each fault."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "detail": "; ".join(f"{fault.field}: {fault.problem}; {fault.remedy}" for fault in refusal.faults),
        "errors": [
            {"field": fault.field, "problem": fault.problem, "remedy": fault.remedy} for fault in refusal.faults
        ],
        **refusal.more,
    }


def told(name: object) -> str:
    """A name that a client chose, fit to be shown: printable, and not longer than it needs to be."""
    text = "".join(sign if sign.isprintable() else "?" for sign in str(name)[:_LONGEST])
    return text or "?"
