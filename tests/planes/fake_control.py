"""A control process for the supervisor's tests: says it is ready and waits for the end."""

import asyncio
import os

from tidegate.planes.channel import Channel
from tidegate.planes.child import die_with_parent, end_now, parse_arguments
from tidegate.planes.messages import Ready


async def main() -> None:
    channel = Channel(parse_arguments().channel)
    channel.send(Ready(os.getpid()))
    while await channel.receive() is not None:
        pass
    end_now()


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(main())
