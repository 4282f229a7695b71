"""From the journal's facts to rows. Pure. Values stand in the order of their table's columns; about 1 µs a row.

What is true is 1: SQLite's driver takes longer to adapt a `bool` than to write the row.

Names come from clients and providers too: what a database cannot hold (NUL, too long) is made such that it can. Few
names make up most rows, so those of a call are looked at together, once for all calls that are alike (`names`).
"""

from functools import lru_cache
from typing import Any, Final

from tidegate.model.facts import CallRecord, Try
from tidegate.model.story import ASKED, BROKE, CHOSEN, DEGRADED, DRAINED, LIMITED, MOVED, REFUSED
from tidegate.model.trace import trace_id
from tidegate.units import DAY_US

Row = tuple[Any, ...]

_NAME: Final = 128
_LONG: Final = 1_024
_WHY: Final = 256
_LINES: Final = 4_096
_KNOWN: Final = 4_096  # names that are remembered
_WORDS: Final = frozenset({BROKE, DEGRADED, LIMITED, MOVED, REFUSED})  # steps by which calls are looked for
_WITH_WHY: Final = frozenset({BROKE, LIMITED, REFUSED})


def name(text: str, most: int = _NAME) -> str:
    """The text as a column holds it: without NUL, cut to `most` characters."""
    if len(text) <= most and "\0" not in text:
        return text
    return text.replace("\0", "�")[:most]


@lru_cache(_KNOWN)
def parts(target: str) -> tuple[str, str, str]:
    """Provider, scope and model of a target; the last may have slashes. Empty where there is none."""
    provider, _, rest = target.partition("/")
    scope, _, model = rest.partition("/")
    return name(provider), name(scope), name(model)


def day_of(at_us: int) -> int:
    """Days since 1970, UTC."""
    return at_us // DAY_US


def names(of: CallRecord) -> Row:
    """The columns of `calls` from `namespace` to `degraded`."""
    return (
        name(of.tenant),
        name(of.user),
        name(of.client),
        name(of.tier),
        name(of.plan),
        name(of.model),
        *parts(of.target),
        name(of.tag),
        name(of.degraded, _LONG),
    )


def call_row(journal: int, of: CallRecord, named: Row) -> Row:
    """The row of `calls`; `named` is what `names` gives. Durations that a stepped clock made negative are 0."""
    return (
        of.at_us // DAY_US,
        journal,
        of.call_id,
        of.at_us,
        *named,
        of.status,
        of.attempts,
        1 if of.streamed else 0,
        1 if of.estimated else 0,
        of.queued_us if of.queued_us > 0 else 0,
        of.waited_us if of.waited_us > 0 else 0,
        of.first_byte_us if of.first_byte_us > 0 else 0,
        of.duration_us if of.duration_us > 0 else 0,
        of.prompt_tokens,
        of.completion_tokens,
        of.cached_tokens,
        of.written_tokens,
        of.charged_tokens,
        of.cost_nano,
        of.cache[:_NAME],  # the gate's own words, often no other call's
        of.job[:_NAME],
        trace_id(of.trace),
        of.request[:_NAME],
        of.account,
        of.read_us if of.read_us > 0 else 0,
        of.first_token_us if of.first_token_us > 0 else 0,
        of.request_bytes,
        of.answer_bytes,
        of.most_tokens,
        of.deadline_us if of.deadline_us > 0 else 0,
        why(of) if of.story or of.tries else "",
        of.reserved_tokens,
    )


def why(of: CallRecord) -> str:
    """What befell a call, in the words by which it is looked for: each once, in their order."""
    words = [one.reason for one in of.tries if one.reason]
    for step in of.story:
        if step.what == ASKED:
            words.append(step.why)
        elif step.what == CHOSEN:
            words.append(MOVED if step.why == "soonest" else "")
            words.append(DRAINED if any(value == DRAINED for _, value in step.figures) else "")
        elif step.what in _WORDS:
            words += [step.what, step.why if step.what in _WITH_WHY else ""]
    return name(" ".join(dict.fromkeys(word for word in words if word and " " not in word)), _WHY)


def attempt_row(journal: int, of: CallRecord, number: int, one: Try) -> Row:
    """The row of `attempts` for the attempt of this number, from 1."""
    return (
        of.at_us // DAY_US,
        journal,
        of.call_id,
        number,
        one.at_us,
        one.duration_us if one.duration_us > 0 else 0,
        *parts(one.target),
        one.status,
        name(one.reason),
        1 if one.estimated else 0,
        one.prompt_tokens,
        one.completion_tokens,
        one.cached_tokens,
        one.written_tokens,
        one.charged_tokens,
        one.cost_nano,
        one.account,
        name("\n".join(f"{key}: {value}" for key, value in one.headers), _LINES) if one.headers else "",
        one.first_byte_us if one.first_byte_us > 0 else 0,
        one.reserved_tokens,
    )
