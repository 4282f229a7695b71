"""What a client got: a reply in either dialect, whole or as a stream, read as strictly as an SDK reads it. Pure."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_NUMBERED: Final = re.compile(r"\bt(\d+)\b")
_DONE: Final = "[DONE]"


@dataclass(slots=True)
class Heard:
    """One reply. `ended`: by the dialect's own last word; `error`: what the client was told; times are microseconds."""

    status: int = 0
    text: str = ""
    finished: bool = False  # it says why it ended
    ended: bool = False
    error: str = ""
    broken: str = ""  # how the connection broke off
    garbled: bool = False  # something in it is no JSON
    tokens: int | None = None  # its usage, prompt and answer together
    sent_us: int = 0
    done_us: int = 0

    @property
    def numbers(self) -> list[int]:
        """The twin's numbered words, as they came."""
        return [int(number) for number in _NUMBERED.findall(self.text)]

    @property
    def gapless(self) -> bool:
        """They count from one, each once."""
        return self.numbers == list(range(1, len(self.numbers) + 1))

    @property
    def told(self) -> bool:
        """A client can see that this is not all: an error, or a connection that broke off."""
        return bool(self.error or self.broken) or not 200 <= self.status < 300

    @property
    def said(self) -> str:
        """In a few words, for a report."""
        words = [f"status {self.status}", f"{len(self.numbers)} tokens", "finished" if self.finished else "unfinished"]
        words += ["garbled"] if self.garbled else []
        return ", ".join(words + [word for word in (self.error[:80], self.broken[:80]) if word])

    def whole(self, tokens: int) -> bool:
        """All of so many tokens, with a reason to stop, and no error."""
        complete = self.finished and self.ended and len(self.numbers) == tokens
        return complete and self.status == 200 and not self.told and not self.garbled


def unary(status: int, body: bytes) -> Heard:
    """A reply in one piece."""
    heard = Heard(status)
    tree = _tree(body)
    if not isinstance(tree, dict):
        heard.garbled = True
        return heard
    heard.ended = True
    if tree.get("error"):
        heard.error = _message(tree["error"])
    elif "choices" in tree:
        _chat(heard, tree, "message")
    elif isinstance(tree.get("content"), list):
        heard.text = "".join(str(block.get("text") or "") for block in tree["content"] if isinstance(block, dict))
        heard.finished = bool(tree.get("stop_reason"))
    _usage(heard, tree.get("usage"))
    return heard


def streamed(status: int, raw: bytes, broken: str = "") -> Heard:
    """A reply in events, all that came of it; `broken`: how the connection ended, "" = as it should."""
    heard = Heard(status, broken=broken)
    for data in _events(raw):
        if data == _DONE:
            heard.ended = True
            continue
        event = _tree(data.encode())
        if not isinstance(event, dict):
            heard.garbled = True
        elif event.get("error"):
            heard.error = _message(event["error"])
        elif "choices" in event:
            _chat(heard, event, "delta")
            _usage(heard, event.get("usage"))
        else:
            _messages(heard, event)
    return heard


def _events(raw: bytes) -> Iterator[str]:
    """The data of every event that is complete, as the standard reads them."""
    text = raw.decode("utf-8", "replace").replace("\r\n", "\n")
    for block in text.split("\n\n")[:-1]:
        lines = [line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
        if lines:
            yield "\n".join(lines)


def _chat(heard: Heard, tree: dict[str, Any], where: str) -> None:
    for choice in tree["choices"] or ():
        said = choice.get(where) or {}
        heard.text += str(said.get("content") or "")
        heard.finished = heard.finished or bool(choice.get("finish_reason"))


def _messages(heard: Heard, event: dict[str, Any]) -> None:
    match event.get("type"):
        case "message_start":
            started = (event.get("message") or {}).get("usage") or {}
            heard.tokens = int(started.get("input_tokens") or 0)  # the answer's are told at its end
        case "content_block_delta":
            heard.text += str((event.get("delta") or {}).get("text") or "")
        case "message_delta":
            heard.finished = heard.finished or bool((event.get("delta") or {}).get("stop_reason"))
            _usage(heard, {"input_tokens": heard.tokens} | (event.get("usage") or {}))
        case "message_stop":
            heard.ended = True


def _usage(heard: Heard, usage: Any) -> None:
    """Of prompt and answer together, as either dialect says it."""
    if isinstance(usage, dict):
        total = usage.get("total_tokens")
        both = int(usage.get("input_tokens") or 0) + int(usage.get("output_tokens") or 0)
        heard.tokens = both if total is None else int(total)


def _tree(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _message(error: Any) -> str:
    if isinstance(error, dict):
        return str(error.get("message") or error.get("type") or error.get("code") or "an error")
    return str(error)
