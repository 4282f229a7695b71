"""Images and documents: data URLs ⇄ base64 sources, URLs ⇄ URL sources, PDF files ⇄ documents.

What is a part of the question and cannot be said is refused, never left out: the answer would be to another question. A
file's id belongs to one provider.
"""

import base64
import binascii
import re

from tidegate.providers.translate.face import Untranslatable
from tidegate.providers.translate.words_chat import File, ImageUrl, Part
from tidegate.providers.translate.words_messages import Block, Source

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w.+-]+=[^;,]*)*;base64,")
_IMAGE = "messages.content.image_url"
_FILE = "messages.content.file"
_SOURCE = "messages.content.source"
_UNNAMED = "document.pdf"  # a file of chat completions has a name


def source_of(url: str, param: str = _IMAGE) -> Source:
    """The source of an image's URL. Raises `Untranslatable` when it is neither base64 nor on the web."""
    if url.startswith(("https://", "http://")):
        return Source(type="url", url=url)
    head = _DATA_URL.match(url)
    if head is None:
        raise Untranslatable(f"'{param}' is neither a base64 data URL nor an http URL. Send one of them.", param)
    return Source(type="base64", media_type=head[1], data=url[head.end() :])


def document_of(file: File) -> Block:
    """The document that a file is. Raises `Untranslatable` for a file's id and for what is no data URL."""
    if file.file_data is None:
        raise Untranslatable(f"'{_FILE}.file_id' is known to one provider only. Send 'file_data'.", f"{_FILE}.file_id")
    source = source_of(file.file_data, f"{_FILE}.file_data")
    if source.media_type == "text/plain":
        source = Source(type="text", media_type="text/plain", data=_plain(source.data or ""))
    return Block(type="document", source=source, title=file.filename)


def _plain(data: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, ValueError):
        raise Untranslatable(f"'{_FILE}.file_data' is not base64 of UTF-8 text.", f"{_FILE}.file_data") from None


def _url_of(source: Source) -> str:
    """The URL of a source. Raises `Untranslatable` when it has none."""
    if source.type == "url" and source.url is not None:
        return source.url
    if source.type == "base64" and source.data is not None:
        return f"data:{source.media_type or 'application/octet-stream'};base64,{source.data}"
    raise Untranslatable(
        f"'{_SOURCE}' of type '{source.type[:32]}' is known to one provider only. Send base64.", _SOURCE
    )


def image_part(block: Block) -> Part:
    """The part of chat completions that an image block is."""
    return Part(type="image_url", image_url=ImageUrl(_url_of(_given(block))))


def document_part(block: Block) -> Part:
    """The part that a document block is: a file, or the text itself. Raises `Untranslatable` for a URL."""
    source = _given(block)
    if source.type == "text" and source.data is not None:
        return Part(type="text", text=f"{block.title}\n{source.data}" if block.title else source.data)
    if source.type == "url":
        raise Untranslatable(f"A file of chat completions has no URL. Send '{_SOURCE}' as base64.", _SOURCE)
    return Part(type="file", file=File(file_data=_url_of(source), filename=block.title or _UNNAMED))


def _given(block: Block) -> Source:
    if block.source is None:
        raise Untranslatable(f"Missing required parameter: '{_SOURCE}'.", _SOURCE)
    return block.source
