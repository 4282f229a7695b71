"""The list of what this gate serves."""

import json

from tidegate.edge.models import model, models_list


def test_the_list_is_openais() -> None:
    """Every name once, in order, in the fields that the SDKs read."""
    listed = json.loads(models_list(["gpt-4o", 'odd"name', "通义千问"], "openai"))
    assert listed["object"] == "list"
    assert [entry["id"] for entry in listed["data"]] == ["gpt-4o", 'odd"name', "通义千问"]
    assert all(entry["object"] == "model" and isinstance(entry["created"], int) for entry in listed["data"])


def test_an_empty_list_is_a_list() -> None:
    """A gate that serves nothing yet."""
    assert json.loads(models_list([], "openai"))["data"] == []


def test_the_list_is_anthropics() -> None:
    """One page, in the fields that its SDK reads."""
    listed = json.loads(models_list(["claude-3-haiku", "fast"], "anthropic"))
    assert (listed["has_more"], listed["first_id"], listed["last_id"]) == (False, "claude-3-haiku", "fast")
    assert {entry["type"] for entry in listed["data"]} == {"model"}
    assert json.loads(models_list([], "anthropic"))["first_id"] is None


def test_one_name() -> None:
    """The same entry as in the list."""
    for dialect in ("openai", "anthropic"):
        assert json.loads(model("a", dialect)) == json.loads(models_list(["a"], dialect))["data"][0]
