"""A raw field that is absent, and one that is null."""

import msgspec
import pytest

from tidegate.providers.translate.absent import ABSENT, has
from tidegate.providers.translate.words_messages import Block


@pytest.mark.parametrize(("raw", "given"), [(b"", False), (b"null", False), (b"{}", True), (b"false", True)])
def test_null_is_as_good_as_absent(raw: bytes, given: bool) -> None:
    """Clients send null for nothing."""
    assert has(msgspec.Raw(raw)) == given


def test_what_is_absent_is_not_written() -> None:
    """Neither after decoding nor when it is set from another record's."""
    block = msgspec.json.decode(b'{"type":"text"}', type=Block)
    block.input = ABSENT
    assert msgspec.json.encode(block) == b'{"type":"text"}'
