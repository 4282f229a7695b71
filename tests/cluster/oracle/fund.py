"""A fund as the shared state keeps it: its dimensions, its members and their leases (`cluster/lua/fund.lua`)."""

from tests.cluster.oracle.dimension import LOTS, Dimension
from tidegate.model.cluster import BUCKET, LOG, SLOTS, SUM, Dim, ExchangeRequest, RecoveryState

LINGER_US = 60_000_000  # slots of a member that says nothing may be in use so long
TOGETHER = 4
FORGET_US = 900_000_000  # a member that says nothing for so long is unknown


class Waiting:
    """Calls of one flow that wait at one member; `since` they were given nothing."""

    __slots__ = ("calls", "floor", "flow", "rank", "since", "units", "weight")

    def __init__(self, rank: int, flow: int, weight: int, units: list[int], calls: int, floor: int, since: int) -> None:
        self.rank = rank
        self.flow = flow
        self.weight = weight
        self.units = units
        self.calls = calls
        self.floor = floor
        self.since = since


class Member:
    """What one member holds, and was told."""

    __slots__ = (
        "answer", "heard", "incarnation", "lapsed", "lease_us", "leases", "limits", "name", "restored", "seq",
        "voided", "waiting",
    )  # fmt: skip

    def __init__(self, ask: ExchangeRequest, dims: int, now: int) -> None:
        self.name = ask.member
        self.incarnation = ask.incarnation
        self.seq = 0
        self.heard = now
        self.lease_us = ask.lease_us
        self.leases = [0] * dims
        self.voided = [0] * dims  # of leases, since its last exchange: they counted as spent
        self.lapsed = False
        self.limits = [0] * dims
        self.restored = False  # in its last exchange
        self.answer: object = None  # to its last exchange, `Told`
        self.waiting: list[Waiting] = []

    def alive(self, now: int) -> bool:
        """Its leases stand, and what waits there."""
        return now - self.heard <= self.lease_us


class Flow:
    """One tenant of a tier, at whichever members its calls wait. `lead`: service beyond the least served that waits."""

    __slots__ = ("flow", "granted", "lead", "rank", "touched")

    def __init__(self, flow: int, rank: int, now: int) -> None:
        self.flow = flow
        self.rank = rank
        self.lead = 0
        self.granted = 0
        self.touched = now


