"""What a worker tells the desk."""

import base64
import json

import pytest

from tidegate.model.handed import JobHandover, Requester, written


def read(value: bytes) -> object:
    """As the desk reads it: padding may be missing."""
    return json.loads(base64.urlsafe_b64decode(value + b"=" * (-len(value) % 4)))


@pytest.mark.parametrize(
    "record",
    [
        Requester("app", "team", "ann", "mail, nightly", ("gpt-*", "claude-3")),
        Requester("", "", "", "", None),
        Requester("报表", "团队", 'a"b\r\n', "\0"),
        JobHandover("report", "redis://:of@cache/0", 120_000, True),
    ],
)
def test_it_fits_a_header_and_comes_back_as_it_was(record: Requester | JobHandover) -> None:
    """Whatever names hold: no byte of them ends the line."""
    value = written(record)
    assert value.replace(b"-", b"").replace(b"_", b"").isalnum()
    models = getattr(record, "models", None)
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    assert read(value) == fields | ({"models": None if models is None else list(models)} if "models" in fields else {})


def test_what_a_key_may_call_and_what_it_says_of_its_calls() -> None:
    """A name as it stands, all that begin so, or anything; the words of a tag one by one."""
    some = Requester("app", tag="mail, nightly", models=("gpt-*", "claude-3"))
    assert [some.may_call(name) for name in ("gpt-4o", "claude-3", "claude-3-5")] == [True, True, False]
    assert Requester().may_call("anything")
    assert not Requester(models=()).may_call("anything")
    assert (some.tags, Requester().tags) == (("mail", "nightly"), ())
