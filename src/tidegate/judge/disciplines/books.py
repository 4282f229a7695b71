"""Tokens: what clients are told and what the gateway books, against what the provider bills."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tidegate.judge import rules
from tidegate.judge.arena import Arena
from tidegate.judge.client import Ask
from tidegate.judge.disciplines.discipline import Discipline
from tidegate.judge.hearing import Heard
from tidegate.judge.rules import Measure, Verdict
from tidegate.judge.setup import BOOKS
from tidegate.judge.usage import total

EACH: Final = 10  # calls of each form
_LEAVING: Final = 1_000  # tokens of an answer whose client leaves at its beginning
_SETTLE_S: Final = 20.0
_STEADY: Final = 4  # looks at the same figure, a second apart


def asks(key: str) -> Iterator[Ask]:
    """Each with a `max_tokens` of its own, by which it is found in the provider's log."""
    for number in range(EACH):
        yield Ask(BOOKS, key, 40 + number)
        yield Ask(BOOKS, key, 140 + number, stream=True, usage=True)
        yield Ask(BOOKS, key, 240 + number, stream=True)
        yield Ask(BOOKS, key, _LEAVING + number, stream=True, leave=True)


def measures(
    heard: Sequence[tuple[Ask, Heard]], billed: Mapping[int, int], booked: int | None, truth: int
) -> tuple[Measure, ...]:
    """`billed`: the provider's tokens by `max_tokens`; `booked`: the gateway's own figure, None where it has none."""
    wanted = [(ask, one) for ask, one in heard if not ask.leave and (not ask.stream or ask.usage)]
    told = sum(one.tokens or 0 for _, one in wanted)
    meant = sum(billed.get(ask.tokens, 0) for ask, _ in wanted)
    silent = sum(1 for _, one in wanted if one.tokens is None)
    note = f"{silent} of {len(wanted)} answers say nothing" if silent else f"{len(wanted)} answers"
    found = [rules.books("usage told to clients", told, meant, note)]
    if booked is not None:
        found.append(
            rules.books("usage booked by the gateway", booked, truth, f"{len(heard)} calls, {EACH} left early")
        )
    return tuple(found)


async def _run(arena: Arena) -> Verdict:
    options = arena.options
    before = await _settled(arena)  # of earlier calls, too
    first = (await arena.provider.books(BOOKS))["billed_tokens"]
    heard = []
    for number, ask in enumerate(asks(options.keys[0])):
        heard.append((ask, await arena.clients[number % len(arena.clients)].ask(ask)))
    billed = {row["max_tokens"]: row["billed_tokens"] for row in await arena.provider.calls(BOOKS)}
    after = await _settled(arena)
    truth = (await arena.provider.books(BOOKS))["billed_tokens"] - first
    booked = None if before is None or after is None else after - before
    return Verdict("ledger", measures(heard, billed, booked, truth), arrivals=f"{len(heard)} calls, one by one")


async def _booked(arena: Arena) -> int | None:
    options = arena.options
    pages = [await total(url, options.usage_metrics) for url in options.usage_urls]
    return sum(pages) if pages else None


async def _settled(arena: Arena) -> int | None:
    """The gateway's figure once it stands still; a ledger may be late."""
    last, same = await _booked(arena), 0
    limit = arena.clock.now() + int(_SETTLE_S * 1e6)
    while last is not None and same < _STEADY and arena.clock.now() < limit:
        await asyncio.sleep(1)
        found = await _booked(arena)
        last, same = found, same + 1 if found == last else 0
    return last


DISCIPLINES: Final = (
    Discipline(
        "ledger",
        "usage told to clients, and the gateway's own books, against what the provider bills",
        "usage in answers; for its books, counters on a Prometheus page",
        _run,
    ),
)
