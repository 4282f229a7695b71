"""What the record of a hit says of who asked, however it was found."""

import pytest
from msgspec.structs import replace

from tests.edge.cached import CachedDoor
from tests.edge.caching.test_cache import made
from tests.edge.test_gateway import BODY, CHAT, Asked
from tests.line.scenes import OK, snapshot
from tidegate.model.facts import Hit
from tidegate.model.snapshot import Caching
from tidegate.model.telemetry import TelemetrySettings
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import Playbook
from tidegate.wire.exchange import Likeness

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CACHING = Caching(enabled=True, ttl_seconds=60)


def parent(number: int) -> bytes:
    return f"00-{TRACE[:-1]}{number}-00f067aa0ba902b7-01".encode()


def named(hit: Hit) -> tuple[str, str, str, bool]:
    return hit.asked, hit.trace, hit.request, hit.streamed


def again(door: CachedDoor, alike: Likeness, number: int) -> Asked:
    """The same, under another name: the first is known by what it asks, the others by their bytes alone."""
    request = b"r-%d" % number
    asked = door.ask(CHAT, body=BODY, alike=alike, traceparent=parent(number), x_request_id=request)
    assert asked.wire.fields[b"x-tidegate-cache"] == b"hit"
    assert asked.wire.fields[b"x-request-id"] == request
    return asked


async def test_a_hit_is_named_as_a_call_is() -> None:
    """Its trace, its client's own id, the model as it was asked for: each request's own."""
    door, alike = CachedDoor(), Likeness()
    await made(door)
    for number in range(3):
        again(door, alike, number)
    plain = door.chat()
    *hits, last = door.hits
    assert [named(hit) for hit in hits] == [("a", parent(one).decode(), f"r-{one}", False) for one in range(3)]
    assert named(last) == ("a", "", "", False)
    assert plain.wire.fields[b"x-request-id"] == b"req_%x" % last.call_id
    assert {hit.tier for hit in hits} == {door.records[0].tier}
    assert {(hit.read_us, hit.duration_us) for hit in hits} == {(0, 0)}  # no time passes here


async def test_where_traces_are_not_taken_up_no_hit_has_one() -> None:
    """`telemetry.propagate: false`; its id is its own all the same."""
    off = replace(snapshot(primary_model="a", caching=CACHING), telemetry=TelemetrySettings(propagate=False))

    door, alike = CachedDoor(play=Playbook(off)), Likeness()
    await made(door)
    for number in range(2):
        again(door, alike, number)
    assert [(hit.trace, hit.request) for hit in door.hits] == [("", "r-0"), ("", "r-1")]


@pytest.mark.parametrize("streamed", [False, True])
async def test_who_waited_for_anothers_answer_says_for_how_long(streamed: bool) -> None:
    """From when it had been read until it was told."""
    door = CachedDoor()
    door.chat()
    await settle()
    follower = door.chat(h_x_request_id=b"r-2", **({"stream": True} if streamed else {}))
    await door.play.clock.advance(2 * SECOND)
    await door.play.provider("openai", OK)
    await settle()
    assert follower.wire.status == 200
    (hit,) = door.hits
    told = (hit.layer, hit.request, hit.duration_us, hit.streamed)
    assert told == ("joined", "r-2", 2 * SECOND, streamed)
