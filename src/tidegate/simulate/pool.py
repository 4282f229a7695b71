"""A pool in virtual time: what `line/pool.py` is with tasks and timers, this is with events.

The `Dispatcher` and the outlets are the gate's own objects; nothing is decided here. What stands here is the gate's
order of things: pass at once, or be told when, or wait for a turn; settle; after a refusal by the provider, try again.
"""

from collections.abc import Callable, Mapping
from random import Random

from tidegate.model.outcome import Reason
from tidegate.model.snapshot import RetryPolicy
from tidegate.policy.failure.recovery import Move, RetryBudget, after_failure
from tidegate.policy.queue.dispatcher import Dispatcher, Waiting
from tidegate.policy.queue.outlet import UNTOLD, Outlet
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.estimate import admission
from tidegate.policy.quota.pace import Pace
from tidegate.policy.quota.quota import Charge
from tidegate.simulate.agenda import Agenda
from tidegate.simulate.call import Call
from tidegate.simulate.provider import Account, Provider, Reply, Verdict
from tidegate.simulate.scenario import Pool as PoolSettings
from tidegate.simulate.sight import Sight
from tidegate.simulate.tally import Ending, Tally

_REASONS = {
    Verdict.LIMITED: Reason.RATE,
    Verdict.UNAUTHORISED: Reason.AUTH,
    Verdict.OVERLOADED: Reason.OVERLOAD,
}
_ELSEWHERE = frozenset({Reason.RATE, Reason.AUTH})  # another account may serve it at once
_RETRY = RetryPolicy()

Refuse = Callable[[Call, int], None]


class Slot:
    """What an attempt holds of an outlet."""

    __slots__ = ("dispatcher", "epochs", "outlet", "pool", "probe", "taken_at", "tokens")

    def __init__(self, pool: "Pool", outlet: Sight, charge: Charge, now: int) -> None:
        self.pool = pool
        self.dispatcher = pool.dispatcher
        self.outlet = outlet
        self.tokens = charge.tokens
        self.taken_at = now
        self.probe = outlet.send(charge, now)
        self.epochs = outlet.breaker.epochs


