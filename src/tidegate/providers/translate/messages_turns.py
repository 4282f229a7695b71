"""The system prompt and the turns of Anthropic's messages as the messages of chat completions.

Each result of a tool is a message of its own, right after the calls; what a result shows beside text follows in the
user's message. Texts of one system prompt, of one answer and of one result are joined, as most providers read a text
only there.
"""

import msgspec

from tidegate.providers.translate.absent import has
from tidegate.providers.translate.face import Untranslatable
from tidegate.providers.translate.media import document_part, image_part
from tidegate.providers.translate.reading import Dropped, read_inner
from tidegate.providers.translate.records import ChatCan
from tidegate.providers.translate.words_chat import Called, Message, Part, ThinkingBlock, ToolCall
from tidegate.providers.translate.words_messages import Block, Turn

SEE_BELOW = "(The result follows in the next message.)"  # of a tool that answers with a picture or a file

_decode_content = msgspec.json.Decoder(str | list[Block]).decode
_THOUGHTS = frozenset({"thinking", "redacted_thinking"})


class Messages:
    """Turns in, one by one; messages out."""

    __slots__ = ("_can", "_dropped", "messages")

    def __init__(self, can: ChatCan, dropped: Dropped) -> None:
        self._can = can
        self._dropped = dropped
        self.messages: list[Message] = []

    def system(self, content: str | list[Block] | None) -> None:
        """The system prompt: one message, whose parts stay apart only where marks on them are read."""
        parts = self._parts(content, "system")
        if any(part.type != "text" for part in parts):
            raise Untranslatable("A system prompt can only have text.", "system")
        if parts and any(has(part.cache_control) for part in parts):
            self.messages.append(Message("system", parts))
        elif parts:
            self.messages.append(Message("system", "\n\n".join(part.text or "" for part in parts)))

    def add(self, turn: Turn) -> None:
        """Raises `Untranslatable` for a role or a content that the other dialect has not."""
        if turn.role == "user":
            self._user(turn.content)
        elif turn.role == "assistant":
            self._assistant(turn.content)
        elif turn.role == "system":
            self.system(turn.content)
        else:
            problem = f"A message of role '{turn.role[:32]}' cannot be translated. Use 'user' or 'assistant'."
            raise Untranslatable(problem, "messages.role")

    def _user(self, content: str | list[Block]) -> None:
        shown: list[Part] = []
        rest = content
        if isinstance(content, list):
            for block in content:
                if block.type == "tool_result":
                    self._result(block, shown)
            rest = [block for block in content if block.type != "tool_result"]
        parts = shown + self._parts(rest, "messages.content")
        if len(parts) == 1 and parts[0].type == "text" and not has(parts[0].cache_control):
            self.messages.append(Message("user", parts[0].text))
        elif parts:
            self.messages.append(Message("user", parts))

    def _result(self, block: Block, shown: list[Part]) -> None:
        """A tool's message; what is no text goes to `shown`."""
        content = read_inner(_decode_content, block.content, "messages.content") if has(block.content) else ""
        parts = self._parts(content, "messages.content")
        others = [part for part in parts if part.type != "text"]
        text = "\n".join(part.text or "" for part in parts if part.type == "text")
        if others and not text:
            text = SEE_BELOW
        if block.is_error and not text.lower().startswith("error"):
            text = f"Error: {text}"
        shown += others
        self._mark(block)
        self.messages.append(Message("tool", text, tool_call_id=block.tool_use_id or ""))

    def _assistant(self, content: str | list[Block]) -> None:
        blocks = [Block(type="text", text=content)] if isinstance(content, str) else content
        texts, calls, thoughts = [], [], []
        for block in blocks:
            if block.type == "text":
                texts.append(block.text or "")
            elif block.type == "tool_use":
                given = bytes(block.input).decode() if has(block.input) else "{}"
                calls.append(ToolCall(block.id or "", "function", Called(block.name or "", given)))
            elif block.type in _THOUGHTS:
                thoughts.append(block)
            else:  # what the provider's own tools were asked, and answered
                self._dropped.add("messages.content." + ("server_tool" if "tool" in block.type else "type"))
            self._mark(block)
        message = Message("assistant", "".join(texts) or None, tool_calls=calls or None)
        self._think(thoughts, message)
        if message.content is not None or calls:
            self.messages.append(message)

    def _think(self, thoughts: list[Block], message: Message) -> None:
        if not thoughts:
            return
        if not self._can.reasoning_content:
            self._dropped.add("messages.content.thinking")
            return
        message.reasoning_content = "".join(block.thinking or "" for block in thoughts) or None
        message.thinking_blocks = [
            ThinkingBlock(block.type, block.thinking, block.signature, block.data)
            for block in thoughts
            if block.signature or block.data
        ] or None

    def _parts(self, content: str | list[Block] | None, param: str) -> list[Part]:
        if isinstance(content, str):
            return [Part(type="text", text=content)] if content else []
        return [part for block in content or () if (part := self._part(block, param)) is not None]

    def _part(self, block: Block, param: str) -> Part | None:
        if block.type == "text":
            part = Part(type="text", text=block.text) if block.text else None
        elif block.type == "image":
            part = image_part(block)
        elif block.type == "document":
            part = document_part(block)
        else:
            problem = f"Content of type '{block.type[:32]}' cannot be translated. Send text or images."
            raise Untranslatable(problem, f"{param}.type")
        if part is not None and self._can.cache_control:
            part.cache_control = block.cache_control
        else:
            self._mark(block)
        return part

    def _mark(self, block: Block) -> None:
        if has(block.cache_control) and not self._can.cache_control:
            self._dropped.add("cache_control")
