"""Is the time that refused clients are told true? They come back when they were told to, and are counted."""

from collections.abc import Sequence
from typing import Final

from tidegate.judge import rules
from tidegate.judge.arena import Arena
from tidegate.judge.disciplines.discipline import Discipline
from tidegate.judge.rules import Measure, Verdict
from tidegate.judge.setup import HONEST
from tidegate.load.crowd import Member
from tidegate.load.visits import End, Visit

CLIENTS: Final = 120
PAUSE_S: Final = 20  # of a client, between an answer and its next call, on average: three times the quota in all
LONGEST_S: Final = 75  # a queue of all clients needs 60
_LATE_US: Final = 1_000_000


def measures(visits: Sequence[Visit]) -> tuple[Measure, ...]:
    """Empty where nobody was refused and everybody answered: then there was nothing to be told."""
    refused = [visit for visit in visits if visit.tries[0].end is End.REFUSED]
    failed = [visit for visit in visits if visit.tries[-1].end is End.FAILED]
    if not refused and not failed:
        return ()
    kinds = sorted({visit.tries[-1].kind[:60] for visit in failed})
    found = [
        rules.share("answered or refused, not failed", len(visits) - len(failed), len(visits), ", ".join(kinds[:3]))
    ]
    if refused:
        named = [visit for visit in refused if visit.tries[0].told_us >= 0]
        served = sum(1 for visit in named if len(visit.tries) > 1 and visit.answered)
        long = sum(1 for visit in named if visit.tries[0].told_us > LONGEST_S * 1_000_000)
        times = sorted(visit.tries[0].told_us for visit in named)
        note = f"median time named {times[len(times) // 2] / 1e6:.1f} s, {long} above {LONGEST_S} s" if times else ""
        found.append(rules.share("refusals that name a time", len(named), len(refused)))
        if named:
            found.append(rules.share("served who came back within 1 s of it", served, len(named), note))
    return tuple(found)


async def _run(arena: Arena) -> Verdict:
    keys, seconds = arena.options.keys, arena.options.seconds(120, 300)
    crowd = [Member(f"client-{number}", keys[0], 1 / PAUSE_S, 20) for number in range(CLIENTS)]
    show = await arena.play(
        HONEST, crowd, seconds, returns=1, late_us=_LATE_US, one_at_a_time=True, longest_us=LONGEST_S * 1_000_000
    )
    found = measures(show.visits)
    why = "" if found else f"it refused none of {len(show.visits):,} calls, and all were answered"
    return Verdict("retry-after", found, why, show.arrivals)


DISCIPLINES: Final = (
    Discipline(
        "retry-after",
        "do the times come true that refused clients are told?",
        "refusals: who is never refused is told no time",
        _run,
        beside=True,
    ),
)
