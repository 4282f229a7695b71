"""The driver is open-loop: calls leave when they are due, and times count from then."""

import asyncio
from collections.abc import Iterator

import pytest

from tidegate.load.calls import LoadCall
from tidegate.load.driver import Driver, Target
from tidegate.load.outcome import CallResult, Ending
from tidegate.load.texts import TextKind
from tidegate.ports import Headers, StreamSink, TransportError
from tidegate.testing.clock import ManualClock

TARGET = Target("http://gate:8080/v1", key="sk-1", timeout_us=60_000_000)


class Stream:
    """Gives its sink what the test says."""

    def __init__(self) -> None:
        self.sink: StreamSink | None = None
        self.aborted = False

    def attach(self, sink: StreamSink) -> None:
        self.sink = sink

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def abort(self) -> None:
        self.aborted = True


class Reply:
    def __init__(self, status: int, stream: Stream | None = None) -> None:
        self.status, self.headers, self.body, self.stream = status, (), b"", stream
        self.headers: Headers = ()


class Transport:
    """Notes when each request came; its reply is up to the test."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.sent: list[int] = []
        self.heads: list[bytes] = []
        self.replies: list[asyncio.Future[Reply]] = []

    async def send(self, head: bytes, body: bytes, *, stream: bool, deadline: int) -> Reply:
        self.sent.append(self._clock.now())
        self.heads.append(head)
        self.replies.append(asyncio.get_running_loop().create_future())
        return await self.replies[-1]

    def close(self) -> None: ...


class LaggingClock(ManualClock):
    """A manual clock on which time passes, too, while the program computes."""

    lag = 0

    def now(self) -> int:
        return super().now() + self.lag


class Stage:
    """A driver at work on a manual clock."""

    def __init__(self, calls: Iterator[LoadCall], clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.transport = Transport(self.clock)
        self.results: list[CallResult] = []
        self.driver = Driver(self.transport, self.clock, TARGET, self.results.append)
        self.task = asyncio.create_task(self.driver.drive(calls))
        self.start = self.clock.now()

    def sent(self) -> list[int]:
        return [moment - self.start for moment in self.transport.sent]


def calls(*offsets: int, streamed: bool = False) -> Iterator[LoadCall]:
    for index, offset in enumerate(offsets):
        yield LoadCall(index, offset, 10, 5, streamed, TextKind.ENGLISH, b"{}")


def slowly(clock: LaggingClock, lag: int, *offsets: int) -> Iterator[LoadCall]:
    """The generator needs `lag` to make the second call."""
    for call in calls(*offsets):
        clock.lag = lag if call.index == 1 else 0
        yield call


async def test_no_call_waits_for_an_answer() -> None:
    """Nothing is ever answered, and every call leaves at its moment."""
    stage = Stage(calls(0, 1_000, 1_000, 5_000_000))
    await stage.clock.advance(4_999_999)
    assert stage.sent() == [0, 1_000, 1_000]
    await stage.clock.advance(1)
    assert stage.sent() == [0, 1_000, 1_000, 5_000_000]
    assert (stage.driver.sent, stage.driver.open) == (4, 4)
    stage.task.cancel()


async def test_times_count_from_when_the_call_was_due() -> None:
    """A call that the generator sends 300 ms late and that is answered 200 ms later took 500 ms."""
    clock = LaggingClock()
    stage = Stage(slowly(clock, 300_000, 0, 0), clock)
    await stage.clock.advance(0)
    await stage.clock.advance(200_000)
    stage.transport.replies[1].set_result(Reply(200))
    stage.transport.replies[0].set_result(Reply(200))
    await stage.task
    first, second = sorted(stage.results, key=lambda result: result.index)
    assert (second.late_us, second.done_us) == (300_000, 500_000)
    assert (first.ending, second.ending) == (Ending.ANSWERED, Ending.ANSWERED)


async def test_stream() -> None:
    """A stream's first byte and its end are both seen."""
    stage, stream = Stage(calls(0, streamed=True)), Stream()
    await stage.clock.advance(0)
    stage.transport.replies[0].set_result(Reply(200, stream))
    await stage.clock.advance(10_000)
    assert stream.sink is not None
    stream.sink.chunk(b'data: {"choices":[]}\n\n')
    await stage.clock.advance(10_000)
    stream.sink.chunk(b"data: [DO")
    stream.sink.chunk(b"NE]\n\n")
    stream.sink.end()
    await stage.task
    (result,) = stage.results
    assert (result.ending, result.first_byte_us, result.done_us) == (Ending.ANSWERED, 10_000, 20_000)


async def test_a_stream_that_breaks() -> None:
    """What breaks off after its head has failed, with the status it had."""
    stage, stream = Stage(calls(0, streamed=True)), Stream()
    await stage.clock.advance(0)
    stage.transport.replies[0].set_result(Reply(200, stream))
    await stage.clock.advance(0)
    assert stream.sink is not None
    stream.sink.chunk(b"data: {")
    stream.sink.failed(TransportError("gone", sent=True))
    stream.sink.end()
    await stage.task
    (result,) = stage.results
    assert (result.ending, result.kind, result.message, result.status) == (Ending.FAILED, "broken off", "gone", 200)


@pytest.mark.parametrize(("sent", "kind"), [(True, "broken off"), (False, "not sent")])
async def test_no_reply(sent: bool, kind: str) -> None:
    """Whether a byte may have left is told apart; the next call is not harmed."""
    stage = Stage(calls(0, 1))
    await stage.clock.advance(1)
    stage.transport.replies[0].set_exception(TransportError("no", sent=sent))
    stage.transport.replies[1].set_result(Reply(200))
    await stage.task
    assert [(result.ending, result.kind) for result in stage.results] == [
        (Ending.FAILED, kind),
        (Ending.ANSWERED, ""),
    ]


async def test_cancelled() -> None:
    """A run that is cut short books open calls as open and closes their streams."""
    stage, stream = Stage(calls(0, 0, 9_000_000, streamed=True)), Stream()
    await stage.clock.advance(0)
    stage.transport.replies[0].set_result(Reply(200, stream))
    await stage.clock.advance(0)
    stage.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stage.task
    assert [result.ending for result in stage.results] == [Ending.OPEN, Ending.OPEN]
    assert stream.aborted
    assert stage.driver.open == 0


def test_head() -> None:
    """The request's head names path, host and key, and the deadline only where one is asked for."""
    plain = TARGET.head("POST", "/chat/completions")
    assert plain.startswith(b"POST /v1/chat/completions HTTP/1.1\r\nhost: gate:8080\r\nauthorization: Bearer sk-1\r\n")
    assert plain.endswith(b"\r\n")
    assert not plain.endswith(b"\r\n\r\n")
    assert b"deadline" not in plain
    asked = Target("http://u:p@[::1]/", deadline_ms=1_500).head("GET", "/x")
    assert asked.startswith(b"GET /x HTTP/1.1\r\nhost: [::1]\r\n")
    assert asked.endswith(b"x-tidegate-deadline-ms: 1500\r\n")
