"""A gate: where calls take their turn at a quota, first come first served.

The policies decide (`Quota`, `Health`); this room waits. One timer stands for the head of the queue and one for each
waiting call's patience; a call that can pass at once costs neither a future nor a timer. Entering and leaving are O(1);
only a change for the worse (a refusal by the provider, a smaller limit) walks the queue once.
"""

import asyncio
from collections import OrderedDict
from functools import partial

from tidegate.policy.allowance import NEVER
from tidegate.policy.health import Health
from tidegate.policy.quota import Charge, Quota
from tidegate.ports import Clock, Timer

REMEMBERED_TOKENS = 1_000_000


class Permit:
    """What a call holds of a gate. Settled exactly once; settling again does nothing."""

    __slots__ = ("_gate", "_open", "epoch", "probe", "taken_at", "tokens")

    def __init__(self, gate: "Gate", tokens: int, taken_at: int, epoch: int, *, probe: bool) -> None:
        self._gate = gate
        self._open = True
        self.tokens = tokens
        self.taken_at = taken_at
        self.epoch = epoch
        self.probe = probe

    def settle(self, tokens: int) -> None:
        """The provider really charged `tokens`."""
        if self._open:
            self._open = False
            self._gate.settled(self.tokens, tokens, self.taken_at)

    def keep(self) -> None:
        """Nobody knows what was charged: what was reserved stays charged."""
        self._open = False

    def give_back(self, *, judged: bool = False) -> None:
        """Nothing was sent: all of it returns. `judged`: it was tried, and the verdict on the lane's health follows."""
        if self._open:
            self._open = False
            self._gate.give_back(self, judged=judged)


class _Waiter:
    __slots__ = ("charge", "elsewhere", "give_up_at", "patience", "turn")

    def __init__(
        self, charge: Charge, give_up_at: int, turn: "asyncio.Future[Permit | None]", *, elsewhere: bool
    ) -> None:
        self.charge = charge
        self.elsewhere = elsewhere
        self.give_up_at = give_up_at
        self.turn = turn
        self.patience: Timer | None = None


