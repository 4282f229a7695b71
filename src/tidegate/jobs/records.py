"""What is known of a job: the records that rows, runners, brokers and the desk hand to each other.

`*_us` are microseconds of the wall clock since 1970; 0 = none. A *fence* counts the times a job was handed out: who
holds an older one has lost it, and nothing that it says counts (Kleppmann, "How to do distributed locking", 2016).
"""

import msgspec

from tidegate.model.jobs import EMBEDDED, QUEUED


class Owner(msgspec.Struct, frozen=True):
    """Whose it is, as the worker told. Who has a namespace shares with all of it; else with the key alone."""

    namespace: str = ""
    client: str = ""  # name of the key, "" = the gate is open
    user: str = ""


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job before it is accepted."""

    id: str
    owner: Owner
    path: str  # of the call, with its query: /v1/chat/completions
    body: bytes  # as it is sent to the gate: never a stream
    headers: bytes = b""  # header lines that go with it, each with CRLF
    model: str = ""  # as it was asked for: a model or a strategy
    backend: str = EMBEDDED
    priority: int = 0  # -100 to 100, higher first among the jobs of one tenant
    not_before_us: int = 0
    deadline_us: int  # when it is dead, done or not
    tags: tuple[str, ...] = ()
    webhook: str = ""  # URL that is told of its end
    once: bytes = b""  # its Idempotency-Key: one job for each (owner, key)
    digest: bytes = b""  # of what was asked, so that a key is not used for two
    stream: bool = False  # its client wants a stream; what is kept is the whole answer
    batch: str = ""
    line: int = 0  # of its batch's input, from 1
    custom_id: str = ""


class Submitted(msgspec.Struct, frozen=True):
    """What became of a `NewJob`."""

    id: str  # of the job that there is now: an earlier one where its key was used before
    again: bool = False
    conflict: bool = False  # the key was used for something else: nothing was made
    full: bool = False  # the tenant has `max_queued` jobs that have not ended: nothing was made


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it stands, without what it asks and what it was answered."""

    id: str
    owner: Owner
    path: str
    model: str
    backend: str
    state: str = QUEUED
    reason: str = ""  # why it waits again, failed, is dead: a word, then ": " and what was said
    priority: int = 0
    not_before_us: int = 0
    deadline_us: int = 0
    created_us: int = 0
    started_us: int = 0  # when it was first handed out
    finished_us: int = 0
    attempts: int = 0  # failures and the one that runs; being told to wait does not count
    crashes: int = 0  # runners that died over it
    fence: int = 0
    tags: tuple[str, ...] = ()
    webhook: str = ""
    stream: bool = False
    batch: str = ""
    line: int = 0
    custom_id: str = ""
    status: int = 0  # of its answer, 0 = none
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cancelling: bool = False  # somebody wants it cancelled, and its runner has not said so yet
    version: int = 0  # grows with each change


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """A job that was handed to a runner, and is its own while it is renewed."""

    id: str
    fence: int
    owner: Owner
    path: str
    headers: bytes
    body: bytes
    deadline_us: int
    attempts: int  # failures before this one
    crashes: int
    cancelling: bool = False
    until_us: int = 0  # of the lease


class Result(msgspec.Struct, frozen=True):
    """The gate's answer, as it came."""

    status: int
    head: bytes  # header lines for the client, each with CRLF
    body: bytes


class End(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended, and what becomes of its job: an end, or `queued` again at `not_before_us`."""

    id: str
    fence: int
    state: str
    reason: str = ""
    not_before_us: int = 0
    counts: bool = True  # as an attempt; else, `queued` again, it leaves no `Attempt` behind
    result: Result | None = None
    call_id: str = ""  # the gate's id of the call, as in its ledger: req_…; "" = it never answered
    began_us: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Attempt(msgspec.Struct, frozen=True):
    """One time that a job was handed out. One that went back to the queue and did not count is not kept."""

    fence: int
    runner: str
    began_us: int
    ended_us: int
    outcome: str  # running | done | failed | again | dead | cancelled | lost
    reason: str = ""
    status: int = 0
    call_id: str = ""


class Dispatch(msgspec.Struct, frozen=True):
    """A job that is due and is given to its broker."""

    id: str
    fence: int  # as it was then: a message that comes later than that is an old one
    priority: int = 0


class Reaped(msgspec.Struct, frozen=True):
    """What a look at the leases found."""

    again: tuple[str, ...] = ()  # their runner died
    dead: tuple[str, ...] = ()  # and too often; or their time is over


class Depth(msgspec.Struct, frozen=True):
    """How many jobs of a backend stand so, and since when the oldest of them; 0: none of them is due."""

    backend: str
    state: str
    jobs: int
    oldest_us: int = 0


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which jobs are listed, the newest first. Empty fields fit all."""

    owner: Owner | None = None  # None: an operator looks
    client: str = ""  # the key that made it, of those that `owner` sees
    states: tuple[str, ...] = ()
    model: str = ""
    tag: str = ""
    batch: str = ""
    before: str = ""  # an id: older ones than this
    limit: int = 20
