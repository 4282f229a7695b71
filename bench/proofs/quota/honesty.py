"""Do the times that refused clients are told come true? Clients return when they were told to, and are counted."""

from collections.abc import Sequence

from bench.figures import Figure, at_least, at_most, exactly, median, told
from bench.proofs.fleet import CALL, Fleet, Policy, Quota, fleet
from bench.proofs.quota.used import WARM_SECONDS
from bench.proofs.steps import Context, Row
from bench.proofs.traffic import Show, play, punctual
from tidegate.judge.served import Match, admissions, matched
from tidegate.load.crowd import Member
from tidegate.load.visits import End, Manners, Visit

_CLIENTS = 1_500
_PAUSE_S = 10  # between a client's answer and its next call, on average
_DEADLINE_MS = 5_000
_LATE_US = 1_000_000


def returning(context: Context, row: Row) -> None:
    """Clients with one call at a time that come back once, within a second of the named time."""
    row.commands.append(f"{_CLIENTS:,} clients with one call each, back within 1 s of retry-after-ms")
    crowd = [
        Member(f"client-{n}", f"tg-client-{n:05d}", 1 / _PAUSE_S, CALL, deadline_ms=_DEADLINE_MS)
        for n in range(_CLIENTS)
    ]
    seconds = 180 if context.quick else 600
    manners = Manners(returns=1, late_us=_LATE_US, one_at_a_time=True)
    with fleet(context.work, Quota(), Policy(), crowd, "honesty") as one:
        one.empty_books()
        visits = play([Show(one.gate.url, crowd, seconds, manners=manners)])[0]
        row.figures += _figures(one, visits)


def _figures(one: Fleet, visits: Sequence[Visit]) -> list[Figure]:
    ledger = one.ledger()
    matches, _ = matched(visits, admissions(one.events()))
    settled = int((one.began + WARM_SECONDS) * 1e6)
    first_refused = [match for match in matches if match.visit.tries[0].end is End.REFUSED]
    timeless = sum(1 for match in first_refused if match.visit.tries[0].told_us < 0)
    back = [match for match in first_refused if len(match.visit.tries) > 1]
    served = sum(match.visit.answered for match in back)
    judged = [match for match in back if match.visit.due_us > settled]
    named = [match.visit.tries[0].told_us / 1e6 for match in judged]
    meant = queue_waits(matches, judged, Quota().per_second)
    ratio = median(named) / max(0.001, median(meant))
    note = f"{len(back):,} came back; {ledger['throttled']:,} 429s at the provider; {one.gate.refused}"
    return [
        at_least("clients that return within 1 s of the named time are served",
                 100 * served / max(1, len(back)), 99, "%", note),
        at_most("the median named time over the wait a queue would have meant", ratio, 1.2, "",
                f"named {median(named):.1f} s, a queue {median(meant):.1f} s"),
        exactly("refused without a time", timeless, 0, f"{len(first_refused):,} refused at first"),
        punctual("clients that return", visits),
        told("lowest and highest named time", f"{min(named, default=0):.1f} s, {max(named, default=0):.1f} s"),
    ]  # fmt: skip


def queue_waits(every: Sequence[Match], judged: Sequence[Match], rate: float) -> list[float]:
    """For each refused call the wait, in seconds, that a queue without an end would have meant.

    Before it stand all calls that came earlier and were not served yet, those told to come back included, for such a
    queue would hold them. `rate` is in tokens a second. O(n log n).
    """
    changes: list[tuple[int, int, int]] = []
    for match in every:
        visit = match.visit
        left = match.at_us if match.at_us is not None else visit.tries[-1].done_us
        changes += [(visit.tries[0].sent_us, 1, visit.tokens), (max(left, visit.tries[0].sent_us), 1, -visit.tokens)]
    changes += [(match.visit.tries[0].sent_us, 0, index) for index, match in enumerate(judged)]  # before its own
    waiting, found = 0, [0.0] * len(judged)
    for _, kind, value in sorted(changes):
        if not kind:
            found[value] = (max(0, waiting) + judged[value].visit.tokens) / rate
        else:
            waiting += value
    return found
