"""Which translations there are."""

import pytest

from tests.providers.translate.wire import CREATED, HELLO, dumped
from tidegate.model.call import Kind
from tidegate.providers.translate.table import crossing

ASKED = {
    Kind.CHAT: {"messages": HELLO},
    Kind.MESSAGES: {"messages": HELLO, "max_tokens": 5},
}


@pytest.mark.parametrize(("asked", "spoken"), [(Kind.CHAT, Kind.MESSAGES), (Kind.MESSAGES, Kind.CHAT)])
def test_a_way(asked: Kind, spoken: Kind) -> None:
    """It takes a request of the one kind."""
    way = crossing(asked, spoken)
    assert way is not None
    assert way.request(dumped({"model": "m", **ASKED[asked]}), "other", CREATED).dropped == ()


@pytest.mark.parametrize(("asked", "spoken"), [(Kind.CHAT, Kind.CHAT), (Kind.EMBEDDING, Kind.MESSAGES)])
def test_no_way(asked: Kind, spoken: Kind) -> None:
    """The same dialect is not translated, and embeddings are nobody else's."""
    assert crossing(asked, spoken) is None
