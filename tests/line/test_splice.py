"""From the provider's connection to the client's: held until the first content, honest to the last byte."""

import asyncio
import json

import pytest

from tests.line.scenes import DONE, Client, chunk, usage_chunk
from tidegate.line.splice import MAX_HELD_BYTES, Splice
from tidegate.line.taps import RawTap, Words
from tidegate.model.call import Kind
from tidegate.model.outcome import Usage
from tidegate.model.reply import Failure
from tidegate.providers.dialects import CODECS, DIALECTS
from tidegate.providers.openai.stream import StreamTap
from tidegate.testing.clock import settle
from tidegate.testing.transport import ScriptedStream

OPENAI = DIALECTS["openai"]
ERROR = {"error": {"message": "boom", "type": "server_error", "code": None}}


class Talk:
    """A stream, its splice, a client, and what was known when the record was written."""

    def __init__(self, *, keep_usage: bool = True, raw: bool = False) -> None:
        self.stream = ScriptedStream()
        tap = RawTap() if raw else StreamTap(keep_usage=keep_usage)
        self.splice = Splice(self.stream, tap, None if raw else Words(OPENAI, OPENAI, own=True))
        self.client = Client()
        self.closed: list[tuple[bytes, bool]] = []
        self.splice.on_end = self.over
        self.taken = False  # somebody else goes on
        self.waiting = asyncio.get_running_loop().create_task(self.splice.committed())

    def over(self) -> bool:
        self.closed.append((self.client.body, self.client.ended))
        return self.taken

    async def say(self, *chunks: bytes) -> None:
        await settle()
        self.stream.say(*chunks)
        await settle()

    async def attach(self) -> None:
        assert await self.waiting is None
        self.splice.attach(self.client)


def error_in(body: bytes) -> dict[str, object]:
    last = body.rstrip().rpartition(b"\n\n")[2]
    error = json.loads(last.removeprefix(b"data: "))["error"]
    assert isinstance(error, dict)
    return error


async def test_nothing_is_decided_before_the_first_content() -> None:
    """Pings and the role are held; the first content commits, and everything leaves in order."""
    talk = Talk()
    await talk.say(b": ping\n\n", chunk())
    assert not talk.waiting.done()
    await talk.say(chunk("Hel"))
    await talk.attach()
    assert talk.client.body == b": ping\n\n" + chunk() + chunk("Hel")
    await talk.say(chunk("lo"), usage_chunk(), DONE)
    assert talk.client.body == b": ping\n\n" + chunk() + chunk("Hel") + chunk("lo") + usage_chunk() + DONE
    assert talk.client.ended
    assert talk.splice.failure is None
    assert talk.splice.tap.usage == Usage(9, 2)


