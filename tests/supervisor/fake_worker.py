"""A worker for the supervisor's tests: answers each connection with its pid and its snapshot, once asked."""

import asyncio
import os
import socket

from tidegate.supervisor.channel import Channel
from tidegate.supervisor.child import die_with_parent, end_now, parse_arguments
from tidegate.supervisor.messages import Drain, Go, HandOver, Load, Quiet, Ready, Rejected, Warm


class Worker:
    def __init__(self, channel: Channel, listener: socket.socket, after: str) -> None:
        self.channel = channel
        self.listener = listener
        self.after = after
        self.snapshot = b""
        self.calls: set[asyncio.Task[None]] = set()

    def load(self, snapshot: bytes) -> None:
        if b"deadly" in snapshot or (b"heirless" in snapshot and self.after):
            os._exit(3)
        if b"unwelcome" in snapshot:
            self.channel.send(Rejected("I do not like it"))
            if b"parting" in snapshot:
                os._exit(4)
            return
        self.snapshot = snapshot
        if self.after:
            self.channel.send(Warm(b"shared" in snapshot))
        else:
            self.serve()

    def serve(self) -> None:
        self.listener.setblocking(False)
        asyncio.get_running_loop().add_reader(self.listener, self.accept)
        self.channel.send(Ready(os.getpid()))

    def accept(self) -> None:
        """At once, or not: a server of asyncio's loses what it accepted when it is closed in the same turn."""
        try:
            connection, _ = self.listener.accept()
        except BlockingIOError:
            return
        self.calls.add(asyncio.get_running_loop().create_task(self.answer(connection)))

    async def answer(self, connection: socket.socket) -> None:
        """The first line asks for the head of the answer, the second for its end."""
        reader, writer = await asyncio.open_connection(sock=connection)
        await reader.readline()
        writer.write(b"%d %s\n" % (os.getpid(), self.snapshot))
        await reader.readline()
        writer.write(b"end\n")
        await writer.drain()
        writer.close()

    async def run(self) -> None:
        while (message := await self.channel.receive()) is not None:
            if isinstance(message, Load):
                self.load(message.snapshot)
            elif isinstance(message, Go):
                self.after = ""
                self.serve()
            elif isinstance(message, (Drain, HandOver)):
                asyncio.get_running_loop().remove_reader(self.listener)
                self.listener.close()
                self.channel.send(Quiet())
                await asyncio.gather(*self.calls, return_exceptions=True)
                end_now()
        end_now()


async def main() -> None:
    arguments = parse_arguments()
    listener = socket.socket(fileno=arguments.listen)
    await Worker(Channel(arguments.channel), listener, arguments.after).run()


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(main())
