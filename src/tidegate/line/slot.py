"""What an attempt holds while it runs, and what it came to when it was answered."""

from typing import TYPE_CHECKING

from tidegate.model.outcome import Usage
from tidegate.model.reply import Headers

if TYPE_CHECKING:
    from tidegate.line.lane import Lane
    from tidegate.line.pool import Permit
    from tidegate.line.splice import Splice
    from tidegate.policy.queue.outlet import Outlet


class Slot:
    """What one attempt holds: a permit of the lane, perhaps one of the strategy's own bound; both settled once."""

    __slots__ = ("account", "at_us", "bound", "head_us", "lane", "left_requests", "left_tokens", "permit", "span")

    def __init__(
        self,
        lane: "Lane",
        permit: "Permit[Lane]",
        bound: "Permit[Outlet] | None",
        left_tokens: int,
        left_requests: int,
    ) -> None:
        """`left_tokens`, `left_requests`: the mirrors right after the charge, -1 = no such limit."""
        self.lane = lane
        self.permit = permit
        self.bound = bound
        self.left_tokens = left_tokens
        self.left_requests = left_requests
        self.at_us = 0  # wall clock, when its attempt was sent
        self.account = self.span = ""  # fingerprint of its key; its name where the client traces
        self.head_us = 0  # until the reply's head was there, where that was looked at

    @property
    def charged(self) -> int:
        """Tokens reserved at the provider."""
        return self.permit.tokens

    def settle(self, tokens: int, now: int) -> None:
        """The provider really charged `tokens`."""
        self.permit.settle(tokens, now)
        if self.bound is not None:
            self.bound.settle(tokens, now)

    def keep(self) -> int:
        """What was charged is unknown: it stays charged. The tokens that do, 0 where it was settled before."""
        stays = self.permit.tokens if self.permit.open else 0
        self.permit.keep()
        if self.bound is not None:
            self.bound.keep()
        return stays

    def give_back(self, *, judged: bool = False) -> None:
        """Nothing was sent. `judged`: it was tried, and has its verdict."""
        self.permit.give_back(judged=judged)
        if self.bound is not None:
            self.bound.give_back()


class Answered:
    """The provider answered: completely, or with a stream that has begun. Nobody changes one.

    A complete answer is settled and `charged` stands. A stream holds its slot until `Settlement.stream`.
    """

    __slots__ = ("body", "charged", "headers", "lane", "shown", "slot", "splice", "status", "usage")

    def __init__(
        self,
        slot: Slot,
        status: int,
        headers: Headers,
        shown: dict[bytes, bytes],
        body: bytes,
        splice: "Splice | None" = None,
        usage: Usage | None = None,
        charged: int = 0,
    ) -> None:
        """`shown`: the same headers by name."""
        self.slot = slot
        self.lane = slot.lane
        self.status = status
        self.headers = headers
        self.shown = shown
        self.body = body
        self.splice = splice
        self.usage = usage
        self.charged = charged
