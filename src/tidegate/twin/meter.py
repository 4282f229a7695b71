"""The limiter of one (organisation, model): admits, refuses, and judges its own refusals. Pure: `now` is an argument.

A call is charged on all windows or on none. Every refusal is labelled: *avoidable* when the published windows, charged
with the callers' own traffic alone, would refuse it too and the caller has been shown the limits in force. Two things
make it unavoidable: others' use of the quota (a shadow without the ghost would have admitted), and a limit changed
since the last reply that this key was sent.
"""

from dataclasses import dataclass
from typing import Final

from tidegate.twin.settings import Limits, Rules
from tidegate.twin.windows import DAY, MINUTE, NEVER, SECOND, Window, make

GHOST_STEP: Final = MINUTE // 600  # the others' use is charged in steps of 100 ms
PERMILLE: Final = 1_000
_UNSEEN: Final = (0, 0)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call was not admitted. `wait` is in microseconds; `NEVER` when no waiting helps."""

    unit: str  # "requests" | "tokens" | "output"
    period: str  # "min" | "day"
    limit: int
    used: int
    requested: int
    wait: int
    label: str  # "avoidable" | "ghost" | "unseen limit"


class Quota:
    """The windows of one meter: requests and tokens a minute, and a day where limited. All or nothing.

    Where output is limited apart, a call passes while any of it is left, and what is produced is taken as it comes.
    """

    __slots__ = ("_days", "output", "requests", "requests_period_s", "tokens")

    def __init__(self, limits: Limits, rules: Rules, now: int) -> None:
        self.requests_period_s = rules.requests_period_s
        self.requests = make(
            rules.window, self._requests(limits), self.requests_period_s * SECOND, now, aligned=rules.aligned
        )
        self.tokens = make(rules.window, limits.tpm, MINUTE, now, aligned=rules.aligned)
        self.output: Window | None = None
        if rules.output_apart:
            self.output = make(rules.window, limits.output, MINUTE, now, aligned=rules.aligned)
        days = (("requests", limits.rpd), ("tokens", limits.tpd))
        self._days = tuple((unit, make("continuous", limit, DAY, now)) for unit, limit in days if limit)

    def admits(self, tokens: int, now: int) -> bool:
        """Whether a call of `tokens` passes now. Charges nothing."""
        if self.requests.wait(1, now) or self.tokens.wait(tokens, now):
            return False
        if self.output is not None and self.output.wait(1, now):
            return False
        return not any(window.wait(1 if unit == "requests" else tokens, now) for unit, window in self._days)

    def charge(self, requests: int, tokens: int, now: int) -> None:
        """Take both from every window."""
        self.requests.charge(requests, now)
        self.tokens.charge(tokens, now)
        for unit, window in self._days:
            window.charge(requests if unit == "requests" else tokens, now)

    def produce(self, tokens: int, now: int) -> None:
        """Take output where it is limited apart, also when it does not fit."""
        if self.output is not None:
            self.output.charge(tokens, now)

    def refund(self, tokens: int, charged_at: int, now: int) -> None:
        """Correct the tokens charged at `charged_at`."""
        self.tokens.refund(tokens, charged_at, now)
        for unit, window in self._days:
            if unit == "tokens":
                window.refund(tokens, charged_at, now)

    def binding(self, tokens: int, now: int) -> tuple[str, str, Window, int, int]:
        """The window that refuses longest: unit, period, window, requested, wait (`NEVER` beats any)."""
        every = [("requests", "min", self.requests), ("tokens", "min", self.tokens)]
        if self.output is not None:
            every.append(("output", "min", self.output))
        every += [(unit, "day", window) for unit, window in self._days]
        rows = [(unit, period, window, tokens if unit == "tokens" else 1) for unit, period, window in every]
        waits = [(*row, row[2].wait(row[3], now)) for row in rows]
        return max(waits, key=lambda row: (row[4] == NEVER, row[4]))

    def _requests(self, limits: Limits) -> int:
        """The limit of requests within their period."""
        return max(1, limits.rpm * self.requests_period_s * SECOND // MINUTE)

    def day(self, unit: str) -> Window | None:
        """The day's window of a unit, if there is one."""
        return next((window for name, window in self._days if name == unit), None)

    def relimit(self, limits: Limits, now: int) -> None:
        """Other limits a minute from now on. The day's stay."""
        self.requests.relimit(self._requests(limits), now)
        self.tokens.relimit(limits.tpm, now)
        if self.output is not None:
            self.output.relimit(limits.output, now)


