"""A process beside the calls for the supervisor's tests: writes what it was told last beside its pid.

When it is let go it leaves `NAME.left`. A `stubborn` one never goes, and one that is `holding` waits for `NAME.go`, a
FIFO.
"""

import asyncio
import os
from pathlib import Path

from tidegate.supervisor.channel import Channel
from tidegate.supervisor.child import die_with_parent, end_now, parse_arguments
from tidegate.supervisor.messages import Load, Ready, Rejected


async def main(name: str) -> None:
    arguments = parse_arguments()
    home = Path(arguments.state_dir)
    if arguments.worker >= 0:
        name = f"{name}-{arguments.worker}"
    channel = Channel(arguments.channel)
    last = b""
    while isinstance(message := await channel.receive(), Load):
        last = message.snapshot
        write(home / f"{name}.told", b"%d %s" % (os.getpid(), last))
        channel.send(Rejected("I cannot") if b"picky" in last else Ready(os.getpid()))
    if message is not None:
        await go(home, name, last)
    end_now()


async def go(home: Path, name: str, last: bytes) -> None:
    if b"stubborn" in last:
        await asyncio.Event().wait()
    write(home / f"{name}.leaving", b"")
    if b"holding" in last:
        (home / f"{name}.go").read_bytes()
    write(home / f"{name}.left", b"")


def write(path: Path, data: bytes) -> None:
    new = path.with_name(path.name + ".new")
    new.write_bytes(data)
    new.replace(path)


def run(name: str) -> None:
    die_with_parent()
    asyncio.run(main(name))
