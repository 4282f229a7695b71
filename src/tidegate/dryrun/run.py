"""A dry run: recorded arrivals through a policy in virtual time, beside what happened or beside another policy.

The admin API may call `dry_run` as the command does: it takes arrivals and snapshots and returns a record.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from tidegate.dryrun.episodes import Episodes
from tidegate.dryrun.notes import notes
from tidegate.dryrun.outcome import REFUSED, Outcome, recorded
from tidegate.dryrun.past import Past
from tidegate.dryrun.play import Play
from tidegate.dryrun.report import Report, findings
from tidegate.dryrun.silent import Silent
from tidegate.dryrun.spread import Means, figures, groups
from tidegate.dryrun.tally import Tally
from tidegate.dryrun.unmatched import unmatched
from tidegate.model.arrivals import Arrival
from tidegate.model.directory import Change
from tidegate.model.snapshot import Snapshot

PLAYS: Final = 5  # tell a spread within a third, and a mean within half of it


def plays_within(budget: int, calls: int, least: int = 1) -> int:
    """How often so many calls are played: `PLAYS` times, or as often as `budget` calls of each policy allow."""
    return max(least, min(PLAYS, budget // max(1, calls)))


def dry_run(
    arrivals: Iterable[Arrival],
    new: Snapshot,
    *,
    against: Snapshot | None = None,
    managed: Sequence[Change] = (),
    seed: int = 0,
    plays: int = 1,
) -> Report:
    """Play them. `arrivals` is gone through once, and once for each play of each policy; it has the earliest first.

    `against`: the policy that the new one is held against; without one, that is what was recorded. `managed`: who may
    call beside the files.
    """
    past = Past(arrivals, (new,) if against is None else (new, against), seed)
    before, after, episodes, silent = Means(), Means(), Episodes(), Silent()
    if against is None:
        before.add(past.tally)
    gone = frozenset() if against is None else keys_of(against) - keys_of(new)
    for nth in range(plays):
        if against is not None:
            was = Tally()
            Play(against, past, was.add, seed=seed, nth=nth, managed=managed).play(arrivals)
            before.add(was)
        now = Tally()

        def told(arrival: Arrival, outcome: Outcome, now: Tally = now) -> None:
            now.add(arrival, outcome)
            if outcome.end == REFUSED:
                episodes.add(arrival, outcome, recorded(arrival).end)

        Play(new, past, told, seed=seed, nth=nth, gone=gone, managed=managed, silent=silent).play(arrivals)
        after.add(now)
    return Report(
        past.first_us,
        past.last_us,
        past.tally.all.calls,
        "recorded" if against is None else "current",
        groups(before, after, drawn=against is not None),
        findings(episodes, plays),
        unmatched(new, silent, episodes),
        notes(new, past, plays, managed=bool(managed)),
        figures(past.tally.all),
        new.ledger.currency,
        plays,
    )


def keys_of(snapshot: Snapshot) -> frozenset[str]:
    """The names of all keys of the file."""
    own = (key.name for key in snapshot.clients)
    return frozenset((*own, *(key.name for space in snapshot.namespaces for key in space.clients)))
