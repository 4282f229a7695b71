"""`/calls`: single calls, found, followed as they end, and shown stage by stage."""

from dataclasses import replace
from typing import Annotated

from fastapi import Path, Query
from msgspec.structs import asdict

from tidegate.control.admin.auth.rights import Right
from tidegate.control.admin.problems import refused
from tidegate.control.admin.routes.spend import check_period, within
from tidegate.control.admin.routing import Desk, Who, needs, router
from tidegate.control.admin.services import kept, known
from tidegate.control.admin.services.settings import as_moment, as_money, from_moment
from tidegate.control.admin.views.call import (
    CallChain,
    CallPage,
    CallsAsked,
    CallView,
    StageView,
    TailAsked,
    TailPage,
    TryView,
)
from tidegate.control.admin.views.queries import MAX_ID
from tidegate.store import search, tail
from tidegate.store.calls import Found
from tidegate.units import DAY_US

ROUTER = router("calls")
_BEGUN_US = 3_600_000_000  # of the last calls that somebody is shown who begins to follow


@ROUTER.get("/calls", response_model_exclude_none=True)
@needs(Right.SEE_SPEND)
def list_calls(desk: Desk, who: Who, asked: Annotated[CallsAsked, Query()]) -> CallPage:
    """Calls as they ended, the newest first; those that the cache answered too."""
    to_us = from_moment(asked.until) or desk.clocks.wall() + 1
    from_us = from_moment(asked.since) or (0 if asked.named else to_us - DAY_US)
    if not asked.named:
        check_period(from_us, to_us)
    at_us, _, number = (asked.before or "").partition("-")
    wanted = asked.asked(from_us, to_us, within(who, asked.namespace), asked.limit)
    if asked.before:
        wanted = replace(wanted, before=(int(at_us), int(number)))
    with desk.engine.connect() as connection:
        found = search.search(connection, wanted)
    last = found[-1] if len(found) == asked.limit else None
    following = None if last is None else f"{last['at_us']}-{last['call_id']}"
    return CallPage(calls=[CallView.model_validate(_told(row)) for row in found], next=following)


@ROUTER.get("/calls/tail", response_model_exclude_none=True)
@needs(Right.SEE_SPEND)
def tail_calls(desk: Desk, who: Who, asked: Annotated[TailAsked, Query()]) -> TailPage:
    """Calls that ended since the answer before, the oldest first. Ask again with its `next`, also of another gate."""
    now = desk.clocks.wall()
    wanted = asked.asked(now - _BEGUN_US, now, within(who, asked.namespace), asked.limit)
    try:
        cursor = None if asked.after is None else tail.read(asked.after)
    except ValueError:
        raise refused(422, "query.after", "is no `next` of an answer", "leave it out to begin now") from None
    with desk.engine.connect() as connection:
        found = tail.begin(connection, wanted) if cursor is None else tail.after(connection, cursor, wanted)
    shown = [CallView.model_validate(_told(row)) for row in found.calls]
    return TailPage(calls=shown, next=tail.written(found.cursor), missed=found.missed)


@ROUTER.get("/calls/{call}", response_model_exclude_none=True)
@needs(Right.SEE_SPEND)
def show_call(desk: Desk, who: Who, call: Annotated[int, Path(ge=0, le=MAX_ID)]) -> CallChain:
    """One call with every attempt and every stage: who was asked, what it waited for, and how it ended.

    Of one that the cache answered: whose answer it was, and what that saved.
    """
    with desk.engine.connect() as connection:
        found = search.call(connection, call, who.scope())
    if found is None:
        raise known.absent("call", "call")
    row, tries, story = found
    stages = [StageView.model_validate(asdict(stage)) for stage in kept.stages(row, tries, story)]
    shown = [TryView.model_validate(_told(one)) for one in tries]
    return CallChain.model_validate({**_told(row), "tries": shown, "stages": stages})


def _told(row: Found) -> Found:
    told = {**row, "id": str(row["call_id"]), "at": as_moment(row["at_us"]) or "", "cost": as_money(row["cost_nano"])}
    hit = row.get("hit")
    return told if hit is None else {**told, "hit": kept.saved(hit)}
