"""All dialects of a twin, each with what answers its calls."""

from typing import Final, NamedTuple

from tidegate.twin.anthropic import Anthropic, AnthropicAside
from tidegate.twin.azure import Azure
from tidegate.twin.dashscope import DashScope
from tidegate.twin.dialect import Dialect
from tidegate.twin.gemini import Gemini
from tidegate.twin.governed import Governed
from tidegate.twin.openai import OpenAI
from tidegate.twin.passthrough import Passthrough
from tidegate.twin.replies import Replies
from tidegate.twin.settings import Model
from tidegate.twin.state import State

BASES: Final = {  # by provider: what its official SDK takes as a base URL
    "openai": "/openai/v1",
    "anthropic": "/anthropic",
    "azure": "/azure",
    "dashscope": "/dashscope/compatible-mode/v1",
    "gemini": "/gemini/v1beta/openai",
}
_LIKE_OPENAI: Final = ((OpenAI, "openai"), (Azure, "openai"), (DashScope, "dashscope"), (Gemini, "gemini"))


class Desk(NamedTuple):
    """One dialect at work."""

    dialect: Dialect
    replies: Replies
    governed: Governed


def desks(state: State) -> list[Desk]:
    """One for each dialect."""
    return [_anthropic(state), *(_like_openai(state, kind, provider) for kind, provider in _LIKE_OPENAI)]


def _models(state: State, provider: str) -> tuple[Model, ...]:
    return tuple(model for model in state.settings.models if model.provider == provider)


def _like_openai(state: State, kind: type[OpenAI], provider: str) -> Desk:
    models = _models(state, provider)
    dialect = kind(models)
    replies = Replies(state, dialect)
    return Desk(dialect, replies, Governed(state, dialect, replies, Passthrough(state, replies, models)))


def _anthropic(state: State) -> Desk:
    models = _models(state, "anthropic")
    dialect = Anthropic(models)
    replies = Replies(state, dialect)
    return Desk(dialect, replies, Governed(state, dialect, replies, AnthropicAside(state, replies, models)))
