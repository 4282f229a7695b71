"""What becomes of a job after an attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.jobs import DEAD, DONE, FAILED, QUEUED
from tidegate.policy.access import job_tokens
from tidegate.policy.jobs.after import LONGEST, Came, Fate, Tries, after, reason, said

SECOND = 1_000_000
NOW = 1_790_000_000 * SECOND
DAY = 86_400 * SECOND
TRIES = Tries(5, SECOND, 300 * SECOND)
CUT = Came(0, "", "the connection broke", 0)
AWAY = Came(0, "", "cannot connect", 0, sent=False)


def fate(came: Came, failures: int = 0, *, left: int = DAY, luck: float = 0.0) -> Fate:
    """With the usual settings."""
    return after(came, failures, NOW + left, TRIES, NOW, luck)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_an_answer_is_the_end(status: int) -> None:
    """Also when it comes after the deadline: it is there."""
    for left in (DAY, -1):
        ended = fate(Came(status, "", "", 0), 4, left=left)
        assert (ended.state, ended.reason, ended.not_before_us) == (DONE, "", 0)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "invalid_request", "invalid_request: no"),
        (400, "request_exceeds_quota", "request_exceeds_quota: no"),
        (401, "invalid_api_key", "invalid_api_key: no"),
        (403, "model_not_allowed", "model_not_allowed: no"),
        (404, "", "http_404: no"),
        (413, "not a word", "http_413: no"),
        (422, "", "http_422: no"),
        (302, "", "http_302: no"),
        (501, "unsupported", "unsupported: no"),
        (504, "not_cached", "not_cached: no"),
    ],
)
def test_what_would_be_refused_again_has_failed(status: int, code: str, expected: str) -> None:
    """Whatever time is left, and also when a time is told: it is said in one word and the words that were used."""
    for wait_us in (0, SECOND):
        ended = fate(Came(status, code, "no", wait_us))
        assert (ended.state, ended.reason) == (FAILED, expected)


@pytest.mark.parametrize("failures", [0, 3, 400])
@pytest.mark.parametrize(
    ("came", "pause"),
    [
        (Came(429, "rate_limit_exceeded", "in use", 44_000), TRIES.base_us),
        (Came(503, "queue_full", "in use", 90 * SECOND), 90 * SECOND),
        (Came(529, "overloaded_error", "busy", 3 * SECOND), 3 * SECOND),
        (Came(429, "insufficient_quota", "used up", 0), TRIES.cap_us),
        (AWAY, TRIES.base_us),
    ],
)
def test_being_told_to_wait_is_no_failure(came: Came, pause: int, failures: int) -> None:
    """However often it has failed before; as long as it was told, and never so short that it is asked all the time."""
    ended = fate(came, failures)
    assert (ended.state, ended.counts, ended.not_before_us) == (QUEUED, False, NOW + pause)
    assert ended.reason == said(came)


@pytest.mark.parametrize(
    "came",
    [
        CUT,
        Came(408, "", "", 0),
        Came(409, "", "", 0),
        Came(425, "", "", 0),
        Came(500, "", "", 0),
        Came(502, "upstream_failed", "", 0),
        Came(503, "unavailable", "The gate failed on this request.", 0),
        Came(504, "deadline_exceeded", "", 0),
        Came(529, "", "", 0),
    ],
)
def test_a_failure_counts_and_each_pause_is_twice_as_long(came: Came) -> None:
    """Until there have been too many."""
    pauses = []
    for failures in range(4):
        ended = fate(came, failures)
        assert (ended.state, ended.counts) == (QUEUED, True)
        pauses.append(ended.not_before_us - NOW)
    assert pauses == [SECOND, 2 * SECOND, 4 * SECOND, 8 * SECOND]
    assert fate(came, 4).state == DEAD


@pytest.mark.parametrize("message", [job_tokens.WRONG, job_tokens.EXPIRED])
def test_a_ticket_that_is_refused_is_not_the_jobs_fault(message: str) -> None:
    """A worker may have to learn the secret; a key that is refused stays so."""
    assert fate(Came(401, "invalid_api_key", message, 0)).state == QUEUED
    assert fate(Came(401, "invalid_api_key", message, 0), 4).state == DEAD


def test_a_failure_that_names_a_later_time_waits_for_it() -> None:
    """Of the two pauses the longer one."""
    assert fate(Came(502, "", "", 9 * SECOND), 2).not_before_us == NOW + 9 * SECOND
    assert fate(Came(502, "", "", SECOND), 2).not_before_us == NOW + 4 * SECOND


def test_a_pause_has_a_greatest_length() -> None:
    """Before jitter."""
    many = Tries(1_000, SECOND, 300 * SECOND)
    assert after(CUT, 900, NOW + DAY, many, NOW, 0.0).not_before_us == NOW + 300 * SECOND


def test_jitter_only_lengthens() -> None:
    """Up to twice the pause; one that was told, by as much as the shortest."""
    assert fate(CUT, luck=0.5).not_before_us == NOW + 1_500_000
    assert fate(Came(429, "", "", 0), luck=0.999).not_before_us > NOW + 599 * SECOND
    assert fate(Came(429, "", "", 5), luck=0.5).not_before_us == NOW + 1_500_000
    assert fate(Came(429, "", "", 90 * SECOND), luck=0.5).not_before_us == NOW + 90_500_000


def test_the_dead_say_what_of_and_what_came_last() -> None:
    """Both words are there for who looks."""
    spent = fate(Came(502, "upstream_failed", "it broke", 0), 4)
    assert spent.reason == "attempts: 5 have failed, the last with upstream_failed: it broke"
    late = fate(Came(429, "rate_limit_exceeded", "in use", 2 * SECOND), left=2 * SECOND)
    assert late.state == DEAD
    assert not late.counts
    assert late.reason == (
        "deadline: the next try would be in 2.000 s, which is too late; the last came to rate_limit_exceeded: in use"
    )
    assert fate(Came(429, "", "", 2 * SECOND), left=2 * SECOND + 1).state == QUEUED


@given(
    st.builds(
        Came,
        st.just(0) | st.integers(200, 599),
        st.text(max_size=80),
        st.text(st.characters(), max_size=1_000),
        st.integers(0, 10 * DAY),
        sent=st.booleans(),
    ),
    st.integers(0, 100),
    st.integers(-DAY, DAY),
    st.floats(0, 1, exclude_max=True),
)
def test_whatever_comes(came: Came, failures: int, left: int, luck: float) -> None:
    """It ends, or is tried again later, before its deadline, and not before the time that was told."""
    ended = fate(came, failures, left=left, luck=luck)
    if ended.state == QUEUED:
        assert NOW + came.wait_us <= ended.not_before_us < NOW + left
        assert ended.not_before_us > NOW
        assert not ended.counts or failures + 1 < TRIES.max_attempts
    else:
        assert ended.state in {DONE, FAILED, DEAD}
        assert not ended.not_before_us
    assert len(ended.reason) <= LONGEST
    assert ended.reason.isprintable()
    assert (ended.state == DONE) == (not ended.reason)
    ended.reason.encode()


def test_a_reason_is_one_line() -> None:
    """Without what a database or a terminal chokes on."""
    assert reason("cut", "a\nb\0c\ud800d\x1b[1m") == "cut: a b c d [1m"
    assert reason("cut", "x" * 900) == "cut: " + "x" * (LONGEST - 6) + "…"
