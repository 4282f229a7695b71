"""`/cache/stats`, `/cache/purge`, `/calls/{call}/cache` and `/calls/{call}/feedback`."""

import re
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Path, Query
from sqlalchemy import Connection

from tidegate.cache.purge_log import NAME, Purge, PurgeLog
from tidegate.control.admin.auth.rights import Actor, Right
from tidegate.control.admin.problems import Refused, refused
from tidegate.control.admin.routes.spend import period_of, within
from tidegate.control.admin.routing import Desk, Who, needs, router
from tidegate.control.admin.services import cache, known
from tidegate.control.admin.services.changes import Deed
from tidegate.control.admin.services.settings import as_moment
from tidegate.control.admin.views.cache import (
    CacheQuery,
    CacheReport,
    CallCache,
    Judged,
    Judgement,
    Purged,
    PurgeRequest,
)
from tidegate.control.admin.views.queries import MAX_ID
from tidegate.store import hit_reports, news, reports

ROUTER = router("cache")
Call = Annotated[int, Path(ge=0, le=MAX_ID)]
_KEY = re.compile(r"[0-9a-fA-F]{64}")


@ROUTER.get("/cache/stats", response_model_exclude_none=True)
@needs(Right.SEE_SPEND)
def cache_stats(desk: Desk, who: Who, asked: Annotated[CacheQuery, Query()]) -> CacheReport:
    """How often the cache answered and what that saved, by any grouping, and how its stores stand."""
    given = cache.columns(asked.filters("user", "key", "strategy", "model", "provider"))
    by = tuple(dict.fromkeys(asked.by))
    groups = tuple(cache.column(name) for name in by)
    filters = given | within(who, asked.namespace)
    wanted = hit_reports.Wanted(*period_of(desk, asked), groups, filters, ZoneInfo(asked.zone))
    with desk.engine.connect() as connection:
        try:
            return cache.report(connection, desk, who, by, wanted)
        except reports.TooMany:
            remedy = "filter, or group by less"
            raise refused(422, "query.by", f"makes more than {reports.MOST} lines", remedy) from None


@ROUTER.post("/cache/purge", response_model_exclude_none=True)
@needs(Right.PURGE)
def purge_cache(desk: Desk, who: Who, said: PurgeRequest) -> Purged:
    """Have none of these answers served any more. It stands in the audit."""
    namespace = _bounds(who, said)
    done: list[Purge] = []

    def work(connection: Connection, now: int) -> Deed:
        for name in {namespace, said.value if said.what == "namespace" else ""} - {""}:
            if not known.is_namespace(connection, desk.declaration.now, name):
                raise refused(422, "body.namespace", "there is no such namespace", "list the namespaces: see its name")
        what, value = _selected(connection, said, who)
        purge = Purge(what, value, namespace, now)
        try:
            PurgeLog(desk.state_dir / NAME).append(purge)
        except OSError as error:
            problem = f"nothing is purged: {NAME} cannot be written ({error.strerror})"
            raise refused(503, "state_dir", problem, "free its disk, and try again") from None
        done.append(purge)
        elsewhere = (news.Item(news.PURGE, namespace, value, what=what),)
        return Deed("cache.purge", namespace, f"{said.what} {said.value}".strip(), items=elsewhere)

    desk.changes.carry_out(who, work)
    moment = as_moment(done[0].wall_us) or ""
    return Purged(what=said.what, value=said.value, namespace=namespace, until=moment)


@ROUTER.get("/calls/{call}/cache", response_model_exclude_none=True)
@needs(Right.SEE_SPEND)
def explain_call(desk: Desk, who: Who, call: Call) -> CallCache:
    """What the cache had to do with a call: who made its answer, or why it was made, and whom that served."""
    with desk.engine.connect() as connection:
        found = cache.of_call(connection, desk, call, who.scope())
    if found is None:
        raise known.absent("call", "call")
    return found


@ROUTER.post("/calls/{call}/feedback", response_model_exclude_none=True)
@needs(Right.JUDGE)
def judge_call(desk: Desk, who: Who, call: Call, said: Judgement) -> Judged:
    """Say whether the answer to a question that means the same answered this call's. It stands in the audit."""
    with desk.engine.connect() as connection:
        row = hit_reports.hit(connection, call, who.scope()) or hit_reports.asked(connection, call, who.scope())
    if row is None and who.scope():
        raise known.absent("call", "call")
    deed = Deed("cache.feedback", "" if row is None else str(row["namespace"]), str(call), None, {"outcome": "asked"})
    entry = desk.changes.intend(who, deed)
    try:
        cache.judge(desk, call, right=said.right)
    except Refused:
        desk.changes.complete(entry, str(call), {"outcome": "refused"})
        raise
    desk.changes.complete(entry, str(call), {"right": said.right})
    return Judged(id=str(call), right=said.right)


def _bounds(who: Actor, said: PurgeRequest) -> str:
    """Of which namespace only, "" = of all. Raises `Refused` where that is not who asks."""
    if (said.what == "all") != (not said.value):
        remedy = "leave it out with `all`, name it with everything else"
        raise refused(422, "body.value", "does not fit what is purged", remedy)
    wanted = said.value if said.what == "namespace" else said.namespace or ""
    if said.namespace is not None and said.namespace != wanted:
        raise refused(422, "body.namespace", "is another than the one that is purged", "leave it out")
    own = who.scope()
    if own is None:
        return wanted
    if wanted not in {"", own}:
        raise refused(404, "body.namespace", "there is no such namespace", "leave it out: yours is meant")
    return own


def _selected(connection: Connection, said: PurgeRequest, who: Actor) -> tuple[str, str]:
    """As the purge log says it. Raises `Refused`."""
    if said.what == "key" and not _KEY.fullmatch(said.value):
        raise refused(422, "body.value", "is no key of an answer", "64 hexadecimal digits, as `explain` shows them")
    if said.what != "call":
        return said.what, said.value
    if not said.value.isdecimal() or not said.value.isascii() or int(said.value) > MAX_ID:
        raise refused(422, "body.value", "is no number of a call", "give the number of what `x-request-id` said")
    hit = hit_reports.hit(connection, int(said.value), who.scope())
    return "source", said.value if hit is None else str(hit["source"])
