"""A child's end of the channel, over a real socket pair."""

import asyncio
import socket

from tidegate.supervisor.channel import Channel
from tidegate.supervisor.messages import Decoder, Drain, Load, Ready, encode


async def test_messages_arrive_in_order_and_the_end_is_none() -> None:
    """A large snapshot and a small message come whole; after the supervisor's end there is None."""
    ours, theirs = socket.socketpair()
    channel = Channel(theirs.detach())
    load = Load(b"s" * 3_000_000)
    sending = asyncio.create_task(asyncio.to_thread(ours.sendall, encode(load) + encode(Drain())))
    assert await channel.receive() == load
    assert await channel.receive() == Drain()
    await sending
    ours.close()
    assert await channel.receive() is None
    channel.close()


async def test_sending_reaches_the_supervisor_and_is_harmless_after_its_end() -> None:
    """`send` needs no answer, and a supervisor that is gone is told by `receive` alone."""
    ours, theirs = socket.socketpair()
    channel = Channel(theirs.detach())
    channel.send(Ready(7))
    assert Decoder().feed(ours.recv(100)) == [Ready(7)]
    ours.close()
    channel.send(Ready(8))
    assert await channel.receive() is None
    channel.close()
