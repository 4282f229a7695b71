"""Which fallbacks are proved, which are not, and which are left out because of it. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from tidegate.model.drills import FAILED, PASSED, Drill, DrillSettings, Latest
from tidegate.model.measures import Sample

UNPROVED: Final = "unproved"  # it has never been found out
EXPIRED: Final = "expired"
FAILED_METRIC: Final = "drill_failed"
EXPIRED_METRIC: Final = "drill_expired"


class Stand(NamedTuple):
    """How one target of one strategy stands by one drill."""

    drill: str
    strategy: str
    target: str
    primary: bool
    state: str  # PASSED | FAILED | EXPIRED | UNPROVED
    at_us: int = 0
    until_us: int = 0
    permille: int = 0
    why: str = ""
    out: bool = False


def standing(settings: DrillSettings, known: Sequence[Latest], wall: int) -> list[Stand]:
    """Every target of every drill, those of the same strategy together. O(drills × targets + known)."""
    latest = {(one.drill, one.strategy, one.target): one for one in known}
    found = [stand for drill in settings.drills for stand in _of_drill(drill, settings, latest, wall)]
    out = left_out(settings, found)
    return [one._replace(out=not one.primary and (one.strategy, one.target) in out) for one in found]


def _of_drill(
    drill: Drill, settings: DrillSettings, latest: dict[tuple[str, str, str], Latest], wall: int
) -> Iterator[Stand]:
    for name in drill.strategies:
        strategy = settings.strategy(name)
        for number, target in enumerate(strategy.targets if strategy is not None else ()):
            one = latest.get((drill.name, name, target.model))
            state = _state(one, wall)
            if one is None:
                yield Stand(drill.name, name, target.model, not number, state)
            else:
                yield Stand(
                    drill.name, name, target.model, not number, state, one.at_us, one.until_us, one.permille, one.why
                )


def _state(one: Latest | None, wall: int) -> str:
    if one is None or not one.state:
        return UNPROVED
    if one.state == FAILED:
        return FAILED
    if one.state == PASSED and one.until_us > wall:
        return PASSED
    return EXPIRED


def left_out(settings: DrillSettings, stands: Sequence[Stand]) -> frozenset[tuple[str, str]]:
    """Strategies and fallbacks that are not asked until they pass: of drills that say so, those without a valid proof.

    What was never found out is not out, whoever's fault that is. Where no target would be left that is not known to
    fail, nobody is: a bad answer may be better than none, and to take the last one out would be to decide that.
    """
    outs = {drill.name for drill in settings.drills if drill.on_failure == "out"}
    bad = {(one.strategy, one.target) for one in stands if one.state == FAILED}
    found: set[tuple[str, str]] = set()
    for strategy in settings.strategies:
        mine = {
            (one.strategy, one.target)
            for one in stands
            if one.strategy == strategy.name
            and not one.primary
            and one.drill in outs
            and one.state in {FAILED, EXPIRED}
        }
        rest = {(strategy.name, target.model) for target in strategy.targets} - mine
        if rest - bad:
            found |= mine
    return frozenset(found)


def _lacks(one: Stand) -> bool:
    """It was asked, and has no proof that holds."""
    return one.state == EXPIRED or (one.state == UNPROVED and bool(one.at_us))


def samples(stands: Sequence[Stand]) -> list[Sample]:
    """For alerts: 1 where a proof failed or is too old, else 0; of several drills the worst."""
    worst: dict[tuple[str, str], tuple[bool, bool]] = {}
    for one in stands:
        failed, expired = worst.get((one.strategy, one.target), (False, False))
        worst[one.strategy, one.target] = failed or one.state == FAILED, expired or _lacks(one)
    return [
        Sample(metric, (("plan", plan), ("target", target)), float(value))
        for (plan, target), values in sorted(worst.items())
        for metric, value in zip((FAILED_METRIC, EXPIRED_METRIC), values, strict=True)
    ]
