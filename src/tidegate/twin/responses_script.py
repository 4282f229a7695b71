"""An answer in the JSON of OpenAI's Responses API: whole, or as numbered events. Pure bytes; no I/O, no clock.

Each block of the answer is an item of the output: what was thought (told by its tokens only), a message, a call of a
function. Source: platform.openai.com/docs/api-reference/responses-streaming (November 2026).
"""

from typing import Any, Final

import msgspec

from tidegate.twin.answers import TEXT, THINKING, TOOL, Answer, Block
from tidegate.twin.asks import Ask
from tidegate.twin.calls import Call
from tidegate.twin.dialect import Forms
from tidegate.twin.faults import Rule

_quoted = msgspec.json.encode


def _failure(rule: Rule) -> bytes:
    """As OpenAI tells of it in these streams: an event of the type `error`."""
    message = rule.message or "The server had an error while processing your request."
    body = {"type": "error", "code": rule.code or "server_error", "message": message, "param": None}
    return b"event: error\ndata: %b\n\n" % _quoted(body | {"sequence_number": 0})


RESPONSE_FORMS: Final = Forms(
    broken=b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","del\n\n',
    content=(b"event: response.output_text.delta",),
    arguments=(b"event: response.function_call_arguments.delta",),
    finish=(b"event: response.output_text.done", b"event: response.function_call_arguments.done"),
    end=(b"event: response.completed", b"event: response.incomplete"),
    failure=_failure,
)


class ResponseScript:
    """One answer, ready to be spoken, its events in order."""

    __slots__ = ("_ask", "_call", "_created", "_name", "_sequence", "answer")

    forms: Forms = RESPONSE_FORMS

    def __init__(self, call: Call, ask: Ask, answer: Answer, created: int) -> None:
        self.answer = answer
        self._ask = ask
        self._call = call
        self._created = created
        self._name = call.request_id[4:]
        self._sequence = 0

    def unary(self) -> bytes:
        """The whole reply."""
        return _quoted(self._response(done=True))

    def opening(self) -> bytes:
        """The response, with nothing in it."""
        begun = self._response(done=False)
        events = [self._event(f"response.{state}", {"response": begun}) for state in ("created", "in_progress")]
        return b"".join([*events, self._begin(0) if self.answer.units else b""])

    def pieces(self, first: int, last: int, chunk_tokens: int) -> bytes:
        """The events of units first+1 … last."""
        return b"".join([self._piece(*span) for span in self.answer.spans(first, last, chunk_tokens)])

    def closing(self) -> bytes:
        """The whole response once more."""
        state = "incomplete" if self.answer.finish == "length" else "completed"
        return self._event(f"response.{state}", {"response": self._response(done=True)})

    def _response(self, *, done: bool) -> dict[str, Any]:
        answer = self.answer
        cut = done and answer.finish == "length"
        return {
            "id": f"resp_{self._name}",
            "object": "response",
            "created_at": self._created,
            "status": ("incomplete" if cut else "completed") if done else "in_progress",
            "background": False,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
            "instructions": None,
            "max_output_tokens": None,
            "model": self._call.model,
            "output": [self._item(at, done=True) for at in range(len(answer.blocks))] if done else [],
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "reasoning": {"effort": None, "summary": None},
            "store": False,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": self._usage() if done else None,
            "user": None,
            "metadata": {},
        } | self._ask.echo

    def _usage(self) -> dict[str, Any]:
        prompt, units = self._call.prompt_tokens, self.answer.units
        return {
            "input_tokens": prompt,
            "input_tokens_details": {"cached_tokens": self._call.cached_tokens},
            "output_tokens": units,
            "output_tokens_details": {"reasoning_tokens": self.answer.thought()},
            "total_tokens": prompt + units,
        }

    def _item(self, at: int, *, done: bool) -> dict[str, Any]:
        """The item of block `at`, whole or begun."""
        block = self.answer.blocks[at]
        cut = self.answer.finish == "length" and at == len(self.answer.blocks) - 1
        state = ("incomplete" if cut else "completed") if done else "in_progress"
        item: dict[str, Any] = {"id": self._id(at), "type": "reasoning", "summary": []}
        if block.kind == TOOL:
            item |= {"type": "function_call", "status": state, "call_id": f"call_{self._name}_{at}"}
            item |= {"name": block.name, "arguments": _text(block) if done else ""}
        elif block.kind == TEXT:
            part = _part(_text(block))
            item = {"id": self._id(at), "type": "message", "status": state, "role": "assistant"}
            item["content"] = [part] if done else []
        return item

    def _id(self, at: int) -> str:
        kind = {TEXT: "msg", TOOL: "fc", THINKING: "rs"}[self.answer.blocks[at].kind]
        return f"{kind}_{self._name}_{at}"

    def _begin(self, at: int) -> bytes:
        """An item begins."""
        event = self._event("response.output_item.added", {"output_index": at, "item": self._item(at, done=False)})
        if self.answer.blocks[at].kind == TEXT:
            event += self._event(
                "response.content_part.added", self._where(at) | {"content_index": 0, "part": _part("")}
            )
        return event

    def _piece(self, at: int, first: int, last: int) -> bytes:
        block = self.answer.blocks[at]
        events = [self._begin(at)] if not first and at else []
        if block.kind != THINKING:
            told = {"output_text.delta": TEXT, "function_call_arguments.delta": TOOL}
            kind = next(name for name, of in told.items() if of == block.kind)
            place = self._where(at) | ({"content_index": 0, "logprobs": []} if block.kind == TEXT else {})
            events.append(self._event(f"response.{kind}", place | {"delta": msgspec.Raw(_string(block, first, last))}))
        if last == block.units:
            events.append(self._finish(at, block))
        return b"".join(events)

    def _finish(self, at: int, block: Block) -> bytes:
        """An item is complete."""
        place, text = self._where(at), _text(block)
        events = []
        if block.kind == TEXT:
            inner = place | {"content_index": 0}
            events.append(self._event("response.output_text.done", inner | {"text": text, "logprobs": []}))
            events.append(self._event("response.content_part.done", inner | {"part": _part(text)}))
        elif block.kind == TOOL:
            done = place | {"name": block.name, "arguments": text}
            events.append(self._event("response.function_call_arguments.done", done))
        item = {"output_index": at, "item": self._item(at, done=True)}
        return b"".join([*events, self._event("response.output_item.done", item)])

    def _where(self, at: int) -> dict[str, Any]:
        return {"item_id": self._id(at), "output_index": at}

    def _event(self, kind: str, fields: dict[str, Any]) -> bytes:
        number, self._sequence = self._sequence, self._sequence + 1
        body = _quoted({"type": kind, "sequence_number": number} | fields)
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), body)


def _string(block: Block, first: int, last: int) -> bytes:
    return b'"%b"' % block.piece(first, last)


def _text(block: Block) -> str:
    text: str = msgspec.json.decode(_string(block, 0, block.units))
    return text


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
