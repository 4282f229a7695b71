"""Bodies and streams of both dialects, written and put together again as a client would."""

import json
from typing import Any

from tidegate.providers.translate.chat_to_messages import ChatToMessages
from tidegate.providers.translate.face import Crossed
from tidegate.providers.translate.messages_to_chat import MessagesToChat
from tidegate.providers.translate.records import ChatCan, MessagesCan

Json = dict[str, Any]
CREATED = 1_700_000_000
HELLO = [{"role": "user", "content": "Hello"}]


def dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def to_messages(can: MessagesCan | None = None, **fields: object) -> tuple[Json, Crossed]:
    """A request for chat completions, crossed: what the provider of messages gets."""
    body = {"model": "gpt-4o", "messages": HELLO, **fields}
    crossed = ChatToMessages(can or MessagesCan()).request(dumped(body), "claude-3-haiku", CREATED)
    return json.loads(crossed.body), crossed


def to_chat(can: ChatCan | None = None, **fields: object) -> tuple[Json, Crossed]:
    """A request for messages, crossed: what the provider of chat completions gets."""
    body = {"model": "claude-3-haiku", "max_tokens": 100, "messages": HELLO, **fields}
    crossed = MessagesToChat(can or ChatCan()).request(dumped(body), "gpt-4o", CREATED)
    return json.loads(crossed.body), crossed


def message(*content: Json, stop: str | None = "end_turn", **fields: object) -> Json:
    usage = {"input_tokens": 10, "output_tokens": 5}
    whole = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": list(content)}
    return {**whole, "stop_reason": stop, "stop_sequence": None, "usage": usage, **fields}


def completion(finish: str | None = "stop", **said: object) -> Json:
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **said}, "finish_reason": finish}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [choice]} | {
        "usage": usage
    }


def event(kind: str, **fields: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), dumped({"type": kind, **fields}))


def cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _block_events(index: int, block: Json, size: int) -> list[bytes]:
    kind = block["type"]
    deltas: list[Json] = []
    if kind == "text":
        begun: Json = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": piece} for piece in cut(block["text"], size)]
    elif kind == "thinking":
        begun = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in cut(block["thinking"], size)]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    elif kind == "tool_use":
        begun = {**block, "input": {}}
        whole = "" if block["input"] == {} else dumped(block["input"]).decode()
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *cut(whole, size)]]
    else:
        begun = block
    return [
        event("content_block_start", index=index, content_block=begun),
        *(event("content_block_delta", index=index, delta=delta) for delta in deltas),
        event("content_block_stop", index=index),
    ]


