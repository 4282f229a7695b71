"""One dimension of a lane's quota, requests or tokens, held against what the provider shows of it.

The allowance is charged and corrected by what we send. The reply's `x-ratelimit-*` headers alone tell a changed limit
and what others have spent behind our back.
"""

from tidegate.model.snapshot import Profile
from tidegate.policy import headers
from tidegate.policy.allowance import Allowance
from tidegate.policy.quota import MINUTE_US, allowance, mirrored


class Mirror:
    """Configured and shown limit, and the allowance that follows the smaller of them (none while neither is known)."""

    __slots__ = ("_comparable", "_margin", "_noise", "_profile", "allowances", "booked", "configured", "seen")

    def __init__(self, configured: int, profile: Profile, now: int) -> None:
        """`configured` = 0: not stated; the limit is learnt from the first reply that shows it."""
        self._profile = profile
        self.configured = configured
        self.seen = 0
        self.booked = 0  # found spent by others so far
        self.allowances: tuple[Allowance, ...] = ()
        self._follow(now)

    @property
    def limit(self) -> int:
        """The limit to keep: what is configured, or less when the provider shows less; 0 = unknown."""
        if self.configured and self.seen:
            return min(self.configured, self.seen)
        return self.configured or self.seen

    def left(self, now: int) -> int:
        """What is left, -1 without a limit."""
        return self.allowances[0].left(now) if self.allowances else -1

    def reconfigure(self, configured: int, profile: Profile, now: int) -> None:
        """The configuration changed: what is known of the quota stays, as far as it still fits."""
        fresh = (profile.window, profile.jitter_us) != (self._profile.window, self._profile.jitter_us)
        self._profile = profile
        self.configured = configured
        if fresh and self.allowances:
            left = self.allowances[0].left(now)
            self.allowances = ()
            self._follow(now)
            self._continue(left, now, now)
        else:
            self._follow(now)

    def recall(self, seen: int, left: int | None, at: int, now: int) -> None:
        """Continue from an earlier run: the limit it was shown, what was left at an earlier time."""
        self.seen = seen
        self._follow(now)
        if left is not None:
            self._continue(left, at, now)

    def learn(self, shown: headers.Seen | None, now: int) -> bool:
        """Follow what the provider shows as the minute's limit (None: nothing of the kind). True when it changed."""
        if shown is None:
            self._comparable = False
            return False
        changed = shown.limit != self.seen
        unknown = not self.allowances
        self.seen = shown.limit
        self._follow(now)
        if unknown:
            self._continue(shown.left, now, now)
        return changed

    def missing(self, left: bytes | None, expected: int, booked: int, sent_at: int, now: int) -> int:
        """Book what others spent: a reply shows `left` where we expected `expected` right after our own charge.

        `booked` is `self.booked` as it stood then. Returns what was booked now, usually 0.
        """
        if left is None or not self._comparable:
            return 0
        shown = headers.number(left)
        if expected >= 0 and expected + self._margin - shown - self.booked + booked <= self._noise:
            return 0  # the common case: our estimates are high, so they have more than we think
        return self._book(shown, expected, booked, sent_at, now) if shown >= 0 else 0

    def _book(self, shown: int, expected: int, booked: int, sent_at: int, now: int) -> int:
        mirror = self.allowances[0]
        already = self.booked - booked
        if expected < 0:
            # Sent before there was a mirror, or in debt: what is left cannot be more than was then, and the refill.
            expected, already = mirror.left(now), 0
            shown += mirror.limit * (now - sent_at) // MINUTE_US
        elif expected > mirror.depth:
            expected = mirror.depth  # the limit has become smaller since
        spent = headers.deficit(expected + self._margin, shown, mirror.limit, already)
        if spent:
            mirror.take(spent, now)
            self.booked += spent
        return spent

    def _follow(self, now: int) -> None:
        """Bring the allowance to the limit."""
        limit = self.limit
        if not limit:
            self.allowances = ()
        elif not self.allowances:
            profile = self._profile
            self.allowances = (allowance(limit, now, window=profile.window, jitter_us=profile.jitter_us),)
        elif (held := mirrored(limit, self._profile.window)) != self.allowances[0].limit:
            self.allowances[0].resize(held, now)
        mirror = self.allowances[0] if self.allowances else None
        self._comparable = mirror is not None and mirror.limit == self.seen
        self._margin = mirror.limit - mirror.depth if mirror else 0
        self._noise = mirror.limit // 100 if mirror else 0

    def _continue(self, left: int, at: int, now: int) -> None:
        if self.allowances:
            self.allowances[0].restore(left, at, now)
