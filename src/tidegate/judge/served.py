"""Whose call was served when: the clients' visits laid beside the provider's log of admissions. Pure.

Both clocks are the machine's monotonic one, so that a wait is the difference of two moments that neither the gate nor
its headers had a say in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.load.visits import Visit


@dataclass(frozen=True, slots=True)
class Served:
    """One admission: when the provider had it, for whom, which call of the tenant, and its charge."""

    at_us: int
    tenant: str
    number: int
    tokens: int


def admissions(events: Iterable[Sequence[Any]]) -> list[Served]:
    """The admissions among a twin's events, in order."""
    found = []
    for at_us, _, _, user, tokens, label in events:
        if not label:
            tenant, _, number = str(user).rpartition("/")
            found.append(Served(int(at_us), tenant, int(number or 0), int(tokens)))
    return found


@dataclass(frozen=True, slots=True)
class Match:
    """A visit and when the provider had it; None = never."""

    visit: Visit
    at_us: int | None

    @property
    def wait_us(self) -> int:
        """From the client's last sending to the provider; of a call that was never served until its end."""
        last = self.visit.tries[-1]
        return (last.done_us if self.at_us is None else self.at_us) - last.sent_us


def matched(visits: Iterable[Visit], served: Iterable[Served]) -> tuple[list[Match], int]:
    """Every visit with its admission, and how many calls were admitted twice."""
    at: dict[tuple[str, int], int] = {}
    twice = 0
    for one in served:
        place = (one.tenant, one.number)
        twice += place in at
        at.setdefault(place, one.at_us)
    return [Match(visit, at.get((visit.tenant, visit.number))) for visit in visits], twice
