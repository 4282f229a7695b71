"""What the ledger booked during a run, and the windows in which the queue never emptied."""

import msgspec
import pytest

from tidegate.load.ledger import (
    Account,
    Ledger,
    Offer,
    Utilisation,
    audit,
    from_first,
    ideal_queue,
    offered,
    utilisation,
    window_starts,
)
from tidegate.load.outcome import CallResult, Ending

QUOTA = 6_000  # 100 a second


def steady(seconds: int, weight: int) -> list[Offer]:
    return [Offer(second * 1_000_000, weight) for second in range(seconds)]


@pytest.mark.parametrize(
    ("full", "starts"),
    [
        ([], []),
        ([True] * 59, []),
        ([True] * 60, [0]),
        ([True] * 62, [0, 1, 2]),
        ([False] + [True] * 60 + [False] + [True] * 59, [1]),
    ],
)
def test_windows(full: list[bool], starts: list[int]) -> None:
    """A window is 60 true seconds in a row; windows overlap."""
    assert window_starts(full) == starts


def test_offered_is_what_is_surely_offered() -> None:
    """A call counts from the end of the first second that must hold it, wherever in its second the first one fell."""
    offers = [Offer(0, 10), Offer(1, 20), Offer(1_000_000, 40), Offer(1_000_001, 80), Offer(3_000_000, 160)]
    assert offered(offers, 3) == [10, 60, 80]


@pytest.mark.parametrize(
    ("arriving", "queue"),
    [
        ([], []),
        ([6_100], [0]),  # the full bucket and one second's refill
        ([6_101, 0], [1, 0]),
        ([6_500, 100, 100, 0], [400, 400, 400, 300]),
        ([0] * 100 + [6_500], [0] * 100 + [400]),  # an idle bucket is never more than full
    ],
)
def test_ideal_queue(arriving: list[float], queue: list[float]) -> None:
    """What a bucket of one minute's depth, full at the start, cannot admit yet."""
    assert ideal_queue(arriving, QUOTA) == queue


BURST = [300] * 30 + [100] * 90  # three times the quota offered for a minute: the full bucket, then the rate


def test_full_quota_under_overload() -> None:
    """Served as fast as the quota allows, every window is full; the burst before the queue is in none of them."""
    found = utilisation(BURST, steady(60, 300), QUOTA)
    assert found.minimum == found.mean == 1.0
    assert len(found.windows) == pytest.approx(30, abs=3)
    assert found.quota_tpm == QUOTA


def test_leading_silence_is_no_window() -> None:
    """Seconds before the first charge belong to an earlier run."""
    assert from_first([0, 0, 5, 0, 7, 0]) == [5, 0, 7, 0]
    assert from_first([0, 0]) == []
    after = read({"gpt-4o": account(charged_tokens=12, per_second=[9, 0, 0, 5, 7])})
    assert audit(read({"gpt-4o": account(per_second=[9])}), after, "gpt-4o", []).charged_per_second == [5, 7]


def test_no_queue_no_window() -> None:
    """Half of the quota offered and served at once: nothing to judge."""
    assert utilisation([50] * 200, steady(200, 50), QUOTA) == Utilisation(QUOTA)


@pytest.mark.parametrize(("extra", "seconds"), [(99, 0), (101, 99)])
def test_a_short_queue_is_no_queue(extra: int, seconds: int) -> None:
    """What the quota serves within a second may be an error of the estimate; from there on the queue counts."""
    offers = [Offer(0, QUOTA + 100 + extra), *(Offer(second * 1_000_000, 100) for second in range(1, 100))]
    charged = [QUOTA + 100] + [100] * 99 + [extra]
    assert utilisation(charged, offers, QUOTA).full_seconds == seconds


def test_a_gap_in_service_is_seen() -> None:
    """While calls waited, ten seconds without service show in the worst window."""
    charged = [300] * 30 + [100] * 40 + [0] * 10 + [100] * 50
    found = utilisation(charged, steady(60, 300), QUOTA)
    assert found.minimum == pytest.approx(50 / 60)
    smooth = utilisation(BURST, steady(60, 300), QUOTA)
    assert [window.start for window in found.windows] == [window.start for window in smooth.windows]


