"""The worker's side of kept bodies: what calls said waits in memory for a moment, then goes to disk in a thread.

No call waits for it. Memory, files and their size are bounded; what does not fit is dropped and counted, the newest
where it is memory that is full, the oldest where it is the disk's share. A disk that hangs holds up one thread.
"""

import asyncio
import json
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from tidegate.journal import parcels
from tidegate.journal.care import Teller
from tidegate.journal.stock import Background
from tidegate.model.bodies import Sample
from tidegate.model.snapshot import Snapshot
from tidegate.ports import Clock

FLUSH_US: Final = 250_000
MEMORY_BYTES: Final = 16_777_216
DISK_BYTES: Final = 67_108_864
DISK_FILES: Final = 1_000
SHORTEST_SECRET: Final = 8  # a shorter word, such as `none`, is found everywhere
HIDDEN: Final = b"[secret]"
_SAY_AGAIN_US: Final = 60_000_000
_PATIENCE_US: Final = 1_000_000
_LOOK_US: Final = 10_000

_Waiting = tuple[Sample, bytes]


class Spool:
    """Of one worker. Fulfils `edge.bodies.BodyLog`."""

    __slots__ = (
        "_background", "_busy", "_clock", "_directory", "_failed", "_failure", "_flying", "_hidden", "_log", "_number",
        "_refused", "_said", "_size", "_timer", "_told", "_waiting", "kept",
    )  # fmt: skip

    def __init__(self, directory: Path, clock: Clock, background: Background, log: Teller) -> None:
        """Nothing is made on disk before there is something to keep."""
        self._directory = directory
        self._clock = clock
        self._background = background
        self._log = log
        self._hidden: tuple[bytes, ...] = ()
        self._waiting: list[_Waiting] = []
        self._size = 0  # bytes that wait
        self._flying = 0  # bytes that are being written
        self._busy = False
        self._timer = False
        self._number = 0
        self.kept = 0
        self._refused = 0  # counted by the loop, and
        self._failed = 0  # by the thread
        self._failure = ""
        self._told = 0
        self._said = -_SAY_AGAIN_US

    @property
    def dropped(self) -> int:
        """Samples that nobody has."""
        return self._refused + self._failed

    def hide(self, secrets: Iterable[str]) -> None:
        """These words, the providers' keys, are in nothing that is written from now on."""
        self._hidden = _forms(secrets)

    def append(self, sample: Sample, secret: bytes) -> None:
        """Keep one, from which `secret` is taken out too."""
        size = len(sample.request) + len(sample.answer)
        if self._size + self._flying + size > MEMORY_BYTES:
            self._refused += 1
            return
        self._waiting.append((sample, secret))
        self._size += size
        if not self._timer:
            self._timer = True
            self._clock.call_at(self._clock.now() + FLUSH_US, self._flush)

    async def look(self) -> None:
        """Tell the log of what was dropped, once a minute at most."""
        now, dropped = self._clock.now(), self.dropped
        if dropped > self._told and now - self._said >= _SAY_AGAIN_US:
            self._log.warning(
                "bodies of calls were not kept", bodies=dropped - self._told,
                problem=self._failure or "more was said than can be kept: lower `sample` or `max_bytes`",
            )  # fmt: skip
            self._told, self._said, self._failure = dropped, now, ""

    async def close(self) -> None:
        """Write what waits. A disk that does not answer is not waited for."""
        give_up_at = self._clock.now() + _PATIENCE_US
        while self._busy and self._clock.now() < give_up_at:
            await self._clock.sleep(_LOOK_US)
        if self._waiting and not self._busy:
            await asyncio.to_thread(self._write, self._taken())

    def _flush(self) -> None:
        self._timer = False
        if self._busy:
            self._timer = True
            self._clock.call_at(self._clock.now() + FLUSH_US, self._flush)
        elif self._waiting:
            self._background(partial(self._write, self._taken()))

    def _taken(self) -> list[_Waiting]:
        self._busy = True
        batch, self._waiting = self._waiting, []
        self._flying, self._size = self._size, 0
        return batch

    def _write(self, batch: list[_Waiting]) -> None:
        """In a thread: take secrets out, and make a parcel."""
        try:
            samples = [_without(sample, (*_forms([secret.decode("latin-1")]), *self._hidden))
                       for sample, secret in batch]  # fmt: skip
            self._deliver(samples)
            self.kept += len(batch)
        except OSError as error:
            self._failed += len(batch)
            self._failure = str(error)
        finally:
            self._flying = 0
            self._busy = False

    def _deliver(self, samples: list[Sample]) -> None:
        directory = self._directory
        if not self._number:
            directory.mkdir(mode=0o700, exist_ok=True)
            parcels.drop_unfinished(directory)
            self._number = max(map(parcels.number_of, parcels.parcels(directory)), default=0)
        size = sum(len(sample.request) + len(sample.answer) for sample in samples)
        self._failed += parcels.make_room(directory, DISK_BYTES - size, DISK_FILES - 1)
        self._number += 1
        parcels.write(directory, self._number, samples)


def keys_of(snapshot: Snapshot) -> Iterator[str]:
    """With which providers are called."""
    return (key for provider in snapshot.providers for scope in provider.scopes for key in scope.keys)


def _forms(secrets: Iterable[str]) -> tuple[bytes, ...]:
    """Words as they may stand in a body, the longest first: as they are, and as JSON writes them."""
    long = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
    forms = long | {json.dumps(secret)[1:-1] for secret in long}
    forms |= {form.replace("/", "\\/") for form in forms}
    return tuple(sorted((form.encode("latin-1", "replace") for form in forms), key=len, reverse=True))


def _without(sample: Sample, secrets: tuple[bytes, ...]) -> Sample:
    """O(secrets × bytes)."""
    request, answer = sample.request, sample.answer
    for secret in secrets:
        request, answer = request.replace(secret, HIDDEN), answer.replace(secret, HIDDEN)
    if request is sample.request and answer is sample.answer:
        return sample
    return msgspec.structs.replace(sample, request=request, answer=answer)