@pytest.mark.parametrize("piece", [b": ping\n\n", chunk()], ids=["pings", "roles"])
async def test_what_is_held_is_bounded(piece: bytes) -> None:
    """A provider that talks on end and says nothing has failed; the same bytes after the first content may pass."""
    talk = Talk()
    pieces = [piece * 1_000] * (MAX_HELD_BYTES // len(piece) // 1_000 + 1)
    await talk.say(*pieces)
    failure = await talk.waiting
    assert failure is not None
    assert "1 MiB" in failure.message
    assert talk.stream.aborted
    started = Talk()
    await started.say(chunk("a"))
    await started.attach()
    await started.say(*pieces)
    assert started.splice.failure is None


async def test_the_record_comes_before_the_last_byte() -> None:
    """Once, when everything is known and the end has not left."""
    talk = Talk()
    await talk.say(chunk("a"))
    await talk.attach()
    await talk.say(DONE)
    assert talk.closed == [(chunk("a"), False)]
    talk.stream.end()
    talk.splice.abandon()
    assert len(talk.closed) == 1


async def test_all_in_one_packet() -> None:
    """The whole answer arrives before anybody listens."""
    talk = Talk(keep_usage=False)
    talk.stream.say(chunk() + chunk("a") + usage_chunk() + DONE)
    talk.stream.end()
    await settle()
    await talk.attach()
    assert talk.client.body == chunk() + chunk("a") + DONE
    assert talk.client.ended
    assert len(talk.closed) == 1


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
async def test_a_last_event_without_its_blank_line_is_one(ends: bytes) -> None:
    """The framing said that nothing is missing: the client gets it whole, and a clean end."""
    talk = Talk()
    await talk.say(chunk("a"))
    await talk.attach()
    await talk.say(DONE.rstrip() + ends)
    assert not talk.client.ended
    talk.stream.end()
    assert talk.client.body == chunk("a") + DONE.rstrip() + b"\n\n"
    assert talk.client.ended
    assert talk.splice.failure is None
    assert len(talk.closed) == 1


async def test_before_the_first_content_too() -> None:
    """What decides may be the last event."""
    talk = Talk()
    await talk.say(chunk("a").rstrip() + b"\n")
    talk.stream.end()
    assert await talk.waiting is None
    talk.splice.attach(talk.client)
    assert talk.client.body.startswith(chunk("a"))
    assert "before it was complete" in str(error_in(talk.client.body)["message"])


async def test_an_empty_answer_is_an_answer() -> None:
    """It finished, without any content."""
    talk = Talk()
    await talk.say(DONE)
    await talk.attach()
    assert talk.client.body == DONE
    assert talk.client.ended


# ── before the first content ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", ["cut", "end", "error", "malformed", "expire"])
async def test_a_failure_before_content_is_the_attempts(how: str) -> None:
    """Nothing has left: it can be tried again, and the connection is closed."""
    talk = Talk()
    await talk.say(b": ping\n\n", chunk())
    if how == "cut":
        talk.stream.cut("reset")
    elif how == "end":
        talk.stream.end()
    elif how == "error":
        talk.stream.say(b"data: %b\n\n" % json.dumps(ERROR).encode())
    elif how == "malformed":
        talk.stream.say(b'data: {"choi\n\n')
    else:
        talk.splice.expire()
    failure = await talk.waiting
    assert isinstance(failure, Failure)
    assert talk.closed == []
    assert talk.stream.aborted is (how in {"error", "malformed", "expire"})


async def test_who_leaves_before_content_closes_the_upstream() -> None:
    """At once."""
    talk = Talk()
    await talk.say(chunk())
    talk.waiting.cancel()
    await settle()
    assert talk.stream.aborted
    assert talk.waiting.cancelled()


# ── after the first content ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("partial", [b"", chunk("lo")[:-2], chunk("lo")[:10]])
@pytest.mark.parametrize("how", ["cut", "end"])
async def test_a_cut_after_content_ends_in_an_error_event(how: str, partial: bytes) -> None:
    """No [DONE], no half event, a typed error; the record says so before it leaves."""
    talk = Talk()
    await talk.say(chunk("Hel"))
    await talk.attach()
    await talk.say(partial)
    talk.stream.cut("connection reset") if how == "cut" else talk.stream.end()
    body = talk.client.body
    assert body.startswith(chunk("Hel") + b"data: ")
    assert b"[DONE]" not in body
    assert error_in(body)["code"] == "stream_cut"
    assert talk.client.ended
    assert talk.closed == [(chunk("Hel"), False)]
    assert talk.splice.failure is not None


async def test_what_was_used_is_told_as_it_was_settled() -> None:
    """What is known when the record is written, in the last event; a clean end has no such event."""
    for end, told in ((b"", True), (DONE, False)):
        talk = Talk()
        await talk.say(chunk("Hel"))
        await talk.attach()
        assert talk.splice.heard is None

        def settled(talk: Talk = talk) -> bool:
            talk.splice.heard = Usage(9, 1, estimated=True)
            return talk.over()

        talk.splice.on_end = settled
        await talk.say(end)
        talk.stream.end()
        assert (b"prompt_tokens" in talk.client.body) is told
        if told:
            usage = error_in(talk.client.body)["usage"]
            assert isinstance(usage, dict)
            assert (usage["prompt_tokens"], usage["completion_tokens"], usage["estimated"]) == (9, 1, True)
            assert b"usage" not in talk.closed[0][0]


async def test_the_providers_own_error_event_is_kept() -> None:
    """In its own words, as the last event; the rest of the stream is not waited for."""
    talk = Talk()
    await talk.say(chunk("Hel"))
    await talk.attach()
    await talk.say(chunk("lo") + b"data: %b\n\n" % json.dumps(ERROR).encode() + chunk("!"))
    assert talk.client.body == chunk("Hel") + chunk("lo") + b"data: %b\n\n" % json.dumps(ERROR).encode()
    assert talk.client.ended
    assert talk.stream.aborted
    assert len(talk.closed) == 1


async def test_a_malformed_event_after_content() -> None:
    """What came before it in the same packet is delivered, then the error."""
    talk = Talk()
    await talk.say(chunk("Hel"))
    await talk.attach()
    await talk.say(chunk("lo") + b'data: {"choi\n\n' + chunk("!"))
    assert talk.client.body.startswith(chunk("Hel") + chunk("lo") + b"data: ")
    assert chunk("!") not in talk.client.body
    assert "malformed" in str(error_in(talk.client.body)["message"])
    assert talk.stream.aborted


async def test_content_and_failure_in_one_packet_before_the_client_is_attached() -> None:
    """The content commits, so the failure is told, not retried."""
    talk = Talk()
    await talk.say(chunk("Hel") + b'data: {"choi\n\n')
    await talk.attach()
    assert talk.client.body.startswith(chunk("Hel"))
    assert error_in(talk.client.body)
    assert len(talk.closed) == 1


async def test_a_cut_between_commit_and_attachment() -> None:
    """The same."""
    talk = Talk()
    await talk.say(chunk("Hel"))
    talk.stream.cut()
    await talk.attach()
    assert error_in(talk.client.body)["code"] == "stream_cut"
    assert talk.client.ended


async def test_a_cut_after_the_end_is_nothing() -> None:
    """The answer was complete."""
    talk = Talk()
    await talk.say(chunk("a"))
    await talk.attach()
    await talk.say(DONE)
    talk.stream.cut()
    assert talk.client.body == chunk("a") + DONE
    assert talk.splice.failure is None


async def test_who_leaves_in_the_middle_closes_the_upstream_and_is_booked() -> None:
    """At once, once; what comes late changes nothing."""
    talk = Talk()
    await talk.say(chunk("Hel"))
    await talk.attach()
    talk.splice.abandon()
    assert talk.stream.aborted
    assert talk.splice.gone
    assert len(talk.closed) == 1
    body = talk.client.body
    talk.splice.chunk(chunk("lo"))
    talk.splice.chunk(DONE)
    talk.splice.end()
    assert len(talk.closed) == 1
    assert DONE not in talk.client.body
    assert not talk.client.ended
    assert body == chunk("Hel")


# ── bytes of an unknown meaning ──────────────────────────────────────────────────────────────────────────────────────


async def test_raw_bytes_are_forwarded_as_they_are() -> None:
    """Committed from the start, finished when the framing says so."""
    talk = Talk(raw=True)
    await talk.attach()
    await talk.say(b"\x00\xff", b"data: {\n\n", b"x")
    assert talk.client.body == b"\x00\xffdata: {\n\nx"
    assert not talk.client.ended
    talk.stream.end()
    assert talk.client.ended
    assert talk.splice.failure is None
    assert len(talk.closed) == 1


async def test_a_cut_of_raw_bytes_is_a_cut() -> None:
    """There is no word for it in an unknown format: the connection says it."""
    talk = Talk(raw=True)
    await talk.attach()
    await talk.say(b"half")
    talk.stream.cut()
    assert talk.client.body == b"half"
    assert talk.client.aborted
    assert not talk.client.ended
    assert len(talk.closed) == 1


@pytest.mark.parametrize("at_once", [True, False], ids=["held", "forwarded"])
async def test_an_error_in_numbered_events_has_the_next_number(at_once: bool) -> None:
    """After a cut, whether the last event was held or forwarded when it came."""
    stream, client, responses = ScriptedStream(), Client(), CODECS[Kind.RESPONSES]
    splice = Splice(stream, responses.tap(keep_usage=True), Words(responses.says, OPENAI, own=True))
    waiting = asyncio.get_running_loop().create_task(splice.committed())
    await settle()
    events = [
        b'event: %b\ndata: {"type":"%b","sequence_number":%d,"delta":"x"}\n\n' % (kind, kind, number)
        for number, kind in enumerate([b"response.created", b"response.output_text.delta"] * 2)
    ]
    stream.say(*(events if at_once else events[:2]))
    await settle()
    assert await waiting is None
    splice.attach(client)
    if not at_once:
        stream.say(*events[2:])
    stream.end()
    await settle()
    assert client.body.startswith(b"".join(events) + b"event: error\n")
    assert json.loads(client.body.rpartition(b"data: ")[2])["sequence_number"] == 4
