"""A process beside the calls for the supervisor's tests: writes what it was told last beside its pid."""

import asyncio
import os
from pathlib import Path

from tidegate.planes.channel import Channel
from tidegate.planes.child import die_with_parent, end_now, parse_arguments
from tidegate.planes.messages import Load, Ready


async def main() -> None:
    arguments = parse_arguments()
    channel = Channel(arguments.channel)
    last = b""
    while isinstance(message := await channel.receive(), Load):
        told = Path(arguments.state_dir, "semantic.told")
        new = told.with_suffix(".new")
        last = message.snapshot
        new.write_bytes(b"%d %s" % (os.getpid(), message.snapshot))
        new.replace(told)
        channel.send(Ready(os.getpid()))
    if b"stubborn" in last:
        await asyncio.Event().wait()
    end_now()


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(main())
