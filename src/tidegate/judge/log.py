"""What the provider's log says of a cluster: how far it was overrun, what was used, and how soon all was well. Pure.

A row of the log is an *attempt*: `[at_us, key, model, user, tokens, label]`, `label` "" where it was admitted. How far
a limit was overrun is a matter of all attempts, those included that the provider refused: a gate that is stopped by its
provider only has kept nothing.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.units import MINUTE_US, SECOND_US


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call that reached the provider."""

    at_us: int
    tokens: int
    admitted: bool


def attempts(events: Iterable[Sequence[Any]]) -> dict[str, list[Attempt]]:
    """By account, in order of time."""
    found: dict[str, list[Attempt]] = {}
    for at_us, key, _, _, tokens, label in events:
        found.setdefault(str(key), []).append(Attempt(int(at_us), int(tokens), not label))
    for rows in found.values():
        rows.sort(key=lambda one: one.at_us)
    return found


def over_bucket(rows: Iterable[Attempt], limit: int) -> int:
    """Tokens beyond a bucket that holds a minute's `limit` and began full: its deepest debt, rounded up. O(rows)."""
    full = limit * MINUTE_US
    level, last, deepest = full, 0, 0
    for one in rows:
        level = min(full, level + limit * (one.at_us - last if last else 0)) - one.tokens * MINUTE_US
        last, deepest = one.at_us, min(deepest, level)
    return -(deepest // MINUTE_US)


def over_window(rows: Iterable[Attempt], limit: int, window_us: int = MINUTE_US) -> int:
    """Tokens beyond `limit` in the worst of all stretches of `window_us`. O(rows)."""
    inside, held, worst = deque[Attempt](), 0, 0
    for one in rows:
        inside.append(one)
        held += one.tokens
        while inside[0].at_us <= one.at_us - window_us:
            held -= inside.popleft().tokens
        worst = max(worst, held)
    return max(0, worst - limit)


def over(events: Iterable[Sequence[Any]], window: str, limit: int) -> int:
    """Tokens over the limit in any window, of the account where it was most."""
    judge = over_bucket if window == "continuous" else over_window
    return max((judge(rows, limit) for rows in attempts(events).values()), default=0)


def over_requests(events: Iterable[Sequence[Any]], limit: int) -> int:
    """Requests beyond a bucket of `limit` a minute, of the account where it was most."""
    counted = ([Attempt(one.at_us, 1, one.admitted) for one in rows] for rows in attempts(events).values())
    return max((over_bucket(rows, limit) for rows in counted), default=0)


def charged(events: Iterable[Sequence[Any]], first_us: int, last_us: int) -> int:
    """Tokens that were admitted in [first, last)."""
    return sum(int(row[4]) for row in events if not row[5] and first_us <= row[0] < last_us)


def share(events: Iterable[Sequence[Any]], per_second: float, first_us: int, last_us: int) -> float:
    """Per cent of the quota that was used in [first, last)."""
    return 100 * charged(events, first_us, last_us) / max(1.0, per_second * (last_us - first_us) / SECOND_US)


def normal_after(
    events: Sequence[Sequence[Any]], per_second: float, since_us: int, until_us: int, least: float, span_us: int
) -> float:
    """Seconds after `since` from which on, in each `span` until `until`, `least` per cent of the quota are used.

    All of them, when that is never so. Steps are a tenth of a span.
    """
    admitted = [(int(row[0]), int(row[4])) for row in events if not row[5] and since_us <= row[0] < until_us]
    wanted = per_second * span_us / SECOND_US * least / 100
    step = span_us // 10
    sums = [0] * (max(0, until_us - since_us) // step + 1)
    for at_us, tokens in admitted:
        sums[(at_us - since_us) // step] += tokens
    spans = len(sums) - 10
    good = spans
    while good > 0 and sum(sums[good - 1 : good + 9]) >= wanted:
        good -= 1
    return good * step / SECOND_US if good < spans else (until_us - since_us) / SECOND_US
