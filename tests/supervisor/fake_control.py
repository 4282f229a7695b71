"""A control process for the supervisor's tests: says it is ready and waits for the end.

Of nodes that have one configuration it is the only one: what stands in the changed file is agreed upon at once. SIGUSR1
has it ask for the file to be read.
"""

import asyncio
import itertools
import os
import signal
import sys
from pathlib import Path

from tidegate.supervisor.channel import Channel
from tidegate.supervisor.child import die_with_parent, end_now, parse_arguments
from tidegate.supervisor.messages import Load, Loaded, Ready, Rejected, Reload, Reloaded, Source


async def main() -> None:
    channel = Channel(parse_arguments().channel)
    numbers = itertools.count(1)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: channel.send(Reload(next(numbers))))
    channel.send(Ready(os.getpid()))
    while (message := await channel.receive()) is not None:
        if isinstance(message, Source):
            text = Path(message.file).read_text(encoding="utf-8")  # noqa: ASYNC240 - a few bytes
            if text.startswith("agreed "):
                await channel.hand_over(Loaded(False, False, 20_000_000, text.encode(), common=True))
        elif isinstance(message, Rejected):
            sys.stderr.write(f"control hears: {message.reason}\n")
            sys.stderr.flush()
        elif isinstance(message, Reloaded):
            sys.stderr.write(f"control is told {message.number}: {message.version} {message.reason}\n")
            sys.stderr.flush()
        elif isinstance(message, Load):
            sys.stderr.write(f"control hears of {message.snapshot.decode()}\n")
            sys.stderr.flush()
    end_now()


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(main())
