"""What a worker tells the desk."""

import base64
import json

import pytest

from tidegate.model.handed import Asker, JobHandover, written


def read(value: bytes) -> object:
    """As the desk reads it: padding may be missing."""
    return json.loads(base64.urlsafe_b64decode(value + b"=" * (-len(value) % 4)))


@pytest.mark.parametrize(
    "record",
    [
        Asker("app", "team", "ann", "mail, nightly", ("gpt-*", "claude-3")),
        Asker("", "", "", "", None),
        Asker("报表", "团队", 'a"b\r\n', "\0"),
        JobHandover("report", "redis://:of@cache/0", 120_000, True),
    ],
)
def test_it_fits_a_header_and_comes_back_as_it_was(record: Asker | JobHandover) -> None:
    """Whatever names hold: no byte of them ends the line."""
    value = written(record)
    assert value.replace(b"-", b"").replace(b"_", b"").isalnum()
    models = getattr(record, "models", None)
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    assert read(value) == fields | ({"models": None if models is None else list(models)} if "models" in fields else {})
