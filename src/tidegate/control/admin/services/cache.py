"""The cache for the admin API: what it did, what is purged, and what it had to do with one call."""

from collections.abc import Iterator

from sqlalchemy import Connection

from tidegate.control.admin.auth.rights import Actor
from tidegate.control.admin.office import Office
from tidegate.control.admin.problems import refused
from tidegate.control.admin.services.settings import as_moment, as_money
from tidegate.control.admin.views.cache import (
    CacheLine,
    CacheReport,
    CallCache,
    Compared,
    LayerView,
    SemanticView,
    ServedCall,
)
from tidegate.semantic import ask
from tidegate.store import hit_reports
from tidegate.store.calls import Found
from tidegate.store.hit_reports import Line, Wanted
from tidegate.units import SECOND_US

_MILLE = 1_000
_FIELDS = {"strategy": "plan"}  # what the database calls it
_PATIENCE = 0.5  # seconds, of what is only told beside


def columns(names: dict[str, str]) -> dict[str, str]:
    """Filters by the names of the database's columns."""
    return {_FIELDS.get(name, name): value for name, value in names.items()}


def column(name: str) -> str:
    """A group by the name of its column."""
    return _FIELDS.get(name, name)


def report(connection: Connection, desk: Office, who: Actor, by: tuple[str, ...], wanted: Wanted) -> CacheReport:
    """Lines, their total, and how the stores stand for who sees the whole gate. Raises `hit_reports.TooMany`."""
    lines = [_line(by, item) for item in hit_reports.report(connection, wanted)]
    total = _line((), Line((), hit_reports.total(connection, wanted)))
    whole = who.scope() is None
    return CacheReport(
        currency=desk.declaration.now.ledger.currency,
        lines=lines,
        total=total,
        stores=list(_stores(desk)) if whole else None,
        semantic=_semantic(desk) if whole else None,
    )


def of_call(connection: Connection, desk: Office, call: int, within: str | None) -> CallCache | None:
    """What the cache had to do with a call (of this namespace); None: there is no such call."""
    hit = hit_reports.hit(connection, call, within)
    made = hit_reports.asked(connection, call, within)
    row = hit or made
    if row is None:
        return None
    count, served = hit_reports.served(connection, call, within)
    return CallCache.model_validate({
        "id": str(call),
        "at": as_moment(row["at_us"]) or "",
        "namespace": row["namespace"],
        "user": row["user"],
        "key": row["key"],
        "strategy": row["plan"],
        "model": "/".join(filter(None, (row["provider"], row["model"] if hit else row["served"]))),
        "outcome": "hit" if hit else "made",
        **({"said": made["cache"], "kept": made["word"], "answer": made["answer"]} if made else {}),
        **(_hit(hit) if hit else {}),
        "served_calls": count,
        "served": [_served(one) for one in served],
        "compared": _compared(desk, call),
    })  # fmt: skip


def judge(desk: Office, call: int, *, right: bool) -> None:
    """Tell the process that compares questions. Raises `Refused`."""
    try:
        known = ask.feedback(desk.state_dir, call, correct=right)
    except ask.Away as error:
        remedy = "see the log of the gate, and `caching.semantic` in the configuration"
        raise refused(409, "caching.semantic", str(error), remedy) from None
    if not known:
        remedy = "name one whose `x-tidegate-cache` was `semantic`, or that was compared, of the last ones"
        raise refused(404, "path.call", "nothing is known of what this call was compared with", remedy)


def _line(by: tuple[str, ...], found: Line) -> CacheLine:
    saved = found.saved
    return CacheLine.model_validate({
        **dict(zip(by, found.group, strict=True)),
        "hits": saved.hits,
        "misses": saved.misses,
        "bypassed": saved.bypassed,
        "hit_rate": None if saved.rate is None else round(saved.rate, 4),
        "saved_prompt_tokens": saved.prompt_tokens,
        "saved_completion_tokens": saved.completion_tokens,
        "saved": as_money(saved.cost_nano),
        "charged_hits": saved.charged_hits,
        "charged": as_money(saved.charged_nano),
    })  # fmt: skip


def _stores(desk: Office) -> Iterator[LayerView]:
    for view in desk.board.views():
        for meter in view.answers:
            yield LayerView(
                layer=meter.layer,
                worker=view.worker,
                up=meter.up,
                entries=meter.entries if meter.entries >= 0 else None,
                bytes=meter.bytes if meter.bytes >= 0 else None,
                gets=meter.gets,
                hits=meter.hits,
                errors=meter.errors,
                timeouts=meter.timeouts,
                corrupt=meter.corrupt,
                writes=meter.writes,
                dropped_writes=meter.dropped,
                evicted=meter.evicted,
            )


def _semantic(desk: Office) -> SemanticView | None:
    try:
        found = ask.stats(desk.state_dir, _PATIENCE)
    except ask.Away:
        return None
    return SemanticView.model_validate({name: getattr(found, name) for name in SemanticView.model_fields})


def _hit(row: Found) -> dict[str, object]:
    return {
        "layer": row["layer"],
        "source": str(row["source"]),
        "similarity": row["similarity_permille"] / _MILLE,
        "age_seconds": round(row["age_us"] / SECOND_US, 3),
        "saved_prompt_tokens": row["prompt_tokens"],
        "saved_completion_tokens": row["completion_tokens"],
        "saved": as_money(row["cost_nano"]),
        "charged": bool(row["charged"]),
    }


def _served(row: Found) -> ServedCall:
    return ServedCall(
        id=str(row["call_id"]),
        at=as_moment(row["at_us"]) or "",
        namespace=row["namespace"],
        key=row["key"],
        layer=row["layer"],
        similarity=row["similarity_permille"] / _MILLE,
    )


def _compared(desk: Office, call: int) -> Compared | None:
    try:
        found = ask.explain(desk.state_dir, call, _PATIENCE)
    except ask.Away:
        return None
    if found is None:
        return None
    return Compared(
        similarity=found.similarity_permille / _MILLE,
        source=str(found.source),
        served=found.served,
        why=found.why,
        judged=found.judged,
        observations=found.observations,
    )
