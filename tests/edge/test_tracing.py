"""How a client names its request: what is taken up, told on, and written into the record."""

from datetime import UTC
from functools import partial

import msgspec
import pytest

from tests.edge.known import digest
from tests.edge.test_gateway import Asked, Door
from tests.line.scenes import OK, Playbook, provider, refusal, snapshot
from tidegate.edge.access.principals import Clients
from tidegate.edge.gateway import Runtime
from tidegate.line.keys import fingerprint
from tidegate.model import trace
from tidegate.model.facts import CallRecord
from tidegate.model.snapshot import Allowance, ClientKey, Snapshot
from tidegate.model.story import LIMITED, REFUSED
from tidegate.model.telemetry import TelemetrySettings
from tidegate.policy.tenant_limits.accounts import Accounts
from tidegate.testing.clock import SECOND, settle
from tidegate.wire.exchange import Likeness

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01".encode()


async def served(door: Door, asked: Asked) -> Asked:
    await settle()
    await door.play.provider("openai", OK)
    await settle()
    assert asked.wire.status == 200
    return asked


def sent(door: Door) -> list[bytes]:
    """Header lines of the latest request to a provider that are about traces."""
    lines = door.play.sent("openai")[-1].head.split(b"\r\n")
    return [line for line in lines if line.startswith((b"traceparent", b"tracestate"))]


async def test_a_trace_goes_on_at_the_provider() -> None:
    """With the client's id and state, and the span of our attempt, which the call's id tells."""
    door = Door()
    await served(door, door.ask(traceparent=PARENT, tracestate=b"a=1"))
    record = door.records[-1]
    assert record.trace == PARENT.decode()
    span = trace.span(record.call_id, 1)
    assert sorted(sent(door)) == [f"traceparent: 00-{TRACE}-{span}-01".encode(), b"tracestate: a=1"]


async def test_each_attempt_has_a_span_of_its_own() -> None:
    """Whose record says which."""
    door = Door()
    asked = door.ask(traceparent=PARENT)
    await settle()
    first = sent(door)
    await door.play.provider("openai", refusal(500))
    await door.play.until(30 * SECOND)
    await served(door, asked)
    record = door.records[-1]
    assert [one.span for one in record.tries] == [trace.span(record.call_id, number) for number in (1, 2)]
    assert first == [f"traceparent: 00-{TRACE}-{record.tries[0].span}-01".encode()] != sent(door)


@pytest.mark.parametrize("given", [b"", b"garbage", PARENT.upper(), b"00-" + b"0" * 32 + b"-00f067aa0ba902b7-01"])
async def test_garbage_is_as_if_nothing_was_sent(given: bytes) -> None:
    """And so is the state that came with it."""
    door = Door()
    await served(door, door.ask(traceparent=given, tracestate=b"a=1"))
    assert (door.records[-1].trace, sent(door)) == ("", [])


async def test_two_of_them_are_none() -> None:
    """Which of them counts is not for us to say."""
    door = Door()
    asked = door.ask(traceparent=PARENT)
    asked.exchange.headers.append((b"traceparent", PARENT))
    twice = Door()
    exchange = asked.exchange
    twice.gateway.head(exchange)
    twice.gateway.call(exchange)
    await settle()
    assert sent(twice) == []


async def test_where_traces_are_not_told_on_no_provider_hears_of_them() -> None:
    """`telemetry.propagate: false`: neither taken up nor passed through."""
    off = msgspec.structs.replace(snapshot(), telemetry=TelemetrySettings(propagate=False))
    door = Door(Playbook(off))
    await served(door, door.ask(traceparent=PARENT, tracestate=b"a=1", x_request_id=b"r-1"))
    record = door.records[-1]
    assert (record.trace, record.request, sent(door)) == ("", "r-1", [])


async def test_heads_that_are_alike_have_names_of_their_own() -> None:
    """What was learnt of one of them says nothing of the next one's trace, state or id."""
    door, alike = Door(), Likeness()
    for number in range(3):
        parent = f"00-{TRACE[:-1]}{number}-{SPAN}-00".encode()
        state = b"n=%d" % number
        asked = door.ask(alike=alike, traceparent=parent, tracestate=state, x_request_id=b"r-%d" % number)
        await served(door, asked)
        record = door.records[-1]
        assert (record.trace, record.request) == (parent.decode(), f"r-{number}")
        assert b"tracestate: n=%d" % number in sent(door)
        assert len(sent(door)) == 2
        assert asked.wire.fields[b"x-request-id"] == b"r-%d" % number


async def test_an_id_that_is_no_token_is_not_the_requests() -> None:
    """It is called as the gate calls it."""
    door = Door()
    asked = await served(door, door.ask(x_request_id=b"a b"))
    assert (door.records[-1].request, asked.wire.fields[b"x-request-id"]) == ("", b"req_%x" % door.records[-1].call_id)


async def test_sizes_times_and_whose_key_it_was() -> None:
    """Of the request as it came, and of the answer as it went."""
    door = Door()
    asked = await served(door, door.ask())
    record = door.records[-1]
    assert record.request_bytes == len(asked.exchange.body)
    assert (record.answer_bytes, record.account, record.story) == (len(OK.body), fingerprint(b"sk-1"), ())


def written(door: Door) -> list[CallRecord]:
    """What the journal holds."""
    return [fact for fact in door.play.recorder.facts if isinstance(fact, CallRecord)]


def limited() -> Door:
    """A key that may call once a minute."""
    keys = (ClientKey("ci", digest("k"), allowance=Allowance(rpm=1)),)
    door = Door()
    limiting = partial(Accounts(lambda _: UTC).limits_of, wall=door.play.clock.wall())
    clients = Clients(Snapshot(version=1, providers=(provider(),), clients=keys), None, limiting)
    door.gateway.runtime = Runtime(door.play.book, clients)
    return door


async def test_what_its_tenants_limits_refused_is_recorded() -> None:
    """Which limit, and the time that was told; under the id that its client was given."""
    door = limited()
    await served(door, door.ask(authorization=b"Bearer k"))
    asked = door.ask(authorization=b"Bearer k")
    await settle()
    record = written(door)[-1]
    assert (asked.wire.status, record.status, record.attempts, record.target) == (429, 429, 0, "")
    assert asked.wire.fields[b"x-request-id"] == b"req_%x" % record.call_id
    assert [(step.what, step.why) for step in record.story] == [(LIMITED, "tenant_limit"), (REFUSED, "over_quota")]
    assert "the limit of requests a minute" in str(dict(record.story[0].figures)["says"])
    assert int(dict(record.story[1].figures)["told_us"]) > 0
    assert door.gateway.open == 0


async def test_who_asks_in_vain_all_the_time_fills_no_disk() -> None:
    """A few a second are recorded, all are answered."""
    door = limited()
    await served(door, door.ask(authorization=b"Bearer k"))
    asked = [door.ask(authorization=b"Bearer k") for _ in range(100)]
    await settle()
    assert {one.wire.status for one in asked} == {429}
    assert len(written(door)) == 1 + 10
