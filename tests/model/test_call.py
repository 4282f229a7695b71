"""The record of one request."""

import pytest

from tidegate.model.call import Attempt, Call, Kind, Shape


def a_call(call_id: int) -> Call:
    return Call(call_id, 0, 120, "", Kind.CHAT, b"POST", b"/chat/completions", b"", b"{}", Shape("gpt-4o"))


def test_a_new_call_has_been_nowhere() -> None:
    """Nothing tried, nothing waited for, and of unknown size."""
    call = a_call(1)
    assert call.attempts == []
    assert (call.queued_us, call.waited_us, call.smoothed, call.client_retry) == (0, 0, False, False)
    assert (call.size.kind, call.size.weight, call.size.fixed) == (0, 0, 0)


def test_calls_share_no_history() -> None:
    """Each has a list of attempts of its own."""
    first, second = a_call(1), a_call(2)
    first.attempts.append(Attempt("openai/main/gpt-4o", 200, None, 0))
    assert second.attempts == []


def test_what_was_tried_does_not_change() -> None:
    """Attempts are history."""
    with pytest.raises(AttributeError):
        Attempt("t", 200, None, 0).status = 500  # type: ignore[misc]


def test_without_word_from_the_client_a_stream_keeps_its_usage() -> None:
    """Only a body that was read can say that the client does not want it."""
    assert Shape("gpt-4o").wants_usage
