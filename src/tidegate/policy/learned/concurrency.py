"""How many calls a provider carries at once for one model: a limit that overload teaches.

A 503 or 529 is no quota: the provider itself is full, whoever asks; so all lanes of the model share what is learnt, and
no key is blamed. Promise: nothing is bounded until the first overload; each round of overload leaves seven tenths of
what was in flight, at least one; each `limit` answers allow one more; and once it allows twice what was refused,
nothing is bounded again. All calls that left before a limit was lowered are of the round that lowered it. Source:
Netflix' concurrency-limits (AIMD).

While nothing is bounded nothing is counted either. O(1), and O(lanes) when the bound comes or goes.
"""

from tidegate.policy.queue.outlet import Cap, Outlet

DECREASE_PERMILLE = 700
_FREE = 2  # times what was in flight at the overload
_NEVER = -(1 << 62)


class Concurrency:
    """One provider's and model's."""

    __slots__ = ("_answered", "_cap", "_outlets", "_since", "_top")

    def __init__(self) -> None:
        self._outlets: dict[Outlet, None] = {}
        self._cap: Cap | None = None
        self._since = _NEVER  # when the limit was lowered
        self._answered = 0
        self._top = 0

    @property
    def limit(self) -> int:
        """Calls at once, 0 = as many as come."""
        return 0 if self._cap is None else self._cap.limit

    def share(self, outlet: Outlet) -> None:
        """One more that the same machines serve."""
        self._outlets[outlet] = None
        outlet.crowd = self._cap
        if self._cap is not None:
            self._cap.busy += outlet.calls

    def part(self, outlet: Outlet) -> None:
        """It is gone; it carries nothing any more. Harmless when it does not share."""
        self._outlets.pop(outlet, None)

    def overloaded(self, began: int, now: int) -> bool:
        """The provider refused a call that passed at `began` and has left. True when that lowered the limit."""
        if began <= self._since:
            return False
        cap = self._cap or self._bind()
        calls = cap.busy + 1
        self._top = max(_FREE * calls, self._top)
        self._since, self._answered = now, 0
        cap.limit = max(1, calls * DECREASE_PERMILLE // 1_000)
        return True

    def answered(self, began: int) -> None:
        """A call that passed at `began` was served."""
        cap = self._cap
        if cap is None or began <= self._since:
            return
        self._answered += 1
        if self._answered < cap.limit:
            return
        self._answered = 0
        if cap.limit < self._top:
            cap.allow(cap.limit + 1)
        else:
            self._free(cap)

    def _bind(self) -> Cap:
        self._cap = cap = Cap()
        for outlet in self._outlets:
            outlet.crowd = cap
            cap.busy += outlet.calls
        return cap

    def _free(self, cap: Cap) -> None:
        self._cap = None
        self._top = 0
        for outlet in self._outlets:
            outlet.crowd = None
        cap.allow(0)  # whoever waits for it hears of it
