"""The messages of chat completions as the system prompt and the turns of Anthropic's messages.

Anthropic's turns alternate and begin with the user's; the results of tools open the turn after their calls; there are
no empty texts. System prompts, wherever they stand, become the system prompt in their order.
"""

import re

import msgspec

from tidegate.providers.translate.absent import has
from tidegate.providers.translate.face import Untranslatable
from tidegate.providers.translate.media import document_of, source_of
from tidegate.providers.translate.reading import Dropped, arguments_of
from tidegate.providers.translate.words_chat import Message, Part, ToolCall
from tidegate.providers.translate.words_messages import Block, Turn

OPENING = "(The assistant speaks first.)"  # stands where the user has said nothing yet

_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_-]")
_SYSTEM = frozenset({"system", "developer"})
_EPHEMERAL = msgspec.Raw(b'{"type":"ephemeral"}')
_encode = msgspec.json.Encoder().encode


class Turns:
    """Messages in, one by one; the system prompt and the turns out."""

    __slots__ = ("_dropped", "_results", "system", "turns")

    def __init__(self, dropped: Dropped) -> None:
        self._dropped = dropped
        self._results = 0  # blocks at the head of the last turn that are tools' results
        self.system: list[Block] = []
        self.turns: list[Turn] = []

    def add(self, message: Message) -> None:
        """Raises `Untranslatable` for a role or a content that the other dialect has not."""
        role = message.role
        if message.name and role != "tool":
            self._dropped.add("messages.name")
        if role in _SYSTEM:
            if self.turns:  # what it stood behind, it stands before
                self._dropped.add("messages.role")
            self.system += self._marked(self._texts(message), message)
        elif role == "user":
            self._say("user", self._marked(self._parts(message.content), message))
        elif role == "assistant":
            self._say("assistant", self._marked(self._assistant(message), message))
        elif role == "tool":
            self._result(message)
        else:
            raise Untranslatable(f"A message of role '{role[:32]}' cannot be translated. Use 'tool'.", "messages.role")

    def close(self) -> None:
        """After the last message: what Anthropic does not take is mended. Raises `Untranslatable` when none is left."""
        if not self.turns:
            self.turns.append(Turn("user", list(self.system)))
            self.system = []
        if not self.turns[0].content:
            raise Untranslatable("'messages' has no text. Send at least one message with content.", "messages")
        if self.turns[0].role == "assistant":
            self.turns.insert(0, Turn("user", [Block(type="text", text=OPENING)]))
        last = self.turns[-1].content[-1]
        if self.turns[-1].role == "assistant" and isinstance(last, Block) and last.text:
            last.text = last.text.rstrip()  # "final assistant content cannot end with trailing whitespace"

    def _say(self, role: str, blocks: list[Block]) -> None:
        if not blocks:
            return
        if self.turns and self.turns[-1].role == role:
            self._last().extend(blocks)
            return
        self.turns.append(Turn(role, blocks))
        self._results = 0

    def _last(self) -> list[Block]:
        content = self.turns[-1].content
        return content if isinstance(content, list) else []

    def _result(self, message: Message) -> None:
        """One tool's result, behind the others at the head of the user's turn."""
        parts = self._parts(message.content)
        block = Block(type="tool_result", tool_use_id=_id(message.tool_call_id or "", "messages.tool_call_id"))
        if len(parts) == 1 and parts[0].type == "text" and not has(parts[0].cache_control):
            block.content = msgspec.Raw(_encode(parts[0].text))
        elif parts:
            block.content = msgspec.Raw(_encode(parts))
        block.cache_control = message.cache_control
        if not self.turns or self.turns[-1].role != "user":
            self._say("user", [block])
        else:
            self._last().insert(self._results, block)
        self._results += 1

    def _assistant(self, message: Message) -> list[Block]:
        if has(message.function_call) or has(message.audio):
            field = "messages.audio" if has(message.audio) else "messages.function_call"
            raise Untranslatable(f"'{field}' cannot be translated. Send 'content' or 'tool_calls'.", field)
        blocks = self._thoughts(message)
        blocks += self._parts(message.content)
        if message.refusal and message.refusal.strip():
            blocks.append(Block(type="text", text=message.refusal))
        blocks += [self._call(call) for call in message.tool_calls or ()]
        return blocks

    def _thoughts(self, message: Message) -> list[Block]:
        """Thoughts that their maker signed; others are not believed by it."""
        blocks = []
        for thought in message.thinking_blocks or ():
            if thought.type == "redacted_thinking" and thought.data:
                blocks.append(Block(type=thought.type, data=thought.data))
            elif thought.type == "thinking" and thought.signature and thought.thinking is not None:
                blocks.append(Block(type=thought.type, thinking=thought.thinking, signature=thought.signature))
        if not blocks and message.reasoning_content:
            self._dropped.add("messages.reasoning_content")
        return blocks

    def _call(self, call: ToolCall) -> Block:
        ident = _id(call.id, "messages.tool_calls.id")
        if call.custom is not None:
            return Block(type="tool_use", id=ident, name=call.custom.name, input=_wrapped("input", call.custom.input))
        if call.function is None:
            param = "messages.tool_calls.function"
            raise Untranslatable(f"Missing required parameter: '{param}'.", param)
        given = arguments_of(call.function.arguments)
        if given is None:  # what a model wrote by mistake; the turns that follow speak of it
            self._dropped.add("messages.tool_calls.function.arguments")
            given = _wrapped("invalid_json", call.function.arguments)
        return Block(type="tool_use", id=ident, name=call.function.name, input=given)

    def _texts(self, message: Message) -> list[Block]:
        blocks = self._parts(message.content)
        if any(block.type != "text" for block in blocks):
            problem = "A system prompt can only have text. Move the rest to a user message."
            raise Untranslatable(problem, "messages.content")
        return blocks

    def _parts(self, content: str | list[Part] | None) -> list[Block]:
        if content is None:
            return []
        if isinstance(content, str):
            return [Block(type="text", text=content)] if content.strip() else []
        return [block for part in content if (block := self._part(part)) is not None]

    def _part(self, part: Part) -> Block | None:
        block = self._block(part)
        if block is not None and has(part.cache_control):
            block.cache_control = part.cache_control
        elif block is not None and has(part.prompt_cache_breakpoint):
            block.cache_control = _EPHEMERAL
        return block

    def _block(self, part: Part) -> Block | None:
        if part.type in {"text", "refusal"}:
            text = part.text if part.text is not None else part.refusal
            return Block(type="text", text=text) if text and text.strip() else None
        if part.type == "image_url" and part.image_url is not None:
            image = part.image_url
            if not isinstance(image, str) and image.detail not in {None, "auto"}:
                self._dropped.add("messages.content.image_url.detail")
            return Block(type="image", source=source_of(image if isinstance(image, str) else image.url))
        if part.type == "file" and part.file is not None:
            return document_of(part.file)
        param = f"messages.content.{part.type}" if part.type == "input_audio" else "messages.content.type"
        raise Untranslatable(f"Content of type '{part.type[:32]}' cannot be translated. Send text or images.", param)

    @staticmethod
    def _marked(blocks: list[Block], message: Message) -> list[Block]:
        if blocks and has(message.cache_control):
            blocks[-1].cache_control = message.cache_control
        return blocks


def _id(ident: str, param: str) -> str:
    """The id with what Anthropic takes in one; the same id always becomes the same."""
    if not ident:
        raise Untranslatable(f"Missing required parameter: '{param}'.", param)
    return _NOT_IN_AN_ID.sub("_", ident)


def _wrapped(name: str, text: str) -> msgspec.Raw:
    return msgspec.Raw(_encode({name: text}))
