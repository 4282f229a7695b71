"""What the gate knows of one account: an outlet whose quota follows what replies show, as `line/lane.py` does it."""

from tidegate.line.mirror import Mirror
from tidegate.model.snapshot import Limits, Profile
from tidegate.policy.failure.breaker import Breaker
from tidegate.policy.failure.headers import Seen
from tidegate.policy.failure.health import Health
from tidegate.policy.queue.outlet import Outlet
from tidegate.policy.quota.quota import Charge, Quota


class Shown:
    """The rate-limit headers of a reply: limits, and what was left when it was written."""

    __slots__ = ("left_requests", "left_tokens", "rpm", "tpm")

    def __init__(self, rpm: int, tpm: int, left_requests: int, left_tokens: int) -> None:
        self.rpm = rpm
        self.tpm = tpm
        self.left_requests = left_requests
        self.left_tokens = left_tokens


class Sight(Outlet):
    """An outlet with its mirrors."""

    __slots__ = ("_known", "requests", "tokens")

    def __init__(
        self, name: str, limits: Limits, profile: Profile, overload: Health, now: int, *, drained: bool
    ) -> None:
        """`overload` is shared by all accounts of the provider; `drained`: nobody knows what is left, so nothing is."""
        self.requests = Mirror(limits.rpm, profile, now)
        self.tokens = Mirror(limits.tpm, profile, now)
        if drained:
            for mirror in (self.requests, self.tokens):
                mirror.recall(mirror.belief(now), 0, now, now)
        quota = Quota(self.requests.allowances, self.tokens.allowances)
        super().__init__(name, quota, Breaker(model=overload))
        self._known = (0, 0)

    def send(self, charge: Charge, now: int) -> int:
        """A call passes; what it probes."""
        probe = self.take(charge, now)
        self.tokens.note(charge.tokens, now)
        self.requests.note(1, now)
        self._follow()
        return probe

    def watch(self, shown: Shown, sent_at: int, now: int) -> bool:
        """Hold the mirrors against a reply's headers. True when the quota is another one than before."""
        changed = False
        if (shown.rpm, shown.tpm) != self._known:
            changed = self.tokens.learn(Seen(shown.tpm, shown.left_tokens), sent_at, now)
            changed = self.requests.learn(Seen(shown.rpm, shown.left_requests), sent_at, now) or changed
            self._follow()
            known = (self.requests.seen, self.tokens.seen) == (shown.rpm, shown.tpm)
            settled = known and self.tokens.settled and self.requests.settled
            self._known = (shown.rpm, shown.tpm) if settled else (0, 0)
        spent = self.tokens.missing(b"%d" % shown.left_tokens, sent_at, now)
        return bool(self.requests.missing(b"%d" % shown.left_requests, sent_at, now) or spent) or changed

    def _follow(self) -> None:
        self.quota.requests, self.quota.tokens = self.requests.allowances, self.tokens.allowances
