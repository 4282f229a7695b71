"""Answers with 200 that end by the provider's filter: given to the client as they are, and to nobody else."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from harness.gate import HUGE
from harness.twin import Twin
from tests.e2e.stand import USER, Gate, tries
from tests.twin.http import Answer

PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages", "responses": "/v1/responses"}
MAKERS = {"chat": "openai", "messages": "anthropic", "responses": "openai"}
FORMS = [f"{kind}-{form}-{said}" for kind in PATHS for form in ("whole", "stream") for said in ("some", "nothing")]
TEXT = "The gate"
KEY = "tg-red-0123456789abcdef"
CACHED = {"enabled": True, "ttl_seconds": 600}
CHAT_USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
USAGE = {"input_tokens": 9, "output_tokens": 2}


@dataclass(frozen=True)
class Form:
    """One kind of call whose answer is filtered: whole or streamed, with some text before or with nothing."""

    name: str

    @property
    def kind(self) -> str:
        return self.name.split("-")[0]

    @property
    def streamed(self) -> bool:
        return "-stream-" in self.name

    @property
    def text(self) -> str:
        return TEXT if self.name.endswith("-some") else ""

    def question(self, strategy: str) -> dict[str, Any]:
        common: dict[str, Any] = {"model": strategy, "stream": self.streamed}
        if self.kind == "responses":
            return common | {"input": "three short words", "store": False}
        if self.kind == "chat" and self.streamed:
            common["stream_options"] = {"include_usage": True}
        if self.kind == "messages":
            common |= {"max_tokens": 100, "stop_sequences": [" t9"]}  # what ends for want of room is not kept either
        return common | {"messages": USER}

    def answer(self) -> bytes:
        """As its maker ends it."""
        events = {"chat": _chat, "messages": _messages, "responses": _responses}[self.kind](self.text)
        if not self.streamed:
            return json.dumps(events[-1]).encode()
        return b"".join(_event(event, named=self.kind != "chat") for event in events[:-1])


def _event(data: Any, *, named: bool) -> bytes:
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {data['type']}\n" if named else "").encode() + f"data: {text}\n\n".encode()


def _chat(text: str) -> list[Any]:
    """The chunks of a stream, and last the whole answer."""
    base = {"id": "c", "created": 1, "model": "m"}

    def chunk(delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return base | {"object": "chat.completion.chunk", "choices": [choice]}

    said = [chunk({"content": text})] if text else []
    usage = base | {"object": "chat.completion.chunk", "choices": [], "usage": CHAT_USAGE}
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "content_filter"}
    whole = base | {"object": "chat.completion", "choices": [choice], "usage": CHAT_USAGE}
    return [chunk({"role": "assistant", "content": ""}), *said, chunk({}, "content_filter"), usage, "[DONE]", whole]


def _messages(text: str) -> list[Any]:
    base: dict[str, Any] = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m"}
    block = {"type": "text", "text": text}
    said: list[Any] = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "content_block_stop", "index": 0},
    ]
    begun = base | {"content": [], "stop_reason": None, "stop_sequence": None, "usage": USAGE | {"output_tokens": 1}}
    end = {"stop_reason": "refusal", "stop_sequence": None}
    whole = base | {"content": [block] if text else [], **end, "usage": USAGE}
    return [
        {"type": "message_start", "message": begun},
        *(said if text else []),
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
        whole,
    ]


def _responses(text: str) -> list[Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "incomplete"}
    base = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "output": [], "status": "in_progress"}
    whole: dict[str, Any] = base | {
        "status": "incomplete",
        "incomplete_details": {"reason": "content_filter"},
        "output": [item | {"content": [part]}] if text else [],
        "usage": USAGE | {"total_tokens": 11},
    }
    at: dict[str, Any] = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    said: list[dict[str, Any]] = [
        {"type": "response.output_item.added", "output_index": 0, "item": item | {"content": []}},
        {"type": "response.content_part.added", **at, "part": part | {"text": ""}},
        {"type": "response.output_text.delta", **at, "delta": text},
        {"type": "response.output_text.done", **at, "text": text},
    ]
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": base},
        *(said if text else []),
        {"type": "response.incomplete", "response": whole},
    ]
    return [*({**event, "sequence_number": number} for number, event in enumerate(events)), whole]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    models = [{"name": name, "provider": MAKERS[name.split("-")[0]]} for name in FORMS]
    tree = {
        "limits": {"rpm": HUGE, "tpm": HUGE, "otpm": HUGE},
        "timing": {"ttft_ms": 0, "tpot_ms": 0, "tokens": 20},
        "models": [*models, {"name": "other"}],
    }
    twin = Twin(tmp_path_factory.mktemp("twin"), tree)
    yield twin
    twin.close()


@pytest.fixture(scope="module")
def keeping(judge: Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate that keeps answers, and that has another model for every call that fails."""
    base = f"http://127.0.0.1:{judge.port}"

    def provider(maker: str, path: str, names: list[str]) -> dict[str, Any]:
        limits = {"rpm": HUGE, "itpm": HUGE, "otpm": HUGE} if maker == "anthropic" else {"rpm": HUGE, "tpm": HUGE}
        scope = {"name": "main", "keys": [f"sk-{maker}"], "limits": dict.fromkeys(names, limits)}
        return {"profile": maker, "base_url": base + path, "scopes": [scope]}

    claudes = [name for name in FORMS if MAKERS[name.split("-")[0]] == "anthropic"]
    others = ["other", *(name for name in FORMS if name not in claudes)]
    gate = Gate(
        tmp_path_factory.mktemp("gate"),
        {
            "providers": {
                "openai": provider("openai", "/openai/v1", others),
                "anthropic": provider("anthropic", "/anthropic", claudes),
            },
            "namespaces": {"red": {"keys": [{"name": "red-key", "key": KEY}]}},
            "strategies": {
                f"s-{name}": {"primary_model": name, "fallback_models": [{"model": "other"}], "caching": CACHED}
                for name in FORMS
            },
        },
    )
    yield gate
    gate.close()


@pytest.mark.parametrize("name", FORMS)
async def test_what_a_filter_ends_is_an_answer(keeping: Gate, judge: Twin, name: str) -> None:
    """The client gets the provider's bytes, no other model is asked, it is booked, and nobody else is given it."""
    form, strategy = Form(name), f"s-{name}"
    headers = {"content-type": "text/event-stream"} if form.streamed else {}
    fault = {"fault": "status", "status": 200, "body": form.answer().decode(), "headers": headers, "charged": True}
    judge.fault(fault | {"match": {"model": name}})

    async def ask() -> Answer:
        return await keeping.post(PATHS[form.kind], form.question(strategy), authorization=f"Bearer {KEY}")

    for _ in range(5):  # as many as would close a lane that fails
        reply = await ask()
        assert (reply.status, reply.body) == (200, form.answer())
        assert reply.headers["x-tidegate-cache"] == "miss"
        assert [word.rpartition(" ")[2] for word in tries(reply)] == ["200"]
    judge.fault()
    assert [(await ask()).headers["x-tidegate-cache"] for _ in range(2)] == ["miss", "hit"]
    assert (len(judge.calls(name)), judge.calls("other")) == (6, [])
    records = keeping.records(strategy)[:5]
    assert {(one.status, one.target.rpartition("/")[2], one.attempts) for one in records} == {(200, name, 1)}
    assert {(one.prompt_tokens, one.completion_tokens, one.estimated) for one in records} == {(9, 2, False)}
    assert all(one.charged_tokens for one in records)
