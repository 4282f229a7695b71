"""The official SDKs as clients: what each of them got, in words that both have in common."""

import json
import re
import time
from dataclasses import dataclass, field

import anthropic
import openai

from bench.proofs.faults.cells import ANTHROPIC, Cell

_NUMBERED = re.compile(r"\bt(\d+)\b")
_QUESTION = "three short words"
_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "day": {"type": "string"}},
    "required": ["city", "day"],
}


@dataclass(slots=True)
class Got:
    """What a client saw.

    `first_at`: seconds since 1970 at its first content, 0 = none. `error`: the SDK's, by name. `opened`: the status a
    stream began with, 0 = none did.
    """

    text: str = ""
    arguments: str = ""
    finished: bool = False
    error: str = ""
    status: int = 0
    first_at: float = 0.0
    opened: int = 0
    pieces: list[str] = field(default_factory=list)

    @property
    def numbers(self) -> list[int]:
        """The twin's numbered tokens, as they came."""
        return [int(number) for number in _NUMBERED.findall(self.text or self.arguments)]

    @property
    def gapless(self) -> bool:
        """They count from one, each once."""
        return self.numbers == list(range(1, len(self.numbers) + 1))

    @property
    def whole(self) -> bool:
        """A tool's arguments are complete JSON; a text says why it ended."""
        if not self.finished or self.error:
            return False
        return _is_json(self.arguments) if self.arguments else bool(self.text)

    def add(self, text: str = "", arguments: str = "") -> None:
        """Some content came."""
        if not self.first_at and (text or arguments):
            self.first_at = time.time()
        self.text += text
        self.arguments += arguments


class Clients:
    """Both SDKs over one gate, without retries of their own."""

    def __init__(self, url: str) -> None:
        self._openai = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0, timeout=60)
        self._anthropic = anthropic.AsyncAnthropic(base_url=url, api_key="any", max_retries=0, timeout=60)

    async def ask(self, cell: Cell, headers: dict[str, str] | None = None, tokens: int = 20) -> Got:
        """One call of this cell. Never raises what an SDK raises: it is part of what the client got."""
        got = Got()
        try:
            if cell.client == ANTHROPIC:
                await self._messages(cell, got, headers or {}, tokens)
            else:
                await self._chat(cell, got, headers or {}, tokens)
        except (openai.APIError, anthropic.APIError) as error:
            got.error = type(error).__name__
            got.status = getattr(error, "status_code", 0)
        except Exception as error:  # noqa: BLE001 - what no SDK wraps is what its user would see
            got.error = f"unwrapped {type(error).__name__}"
        return got

    async def close(self) -> None:
        """Close their connections."""
        await self._openai.close()
        await self._anthropic.close()

    async def _chat(self, cell: Cell, got: Got, headers: dict[str, str], tokens: int) -> None:
        tool = {"type": "function", "function": {"name": "look", "description": "look", "parameters": _SCHEMA}}
        tools = {"tools": [tool], "tool_choice": "required"} if cell.fault.tools else {}
        question = [{"role": "user", "content": _QUESTION}]
        fields = {"model": cell.strategy, "messages": question, "max_tokens": tokens, **tools}
        if not cell.stream:
            answer = await self._openai.chat.completions.create(**fields, extra_headers=headers)  # type: ignore[call-overload]
            choice = answer.choices[0]
            got.add(choice.message.content or "")
            for call in choice.message.tool_calls or ():
                got.add(arguments=call.function.arguments)
            got.finished = bool(choice.finish_reason)
            return
        stream = await self._openai.chat.completions.create(**fields, stream=True, extra_headers=headers)  # type: ignore[call-overload]
        got.opened = stream.response.status_code
        async for chunk in stream:
            for choice in chunk.choices or ():
                got.add(choice.delta.content or "")
                for call in choice.delta.tool_calls or ():
                    got.add(arguments=(call.function.arguments if call.function else None) or "")
                got.finished = got.finished or bool(choice.finish_reason)

    async def _messages(self, cell: Cell, got: Got, headers: dict[str, str], tokens: int) -> None:
        tool = {"name": "look", "description": "look", "input_schema": _SCHEMA}
        tools = {"tools": [tool], "tool_choice": {"type": "any"}} if cell.fault.tools else {}
        question = [{"role": "user", "content": _QUESTION}]
        fields = {"model": cell.strategy, "messages": question, "max_tokens": tokens, **tools}
        if not cell.stream:
            answer = await self._anthropic.messages.create(**fields, extra_headers=headers)  # type: ignore[call-overload]
            for block in answer.content:
                got.add(getattr(block, "text", ""), json.dumps(block.input) if block.type == "tool_use" else "")
            got.finished = bool(answer.stop_reason)
            return
        stream = await self._anthropic.messages.create(**fields, stream=True, extra_headers=headers)  # type: ignore[call-overload]
        got.opened = stream.response.status_code
        async for event in stream:
            if event.type == "content_block_delta":
                got.add(getattr(event.delta, "text", ""), getattr(event.delta, "partial_json", ""))
            elif event.type == "message_stop":
                got.finished = True


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
