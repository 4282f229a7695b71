"""Arrivals through one policy, in virtual time: the gate's own line, asked as its workers ask it."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from random import Random
from typing import Final

from tidegate.config.split import split
from tidegate.dryrun.gate import Gate
from tidegate.dryrun.outcome import ANSWERED, FAILED, GONE, HIT, REFUSED, Outcome
from tidegate.dryrun.past import Past
from tidegate.dryrun.provider import KIND, LedgerProvider, Played, line_of, request
from tidegate.dryrun.refusal import NONE, NOT_ALLOWED, NOT_YET, UNKNOWN_KEY, Refusal, limited, of_line, unknown_model
from tidegate.dryrun.shapes import Shape
from tidegate.dryrun.silent import Silent
from tidegate.dryrun.troubles import fault_of
from tidegate.dryrun.virtual import VirtualClock, loop_over
from tidegate.edge import spending
from tidegate.edge.access.principals import Principal
from tidegate.edge.access.rights import untimely
from tidegate.line.lane import Lane
from tidegate.line.plan import Plan
from tidegate.line.records import Ending
from tidegate.line.relay import Relay
from tidegate.line.tries import recorded
from tidegate.model.arrivals import Arrival
from tidegate.model.call import Call, Kind, Size
from tidegate.model.call import Shape as Asked
from tidegate.model.directory import Change
from tidegate.model.facts import LEFT
from tidegate.model.outcome import Reason, Usage
from tidegate.model.reply import Refused
from tidegate.model.snapshot import Provider, Snapshot
from tidegate.policy.quota.prefixes import prefix_hash
from tidegate.policy.tenant_limits.short import Short
from tidegate.ports import Timer

Told = Callable[[Arrival, Outcome], None]
_NOTHING: Final = Usage()
_FIXED: Final = 7  # tokens of a prompt's form
_WEIGHT: Final = 4  # bytes a token, where the request's length is not known
_LONGEST: Final = 8  # bytes a token, of a text
_FORM_BYTES: Final = 120  # of a request, that are no text
_DRAIN: Final = "drain"
_SERVED: Final = 400
_LATER_US: Final = 500  # of a clock that ticks in milliseconds
_STRIDE: Final = 1_000_003  # between the seeds of plays, so that those of another seed are others


class _Nobody:
    """A client's side of a stream. Fulfils `model.reply.Downstream`."""

    __slots__ = ()

    def write(self, data: bytes) -> None:
        """It reads."""

    def end(self) -> None:
        """It has everything."""

    def abort(self) -> None:
        """It has not."""


_NOBODY: Final = _Nobody()


class _Running:
    """A call on its way."""

    __slots__ = ("arrival", "call", "gate", "leaves", "plan", "relay", "task")

    def __init__(self, arrival: Arrival, call: Call, plan: Plan, gate: Gate) -> None:
        self.arrival = arrival
        self.call = call
        self.plan = plan
        self.gate = gate
        self.task: asyncio.Task[None] | None = None
        self.relay: Relay | None = None
        self.leaves: Timer | None = None  # its client, who did

    def leave(self) -> None:
        """The client goes, as it went."""
        if self.relay is not None:
            self.relay.abandon()
        elif self.plan.streams.on_disconnect == _DRAIN and self.call.asking:
            self.call.left = True
        elif self.task is not None:
            self.task.cancel()


