"""What one worker's reports tell beyond what they had told before: its counters are cumulative, windows want the rest.

A worker that was there before whoever listens begins with what its first round shows; one that was started since begins
with nothing. A counter that falls has begun again, with its object; what was charged may fall, since it is put right.
"""

from collections.abc import Iterator, Sequence

from tidegate.observe.meters import FALLBACK, MOVED, REASONS, CallMeter, LaneGauge, LaneMeter, PoolGauge, Report, Tally

CALL, LANE, POOL = "call", "lane", "pool"
CALLS, FAILED, REFUSED, MOVES, TOKENS = range(5)  # the sums of a plan
CHARGED, REQUESTS, THROTTLED, ANSWERED, FAILURES = range(5)  # the sums of a lane
LEFT, WAITED_US, TOLD = range(3)  # the sums of a pool's queue for one model
WIDTHS = {CALL: 5, LANE: 5, POOL: 3}

Key = tuple[str, ...]
Change = tuple[Key, Sequence[int]]

_GIVEN_BACK = 100  # requests at most, of one report to the next; beyond it is a new lane of the same name
_RATE = REASONS.index("rate")
_RATES = tuple(REASONS.index(name) for name in ("rate", "ramp", "capacity"))
_UNSERVED = frozenset(("upstream", "credential", "deadline"))  # nobody answered: that is no refusal of the gate's own
_BEFORE = frozenset(  # refused before they were calls: they have no record, so they are counted here
    ("tenant_too_large", "tenant_exhausted", "tenant_limit", "tenant_unknown", "jobs_away")
)
_AWAY = frozenset(("tenant_unknown", "jobs_away"))  # of these, what is answered with 5xx


class Source:
    """One worker process."""

    __slots__ = ("_before", "_going", "_known", "_rated", "heard", "limited", "report")

    def __init__(self, *, fresh: bool, going: frozenset[str] = frozenset()) -> None:
        """`fresh`: it was started since somebody listens. `going`: models that were limited before that."""
        self._going = going
        self._rated: set[str] = set()  # lanes that are closed since the provider refused for rate
        self._before: dict[Key, Sequence[int]] = {}
        self._known = fresh  # what it never told before it began since
        self.report: Report | None = None  # the last of its newest round: how it stands
        self.heard = 0
        self.limited: set[str] = set()  # models that are limited, by what it said last

    @property
    def known(self) -> bool:
        """Whether what it tells for the first time happened since somebody listens."""
        return self._known

    def changes(self, report: Report, second: int) -> Iterator[Change]:
        """What happened since its last report. O(series)."""
        self.heard = second
        for meter in report.calls:
            name = (CALL, meter.plan, meter.model, meter.provider, meter.scope)
            if values := self._since(name, _of_call(meter)):
                yield (CALL, meter.plan), values
        if not report.last:
            return
        self.limited = set()
        for tally in report.tallies:
            counted = _of_tally(tally) if tally.plan else None
            if counted and (values := self._since(("tally", tally.plan, tally.what, tally.tier), counted)):
                yield (CALL, tally.plan), values
        for lane in report.lanes:
            if values := self._attempts(lane):
                yield lane_key(lane.lane), values
        for gauge in report.gauges:
            if values := self._charges(gauge):
                yield lane_key(gauge.lane), values
            self._look(gauge)
        for pool in report.pools:
            if values := self._queue(pool):
                yield (POOL, pool.pool, pool.model), values
        self.report = report
        self._known = True

    def _attempts(self, lane: LaneMeter) -> Sequence[int]:
        failed = lane.failed
        rated = sum(failed[index] for index in _RATES)
        values = self._since(("attempts", lane.lane), (0, 0, failed[_RATE], lane.answered, sum(failed), rated))
        if values and values[5]:
            self._rated.add(lane.lane)
            self.limited.add(lane_key(lane.lane)[3])
        return values[:5]

    def _look(self, gauge: LaneGauge) -> None:
        """Is it closed because its provider said that it was asked too much?"""
        if gauge.open:
            self._rated.discard(gauge.lane)
            return
        model = lane_key(gauge.lane)[3]
        if not self._known and model in self._going:
            self._rated.add(gauge.lane)
        if gauge.wait_us and gauge.lane in self._rated:
            self.limited.add(model)

    def _charges(self, gauge: LaneGauge) -> Sequence[int]:
        key, values = (LANE, gauge.lane), (gauge.charged_tokens, gauge.charged_requests)
        before = self._before.get(key, values)
        if before[1] - values[1] > _GIVEN_BACK:
            del self._before[key]
        return self._since(key, values, falls=True)

    def _queue(self, pool: PoolGauge) -> Sequence[int]:
        values = self._since((POOL, pool.pool, pool.model), (pool.left, pool.waited_us, pool.refused))
        if (values and values[TOLD]) or any(pool.waiting.values()):
            self.limited.add(pool.model)
        return values

    def _since(self, key: Key, values: Sequence[int], *, falls: bool = False) -> Sequence[int]:
        """What happened, () = nothing."""
        before = self._before.get(key)
        if before == values:
            return ()
        self._before[key] = values
        if before is None:
            return values if self._known else ()
        if not falls and any(new < old for new, old in zip(values, before, strict=True)):
            return values
        return [new - old for new, old in zip(values, before, strict=True)]


def lane_key(lane: str) -> Key:
    """The series of a lane (provider/scope/model)."""
    provider, _, rest = lane.partition("/")
    scope, _, model = rest.partition("/")
    return LANE, provider, scope, model or lane


def _of_call(meter: CallMeter) -> Sequence[int]:
    classes = meter.by_class
    return sum(classes), classes[0] + classes[5], 0, 0, meter.prompt_tokens + meter.completion_tokens


def _of_tally(tally: Tally) -> Sequence[int] | None:
    if tally.what == MOVED:
        return 0, 0, 0, tally.count, 0
    if tally.what == FALLBACK or tally.what in _UNSERVED:
        return None
    calls = tally.count if tally.what in _BEFORE else 0
    return calls, tally.count if tally.what in _AWAY else 0, tally.count, 0, 0
