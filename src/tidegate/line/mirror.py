"""One dimension of a lane's quota, requests or tokens, held against what the provider shows of it.

The allowance is charged and corrected by what we send. Only the provider tells the rest, and each of its words is a
noisy one: the limit (headers, believed when several replies agree), what others spend behind our back (what is left,
held against the least that can be left), and where nothing is shown, its refusals.
"""

from typing import Final

from tidegate.line.doubt import Doubt, lowered, noise
from tidegate.line.portion import WHOLE, Portion
from tidegate.model.belief import Belief
from tidegate.model.snapshot import Profile
from tidegate.policy.failure import headers
from tidegate.policy.learned.aimd import WINDOW_US, Admitted, Aimd
from tidegate.policy.learned.delay import Delay
from tidegate.policy.learned.ghost import Ghost
from tidegate.policy.learned.lows import Lows
from tidegate.policy.learned.ramp import Ramp
from tidegate.policy.learned.trust import JUMP, NONSENSE, RISE, Trust
from tidegate.policy.quota.allowance import ALWAYS, Allowance
from tidegate.policy.quota.quota import allowance, mirrored
from tidegate.policy.quota.window import LATE_US, SlidingLog
from tidegate.units import MINUTE_US

RETEST_US: Final = 2 * MINUTE_US  # after so long without a word a limit of headers may be put to the test
GRADUAL: Final = frozenset({"continuous", "quantised"})  # a quantised limit is published as the minute's bucket
_QUANTISED_US: Final = 10_000_000  # of seconds that all are alike, so many tell the rate
_KNOWN: Final = 50  # a part of the limit: others who use more than that are there, and what is missing is theirs


