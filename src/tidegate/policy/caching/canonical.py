"""What names an answer: all of a request that can change it.

Two steps, so that a body is read once however many models may answer it: `canonical` makes the digest of the body, and
`key` that of the body with who shares the answer, what was asked for and which model answers.

A field counts unless it is known not to: an allow-list would forget each new parameter of an API. What is left out is
who asks and how the answer travels; a field with a value that its API does not know stays. `null` and an absent field
stay apart, as all that providers may treat differently. So do Anthropic's `cache_control` marks, though they change no
word: they are what a client pays for to have its prompt in the provider's cache, `usage` tells of them, and a rule that
looked for a name at any depth would find a tool's own parameter of that name.

What an answer refers to beside the body (a URL, a file's id, a tool of the provider) may change while the body stays
the same. That is what times to live are for.
"""

from hashlib import blake2b, sha256
from typing import Final

from tidegate.model.parts import Kind
from tidegate.policy.caching import jcs

SCHEMA: Final = b"tidegate answer 1\n"  # another one where keys are made in another way: no old answer is found then

# Of the headers that go on to the provider, those that change what it answers: version and features of the API
# (Anthropic, OpenAI, Groq's compound systems) and filters (Azure, DashScope).
VARIANT_HEADERS: Final = (
    b"anthropic-version",
    b"anthropic-beta",
    b"openai-beta",
    b"groq-model-version",
    b"x-policy-id",
    b"x-dashscope-datainspection",
)

_MODEL: Final = "model"
_STREAM: Final = "stream"
_STORE: Final = "store"
_TEMPLATE: Final = "prompt"

_USERS: Final = frozenset({"user", "safety_identifier"})
_OPENAI: Final = frozenset({
    _MODEL, _STREAM, "stream_options", "prompt_cache_key", "prompt_cache_retention", "metadata", "service_tier",
})  # fmt: skip
_ANTHROPIC: Final = frozenset({_MODEL, _STREAM, "service_tier"})
_METADATA: Final = frozenset({"metadata"})  # of Anthropic: the user's id
# By these a call continues, or makes, something that the provider keeps.
_STATE: Final = frozenset({_STORE, "previous_response_id", "conversation", "background", "container"})

_RESPONSES: Final = Kind.RESPONSES
_NAMES: Final = {
    Kind.CHAT: b"chat",
    Kind.COMPLETION: b"completion",
    Kind.EMBEDDING: b"embedding",
    Kind.RESPONSES: b"responses",
    Kind.MESSAGES: b"messages",
    Kind.COUNT: b"count",
}
_OF_ANTHROPIC: Final = frozenset({Kind.MESSAGES, Kind.COUNT})
_COSMETIC: Final = {kind: _ANTHROPIC | _METADATA if kind in _OF_ANTHROPIC else _OPENAI | _USERS for kind in _NAMES}
_COSMETIC_BUT_USERS: Final = {kind: _ANTHROPIC if kind in _OF_ANTHROPIC else _OPENAI for kind in _NAMES}


class Asked:
    """What a body asks for. Nobody changes one."""

    __slots__ = ("base", "model", "stateful", "stream")

    def __init__(self, base: bytes, stream: bool, model: str, stateful: str) -> None:
        self.base = base  # digest of all that can change the answer but the model, 32 bytes
        self.stream = stream
        self.model = model  # as it is named; "" = it is not
        self.stateful = stateful  # the field for which the call may not be answered from the cache; "" = it may


def canonical(kind: Kind, body: bytes, *, keep_user: bool = False) -> Asked:
    """The digest of a body: BLAKE2b-256 (RFC 7693) of its canonical JSON (`jcs`) without what is cosmetic.

    BLAKE2b as it takes little more than half of SHA-256's time where a processor has no instruction for that.
    `keep_user`: who the client's user is counts as well. Raises `ValueError` for what is no JSON object, may be read in
    two ways, or is of a kind that has no answer to keep. O(bytes).
    """
    cosmetic = (_COSMETIC_BUT_USERS if keep_user else _COSMETIC).get(kind)
    if cosmetic is None:
        raise ValueError("what is forwarded unread is not kept")
    fields, longer = jcs.read_object(body)
    apart = without(fields, cosmetic)
    written = jcs.write(fields)
    jcs.check_names(body, written, jcs.write(apart), longer)
    model = apart.get(_MODEL)
    return Asked(
        blake2b(written, digest_size=32).digest(),
        apart.get(_STREAM) is True,
        model if isinstance(model, str) else "",
        "" if kind is not _RESPONSES and _STATE.isdisjoint(fields) else _stateful(kind, fields),
    )


def without(fields: dict[str, object], cosmetic: frozenset[str]) -> dict[str, object]:
    """Takes these fields out of an object, and returns them. A `stream` or `model` of another type stays."""
    apart: dict[str, object] = {}
    for name in cosmetic.intersection(fields):
        value = fields[name]
        if name == _STREAM:
            if value is not True and value is not False and value is not None:
                continue
        elif name == _MODEL and not isinstance(value, str):
            continue
        apart[name] = value
        del fields[name]
    return apart


def cosmetic_of(kind: Kind) -> frozenset[str]:
    """The fields that change no answer of this kind."""
    return _COSMETIC.get(kind, frozenset())


def _stateful(kind: Kind, fields: dict[str, object]) -> str:
    """The first field, in the order of the alphabet, for which the call is not one that can be answered twice.

    Responses are stored unless `store` is false (OpenAI's reference), and their ids are there to be continued. A stored
    prompt without a version is whatever it is today.
    """
    for name in sorted(_STATE.intersection(fields)):
        if fields[name] is not None and fields[name] is not False:
            return name
    if kind is _RESPONSES:
        if fields.get(_STORE) is not False:
            return _STORE
        template = fields.get(_TEMPLATE)
        if isinstance(template, dict) and not template.get("version"):
            return _TEMPLATE
    return ""


def key(base: bytes, scope: bytes, kind: Kind, path: bytes, model: str) -> bytes:
    """What names the answer of one model: SHA-256 of the parts, each with its length. 32 bytes.

    `scope` says who shares it, `path` which operation in which version it is: with its query, and with what the head
    says in `VARIANT_HEADERS`, each at its place. Raises `KeyError` for a kind without an answer to keep.
    """
    named = model.encode()
    parts = (SCHEMA, _NAMES[kind], len(base), base, len(scope), scope, len(path), path, len(named), named)
    return sha256(b"%b%b\n%d:%b%d:%b%d:%b%d:%b" % parts).digest()
