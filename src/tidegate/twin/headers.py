"""The documented reply headers: rate limits in OpenAI's forms, and the times of a 429."""

from email.utils import formatdate
from typing import Final

from tidegate.twin.meter import Quota, Refusal
from tidegate.twin.windows import NEVER, SECOND

JSON: Final = b"content-type: application/json\r\n"
EVENTS: Final = b"content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"


def go_duration(duration: int) -> str:
    """Microseconds as Go prints a duration, rounded up to milliseconds: `12ms`, `2.081s`, `6m0s`, `23h18m29.144s`."""
    millis = -(-duration // 1_000)
    if millis < 1_000:
        return f"{millis}ms" if millis else "0s"
    minutes, rest = divmod(millis, 60_000)
    seconds, fraction = divmod(rest, 1_000)
    text = f"{seconds}.{fraction:03d}".rstrip("0") + "s" if fraction else f"{seconds}s"
    if not minutes:
        return text
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{text}" if hours else f"{minutes}m{text}"


def limits(quota: Quota, now: int, refusal: Refusal | None = None) -> bytes:
    """The six `x-ratelimit-*` lines. They show the minute, and the day where the day refused."""
    requests, tokens = quota.requests, quota.tokens
    if refusal is not None and refusal.period == "day":
        requests, tokens = quota.day("requests") or requests, quota.day("tokens") or tokens
    return (
        f"x-ratelimit-limit-requests: {requests.limit}\r\nx-ratelimit-limit-tokens: {tokens.limit}\r\n"
        f"x-ratelimit-remaining-requests: {requests.remaining(now)}\r\n"
        f"x-ratelimit-remaining-tokens: {tokens.remaining(now)}\r\n"
        f"x-ratelimit-reset-requests: {go_duration(requests.reset(now))}\r\n"
        f"x-ratelimit-reset-tokens: {go_duration(tokens.reset(now))}\r\n"
    ).encode()


def retry(refusal: Refusal) -> bytes:
    """When to try again, whole seconds and milliseconds, both rounded up; nothing where no waiting helps."""
    if refusal.wait == NEVER:
        return b"x-should-retry: false\r\n"
    seconds, millis = -(-refusal.wait // SECOND), -(-refusal.wait // 1_000)
    return b"retry-after: %d\r\nretry-after-ms: %d\r\n" % (seconds, millis)


def identity(request_id: str, organisation: str, processing_ms: int) -> bytes:
    """Who answered what, and how long it took."""
    return (
        f"x-request-id: {request_id}\r\nopenai-organization: {organisation}\r\n"
        f"openai-processing-ms: {processing_ms}\r\nopenai-version: 2020-10-01\r\n"
    ).encode()


def http_date(wall: int) -> str:
    """Microseconds since 1970 as an HTTP date, rounded up to seconds."""
    return formatdate(-(-wall // SECOND), usegmt=True)


def lines(pairs: dict[str, str]) -> bytes:
    """Header lines as they are given."""
    return "".join(f"{name}: {value}\r\n" for name, value in pairs.items()).encode("latin-1", "replace")


def overridden(head: bytes, pairs: dict[str, str]) -> bytes:
    """The header lines of `head` with some replaced or added: a lie on command. An empty value removes the line."""
    lowered = {name.lower() for name in pairs}
    kept = [line for line in head.split(b"\r\n") if line and line.partition(b":")[0].decode("latin-1") not in lowered]
    told = {name: value for name, value in pairs.items() if value}
    return b"".join(line + b"\r\n" for line in kept) + lines(told)
