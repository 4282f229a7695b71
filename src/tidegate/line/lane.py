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
from tidegate.policy.quota import MINUTE_US, Charge, Quota, allowance, mirrored
from tidegate.ports import Clock, Transport

PASS = Kind.PASS
FREE = Charge(0)  # what is forwarded as it is counts as a request only
_LIMIT_TOKENS = b"x-ratelimit-limit-tokens"
_LIMIT_REQUESTS = b"x-ratelimit-limit-requests"
_LEFT_TOKENS = b"x-ratelimit-remaining-tokens"
_LEFT_REQUESTS = b"x-ratelimit-remaining-requests"
_NOTHING_SHOWN = (None, None)
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

    def give_back(self, *, judged: bool = False) -> None:
        """Nothing was sent. `judged`: it was tried, and the verdict on the lane's health follows."""
        self.permit.give_back(judged=judged)
        if self.bound is not None:
            self.bound.give_back()


class Lane:
    """(base URL, scope, model): one quota, one queue, one health; its keys are the scope's."""

    __slots__ = (
        "_clock", "_rule", "_shown", "_shows", "booked_requests", "booked_tokens", "configured", "estimator", "gate",
        "key", "keys", "model", "name", "seen", "service",
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
        self._rule = service.profile.charge
        self._shown: tuple[bytes | None, bytes | None] | None = None
        self._shows = False, False  # whether those are the minute's: tokens, requests

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
        old, new = self.service.profile, service.profile
        self.service = service
        self._rule = new.charge
        self.configured = limits
        quota, seen = self.gate.quota, self.seen
        fresh = (old.window, old.jitter_us) != (new.window, new.jitter_us)
        quota.requests = self._resized(quota.requests, limits.rpm, seen.rpm, fresh=fresh)
        quota.tokens = self._resized(quota.tokens, limits.tpm, seen.tpm, fresh=fresh)
        self.gate.changed(worse=True)

    def _resized(
        self, mirrors: tuple[Allowance, ...], configured: int, seen: int, *, fresh: bool = False
    ) -> tuple[Allowance, ...]:
        limit = min(configured, seen) if configured and seen else configured or seen
        if not mirrors or not limit:
            return self._mirror(limit)
        now = self._clock.now()
        if fresh:
            left = mirrors[0].left(now)
            mirrors = self._mirror(limit)
            mirrors[0].restore(left, now, now)
        else:
            mirrors[0].resize(mirrored(limit, self.service.profile.window), now)
        return mirrors

    def reserve(self, call: Call) -> int:
        """Tokens to reserve: what the provider will charge the call at most."""
        if call.kind is PASS:
            return 0
        return admission(self._rule, self.estimator.upper(call.size), call.shape.output)

    def charge(self, call: Call) -> Charge:
        """What the provider will charge the call: at most, and at least."""
        if call.kind is PASS:
            return FREE
        least = admission(self._rule, call.size.weight // WEIGHT_PER_TOKEN, call.shape.output)
        return Charge(self.reserve(call), least)

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
        settles = self.service.profile.settles
        real = usage.total if settles else admission(self._rule, usage.prompt, call.shape.output)
        slot.settle(real)
        return real

    def watch(self, shown: dict[bytes, bytes], slot: Slot) -> None:
        """Hold the mirror against a reply's rate-limit headers. Cheap while the limits they show do not change."""
        limits = shown.get(_LIMIT_TOKENS), shown.get(_LIMIT_REQUESTS)
        if limits == _NOTHING_SHOWN:
            return
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
        get, quota, seen = shown.get, self.gate.quota, self.seen
        tokens = headers.read(get(_LIMIT_TOKENS), get(_LEFT_TOKENS), get(b"x-ratelimit-reset-tokens"))
        requests = headers.read(get(_LIMIT_REQUESTS), get(_LEFT_REQUESTS), get(b"x-ratelimit-reset-requests"))
        self._shows = tokens is not None, requests is not None
        if tokens is not None:
            quota.tokens = self._adopt(quota.tokens, self.configured.tpm, tokens)
        if requests is not None:
            quota.requests = self._adopt(quota.requests, self.configured.rpm, requests)
        self.seen = Limits(requests.limit if requests else seen.rpm, tokens.limit if tokens else seen.tpm)
        if self.seen != seen:
            self.gate.changed(worse=True)
        return tokens is not None or requests is not None

    def _adopt(self, mirrors: tuple[Allowance, ...], configured: int, seen: headers.Seen) -> tuple[Allowance, ...]:
        """Follow the provider's limit below what is configured; learn it where nothing is."""
        limit = min(configured, seen.limit) if configured else seen.limit
        now = self._clock.now()
        if not mirrors:
            mirrors = self._mirror(limit)
            mirrors[0].restore(seen.left, now, now)
            return mirrors
        held = mirrored(limit, self.service.profile.window)
        if held != mirrors[0].limit:
            mirrors[0].resize(held, now)
        return mirrors

    def _book_tokens(self, left: bytes | None, slot: Slot) -> int:
        mirrors = self.gate.quota.tokens
        if not self._shows[0] or not mirrors or mirrors[0].limit != self.seen.tpm:
            return 0
        booked = self.booked_tokens - slot.booked_tokens
        missing = self._deficit(mirrors[0], slot.left_tokens, left, booked, slot.permit.taken_at)
        self.booked_tokens += missing
        return missing

    def _book_requests(self, left: bytes | None, slot: Slot) -> int:
        mirrors = self.gate.quota.requests
        if not self._shows[1] or not mirrors or mirrors[0].limit != self.seen.rpm:
            return 0
        booked = self.booked_requests - slot.booked_requests
        missing = self._deficit(mirrors[0], slot.left_requests, left, booked, slot.permit.taken_at)
        self.booked_requests += missing
        return missing

    def _deficit(self, mirror: Allowance, expected: int, left: bytes | None, booked: int, sent_at: int) -> int:
        """Book what others spent behind our back; returns how much."""
        shown = headers.number(left)
        if shown < 0:
            return 0
        limit, depth = mirror.limit, mirror.depth
        if expected < 0:
            # Sent before there was a mirror, or in debt: what is left cannot be more than was then, and the refill.
            now = self._clock.now()
            expected, booked = mirror.left(now), 0
            shown += limit * (now - sent_at) // MINUTE_US
        elif expected > depth:
            expected = depth  # the limit has become smaller since
        missing = headers.deficit(expected + limit - depth, shown, limit, booked)
        if missing:
            mirror.take(missing, self._clock.now())
        return missing
