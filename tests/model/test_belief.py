"""What is believed of a quota, as it travels and is kept."""

import msgspec

from tidegate.model.belief import Belief


def test_an_older_record_is_read() -> None:
    """Fields are only added at the end."""
    assert msgspec.json.decode(b"[100, 0, 700]", type=Belief) == Belief(shown=100, trust=700)
    belief = Belief(1, 2, 3, 4, 5, "headers")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(belief), type=Belief) == belief