def test_a_slow_gate_is_judged_in_the_same_windows() -> None:
    """A gate that serves at half of the quota cannot hide behind the queue that it makes itself, nor without one."""
    found = utilisation([50] * 360, steady(60, 300), QUOTA)
    assert len(found.windows) == pytest.approx(30, abs=3)
    assert found.minimum == found.mean == 0.5


@pytest.mark.parametrize(("charged", "quota"), [([], 6_000), ([0, 0], 6_000), ([100] * 100, 0)])
def test_nothing_to_judge(charged: list[int], quota: int) -> None:
    """No charge, or no known quota: no window, and no division."""
    assert utilisation(charged, steady(100, 200), quota).windows == []


def account(**fields: object) -> dict[str, object]:
    return {"calls": 0, "served": 0, "throttled": 0, "avoidable": 0, "charged_tokens": 0, "billed_tokens": 0, **fields}


def read(by_model: dict[str, object], by_key: dict[str, object] | None = None) -> Ledger:
    text = msgspec.json.encode({"calls": 1, "extra": {}, "by_model": by_model, "by_key": by_key or {}})
    return msgspec.json.decode(text, type=Ledger)


def test_audit_takes_differences() -> None:
    """What stood in the ledger before the run is not of the run."""
    before = read({"gpt-4o": account(calls=5, charged_tokens=50, per_second=[50])})
    after = read({"gpt-4o": account(calls=9, served=3, throttled=1, charged_tokens=80, per_second=[50, 0, 30])})
    report = audit(before, after, "gpt-4o", [])
    assert (report.calls, report.served, report.throttled, report.charged_tokens) == (4, 3, 1, 30)


def test_audit_of_an_unknown_model() -> None:
    """A model the ledger never saw is all zeros."""
    assert audit(read({}), read({}), "gpt-4o", []).calls == 0


def test_audit_counts_answers_of_the_model_only() -> None:
    """Refused calls, and calls that another model answered, were never in this model's queue."""

    def calls(target: str, ending: Ending) -> list[CallResult]:
        return [
            CallResult(at, at * 1_000_000, 200, 1, streamed=False, ending=ending, target=target) for at in range(100)
        ]

    after = read({"gpt-4o": account(per_second=[100] * 200, limit_tpm=QUOTA)})
    own = calls("openai/main/gpt-4o", Ending.ANSWERED)
    alien = calls("openai/main/gpt-3.5-turbo", Ending.ANSWERED) + calls("", Ending.REFUSED)
    assert audit(read({}), after, "gpt-4o", own + alien) == audit(read({}), after, "gpt-4o", own)
    assert audit(read({}), after, "gpt-4o", alien).utilisation.windows == []


@pytest.mark.parametrize(
    ("by_key", "quota"),
    [
        ({}, 600),
        ({"a": {"gpt-4o": account(charged_tokens=1)}}, 600),
        ({"a": {"gpt-4o": account(charged_tokens=1)}, "b": {"gpt-4o": account(charged_tokens=1)}}, 1_200),
        ({"a": {"gpt-4o": account(charged_tokens=1, limit_tpm=500)}, "b": {"gpt-4o": account()}}, 500),
    ],
)
def test_quota_of_several_organisations(by_key: dict[str, object], quota: int) -> None:
    """Every organisation that was charged brings its own quota."""
    assert read({"gpt-4o": account(limit_tpm=600)}, by_key).quota("gpt-4o") == quota


def test_since_keeps_limits() -> None:
    """Differences are of counts; limits are as they are now."""
    assert Account(limit_tpm=7, calls=2).since(Account(limit_tpm=5, calls=1)) == Account(limit_tpm=7, calls=1)


def test_since_a_reset() -> None:
    """A ledger that was reset meanwhile counts from its reset."""
    after = Account(calls=3, per_second=[5])
    assert after.since(Account(calls=9, per_second=[1, 2, 3])) == after
