"""The runner's process: `python -m tidegate.jobs.runner`, started by the supervisor for each place of each backend."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Final, Protocol

import uvloop
from sqlalchemy.exc import SQLAlchemyError

from tidegate.jobs.celery.open import open_serving
from tidegate.jobs.hints import guest_name, runner_name
from tidegate.jobs.run.serve import Serving
from tidegate.model import snapshot as snapshots
from tidegate.model.jobs import EMBEDDED
from tidegate.model.snapshot import Snapshot
from tidegate.observe.log import Log
from tidegate.store.engine import BadDatabase
from tidegate.store.schema import NewerSchema
from tidegate.supervisor.channel import Channel
from tidegate.supervisor.child import ChildArguments, die_with_parent, end_now, parse_arguments
from tidegate.supervisor.messages import Load, Ready

CANNOT: Final = (SQLAlchemyError, BadDatabase, NewerSchema, OSError, ValueError)  # what a runner is not begun with


class Runner(Protocol):
    """One that has begun, whichever engine brings its jobs."""

    over: "asyncio.Task[None]"

    def follow(self, snapshot: Snapshot) -> bool: ...
    async def stop(self) -> None: ...


async def run_alone(snapshot: Snapshot, state_dir: Path, log: Log, backend: str = EMBEDDED) -> None:
    """Run jobs of this backend until SIGTERM or SIGINT, without a supervisor. Raises `CANNOT`."""
    told = _told_to_end(signal.SIGTERM, signal.SIGINT)
    serving = _serving(snapshot, state_dir, backend, guest_name(), log)
    await _until(told, serving)
    await serving.stop()


async def _supervised(arguments: ChildArguments, log: Log) -> None:
    """Run until told to end, or until a configuration needs another process. Ends this one."""
    channel = Channel(arguments.channel)
    message = await channel.receive()
    if not isinstance(message, Load):
        end_now()
    snapshot = snapshots.decode(message.snapshot)
    backend = snapshots.runs(snapshot, arguments.worker)
    if backend is None:
        end_now()
    told = _told_to_end(signal.SIGTERM)
    try:
        serving = _serving(snapshot, Path(arguments.state_dir), backend, runner_name(arguments.worker), log)
    except CANNOT as error:
        log.error("jobs cannot be run", problem=_said(error))
        end_now(1)
    channel.send(Ready(os.getpid()))
    loads = asyncio.get_running_loop().create_task(_follow(channel, serving, backend, arguments.worker))
    loads.add_done_callback(lambda _: told.set())
    try:
        await _until(told, serving)
    except Exception as error:  # noqa: BLE001 - whatever it is, the next process begins anew
        log.error("the runner cannot go on", problem=repr(error))
        end_now(1)
    await serving.stop()
    end_now()


def _serving(snapshot: Snapshot, state_dir: Path, backend: str, name: str, log: Log) -> Runner:
    """Raises `CANNOT`."""
    begin = open_serving if backend != EMBEDDED else Serving
    return begin(snapshot, state_dir, backend, name, log)


async def _follow(channel: Channel, serving: Runner, backend: str, number: int) -> None:
    """Configurations, until one needs another process, or the supervisor says that it is over."""
    while isinstance(message := await channel.receive(), Load):
        snapshot = snapshots.decode(message.snapshot)
        if snapshots.runs(snapshot, number) != backend or not serving.follow(snapshot):
            return
        channel.send(Ready(os.getpid()))


async def _until(told: asyncio.Event, serving: Runner) -> None:
    """Raises what the runner breaks of."""
    end = asyncio.get_running_loop().create_task(told.wait())
    await asyncio.wait([end, serving.over], return_when=asyncio.FIRST_COMPLETED)
    end.cancel()
    if not told.is_set():
        serving.over.result()


def _told_to_end(*by: signal.Signals) -> asyncio.Event:
    told = asyncio.Event()
    for number in by:
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told


def _said(error: Exception) -> str:
    """Without the statement that failed."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


def main() -> None:
    """Run on the descriptors that the command line names."""
    die_with_parent()
    arguments = parse_arguments()
    uvloop.run(_supervised(arguments, Log(f"runner-{arguments.worker}")))


if __name__ == "__main__":
    main()
