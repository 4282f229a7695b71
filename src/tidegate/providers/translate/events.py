"""Server-sent events, taken apart and put together. Source: WHATWG HTML 9.2."""

from collections.abc import Iterator


def payloads(events: bytes) -> Iterator[bytes]:
    """The data of each of these whole events; comments and events without data are passed over. O(bytes)."""
    for event in events.split(b"\n\n"):
        if event.startswith(b"data:") and b"\n" not in event:
            yield event[5:].strip()
            continue
        lines = [line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")]
        if lines:
            yield b"\n".join(lines)


def named(kind: bytes, data: bytes) -> bytes:
    """An event with a name."""
    return b"event: %b\ndata: %b\n\n" % (kind, data)
