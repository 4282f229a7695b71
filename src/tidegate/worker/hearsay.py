"""What this worker learns of providers, called out to the others; and what they call out, heard.

In a loop turn in which nothing was learnt it costs nothing; a word is one command, of which nobody waits for the reply.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from tidegate.cluster.news import Client, News
from tidegate.line.lane import Lane
from tidegate.line.lanes import Lanes
from tidegate.policy.lease.gossip import Gossip
from tidegate.ports import Clock
from tidegate.supervisor.background import Background

HEALTH: Final = b"health"
_MOST: Final = 512  # words that wait to be called out; more is not worth a call's time


class Who(NamedTuple):
    """Which worker among the others."""

    client: Client
    prefix: str
    member: str


class Word(msgspec.Struct, array_like=True):
    """`key` "" = `name` is closed for `wait_us`, -1 = it is open; else the lane `name` was refused with this key."""

    member: str
    name: str
    wait_us: int = 0
    key: str = ""  # its fingerprint


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Word).decode


class Hearsay:
    """One a worker. `follow` after each configuration; `listen` for as long as it serves."""

    __slots__ = ("_background", "_clock", "_gossip", "_lanes", "_member", "_news", "_telling", "_words")

    def __init__(
        self,
        who: Who,
        lanes: Lanes,
        clock: Clock,
        luck: Callable[[], float],
        background: Background,
    ) -> None:
        self._news = News(who.client, who.prefix, clock)
        self._member = who.member
        self._lanes = lanes
        self._clock = clock
        self._gossip = Gossip(self._closed, clock.now, luck)
        self._words: dict[tuple[str, str], int] = {}  # the last one of each counts
        self._telling = False
        self._background = background

    def follow(self) -> None:
        """The lanes may be others."""
        self._gossip.follow(self._lanes)

    async def listen(self) -> None:
        """For ever. What was missed is learnt from the provider, as it would be alone."""
        await self._news.follow(self._heard, _nothing)

    def key_retired(self, lane: str, digest: str) -> None:
        """The provider knows a key no more."""
        self._add(lane, digest, 0)

    def _closed(self, name: str, wait_us: int) -> None:
        self._add(name, "", wait_us)

    def _add(self, name: str, key: str, wait_us: int) -> None:
        if len(self._words) < _MOST:
            self._words[name, key] = wait_us
        if not self._telling:
            self._telling = True
            self._background.once("telling other workers", self._tell())

    async def _tell(self) -> None:
        try:
            while self._words:
                (name, key), wait_us = next(iter(self._words.items()))
                del self._words[name, key]
                await self._news.tell(HEALTH, _encode(Word(self._member, name, wait_us, key)))
        finally:
            self._telling = False

    def _heard(self, kind: bytes, payload: bytes) -> None:
        if kind != HEALTH:
            return
        try:
            word = _decode(payload)
        except msgspec.DecodeError:
            return  # of another version
        if word.member == self._member:
            return
        if not word.key:
            self._gossip.hear(word.name, word.wait_us)
            return
        lane: Lane | None = next((lane for lane in self._lanes if lane.name == word.name), None)
        if lane is not None:
            lane.keys.hear(word.key, self._clock.now())


def _nothing() -> None:
    """There is nowhere to look."""


def listening(who: Who, lanes: Lanes, clock: Clock, luck: Callable[[], float], background: Background) -> Hearsay:
    """One that listens, and speaks of these lanes."""
    hearsay = Hearsay(who, lanes, clock, luck, background)
    hearsay.follow()
    background.keep("hearing other workers", hearsay.listen)
    return hearsay
