"""How figures become scores: every formula of docs/judge.md, and what a verdict is. Pure.

A score is from 0 to 100. A measure without one is told, not judged. A discipline's score is the geometric mean of its
measures', so that nobody makes up for one by another: who refuses everybody breaks no limit and is no good gate.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod, sqrt
from typing import Final

VERSION: Final = 1  # of the rules; a change of a formula, a load or a tolerance is another version
_MARKS: Final = ((95, "A"), (80, "B"), (60, "C"), (40, "D"))
_Z: Final = 1.96  # 95 %
RETRY_SLACK_S: Final = 1.0
RECOVERY_LEAST_S: Final = 2.0
RECOVERY_MOST_S: Final = 60.0
REVOKED_GOOD_S: Final = 1.0
REVOKED_BAD_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure. `score` None: told, not judged. `formula`: how the score comes from the value."""

    name: str
    value: float
    unit: str = ""
    score: float | None = None
    formula: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one discipline; `why_not`: it does not apply to this gateway, and why."""

    discipline: str
    measures: tuple[Measure, ...] = ()
    why_not: str = ""
    arrivals: str = ""  # a digest of the calls that were offered, in order
    details: tuple[str, ...] = field(default=())

    @property
    def score(self) -> float | None:
        """Of the whole discipline; None where it does not apply or judges nothing."""
        return together(one.score for one in self.measures if one.score is not None)


def together(scores: Iterable[float]) -> float | None:
    """The geometric mean; None of nothing."""
    found = list(scores)
    return prod(found) ** (1 / len(found)) if found else None


def mark(score: float | None) -> str:
    """A letter for people."""
    if score is None:
        return "–"
    return next((letter for least, letter in _MARKS if score >= least), "E")


def overall(verdicts: Sequence[Verdict]) -> float | None:
    """The plain mean of the disciplines that apply."""
    found = [verdict.score for verdict in verdicts if verdict.score is not None]
    return sum(found) / len(found) if found else None


def clamped(score: float) -> float:
    """Within 0 and 100."""
    return max(0.0, min(100.0, score))


def wilson(good: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share, in per cent (Wilson, 1927)."""
    if not of:
        return 0.0, 100.0
    share, square = good / of, _Z * _Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = _Z * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


def share(name: str, good: int, of: int, note: str = "") -> Measure:
    """So many of so many; the score is the percentage."""
    low, high = wilson(good, of)
    value = 100 * good / of if of else 0.0
    words = f"{good:,} of {of:,}; 95 % interval {low:.1f}–{high:.1f} %"
    return Measure(
        name, value, "%", clamped(value), "the percentage", "; ".join(word for word in (words, note) if word)
    )


def over_limit(name: str, over: int, limit: int, unit: str, tolerance: int) -> Measure:
    """So much beyond the limit in the worst minute; up to `tolerance` (one call) is the clocks' difference."""
    value = 100 * over / limit
    counted = 0.0 if over <= tolerance else value
    note = f"{over:,} {unit} beyond {limit:,}; one call ({tolerance:,}) is tolerated"
    return Measure(name, value, "% of a minute's limit", clamped(100 - counted), "100 − value", note)


def avoidable(throttled: int, calls: int, note: str = "") -> Measure:
    """429s of the provider that the published limits foretold."""
    value = 100 * throttled / calls if calls else 0.0
    said = f"{throttled:,} of {calls:,} requests at the provider"
    words = "; ".join(word for word in (said, note) if word)
    return Measure("avoidable 429s", value, "% of requests", clamped(100 - value), "100 − value", words)


def used(value: float, one_call: float, note: str = "") -> Measure:
    """Per cent of the quota; a whole call is tolerated, since only whole calls fit."""
    reached = value if value + one_call < 100 else 100.0
    return Measure("quota used", value, "%", clamped(reached), "value; one call is tolerated", note)


def amplification(avoidable_attempts: int, calls: int, note: str = "") -> Measure:
    """Attempts at a provider that has said when to come back, before that, for each call of a client."""
    value = avoidable_attempts / calls if calls else 0.0
    return Measure("avoidable attempts per call", value, "", 100 / (1 + value), "100 ÷ (1 + value)", note)


def recovery(seconds: float, retry_after_s: float) -> Measure:
    """From the provider's recovery to the first answer."""
    free = retry_after_s + RECOVERY_LEAST_S
    score = clamped(100 * (RECOVERY_MOST_S - seconds) / (RECOVERY_MOST_S - free)) if seconds > free else 100.0
    formula = f"100 up to {free:.0f} s, then falling to 0 at {RECOVERY_MOST_S:.0f} s"
    return Measure("first answer after recovery", seconds, "s", score, formula)


def books(name: str, told: int, truth: int, note: str = "") -> Measure:
    """How far a ledger is from the provider's, either way: a tenth of a per cent is free, ten per cent is 0."""
    value = 100 * abs(told - truth) / truth if truth else 0.0
    score = 100.0 if value <= 0.1 else clamped(100 * (10 - value) / 9.9)
    words = "; ".join(word for word in (f"{told:,} tokens, the provider says {truth:,}", note) if word)
    return Measure(name, value, "% off", score, "100 up to 0.1 %, then falling to 0 at 10 %", words)


def revoked(seconds: float, note: str = "") -> Measure:
    """From the revocation's begin to the last replica's first refusal."""
    score = 100.0
    if seconds > REVOKED_GOOD_S:
        score = clamped(100 * (REVOKED_BAD_S - seconds) / (REVOKED_BAD_S - REVOKED_GOOD_S))
    formula = f"100 up to {REVOKED_GOOD_S:.0f} s, then falling to 0 at {REVOKED_BAD_S:.0f} s"
    return Measure("a revoked key is refused after", seconds, "s", score, formula, note)


def told(name: str, value: float, unit: str = "", note: str = "") -> Measure:
    """A figure that is not judged."""
    return Measure(name, value, unit, None, "", note)
