"""An answer that is kept. It is read on the path of a hit: no msgspec struct, so that compiled code reaches its fields.

`KEY_BYTES` of SHA-256 name it; `Labels` say by what it can be purged.
"""

from typing import Final

KEY_BYTES: Final = 32


class Labels:
    """What a purge can name. `tags` are the client's own words, sorted. Nobody changes one."""

    __slots__ = ("model", "namespace", "strategy", "tags")

    def __init__(self, namespace: str, model: str, strategy: str, tags: tuple[str, ...] = ()) -> None:
        self.namespace = namespace
        self.model = model  # provider/model that answered
        self.strategy = strategy  # the plan's name
        self.tags = tags


class Cost:
    """What the answer took when it was made, so what a hit saves. Tokens as billed; money in billionths."""

    __slots__ = ("completion", "nano", "prompt")

    def __init__(self, prompt: int = 0, completion: int = 0, nano: int = 0) -> None:
        self.prompt = prompt
        self.completion = completion
        self.nano = nano


class CacheEntry:
    """One answer. Moments are wall-clock microseconds since 1970. Nobody changes one.

    `body` is the answer as its first client got it: JSON, or with `streamed` the events of a stream, which came in
    pieces: `beats` are the bytes of each and its microseconds since the first, () = not kept.
    """

    __slots__ = (
        "beats", "body", "call_id", "cost", "dialect", "fresh_until_us", "key", "kind", "labels", "stale_until_us",
        "stored_us", "streamed",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913, PLR0917 - a record
        self,
        key: bytes,
        kind: str,  # `Kind.value` of the call
        dialect: str,
        body: bytes,
        streamed: bool,
        beats: tuple[tuple[int, int], ...],
        labels: Labels,
        cost: Cost,
        call_id: int,  # of the call that made it
        stored_us: int,
        fresh_until_us: int,
        stale_until_us: int,  # may stand in for a provider that fails until then
    ) -> None:
        self.key = key
        self.kind = kind
        self.dialect = dialect
        self.body = body
        self.streamed = streamed
        self.beats = beats
        self.labels = labels
        self.cost = cost
        self.call_id = call_id
        self.stored_us = stored_us
        self.fresh_until_us = fresh_until_us
        self.stale_until_us = stale_until_us

    @property
    def size(self) -> int:
        """Bytes that it takes in memory, about."""
        return len(self.body) + 140 * len(self.beats) + 700
