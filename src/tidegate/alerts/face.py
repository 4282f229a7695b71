"""What a channel is: the face that `alerts/channels/` fulfil and the watch speaks to."""

from typing import Protocol

from tidegate.model.alerts import Notice


class NotSent(Exception):
    """A channel did not take a notice. The message says why without a secret, an address's token or a body."""

    def __init__(self, message: str, retry_after_us: int | None = None, *, final: bool = False) -> None:
        """`retry_after_us`: as the channel asks for; None = as the sender likes. `final`: it never will."""
        super().__init__(message)
        self.retry_after_us = retry_after_us
        self.final = final


class Channel(Protocol):
    """Somebody who can be told; one object for each configured channel, used by one task at a time."""

    async def send(self, notice: Notice) -> None:
        """Tell it. Returns when the channel has taken it, within the channel's time-out. Raises `NotSent`."""
