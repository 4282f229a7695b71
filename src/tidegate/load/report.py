"""The report of a run: what was asked, what came back, and how long it took."""

from collections.abc import Iterable, Sequence

import msgspec

from tidegate.load.outcome import CallResult, Ending


class Percentiles(msgspec.Struct, frozen=True):
    """A distribution of times in milliseconds. All zero when `count` is."""

    count: int
    mean: float
    p50: float
    p90: float
    p99: float
    p999: float
    max: float


NO_TIMES = Percentiles(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class Refusal(msgspec.Struct, frozen=True):
    """One refused call and what it was told, so that a judge can check whether that was true."""

    index: int
    at_s: float  # when the refusal arrived, after the start of the run
    after_ms: float  # how long it took
    status: int
    code: str
    retry_after: str
    retry_after_ms: str
    should_retry: str
    context_tokens: int
    max_tokens: int


class Failures(msgspec.Struct):
    """Calls that failed in one way; `example` is the first message seen."""

    count: int
    example: str


class Report(msgspec.Struct, frozen=True):
    """One run, from its clients' side.

    `first_byte` is of streamed calls, `waited` of answers that tell how long the gate held the call, and `lateness` is
    the generator's own.
    """

    sent: int
    answered: int
    refused: int
    failed: int
    unanswered: int
    streamed: int
    seconds: float
    latency: Percentiles
    first_byte: Percentiles
    waited: Percentiles
    refused_after: Percentiles
    lateness: Percentiles
    answered_by: dict[str, int]
    failures: dict[str, Failures]
    refusals: list[Refusal]


def summarise(results: Sequence[CallResult]) -> Report:
    """The report of all results of a run, in any order. O(n log n)."""
    answered = [result for result in results if result.ending is Ending.ANSWERED]
    refused = [result for result in results if result.ending is Ending.REFUSED]
    failed = [result for result in results if result.ending is Ending.FAILED]
    return Report(
        sent=len(results),
        answered=len(answered),
        refused=len(refused),
        failed=len(failed),
        unanswered=len(results) - len(answered) - len(refused) - len(failed),
        streamed=sum(result.streamed for result in results),
        seconds=max((result.due_us + result.done_us for result in results), default=0) / 1e6,
        latency=percentiles(result.done_us for result in answered),
        first_byte=percentiles(result.first_byte_us for result in answered if result.streamed),
        waited=percentiles(result.waited_us for result in answered if result.waited_us >= 0),
        refused_after=percentiles(result.done_us for result in refused),
        lateness=percentiles(result.late_us for result in results),
        answered_by=_count_targets(answered),
        failures=_group_failures(failed),
        refusals=[_describe(result) for result in sorted(refused, key=_index)],
    )


def percentiles(times_us: Iterable[int]) -> Percentiles:
    """The distribution of times given in microseconds. A percentile is the smallest time that so many do not exceed."""
    ordered = sorted(times_us)
    count = len(ordered)
    if not count:
        return NO_TIMES

    def at(permille: int) -> float:
        return ordered[-(-count * permille // 1_000) - 1] / 1e3

    return Percentiles(count, sum(ordered) / count / 1e3, at(500), at(900), at(990), at(999), ordered[-1] / 1e3)


def _index(result: CallResult) -> int:
    return result.index


def _describe(result: CallResult) -> Refusal:
    return Refusal(
        index=result.index,
        at_s=(result.due_us + result.done_us) / 1e6,
        after_ms=result.done_us / 1e3,
        status=result.status,
        code=result.kind.removeprefix(f"http {result.status}").strip(),
        retry_after=result.retry_after,
        retry_after_ms=result.retry_after_ms,
        should_retry=result.should_retry,
        context_tokens=result.context_tokens,
        max_tokens=result.max_tokens,
    )


def _count_targets(answered: Iterable[CallResult]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for result in answered:
        if result.target:
            counts[result.target] = counts.get(result.target, 0) + 1
    return counts


def _group_failures(failed: Iterable[CallResult]) -> dict[str, Failures]:
    groups: dict[str, Failures] = {}
    for result in failed:
        groups.setdefault(result.kind, Failures(0, result.message)).count += 1
    return groups
