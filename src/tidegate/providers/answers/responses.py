"""Responses: a whole answer as the events of a stream, and a finished stream as a whole answer.

A stream tells the response when it begins, each item of its output as it comes about (`items.py`), and the whole
response at its end. Source: OpenAI's API reference, "Streaming events".
"""

from collections.abc import Sequence
from typing import Final

from tidegate.providers.answers.fields import Cut, Fields, number_of, object_of, objects_of, read, text_of
from tidegate.providers.answers.items import Script, say_item
from tidegate.providers.translate.events import payloads

# As the maker ends an answer; what failed, was cancelled or is still being made is none.
ENDS: Final = {"completed": "response.completed", "incomplete": "response.incomplete"}
_LAST: Final = frozenset(ENDS.values())
_FAILURES: Final = frozenset({"error", "response.failed", "response.cancelled"})
_AFTER: Final = frozenset({"keepalive", "ping"})
_LATE: Final = ("usage", "completed_at", "incomplete_details")  # null while it is being made


def to_events(whole: Fields) -> tuple[bytes, ...]:
    """The events. Raises `ValueError` when it is no response that came to its end."""
    end = ENDS.get(text_of(whole.get("status")))
    if end is None:
        raise ValueError("no response that is completed or incomplete")
    begun = whole | {"status": "in_progress", "output": []} | {name: None for name in _LATE if name in whole}
    script = Script()
    script.say("response.created", {"response": begun})
    script.say("response.in_progress", {"response": begun})
    for index, item in enumerate(objects_of(whole.get("output"), "output")):
        say_item(script, index, item)
    script.say(end, {"response": whole})
    return tuple(script.said)


def whole_of(events: bytes) -> Fields:
    """The response. Raises `Cut` when the stream is not finished, else `ValueError` when it is none."""
    told = payloads(events)
    end = _end(told)
    whole = object_of(end.get("response"), "response")
    if not whole.get("output"):
        whole["output"] = _items(told)
    return whole


def _end(told: Sequence[bytes]) -> Fields:
    """The event that ends the stream. O(its bytes)."""
    for data in reversed(told):
        if data == b"[DONE]":
            continue
        event = read(data)
        kind = text_of(event.get("type"))
        if kind in _LAST:
            return event
        if kind in _FAILURES or event.get("error"):
            raise ValueError("the stream tells of an error")
        if kind not in _AFTER:
            break
    raise Cut("the stream has no response.completed")


def _items(told: Sequence[bytes]) -> list[object]:
    """The output of a response whose last event leaves it out, as its items were told when they were done."""
    done: dict[int, object] = {}
    for data in told:
        if b'"response.output_item.done"' in data:
            event = read(data)
            done[number_of(event.get("output_index"), len(done))] = event.get("item")
    return [done[index] for index in sorted(done)]
