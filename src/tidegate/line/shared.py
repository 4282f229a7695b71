"""A lane whose quota all workers share: its mirrors keep purses, and what one worker learns holds for all.

Limits are learnt here as ever, from headers and refusals; the lowest that a worker knows is in force, for the fund.
What the provider shows to be left is held against the fund, which alone knows what all workers spent.
"""

from collections.abc import Sequence

from tidegate.line.mirror import Mirror
from tidegate.model.cluster import BUCKET, LOG, Demand, ExchangeReply
from tidegate.model.snapshot import Profile
from tidegate.policy.failure import headers
from tidegate.policy.lease.lease_client import LeaseClient
from tidegate.policy.lease.purse import QuotaLease
from tidegate.policy.quota.allowance import Allowance
from tidegate.policy.quota.quota import mirrored
from tidegate.units import MINUTE_US, SECOND_US


class SharedMirror(Mirror):
    """One dimension of such a lane."""

    __slots__ = ("_used", "purse")

    def __init__(self, configured: int, profile: Profile, now: int, rounding: int, of: int) -> None:
        """`of`: what a call takes of it, as `QuotaLease` says."""
        self.purse = QuotaLease(BUCKET, of=of)
        self._used = -1
        self._shape(profile)
        super().__init__(configured, profile, now, rounding)

    def note(self, cost: int, now: int) -> int:
        """A call has just been charged. What all workers admit is told by the fund, while it is heard."""
        admitted, purse = self._admitted, self.purse
        if purse.alone is not None:
            admitted.total += cost
        if now >= admitted.next_mark:
            self._tick(now)
        if cost > self._largest:
            self._largest = cost
        if self._main is None:
            purse.take(cost, now)  # nothing limits it: the fund counts what all workers use, until a limit is known
            return -1
        return purse.left(now)

    def told(self, used: int) -> None:
        """So much was spent so far, by anybody."""
        if 0 <= self._used < used:
            self._admitted.total += used - self._used
        self._used = used

    def learn(self, shown: headers.Seen | None, sent_at: int, now: int) -> bool:
        """As `Mirror.learn`. What is left when a limit is first seen is the fund's to know."""
        before = self._main
        changed = super().learn(shown, sent_at, now)
        if before is None and self._main is not None and shown is not None:
            self.purse.show(shown.left, sent_at, self._noise)
        return changed

    def missing(self, left: bytes | None, sent_at: int, now: int) -> int:
        """As `Mirror.missing`, but the fund compares. Always 0."""
        if left is None or not self._comparable:
            return 0
        shown = headers.number(left)
        if sent_at >= self._checked_at:
            self._check(shown, sent_at, now)
        if shown >= 0 and self.trust.believed:
            self.purse.show(shown, sent_at, self._noise)
        return 0

    def refused(self, cost: int, sent_at: int, now: int) -> bool:
        """As `Mirror.refused`: then the fund is empty too."""
        changed = super().refused(cost, sent_at, now)
        if changed and self._main is not None:
            self.purse.drain(now)
        return changed

    def _suspect(self, shown: headers.Seen, now: int) -> bool:
        """As `Mirror._suspect`; what would be kept to meanwhile is of all workers, so it is not."""
        changed = super()._suspect(shown, now)
        if self._doubt is not None and self._doubt.cautious:
            self._doubt.cautious = False
            self._compose()
        return changed

    def _follow(self, now: int) -> None:
        super()._follow(now)
        if self._main is None:
            self.purse.resize(0, now)

    def _shape(self, profile: Profile) -> None:
        """As the provider counts, whether a limit is known yet or not."""
        span = SECOND_US if profile.window == "quantised" else MINUTE_US
        self.purse.shape(BUCKET if profile.window == "continuous" else LOG, span, profile.jitter_us)

    def _made(self, limit: int, now: int) -> Allowance:
        self._shape(self._profile)
        self.purse.resize(mirrored(limit, self._profile.window), now)
        return self.purse

    def _continue(self, left: int, at: int, now: int) -> None:
        """What an earlier run knew is nothing to what the fund knows."""


class Witness:
    """Tells the mirrors of a lane what all workers spent. Fulfils `wallet.Source`: nobody waits for it."""

    __slots__ = ("_mirrors",)

    def __init__(self, mirrors: Sequence[SharedMirror]) -> None:
        self._mirrors = mirrors

    def demands(self, wallet: LeaseClient, now: int) -> list[Demand]:
        """None."""
        return []

    def told(self, wallet: LeaseClient, told: ExchangeReply | None, now: int) -> None:
        """The fund has spent so much."""
        for mirror, used in zip(self._mirrors, wallet.used, strict=False):
            mirror.told(used)


def mirror(configured: int, profile: Profile, now: int, rounding: int, of: int, *, shared: bool) -> Mirror:
    """One dimension of a lane's quota."""
    if shared:
        return SharedMirror(configured, profile, now, rounding, of)
    return Mirror(configured, profile, now, rounding)


def wallet_of(key: str, mirrors: Sequence[Mirror], now: int) -> LeaseClient:
    """The wallet of a lane with these mirrors, which are shared ones."""
    shared = [one for one in mirrors if isinstance(one, SharedMirror)]
    wallet = LeaseClient(
        key, [one.purse for one in shared], now // 1_000
    )  # no seq comes twice, should the lane come again
    wallet.sources.append(Witness(shared))
    return wallet
