"""A provider of virtual time: it answers as it did, enforces the limits that the policy states, and fails as it failed.

What the gate sends it is no request but a mark of what it says, the model and the clamp, with the call's number as its
head; what it answers is the usage. The codec between them is the line's only one: nothing of any maker's form is
read or written.
"""

import struct
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Final, NamedTuple

from tidegate.dryrun.shapes import Shape, Shapes
from tidegate.dryrun.troubles import Failed, Troubles
from tidegate.dryrun.virtual import VirtualClock
from tidegate.line.service import Way
from tidegate.model.call import Kind
from tidegate.model.outcome import Usage
from tidegate.model.snapshot import Profile, Provider, RefusalRule, Scope
from tidegate.ports import BodySource, Headers, StreamSink, Timer, TransportError
from tidegate.providers.codec import Asked, Codec, Dialect, Said, Says
from tidegate.providers.dialects import CODECS, DIALECTS
from tidegate.twin.meter import Meter
from tidegate.twin.settings import MAX_LIMIT, Limits, Rules
from tidegate.twin.windows import NEVER, SHAPES

KIND: Final = Kind.CHAT  # that all calls are of: the ledger does not tell which they were
_USAGE: Final = struct.Struct("<qqqq")
_BEGUN: Final = struct.Struct("<qq")
_JSON: Final[Headers] = ((b"content-type", b"application/json"),)
_EVENTS: Final[Headers] = ((b"content-type", b"text/event-stream"),)
_REFUSED_US: Final = 20_000  # until a refusal is there
_RATE: Final = "RATE"


class Played(NamedTuple):
    """A call that is on its way: what it comes to, and how it fails wherever it goes (None: it does not)."""

    shape: Shape
    fault: Failed | None


def request(mark: bytes, model: str) -> bytes:
    """The body of a call: calls of one mark say the same."""
    return b"%b|%b|" % (mark, _name(model))


def line_of(number: int) -> bytes:
    """The header line by which the provider knows the call."""
    return b"%d\r\n" % number


class LedgerCodec:
    """Fulfils `providers.codec.Codec` for bodies of `request`."""

    __slots__ = ("_clock",)
    dialect: Final = CODECS[KIND].dialect
    path: Final = CODECS[KIND].path
    says: Final[Says] = CODECS[KIND].says

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def read(self, body: bytes) -> Asked:
        """Nobody reads a request here."""
        raise NotImplementedError

    def with_model(self, body: bytes, model: str) -> bytes:
        """For another model."""
        mark, _, most = body.split(b"|", 2)
        return b"%b|%b|%b" % (mark, _name(model), most)

    def with_output(self, body: bytes, tokens: int) -> bytes:
        """For so many new tokens at most."""
        mark, model, _ = body.split(b"|", 2)
        return b"%b|%b|%d" % (mark, model, tokens)

    def with_usage(self, body: bytes) -> bytes:
        """Streams always tell."""
        return body

    def usage_of(self, answer: bytes) -> Usage | None:
        """All that an answer says."""
        return _usage(answer)

    def failure_of(self, answer: bytes) -> Said | None:
        """An answer is one."""
        return None

    def tap(self, *, keep_usage: bool) -> "LedgerTap":
        """For one stream."""
        return LedgerTap(self._clock)


class LedgerTap:
    """Fulfils `providers.codec.Tap`: two events, the first content and the end."""

    __slots__ = ("_clock", "_lasts", "_made", "_since", "committed", "failure", "finished", "prompt", "tier", "usage")

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._made = self._lasts = self._since = 0
        self.committed = self.finished = False
        self.failure = b""
        self.prompt = 0
        self.tier = ""
        self.usage: Usage | None = None

    @property
    def events(self) -> int:
        """Tokens that were made by now."""
        if not self.committed or self.finished:
            return self._made
        past = self._clock.now() - self._since
        return self._made if past >= self._lasts else 1 + self._made * past // self._lasts

    def feed(self, data: bytes) -> bytes:
        """One of the two events."""
        if self.committed:
            self.usage = _usage(data)
            self.finished = True
        else:
            self._made, self._lasts = _BEGUN.unpack(data)
            self._since = self._clock.now()
            self.committed = True
        return data

    def rest(self) -> bytes:
        """Nothing is held back."""
        return b""


