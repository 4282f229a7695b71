"""Two crossings as one: what no translation says directly goes over a dialect that both know."""

from collections.abc import Mapping

from tidegate.providers.translate.face import Crossed, Crossing, Reply, Stream


class ThroughStream:
    """The provider's events through the second translation, and what comes of it through the first."""

    __slots__ = ("_first", "_second")

    def __init__(self, first: Stream, second: Stream) -> None:
        self._first = first
        self._second = second

    def feed(self, events: bytes) -> bytes:
        between = self._second.feed(events)
        return self._first.feed(between) if between else b""


class ThroughReply:
    """The way back is the second's, then the first's."""

    __slots__ = ("_first", "_second")

    def __init__(self, first: Reply, second: Reply) -> None:
        self._first = first
        self._second = second

    def answer(self, body: bytes) -> bytes:
        return self._first.answer(self._second.answer(body))

    def stream(self) -> ThroughStream:
        return ThroughStream(self._first.stream(), self._second.stream())


class Through:
    """The first crossing, then the second.

    What the second drops is named as the client calls it: by `names`, where the dialect between calls it otherwise.
    """

    __slots__ = ("_first", "_names", "_second")

    def __init__(self, first: Crossing, second: Crossing, names: Mapping[str, str] | None = None) -> None:
        self._first = first
        self._second = second
        self._names = names or {}

    def request(self, body: bytes, model: str, created: int) -> Crossed:
        first = self._first.request(body, model, created)
        second = self._second.request(first.body, model, created)
        named = first.dropped + tuple(self._names.get(name, name) for name in second.dropped)
        return Crossed(second.body, tuple(dict.fromkeys(named)), ThroughReply(first.reply, second.reply))
