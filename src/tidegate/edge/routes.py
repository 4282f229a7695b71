"""What a path asks for. O(1)."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from tidegate.model.call import Kind
from tidegate.providers.dialects import ANTHROPIC, CODECS, OPENAI

PREFIX = b"/v1"
MODEL_PREFIX = b"/v1/models/"


class Route(Enum):
    """Who answers."""

    CALL = auto()  # read, governed by tokens, routed by model
    FORWARD = auto()  # to a provider as it is, governed by requests
    DESK = auto()  # what the gate keeps itself, where there is patient work; else as FORWARD
    MODELS = auto()  # the gate's own list
    MODEL = auto()  # one of that list, else as FORWARD
    ALIVE = auto()
    READY = auto()
    REFUSED = auto()  # known, and not carried
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Match:
    """A route, and for a call its kind."""

    route: Route
    kind: Kind = Kind.PASS


_EXACT = {
    b"/v1/chat/completions": Match(Route.CALL, Kind.CHAT),
    b"/v1/completions": Match(Route.CALL, Kind.COMPLETION),
    b"/v1/embeddings": Match(Route.CALL, Kind.EMBEDDING),
    b"/v1/responses": Match(Route.CALL, Kind.RESPONSES),
    b"/v1/messages": Match(Route.CALL, Kind.MESSAGES),
    b"/v1/messages/count_tokens": Match(Route.CALL, Kind.COUNT),
    b"/v1/models": Match(Route.MODELS),
    b"/v1/realtime": Match(Route.REFUSED),
    b"/healthz": Match(Route.ALIVE),
    b"/health/liveness": Match(Route.ALIVE),
    b"/health/liveliness": Match(Route.ALIVE),
    b"/readyz": Match(Route.READY),
    b"/health/readiness": Match(Route.READY),
}
_FORWARD = Match(Route.FORWARD)
_DESK = Match(Route.DESK)
_MODEL = Match(Route.MODEL)
_UNKNOWN = Match(Route.UNKNOWN)
_KEPT = re.compile(
    rb"/v1/(?:files|uploads|batches|messages/batches|fine_tuning|fine-tunes|assistants|threads|chatkit|vector_stores"
    rb"|conversations|containers|responses|chat/completions|evals|videos|audio/voices|audio/voice_consents|skills"
    rb"|organizations?|projects|admin|cachedContents|context)(?:/|$)",
    re.IGNORECASE,
)
_PATIENT = re.compile(rb"/v1/(?:jobs|files|batches|messages/batches)(?:/|$)")  # of paths in lower case
# A provider may read such a path as another one, which is governed or kept from the key: segments of dots, also with
# escaped slashes (they would lead out of the base URL), empty segments, backslashes, parameters, and escapes of
# characters that need none (RFC 3986, 2.3). For paths in lower case: to ignore case costs more.
_OTHER = re.compile(
    rb"(?:/|%2f)(?:\.|%2e){1,2}(?:/|%2f|$)|//|[\\;]"
    rb"|%(?:25|2d|2e|3[0-9b]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9ae])"
)
_SLASH = b"%2f"  # stands in names of models only


def match(path: bytes, *, patient: bool = False) -> Match:
    """The route of a path (without its query). `patient`: there is a desk."""
    found = _EXACT.get(path)
    if found is not None:
        return found
    if path.startswith(b"/v1/realtime/"):
        return _EXACT[b"/v1/realtime"]
    lower = path.lower()
    if not path.startswith(b"/v1/") or len(path) == len(b"/v1/") or _OTHER.search(lower) is not None:
        return _UNKNOWN
    if path.startswith(MODEL_PREFIX):
        return _MODEL
    if _is_another(lower):
        return _UNKNOWN
    return _DESK if patient and _PATIENT.match(lower) is not None else _FORWARD


def _is_another(path: bytes) -> bool:
    """Whether a provider that ignores case, or a slash at the end, may take this for what is not forwarded."""
    return path.rstrip(b"/") in _EXACT or path.startswith(b"/v1/realtime/") or _SLASH in path


def kept(method: bytes, path: bytes) -> bool:
    """Whether a forwarded request is about what a provider keeps for its organisation: files, batches, threads.

    Who may see one of them may see all of the organisation's, whichever namespace they are of.
    """
    return method != b"POST" or _KEPT.match(path) is not None


def dialect_of(path: bytes, kind: Kind, version: bytes | None) -> str:
    """Which maker's API a request speaks: its path says so, else the header `anthropic-version` (`version`)."""
    codec = CODECS.get(kind)
    if codec is not None:
        return codec.dialect
    return ANTHROPIC if version is not None or path.startswith(b"/v1/messages") else OPENAI
