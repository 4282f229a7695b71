"""Which translations there are."""

import pytest

from tests.providers.translate.wire import CREATED, HELLO, data_of, dumped, message, message_events
from tidegate.model.call import Kind
from tidegate.providers.translate.table import crossing

ASKED = {
    Kind.CHAT: {"messages": HELLO},
    Kind.MESSAGES: {"messages": HELLO, "max_tokens": 5},
    Kind.RESPONSES: {"input": "Hello"},
}


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        (Kind.CHAT, Kind.MESSAGES),
        (Kind.MESSAGES, Kind.CHAT),
        (Kind.RESPONSES, Kind.CHAT),
        (Kind.RESPONSES, Kind.MESSAGES),
    ],
)
def test_a_way(asked: Kind, spoken: Kind) -> None:
    """It takes a request of the one kind."""
    way = crossing(asked, spoken)
    assert way is not None
    assert way.request(dumped({"model": "m", **ASKED[asked]}), "other", CREATED).dropped == ()


@pytest.mark.parametrize(
    ("asked", "spoken"), [(Kind.CHAT, Kind.CHAT), (Kind.EMBEDDING, Kind.MESSAGES), (Kind.CHAT, Kind.RESPONSES)]
)
def test_no_way(asked: Kind, spoken: Kind) -> None:
    """The same dialect is not translated, and embeddings are nobody else's."""
    assert crossing(asked, spoken) is None


def test_responses_by_messages() -> None:
    """The composition carries a stream, event by event, to its end."""
    way = crossing(Kind.RESPONSES, Kind.MESSAGES)
    assert way is not None
    crossed = way.request(dumped({"model": "m", "input": "Hello", "stream": True}), "claude-3-haiku", CREATED)
    said = crossed.reply.stream().feed(b"".join(message_events(message({"type": "text", "text": "Hi there"}))))
    *_, end = data_of(said)
    assert end["type"] == "response.completed"
    assert end["response"]["output"][-1]["content"][0]["text"] == "Hi there"
    assert end["response"]["usage"]["total_tokens"] == 15
