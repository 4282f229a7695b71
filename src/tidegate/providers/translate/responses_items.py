"""The instructions and input items of the Responses API as the messages of chat completions.

Calls of one turn, and the text before them, are one message; what the functions answered stands right behind it, as
chat completions demand, wherever the items stand. Texts of one instruction, one answer and one result are joined, as
most providers read a text only there. Built-in tools' traces are left out: what came of them is in the messages.
"""

import msgspec

from tidegate.providers.translate.absent import has
from tidegate.providers.translate.face import Untranslatable
from tidegate.providers.translate.reading import Dropped, read_inner
from tidegate.providers.translate.records import ChatCan
from tidegate.providers.translate.responses_words import Item, Part
from tidegate.providers.translate.words_chat import Called, File, ImageUrl, Message, ToolCall
from tidegate.providers.translate.words_chat import Part as ChatPart

SEE_BELOW = "(The result follows in the next message.)"  # of a function that answers with a picture or a file
ELSEWHERE = "or route the model to a provider with the Responses API"

_TRACES = frozenset({"web_search_call", "file_search_call", "code_interpreter_call", "mcp_list_tools"})
_TEXTS = frozenset({"input_text", "output_text", "text", "reasoning_text", "summary_text"})
_EPHEMERAL = msgspec.Raw(b'{"type":"ephemeral"}')
_decode_content = msgspec.json.Decoder(str | list[Part]).decode
_decode_text = msgspec.json.Decoder(str).decode


class _Turn:
    """A message; of an assistant's, what was answered to its calls, and what such an answer shows beside text."""

    __slots__ = ("message", "results", "shown")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.results: list[Message] = []
        self.shown: list[ChatPart] = []


