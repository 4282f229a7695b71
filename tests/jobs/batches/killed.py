"""A keeper in a process of its own, killed (SIGKILL) at a point of its work: python killed.py STATE_DIR POINT."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tidegate.clock import SystemClock
from tidegate.jobs.batches import BatchWorker, closing, feed, finish, folder
from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.rows.open import open_rows
from tidegate.model.jobs import JobSettings
from tidegate.model.snapshot import Snapshot
from tidegate.observe.log import Log

# Where, and which time that it comes there.
POINTS: dict[str, tuple[Any, str, int]] = {
    "in the transaction that feeds": (feed.submitting, "submit", 2),
    "behind a piece that was fed": (feed.Feeder, "feed", 3),
    "behind the look at the file": (feed.Feeder, "look", 1),
    "between two pages of output": (finish.Writing, "step", 2),
    "behind the renaming of a file": (folder, "_sync", 1),
    "in the transaction that ends": (closing, "end", 1),
    "while answers leave the rows": (closing, "clean", 2),
}


class Hints:
    """Nobody hears them."""

    def work(self) -> None: ...

    def changed(self, jobs: object) -> None: ...


def dying(function: Callable[..., Any], times: int) -> Callable[..., Any]:
    """It works so many times, and takes the process with it the last one."""
    left = [times]

    def called(*arguments: Any, **named: Any) -> Any:
        told = function(*arguments, **named)
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return told

    return called


async def main(state_dir: Path, point: str) -> None:
    jobs = JobSettings(enabled=True, files=str(state_dir / "files"))
    desk = Desk(Snapshot(version=1, providers=(), jobs=jobs), state_dir, SystemClock(), Hints(), Log("desk"))
    desk.rows = open_rows(jobs, "", state_dir)
    keeper = BatchWorker(desk)
    await desk.call_long(lambda: keeper._archive.folder.place)  # the folder is there before it dies
    where, name, times = POINTS[point]
    setattr(where, name, dying(getattr(where, name), times))
    while await keeper.round():
        pass


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
