"""The sliding log against a brute-force count of every stretch of time."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.window import HOLD_US, LATE_US, SLOTS, SlidingLog

WINDOW = 60_000_000
SECOND = 1_000_000
SLOT = WINDOW // SLOTS
LIMITS = st.sampled_from([1, 2, 10, 1_000, 10**12])
WINDOWS = st.sampled_from([7, 100, SECOND, WINDOW])
STEPS = st.lists(st.tuples(st.floats(0, 0.7), st.floats(0, 1)), max_size=40)


def worst(taken: list[tuple[int, int]], window: int) -> int:
    """The most that any stretch of `window` contains: it is enough to look at those that end with a charge."""
    return max((sum(cost for at, cost in taken if end - window <= at <= end) for end, _ in taken), default=0)


def play(log: SlidingLog, limit: int, window: int, steps: list[tuple[float, float]]) -> list[tuple[int, int]]:
    now, taken = 0, []
    for pause, share in steps:
        now += int(pause * window)
        cost = max(1, int(share * limit))
        if log.has(cost, now):
            log.take(cost, now)
            taken.append((now, cost))
    return taken


@given(LIMITS, WINDOWS, st.integers(0, 10), STEPS)
def test_no_stretch_of_window_and_jitter_holds_more_than_the_limit(
    limit: int, window: int, jitter_tenths: int, steps: list[tuple[float, float]]
) -> None:
    """Whatever is asked for: every stretch of `window + jitter` that one can lay over the log keeps the limit."""
    jitter = window * jitter_tenths // 10
    taken = play(SlidingLog(limit, window_us=window, jitter_us=jitter), limit, window, steps)
    assert worst(taken, window + jitter) <= limit


@given(LIMITS, STEPS, st.lists(st.integers(0, 250_000), min_size=40, max_size=40), st.integers(0, WINDOW - 1))
def test_a_fixed_window_of_any_phase_never_overflows(
    limit: int, steps: list[tuple[float, float]], delays: list[int], phase: int
) -> None:
    """Calls reach the provider after any delays up to the jitter; its windows begin whenever they like."""
    taken = play(SlidingLog(limit, window_us=WINDOW, jitter_us=250_000), limit, WINDOW, steps)
    windows: dict[int, int] = {}
    for (at, cost), delay in zip(taken, delays, strict=False):
        number = (at + delay + phase) // WINDOW
        windows[number] = windows.get(number, 0) + cost
    assert max(windows.values(), default=0) <= limit


@given(LIMITS, WINDOWS, STEPS, st.floats(0, 1), st.floats(0, 0.5))
def test_the_wait_is_sufficient_and_not_long(
    limit: int, window: int, steps: list[tuple[float, float]], share: float, pause: float
) -> None:
    """After the wait it passes; one slot and a microsecond earlier the exact log would not let it pass either."""
    log = SlidingLog(limit, window_us=window)
    taken = play(log, limit, window, steps)
    now = (taken[-1][0] if taken else 0) + int(pause * window)
    cost = max(1, int(share * limit))
    wait = log.wait(cost, now)
    assert log.has(cost, now) == (wait == 0)
    if wait:
        slot = max(1, window // SLOTS)
        assert not log.has(cost, now + wait - 1)
        earlier = now + wait - slot - 1
        inside = sum(used for at, used in taken if at + window > earlier)
        assert earlier < now or inside + cost > limit
    assert log.wait(cost, now + wait) == 0


@given(LIMITS, STEPS, st.lists(st.floats(0, 1), max_size=8))
def test_a_queue_whose_calls_fit_the_gaps_is_served_when_it_was_told(
    limit: int, steps: list[tuple[float, float]], shares: list[float]
) -> None:
    """Calls of one request each (no gap is too small for the next) go exactly when they were told."""
    log = SlidingLog(limit, window_us=WINDOW)
    taken = play(log, limit, WINDOW, steps)
    now = taken[-1][0] if taken else 0
    told = [log.wait(1, now, ahead) for ahead in range(len(shares))]
    for wait in told:
        assert log.wait(1, now + wait) == 0
        log.take(1, now + wait)
    assert told == sorted(told)


def test_what_stands_ahead_may_need_several_windows() -> None:
    """Ten a minute, empty, and 25 before: two whole windows pass first."""
    log = SlidingLog(10, window_us=WINDOW)
    round_ = WINDOW + WINDOW // SLOTS
    assert log.wait(1, 0, ahead=9) == 0
    assert log.wait(1, 0, ahead=10) == round_
    assert log.wait(1, 0, ahead=25) == 2 * round_


def test_what_exceeds_the_limit_never_passes() -> None:
    """A cost above the limit is refused for ever."""
    log = SlidingLog(10, window_us=WINDOW)
    assert log.wait(11, 0) == NEVER
    assert not log.has(11, 0)
    assert log.depth == log.limit == 10


def test_what_is_kept_back_is_for_one_call_alone() -> None:
    """As much as calls missed of late, up to the share; a call that needs more gets it when nobody else is there."""
    log = SlidingLog(1_000, window_us=WINDOW, spare_permille=10)
    assert log.depth == 1_000
    log.take(5, 0)
    log.correct(1, 0, 0)
    assert (log.limit, log.depth, log.left(0), log.view(0).left) == (1_000, 992, 986, 986)
    log.take(5, 0)
    log.correct(100, 0, 0)
    assert log.depth == 990
    log.correct(-111, 0, 0)
    assert log.has(1_000, 0)
    assert (log.wait(1_000, 0), log.wait(1_001, 0)) == (0, NEVER)
    log.take(500, 0)
    assert log.has(490, 0)
    assert not log.has(491, 0)
    assert log.wait(1_000, 0) == WINDOW + WINDOW // SLOTS == log.wait(491, 0)
    log.resize(2_000, 0)
    assert log.depth == 1_980


def test_a_miss_is_forgotten() -> None:
    """After so many estimates that were high enough nothing is kept back."""
    log = SlidingLog(10_000, window_us=WINDOW, spare_permille=10)
    log.take(1_000, 0)
    log.correct(10, 0, 0)
    assert log.depth == 10_000 - 80
    for _ in range(10):
        log.correct(-1, 0, 0)
    assert log.depth == 10_000


def test_a_long_wait_is_exact() -> None:
    """However many slots leave before."""
    log = SlidingLog(10_000, window_us=WINDOW)
    for number in range(1_000):
        log.take(10, number * number * 59)
    now = WINDOW - 1
    for amount in (1, 10, 11, 2_000, 5_000, 9_990):
        slot = ((amount - 1) // 10) ** 2 * 59 // SLOT
        assert log.wait(amount, now) == WINDOW + (slot + 1) * SLOT - now


class Plain:
    """The same log without its sums and heaps: all that is in it is looked at."""

    def __init__(self, limit: int, jitter: int) -> None:
        self.limit = limit
        self.slot_us = SLOT
        self.span = WINDOW + jitter
        self.on_time: dict[int, int] = {}
        self.late: dict[int, tuple[int, int]] = {}

    def gone_at(self, slot: int) -> int:
        return (slot + 1) * self.slot_us + self.span

    def leaving(self, now: int) -> list[tuple[int, int]]:
        self.on_time = {slot: used for slot, used in self.on_time.items() if self.gone_at(slot) > now}
        self.late = {slot: one for slot, one in self.late.items() if one[0] > now}
        return sorted([(self.gone_at(slot), used) for slot, used in self.on_time.items()] + [*self.late.values()])

    def wait(self, cost: int, now: int) -> int:
        leaving = self.leaving(now)
        missing = sum(used for _, used in leaving) + cost - self.limit
        if missing <= 0:
            return 0
        for until, used in leaving:
            missing -= used
            if missing <= 0:
                return until - now
        return self.span + self.slot_us

    def take(self, cost: int, now: int) -> None:
        self.on_time[now // self.slot_us] = self.on_time.get(now // self.slot_us, 0) + cost

    def correct(self, delta: int, at: int, now: int) -> None:
        self.leaving(now)
        slot = at // self.slot_us
        if slot in self.late:
            self.late[slot] = self.late[slot][0], self.late[slot][1] + delta
        elif slot in self.on_time:
            self.on_time[slot] += delta

    def put_off(self, at: int, by: int) -> None:
        slot = at // self.slot_us
        until, used = self.late.get(slot, (0, 0))
        more = self.on_time.pop(slot, 0)
        if until or more:
            self.late[slot] = max(until, self.gone_at(slot) + min(by, LATE_US)), used + more


_PAUSES = st.integers(SLOT, 5_000_000)
_DOINGS = st.lists(
    st.tuples(_PAUSES, st.integers(1, 400), st.integers(0, 7), st.integers(0, LATE_US), st.integers(-3, 3)), max_size=60
)


@given(_DOINGS, st.sampled_from([0, 100_000]))
def test_sums_and_heaps_change_nothing(doings: list[tuple[int, int, int, int, int]], jitter: int) -> None:
    """Takes, corrections and late calls in any order: what is left, and the waits, are those of the plain log."""
    log, plain = SlidingLog(1_000, window_us=WINDOW, jitter_us=jitter), Plain(1_000, jitter)
    now, calls = 0, [(0, 0)]
    for pause, cost, which, by, share in doings:
        now += pause
        if log.has(cost, now):
            log.take(cost, now)
            plain.take(cost, now)
            calls.append((now, cost))
        at, taken = calls[-1 - which % len(calls)]
        if which % 2:
            plain.leaving(now)
            log.left(now)
            log.late(at, by)
            plain.put_off(at, by)
        elif taken:
            delta = taken * share // 4
            log.correct(delta, at, now)
            plain.correct(delta, at, now)
            calls.remove((at, taken))
        assert log.left(now) == 1_000 - sum(used for _, used in plain.leaving(now))
        for amount in (1, 100, 500, 1_000):
            assert log.wait(amount, now) == plain.wait(amount, now)


def test_a_correction_counts_where_the_charge_stands() -> None:
    """It changes the slot of the charge, and with it what comes free when that leaves the window."""
    log = SlidingLog(100, window_us=WINDOW)
    log.take(60, 0)
    log.take(40, 30 * SECOND)
    log.correct(-50, 0, 31 * SECOND)
    assert log.left(31 * SECOND) == 50
    log.correct(20, 30 * SECOND, 31 * SECOND)
    assert log.left(31 * SECOND) == 30
    assert log.left(62 * SECOND) == 40
    assert log.left(100 * SECOND) == 100


def test_a_correction_of_what_has_left_the_window_changes_nothing() -> None:
    """A reply that comes after its charge has expired corrects nothing."""
    log = SlidingLog(100, window_us=WINDOW)
    log.take(60, 0)
    log.correct(-60, 0, 70 * SECOND)
    log.correct(30, 0, 70 * SECOND)
    assert log.left(70 * SECOND) == 100


def test_more_than_the_limit_can_be_taken_and_is_a_debt() -> None:
    """What others spent is booked whatever is left; it leaves the window like any charge."""
    log = SlidingLog(100, window_us=WINDOW)
    log.take(150, 0)
    assert log.left(0) == -50
    assert log.wait(1, 0) == WINDOW + WINDOW // SLOTS == log.view(0).reset_us
    assert log.left(log.view(0).reset_us) == 100


def test_full_when_the_youngest_charge_has_left() -> None:
    """An empty log is full now."""
    log = SlidingLog(100, window_us=WINDOW)
    assert log.view(0).reset_us == 0
    log.take(1, 0)
    log.take(1, 12 * SECOND)
    assert log.view(12 * SECOND).reset_us == WINDOW + WINDOW // SLOTS
    assert log.view(30 * SECOND).reset_us == 42 * SECOND + WINDOW // SLOTS


@pytest.mark.parametrize(("left", "expected"), [(30, 30), (100, 100), (150, 100), (-20, -20)])
def test_restore_counts_everything_at_the_earlier_moment(left: int, expected: int) -> None:
    """What was missing then is missing until a whole window later: the cautious reading."""
    log = SlidingLog(100, window_us=WINDOW)
    log.take(5, 90 * SECOND)
    log.restore(left, 90 * SECOND, 100 * SECOND)
    assert log.left(100 * SECOND) == expected
    assert log.left(160 * SECOND) == 100


def test_a_new_limit_counts_what_was_taken() -> None:
    """The log stays; only what it is held against changes."""
    log = SlidingLog(100, window_us=WINDOW)
    log.take(60, 0)
    log.resize(50, 0)
    assert log.left(0) == -10
    log.resize(200, 0)
    assert log.left(0) == 140


def test_memory_is_bounded_by_the_slots() -> None:
    """A million charges keep no more than the slots of one window."""
    log = SlidingLog(10**12, window_us=WINDOW, jitter_us=SECOND)
    for now in range(0, 200 * SECOND, 5_000):
        log.take(1, now)
    assert len(log._slots) <= SLOTS * 61 // 60 + 4


def test_what_arrived_late_is_counted_for_longer() -> None:
    """But not what was taken after it; no lateness is believed beyond a bound, nor of what nobody took."""
    log = SlidingLog(100, window_us=WINDOW)
    log.take(40, 0)
    log.take(60, SECOND // 10)
    log.late(0, SECOND)
    log.late(0, SECOND // 2)
    log.late(5 * SECOND, SECOND)
    gone = WINDOW + WINDOW // SLOTS + SECOND
    others = gone - 900_000 - SECOND % (WINDOW // SLOTS)
    assert log.wait(60, SECOND) <= others - SECOND < log.wait(100, SECOND) == log.view(SECOND).reset_us == gone - SECOND
    assert (log.left(gone - 1), log.left(gone)) == (60, 100)
    log.take(100, gone)
    log.late(gone, 100 * SECOND)
    assert log.left(gone + WINDOW + LATE_US - WINDOW // SLOTS) == 0
    assert log.left(gone + WINDOW + LATE_US + WINDOW // SLOTS) == 100


def test_what_is_late_is_corrected_where_it_stands() -> None:
    """And what is taken in the same moment after it was known to be late leaves on time."""
    log = SlidingLog(100, window_us=WINDOW)
    log.take(60, 0)
    log.late(0, SECOND)
    log.take(40, 1)
    log.correct(-50, 0, 2)
    assert log.left(2) == 50
    assert log.left(WINDOW + WINDOW // SLOTS) == 90
    assert log.left(WINDOW + WINDOW // SLOTS + SECOND) == 100
    log.late(1, SECOND)
    assert log.left(3 * WINDOW) == 100


@given(
    LIMITS,
    st.lists(st.tuples(st.floats(0, 0.2), st.floats(0, 0.5), st.integers(0, LATE_US)), max_size=40),
    st.sampled_from([0, 100_000]),
)
def test_who_arrives_late_and_is_known_to_never_makes_a_window_overflow(
    limit: int, steps: list[tuple[float, float, int]], jitter: int
) -> None:
    """Delays beyond the jitter, each told by the call's own reply in time: no window of any phase overflows."""
    log, now = SlidingLog(limit, window_us=WINDOW, jitter_us=jitter), 0
    charged: list[tuple[int, int]] = []
    replies: list[tuple[int, int, int]] = []
    for pause, share, delay in steps:
        now += int(pause * WINDOW)
        for reply in [reply for reply in replies if reply[0] <= now]:
            log.late(reply[1], reply[2])
            replies.remove(reply)
        cost = max(1, int(share * limit))
        wait = log.wait(cost, now)
        assert log.has(cost, now) == (wait == 0)
        now += wait if wait < WINDOW // 4 else 0
        if log.has(cost, now):
            log.take(cost, now)
            charged.append((now + delay, cost))
            if delay > jitter:
                replies.append((now + delay, now, delay))
    assert worst(sorted(charged), WINDOW - 1) <= limit


