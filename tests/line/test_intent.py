"""The intent is written before anything is sent."""

import pytest

from tests.line.scenes import (
    close,
    lane_of,
    play_of,
    requests_left,
    said,
    tokens_left,
)
from tidegate.line.line import Line
from tidegate.model.facts import Fact
from tidegate.testing.clock import SECOND, settle


async def test_an_intent_is_written_before_anything_is_sent() -> None:
    """With the charge, and what the mirror holds after it; one for each attempt."""
    play = play_of()
    play.call("a", max_tokens=1_000)
    await settle()
    await play.provider("openai", said(1))
    await play.until(SECOND)
    first, second = play.recorder.intents
    assert (first.attempt, second.attempt) == (1, 2)
    assert (first.charged_tokens, first.level_tokens, first.level_requests) == (1_000, 59_000, 2_999)
    assert first.call_id == second.call_id
    assert first.lane == lane_of(play).key
    assert first.plan == "a"


class FullDisk:
    """A journal that cannot be written."""

    def append(self, fact: Fact) -> None:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("probe", [False, True])
async def test_without_a_journal_nothing_is_sent_and_nothing_is_kept(probe: bool) -> None:
    """The charge returns, and a probe is free for the next call."""
    play = play_of()
    if probe:
        close(lane_of(play), play.clock.now())
    writable, play.line = play.line, Line(play.clock, FullDisk(), play.recorder, lambda: 0.0)
    with pytest.raises(OSError, match="No space"):
        await play.call("a", max_tokens=1_000)
    assert play.sent("openai") == []
    assert (tokens_left(play), requests_left(play)) == (60_000, 3_000)
    play.line = writable
    play.call("a")
    await settle()
    assert len(play.sent("openai")) == 1
