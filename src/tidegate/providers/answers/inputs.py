"""The inputs of an embeddings call one by one: each has a key of its own, and only those not known are asked for.

An embedding does not depend on the inputs beside it, in whichever format it is told; so answers are put together from
raw pieces. Source: OpenAI's API reference of embeddings. What is not of that form is not split. Everything is O(bytes).
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from tidegate.model.outcome import Usage
from tidegate.providers import reading
from tidegate.providers.translate.reading import read_answer

_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_inputs = msgspec.json.Decoder(str | list[str | int | list[int]]).decode
_encode = msgspec.json.Encoder().encode
_TOGETHER: Final = ("late_chunking",)  # Jina's: each input is embedded in the context of those before it


class _Vector(msgspec.Struct):
    embedding: msgspec.Raw
    index: int | None = None


class _Answer(msgspec.Struct):
    data: list[_Vector]


_decode_answer = msgspec.json.Decoder(_Answer).decode


def inputs(body: bytes) -> tuple[bytes, ...] | None:
    """Each input as canonical JSON: a text, or an array of tokens. None: it is not a list of such, or cannot be split.

    A single input is a list of one.
    """
    try:
        return _given(_decode_object(body))
    except (*reading.UNREADABLE, KeyError):
        return None


def _given(fields: dict[str, msgspec.Raw]) -> tuple[bytes, ...] | None:
    if any(bytes(fields.get(name, b"")) not in reading.NOTHING for name in _TOGETHER):
        return None
    given = _decode_inputs(fields["input"])
    if isinstance(given, str):
        return (_encode(given),)
    kinds = {type(item) for item in given}
    if len(kinds) != 1:
        return None
    return (_encode(given),) if kinds == {int} else tuple([_encode(item) for item in given])


def reduced(body: bytes, wanted: Sequence[int]) -> bytes:
    """The request for these inputs only, in this order; every other field, and each input, keeps its bytes.

    For none of them it is what all requests have in common that differ in their inputs only.
    """
    fields = _decode_object(body)
    given = bytes(fields["input"])
    listed = _decode_list(given) if _is_list(given) else [msgspec.Raw(given)]
    fields["input"] = msgspec.Raw(_encode([listed[n] for n in wanted]))
    return _encode(fields)


def vectors(answer: bytes) -> tuple[bytes, ...]:
    """Each `embedding` as it stands there, a list or base64, in the order of the inputs. Raises `ValueError`."""
    data = read_answer(_decode_answer, answer).data
    placed = {place if item.index is None else item.index: item for place, item in enumerate(data)}
    if not data or placed.keys() != set(range(len(data))):
        raise ValueError("the answer does not have one embedding for each input")
    return tuple([bytes(placed[at].embedding) for at in range(len(data))])


def merged(answer: bytes | None, model: str, parts: Sequence[bytes], usage: Usage) -> bytes:
    """A complete answer with these embeddings in order.

    `answer` is the provider's, if it was asked for any: its other fields stay. `usage` is what the answer states.
    Raises `ValueError` when it is no JSON object.
    """
    fields: dict[str, object] = {"object": "list", "data": None, "model": model, "usage": None}
    if answer is not None:
        fields |= read_answer(_decode_object, answer)
    told = [b'{"object":"embedding","index":%d,"embedding":%b}' % (at, part) for at, part in enumerate(parts)]
    fields["data"] = msgspec.Raw(b"[%b]" % b",".join(told))
    fields["usage"] = {"prompt_tokens": usage.prompt, "total_tokens": usage.prompt}
    return _encode(fields)


def _is_list(given: bytes) -> bool:
    """Whether it is a list of inputs, and no input of tokens."""
    if not given.startswith(b"["):
        return False
    first = given[1:].lstrip()
    return first.startswith((b'"', b"["))
