"""From the journal's facts to rows. Pure.

Names come from clients and providers too: what a database cannot hold (NUL, too long) is made such that it can.
"""

from typing import Any, Final

from tidegate.model.facts import CallRecord, Try
from tidegate.store.metadata import DAY_US

Row = dict[str, Any]

_NAME: Final = 128
_LONG: Final = 1_024
_LARGEST: Final = (1 << 63) - 1


def name(text: str, most: int = _NAME) -> str:
    """The text as a column holds it: without NUL, cut to `most` characters."""
    if "\0" in text:
        text = text.replace("\0", "�")
    return text[:most]


def parts(target: str) -> tuple[str, str, str]:
    """Provider, scope and model of a target; the last may have slashes. Empty where there is none."""
    provider, _, rest = target.partition("/")
    scope, _, model = rest.partition("/")
    return name(provider), name(scope), name(model)


def day_of(at_us: int) -> int:
    """Days since 1970, UTC."""
    return at_us // DAY_US


def call_row(journal: int, record: CallRecord) -> Row:
    """The row of `calls`. Durations that a stepped clock made negative are 0."""
    provider, scope, served = parts(record.target)
    return {
        "day": day_of(record.at_us),
        "journal": journal,
        "call_id": record.call_id,
        "at_us": record.at_us,
        "namespace": name(record.tenant),
        "user": name(record.user),
        "key": name(record.client),
        "tier": name(record.tier),
        "plan": name(record.plan),
        "model": name(record.model),
        "provider": provider,
        "scope": scope,
        "served": served,
        "tag": name(record.tag),
        "degraded": name(record.degraded, _LONG),
        "status": record.status,
        "attempts": record.attempts,
        "streamed": record.streamed,
        "estimated": record.estimated,
        "queued_us": max(0, record.queued_us),
        "waited_us": max(0, record.waited_us),
        "first_byte_us": max(0, record.first_byte_us),
        "duration_us": max(0, record.duration_us),
        **_tokens(record),
    }


def try_row(journal: int, record: CallRecord, number: int, one: Try) -> Row:
    """The row of `tries` for the attempt of this number, from 1."""
    provider, scope, model = parts(one.target)
    return {
        "day": day_of(record.at_us),
        "journal": journal,
        "call_id": record.call_id,
        "number": number,
        "at_us": one.at_us,
        "duration_us": max(0, one.duration_us),
        "provider": provider,
        "scope": scope,
        "model": model,
        "status": one.status,
        "reason": name(one.reason),
        "estimated": one.estimated,
        **_tokens(one),
    }


def _tokens(of: CallRecord | Try) -> Row:
    return {
        "prompt_tokens": min(of.prompt_tokens, _LARGEST),
        "completion_tokens": min(of.completion_tokens, _LARGEST),
        "cached_tokens": min(of.cached_tokens, _LARGEST),
        "written_tokens": min(of.written_tokens, _LARGEST),
        "charged_tokens": min(of.charged_tokens, _LARGEST),
        "cost_nano": min(of.cost_nano, _LARGEST),
    }