class Fund:
    """What is kept under one key. `fresh`: it was made by a member that knew nothing."""

    __slots__ = ("at", "dims", "epoch", "flows", "fresh", "members", "open_ppm", "opens", "state")

    def __init__(self, ask: ExchangeRequest, *, full: bool, opens: int, now: int) -> None:
        self.epoch = max(now, ask.epoch + 1)
        self.state = ask.state
        self.at = now
        self.open_ppm = ask.open_ppm
        self.opens = opens  # until then members may still tell what logs and sums contain: nothing of them is granted
        self.fresh = full
        self.dims = [Dimension(said, full, now) for said in ask.dims]
        self.members: list[Member] = []
        self.flows: list[Flow] = []

    @property
    def main(self) -> int:
        """The dimension in which service is counted: tokens, where there are requests and tokens."""
        return 1 if len(self.dims) > 1 else 0

    def find(self, name: str) -> Member | None:
        return next((member for member in self.members if member.name == name), None)

    def begin(self, ask: ExchangeRequest, opens: int, now: int) -> None:
        """A new epoch: what is held counts as spent, buckets have nothing, and every member has to restore."""
        for dim in self.dims:
            if dim.kind == SUM:
                dim.count(self.epoch, dim.used)
        for member in reversed(self.members):
            self.drop(member, now)
        for dim in self.dims:
            if dim.kind == BUCKET:
                dim.level = min(dim.level, 0)
            dim.quarter, dim.least, dim.ring = 0, 0, []
        self.epoch = max(now, self.epoch + 1, ask.epoch + 1)
        self.state = ask.state
        self.opens = opens
        self.fresh = False

    # ── leases ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def void(self, member: Member, now: int) -> None:
        """What it holds counts as spent. Slots do not: a call in flight goes on, whatever its member says."""
        for d, dim in enumerate(self.dims):
            held = member.leases[d]
            if dim.kind == SLOTS or held <= 0:
                continue
            dim.leased -= held
            dim.used += held
            member.leases[d] = 0
            member.voided[d] += held
            member.lapsed = True
            if dim.kind != BUCKET:
                dim.charge(held, now)

    def give_slots_back(self, member: Member) -> None:
        for d, dim in enumerate(self.dims):
            if dim.kind == SLOTS:
                dim.leased -= member.leases[d]
                member.leases[d] = 0

    def drop(self, member: Member, now: int) -> None:
        """Its process is gone: leases count as spent, slots are free."""
        self.void(member, now)
        self.give_slots_back(member)
        self.members = [other for other in self.members if other is not member]

    def sweep(self, now: int) -> None:
        """Leases that were not renewed, members that nobody has heard of for long."""
        for member in reversed(self.members):
            silent = now - member.heard
            if silent > member.lease_us:
                self.void(member, now)
            if silent > LINGER_US:
                self.give_slots_back(member)
            if silent > FORGET_US:
                self.drop(member, now)

    # ── what the asking member says ──────────────────────────────────────────────────────────────────────────────────

    def configure(self, member: Member, ask: ExchangeRequest, open_ppm: int, now: int) -> None:
        """Windows as the newest ask says, limits as the lowest of those that can be heard; a new period of a SUM."""
        for d, said in enumerate(ask.dims):
            if d == len(self.dims) or self.dims[d].kind != said.kind:
                self._reshape(d, said, now)
            dim = self.dims[d]
            member.limits[d] = said.limit
            limits = [other.limits[d] for other in self.members if other.alive(now) and other.limits[d] > 0]
            dim.resize(min(limits, default=0), said, open_ppm, now)
            if dim.kind == SUM and said.period > dim.at and now >= dim.at:
                dim.level, dim.at, dim.own = 0, said.period, []

    def _reshape(self, d: int, said: Dim, now: int) -> None:
        """Another kind of dimension: nothing is left of it, or all where there was none."""
        changed = d < len(self.dims)
        dim = Dimension(said, not changed, now)
        self.dims[d : d + 1] = [dim]
        for other in self.members:
            for row in (other.leases, other.voided, other.limits):
                row[d : d + 1] = [0]
        if changed and dim.kind == LOG:
            dim.charge(dim.limit, now)

    def settle(self, member: Member, ask: ExchangeRequest, now: int) -> None:
        """What became of its lease. Of what was void already nothing is charged twice."""
        for d, said in enumerate(ask.dims):
            dim = self.dims[d]
            held = member.leases[d]
            if dim.kind != SLOTS:
                spent = min(said.spent, held)
                over = said.spent - spent
                over -= min(over, member.voided[d])
                held -= spent
                dim.leased -= spent
                dim.used += spent + over
                dim.charge(over if dim.kind == BUCKET else spent + over, now)
            returned = held if ask.leaving else min(said.returned, held)
            member.leases[d], member.voided[d] = held - returned, 0
            dim.leased -= returned
            if dim.kind == BUCKET:
                dim.level += returned * dim.shape()[1]
            for age, delta in said.corrections:
                dim.correct(age, delta, now)
            if dim.limit > 0 and dim.kind in {BUCKET, LOG}:
                if said.drained:
                    dim.drain(ask.open_ppm, now)
                elif said.shown >= 0:
                    dim.witness(said.shown, said.shown_age_us, said.noise, dim.free(ask.open_ppm), now)

    # ── losses ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def merge(self, member: Member, known: list[RecoveryState], now: int, *, lost: bool, epoch: int) -> None:
        """What a member knew, and has spent since; when the fund had `lost` it, what it was given too.

        Of a bucket only its debt: its part was withheld all the time. Of a log: let T be when the member was told that
        was told last. What was in the log then is no more than that member knows, and what was spent later no more
        than all members were given or spent by themselves since they were told. So the greatest of what is known, and
        the sum of all else on top, is no less than what was spent. Of a sum it is just that (`recount`).
        """
        for dim, memory, held in zip(self.dims, known, range(len(self.dims)), strict=False):
            own = [*memory.own, *(memory.given if lost else ())]
            spent = sum(units for _, units in own)
            if dim.kind == BUCKET:
                ticks = dim.shape()[1]
                if now < self.opens and memory.level < 0:
                    dim.level = min(dim.level, max(memory.level, -(LOTS // ticks)) * ticks)
                continue
            if dim.kind == LOG:
                slot_us = dim.shape()[0]
                if lost:
                    dim.recall([[(now - age) // slot_us, units] for age, units in memory.slots])
                dim.own += [[(now - age) // slot_us, units] for age, units in own]
                dim.expire(now)
            elif dim.kind == SUM:
                if lost:
                    dim.recount(memory, epoch)
                dim.level += sum(units for _, units in memory.own)
            else:
                dim.leased += memory.level - member.leases[held]
                member.leases[held] = memory.level
                continue
            dim.used += max(0, spent)

    def remembered(self, now: int) -> list[RecoveryState]:
        """What members are to remember, leases counted as spent."""
        memory = []
        for dim in self.dims:
            measure, ticks, _ = dim.shape()
            level, period, slots, spent, used = 0, 0, [], -1, -1
            if dim.kind == BUCKET and dim.limit > 0:
                level = dim.level // ticks
            elif dim.kind == LOG:
                slots = _told(dim, measure, now)
                level = dim.leased
                slots += [(0, level)] if level > 0 else []
            elif dim.kind == SUM:
                spent, period = dim.level + dim.owned(), dim.at
                level = spent + dim.leased
                spent, used = (spent, dim.used) if now >= self.opens else (-1, -1)
            memory.append(RecoveryState(level, slots, [], period, [], spent, used))
        return memory


def _told(dim: Dimension, slot_us: int, now: int) -> list[tuple[int, int]]:
    """A log as members remember it: four slots are one, as young as the youngest."""
    rows: list[tuple[int, int]] = []
    last = -1
    for slot, units in dim.all_slots():
        age, before = max(0, now - slot * slot_us - slot_us // 2), 0
        if slot // TOGETHER == last:
            before = rows.pop()[1]
        last = slot // TOGETHER
        rows.append((age, before + units))
    return rows
