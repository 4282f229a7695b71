"""The desk's process: `python -m tidegate.jobs.desk`, started by the supervisor while there is patient work."""

import os
from pathlib import Path

import uvloop

from tidegate.clock import SystemClock
from tidegate.jobs.desk.process import Process
from tidegate.model import snapshot as snapshots
from tidegate.observe.log import Log
from tidegate.supervisor.channel import Channel
from tidegate.supervisor.child import ChildArguments, die_with_parent, end_now, parse_arguments
from tidegate.supervisor.messages import Drain, Load, Ready


async def _main(arguments: ChildArguments, log: Log) -> None:
    channel = Channel(arguments.channel)
    message = await channel.receive()
    if not isinstance(message, Load):
        end_now()
    snapshot = snapshots.decode(message.snapshot)
    try:
        process = Process(
            snapshot, Path(arguments.state_dir), SystemClock(), log, lambda: channel.send(Ready(os.getpid()))
        )
    except OSError as error:
        log.error("the desk cannot listen: no patient work is taken", problem=str(error))
        end_now(1)
    process.start()
    while isinstance(message := await channel.receive(), Load):
        if not process.follow(snapshots.decode(message.snapshot)):
            log.info("another database or folder: the desk begins anew")
            break
        channel.send(Ready(os.getpid()))
    if isinstance(message, Drain):
        await process.drain()
    await process.close()
    end_now()


def main() -> None:
    """Run on the descriptors that the command line names."""
    die_with_parent()
    os.umask(0o077)  # what it writes is the gate's own user's
    arguments = parse_arguments()
    uvloop.run(_main(arguments, Log("desk")))


if __name__ == "__main__":
    main()
