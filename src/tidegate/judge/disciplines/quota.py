"""Limits: are they kept over all replicas together, is all of the quota used, and are 429s foreseen?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tidegate.judge import rules
from tidegate.judge.arena import WARM_S, Arena
from tidegate.judge.disciplines.discipline import Discipline
from tidegate.judge.log import Attempt, attempts, over_bucket, over_window
from tidegate.judge.rules import Measure, Verdict
from tidegate.judge.setup import CALL_TOKENS, REQUESTS, RPM, TOKENS_MODEL, TPM
from tidegate.load.crowd import Member
from tidegate.load.visits import End, Visit
from tidegate.units import SECOND_US

OFFERED: Final = 3.0  # times the quota
SHORT: Final = 20  # tokens of a call where requests are counted
_AVOIDABLE: Final = "avoidable"


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit a minute; a call costs `call` of it."""

    model: str
    unit: str
    amount: int
    call: int
    window: str = "continuous"

    def cost(self, tokens: int) -> int:
        """What a call of so many tokens takes."""
        return tokens if self.unit == "tokens" else 1

    def over(self, events: Sequence[Sequence[Any]]) -> int:
        """By how much all attempts together, the refused ones too, went beyond it in the worst minute."""
        judged = over_bucket if self.window == "continuous" else over_window
        rows = [
            [Attempt(one.at_us, self.cost(one.tokens), one.admitted) for one in some]
            for some in attempts(events).values()
        ]
        return max((judged(some, self.amount) for some in rows), default=0)

    def used(self, events: Sequence[Sequence[Any]], first_us: int, last_us: int) -> float:
        """Per cent of it that was admitted in [first, last)."""
        taken = sum(self.cost(int(row[4])) for row in events if not row[5] and first_us <= row[0] < last_us)
        return 100 * taken / (self.amount * (last_us - first_us) / (60 * SECOND_US))


def measures(limit: Limit, events: Sequence[Sequence[Any]], first_us: int, seconds: int) -> tuple[Measure, ...]:
    """From the provider's log: `first_us` is when the warm-up was over."""
    last = first_us + seconds * SECOND_US
    foreseen = sum(1 for row in events if row[5] == _AVOIDABLE)
    one_call = 100 * limit.call / (limit.amount * seconds / 60)
    return (
        rules.over_limit("over the limit, worst minute", limit.over(events), limit.amount, limit.unit, limit.call),
        rules.avoidable(foreseen, len(events)),
        rules.used(limit.used(events, first_us, last), one_call, f"in {seconds} s after {WARM_S} s of warm-up"),
    )


def heard(visits: Sequence[Visit], events: Sequence[Sequence[Any]]) -> tuple[Measure, Measure]:
    """What the clients got: of what the provider admitted, and, for the record, of what they asked."""
    ends = {end: sum(1 for visit in visits if visit.tries[-1].end is end) for end in End}
    kinds = sorted({visit.tries[-1].kind[:60] for visit in visits if visit.tries[-1].end is End.FAILED})
    words = f"{ends[End.REFUSED]:,} refused, {ends[End.FAILED]:,} failed {', '.join(kinds[:3])}".strip()
    answered, admitted = ends[End.ANSWERED], sum(1 for row in events if not row[5])
    return (
        rules.share("admitted calls that reached their client", min(answered, admitted), admitted),
        rules.told("calls answered", answered, f"of {len(visits):,}", words),
    )


async def played(arena: Arena, limit: Limit) -> Verdict:
    """One key's calls, three times the limit, dealt to all replicas."""
    limit = replace(limit, window=arena.setup.window)
    seconds = arena.options.seconds(60, 300)
    rate = OFFERED * limit.amount / limit.call / 60
    crowd = [Member("first", arena.options.keys[0], rate, CALL_TOKENS if limit.unit == "tokens" else SHORT)]
    show = await arena.play(limit.model, crowd, WARM_S + seconds)
    events = await arena.provider.events(limit.model)
    found = measures(limit, events, show.began_us + WARM_S * SECOND_US, seconds)
    return Verdict(limit.unit, (*found, *heard(show.visits, events)), arrivals=show.arrivals)


async def _requests(arena: Arena) -> Verdict:
    return await played(arena, Limit(REQUESTS, "requests", RPM, 1))


async def _tokens(arena: Arena) -> Verdict:
    return await played(arena, Limit(TOKENS_MODEL, "tokens", TPM, CALL_TOKENS))


NEEDS: Final = "limits for a provider's model, known to it in advance"
DISCIPLINES: Final = (
    Discipline("requests", "requests a minute: exact over replicas, and used", NEEDS, _requests, beside=True),
    Discipline("tokens", "tokens a minute: exact over replicas, and used", NEEDS, _tokens, beside=True),
)
