"""What the conversations with the line have in common: configurations, replies, streams."""

import asyncio
import json
from collections.abc import Coroutine, Sequence
from typing import TypeVar

import msgspec

from tidegate.line.attempt import Answered
from tidegate.line.keys import KeyRing
from tidegate.line.lane import Experience, Lane, Organisation, Service
from tidegate.line.pool import Permit, Pool
from tidegate.line.service import service
from tidegate.model import snapshot as snapshots
from tidegate.model.call import Call, Kind, Shape
from tidegate.model.outcome import Reason
from tidegate.model.reply import Refused
from tidegate.model.snapshot import (
    Limits,
    ModelEntry,
    Profile,
    Provider,
    QueueSettings,
    RefusalRule,
    Scope,
    SmoothingPolicy,
    Snapshot,
    Strategy,
)
from tidegate.model.tenant import NOBODY
from tidegate.policy.failure.health import Health
from tidegate.policy.learned.concurrency import Concurrency
from tidegate.policy.pick import make as make_strategy
from tidegate.policy.queue.dispatcher import Rules, Waiting
from tidegate.policy.queue.outlet import Cap, Outlet
from tidegate.policy.quota.average import Average
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.estimate import Estimator, measure
from tidegate.policy.quota.pace import Pace
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.policy.quota.speed import Speed
from tidegate.policy.schedule.make import make as make_scheduler
from tidegate.providers.openai import request as chat
from tidegate.testing import ManualClock, Playbook, Reply, ScriptedTransport
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer
from tidegate.testing.transport import ScriptedStream

LaneT = TypeVar("LaneT", bound=Outlet)

MS = 1_000
MINUTE = 60 * SECOND
DEADLINE = 120 * SECOND
EVENTS = [(b"content-type", b"text/event-stream")]
DONE = b"data: [DONE]\n\n"
CALM = SmoothingPolicy(delay_us=0)  # for conversations that are not about smoothing

OK = Reply(200, [], answer())
RULES = (
    RefusalRule("BILLING", code="insufficient_quota"),
    RefusalRule("BILLING", text="not in your plan", scope="model"),
    RefusalRule("TOO_LARGE", status=429, text="request too large"),
    RefusalRule("RATE", status=429),
    RefusalRule("OVERLOAD", status=503),
    RefusalRule("AUTH", status=401),
    RefusalRule("POLICY", code="content_filter"),
    RefusalRule("FATAL", status=400),
)
PROFILE = Profile("openai", "openai", "2026-11-01", "test", jitter_us=0, refusals=RULES)
FREE = msgspec.structs.replace(PROFILE, charge="prompt", cached_free=True)  # what is cached costs nothing
TPM = 60_000


def refusal(status: int, code: str = "", *, after: int = 0, message: str = "m") -> Reply:
    """A provider's error; `after` is its Retry-After in seconds."""
    headers = [(b"retry-after", b"%d" % after)] if after else []
    return Reply(status, headers, json.dumps({"error": {"message": message, "type": "t", "code": code}}).encode())


def said(after: int = 0) -> Reply:
    """An ordinary 429."""
    return refusal(429, "rate_limit_exceeded", after=after)


def shown(limit: int, left: int, *, kind: str = "tokens", reset: bytes = b"1s", status: int = 200) -> Reply:
    """An answer with rate-limit headers of one dimension."""
    name = kind.encode()
    headers = [
        (b"x-ratelimit-limit-" + name, b"%d" % limit),
        (b"x-ratelimit-remaining-" + name, b"%d" % left),
        (b"x-ratelimit-reset-" + name, reset),
    ]
    return Reply(status, headers, answer())


def provider(
    name: str = "openai",
    limits: dict[str, Limits] | None = None,
    *,
    keys: tuple[str, ...] = ("sk-1",),
    scopes: tuple[Scope, ...] = (),
    models: dict[str, ModelEntry] | None = None,
    profile: Profile = PROFILE,
) -> Provider:
    scopes = scopes or (Scope("main", keys, limits if limits is not None else {"a": Limits(3_000, 60_000)}),)
    return Provider(name, f"http://{name}.test/v1", profile, scopes, models or {})


