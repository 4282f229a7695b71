"""When a refused call may come again: every place where providers say it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.profiles import PLACES
from tidegate.policy.failure.headers_families import FAMILIES, family
from tidegate.policy.failure.not_before import not_before

MS, SECOND, MINUTE, HOUR, DAY = 1_000, 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000
WALL = 1_789_000_000 * SECOND  # 2026-09-10T00:26:40Z
OPENAI, AZURE, ANTHROPIC = family("openai"), family("azure"), family("anthropic")


def at(moment: str) -> int:
    return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()) * SECOND


TEXTS = [
    ("Please try again in 20s. Visit …", 20 * SECOND),
    ("Please try again in 6ms.", 6 * MS),
    ("please try again in 1m2.5s", 62_500 * MS),
    ("Please try again in 7m12s.", 7 * MINUTE + 12 * SECOND),
    ("Please try again in 1h23m45s.", HOUR + 23 * MINUTE + 45 * SECOND),
    ("Please retry in 34.074824224s.", 34_074_824),
    ("Please retry in 9h56m28.117239848s.", 9 * HOUR + 56 * MINUTE + 28_117_239),
    ("Please retry after 27 seconds.", 27 * SECOND),
    ("please try again after 1 seconds", SECOND),
    ("Rate limit is exceeded. Try again in 30 seconds.", 30 * SECOND),
    ("Try again in 1 hour, 2 minutes", HOUR + 2 * MINUTE),
    ("retry after 250 milliseconds", 250 * MS),
    ("wait 2 min", 2 * MINUTE),
    ("Out of call volume quota. Quota will be replenished in 01:30:05.", HOUR + 30 * MINUTE + 5 * SECOND),
    ("quota resets in 2 days", 2 * DAY),
    ("You will regain access on 2026-10-01 at 00:00 UTC.", at("2026-10-01") - WALL),
    ("Your limit will reset on 2026-09-10 01:00", at("2026-09-10T01:00") - WALL),
]
SILENT_TEXTS = [
    "", "Please try again later.", "try again in a moment", "Please retry your request", "Limit 30000, Used 29000",
    "try again in 0s", "retry after 99999 days", "regain access on 2026-09-01 at 00:00 UTC", "again in 5 months",
    "regain access on 2026-99-99 at 99:99",
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_a_text_tells(text: str, expected: int) -> None:
    """In whatever words, amid whatever else."""
    assert not_before(["text"], {}, OPENAI, text, WALL) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("text", SILENT_TEXTS)
def test_a_text_that_tells_nothing(text: str) -> None:
    """No word, no past and no absurd one is ever "at once"."""
    assert not_before(["text"], {}, OPENAI, text, WALL) is None


def test_a_moment_without_a_zone() -> None:
    """It is UTC, or China's clock where the row says so; a zone that is named counts."""
    text = "您的限额将在 2026-09-10 10:00:00 重置"
    assert not_before(["text"], {}, OPENAI, text, WALL) == at("2026-09-10T10:00") - WALL
    assert not_before(["text_beijing"], {}, OPENAI, text, WALL) == at("2026-09-10T02:00") - WALL
    named = "Your limit will reset at 2026-09-10 10:00:30 UTC"
    assert not_before(["text_beijing"], {}, OPENAI, named, WALL) == at("2026-09-10T10:00:30") - WALL


def test_headers_come_with_their_family() -> None:
    """Azure's zero `retry-after-ms` beside a `retry-after` is no word; elsewhere the second one stands."""
    lie = {b"retry-after": b"1", b"retry-after-ms": b"0", b"x-ratelimit-reset-tokens": b"0"}
    assert not_before(["headers"], lie, OPENAI, "", WALL) == SECOND
    assert not_before(["headers"], lie, AZURE, "", WALL) is None
    assert not_before(["text", "headers"], lie, AZURE, "Please retry after 27 seconds.", WALL) == 27 * SECOND
    assert not_before(["headers"], {b"retry-after": b"3"}, AZURE, "", WALL) == 3 * SECOND


def test_the_first_place_that_tells_wins() -> None:
    """In the row's order; `none` looks no further."""
    shown = {b"retry-after": b"5"}
    assert not_before(["text", "headers"], shown, OPENAI, "try again in 9s", WALL) == 9 * SECOND
    assert not_before(["headers", "text"], shown, OPENAI, "try again in 9s", WALL) == 5 * SECOND
    assert not_before(["retry_info", "headers"], shown, OPENAI, "", WALL) == 5 * SECOND
    assert not_before(["none", "headers"], shown, OPENAI, "", WALL) is None
    assert not_before([], shown, OPENAI, "", WALL) is None


