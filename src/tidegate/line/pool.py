"""A pool: where calls take their turn at the quota of one or several scopes.

The dispatcher decides (`policy/queue/dispatcher.py`); this room waits. One timer stands for the head of the queue and
one for each waiting call's patience; a call that can pass at once costs neither a future nor a timer. Who leaves a
queue, by patience or by cancellation, leaves no trace, and a permit is settled exactly once.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar, cast

from tidegate.model.story import LaneSeen
from tidegate.model.tenant import Tenant
from tidegate.policy.failure.breaker import Epochs
from tidegate.policy.lease.common import Common
from tidegate.policy.pick.face import Strategy
from tidegate.policy.queue.dispatcher import Dispatcher, Grant, Prediction, Rules, Waiting
from tidegate.policy.queue.outlet import UNTOLD, Outlet
from tidegate.policy.queue.outlets import Outlets
from tidegate.policy.quota.quota import Charge
from tidegate.policy.schedule.face import Scheduler
from tidegate.ports import Clock, Timer

_REVIEWED = 64  # predictions in one turn of the loop, when things became worse
_REVIEW_US = 20_000  # and then the loop is others' for so long
_TARDY_US = 20_000  # a stall may bring a turn later than the call could wait; so much later it still goes

LaneT = TypeVar("LaneT", bound=Outlet)


class Permit(Generic[LaneT]):
    """What a call holds of one lane. Settled exactly once; settling again does nothing."""

    __slots__ = ("_pool", "epochs", "lane", "open", "outputs", "probe", "taken_at", "tenant", "tokens")

    def __init__(
        self,
        pool: "Pool[LaneT]",
        lane: LaneT,
        tenant: Tenant,
        charge: Charge,
        taken_at: int,
        epochs: Epochs,
        probe: int,
    ) -> None:
        self._pool = pool
        self.open = True
        self.lane = lane
        self.tenant = tenant
        self.tokens = charge.tokens
        self.outputs = charge.outputs
        self.taken_at = taken_at
        self.epochs = epochs
        self.probe = probe

    def settle(self, tokens: int, now: int) -> None:
        """The provider really charged `tokens`."""
        if self.open:
            self.open = False
            self._pool.settled(self, tokens, now)

    def keep(self) -> None:
        """Nobody knows what was charged: what was reserved stays charged."""
        if self.open:
            self.open = False
            self._pool.kept(self)

    def give_back(self, *, judged: bool = False) -> None:
        """Nothing was sent: all of it returns. `judged`: it was tried, and has its verdict."""
        if self.open:
            self.open = False
            self._pool.give_back(self, judged=judged)


class _Turn(Generic[LaneT]):
    """What a waiting call waits for: its permit, or None when its turn did not come."""

    __slots__ = ("future", "patience")

    def __init__(self) -> None:
        self.future: asyncio.Future[Permit[LaneT] | None] = asyncio.get_running_loop().create_future()
        self.patience: Timer | None = None

    def end(self, permit: Permit[LaneT] | None) -> None:
        if self.patience is not None:
            self.patience.cancel()
        if not self.future.done():
            self.future.set_result(permit)


class Pool(Generic[LaneT]):
    """One model's quota in one or several scopes, with its queue. `only`: who may draw on it, None = everybody.

    `rules.only` holds names of tenants and tiers.
    """

    __slots__ = ("_busy", "_clock", "_common", "_reviewer", "_timer", "dispatcher", "lanes", "name", "only", "rules")

    def __init__(
        self,
        name: str,
        clock: Clock,
        lanes: Sequence[LaneT],
        rules: Rules,
        scheduler: Scheduler,
        strategy: Strategy,
        luck: Callable[[], float],
    ) -> None:
        self._busy = False
        self._clock = clock
        self._timer: Timer | None = None
        self._reviewer: Timer | None = None
        self.name = name
        self.lanes = lanes
        self.rules = rules
        self.only = frozenset(rules.only) or None
        outlets = Outlets(lanes, strategy, self._alerted, self.pump)
        self.dispatcher = Dispatcher(outlets, scheduler, luck, rules, clock.now())
        self._common = self._in_common()

    def _in_common(self) -> Common | None:
        """What it has in common with other workers, None where no lane's quota is shared."""
        shared = any(lane.wallet is not None for lane in self.lanes)
        return Common(self.dispatcher, self.lanes, self.pump, self.changed) if shared else None

    def renew(self, lanes: Sequence[LaneT], rules: Rules, scheduler: Scheduler, strategy: Strategy) -> None:
        """The configuration changed: who waits keeps waiting, in the order of the new discipline."""
        old, now = self.dispatcher, self._clock.now()
        old.outlets.arrange(())
        if self._common is not None:
            self._common.close()
        self.lanes = lanes
        self.rules = rules
        self.only = frozenset(rules.only) or None
        self.dispatcher = Dispatcher(
            Outlets(lanes, strategy, self._alerted, self.pump), scheduler, old.luck, rules, now
        )
        self.dispatcher.inherit(old, now)
        self._common = self._in_common()
        self.changed()

    def close(self) -> None:
        """No plan uses it any more, and nobody waits: its lanes forget it. A belated call is served all the same."""
        self.dispatcher.outlets.rest()
        if self._common is not None:
            self._common.close()

    def serves(self, tenant: Tenant) -> bool:
        """Whether calls of this tenant may draw on it."""
        only = self.only
        return only is None or tenant.name in only or tenant.tier.name in only

    @property
    def tripped(self) -> bool:
        """Every lane refuses on end, and none may be probed now.

        Who may probe goes there, though a purse of a cluster has to be filled first: a lane that is skipped for that
        would never be asked again while there are other targets.
        """
        if not all(lane.breaker.tripped for lane in self.lanes):
            return False
        now = self._clock.now()
        return all(lane.breaker.wait(now) > 0 for lane in self.lanes)

    @property
    def waiting(self) -> int:
        """How many calls stand in the queue."""
        return self.dispatcher.waiting

    @property
    def refusing(self) -> bool:
        """Calls were refused, and told a time for which a place is kept."""
        return self.dispatcher.appointments.kept > 0

    def predict(self, tenant: Tenant, charge: Charge, now: int, body: object = None) -> Prediction:
        """The wait of a call that says `body`, would it queue now."""
        return self.dispatcher.predict(tenant, charge, now, body)

    def promise(self, tenant: Tenant, charge: Charge, wait_us: int, body: object = None) -> int:
        """What to tell a call that is refused, at least `wait_us`: a place is kept for it then."""
        return self.dispatcher.promise(tenant, charge, wait_us, self._clock.now(), body)

    def take_nowait(
        self, tenant: Tenant, charge: Charge, affinity: int, now: int, body: object = None
    ) -> Permit[LaneT] | None:
        """Pass at once with this charge, or None."""
        lane = self.dispatcher.pass_now(tenant, charge, affinity, now, body)
        return None if lane is None else self._permit(cast("LaneT", lane), tenant, charge, now)

    def take_seen(
        self, tenant: Tenant, charge: Charge, affinity: int, now: int, body: object = None
    ) -> tuple[Permit[LaneT], tuple[LaneSeen, ...]] | None:
        """The same for a call that has a story: with how the lanes stood."""
        lane = self.dispatcher.pass_now(tenant, charge, affinity, now, body)
        if lane is None:
            return None
        seen = self.seen(tenant, charge, now, lane)
        return self._permit(cast("LaneT", lane), tenant, charge, now), seen

    def seen(self, tenant: Tenant, charge: Charge, now: int, taken: Outlet | None = None) -> tuple[LaneSeen, ...]:
        """How its lanes stand to such a call, `taken` before it is; nothing where there is but one. O(1)."""
        if len(self.lanes) == 1:
            return ()
        return self.dispatcher.outlets.lineup(charge, self.dispatcher.floor_of(tenant, now), now, taken)

    async def take(self, ticket: Waiting, *, first: bool = False) -> Permit[LaneT] | None:
        """Wait for a turn until `ticket.give_up_at`; None when it did not come.

        `first` = a call that had its turn before.
        """
        turn: _Turn[LaneT] = _Turn()
        ticket.ctx = turn
        pushed = self.dispatcher.enter(ticket, self._clock.now(), front=first)
        if pushed is ticket:
            return None
        if pushed is not None:
            _turn_of(pushed).end(None)
        turn.patience = self._clock.call_at(ticket.give_up_at, partial(self._dismiss, ticket))
        self.pump()
        try:
            return await turn.future
        except asyncio.CancelledError:
            self._forget(ticket, turn)
            raise

    def settled(self, permit: Permit[LaneT], tokens: int, now: int) -> None:
        """A call ended; what it had reserved turned out to cost `tokens`."""
        reserved = permit.tokens
        permit.lane.settle(reserved, tokens, permit.taken_at, now)
        dispatcher = self.dispatcher
        dispatcher.settled(permit.tenant, reserved, tokens, now)
        if dispatcher.waiting:
            self.pump()

    def kept(self, permit: Permit[LaneT]) -> None:
        """A call ended; what it had reserved stays charged."""
        permit.lane.keep(permit.tokens)
        if self.dispatcher.waiting:
            self.pump()

    def give_back(self, permit: Permit[LaneT], *, judged: bool) -> None:
        """A permit that was never used, so that another call may probe what it would have, unless it was judged."""
        now = self._clock.now()
        permit.lane.give_back(permit.tokens, permit.taken_at, now, permit.outputs)
        self.dispatcher.settled(permit.tenant, permit.tokens, 0, now)
        if not judged:
            permit.lane.breaker.abandon(permit.probe)
        self.pump()

    def changed(self) -> None:
        """Quota or health changed from outside: let pass who can, send away who cannot wait that long any more.

        A long queue is gone through in slices, whatever else changes meanwhile. When all lanes refuse on end, who has
        other targets goes there at once.
        """
        now = self._clock.now()
        self.dispatcher.changed(now)
        if self.dispatcher.waiting:
            self.dispatcher.worsened()
            self._review(now, _REVIEWED if self._reviewer is None else 0)
        self.pump()

    def _review(self, now: int, most: int) -> None:
        for ticket in list(self.dispatcher.review(now, tripped=self.tripped, most=most)):
            _turn_of(ticket).end(None)
        if self._reviewer is None and self.dispatcher.reviewing:
            self._reviewer = self._clock.call_at(now + _REVIEW_US, self._review_on)

    def _review_on(self) -> None:
        self._reviewer = None
        self._review(self._clock.now(), _REVIEWED)
        self.pump()

    def _alerted(self) -> None:
        """The breaker of a lane changed, by a call of this pool or of another one that shares it."""
        if not self._busy:
            self.changed()

    def pump(self) -> None:
        """Let pass whoever can; set the timer for the one who cannot yet."""
        if self._busy:
            return  # a breaker that a grant closes as its probe says so while we are at it
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.dispatcher.waiting:
            return
        self._busy = True
        try:
            now = self._clock.now()
            step = self.dispatcher.dispatch(now)
            while isinstance(step, Grant):
                self._grant(step, now)
                step = self.dispatcher.dispatch(now)
        finally:
            self._busy = False
        if self._common is not None:
            self._common.want(now)
        if step != UNTOLD:
            self._timer = self._clock.call_at(now + step, self.pump)

    def _grant(self, grant: Grant, now: int) -> None:
        ticket = grant.ticket
        turn: _Turn[LaneT] = _turn_of(ticket)
        if grant.outlet is None:
            turn.end(None)
        elif turn.future.done() or now > ticket.give_up_at + _TARDY_US:
            # its call was cancelled, and has not run since, or it is too late for it: nothing is taken
            turn.end(None)
            self.dispatcher.settled(ticket.owner, ticket.charge.tokens, 0, now)
        else:
            if len(self.lanes) > 1:
                floor = self.dispatcher.floor(ticket, now)
                ticket.seen = self.dispatcher.outlets.lineup(ticket.charge, floor, now, grant.outlet)
            turn.end(self._permit(cast("LaneT", grant.outlet), ticket.owner, ticket.charge, now))

    def _permit(self, lane: LaneT, tenant: Tenant, charge: Charge, now: int) -> Permit[LaneT]:
        if charge.prefix:
            asked, charge = charge, lane.due(charge, now)
            if charge is not asked:
                self.dispatcher.spared(tenant, asked.tokens - charge.tokens, now)
        probe = lane.take(charge, now)
        return Permit(self, lane, tenant, charge, now, lane.breaker.epochs, probe)

    def _dismiss(self, ticket: Waiting) -> None:
        """Its patience is at an end, unless its turn comes in this very moment."""
        self.pump()
        if self.dispatcher.leave(ticket, self._clock.now()):
            _turn_of(ticket).end(None)
            self.pump()

    def _forget(self, ticket: Waiting, turn: _Turn[LaneT]) -> None:
        """The waiting call was cancelled, perhaps in the same moment in which its turn came."""
        if turn.patience is not None:
            turn.patience.cancel()
        if self.dispatcher.leave(ticket, self._clock.now()):
            self.pump()
        elif turn.future.done() and not turn.future.cancelled() and (permit := turn.future.result()) is not None:
            permit.give_back()


def _turn_of(ticket: Waiting) -> "_Turn[LaneT]":
    return cast("_Turn[LaneT]", ticket.ctx)
