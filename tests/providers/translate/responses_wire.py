"""Requests and streams of the Responses API, written and read as OpenAI's SDK does."""

import json
from typing import Any

from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tidegate.providers.translate.face import Crossed
from tidegate.providers.translate.records import ChatCan
from tidegate.providers.translate.responses_to_chat import ResponsesToChat

Json = dict[str, Any]
CREATED = 1_700_000_000
DONE = b"data: [DONE]\n\n"
USAGE: Json = {
    "prompt_tokens": 10,
    "completion_tokens": 5,
    "total_tokens": 15,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
_RESPONSE = TypeAdapter(Response)


def dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def cross(can: ChatCan | None = None, **fields: object) -> Crossed:
    return ResponsesToChat(can or ChatCan()).request(dumped({"model": "m", "input": "hi", **fields}), "qwen", CREATED)


def to_chat(can: ChatCan | None = None, **fields: object) -> Json:
    """What the provider of chat completions gets."""
    return dict(json.loads(cross(can, **fields).body))


def chunk(delta: Json | None = None, finish: str | None = None, **fields: object) -> bytes:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    whole = {
        "id": "chatcmpl-Ab1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "qwen-1",
        "choices": [choice],
    }
    return b"data: %b\n\n" % dumped({**whole, "usage": None, **fields})


def call(index: int | None, ident: str | None = None, name: str | None = None, arguments: str = "") -> Json:
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    told = {"index": index, "id": ident, "type": "function", "function": function}
    return {"tool_calls": [{field: value for field, value in told.items() if value is not None}]}


SPENT = chunk(choices=[], usage=USAGE)


def completion(finish: str = "stop", **message: object) -> Json:
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **message}, "finish_reason": finish}
    whole = {"id": "chatcmpl-Ab1", "object": "chat.completion", "created": 1, "model": "qwen-1", "choices": [choice]}
    return {**whole, "usage": USAGE}


def answer(whole: object, **fields: object) -> Json:
    """A whole answer, translated and read by the SDK's type."""
    body = cross(**fields).reply.answer(dumped(whole))
    _RESPONSE.validate_json(body, strict=True)
    return dict(json.loads(body))


def streamed(*events: bytes, **fields: object) -> list[Json]:
    """A stream, translated and read by the SDK's types, event by event."""
    return read(cross(**fields, stream=True).reply.stream().feed(b"".join(events)))


def read(events: bytes) -> list[Json]:
    told = []
    for event in events.split(b"\n\n")[:-1]:
        name, data = event.split(b"\n")
        _EVENT.validate_json(data.removeprefix(b"data: "))
        told.append(json.loads(data.removeprefix(b"data: ")))
        assert name == b"event: %b" % told[-1]["type"].encode()
    return told


class Client:
    """Puts a stream together from its small events only, and holds every event to the grammar of the API."""

    def __init__(self) -> None:
        self.items: list[Json] = []
        self.open: dict[int, Json] = {}
        self.ids: set[str] = set()
        self.whole: Json | None = None
        self.heard = 0

    def hear(self, event: Json) -> None:
        assert self.whole is None, "nothing comes after the end"
        assert event["sequence_number"] == self.heard
        self.heard += 1
        kind = event["type"].removeprefix("response.")
        if kind in {"created", "in_progress"}:
            assert self.heard == (1 if kind == "created" else 2)
            assert event["response"]["status"] == "in_progress"
            assert event["response"]["output"] == []
        elif kind in {"completed", "incomplete"}:
            assert not self.open, "every item is done before the end"
            assert event["response"]["status"] == kind
            self.whole = event["response"]
        elif kind.startswith("output_item."):
            self._item(kind, event["output_index"], event["item"])
        else:
            item = self.open[event["output_index"]]
            assert event["item_id"] == item["id"]
            self._part(kind, event, item)

    def _item(self, kind: str, place: int, item: Json) -> None:
        if kind == "output_item.added":
            assert place == len(self.items), "places have no gap"
            assert item["id"] not in self.ids
            self.ids.add(item["id"])
            self.items.append(item)
            self.open[place] = item
            return
        made = self.open.pop(place)
        assert item.get("status") in {None, "completed", "incomplete"}
        assert {**item, "status": None} == {**made, "status": None}, "what is done is what was told"
        self.items[place] = item

    def _part(self, kind: str, event: Json, item: Json) -> None:
        if kind == "function_call_arguments.delta":
            item["arguments"] += event["delta"]
        elif kind == "function_call_arguments.done":
            assert event["arguments"] == item["arguments"]
            assert event["name"] == item["name"]
        elif kind == "content_part.added":
            assert event["content_index"] == len(item["content"])
            item["content"].append(event["part"])
        elif kind == "content_part.done":
            assert event["part"] == item["content"][event["content_index"]]
        else:
            part = item["content"][event["content_index"]]
            assert event["content_index"] == len(item["content"]) - 1
            name, what = kind.rsplit(".", 1)
            field = "refusal" if name == "refusal" else "text"
            assert part["type"] == name
            if what == "delta":
                part[field] += event["delta"]
            else:
                assert event[field] == part[field]


def followed(events: list[Json]) -> Json:
    """The response that a client has at the end: told twice, by the small events and by the last."""
    client = Client()
    for event in events:
        client.hear(event)
    assert client.whole is not None, "the stream has an end"
    assert client.whole["output"] == client.items
    return client.whole
