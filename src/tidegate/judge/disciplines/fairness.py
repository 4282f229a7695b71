"""Two tenants of equal right, one of which asks for three times its half: what does the other get of its own?"""

from collections.abc import Mapping, Sequence
from typing import Final

from tidegate.judge import rules
from tidegate.judge.arena import WARM_S, Arena, Options
from tidegate.judge.disciplines.discipline import Discipline
from tidegate.judge.justice import jain
from tidegate.judge.rules import Measure, Verdict, clamped
from tidegate.judge.setup import FAIR, FAIR_RPM
from tidegate.load.crowd import Member
from tidegate.load.visits import Visit
from tidegate.simulate.fairness import fair_shares

MODEST, GREEDY = "modest", "greedy"
_PARTS: Final = {MODEST: 0.5, GREEDY: 1.5}  # of the quota: together twice of it


def measures(asked: Mapping[str, int], had: Mapping[str, int]) -> tuple[Measure, ...]:
    """Calls that each tenant asked for and had, against its max-min fair share of all that were answered."""
    names, total = sorted(asked), sum(had.values())
    fair = fair_shares([float(asked[name]) for name in names], [1.0] * len(names), float(total))
    parts = [had.get(name, 0) / share for name, share in zip(names, fair, strict=True) if share]
    worst = 100 * min(parts, default=0.0)
    words = [f"{name}: {had.get(name, 0):,} of {share:,.0f}" for name, share in zip(names, fair, strict=True)]
    return (
        Measure("the worse-off tenant's part of its fair share", worst, "%", clamped(worst), "the percentage",
                ", ".join(words)),
        rules.told("Jain's index of the parts", jain(parts)),
    )  # fmt: skip


def counted(visits: Sequence[Visit], first_us: int, last_us: int) -> tuple[dict[str, int], dict[str, int]]:
    """Calls that were due, and calls that were answered, in [first, last), by tenant."""
    asked, had = {MODEST: 0, GREEDY: 0}, {MODEST: 0, GREEDY: 0}
    for visit in visits:
        asked[visit.tenant] += first_us <= visit.due_us < last_us
        had[visit.tenant] += visit.answered and first_us <= visit.tries[-1].done_us < last_us
    return asked, had


async def _run(arena: Arena) -> Verdict:
    seconds = arena.options.seconds(60, 300)
    crowd = [
        Member(name, key, part * FAIR_RPM / 60, 20)
        for (name, part), key in zip(_PARTS.items(), arena.options.keys, strict=False)
    ]
    show = await arena.play(FAIR, crowd, WARM_S + seconds)
    first = show.began_us + WARM_S * 1_000_000
    found = measures(*counted(show.visits, first, first + seconds * 1_000_000))
    return Verdict("fairness", found, arrivals=show.arrivals)


def _missing(options: Options) -> str:
    return "" if len(options.keys) > 1 else "it was given one key only: tenants cannot be told apart"


DISCIPLINES: Final = (
    Discipline(
        "fairness",
        "two tenants' keys under twice the quota: does each get its share?",
        "two keys, of tenants that it tells apart",
        _run,
        _missing,
        beside=True,
    ),
)
