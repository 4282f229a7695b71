"""The turns of an Anthropic conversation: what they cost, what is cached of them, and whether their order is right."""

import re
from typing import Any, Final, NamedTuple

import msgspec

from tidegate.twin import images
from tidegate.twin.problems import Problem
from tidegate.twin.tokens import FILE, MESSAGE, PRIMING

EACH: Final = MESSAGE + 1  # tokens of a block beyond its text
_PIXELS_PER_TOKEN: Final = 750
_MOST_IMAGE: Final = 1_600
_MOST_BREAKPOINTS: Final = 4


class Source(msgspec.Struct):
    """Where an image or a document comes from."""

    type: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None


class Block(msgspec.Struct):
    """One block of a turn. Only the fields of its type are set."""

    type: str
    text: str | None = None
    source: Source | None = None
    id: str | None = None
    name: str | None = None
    input: dict[str, Any] | None = None
    tool_use_id: str | None = None
    content: Any = None
    is_error: bool | None = None
    cache_control: dict[str, Any] | None = None


class Turn(msgspec.Struct, forbid_unknown_fields=True):
    """One turn."""

    role: str
    content: str | list[Block]


class Talk(NamedTuple):
    """What the conversation comes to."""

    said: str  # the user's last words
    asked: bool  # they stand in the last turn, and no result of a tool does
    prefix: str  # what the assistant has said of its answer already


