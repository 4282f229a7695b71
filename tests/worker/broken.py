"""A real worker of which something is broken: `python -m tests.worker.broken WHAT`, then as a supervisor starts it."""

import sys

from tidegate.journal.bodies import Spool
from tidegate.journal.care import Care
from tidegate.line.pool import Pool
from tidegate.line.routing_table import RoutingTable
from tidegate.line.target import Target
from tidegate.policy.queue.outlet import Outlet
from tidegate.worker.process import main

_looks = 0


async def _look_fails_once(_spool: Spool) -> None:
    global _looks  # noqa: PLW0603 - a process of its own
    _looks += 1
    if _looks == 1:
        raise RuntimeError("a defect of the spool")
    sys.stderr.write(f"the spool looks, {_looks}\n")


async def _look_fails(_care: Care) -> None:
    raise RuntimeError("a defect of the journal's care")


def _break(what: str) -> None:
    if what == "spool":
        Spool.look = _look_fails_once  # type: ignore[assignment,method-assign]
    elif what == "care":
        Care.look = _look_fails  # type: ignore[assignment,method-assign]
    elif what == "book":
        whole = RoutingTable._target

        def target(book: RoutingTable, name: str, model: str, bound: Pool[Outlet] | None) -> Target:
            if model == "broken":
                raise KeyError("a defect of composing")
            return whole(book, name, model, bound)

        RoutingTable._target = target  # type: ignore[assignment,method-assign]


if __name__ == "__main__":
    _break(sys.argv.pop(1))
    main()
