"""All dialects of a twin, each with what answers its calls."""

from typing import Final, NamedTuple

from tidegate.twin.anthropic import Anthropic, AnthropicAside
from tidegate.twin.dialect import Dialect
from tidegate.twin.governed import Governed
from tidegate.twin.openai import OpenAI
from tidegate.twin.passthrough import Passthrough
from tidegate.twin.replies import Replies
from tidegate.twin.state import State

BASES: Final = {  # by provider: what its official SDK takes as a base URL
    "openai": "/openai/v1",
    "anthropic": "/anthropic",
}


class Desk(NamedTuple):
    """One dialect at work."""

    dialect: Dialect
    replies: Replies
    governed: Governed


def desks(state: State) -> list[Desk]:
    """One for each dialect."""
    return [_openai(state), _anthropic(state)]


def _openai(state: State) -> Desk:
    models = tuple(model for model in state.settings.models if model.provider == "openai")
    dialect = OpenAI(models)
    replies = Replies(state, dialect)
    return Desk(dialect, replies, Governed(state, dialect, replies, Passthrough(state, replies, models)))


def _anthropic(state: State) -> Desk:
    models = tuple(model for model in state.settings.models if model.provider == "anthropic")
    dialect = Anthropic(models)
    replies = Replies(state, dialect)
    return Desk(dialect, replies, Governed(state, dialect, replies, AnthropicAside(state, replies, models)))
