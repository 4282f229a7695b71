"""Lines of output: what became of one line of a batch, as its maker's file says it. Pure."""

from typing import Any, Final

import msgspec

from tidegate.jobs.batches.records import ANTHROPIC, Fault, Tally
from tidegate.model.jobs import CANCELLED, DONE
from tidegate.providers.codec import Said
from tidegate.providers.dialects import DIALECTS

_encode: Final = msgspec.json.Encoder().encode
_IDS: Final = frozenset((b"x-request-id", b"request-id"))
# Line ends in a string, to readers that split by Unicode: str.splitlines() does.
_UNICODE_ENDS: Final = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))
_GIVEN_UP: Final = "This request was given up."
_EXPIRED: Final = Fault("batch_expired", "This request could not be executed before the completion window expired.")
_CANCELLED: Final = Fault("batch_cancelled", "This batch was cancelled before this request was executed.")


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A line that was fed, and how it ended. `fault`: it never became a job, or it came too late to be one."""

    line: int
    custom_id: str
    fault: Fault | None = None
    state: str = ""
    reason: str = ""
    late: bool = False  # it had no answer when the batch expired
    status: int = 0  # of its answer, 0 = none
    head: bytes = b""
    body: bytes = b""
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Told(msgspec.Struct, frozen=True):
    """A line for a file. `good`: for the output, else for the errors; `tally` counts it."""

    text: bytes
    good: bool
    tally: Tally


_GOOD: Final = Tally(1, succeeded=1)
_BAD: Final = Tally(1, failed=1)
_OFF: Final = Tally(1, cancelled=1)
_LATE: Final = Tally(1, expired=1)


def told(kind: str, batch: str, ended: Ended) -> Told:
    """What the files say of it."""
    fault, tally = _fault(ended)
    if kind == ANTHROPIC:
        return Told(
            _line({"custom_id": ended.custom_id, "result": _result(ended, fault, tally)}), tally is _GOOD, tally
        )
    line: dict[str, Any] = {
        "id": f"batch_req_{batch.rpartition('_')[2]}{ended.line:06x}",
        "custom_id": ended.custom_id or None,
        "response": None,
        "error": fault,
    }
    if fault is None:
        line["response"] = {"status_code": ended.status, "request_id": _call_id(ended.head), "body": _body(ended.body)}
    return Told(_line(line), tally is _GOOD, tally)


def summed(first: Tally, second: Tally) -> Tally:
    """Both together."""
    return Tally(
        first.total + second.total,
        first.succeeded + second.succeeded,
        first.failed + second.failed,
        first.cancelled + second.cancelled,
        first.expired + second.expired,
    )


def _fault(ended: Ended) -> tuple[Fault | None, Tally]:
    """Why there is no answer to tell, None: there is one; and what it counts as."""
    if ended.fault is not None:
        return ended.fault, {_EXPIRED.code: _LATE, _CANCELLED.code: _OFF}.get(ended.fault.code, _BAD)
    if ended.state == DONE or (ended.status and ended.state != CANCELLED and not ended.late):
        return None, _GOOD if ended.state == DONE and ended.status < 300 else _BAD
    if ended.late:
        return _EXPIRED, _LATE
    if ended.state == CANCELLED:
        return _CANCELLED, _OFF
    return Fault("request_failed", ended.reason or _GIVEN_UP), _BAD


def unrun(ending: str, line: int, custom_id: str) -> Fault:
    """A line whose batch was over before it was fed."""
    of = _CANCELLED if ending == CANCELLED else _EXPIRED
    return Fault(of.code, of.message, line, custom_id=custom_id)


def _result(ended: Ended, fault: Fault | None, tally: Tally) -> dict[str, Any]:
    if tally is _GOOD:
        return {"type": "succeeded", "message": _body(ended.body)}
    if tally is _OFF:
        return {"type": "canceled"}
    if tally is _LATE:
        return {"type": "expired"}
    return {"type": "errored", "error": _error(ended, fault)}


def _error(ended: Ended, fault: Fault | None) -> msgspec.Raw:
    dialect = DIALECTS[ANTHROPIC]
    if fault is None and dialect.is_error_body(ended.body):
        return msgspec.Raw(_in_one_line(ended.body))
    status = 400 if ended.fault is not None else ended.status or 500
    message = fault.message if fault is not None else f"The gate answered {ended.status}."
    return msgspec.Raw(dialect.error_body(status, Said(message=message)))


def _body(body: bytes) -> msgspec.Raw | str:
    """The answer byte for byte; as a string where it is no JSON."""
    try:
        body.decode()
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.decode(errors="replace")
    return msgspec.Raw(_in_one_line(body))


def _in_one_line(body: bytes) -> bytes:
    """The same JSON: a line's end in it is blank space, since strings must escape theirs (RFC 8259, 7)."""
    return body.replace(b"\r", b" ").replace(b"\n", b" ")


def _line(fields: dict[str, Any]) -> bytes:
    text = _encode(fields)
    for end, escaped in _UNICODE_ENDS:
        text = text.replace(end, escaped)
    return text + b"\n"


def _call_id(head: bytes) -> str:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() in _IDS:
            return value.strip().decode("latin-1")
    return ""
