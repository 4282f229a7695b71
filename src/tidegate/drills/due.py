"""When a drill is due, and whether a proof is still of what is configured now."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from cronsim import CronSim

from tidegate.model.drills import NOT_JUDGED, PASSED, Drill, DrillSettings, DrillTarget, Latest

AGAIN_US: Final = 3_600_000_000  # what could not be found out is tried again so soon


def digest(drill: Drill, target: DrillTarget) -> str:
    """Of what is asked, and whom: what changes it makes every earlier proof one of something else."""
    asked = (drill.prompts, drill.faults, drill.pass_permille, drill.repeat, drill.judge, drill.embedder)
    whom = (target.model, target.provider, target.base_url, target.dialect)
    return sha256(msgspec.msgpack.encode((asked, whom))).hexdigest()[:32]


def held(settings: DrillSettings, known: Sequence[Latest]) -> list[Latest]:
    """As they are known; but a pass of something else than what is configured now holds no more.

    A failure stays one: who is out comes back by passing, and not by being given another address.
    """
    digests = {
        (drill.name, name, target.model): digest(drill, target)
        for drill in settings.drills
        for name in drill.strategies
        if (strategy := settings.strategy(name)) is not None
        for target in strategy.targets
    }
    found: list[Latest] = []
    for one in known:
        now = digests.get((one.drill, one.strategy, one.target), one.digest)
        stale = one.state == PASSED and (now != one.digest or not one.until_us)
        found.append(_void(one, "what is asked, or of whom, has changed since it passed") if stale else one)
    return found


def _void(one: Latest, why: str) -> Latest:
    return one._replace(until_us=0, why=f"{why}; {one.why}" if one.why else why)


def is_due(drill: Drill, settings: DrillSettings, known: Sequence[Latest], wall: int) -> bool:
    """At once where a target was never asked, or something else; then by its schedule."""
    latest = {(one.strategy, one.target): one for one in known if one.drill == drill.name}
    for name in drill.strategies:
        strategy = settings.strategy(name)
        for target in strategy.targets if strategy is not None else ():
            one = latest.get((name, target.model))
            if one is None or one.digest != digest(drill, target):
                return True
            if wall >= next_us(drill, one):
                return True
    return False


def next_us(drill: Drill, last: Latest) -> int:
    """When its schedule comes after that run."""
    if drill.cron:
        began = datetime.fromtimestamp(last.at_us / 1_000_000, ZoneInfo(drill.zone))
        planned = round(next(CronSim(drill.cron, began)).timestamp() * 1_000_000)
    else:
        planned = last.at_us + drill.every_us
    return min(planned, last.at_us + AGAIN_US) if last.last == NOT_JUDGED else planned
