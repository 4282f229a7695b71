"""Answers in their time, on a clock that is moved by hand."""

import pytest

from tidegate.twin.answers import TEXT, Answer, Block, numbered
from tidegate.twin.calls import Calls
from tidegate.twin.delivery import Stream, Unary
from tidegate.twin.directory import Directory
from tidegate.twin.pace import Pace
from tidegate.twin.scripts import Embedded, Script
from tidegate.twin.service import Service
from tidegate.twin.settings import Settings

MS = 1_000


class Clock:
    """Runs what is due when it is moved; knows how many timers wait."""

    def __init__(self):
        self.time = 0
        self.timers = []

    def now(self):
        return self.time

    def wall(self):
        return self.time

    def call_at(self, when, callback):
        timer = Timer(self, when, callback)
        self.timers.append(timer)
        return timer

    def move(self, to):
        while due := sorted((timer for timer in self.timers if timer.when <= to), key=lambda timer: timer.when):
            self.timers.remove(due[0])
            self.time = max(self.time, due[0].when)
            due[0].callback()
        self.time = to


class Timer:
    def __init__(self, clock, when, callback):
        self.clock, self.when, self.callback = clock, when, callback

    def cancel(self):
        if self in self.clock.timers:
            self.clock.timers.remove(self)


class Exchange:
    """Keeps what is sent."""

    def __init__(self):
        self.on_gone = self.on_pause = self.on_resume = None
        self.sent, self.body, self.ended = [], b"", False

    def respond(self, status, head, body):
        self.start(status, head)
        self.write(body)
        self.end()

    def start(self, status, head):
        self.sent.append((status, head))

    def write(self, data):
        assert not self.ended
        self.body += data

    def end(self):
        self.ended = True

    @property
    def words(self):
        return [text.partition(b'"')[0].split() for text in self.body.split(b'"content":"')[2:]]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pace(clock):
    return Pace(clock, 10, 0)


def service_of(prompt=7, model="gpt-4o"):
    directory = Directory(Settings(), 0)
    seat = directory.seat("k", directory.organisation("k"), model, 0)
    call = Calls(0).begin("POST", "/", 0)
    call.key, call.prompt_tokens, call.charged_tokens = "k", prompt, 100
    return Service(call, seat, 0)


def answer_of(units=100, ttft=20 * MS, tpot=2 * MS):
    return Answer([Block(TEXT, units, numbered(units))], 1, "length", ttft, tpot)


def stream_of(pace, service, answer):
    exchange = Exchange()
    script = Script(answer, b"chatcmpl-1", 0, "gpt-4o", 7, chat=True)
    stream = Stream(exchange, service, pace, answer, b"", None, script)
    stream.begin(0, 0)
    return exchange


def test_a_unary_answer_comes_when_all_of_it_is_there(clock, pace):
    """20 ms to the first token and 100 tokens of 2 ms: at 220 ms, not before."""
    exchange, service = Exchange(), service_of()
    Unary(exchange, service, pace, answer_of(), b"", None, Embedded(b"all")).begin(0, 0)
    clock.move(219 * MS)
    assert not exchange.sent
    clock.move(220 * MS)
    assert exchange.ended
    assert (service.call.end, service.call.completion_tokens, service.call.billed_tokens) == ("complete", 100, 107)
    assert not clock.timers


def test_a_stream_writes_what_is_due(clock, pace):
    """Nothing before 20 ms; then every 10 ms the 5 tokens that came, with one timer."""
    exchange = stream_of(pace, service_of(), answer_of())
    clock.move(20 * MS - 1)
    assert not exchange.sent
    clock.move(20 * MS)
    assert exchange.words == [[b"t1"]]
    clock.move(45 * MS)
    assert exchange.words == [[b"t1"], [b"t2", b"t3", b"t4", b"t5", b"t6"], [b"t7", b"t8", b"t9", b"t10", b"t11"]]
    assert len(clock.timers) == 1


def test_a_late_timer_catches_up(clock, pace):
    """A tick that comes 100 ms late writes all that is due by then: the stream is not slowed down."""
    exchange = stream_of(pace, service_of(), answer_of())
    clock.move(20 * MS)
    clock.time = 120 * MS
    clock.timers.pop().callback()
    assert len(exchange.words[1]) == 50


