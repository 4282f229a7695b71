"""What a client says about its own call: `Cache-Control` (RFC 9111, 5.2.1; RFC 5861, 4) and `x-tidegate-cache`.

`Cache-Control` may have been added by anything between the client and the gate: what is unknown or wrong there is
ignored, or taken at its strictest. `x-tidegate-cache` was meant for the gate: what is wrong there is told. Pure.
"""

from typing import Final

from tidegate.units import SECOND_US

_MOST_S: Final = 31_536_000  # a year; RFC 9111, 1.2.2 asks for some bound
_DIGITS: Final = 18
_LONGEST: Final = 512  # bytes of a header that is worth reading
OWN: Final = "x-tidegate-cache"
_ASK: Final = "Send bypass, refresh, only, exact or ttl=SECONDS, or several of them with commas between."


class Directives:
    """What the client wants of the cache, -1 where it leaves that to the configuration. Nobody changes one.

    `stale_us` bounds for how long after its end an answer may stand in for a provider that fails, `lenient_us` for how
    long after it the client takes an answer as if it were fresh. No client can have more than the configuration keeps.
    """

    __slots__ = (
        "bypass", "exact_only", "lenient_us", "max_age_us", "only", "read", "stale_us", "ttl_us", "write",
    )  # fmt: skip

    def __init__(self) -> None:
        self.read = True  # an answer that is known will do
        self.write = True  # what is answered may be kept
        self.exact_only = False  # not the answer to a question that only means the same
        self.only = False  # no call is made: 504 when nothing is known
        self.bypass = False  # neither is looked for, nor kept, nor shared with equal calls
        self.ttl_us = -1
        self.max_age_us = -1
        self.stale_us = -1
        self.lenient_us = 0


def directives(cache_control: bytes | None, own: bytes | None) -> Directives:
    """What both headers ask for together (None: not sent). Once a head; O(bytes).

    Raises `ValueError` with what is wrong about `x-tidegate-cache`, in words for the client.
    """
    made = Directives()
    if cache_control is not None:
        for name, value in _listed(cache_control[:_LONGEST]):
            _standard(made, name, value)
    if own is not None:
        if len(own) > _LONGEST:
            raise ValueError(f"Invalid {OWN}: it has more than {_LONGEST} bytes. {_ASK}")
        _own(made, _listed(own))
    return made


def _listed(header: bytes) -> list[tuple[str, str]]:
    """Its directives: names in lower case, and what stands behind `=`."""
    found: list[tuple[str, str]] = []
    for part in header.decode("latin-1").split(","):
        name, _, value = part.partition("=")
        if name := name.strip().lower():
            found.append((name, value.strip().strip('"')))
    return found


def _standard(made: Directives, name: str, value: str) -> None:
    if name == "no-cache":
        made.read = False
    elif name == "no-store":
        made.write = False
    elif name == "only-if-cached":
        made.only = True
    elif name == "max-age":
        made.max_age_us = max(0, _microseconds(value))  # what cannot be read is as strict as can be
    elif name == "max-stale":
        made.lenient_us = _microseconds(value) if value else _MOST_S * SECOND_US
        if made.lenient_us < 0:
            made.lenient_us = 0
    elif name == "stale-if-error":
        made.stale_us = max(0, _microseconds(value))


def _own(made: Directives, listed: list[tuple[str, str]]) -> None:
    for name, value in listed:
        if value and name != "ttl":
            raise ValueError(f"Invalid {OWN}: '{name}' takes no value. {_ASK}")
        if name == "bypass":
            made.bypass = True
            made.read = made.write = False
        elif name == "refresh":
            made.read = False
        elif name == "only":
            made.only = True
        elif name == "exact":
            made.exact_only = True
        elif name == "ttl":
            made.ttl_us = _ttl(value)
        else:
            raise ValueError(f"Invalid {OWN}: '{name[:32]}' is not known. {_ASK}")
    if made.ttl_us == 0:
        made.write = False
    names = {name for name, _ in listed}
    if "only" in names and ("refresh" in names or "bypass" in names):
        raise ValueError(f"Invalid {OWN}: 'only' asks for no call, and refresh and bypass for one. Send either.")


def _ttl(value: str) -> int:
    ttl = _microseconds(value)
    if ttl < 0:
        raise ValueError(f"Invalid {OWN}: ttl is whole seconds, 0 = keep nothing, as in ttl=600.")
    return ttl


def _microseconds(value: str) -> int:
    """Of whole seconds, a year at most; -1 where it is not a number."""
    if not value.isascii() or not value.isdigit():
        return -1
    seconds = int(value) if len(value) <= _DIGITS else _MOST_S
    return (seconds if seconds < _MOST_S else _MOST_S) * SECOND_US
