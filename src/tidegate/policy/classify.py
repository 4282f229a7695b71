"""What a provider's refusal means: rows of its profile, first match wins.

A row may state status, error code, error type and a lower-case piece of text; see `provider-semantics` tables in the
profiles. What no row names is classed by its status alone, cautiously. O(rows), only on failures.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tidegate.model.outcome import Reason
from tidegate.model.snapshot import RefusalRule


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the provider said: its status and the fields of its error body ("" where absent)."""

    status: int
    code: str = ""
    type: str = ""
    text: str = ""


_BY_STATUS = {
    401: Reason.AUTH,
    403: Reason.AUTH,
    408: Reason.TRANSIENT,
    409: Reason.TRANSIENT,
    429: Reason.RATE,
    498: Reason.CAPACITY,
    503: Reason.OVERLOAD,
    529: Reason.OVERLOAD,
}


def by_status(status: int) -> Reason:
    """The class of a status that no row explains."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return Reason.FATAL if 400 <= status < 500 else Reason.TRANSIENT


def classify(refusal: Refusal, rules: Sequence[RefusalRule]) -> Reason:
    """The first matching row's class, else the status's."""
    text = refusal.text.lower()
    for rule in rules:
        if (
            (not rule.status or rule.status == refusal.status)
            and (not rule.code or rule.code == refusal.code)
            and (not rule.type or rule.type == refusal.type)
            and (not rule.text or rule.text in text)
        ):
            return Reason[rule.reason]
    return by_status(refusal.status)
