"""What a model takes, by its name: the makers change their APIs from one generation of models to the next.

Data, as of November 2026. A name that is not known gets what works with the most models: nothing that an older or a
foreign one refuses. Sources: Anthropic's pages on models, extended and adaptive thinking and structured outputs, and
its migration guides (no sampling since 4.7, no beginnings of answers since 4.6, temperature or top_p since 4.1);
OpenAI's pages on models and reasoning; DeepSeek's on thinking mode; the references of vLLM, Ollama and Zhipu, which
know `max_tokens`.
"""

import re

from tidegate.providers.translate.records import ChatCan, MessagesCan

# `claude-3-5-sonnet-20241022`, `claude-opus-4-1`, `eu.anthropic.claude-sonnet-4-20250514-v1:0`
_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")

# The first generation that is not of a row's kind any more.
_GENERATIONS = (
    ((3, 7), MessagesCan(json_schema=False, thinking="none")),
    ((4, 1), MessagesCan(json_schema=False, thinking="budget")),
    ((4, 5), MessagesCan(json_schema=False, thinking="budget", sampling="one")),
    ((4, 6), MessagesCan(json_schema=True, thinking="budget", sampling="one")),
    ((4, 7), MessagesCan(json_schema=True, thinking="effort", sampling="one")),
)
_LATEST = MessagesCan(json_schema=True, thinking="effort", sampling="none")
_ANY_MESSAGES = MessagesCan(json_schema=False, thinking="budget")
_ENDS_WITH_USER = (4, 6)  # from this generation on a last message of the assistant is refused

# The first row whose pattern is found at the beginning of the name, behind a maker's, counts.
_CHATS = (
    (re.compile(r"o\d|gpt-(?:[5-9]|\d\d)"), ChatCan(sampling=False)),
    (re.compile(r"gpt-oss"), ChatCan(max_completion_tokens=False)),
    (re.compile(r"gpt-|chatgpt-"), ChatCan(reasoning_effort=False)),
    (re.compile(r"gemini-"), ChatCan()),
    (re.compile(r"deepseek-"), ChatCan(reasoning_content=True, max_completion_tokens=False)),
)
_ANY_CHAT = ChatCan(reasoning_effort=False, max_completion_tokens=False)


def messages_can(model: str) -> MessagesCan:
    """What a model behind Anthropic's messages takes. O(length of the name)."""
    generation = _generation(model)
    if generation is None:
        return _ANY_MESSAGES
    return next((can for end, can in _GENERATIONS if generation < end), _LATEST)


def goes_on(model: str) -> bool:
    """Whether it continues the beginning of an answer where its provider takes one. O(length of the name)."""
    generation = _generation(model)
    return generation is None or generation < _ENDS_WITH_USER


def _generation(model: str) -> tuple[int, int] | None:
    """Of Claude, whoever serves it; None of what is no Claude, or does not say."""
    found = _CLAUDE.search(model)
    return None if found is None else (int(found[1]), int(found[2] or 0))


def chat_can(model: str) -> ChatCan:
    """What a model behind chat completions takes. O(length of the name)."""
    name = model.rpartition("/")[2].lower()
    return next((can for pattern, can in _CHATS if pattern.match(name)), _ANY_CHAT)
