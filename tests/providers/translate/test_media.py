"""Images and documents in both dialects."""

import pytest

from tests.providers.translate.wire import Json, to_chat, to_messages
from tidegate.providers.translate.face import Untranslatable

PNG = "data:image/png;base64,iVBORw0KGgo="
WEB = "https://example.com/a.png"


def parts(*content: Json) -> list[Json]:
    return [{"role": "user", "content": list(content)}]


def image(url: str) -> Json:
    return {"type": "image_url", "image_url": {"url": url}}


def file(**fields: str) -> Json:
    return {"type": "file", "file": fields}


PDF = file(file_data="data:application/pdf;base64,JVBERi0=", filename="a.pdf")
TEXT = file(file_data="data:text/plain;charset=utf-8;base64,SGVsbG8=", filename="a.txt")


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (image(PNG), {"source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}),
        (image(WEB), {"source": {"type": "url", "url": WEB}}),
        ({"type": "image_url", "image_url": WEB}, {"source": {"type": "url", "url": WEB}}),
        (PDF, {"source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}, "title": "a.pdf"}),
        (TEXT, {"source": {"type": "text", "media_type": "text/plain", "data": "Hello"}, "title": "a.txt"}),
    ],
)
def test_parts_become_blocks(part: Json, block: Json) -> None:
    """Data URLs are taken apart, URLs stay."""
    said, _ = to_messages(messages=parts(part))
    kind = "image" if part["type"] == "image_url" else "document"
    assert said["messages"] == parts({"type": kind, **block})


@pytest.mark.parametrize(
    "part",
    [
        image("data:image/png,abc"),
        image("gs://bucket/a.png"),
        image("data:text/html"),
        file(file_id="file-1"),
        file(file_data="JVBERi0="),
        file(file_data="data:text/plain;base64,!!"),
        file(file_data="data:text/plain;base64,/w=="),
        {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
        {"type": "image_url"},
        {"type": "hologram"},
    ],
)
def test_parts_that_cannot_be_said(part: Json) -> None:
    """What is a part of the question is refused, not left out."""
    with pytest.raises(Untranslatable) as refused:
        to_messages(messages=parts(part))
    assert refused.value.param.startswith("messages.content")


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Hi"}, "title": "T"},
            {"type": "text", "text": "T\nHi"},
        ),
        (
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JV"}},
            file(file_data="data:application/pdf;base64,JV", filename="document.pdf"),
        ),
        ({"type": "image", "source": {"type": "url", "url": WEB}}, image(WEB)),
    ],
)
def test_blocks_become_parts(block: Json, part: Json) -> None:
    """A document that is a text is one."""
    said, _ = to_chat(messages=parts(block, {"type": "text", "text": "?"}))
    assert said["messages"][0]["content"][0] == part


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
        {"type": "image"},
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
        {"type": "document", "source": {"type": "content", "content": []}},
        {"type": "search_result", "source": {"type": "url"}},
    ],
)
def test_blocks_that_cannot_be_said(block: Json) -> None:
    """A file's id belongs to one provider, and a file of chat completions has no URL."""
    with pytest.raises(Untranslatable) as refused:
        to_chat(messages=parts(block))
    assert refused.value.param.startswith("messages.content")
