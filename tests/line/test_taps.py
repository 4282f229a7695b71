"""What stands between two streams."""

import json

import pytest

from tidegate.line.taps import CrossedTap, RawTap, Words
from tidegate.model.call import Kind
from tidegate.model.outcome import Reason, Usage
from tidegate.model.reply import Failure
from tidegate.providers.anthropic.stream import MessageTap
from tidegate.providers.dialects import CODECS, DIALECTS
from tidegate.providers.openai.stream import StreamTap

OPENAI, ANTHROPIC = DIALECTS["openai"], DIALECTS["anthropic"]
WORD = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}\n\n'
THEIRS = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'


class Shout:
    """A translation that can be seen, and that knows one word it cannot say."""

    def feed(self, events: bytes) -> bytes:
        if b"unspeakable" in events:
            raise ValueError("no such word")
        return events.upper()


def test_events_leave_in_the_clients_words() -> None:
    """What the provider's tap lets through, and what it knows."""
    tap = CrossedTap(StreamTap(keep_usage=True), Shout())
    assert tap.feed(WORD + USAGE[:20]) == WORD.upper()
    assert tap.feed(USAGE[20:] + b"data: [DONE]\n\n") == USAGE.upper() + b"DATA: [DONE]\n\n"
    assert (tap.committed, tap.finished, tap.failure, tap.events) == (True, True, b"", 1)
    assert tap.usage is not None
    assert (tap.prompt, tap.usage.prompt) == (0, 9)


def test_an_event_that_cannot_be_said_is_a_failure() -> None:
    """Nothing after it leaves, and the stream has no clean end."""
    tap = CrossedTap(StreamTap(keep_usage=True), Shout())
    assert tap.feed(WORD) == WORD.upper()
    assert tap.feed(WORD.replace(b'"a"', b'"unspeakable"')) == b""
    assert b"no such word" in tap.failure
    assert tap.feed(b"data: [DONE]\n\n") == b""
    assert not tap.finished


def test_what_the_prompt_cost_is_known_through_a_translation() -> None:
    """As soon as the provider's stream tells it."""
    tap = CrossedTap(MessageTap(), Shout())
    tap.feed(b'data: {"type":"message_start","message":{"usage":{"input_tokens":7}}}\n\n')
    assert tap.prompt == 7


def test_a_last_event_is_completed_behind_a_translation() -> None:
    """As it would be without one."""
    tap = CrossedTap(StreamTap(keep_usage=True), Shout())
    tap.feed(WORD + b"data: [DONE]\n")
    assert tap.feed(tap.rest()) == b"DATA: [DONE]\n\n"
    assert tap.finished


def test_unknown_bytes_pass() -> None:
    """From the first one on."""
    tap = RawTap()
    assert tap.rest() == b""
    assert tap.committed
    assert tap.feed(b"\x00") == b"\x00"


def test_the_gates_own_error_event() -> None:
    """Typed, in the client's dialect, one event."""
    cut = Failure(Reason.TRANSIENT, 'the provider\'s "line" broke')
    ours = Words(OPENAI, ANTHROPIC, own=False).event(cut)
    assert ours.startswith(b"data: {")
    assert json.loads(ours[6:])["error"] == {
        "message": 'the provider\'s "line" broke', "type": "upstream_error", "param": None, "code": "stream_cut",
    }  # fmt: skip
    theirs = Words(ANTHROPIC, OPENAI, own=False).event(cut)
    assert theirs.startswith(b"event: error\ndata: {")
    assert json.loads(theirs.split(b"data: ")[1])["error"] == {
        "type": "api_error", "message": 'the provider\'s "line" broke',
    }  # fmt: skip


def test_the_providers_own_error_event() -> None:
    """As it was said, to who speaks its dialect; else its message in the client's."""
    failure = Failure(Reason.OVERLOAD, THEIRS.decode())
    assert Words(ANTHROPIC, ANTHROPIC, own=True).event(failure) == b"event: error\ndata: " + THEIRS + b"\n\n"
    told = json.loads(Words(OPENAI, ANTHROPIC, own=False).event(failure)[6:])
    assert told["error"]["message"] == "Overloaded"


USED = Usage(9, 2, 4)
HEARD = {
    Kind.CHAT: {
        "prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11,
        "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 0},
    },
    Kind.RESPONSES: {
        "input_tokens": 9, "output_tokens": 2, "total_tokens": 11,
        "input_tokens_details": {"cached_tokens": 4}, "output_tokens_details": {"reasoning_tokens": 0},
    },
    Kind.MESSAGES: {
        "input_tokens": 5, "output_tokens": 2, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 0,
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", HEARD)
@pytest.mark.parametrize("own", [True, False], ids=["own", "translated"])
@pytest.mark.parametrize("message", ["cut", THEIRS.decode()], ids=["the gate's", "the provider's"])
def test_what_was_used_is_told_within_the_error(kind: Kind, own: bool, message: str) -> None:
    """In the client's words, whoever says the error; nothing else of the event is another."""
    words, failure = Words(CODECS[kind].says, ANTHROPIC, own=own), Failure(Reason.TRANSIENT, message)
    name, data = words.event(failure, usage=USED).split(b"data: ")
    told = json.loads(data)
    assert told["error"].pop("usage") == HEARD[kind]
    alone = words.event(failure).split(b"data: ")
    assert (name, told) == (alone[0], json.loads(alone[1]))


def test_an_error_of_several_lines_stays_one_event() -> None:
    """Each of its lines is data."""
    failure = Failure(Reason.TRANSIENT, '{"error":\n{"message":"m"}}')
    event = Words(OPENAI, OPENAI, own=True).event(failure)
    assert event == b'data: {"error":\ndata: {"message":"m"}}\n\n'


def test_the_gates_own_error_event_is_numbered_where_events_are() -> None:
    """It follows what was sent last, be the error the gate's or another maker's."""
    last = b'event: x\ndata: {"type":"x","sequence_number":41}\n\n'
    words = Words(CODECS[Kind.RESPONSES].says, ANTHROPIC, own=False)
    for message in ("cut", THEIRS.decode()):
        event = words.event(Failure(Reason.TRANSIENT, message), last)
        assert json.loads(event.partition(b"data: ")[2])["sequence_number"] == 42


def test_who_may_not_go_on_is_told_so() -> None:
    """In the words of either maker for a key that is not valid: no fault of the provider's."""
    revoked = Failure(Reason.AUTH, "the key was revoked")
    ours = json.loads(Words(OPENAI, ANTHROPIC, own=False).event(revoked)[6:])["error"]
    assert (ours["type"], ours["code"]) == ("invalid_request_error", "invalid_api_key")
    theirs = json.loads(Words(ANTHROPIC, OPENAI, own=True).event(revoked).split(b"data: ")[1])["error"]
    assert theirs == {"type": "authentication_error", "message": "the key was revoked"}
