"""What a model takes, by its name."""

import pytest

from tests.providers.translate.wire import CREATED, HELLO, Json, dumped
from tidegate.providers.translate.chat_to_messages import ChatToMessages
from tidegate.providers.translate.messages_to_chat import MessagesToChat
from tidegate.providers.translate.models import chat_can, goes_on, messages_can
from tidegate.providers.translate.records import ChatCan, MessagesCan


@pytest.mark.parametrize(
    ("model", "json_schema", "thinking", "sampling"),
    [
        ("claude-3-haiku", False, "none", "both"),
        ("claude-3-haiku-20240307", False, "none", "both"),
        ("claude-3-5-sonnet-20241022", False, "none", "both"),
        ("claude-3-7-sonnet-latest", False, "budget", "both"),
        ("claude-sonnet-4-20250514", False, "budget", "both"),
        ("claude-opus-4-1-20250805", False, "budget", "one"),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", True, "budget", "one"),
        ("anthropic/claude-opus-4.6", True, "effort", "one"),
        ("claude-opus-4-7", True, "effort", "none"),
        ("claude-sonnet-5", True, "effort", "none"),
        ("claude-opus-12-20301231", True, "effort", "none"),
        ("claude-sonnet", False, "budget", "both"),
        ("deepseek-chat", False, "budget", "both"),
    ],
)
def test_generations_of_claude(model: str, json_schema: bool, thinking: str, sampling: str) -> None:
    """Each takes what its generation does; what is not known gets what most take."""
    assert messages_can(model) == MessagesCan(json_schema, thinking, sampling)


@pytest.mark.parametrize(
    ("model", "continues"),
    [
        ("claude-3-haiku-20240307", True),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", True),
        ("claude-sonnet", True),
        ("claude-opus-4-6", False),
        ("anthropic/claude-sonnet-4.6", False),
        ("claude-sonnet-5", False),
        ("deepseek-chat", True),
        ("", True),
    ],
)
def test_who_goes_on_with_a_beginning(model: str, continues: bool) -> None:
    """Claude up to 4.5, and everybody whose provider does."""
    assert goes_on(model) is continues


@pytest.mark.parametrize(
    ("model", "can"),
    [
        ("gpt-4o", ChatCan(reasoning_effort=False)),
        ("gpt-4o-mini-2024-07-18", ChatCan(reasoning_effort=False)),
        ("gpt-5-mini", ChatCan(sampling=False)),
        ("openai/gpt-5.1", ChatCan(sampling=False)),
        ("o3-mini", ChatCan(sampling=False)),
        ("openai/gpt-oss-120b", ChatCan(max_completion_tokens=False)),
        ("DeepSeek-V3.2", ChatCan(reasoning_content=True, max_completion_tokens=False)),
        ("gemini-2.5-pro", ChatCan()),
        ("Qwen/Qwen3-32B", ChatCan(reasoning_effort=False, max_completion_tokens=False)),
        ("", ChatCan(reasoning_effort=False, max_completion_tokens=False)),
    ],
)
def test_models_of_chat_completions(model: str, can: ChatCan) -> None:
    """Each takes what its maker says; what is not known gets what all take."""
    assert chat_can(model) == can


def test_a_fallback_to_an_old_model_is_not_refused() -> None:
    """What claude-3-haiku does not know is said in another way, or dropped by name."""
    asked: Json = {"model": "gpt-5", "messages": HELLO, "reasoning_effort": "high"}
    asked["response_format"] = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    crossed = ChatToMessages().request(dumped(asked), "claude-3-haiku", CREATED)
    assert b"output_config" not in crossed.body
    assert b"json_output" in crossed.body
    assert crossed.dropped == ("reasoning_effort",)


def test_a_fallback_to_an_old_model_of_the_other_maker() -> None:
    """Gpt-4o knows no effort."""
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 2048}}
    asked = dumped({"model": "claude", "max_tokens": 10, "messages": HELLO, **thinking})
    assert MessagesToChat().request(asked, "gpt-4o", CREATED).dropped == ("thinking",)
    assert MessagesToChat().request(asked, "o3", CREATED).dropped == ()
