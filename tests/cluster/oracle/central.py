"""What a fund answers: the pure twin of `cluster/lua/exchange.lua`, which decides the same from the same `now`.

In one exchange, in this order:

1. *Once.* The sequence that was done last is not done again: it gets the same answer, and renews the lease. When the
   lease was void meanwhile the answer says so (`lapsed`) and grants nothing. An older sequence, and what comes after
   `not_after`, does nothing (`LATE`). The same sequence with a `restore` that it did not have is another exchange, of a
   member that does not know what was done: as after a loss.
2. *Who may take part.* A member is known by the fund's epoch and by its sequence, which is one more than the stored
   one. Anybody else knew a fund that has been lost, or is new:

   * There is none, and the member knows of none (epoch 0): it is made, full. But not before the membership is
     `LEASE_US` old: after everything was lost, who remembers comes first. Until then nothing is granted, under epoch 0.
   * There is none, or another than the member knew: `LOST`, nothing is done, until it comes with `restore`.
   * With `restore`: the first one of a loss begins a new epoch. That is so when there is no fund; when the member has
     the fund's own epoch and its sequence is not the stored one's next (the fund went back in time); and when its epoch
     is older than that of a fund which was made by a member that knew nothing. Any other restore only adds to the epoch
     that has begun, since an epoch that began by a restore or by a new membership has nothing that a loss could hide.
     So each member is heard once for each loss, and who knows nothing makes nothing that survives who does.
   * The membership is another one: everybody was lost for a while, and used its share meanwhile. The first that comes
     with `restore`, or knows nothing, begins a new epoch. A member that still has the older membership is `LOST`,
     unless nobody has spoken for a lease.

   A new epoch: every lease counts as spent, buckets have nothing (the provider's level is never less than what is
   leased, so zero is safe, whoever still spends a lease), logs and sums keep what the fund knows; for `LEASE_US`
   nothing of logs, sums and slots is granted, while others still tell what they know. Earlier leases end by then.
3. *Silence.* Leases of members that have said nothing for `lease_us` are void: they count as spent from now on. So do
   those of an earlier incarnation of this member. Slots are not void by silence before `LINGER_US`, since calls in
   flight go on; those of members that are not heard count against the whole limit, not only against what is open.
4. *Refill*, by the smaller of the open parts that this exchange and the last one knew of: whoever is lost begins to use
   its share after everybody knows that it is lost, and stops before anybody knows that it is back. Where the limit is
   another one now, what came back since the last exchange is by the smaller of both.
5. *Restore*, *settle*: what is known, spent, returned, corrected, shown (`dimension.py`, `fund.py`).
6. *Divide* (`turns.py`) and *lease* (`grant.py`).

What is promised: leases outstanding and what is spent are together never above what the provider admits, whatever
members die, pause, repeat or return. Where a loss is not visible to the membership (one server of a Redis Cluster came
back empty, or an older replica took over), what was granted in the lost part, or by a full fund to a member that knew
nothing, may be spent twice, until the first member that remembers comes: at most the depth, once.

Costs: O(members × dimensions + demands + flows) each, without anything that grows with calls.
"""

from tests.cluster.oracle.dimension import LOTS
from tests.cluster.oracle.fund import Fund, Member
from tests.cluster.oracle.grant import bounds, serve
from tidegate.model.cluster import BUCKET, LATE, LOST, OK, SLOTS, ExchangeReply, ExchangeRequest
from tidegate.policy.lease.times import LEASE_US


def exchange(fund: Fund | None, ask: ExchangeRequest, now: int) -> tuple[Fund | None, ExchangeReply]:
    """`now` in microseconds of the server's clock. The fund that is given is changed, and handed back."""
    if fund is not None:
        now = max(now, fund.at)
        member = fund.find(ask.member)
        if member is not None and member.incarnation == ask.incarnation and ask.seq <= member.seq:
            if ask.seq < member.seq:
                return fund, _refused(ask, LATE, ask.epoch, now)
            if member.restored or ask.restore is None:
                return fund, _repeated(fund, member, now)
    if 0 < ask.not_after < now:
        return fund, _refused(ask, LATE, ask.epoch, now)
    entered, told = _entered(fund, ask, now)
    if entered is None:
        return fund, told
    return _done(entered, ask, now)