def snapshot(*providers: Provider, max_calls: int = 10_000, **strategy: object) -> Snapshot:
    """One strategy `s` when any of its fields is given; else plain models, without smoothing."""
    calm = Strategy("", "", smoothing=CALM)
    strategies: tuple[Strategy, ...] = ()
    if strategy:
        strategies = (Strategy(**{"name": "s", "primary_model": "a", "smoothing": CALM, **strategy}),)  # type: ignore[arg-type]
    return Snapshot(
        version=1,
        providers=providers or (provider(),),
        strategies=strategies,
        defaults=calm,
        queue=QueueSettings(max_calls),
    )


def play_of(*providers: Provider, luck: float = 0.0, max_calls: int = 10_000, **strategy: object) -> Playbook:
    return Playbook(snapshot(*providers, max_calls=max_calls, **strategy), luck=luck)


def loyal_play(profile: Profile = FREE, scopes: int = 3) -> Playbook:
    """One pool of several scopes of `TPM` each, by affinity."""
    names = [f"s{number}" for number in range(scopes)]
    given = tuple(Scope(name, (f"sk-{name}",), {"a": Limits(0, TPM)}) for name in names)
    pool = snapshots.Pool("main", "openai", tuple(names), pick="affinity")
    calm = Strategy("", "", smoothing=CALM)
    return Playbook(Snapshot(1, (provider(scopes=given, profile=profile),), defaults=calm, pools=(pool,)))


def lane_of(play: Playbook, model: str = "a", target: int = 0, lane: int = 0) -> Lane:
    plan = play.book.plan(model)
    assert plan is not None
    return plan.targets[target].pools[0].lanes[lane]


def tokens_left(play: Playbook, model: str = "a", target: int = 0) -> int:
    return lane_of(play, model, target).quota.tokens[0].left(play.clock.now())


def requests_left(play: Playbook, model: str = "a", target: int = 0) -> int:
    return lane_of(play, model, target).quota.requests[0].left(play.clock.now())


def spend(play: Playbook, tokens: int, model: str = "a") -> None:
    """Somebody has used so much of the lane's quota just now."""
    lane_of(play, model).quota.tokens[0].take(tokens, play.clock.now())


def served(outcome: Answered | Refused) -> Answered:
    assert isinstance(outcome, Answered), outcome
    return outcome


def refused(outcome: Answered | Refused) -> Refused:
    assert isinstance(outcome, Refused), outcome
    return outcome


def reasons(play: Playbook) -> list[Reason | None]:
    return [reason for _, reason in play.recorder.attempts]


def lanes_tried(play: Playbook) -> list[str]:
    return [lane for lane, _ in play.recorder.attempts]


# ── one provider, two models ─────────────────────────────────────────────────────────────────────────────────────────

BOTH = {"a": Limits(6_000, 60_000), "b": Limits(6_000, 60_000)}  # 1,000 tokens a second each


def with_fallback(luck: float = 0.0, max_calls: int = 10_000, **strategy: object) -> Playbook:
    """Strategy `s`: primary a, fallback b, both at one provider."""
    fields = {"fallback_models": ("b",), **strategy}
    return play_of(provider(limits=BOTH), luck=luck, max_calls=max_calls, **fields)


def models_sent(play: Playbook, name: str = "openai") -> list[str]:
    bodies = [sent.body for sent in play.sent(name)]
    return [
        "b" if b'"model":"b"' in body or b'"model": "b"' in body else "a" for body in bodies if isinstance(body, bytes)
    ]


async def finish(play: Playbook, running: Sequence["asyncio.Task[Answered | Refused]"], reply: Reply = OK) -> None:
    """Time passes, and the provider answers everything alike, until all calls have ended."""
    for _ in range(200):
        await settle()
        while play.transports["openai"].open:
            await play.provider("openai", reply)
        if all(task.done() for task in running):
            return
        await play.until(play.elapsed + SECOND)
    raise AssertionError("some calls never end")


# ── streams ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def chunk(text: str | None = None, **fields: object) -> bytes:
    delta = {"role": "assistant", "content": ""} if text is None else {"content": text}
    return b"data: %b\n\n" % json.dumps({"choices": [{"index": 0, "delta": delta}], **fields}).encode()