class Messages:
    """Items in, one by one; messages out."""

    __slots__ = ("_calls", "_can", "_dropped", "_thought", "_turns")

    def __init__(self, can: ChatCan, dropped: Dropped) -> None:
        self._can = can
        self._dropped = dropped
        self._turns: list[_Turn] = []
        self._calls: dict[str, _Turn] = {}  # whose call it is
        self._thought = ""  # of the assistant's message that comes next

    def __len__(self) -> int:
        return len(self._turns)

    def say(self, role: str, text: str) -> None:
        """A message of one text."""
        self._turns.append(_Turn(Message(role, text)))

    def add(self, item: Item, where: str) -> None:
        """One item; `where` it stands. Raises `Untranslatable`. O(its bytes)."""
        kind = item.type or ("message" if item.role is not None or item.id is None else "item_reference")
        if kind == "message":
            self._message(item, where)
        elif kind == "function_call":
            self._call(item, where)
        elif kind == "function_call_output":
            self._result(item, where)
        elif kind == "reasoning":
            self._reason(item, where)
        elif kind in _TRACES:
            self._dropped.add(f"input.{kind}")
        elif kind == "item_reference":
            problem = f"'{where}' refers to a stored item, and nothing is stored. Send the item itself, {ELSEWHERE}."
            raise Untranslatable(problem, where)
        else:
            problem = (
                f"An input item of type '{kind[:64]}' has no equal in chat completions. Leave it out, {ELSEWHERE}."
            )
            raise Untranslatable(problem, f"{where}.type")

    def all(self) -> list[Message]:
        """Every message, in the order of chat completions."""
        self._forget()
        messages = []
        for turn in self._turns:
            messages += [turn.message, *turn.results]
            if turn.shown:
                messages.append(Message("user", turn.shown))
        return messages

    def _message(self, item: Item, where: str) -> None:
        param = f"{where}.content"
        content = read_inner(_decode_content, item.content, param) if has(item.content) else ""
        if item.role == "assistant":
            self._answered(_joined(content, "", param))
            return
        self._forget()
        if item.role == "user":
            self._turns.append(_Turn(Message("user", self._asked(content, param))))
        elif item.role in {"system", "developer"}:
            self.say("system", _joined(content, "\n", param))
        else:
            problem = (
                f"A message of role '{(item.role or '')[:64]}' is not known. Use user, assistant, system or developer."
            )
            raise Untranslatable(problem, f"{where}.role")

    def _asked(self, content: str | list[Part], param: str) -> str | list[ChatPart]:
        if isinstance(content, str):
            return content
        parts = [self._part(part, f"{param}[{number}]") for number, part in enumerate(content)]
        plain = not parts or (len(parts) == 1 and parts[0].type == "text" and not has(parts[0].cache_control))
        return "".join(part.text or "" for part in parts) if plain else parts

    def _part(self, part: Part, where: str) -> ChatPart:
        chat = _part_of(part, where, hub=self._can.hub)
        if part.file_url is not None and part.file_data is not None:
            self._dropped.add("input.content.file_url")
        if has(part.prompt_cache_breakpoint):
            if self._can.cache_control:
                chat.cache_control = _EPHEMERAL
            else:
                self._dropped.add("input.content.prompt_cache_breakpoint")
        return chat

    def _answered(self, text: str) -> None:
        """The assistant's words: a turn of their own, unless its calls stand before them."""
        turn = self._turns[-1] if self._turns else None
        if turn is not None and turn.message.tool_calls is not None and not turn.results:
            spoken = turn.message.content
            turn.message.content = f"{spoken}\n{text}" if isinstance(spoken, str) and spoken else text
        else:
            self._turns.append(_Turn(Message("assistant", text)))
        self._remember(self._turns[-1].message)

    def _call(self, item: Item, where: str) -> None:
        call_id = _required(item.call_id, f"{where}.call_id")
        name = _required(item.name, f"{where}.name")
        given = read_inner(_decode_text, item.arguments, f"{where}.arguments") if has(item.arguments) else ""
        turn = self._turns[-1] if self._turns else None
        if turn is None or turn.message.role != "assistant" or turn.results:
            turn = _Turn(Message("assistant"))
            self._turns.append(turn)
        calls = turn.message.tool_calls = turn.message.tool_calls or []
        calls.append(ToolCall(call_id, "function", Called(name, given)))
        self._calls[call_id] = turn
        self._remember(turn.message)

    def _result(self, item: Item, where: str) -> None:
        call_id = _required(item.call_id, f"{where}.call_id")
        turn = self._calls.get(call_id)
        if turn is None:
            problem = f"No function_call with call_id '{call_id[:64]}' precedes its output, and nothing is stored. "
            raise Untranslatable(f"{problem}Send the call, too, {ELSEWHERE}.", f"{where}.call_id")
        self._forget()
        param = f"{where}.output"
        content = read_inner(_decode_content, item.output, param) if has(item.output) else ""
        if isinstance(content, list):
            parts = [self._part(part, f"{param}[{number}]") for number, part in enumerate(content)]
            shown = [part for part in parts if part.type != "text"]
            if shown and self._can.hub:
                turn.results.append(Message("tool", parts, tool_call_id=call_id))
                return
            turn.shown += shown
            content = "\n".join(part.text or "" for part in parts if part.type == "text") or (
                SEE_BELOW if shown else ""
            )
        turn.results.append(Message("tool", content, tool_call_id=call_id))

    def _reason(self, item: Item, where: str) -> None:
        """Thoughts go to those who read them, as far as they are not sealed."""
        param = f"{where}.content"
        content = read_inner(_decode_content, item.content, param) if has(item.content) else ""
        if self._can.reasoning_content and content:
            self._thought += _joined(content, "", param)
        else:
            self._dropped.add("input.reasoning")

    def _remember(self, message: Message) -> None:
        if self._thought:
            message.reasoning_content = (message.reasoning_content or "") + self._thought
            self._thought = ""

    def _forget(self) -> None:
        """A thought that no answer followed."""
        if self._thought:
            self._thought = ""
            self._dropped.add("input.reasoning")


def _joined(content: str | list[Part], between: str, param: str) -> str:
    if isinstance(content, str):
        return content
    texts = []
    for number, part in enumerate(content):
        if part.type not in _TEXTS and part.type != "refusal":
            problem = f"Content of type '{part.type[:64]}' is only known in a message of the user. Send text."
            raise Untranslatable(problem, f"{param}[{number}].type")
        texts.append(part.text or part.refusal or "")
    return between.join(texts)


def _part_of(part: Part, where: str, *, hub: bool) -> ChatPart:
    if part.type in _TEXTS:
        return ChatPart("text", part.text or "")
    if part.type == "input_image":
        if part.image_url is None:
            raise Untranslatable(f"Missing '{where}.image_url': a file's id is known to one provider only.", where)
        return ChatPart("image_url", image_url=ImageUrl(part.image_url, part.detail))
    if part.type == "input_file":
        data = part.file_url if part.file_data is None and hub else part.file_data
        if data is None:
            problem = (
                f"Missing '{where}.file_data': chat completions read no URL, and a file's id is one provider's only."
            )
            raise Untranslatable(problem, where)
        return ChatPart("file", file=File(data, part.filename))
    problem = f"Content of type '{part.type[:64]}' has no equal in chat completions. Send text, images or files."
    raise Untranslatable(problem, f"{where}.type")


def _required(value: str | None, param: str) -> str:
    if not value:
        raise Untranslatable(f"Missing required parameter: '{param}'.", param)
    return value
