"""An hour of 429s, played in a minute: how often is a provider asked that has said when to come back?"""

import asyncio
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, Final

from tidegate.judge import rules
from tidegate.judge.arena import Arena
from tidegate.judge.client import Ask
from tidegate.judge.disciplines.discipline import Discipline
from tidegate.judge.rules import Verdict
from tidegate.judge.setup import STORM
from tidegate.load.crowd import Member

RATE: Final = 2.0  # calls a second
RETRY_AFTER_S: Final = 5
SLACK_US: Final = 100_000  # what is on its way when a refusal is given is nobody's fault
_LOOK_S: Final = 5.0
_PROBE_S: Final = 0.25


def early(attempts_us: Iterable[int], retry_after_us: int, slack_us: int = SLACK_US) -> int:
    """Attempts after an earlier one was refused and before the time that it was told was over. O(n log n)."""
    every = sorted(attempts_us)
    found = 0
    for at in every:
        earlier = bisect_right(every, at - retry_after_us + slack_us)
        found += earlier < len(every) and every[earlier] < at - slack_us
    return found


async def _watched(arena: Arena, seen: dict[int, dict[str, Any]]) -> None:
    """All attempts, however many: the twin remembers its last two thousand calls."""
    while True:
        await asyncio.sleep(_LOOK_S)
        seen |= {row["id"]: row for row in await arena.provider.calls(STORM)}


async def _recovered(arena: Arena) -> float:
    """Seconds until every replica has answered once."""
    began = arena.clock.now()

    async def one(number: int) -> None:
        client, key = arena.clients[number], arena.options.keys[0]
        while arena.clock.now() - began < rules.RECOVERY_MOST_S * 1e6:
            if (await client.ask(Ask(STORM, key))).status == 200:
                return
            await asyncio.sleep(_PROBE_S)

    await asyncio.gather(*(one(number) for number in range(len(arena.clients))))
    return (arena.clock.now() - began) / 1e6


async def _run(arena: Arena) -> Verdict:
    rule = {"fault": "429", "retry_after": str(RETRY_AFTER_S), "match": {"model": STORM}}
    seen: dict[int, dict[str, Any]] = {}
    await arena.strike("storm", [rule])
    watch = asyncio.get_running_loop().create_task(_watched(arena, seen))
    show = await arena.play(STORM, [Member("first", arena.options.keys[0], RATE, 20)], arena.options.seconds(60, 300))
    watch.cancel()
    seen |= {row["id"]: row for row in await arena.provider.calls(STORM)}
    struck = [row["arrived_us"] for row in seen.values() if row["status"] == 429]
    await arena.strike("storm", [])
    back = await _recovered(arena)
    count = early(struck, RETRY_AFTER_S * 1_000_000)
    note = f"{len(struck):,} attempts for {len(show.visits):,} calls, {count:,} of them too early"
    found = (
        rules.amplification(count, len(show.visits), note),
        rules.recovery(back, RETRY_AFTER_S),
        rules.told("attempts per call", len(struck) / max(1, len(show.visits))),
    )
    return Verdict("storm", found, arrivals=show.arrivals)


DISCIPLINES: Final = (
    Discipline("storm", "a long row of 429s: is the provider left in peace, and soon asked again?", "nothing", _run),
)
