"""What workers leave for each other."""

import pytest

from tidegate.model.shared import ANSWERED, Executed, encode_executed, executed


def test_what_was_left_is_read() -> None:
    """As it was."""
    left = Executed(ANSWERED, b"d", 200, b"a: b\r\n", b"body", whole=False)
    assert executed(encode_executed(left)) == left


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x93\x00", b"1"])
def test_what_is_not_ours_is_told(data: bytes) -> None:
    """A key of somebody else's is no answer."""
    with pytest.raises(ValueError, match="no gate"):
        executed(data)
