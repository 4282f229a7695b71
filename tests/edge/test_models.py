"""The list of what this gate serves."""

import json

from tidegate.edge.models import models_list


def test_the_list_is_openais() -> None:
    """Every name once, in order, in the fields that the SDKs read."""
    listed = json.loads(models_list(["gpt-4o", 'odd"name', "通义千问"]))
    assert listed["object"] == "list"
    assert [entry["id"] for entry in listed["data"]] == ["gpt-4o", 'odd"name', "通义千问"]
    assert all(entry["object"] == "model" and isinstance(entry["created"], int) for entry in listed["data"])


def test_an_empty_list_is_a_list() -> None:
    """A gate that serves nothing yet."""
    assert json.loads(models_list([]))["data"] == []
