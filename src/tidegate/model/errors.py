"""Why a call ended without an answer. The edge alone turns a problem into a status and a body."""

from dataclasses import dataclass
from enum import Enum, auto


class ProblemKind(Enum):
    """Whose fault it is and what would help."""

    BAD_REQUEST = auto()  # the request must change
    UNAUTHENTICATED = auto()  # no valid client key
    ADDRESS_NOT_ALLOWED = auto()  # a valid key, from where it may not be used
    MODEL_NOT_ALLOWED = auto()  # a valid key, for a model that it may not call
    ROUTE_NOT_ALLOWED = auto()  # a valid key with a list of models, where no model is asked for
    BAD_SIGNATURE = auto()  # the signature is missing, or lets nobody in
    KEY_REUSED = auto()  # its idempotency key belongs to another request
    UNKNOWN_MODEL = auto()  # nobody serves it
    UNKNOWN_ROUTE = auto()
    WRONG_METHOD = auto()
    UNSUPPORTED = auto()  # a feature that the gate does not carry (Upgrade, realtime)
    TOO_LARGE = auto()  # the call alone exceeds the quota; waiting never helps
    OVER_QUOTA = auto()  # it can be served, at a known time
    INSUFFICIENT_QUOTA = auto()  # a budget of its tenant is used up, for a day or a month
    QUEUE_FULL = auto()
    UPSTREAM = auto()  # the provider failed or could not be reached
    CREDENTIAL = auto()  # the provider refused the gate's own credential
    NOT_CACHED = auto()  # the client wants what is known, and nothing is
    DEADLINE = auto()  # the provider did not answer within the call's deadline
    DRAINED = auto()  # an operator has taken all accounts out of service that could serve it
    UNAVAILABLE = auto()  # the gate itself cannot serve: draining, or its journal cannot be written


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal as a value. `retry_after_us` > 0 is the true time after which it can be served."""

    kind: ProblemKind
    message: str
    param: str = ""
    retry_after_us: int = 0
