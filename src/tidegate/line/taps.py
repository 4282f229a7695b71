"""What stands between a provider's stream and the client's: nothing, a translation, or no knowledge at all."""

from tidegate.model.outcome import Reason, Usage
from tidegate.model.reply import Failure
from tidegate.providers.codec import Dialect, Said, Says, Tap
from tidegate.providers.dialects import REVOKED
from tidegate.providers.translate.face import Stream

_CUT = "upstream_error", "stream_cut"
_REVOKED = "invalid_request_error", REVOKED


class RawTap:
    """Bytes of an unknown meaning: committed from the start, finished when the framing says so."""

    __slots__ = ("committed", "events", "failure", "finished", "prompt", "tier", "usage")

    def __init__(self) -> None:
        self.committed = True
        self.finished = False
        self.failure = b""
        self.usage: Usage | None = None
        self.prompt = 0
        self.tier = ""
        self.events = 0

    def feed(self, data: bytes) -> bytes:
        """All of it."""
        return data

    def rest(self) -> bytes:
        """Nothing is held back."""
        return b""


class CrossedTap:
    """A tap of the provider's dialect, whose events leave in the client's."""

    __slots__ = ("_broken", "_crossing", "_tap")

    def __init__(self, tap: Tap, crossing: Stream) -> None:
        self._tap = tap
        self._crossing = crossing
        self._broken = b""

    @property
    def committed(self) -> bool:
        return self._tap.committed

    @property
    def finished(self) -> bool:
        return self._tap.finished and not self._broken

    @property
    def failure(self) -> bytes:
        return self._broken or self._tap.failure

    @property
    def usage(self) -> Usage | None:
        return self._tap.usage

    @property
    def prompt(self) -> int:
        return self._tap.prompt

    @property
    def tier(self) -> str:
        return self._tap.tier

    @property
    def events(self) -> int:
        return self._tap.events

    def feed(self, data: bytes) -> bytes:
        """What the client gets for this piece."""
        ready = self._tap.feed(data)
        if not ready or self._broken:
            return b""
        try:
            return self._crossing.feed(ready)
        except ValueError as error:
            self._broken = f"the provider's event cannot be translated: {error}".encode()
            return b""

    def rest(self) -> bytes:
        """As the provider's dialect has it."""
        return self._tap.rest()


class Words:
    """How a failure in mid-stream is told: as the provider told it, where the client speaks its dialect."""

    __slots__ = ("_client", "_own", "_provider")

    def __init__(self, client: Says, provider: Dialect, *, own: bool) -> None:
        self._client = client
        self._provider = provider
        self._own = own

    def event(self, failure: Failure, last: bytes = b"", usage: Usage | None = None) -> bytes:
        """The last event of the stream. `last` is what was sent last; `usage`, where the client wants to hear it."""
        message = failure.message
        if not message.startswith("{"):
            kind, code = _REVOKED if failure.reason is Reason.AUTH else _CUT
            return self._client.error_event(Said(code, kind, message), last, usage)
        if self._own:
            return self._client.raw_event(message.encode(), usage)
        return self._client.error_event(self._provider.error_of(message.encode()), last, usage)
