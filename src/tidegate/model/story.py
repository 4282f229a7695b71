"""What happened to a call besides the obvious, in the order in which it happened.

A call that is served at once, by its first attempt, has no story: its record tells all. A step is added where a
decision was made that could have gone otherwise, or somebody had to wait.
"""

from typing import Final

import msgspec

CHOSEN: Final = "chosen"  # of several targets, or none of them: figures name each candidate's wait
PICKED: Final = "picked"  # of several lanes of a pool, or none of them: `lanes` tell how each stood; why: by which rule
SMOOTHED: Final = "smoothed"  # held near the wall: `used_permille`
QUEUED: Final = "queued"  # for its turn: `ahead`, `pool`; why: quota | turn | bound | concurrency | shut
PAUSED: Final = "paused"  # before another attempt: why is the provider's word, or ours
ASKED: Final = "asked"  # one attempt, the `try`-th of the call's tries; one that never left has an `error` instead
MOVED: Final = "moved"  # to the next target, `from` another: why
DEGRADED: Final = "degraded"  # given less: what
LIMITED: Final = "limited"  # waited for, or was refused by, its tenant's own limits: which
CACHED: Final = "cached"  # what the cache said, where it waited for it
REFUSED: Final = "refused"  # why, and the time that was told
BROKE: Final = "broke"  # a stream after its first content: why, and `then`: fail | continue | restart

DRAINED: Final = "drained"  # instead of a candidate's wait: an operator has taken its accounts out of service
AWAY: Final = "away"  # as well: the shared state is, and nothing of its quota is spent without

OPEN: Final = "open"  # how a lane stood: it could serve at once
SHORT: Final = "short"  # not enough of its quota was left
LARGE: Final = "large"  # its limit is less than the call takes
COOLING: Final = "cooling"  # it was refused by its provider, and is left alone for a while
PROBING: Final = "probing"  # as well, and another call tries whether that is over
BUSY: Final = "busy"  # it carries as many calls as it may

MOST: Final = 32  # of a call; the last one counts those that were dropped before it


class LaneSeen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How one lane of a pool stood when a call's was picked, or none was. A limit of 0: there is none.

    `score` is what the pool's rule compares: see each strategy of `policy/pick`.
    """

    scope: str
    state: str  # one of the words above
    wait_us: int = 0  # until it could serve, as far as that was known
    requests: int = 0  # left; negative in debt
    request_limit: int = 0
    tokens: int = 0
    token_limit: int = 0
    outputs: int = 0  # tokens of answers, where these have a limit of their own
    output_limit: int = 0
    calls: int = 0  # in flight
    score: int = 0


class Step(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One of them. `figures` are names with what was measured or found; no text of a client's or a provider's body."""

    what: str
    after_us: int  # since the call arrived
    lasted_us: int
    target: str = ""  # provider/scope/model, or a model; "" = none
    why: str = ""
    figures: tuple[tuple[str, int | str], ...] = ()
    lanes: tuple[LaneSeen, ...] = ()  # of which one was picked
