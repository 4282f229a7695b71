"""What calls said, as it is kept beside them."""

from typing import Any

import msgspec
import pytest

from tests.edge.known import digest
from tests.edge.test_gateway import CHAT, Asked, Door
from tests.line.scenes import DONE, chunk, play_of, refusal, streaming
from tidegate.edge.access.principals import Clients
from tidegate.edge.bodies import MARGIN, CapturePolicy
from tidegate.edge.gateway import Runtime
from tidegate.model.bodies import BodyPolicy, Sample
from tidegate.model.call import Call, Kind, Shape
from tidegate.model.facts import BROKEN, LEFT
from tidegate.model.snapshot import ClientKey, Namespace, Snapshot, StreamPolicy
from tidegate.testing import Reply
from tidegate.testing.clock import settle
from tidegate.testing.playbook import answer

ALL = BodyPolicy(1_000_000)
ERRORS = BodyPolicy(errors=True)
DRAIN = StreamPolicy(on_disconnect="drain")


class Kept:
    """Fulfils `BodyLog`."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.secrets: list[bytes] = []

    def append(self, sample: Sample, secret: bytes) -> None:
        self.samples.append(sample)
        self.secrets.append(secret)


class Place(Door):
    """A gateway before which `acme` (key `k`) has a policy, and the file another one for all."""

    def __init__(self, acme: BodyPolicy | None, everybody: BodyPolicy | None = None, **strategy: Any) -> None:
        super().__init__(play_of(**strategy))
        self.kept = Kept()
        key = ClientKey("app", digest("k"))
        lone = ClientKey("lone", digest("l"))
        snapshot = Snapshot(
            version=1, providers=(), clients=(lone,), namespaces=(Namespace("acme", clients=(key,), bodies=acme),),
            bodies=everybody,
        )  # fmt: skip
        self.gateway.runtime = Runtime(self.play.book, Clients(snapshot, keeping=self.keeper))

    def keeper(self, policy: BodyPolicy) -> CapturePolicy:
        return CapturePolicy(policy, self.kept, self.play.clock.wall)

    def by(self, key: str = "k", body: Any = None, **headers: bytes) -> Asked:
        return self.ask(CHAT, body=body, authorization=f"Bearer {key}".encode(), **headers)

    @property
    def sample(self) -> Sample:
        (one,) = self.kept.samples
        return one


async def test_request_and_answer_as_the_client_said_and_got_them() -> None:
    """To the byte, under the id of the call; its key goes along to be left out, and no header does."""
    place = Place(ALL)
    asked = place.by()
    await settle()
    await place.play.provider("openai", Reply(200, [], answer()))
    sample = place.sample
    assert (sample.request, sample.answer) == (asked.exchange.body, asked.wire.body)
    assert (sample.request_bytes, sample.answer_bytes) == (len(asked.exchange.body), len(asked.wire.body))
    assert sample.call_id == place.records[0].call_id
    assert asked.wire.fields[b"x-request-id"] == b"req_%x" % sample.call_id
    assert (sample.namespace, sample.key, sample.status, sample.why, sample.complete) == (
        "acme",
        "app",
        200,
        "sample",
        True,
    )
    assert sample.policy == ALL
    assert place.kept.secrets == [b"k"]
    assert b"authorization" not in msgspec.msgpack.encode(sample)


async def test_a_stream() -> None:
    """Its events as they were sent, when it has ended."""
    place = Place(ALL)
    asked = place.by(body={"stream": True})
    reply, stream = streaming()
    await settle()
    await place.play.provider("openai", reply)
    stream.say(chunk("a"))
    await settle()
    assert place.kept.samples == []
    stream.say(chunk("b"))
    stream.say(DONE)
    await settle()
    assert asked.wire.ended
    assert (place.sample.answer, place.sample.complete) == (asked.wire.body, True)
    assert place.sample.answer_bytes == len(asked.wire.body)


@pytest.mark.parametrize("streams", [StreamPolicy(), DRAIN])
async def test_who_left_is_kept_with_what_it_got(streams: StreamPolicy) -> None:
    """Once, whether the answer goes on for its usage or not."""
    place = Place(ALL, streams=streams)
    asked = place.by(body={"model": "s", "stream": True})
    reply, stream = streaming()
    await settle()
    await place.play.provider("openai", reply)
    stream.say(chunk("a"))
    await settle()
    got = asked.wire.body
    asked.leave()
    stream.say(chunk("b"))
    stream.say(DONE)
    await settle()
    assert (place.sample.answer, place.sample.status, place.sample.complete) == (got, LEFT, False)
    assert [record.status for record in place.records] == [LEFT]


async def test_who_left_before_the_answer() -> None:
    """What was asked is kept."""
    place = Place(ALL)
    asked = place.by()
    await settle()
    asked.leave()
    await settle()
    assert (place.sample.answer, place.sample.status, place.sample.complete) == (b"", LEFT, False)
    assert place.sample.request == asked.exchange.body


async def test_a_stream_that_broke_is_an_error() -> None:
    """With the event that told the client, though its status was 200."""
    place = Place(ERRORS)
    asked = place.by(body={"stream": True})
    reply, stream = streaming()
    await settle()
    await place.play.provider("openai", reply)
    stream.say(chunk("a"))
    stream.cut()
    await settle()
    sample = place.sample
    assert (sample.status, sample.why, sample.complete) == (BROKEN, "error", False)
    assert sample.answer == asked.wire.body
    assert b"error" in sample.answer


async def test_only_errors_where_only_they_are_asked_for() -> None:
    """A call that succeeds leaves nothing."""
    place = Place(ERRORS)
    place.by()
    await settle()
    await place.play.provider("openai", Reply(200, [], answer()))
    assert place.kept.samples == []
    asked = place.by()
    await settle()
    await place.play.provider("openai", refusal(400))
    assert (place.sample.status, place.sample.why, place.sample.complete) == (400, "error", True)
    assert place.sample.answer == asked.wire.body


async def test_what_is_long_is_cut() -> None:
    """Behind the bound a margin is kept; how long it was is told."""
    policy = msgspec.structs.replace(ALL, max_bytes=1_024)
    place = Place(policy)
    long = "x" * 20_000
    asked = place.by(body={"stream": True, "messages": [{"role": "user", "content": long}]})
    reply, stream = streaming()
    await settle()
    await place.play.provider("openai", reply)
    for _ in range(10):
        stream.say(chunk("y" * 2_000))
    stream.say(DONE)
    await settle()
    sample = place.sample
    assert len(sample.request) == len(sample.answer) == 1_024 + MARGIN
    assert (sample.request_bytes, sample.answer_bytes) == (len(asked.exchange.body), len(asked.wire.body))
    assert asked.wire.body.startswith(sample.answer)


async def test_whose_calls() -> None:
    """A namespace's own word counts before the file's for all, which is also for keys without a namespace."""
    for acme, everybody, kept in ((None, None, ""), (None, ALL, "kl"), (ALL, None, "k"), (BodyPolicy(), ALL, "l")):
        place = Place(acme, everybody)
        for key in "kl":
            place.by(key)
            await settle()
            await place.play.provider("openai", Reply(200, [], answer()))
        assert "".join(secret.decode() for secret in place.kept.secrets) == kept


async def test_a_sample() -> None:
    """Some of many, and the same ones for who asks again."""
    place = Place(BodyPolicy(300_000))
    for _ in range(200):
        place.by()
        await settle()
        await place.play.provider("openai", Reply(200, [], answer()))
    assert 30 < len(place.kept.samples) < 90
    assert {sample.why for sample in place.kept.samples} == {"sample"}


async def test_under_an_idempotency_key() -> None:
    """One execution is one call: whoever hears its answer, once; the tape is played as ever."""
    place = Place(ALL)
    first, beside = place.by(idempotency_key=b"x"), place.by(idempotency_key=b"x")
    await settle()
    first.leave()
    await place.play.provider("openai", Reply(200, [], answer()))
    after = place.by(idempotency_key=b"x")
    await settle()
    assert beside.wire.body == after.wire.body == answer()
    assert (place.sample.answer, place.sample.complete) == (answer(), True)


async def test_a_tape_of_a_stream_that_broke_is_spoilt() -> None:
    """As without a witness: the next request runs anew."""
    place = Place(ALL)
    place.by(body={"stream": True}, idempotency_key=b"x")
    reply, stream = streaming()
    await settle()
    await place.play.provider("openai", reply)
    stream.say(chunk("a"))
    stream.cut()
    await settle()
    place.by(body={"stream": True}, idempotency_key=b"x")
    await settle()
    assert len(place.play.sent("openai")) == 2


async def test_back_pressure_goes_through() -> None:
    """A client that does not read holds its provider, with a witness too."""
    place = Place(ALL)
    asked = place.by(body={"stream": True})
    reply, stream = streaming()
    await settle()
    await place.play.provider("openai", reply)
    stream.say(chunk("a"))
    await settle()
    assert asked.exchange.on_pause is not None
    assert asked.exchange.on_resume is not None
    asked.exchange.on_pause()
    assert stream.paused
    asked.exchange.on_resume()
    assert not stream.paused


async def test_what_is_no_call_is_not_kept() -> None:
    """Bad input, and what is forwarded unread."""
    place = Place(ALL)
    place.ask(CHAT, body=b"{", authorization=b"Bearer k")
    place.by(body={"model": ""})
    await settle()
    assert place.kept.samples == []


async def test_a_call_is_told_once() -> None:
    """Whatever is still said to a client that has left."""
    place = Place(ALL)
    exchange = place.by().exchange
    call = Call(1, 0, 0, "app", Kind.CHAT, b"POST", b"/chat/completions", b"", b"{}", Shape("a"))
    out = place.keeper(ALL).watch(exchange, call, exchange)
    assert exchange.on_gone is not None
    exchange.on_gone()
    out.respond(503, b"a: b\r\n", b"{}")
    out.abort()
    assert place.sample.status == LEFT
