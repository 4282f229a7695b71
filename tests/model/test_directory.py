"""Changes to who may call, between processes."""

import msgspec
import pytest

from tidegate.model.directory import Change, Gone, PutKey, PutNamespace, PutUser, decode, encode
from tidegate.model.snapshot import Allowance, ClientKey, Namespace, User


@pytest.mark.parametrize(
    "change",
    [
        PutNamespace(Namespace("acme", "vip", timezone="Asia/Shanghai", allowance=Allowance(rpm=10))),
        PutUser("acme", User("alice", models=("gpt-*",))),
        PutKey("acme", ClientKey("acme-1", b"\1" * 32, user="alice", expires_us=5)),
        Gone("key", "acme", "acme-1"),
    ],
)
def test_a_change_arrives_as_it_left(change: Change) -> None:
    """Every kind of change survives the way."""
    assert decode(encode(change)) == change


def test_what_this_version_does_not_know_is_refused() -> None:
    """A change of another version is no silent nothing."""
    with pytest.raises(msgspec.ValidationError):
        decode(msgspec.msgpack.encode({"type": "other"}))