def test_a_stream_ends_with_its_last_token(clock, pace):
    """At 20 ms + 99 · 2 ms, within a write; the books are closed then."""
    service = service_of()
    exchange = stream_of(pace, service, answer_of())
    clock.move(218 * MS - 1)
    assert not exchange.ended
    clock.move(228 * MS)
    assert exchange.ended
    assert exchange.body.endswith(b"data: [DONE]\n\n")
    assert (service.call.completion_tokens, pace.streams) == (100, 0)
    assert not clock.timers


def test_an_answer_of_no_time_is_sent_at_once(clock, pace):
    """No timer, one write of at most fifty events."""
    exchange = stream_of(pace, service_of(), answer_of(ttft=0, tpot=0))
    assert exchange.ended
    assert len(exchange.words) == 50
    assert not clock.timers


def test_an_answer_of_no_tokens_is_complete(clock, pace):
    """Its text was stopped before the first word."""
    exchange = stream_of(pace, service_of(), answer_of(units=0, ttft=0))
    assert exchange.ended
    assert exchange.words == []


def test_a_paused_stream_writes_nothing_until_it_may(clock, pace):
    """The provider keeps generating: when the reader is back, all of it comes at once."""
    exchange = stream_of(pace, service_of(), answer_of())
    clock.move(20 * MS)
    exchange.on_pause()
    clock.move(120 * MS)
    assert exchange.words == [[b"t1"]]
    exchange.on_resume()
    assert len(exchange.words[1]) == 50


@pytest.mark.parametrize(("leaves_at", "generated"), [(10, 0), (20, 1), (41, 11), (300, 100)])
def test_a_caller_that_leaves_is_billed_for_what_was_generated(clock, pace, leaves_at, generated):
    """Also when it was not delivered: a unary answer is generated before it is sent."""
    service, exchange = service_of(), Exchange()
    unary = Unary(exchange, service, pace, answer_of(), b"", None, Embedded(b"all"))
    unary.begin(0, None)  # a reply that never comes
    clock.time = leaves_at * MS
    exchange.on_gone()
    assert (service.call.end, service.call.completion_tokens) == ("aborted", generated)
    assert service.call.ended_at == leaves_at * MS


def test_a_stream_whose_caller_left_stops(clock, pace):
    """Its timer is gone, nothing more is written, and it is counted once."""
    service = service_of()
    exchange = stream_of(pace, service, answer_of())
    clock.move(30 * MS)
    body, leave = exchange.body, exchange.on_gone
    leave()
    leave()
    clock.move(500 * MS)
    assert (exchange.body, exchange.ended, pace.streams) == (body, False, 0)
    assert (service.call.end, service.call.completion_tokens) == ("aborted", 6)


def test_many_streams_write_less_often(clock, pace):
    """A thousand of them tick every 125 ms, so that all together do 8,000 times a second."""
    assert pace.next_write(0, 2 * MS) == 10 * MS
    pace.streams = 1_000
    assert pace.next_write(0, 2 * MS) == 125 * MS
    assert pace.next_write(0, 500 * MS) == 500 * MS


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("leaves", [False, True])
def test_a_limit_of_output_is_charged_as_it_comes(clock, pace, stream, leaves):
    """Whole or streamed: what is there after 120 ms is taken by then, and all of it at the end, once."""
    service = service_of(model="claude-sonnet")
    window = service._seat.meter.quota.output
    if stream:
        exchange = stream_of(pace, service, answer_of())
    else:
        exchange = Exchange()
        Unary(exchange, service, pace, answer_of(), b"", None, Embedded(b"all")).begin(0, 0)
    clock.move(120 * MS)
    assert 40 <= service._produced <= 51
    if leaves:
        exchange.on_gone()
    else:
        clock.move(300 * MS)
    generated = 51 if leaves else 100
    assert service._produced == service.call.completion_tokens == generated
    assert window.remaining(120 * MS) >= window.limit - generated
    assert not clock.timers
