"""Who asks: as the worker that let the client in has told, in one header. Nobody else can reach the socket."""

import base64
import binascii
from typing import Final

import msgspec
from starlette.requests import HTTPConnection

from tidegate.jobs.desk.errors import Fault, Refused
from tidegate.jobs.records import Owner
from tidegate.model.handed import Requester
from tidegate.model.jobs import CALLER_HEADER

_LONGEST: Final = 128  # of a name that a client made up
_HEADER: Final = CALLER_HEADER.decode()


_decode: Final = msgspec.json.Decoder(Requester).decode


def caller_of(request: HTTPConnection) -> Requester:
    """Who asks. Raises `Refused` where nobody says so, or in a form that no worker writes."""
    told = request.headers.getlist(_HEADER)
    if len(told) != 1:
        raise Refused(Fault.UNAUTHENTICATED, "Nobody says who asks: patient work is asked for at the gate's own port.")
    try:
        padded = told[0] + "=" * (-len(told[0]) % 4)
        return _decode(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, msgspec.DecodeError, ValueError, RecursionError):
        raise Refused(Fault.UNAUTHENTICATED, f"The header {_HEADER} cannot be read.") from None


def owner_of(caller: Requester) -> Owner:
    """Whose the rows are that it makes, and which it sees."""
    return Owner(caller.namespace, caller.client, caller.user)


def check_model(caller: Requester, model: str) -> None:
    """Raises `Refused` where the key does not allow it."""
    if not caller.may_call(model):
        message = f"This key may not use the model '{model[:_LONGEST]}'."
        raise Refused(Fault.MODEL_NOT_ALLOWED, message, "model")
