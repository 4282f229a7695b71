"""How fair was it? Figures from the provider's log, over all intervals, not at the end. Pure.

The *gap* of two tenants is how far their service differs, in tokens for each unit of weight, over an interval in which
both had calls waiting from its beginning to its end. The promise is about every such interval: its greatest value is
what is reported (VTC, Sheng et al., OSDI 2024, theorem 4.4 is about the same quantity).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tidegate.judge.served import Match, Served

_SURELY_US: Final = 20_000  # a call counts as waiting from so long after it was sent
_OPENED, _SERVED, _CLOSED = 0, 1, 2


def jain(values: Iterable[float]) -> float:
    """Jain's index: 1 = all alike, 1/n = one has it all; 0 of nothing (Jain, Chiu, Hawe, 1984)."""
    found = list(values)
    squares = sum(value * value for value in found)
    return sum(found) ** 2 / (len(found) * squares) if squares else 0.0


def backlogs(matches: Iterable[Match], since_us: int = 0) -> dict[str, list[tuple[int, int]]]:
    """For each tenant the spans after `since_us` in which a call of it waited, merged and in order. O(n log n)."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for match in matches:
        first = match.visit.tries[0]
        last = match.visit.tries[-1]
        end = last.done_us if match.at_us is None else match.at_us
        begin = first.sent_us if len(match.visit.tries) == 1 else last.sent_us
        begin = max(begin + _SURELY_US, since_us)
        if end > begin:
            spans.setdefault(match.visit.tenant, []).append((begin, end))
    return {tenant: _merged(sorted(rows)) for tenant, rows in spans.items()}


def _merged(rows: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for begin, end in rows:
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((begin, end))
    return found


@dataclass(slots=True)
class _Pair:
    """The range of the difference of two services since both are backlogged."""

    low: float
    high: float


@dataclass(slots=True)
class Gaps:
    """Walks through time. `widest` is the greatest gap, `between` whose it was, `at_us` when it was reached."""

    weights: Mapping[str, float]
    widest: float = 0.0
    between: tuple[str, str] = ("", "")
    at_us: int = 0
    _service: dict[str, float] = field(default_factory=dict)
    _waiting: dict[str, None] = field(default_factory=dict)
    _pairs: dict[tuple[str, str], _Pair] = field(default_factory=dict)

    def opened(self, tenant: str) -> None:
        """It is backlogged from now on. O(backlogged tenants)."""
        for other in self._waiting:
            pair = _sorted(tenant, other)
            difference = self._difference(pair)
            self._pairs[pair] = _Pair(difference, difference)
        self._waiting[tenant] = None

    def closed(self, tenant: str) -> None:
        """It is not any more."""
        self._waiting.pop(tenant, None)

    def served(self, tenant: str, tokens: int, at_us: int) -> None:
        """It got so much. O(backlogged tenants)."""
        self._service[tenant] = self._service.get(tenant, 0.0) + tokens / self.weights.get(tenant, 1.0)
        if tenant not in self._waiting:
            return
        for other in self._waiting:
            if other != tenant:
                self._widen(_sorted(tenant, other), at_us)

    def _widen(self, pair: tuple[str, str], at_us: int) -> None:
        difference, seen = self._difference(pair), self._pairs[pair]
        seen.low, seen.high = min(seen.low, difference), max(seen.high, difference)
        if seen.high - seen.low > self.widest:
            self.widest, self.between, self.at_us = seen.high - seen.low, pair, at_us

    def _difference(self, pair: tuple[str, str]) -> float:
        return self._service.get(pair[0], 0.0) - self._service.get(pair[1], 0.0)


def _sorted(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def widest_gap(
    spans: Mapping[str, Sequence[tuple[int, int]]], served: Iterable[Served], weights: Mapping[str, float]
) -> Gaps:
    """The greatest gap over all intervals and pairs of `spans`. O((spans + served) · tenants)."""
    moments: list[tuple[int, int, str, int]] = []
    for tenant, rows in spans.items():
        for begin, end in rows:
            moments += [(begin, _OPENED, tenant, 0), (end, _CLOSED, tenant, 0)]
    moments += [(one.at_us, _SERVED, one.tenant, one.tokens) for one in served if one.tenant in spans]
    gaps = Gaps(weights)
    for at_us, kind, tenant, tokens in sorted(moments):
        if kind == _SERVED:
            gaps.served(tenant, tokens, at_us)
        elif kind == _OPENED:
            gaps.opened(tenant)
        else:
            gaps.closed(tenant)
    return gaps
