"""`/policy`: the configuration as people edit it: shown, tried, applied, restored, and played with recorded calls."""

from typing import Annotated, Any

import msgspec
from fastapi import Path as InPath
from fastapi import Query, Response
from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError

from tidegate.config.edit.asked import Step
from tidegate.control.admin.auth.rights import Actor, Right
from tidegate.control.admin.office import Office
from tidegate.control.admin.problems import Refused, refused
from tidegate.control.admin.routing import Desk, Who, needs, router
from tidegate.control.admin.services.changes import Deed
from tidegate.control.admin.services.known import absent
from tidegate.control.admin.services.recorded import recorded
from tidegate.control.admin.services.settings import as_moment, from_moment
from tidegate.control.admin.views.policy import (
    Application,
    AppliedView,
    DryRun,
    DryRunView,
    OneVersionView,
    PolicyView,
    Preview,
    PreviewView,
    Restoration,
    Started,
    VersionView,
)  # fmt: skip
from tidegate.control.admin.views.queries import MAX_ID, Asked
from tidegate.control.policy.desk import Applied, Current
from tidegate.control.policy.history import IN_FORCE
from tidegate.control.policy.office import PolicyOffice
from tidegate.control.policy.trial import Busy
from tidegate.store import policies
from tidegate.units import DAY_US

ROUTER = router("policy")
_Number = Annotated[int, InPath(ge=1, le=MAX_ID)]
_Run = Annotated[str, InPath(max_length=32)]


class HistoryQuery(Asked):
    """Which part."""

    before: int = Field(0, ge=0, le=MAX_ID, description="The `id` of the last one of the page before.")
    limit: Annotated[int, Field(ge=1, le=500)] = 100


@ROUTER.get("/policy", response_model_exclude_none=True)
@needs(Right.SEE_POLICY)
def show_policy(desk: Desk) -> PolicyView:
    """The text in force without its secrets, what the visual editor shows of it, and whether it can be changed here."""
    policy = _of(desk)
    seen = policy.desk.show()
    told = {"digest": seen.digest, "file": seen.file, "version": policy.desk.ways.version()}
    told |= {"writable": not seen.why_not, "why_not": seen.why_not or None}
    return PolicyView.model_validate({**msgspec.to_builtins(seen.shown), **told})


@ROUTER.post("/policy/preview", response_model_exclude_none=True)
@needs(Right.SEE_POLICY)
def preview_policy(desk: Desk, who: Who, said: Preview) -> PreviewView:
    """What a text or changes would come to, with everything that is wrong with it. Nothing changes.

    For a role that may not apply it the text is judged by itself: neither the environment nor a file is read.
    """
    changes = [Step(tuple(one.path), one.value, bool(one.remove)) for one in said.changes]
    alone = not who.may(Right.CHANGE_POLICY)
    found, digest = _of(desk).desk.preview(said.base, said.text, changes, alone=alone)
    return PreviewView.model_validate({**msgspec.to_builtins(found), "digest": digest})


@ROUTER.post("/policy/apply")
@needs(Right.CHANGE_POLICY)
def apply_policy(desk: Desk, who: Who, said: Application) -> AppliedView:
    """Write it and have every worker serve by it; when one refuses, the former text comes back. It is in the audit."""
    return _apply(desk, who, said.base, said.text, said.comment, "policy.apply")


@ROUTER.get("/policy/history")
@needs(Right.SEE_POLICY)
def list_policies(desk: Desk, asked: Annotated[HistoryQuery, Query()]) -> list[VersionView]:
    """What was in force, the newest first; of this node, or of all where they share one configuration."""
    policy = _of(desk)
    node = policy.history.whose(policy.desk.current())
    with desk.engine.connect() as connection:
        found = policies.versions(connection, node, asked.before, asked.limit)
    return [VersionView.model_validate(_version(one)) for one in found]


@ROUTER.get("/policy/history/{version}")
@needs(Right.SEE_POLICY)
def show_version(desk: Desk, version: _Number) -> OneVersionView:
    """One of them with its text, and what it changed."""
    from tidegate.config.edit.difference import difference  # noqa: PLC0415 - difflib, for who asks

    one, text, former = _found(desk, version)
    return OneVersionView.model_validate({**_version(one), "text": text, "diff": difference(former, text).text})


@ROUTER.post("/policy/history/{version}/restore")
@needs(Right.CHANGE_POLICY)
def restore_policy(desk: Desk, who: Who, version: _Number, said: Restoration) -> AppliedView:
    """Apply a former text; secrets come from what is in force, and one that is gone is an error at its line."""
    one, text, _ = _found(desk, version)
    comment = said.comment or f"restored version {one.id}"
    return _apply(desk, who, said.base, text, comment, "policy.restore", restores=True)


