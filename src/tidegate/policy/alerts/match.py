"""Which alerts a rule, a route or a silence means."""

from collections.abc import Iterable, Mapping
from typing import Final

from tidegate.model.alerts import AlertSilence
from tidegate.model.measures import Labels

RULE: Final = "rule"  # stands for the rule's name among labels
_REST: Final = "*"


def matches(wanted: Mapping[str, str], labels: Labels, rule: str = "") -> bool:
    """Has it all of these labels? `*` at the end stands for any rest; an absent label is an empty one. O(labels)."""
    if not wanted:
        return True
    given = dict(labels)
    if RULE in wanted:
        given.setdefault(RULE, rule)
    return all(_same(value, given.get(name, "")) for name, value in wanted.items())


def silenced(silences: Iterable[AlertSilence], rule: str, labels: Labels) -> bool:
    """Does one of these mean it? Whether they are in force now, `in_force` has said. O(silences)."""
    return any(matches(one.match, labels, rule) for one in silences)


def in_force(silences: Iterable[AlertSilence], now: int) -> tuple[AlertSilence, ...]:
    """Those that hold at this moment."""
    return tuple(one for one in silences if one.from_us <= now < one.until_us)


def _same(wanted: str, value: str) -> bool:
    return value.startswith(wanted[:-1]) if wanted.endswith(_REST) else value == wanted
