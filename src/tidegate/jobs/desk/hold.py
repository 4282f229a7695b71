"""What a worker says of a call that it hands over, and what is known of it here."""

import base64
import binascii
from typing import Final

import msgspec
from starlette.requests import Request

from tidegate.jobs.desk.errors import Fault, Refused
from tidegate.jobs.desk.prefer import Preference
from tidegate.model.call import Kind, Shape
from tidegate.model.handed import JobHandover
from tidegate.model.jobs import HOLD_HEADER
from tidegate.providers.codec import Dialect

_LONGEST_MS: Final = 86_400_000
_NAME: Final = HOLD_HEADER.decode()


_decode: Final = msgspec.json.Decoder(JobHandover).decode


def hold_of(request: Request) -> JobHandover | None:
    """None where the worker says nothing of it. Raises `Refused`."""
    told = request.headers.get(_NAME)
    if told is None:
        return None
    try:
        hold = _decode(base64.b64decode(told + "=" * (-len(told) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, msgspec.DecodeError, ValueError, RecursionError):
        raise Refused(Fault.BAD_REQUEST, f"The header {_NAME} cannot be read.", _NAME) from None
    return msgspec.structs.replace(hold, deadline_ms=max(0, min(hold.deadline_ms, _LONGEST_MS)))


class Asked:
    """One held call. `began` is monotonic."""

    __slots__ = ("began", "dialect", "hold", "kind", "prefer", "shape")

    def __init__(
        self, *, hold: JobHandover, kind: Kind, shape: Shape, dialect: Dialect, prefer: Preference, began: int
    ) -> None:
        self.hold = hold
        self.kind = kind
        self.shape = shape
        self.dialect = dialect
        self.prefer = prefer
        self.began = began

    @property
    def streams(self) -> bool:
        """Its client wants events."""
        return self.shape.stream and self.kind is not Kind.EMBEDDING

    @property
    def until(self) -> int:
        """For how long the client waits (monotonic)."""
        longest = self.hold.deadline_ms * 1_000
        return self.began + (min(longest, self.prefer.wait_us) if self.prefer.asynchronous else longest)
