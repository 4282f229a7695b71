"""Which of a provider's header lines come back to the client, and how they are written.

A reply has most lines of the one before it, as the same objects (`wire/forms.py`): they are written as they were then.
"""

from typing import Final

from tidegate.model.reply import Headers

# What the gate says itself, what was meant for the gate, and whose account it used: that is no client's business.
_NOT_RETURNED: Final = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate te trailer transfer-encoding upgrade content-length "
    b"date server retry-after retry-after-ms x-should-retry alt-svc strict-transport-security set-cookie x-request-id "
    b"x-ratelimit-limit-requests x-ratelimit-limit-tokens x-ratelimit-remaining-requests x-ratelimit-remaining-tokens "
    b"x-ratelimit-reset-requests x-ratelimit-reset-tokens request-id "
    b"openai-organization openai-project anthropic-organization-id".split()
) | {
    b"anthropic-ratelimit-%b-%b" % (dimension, figure)
    for dimension in (b"requests", b"tokens", b"input-tokens", b"output-tokens")
    for figure in (b"limit", b"remaining", b"reset")
}
_MOST: Final = 256  # providers that are remembered


class Returned:
    """A provider's header lines for the client, without what the gate says itself; its request id renamed.

    A line that is the same object as in the reply before (`wire/forms.py`) is written as it was then. O(lines).
    """

    __slots__ = ("_joined", "_lines", "_written")

    def __init__(self) -> None:
        self._lines: list[object] = []
        self._written: list[bytes] = []
        self._joined = b""

    def of(self, headers: Headers, shown: dict[bytes, bytes]) -> bytes:
        """The lines, each with CR LF; `shown` holds the same headers by name."""
        lines: list[object] = list(headers)
        known, written, count = self._lines, self._written, len(lines)
        if len(known) != count:
            known, written = [None] * count, [b""] * count
            self._written, self._joined = written, b""
        changed = False
        for at in range(count):
            if lines[at] is known[at]:
                continue
            name, value = headers[at]
            line = b"" if name in _NOT_RETURNED else b"%b: %b\r\n" % (name, value)
            if line != written[at]:
                written[at] = line
                changed = True
        self._lines = lines
        if changed:
            self._joined = b"".join(written)
        back = self._joined
        request_id = shown.get(b"x-request-id") or shown.get(b"request-id")
        return back if request_id is None else b"%bx-tidegate-upstream-request-id: %b\r\n" % (back, request_id)


class ReturnedOf:
    """The same of each provider. Memory is bounded."""

    __slots__ = ("_providers",)

    def __init__(self) -> None:
        self._providers: dict[str, Returned] = {}

    def of(self, provider: str, headers: Headers, shown: dict[bytes, bytes]) -> bytes:
        """As `Returned.of`."""
        known = self._providers.get(provider)
        if known is None:
            if len(self._providers) >= _MOST:
                self._providers.clear()
            known = self._providers[provider] = Returned()
        return known.of(headers, shown)
