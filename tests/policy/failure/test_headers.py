"""What rate-limit headers show, with samples that providers really sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.failure.headers import Seen, minute, number, period, read
from tidegate.policy.failure.headers_families import FAMILIES, family

# limit, remaining, reset: OpenAI's developer forum 711940, 541210, 1268905.
MINUTES = [
    (b"60000", b"4787", b"55.212s"),
    (b"500", b"499", b"120ms"),
    (b"5000", b"4999", b"12ms"),
    (b"30,000", b"29,955", b"90ms"),
    (b"150000", b"0", b"1m0s"),
    (b"3", b"2", b"20s"),
    (b"10000000", b"9999999", b"0s"),  # a reset below its own resolution
]
DAYS = [(b"1500000", b"43244", b"23h18m29.144s"), (b"10000", b"9994", b"46.001s"), (b"200", b"199", b"7m12s")]


@pytest.mark.parametrize("triple", MINUTES)
def test_the_minute_is_believed(triple: tuple[bytes, bytes, bytes]) -> None:
    """The period that the triple implies is a minute; thousands commas are read."""
    limit, left, reset = triple
    assert read(limit, left, reset) == Seen(number(limit), number(left))


@pytest.mark.parametrize("triple", DAYS)
def test_the_day_is_not_taken_for_the_minute(triple: tuple[bytes, bytes, bytes]) -> None:
    """A 429 or a 200 can carry the day's bucket: its reset is far too long for what is used of it."""
    assert read(*triple) is None


def test_the_documentations_own_sample_is_no_physics() -> None:
    """150000/149984/6m0s would be a bucket of 39 days."""
    assert read(b"150000", b"149984", b"6m0s") is None


@pytest.mark.parametrize("limit", [None, b"", b"0", b"-1", b"abc", b"1.5", b"9" * 19, b"9" * 5_000, b"\xff"])
def test_a_useless_limit_says_nothing(limit: bytes | None) -> None:
    """Seen on the Responses API: -1 and 0."""
    assert read(limit, b"5", b"1s") is None


@pytest.mark.parametrize("left", [None, b"", b"-1", b"abc", b"1.5", b"9" * 5_000])
def test_a_useless_remainder_says_nothing(left: bytes | None) -> None:
    """It must not be read as "nothing is left"."""
    assert read(b"500", left, b"1s") is None


@pytest.mark.parametrize(("reset", "seen"), [(b"55s", True), (b"0s", True), (b"60s", True), (b"23h18m29s", False)])
def test_a_windows_reset_is_the_time_to_its_edge(reset: bytes, seen: bool) -> None:
    """Whatever is used: up to a minute for the minute, hours for the day."""
    assert (read(b"10000", b"9900", reset, gradual=False) is not None) is seen


def test_zero_left_is_a_word() -> None:
    """An empty bucket is empty."""
    assert read(b"500", b"0", b"60s") == Seen(500, 0)


@pytest.mark.parametrize("reset", [None, b"", b"soon", b"-1", b"0", b"0ms", b"\xff\xfe"])
def test_a_useless_reset_does_not_matter(reset: bytes | None) -> None:
    """Limit and remainder stand for themselves."""
    assert read(b"500", b"499", reset) == Seen(500, 499)


