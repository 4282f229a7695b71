"""Webhooks that are claimed and wait for a place at a host that answers: the next one begins when one has come back.

Without them a host would be idle from one look at the rows to the next. O(1) each; memory is bounded.
"""

from collections import deque
from typing import Final

from tidegate.jobs.hooks.records import Hook
from tidegate.policy.jobs.webhooks import Target

OF_HOST: Final = 256
MOST: Final = 1_024

Waiting = tuple[Hook, Target]


class Lines:
    """One for each host that somebody waits for."""

    __slots__ = ("_lines", "_waiting")

    def __init__(self) -> None:
        self._lines: dict[str, deque[Waiting]] = {}
        self._waiting = 0

    def join(self, hook: Hook, target: Target) -> bool:
        """Wait for a place at its host. False: too many do."""
        line = self._lines.get(target.host)
        if self._waiting >= MOST or (line is not None and len(line) >= OF_HOST):
            return False
        if line is None:
            line = self._lines[target.host] = deque()
        line.append((hook, target))
        self._waiting += 1
        return True

    def ahead(self, host: str) -> int:
        """How many wait for it."""
        return len(self._lines.get(host, ()))

    def next(self, host: str) -> Waiting | None:
        """Who has waited longest for this host, and waits no more; None: nobody does."""
        line = self._lines.get(host)
        if line is None:
            return None
        first = line.popleft()
        self._waiting -= 1
        if not line:
            del self._lines[host]
        return first

    def leave(self) -> list[Hook]:
        """All of them wait no more."""
        lines, self._lines, self._waiting = self._lines, {}, 0
        return [hook for line in lines.values() for hook, _ in line]
