"""What an image costs, by OpenAI's documented tile rule, and how large it is.

`low` costs the model's base. Otherwise the image is fitted into 2048 × 2048, its shorter side brought down to 768, and
each begun 512-pixel tile costs one tile charge on top of the base. Source: OpenAI's guide on images and vision.
"""

from base64 import b64decode
from binascii import Error
from struct import unpack
from typing import Final

UNKNOWN_SIZE: Final = (1_024, 1_024)  # of an image that is only a link: the twin fetches nothing
_HEAD_CHARS: Final = 65_536  # base64 characters looked at; a JPEG's size stands behind its thumbnails


def charge(tile: tuple[int, int], detail: str, url: str) -> int:
    """Tokens of one image part. `tile` is (base, per tile); `detail` is low, high or auto (counted as high)."""
    base, each = tile
    if detail == "low":
        return base
    return base + each * tiles(*size(url))


def tiles(width: int, height: int) -> int:
    """How many 512-pixel tiles a picture becomes. Integer arithmetic, rounded as pixels are."""
    if (longer := max(width, height)) > 2_048:
        width, height = width * 2_048 // longer, height * 2_048 // longer
    if (shorter := min(width, height)) > 768:
        width, height = width * 768 // shorter, height * 768 // shorter
    return max(1, -(-width // 512)) * max(1, -(-height // 512))


def size(url: str) -> tuple[int, int]:
    """Width and height of a data URL's PNG, GIF or JPEG; `UNKNOWN_SIZE` for anything else."""
    head, _, data = url.partition(";base64,")
    if not head.startswith("data:image/") or not data:
        return UNKNOWN_SIZE
    try:
        return _sniff(b64decode(data[:_HEAD_CHARS], validate=False))
    except (Error, ValueError, IndexError):
        return UNKNOWN_SIZE


def _sniff(data: bytes) -> tuple[int, int]:
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        width, height = unpack(">II", data[16:24])
    elif data.startswith((b"GIF87a", b"GIF89a")) and len(data) >= 10:
        width, height = unpack("<HH", data[6:10])
    elif data.startswith(b"\xff\xd8"):
        width, height = _jpeg(data)
    else:
        return UNKNOWN_SIZE
    return (width, height) if width and height else UNKNOWN_SIZE


def _jpeg(data: bytes) -> tuple[int, int]:
    """Walk the segments to the frame header (SOF)."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return UNKNOWN_SIZE
