"""What a reply is booked as."""

import pytest

from tidegate.load.outcome import CallResult, Ending, read_error, settle, settle_stream

RATE = b'{"error": {"message": "slow down", "type": "requests", "param": null, "code": "rate_limit_exceeded"}}'


def booked(status: int, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> CallResult:
    result = CallResult(0, 0, 10, 10, streamed=False)
    settle(result, status, headers, body)
    return result


def streamed(tail: bytes) -> CallResult:
    result = CallResult(0, 0, 10, 10, streamed=True)
    settle_stream(result, tail)
    return result


@pytest.mark.parametrize(
    ("status", "headers", "ending"),
    [
        (200, [], Ending.ANSWERED),
        (429, [], Ending.REFUSED),
        (429, [(b"retry-after", b"3")], Ending.REFUSED),
        (503, [(b"retry-after", b"3")], Ending.REFUSED),
        (503, [], Ending.FAILED),
        (400, [(b"retry-after", b"3")], Ending.FAILED),
        (502, [], Ending.FAILED),
    ],
)
def test_endings(status: int, headers: list[tuple[bytes, bytes]], ending: Ending) -> None:
    """2xx answers; 429 refuses, and 503 does where it says when to come back; all else fails."""
    assert booked(status, headers, RATE).ending is ending


def test_a_refusal_keeps_what_it_was_told() -> None:
    """Both times, the advice, code and message are kept as they were sent."""
    result = booked(
        429, [(b"retry-after", b"4"), (b"retry-after-ms", b"3200"), (b"x-should-retry", b"true"), (b"date", b"x")], RATE
    )
    assert (result.retry_after, result.retry_after_ms, result.should_retry) == ("4", "3200", "true")
    assert (result.kind, result.message) == ("http 429 rate_limit_exceeded", "slow down")


def test_who_answered() -> None:
    """The gate's word about target and wait is kept; without one the wait is unknown, not none."""
    told = booked(200, [(b"x-tidegate-target", b"openai/main/gpt-4o"), (b"x-tidegate-wait-ms", b"1500")])
    assert (told.target, told.waited_us) == ("openai/main/gpt-4o", 1_500_000)
    assert booked(200, [(b"x-tidegate-wait-ms", b"soon")]).waited_us == booked(200, []).waited_us == -1


@pytest.mark.parametrize(
    ("tail", "ending", "kind"),
    [
        (b'data: {"choices":[]}\n\ndata: [DONE]\n\n', Ending.ANSWERED, ""),
        (b'data: {"choices":[]}\n\n', Ending.FAILED, "stream without [DONE]"),
        (b"", Ending.FAILED, "stream without [DONE]"),
        (b'data: {"error":{"type":"cut","message":"m"}}\n\n', Ending.FAILED, "stream error cut"),
        (b'data: {"error":{"type":"cut","message":"m"}}\n\ndata: [DONE]\n\n', Ending.FAILED, "stream error cut"),
        (b'data: {"choices":[{"delta":{"content":"an \\"error\\""}}]}\n\ndata: [DONE]\n\n', Ending.ANSWERED, ""),
    ],
)
def test_ends_of_streams(tail: bytes, ending: Ending, kind: str) -> None:
    """A stream is answered when it ends with [DONE] and without an error event."""
    result = streamed(tail)
    assert (result.ending, result.kind) == (ending, kind)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (RATE, ("rate_limit_exceeded", "slow down")),
        (b'{"error": {"message": "m", "type": "t", "code": null}}', ("t", "m")),
        (b'{"error": {}}', ("", "")),
        (b"<html>", ("", "<html>")),
        (b"\xff", ("", "�")),
        (b"[]", ("", "[]")),
        (b"", ("", "")),
    ],
)
def test_errors(body: bytes, error: tuple[str, str]) -> None:
    """The code, else the type; what is no error of that form is shown as it is."""
    assert read_error(body) == error
