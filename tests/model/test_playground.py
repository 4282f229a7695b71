"""In whose name the playground asks."""

import msgspec
import pytest
from pydantic import TypeAdapter, ValidationError

from tidegate.config.schema.base import Name
from tidegate.model.playground import CLIENT, Player, read, written


def test_there_and_back() -> None:
    """With a user, without one, and in nobody's name."""
    for player in (Player("team", "ann"), Player("team"), Player()):
        assert read(written(player)) == player
    with pytest.raises(msgspec.DecodeError):
        read(b"team")


def test_no_key_can_have_its_name() -> None:
    """So records cannot be mistaken."""
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(CLIENT)