def usage_chunk(prompt: int = 9, completion: int = 2) -> bytes:
    usage = {"prompt_tokens": prompt, "completion_tokens": completion}
    return b"data: %b\n\n" % json.dumps({"choices": [], "usage": usage}).encode()


def streaming(*told: tuple[bytes, bytes]) -> tuple[Reply, ScriptedStream]:
    """`told`: further lines of its head."""
    stream = ScriptedStream()
    return Reply(200, [*EVENTS, *told], b"", stream), stream


class Client:
    """`Downstream` that keeps what it gets."""

    def __init__(self) -> None:
        self.body = b""
        self.ended = False
        self.aborted = False

    def write(self, data: bytes) -> None:
        assert not self.ended
        self.body += data

    def end(self) -> None:
        assert not self.ended
        self.ended = True

    def abort(self) -> None:
        self.aborted = True


# ── rooms alone ──────────────────────────────────────────────────────────────────────────────────────────────────────


def pool_of(clock: ManualClock, rpm: int = 0, tpm: int = 0, max_waiting: int = 10_000) -> Pool[Outlet]:
    """A pool of one bare outlet, first come first served."""
    now = clock.now()
    requests = (Bucket(rpm, now),) if rpm else ()
    tokens = (Bucket(tpm, now),) if tpm else ()
    return pool_over(clock, Outlet("one", Quota(requests, tokens)), max_waiting=max_waiting)


def pool_over(clock: ManualClock, *lanes: LaneT, max_waiting: int = 10_000) -> Pool[LaneT]:
    """A pool of these lanes, first come first served."""
    rules = Rules(max_waiting)
    pool = Pool("p", clock, lanes, rules, make_scheduler("fifo"), make_strategy("headroom"), lambda: 0.0)
    for lane in lanes:
        if isinstance(lane, Lane):
            lane.pool = pool
    return pool


def service_of(transport: ScriptedTransport | None = None, profile: Profile = PROFILE) -> Service:
    snapshot = Provider("openai", "https://openai.test/v1", profile, ())
    return service(snapshot, transport or ScriptedTransport(), "d")


def lane_alone(clock: ManualClock, limits: Limits, profile: Profile = PROFILE) -> Lane:
    """A lane with a pool of its own."""
    organisation = Organisation("main", Health(), Cap())
    experience = Experience(Estimator(), Pace(), Health(), Concurrency(), Average(), Speed())
    lane = Lane(clock, service_of(profile=profile), organisation, "a", KeyRing(("sk-1",)), experience, limits)
    pool_over(clock, lane)
    return lane


def pass_through(lane: Lane, clock: ManualClock, tokens: int) -> Permit[Lane] | None:
    """A call passes at once."""
    assert lane.pool is not None
    return lane.pool.take_nowait(NOBODY, Charge(tokens, tokens), 0, clock.now())


def queue(lane: Lane, clock: ManualClock, tokens: int, patience: int) -> Coroutine[None, None, Permit[Lane] | None]:
    """A call takes its turn."""
    assert lane.pool is not None
    return lane.pool.take(Waiting(NOBODY, Charge(tokens), clock.now(), clock.now() + patience))


def close(lane: Lane, until: int) -> None:
    """A refusal closes the lane until then."""
    health = lane.breaker._healths[2]
    health.fail(health.epoch, until)


def call_of(content: str = "hello", *, kind: Kind = Kind.CHAT, deadline: int = DEADLINE, **fields: object) -> Call:
    """A call as the edge makes it, arrived at 0 for model `a`."""
    body = json.dumps({"model": "a", "messages": [{"role": "user", "content": content}], **fields}).encode()
    call = Call(1, 0, deadline, "", kind, b"POST", b"/chat/completions", b"x-a: b\r\n", body, Shape(""))
    if kind is not Kind.PASS:
        asked = chat.read(kind, body)
        call.shape = asked.shape
        call.size = measure(asked.text, asked.wide, asked.escaped, asked.messages, asked.images, asked.low_images)
    return call
