"""Events are taken apart as they were put together."""

import pytest

from tidegate.providers.translate.events import named, payloads


@pytest.mark.parametrize(
    ("events", "found"),
    [
        (b"", []),
        (b": ping\n\n", []),
        (b"event: a\n\n", []),
        (b"data: 1\n\ndata:2\n\n", [b"1", b"2"]),
        (b"event: a\ndata: 1\n\n: c\n\nid: 3\ndata: 2\nretry: 1\n\n", [b"1", b"2"]),
        (b"data: {\ndata: }\n\n", [b"{\n}"]),
    ],
)
def test_the_data_of_events(events: bytes, found: list[bytes]) -> None:
    """Lines of one event are joined; what has no data is passed over."""
    assert payloads(events) == found


def test_a_named_event() -> None:
    """It can be read again."""
    assert payloads(named(b"a", b"{}")) == [b"{}"]
