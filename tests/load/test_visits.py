"""A crowd is open-loop, and refused clients come back exactly when they were told to."""

import asyncio

import pytest

from tidegate.load.crowd import Arrival, Member
from tidegate.load.visits import Crowd, End, Manners, Try, Visit, read
from tidegate.ports import Headers, TransportError
from tidegate.testing.clock import ManualClock

SECOND = 1_000_000
ACME = Member("acme", "tg-acme", 1.0, deadline_ms=5_000)


class Reply:
    def __init__(self, status: int, headers: Headers = ()) -> None:
        self.status, self.headers, self.body, self.stream = status, headers, b"{}", None


class Transport:
    """Answers at once with what the test prepared, 200 when there is nothing left."""

    def __init__(self, clock: ManualClock, *replies: Reply | TransportError) -> None:
        self.clock = clock
        self.replies = list(replies)
        self.sent: list[tuple[int, bytes, bytes]] = []

    async def send(self, head: bytes, body: bytes, *, stream: bool, deadline: int) -> Reply:
        self.sent.append((self.clock.now(), head, body))
        reply = self.replies.pop(0) if self.replies else Reply(200)
        if isinstance(reply, TransportError):
            raise reply
        return reply

    def close(self) -> None: ...


def calls(*at_s: float, member: Member = ACME) -> list[Arrival]:
    return [Arrival(int(at * SECOND), member, number, 100) for number, at in enumerate(at_s)]


async def played(transport: Transport, arrivals: list[Arrival], manners: Manners, seconds: int = 60) -> list[Visit]:
    crowd = Crowd(transport, transport.clock, "http://gate/v1", manners)
    task = asyncio.ensure_future(crowd.play(arrivals, transport.clock.now()))
    await transport.clock.advance(seconds * SECOND)
    return await task


def refused(**headers: str) -> Reply:
    return Reply(429, [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()])


async def test_calls_leave_when_they_are_due_with_their_key_and_name():
    """Whatever became of the earlier ones."""
    clock = ManualClock()
    transport = Transport(clock)
    start = clock.now()
    visits = await played(transport, calls(1, 2), Manners())
    assert [at - start for at, _, _ in transport.sent] == [SECOND, 2 * SECOND]
    assert b"Bearer tg-acme" in transport.sent[0][1]
    assert b"x-tidegate-deadline-ms: 5000" in transport.sent[0][1]
    assert b'"max_tokens":100,"user":"acme/1"}' in transport.sent[1][2]
    assert all(visit.answered for visit in visits)


async def test_a_refused_client_returns_exactly_then():
    """In milliseconds where they are named; once, not again."""
    clock = ManualClock()
    transport = Transport(clock, refused(retry_after="3", retry_after_ms="2500"), refused(retry_after_ms="100"))
    visits = await played(transport, calls(0), Manners(returns=1))
    first, second = transport.sent
    assert second[0] - first[0] == 2_500_000
    assert [one.end for one in visits[0].tries] == [End.REFUSED, End.REFUSED]
    assert not visits[0].answered


async def test_a_client_without_manners_leaves():
    """As does one that was told no time."""
    clock = ManualClock()
    assert len((await played(Transport(clock, refused(retry_after="1")), calls(0), Manners()))[0].tries) == 1
    assert len((await played(Transport(clock, refused()), calls(0), Manners(returns=3)))[0].tries) == 1


async def test_one_at_a_time_skips_while_a_call_is_open():
    """Another tenant's calls go on."""
    other = Member("other", "k", 1.0)
    transport = Transport(ManualClock(), refused(retry_after="5"))
    arrivals = [*calls(0, 1, 10), Arrival(2 * SECOND, other, 0, 1)]
    arrivals.sort(key=lambda call: call.at_us)
    visits = await played(transport, arrivals, Manners(returns=1, one_at_a_time=True))
    assert sorted((visit.tenant, visit.number) for visit in visits) == [("acme", 0), ("acme", 2), ("other", 0)]


async def test_a_broken_connection_is_a_failure():
    """With its reason."""
    visits = await played(Transport(ManualClock(), TransportError("gone", sent=True)), calls(0), Manners())
    assert (visits[0].tries[0].end, visits[0].tries[0].kind) == (End.FAILED, "gone")


def test_times_are_read_in_every_form():
    """Milliseconds first; the gate's wait; nothing else."""
    one = Try(0)
    read(one, 503, [(b"retry-after", b"7"), (b"x-tidegate-wait-ms", b"40")])
    assert (one.end, one.told_us, one.waited_us) == (End.REFUSED, 7 * SECOND, 40_000)
    read(one, 504, [])
    assert (one.end, one.kind) == (End.FAILED, "http 504")


@pytest.mark.parametrize(
    ("headers", "told_us"),
    [
        ([(b"retry-after", b"2")], 2 * SECOND),
        ([(b"retry-after", b"0.25")], SECOND // 4),
        ([(b"retry-after-ms", b"1500.5")], 1_500_500),
        ([(b"retry-after", b"9"), (b"retry-after-ms", b"100")], 100_000),
        ([(b"retry-after", b"Thu, 01 Jan 1970 00:01:10 GMT")], 10 * SECOND),
        ([(b"retry-after", b"Thu, 01 Jan 1970 00:00:10 GMT")], 0),
        ([(b"retry-after", b"soon")], -1),
        ([(b"retry-after", b"-1")], -1),
        ([(b"retry-after", b"nan")], -1),
        ([], -1),
    ],
)
def test_times_are_read_as_sdks_read_them(headers: Headers, told_us: int) -> None:
    """Seconds, with a fraction or without, milliseconds, which win, or a date; anything else names no time."""
    one = Try(0)
    read(one, 429, headers, 60 * SECOND)
    assert one.told_us == told_us
