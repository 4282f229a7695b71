"""`/shadows`: what candidates answered beside strategies, and what that cost."""

from typing import Annotated

from fastapi import Query
from pydantic import Field

from tidegate.control.admin.auth.rights import Right
from tidegate.control.admin.routing import Desk, needs, router
from tidegate.control.admin.services.settings import as_moment, as_money
from tidegate.control.admin.views.directory import View
from tidegate.control.admin.views.queries import Asked
from tidegate.store import shadows as store
from tidegate.store.shadows import KEEP_DAYS, ShadowDay
from tidegate.units import DAY_US

ROUTER = router("drills")


class ShadowsQuery(Asked):
    """How far back."""

    days: int = Field(30, ge=1, le=KEEP_DAYS, description="So many, today's counted; days are those of UTC.")


class ShadowView(View):
    """One candidate of one strategy on one day (UTC). Means, costs of the primary and times are of answered calls."""

    day: str
    strategy: str
    candidate: str
    calls: int = Field(description="Of the sample, for which there was a place.")
    answered: int
    failed: int
    unasked: int = Field(description="The day's money was spent, or no quota was left.")
    agreed: int
    similarity: float = Field(description="Of 1, in the mean.")
    primary_ms: float = Field(description="Of a call without its waits, in the mean.")
    candidate_ms: float
    primary_cost: str
    candidate_cost: str = Field(description="Of all its calls, also of those that failed.")
    primary_chars: float = Field(description="Of an answer, in the mean.")
    candidate_chars: float


@ROUTER.get("/shadows")
@needs(Right.STATUS)
def list_shadows(desk: Desk, asked: Annotated[ShadowsQuery, Query()]) -> list[ShadowView]:
    """By day, the newest first. Answers themselves are not kept."""
    today = desk.clocks.wall() // DAY_US
    with desk.engine.connect() as connection:
        return [_view(one) for one in store.days(connection, today - asked.days + 1)]


def _view(one: ShadowDay) -> ShadowView:
    pairs = one.answered or 1
    return ShadowView(
        day=(as_moment(one.day * DAY_US) or "")[:10],
        strategy=one.strategy,
        candidate=one.candidate,
        calls=one.calls,
        answered=one.answered,
        failed=one.failed,
        unasked=one.unasked,
        agreed=one.agreed,
        similarity=round(one.permille / pairs / 1_000, 3),
        primary_ms=round(one.primary_us / pairs / 1_000, 1),
        candidate_ms=round(one.candidate_us / pairs / 1_000, 1),
        primary_cost=as_money(one.primary_nano),
        candidate_cost=as_money(one.candidate_nano),
        primary_chars=round(one.primary_chars / pairs, 1),
        candidate_chars=round(one.candidate_chars / pairs, 1),
    )
