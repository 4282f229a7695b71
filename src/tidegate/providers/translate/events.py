"""Server-sent events, taken apart and put together."""

from tidegate.providers.events import payload_of


def payloads(events: bytes) -> list[bytes]:
    """The data of each of these whole events; comments and events without data are passed over. O(bytes)."""
    return [data for event in events.split(b"\n\n") if event and (data := payload_of(event))]


def named(kind: bytes, data: bytes) -> bytes:
    """An event with a name."""
    return b"event: %b\ndata: %b\n\n" % (kind, data)
