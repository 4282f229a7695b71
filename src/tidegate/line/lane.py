"""A lane: what one scope may spend on one model, and what is known of it.

The lane's quota mirrors the provider's: charged before a call leaves, corrected by the usage that the reply states,
and held against the `x-ratelimit-*` headers, which alone show a changed limit and what others have spent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from tidegate.line.gate import Gate, Permit
from tidegate.line.keys import KeyRing
from tidegate.model.call import Call, Kind
from tidegate.model.outcome import Usage
from tidegate.model.snapshot import Limits, Profile
from tidegate.policy import headers
from tidegate.policy.allowance import Allowance
from tidegate.policy.estimate import Estimator, admission
from tidegate.policy.quota import Charge, Quota, allowance
from tidegate.ports import Clock, Transport

FREE = Charge(0)  # what is forwarded as it is counts as a request only
_LIMIT_TOKENS = b"x-ratelimit-limit-tokens"
_LIMIT_REQUESTS = b"x-ratelimit-limit-requests"
_LEFT_TOKENS = b"x-ratelimit-remaining-tokens"
_LEFT_REQUESTS = b"x-ratelimit-remaining-requests"
WEIGHT_PER_TOKEN = 8  # no text of more than this many bytes a token is real: what a prompt costs at least


@dataclass(frozen=True, slots=True)
class Memory:
    """What an earlier run knew of a lane: limits shown, ratios learnt, and what was left `at` a monotonic moment."""

    rpm: int = 0
    tpm: int = 0
    ratios: Sequence[tuple[float, float, int]] = ()
    left_requests: int | None = None
    left_tokens: int | None = None
    at: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """One provider as the lanes see it: how to reach it and how it charges.

    `host`, `prefix` (the base URL's path), `auth` (header name and scheme) are ready for a request's head; `digest` is
    the base URL's.
    """

    name: str
    transport: Transport
    profile: Profile
    host: bytes
    prefix: bytes
    auth: bytes
    digest: str


class Slot(msgspec.Struct):
    """What one attempt holds: a permit of the lane, perhaps one of the strategy's own bound; both settled once."""

    lane: "Lane"
    permit: Permit
    bound: Permit | None
    left_tokens: int  # the mirror right after the charge, -1 = no such limit
    left_requests: int
    booked_tokens: int
    booked_requests: int

    @property
    def charged(self) -> int:
        """Tokens reserved at the provider."""
        return self.permit.tokens

    def settle(self, tokens: int) -> None:
        """The provider really charged `tokens`."""
        self.permit.settle(tokens)
        if self.bound is not None:
            self.bound.settle(tokens)

    def keep(self) -> None:
        """What was charged is unknown: it stays charged."""
        self.permit.keep()
        if self.bound is not None:
            self.bound.keep()

    def give_back(self) -> None:
        """Nothing was sent."""
        self.permit.give_back()
        if self.bound is not None:
            self.bound.give_back()


class Lane:
    """(base URL, scope, model): one quota, one queue, one health; its keys are the scope's."""

    __slots__ = (
        "_clock", "_shown", "booked_requests", "booked_tokens", "configured", "estimator", "gate", "key", "keys",
        "model", "name", "seen", "service", "told",
    )  # fmt: skip

    def __init__(
        self, clock: Clock, service: Service, scope: str, model: str, keys: KeyRing, limits: Limits, max_waiting: int
    ) -> None:
        self._clock = clock
        self.service = service
        self.model = model
        self.keys = keys
        self.name = f"{service.name}/{scope}/{model}"
        self.key = f"{service.digest}/{scope}/{model}"
        self.configured = limits
        self.seen = Limits()
        self.estimator = Estimator()
        self.gate = Gate(clock, Quota(self._mirror(limits.rpm), self._mirror(limits.tpm)), max_waiting)
        self.booked_tokens = 0  # deficits found in the headers so far
        self.booked_requests = 0
        self._shown: tuple[bytes | None, bytes | None] | None = None
        self.told = b"x-tidegate-target: %b\r\nx-tidegate-attempts: %b 200\r\n" % (
            self.name.encode(),
            self.name.encode(),
        )

    def _mirror(self, limit: int) -> tuple[Allowance, ...]:
        if not limit:
            return ()
        profile = self.service.profile
        return (allowance(limit, self._clock.now(), window=profile.window, jitter_us=profile.jitter_us),)

    def recall(self, memory: Memory) -> None:
        """Continue from what an earlier run knew of this lane."""
        self.seen = Limits(memory.rpm, memory.tpm)
        self.estimator.load(memory.ratios)
        quota, now = self.gate.quota, self._clock.now()
        quota.requests = self._resized(quota.requests, self.configured.rpm, memory.rpm)
        quota.tokens = self._resized(quota.tokens, self.configured.tpm, memory.tpm)
        if memory.at and quota.requests and memory.left_requests is not None:
            quota.requests[0].restore(memory.left_requests, memory.at, now)
        if memory.at and quota.tokens and memory.left_tokens is not None:
            quota.tokens[0].restore(memory.left_tokens, memory.at, now)

    def reconfigure(self, service: Service, limits: Limits) -> None:
        """The configuration changed: what is known of the quota stays, as far as it still fits."""
        self.service = service
        self.configured = limits
        quota, seen = self.gate.quota, self.seen
        quota.requests = self._resized(quota.requests, limits.rpm, seen.rpm)
        quota.tokens = self._resized(quota.tokens, limits.tpm, seen.tpm)
        self.gate.changed(worse=True)

    def _resized(self, mirrors: tuple[Allowance, ...], configured: int, seen: int) -> tuple[Allowance, ...]:
        limit = min(configured, seen) if configured and seen else configured or seen
        if not mirrors or not limit:
            return self._mirror(limit)
        mirrors[0].resize(limit, self._clock.now())
        return mirrors

    def charge(self, call: Call) -> Charge:
        """What the provider will charge the call: the upper estimate, and the least."""
        if call.kind is Kind.PASS:
            return FREE
        rule, size, output = self.service.profile.charge, call.size, call.shape.output
        prompt = self.estimator.upper(size)
        return Charge(admission(rule, prompt, output), admission(rule, size.weight // WEIGHT_PER_TOKEN, output))

    def slot(self, permit: Permit, bound: Permit | None, now: int) -> Slot:
        """The permit of this lane with what the mirror shows right after it."""
        quota = self.gate.quota
        tokens = quota.tokens[0].left(now) if quota.tokens else -1
        requests = quota.requests[0].left(now) if quota.requests else -1
        return Slot(self, permit, bound, tokens, requests, self.booked_tokens, self.booked_requests)

    def settle(self, call: Call, slot: Slot, usage: Usage | None) -> int:
        """Correct the charge by what the provider counted; the charge that stands, in tokens."""
        if usage is None or usage.estimated:
            slot.keep()
            return slot.charged
        self.estimator.learn(call.size, usage.prompt)
        profile = self.service.profile
        real = usage.total if profile.settles else admission(profile.charge, usage.prompt, call.shape.output)
        slot.settle(real)
        return real

    def watch(self, shown: dict[bytes, bytes], slot: Slot) -> None:
        """Hold the mirror against a reply's rate-limit headers. Cheap while the limits they show do not change."""
        limits = shown.get(_LIMIT_TOKENS), shown.get(_LIMIT_REQUESTS)
        if limits != self._shown:
            self._shown = limits if self._learn(shown) else None
        if self._shown is None:
            return
        missing = self._book_tokens(shown.get(_LEFT_TOKENS), slot) + self._book_requests(
            shown.get(_LEFT_REQUESTS), slot
        )
        if missing:
            self.gate.changed(worse=True)

    def _learn(self, shown: dict[bytes, bytes]) -> bool:
        """Follow the limits that the provider shows. False when they are not the minute's."""
        get = shown.get
        tokens = headers.read(get(_LIMIT_TOKENS), get(_LEFT_TOKENS), get(b"x-ratelimit-reset-tokens"))
        requests = headers.read(get(_LIMIT_REQUESTS), get(_LEFT_REQUESTS), get(b"x-ratelimit-reset-requests"))
        quota = self.gate.quota
        worse = False
        if tokens is not None:
            quota.tokens, worse = self._adopt(quota.tokens, self.configured.tpm, tokens)
        if requests is not None:
            quota.requests, shrunk = self._adopt(quota.requests, self.configured.rpm, requests)
            worse = worse or shrunk
        self.seen = Limits(requests.limit if requests else 0, tokens.limit if tokens else 0)
        if worse:
            self.gate.changed(worse=True)
        return tokens is not None or requests is not None

    def _adopt(
        self, mirrors: tuple[Allowance, ...], configured: int, seen: headers.Seen
    ) -> tuple[tuple[Allowance, ...], bool]:
        """Follow the provider's limit below what is configured; learn it where nothing is."""
        limit = min(configured, seen.limit) if configured else seen.limit
        now = self._clock.now()
        if not mirrors:
            mirrors = self._mirror(limit)
            mirrors[0].restore(seen.left, now, now)
            return mirrors, False
        shrunk = limit < mirrors[0].limit
        if limit != mirrors[0].limit:
            mirrors[0].resize(limit, now)
        return mirrors, shrunk

    def _book_tokens(self, left: bytes | None, slot: Slot) -> int:
        mirrors = self.gate.quota.tokens
        if left is None or slot.left_tokens < 0 or not mirrors or mirrors[0].limit != self.seen.tpm:
            return 0
        missing = self._deficit(mirrors[0], slot.left_tokens, left, self.booked_tokens - slot.booked_tokens)
        self.booked_tokens += missing
        return missing

    def _book_requests(self, left: bytes | None, slot: Slot) -> int:
        mirrors = self.gate.quota.requests
        if left is None or slot.left_requests < 0 or not mirrors or mirrors[0].limit != self.seen.rpm:
            return 0
        missing = self._deficit(mirrors[0], slot.left_requests, left, self.booked_requests - slot.booked_requests)
        self.booked_requests += missing
        return missing

    def _deficit(self, mirror: Allowance, expected: int, left: bytes, booked: int) -> int:
        """Book what others spent behind our back; returns how much."""
        missing = headers.deficit(expected + mirror.limit - mirror.depth, headers.number(left), mirror.limit, booked)
        if missing:
            now = self._clock.now()
            mirror.correct(missing, now, now)
        return missing