class Document:
    """The texts of a prompt in their order, the tokens of all else, and where cached prefixes may end."""

    __slots__ = ("_extra", "_marks", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._extra = PRIMING
        self._marks: list[int] = []

    def add(self, text: str, *, cached: bool = False) -> None:
        """One more text."""
        self.texts.append(text)
        if cached:
            self.mark_last()

    def add_tokens(self, tokens: int) -> None:
        """What is no text."""
        self._extra += tokens

    def mark_last(self) -> None:
        """A cached prefix may end here. Raises `Problem` above the documented number of them."""
        if self.texts and len(self.texts) - 1 not in self._marks:
            self._marks.append(len(self.texts) - 1)
        if len(self._marks) > _MOST_BREAKPOINTS:
            found = len(self._marks)
            raise Problem(
                400, f"A maximum of {_MOST_BREAKPOINTS} blocks with cache_control may be provided. Found {found}."
            )

    def tokens(self) -> int:
        """Tokens beyond those of the texts."""
        return self._extra + EACH * len(self.texts)

    def breakpoints(self) -> tuple[int, ...]:
        """After which texts cached prefixes may end."""
        return tuple(self._marks)


def read(document: Document, messages: list[Turn]) -> Talk:
    """Add the turns to the document. Raises `Problem` with Anthropic's words where they are not in order."""
    if not messages:
        raise Problem(400, "messages: at least one message is required")
    said, asked = "", False
    open_calls: list[str] = []
    for index, turn in enumerate(messages):
        _check_role(turn, index)
        blocks = [Block("text", turn.content)] if isinstance(turn.content, str) else turn.content
        last = index == len(messages) - 1
        if not _filled(blocks) and not (last and turn.role == "assistant"):
            raise Problem(
                400,
                f"messages.{index}: all messages must have non-empty content except for the optional final assistant "
                "message",
            )
        _check_results(blocks, open_calls, index)
        for at, block in enumerate(blocks):
            _add(document, block, f"messages.{index}.content.{at}")
        open_calls = [block.id or "" for block in blocks if block.type == "tool_use"]
        if turn.role == "user":
            results = [block for block in blocks if block.type == "tool_result"]
            words = " ".join([block.text for block in blocks if block.type == "text" and block.text])
            said, asked = words or said, bool(words) and not results and last
    if open_calls:
        raise _unanswered(open_calls, len(messages) - 1)
    return Talk(said, asked, _prefix(messages[-1]))


def _check_role(turn: Turn, index: int) -> None:
    if turn.role == "system":
        raise Problem(
            400,
            'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, '
            'not "system" as an input message role.',
        )
    if turn.role not in {"user", "assistant"}:
        raise Problem(400, f"messages.{index}.role: Input should be 'user' or 'assistant'")
    if not index and turn.role != "user":
        raise Problem(400, 'messages: first message must use the "user" role')


def _filled(blocks: list[Block]) -> bool:
    return any(block.type != "text" or block.text for block in blocks)


def _check_results(blocks: list[Block], calls: list[str], index: int) -> None:
    """Each call of a tool is answered in the very next turn, and nothing else is."""
    results = [block.tool_use_id or "" for block in blocks if block.type == "tool_result"]
    for at, one in enumerate(results):
        if one not in calls:
            raise Problem(
                400,
                f"messages.{index}.content.{at}: unexpected `tool_use_id` found in `tool_result` blocks: {one}. Each "
                "`tool_result` block must have a corresponding `tool_use` block in the previous message.",
            )
    missing = [one for one in calls if one not in results]
    if missing:
        raise _unanswered(missing, index - 1)


def _unanswered(missing: list[str], index: int) -> Problem:
    return Problem(
        400,
        f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: "
        f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the next "
        "message.",
    )


def _add(document: Document, block: Block, where: str) -> None:
    cached = block.cache_control is not None
    match block.type:
        case "text":
            if not block.text:
                raise Problem(400, "messages: text content blocks must be non-empty")
            document.add(block.text, cached=cached)
        case "image":
            document.add_tokens(_image(block.source, where))
            document.add("", cached=cached)
        case "document":
            document.add(_document(document, block.source, where), cached=cached)
        case "tool_use":
            if not block.id or not block.name or block.input is None:
                raise Problem(400, f"{where}.tool_use: `id`, `name` and `input` are required")
            document.add(block.name + msgspec.json.encode(block.input).decode(), cached=cached)
        case "tool_result":
            if not block.tool_use_id:
                raise Problem(400, f"{where}.tool_result.tool_use_id: Field required")
            document.add(_result(document, block.content, where), cached=cached)
        case "thinking" | "redacted_thinking":
            pass  # thoughts of earlier turns are not counted
        case _ if block.type.endswith(("_tool_use", "_tool_result", "_result")):
            document.add(msgspec.json.encode(block.content).decode(), cached=cached)
        case _:
            raise Problem(
                400, f"{where}: Input tag '{block.type}' found using 'type' does not match any of the expected tags"
            )


def _result(document: Document, content: Any, where: str) -> str:
    """The text of a tool's result; images and documents in it are counted."""
    if isinstance(content, list):
        texts = []
        for part in msgspec.convert(content, list[Block], strict=False):
            if part.type == "image":
                document.add_tokens(_image(part.source, where))
            texts.append(_document(document, part.source, where) if part.type == "document" else part.text or "")
        return " ".join(texts)
    return "" if content is None else str(content)


def _document(document: Document, source: Source | None, where: str) -> str:
    """The text of a document; what is none is counted. In base64 it is a PDF (docs.anthropic.com, "PDF support")."""
    if source is None:
        raise Problem(400, f"{where}.document.source: Field required")
    if source.type == "text":
        return source.data or ""
    if source.type == "base64" and source.media_type != "application/pdf":
        raise Problem(400, f"{where}.document.source.base64.media_type: Input should be 'application/pdf'")
    if source.type not in {"base64", "url", "file", "content"}:
        tags = "'base64', 'content', 'file', 'text' or 'url'"
        raise Problem(400, f"{where}.document.source: Input tag '{source.type}' does not match {tags}")
    document.add_tokens(FILE)
    return ""


def _image(source: Source | None, where: str) -> int:
    """Tokens of an image: its pixels divided by 750, at most 1,600 (docs.anthropic.com, "Vision")."""
    if source is None:
        raise Problem(400, f"{where}.image.source: Field required")
    if source.type not in {"base64", "url", "file"}:
        raise Problem(400, f"{where}.image.source: Input tag '{source.type}' does not match 'base64', 'url' or 'file'")
    width, height = images.size(f"data:{source.media_type};base64,{source.data}" if source.data else "")
    return min(_MOST_IMAGE, max(1, width * height // _PIXELS_PER_TOKEN))


def _prefix(last: Turn) -> str:
    """What the assistant has said of its answer already."""
    if last.role != "assistant":
        return ""
    text = last.content if isinstance(last.content, str) else (last.content[-1].text or "" if last.content else "")
    if text != text.rstrip():
        raise Problem(400, "messages: final assistant content cannot end with trailing whitespace")
    return text


def dotted(path: str) -> str:
    """`messages[0].role` as `messages.0.role`."""
    return re.sub(r"\[(\d+|\.\.\.)\]", r".\1", path)
