"""A provider that fails as a drill wants it to: in its own words, so that what is decided of them is proved too."""

import asyncio
from typing import Final

from tidegate.model.drills import BROKEN, CUT, RATE
from tidegate.model.reply import Headers
from tidegate.model.snapshot import Profile, RefusalRule
from tidegate.ports import BodySource, StreamSink, TransportError, UpstreamReply, UpstreamStream
from tidegate.providers.codec import Said
from tidegate.providers.dialects import DIALECTS

_JSON: Final = ((b"content-type", b"application/json"),)
_EVENTS: Final = ((b"content-type", b"text/event-stream"),)
_REASONS: Final = {RATE: ("RATE",), BROKEN: ("OVERLOAD", "TRANSIENT")}
_STATUS: Final = {RATE: 429, BROKEN: 503}
_SERVERS: Final = 500


class _Reply:
    """Fulfils `ports.UpstreamReply`."""

    __slots__ = ("body", "headers", "status", "stream")

    def __init__(self, status: int, headers: Headers, body: bytes, stream: UpstreamStream | None = None) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.stream = stream


class _CutStream:
    """Fulfils `ports.UpstreamStream`: it breaks before its first event."""

    __slots__ = ()

    def attach(self, sink: StreamSink) -> None:
        sink.failed(TransportError("the drill cut the stream", sent=True, begun=True))

    def pause(self) -> None:
        return

    def resume(self) -> None:
        return

    def abort(self) -> None:
        return


class BrokenTransport:
    """Fulfils `ports.Transport`; nothing leaves the process."""

    __slots__ = ("_fault", "_profile")

    def __init__(self, profile: Profile, fault: str) -> None:
        self._profile = profile
        self._fault = fault

    async def send(self, head: bytes, body: bytes | BodySource, *, stream: bool, deadline: int) -> UpstreamReply:
        """As the provider would fail. Raises `TransportError` for a time-out, whose time is not waited for."""
        await asyncio.sleep(0)  # noqa: TID251 - a turn of the loop, as every provider takes
        if self._fault in _STATUS:
            status, said = words(self._profile, self._fault)
            return _Reply(status, _JSON, DIALECTS[self._profile.dialect].error_body(status, said))
        if self._fault == CUT and stream:
            return _Reply(200, _EVENTS, b"", _CutStream())
        raise TransportError("the drill let the provider time out", sent=True)

    def close(self) -> None:
        """Nothing is open."""


def words(profile: Profile, fault: str) -> tuple[int, Said]:
    """Status and words of the first refusal of that sort that the profile knows."""
    rule = next((one for one in profile.refusals if _is(one, fault)), None)
    status = _STATUS[fault] if rule is None or not rule.status else rule.status
    if rule is None:
        return status, Said("", "", "refused on purpose")
    return status, Said(rule.code, rule.type, rule.text or "refused on purpose")


def _is(rule: RefusalRule, fault: str) -> bool:
    if rule.reason not in _REASONS[fault]:
        return False
    return rule.status in {0, _STATUS[RATE]} if fault == RATE else not rule.status or rule.status >= _SERVERS
