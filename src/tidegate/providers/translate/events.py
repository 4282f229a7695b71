"""Server-sent events, taken apart and put together."""

from collections.abc import Iterator

from tidegate.providers.events import payload_of


def payloads(events: bytes) -> Iterator[bytes]:
    """The data of each of these whole events; comments and events without data are passed over. O(bytes)."""
    for event in events.split(b"\n\n"):
        data = payload_of(event)
        if data:
            yield data


def named(kind: bytes, data: bytes) -> bytes:
    """An event with a name."""
    return b"event: %b\ndata: %b\n\n" % (kind, data)
