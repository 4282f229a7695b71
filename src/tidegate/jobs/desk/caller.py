"""Who asks: as the worker that let the client in has told, in one header. Nobody else can reach the socket."""

import base64
import binascii
from typing import Final

import msgspec
from starlette.requests import HTTPConnection

from tidegate.jobs.desk.errors import Fault, Refused
from tidegate.jobs.records import Owner
from tidegate.model.jobs import CALLER_HEADER

_ALL: Final = "*"
_LONGEST: Final = 128  # of a name that a client made up
_HEADER: Final = CALLER_HEADER.decode()


class Caller(msgspec.Struct, frozen=True):
    """Whose request it is. `models` may be called, a name with `*` at its end stands for all that begin so."""

    client: str = ""
    namespace: str = ""
    user: str = ""
    tag: str = ""
    models: tuple[str, ...] | None = None  # None = all

    @property
    def owner(self) -> Owner:
        """As rows know it."""
        return Owner(self.namespace, self.client, self.user)

    @property
    def tags(self) -> tuple[str, ...]:
        """The words of `tag`."""
        return tuple(self.tag.split(", ")) if self.tag else ()

    def may_call(self, model: str) -> bool:
        """Whether the key allows this model or strategy. O(models)."""
        if self.models is None or model in self.models:
            return True
        return any(one.endswith(_ALL) and model.startswith(one[:-1]) for one in self.models)

    def check(self, model: str, param: str = "model") -> None:
        """Raises `Refused` where the key does not allow it."""
        if not self.may_call(model):
            message = f"This key may not use the model '{model[:_LONGEST]}'."
            raise Refused(Fault.MODEL_NOT_ALLOWED, message, param)


_decode: Final = msgspec.json.Decoder(Caller).decode
_encode: Final = msgspec.json.Encoder().encode


def shown(caller: Caller) -> bytes:
    """The header's value, as a worker writes it."""
    return base64.urlsafe_b64encode(_encode(caller)).rstrip(b"=")


def caller_of(request: HTTPConnection) -> Caller:
    """Who asks. Raises `Refused` where nobody says so, or in a form that no worker writes."""
    told = request.headers.getlist(_HEADER)
    if len(told) != 1:
        raise Refused(Fault.UNAUTHENTICATED, "Nobody says who asks: patient work is asked for at the gate's own port.")
    try:
        padded = told[0] + "=" * (-len(told[0]) % 4)
        return _decode(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, msgspec.DecodeError, ValueError, RecursionError):
        raise Refused(Fault.UNAUTHENTICATED, f"The header {_HEADER} cannot be read.") from None
