"""A whole answer and its stream are the same answer: in words, to the SDKs, and as the twin says both."""

import json
from typing import Any

import pytest
from hypothesis import given

from tests.providers.answers import wholes
from tidegate.model.call import Kind
from tidegate.providers.answers.shapes import to_events, to_whole

DRAWN = {
    Kind.CHAT: wholes.completions_of_chat(),
    Kind.COMPLETION: wholes.completions(),
    Kind.MESSAGES: wholes.messages(),
    Kind.RESPONSES: wholes.responses(),
}


def there_and_back(kind: Kind, whole: Any, *, usage: bool = True) -> Any:
    return json.loads(to_whole(kind, b"".join(to_events(kind, wholes.dumped(whole), usage=usage))))


@pytest.mark.parametrize("kind", DRAWN, ids=lambda kind: kind.name)
def test_round_trip(kind: Kind) -> None:
    """Nothing is lost on the way there and back, fields that we do not know among it."""

    @given(DRAWN[kind])
    def check(whole: Any) -> None:
        assert there_and_back(kind, whole) == whole

    check()
