"""The turns of a chat: what they cost, and whether calls of tools and their results belong together."""

from typing import Any, Final

import msgspec

from tidegate.twin import images, problems
from tidegate.twin.problems import Problem
from tidegate.twin.settings import Model
from tidegate.twin.tokens import FILE, MESSAGE, NAME, PRIMING

ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


class ImageUrl(msgspec.Struct):
    """An image by link or data URL."""

    url: str
    detail: str | None = None


class File(msgspec.Struct):
    """A document, as a data URL or by its id."""

    file_data: str | None = None
    file_id: str | None = None


class Part(msgspec.Struct):
    """One part of a message."""

    type: str
    text: str | None = None
    image_url: ImageUrl | None = None
    file: File | None = None


class Message(msgspec.Struct):
    """One message of a chat."""

    role: str
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None
    prefix: bool | None = None  # DeepSeek: the answer goes on where this message stops
    partial: bool | None = None  # Moonshot and DashScope: the same


def texts_of(messages: list[Message], model: Model) -> tuple[list[str], int]:
    """All texts, and the tokens beyond them. Raises `Problem`."""
    texts: list[str] = []
    extra = PRIMING
    for index, message in enumerate(messages):
        if message.role not in ROLES:
            allowed = ", ".join(f"'{role}'" for role in sorted(ROLES))
            raise problems.bad_value(f"messages[{index}].role", message.role, allowed)
        extra += MESSAGE + 1  # every role is one token
        if message.name is not None:
            texts.append(message.name)
            extra += NAME
        if message.tool_calls:
            texts.append(msgspec.json.encode(message.tool_calls).decode())
        if isinstance(message.content, str):
            texts.append(message.content)
        elif message.content is not None:
            if model.provider == "openai":
                _check_shown(message, index)
            extra += _parts(message.content, texts, model, f"messages[{index}].content")
    return texts, extra


def check_calls(messages: list[Message]) -> None:
    """Each call of a tool is answered before the conversation goes on, and nothing else is."""
    pending: set[str] = set()
    for index, message in enumerate(messages):
        if message.role == "tool":
            if message.tool_call_id not in pending:
                text = (
                    "Invalid parameter: messages with role 'tool' must be a response to a preceding message with "
                    "'tool_calls'."
                )
                raise Problem(400, text, param=f"messages.[{index}].role")
            pending.discard(message.tool_call_id)
            continue
        _all_answered(pending, index)
        pending = {str(call.get("id", "")) for call in message.tool_calls or ()}
    _all_answered(pending, len(messages))


def _all_answered(pending: set[str], index: int) -> None:
    if pending:
        text = (
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(sorted(pending))}"
        )
        raise Problem(400, text, param=f"messages.[{index}].role")


def _check_shown(message: Message, index: int) -> None:
    """Only the user shows pictures and documents: a tool's result, above all, holds text only."""
    if message.role == "user":
        return
    for part in message.content if isinstance(message.content, list) else ():
        if part.type in {"image_url", "file"}:
            plural, one = ("Image URLs", "an image URL") if part.type == "image_url" else ("Files", "a file")
            text = (
                f"Invalid 'messages[{index}]'. {plural} are only allowed for messages with role 'user', but this "
                f"message with role '{message.role}' contains {one}."
            )
            raise Problem(400, text, param=f"messages[{index}]", code="invalid_value")


def _parts(parts: list[Part], texts: list[str], model: Model, where: str) -> int:
    """Add the texts of the parts; return the tokens of their images and documents."""
    extra = 0
    for index, part in enumerate(parts):
        if part.type == "text":
            if part.text is None:
                raise problems.missing(f"{where}[{index}].text")
            texts.append(part.text)
        elif part.type == "image_url":
            if part.image_url is None:
                raise problems.missing(f"{where}[{index}].image_url")
            extra += images.charge(model.tile, part.image_url.detail or "auto", part.image_url.url)
        elif part.type == "file":
            _check_file(part.file, f"{where}[{index}].file")
            extra += FILE
    return extra


def _check_file(file: File | None, where: str) -> None:
    if file is None or (file.file_data is None and file.file_id is None):
        raise problems.missing(f"{where}.file_id")
    head, comma, _ = (file.file_data or "data:;base64,").partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        text = f"Invalid file data: '{where}.file_data'. Expected a base64-encoded data URL with a MIME type."
        raise Problem(400, text, param=f"{where}.file_data", code="invalid_value")


def said(messages: list[Message]) -> str:
    """The user's last words."""
    return next((text_of(one) for one in reversed(messages) if one.role == "user"), "")


def text_of(message: Message) -> str:
    """What a message says, in one string."""
    if isinstance(message.content, str):
        return message.content
    return " ".join([part.text for part in message.content or () if part.text])
