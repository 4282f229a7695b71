"""A purse: what a worker holds of one dimension of a fund, and what it knows of the rest.

A lease was debited where it came from before it is spent here, so `has` asks nobody. Who lacks something waits for the
next exchange; how long is told by what the fund said last: left then, and what has come back since.

Floors for higher tiers are kept by the fund (`Demand.floor`), which sees what is left for all; here `depth` is 0, so
that nobody asks a purse for more than the call's cost (`outlet.needed`). Every operation is O(1).
"""

from collections.abc import Sequence
from typing import Final

from tidegate.model.cluster import BUCKET, LOG, SLOTS, SUM, Dim
from tidegate.policy.lease.ages import Ages
from tidegate.policy.lease.alone import Alone
from tidegate.policy.quota.allowance import ALWAYS, NEVER, Allowance, View

REQUESTS = 0  # what a call takes of a dimension: one
TOKENS = 1
OUTPUTS = 2  # tokens that it makes
SOON_US = 3_000  # until an exchange has brought what is there
AWAY_US: Final = 1 << 44  # a wait for the shared state: longer than any deadline, and less than an operator's word
SLOT_US = 100_000  # when a place becomes free nobody knows: a guess
CORRECTIONS = 64  # slots of them between two exchanges
_FADE = 64  # exchanges over which a large call is forgotten


