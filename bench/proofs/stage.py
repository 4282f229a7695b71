"""A twin and a gate for one row, raw requests to the gate, and what came of them."""

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.twin import gated, twin
from harness.plain import Reply, exchange
from harness.twin import Twin
from tidegate.journal import journal
from tidegate.model.facts import CallRecord

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
PATHS = {"openai": CHAT, "anthropic": MESSAGES}
MANY = 1_000_000
_NUMBERED = re.compile(r"\bt(\d+)\b")


@dataclass(frozen=True, slots=True)
class Stage:
    """The running pair."""

    provider: Twin
    port: int
    home: Path

    def ask(self, path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> Reply:
        """One request to the gate, read to its end. Raises `http.client.IncompleteRead` when it is cut."""
        return exchange(self.port, path, json.dumps(body).encode(), headers)

    def calls(self, model: str) -> list[dict[str, Any]]:
        """What the twin remembers of a model, oldest first."""
        return [call for call in self.provider.ask("calls?limit=2000&full=1") if call["model"] == model]

    def records(self, plan: str) -> list[CallRecord]:
        """What the journal says of a plan."""
        (state,) = self.home.glob("gate-*/state/journal")
        return [fact for fact in journal.read(state) if isinstance(fact, CallRecord) and fact.plan == plan]


@contextlib.contextmanager
def stage(home: Path, timing: dict[str, Any], models: Sequence[dict[str, Any]], settings: Any) -> Iterator[Stage]:
    """A twin with these models, and a gate with `settings(twin)`."""
    home.mkdir()
    file = home / "twin.yaml"
    limits = {"rpm": MANY, "tpm": MANY * 1_000, "otpm": MANY * 1_000}
    file.write_text(json.dumps({"limits": limits, "model_limits": {}, "timing": timing, "models": list(models)}))
    with twin(home, "-c", str(file)) as provider, gated(home, settings(provider)) as url:
        yield Stage(provider, int(url.rpartition(":")[2].partition("/")[0]), home)


def provider(running: Twin, maker: str, models: Sequence[str], keys: Sequence[str] = ("sk-row",), **more: Any) -> Any:
    """A provider of the gate's file: `maker` is its profile, each key a scope."""
    path = "/anthropic" if maker == "anthropic" else "/openai/v1"
    scopes = [
        {"name": f"s{number}", "keys": [key], "limits": {model: {"rpm": MANY} for model in models}}
        for number, key in enumerate(keys)
    ]
    return {"profile": maker, "base_url": f"http://127.0.0.1:{running.port}{path}", "scopes": scopes, **more}


def question(model: str, tokens: int, *, stream: bool = True, **more: Any) -> dict[str, Any]:
    """A request that both makers' APIs understand."""
    asked = [{"role": "user", "content": "three short words"}]
    return {"model": model, "messages": asked, "max_tokens": tokens, "stream": stream, **more}


def events(body: bytes) -> list[dict[str, Any]]:
    """The JSON of each event of a stream."""
    lines = [line[5:].strip() for line in body.split(b"\n") if line.startswith(b"data:")]
    return [json.loads(line) for line in lines if line.startswith(b"{")]


def text_of(event: dict[str, Any]) -> str:
    """What an event adds to the answer, in either dialect."""
    if event.get("type") == "content_block_delta":
        return str(event["delta"].get("text", ""))
    return "".join(choice["delta"].get("content") or "" for choice in event.get("choices", ()))


def numbers(text: str) -> list[int]:
    """The twin's numbered tokens."""
    return [int(number) for number in _NUMBERED.findall(text)]


def spoken(told: Sequence[dict[str, Any]]) -> list[int]:
    """Those of a stream."""
    return numbers("".join(map(text_of, told)))


def usages(told: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
    """Prompt and completion as the client is told them, each time it is."""
    chats = [event["usage"] for event in told if event.get("usage") and "choices" in event]
    if chats:
        return [(usage["prompt_tokens"], usage["completion_tokens"]) for usage in chats]
    ends = [event["usage"] for event in told if event.get("type") == "message_delta"]
    return [(usage.get("input_tokens", 0), usage["output_tokens"]) for usage in ends]


def finished(told: Sequence[dict[str, Any]]) -> bool:
    """It says why it ended."""
    return any(event.get("type") == "message_stop" for event in told) or any(
        choice.get("finish_reason") for event in told for choice in event.get("choices", ())
    )


def failed(told: Sequence[dict[str, Any]]) -> bool:
    """It ends in a typed error."""
    return bool(told) and "error" in told[-1]
