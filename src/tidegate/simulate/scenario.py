"""What is simulated: pools and their accounts, tenants and their habits, faults. The scenario file has this shape.

Units: `*_s` are seconds, `*_ms` milliseconds, `rpm`/`tpm` per 60 s, rates calls per second, sizes tokens.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Limit = Annotated[int, Meta(ge=1, le=10**12)]
Seconds = Annotated[float, Meta(ge=0, le=604_800)]
Milliseconds = Annotated[float, Meta(ge=0, le=3_600_000)]
Rate = Annotated[float, Meta(gt=0, le=1_000_000)]
Part = Annotated[float, Meta(ge=0, le=1)]
Discipline = Literal["dynamic", "weighted", "round_robin", "fifo"]
TierName = Literal["vip", "paid", "free", "batch"]

FOREVER_S = 604_800.0
DISCIPLINES: tuple[Discipline, ...] = ("dynamic", "weighted", "round_robin", "fifo")


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all parts of a scenario: immutable; a field nobody knows is an error."""


class Size(Record, frozen=True):
    """A log-normal number of tokens by its mean, at most `most`; `sigma` 0 is a constant."""

    mean: Annotated[float, Meta(ge=1, le=1e7)] = 500.0
    sigma: Annotated[float, Meta(ge=0, le=3)] = 0.0
    most: Annotated[int, Meta(ge=1, le=10**7)] = 10**7


class Spread(Record, frozen=True):
    """A log-normal time in milliseconds by its median; `sigma` 0 is a constant."""

    median: Annotated[float, Meta(ge=0, le=3_600_000)]
    sigma: Annotated[float, Meta(ge=0, le=3)] = 0.0


class Point(Record, frozen=True):
    """From `at_s` on calls come at `rate`; between two points the rate changes evenly."""

    at_s: Seconds
    rate: Annotated[float, Meta(ge=0, le=1_000_000)]


class Pattern(Record, frozen=True):
    """When the calls of a group arrive. `rate` is of all its tenants together.

    steady: evenly, tenant by tenant; poisson: at random; on_off: at random, `on_s` long, then nothing for `off_s`;
    curve: at random, at `rate` times what `points` draw.
    """

    kind: Literal["steady", "poisson", "on_off", "curve"] = "poisson"
    rate: Rate = 1.0
    on_s: Annotated[float, Meta(gt=0, le=86_400)] = 10.0
    off_s: Seconds = 20.0
    points: tuple[Point, ...] = ()
    from_s: Seconds = 0.0
    to_s: Seconds = FOREVER_S


class Group(Record, frozen=True):
    """Tenants with the same habits. `skew`: the nth calls as often as 1/n**skew of the first (0: all alike).

    `retry`, after a refusal: none; sdk = twice, at the named time or after a back-off, as the official SDKs do;
    return = once, within a second after the named time; hammer = `tries` times, every `pause_s`, whatever was named.
    """

    name: Name
    pattern: Pattern = Pattern()
    count: Count = 1
    tier: TierName = "paid"
    weight: Annotated[float, Meta(ge=0.001, le=1_000)] = 1.0
    skew: Annotated[float, Meta(ge=0, le=3)] = 0.0
    prompt: Size = Size(1_500.0)
    output: Size = Size(500.0)
    deadline_s: Annotated[float, Meta(ge=0.001, le=86_400)] = 60.0
    retry: Literal["none", "sdk", "return", "hammer"] = "none"
    tries: Annotated[int, Meta(ge=1, le=100)] = 5
    pause_s: Annotated[float, Meta(ge=0.001, le=3_600)] = 0.5


class Scope(Record, frozen=True):
    """`count` accounts with the same limits. `others`: the part of each quota that somebody else uses up."""

    name: Name
    count: Annotated[int, Meta(ge=1, le=4_096)] = 1
    rpm: Limit = 1_000_000
    tpm: Limit = 1_000_000
    others: Part = 0.0


class Pool(Record, frozen=True):
    """Accounts from which all calls are served, and how their provider limits and answers.

    `drained`: buckets begin empty, not full. `network_ms` is the least and
    the most delay of one way; `jitter_ms` is what the gate allows for.
    """

    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1)]
    window: Literal["continuous", "fixed", "sliding", "quantised"] = "continuous"
    charge: Literal["max", "sum", "prompt"] = "sum"
    settles: bool = True
    drained: bool = False
    estimate: Annotated[float, Meta(ge=1, le=4)] = 1.1  # the gate reserves this many times the prompt's tokens
    jitter_ms: Annotated[float, Meta(ge=0, le=30_000)] = 250.0
    network_ms: tuple[Milliseconds, Milliseconds] = (10.0, 60.0)
    ttft_ms: Spread = Spread(400.0, 0.4)
    tpot_ms: Spread = Spread(12.0, 0.2)
    max_waiting: Count = 10_000


class Fault(Record, frozen=True):
    """What goes wrong at `at_s`, and for how long.

    limits: every limit of `scope` times `factor`, unannounced; account: the account refuses its keys; overload: the
    provider answers nobody; owner: `owner` of the shards dies.
    """

    kind: Literal["limits", "account", "overload", "owner"]
    at_s: Seconds
    for_s: Seconds = FOREVER_S
    scope: str = ""  # of one account, such as a-2; empty: of all
    factor: Annotated[float, Meta(gt=0, le=100)] = 0.5
    owner: str = ""


class Shards(Record, frozen=True):
    """The pool is cut into `count` shards, each with a queue of its own, and `owners` share them by consistent hashing.

    `notice_ms`: after the death of an owner, until its shards are another's.
    """

    owners: Annotated[int, Meta(ge=2, le=1_024)] = 8
    count: Annotated[int, Meta(ge=2, le=4_096)] = 32
    notice_ms: Milliseconds = 500.0


class Scenario(Record, frozen=True):
    """A whole scenario. `watched`: so many tenants are compared with each other, in every interval."""

    title: str
    pool: Pool
    tenants: Annotated[tuple[Group, ...], Meta(min_length=1)]
    duration_s: Annotated[float, Meta(gt=0, le=604_800)] = 300.0
    warmup_s: Seconds = 60.0  # full buckets drain before use of quota and service are counted
    bucket_s: Annotated[float, Meta(gt=0, le=86_400)] = 5.0
    seed: int = 1
    schedulers: Annotated[tuple[Discipline, ...], Meta(min_length=1)] = DISCIPLINES
    watched: Annotated[int, Meta(ge=0, le=256)] = 48
    faults: tuple[Fault, ...] = ()
    shards: Shards | None = None