class Pool:
    """One dispatcher over some accounts. `refuse` is told of every refusal, with the time it names (0 = none)."""

    __slots__ = (
        "_agenda",
        "_alive",
        "_budget",
        "_estimate",
        "_look_at",
        "_pace",
        "_provider",
        "_random",
        "_refuse",
        "_rule",
        "_tally",
        "accounts",
        "decisions",
        "dispatcher",
        "held",
        "name",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        settings: PoolSettings,
        dispatcher: Dispatcher,
        accounts: Mapping[str, Account],
        world: tuple[Agenda, Provider, Tally, Random],
        refuse: Refuse,
    ) -> None:
        """`accounts` by the names of the dispatcher's outlets."""
        self.name = name
        self.dispatcher = dispatcher
        self.accounts = accounts
        self.decisions = 0
        self._agenda, self._provider, self._tally, self._random = world
        self._refuse = refuse
        self._rule = settings.charge
        self._estimate = settings.estimate
        self._budget = RetryBudget(_RETRY)
        self._pace = Pace()
        self._look_at = NEVER
        self._alive = True
        self.held: list[Call] = []  # at their ingresses, while the dispatcher has no owner

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn, or for an owner."""
        return self.dispatcher.waiting if self._alive else len(self.held)

    def arrive(self, call: Call) -> None:
        """A client asks. It is sent, waits, or is refused at once when it cannot be served in time."""
        now, dispatcher = self._agenda.now, self.dispatcher
        if not self._alive:
            self.held.append(call)
            return
        self.decisions += 1
        self._budget.deposit(now, retry_of_client=call.tries > 1)
        call.attempts = 0
        charge = self._charge(call)
        outlet = dispatcher.pass_now(call.tenant, charge, 0, now, call.body)
        if outlet is not None:
            self._send(call, outlet, charge, now)
            return
        seen = dispatcher.predict(call.tenant, charge, now, call.body)
        latest = self._latest(call)
        if seen.wait_us != NEVER and not seen.full and now + seen.wait_us <= latest:
            self._enter(call, charge, latest, front=False)
            return
        if seen.wait_us == NEVER:
            self._refuse(call, 0)
        else:
            self._refuse(call, dispatcher.promise(call.tenant, charge, max(1, seen.wait_us), now, call.body))

    def fail(self) -> None:
        """The dispatcher's owner dies: the calls are held where they came in, and nothing is decided."""
        self._alive = False
        self._look_at = NEVER
        for ticket in self.dispatcher.scheduler:
            if isinstance(ticket.ctx, Call):
                self._tally.leaves(ticket.ctx)
                self.held.append(ticket.ctx)

    def revive(self, dispatcher: Dispatcher) -> None:
        """Another owner begins with this dispatcher; who was held waits there, until its own deadline."""
        self.dispatcher = dispatcher
        self._alive = True
        held, self.held = sorted(self.held, key=_arrived), []
        for call in held:
            self._enter(call, self._charge(call), self._latest(call), front=False)

    def deliver(self, reply: Reply, slot: Slot) -> None:
        """A provider's reply arrived."""
        now, call = self._agenda.now, reply.call
        outlet = slot.outlet
        better = reply.charged < slot.tokens or outlet.breaker.limited
        if reply.verdict is Verdict.ANSWERED:
            outlet.settle(slot.tokens, reply.charged, slot.taken_at, now)
            slot.dispatcher.settled(call.tenant, slot.tokens, reply.charged, now)
            self._pace.learn(now - slot.taken_at)
            outlet.breaker.succeed(slot.epochs)
            self._tally.ended(call, Ending.ANSWERED)
        else:
            self._failed(reply, slot, _REASONS[reply.verdict], now)
        if reply.shown is not None and outlet.watch(reply.shown, slot.taken_at, now):
            self.dispatcher.changed(now)
            self._review(tripped=False)
            better = True
        if better and self.dispatcher.waiting:
            self._dispatch()

    def _failed(self, reply: Reply, slot: Slot, reason: Reason, now: int) -> None:
        call, outlet = reply.call, slot.outlet
        if reason is Reason.AUTH:
            outlet.settle(slot.tokens, 0, slot.taken_at, now)  # refused unread
        else:
            outlet.keep(slot.tokens)
        tripped = outlet.breaker.fail(reason, slot.epochs, slot.probe, now, reply.named_us or None)
        self.dispatcher.changed(now)
        self._review(tripped=tripped)
        call.attempts += 1
        latest = self._latest(call)
        if reason in _ELSEWHERE and call.attempts < _RETRY.max_retries and self._budget.withdraw(now):
            self._enter(call, self._charge(call), latest, front=True)
            return
        step = after_failure(
            reason, _RETRY, call.attempts, reply.named_us or None, self._random.random(), lambda: self._affords(now)
        )
        if step.move is Move.RETRY and now + step.wait_us < latest:
            self._agenda.put(now + step.wait_us, self._retry, call)
        elif reason is Reason.RATE:
            self._refuse(call, reply.named_us)
        else:
            self._tally.ended(call, Ending.FAILED)

    def _affords(self, now: int) -> bool:
        return self._budget.withdraw(now)

    def _retry(self, call: Call) -> None:
        self._enter(call, self._charge(call), self._latest(call), front=True)
        self._dispatch()

    def _latest(self, call: Call) -> int:
        """When it has to leave, to be answered in time."""
        return call.deadline - self._pace.needed(call.deadline - self._agenda.now)

    def _charge(self, call: Call) -> Charge:
        prompt = int(call.prompt * self._estimate)
        return Charge(admission(self._rule, prompt, call.most), admission(self._rule, call.prompt // 2, call.most))

    def _enter(self, call: Call, charge: Charge, latest: int, *, front: bool) -> None:
        """Wait for a turn until `latest`, and no longer."""
        now = self._agenda.now
        if not self._alive:
            self.held.append(call)
            return
        ticket = Waiting(call.tenant, charge, now, latest, ctx=call, body=call.body)
        pushed = self.dispatcher.enter(ticket, now, front=front)
        if pushed is not ticket:
            self._tally.waits(call)
            self._agenda.put(latest, self._give_up, ticket)
        if pushed is not None:
            self._push_out(pushed, entered=pushed is not ticket)
        if self.dispatcher.scheduler.head(now) is ticket:
            self._dispatch()

    def _push_out(self, ticket: Waiting, *, entered: bool) -> None:
        call = ticket.ctx
        assert isinstance(call, Call)
        if entered:
            self._left(call)
        dispatcher, charge, now = self.dispatcher, ticket.charge, self._agenda.now
        seen = dispatcher.predict(call.tenant, charge, now, call.body)
        if seen.wait_us == NEVER:
            self._refuse(call, 0)
        else:
            self._refuse(call, dispatcher.promise(call.tenant, charge, seen.wait_us, now, call.body))

    def _review(self, *, tripped: bool) -> None:
        if not self._alive:
            return
        for ticket in self.dispatcher.review(self._agenda.now, tripped=tripped):
            self._push_out(ticket, entered=True)

    def _left(self, call: Call) -> None:
        self._tally.leaves(call)
        self._tally.waited(call, self._agenda.now - call.arrived, answered=False)

    def _give_up(self, ticket: Waiting) -> None:
        """Its patience is at an end, unless its turn comes in this very moment."""
        if not self._alive:
            return
        now = self._agenda.now
        first = self.dispatcher.scheduler.head(now) is ticket
        if first:
            self._dispatch()
        if self.dispatcher.leave(ticket, now):
            call = ticket.ctx
            assert isinstance(call, Call)
            self._left(call)
            self._tally.ended(call, Ending.EXPIRED)
            if first:
                self._dispatch()

    def _dispatch(self) -> None:
        """Let pass who can, and look again when the next one may."""
        if not self._alive:
            return
        now, dispatcher = self._agenda.now, self.dispatcher
        while not isinstance(grant := dispatcher.dispatch(now), int):
            self.decisions += 1
            call = grant.ticket.ctx
            assert isinstance(call, Call)
            if grant.outlet is None:
                self._left(call)
                self._refuse(call, 0)
            else:
                self._send(call, grant.outlet, grant.ticket.charge, now)
                self._tally.leaves(call)
        self.decisions += 1
        if 0 <= grant < UNTOLD and not now < self._look_at <= now + grant:
            self._look_at = now + max(1, grant)
            self._agenda.put(self._look_at, self._look, self._look_at)

    def _look(self, at: int) -> None:
        if at == self._look_at:
            self._look_at = NEVER
            self._dispatch()

    def _send(self, call: Call, outlet: Outlet, charge: Charge, now: int) -> None:
        assert isinstance(outlet, Sight)
        self._tally.passes(call, now)
        self._tally.waited(call, now - call.arrived, answered=True)
        self._provider.send(self.accounts[outlet.name], call, Slot(self, outlet, charge, now))


def _arrived(call: Call) -> int:
    return call.arrived