class Play:
    """One policy with its gates; `play` once."""

    __slots__ = (
        "_alone", "_calls", "_clock", "_given", "_later", "_like", "_loop", "_luck", "_number", "_open", "_over",
        "_past", "_played", "_tell", "gates", "silent",
    )  # fmt: skip

    def __init__(
        self,
        snapshot: Snapshot,
        past: Past,
        tell: Told,
        *,
        seed: int = 0,
        nth: int = 0,
        gone: frozenset[str] = frozenset(),
        managed: Sequence[Change] = (),
        silent: Silent | None = None,
    ) -> None:
        """`tell` hears of each call when it has ended; `gone` and `managed` as of `Gate`; `silent` what others heard.

        In the first play (`nth` 0) calls come when they came, in all others a moment later, each by its own.
        """
        self._clock = clock = VirtualClock(past.first_us)
        self._loop = loop_over(clock)
        seed += nth * _STRIDE
        self._luck, self._like = Random(seed), Random(seed)
        self._later = Random(seed) if nth else None
        self._past = past
        self._tell = tell
        self._number = self._open = 0
        self._calls: dict[int, Played] = {}
        self._given: Iterator[Arrival] = iter(())
        self._over = False
        self._played: asyncio.Future[None] | None = None
        self.silent = Silent() if silent is None else silent
        parts = split(snapshot)
        self.gates = [
            Gate(part, clock, self.silent, self.silent, self._luck.random, self._opened, gone, managed)
            for part in parts
        ]
        self._alone = {part.namespace: gate for part, gate in zip(parts, self.gates, strict=True) if part.namespace}

    def _opened(self, provider: Provider) -> LedgerProvider:
        past = self._past
        return LedgerProvider(provider, self._clock, self._luck, past.shapes, past.troubles, self._calls)

    def play(self, arrivals: Iterable[Arrival]) -> None:
        """All of them, the earliest first."""
        self._given = iter(arrivals)
        try:
            self._loop.run_until_complete(self._run())
        finally:
            self._loop.close()

    async def _run(self) -> None:
        self._played = self._loop.create_future()
        self._await_next()
        await self._played

    def _await_next(self) -> None:
        arrival = next(self._given, None)
        if arrival is None:
            self._over = True
            self._rest()
        else:
            later = 0 if self._later is None else self._later.randrange(_LATER_US)
            self._clock.at(self._clock.moment(arrival.at_us) + later, partial(self._arrive, arrival))

    def _rest(self) -> None:
        if self._over and not self._open and self._played is not None and not self._played.done():
            self._played.set_result(None)

    def _arrive(self, arrival: Arrival) -> None:
        gate = self._alone.get(arrival.namespace, self.gates[0])
        refusal = self._begin(arrival, gate)
        if refusal is not None:
            self._tell(arrival, Outcome(REFUSED, refusal.why, refusal.rule))
        self._await_next()

    def _begin(self, arrival: Arrival, gate: Gate) -> Refusal | None:
        """Have it served, or say by which rule it is not."""
        client = gate.who(arrival)
        if client is None:
            return UNKNOWN_KEY
        if untimely(client, self._clock.wall()) is not None:
            return NOT_YET
        if client.models is not None and not (arrival.model and client.models.allow(arrival.model)):
            return NOT_ALLOWED
        plan = gate.plan(arrival)
        if plan is None:
            return unknown_model(arrival.model)
        if arrival.hit and _known(plan, arrival.hit):
            self._tell(arrival, Outcome(HIT, provider=arrival.provider, model=arrival.served))
            return None
        shape = self._past.shapes.of(arrival, self._like)
        call = self._call(arrival, client, plan, shape)
        if client.limits is not None and (refusal := self._grant(call, plan, client)) is not None:
            return refusal
        self._start(_Running(arrival, call, plan, gate), shape)
        return None

    def _call(self, arrival: Arrival, client: Principal, plan: Plan, shape: Shape) -> Call:
        now = self._clock.now()
        self._number += 1
        call = Call(
            self._number,
            now,
            now + (arrival.deadline_us or plan.deadline_us),
            client.name,
            KIND if arrival.model else Kind.PASS,
            b"POST",
            b"/chat/completions",
            line_of(self._number),
            request(self._past.bodies.of(arrival) or b"%d" % self._number, arrival.model),
            Asked(arrival.model, arrival.streamed, shape.most),
            _size(arrival, shape),
            tenant=client.tenant,
            user=client.user,
            job=arrival.job,
        )
        if plan.loyal:  # nobody knows what its prompt began with: one caller's calls are taken to be one conversation
            call.affinity = prefix_hash(client.name.encode(), arrival.model.encode())
            call.prefix = call.affinity if shape.cached else 0
        return call

    def _grant(self, call: Call, plan: Plan, client: Principal) -> Refusal | None:
        """Charge the call to its tenant's own limits."""
        limits, model = client.limits, call.shape.model
        if limits is None or not limits.accounts(model):
            return None
        ask, now, wall = spending.asked(call, plan, limits), self._clock.now(), self._clock.wall()
        held = limits.grant_job(model, ask, now, wall) if call.job else limits.grant(model, ask, now, wall)
        if isinstance(held, Short):
            return limited(held)
        call.grant = held
        return None

    def _start(self, one: _Running, shape: Shape) -> None:
        self._open += 1
        self._calls[one.call.id] = Played(shape, fault_of(one.arrival))
        if one.arrival.status == LEFT:
            one.leaves = self._clock.at(one.call.arrived + one.arrival.duration_us, one.leave)
        one.task = self._loop.create_task(self._serve(one))

    async def _serve(self, one: _Running) -> None:
        call, plan, line = one.call, one.plan, one.gate.line
        try:
            result = await line.run(call, plan)
        except asyncio.CancelledError:
            self._close(one, None, GONE, _NOTHING, 0)
            return
        if isinstance(result, Refused):
            end = FAILED if call.attempts else REFUSED
            refusal = of_line(call, plan, result, self._clock.now()) if end == REFUSED else NONE
            self._close(one, None, end, _NOTHING, 0, refusal)
        elif result.splice is None:
            self._close(one, result.lane, ANSWERED, result.usage or _NOTHING, result.charged)
        else:
            one.relay = line.relay(call, plan, result)
            one.relay.on_close = partial(self._closed, one)
            one.relay.attach(_NOBODY if call.grant is None else spending.metered(_NOBODY, one.relay, call))

    def _closed(self, one: _Running, end: Ending) -> None:
        how = GONE if end.gone else FAILED if end.failed else ANSWERED
        self._close(one, end.lane, how, end.usage, end.charged)

    def _close(
        self, one: _Running, lane: Lane | None, end: str, usage: Usage, charged: int, refusal: Refusal = NONE
    ) -> None:
        call, now, wall = one.call, self._clock.now(), self._clock.wall()
        if one.leaves is not None:
            one.leaves.cancel()
        del self._calls[call.id]
        record = recorded(call, one.plan, lane, 200, usage, charged, now, wall, now)
        if call.grant is not None:
            tokens, sent = record.prompt_tokens + record.completion_tokens, bool(record.target or record.tries)
            call.grant.settle(tokens, record.cost_nano, now, wall, sent=sent)
        provider, _, rest = record.target.partition("/")
        throttled = sum(1 for attempt in call.attempts if attempt.reason is Reason.RATE)
        self.silent.served(record)
        self._tell(
            one.arrival,
            Outcome(
                end, refusal.why, refusal.rule, provider, rest.partition("/")[2], call.queued_us, call.waited_us,
                record.degraded, throttled, record.attempts, record.prompt_tokens, record.completion_tokens,
                record.cost_nano,
            ),
        )  # fmt: skip
        self._open -= 1
        self._rest()


def _known(plan: Plan, layer: str) -> bool:
    """Whether the cache that answered a call answers it under this plan."""
    if plan.caching is None:
        return False
    return plan.caching.semantic is not None if layer == "semantic" else plan.caching.exact


def _size(arrival: Arrival, shape: Shape) -> Size:
    """A prompt of so many tokens, as long as its request was."""
    fixed = min(_FIXED, shape.prompt)
    weight = (shape.prompt - fixed) * _WEIGHT
    if arrival.request_bytes:  # pictures are long and cost little
        weight = min(arrival.request_bytes - _FORM_BYTES, (shape.prompt - fixed) * _LONGEST)
    return Size(0, max(1, weight), fixed)