@ROUTER.post("/policy/dryrun", status_code=201)
@needs(Right.CHANGE_POLICY)
def start_dryrun(desk: Desk, who: Who, said: DryRun) -> Started:
    """Play recorded calls through a text and through what is in force, beside the calls; one at a time."""
    policy = _of(desk)
    until = desk.clocks.wall()
    since = _since(said.since, until)
    now = policy.desk.current()
    new, file = policy.desk.plain(said.base or now.digest, said.text, guards=not who.may(Right.TOKENS))
    engine = desk.engine
    try:
        name = policy.trials.start(file, new, now.raw, recorded(engine, since, until))
    except Busy as error:
        raise refused(409, "dryrun", f"another one runs: {error}", "wait for its end, or cancel it") from None
    return Started(id=name)


@ROUTER.get("/policy/dryrun/{run}", response_model_exclude_none=True)
@needs(Right.SEE_POLICY)
def show_dryrun(desk: Desk, run: _Run) -> DryRunView:
    """How far it is, and its report at the end."""
    found = _of(desk).trials.standing(run)
    if found is None:
        raise absent("run", "dry run")
    return DryRunView.model_validate({**found._asdict(), "why": found.why or None})


@ROUTER.delete("/policy/dryrun/{run}", status_code=204, response_class=Response)
@needs(Right.CHANGE_POLICY)
def cancel_dryrun(desk: Desk, run: _Run) -> None:
    """End it."""
    if not _of(desk).trials.cancel(run):
        raise absent("run", "dry run")


@ROUTER.get("/policy/schema")
@needs(Right.SELF)
def show_schema() -> dict[str, Any]:
    """The JSON schema of the configuration, for editors."""
    from tidegate.config.json_schema import json_schema  # noqa: PLC0415 - the whole schema, for who asks

    return json_schema()


def _apply(
    desk: Office, who: Actor, base: str, text: str, comment: str, action: str, *, restores: bool = False
) -> AppliedView:
    policy = _of(desk)
    began, guards = desk.clocks.now(), not who.may(Right.TOKENS)
    before = policy.desk.current()
    policy.history.note(before)  # what it was, however it came about
    asked: list[tuple[int, str]] = []

    def intend(digest: str) -> None:
        """In the audit before anything is written: whatever happens then, it says who asked."""
        after = {"outcome": "asked", "comment": comment}
        asked.append((desk.changes.intend(who, Deed(action, "", digest, None, after)), digest))

    try:
        done = policy.desk.apply(base, text, restores=restores, guards=guards, before=intend)
    except Refused:
        for entry, digest in asked:
            desk.changes.complete(entry, digest, {"outcome": "refused", "comment": comment})
        raise
    took = (desk.clocks.now() - began) // 1_000
    for entry, _ in asked:
        _remember(desk, done, before, who, comment, entry)
    return AppliedView(version=done.version, digest=done.digest, in_force_after_ms=took, changed=done.changed)


def _remember(desk: Office, done: Applied, before: Current, who: Actor, comment: str, entry: int) -> None:
    """In the history, and in the audit what became of it; where that cannot be, the watch does it later."""
    try:
        number = _of(desk).history.keep(done, before, who.name, comment)
    except (Refused, SQLAlchemyError) as error:
        desk.log.warning("a policy is in force, and noted once the database is back", problem=type(error).__name__)
        return
    told = {
        "outcome": IN_FORCE,
        "version": done.version,
        "history": number,
        "added": done.added,
        "removed": done.removed,
    }
    desk.changes.complete(entry, str(number), {**told, "comment": comment})


def _since(text: str, now: int) -> int:
    units = {"m": DAY_US // 1_440, "h": DAY_US // 24, "d": DAY_US}
    if text[-1:] in units:
        return now - int(text[:-1]) * units[text[-1]]
    return from_moment(text) or now - DAY_US


def _found(desk: Office, number: int) -> tuple[policies.Version, str, str]:
    policy = _of(desk)
    node = policy.history.whose(policy.desk.current())
    with desk.engine.connect() as connection:
        found = policies.version(connection, node, number)
    if found is None:
        raise absent("version", "version")
    return found


def _version(one: policies.Version) -> dict[str, object]:
    return {
        "id": str(one.id), "at": as_moment(one.at_us), "by": one.actor, "comment": one.comment, "digest": one.digest,
        "added": one.added, "removed": one.removed,
    }  # fmt: skip


def _of(desk: Office) -> PolicyOffice:
    if desk.policy is None:
        raise refused(409, "policy", "this process edits no policy", "ask the gate's own control process")
    return desk.policy