@given(st.integers(1, 10**12), st.data())
def test_every_minute_bucket_is_recognised(limit: int, data: st.DataObject) -> None:
    """Whatever the limit and the level, rounded as providers round: remainder down, reset to a millisecond."""
    level = data.draw(st.integers(0, limit * 1_000))  # in thousandths
    reset_ms = -(-60_000 * (limit * 1_000 - level) // (limit * 1_000))
    seen = read(b"%d" % limit, b"%d" % (level // 1_000), b"%dms" % reset_ms)
    assert seen == Seen(limit, level // 1_000)


@given(st.integers(2, 10**9), st.data())
def test_a_day_bucket_in_use_is_recognised(limit: int, data: st.DataObject) -> None:
    """As soon as more than a request is used, the day's reset is too long for a minute."""
    used = data.draw(st.integers(2, limit))
    reset_ms = -(-86_400_000 * used // limit)
    if reset_ms > 300:
        assert read(b"%d" % limit, b"%d" % (limit - used), b"%dms" % reset_ms) is None


@given(*[st.one_of(st.none(), st.binary(max_size=40), st.integers().map(lambda n: b"%d" % n))] * 3)
def test_no_bytes_break_it(limit: bytes | None, left: bytes | None, reset: bytes | None) -> None:
    """Header values are any bytes."""
    seen = read(limit, left, reset)
    assert seen is None or (seen.limit > 0 and seen.left >= 0)


@pytest.mark.parametrize(
    ("triple", "seconds"),
    [
        ((60_000, 4_787, 55_212_000), (59.99, 60.01)),
        ((1_500_000, 43_244, 83_909_144_000), (86_399, 86_401)),
        ((500, 499, 120_000), (29, 1e9)),
        ((10_000, 9_994, 46_001_000), (65_000, 93_000)),
    ],
)
def test_a_triple_tells_its_period(triple: tuple[int, int, int], seconds: tuple[float, float]) -> None:
    """To a thousandth when much is used; hardly at all when nothing is."""
    shortest, longest = period(*triple)
    assert seconds[0] * 1e6 <= shortest <= longest
    assert longest <= seconds[1] * 1e6 or triple[0] - triple[1] <= 1


@given(st.integers(1, 10**12), st.integers(1, 86_400), st.data())
def test_the_true_period_is_always_between(limit: int, seconds: int, data: st.DataObject) -> None:
    """Whatever the level, rounded as providers round."""
    level = data.draw(st.integers(0, limit * 1_000))  # in thousandths
    reset_ms = -(-seconds * 1_000 * (limit * 1_000 - level) // (limit * 1_000))
    shortest, longest = period(limit, level // 1_000, reset_ms * 1_000)
    assert shortest <= seconds * 1_000_000 <= longest


@pytest.mark.parametrize(
    ("triple", "odd"),
    [
        ((b"60000", b"4787", b"55.212s"), False),
        ((b"60000", b"4787", b"1s"), True),  # a bucket of a second
        ((b"60000", b"70000", b"1s"), True),  # more than there can be
        ((b"60000", b"70000", None), True),
        ((b"60000", b"59999", b"1ms"), False),
    ],
)
def test_what_contradicts_itself_is_odd(triple: tuple[bytes, bytes, bytes | None], odd: bool) -> None:
    """It is read, and costs trust."""
    seen = read(*triple)
    assert seen is not None
    assert seen.odd is odd


def test_a_windows_reset_is_never_odd() -> None:
    """Its edge may be near, whatever is used."""
    assert read(b"60000", b"100", b"1s", gradual=False) == Seen(60_000, 100)


WALL = 1_789_000_000 * 1_000_000  # 2026-09-10T00:26:40Z


@pytest.mark.parametrize(
    ("reset", "seen"),
    [
        (b"2026-09-10T00:27:00Z", True),
        (b"2026-09-10T00:26:40Z", True),  # now: it is full, or the clocks differ
        (b"2026-09-10T00:20:00Z", True),
        (b"2026-09-10T09:00:00Z", False),  # of a day
        (b"nonsense", True),
        (None, True),
    ],
)
def test_moments_tell_the_minute_from_the_day(reset: bytes | None, seen: bool) -> None:
    """Two clocks are between them, so they say nothing finer, and never that a triple contradicts itself."""
    one = family("anthropic")
    shown = {one.inputs.limit: b"50000", one.inputs.left: b"49000"}
    if reset is not None:
        shown[one.inputs.reset] = reset
    assert minute(shown, one, one.inputs, WALL, gradual=True) == (Seen(50_000, 49_000) if seen else None)


@pytest.mark.parametrize(("period", "seen"), [(b"60", True), (None, True), (b"10", False), (b"86400", False)])
def test_a_period_that_is_stated_counts(period: bytes | None, seen: bool) -> None:
    """Azure's."""
    one = family("azure")
    shown = {one.requests.limit: b"100", one.requests.left: b"90", one.requests.reset: b"6"}
    if period is not None:
        shown[one.requests.period] = period
    assert (minute(shown, one, one.requests, WALL, gradual=False) is not None) is seen


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_what_a_family_does_not_show_is_not_seen(name: str) -> None:
    """Of a reply without headers nothing is."""
    one = family(name)
    for dimension in (one.requests, one.tokens, one.inputs, one.outputs):
        assert minute({}, one, dimension, WALL, gradual=True) is None
