"""Dispatchers of plain outlets, and calls that join their queues."""

from collections.abc import Sequence

from tidegate.model.tenant import BATCH, FREE, PAID, VIP, Tenant
from tidegate.policy.pick import make as pick
from tidegate.policy.queue.dispatcher import Dispatcher, Grant, Rules, Waiting
from tidegate.policy.queue.outlet import UNTOLD, Cap, Outlet
from tidegate.policy.queue.outlets import Outlets
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.policy.schedule.make import make as scheduler

SECOND = 1_000_000
MINUTE = 60 * SECOND
LATE = 10**12
ACME, GLOBEX = Tenant("acme", PAID), Tenant("globex", PAID)
ONE_VIP, ONE_FREE, ONE_BATCH = Tenant("v", VIP), Tenant("f", FREE), Tenant("b", BATCH)


def outlet(name: str = "one", tpm: int = 60_000, rpm: int = 0, cap: int = 0) -> Outlet:
    """1,000 tokens a second when nothing is said."""
    requests = (Bucket(rpm, 0),) if rpm else ()
    return Outlet(name, Quota(requests, (Bucket(tpm, 0),) if tpm else ()), cap=Cap(cap))


def desk_of(*outlets: Outlet, how: str = "fifo", most: int = 1_000, **rules: object) -> Dispatcher:
    made = Outlets(outlets or (outlet(),), pick("headroom"))
    return Dispatcher(made, scheduler(how), lambda: 0.0, Rules(most, **rules), 0)  # type: ignore[arg-type]


def drain(dispatcher: Dispatcher, now: int = 0) -> None:
    """Every outlet's tokens are spent."""
    for one in dispatcher.outlets:
        for allowed in one.quota.tokens:
            allowed.take(allowed.left(now), now)


def join(
    dispatcher: Dispatcher,
    tokens: int,
    tenant: Tenant = ACME,
    now: int = 0,
    *,
    name: str = "",
    give_up_at: int = LATE,
    **how: bool,
) -> Waiting:
    """A call queues. Nobody has to leave for it."""
    front = how.pop("front", False)
    ticket = Waiting(tenant, Charge(tokens), now, give_up_at, ctx=name or tenant.name, **how)
    assert dispatcher.enter(ticket, now, front=front) is None
    return ticket


def run(dispatcher: Dispatcher, now: int = 0, until: int = LATE) -> list[tuple[object, int, str]]:
    """Who is served, when, through which outlet; each call ends as soon as it is sent."""
    turns: list[tuple[object, int, str]] = []
    while now <= until:
        step = dispatcher.dispatch(now)
        if not isinstance(step, Grant):
            if step == UNTOLD:
                break
            now += step
            continue
        chosen = step.outlet
        turns.append((step.ticket.ctx, now, chosen.name if chosen else ""))
        if chosen is not None:
            chosen.take(step.ticket.charge, now)
            chosen.keep(step.ticket.charge.tokens)
    return turns


def names(turns: Sequence[tuple[object, int, str]]) -> list[object]:
    return [name for name, _, _ in turns]
