"""A sender in a process of its own, to be killed: `victim.py DATABASE`. It never notes what it sent."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from tests.jobs.hooks.stand import Book, Home
from tidegate.clock import SystemClock
from tidegate.jobs.hooks import claims
from tidegate.jobs.hooks.sender import Sender
from tidegate.jobs.rows.open import open_rows
from tidegate.model.jobs import JobSettings

_T = TypeVar("_T")
_A = TypeVarTuple("_A")


class Held(Home):
    """It gets as far as noting, says so, and no further."""

    async def call_long(self, function: Callable[[*_A], _T], *arguments: *_A) -> _T:
        if function is claims.note:
            print("sent", flush=True)
            await asyncio.Event().wait()
        return await super().call_long(function, *arguments)


async def main(database: str) -> None:
    rows = open_rows(JobSettings(database=database), "", Path())
    await Sender(Held(rows, SystemClock()), Book()).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
