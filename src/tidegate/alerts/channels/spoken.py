"""What all channels have in common that are spoken to by HTTP: time, pace, and not to say anything twice."""

from collections.abc import Sequence
from typing import Final, Protocol

from tidegate.alerts.channels.pace import Pace
from tidegate.alerts.channels.post import Answer, Request, post
from tidegate.alerts.channels.trust import Trust
from tidegate.alerts.face import NotSent
from tidegate.model.alerts import AlertChannel, Notice
from tidegate.ports import Clock

_SECOND: Final = 1_000_000


class Speaker(Protocol):
    """What one maker wants to hear, and what its answers mean. Pure."""

    def requests(self, notice: Notice, wall_us: int) -> Sequence[Request]:
        """One after the other; all of them are the notice."""

    def judge(self, answer: Answer) -> None:
        """Raises `NotSent` unless the answer says that it was taken."""


class Spoken:
    """`face.Channel` over HTTP."""

    __slots__ = ("_channel", "_clock", "_pace", "_said", "_speaker", "_trust")

    def __init__(self, channel: AlertChannel, speaker: Speaker, pace: Pace, clock: Clock, trust: Trust) -> None:
        self._channel = channel
        self._speaker = speaker
        self._pace = pace
        self._clock = clock
        self._trust = trust
        self._said = ("", 0)  # of which notice how many requests were taken: those are not said again

    async def send(self, notice: Notice) -> None:
        """As `face.Channel.send`. The maker's limit is kept by a short wait, or `NotSent` that says how long."""
        until = self._clock.now() + self._channel.timeout_us
        count = len(self._speaker.requests(notice, self._clock.wall()))
        for number in range(count):
            if self._said[0] == notice.id and number < self._said[1]:
                continue
            await paced(self._pace, self._clock, self._channel.timeout_us)
            request = self._speaker.requests(notice, self._clock.wall())[number]  # signed for the moment of sending
            answer = await post(request, self._channel.proxy, self._clock, self._trust, until)
            self._judge(answer)
            self._said = (notice.id, number + 1)

    def _judge(self, answer: Answer) -> None:
        try:
            throttled(answer)
            self._speaker.judge(answer)
        except NotSent as refused:
            if refused.retry_after_us:
                self._pace.shut(self._clock.now() + refused.retry_after_us)
            raise


async def paced(pace: Pace, clock: Clock, timeout_us: int) -> None:
    """Wait for the channel's turn and take it. Raises `NotSent` where that takes more than half of the time-out."""
    wait = pace.wait(clock.now())
    if wait > timeout_us // 2:
        raise NotSent(f"more messages than the channel takes: the next one in {-(-wait // _SECOND)} s", wait)
    await clock.sleep(wait)
    pace.take(clock.now())


def throttled(answer: Answer) -> None:
    """Raises `NotSent` for what HTTP itself says of a server that is busy or out of order."""
    if answer.status == 429:
        raise NotSent("it takes no more messages for now (429)", answer.retry_after_us or 60 * _SECOND)
    if answer.status >= 500:
        raise NotSent(f"it is out of order ({answer.status})", answer.retry_after_us)
