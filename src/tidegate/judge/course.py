"""A session from the first call to the report: which disciplines, in which order, and what was left out."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tidegate.judge.arena import Arena, Options
from tidegate.judge.client import Ask, Client, Headers
from tidegate.judge.disciplines import books, failover, fairness, overhead, quota, restart, retry, revoking, storm
from tidegate.judge.disciplines.discipline import Discipline
from tidegate.judge.provider import Provider
from tidegate.judge.rules import Verdict
from tidegate.judge.setup import KEY, Setup, account
from tidegate.load.children import child
from tidegate.load.client import FetchError, connected
from tidegate.load.driver import Target
from tidegate.ports import Clock

DISCIPLINES: Final[tuple[Discipline, ...]] = (
    *overhead.DISCIPLINES,
    *quota.DISCIPLINES,
    *retry.DISCIPLINES,
    *fairness.DISCIPLINES,
    *storm.DISCIPLINES,
    *failover.DISCIPLINES,
    *books.DISCIPLINES,
    *revoking.DISCIPLINES,
    *restart.DISCIPLINES,
)
NAMES: Final = tuple(one.name for one in DISCIPLINES)
_REACH_S: Final = 20.0
_REST_S: Final = 60.0
_QUICK_US: Final = 1_000_000
_READY: Final = r"twin ready: \S+"


class NotReached(Exception):
    """A gateway does not pass a plain call on to the twin; the text says what it answers."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which disciplines; `without`: those that the operator says do not apply. `apart`: never two at the same time."""

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    apart: bool = False

    def wanted(self) -> list[Discipline]:
        """In the order of the table."""
        return [one for one in DISCIPLINES if not self.only or one.name in self.only]


def heats(wanted: Sequence[Discipline], *, apart: bool) -> Iterator[list[Discipline]]:
    """What runs at the same time: neighbours whose loads are each on a quota of its own."""
    heat: list[Discipline] = []
    for one in wanted:
        if heat and (apart or not (one.beside and heat[-1].beside)):
            yield heat
            heat = []
        heat.append(one)
    if heat:
        yield heat


@contextlib.asynccontextmanager
async def provider_of(setup: Setup, folder: Path, seed: int, clock: Clock) -> AsyncIterator[Setup]:
    """The twin in a process of its own, and the setup with its port, which may be 0. Raises `ChildError`."""
    file, port = folder / "twin.yaml", setup.origin.rpartition(":")[2]
    file.write_text(json.dumps(setup.twin(seed)), encoding="utf-8")
    async with child("twin", ["twin", "-c", str(file), "--port", port], folder, clock, _READY) as twin:
        parts = urlsplit(twin.urls[0])
        yield replace(setup, origin=f"{parts.scheme}://{parts.netloc}")


@contextlib.contextmanager
def arena_of(setup: Setup, options: Options, clock: Clock) -> Iterator[Arena]:
    """Connections to the twin and to every replica."""
    with contextlib.ExitStack() as stack:

        def client(url: str, headers: Headers) -> Client:
            return Client(stack.enter_context(connected(Target(url), clock)), clock, url, setup.dialect, headers)

        control = stack.enter_context(connected(Target(setup.origin), clock))
        clients = [client(url, options.headers) for url in options.gates]
        direct = client(setup.base_url, Headers())
        yield Arena(options, setup, Provider(control, clock, setup.origin), clock, clients, direct)


async def reached(arena: Arena) -> None:
    """Every replica answers a plain call, and the twin has seen it. Raises `NotReached`."""
    for client, url in zip(arena.clients, arena.options.gates, strict=True):
        limit = arena.clock.now() + int(_REACH_S * 1e6)
        heard = await client.ask(Ask(KEY, arena.options.keys[0]))
        while heard.status != 200 and arena.clock.now() < limit:
            await asyncio.sleep(0.5)
            heard = await client.ask(Ask(KEY, arena.options.keys[0]))
        if heard.status != 200:
            raise NotReached(f"{url} does not answer a call of the model {KEY}: {heard.said}; see --print-setup")
    seen = {row["key"] for row in await arena.provider.calls(KEY)}
    if account(KEY) not in seen:
        raise NotReached(f"the gateway answers, but the twin has not seen its key {account(KEY)}; see --print-setup")


async def rested(arena: Arena) -> None:
    """Until every replica has done with what came before and is quick again; not for ever, should it never be."""
    limit = arena.clock.now() + int(_REST_S * 1e6)

    async def one(client: Client) -> None:
        while arena.clock.now() < limit:
            heard = await client.ask(Ask(KEY, arena.options.keys[0]))
            if heard.status == 200 and heard.done_us - heard.sent_us < _QUICK_US:
                return
            await asyncio.sleep(0.5)

    await asyncio.gather(*(one(client) for client in arena.clients))


async def judged(arena: Arena, choice: Choice, told: Callable[[str], None]) -> list[Verdict]:
    """All that are wanted, in the table's order. Raises `NotReached`."""
    await reached(arena)
    found: dict[str, Verdict] = {}
    wanted, applicable = choice.wanted(), []
    for one in wanted:
        why = "its operator says that it does not apply" if one.name in choice.without else one.missing(arena.options)
        if why:
            found[one.name] = Verdict(one.name, why_not=why)
        else:
            applicable.append(one)
    for heat in heats(applicable, apart=choice.apart):
        told(", ".join(one.name for one in heat) + " …")
        await rested(arena)
        await arena.provider.reset()
        for verdict in await asyncio.gather(*(_one(arena, one) for one in heat)):
            found[verdict.discipline] = verdict
    return [found[one.name] for one in wanted]


async def _one(arena: Arena, one: Discipline) -> Verdict:
    """What breaks is no bad mark: it is said."""
    try:
        return await one.run(arena)
    except FetchError as error:
        return Verdict(one.name, why_not=f"it could not be measured: {error}")