class Reply(NamedTuple):
    """Fulfils `ports.UpstreamReply`."""

    status: int
    headers: Headers
    body: bytes = b""
    stream: "Stream | None" = None


class Stream:
    """Fulfils `ports.UpstreamStream`: it has begun, and ends after `lasts_us`."""

    __slots__ = ("_clock", "_end", "_lasts", "_timer", "_usage")

    def __init__(self, clock: VirtualClock, usage: bytes, completion: int, lasts_us: int) -> None:
        self._clock = clock
        self._usage = usage
        self._lasts = _BEGUN.pack(completion, lasts_us)
        self._end = clock.now() + lasts_us
        self._timer: Timer | None = None

    def attach(self, sink: StreamSink) -> None:
        """The first content is there."""
        self._timer = self._clock.at(self._end, partial(self._finish, sink))
        sink.chunk(self._lasts)

    def _finish(self, sink: StreamSink) -> None:
        sink.chunk(self._usage)
        sink.end()

    def pause(self) -> None:
        """Clients read as fast as it comes."""

    def resume(self) -> None:
        """They do."""

    def abort(self) -> None:
        """Nobody hears the rest."""
        if self._timer is not None:
            self._timer.cancel()


class LedgerProvider:
    """Fulfils `ports.Transport` for one provider of the policy."""

    __slots__ = (
        "_calls", "_clock", "_dialect", "_keys", "_luck", "_meters", "_profile", "_provider", "_rules", "_shapes",
        "_troubles", "throttled",
    )  # fmt: skip

    def __init__(
        self,
        provider: Provider,
        clock: VirtualClock,
        luck: Random,
        shapes: Shapes,
        troubles: Troubles,
        calls: dict[int, Played],
    ) -> None:
        """`calls`: those on their way, by number."""
        self._provider = provider
        self._profile = profile = provider.profile
        self._clock = clock
        self._luck = luck
        self._shapes = shapes
        self._troubles = troubles
        self._calls = calls
        self._dialect: Dialect = DIALECTS[profile.dialect]
        auth = f"{profile.auth_header}: {profile.auth_prefix}"
        self._keys = {f"{auth}{key}".encode(): scope for scope in provider.scopes for key in scope.keys}
        self._meters: dict[tuple[str, str], Meter | None] = {}
        self.throttled = 0  # refusals for quota

    async def send(self, head: bytes, body: bytes | BodySource, *, stream: bool, deadline: int) -> Reply:
        """Answer it, at the moment at which it would have been."""
        if not isinstance(body, bytes):
            raise TypeError("a body that was never there cannot be arriving")
        _, model, most = body.split(b"|", 2)
        _, _, key, number, *_ = head.split(b"\r\n", 4)
        call, scope = self._calls[int(number)], self._keys[key]
        shape, name = call.shape, model.decode()
        failed = call.fault or self._troubles.at(self._provider.name, scope.name, name, self._clock.wall(), self._luck)
        if failed is not None:
            return await self._fail(failed, deadline)
        clamp = int(most) if most else 0
        completion = min(shape.completion, clamp) if clamp else shape.completion
        prompt = shape.prompt - (shape.cached if self._profile.cached_free else 0)
        charged = _charge(self._profile.charge, prompt, clamp or shape.most)
        meter, charged_at = self._meter(scope, name), self._clock.now()
        if meter is not None and (refusal := meter.admit(scope.name, charged, charged_at)) is not None:
            self.throttled += 1
            return await self._limited(refusal.wait, deadline)
        first, total = self._shapes.times(shape, self._provider.name, name, completion)
        await self._until(first if stream else total, deadline)
        if meter is not None:
            self._correct(meter, charged, prompt + completion, completion, charged_at)
        usage = _USAGE.pack(shape.prompt, completion, shape.cached, shape.written)
        if not stream:
            return Reply(200, _JSON, usage)
        return Reply(200, _EVENTS, b"", Stream(self._clock, usage, completion, total - first))

    def close(self) -> None:
        """Nothing to close."""

    async def _until(self, lasts_us: int, deadline: int) -> None:
        """Until then, if time allows. Raises `TransportError`."""
        now = self._clock.now()
        allowed = min(deadline - now, self._provider.first_byte_timeout_us or lasts_us)
        if lasts_us <= allowed:
            await self._clock.exactly(lasts_us)
            return
        await self._clock.exactly(allowed)
        raise TransportError("no answer in time", sent=True, begun=True)

    async def _fail(self, failed: Failed, deadline: int) -> Reply:
        await self._until(_REFUSED_US, deadline)
        if not failed.status:
            raise TransportError("the connection broke, as it did", sent=True)
        rule = _rule(self._profile, failed.reason.upper(), failed.status)
        return Reply(failed.status, _JSON, self._said(failed.status, rule))

    async def _limited(self, wait_us: int, deadline: int) -> Reply:
        await self._until(_REFUSED_US, deadline)
        rule = _rule(self._profile, _RATE, 0)
        seconds = 1 if wait_us == NEVER else max(1, -(-wait_us // 1_000_000))
        again = (*_JSON, (b"retry-after", b"%d" % seconds))
        status = rule.status if rule is not None and rule.status else 429
        return Reply(status, again, self._said(status, rule))

    def _said(self, status: int, rule: RefusalRule | None) -> bytes:
        """An error that the profile takes for what it is."""
        said = Said("", "", "refused, as it was recorded")
        if rule is not None:
            said = Said(rule.code, rule.type, rule.text or said.message)
        return self._dialect.error_body(status, said)

    def _meter(self, scope: Scope, model: str) -> Meter | None:
        """The provider's own book of this quota, None where the policy states no limit."""
        key = scope.name, model
        if key not in self._meters:
            self._meters[key] = _meter_of(self._profile, scope, model, self._clock.now())
        return self._meters[key]

    def _correct(self, meter: Meter, charged: int, used: int, completion: int, charged_at: int) -> None:
        now = self._clock.now()
        meter.produce(completion, now)
        meter.settle(charged, used, charged_at, now)


def ways(clock: VirtualClock) -> dict[Kind, Way]:
    """How calls are put to such a provider."""
    codec: Codec = LedgerCodec(clock)
    return {KIND: Way(codec)}


def _meter_of(profile: Profile, scope: Scope, model: str, now: int) -> Meter | None:
    stated = scope.limits.get(model)
    if stated is None or not (stated.rpm or stated.tpm or stated.itpm or stated.otpm):
        return None
    limits = Limits(
        stated.rpm or MAX_LIMIT, stated.itpm or stated.tpm or MAX_LIMIT, otpm=stated.otpm if profile.split else 0
    )
    window = scope.window or profile.window
    rules = Rules(
        window=next((shape for shape in SHAPES if shape == window), "continuous"),
        settles=profile.settles,
        output_apart=profile.split and stated.otpm > 0,
    )
    return Meter(limits, rules, now)


def _charge(rule: str, prompt: int, most: int) -> int:
    """What a limiter takes at once."""
    return prompt + most if rule == "sum" else prompt if rule == "prompt" else max(prompt, most)


def _rule(profile: Profile, reason: str, status: int) -> RefusalRule | None:
    """The first row by which a refusal is of this class."""
    fitting = (row for row in profile.refusals if row.reason == reason)
    return next((row for row in fitting if not status or row.status in {0, status}), None)


def _name(model: str) -> bytes:
    return model.replace("|", " ").encode()


def _usage(data: bytes) -> Usage:
    prompt, completion, cached, written = _USAGE.unpack(data)
    return Usage(prompt, completion, cached, written=written)


Opening = Callable[[Provider], LedgerProvider]
