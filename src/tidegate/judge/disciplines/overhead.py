"""How much later an answer comes than from the provider itself. Told, not judged: it depends on the machine."""

from collections.abc import Sequence
from typing import Final

from tidegate.judge import rules
from tidegate.judge.arena import Arena
from tidegate.judge.client import Ask, Client
from tidegate.judge.disciplines.discipline import Discipline
from tidegate.judge.rules import Measure, Verdict
from tidegate.judge.setup import KEY, account
from tidegate.load.report import percentiles

CALLS: Final = 100


def measures(direct_us: Sequence[int], through_us: Sequence[int]) -> tuple[Measure, ...]:
    """Medians and p99 of both, and their difference."""
    own, whole = percentiles(direct_us), percentiles(through_us)
    return (
        rules.told("added to an answer, median", whole.p50 - own.p50, "ms", f"through it {whole.p50:.1f} ms"),
        rules.told("added to an answer, p99", whole.p99 - own.p99, "ms", f"through it {whole.p99:.1f} ms"),
        rules.told("the provider alone, median", own.p50, "ms", f"p99 {own.p99:.1f} ms; it is slow by design"),
    )


async def _timed(client: Client, key: str) -> list[int]:
    found = [await client.ask(Ask(KEY, key)) for _ in range(CALLS)]
    return [one.done_us - one.sent_us for one in found if one.status == 200]


async def _run(arena: Arena) -> Verdict:
    direct = await _timed(arena.direct, account(KEY))
    through = await _timed(arena.clients[0], arena.options.keys[0])
    return Verdict("overhead", measures(direct, through), arrivals=f"{CALLS} calls, one by one")


DISCIPLINES: Final = (Discipline("overhead", "how much later an answer comes; told, not judged", "nothing", _run),)
