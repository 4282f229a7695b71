"""A dry run: recorded arrivals through a policy in virtual time, beside what happened or beside another policy.

The admin API may call `dry_run` as the command does: it takes arrivals and snapshots and returns a record.
"""

from collections.abc import Iterable, Sequence
from random import Random

from tidegate.dryrun.episodes import Episodes
from tidegate.dryrun.notes import notes
from tidegate.dryrun.outcome import REFUSED, Outcome, recorded
from tidegate.dryrun.play import Play
from tidegate.dryrun.report import Report, figures, findings, groups
from tidegate.dryrun.shapes import Shapes
from tidegate.dryrun.tally import Tally
from tidegate.dryrun.troubles import Troubles
from tidegate.dryrun.unmatched import unmatched
from tidegate.model.arrivals import Arrival
from tidegate.model.directory import Change
from tidegate.model.snapshot import Snapshot


class Past:
    """What the arrivals say of themselves: read once, before anything is played."""

    __slots__ = ("first_us", "last_us", "shapes", "tally", "troubles")

    def __init__(self, arrivals: Iterable[Arrival], snapshots: Iterable[Snapshot], seed: int) -> None:
        """O(arrivals); `snapshots` say by which rule providers charge, the later before the earlier."""
        profiles = {one.name: one.profile for snapshot in snapshots for one in snapshot.providers}
        self.shapes, self.troubles, self.tally = Shapes(profiles, Random(seed)), Troubles(), Tally()
        self.first_us = self.last_us = 0
        for arrival in arrivals:
            self.shapes.learn(arrival)
            self.troubles.learn(arrival)
            self.tally.add(arrival, recorded(arrival))
            self.first_us = self.first_us or arrival.at_us
            self.last_us = arrival.at_us
        self.troubles.close()


def dry_run(
    arrivals: Iterable[Arrival],
    new: Snapshot,
    *,
    against: Snapshot | None = None,
    managed: Sequence[Change] = (),
    seed: int = 0,
) -> Report:
    """Play them. `arrivals` is gone through two or three times, and has the earliest first.

    `against`: the policy that the new one is held against; without one, that is what was recorded. `managed`: who may
    call beside the files.
    """
    past = Past(arrivals, (new,) if against is None else (new, against), seed)
    before, episodes, after = past.tally, Episodes(), Tally()
    if against is not None:
        before = Tally()
        Play(against, past.first_us, past.shapes, past.troubles, before.add, seed=seed, managed=managed).play(arrivals)

    def told(arrival: Arrival, outcome: Outcome) -> None:
        after.add(arrival, outcome)
        if outcome.end == REFUSED:
            episodes.add(arrival, outcome, recorded(arrival).end)

    gone = frozenset() if against is None else keys_of(against) - keys_of(new)
    play = Play(new, past.first_us, past.shapes, past.troubles, told, seed=seed, gone=gone, managed=managed)
    play.play(arrivals)
    return Report(
        past.first_us,
        past.last_us,
        past.tally.all.calls,
        "recorded" if against is None else "current",
        groups(before, after),
        findings(episodes),
        unmatched(new, play.silent, episodes),
        notes(new, past.shapes, past.troubles, past.tally, managed=bool(managed)),
        figures(past.tally.all),
        new.ledger.currency,
    )


def keys_of(snapshot: Snapshot) -> frozenset[str]:
    """The names of all keys of the file."""
    own = (key.name for key in snapshot.clients)
    return frozenset((*own, *(key.name for space in snapshot.namespaces for key in space.clients)))
