"""Headers on their way: what goes on, what comes back, what is told."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.line.scenes import MINUTE, lane_alone
from tidegate.edge.heads import Story, attempts, forwarded
from tidegate.edge.returned import Returned
from tidegate.model.call import Attempt
from tidegate.model.outcome import Reason
from tidegate.model.snapshot import Limits
from tidegate.testing import ManualClock

NAME = "openai/main/a"
ANSWERED = Attempt(NAME, 200, None, 0)

KEPT_HERE = [
    b"host", b"connection", b"keep-alive", b"proxy-authorization", b"te", b"trailer", b"transfer-encoding", b"upgrade",
    b"content-length", b"expect", b"authorization", b"api-key", b"x-api-key", b"cookie", b"forwarded",
    b"x-forwarded-for", b"x-real-ip", b"x-request-id", b"x-tidegate-deadline-ms", b"x-tidegate-provider",
    b"x-tidegate-session", b"x-http-method", b"x-http-method-override", b"x-method-override", b"x-original-url",
    b"x-original-uri", b"x-rewrite-url", b"x-forwarded-uri", b"x-forwarded-prefix", b"x-forwarded-port",
]  # fmt: skip


@pytest.mark.parametrize("name", KEPT_HERE)
@pytest.mark.parametrize("coded", [True, False])
def test_what_must_not_reach_the_provider(name: bytes, coded: bool) -> None:
    """Framing, hops, the client's own credentials and addresses, what is meant for the gate, another method or path."""
    assert forwarded([(name, b"x")], None, coded=coded) == b""


def test_everything_else_goes_on_as_it_came() -> None:
    """In order, repeated ones too."""
    headers = [(b"user-agent", b"OpenAI/Python"), (b"openai-beta", b"a"), (b"openai-beta", b"b"), (b"accept", b"*/*")]
    expected = b"user-agent: OpenAI/Python\r\nopenai-beta: a\r\nopenai-beta: b\r\naccept: */*\r\n"
    assert forwarded(headers, None, coded=False) == expected


def test_a_governed_answer_comes_uncoded() -> None:
    """Its usage is read; what is forwarded as it is may come as the client likes."""
    headers = [(b"accept-encoding", b"gzip, br")]
    assert forwarded(headers, None, coded=False) == b""
    assert forwarded(headers, None, coded=True) == b"accept-encoding: gzip, br\r\n"


def test_what_connection_names_is_of_this_hop() -> None:
    """RFC 9110, 7.6.1."""
    headers = [(b"x-hop", b"1"), (b"x-end", b"2")]
    assert forwarded(headers, b"close, X-Hop", coded=True) == b"x-end: 2\r\n"
    assert forwarded(headers, b"keep-alive", coded=True) == b"x-hop: 1\r\nx-end: 2\r\n"


def test_attempts_are_told_in_order() -> None:
    """Target, status or failure, and its class."""
    tried = [
        Attempt("p/s/a", 429, Reason.RATE, 0),
        Attempt("p/s/a", 0, Reason.TRANSIENT, 0),
        Attempt("p/s/b", 200, None, 0),
    ]
    assert attempts(tried) == b"x-tidegate-attempts: p/s/a 429 rate, p/s/a failed transient, p/s/b 200\r\n"
    assert attempts([]) == b""


def test_a_name_beyond_latin_is_told_as_far_as_a_header_can() -> None:
    """Never an exception, never a line end."""
    assert attempts([Attempt("p/s/通义", 200, None, 0)]) == b"x-tidegate-attempts: p/s/?? 200\r\n"


def told(
    limits: Limits,
    tried: list[Attempt],
    spent: int = 0,
    story: Story | None = None,
    back: Sequence[tuple[bytes, bytes]] = (),
) -> dict[bytes, bytes]:
    clock = ManualClock()
    lane = lane_alone(clock, limits)
    if spent:
        lane.quota.tokens[0].take(spent, clock.now())
        lane.quota.requests[0].take(1, clock.now())
    head = (story or Story()).of(lane, tried, b"req_1", 1_234_567, clock.now(), back, dict(back))
    assert head.endswith(b"\r\n")
    return dict(line.split(b": ", 1) for line in head.split(b"\r\n")[:-1])


