"""A conversation with the line, as a test writes it: what happens, then what must follow, in virtual time.

play = Playbook(snapshot)
play.call("gpt-4o")
await play.expect_sent("openai", at=0)
await play.provider("openai", Reply(429, [(b"retry-after", b"15")]))
await play.expect_sent("openai", at=15 * SECOND)
"""

import asyncio
import json
from collections.abc import Sequence

from tidegate.line.acquaint import acquaint
from tidegate.line.attempt import Answered
from tidegate.line.lanes import Lanes
from tidegate.line.line import Line
from tidegate.line.routing_table import RoutingTable
from tidegate.model.call import Call, Kind
from tidegate.model.facts import CallRecord, Fact, Intent
from tidegate.model.outcome import Reason
from tidegate.model.reply import Refused, Unexplained
from tidegate.model.snapshot import Provider, Snapshot
from tidegate.model.tenant import NOBODY, Tenant
from tidegate.policy.lease.faces import Funds
from tidegate.policy.quota.estimate import measure
from tidegate.providers.openai import request
from tidegate.testing.clock import SECOND, ManualClock, settle
from tidegate.testing.transport import Reply, ScriptedTransport, Sent


class Recorder:
    """`ports.Journal` and `ports.Observer` that keep everything."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.attempts: list[tuple[str, Reason | None]] = []
        self.records: list[CallRecord] = []
        self.refusals: list[tuple[str, str]] = []
        self.fallbacks: list[str] = []
        self.moves: list[str] = []
        self.unknown: list[tuple[str, Unexplained]] = []
        self.keys: list[tuple[str, str, int | None]] = []  # lane, digest, how many were left; None: it is back

    def append(self, fact: Fact) -> None:
        """Keep one fact."""
        self.facts.append(fact)

    def attempt(self, lane: str, reason: Reason | None) -> None:
        """Keep one attempt."""
        self.attempts.append((lane, reason))

    def finished(self, record: CallRecord) -> None:
        """Keep one record."""
        self.records.append(record)

    def refused(self, plan: str, kind: str, tier: str = "") -> None:
        """Keep one refusal."""
        self.refusals.append((plan, kind))

    def fell_back(self, plan: str) -> None:
        """Keep one fallback."""
        self.fallbacks.append(plan)

    def moved(self, plan: str) -> None:
        """Keep a call that another target than its plan's first answered."""
        self.moves.append(plan)

    def key_retired(self, lane: str, digest: str, left: int) -> None:
        """Keep a key that left."""
        self.keys.append((lane, digest, left))

    def key_restored(self, lane: str, digest: str) -> None:
        """Keep a key that came back."""
        self.keys.append((lane, digest, None))

    def unexplained(self, lane: str, refusal: Unexplained) -> None:
        """Keep a refusal that no row explains."""
        self.unknown.append((lane, refusal))

    @property
    def intents(self) -> list[Intent]:
        """The intents so far."""
        return [fact for fact in self.facts if isinstance(fact, Intent)]


def answer(prompt: int = 10, completion: int = 5, text: str = "hello") -> bytes:
    """A complete chat answer with its usage."""
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps({"id": "c", "object": "chat.completion", "choices": [choice], "usage": usage}).encode()


class Playbook:
    """A line on a manual clock with one scripted transport per provider.

    `luck` is the constant chance (0: no jitter). `clock` and `funds`: of several workers that share quota.
    """

    def __init__(
        self, snapshot: Snapshot, *, luck: float = 0.0, clock: ManualClock | None = None, funds: Funds | None = None
    ) -> None:
        self.clock = clock or ManualClock()
        self.began = self.clock.now()
        self.transports = {provider.name: ScriptedTransport() for provider in snapshot.providers}
        self.recorder = Recorder()
        self.lanes = Lanes(self.clock, snapshot.queue.max_calls, lambda: luck, funds=funds)
        self.book = RoutingTable(snapshot, self.lanes, self._transport).adopt()
        self.line = Line(self.clock, self.recorder, self.recorder, lambda: luck)
        self.calls: list[Call] = []

    def _transport(self, provider: Provider) -> ScriptedTransport:
        return self.transports.setdefault(provider.name, ScriptedTransport())

    def reload(self, snapshot: Snapshot) -> None:
        """Another configuration is in force; calls on their way keep the plan that they have."""
        self.book = RoutingTable(snapshot, self.lanes, self._transport).adopt()
        self.lanes.retire()

    def call(
        self,
        model: str,
        *,
        content: str = "hello",
        deadline: int = 120 * SECOND,
        tenant: Tenant = NOBODY,
        **fields: object,
    ) -> "asyncio.Task[Answered | Refused]":
        """A chat call of this tenant arrives; further fields go into its body."""
        plan = self.book.plan(model)
        if plan is None:
            raise LookupError(f"nobody serves {model}")
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": content}], **fields}).encode()
        asked = request.read(Kind.CHAT, body)
        now = self.clock.now()
        call = Call(
            id=len(self.calls) + 1,
            arrived=now,
            deadline=now + deadline,
            client="",
            kind=Kind.CHAT,
            method=b"POST",
            path=b"/chat/completions",
            forward=b"",
            body=body,
            shape=asked.shape,
            size=measure(asked.text, asked.wide, asked.escaped, asked.messages, asked.images, asked.low_images),
            tenant=tenant,
        )
        self.calls.append(call)
        if plan.loyal:
            acquaint(call)
        return asyncio.get_running_loop().create_task(self.line.run(call, plan))

    @property
    def elapsed(self) -> int:
        """Microseconds since the beginning."""
        return self.clock.now() - self.began

    async def until(self, at: int) -> None:
        """Let time pass until `at` microseconds after the beginning."""
        await self.clock.advance(at - self.elapsed)

    async def provider(self, name: str, reply: Reply) -> None:
        """The provider answers its oldest open request."""
        self.transports[name].answer(reply)
        await settle()

    def sent(self, name: str) -> Sequence[Sent]:
        """All requests that a provider got so far."""
        return self.transports[name].sent

    async def expect_sent(self, name: str, count: int, *, at: int) -> Sent:
        """The provider's `count`-th request leaves exactly `at` microseconds after the beginning, not one earlier."""
        await self.until(at - 1)
        assert len(self.sent(name)) == count - 1, f"sent too early: {len(self.sent(name))} by {self.elapsed} µs"
        await self.until(at)
        assert len(self.sent(name)) == count, f"{len(self.sent(name))} sent by {self.elapsed} µs, expected {count}"
        return self.sent(name)[-1]
