"""The output items of a response, each told as it comes about: added, its parts and pieces, its phases, done.

Source: OpenAI's API reference of responses and of their streaming events. An item of a kind that is not named here is
added as it is, and done.
"""

from typing import Final

import msgspec

from tidegate.providers.answers.fields import Fields, encode, objects_of, text_of
from tidegate.providers.answers.pieces import by_tokens, pieces
from tidegate.providers.translate.events import named


class _Grows(msgspec.Struct, frozen=True):
    """How a kind of item comes about: its phases, and the field that grows between them, in events of which name."""

    before: tuple[str, ...] = ()
    event: str = ""
    field: str = ""
    after: tuple[str, ...] = ()
    told_again: tuple[str, ...] = ()  # fields of the item that stand in the event which ends its text


_GROWS: Final = {
    "function_call": _Grows(event="function_call_arguments", field="arguments", told_again=("name",)),
    "custom_tool_call": _Grows(event="custom_tool_call_input", field="input"),
    "mcp_call": _Grows(("in_progress",), "mcp_call_arguments", "arguments", ("completed",)),
    "mcp_list_tools": _Grows(("in_progress",), after=("completed",)),
    "code_interpreter_call": _Grows(
        ("in_progress",), "code_interpreter_call_code", "code", ("interpreting", "completed")
    ),
    "web_search_call": _Grows(("in_progress", "searching"), after=("completed",)),
    "file_search_call": _Grows(("in_progress", "searching"), after=("completed",)),
    "image_generation_call": _Grows(("in_progress", "generating"), after=("completed",)),
}
_FAILING: Final = frozenset({"mcp_call", "mcp_list_tools"})
# What an item of these kinds holds only when it is done; a list is empty before, anything else null.
_RESULTS: Final = ("content", "summary", "encrypted_content", "output", "outputs", "result", "results", "error")
_SPOKEN: Final = frozenset({"message", "reasoning"})
_PARTS: Final = {
    "output_text": ("output_text", "text"),
    "refusal": ("refusal", "refusal"),
    "reasoning_text": ("reasoning_text", "text"),
    "summary_text": ("reasoning_summary_text", "text"),
}


class Script:
    """Events, numbered from 0."""

    __slots__ = ("said",)

    def __init__(self) -> None:
        self.said: list[bytes] = []

    def say(self, kind: str, fields: Fields) -> None:
        told = {"type": kind, "sequence_number": len(self.said), **fields}
        self.said.append(named(kind.encode(), encode(told)))


def say_item(script: Script, index: int, item: Fields) -> None:
    """All events of one item."""
    kind = text_of(item.get("type"))
    where: Fields = {"item_id": item.get("id") or "", "output_index": index}
    script.say("response.output_item.added", {"output_index": index, "item": _begun(kind, item)})
    if kind in _SPOKEN:
        for at, part in enumerate(objects_of(item.get("summary"), "summary")):
            _say_part(script, where, ("reasoning_summary_part", "summary_index", at), part)
        for at, part in enumerate(objects_of(item.get("content"), "content")):
            _say_part(script, where, ("content_part", "content_index", at), part)
    grows = _GROWS.get(kind)
    if grows is not None:
        _say_growth(script, where, grows, item)
    script.say("response.output_item.done", {"output_index": index, "item": item})


def _begun(kind: str, item: Fields) -> Fields:
    """The item before anything is known of it but what it is."""
    grows = _GROWS.get(kind)
    if grows is None and kind not in _SPOKEN:
        return item
    begun = item | {name: [] if isinstance(item[name], list) else None for name in _RESULTS if name in item}
    if grows is not None and isinstance(item.get(grows.field), str):
        begun[grows.field] = ""
    return begun | ({"status": "in_progress"} if "status" in item else {})


def _say_growth(script: Script, where: Fields, grows: _Grows, item: Fields) -> None:
    kind = text_of(item.get("type"))
    for phase in grows.before:
        script.say(f"response.{kind}.{phase}", where)
    text = item.get(grows.field)
    if isinstance(text, str):
        for piece in pieces(text):
            script.say(f"response.{grows.event}.delta", {**where, "delta": piece})
        told = {name: item[name] for name in grows.told_again if name in item}
        script.say(f"response.{grows.event}.done", {**where, **told, grows.field: text})
    failed = kind in _FAILING and (item.get("status") == "failed" or bool(item.get("error")))
    for phase in ("failed",) if failed else grows.after:
        script.say(f"response.{kind}.{phase}", where)


def _say_part(script: Script, of_item: Fields, place: tuple[str, str, int], part: Fields) -> None:
    """A part is added, grows, and is done. `place`: how such parts are called, and which of them it is."""
    called, numbered, at = place
    where, event, field = {**of_item, numbered: at}, *_PARTS.get(text_of(part.get("type")), ("", ""))
    if not isinstance(part.get(field), str):
        script.say(f"response.{called}.added", {**where, "part": part})
        script.say(f"response.{called}.done", {**where, "part": part})
        return
    columns: Fields = {name: [] for name in ("annotations", "logprobs") if isinstance(part.get(name), list)}
    script.say(f"response.{called}.added", {**where, "part": part | {field: ""} | columns})
    text, probable = text_of(part[field]), event == "output_text"
    tokens = objects_of(part.get("logprobs"), "logprobs")
    for piece, told in by_tokens(text, tokens) if tokens else ((piece, []) for piece in pieces(text)):
        beside = {"logprobs": told} if probable else {}
        script.say(f"response.{event}.delta", {**where, "delta": piece, **beside})
    for number, note in enumerate(objects_of(part.get("annotations"), "annotations")):
        script.say("response.output_text.annotation.added", {**where, "annotation_index": number, "annotation": note})
    script.say(f"response.{event}.done", {**where, field: text, **({"logprobs": tokens} if probable else {})})
    script.say(f"response.{called}.done", {**where, "part": part})
