"""How often a service lets itself be spoken to: exact, over every span of that length."""

from collections import deque


class Rate:
    """At most so many in each span. O(1) amortised; remembers no more than `most` moments."""

    def __init__(self, most: int, span_s: float, ban_s: float = 0) -> None:
        """`ban_s`: who comes too often is refused for so long."""
        self._most = most
        self._span = span_s
        self._ban = ban_s
        self._until = 0.0
        self._moments: deque[float] = deque()

    def passes(self, now_s: float) -> bool:
        """Count one, or refuse it."""
        while self._moments and self._moments[0] <= now_s - self._span:
            self._moments.popleft()
        if now_s < self._until:
            return False
        if len(self._moments) >= self._most:
            self._until = now_s + self._ban
            return False
        self._moments.append(now_s)
        return True