def message_events(whole: Json, size: int = 3) -> list[bytes]:
    """The stream of a message, whose texts come in pieces of so many characters."""
    begun = {**whole, "content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 1}}
    events = [event("message_start", message=begun), event("ping")]
    for index, block in enumerate(whole["content"]):
        events += _block_events(index, block, size)
    end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    events.append(event("message_delta", delta=end, usage={"output_tokens": whole["usage"]["output_tokens"]}))
    return [*events, event("message_stop")]


def chunk(delta: Json | None = None, finish: str | None = None, **fields: object) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
    return b"data: %b\n\n" % dumped({**head, "choices": choices, **fields})


DONE = b"data: [DONE]\n\n"


def call_chunk(index: int, arguments: str, ident: str | None = None, name: str | None = None) -> bytes:
    call: Json = {"index": index, "function": {"arguments": arguments}}
    if ident is not None:
        call |= {"id": ident, "type": "function"}
        call["function"]["name"] = name
    return chunk({"tool_calls": [call]})


def completion_chunks(whole: Json, size: int = 3) -> list[bytes]:
    """The stream of a chat completion, whose texts come in pieces of so many characters."""
    choice = whole["choices"][0]
    said = choice["message"]
    chunks = [chunk({"role": "assistant", "content": ""})]
    for field in ("reasoning_content", "content", "refusal"):
        chunks += [chunk({field: piece}) for piece in cut(said.get(field) or "", size)]
    for index, call in enumerate(said.get("tool_calls") or ()):
        chunks.append(call_chunk(index, "", call["id"], call["function"]["name"]))
        chunks += [call_chunk(index, piece) for piece in cut(call["function"]["arguments"], size)]
    return [*chunks, chunk({}, choice["finish_reason"]), chunk(usage=whole["usage"]), DONE]


def data_of(stream: bytes) -> list[Any]:
    """The data of every event, in its order; `[DONE]` as text."""
    lines = [line[5:].strip() for line in stream.split(b"\n") if line.startswith(b"data:")]
    return [line.decode() if line == b"[DONE]" else json.loads(line) for line in lines]


def gathered_chat(stream: bytes) -> Json:
    """What a client of chat completions puts together: the fields of an answer, and whether it ended."""
    *chunks, end = data_of(stream)
    said: Json = {"content": None, "reasoning_content": "", "blocks": [], "calls": [], "finish": None}
    for one in chunks if end == "[DONE]" else [*chunks, end]:
        said |= {"id": one["id"], "model": one["model"], "usage": one.get("usage")}
        for choice in one["choices"]:
            _gather_delta(said, choice["delta"])
            said["finish"] = choice["finish_reason"] or said["finish"]
    return said | {"ended": end == "[DONE]"}


def _gather_delta(said: Json, delta: Json) -> None:
    if delta.get("content"):
        said["content"] = (said["content"] or "") + delta["content"]
    said["reasoning_content"] += delta.get("reasoning_content") or ""
    for block in delta.get("thinking_blocks", []):
        if block["index"] == len(said["blocks"]):
            said["blocks"].append({})
        known = said["blocks"][block.pop("index")]
        told = {"thinking": known.get("thinking", "") + block["thinking"]} if "thinking" in block else {}
        known |= block | told
    for call in delta.get("tool_calls") or ():
        if "id" in call:
            assert call["index"] == len(said["calls"])
            said["calls"].append([call["id"], call["function"]["name"], ""])
        said["calls"][call["index"]][2] += call["function"]["arguments"]


def told_chat(body: bytes) -> Json:
    """The same of a complete answer."""
    whole = json.loads(body)
    choice = whole["choices"][0]
    said = choice["message"]
    return {
        "content": said["content"] or None,
        "reasoning_content": said.get("reasoning_content", ""),
        "blocks": said.get("thinking_blocks", []),
        "calls": [
            [call["id"], call["function"]["name"], call["function"]["arguments"]] for call in said.get("tool_calls", [])
        ],
        "finish": choice["finish_reason"],
        "id": whole["id"],
        "model": whole["model"],
        "usage": whole["usage"],
        "ended": True,
    }


def gathered_message(stream: bytes) -> Json:
    """What a client of messages puts together; blocks must follow each other. `ended` as above."""
    whole: Json = {}
    open_block: int | None = None
    inputs: list[str] = []
    for one in data_of(stream):
        kind = one["type"]
        if kind == "message_start":
            whole = one["message"] | {"ended": False}
        elif kind == "content_block_start":
            assert open_block is None
            assert one["index"] == len(whole["content"])
            open_block = one["index"]
            whole["content"].append(one["content_block"])
            inputs.append("")
        elif kind == "content_block_delta":
            assert one["index"] == open_block
            _gather_block(whole["content"][one["index"]], inputs, one)
        elif kind == "content_block_stop":
            assert one["index"] == open_block
            open_block = None
            if inputs[one["index"]]:
                whole["content"][one["index"]]["input"] = json.loads(inputs[one["index"]])
        elif kind == "message_delta":
            whole |= one["delta"] | {"usage": one["usage"]}
        elif kind == "message_stop":
            assert open_block is None
            whole["ended"] = True
    return whole


def _gather_block(block: Json, inputs: list[str], one: Json) -> None:
    delta = one["delta"]
    for field in ("text", "thinking", "signature"):
        block |= {field: block[field] + delta[field]} if field in delta else {}
    inputs[one["index"]] += delta.get("partial_json", "")
