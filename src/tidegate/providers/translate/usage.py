"""Tokens counted in both ways: chat completions count what a cache gave as part of the prompt, messages beside it."""

from tidegate.providers.translate import words_chat as chat
from tidegate.providers.translate import words_messages as messages
from tidegate.providers.translate.tables import TIER_ANSWERED


def to_chat(usage: messages.Usage) -> chat.Usage:
    """Prompt tokens are input, cache reads and cache writes."""
    read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    prompt, output = (usage.input_tokens or 0) + read + written, usage.output_tokens or 0
    details = usage.output_tokens_details
    thought = details.thinking_tokens if details is not None else None
    return chat.Usage(
        prompt_tokens=prompt,
        completion_tokens=output,
        total_tokens=prompt + output,
        prompt_tokens_details=chat.PromptDetails(read, written or None),
        completion_tokens_details=None if thought is None else chat.CompletionDetails(thought),
    )


def to_messages(usage: chat.StatedUsage | None) -> messages.Usage:
    """Input tokens are what of the prompt neither came from a cache nor went to one; 0 where nothing is stated."""
    if usage is None:
        return messages.Usage(0, 0, 0, 0)
    details = usage.prompt_tokens_details or chat.PromptDetails()
    read, written = details.cached_tokens or 0, details.cache_write_tokens or 0
    fresh = max((usage.prompt_tokens or 0) - read - written, 0)
    thought = None if usage.completion_tokens_details is None else usage.completion_tokens_details.reasoning_tokens
    return messages.Usage(
        input_tokens=fresh,
        cache_creation_input_tokens=written,
        cache_read_input_tokens=read,
        output_tokens=usage.completion_tokens or 0,
        output_tokens_details=None if thought is None else messages.OutputDetails(thought),
    )


def merged(one: messages.Usage, other: messages.Usage | None) -> messages.Usage:
    """Two statements of one stream: every number is cumulative, so the larger one is the later."""
    if other is None:
        return one
    return messages.Usage(
        input_tokens=_larger(one.input_tokens, other.input_tokens),
        cache_creation_input_tokens=_larger(one.cache_creation_input_tokens, other.cache_creation_input_tokens),
        cache_read_input_tokens=_larger(one.cache_read_input_tokens, other.cache_read_input_tokens),
        output_tokens=_larger(one.output_tokens, other.output_tokens),
        output_tokens_details=other.output_tokens_details or one.output_tokens_details,
        service_tier=other.service_tier or one.service_tier,
    )


def _larger(one: int | None, other: int | None) -> int | None:
    return other if one is None or (other is not None and other > one) else one


def tier_of(usage: messages.Usage) -> str | None:
    """The service tier of a chat completion, None where it has no name there."""
    return TIER_ANSWERED.get(usage.service_tier or "")