class Mirror:
    """Configured, shown and learnt limit, and the allowance that follows the smallest (none while none is known)."""

    __slots__ = (
        "_admitted", "_agreed", "_aimd", "_born", "_checked_at", "_comparable", "_continuous", "_delay", "_doubt",
        "_ghost", "_heeded", "_jitter", "_largest", "_last_left", "_last_sent", "_log", "_lows", "_main", "_margin",
        "_noise", "_portion", "_profile", "_ramp", "allowances", "booked", "configured", "rounding", "seen", "since",
        "trust",
    )  # fmt: skip

    def __init__(self, configured: int, profile: Profile, now: int, rounding: int = 0) -> None:
        """`configured` = 0: not stated; the limit is learnt from the first reply that shows it.

        `rounding`: what is left is shown as a multiple of so many.
        """
        self._profile = profile
        self._continuous = profile.window == "continuous"
        self.configured = configured
        self.rounding = rounding
        self._portion = Portion()
        self.seen = self.booked = 0  # `booked`: found spent by others so far
        self.trust = Trust()
        self._heeded = True  # as the trust was when it was looked at last
        self._aimd = Aimd()
        self._ghost = Ghost(0, now)
        self._ramp: Ramp | None = None
        self._doubt: Doubt | None = None
        self._agreed = 0  # replies that showed the limit, lately
        self._main: Allowance | None = None
        self._log: SlidingLog | None = None  # the same, where it is one
        self._delay = Delay()
        self._admitted = Admitted(now)
        self._lows = Lows(now)
        self._born = self.since = now  # `since`: from when on what is sent is taken from it
        self._checked_at = self._last_sent = self._last_left = self._largest = 0
        self.allowances: tuple[Allowance, ...] = ()
        self._follow(now)

    @property
    def limit(self) -> int:
        """The limit to keep: the smallest of what is configured, shown and learnt; 0 = nothing is known."""
        shown = self.seen if self._heeded or not self.configured else 0
        return min((known for known in (self.configured, shown, self._aimd.limit) if known), default=0)

    @property
    def settled(self) -> bool:
        """No limit is in doubt."""
        return self._doubt is None

    def left(self, now: int) -> int:
        """What is left, -1 without a limit."""
        return self._main.left(now) if self._main is not None else -1

    def belief(self, now: int) -> Belief:
        """What is known, and from where."""
        limit, source = self.limit, ""
        if limit:
            source = "configured" if limit == self.configured else "headers" if limit == self.seen else "refusals"
        return Belief(self.seen, self._aimd.limit, self.trust.score, self._ghost.per_minute(now), limit, source)

    def note(self, cost: int, now: int) -> int:
        """A call has just been charged `cost`. What is left, -1 without a limit."""
        admitted = self._admitted
        admitted.total += cost
        if now >= admitted.next_mark:
            self._tick(now)
        if cost > self._largest:
            self._largest = cost
        main = self._main
        if main is None:
            return -1
        left = main.left(now)
        margin = self._margin if self._continuous else main.limit - main.depth  # a window's depth changes by itself
        self._lows.note(left + margin + self.booked, now)
        return left

    @property
    def sent(self) -> int:
        """All that was charged so far, by estimates."""
        return self._admitted.total

    def divide(self, part: int, now: int) -> bool:
        """Keep to so many millionths of the limit: others have the rest, and spend of what a provider shows to be left.

        What was left stays left, as far as it fits. True when that changed something.
        """
        changed = self._portion.divide(part, now)
        if changed:
            self._follow(now)
        return changed

    def reconfigure(self, configured: int, profile: Profile, now: int) -> None:
        """The configuration changed: what is known of the quota stays, as far as it still fits."""
        fresh = (profile.window, profile.jitter_us) != (self._profile.window, self._profile.jitter_us)
        self._profile = profile
        self._continuous = profile.window == "continuous"
        self.configured = configured
        if fresh and self._main is not None:
            left = self._main.left(now)
            self._main = self._doubt = None
            self._follow(now)
            self._continue(left, now, now)
        else:
            self._follow(now)

    def recall(self, belief: Belief, left: int | None, at: int, now: int) -> None:
        """Continue from an earlier run: what it believed, what was left at an earlier time."""
        self.seen = belief.shown
        self._aimd = Aimd(belief.learnt)
        self.trust = Trust(belief.trust)
        self._ghost = Ghost(belief.others, now)
        self._follow(now)
        if self.limit and self.limit != self.configured and self._main is not None:
            self._main.firm_until = 0  # an old word: whoever it would exclude may put it to the test
        if left is not None:
            self._continue(left, at, now)

    # ── what headers show ────────────────────────────────────────────────────────────────────────────────────────────

    def learn(self, shown: headers.Seen | None, sent_at: int, now: int) -> bool:
        """Follow what a reply shows as the minute's limit (None: nothing of the kind). True when the limit changed.

        A higher limit is followed at once, a lower one when several replies agree; until then both are kept to. A reply
        to a call that was sent before the last change says nothing about it.
        """
        if shown is None:
            if self.seen:
                self.trust.contradict(NONSENSE)
            self._comparable = False
            return False
        before = self._main
        if shown.odd:
            self.trust.contradict(NONSENSE)
        if shown.limit == self.seen:
            return self._confirm(sent_at, now)
        if (not self.trust.believed and shown.limit < self.seen) or (self.seen and sent_at < self._born):
            return False
        if shown.limit >= (self.limit or shown.limit):
            limit, self._doubt = self.limit, None
            self._adopt(shown.limit, now)
            if before is None:
                self._continue(shown.left, now, now)
            return self.limit != limit
        return self._suspect(shown, now)

    def _confirm(self, sent_at: int, now: int) -> bool:
        """A reply shows the limit that is known."""
        self._firm(now)
        if self._doubt is None:
            self._gauge()
            return False
        if sent_at < self._doubt.since:
            self._doubt.against += 1
            return False
        self._doubt = None
        self.trust.contradict(JUMP)
        self._follow(now)
        return True

    def _suspect(self, shown: headers.Seen, now: int) -> bool:
        """A reply shows less than what is kept to."""
        doubt, limit = self._doubt, shown.limit
        if doubt is None or doubt.limit != limit:
            if doubt is not None:
                self.trust.contradict(JUMP)
            self._doubt = Doubt(limit, lowered(self._main, shown, self._profile, now), now, cautious=self.trust.good)
            self._compose()
            return False
        if not doubt.settled(self.trust):
            return False
        self._doubt = None
        left = doubt.allowance.left(now)
        self._adopt(limit, now)
        main = self._main
        if main is not None and doubt.cautious and self._continuous and main.left(now) > left:
            main.take(main.left(now) - left, now)
        return True

    def _adopt(self, limit: int, now: int) -> None:
        self.seen = limit
        self._agreed = 0
        self._follow(now)

    def _firm(self, now: int) -> None:
        """One more reply agrees. When enough have, what exceeds this limit is too large, for now."""
        self._agreed += 1
        main = self._main
        if main is not None and main.firm_until != ALWAYS and self._agreed >= self.trust.needed:
            main.firm_until = now + RETEST_US

    # ── what others spend ────────────────────────────────────────────────────────────────────────────────────────────

    def missing(self, left: bytes | None, sent_at: int, now: int) -> int:
        """Book what others spent: the reply to a call that was sent at `sent_at` shows less than can be left.

        Returns what was booked now, usually 0.
        """
        if left is None:
            return 0
        log = self._log
        if log is not None and (late := self._delay.late(now - sent_at)) > self._profile.jitter_us // 2:
            log.late(sent_at, late)
        if not self._comparable:
            return 0
        shown = headers.number(left)
        if sent_at >= self._checked_at:
            self._check(shown, sent_at, now)
        least = self._lows.since(sent_at)
        if least is not None and least - self.booked - shown <= self._noise:
            return 0  # the common case: our estimates are high, so they have more than we think
        return self._book(shown, least, sent_at, now) if shown >= 0 else 0

    def _check(self, shown: int, sent_at: int, now: int) -> None:
        """Once a round trip: can it be true, after what the last reply showed?"""
        if shown < 0:
            self.trust.contradict(NONSENSE)
            return
        refill = self.seen * (now - self._last_sent) // MINUTE_US
        rise = shown - self._last_left - refill > self._noise + self._jitter
        profile = self._profile
        strange = self._last_sent and self._continuous and not (profile.settles or profile.cached_free)
        if shown > self.seen or (rise and strange):  # who counts less later, lets more be left
            self.trust.contradict(RISE)
        else:
            self.trust.agree()
            self._firm(now)
        self._checked_at, self._last_sent, self._last_left = now, sent_at, shown

    def _book(self, shown: int, least: int | None, sent_at: int, now: int) -> int:
        main = self._main
        if main is None or not self.trust.believed:
            return 0
        if least is None:
            # Sent before this mirror was, or this limit: there cannot be more than was left then, and the refill.
            spent = main.left(now) + self._margin - shown - self.limit * (now - sent_at) // MINUTE_US
        else:
            spent = least - self.booked - shown
            if self._continuous and 4 * (shown + spent) > 3 * self.seen:
                spent -= self._jitter  # near the brim what came late has not been refilled there
        if spent <= self._noise or self._lingers(spent, sent_at, now):
            return 0
        main.take(spent, now)
        self.booked += spent
        if least is not None:
            self._ghost.spent(spent, now - sent_at, now)
            self._reserve(now)
        return spent

    def _lingers(self, missing: int, sent_at: int, now: int) -> bool:
        """Whether that may be ours: calls that came late to the provider leave its window later than our log."""
        log = self._log
        if log is None or self._ghost.per_minute(now) * _KNOWN > self.limit:
            return False
        return missing <= log.lingering(sent_at - LATE_US, now) and log.hold(missing, now)

    def _reserve(self, now: int) -> None:
        if self._main is not None:
            self._main.keep_back(self._ghost.reserve(self._main.limit, now), now)
            self._margin = self._main.limit - self._main.depth

    # ── what refusals teach ──────────────────────────────────────────────────────────────────────────────────────────

    def explains(self, left: bytes | None) -> bool:
        """Whether what a refusal shows to be left is believed, and tells of the limit that was exceeded."""
        return headers.number(left) >= 0 and self.trust.believed and self._profile.window != "quantised"

    def refused(self, cost: int, sent_at: int, now: int) -> bool:
        """A call of `sent_at` was refused for this dimension, and no header says why. True when the limit changed."""
        self._admitted.total -= cost
        limit, shown = self.limit, False
        if self._profile.window == "quantised":
            if now - self._admitted.started < _QUANTISED_US:
                return False
            shown = limit == self.seen and self.trust.believed
            rate = self._admitted.within(_QUANTISED_US, now) * (MINUTE_US // _QUANTISED_US)
            admitted = max(rate, limit)
        else:
            admitted = self._portion.everywhere(self._admitted.within(WINDOW_US, now))
        if not self._aimd.refuse(admitted, cost, limit, self._largest, sent_at, now, shown=shown):
            return False
        self._follow(now)
        if self._main is not None and (left := self._main.left(now)) > 0:
            self._main.take(left, now)
        return True

    def slow_down(self, sent_at: int, now: int) -> None:
        """The rate rose too fast: hold the rate of before."""
        if self._ramp is not None:
            self._ramp.again(sent_at, now)
            return
        lately = self._admitted.within(WINDOW_US, now)
        before = self._admitted.within(2 * WINDOW_US, now) - lately
        self._ramp = Ramp(before, lately, now)
        self._compose()

    def _tick(self, now: int) -> None:
        """Every few seconds of traffic."""
        self._admitted.mark(now)
        upper = min((known for known in (self.configured, self.seen) if known), default=0)
        if self._aimd.grow(self._portion.everywhere(self._admitted.within(WINDOW_US, now)), upper, now):
            self._follow(now)
        if self._ramp is not None and not self._ramp.grow(self.limit, now):
            self._ramp = None
            self._compose()
        if self.trust.believed is not self._heeded:
            self._heeded = self.trust.believed
            self._follow(now)
        if self.booked:
            self._reserve(now)

    # ── the allowances ───────────────────────────────────────────────────────────────────────────────────────────────

    def _follow(self, now: int) -> None:
        """Bring the allowance to the limit, or to this region's part of it."""
        whole, profile = self.limit, self._profile
        limit = self._portion.of(whole)
        if not limit:
            self._main = None
        elif self._main is None:
            self._main = self._made(limit, now)
            self._restart(now)
            self.since = now
        elif (held := mirrored(limit, profile.window)) != self._main.limit:
            self._main.resize(held, now)
            self._restart(now)
        if self._main is not None:
            if whole == self.configured and self._portion.shut is None:  # without a part nothing is too large for it
                self._main.firm_until = ALWAYS
            elif self._main.firm_until == ALWAYS:
                self._main.firm_until = 0
        self._gauge()
        self._compose()

    def _made(self, limit: int, now: int) -> Allowance:
        return allowance(limit, now, window=self._profile.window, jitter_us=self._profile.jitter_us)

    def _restart(self, now: int) -> None:
        """Levels of before cannot be compared with those of now."""
        self._lows.clear(now)
        self._born = self._checked_at = now
        self._last_sent = 0

    def _gauge(self) -> None:
        main = self._main
        self._log = main if isinstance(main, SlidingLog) else None
        self._comparable = main is not None and self._doubt is None and 0 < main.limit <= self.seen
        if self._profile.window == "quantised" or self._portion.ppm != WHOLE:
            self._comparable = False  # shown is the minute's, or what all regions left; kept the second's, or a part
        self._margin = main.limit - main.depth if main is not None else 0
        limit = main.limit if main is not None else 0
        self._jitter = limit * self._profile.jitter_us // MINUTE_US
        self._noise = noise(limit, self._jitter, self.rounding)

    def _compose(self) -> None:
        parts = [self._main] if self._main is not None else []
        if self._doubt is not None:
            self._comparable = False
            if self._doubt.cautious:
                parts.append(self._doubt.allowance)
        if self._ramp is not None:
            parts.append(self._ramp.bucket)
        if self._portion.shut is not None:
            parts.append(self._portion.shut)
        self.allowances = tuple(parts)

    def _continue(self, left: int, at: int, now: int) -> None:
        if self._main is not None:
            self._main.restore(left, at, now)
            self._restart(now)
