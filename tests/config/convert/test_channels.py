"""Channels of one-api and new-api."""

from typing import Any

import pytest

from tests.config.convert.conftest import Made, Used, parsed
from tidegate.config.convert import channels


def row(**more: Any) -> dict[str, Any]:
    """A row as the table has it."""
    usual = {"id": 1, "type": 1, "key": "sk-1", "status": 1, "name": "main", "weight": 0, "base_url": "",
             "models": "gpt-4o", "group": "default", "model_mapping": "", "priority": 0, "used_quota": 5}  # fmt: skip
    return usual | more


def made(rows: Any, kind: str = "one-api") -> Made:
    converted = channels.convert(rows, kind)
    return Made(parsed(converted.text), converted)


def test_channels_become_providers_by_priority(used: Used) -> None:
    """The highest priority is first; a mapping is a strategy; several keys are one scope; no secret is copied."""
    result = made(
        [
            row(id=3, name="备用 backup", type=8, base_url="https://llm.example/v1", key="k1\nk2",
                models="gpt-4o,qwen"),
            row(id=4, name="azure", type=3, base_url="https://x.openai.azure.com", models="gpt-4o", priority=10,
                model_mapping='{"gpt-4o": "dep-4o"}', other="2024-06-01"),
            row(id=5, name="off", status=2), row(id=6, name="baidu", type=15),
        ]
    )  # fmt: skip
    assert list(result.tree["providers"]) == ["azure", "backup"]
    assert result.tree["strategies"] == {
        "gpt-4o": {"primary_model": "dep-4o", "fallback_models": [{"model": "gpt-4o", "priority": 1}]}
    }
    assert result.tree["providers"]["backup"]["scopes"][0]["keys"] == ["${CHANNEL_3_KEY_1}", "${CHANNEL_3_KEY_2}"]
    assert result.tree["providers"]["azure"]["api_version"] == "2024-06-01"
    assert result.kind("[2]") == result.kind("[3]") == "left"
    assert "k1" not in result.converted.text
    assert [item.name for item in used(result.converted).snapshot.providers] == ["azure", "backup"]


def test_types_behind_25_differ() -> None:
    """36 is DeepSeek in one-api and something else in new-api, whose DeepSeek is 43."""
    assert made([row(type=36)]).tree["providers"]["main"]["profile"] == "deepseek"
    assert made([row(type=43)], "new-api").tree["providers"]["main"]["profile"] == "deepseek"
    with pytest.raises(ValueError, match="no channel"):
        made([row(type=36)], "new-api")


@pytest.mark.parametrize("wrap", [{"data": [row()]}, {"success": True, "data": {"items": [row()], "total": 1}}])
def test_answers_of_the_api_are_taken_too(wrap: Any, used: Used) -> None:
    """They lack the keys, so the variable is all there is."""
    result = made(wrap)
    assert used(result.converted).snapshot.providers[0].name == "main"


def test_every_column_has_a_word() -> None:
    """What is a record, a group, or unknown is left, and says so."""
    result = made([row(tag="x", auto_ban=1)])
    assert {note.where.rpartition(".")[2] for note in result.converted.notes} == set(row(tag="x", auto_ban=1))
    assert result.why("[0].group").startswith("groups are namespaces")


@pytest.mark.parametrize("tree", [None, {}, [], [{}], {"data": "x"}, "x", [row(), 3]])
def test_what_is_no_table_is_refused(tree: Any) -> None:
    """With the remedy."""
    with pytest.raises(ValueError, match="one object a row"):
        channels.convert(tree, "one-api")
