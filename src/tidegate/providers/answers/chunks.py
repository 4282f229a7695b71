"""What chat completions and completions share: a head that every chunk repeats, choices, a last chunk for the usage.

Source: OpenAI's API reference of chat completion chunks; `include_usage` has every chunk but the last say null.
"""

from collections.abc import Callable
from itertools import zip_longest
from typing import Final, Protocol

from tidegate.model.outcome import Usage
from tidegate.providers.answers.fields import Cut, Fields, encode, number_of, object_of, objects_of, read, read_all
from tidegate.providers.events import payload_of
from tidegate.providers.translate.events import payloads

# Fields of an answer that each of its chunks repeats; any other is told once.
_REPEATED: Final = ("id", "created", "model", "system_fingerprint", "service_tier")
_HEAD: Final = frozenset({"id", "created", "model"})  # told in earnest by the first chunk that states one
_NOT_OURS: Final = frozenset({"object", "choices", "usage", "obfuscation"})
_RESTARTED: Final = "tidegate.restart"
_DONE: Final = b"data: [DONE]\n\n"

Events = tuple[bytes, ...]


def written(whole: Fields, name: str, parts_of: Callable[[Fields, int], list[Fields]], *, usage: bool) -> Events:
    """The events: what `parts_of` a choice and its place are, of all choices in turns. A chunk is called `name`.

    Raises `ValueError` where there are no choices.
    """
    choices = objects_of(whole.get("choices"), "choices")
    if not choices:
        raise ValueError("an answer without choices")
    told = [parts_of(choice, number_of(choice.get("index"), place)) for place, choice in enumerate(choices)]
    head = {"id": whole.get("id", ""), "object": name} | {field: whole[field] for field in _REPEATED if field in whole}
    once = {field: value for field, value in whole.items() if field not in head and field not in _NOT_OURS}
    tail = b'],"usage":null}\n\n' if usage else b"]}\n\n"
    begin = b'data: %b,"choices":[' % encode(head)[:-1]
    events = [b"%b%b%b" % (begin, encode(said), tail) for turn in zip_longest(*told) for said in turn if said]
    if once:
        events[0] = b'data: %b,"choices":[%b' % (encode(head | once)[:-1], events[0][len(begin) :])
    if usage and whole.get("usage") is not None:
        events.append(b'%b],"usage":%b}\n\n' % (begin, encode(whole["usage"])))
    return (*events, _DONE)


class Growing(Protocol):
    """A choice that a stream says bit by bit."""

    def add(self, part: Fields) -> None:
        """What one chunk says of it."""

    def whole(self) -> Fields:
        """What came of it."""


def gathered(events: bytes, name: str, begun: Callable[[int], Growing]) -> Fields:
    """The answer that a finished stream tells; `begun` makes a choice of this index.

    Raises `Cut` when the stream is not finished, and `ValueError` for an error or what is no chunk. O(bytes).
    """
    told = payloads(events)
    if not told or told.pop() != b"[DONE]":
        raise Cut("the stream has no [DONE]")
    whole: Fields = {"id": None, "object": name}
    choices: dict[int, Growing] = {}
    known: Fields = {}
    for chunk in read_all(told):
        parts = objects_of(chunk.pop("choices", None), "choices")
        chunk.pop("obfuscation", None)
        if chunk != known:
            _note(whole, chunk)
            known = chunk
        for part in parts:
            index = number_of(part.get("index"), 0)
            choice = choices.get(index)
            if choice is None:
                choice = choices[index] = begun(index)
            choice.add(part)
    if not choices:
        raise ValueError("the stream has no choices")
    usage = whole.pop("usage", None)
    said = whole | {"choices": [choices[index].whole() for index in sorted(choices)]}
    return said if usage is None else said | {"usage": usage}


def with_usage(events: bytes, usage: Usage | None) -> bytes:
    """The same finished stream with a last chunk that states this usage, or with none.

    Raises `Cut` when it is not finished, and `ValueError`. O(its last two events, beyond the copy).
    """
    body = events.removesuffix(_DONE)
    if len(body) == len(events):
        raise Cut("the stream has no [DONE]")
    before = body.rfind(b"\n\n", 0, -2)
    last = before + 2 if before >= 0 else 0
    chunk = read(payload_of(body[last:-2]))
    if "choices" in chunk and not chunk["choices"] and chunk.get("usage"):
        body = body[:last]
    if usage is None:
        return body + _DONE
    head = {field: value for field, value in chunk.items() if field == "object" or field in _REPEATED}
    told = {"prompt_tokens": usage.prompt, "completion_tokens": usage.completion, "total_tokens": usage.total}
    details = {"prompt_tokens_details": {"cached_tokens": usage.cached}} if usage.cached else {}
    return b"%bdata: %b\n\n%b" % (body, encode(head | {"choices": [], "usage": told | details}), _DONE)


def _note(whole: Fields, chunk: Fields) -> None:
    """What a chunk says of the whole: the latest counts, of what is its head the first. Raises `ValueError`."""
    if chunk.get("error"):
        raise ValueError("the stream tells of an error")
    if chunk.get("object") == _RESTARTED:
        raise ValueError("the answer began anew")
    for field, value in chunk.items():
        if field in _NOT_OURS and field != "usage":
            continue
        if field not in whole or (value is not None and not (field in _HEAD and whole[field])):
            whole[field] = value


def note(choice: Fields, part: Fields, known: frozenset[str]) -> None:
    """What a chunk says of a choice beside its content; beyond the `known` fields it is some provider's own."""
    if "logprobs" in part:
        _note_logprobs(choice, part["logprobs"])
    if part.get("finish_reason"):
        choice["finish_reason"] = part["finish_reason"]
    if not part.keys() <= known:
        extend(choice, beside(part, known))


def beside(choice: Fields, known: frozenset[str]) -> Fields:
    """What some providers say of a choice beyond the reference."""
    return {name: value for name, value in choice.items() if name not in known}


def _note_logprobs(choice: Fields, more: object) -> None:
    """What a chunk says of a choice's log-probabilities, which may be null."""
    known = choice.get("logprobs")
    if not more:
        choice["logprobs"] = known
        return
    into = known if isinstance(known, dict) else {}
    choice["logprobs"] = into
    extend(into, object_of(more, "logprobs"))


def extend(into: Fields, more: Fields) -> None:
    """Columns grow, as log-probabilities have them, whatever stands in them; of anything else the latest counts."""
    for name, value in more.items():
        known = into.get(name)
        if isinstance(value, list) and isinstance(known, list):
            known.extend(value)
        elif value or name not in into:
            into[name] = list(value) if isinstance(value, list) else value