def test_retry_info() -> None:
    """Google's detail, in whatever spacing."""
    body = '{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"}'
    assert not_before(["retry_info"], {}, OPENAI, body, WALL) == 34_070 * MS
    assert not_before(["retry_info"], {}, OPENAI, body.replace("34.07s", "soon"), WALL) is None


def test_resets_of_what_is_exhausted() -> None:
    """The latest of the dimensions of which nothing is left: of others the reset is the time to full."""
    shown = {
        b"anthropic-ratelimit-requests-remaining": b"40",
        b"anthropic-ratelimit-requests-reset": b"2026-09-10T00:30:00Z",
        b"anthropic-ratelimit-input-tokens-remaining": b"0",
        b"anthropic-ratelimit-input-tokens-reset": b"2026-09-10T00:27:00Z",
        b"anthropic-ratelimit-output-tokens-remaining": b"0",
        b"anthropic-ratelimit-output-tokens-reset": b"2026-09-10T00:27:10Z",
    }
    assert not_before(["reset"], shown, ANTHROPIC, "", WALL) == 30 * SECOND
    spans = {b"x-ratelimit-remaining-requests": b"0", b"x-ratelimit-reset-requests": b"20s"}
    assert not_before(["reset"], spans, OPENAI, "", WALL) == 20 * SECOND
    assert not_before(["reset"], spans, family("groq"), "", WALL) is None


def test_a_body_may_quote_the_header() -> None:
    """As OpenRouter's does: milliseconds since 1970."""
    body = '{"error": {"metadata": {"headers": {"X-RateLimit-Reset": "1789000020000"}}}}'
    assert not_before(["reset"], {}, family("openrouter"), body, WALL) == 20 * SECOND


@pytest.mark.parametrize(
    ("place", "moment", "back"),
    [
        ("minute", "2026-09-10T00:26:40", "2026-09-10T00:27:00"),
        ("day", "2026-09-10T00:26:40", "2026-09-11T00:00:00"),
        ("day_beijing", "2026-09-10T00:26:40", "2026-09-10T16:00:00"),
        ("day_beijing", "2026-09-10T16:00:00", "2026-09-11T16:00:00"),
        ("day_pacific", "2026-09-10T00:26:40", "2026-09-10T07:00:00"),  # daylight saving
        ("day_pacific", "2026-01-10T07:59:00", "2026-01-10T08:00:00"),
        ("day_pacific", "2026-03-07T12:00:00", "2026-03-08T08:00:00"),  # the day before it begins
        ("day_pacific", "2026-03-09T12:00:00", "2026-03-10T07:00:00"),
        ("day_pacific", "2026-10-31T12:00:00", "2026-11-01T07:00:00"),  # the day before it ends
        ("day_pacific", "2026-11-02T12:00:00", "2026-11-03T08:00:00"),
        ("month", "2026-09-10T00:26:40", "2026-10-01T00:00:00"),
        ("month", "2026-12-31T23:59:59", "2027-01-01T00:00:00"),
    ],
)
def test_turns_of_the_clock(place: str, moment: str, back: str) -> None:
    """Where a counter starts anew with the clock, nothing else has to be said."""
    assert not_before([place], {}, OPENAI, "", at(moment)) == at(back) - at(moment)


@given(
    st.lists(st.sampled_from(PLACES), max_size=4),
    st.dictionaries(
        st.sampled_from([b"retry-after", b"retry-after-ms", b"x-ratelimit-reset", b"x-ratelimit-remaining"]),
        st.binary(max_size=30),
    ),
    st.sampled_from(sorted(FAMILIES)),
    st.text(max_size=200)
    | st.from_regex(r"(again|retry|wait) (in|after) ?([0-9]{1,20}\.?[0-9]{0,12} ?[a-z]{1,8} ?){0,8}"),
    st.integers(0, 4_000_000_000).map(lambda seconds: seconds * SECOND),
)
def test_nothing_breaks_it(places: list[str], shown: dict[bytes, bytes], name: str, text: str, wall: int) -> None:
    """Whatever stands there: a time in the future, not above a year, or no word."""
    found = not_before(places, shown, family(name), text, wall)
    assert found is None or 0 < found <= 366 * DAY