class QuotaLease(Allowance):
    """One dimension's lease. `LeaseClient` fills it, and tells what became of it."""

    __slots__ = (
        "_corrections", "alone", "capacity", "drained", "ends_at", "fund_left", "held", "jitter_us", "kind", "largest",
        "news", "noise", "of", "own_limit", "part", "period", "shown", "shown_at", "shut", "since", "spent", "stir",
        "told_at", "until", "window_us",
    )  # fmt: skip

    def __init__(self, kind: int, limit: int = 0, *, window_us: int = 0, jitter_us: int = 0, of: int = TOKENS) -> None:
        """`kind`: `BUCKET`, `LOG`, `SLOTS` or `SUM` of `model.cluster`; `limit` 0: not limited, it holds nobody back.

        `of`: what a call takes of it, `REQUESTS`, `TOKENS` or `OUTPUTS`. Of a SUM `period` and `ends_at` (monotonic)
        are set by who knows the calendar.
        """
        self.of = of
        self.firm_until = ALWAYS
        self.depth = 0
        self.own_limit = limit  # as far as this worker knows
        self.held = 0  # of the lease, unspent; negative when more was taken
        self.until = 0  # the lease is void from then on
        self.spent = 0  # of the lease since the last exchange; of SLOTS: what is in use
        self.since = 0  # when that was
        self.largest = 0  # call of late
        self.fund_left = 0  # in the fund, for anybody, as it was told
        self.told_at = -1
        self.part = 1.0  # of the rate, that is probably this worker's
        self.drained = False
        self.news = False  # of the limit
        self.shown = -1
        self.shown_at = 0
        self.noise = 0
        self.period = 0
        self.ends_at = 0
        self.alone: Alone | None = None  # while the shared state is silent
        self.shut = False  # nothing may be spent before the shared state is heard of again
        self.stir: Wake | None = None  # whom to tell of a correction while nothing else is to be told
        self._corrections = Ages(CORRECTIONS, early=True)
        self.shape(kind, window_us, jitter_us)
        self.resize(limit, 0)

    def shape(self, kind: int, window_us: int, jitter_us: int) -> None:
        """How it is counted, in the fund too."""
        self.kind = kind
        self.window_us = max(1, window_us) if kind == BUCKET else window_us
        self.jitter_us = jitter_us
        self.fleeting = kind == LOG

    # ── on the path of a call ────────────────────────────────────────────────────────────────────────────────────────

    def has(self, cost: int, now: int) -> bool:
        if self.held >= cost and now < self.until:
            return True
        alone = self.alone
        return alone.has(cost, now) if alone is not None else cost <= 0 <= self.held

    def take(self, cost: int, now: int) -> None:
        if self.alone is not None:
            self.alone.take(cost, now)
            return
        self.held -= cost
        self.spent += cost
        if cost > self.largest:
            self.largest = cost

    def correct(self, delta: int, taken_at: int, now: int) -> None:
        """What was taken since the last exchange comes back into the lease; anything else the fund is told."""
        if self.alone is not None:
            self.alone.correct(delta, taken_at, now)
        elif self.kind == SLOTS or (delta < 0 and taken_at >= self.since and self.spent >= -delta):
            self.held -= delta
            self.spent += delta
            self._stirred()
        elif delta:
            self._corrections.add(delta, taken_at)
            self._stirred()

    def _stirred(self) -> None:
        if self.stir is not None:
            self.stir.stirred()

    def wait(self, cost: int, now: int, ahead: int = 0) -> int:
        """By the fund's whole rate: what waits at other workers is part of `ahead`."""
        if cost > self.limit:
            return NEVER
        if self.alone is not None:
            return self.alone.wait(cost + ahead, now)
        if self.shut:
            return AWAY_US
        held = self.held if now < self.until else min(0, self.held)
        if cost + ahead <= held:
            return 0
        missing = min(cost, self.capacity) + ahead - held
        if missing <= self.in_fund(now) or self.told_at < 0:
            return SOON_US
        return max(SOON_US, self._comes(missing, now))

    def _comes(self, missing: int, now: int) -> int:
        if self.kind == SUM:
            return self.ends_at - now
        if not self.window_us:
            return SLOT_US
        return self.told_at + -(-(missing - self.fund_left) * self._span() // self.limit) - now

    def left(self, now: int) -> int:
        """What is held; what the fund has besides is nobody's yet."""
        if self.alone is not None:
            return self.alone.left(now)
        return self.held if now < self.until else min(0, self.held)

    # ── the fund's side, as far as it is known ───────────────────────────────────────────────────────────────────────

    def in_fund(self, now: int) -> int:
        """What is probably left there, for anybody; all of it before anything was told."""
        if self.told_at < 0:
            return self.capacity
        back = (now - self.told_at) * self.limit // self._span() if self.window_us and self.kind != SUM else 0
        left = self.fund_left + back
        return left if left < self.capacity else self.capacity

    def _span(self) -> int:
        return self.window_us + self.jitter_us if self.kind == LOG else max(1, self.window_us)

    def rate(self) -> float:
        """Of the fund's rate the part that is probably this worker's."""
        return self.limit * 1e6 / self._span() * self.part

    def whole_rate(self) -> float:
        """What the fund admits a second, for all."""
        return self.limit * 1e6 / self._span()

    def _known(self, now: int) -> int:
        """What is left for anybody, and what is held here."""
        alone = self.alone
        return alone.left(now) if alone is not None else self.in_fund(now) + max(0, self.left(now))

    def used_permille(self, now: int) -> int:
        if self.alone is not None:
            return 0  # paced by its share
        return max(0, self.capacity - self._known(now)) * 1000 // max(1, self.capacity)

    def used(self, now: int) -> int:
        """By all workers together."""
        return -1 if self.alone is not None else min(self.limit, max(0, self.capacity - self._known(now)))

    def view(self, now: int) -> View:
        left = self._known(now)
        reset = max(0, self.capacity - left) * self._span() // max(1, self.limit)
        return View(self.limit, max(0, left), max(0, self.ends_at - now) if self.kind == SUM else reset)

    def resize(self, limit: int, now: int) -> None:
        """So much is the limit as far as this worker knows; the lowest that any worker knows is in force once told."""
        news = self.told_at >= 0 and limit != self.own_limit
        self.own_limit = limit
        self._limit(limit)
        if news:
            self.news = True
            self._stirred()
        if self.alone is not None:
            self.alone.resize(limit, now)

    def _limit(self, limit: int) -> None:
        self.limit = limit
        kept = limit * self.jitter_us // self.window_us if self.kind == BUCKET and self.window_us else 0
        self.capacity = max(1, limit - kept)

    def restore(self, left: int, at: int, now: int) -> None:
        """The fund knows by itself."""

    def show(self, left: int, sent_at: int, noise: int) -> None:
        """A reply to a call of `sent_at` showed so much to be left; a difference of `noise` is nobody's use."""
        self.shown = left
        self.shown_at = sent_at
        self.noise = noise

    def drain(self, now: int) -> None:
        """The provider refused a call though something seemed left: nothing is left."""
        self.drained = True
        if self.held > 0:
            self.spent += self.held
            self.held = 0
        self._stirred()

    # ── exchanges ────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def leased(self) -> bool:
        """Whether there is a lease to keep: something unspent, or places in use."""
        return self.held > 0 or (self.kind == SLOTS and self.spent > 0)

    @property
    def telling(self) -> bool:
        """Whether something has become of the lease that the fund does not know."""
        return bool(self._corrections) or self.drained or self.news or (self.spent > 0 and self.kind != SLOTS)

    def tell(self, returned: int, target: int, now: int) -> Dim:
        """What the next exchange says of it, `returned` taken out of the lease; a debt is told as a correction."""
        if not self.own_limit:
            self.held = max(0, self.held)
        elif self.kind != SLOTS:
            self._owe(now)
        self.held -= returned
        spent = 0 if self.kind == SLOTS else self.spent
        shown_age = now - self.shown_at if self.shown >= 0 else 0
        dim = Dim(
            self.kind,
            self.own_limit,
            self.window_us,
            self.jitter_us,
            spent,
            returned,
            self._corrections.pairs(now),
            target,
            self.shown,
            shown_age,
            self.noise,
            self.drained,
            self.period,
        )
        self.spent -= spent
        self.since = now
        self.largest -= self.largest // _FADE
        self._corrections.clear()
        self.shown = -1
        self.drained = self.news = False
        return dim

    def told(self, granted: int, left: int, limit: int, until: int, now: int) -> None:
        """The fund gave so much, and has so much left; `limit` is in force, 0: it was not said."""
        self.held += granted
        self.fund_left = left
        self.told_at = now
        self.until = until
        if limit and self.own_limit:
            self._limit(min(limit, self.own_limit))

    def leave(self) -> None:
        """Nobody renews the lease: nothing more of it is spent."""
        self.held = min(self.held, 0)
        self.until = 0

    def void(self, now: int) -> None:
        """The lease counts as spent: nothing of it is left, and nothing of it is to be told."""
        debt = -self.held
        self.held = 0
        if self.kind != SLOTS:
            if debt > 0 and self.own_limit:
                self._corrections.add(debt, now)
            self.spent = 0

    def lost(self, said: Dim, age: int, now: int) -> None:
        """The fund that leased it is no more, and nothing came of what it was told last, `age` ago.

        What was granted is put back with what is known of it (`RecoveryState.given`), and counts as spent, but for a
        sum: of that it is what was spent, which is told as ever.
        """
        self.again([(each + age, by) for each, by in said.corrections], now)
        if self.kind == SUM:
            self.spent += said.spent
            self._owe(now)
            self.held = 0
        else:
            self.void(now)

    def _owe(self, now: int) -> None:
        """What was spent beyond the lease is told as a correction."""
        if self.held < 0:
            self._corrections.add(-self.held, now)
            self.spent = max(0, self.spent + self.held)
            self.held = 0

    def again(self, corrections: Sequence[tuple[int, int]], now: int) -> None:
        """These were in an exchange that did not happen, or nobody knows: (age, by how much more)."""
        for age, delta in corrections:
            self._corrections.add(delta, now - age)


class Wake:
    """Who is told that a purse has something to say."""

    __slots__ = ()

    def stirred(self) -> None:
        """Something is to be told, by and by."""
