"""Tokens are counted in both ways, and none is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.providers.translate import usage, words_chat, words_messages

counts = st.integers(0, 10**6)


@given(counts, counts, counts, counts, st.none() | counts)
def test_there_and_back(fresh: int, written: int, read: int, output: int, thought: int | None) -> None:
    """What messages count apart is part of the prompt in chat completions, and comes apart again."""
    details = None if thought is None else words_messages.OutputDetails(thought)
    stated = words_messages.Usage(fresh, written, read, output, details)
    chat = usage.to_chat(stated)
    assert chat.prompt_tokens == fresh + written + read
    assert chat.total_tokens == chat.prompt_tokens + output
    again = words_chat.StatedUsage(
        chat.prompt_tokens, chat.completion_tokens, chat.prompt_tokens_details, chat.completion_tokens_details
    )
    assert usage.to_messages(again) == stated


def test_nothing_stated_is_nothing() -> None:
    """Messages always state a usage."""
    assert usage.to_messages(None) == words_messages.Usage(0, 0, 0, 0)
    assert usage.to_messages(words_chat.StatedUsage()) == words_messages.Usage(0, 0, 0, 0)


def test_more_from_a_cache_than_there_was() -> None:
    """A provider that miscounts does not make input negative."""
    stated = words_chat.StatedUsage(5, 1, words_chat.PromptDetails(cached_tokens=9))
    assert usage.to_messages(stated).input_tokens == 0


def test_statements_of_one_stream() -> None:
    """Numbers are cumulative: the larger one counts, whichever event it stood in."""
    begun = words_messages.Usage(input_tokens=10, cache_read_input_tokens=4, output_tokens=1)
    ended = words_messages.Usage(input_tokens=0, output_tokens=9, service_tier="priority")
    both = words_messages.Usage(10, None, 4, 9, service_tier="priority")
    assert usage.merged(begun, ended) == both
    assert usage.merged(ended, begun) == both
    assert usage.merged(begun, None) is begun


@pytest.mark.parametrize(("tier", "named"), [("standard", "default"), ("priority", "priority"), ("batch", None)])
def test_service_tiers(tier: str, named: str | None) -> None:
    """A tier without a name in the other dialect is not told."""
    assert usage.tier_of(words_messages.Usage(service_tier=tier)) == named
