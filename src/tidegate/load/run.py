"""One run from beginning to end: drive the calls, watch, and put both sides of the account together."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from tidegate.load.calls import LoadCall
from tidegate.load.client import connected, read_ledger
from tidegate.load.driver import Driver, Target
from tidegate.load.ledger import FullReport, audit
from tidegate.load.outcome import CallResult, Ending
from tidegate.load.report import summarise
from tidegate.ports import Clock

_WATCH_US = 250_000


class Counts:
    """How a run stands."""

    __slots__ = ("_endings", "results")

    def __init__(self) -> None:
        self.results: list[CallResult] = []
        self._endings = dict.fromkeys(Ending, 0)

    def add(self, result: CallResult) -> None:
        """One call ended."""
        self.results.append(result)
        self._endings[result.ending] += 1

    def of(self, ending: Ending) -> int:
        """How many ended so. O(1)."""
        return self._endings[ending]


class Watcher(Protocol):
    """Is shown a run four times a second, and at its end."""

    def show(self, sent: int, counts: Counts) -> None: ...


async def run_load(
    calls: Iterable[LoadCall], target: Target, clock: Clock, watcher: Watcher, ledger_of: tuple[str, str] | None = None
) -> FullReport:
    """Drive all calls and report. `ledger_of` is the URL of a twin and the model whose account to read there.

    A cancellation ends the run, not the report: calls without an end are counted as such. Raises `FetchError`.
    """
    counts = Counts()
    with connected(target, clock) as pool:
        driver = Driver(pool, clock, target, counts.add)
        if ledger_of is None:
            await _watched(driver, calls, counts, clock, watcher)
            return FullReport(summarise(counts.results))
        url, model = ledger_of
        bookkeeper = Target(url)
        with connected(bookkeeper, clock) as desk:
            before = await read_ledger(desk, bookkeeper, clock)
            await _watched(driver, calls, counts, clock, watcher)
            after = await read_ledger(desk, bookkeeper, clock)
    return FullReport(summarise(counts.results), audit(before, after, model, counts.results))


async def _watched(driver: Driver, calls: Iterable[LoadCall], counts: Counts, clock: Clock, watcher: Watcher) -> None:
    watching = asyncio.get_running_loop().create_task(_watch(driver, counts, clock, watcher))
    try:
        with suppress(asyncio.CancelledError):
            await driver.drive(calls)
    finally:
        watching.cancel()
        watcher.show(driver.sent, counts)


async def _watch(driver: Driver, counts: Counts, clock: Clock, watcher: Watcher) -> None:
    while True:
        watcher.show(driver.sent, counts)
        await clock.sleep(_WATCH_US)