class Meter:
    """One limiter with its judge."""

    __slots__ = ("_ghost", "_ghost_at", "_notice", "_rules", "_seen", "_shadow", "limits", "quota", "version")

    def __init__(self, limits: Limits, rules: Rules, now: int, *, changed: bool = False) -> None:
        self._rules = rules
        self._seen: dict[str, tuple[int, int]] = {}  # by key: the newest version it was shown, and when
        self._notice = int(rules.notice_ms * 1_000)
        self.version = int(changed)  # how often the limits changed since they were published
        self.limits = limits
        self.refill(now)

    def refill(self, now: int) -> None:
        """Start again with full windows."""
        self.quota = Quota(self.limits, self._rules, now)
        self._shadow = Quota(self.limits, self._rules, now) if self._rules.ghost_permille else None
        self._ghost = [0, 0, 0]  # what the others still owe, in units of 1/(PERMILLE · 600)
        self._ghost_at = now

    def admit(self, key: str, tokens: int, now: int) -> Refusal | None:
        """Charge a call of `tokens` and return None, or charge nothing and say why not."""
        if self._shadow is not None:
            self._haunt(now)
        if self.quota.admits(tokens, now):
            self._charge(1, tokens, now)
            return None
        refusal = self._refusal(key, tokens, now)
        if self._rules.refused_counts:
            self._charge(1, 0, now)
        return refusal

    def produce(self, tokens: int, now: int) -> int:
        """Take so much output as it is produced. Returns what a limit of its own took: all of it, or nothing."""
        if self.quota.output is None:
            return 0
        self.quota.produce(tokens, now)
        if self._shadow is not None:
            self._shadow.produce(tokens, now)
        return tokens

    def settle(self, charged: int, actual: int, charged_at: int, now: int) -> int:
        """Correct a charge by the real usage where the rules settle. Returns the tokens given back."""
        if not self._rules.settles or charged == actual or self.quota.output is not None:
            return 0
        self.quota.refund(charged - actual, charged_at, now)
        if self._shadow is not None:
            self._shadow.refund(charged - actual, charged_at, now)
        return charged - actual

    @property
    def hidden(self) -> bool:
        """Whether ordinary replies tell nothing of the limits; a refusal still names the one that it is about."""
        return self._rules.hide_headers

    def shown(self, key: str, version: int, now: int) -> None:
        """A reply that showed the limits of `version` was sent to `key`."""
        if version and self._seen.get(key, _UNSEEN)[0] < version:
            self._seen[key] = version, now

    def relimit(self, limits: Limits, now: int) -> None:
        """Change the limits at once, without telling anybody."""
        if limits == self.limits:
            return
        self.limits = limits
        self.version += 1
        self.quota.relimit(limits, now)
        if self._shadow is not None:
            self._shadow.relimit(limits, now)

    def _charge(self, requests: int, tokens: int, now: int) -> None:
        self.quota.charge(requests, tokens, now)
        if self._shadow is not None:
            self._shadow.charge(requests, tokens, now)

    def _refusal(self, key: str, tokens: int, now: int) -> Refusal:
        unit, period, window, requested, wait = self.quota.binding(tokens, now)
        used = max(0, window.limit - window.remaining(now))
        return Refusal(unit, period, window.limit, used, requested, wait, self._label(key, tokens, now))

    def _label(self, key: str, tokens: int, now: int) -> str:
        if self.version and not self._knows(key, now):
            return "unseen limit"
        if self._shadow is not None and self._shadow.admits(tokens, now):
            return "ghost"
        return "avoidable"

    def _knows(self, key: str, now: int) -> bool:
        """Whether `key` was shown the limits in force, and the reply had time to arrive."""
        version, at = self._seen.get(key, _UNSEEN)
        return version == self.version and now - at >= self._notice

    def _haunt(self, now: int) -> None:
        """Charge what the others used since the last time, in steps, each as all or nothing as any call."""
        since = now - self._ghost_at
        if since > 2 * MINUTE:  # older use has left every window by now
            self._ghost_at = now - 2 * MINUTE
        while self._ghost_at + GHOST_STEP <= now:
            self._ghost_at += GHOST_STEP
            self._haunt_once(self._ghost_at)

    def _haunt_once(self, at: int) -> None:
        whole = PERMILLE * (MINUTE // GHOST_STEP)
        rows = [(self.quota.requests, self.limits.rpm), (self.quota.tokens, self.limits.tpm)]
        if self.quota.output is not None:
            rows.append((self.quota.output, self.limits.output))
        for index, (window, limit) in enumerate(rows):
            due, rest = divmod(self._ghost[index] + limit * self._rules.ghost_permille, whole)
            self._ghost[index] = rest
            if due and not window.wait(due, at):
                window.charge(due, at)
