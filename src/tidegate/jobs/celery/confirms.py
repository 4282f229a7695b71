"""RabbitMQ's publisher confirms for many messages at once: to wait for each would cost a write to disk for each."""

from amqp.exceptions import MessageNacked
from kombu.transport.pyamqp import Channel


class Confirms:
    """Of a channel over which nothing but jobs is given."""

    __slots__ = ("_before", "_channel", "_confirmed", "_refused")

    def __init__(self, channel: Channel) -> None:
        """Ask for them: the first message after this is number 1."""
        self._channel = channel
        self._before = 0  # all up to here are confirmed
        self._confirmed: set[int] = set()  # of those that are waited for
        self._refused = False
        channel.confirm_select()
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)

    def wait(self, sent: int) -> None:
        """Return when the last `sent` messages are confirmed. Raises `MessageNacked`, and what the connection does."""
        self._refused = False
        while len(self._confirmed) < sent:
            self._channel.connection.drain_events()
        self._before += sent
        self._confirmed.clear()
        if self._refused:
            raise MessageNacked

    def _on_ack(self, number: int, multiple: bool) -> None:
        first = self._before + 1 if multiple else number
        self._confirmed.update(range(first, number + 1))

    def _on_nack(self, number: int, multiple: bool) -> None:
        self._refused = True
        self._on_ack(number, multiple)
