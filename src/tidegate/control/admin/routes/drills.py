"""`/drills`: which fallbacks are proved, what their drills found, and what is wrong with them before they are asked."""

import json
from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import Field

from tidegate.config.schema.base import ModelName, Name
from tidegate.control.admin.auth.rights import Right
from tidegate.control.admin.office import Office
from tidegate.control.admin.problems import refused
from tidegate.control.admin.routing import Desk, Who, needs, router
from tidegate.control.admin.services.changes import Deed
from tidegate.control.admin.services.known import absent
from tidegate.control.admin.services.settings import as_moment, as_money
from tidegate.control.admin.views.directory import View
from tidegate.control.admin.views.queries import MAX_ID, Asked
from tidegate.control.admin.views.sent import Body
from tidegate.control.drills import Drills
from tidegate.model.drills import Drill
from tidegate.store import drills as store

ROUTER = router("drills")
_Name = Annotated[Name, Path()]


class TargetView(View):
    """How one target of a strategy stands by one drill. Moments are RFC 3339 in UTC."""

    strategy: str
    target: str
    primary: bool
    state: str = Field(description="passed, failed, expired, or unproved: never found out.")
    score: float = Field(description="Of 100, of its last run that found something out.")
    run: str | None = Field(None, description="When it was asked last.")
    until: str | None = Field(None, description="So long its proof holds.")
    out: bool = Field(description="It is left out of its strategy until it passes.")
    why: str


class DrillView(View):
    """One drill of the configuration."""

    name: str
    strategies: list[str]
    prompts: list[str]
    schedule: str
    on_failure: str
    running: bool
    waiting: bool = Field(description="A run was asked for and has not begun.")
    targets: list[TargetView]


class DrillsPage(View):
    """All drills, and what the configuration alone says of fallbacks."""

    drills: list[DrillView]
    errors: int = Field(description="What the configuration alone says cannot work: see `/drills/check`.")


class FindingView(View):
    """What is wrong with a fallback, or not known of it, before it is asked anything."""

    level: Literal["error", "warning", "note"]
    strategy: str
    target: str
    code: str
    text: str
    drill: str
    prompt: str


class RunView(View):
    """What one run found out of one target."""

    id: str
    at: str | None
    strategy: str
    target: str
    state: str = Field(description="passed, failed, or not_judged.")
    score: float
    until: str | None = None
    asked: int
    tokens: int
    cost: str
    why: str
    cause: str
    answers: list[dict[str, object]] = Field(description="Verdicts on its answers; answers themselves are not kept.")


class RunsPage(View):
    """Runs, the newest first."""

    runs: list[RunView]
    next: str | None = None


class RunsQuery(Asked):
    """Which runs."""

    strategy: ModelName | None = None
    target: ModelName | None = Field(None, description="The model that was asked.")
    before: int = Field(0, ge=0, le=MAX_ID, description="`next` of the page before.")
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100


class RunRequest(Body):
    """Which of its strategies."""

    strategy: ModelName | None = Field(None, description="Left out: all.", examples=["chat"])


class Started(View):
    """It runs as soon as the one before it has ended."""

    drill: str
    strategy: str
    waiting: int


@ROUTER.get("/drills", response_model_exclude_none=True)
@needs(Right.STATUS)
def list_drills(desk: Desk) -> DrillsPage:
    """Every drill, and how each target stands by it."""
    from tidegate.drills.dialects import findings  # noqa: PLC0415 - translations, for who asks

    drills = _of(desk)
    watch = drills.watch()
    with desk.engine.connect() as connection:
        stands = watch.standing(connection, desk.clocks.wall())
    waiting = {one.drill for one in watch.waiting}
    views = [
        DrillView(
            name=drill.name,
            strategies=list(drill.strategies),
            prompts=[one.name for one in drill.prompts],
            schedule=_schedule(drill),
            on_failure=drill.on_failure,
            running=watch.running == drill.name,
            waiting=drill.name in waiting,
            targets=[
                TargetView(
                    strategy=one.strategy,
                    target=one.target,
                    primary=one.primary,
                    state=one.state,
                    score=one.permille / 10,
                    run=as_moment(one.at_us),
                    until=as_moment(one.until_us),
                    out=one.out,
                    why=one.why,
                )
                for one in stands
                if one.drill == drill.name
            ],
        )
        for drill in drills.settings.drills
    ]
    return DrillsPage(drills=views, errors=sum(one.level == "error" for one in findings(drills.settings)))


@ROUTER.get("/drills/check")
@needs(Right.STATUS)
def check_drills(desk: Desk) -> list[FindingView]:
    """What the configuration alone says of all fallbacks. Nobody is asked anything."""
    from tidegate.drills.dialects import findings  # noqa: PLC0415 - translations, for who asks

    return [FindingView.model_validate(one._asdict()) for one in findings(_of(desk).settings)]


@ROUTER.get("/drills/{drill}/runs", response_model_exclude_none=True)
@needs(Right.STATUS)
def list_runs(desk: Desk, drill: _Name, asked: Annotated[RunsQuery, Query()]) -> RunsPage:
    """What its runs found, the newest first; also of a drill that is not declared any more."""
    with desk.engine.connect() as connection:
        found = store.history(
            connection, drill, asked.strategy or "", asked.target or "", asked.before, asked.limit + 1
        )
    page = found[: asked.limit]
    return RunsPage(runs=[_run(one) for one in page], next=str(page[-1].id) if len(found) > asked.limit else None)


@ROUTER.post("/drills/{drill}/run")
@needs(Right.RUN_DRILLS)
def run_drill(desk: Desk, who: Who, drill: _Name, said: RunRequest) -> Started:
    """Have it run now, whatever its schedule. It costs what its questions cost. It stands in the audit."""
    drills = _of(desk)
    known = next((one for one in drills.settings.drills if one.name == drill), None)
    if known is None:
        raise absent("drill", "drill")
    if said.strategy is not None and said.strategy not in known.strategies:
        remedy = f"one of {', '.join(known.strategies)}"
        raise refused(422, "body.strategy", "is no strategy of this drill", remedy)
    watch = drills.watch()
    after = {"strategy": said.strategy or ""}
    desk.changes.carry_out(who, lambda _c, _n: Deed("drill.run", "", drill, None, after))
    if not watch.demand(drill, said.strategy or ""):
        raise refused(429, "drill", "too many runs wait already", "try again when they have ended")
    return Started(drill=drill, strategy=said.strategy or "", waiting=len(watch.waiting))


def _of(desk: Office) -> Drills:
    if desk.drills is None:
        raise refused(409, "drills", "this process runs no drills", "ask the gate's own control process")
    return desk.drills


def _schedule(drill: Drill) -> str:
    return f"{drill.cron} {drill.zone}" if drill.cron else f"every {drill.every_us / 3_600_000_000:g} h"


def _run(one: store.Run) -> RunView:
    return RunView(
        id=str(one.id),
        at=as_moment(one.at_us),
        strategy=one.strategy,
        target=one.target,
        state=one.state,
        score=one.permille / 10,
        until=as_moment(one.until_us),
        asked=one.asked,
        tokens=one.tokens,
        cost=as_money(one.cost_nano),
        why=one.why,
        cause=one.cause,
        answers=json.loads(one.detail),
    )
