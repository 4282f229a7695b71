"""Calls as they arrived, for who plays them once more: what the ledger knows of each, without what anybody said.

An arrival stands on one line of a file, as JSON; fields may be added at the end. Moments are wall-clock microseconds,
durations microseconds, money billionths of the house currency.
"""

from typing import Final

import msgspec

from tidegate.model.directory import Change

ANSWERED: Final = ""  # `Asked.reason` of an attempt that answered


class Asked(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One attempt: who was asked, how long after the call's arrival, and how it ended (`facts.Try.reason`)."""

    provider: str
    scope: str
    model: str
    after_us: int
    lasted_us: int
    status: int
    reason: str = ANSWERED


class Arrival(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A call, and what became of it. `hit`: the layer of the cache that answered it, "" = it was made, or refused.

    `tries` are told where the call's own fields do not tell them: of several attempts, or of one that did not answer.
    """

    at_us: int
    namespace: str = ""
    user: str = ""
    key: str = ""
    tier: str = ""
    plan: str = ""  # the strategy or model that served it
    model: str = ""  # that was asked for
    provider: str = ""  # that answered, "" = none
    scope: str = ""
    served: str = ""  # the model that answered
    status: int = 0  # as the client was told, 0 = its end was not seen
    streamed: bool = False
    estimated: bool = False
    attempts: int = 0
    degraded: str = ""
    queued_us: int = 0
    waited_us: int = 0
    first_byte_us: int = 0
    duration_us: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    written_tokens: int = 0
    charged_tokens: int = 0
    cost_nano: int = 0
    cache: str = ""
    job: str = ""
    tag: str = ""
    hit: str = ""
    tries: tuple[Asked, ...] = ()
    why: str = ""  # what befell it, in the words of the ledger: `refused over_quota`
    request_bytes: int = 0  # 0 = not known
    most_tokens: int = 0  # `max_tokens` as it was asked for, 0 = not known, or not stated
    deadline_us: int = 0  # that the client asked for, 0 = not known, or as its plan says


class ArrivalPage(msgspec.Struct, frozen=True):
    """Some of them, in the order of the ledger; `next` is what the next page begins behind, "" = there is none."""

    arrivals: tuple[Arrival, ...]
    next: str = ""


class CallerPage(msgspec.Struct, frozen=True):
    """Some of those who may call beside the file, without what their keys are known by; `next` 0 = that is all."""

    callers: tuple[Change, ...]
    next: int = 0


class ArrivalsFile(msgspec.Struct, frozen=True, tag_field="tidegate", tag="arrivals"):
    """The first line of a file of arrivals. `at_us`: when it was written; the next lines are so many callers."""

    at_us: int
    version: int = 1
    callers: int = 0
