"""A worker for the supervisor's tests: answers each connection with its pid and its snapshot, once asked."""

import asyncio
import os
import socket

from tidegate.planes.channel import Channel
from tidegate.planes.child import die_with_parent, end_now, parse_arguments
from tidegate.planes.messages import Drain, Load, Ready, Rejected


class Worker:
    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.snapshot = b""
        self.calls: set[asyncio.Task[None]] = set()

    def load(self, snapshot: bytes) -> None:
        if b"deadly" in snapshot:
            os._exit(3)
        if b"unwelcome" in snapshot:
            self.channel.send(Rejected("I do not like it"))
            if b"parting" in snapshot:
                os._exit(4)
            return
        self.snapshot = snapshot
        self.channel.send(Ready(os.getpid()))

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The first line asks for the head of the answer, the second for its end."""
        task = asyncio.current_task()
        assert task is not None
        self.calls.add(task)
        await reader.readline()
        writer.write(b"%d %s\n" % (os.getpid(), self.snapshot))
        await reader.readline()
        writer.write(b"end\n")
        await writer.drain()
        writer.close()
        self.calls.discard(task)

    async def run(self, listener: socket.socket) -> None:
        server = None
        while (message := await self.channel.receive()) is not None:
            if isinstance(message, Load):
                self.load(message.snapshot)
                server = server or await asyncio.start_server(self.answer, sock=listener)
            elif isinstance(message, Drain) and server is not None:
                server.close()
                await asyncio.gather(*self.calls)
                end_now()
        end_now()


async def main() -> None:
    arguments = parse_arguments()
    await Worker(Channel(arguments.channel)).run(socket.socket(fileno=arguments.listen))


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(main())
