"""What the asking member is granted (`cluster/lua/grant.lua`)."""

from typing import Final

from tests.cluster.oracle.dimension import LOTS, part
from tests.cluster.oracle.fund import Flow, Fund, Member, Waiting
from tests.cluster.oracle.turns import Crowd, Depth, Entry, Turns, catch_up
from tidegate.model.cluster import BUCKET, FREE, LOG, SUM, ExchangeRequest
from tidegate.policy.lease.times import LEASE_US, LEAST_US, RENEW_US

FLOWS: Final = 256  # that are remembered without waiting
IDLE_US: Final = 10_000_000  # how long, at most


class Granted:
    """What `serve` found."""

    __slots__ = ("ahead", "flows", "units", "wait_us")

    def __init__(self, dims: int) -> None:
        self.units = [0] * dims
        self.wait_us = -1
        self.ahead: list[tuple[int, int, int]] = []
        self.flows: list[tuple[int, int, int]] = []


def bounds(fund: Fund, open_ppm: int, now: int) -> tuple[list[int], list[Depth]]:
    """What is left, and what there can be, by dimension."""
    left, depths = [], []
    for d, dim in enumerate(fund.dims):
        _, ticks, capacity = dim.shape()
        held = sum(member.leases[d] for member in fund.members if member.alive(now))
        left.append(dim.free(open_ppm, held))
        if dim.limit == 0:
            depths.append(Depth(LOTS, LOTS))
        elif dim.kind == BUCKET:
            depths.append(Depth(part(capacity, open_ppm) // ticks, capacity // ticks))
        elif dim.kind == SUM:  # what is spent does not come back
            depths.append(Depth(part(dim.limit, open_ppm) - dim.level - dim.owned(), LOTS))
        else:
            depths.append(Depth(part(dim.limit, open_ppm), dim.limit))
        if now < fund.opens and dim.kind != BUCKET and dim.limit > 0:
            left[d] = min(left[d], 0)
    return left, depths


def serve(fund: Fund, member: Member, ask: ExchangeRequest, now: int) -> Granted:
    """Divide what is left among all that waits, and lease to this member what falls to it."""
    granted = Granted(len(fund.dims))
    _demand(member, ask, now)
    left, depths = bounds(fund, ask.open_ppm, now)
    if not any(other.waiting and other.alive(now) for other in fund.members if other is not member):
        whole = _whole(member.waiting, left, depths)
        if whole is not None:
            _serve_all(fund, member, whole, left, granted, now)
            if not ask.leaving:
                _spare(fund, member, ask, left, granted.units, now)
            _lease(fund, member, granted.units, now)
            _forget(fund, set(), now)
            return granted
    mine = fund.members.index(member)
    crowd = Crowd(fund, mine, now)
    flows = _known(fund, crowd, now)
    before = {flow.flow: flow.granted for flow in fund.flows}
    catch_up(fund, {group.flow for group in crowd.groups}, {})
    turns = Turns(fund, mine, left, depths)
    turns.divide(crowd.groups, flows, granted.units)
    member.waiting = [_rest(entry, now) for entry in crowd.own if entry.calls > 0]
    crowd.alive.update(waiting.flow for waiting in member.waiting)
    if member.waiting:
        granted.wait_us = _wait(fund, turns, ask.open_ppm, now)
    elif not turns.unserved and not ask.leaving:
        _spare(fund, member, ask, left, granted.units, now)
    _lease(fund, member, granted.units, now)
    catch_up(fund, crowd.alive, turns.last)
    granted.ahead = crowd.ahead
    for name in dict.fromkeys(entry.demand.flow for entry in crowd.own):
        granted.flows.append((name, flows[name].granted, flows[name].granted - before[name]))
    _forget(fund, crowd.alive, now)
    return granted


def _whole(waiting: list[Waiting], left: list[int], depths: list[Depth]) -> list[int] | None:
    """All that waits, by dimension, if all of it fits."""
    whole = [0] * len(left)
    kept = max([0, *(max(each.floor, 2) for each in waiting)])
    for each in waiting:
        for d, (units, depth) in enumerate(zip(each.units, depths, strict=False)):
            if depth.most < LOTS and min(units, depth.whole) > depth.most:
                return None
            whole[d] += units * each.calls
    for units, there in zip(whole, left, strict=True):
        if units > 0 and there < LOTS and units + kept > there:
            return None
    return whole


def _serve_all(fund: Fund, member: Member, whole: list[int], left: list[int], granted: Granted, now: int) -> None:
    """At once, where nobody else waits: who competes with nobody gets no lead."""
    flows = {flow.flow: flow for flow in fund.flows}
    served: dict[int, int] = {}
    for d, units in enumerate(whole):
        granted.units[d] = units
        if left[d] < LOTS:
            left[d] -= units
    for each in member.waiting:
        units = each.calls * each.units[fund.main] if fund.main < len(each.units) else 0
        _touch(fund, flows, each.flow, each.rank, now).granted += units
        served[each.flow] = served.get(each.flow, 0) + units
    granted.flows = [(flow, flows[flow].granted, units) for flow, units in served.items()]
    member.waiting = []


def _demand(member: Member, ask: ExchangeRequest, now: int) -> None:
    """What waits there now; since when it was given nothing is known."""
    since = {waiting.flow: waiting.since for waiting in member.waiting}
    member.waiting = [
        Waiting(
            said.rank,
            said.flow,
            max(1, said.weight_milli),
            list(said.units),
            said.calls,
            said.floor,
            since.get(said.flow, now),
        )
        for said in (() if ask.leaving else ask.demands)
        if said.calls > 0
    ]


def _rest(entry: Entry, now: int) -> Waiting:
    demand = entry.demand
    since = now if entry.taken else demand.since
    return Waiting(demand.rank, demand.flow, demand.weight, demand.units, entry.calls, demand.floor, since)


def _known(fund: Fund, crowd: Crowd, now: int) -> dict[int, Flow]:
    """Each flow that waits has its record."""
    flows = {flow.flow: flow for flow in fund.flows}
    for group in crowd.groups:
        _touch(fund, flows, group.flow, group.rank, now)
    return flows


def _touch(fund: Fund, flows: dict[int, Flow], name: int, rank: int, now: int) -> Flow:
    """The flow's record, made where there is none."""
    flow = flows.get(name)
    if flow is None:
        flow = flows[name] = Flow(name, rank, now)
        fund.flows.append(flow)
    elif rank >= 0:
        flow.rank = rank
    flow.touched = now
    return flow


def _wait(fund: Fund, turns: Turns, open_ppm: int, now: int) -> int:
    if turns.blocked:
        wait_us = FREE
    elif turns.cut:
        wait_us = LEAST_US
    else:
        wait_us = turns.wait(fund, open_ppm, now, least_us=LEAST_US, renew_us=RENEW_US)
    if now < fund.opens and any(dim.kind != BUCKET and dim.limit > 0 for dim in fund.dims):
        return min(fund.opens - now, LEASE_US)  # before, nobody knows what is left
    return wait_us


def _spare(fund: Fund, member: Member, ask: ExchangeRequest, left: list[int], granted: list[int], now: int) -> None:
    """Beyond what waits, while nobody does: a member no more than its part of a half, all together no more than it."""
    members = sum(other.alive(now) for other in fund.members)
    for d, dim in enumerate(fund.dims):
        target = ask.dims[d].target if d < len(ask.dims) else 0
        if target <= 0:
            continue
        held = member.leases[d]
        half = (max(0, left[d]) + dim.leased) // 2
        units = min(target - held, half // members - held, half - dim.leased, left[d])
        if units > 0:
            granted[d] += units
            left[d] -= units


def _lease(fund: Fund, member: Member, granted: list[int], now: int) -> None:
    for d, dim in enumerate(fund.dims):
        member.leases[d] += granted[d]
        dim.leased += granted[d]
        if dim.kind == BUCKET and dim.limit > 0:
            dim.level -= granted[d] * dim.shape()[1]
        if dim.kind in {BUCKET, LOG} and dim.limit > 0:
            dim.watch(dim.free(fund.open_ppm), now)


def _forget(fund: Fund, alive: set[int], now: int) -> None:
    """A flow that has no lead is as good as unknown, and one that has it is in time."""
    many = len(fund.flows) > FLOWS

    def counts(flow: Flow) -> bool:
        idle = now - flow.touched
        return flow.flow in alive or (not many and idle < IDLE_US and (flow.lead > 0 or idle < FREE))

    fund.flows = [flow for flow in fund.flows if counts(flow)]
