"""What images cost."""

import base64
import struct

import pytest

from tidegate.twin import images
from tidegate.twin.settings import MODELS


@pytest.mark.parametrize(
    ("width", "height", "tiles"),
    [
        (1, 1, 1),
        (512, 512, 1),
        (513, 512, 2),
        (1_024, 1_024, 4),
        (2_048, 4_096, 6),
        (4_096, 8_192, 6),
        (150, 10_000, 4),
    ],
)
def test_images_become_tiles_as_documented(width, height, tiles):
    """Fitted into 2,048, the shorter side to 768, then begun tiles of 512: 1024² is 4, 2048 × 4096 is 6."""
    assert images.tiles(width, height) == tiles


def png(width, height):
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + bytes(9)


def jpeg(width, height):
    thumbnail = b"\xff\xe0" + struct.pack(">H", 12) + bytes(10)
    return b"\xff\xd8" + thumbnail + b"\xff\xc0" + struct.pack(">HBHH", 17, 8, height, width) + bytes(20)


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (png(640, 480), (640, 480)),
        (b"GIF89a" + struct.pack("<HH", 320, 200), (320, 200)),
        (jpeg(800, 600), (800, 600)),
        (png(0, 480), images.UNKNOWN_SIZE),
        (b"\xff\xd8\xff", images.UNKNOWN_SIZE),
        (b"no image", images.UNKNOWN_SIZE),
    ],
)
def test_the_size_of_an_image_is_read(data, size):
    """From the heads of PNG, GIF and JPEG; anything else counts as 1024²."""
    assert images.size(f"data:image/png;base64,{base64.b64encode(data).decode()}") == size


@pytest.mark.parametrize("url", ["https://x.test/a.png", "data:image/png;base64,", "data:image/png;base64,&&&", ""])
def test_an_image_that_cannot_be_read_has_the_default_size(url):
    """The twin fetches nothing."""
    assert images.size(url) == images.UNKNOWN_SIZE


@pytest.mark.parametrize(
    ("model", "detail", "tokens"),
    [(0, "low", 85), (0, "high", 765), (0, "auto", 765), (2, "low", 2_833), (2, "high", 25_501)],
)
def test_images_cost_base_and_tiles(model, detail, tokens):
    """The documented figures of a 1024² image."""
    assert images.charge(MODELS[model].tile, detail, "https://example.com/a.png") == tokens
