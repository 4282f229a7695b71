"""One scenario under one scheduler: clients, gate and provider in virtual time, and what came of it."""

from collections.abc import Iterator, Sequence
from random import Random

from tidegate.load.trace import TraceRow
from tidegate.policy.queue.dispatcher import Dispatcher
from tidegate.simulate import build
from tidegate.simulate.agenda import Agenda
from tidegate.simulate.arrivals import Arrival, arrivals, replayed
from tidegate.simulate.call import Call
from tidegate.simulate.clients import GIVES_UP, RETURN_SPREAD_US, again
from tidegate.simulate.pool import Pool, Slot
from tidegate.simulate.provider import Account, Provider, Reply
from tidegate.simulate.report import Report, report
from tidegate.simulate.scenario import Discipline, Fault, Scenario
from tidegate.simulate.shards import Shards, cut
from tidegate.simulate.tally import Ending, Tally
from tidegate.simulate.tenants import parties
from tidegate.units import SECOND_US

_LONG_US = 10 * 86_400 * SECOND_US


class Run:
    """A simulated gate with all around it. Twice from the same seed, the same figures.

    The draws of arrivals are a group's own, so that every scheduler meets the same calls.
    """

    def __init__(
        self, scenario: Scenario, discipline: Discipline, seed: int, rows: Sequence[TraceRow] | None = None
    ) -> None:
        """`rows`: a trace in place of the groups' own patterns."""
        self.scenario = scenario
        self.discipline = discipline
        self._end = int(scenario.duration_s * SECOND_US)
        self._agenda = Agenda()
        self._clients = Random(f"{seed} clients")
        self._gate = Random(f"{seed} gate")
        everybody = parties(scenario.tenants)
        self._tiered = len({party.group.tier for party in everybody}) > 1
        self.tally = Tally(scenario, everybody)
        self.provider = Provider(scenario.pool, self._agenda, Random(f"{seed} provider"), self._deliver)
        accounts = list(self.provider.accounts.values())
        parts = cut(accounts, scenario.shards.count if scenario.shards else 1)
        pools = [self._pool(number, part) for number, part in enumerate(parts)]
        self.shards = Shards(pools, scenario, self._agenda, self._desk)
        self._schedule(
            [replayed(rows, everybody, seed)]
            if rows is not None
            else [arrivals(party, seed, self._end) for party in everybody]
        )

    def play(self) -> Report:
        """From the first call to the end of the last; O(events log events)."""
        events = self._agenda.run(self._end)
        self._totals()
        use = self._use()
        events += self._agenda.run(self._end + _LONG_US)
        refused = self.provider.refused, self.provider.avoidable
        return report(self.discipline, self.scenario, self.tally, self.shards, refused, use, events)

    def _pool(self, number: int, part: Sequence[Account]) -> Pool:
        world = self._agenda, self.provider, self.tally, self._gate
        accounts = {account.name: account for account in part}
        return Pool(f"shard-{number}", self.scenario.pool, self._desk(part, 0), accounts, world, self._refused)

    def _desk(self, part: Sequence[Account], now: int, *, drained: bool = False) -> Dispatcher:
        settings = self.scenario.pool
        lanes = build.sights(part, settings, now, drained=drained or settings.drained)
        return build.dispatcher(lanes, settings, self.discipline, self._gate, now, tiered=self._tiered)

    def _schedule(self, sources: list[Iterator[Arrival]]) -> None:
        for source in sources:
            self._next(source)
        step = int(self.scenario.bucket_s * SECOND_US)
        for at in range(step, self._end + 1, step):
            self._agenda.put(at, self._turn)
        self._agenda.put(int(self.scenario.warmup_s * SECOND_US), self._warm)
        for fault in self.scenario.faults:
            at = int(fault.at_s * SECOND_US)
            self._agenda.put(at, self._break, fault)
            if fault.at_s + fault.for_s < self.scenario.duration_s:
                self._agenda.put(at + int(fault.for_s * SECOND_US), self._mend, fault)

    def _next(self, source: Iterator[Arrival]) -> None:
        arrival = next(source, None)
        if arrival is not None:
            self._agenda.put(arrival.at, self._ask, (arrival, source))

    def _ask(self, what: tuple[Arrival, Iterator[Arrival]]) -> None:
        arrival, source = what
        self._next(source)
        call = Call(arrival, self.provider.cost(arrival))
        self.tally.asked(call)
        self.shards.arrive(call)

    def _refused(self, call: Call, named_us: int) -> None:
        now = self._agenda.now
        self.tally.told(call, named_us)
        pause = again(call, named_us, self._clients)
        if pause == GIVES_UP:
            self.tally.ended(call, Ending.REFUSED)
            return
        call.named = now + named_us if named_us else -1
        call.returned = False
        self._agenda.put(now + pause, self._ask_again, call)

    def _ask_again(self, call: Call) -> None:
        now = self._agenda.now
        call.tries += 1
        call.arrived = now
        call.deadline = now + call.party.deadline_us
        call.returned = call.named >= 0 and call.named <= now <= call.named + RETURN_SPREAD_US
        self.tally.returned += call.returned
        self.shards.arrive(call)

    def _deliver(self, reply: Reply) -> None:
        slot = reply.slot
        assert isinstance(slot, Slot)
        slot.pool.deliver(reply, slot)

    def _warm(self, _: object) -> None:
        for account in self.provider.accounts.values():
            account.begin(self._agenda.now)

    def _turn(self, _: object) -> None:
        self.tally.turn(self._agenda.now, self._totals(), self.shards.waiting)

    def _totals(self) -> tuple[int, int, int]:
        accounts = self.provider.accounts.values()
        for account in accounts:
            account.count(self._agenda.now)
        charged = sum(account.charged for account in accounts)
        return self.provider.refused, charged, int(sum(account.quota for account in accounts))

    def _use(self) -> float:
        accounts = self.provider.accounts.values()
        quota = sum(account.quota - account.quota_before for account in accounts)
        return sum(account.charged - account.charged_before for account in accounts) / quota if quota else 0.0

    def _break(self, fault: Fault) -> None:
        if fault.kind == "overload":
            self.provider.overloaded = True
        elif fault.kind == "owner":
            self.shards.lose(fault.owner)
        for account in self._meant(fault):
            if fault.kind == "account":
                account.lose(self._agenda.now, lost=True)
            else:
                account.scale(fault.factor, self._agenda.now)

    def _mend(self, fault: Fault) -> None:
        if fault.kind == "overload":
            self.provider.overloaded = False
        elif fault.kind == "owner":
            self.shards.come_back(fault.owner)
        for account in self._meant(fault):
            if fault.kind == "account":
                account.lose(self._agenda.now, lost=False)
            else:
                account.scale(1.0, self._agenda.now)

    def _meant(self, fault: Fault) -> list[Account]:
        if fault.kind not in {"account", "limits"}:
            return []
        accounts = self.provider.accounts
        return [accounts[fault.scope]] if fault.scope else list(accounts.values())
