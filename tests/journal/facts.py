"""Facts and a clock for the journal's tests."""

from collections.abc import Callable

from tidegate.model.facts import CallRecord, Intent
from tidegate.ports import Timer


class FixedClock:
    """Time that stands still until it is told to go on."""

    def __init__(self, wall: int = 1_700_000_000_000_000) -> None:
        self._now = 5_000_000
        self._wall = wall

    def now(self) -> int:
        return self._now

    def wall(self) -> int:
        return self._wall

    def advance(self, microseconds: int) -> None:
        self._now += microseconds
        self._wall += microseconds

    def call_at(self, when: int, callback: Callable[[], None]) -> Timer:
        raise NotImplementedError

    async def sleep(self, duration: int) -> None:
        raise NotImplementedError


def intent(
    call: int,
    attempt: int = 1,
    *,
    tokens: int = 100,
    lane: str = "digest/main/gpt-4o",
    at_us: int = 1_700_000_000_000_000,
    level: int = 1_000,
    target: str = "",
) -> Intent:
    """An attempt about to be sent."""
    return Intent(call, attempt, at_us, lane, tokens, level, 10, client="app", plan="chat", target=target)


def record(call: int, *, client: str = "app", tokens: int = 100) -> CallRecord:
    """A call that ended well."""
    return CallRecord(
        call_id=call,
        at_us=1_700_000_000_000_000,
        client=client,
        plan="chat",
        model="gpt-4o",
        target="openai/main/gpt-4o",
        status=200,
        attempts=1,
        streamed=False,
        queued_us=0,
        waited_us=0,
        first_byte_us=1_000,
        duration_us=2_000,
        prompt_tokens=60,
        completion_tokens=40,
        cached_tokens=0,
        charged_tokens=tokens,
        estimated=False,
    )
