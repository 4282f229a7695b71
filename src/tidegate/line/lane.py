"""A lane: what one scope may spend on one model, and what is known of it.

The lane's quota mirrors the provider's: charged before a call leaves, corrected by the usage that the reply states,
and held against the rate-limit headers, which alone show a changed limit and what others have spent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from tidegate.line.keys import KeyRing
from tidegate.line.mirror import GRADUAL
from tidegate.line.pool import Permit, Pool
from tidegate.line.service import Service as Service
from tidegate.line.shared import mirror, wallet_of
from tidegate.line.slot import Slot as Slot
from tidegate.model.belief import Belief
from tidegate.model.call import Call, Kind
from tidegate.model.outcome import Reason, Usage
from tidegate.model.snapshot import Limits, Profile
from tidegate.policy.failure import headers
from tidegate.policy.failure.breaker import Breaker
from tidegate.policy.failure.drain import Drain
from tidegate.policy.failure.headers_families import Dimension, family
from tidegate.policy.failure.health import Health
from tidegate.policy.learned import blame
from tidegate.policy.learned.concurrency import Concurrency
from tidegate.policy.lease.lease_client import LeaseClient
from tidegate.policy.lease.purse import OUTPUTS, REQUESTS, TOKENS
from tidegate.policy.money import rates
from tidegate.policy.queue.outlet import Cap, Outlet
from tidegate.policy.quota.average import Average
from tidegate.policy.quota.estimate import Estimator, admission
from tidegate.policy.quota.outputs import Outputs
from tidegate.policy.quota.pace import Pace
from tidegate.policy.quota.prefixes import Prefixes
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.policy.quota.speed import Speed
from tidegate.ports import Clock

PASS: Final = Kind.PASS
COUNT: Final = Kind.COUNT
FREE: Final = Charge(0)  # what is forwarded as it is, or only counted, is a request and no more
_NOTHING_SHOWN = (None, None)
_UNREVIEWED: Final = 50  # a part of the limit: the least bad news for which those who wait are looked at again
_NOTHING: Final = Belief()
WEIGHT_PER_TOKEN: Final = 8  # no text of more than this many bytes a token is real: what a prompt costs at least


@dataclass(frozen=True, slots=True)
class LaneState:
    """What an earlier run knew of a lane: its limits, ratios learnt, and what was left `at` a monotonic moment."""

    requests: Belief = _NOTHING
    tokens: Belief = _NOTHING
    ratios: Sequence[tuple[float, float, int]] = ()
    left_requests: int | None = None
    left_tokens: int | None = None
    at: int = 0
    owed_requests: int = 0  # what calls that wait there still take of it, the last of them `owed_us` from now
    owed_tokens: int = 0
    owed_us: int = 0


@dataclass(frozen=True, slots=True)
class Organisation:
    """What all lanes of one scope share, whatever the model: its credit, how many calls it may carry, if any."""

    name: str
    health: Health
    cap: Cap
    drain: Drain = field(default_factory=Drain)


@dataclass(frozen=True, slots=True)
class Experience:
    """What all lanes of one model at one provider share: what was learnt of its texts and times, and its overload.

    One pace for all its answers: if streams, which only need their first content in time, might wait longer than
    others, a full queue would hold nothing but streams.
    """

    estimator: Estimator
    pace: Pace
    overload: Health
    concurrency: Concurrency
    produced: Average  # tokens of an answer
    speed: Speed


class Lane(Outlet):
    """(base URL, scope, model): one quota, one breaker; its keys are the scope's, its queue is a pool's."""

    __slots__ = (
        "_clock",
        "_family",
        "_made",
        "_of_requests",
        "_of_tokens",
        "_rule",
        "_shown",
        "_unreviewed",
        "concurrency",
        "configured",
        "estimator",
        "key",
        "keys",
        "model",
        "pace",
        "pool",
        "prices",
        "requests",
        "service",
        "speed",
        "tokens",
        "window",
    )  # fmt: skip

    def __init__(
        self,
        clock: Clock,
        service: Service,
        organisation: Organisation,
        model: str,
        keys: KeyRing,
        experience: Experience,
        limits: Limits,
        *,
        shared: bool = False,
    ) -> None:
        """`shared`: with all workers; `open` is called next."""
        now = clock.now()
        self.window = ""
        profile = service.profile
        rounding = family(profile.headers).rounding
        self.requests = mirror(limits.rpm, profile, now, 0, REQUESTS, shared=shared)
        self.tokens = mirror(limits.itpm or limits.tpm, profile, now, rounding, TOKENS, shared=shared)
        super().__init__(
            f"{service.name}/{organisation.name}/{model}",
            Quota(self.requests.allowances, self.tokens.allowances),
            Breaker(organisation.health, experience.overload, drain=organisation.drain),
            organisation.cap,
        )
        self._clock = clock
        self._made = mirror(limits.otpm, profile, now, rounding, OUTPUTS, shared=shared)
        if profile.split:
            self.outputs = Outputs(self._made.allowances, experience.produced)
        self._read_as(service.profile)
        self._rule = service.profile.charge
        self._shown: tuple[bytes | None, bytes | None] = _NOTHING_SHOWN
        self._unreviewed = 0
        self.service = service
        self.model = model
        self.keys = keys
        self.key = f"{service.digest}/{organisation.name}/{model}"
        self.configured = limits
        self.estimator = experience.estimator
        self.pace = experience.pace
        self.speed = experience.speed
        self.prices = rates(service.prices.get(model))
        self.concurrency = experience.concurrency
        self.concurrency.share(self)
        self._remember()
        self.pool: Pool[Lane] | None = None

    def open(self, key: str) -> LeaseClient:
        """Its wallet, under that key, where its quota is shared."""
        mirrors = [self.requests, self.tokens] if self.outputs is None else [self.requests, self.tokens, self._made]
        self.wallet = wallet_of(key, mirrors, self._clock.now())
        return self.wallet

    def recall(self, memory: LaneState) -> None:
        """Continue from what an earlier run knew of this lane."""
        now = self._clock.now()
        self.estimator.load(memory.ratios)
        self.requests.recall(memory.requests, memory.left_requests, memory.at, now)
        self.tokens.recall(memory.tokens, memory.left_tokens, memory.at, now)
        self._follow()
        for owed, allowances in (
            (memory.owed_requests, self.quota.requests),
            (memory.owed_tokens, self.quota.tokens),
        ):
            for allowed in allowances if owed else ():
                allowed.owe(owed, now + memory.owed_us, now)

    def reconfigure(self, service: Service, limits: Limits, window: str = "") -> None:
        """The configuration changed: what is known of the quota stays, as far as it still fits.

        `window`: how this scope's limits reset, "" = as the profile says.
        """
        now = self._clock.now()
        profile = _shaped(service.profile, window)
        self.window = window
        self.service = service
        self.prices = rates(service.prices.get(self.model))
        self._rule = service.profile.charge
        self._remember()
        self.configured = limits
        self._read_as(profile)
        self.requests.reconfigure(limits.rpm, profile, now)
        self.tokens.reconfigure(limits.itpm or limits.tpm, profile, now)
        self._made.reconfigure(limits.otpm, profile, now)
        self._follow()
        self.changed()

    def divide(self, part: int) -> None:
        """So many millionths of its limits are this region's from now on (`policy/regions`)."""
        now = self._clock.now()
        changed = self.requests.divide(part, now)
        changed = self.tokens.divide(part, now) or changed
        changed = self._made.divide(part, now) or changed
        if changed:
            self._follow()
            self.changed()

    def changed(self) -> None:
        """Its quota is another one than the pool thinks: who waits may pass, or cannot be served in time any more."""
        if self.pool is not None:
            self.pool.changed()

    def _read_as(self, profile: Profile) -> None:
        """Which headers tell of this lane. Where input and output are limited apart, its tokens are those of input."""
        self._family = family(profile.headers)
        self._of_requests = self._family.requests
        self._of_tokens = self._family.tokens if self._family.tokens.limit else self._family.inputs
        self.tokens.rounding = self._made.rounding = self._family.rounding

    def _remember(self) -> None:
        """Which prompts are cached matters where the provider knows it before it charges; else all has to be there."""
        profile = self.service.profile
        if not profile.cached_free or profile.settles:
            self.prefixes = None
        elif self.prefixes is None:
            self.prefixes = Prefixes()

    def _follow(self) -> None:
        quota = self.quota
        quota.requests, quota.tokens = self.requests.allowances, self.tokens.allowances
        if self.outputs is not None:
            self.outputs.allowances = self._made.allowances

    def reserve(self, call: Call) -> int:
        """Tokens to reserve: what the provider will charge the call at most."""
        if call.kind is PASS or call.kind is COUNT:
            return 0
        return admission(self._rule, self.estimator.upper(call.size), call.shape.output)

    def charge(self, call: Call) -> Charge:
        """What the provider will charge the call: at most, and at least."""
        if call.kind is PASS or call.kind is COUNT:
            return FREE
        output = call.shape.output
        least = admission(self._rule, call.size.weight // WEIGHT_PER_TOKEN, output)
        if self.outputs is not None:
            beside = admission(self._rule, 0, output)
            return Charge(self.reserve(call), least, call.prefix, beside, self.outputs.likely(output))
        if self.prefixes is not None and call.prefix:
            return Charge(self.reserve(call), least, call.prefix, admission(self._rule, 0, output))
        return Charge(self.reserve(call), least)

    def slot(self, permit: "Permit[Lane]", bound: Permit[Outlet] | None, now: int) -> Slot:
        """The permit of this lane with what the mirrors show right after it."""
        tokens, requests = self.tokens.note(permit.tokens, now), self.requests.note(1, now)
        if self.outputs is not None:
            self._made.note(permit.outputs, now)
        quota = self.quota
        if quota.tokens is not self.tokens.allowances or quota.requests is not self.requests.allowances:
            self._follow()
        return Slot(self, permit, bound, tokens, requests)

    def account(self, call: Call, slot: Slot, usage: Usage | None, now: int) -> int:
        """Correct the charge by what the provider counted; the charge that stands, in tokens."""
        if usage is None or usage.estimated:
            slot.keep()
            return slot.charged
        profile, prompt = self.service.profile, usage.prompt
        self.estimator.learn(call.size, prompt)
        if self.prefixes is not None:
            self.prefixes.answered(call.prefix, prompt, usage.cached, now)
        if profile.cached_free:
            prompt -= usage.cached
        real = prompt + usage.completion if profile.settles else admission(self._rule, prompt, call.shape.output)
        slot.settle(real, now)
        if self.outputs is not None:
            self._produced(usage.completion, slot.permit, now)
        return real

    def _produced(self, tokens: int, permit: "Permit[Lane]", now: int) -> None:
        """A call made so many tokens, where its permit took another number."""
        if self.outputs is not None and permit.outputs:
            self.outputs.learn(tokens)
            taken = permit.outputs if permit.taken_at >= self._made.since else 0  # a limit learnt since took nothing
            self.outputs.correct(tokens - taken, permit.taken_at, now)
            if self.pool is not None:
                self.pool.pump()

    def watch(self, shown: dict[bytes, bytes], slot: Slot, now: int) -> None:
        """Hold the mirrors against a reply's rate-limit headers. Cheap while the limits they show do not change."""
        of_tokens, of_requests = self._of_tokens, self._of_requests
        limits = shown.get(of_tokens.limit), shown.get(of_requests.limit)
        if limits == _NOTHING_SHOWN:
            return
        sent_at = slot.permit.taken_at
        if limits != self._shown:
            self._shown = limits if self._learn(shown, sent_at, now) else _NOTHING_SHOWN
        spent = self.tokens.missing(shown.get(of_tokens.left), sent_at, now)
        if self.requests.missing(shown.get(of_requests.left), sent_at, now):
            spent += max(1, spent)
        if self.outputs is not None:
            spent += self._made.missing(shown.get(self._family.outputs.left), sent_at, now)
        if spent:
            self._lost(spent)

    def _lost(self, spent: int) -> None:
        """Others spent something: when it adds up, those who wait may not be served in time any more."""
        self._unreviewed += spent
        quota = self.quota
        limit = quota.tokens[0].limit if quota.tokens else quota.requests[0].limit
        if self._unreviewed * _UNREVIEWED > limit:
            self._unreviewed = 0
            self.changed()

    def _learn(self, shown: dict[bytes, bytes], sent_at: int, now: int) -> bool:
        """Follow the limits that the provider shows. False when the next reply is to be read as closely."""
        tokens, requests = self._seen(shown, self._of_tokens), self._seen(shown, self._of_requests)
        changed = self.tokens.learn(tokens, sent_at, now)
        changed = self.requests.learn(requests, sent_at, now) or changed
        if self.outputs is not None:
            changed = self._made.learn(self._seen(shown, self._family.outputs), sent_at, now) or changed
        self._follow()
        if changed:
            self.changed()
        known = (tokens is None or tokens.limit == self.tokens.seen) and (
            requests is None or requests.limit == self.requests.seen
        )
        return known and (tokens is not None or requests is not None) and self.tokens.settled and self.requests.settled

    def _seen(self, shown: dict[bytes, bytes], dimension: Dimension) -> headers.Seen | None:
        gradual = (self.window or self.service.profile.window) in GRADUAL
        return headers.minute(shown, self._family, dimension, self._clock.wall(), gradual=gradual)

    def refused(self, reason: Reason, text: str, shown: dict[bytes, bytes], slot: Slot) -> None:
        """The provider refused a call: what that teaches where no header says why."""
        now, sent_at = self._clock.now(), slot.permit.taken_at
        if reason is Reason.RAMP:
            self.requests.slow_down(sent_at, now)
        elif reason is Reason.RATE:
            by = blame.REQUESTS if not slot.charged else blame.blamed(text)
            if by == blame.REQUESTS:
                mirror, cost, dimension = self.requests, 1, self._of_requests
            elif by == blame.OUTPUTS and self.outputs is not None:
                mirror, cost, dimension = self._made, slot.permit.outputs, self._family.outputs
            else:
                mirror, cost, dimension = self.tokens, slot.charged, self._of_tokens
            if mirror.explains(shown.get(dimension.left)) or not mirror.refused(cost, sent_at, now):
                return
        else:
            return
        self._follow()
        self.changed()


def _shaped(profile: Profile, window: str) -> Profile:
    return msgspec.structs.replace(profile, window=window) if window else profile