def test_the_story_of_an_answer() -> None:
    """Which target answered, after how much waiting, and how its quota stands."""
    assert told(Limits(60, 6_000), [ANSWERED], spent=1_000) == {
        b"x-request-id": b"req_1",
        b"x-tidegate-wait-ms": b"1234",
        b"x-tidegate-target": NAME.encode(),
        b"x-tidegate-attempts": NAME.encode() + b" 200",
        b"x-ratelimit-limit-requests": b"60",
        b"x-ratelimit-remaining-requests": b"59",
        b"x-ratelimit-reset-requests": b"1000ms",
        b"x-ratelimit-limit-tokens": b"6000",
        b"x-ratelimit-remaining-tokens": b"5000",
        b"x-ratelimit-reset-tokens": b"10000ms",
    }


@given(st.integers(0, 100), st.integers(0, 10_000), st.integers(0, 20_000), st.booleans())
def test_an_answer_is_told_alike_the_second_time(rpm: int, tpm: int, spent: int, twice: bool) -> None:
    """What is remembered changes nothing: one attempt or two, limits or none."""
    story, tried = Story(), [Attempt(NAME, 429, Reason.RATE, 0), ANSWERED] if twice else [ANSWERED]
    limits = Limits(rpm, tpm)
    spent = spent if rpm and tpm else 0
    first = told(limits, tried, spent, story)
    assert told(limits, tried, spent, story) == first
    assert (b"x-ratelimit-limit-requests" in first) == (rpm > 0)
    assert (b"x-ratelimit-limit-tokens" in first) == (tpm > 0)
    if rpm and tpm:
        assert int(first[b"x-ratelimit-remaining-tokens"]) == max(0, tpm - spent)
        assert int(first[b"x-ratelimit-reset-tokens"][:-2]) == -(-spent * MINUTE // tpm // 1_000) or spent
    assert first[b"x-tidegate-attempts"].endswith(b" 200")


def test_a_percent_sign_in_a_name_is_a_percent_sign() -> None:
    """Lines are formatted, names are not."""
    clock = ManualClock()
    lane = lane_alone(clock, Limits(60, 6_000))
    lane.name = "openai/main/100%d"
    story = Story()
    for _ in range(2):
        head = story.of(lane, [Attempt(lane.name, 200, None, 0)], b"req_1", 0, clock.now(), [], {})
        assert b"x-tidegate-target: openai/main/100%d\r\n" in head


BACK = [(b"content-type", b"a/b"), (b"server", b"x"), (b"x-request-id", b"r"), (b"a%d", b"1%"), (b"vary", b"q")]


@given(st.lists(st.sampled_from([*BACK, (b"vary", b"other")]), max_size=7), st.booleans())
def test_what_the_provider_said_comes_back_whichever_way(back: list[tuple[bytes, bytes]], twice: bool) -> None:
    """In order, repeated ones too, whatever other answers brought."""
    story, clock = Story(), ManualClock()
    lane, tried = lane_alone(clock, Limits(60, 6_000)), [ANSWERED, ANSWERED] if twice else [ANSWERED]
    story.of(lane, tried, b"r", 0, clock.now(), BACK[:3], dict(BACK[:3]))
    for value in (b"", b" again"):
        said = [(name, content + value) for name, content in back]
        head = story.of(lane, tried, b"r", 0, clock.now(), said, dict(said))
        assert head.startswith(Returned().of(said, dict(said)) + b"x-request-id: r\r\n")


def test_what_is_remembered_is_bounded() -> None:
    """However many targets there have been."""
    story, clock = Story(), ManualClock()
    lane = lane_alone(clock, Limits(60, 6_000))
    for number in range(Story.MAX_TARGETS + 10):
        lane.name = f"openai/main/{number}"
        head = story.of(lane, [Attempt(lane.name, 200, None, 0)], b"r", 0, clock.now(), [], {})
        assert b"x-tidegate-target: %b\r\n" % lane.name.encode() in head
    assert len(story._answered) <= Story.MAX_TARGETS