def test_what_left_of_late_may_linger() -> None:
    """What has left the log since a moment, not longer ago than calls are late."""
    log = SlidingLog(100, window_us=WINDOW)
    log.take(10, 0)
    log.take(20, SECOND)
    gone = WINDOW + WINDOW // SLOTS
    assert log.lingering(0, gone - 1) == 0
    assert log.lingering(0, gone) == 10
    assert log.lingering(0, gone + SECOND) == 30
    assert log.lingering(gone + SECOND, gone + SECOND) == 20
    assert log.lingering(0, gone + SECOND + LATE_US + 1) == 0


def test_a_hold_ends_by_itself() -> None:
    """It keeps the most that was asked for, for a moment after the last time; but no longer than calls are late."""
    log = SlidingLog(100, window_us=WINDOW)
    assert log.hold(30, 0)
    assert log.hold(20, HOLD_US // 2)
    assert log.left(HOLD_US) == 70
    log.take(60, HOLD_US)
    assert log.wait(20, HOLD_US) == HOLD_US // 2
    assert log.has(20, HOLD_US + HOLD_US // 2)
    now = 10 * SECOND
    assert all(log.hold(5, now + step) for step in range(0, LATE_US + 1, HOLD_US // 2))
    assert not log.hold(5, now + LATE_US + 1)


def filled(late: int) -> SlidingLog:
    """A log in which every slot of its window is in use, and of a hundred slots so many are late."""
    log = SlidingLog(SLOTS * 10, window_us=WINDOW)
    for slot in range(SLOTS):
        log.take(10, slot * SLOT)
        if slot % 100 < late:
            log.late(slot * SLOT, 50_000 + slot)
    return log


@pytest.mark.parametrize("late", [0, 33, 100])
def test_no_operation_looks_at_all_slots(late: int, lines_of: Callable[[Callable[[], object]], int]) -> None:
    """However many are in use, and however many of them are late: waits near and far, charges, corrections, expiry."""
    log, now = filled(late), WINDOW - 1
    for amount in (1, 100, SLOTS * 5, SLOTS * 10):
        assert lines_of(lambda amount=amount: log.wait(amount, now)) < 300  # type: ignore[misc]
    for moment in range(now, now + WINDOW, WINDOW // 10 + SLOT):
        log.left(moment)
        work = (
            lambda at=moment: log.left(at + SLOT),
            lambda at=moment: log.take(10, at + SLOT),
            lambda at=moment: log.correct(-5, at + SLOT, at + SLOT),
            lambda at=moment: log.late(at + SLOT, 60_000),
            lambda at=moment: log.late(at + SLOT, 70_000),
            lambda at=moment: log.view(at + SLOT),
        )
        for one in work:
            assert lines_of(one) < 80


def test_what_is_used_of_it() -> None:
    """What it holds; what it keeps back is not used."""
    log = SlidingLog(600, window_us=60_000_000, spare_permille=10)
    log.take(300, 0)
    assert log.used(1_000_000) == 300
    assert log.used(70_000_000) == 0