class Gate:
    """One quota with its queue and its health."""

    __slots__ = (
        "_ahead_tokens", "_clock", "_max_waiting", "_queue", "_reserved", "_settled", "_timer", "health", "quota",
    )  # fmt: skip

    def __init__(self, clock: Clock, quota: Quota, max_waiting: int) -> None:
        self._clock = clock
        self._max_waiting = max_waiting
        self._queue: OrderedDict[_Waiter, None] = OrderedDict()
        self._ahead_tokens = 0
        self._reserved = self._settled = 1  # tokens of late, for the share of a reservation that is really spent
        self._timer: Timer | None = None
        self.quota = quota
        self.health = Health()

    @property
    def waiting(self) -> int:
        """How many calls stand in the queue."""
        return len(self._queue)

    def wait(self, charge: Charge, now: int) -> int:
        """The predicted wait of a call that would queue now: 0, microseconds, or NEVER.

        Those ahead reserve more than they turn out to cost; what they cost so far, as a share, is what counts here.
        """
        spent = self.quota.wait(charge, now, len(self._queue), self._really(self._ahead_tokens))
        if spent == NEVER:
            return NEVER
        closed = self.health.wait(now)
        # Whoever is behind somebody waits, if only a moment: "at once" is for an empty queue.
        return max(spent, closed, 1 if self._queue else 0)

    def _really(self, reserved: int) -> int:
        """What such a reservation will have cost in the end, by the latest settlements."""
        return reserved * self._settled // self._reserved

    def full(self) -> bool:
        """The queue has no more room."""
        return len(self._queue) >= self._max_waiting

    def take_nowait(self, tokens: int, now: int) -> Permit | None:
        """Pass at once with this charge, or None."""
        health = self.health
        if self._queue or (health.limited and health.wait(now)) or not self.quota.take_nowait(tokens, now):
            return None
        return Permit(self, tokens, now, health.epoch, probe=health.limited and health.enter())

    async def take(
        self, charge: Charge, give_up_at: int, *, first: bool = False, elsewhere: bool = False
    ) -> Permit | None:
        """Wait for a turn until `give_up_at`; None when it did not come.

        `first` = a call that had its turn before; `elsewhere` = one that has other targets.
        """
        turn: asyncio.Future[Permit | None] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(charge, give_up_at, turn, elsewhere=elsewhere)
        self._queue[waiter] = None
        if first:
            self._queue.move_to_end(waiter, last=False)
        self._ahead_tokens += charge.tokens
        waiter.patience = self._clock.call_at(give_up_at, partial(self._dismiss, waiter))
        if next(iter(self._queue)) is waiter:
            self._pump()
        try:
            return await turn
        except asyncio.CancelledError:
            self._forget(waiter, turn)
            raise

    def settled(self, reserved: int, tokens: int, taken_at: int) -> None:
        """What was reserved at `taken_at` turned out to cost `tokens`."""
        if tokens:  # nothing at all is a request that was refused unread
            self._reserved += reserved
            self._settled += tokens
        if self._reserved > REMEMBERED_TOKENS:
            self._reserved //= 2
            self._settled //= 2
        if tokens != reserved:
            self.correct(tokens - reserved, taken_at)

    def correct(self, delta: int, taken_at: int) -> None:
        """A charge turned out `delta` tokens larger (negative: smaller)."""
        self.quota.correct(delta, taken_at, self._clock.now())
        if delta < 0 and self._queue:
            self._pump()

    def give_back(self, permit: Permit, *, judged: bool) -> None:
        """A permit that was never used. Before a verdict nobody passes: it may close the gate."""
        self.quota.give_back(permit.tokens, permit.taken_at, self._clock.now())
        if not judged:
            self.health.abandon(probe=permit.probe)
            self._pump()

    def changed(self, *, worse: bool, tripped: bool = False) -> None:
        """Quota or health changed from outside: let pass who can, send away who cannot wait that long any more.

        `tripped`: it has just become clear that the provider refuses on end; who has other targets goes there.
        """
        if worse:
            self._review(tripped=tripped)
        self._pump()

    def _pass(self, charge: Charge, now: int) -> Permit:
        self.quota.take(charge, now)
        health = self.health
        return Permit(self, charge.tokens, now, health.epoch, probe=health.enter())

    def _pump(self) -> None:
        """Let pass from the head whoever can; set the timer for the one who cannot yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock.now()
        while self._queue:
            head = next(iter(self._queue))
            wait = max(self.quota.wait(head.charge, now), self.health.wait(now))
            if wait > 0:
                if not self.health.blocked():
                    self._timer = self._clock.call_at(now + wait, self._pump)
                return
            self._leave(head)
            if not head.turn.done():  # its call may have been cancelled, and not have run since
                never = self.quota.wait(head.charge, now) == NEVER
                head.turn.set_result(None if never else self._pass(head.charge, now))

    def _review(self, *, tripped: bool) -> None:
        now = self._clock.now()
        closed = self.health.wait(now)
        ahead_requests = ahead_tokens = 0
        for waiter in list(self._queue):
            wait = self.quota.wait(waiter.charge, now, ahead_requests, self._really(ahead_tokens))
            leaves = tripped and waiter.elsewhere
            if leaves or wait == NEVER or now + max(wait, closed) > waiter.give_up_at:
                self._leave(waiter)
                _send_away(waiter)
            else:
                ahead_requests += 1
                ahead_tokens += waiter.charge.tokens

    def _dismiss(self, waiter: _Waiter) -> None:
        """Its patience is at an end, unless its turn comes in this very moment."""
        self._pump()
        if waiter in self._queue:
            self._step_aside(waiter)
            _send_away(waiter)

    def _step_aside(self, waiter: _Waiter) -> None:
        head = next(iter(self._queue)) is waiter
        self._leave(waiter)
        if head:
            self._pump()

    def _leave(self, waiter: _Waiter) -> None:
        del self._queue[waiter]
        self._ahead_tokens -= waiter.charge.tokens
        if waiter.patience is not None:
            waiter.patience.cancel()

    def _forget(self, waiter: _Waiter, turn: "asyncio.Future[Permit | None]") -> None:
        """The waiting call was cancelled, perhaps in the same moment in which its turn came."""
        if waiter in self._queue:
            self._step_aside(waiter)
        elif turn.done() and not turn.cancelled() and (permit := turn.result()) is not None:
            permit.give_back()


def _send_away(waiter: _Waiter) -> None:
    if not waiter.turn.done():
        waiter.turn.set_result(None)