def _done(fund: Fund, ask: ExchangeRequest, now: int) -> tuple[Fund, ExchangeReply]:
    open_ppm = min(fund.open_ppm, ask.open_ppm)
    fund.at, fund.open_ppm = now, ask.open_ppm
    fund.sweep(now)
    lost = not _known(fund, ask)
    member = _seat(fund, ask, now)
    member.seq, member.heard, member.lease_us = ask.seq, now, ask.lease_us
    member.restored = ask.restore is not None
    lapsed, member.lapsed = member.lapsed, False
    fund.configure(member, ask, open_ppm, now)
    for dim in fund.dims:
        dim.refill(open_ppm, now)
    if ask.restore is not None:
        fund.merge(member, ask.restore, now, lost=lost, epoch=ask.epoch)
    for dim in fund.dims if now >= fund.opens else ():
        dim.fold()
    fund.settle(member, ask, now)
    granted = serve(fund, member, ask, now)
    left, _ = bounds(fund, ask.open_ppm, now)
    used = [dim.used for dim in fund.dims]
    limits = [dim.limit for dim in fund.dims]

    def told(remember: bool) -> ExchangeReply:
        memory = fund.remembered(now) if remember else None
        return ExchangeReply(
            OK, now, fund.epoch, granted.units, left, lapsed, granted.wait_us, granted.ahead, granted.flows, used,
            memory, limits,
        )  # fmt: skip

    member.answer = told(False)
    if ask.leaving:
        fund.drop(member, now)
    return fund, told(ask.remember)


def _refused(ask: ExchangeRequest, status: int, epoch: int, now: int, wait_us: int = -1) -> ExchangeReply:
    zeros = [0] * len(ask.dims)
    return ExchangeReply(status, now, epoch, zeros, list(zeros), wait_us=wait_us)


def _repeated(fund: Fund, member: Member, now: int) -> ExchangeReply:
    """It was done already."""
    if not member.alive(now):
        fund.void(member, now)
    member.heard = now
    told = member.answer
    assert isinstance(told, ExchangeReply)
    if not member.lapsed:
        return told
    granted = [units if dim.kind == SLOTS else 0 for dim, units in zip(fund.dims, told.granted, strict=False)]
    return ExchangeReply(
        told.status, now, told.epoch, granted, told.left, True, told.wait_us, told.ahead, told.flows, told.used,
        None, told.limits,
    )  # fmt: skip


def _entered(fund: Fund | None, ask: ExchangeRequest, now: int) -> tuple[Fund | None, ExchangeReply]:
    """The fund as the member may use it; none, and what it is told instead."""
    lost = _refused(ask, LOST, fund.epoch if fund is not None else 0, now)
    opens = now + LEASE_US
    if fund is None:
        return _made(ask, now), lost if ask.epoch else _refused(ask, OK, 0, now, ask.state + LEASE_US - now)
    if ask.state != fund.state:
        if ask.restore is None and ask.epoch:
            return None, lost
        if ask.state < fund.state and any(now - member.heard <= LEASE_US for member in fund.members):
            return None, lost
        fund.begin(ask, opens, now)
        return fund, lost
    if _known(fund, ask):
        return fund, lost
    if ask.restore is not None:
        if ask.epoch and (ask.epoch == fund.epoch or fund.fresh):
            fund.begin(ask, opens, now)
    elif ask.epoch:
        return None, lost
    return fund, lost


def _known(fund: Fund, ask: ExchangeRequest) -> bool:
    """The fund knows all that this member was told."""
    member = fund.find(ask.member)
    same = member is not None and member.incarnation == ask.incarnation and member.seq + 1 == ask.seq
    return same and ask.epoch == fund.epoch


def _made(ask: ExchangeRequest, now: int) -> Fund | None:
    """A fund where there is none, if this member may make it."""
    if ask.restore is not None:
        fund = Fund(ask, full=False, opens=now + LEASE_US, now=now)
        for dim, memory in zip(fund.dims, ask.restore, strict=False):
            if dim.kind == BUCKET:
                ticks = dim.shape()[1]
                dim.level = min(0, max(memory.level, -(LOTS // ticks))) * ticks
        return fund
    if ask.epoch or now < ask.state + LEASE_US:
        return None
    return Fund(ask, full=True, opens=now, now=now)


def _seat(fund: Fund, ask: ExchangeRequest, now: int) -> Member:
    """The member's record. That of an incarnation before it is gone, and what it held counts as spent."""
    member = fund.find(ask.member)
    if member is not None:
        if member.incarnation == ask.incarnation and member.seq + 1 == ask.seq:
            return member
        fund.drop(member, now)
    member = Member(ask, len(fund.dims), now)
    fund.members.append(member)
    return member
