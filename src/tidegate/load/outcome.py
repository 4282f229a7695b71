"""What one call of the load came to. Times are microseconds from the moment the call was *due*, not sent."""

from enum import Enum

import msgspec

from tidegate.ports import Headers


class Ending(Enum):
    """How a call ended, as its client sees it."""

    ANSWERED = "answered"  # 2xx, and a stream ended by [DONE]
    REFUSED = "refused"  # 429, or 503 with a time to come back
    FAILED = "failed"  # anything else
    OPEN = "open"  # no end was seen: the run was interrupted


class CallResult(msgspec.Struct, gc=False):
    """One call and its end. `retry_after` (seconds, as sent), `retry_after_ms` and `should_retry` are "" if absent."""

    index: int
    due_us: int  # after the start of the run
    context_tokens: int
    max_tokens: int
    streamed: bool
    ending: Ending = Ending.OPEN
    late_us: int = 0  # the generator's own delay
    first_byte_us: int = 0  # 0 = none
    done_us: int = 0
    status: int = 0  # 0 = no reply
    kind: str = ""  # of a failure; the error code of a refusal
    message: str = ""
    retry_after: str = ""
    retry_after_ms: str = ""
    should_retry: str = ""
    target: str = ""  # who answered, where a gate says so
    waited_us: int = -1  # in the gate, for quota or a retry; -1 = nobody says so


def settle(result: CallResult, status: int, headers: Headers, body: bytes) -> None:
    """Book a complete reply: its status, and for anything but a success what it said. O(headers + error body)."""
    result.status = status
    for name, value in headers:
        if name == b"x-tidegate-target":
            result.target = value.decode("latin-1")
        elif name == b"x-tidegate-wait-ms" and value.isdigit():
            result.waited_us = int(value) * 1_000
    if 200 <= status < 300:
        result.ending = Ending.ANSWERED
        return
    for name, value in headers:
        if name == b"retry-after":
            result.retry_after = value.decode("latin-1")
        elif name == b"retry-after-ms":
            result.retry_after_ms = value.decode("latin-1")
        elif name == b"x-should-retry":
            result.should_retry = value.decode("latin-1")
    code, result.message = read_error(body)
    timed = bool(result.retry_after or result.retry_after_ms)
    refused = status == 429 or (status == 503 and timed)
    result.ending = Ending.REFUSED if refused else Ending.FAILED
    result.kind = f"http {status} {code}".rstrip()


def settle_stream(result: CallResult, tail: bytes) -> None:
    """Book the regular end of a streamed 2xx reply by its last bytes."""
    if b'"error"' in tail and b"data: {" in tail:
        event = tail[tail.rindex(b"data: {") + 6 :].partition(b"\n")[0]
        code, result.message = read_error(event)
        result.ending, result.kind = Ending.FAILED, f"stream error {code}".rstrip()
    elif b"[DONE]" in tail:
        result.ending = Ending.ANSWERED
    else:
        result.ending, result.kind = Ending.FAILED, "stream without [DONE]"


class _ErrorDetail(msgspec.Struct):
    message: str | None = None
    type: str | None = None
    code: str | int | None = None


class _ErrorBody(msgspec.Struct):
    error: _ErrorDetail


_ERROR = msgspec.json.Decoder(_ErrorBody)


def read_error(body: bytes) -> tuple[str, str]:
    """Code (or type) and message of an error in OpenAI's form; of anything else "" and the first 200 characters."""
    try:
        detail = _ERROR.decode(body).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "", body[:200].decode("utf-8", "replace")
    return str(detail.code or detail.type or ""), detail.message or ""
